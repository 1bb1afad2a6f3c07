"""What `bo` exits with: the one table, and which error means which code. A script may rely on every line of it."""

from __future__ import annotations

from typing import Final

from bo.core.kernel import errors

OK: Final = 0
BUG: Final = 1
USAGE: Final = 2
PARTIAL: Final = 3
BAD_DATA: Final = 65
NOT_FOUND: Final = 66
UNREACHABLE: Final = 69
BUSY: Final = 75
REFUSED: Final = 76
NOT_ALLOWED: Final = 77
CONFIGURATION: Final = 78
INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141
TERMINATED: Final = 143

MEANINGS: Final[tuple[tuple[int, str], ...]] = (
    (OK, "done; also when there was nothing to do, and for an empty list"),
    (BUG, "a fault in bo itself, or a check that found a problem (bo doctor)"),
    (USAGE, "the call is wrong: unknown option or field, an id that several records have, --yes needed"),
    (PARTIAL, "some of it was done and some refused; the result says which"),
    (BAD_DATA, "data that cannot be understood, or stored data that fails a check; nothing was changed"),
    (NOT_FOUND, "there is no such record; with --fail-empty also an empty list"),
    (UNREACHABLE, "the central store cannot be reached"),
    (BUSY, "somebody else is writing, or there is no room: try again"),
    (REFUSED, "a rule refuses"),
    (NOT_ALLOWED, "the operator may not do that, or this device is not logged in or shut out"),
    (CONFIGURATION, "no workspace, a setting that cannot be used, or a bo that is too old for its central store"),
    (INTERRUPTED, "stopped by INT (Ctrl-C); what was not committed is rolled back"),
    (BROKEN_PIPE, "whoever read the output closed it"),
    (TERMINATED, "stopped by TERM; what was not committed is rolled back"),
)

_CODES: Final[dict[type[BaseException], int]] = {
    errors.UsageError: USAGE,
    errors.Ambiguous: USAGE,
    errors.BadInput: BAD_DATA,
    errors.Damaged: BAD_DATA,
    errors.NotFound: NOT_FOUND,
    errors.Busy: BUSY,
    errors.StorageFull: BUSY,
    errors.Refused: REFUSED,
    errors.NotAllowed: NOT_ALLOWED,
    errors.Configuration: CONFIGURATION,
    errors.TooNew: CONFIGURATION,
    KeyboardInterrupt: INTERRUPTED,
    BrokenPipeError: BROKEN_PIPE,
}
# What a device is told by its central store, or about it: by code, since no other command needs those classes.
_TOLD: Final = {
    "unreachable": UNREACHABLE,
    "unavailable": UNREACHABLE,
    "fault": UNREACHABLE,
    "logged_out": NOT_ALLOWED,
    "login_refused": NOT_ALLOWED,
    "code_wanted": NOT_ALLOWED,
    "wrong_code": NOT_ALLOWED,
    "no_token": NOT_ALLOWED,
    "revoked": NOT_ALLOWED,
    "old_schema": CONFIGURATION,
}


def code_for(error: BaseException) -> int:
    """The exit code of an error: that of the nearest class in the table, else what its code says, a bug where neither
    does."""
    found = next((_CODES[kind] for kind in type(error).__mro__ if kind in _CODES), None)
    if found is not None or not isinstance(error, errors.BoError):
        return BUG if found is None else found
    return _TOLD.get(error.code, BUSY if error.retryable else BUG)


def code_of_many(done: int, failures: list[BaseException]) -> int:
    """The exit code of several calls: partial where some were done, else what the failures have in common."""
    if not failures:
        return OK
    if done:
        return PARTIAL
    codes = {code_for(error) for error in failures}
    return codes.pop() if len(codes) == 1 else REFUSED
