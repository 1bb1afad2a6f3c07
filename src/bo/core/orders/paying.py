"""What becomes of a payment beside refunds: it is authorised first and captured later, or voided; and a bank takes it
back.

`amount` of a payment is what was captured; an authorisation has none yet, so that nothing of it can be refunded.
"""

from __future__ import annotations

from bo.core.kernel.amounts import money
from bo.core.kernel.errors import Refused
from bo.core.kernel.tx import Tx
from bo.core.orders.deriving import derive
from bo.core.orders.records import AUTHORISED, CHARGE_BACK, DONE, Order, Payment, Refund
from bo.core.orders.refunding import TooMuch
from bo.core.orders.rules import APPROVAL_ABOVE, refundable


class OwnGrant(Refused):
    """Who granted much may not pay it back too."""

    code = "own_grant"


def authorise(tx: Tx, order: Order, amount: int, *, method: str, reference: str | None) -> Payment:
    """The customer's bank keeps so much for us. Raises Refused for nothing."""
    _require_something(amount)
    key = f"{method}/{reference}" if reference else None
    return tx.add(
        Payment(
            order=order.id, method=method, reference=reference, key=key, amount=0, authorised=amount,
            currency=order.currency, at=tx.now, state=AUTHORISED,
        )
    )  # fmt: skip


def capture(tx: Tx, payment: Payment, amount: int | None) -> None:
    """What was authorised is taken, all of it or so much; the rest is free. Raises Refused for more."""
    taken = payment.authorised if amount is None else amount
    if not 0 < taken <= payment.authorised:
        raise Refused(
            "{authorised} were authorised", hint="Note what was paid beyond it: bo orders pay.",
            authorised=money(payment.authorised, payment.currency),
        )  # fmt: skip
    payment.amount, payment.at = taken, tx.now
    order = tx.get(Order, payment.order)
    order.paid_at = order.paid_at or tx.now
    derive(tx, order)


def charge_back(tx: Tx, payment: Payment, amount: int, *, reason: str, reference: str) -> Refund:
    """The customer's bank has taken a payment back, or so much of it: nobody here decides it. Raises TooMuch."""
    _require_something(amount)
    if amount > (left := refundable(payment)):
        raise TooMuch(
            "only {left} of this payment is left",
            hint="A refund that is granted and not paid back has to go first: bo refunds fail.",
            left=money(left, payment.currency),
        )  # fmt: skip
    payment.charged_back += amount
    made = tx.add(
        Refund(
            order=payment.order, payment=payment.id, sort=CHARGE_BACK, amount=amount, reason=reason, state=DONE,
            granted_by=tx.actor.id, reference=reference, currency=payment.currency,
        )
    )  # fmt: skip
    derive(tx, tx.get(Order, payment.order), reason=reason)
    return made


def require_second(tx: Tx, refund: Refund) -> None:
    """Raise OwnGrant where a refund is above `refunds.approval_above` and who granted it would pay it back."""
    most = APPROVAL_ABOVE.of(tx)
    if 0 < most < refund.amount and refund.granted_by == tx.actor.id:
        raise OwnGrant(
            "a refund above {most} is paid back by another than who granted it",
            hint="Ask somebody else; bo settings all shows refunds.approval_above.",
            most=money(most, refund.currency),
        )  # fmt: skip


def _require_something(amount: int) -> None:
    if amount <= 0:
        raise Refused("it must be more than nothing")
