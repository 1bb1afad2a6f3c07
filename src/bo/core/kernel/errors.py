"""The one tree of errors. Each class has a stable code; a face maps classes to exit codes, HTTP states or words.

BoError
 +-- UsageError        the call itself is wrong: unknown field, missing option, --yes needed
 +-- BadInput          data that cannot be understood
 |    +-- BadValue     one value of one field
 |    +-- BadFile      a file that cannot be read as what it claims to be
 +-- NotFound          no such record
 +-- Ambiguous         an id tail or a name that matches several records
 +-- Refused           a business rule says no
 |    +-- WrongState   the record is not in a state that allows the move
 +-- NotAllowed        the operator lacks the permission
 |    +-- ProofWanted  the operator has a second factor, and has to show it anew for this
 +-- Busy              somebody else is writing; try again
 +-- StorageFull       no room to write; nothing was changed
 +-- TooNew            it needs a newer bo than this one; nothing is lost by waiting
 +-- Configuration     a workspace, setting or environment that cannot be used
 +-- Damaged           stored data fails a check: stop rather than go on wrong
"""

from __future__ import annotations

from typing import ClassVar


class BoError(Exception):
    """Something the user can be told.

    `message` and `hint` are English templates with `{name}` placeholders, which is what the catalogues translate;
    `facts` fill them. The hint says what to do next.
    """

    code: ClassVar[str] = "error"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, /, *, hint: str = "", **facts: object) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.facts = facts

    def __str__(self) -> str:
        return fill(self.message, self.facts)


def fill(template: str, facts: dict[str, object]) -> str:
    """Put facts into a template; a template that does not fit its facts is shown as it stands."""
    try:
        return template.format(**facts) if facts else template
    except (KeyError, IndexError, ValueError):
        return template


class UsageError(BoError):
    code = "usage"


class BadInput(BoError):
    code = "bad_input"


class BadValue(BadInput):
    """One value that its kind cannot read. `field` and `value` are in `facts`."""

    code = "bad_value"


class BadFile(BadInput):
    code = "bad_file"


class NotFound(BoError):
    code = "not_found"


class Ambiguous(BoError):
    code = "ambiguous"


class Refused(BoError):
    """A rule refuses. Modules derive their own with a code of their own."""

    code = "refused"


class WrongState(Refused):
    code = "wrong_state"


class ReusedId(Refused):
    """An operation id that stands for another operation already."""

    code = "id_reused"


class NotAllowed(BoError):
    code = "not_allowed"


class ProofWanted(NotAllowed):
    """Nothing was done: the same call with a code of the second factor is carried out."""

    code = "proof_wanted"


class Busy(BoError):
    code = "busy"
    retryable = True


class StorageFull(BoError):
    code = "storage_full"
    retryable = True


class TooNew(BoError):
    code = "too_new"
    retryable = True


class Configuration(BoError):
    code = "configuration"


class Damaged(BoError):
    code = "damaged"
