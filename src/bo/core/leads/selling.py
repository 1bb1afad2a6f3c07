"""The sale that ends a lead, and what undoes it: refunds and cancelled orders."""

from __future__ import annotations

from datetime import datetime

from bo.core.customers.records import Customer
from bo.core.customers.registering import register_customer
from bo.core.kernel.amounts import format_amount
from bo.core.kernel.errors import Refused
from bo.core.kernel.ids import short
from bo.core.kernel.moments import zone_of
from bo.core.kernel.tx import Tx
from bo.core.leads import deadlines
from bo.core.leads.following_up import WrongAmount
from bo.core.leads.receiving import arrival
from bo.core.leads.records import REVERSED, WON, Lead
from bo.core.leads.reviewing import WrongTime
from bo.core.leads.rewarding import earned, refunded, taken_back


class OrderTaken(Refused):
    """An order belongs to one lead."""

    code = "order_taken"


class SoldBefore(Refused):
    """The customer had bought before the lead was reported."""

    code = "sold_before"


def win(tx: Tx, lead: Lead, order_number: str, amount: int, net: int | None, won_at: datetime | None) -> None:
    """The customer bought. The order earns once, whoever's lead it is."""
    when = won_at or tx.now
    _require_sums(amount, net)
    _require_time(tx, lead, when)
    for other in tx.find_all(Lead, order_number=order_number):
        if other.id != lead.id and other.state == WON:
            raise OrderTaken(
                "order {order} is lead {id}'s already", hint="Check the number.", order=order_number, id=short(other.id)
            )
    lead.order_number, lead.order_amount, lead.order_net = order_number, amount, net
    lead.refunded, lead.won_at, lead.next_at = 0, when, None
    lead.currency = lead.currency or tx.context.currency
    lead.held_from, lead.hold_until = "", None
    deadlines.clear(lead)
    first_order = _link_customer(tx, lead)
    earned(tx, lead, "won", happened_at=when, first_order=first_order)


def _require_sums(amount: int, net: int | None) -> None:
    if amount <= 0:
        raise WrongAmount("an order is above zero", hint="Give the whole sum that the customer pays.")
    if net is not None and not 0 <= net <= amount:
        raise WrongAmount(
            "the net amount is not between zero and the amount", hint="Net is the amount without tax and shipping."
        )


def _require_time(tx: Tx, lead: Lead, when: datetime) -> None:
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


def _link_customer(tx: Tx, lead: Lead) -> bool:
    """Find or make the customer; whether this is their first order."""
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
    customer, new = register_customer(tx, wanted, known_id=lead.customer)
    lead.customer = customer.id
    return new or not any(item.id != lead.id for item in tx.select(Lead, customer=customer.id, state=WON, limit=2))


def refund(tx: Tx, lead: Lead, amount: int, reason: str) -> None:
    """Part of the order was paid back, and with it that share of what it earned. The whole of it reverses the sale."""
    left = (lead.order_amount or 0) - lead.refunded
    if not 0 < amount <= left:
        raise WrongAmount(
            "a refund is above zero and at most what is left of the order",
            hint="Left: {left}.",
            left=f"{format_amount(left, lead.currency)} {lead.currency}",
        )
    lead.refunded += amount
    refunded(tx, lead, reason)
    if lead.refunded == lead.order_amount:
        lead.state = REVERSED


def reverse(tx: Tx, lead: Lead, reason: str) -> None:
    """The order is cancelled: whatever it earned is taken back whole."""
    taken_back(tx, lead, reason)
