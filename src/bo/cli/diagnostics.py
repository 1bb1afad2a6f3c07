"""Talk: errors, hints, notes, questions and progress. The only module that writes stderr; it never fails because
nobody listens.

Data in a message is shown with its control and direction characters made visible, so that a name in a file cannot
drive a terminal.
"""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Final

from bo.core.kernel.errors import BoError, UsageError
from bo.core.kernel.text import _, language, visible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bo.cli.asked import Asked

SHORT_ID: Final = 6  # as `short` in kernel.ids cuts them; importing that would load a hash library for help pages
PROGRESS_EVERY_S: Final = 0.2
REFUSALS_SHOWN: Final = 20


def say(text: str, *, quiet: bool = False) -> None:
    """A note for people."""
    if not quiet:
        _write(text + "\n")


def note(asked: Asked, message: str, /, **facts: object) -> None:
    """A translated note, unless the invocation is quiet or for programs."""
    if not asked.quiet and not asked.is_for_programs:
        _write(visible(_(message, **facts)) + "\n")


def tell(error: BoError, *, command: str, subject: str = "", as_json: bool = False) -> None:
    """An error: one line for people, one JSON object for programs."""
    _write((described(error, command, subject) if as_json else in_words(error, command, subject)) + "\n")


def in_words(error: BoError, command: str, subject: str = "") -> str:
    """`bo: leads.assign: lead 7f3k9x: not valid yet. Accept it first: bo leads accept 7f3k9x`."""
    message, hint = _(error.message, **error.facts), _(error.hint, **error.facts)
    about = subject if subject and subject[-SHORT_ID:] not in message else ""
    field = str(error.facts.get("field", ""))
    if field and field not in message:
        about = f"{about}: {field}" if about else field
    words = ": ".join(part for part in ("bo", command, about, message) if part)
    if hint and words[-1:] not in ".!?。！？":
        words += "。" if language() == "zh_CN" else "."
    return visible(f"{words} {hint}".rstrip())


def as_object(error: BoError, command: str, subject: str = "") -> dict[str, object]:
    """An error as programs read it."""
    facts = error.facts
    fields = [{"field": str(facts["field"]), "value": _plain(facts.get("value"))}] if "field" in facts else []
    return {
        "code": error.code,
        "command": command,
        "subject": subject or None,
        "message": _(error.message, **facts),
        "fields": fields,
        "retryable": error.retryable,
        "hint": _(error.hint, **facts),
    }


def described(error: BoError, command: str, subject: str = "") -> str:
    """An error as one line of JSON."""
    import json

    return json.dumps(as_object(error, command, subject), ensure_ascii=False)


def refused(asked: Asked, error: BoError, subject: str, place: int) -> None:
    """One refusal of several; after a while only their number counts."""
    if asked.is_for_programs or place > REFUSALS_SHOWN:
        return
    if place == REFUSALS_SHOWN:
        _write(_("bo: more refusals are in the result") + "\n")
    else:
        tell(error, command=asked.command, subject=subject)


def fault(error: BaseException) -> None:
    """A bug: what happened and where, whole with BO_TRACEBACK=1."""
    import traceback

    if os.environ.get("BO_TRACEBACK"):
        _write("".join(traceback.format_exception(error)))
    last = traceback.extract_tb(error.__traceback__)[-1:]
    place = f" ({os.path.basename(last[0].filename)}:{last[0].lineno})" if last else ""
    _write(
        _(
            "bo: a fault in bo: {kind}: {words}{place}",
            kind=type(error).__name__,
            words=visible(str(error)),
            place=place,
        )
        + "\n"
    )
    _write(_("Nothing of this call was kept. BO_TRACEBACK=1 shows more; please report it.") + "\n")


# -- questions ---------------------------------------------------------------------------------------------------------


def can_ask(asked: Asked) -> bool:
    """Whether somebody is there to answer."""
    return not asked.flag("no_input") and sys.stdin.isatty() and sys.stderr.isatty()


def confirm(asked: Asked, question: str) -> None:
    """Go on only if somebody says yes. Raises UsageError that names --yes where nobody can be asked, and for a no."""
    if asked.flag("yes") or asked.flag("dry_run"):
        return
    if not can_ask(asked):
        raise UsageError(
            "{question} Not confirmed",
            hint="Say --yes to do it, or --dry-run to see what would happen.",
            question=question,
        )
    _write(visible(question) + " " + _("[y/N]") + " ")
    try:
        answer = sys.stdin.readline()
    except UnicodeDecodeError:
        answer = ""
    if answer.strip().lower() not in ("y", "yes", "是"):
        raise UsageError("not confirmed: nothing was changed")


def secret(asked: Asked, question: str) -> str:
    """What somebody types unseen; blank where nobody is there to be asked."""
    if not can_ask(asked):
        return ""
    from getpass import getpass

    return getpass(question + " ")


def code_of(asked: Asked) -> str:
    """A code of the second factor: given with --code or BO_CODE, else typed where somebody is there."""
    given = asked.text("code") or os.environ.get("BO_CODE", "")
    return given or secret(asked, _("Code of the second factor:"))


# -- progress ----------------------------------------------------------------------------------------------------------


class Progress:
    """How far a long work is: on a terminal one line with rate and time left, with `--progress=json` an object a
    second, else nothing.
    """

    def __init__(self, asked: Asked) -> None:
        wanted = asked.text("progress")
        self.as_json = wanted == "json"
        self.shown = self.as_json or (
            wanted != "never" and not asked.quiet and not asked.is_for_programs and sys.stderr.isatty()
        )
        self.started = time.monotonic()
        self.last = 0.0
        self.drawn = False

    def at(self, done: int, total: int | None = None, what: str = "") -> None:
        """Say how many of how many are done; `total` None where nobody knows."""
        now = time.monotonic()
        if not self.shown or now - self.last < (1.0 if self.as_json else PROGRESS_EVERY_S):
            return
        self.last, taken = now, max(now - self.started, 0.001)
        rate = done / taken
        left = (total - done) / rate if total and rate else None
        if self.as_json:
            self._object(
                {
                    "done": done,
                    "total": total,
                    "rate": round(rate),
                    "seconds_left": round(left) if left is not None else None,
                }
            )
            return
        words = f"{done:,}" + (f" / {total:,}" if total else "") + f"  {rate:,.0f}/s"
        words += f"  {_span(left)}" if left is not None else ""
        _write(f"\r{what} {words}\x1b[K" if what else f"\r{words}\x1b[K")
        self.drawn = True

    def share(self, done: int, share: float | None) -> None:
        """Say how many are done and which share of all that is, where it is known."""
        self.at(done, round(done / share) if share else None)

    def end(self) -> None:
        """Leave a clean line."""
        if self.drawn:
            _write("\r\x1b[K")
            self.drawn = False

    def _object(self, values: Mapping[str, object]) -> None:
        import json

        _write(json.dumps(values) + "\n")


def _span(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


def settle() -> bool:
    """Whether everything that was said has been handed over."""
    try:
        if sys.stderr is not None:
            sys.stderr.flush()
    except (OSError, ValueError):
        return False
    return True


def _plain(value: object) -> object:
    return value if value is None or isinstance(value, (str, int, bool)) else str(value)


def _write(text: str) -> None:
    """Write to stderr; a closed one is nobody's fault, and a letter its encoding lacks becomes an escape."""
    stream = sys.stderr
    if stream is None:
        return
    try:
        stream.write(text)
        stream.flush()
    except UnicodeEncodeError:
        stream.write(text.encode(stream.encoding or "ascii", "backslashreplace").decode(stream.encoding or "ascii"))
        stream.flush()
    except (OSError, ValueError):
        return
