"""Making a return good, once: by a refund, by store credit, or by other goods."""

from __future__ import annotations

from bo.core.customers.registering import holders
from bo.core.kernel.amounts import money
from bo.core.kernel.errors import Refused
from bo.core.kernel.tx import Tx
from bo.core.orders.deriving import derive, payments_of
from bo.core.orders.receiving import Money, Rows, order_key, pay, sum_of, take_in
from bo.core.orders.records import DONE, Order, Refund
from bo.core.orders.refunding import TooMuch, carry_out, grant
from bo.core.orders.rules import due, refundable
from bo.core.returns import rules
from bo.core.returns.records import Credit, CustomerReturn

EXCHANGE, STORE_CREDIT = "exchange", "store_credit"  # how the order that it goes to was paid


class Settled(Refused):
    """A return that has been made good."""

    code = "return_settled"


class NotEnoughCredit(Refused):
    """A customer has less credit."""

    code = "not_enough_credit"


def settle(back: CustomerReturn, how: str) -> None:
    """A return is made good once. Raises Settled."""
    if back.settled:
        raise Settled("return {number} has been made good: {how}", number=back.number, how=back.settled)
    back.settled = how


def amount_of(tx: Tx, order: Order, back: CustomerReturn, amount: int | None, shipping: int) -> int:
    """What is given back, shipping included: what is asked for, else what the pieces are worth as far as it was paid.

    Raises TooMuch for more than they are worth.
    """
    if amount is not None and amount > back.amount + shipping:
        raise TooMuch(
            "what came back is worth {worth}", hint="Refund the order itself: bo orders refund {order}",
            worth=money(back.amount + shipping, order.currency), order=order.number,
        )  # fmt: skip
    return min(back.amount + shipping, left_of(tx, order)) if amount is None else amount


def left_of(tx: Tx, order: Order) -> int:
    """What of the payments of an order can still be given back."""
    return sum(refundable(item) for item in payments_of(tx, order))


def reason_of(back: CustomerReturn) -> str:
    """What the refund of a return is called."""
    return f"return {back.number}: {back.reason}"


def take_out(tx: Tx, order: Order, amount: int, *, shipping: int, reason: str, reference: str) -> None:
    """Money leaves the payments of an order for another purpose at once. Raises TooMuch, ShippingRefunded."""
    before = {item.id for item in tx.find_all(Refund, order=order.id)}
    grant(tx, order, amount, shipping=shipping, reason=reason)
    for refund in tx.find_all(Refund, order=order.id):
        if refund.id not in before:
            refund.state, refund.reference = DONE, reference
            carry_out(tx, refund)


def exchange(tx: Tx, back: CustomerReturn, lines: Rows, *, number: str, shipping: int) -> Order:
    """Other goods for what came back: a new order, paid with what that is worth. What is left over is granted as a
    refund; what is missing is due on the new order."""
    settle(back, EXCHANGE)
    old = tx.get(Order, back.order)
    made = _order_like(tx, old, number or f"{back.number}-X", lines, shipping)
    moved, over = rules.settle_sums(back.amount, left_of(tx, old), made.total)
    take_in(tx, made, lines, Money())
    if moved:
        take_out(tx, old, moved, shipping=0, reason=reason_of(back), reference=made.number)
        pay(tx, made, moved, method=EXCHANGE, at=tx.now, key=f"{EXCHANGE}/{back.id}", reference=back.number)
        made.paid_at = tx.now
    if over:
        grant(tx, old, over, shipping=0, reason=reason_of(back))
    derive(tx, made)
    back.exchange = made.id
    return made


def _order_like(tx: Tx, old: Order, number: str, lines: Rows, shipping: int) -> Order:
    goods = sum_of(lines)
    return Order(
        number=number, channel=old.channel, key=order_key(old.channel, number), placed_at=tx.now, customer=old.customer,
        store=old.store, lead=old.lead, name=old.name, email=old.email, phone=old.phone, company=old.company,
        country=old.country, province=old.province, city=old.city, postcode=old.postcode, address=old.address,
        billing=old.billing,
        currency=old.currency, subtotal=goods, shipping=shipping, total=goods + shipping,
    )  # fmt: skip


# -- store credit ------------------------------------------------------------------------------------------------------


def balance(tx: Tx, customer: str, currency: str) -> int:
    """The credit that a customer has, and those who were merged into them."""
    return sum(_balances(tx, customer, currency).values())


def _balances(tx: Tx, customer: str, currency: str) -> dict[str, int]:
    """The credit by whom it was given to: an entry is final, and stays with them through a merge and back."""
    return {
        holder: sum(item.amount for item in tx.find_all(Credit, customer=holder) if item.currency == currency)
        for holder in holders(tx, customer)
    }


def give_credit(
    tx: Tx, customer: str, amount: int, currency: str, *, reason: str, order: str | None = None, cause: str = ""
) -> Credit:
    """A customer gets credit. Raises Refused for nothing."""
    if amount <= 0:
        raise Refused("credit is of more than nothing")
    return tx.add(
        Credit(customer=customer, amount=amount, currency=currency, reason=reason, order=order, cause=cause, at=tx.now)
    )


def spend_credit(tx: Tx, customer: str, order: Order, amount: int | None) -> Credit:
    """An order is paid with credit: so much, else what is due as far as the credit goes. Raises NotEnoughCredit, and
    Refused for more than is due."""
    balances, owed = _balances(tx, customer, order.currency), due(order)
    has = sum(balances.values())
    spent = min(has, owed) if amount is None else amount
    if spent > has or has <= 0:
        raise NotEnoughCredit(
            "the customer has {has} of credit", hint="bo credits balance {customer}",
            has=money(has, order.currency), customer=customer,
        )  # fmt: skip
    if not 0 < spent <= owed:
        raise Refused("{owed} is due for order {number}", owed=money(max(owed, 0), order.currency), number=order.number)
    made, left = [], spent
    for holder, credit in balances.items():
        if part := min(credit, left):
            left -= part
            made.append(_spent(tx, holder, part, order))
    pay(tx, order, spent, method=STORE_CREDIT, at=tx.now, key=f"{STORE_CREDIT}/{made[0].id}", reference=None)
    order.paid_at = order.paid_at or tx.now
    derive(tx, order)
    return made[0]


def _spent(tx: Tx, holder: str, amount: int, order: Order) -> Credit:
    entry = Credit(customer=holder, amount=-amount, currency=order.currency, order=order.id, at=tx.now)
    entry.reason = f"order {order.number}"
    return tx.add(entry)
