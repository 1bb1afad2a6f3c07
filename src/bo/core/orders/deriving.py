"""Keeping an order in step with its lines, payments and refunds. Every command that touches one of them ends here."""

from __future__ import annotations

from collections.abc import Sequence

from bo.core.kernel.tx import Tx
from bo.core.orders import rules
from bo.core.orders.records import DRAFT, Fulfilment, Order, OrderLine, Payment


def lines_of(tx: Tx, order: Order) -> list[OrderLine]:
    """The lines of an order, in their order."""
    return sorted(tx.find_all(OrderLine, order=order.id), key=lambda line: line.position)


def payments_of(tx: Tx, order: Order) -> list[Payment]:
    """The payments of an order, the first first."""
    return sorted(tx.find_all(Payment, order=order.id), key=lambda item: (item.at, item.id))


def derive(
    tx: Tx,
    order: Order,
    *,
    settled: bool = False,
    lines: Sequence[OrderLine] | None = None,
    payments: Sequence[Payment] | None = None,
    parcels: Sequence[Fulfilment] | None = None,
    reason: str = "",
) -> None:
    """Set state, payment status and sums from the facts, and tell the order's lead, with the `reason` of what was
    done. `settled` leaves a draft. Who has just made the order hands over its `lines`, `payments` and `parcels`, all of
    them, so that nobody looks for them."""
    lines = lines_of(tx, order) if lines is None else lines
    before = order.state
    pieces = rules.pieces_of(lines)
    order.pieces = pieces.ordered - pieces.cancelled
    if payments is None and has_payments(tx):
        payments = payments_of(tx, order)
    if payments is not None:
        order.captured = sum(item.amount for item in payments)
        order.refunded = sum(item.refunded + item.charged_back for item in payments)
    sent = False
    if not lines and order.sent_at is not None:
        parcels = tx.find_all(Fulfilment, order=order.id) if parcels is None else parcels
        sent = any(item.state != "cancelled" for item in parcels)
    order.state = rules.state_of(
        pieces, draft=order.state == DRAFT and not settled, cancelled=order.is_cancelled, sent=sent
    )
    order.payment = rules.payment_status(order.total, order.captured, order.refunded)
    if order.lead is not None:
        from bo.core.orders.following import tell_lead

        tell_lead(tx, order, before, lines, reason)


def has_payments(tx: Tx) -> bool:
    """Whether payments are at hand; a shop's device has none of them, and takes central's sums."""
    return tx.authority or tx.actor.scopes_of("payments") is None
