"""How customers buy: how recently, how often and for how much, each in fifths. No database, no clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

import msgspec

FIFTHS: Final = 5
SEGMENTS: Final = ("champions", "loyal", "new", "promising", "needs_attention", "at_risk", "hibernating")


class Buyer(msgspec.Struct, frozen=True):
    """What a customer bought, in minor units of one currency."""

    customer: str
    last: datetime
    orders: int
    ordered: int


class Score(Buyer, frozen=True):
    """The same with the fifth that they are in, 5 for the best, and what that is called."""

    recency: int
    frequency: int
    monetary: int
    segment: str


def scores(buyers: Sequence[Buyer]) -> list[Score]:
    """Every buyer with their fifths, the best first. Who bought alike is in the same fifth."""
    recency = _fifths(buyers, lambda item: item.last.timestamp())
    frequency = _fifths(buyers, lambda item: item.orders)
    monetary = _fifths(buyers, lambda item: item.ordered)
    found = [
        Score(
            item.customer, item.last, item.orders, item.ordered, recency[place], frequency[place], monetary[place],
            segment_of(recency[place], frequency[place], item.orders),
        )
        for place, item in enumerate(buyers)
    ]  # fmt: skip
    return sorted(
        found, key=lambda item: (-(item.recency + item.frequency + item.monetary), -item.ordered, item.customer)
    )


def segment_of(recency: int, frequency: int, orders: int) -> str:
    """What customers are called who bought so recently and so often, in fifths; `orders` tells who bought once."""
    if recency >= 4:
        if orders == 1:
            return "new"
        return "champions" if frequency >= 4 else "promising"
    if recency == 3:
        return "loyal" if frequency >= 4 else "needs_attention"
    return "at_risk" if frequency >= 4 else "hibernating"


def _fifths(buyers: Sequence[Buyer], value: Callable[[Buyer], float]) -> list[int]:
    """The fifth of each: by the share of buyers that are below them."""
    ranked = sorted(map(value, buyers))
    below: dict[float, int] = {}
    for place, each in enumerate(ranked):
        below.setdefault(each, place)
    return [1 + below[value(item)] * FIFTHS // len(ranked) for item in buyers]
