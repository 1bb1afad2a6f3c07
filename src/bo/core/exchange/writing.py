"""Planned rows written: calls of commands, in the transaction that somebody else holds.

What planning could not know is settled here. A row whose record an earlier row has made, or another program meanwhile,
is compared with what is there now. What a command refuses is a rejection of its row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

from bo.core.exchange.planning import AGAIN, BAD, CREATE, EDIT, SAME, Item, Planner, several
from bo.core.exchange.report import CREATED, DUPLICATE, REJECTED, UNCHANGED, UPDATED, Fault, fault_of
from bo.core.kernel.dispatch import Call, Outcome
from bo.core.kernel.errors import BoError, Refused
from bo.core.kernel.record import Record
from bo.core.kernel.workspace import Transaction

MARK_OF_DUPLICATES: Final = b'"state":"duplicate"'


class Done(NamedTuple):
    """What became of one row. `item` is the row as it was compared last."""

    item: Item
    outcome: str
    id: str = ""
    faults: tuple[Fault, ...] = ()


class _Stated(msgspec.Struct):
    state: str = ""


_stated = msgspec.json.Decoder(_Stated).decode


class Writing:
    """Writes the rows of one import. All its operations bear the id of the first, so that they are undone as one."""

    def __init__(self, planner: Planner, create: str, edit: str, batch: str) -> None:
        self.batch = batch
        self.begun = False
        self._planner = planner
        self._create = create
        self._edit = edit

    def write(self, items: Sequence[Item], perform: Transaction) -> list[Done]:
        """Write rows, and say of each what became of it, in their order."""
        done: dict[int, Done] = {}
        calls: list[Call] = []
        called: list[int] = []
        waiting: list[int] = []
        for place, item in enumerate(items):
            if item.what == CREATE or item.what == EDIT:
                calls.append(self._call(item))
                called.append(place)
            elif item.what == SAME:
                done[place] = Done(item, UNCHANGED, item.subject)
            elif item.what == BAD:
                done[place] = Done(item, REJECTED, item.subject, item.faults)
            else:
                waiting.append(place)
        for place, outcome in zip(called, self._perform(calls, perform), strict=True):
            item = items[place]
            if outcome.error is not None and item.what == CREATE and _is_taken(outcome.error, item):
                waiting.append(place)
            else:
                done[place] = self._done(item, outcome)
        while waiting:
            waiting = self._again(items, sorted(waiting), done, perform)
        return [done[place] for place in range(len(items))]

    def _again(
        self, items: Sequence[Item], waiting: Sequence[int], done: dict[int, Done], perform: Transaction
    ) -> list[int]:
        """One round for rows whose record is there by now: the first of each. What is left waits for the next round."""
        first: dict[tuple[str, str], int] = {}
        for place in waiting:
            first.setdefault(items[place].key, place)
        held = self._planner.load(_by_field(first))
        calls: list[Call] = []
        compared: list[tuple[int, Item]] = []
        for key, place in first.items():
            made = self._compared(items[place], held.get(key, []))
            if made.what in (CREATE, EDIT):
                calls.append(self._call(made))
                compared.append((place, made))
            else:
                done[place] = Done(made, UNCHANGED if made.what == SAME else REJECTED, made.subject, made.faults)
        for (place, made), outcome in zip(compared, self._perform(calls, perform), strict=True):
            done[place] = self._done(made, outcome)
        return [place for place in waiting if place not in done]

    def _compared(self, item: Item, found: Sequence[Record]) -> Item:
        if len(found) > 1:
            return Item(BAD, item.record, item.line, faults=(several(self._planner.info, *item.key),))
        if not found:
            return Item(CREATE, item.record, item.line, args=item.args, key=item.key)
        return self._planner.again(item, found[0], may_overwrite=item.what != AGAIN)

    def _call(self, item: Item) -> Call:
        if item.what == EDIT:
            return Call(self._edit, item.subject, item.args, batch=self.batch)
        return Call(self._create, None, item.args, batch=self.batch)

    def _perform(self, calls: Sequence[Call], perform: Transaction) -> list[Outcome]:
        """Run the calls; the first that is carried out gives its id to the import."""
        outcomes: list[Outcome] = []
        while not self.begun and len(outcomes) < len(calls):
            outcomes += perform([msgspec.structs.replace(calls[len(outcomes)], id=self.batch)])
            self.begun = outcomes[-1].status == "applied"
        rest = calls[len(outcomes) :]
        return outcomes + perform(rest) if rest else outcomes

    def _done(self, item: Item, outcome: Outcome) -> Done:
        if outcome.error is not None:
            return Done(item, REJECTED, item.subject, (self._refusal(outcome.error),))
        if outcome.status == "unchanged":
            return Done(item, UNCHANGED, outcome.returned or item.subject)
        if item.what == EDIT:
            return Done(item, UPDATED, item.subject)
        return Done(item, DUPLICATE if _is_duplicate(outcome) else CREATED, outcome.returned or "")

    def _refusal(self, error: BoError) -> Fault:
        field = str(error.facts.get("field", ""))
        return fault_of(error, self._planner.rows.header_of(field) if field else "")


def _by_field(keys: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for field, value in keys:
        if value:
            found.setdefault(field, []).append(value)
    return found


def _is_taken(error: BoError, item: Item) -> bool:
    """Whether the command refused because there is such a record by now."""
    return isinstance(error, Refused) and bool(item.key[1]) and error.facts.get("field") == item.key[0]


def _is_duplicate(outcome: Outcome) -> bool:
    """Whether the record that a row made is stored as a duplicate of another."""
    for change in outcome.changes:
        if change.row == outcome.returned and change.after is not None and MARK_OF_DUPLICATES in change.after:
            return _stated(change.after).state == DUPLICATE
    return False
