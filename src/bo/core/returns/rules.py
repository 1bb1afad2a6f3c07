"""What may come back, and what it is worth. No transaction, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

from bo.core.access.settings import Setting
from bo.core.kernel.kinds import WholeKind
from bo.core.orders.records import Order, OrderLine

RETURN_DAYS: Final = Setting(
    "returns.window_days", WholeKind(0, 3_650), 30, "days after the last parcel in which an order can come back"
)


def too_late(sent_at: datetime | None, now: datetime, days: int) -> bool:
    """Whether the time for returns has passed. What is not known to be sent is in time."""
    return sent_at is not None and now - sent_at > timedelta(days=days)


def returnable(line: OrderLine, announced: int) -> int:
    """Pieces of a line that can still come back; those in open requests count as gone."""
    return max(0, line.fulfilled - line.returned - announced)


def goods_paid(order: Order) -> int:
    """What was asked for the goods: the total without shipping."""
    return max(0, order.total - order.shipping)


def worth(order: Order, lines: Iterable[OrderLine], pieces: Mapping[str, int]) -> int:
    """What pieces are worth that come back now, in minor units: their share of what was asked for the goods, so that
    discounts and taxes of the whole order are shared too.

    It is the share of all that came back until now less that of what came back before; so the parts make up the whole.
    `lines` say in `returned` what came back before.
    """
    lines = list(lines)
    before = {line.id: line.returned for line in lines}
    after = {line.id: line.returned + pieces.get(line.id, 0) for line in lines}
    return _share(order, lines, after) - _share(order, lines, before)


def _share(order: Order, lines: list[OrderLine], returned: Mapping[str, int]) -> int:
    bought = [line for line in lines if line.quantity > line.cancelled]
    whole = sum(_kept_total(line) for line in bought)
    if whole <= 0:
        return 0
    part = sum(
        (Fraction(_kept_total(line) * returned[line.id], line.quantity - line.cancelled) for line in bought),
        start=Fraction(0),
    )
    return int(Fraction(goods_paid(order)) * part / whole)


def _kept_total(line: OrderLine) -> int:
    """What a line costs without its cancelled pieces."""
    return line.total * (line.quantity - line.cancelled) // line.quantity if line.quantity else 0


def settle_sums(value: int, refundable: int, wanted: int) -> tuple[int, int]:
    """(what goes to a new order, what is given back) of a return that is exchanged for goods of `wanted`."""
    usable = min(value, refundable)
    moved = min(usable, wanted)
    return moved, usable - moved
