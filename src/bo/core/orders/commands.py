"""What can be done with orders."""

from typing import Annotated

from bo.core.kernel.command import command
from bo.core.kernel.kinds import Amount, Email, Facts, Moment, Note, PersonName, Phone, RefKind, Tags, Text
from bo.core.kernel.standard import edits
from bo.core.kernel.tx import Tx
from bo.core.orders.deriving import derive, lines_of
from bo.core.orders.receiving import order_key, sum_of, take_in
from bo.core.orders.records import DRAFT, PART_FULFILLED, UNFULFILLED, Lines, Order, OrderRisk


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
