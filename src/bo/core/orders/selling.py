"""Orders and the leads that they come of. An order belongs to one lead, a lead to one order.

A lead is won with an order that is known here, which then says the amounts, or with one that is made of what the shop
reports. From then on the lead follows its order (`following`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from bo.core.kernel.amounts import format_amount
from bo.core.kernel.errors import Ambiguous, NotAllowed, Refused, WrongState
from bo.core.kernel.ids import short
from bo.core.kernel.tx import Tx
from bo.core.leads.following_up import WrongAmount
from bo.core.leads.records import FOLLOW_UP_STATES, ON_HOLD, WON, Lead
from bo.core.leads.selling import Sale, customer_of, let_go, require_sums, require_time, sell, sold_to_others
from bo.core.orders.cancelling import call_off
from bo.core.orders.deriving import derive, has_payments, lines_of, payments_of
from bo.core.orders.following import margin_of, net_of, tell_lead
from bo.core.orders.paying import require_second
from bo.core.orders.receiving import Money, order_key, pay, take_in
from bo.core.orders.records import (
    CANCELLED,
    DRAFT,
    UNFULFILLED,
    Fulfilment,
    Order,
    OrderException,
    OrderLine,
    Payment,
    Printing,
    Refund,
)
from bo.core.orders.refunding import carry_out, grant_each

CHANNEL: Final = "leads"  # of orders that winning a lead makes
REPORTED: Final = "reported"  # how such an order was paid
WINNABLE: Final = FOLLOW_UP_STATES | ON_HOLD


class OrderTaken(Refused):
    """An order belongs to one lead."""

    code = "order_taken"


class NotSold(Refused):
    """An order of which nothing is sold: a draft, a cancelled one, or one that was given back whole."""

    code = "order_not_sold"


class OtherStore(Refused):
    """An order of another store than its lead's."""

    code = "other_store"


class AlreadySent(Refused):
    """What was sent is not cancelled any more."""

    code = "already_sent"


def win(
    tx: Tx, lead: Lead, number: str, *, channel: str, amount: int | None, net: int | None, won_at: datetime | None
) -> Order:
    """The customer bought: link the order of that number, or make one.

    Raises Ambiguous, OrderTaken, NotSold, OtherStore, WrongAmount, WrongTime, SoldBefore.
    """
    for other in tx.find_all(Lead, order_number=number):
        if other.state == WON:
            order_of(tx, other)
    order = _known(tx, number, channel, amount)
    if order is not None:
        _require_free(order, lead)
        _require_same(order, amount, net)
        return join(tx, order, lead, won_at=won_at)
    if amount is None:
        raise WrongAmount(
            "there is no order {number} here", hint="Say what the customer pays: --amount.", number=number
        )
    require_sums(amount, net)
    made = _made_of(tx, lead, number, channel or CHANNEL, amount, net, won_at or tx.now)
    return join(tx, made, lead, won_at=won_at, net=net, made=True)


def link(tx: Tx, order: Order, lead: Lead) -> None:
    """An order that a shop told of was a lead's: the lead is won with it, and an order that was only reported so far
    gives way. Raises WrongState, Settled, and what `win` does."""
    _require_free(order, lead)
    if lead.state == WON:
        _give_way(tx, lead)
    if lead.state not in WINNABLE.sources:
        raise WrongState(
            "{name} {id}: not possible while it is {state}",
            hint="It must be {wanted}.",
            name="lead", id=short(lead.id), state=lead.state, wanted=" / ".join(WINNABLE.sources),
        )  # fmt: skip
    join(tx, order, lead, won_at=None)


def unlink(tx: Tx, order: Order) -> None:
    """An order was not its lead's, and neither what was sent in exchange: the lead is followed up again. Raises
    WrongState, Settled."""
    lead = tx.get(Lead, order.lead) if order.lead is not None else None
    if lead is None or lead.state != WON:
        raise WrongState("order {number} wins no lead", number=order.number)
    let_go(tx, lead, f"order {order.number}")
    for part in tx.find_all(Order, lead=lead.id):
        part.lead = None


def refund(tx: Tx, lead: Lead, amount: int, reason: str) -> None:
    """Part of a lead's order is given back at once. Raises WrongAmount, TooMuch, NotAllowed, OwnGrant."""
    order = order_of(tx, lead)
    left = (lead.order_amount or 0) - lead.refunded
    if not 0 < amount <= left:
        raise WrongAmount(
            "a refund is above zero and at most what is left of the order",
            hint="Left: {left}.",
            left=f"{format_amount(left, lead.currency)} {lead.currency}",
        )
    for item in grant_each(tx, order, amount, shipping=0, reason=reason):
        _require_payer(tx, order, item)
        carry_out(tx, item)


def reverse(tx: Tx, lead: Lead, reason: str) -> None:
    """The order of a lead is cancelled. Raises AlreadySent."""
    order = order_of(tx, lead)
    if order.state not in (DRAFT, UNFULFILLED):
        raise AlreadySent(
            "order {number} is {state}", hint="Refund it, or take it off the lead: bo orders unlink {number}",
            number=order.number, state=order.state,
        )  # fmt: skip
    call_off(tx, order, reason)


def join(
    tx: Tx, order: Order, lead: Lead, *, won_at: datetime | None, net: int | None = None, made: bool = False
) -> Order:
    """Lead and order, which are free, belong together from now on. An order that was `made` for it was paid at once,
    and its net amount may be unknown."""
    require_time(tx, lead, order.placed_at)
    customer, new = customer_of(tx, lead, order.customer)
    order.customer = lead.customer = customer.id
    _give_to_store(tx, order, lead.store)
    if made:
        _note_paid(tx, order)
    lines = lines_of(tx, order)
    sell(
        tx,
        lead,
        Sale(
            order.number, won_at or order.placed_at, order.total, net if made else net_of(order),
            margin_of(tx, order, lines), order.currency,
            first_order=new or not (sold_to_others(tx, lead) or _bought_before(tx, order)),
        ),
    )  # fmt: skip
    order.lead = lead.id
    tell_lead(tx, order, "", lines, "")
    return order


def order_of(tx: Tx, lead: Lead) -> Order:
    """The order of a lead that was won; one is made for a lead that was won before there were orders."""
    found = tx.find(Order, lead=lead.id, number=lead.order_number)
    if found is not None:
        return found
    amount, number = lead.order_amount or 0, lead.order_number or ""
    made = _made_of(tx, lead, number, CHANNEL, amount, lead.order_net, lead.won_at or tx.now)
    made.customer = lead.customer
    _note_paid(tx, made)
    if lead.refunded:
        carried = grant_each(tx, made, lead.refunded, shipping=0, reason=REPORTED)
        for item in carried:
            carry_out(tx, item)
    made.lead = lead.id
    return made


# -- inside ------------------------------------------------------------------------------------------------------------


def _known(tx: Tx, number: str, channel: str, amount: int | None) -> Order | None:
    """The order of that number that is in sight, or that headquarters has and that comes to the amount which is said:
    who knows no more than a number does not make an order theirs. Raises Ambiguous where several channels have one."""
    scopes = tx.actor.scopes_of("orders")
    found = [
        order
        for order in tx.find_all(Order, number=number)
        if (not channel or order.channel == channel)
        and (scopes is None or order.scope in scopes or (order.store is None and order.total == amount))
    ]
    if len(found) > 1:
        raise Ambiguous(
            "several channels have an order {number}: {channels}", hint="Say which one: --channel.",
            number=number, channels=", ".join(sorted(order.channel or '""' for order in found)),
        )  # fmt: skip
    return found[0] if found else None


def _require_same(order: Order, amount: int | None, net: int | None) -> None:
    """What is said of a known order is what the order says. Raises WrongAmount."""
    for said, known in ((amount, order.total), (net, net_of(order))):
        if said is not None and said != known:
            raise WrongAmount(
                "order {number} of {channel} comes to {known} {currency}, and not to {said}",
                hint="Leave the amounts out; or say --channel leads if another order has the same number.",
                number=order.number, channel=order.channel, currency=order.currency,
                known=format_amount(known, order.currency), said=format_amount(said, order.currency),
            )  # fmt: skip


def _require_free(order: Order, lead: Lead) -> None:
    gone = order.state if order.state in (DRAFT, CANCELLED) else "refunded" if order.payment == "refunded" else ""
    if gone:
        raise NotSold("order {number} is {state}: nothing of it is sold", number=order.number, state=gone)
    if order.lead is not None:
        raise OrderTaken(
            "order {order} is lead {id}'s already", hint="Check the number; bo orders unlink {order} takes it off.",
            order=order.number, id=short(order.lead),
        )  # fmt: skip
    if order.store not in (None, lead.store):
        raise OtherStore(
            "order {number} is another store's than lead {id}", hint="Correct the order: bo orders edit --store.",
            number=order.number, id=short(lead.id),
        )  # fmt: skip


def _made_of(tx: Tx, lead: Lead, number: str, channel: str, amount: int, net: int | None, at: datetime) -> Order:
    """An order as a lead tells it: no lines, and what is not net is tax."""
    home = " ".join(part for part in (lead.district, lead.community, lead.room) if part)
    net = amount if net is None else net
    made = Order(
        number=number, channel=channel, key=order_key(channel, number), placed_at=at, store=lead.store, name=lead.name,
        phone=lead.phone, email=lead.email, company=lead.company, country=lead.country, province=lead.province,
        city=lead.city, address=lead.address or home, currency=lead.currency or tx.context.currency, subtotal=net,
        tax=amount - net, total=amount,
    )  # fmt: skip
    return take_in(tx, made, (), Money())


def _note_paid(tx: Tx, order: Order) -> None:
    """What a shop reports as sold is paid. Its own device has no payments, and keeps the sum alone."""
    order.captured, order.paid_at = order.total, order.placed_at
    if has_payments(tx):
        pay(tx, order, order.total, method=REPORTED, at=order.placed_at, key=None)
    derive(tx, order)


def _require_payer(tx: Tx, order: Order, refund: Refund) -> None:
    """What was only reported as paid may be reported as given back; other money goes back by whoever pays refunds."""
    if tx.get(Payment, refund.payment).method != REPORTED and not tx.actor.may("refunds.execute"):
        raise NotAllowed(
            "{actor} may not {permission}", hint="Grant it, and somebody else pays it back: bo orders refund {number}",
            actor=tx.actor.name, permission="refunds.execute", number=order.number,
        )  # fmt: skip
    require_second(tx, refund)


def _give_way(tx: Tx, lead: Lead) -> None:
    """Take away the order of a lead where nobody knows more of it than that it was reported."""
    own = order_of(tx, lead)
    payments = payments_of(tx, own)
    known = bool(lines_of(tx, own) or tx.find_all(Fulfilment, order=own.id))
    if own.channel == CHANNEL and not known and not any(item.refunded + item.granted for item in payments):
        let_go(tx, lead, f"order {own.number}")
        for item in (*payments, own):
            tx.remove(item)


def _give_to_store(tx: Tx, order: Order, store: str | None) -> None:
    """What is known of an order is seen by the store whose lead it was."""
    if order.store == store:
        return
    order.store = store
    for line in tx.find_all(OrderLine, order=order.id):
        line.store = store
    for parcel in tx.find_all(Fulfilment, order=order.id):
        parcel.store = store
    for exception in tx.find_all(OrderException, order=order.id):
        exception.store = store
    for printing in tx.find_all(Printing, order=order.id):
        printing.store = store


def _bought_before(tx: Tx, order: Order) -> bool:
    """Whether the customer of an order has another one that was not cancelled or given back whole."""
    others = tx.select(
        Order, ("state", "!=", CANCELLED), ("payment", "!=", "refunded"), customer=order.customer, limit=3
    )
    return any(other.id != order.id for other in others)
