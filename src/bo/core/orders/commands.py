"""What can be done with orders."""

from typing import Annotated

from bo.core.kernel.command import command
from bo.core.kernel.errors import Refused
from bo.core.kernel.kinds import Amount, Email, Facts, Moment, Note, PersonName, Phone, RefKind, Tags, Text
from bo.core.kernel.standard import edits
from bo.core.kernel.tx import Tx
from bo.core.orders.deriving import derive, lines_of
from bo.core.orders.fulfilling import send, take_back
from bo.core.orders.receiving import order_key, sum_of, take_in
from bo.core.orders.receiving import pay as note_payment
from bo.core.orders.records import (
    DONE,
    DRAFT,
    FAILED,
    PART_FULFILLED,
    PENDING,
    UNFULFILLED,
    Fulfilment,
    Lines,
    Order,
    OrderRisk,
    Payment,
    Refund,
)
from bo.core.orders.refunding import carry_out, give_up, grant


@command(needs="orders.edit")
def record(
    tx: Tx,
    *,
    number: Text,
    channel: Text = "",
    placed_at: Moment | None = None,
    paid_at: Moment | None = None,
    cancelled_at: Moment | None = None,
    customer: Annotated[str, RefKind("customers")] | None = None,
    store: Annotated[str, RefKind("stores")] | None = None,
    name: PersonName = "",
    email: Email | None = None,
    phone: Phone | None = None,
    company: Text = "",
    country: Text = "",
    province: Text = "",
    city: Text = "",
    postcode: Text = "",
    address: PersonName = "",
    billing: Facts = {},  # noqa: B006 - never changed: records replace nested values
    currency: Text = "",
    subtotal: Amount = 0,
    shipping: Amount = 0,
    discount: Amount = 0,
    tax: Amount = 0,
    total: Amount | None = None,
    captured: Amount = 0,
    refunded: Amount = 0,
    method: Text = "",
    risk: OrderRisk = "",
    shipping_method: Text = "",
    tags: Tags = (),
    note: Note = "",
    lines: Lines = (),
    extra: Facts = {},  # noqa: B006 - never changed: records replace nested values
) -> Order:
    """Record an order as a shop tells it, with its lines, payment and refund.

    Raises:
        KnownOrder: the channel has an order of that number already.
    """
    made = Order(
        number=number, channel=channel, key=order_key(channel, number), placed_at=placed_at or tx.now, paid_at=paid_at,
        cancelled_at=cancelled_at, customer=customer, store=store, name=name, email=email, phone=phone, company=company,
        country=country, province=province, city=city, postcode=postcode, address=address, billing=billing,
        currency=currency or tx.context.currency, subtotal=subtotal, shipping=shipping, discount=discount, tax=tax,
        total=total if total is not None else sum_of(lines) + shipping + tax - discount, risk=risk,
        shipping_method=shipping_method, tags=tags, note=note, extra=extra,
    )  # fmt: skip
    return take_in(tx, made, lines, captured=captured, refunded=refunded, method=method)


edit = edits(
    Order,
    needs="orders.edit",
    confirm="many",
    without=(
        "number", "channel", "key", "payment", "captured", "refunded", "hold_reason", "pieces", "printed", "lead",
        "currency", "cancelled_at",
    ),
)  # fmt: skip


@command(needs="orders.hold", confirm="many")
def hold(tx: Tx, order: Order, *, reason: Text) -> None:
    """Hold an order: nothing of it is sent until it is released."""
    order.hold_reason = reason


@command(needs="orders.hold", confirm="many")
def release(tx: Tx, order: Order) -> None:
    """Release an order that is held."""
    order.hold_reason = None


@command(needs="orders.edit", confirm="many")
def tag(tx: Tx, order: Order, *, add: Tags = (), remove: Tags = ()) -> None:
    """Add tags to an order, or take some away."""
    order.tags = tuple(sorted({*order.tags, *add} - set(remove)))


@command(needs="orders.cancel", moves=DRAFT | UNFULFILLED | PART_FULFILLED, confirm="always")
def cancel(tx: Tx, order: Order, *, reason: Text) -> None:
    """Cancel what of an order has not been sent."""
    for line in lines_of(tx, order):
        line.cancelled = line.quantity - line.fulfilled
    if not any(line.fulfilled for line in lines_of(tx, order)):
        order.cancelled_at = tx.now
    order.note = f"{order.note}\n{reason}".strip()
    derive(tx, order)


@command(needs="orders.edit", moves=DRAFT >> UNFULFILLED)
def confirm(tx: Tx, order: Order) -> None:
    """Make an order of a draft."""
    derive(tx, order, settled=True)


@command(needs="orders.fulfil", moves=UNFULFILLED | PART_FULFILLED, confirm="many")
def fulfil(
    tx: Tx,
    order: Order,
    *,
    lines: Facts = {},  # noqa: B006 - never changed: records replace nested values
    warehouse: Annotated[str, RefKind("warehouses")] | None = None,
    carrier: Text = "",
    tracking: Text | None = None,
) -> Fulfilment:
    """Send an order, or some pieces of it: --lines '{"SKU": 2}'.

    Raises:
        OnHold: the order is held.
        TooMany: fewer pieces are left.
    """
    return send(tx, order, lines, warehouse=warehouse, carrier=carrier, tracking=tracking)


@command(needs="orders.fulfil", confirm="always")
def undo_fulfilment(tx: Tx, fulfilment: Fulfilment) -> None:
    """Take back a parcel that was not sent after all."""
    if fulfilment.state == "cancelled":
        raise Refused("this parcel has been taken back already")
    take_back(tx, fulfilment)
    fulfilment.state = "cancelled"


@command(needs="orders.pay")
def pay(
    tx: Tx, order: Order, *, amount: Amount, method: Text, reference: Text | None = None, at: Moment | None = None
) -> Payment:
    """Note a payment for an order."""
    key = f"{method}/{reference}" if reference else None
    made = note_payment(tx, order, amount, method=method, at=at or tx.now, key=key, reference=reference)
    order.paid_at = order.paid_at or made.at
    derive(tx, order)
    return made


@command(needs="refunds.grant", confirm="always")
def refund(tx: Tx, order: Order, *, amount: Amount, reason: Text, shipping: Amount = 0) -> Refund:
    """Grant a refund; it is paid back by `bo refunds execute`.

    Raises:
        TooMuch: more than what is left of the payments.
        ShippingRefunded: shipping is refunded once.
    """
    return grant(tx, order, amount, shipping=shipping, reason=reason)


@command(needs="refunds.execute", moves=PENDING >> DONE, where="central", confirm="many")
def execute(tx: Tx, refund: Refund, *, reference: Text = "") -> None:
    """Note that a granted refund has been paid back."""
    refund.reference = reference
    carry_out(tx, refund)


@command(needs="refunds.execute", moves=PENDING >> FAILED)
def fail(tx: Tx, refund: Refund, *, reason: Text) -> None:
    """Note that a granted refund could not be paid back."""
    refund.reference = reason
    give_up(tx, refund)
