"""Which warehouse gives how much, and when more is bought: pure, so that the same stock gives the same answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

TAKES: Final = frozenset(("damaged", "lost"))  # adjustments that take stock away


class Shelf(msgspec.Struct, frozen=True):
    """What a warehouse could give of a variant. `near`: it belongs to the store that sells."""

    warehouse: str
    code: str
    available: int
    near: bool = False


def ranked(shelves: Iterable[Shelf], quantity: int) -> list[Shelf]:
    """Where to look first: near, then who can give all of it (few parcels), then who has most, then by code."""
    return sorted(shelves, key=lambda shelf: (not shelf.near, shelf.available < quantity, -shelf.available, shelf.code))


def shared_out(shelves: Iterable[Shelf], quantity: int) -> list[tuple[str, int]]:
    """(warehouse, pieces) for a quantity: one warehouse where one has it all, else as few as there must be. The sum is
    less than the quantity where less is available."""
    parts, left = [], quantity
    for shelf in ranked(shelves, quantity):
        part = min(left, shelf.available)
        if part > 0:
            parts.append((shelf.warehouse, part))
            left -= part
    return parts


def may_be_short(*, backorder: bool, was_short: bool, before: int, after: int, on_hand: int) -> bool:
    """Whether a level may promise more than it has: the variant allows it, or it did once and what is missing does not
    grow. `before` and `after` are what is missing (promised less on hand)."""
    return backorder or (was_short and after > 0 and after <= before and on_hand >= 0)


def to_buy(*, available: int, incoming: int, least: int, most: int, multiple: int) -> int:
    """How many are bought: none while there are enough, else up to the most in whole packs (never below the least)."""
    have = available + incoming
    if have >= least:
        return 0
    packs = (most - have) // multiple
    if have + packs * multiple < least:
        packs += 1
    return packs * multiple


def taken(quantity: int, held: Sequence[int]) -> list[int]:
    """A quantity taken from what is held, in its order: how much of each."""
    parts = []
    for count in held:
        part = min(quantity, count)
        parts.append(part)
        quantity -= part
    return parts
