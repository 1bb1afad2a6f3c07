"""The sale that ends a lead, and what becomes of it. An order belongs to a module above, which tells it here.

What was sold is frozen on the lead: a reward is a share of that, and of nothing that the order comes to later. What is
left of it follows the order; a lead of which nothing is left is reversed, and stays so.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from bo.core.customers.records import Customer
from bo.core.customers.registering import register_customer
from bo.core.kernel.errors import Refused
from bo.core.kernel.moments import zone_of
from bo.core.kernel.tx import Tx
from bo.core.leads import deadlines
from bo.core.leads.following_up import WrongAmount, back_to_work
from bo.core.leads.receiving import arrival
from bo.core.leads.records import REVERSED, WON, Lead
from bo.core.leads.reviewing import WrongTime
from bo.core.leads.rewarding import earned, nothing_settled, refunded, taken_back


class SoldBefore(Refused):
    """The customer had bought before the lead was reported."""

    code = "sold_before"


class Sale(msgspec.Struct, frozen=True):
    """What was sold, in minor units of a currency. `net` is without tax and shipping, `margin` without the cost too;
    None: not known."""

    number: str
    at: datetime
    amount: int
    net: int | None
    margin: int | None
    currency: str
    first_order: bool


class Standing(msgspec.Struct, frozen=True):
    """How an order stands: its `net` amount where that differs from the whole, what is left of both, whether it is
    cancelled, and whether all
    of it has been sent since (`delivered`) or is to be sent again; None: neither. `margin` is needed when it was
    sent."""

    net: int | None
    left: int
    left_net: int
    cancelled: bool
    delivered: bool | None
    sent_at: datetime | None
    margin: int | None


def customer_of(tx: Tx, lead: Lead, known_id: str | None) -> tuple[Customer, bool]:
    """Find or make the customer of a lead; whether they are new."""
    wanted = Customer(
        name=lead.name,
        phone=lead.phone,
        email=lead.email,
        company=lead.company,
        country=lead.country,
        province=lead.province,
        city=lead.city,
        address=lead.address,
        store=lead.store,
        consent=lead.consent,
    )
    return register_customer(tx, wanted, known_id=known_id or lead.customer)


def hand_over(tx: Tx, customer: str, other: str) -> None:
    """The leads of one customer are another's."""
    for lead in tx.select(Lead, customer=customer):
        lead.customer = other


def sold_to_others(tx: Tx, lead: Lead) -> bool:
    """Whether the customer of a lead bought through another one."""
    return any(item.id != lead.id for item in tx.select(Lead, customer=lead.customer, state=WON, limit=2))


def sell(tx: Tx, lead: Lead, sale: Sale) -> None:
    """The customer bought, and whoever reported the lead earns. Raises WrongAmount, WrongTime, SoldBefore."""
    require_sums(sale.amount, sale.net)
    require_time(tx, lead, sale.at)
    if lead.currency and lead.currency != sale.currency:
        raise WrongAmount(
            "the order is in {currency}, the lead in {other}",
            hint="Correct the lead: bo leads edit --currency.",
            currency=sale.currency,
            other=lead.currency,
        )
    lead.state = WON
    lead.order_number, lead.order_amount, lead.order_net = sale.number, sale.amount, sale.net
    lead.refunded, lead.won_at, lead.next_at = 0, sale.at, None
    lead.currency = sale.currency
    lead.held_from, lead.hold_until = "", None
    deadlines.clear(lead)
    earned(tx, lead, "won", happened_at=sale.at, first_order=sale.first_order, margin=sale.margin)


def require_sums(amount: int, net: int | None) -> None:
    """Raise WrongAmount for sums that no order comes to."""
    if amount <= 0:
        raise WrongAmount("an order is above zero", hint="Give the whole sum that the customer pays.")
    if net is not None and not 0 <= net <= amount:
        raise WrongAmount(
            "the net amount is not between zero and the amount", hint="Net is the amount without tax and shipping."
        )


def require_time(tx: Tx, lead: Lead, when: datetime) -> None:
    """An order is neither in the future nor, by days in the office's zone, older than the report."""
    if when > tx.now:
        raise WrongTime("the order is in the future", hint="Give the time it was placed.")
    zone = zone_of(tx.context.zone)
    if when.astimezone(zone).date() < (reported := arrival(lead, tx.now).astimezone(zone).date()):
        raise SoldBefore(
            "the order is older than the report of {day}",
            hint="If the report's day is wrong, correct it with bo leads correct; else lose the lead.",
            day=reported.isoformat(),
        )


def follow(tx: Tx, lead: Lead, order: Standing, reason: str) -> None:
    """The order of a lead has changed: what is gone of the sale is taken back of its reward, in proportion and once."""
    amount = lead.order_amount or 0
    lead.refunded = min(amount, max(0, amount - order.left))
    if lead.state == REVERSED:
        return
    if lead.order_net is None and order.net is not None:
        lead.order_net = min(amount, order.net)
        earned(tx, lead, "won", happened_at=lead.won_at)  # a reward that was held for want of it
    if order.delivered:
        earned(tx, lead, "delivered", happened_at=order.sent_at, margin=order.margin)
    elif order.delivered is False:
        taken_back(tx, lead, reason, events=("delivered",))
    if order.cancelled:
        reverse(tx, lead, reason)
    elif lead.refunded:
        net = lead.order_net
        refunded(tx, lead, reason, gone_net=None if net is None else min(net, max(0, net - order.left_net)))
        lead.state = REVERSED if lead.refunded == amount else WON


def reverse(tx: Tx, lead: Lead, reason: str) -> None:
    """The order is cancelled: whatever it earned is taken back whole."""
    taken_back(tx, lead, reason)
    lead.state = REVERSED


def let_go(tx: Tx, lead: Lead, reason: str) -> None:
    """The order was not this lead's: it is followed up again, and what the order earned is void. Raises Settled."""
    nothing_settled(taken_back(tx, lead, reason))
    lead.order_number, lead.order_amount, lead.order_net = None, None, None
    lead.refunded, lead.won_at = 0, None
    back_to_work(tx, lead)
