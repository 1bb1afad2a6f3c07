"""Promising stock to the lines of an order, and freeing it again."""

from __future__ import annotations

from bo.core.inventory import reserving
from bo.core.kernel.tx import Tx
from bo.core.orders.deriving import lines_of
from bo.core.orders.fulfilling import left_of
from bo.core.orders.records import Order, OrderLine


def allocate(tx: Tx, order: Order, *, warehouse: str | None, partial: bool) -> int:
    """Promise what is still to be sent and not promised yet; how many pieces. Raises NotEnough unless `partial`."""
    promised = 0
    for line in lines_of(tx, order):
        missing = left_of(line) - reserving.reserved_for(tx, line.id)
        if line.variant is not None and line.needs_shipping and missing > 0:
            promised += reserving.reserve(
                tx, line.id, line.variant, missing, warehouse=warehouse, store=order.store, partial=partial
            )
    return promised


def free(tx: Tx, order: Order) -> int:
    """Free all that is promised to an order; how many pieces."""
    return sum(reserving.release(tx, line.id) for line in lines_of(tx, order))


def free_beyond(tx: Tx, line: OrderLine) -> None:
    """Free what is promised to a line beyond what is still to be sent of it."""
    if (over := reserving.reserved_for(tx, line.id) - left_of(line)) > 0:
        reserving.release(tx, line.id, over)


def trim(tx: Tx, order: Order) -> int:
    """Free what is promised beyond what is still to be sent, after lines were told anew; how many pieces."""
    freed = 0
    for line in lines_of(tx, order):
        over = reserving.reserved_for(tx, line.id) - left_of(line)
        if over > 0:
            freed += reserving.release(tx, line.id, over)
    return freed
