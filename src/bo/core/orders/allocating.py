"""Promising stock to the lines of an order, and freeing it again."""

from __future__ import annotations

from collections.abc import Sequence

from bo.core.inventory import reserving
from bo.core.inventory.records import Reservation
from bo.core.kernel.tx import Tx
from bo.core.orders.deriving import lines_of
from bo.core.orders.fulfilling import left_of
from bo.core.orders.records import Fulfilment, Order, OrderLine


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


def trim(tx: Tx, lines: Sequence[OrderLine]) -> None:
    """Free what is promised to lines beyond what is still to be sent of them, after they were changed."""
    for line in lines:
        if (over := reserving.reserved_for(tx, line.id) - left_of(line)) > 0:
            reserving.release(tx, line.id, over)


def follow(tx: Tx, order: Order, lines: Sequence[OrderLine], parcel: Fulfilment | None) -> None:
    """Stock follows what a shop tells anew. A parcel that it tells of moves what was promised to its lines, and no
    more: what was never promised here is history, and is not in stock. What is promised beyond the lines is free."""
    tx.fetch(Reservation, "line", [line.id for line in lines])
    for line in lines if parcel is not None else ():
        assert parcel is not None
        sent = min(int(str(parcel.lines.get(line.id, 0))), reserving.reserved_for(tx, line.id))
        if sent and line.variant is not None:
            reserving.ship(tx, line.id, line.variant, sent, warehouse=None, store=order.store, cause=parcel.id)
    trim(tx, lines)
