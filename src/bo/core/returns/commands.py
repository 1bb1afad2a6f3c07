"""What can be done with returns and store credit."""

from typing import Annotated

from bo.core.customers.records import Customer
from bo.core.kernel.command import command
from bo.core.kernel.errors import Refused
from bo.core.kernel.kinds import Amount, Count, Currency, Facts, Flag, Note, RefKind, Text
from bo.core.kernel.record import States
from bo.core.kernel.tx import Tx
from bo.core.orders.deriving import lines_of
from bo.core.orders.records import Lines, Order, Refund
from bo.core.orders.refunding import grant as grant_refund
from bo.core.returns import receiving, settling
from bo.core.returns.records import (
    APPROVED,
    CANCELLED,
    RECEIVED,
    REJECTED,
    REQUESTED,
    Credit,
    CustomerReturn,
    Restock,
    ReturnReason,
)

CAME_BACK = States((RECEIVED,))


@command(needs="returns.request")
def request(
    tx: Tx,
    *,
    order: Order,
    lines: Facts = {},  # noqa: B006 - never changed: records replace nested values
    reason: ReturnReason = "other",
    late: Flag = False,
    note: Note = "",
) -> CustomerReturn:
    """Ask to send back an order, or some pieces of it: --lines SKU=2.

    Raises:
        TooLate: it was sent too long ago.
        NothingToReturn: nothing of it was sent, or all of it came back.
        TooMany: fewer pieces can come back.
    """
    pieces = receiving.announce(tx, order, lines, late=late)
    number = receiving.next_number(tx, order)
    return tx.add(
        CustomerReturn(
            number=number, order=order.id, store=order.store, reason=reason, lines=dict(pieces),
            pieces=sum(pieces.values()), currency=order.currency, note=note,
        )
    )  # fmt: skip


@command(needs="returns.approve", moves=REQUESTED >> APPROVED, confirm="many")
def approve(tx: Tx, back: CustomerReturn) -> None:
    """Let the customer send it back."""


@command(needs="returns.approve", moves=(REQUESTED | APPROVED) >> REJECTED, confirm="many")
def reject(tx: Tx, back: CustomerReturn, *, reason: Note) -> None:
    """Take nothing back."""
    _note(back, reason)


@command(needs="returns.request", moves=(REQUESTED | APPROVED) >> CANCELLED, confirm="many")
def cancel(tx: Tx, back: CustomerReturn) -> None:
    """The customer keeps it."""


@command(needs="returns.receive", moves=APPROVED >> RECEIVED, confirm="many")
def receive(
    tx: Tx,
    back: CustomerReturn,
    *,
    lines: Facts = {},  # noqa: B006 - never changed: records replace nested values
    wrong: Count = 0,
    restock: Restock = "restock",
    warehouse: Annotated[str, RefKind("warehouses")] | None = None,
    note: Note = "",
) -> None:
    """Note what came back: all that was announced, or the pieces of --lines; and put it into stock or scrap it.

    Raises:
        TooMany: more than was announced.
    """
    known = lines_of(tx, tx.get(Order, back.order))
    came = receiving.pieces_of(known, lines) if lines else {line: int(str(n)) for line, n in back.lines.items()}
    back.restock, back.warehouse, back.wrong = restock, warehouse, wrong
    _note(back, note)
    receiving.take_in(tx, back, came)


@command(needs="refunds.grant", moves=CAME_BACK, confirm="always")
def refund(tx: Tx, back: CustomerReturn, *, amount: Amount | None = None, shipping: Amount = 0) -> Refund:
    """Grant a refund of what came back is worth, or less; shipping is on top.

    Raises:
        TooMuch: more than it is worth, or than is left of the payments.
        Settled: it has been made good before.
    """
    settling.settle(back, "refund")
    order = tx.get(Order, back.order)
    given = settling.amount_of(tx, order, back, amount, shipping)
    return grant_refund(tx, order, given, shipping=shipping, reason=settling.reason_of(back))


@command(needs="credits.grant", moves=CAME_BACK, confirm="always")
def credit(
    tx: Tx,
    back: CustomerReturn,
    *,
    customer: Customer | None = None,
    amount: Amount | None = None,
    shipping: Amount = 0,
) -> Credit:
    """Give store credit for what came back.

    Raises:
        TooMuch: more than it is worth, or than is left of the payments.
        Settled: it has been made good before.
    """
    settling.settle(back, "credit")
    order = tx.get(Order, back.order)
    owner = customer.id if customer is not None else order.customer
    if owner is None:
        raise Refused("the customer of order {number} is not known", hint="Say --customer.", number=order.number)
    given = settling.amount_of(tx, order, back, amount, shipping)
    reason = settling.reason_of(back)
    made = settling.give_credit(tx, owner, given, order.currency, reason=reason, order=order.id, cause=back.id)
    settling.take_out(tx, order, given, shipping=shipping, reason=reason, reference=settling.STORE_CREDIT)
    return made


@command(needs="returns.exchange", moves=CAME_BACK, confirm="always")
def exchange(tx: Tx, back: CustomerReturn, *, lines: Lines, number: Text = "", shipping: Amount = 0) -> Order:
    """Send other goods for what came back: a new order, paid with what that is worth.

    What is missing is due on the new order; what is left over is granted as a refund.

    Raises:
        Settled: it has been made good before.
    """
    if not lines:
        raise Refused("an exchange needs lines")
    return settling.exchange(tx, back, lines, number=number, shipping=shipping)


@command(needs="returns.approve", moves=CAME_BACK, confirm="always")
def decline(tx: Tx, back: CustomerReturn, *, reason: Note) -> None:
    """Give nothing for what came back, and say why."""
    settling.settle(back, "nothing")
    _note(back, reason)


@command(needs="credits.grant", confirm="always")
def grant(tx: Tx, *, customer: Customer, amount: Amount, reason: Text, currency: Currency | None = None) -> Credit:
    """Give a customer store credit."""
    return settling.give_credit(tx, customer.id, amount, currency or tx.context.currency, reason=reason)


@command(needs="credits.spend", where="central")
def spend(tx: Tx, *, customer: Customer, order: Order, amount: Amount | None = None) -> Credit:
    """Pay an order with store credit: what is due, or so much of it.

    Raises:
        NotEnoughCredit: the customer has less.
    """
    return settling.spend_credit(tx, customer.id, order, amount)


def _note(back: CustomerReturn, text: str) -> None:
    back.note = f"{back.note}\n{text}".strip()
