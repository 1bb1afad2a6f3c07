"""What a bank line was for: pure rules over lines and open items. No transaction, no clock.

In this order, each over all lines before the next begins: an id that both sides have; a number of ours that stands in
the text; an equal amount of nearly the same day together with the counterparty. What agrees in its amount alone is
proposed, with points and why, and never decided here. The same lines and items always give the same answer.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec

NAME_ALIKE: Final = 85  # of 100, by which two spellings are of one name
TELLING: Final = 6  # characters that a number has which is no other number by accident
STEPS_MOST: Final = 20_000  # of looking for items that add up to a line
ADDED_MOST: Final = 500  # items among which some are looked for; of more all are meant or none
PROPOSED_MOST: Final = 5
ASKED_OF: Final = 50  # items of one amount that are looked at
RUNS_MOST: Final = 3  # pieces that a bank has cut a number into
POINTS: Final = {"id": 100, "reference": 60, "amount": 40, "remembered": 40, "account": 40, "name": 30, "day": 20}
RETURNED, TRANSFER, PAYOUT, ENTRY = "returned", "transfer", "payout", "entry"
WHOLE_ONLY: Final = (RETURNED, TRANSFER, ENTRY)
WORD: Final = re.compile(r"[0-9A-Za-z]+(?:[-_.][0-9A-Za-z]+)*")
NOISE: Final = re.compile(r"[^0-9A-Z]")


class Line(NamedTuple):
    """A bank line as the rules see it; `left` is what is not explained, with its sign."""

    id: str
    account: str
    currency: str
    day: date
    left: int
    fee: int = 0
    ids: tuple[str, ...] = ()
    text: str = ""
    name: str = ""
    number: str = ""


class Item(msgspec.Struct, eq=False):
    """What a line may be for. `left` is what is still open, signed as the line that would settle it."""

    kind: str
    id: str
    left: int
    currency: str
    day: date
    total: int = 0  # of a payout, whatever of it was matched before
    ids: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    group: str = ""
    name: str = ""
    number: str = ""
    owner: str = ""
    label: str = ""
    account: str = ""  # where only lines of this account, or for a transfer of another, may be meant
    asks: bool = False  # a person has to say something first
    noted: bool = False  # the ledger has moved the account `party` for it already
    party: str = ""


class Hit(NamedTuple):
    """So much of a line is for that item; `fee` is what the channel kept of it."""

    line: str
    item: Item
    amount: int
    fee: int
    how: str


class Proposal(NamedTuple):
    """An item that may be meant, how well it fits out of 100, and why."""

    line: str
    item: Item
    points: int
    why: tuple[str, ...]


class Found(NamedTuple):
    """What came of all lines. `notes` say by line what a person should look at."""

    hits: list[Hit]
    proposals: dict[str, list[Proposal]]
    notes: dict[str, str]


@lru_cache(maxsize=200_000)
def key_of(text: str) -> str:
    """A number without what banks add or drop: upper case, letters and digits only."""
    return NOISE.sub("", text.upper())


def keys_in(text: str) -> Iterator[str]:
    """The numbers that stand in a text by themselves: never a part of a longer one. Pieces that lie beside each other
    are joined too, as banks cut numbers at the end of their lines."""
    words = [key_of(word) for word in WORD.findall(text)]
    yield from words
    for count in range(2, RUNS_MOST + 1):
        for place in range(len(words) - count + 1):
            joined = "".join(words[place : place + count])
            if len(joined) >= TELLING and not joined.isdigit() and not joined.isalpha():
                yield joined


def memory_keys(name: str, number: str) -> tuple[str, ...]:
    """What a counterparty is remembered by: its account, else its name."""
    found = key_of(number)
    said = " ".join(name.split()).casefold()
    return (f"account:{found}",) if found else (f"name:{said}",) if said else ()


@lru_cache(maxsize=50_000)
def likeness(one: str, other: str) -> int:
    """How alike two names are, out of 100."""
    if not one or not other:
        return 0
    if one.casefold() == other.casefold():
        return 100
    from rapidfuzz.fuzz import token_sort_ratio

    return int(token_sort_ratio(one.casefold(), other.casefold()))


def adding_up(amounts: Sequence[int], total: int) -> list[int] | None:
    """The places of amounts of one sign that add up to a total, the largest first; None where there are none, or the
    search takes too long."""
    order = sorted(range(len(amounts)), key=lambda place: (-abs(amounts[place]), place))
    rest = [0] * (len(order) + 1)
    for place in range(len(order) - 1, -1, -1):
        rest[place] = rest[place + 1] + abs(amounts[order[place]])
    steps = 0

    def search(at: int, left: int) -> list[int] | None:
        nonlocal steps
        if not left:
            return []
        steps += 1
        if at == len(order) or rest[at] < left or steps > STEPS_MOST:
            return None
        size = abs(amounts[order[at]])
        if size <= left and (found := search(at + 1, left - size)) is not None:
            return [order[at], *found]
        return search(at + 1, left)

    if rest[0] == abs(total) or len(order) > ADDED_MOST:
        return list(order) if rest[0] == abs(total) else None
    return search(0, abs(total))


class Matcher:
    """Items by what they are found by, and what has been found so far."""

    def __init__(self, items: Iterable[Item], memory: Mapping[str, str], *, window: int) -> None:
        self.memory, self.window = memory, window
        self.by_id: dict[str, list[Item]] = defaultdict(list)
        self.by_reference: dict[str, list[Item]] = defaultdict(list)
        self.by_amount: dict[tuple[str, int], list[Item]] = defaultdict(list)
        self.transfers: dict[str, Item] = {}
        self.open: dict[str, int] = {}
        self.found = Found([], {}, {})
        for item in items:
            self.add(item)

    def add(self, item: Item) -> None:
        """One more open item."""
        for text in item.ids:
            if key := key_of(text):
                self.by_id[key].append(item)
        for text in (*item.references, item.group):
            if key := key_of(text):
                self.by_reference[key].append(item)
        self.by_amount[item.currency, item.left].append(item)
        if item.kind == TRANSFER:
            self.transfers[item.id] = item

    def run(self, lines: Sequence[Line]) -> Found:
        """Match all lines, in their order."""
        self.open = {line.id: line.left for line in lines}
        for step in (self._by_id, self._by_reference, self._by_amount):
            for line in lines:
                if self.open[line.id]:
                    step(line)
        for line in lines:
            if not self.open[line.id]:
                self.found.proposals.pop(line.id, None)
        return self.found

    # -- the three rules -----------------------------------------------------------------------------------------------

    def _by_id(self, line: Line) -> None:
        for key in dict.fromkeys(map(key_of, line.ids)):
            if key and self.open[line.id] and (found := self.by_id.get(key)):
                self._settle(line, self._fitting(line, found), "id", telling=True)

    def _by_reference(self, line: Line) -> None:
        named: dict[str, Item] = {}
        telling = False
        for key in dict.fromkeys(keys_in(line.text)):
            for item in self.by_reference.get(key, ()):
                named[f"{item.kind}:{item.id}"] = item
                telling |= len(key) >= TELLING
        if named:
            self._settle(line, self._fitting(line, list(named.values())), "reference", telling=telling)

    def _by_amount(self, line: Line) -> None:
        gross = self._gross(line)
        near = [
            item
            for item in self.by_amount.get((line.currency, gross), ())[:ASKED_OF]
            if item.left == gross and self._may(line, item) and abs((item.day - line.day).days) <= self.window
        ]
        able = [item for item in near if item.kind != RETURNED and not item.asks]  # a payee may be a customer too
        agreeing = [item for item in able if self._agrees(line, item)]
        if len(agreeing) == 1:
            self._take(line, agreeing[0], "amount")
        else:
            self._propose(line, agreeing or near)

    # -- what fits -----------------------------------------------------------------------------------------------------

    def _gross(self, line: Line) -> int:
        """What of a line is open, with what the channel kept of it."""
        left = self.open[line.id]
        return left + line.fee if left == line.left else left

    def _may(self, line: Line, item: Item) -> bool:
        if item.kind == TRANSFER:
            return item.account != line.account and bool(self.open.get(item.id))
        return item.account in ("", line.account)

    def _fitting(self, line: Line, found: Sequence[Item]) -> list[Item]:
        """The items that are open, go the line's way and are in its currency; else it is noted why none is."""
        gross = self._gross(line)
        able = [item for item in found if self._may(line, item) and item.left * gross > 0]
        fitting = [item for item in able if item.currency == line.currency]
        if not fitting and able:
            self.found.notes[line.id] = "currency"
        elif not fitting and any(item.kind != TRANSFER and not item.left for item in found):
            self.found.notes[line.id] = "again"
        return fitting

    def _agrees(self, line: Line, item: Item) -> bool:
        return bool({"account", "remembered", "name"} & set(self.why(line, item)))

    def why(self, line: Line, item: Item) -> tuple[str, ...]:
        """What speaks for an item, the strongest first."""
        text = set(keys_in(line.text))
        gross = self._gross(line) if line.id in self.open else line.left + line.fee
        number = key_of(line.number)
        said = {
            "id": bool({key_of(each) for each in item.ids} & {key_of(each) for each in line.ids} - {""}),
            "reference": bool({key_of(each) for each in (*item.references, item.group)} & text - {""}),
            "amount": item.left == gross,
            "account": bool(number) and number == key_of(item.number),
            "remembered": bool(item.owner)
            and item.owner in {self.memory.get(key) for key in memory_keys(line.name, line.number)},
            "name": likeness(line.name, item.name) >= NAME_ALIKE,
            "day": abs((item.day - line.day).days) <= self.window,
        }
        return tuple(reason for reason in POINTS if said[reason])

    def _propose(self, line: Line, items: Iterable[Item]) -> None:
        made = [self.proposal(line, item) for item in items]
        if made:
            self.found.proposals[line.id] = best(made)

    def proposal(self, line: Line, item: Item) -> Proposal:
        """How well an item fits a line."""
        why = self.why(line, item)
        return Proposal(line.id, item, min(100, sum(POINTS[reason] for reason in why)), why)

    # -- what is taken -------------------------------------------------------------------------------------------------

    def _settle(self, line: Line, items: list[Item], how: str, *, telling: bool) -> None:
        """Take what these items are, where it is clear: one of them, all, or some that add up exactly."""
        gross = self._gross(line)
        ready = [item for item in items if not item.asks]
        whole = [item for item in ready if item.left == gross]
        if whole:
            self._take(line, whole[0], how)
            return
        parts = [item for item in ready if item.kind not in WHOLE_ONLY]
        added = adding_up([item.left for item in parts], gross) if len(parts) > 1 and not line.fee else None
        if added is not None:
            for place in added:
                self._take(line, parts[place], how)
        elif telling and parts and not (line.fee and abs(gross) > abs(parts[0].left)) and self._clear(parts, gross):
            for item in parts:
                self._take(line, item, how)
            if self.open[line.id]:
                self.found.notes[line.id] = "over"
        else:
            self._propose(line, items)

    @staticmethod
    def _clear(parts: Sequence[Item], gross: int) -> bool:
        """Whether nobody has to be asked whose a sum is that is not what is open: one item alone, or more than all."""
        return len(parts) == 1 or abs(gross) > sum(abs(item.left) for item in parts)

    def _take(self, line: Line, item: Item, how: str) -> None:
        gross = self._gross(line)
        fee = gross - self.open[line.id]
        covered = gross if abs(gross) <= abs(item.left) else item.left
        amount = covered - fee
        self.found.hits.append(Hit(line.id, item, amount, fee, how))
        item.left -= covered
        self.open[line.id] -= amount
        if item.kind == TRANSFER:
            self.open[item.id] = 0
        if (own := self.transfers.get(line.id)) is not None:
            own.left = 0
        if item.kind == PAYOUT and not item.left:
            back = msgspec.structs.replace(item, kind=RETURNED, left=-item.total)
            self.add(back)


def best(proposals: Iterable[Proposal]) -> list[Proposal]:
    """The few that fit best, in an order that is always the same."""
    return sorted(proposals, key=lambda each: (-each.points, each.item.day, each.item.id))[:PROPOSED_MOST]
