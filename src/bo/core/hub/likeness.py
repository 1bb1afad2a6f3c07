"""Which customers may be one person. No transaction, no database.

Only keys are compared. The strongest agreement of two decides, with the points that leads have; a key that many share
(a switchboard, a fair) says nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from typing import Final

import msgspec

from bo.core.kernel.parsing import name_key
from bo.core.leads.duplicates import NAME_LIKENESS_LEAST, POINTS, SAYS_NOTHING_FROM, likeness

ADDRESS_LIKENESS_LEAST: Final = 85
WORDS: Final = {"phone": "phone", "whatsapp": "phone", "email": "email"}  # sorts of contacts as `POINTS` calls them


class Person(msgspec.Struct, frozen=True):
    """A customer as they are compared: `keys` are phones and mailboxes, each with its word of `POINTS`."""

    id: str
    shown: str
    name: str = ""
    place: str = ""
    keys: tuple[tuple[str, str], ...] = ()


class Pair(msgspec.Struct, frozen=True):
    """Two who may be one, the one known longer first. `why` are words of `POINTS`, strongest first."""

    one: Person
    other: Person
    points: int
    why: tuple[str, ...]


def person(id: str, shown: str, name: str, place: Sequence[str], keys: Iterable[tuple[str, str]]) -> Person:
    """A customer as they are compared. `place` is the city and the address in it; without the latter it says
    nothing. `keys` say what sort of contact each is."""
    words = " ".join(sorted(name_key(name).split(" "))) if name else ""
    where = name_key(" ".join(place)) if place and place[-1] else ""
    named = {(WORDS.get(kind, "platform_id"), key) for kind, key in keys if key}
    return Person(id, shown, words, where, tuple(sorted(named)))


def pairs(people: Sequence[Person]) -> list[Pair]:
    """Who may be one, the likeliest first. `people` come in the order in which they became known."""
    order = {item.id: place for place, item in enumerate(people)}
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for word, group in _groups(people):
        for one, other in combinations(group, 2):
            if agreed := _agree(word, one, other):
                found[one.id, other.id].add(agreed)
    by_id = {item.id: item for item in people}
    made = [Pair(by_id[one], by_id[other], *_weight(why)) for (one, other), why in found.items()]
    return sorted(made, key=lambda pair: (-pair.points, order[pair.one.id], order[pair.other.id]))


def _weight(words: Iterable[str]) -> tuple[int, tuple[str, ...]]:
    """The points of the strongest agreement, and all of them, strongest first."""
    why = tuple(sorted(words, key=lambda word: (-POINTS[word], word)))
    return POINTS[why[0]], why


def _groups(people: Sequence[Person]) -> Iterator[tuple[str, list[Person]]]:
    """Those who share a key, as far as it says anything."""
    groups: dict[tuple[str, str], list[Person]] = defaultdict(list)
    for item in people:
        for key in item.keys:
            groups[key].append(item)
        if item.place:
            groups["place", item.place].append(item)
            if item.name:
                groups["name", item.name].append(item)
    for (word, _value), group in groups.items():
        if 1 < len(group) < SAYS_NOTHING_FROM:
            yield word, group


def _agree(word: str, one: Person, other: Person) -> str:
    if word == "place":
        return "name" if one.name and other.name and likeness(one.name, other.name) >= NAME_LIKENESS_LEAST else ""
    if word == "name":
        return "name" if likeness(one.place, other.place) >= ADDRESS_LIKENESS_LEAST else ""
    return word
