"""Cancelling what of an order has not been sent."""

from __future__ import annotations

from bo.core.kernel.tx import Tx
from bo.core.orders import allocating
from bo.core.orders.deriving import derive, lines_of
from bo.core.orders.records import Order


def call_off(tx: Tx, order: Order, reason: str) -> None:
    """Cancel what has not been sent; stock that is promised to it is free again. What was paid stays paid until it is
    refunded."""
    allocating.free(tx, order)
    lines = lines_of(tx, order)
    for line in lines:
        line.cancelled = line.quantity - line.fulfilled
    if not any(line.fulfilled for line in lines):
        order.cancelled_at = tx.now
    order.note = f"{order.note}\n{reason}".strip()
    derive(tx, order, lines=lines, reason=reason)
