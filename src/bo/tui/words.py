"""Sentences the screen says about what was done, and about what went wrong."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from bo.core.kernel.errors import BoError
from bo.core.kernel.text import _, language
from bo.tui.source import CommandSpec, Outcome

_NAME = re.compile(r"[a-z]+(_[a-z]+)+")
_IRREGULAR = {
    "win": "won",
    "lose": "lost",
    "hold": "put on hold",
    "take": "taken",
    "give": "given",
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

# Verbs that mean something else for these records than for leads: what the screen calls the command, and its past
# tense.
TITLES = {
    "exceptions.take": "Take on",
    "exceptions.assign": "Hand over",
    "returns.request": "Request a return",
    "returns.decline": "Refuse",
    "exception_rules.standard": "Set up the built-in rules",
}
DONE = {
    "exceptions.take": "taken on",
    "exceptions.assign": "handed over",
    "exceptions.scan": "opened",
    "returns.decline": "refused",
    "exception_rules.standard": "made",
}

# Commands without a record that say how many they have made, be it none.
MAKE_MANY = frozenset({"exceptions.scan", "exception_rules.standard"})


def state_words(states: Iterable[str]) -> str:
    """States as the rows show them."""
    return ", ".join(_(state.replace("_", " ")) for state in sorted(states))


# What to do where there is none of these, as nobody would guess it.
EMPTY = {
    "exceptions": "Nothing needs a person; :scan looks again, by :exception-rules",
    "exception_rules": "There are no rules yet: :standard makes the built-in ones",
}


def nothing_here(noun: str, filter_text: str) -> str:
    """What stands where no row is."""
    if noun in EMPTY and filter_text in ("", "state:open"):
        return _(EMPTY[noun])
    return _("Nothing matches the filter") if filter_text else _("There is nothing here yet")


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
    return _noun(command.noun, count)


def _noun(name: str, count: int) -> str:
    plural = name.replace("_", " ")
    if plural.endswith("ies"):
        one = plural.removesuffix("ies") + "y"
    else:
        one = plural.removesuffix("es" if plural.endswith("sses") else "s")
    return _(plural) if count != 1 else _(one)


def called(name: str, noun: str) -> str:
    """A record by its name; one that is only a number would read like how many."""
    return f"{_noun(noun, 1)} {name}" if name.isdecimal() else name


def counted(command: CommandSpec, count: int) -> str:
    """ "37 leads", "1 lead"."""
    return _("{count} {noun}", count=f"{count:,}", noun=noun(command, count))


def done_words(command: CommandSpec, outcomes: Sequence[Outcome], undo_key: str, name: str = "") -> str:
    """ "37 leads assigned, u undoes", "35 accepted, 2 refused: …"; a single record by its name, where it is known."""
    well = sum(1 for outcome in outcomes if outcome.ok)
    refused = [outcome for outcome in outcomes if not outcome.ok]
    if not refused and not any(outcome.operation for outcome in outcomes):
        records = name or counted(command, sum(outcome.count for outcome in outcomes))
        return _("{name} {done}", name=records, done=past(command))
    if not refused and len(outcomes) == 1 and name:
        return _("{name} {done}, {key} undoes", name=name, done=past(command), key=undo_key)
    if not refused:
        count = sum(outcome.count for outcome in outcomes)
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
        facts = {name: _word(fact) for name, fact in error.facts.items()}
        said = _(error.message, **facts)
        ended = said if said[-1:] in ".!?。！？" else said + ("。" if language() == "zh_CN" else ".")
        return f"{ended} {_(error.hint, **facts)}" if error.hint else said
    return _("A fault in bo: {kind}: {error}", kind=type(error).__name__, error=error)


def _word(fact: object) -> object:
    """A name such as a state or a reason, as the screen shows it elsewhere."""
    return _(fact.replace("_", " ")) if isinstance(fact, str) and _NAME.fullmatch(fact) else fact
