"""What follows from the facts of an order: its state, its payment status, and how refunds are shared. No transaction,
no clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from bo.core.access.settings import Setting
from bo.core.kernel.kinds import AmountKind
from bo.core.orders.records import (
    CANCELLED,
    DRAFT,
    FULFILLED,
    PART_FULFILLED,
    PART_RETURNED,
    RETURNED,
    UNFULFILLED,
    Order,
    OrderLine,
    Payment,
)

AMOUNT_TOLERANCE: Final = 0  # minor units by which a total may differ from its parts
APPROVAL_ABOVE: Final = Setting(
    "refunds.approval_above", AmountKind(), 0, "a refund above this is paid back by another than granted it; 0: never"
)


class Pieces(msgspec.Struct, frozen=True):
    """The pieces of an order, over all lines."""

    ordered: int
    cancelled: int
    fulfilled: int
    returned: int


def pieces_of(lines: Iterable[OrderLine]) -> Pieces:
    """The sums over the lines."""
    found = list(lines)
    return Pieces(
        sum(line.quantity for line in found),
        sum(line.cancelled for line in found),
        sum(line.fulfilled for line in found),
        sum(line.returned for line in found),
    )


def state_of(pieces: Pieces, *, draft: bool, cancelled: bool, sent: bool = False) -> str:
    """The state of an order from its pieces. `cancelled` says that the order as a whole was; one without lines (a file
    that has none) is then cancelled too. `sent` says that an order without lines was."""
    if draft:
        return DRAFT
    if sent:
        return FULFILLED
    open_pieces = pieces.ordered - pieces.cancelled
    if (cancelled and pieces.fulfilled == 0) or (pieces.ordered and open_pieces == 0):
        return CANCELLED
    if pieces.returned and pieces.returned >= pieces.fulfilled >= open_pieces:
        return RETURNED
    if pieces.returned:
        return PART_RETURNED
    if pieces.fulfilled and pieces.fulfilled >= open_pieces:
        return FULFILLED
    return PART_FULFILLED if pieces.fulfilled else UNFULFILLED


def payment_status(total: int, captured: int, refunded: int) -> str:
    """The payment status from what was asked for, paid and given back, all in minor units."""
    if captured == 0:
        return "unpaid" if total > 0 else "paid"
    if refunded:
        return "refunded" if refunded >= captured else "part_refunded"
    if captured < total:
        return "part_paid"
    return "paid" if captured == total else "overpaid"


def due(order: Order) -> int:
    """What is still to be paid; negative: what is to be given back."""
    return order.total - (order.captured - order.refunded)


def line_total(quantity: int, price: int, discount: int) -> int:
    """What a line costs: quantity times price, less its discount."""
    return quantity * price - discount


def less_discount(amount: int, rate: int) -> int:
    """An amount less a rate in basis points, rounded to whole minor units: half to even, so that many lines do not
    drift."""
    whole, rest = divmod(amount * (10_000 - rate), 10_000)
    return whole + (rest * 2 > 10_000 or (rest * 2 == 10_000 and whole % 2 == 1))


def share_of(amount: int, payments: Sequence[Payment]) -> list[tuple[Payment, int]]:
    """A refund taken from the payments that are left, the newest first: (payment, amount). Its sum is less than
    `amount` where there is less."""
    shares, left = [], amount
    for payment in sorted(payments, key=lambda item: (item.at, item.id), reverse=True):
        part = min(left, refundable(payment))
        if part > 0:
            shares.append((payment, part))
            left -= part
    return shares


def refundable(payment: Payment) -> int:
    """What of a payment can still be given back; refunds that are granted count as gone."""
    return payment.amount - payment.refunded - payment.granted - payment.charged_back
