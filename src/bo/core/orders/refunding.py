"""Giving money back: the decision (a grant, on the payments that are left) and its execution are two steps."""

from __future__ import annotations

from bo.core.kernel.amounts import money
from bo.core.kernel.errors import Refused
from bo.core.kernel.tx import Tx
from bo.core.orders import rules
from bo.core.orders.deriving import derive, payments_of
from bo.core.orders.records import DONE, FAILED, Order, Payment, Refund


class TooMuch(Refused):
    """More than what is left of the payments."""

    code = "too_much"


class ShippingRefunded(Refused):
    """What was charged for shipping has been given back already."""

    code = "shipping_refunded"


def grant(tx: Tx, order: Order, amount: int, *, shipping: int, reason: str) -> Refund:
    """Grant a refund on the payments of an order; the first that it makes. Raises TooMuch, ShippingRefunded."""
    return grant_each(tx, order, amount, shipping=shipping, reason=reason)[0]


def grant_each(tx: Tx, order: Order, amount: int, *, shipping: int, reason: str) -> list[Refund]:
    """Grant a refund on the payments of an order, the newest first: a refund on each that it takes.

    Raises TooMuch, ShippingRefunded.
    """
    if amount <= 0 or not 0 <= shipping <= amount:
        raise Refused("a refund is of more than nothing, and of shipping no more than the whole")
    payments = payments_of(tx, order)
    shares = rules.share_of(amount, payments)
    left = sum(part for _payment, part in shares)
    if left < amount:
        raise TooMuch(
            "only {left} of order {number} can be refunded",
            hint="Refunds that are granted and not done yet count too.",
            left=money(left, order.currency), number=order.number,
        )  # fmt: skip
    _require_shipping(tx, order, shipping)
    made: list[Refund] = []
    for payment, part in shares:
        payment.granted += part
        of_shipping = min(shipping, part)
        shipping -= of_shipping
        made.append(
            tx.add(
                Refund(
                    order=order.id,
                    payment=payment.id,
                    amount=part,
                    shipping=of_shipping,
                    reason=reason,
                    granted_by=tx.actor.id,
                    currency=order.currency,
                )
            )
        )
    return made


def _require_shipping(tx: Tx, order: Order, shipping: int) -> None:
    if not shipping:
        return
    before = sum(item.shipping for item in tx.find_all(Refund, order=order.id) if item.state != FAILED)
    if before + shipping > order.shipping:
        raise ShippingRefunded(
            "shipping of order {number} was {charged}, of which {before} is refunded already",
            number=order.number, charged=money(order.shipping, order.currency), before=money(before, order.currency),
        )  # fmt: skip


def carry_out(tx: Tx, refund: Refund) -> None:
    """The money has gone back."""
    refund.state = DONE
    payment = tx.get(Payment, refund.payment)
    payment.granted -= refund.amount
    payment.refunded += refund.amount
    derive(tx, tx.get(Order, refund.order), reason=refund.reason)


def give_up(tx: Tx, refund: Refund) -> None:
    """The money could not go back: what was granted is free again."""
    payment = tx.get(Payment, refund.payment)
    payment.granted -= refund.amount
