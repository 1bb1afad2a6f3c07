"""Sentences the screen says about what was done, and about what went wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from bo.core.kernel.errors import BoError
from bo.core.kernel.text import _, language
from bo.tui.source import CommandSpec, Outcome

_IRREGULAR = {
    "win": "won",
    "lose": "lost",
    "hold": "put on hold",
    "take": "taken",
    "quote": "quoted",
    "pay": "paid",
    "refund": "granted a refund",
    "request_info": "sent back for information",
    "ask_info": "sent back for information",
    "book_visit": "booked for a visit",
    "follow_up": "followed up",
    "reject": "rejected",
    "submit": "submitted",
    "assign_by_rule": "assigned by rule",
    "mark_duplicate": "marked as a duplicate",
    "not_duplicate": "found to be no duplicate",
    "info_received": "back in review",
    "uphold": "upheld",
    "withdraw": "withdrawn",
    "cancel": "cancelled",
    "run": "made",
    "tag": "tagged",
    "scan": "scanned",
    "send": "sent",
    "spend": "spent",
    "fulfil": "sent",
    "printed": "noted as printed",
    "standard": "set up",
    "matrix": "made",
    "undo": "undone",
    "log": "noted",
    "set": "set",
    "reset": "set back",
    "rebuild": "rebuilt",
    "examples": "set up",
    "returned": "noted as returned",
    "record_again": "told again",
}


def past(command: CommandSpec) -> str:
    """The command's past tense: `accept` -> "accepted"."""
    if command.done:
        return _(command.done)
    verb = command.verb
    if verb in _IRREGULAR:
        return _(_IRREGULAR[verb])
    if "_" in verb:
        return _(verb.replace("_", " "))
    return _(verb + "d" if verb.endswith("e") else verb[:-1] + "ied" if verb.endswith("y") else verb + "ed")


def noun(command: CommandSpec, count: int) -> str:
    """The record's noun in the number that the count asks for."""
    plural = command.noun.replace("_", " ")
    if plural.endswith("ies"):
        one = plural.removesuffix("ies") + "y"
    else:
        one = plural.removesuffix("es" if plural.endswith("sses") else "s")
    return _(plural) if count != 1 else _(one)


def counted(command: CommandSpec, count: int) -> str:
    """ "37 leads", "1 lead"."""
    return _("{count} {noun}", count=f"{count:,}", noun=noun(command, count))


def done_words(command: CommandSpec, outcomes: Sequence[Outcome], undo_key: str, name: str = "") -> str:
    """ "37 leads assigned, u undoes", "35 accepted, 2 refused: …"; a single record by its name, where it is known."""
    well = sum(1 for outcome in outcomes if outcome.ok)
    refused = [outcome for outcome in outcomes if not outcome.ok]
    if not refused and not any(outcome.operation for outcome in outcomes):
        return _("{name} {done}", name=name or counted(command, len(outcomes)), done=past(command))
    if not refused and len(outcomes) == 1 and name:
        return _("{name} {done}, {key} undoes", name=name, done=past(command), key=undo_key)
    if not refused:
        count = len(outcomes)
        return _(
            "{count} {noun} {done}, {key} undoes",
            count=f"{count:,}", noun=noun(command, count), done=past(command), key=undo_key,
        )  # fmt: skip
    if len(outcomes) == 1:
        who = name or refused[0].record_id
        return _("{name} refused: {why}", name=who, why=refused[0].message)
    return _(
        "{well} {done}, {badly} refused: {why}",
        well=f"{well:,}", done=past(command), badly=f"{len(refused):,}", why=reasons(refused),
    )  # fmt: skip


def reasons(refused: Sequence[Outcome], kinds_max: int = 2) -> str:
    """Why records were refused, each reason once with its count, the commonest first."""
    kinds = Counter(outcome.message for outcome in refused).most_common()
    listed = [message if count == 1 else f"{message} ({count:,})" for message, count in kinds[:kinds_max]]
    if len(kinds) > kinds_max:
        listed.append(_("and {count} other reasons", count=len(kinds) - kinds_max))
    return "; ".join(listed)


def error_words(error: Exception) -> str:
    """An error as one line: what is wrong, and what to do next."""
    if isinstance(error, BoError):
        said = _(error.message, **error.facts)
        ended = said if said[-1:] in ".!?。！？" else said + ("。" if language() == "zh_CN" else ".")
        return f"{ended} {_(error.hint, **error.facts)}" if error.hint else said
    return _("A fault in bo: {kind}: {error}", kind=type(error).__name__, error=error)
