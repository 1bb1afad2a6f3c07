"""What can be done with orders."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from bo.core.kernel.command import command
from bo.core.kernel.errors import Refused
from bo.core.kernel.kinds import (
    Amount,
    ChoiceKind,
    Count,
    Currency,
    Email,
    Facts,
    Field,
    Flag,
    Moment,
    Note,
    PersonName,
    Phone,
    Rate,
    RefKind,
    Tags,
    Text,
    Whole,
)
from bo.core.kernel.record import States
from bo.core.kernel.standard import edits
from bo.core.kernel.tx import Tx
from bo.core.orders import allocating, exceptions, paying
from bo.core.orders.buyers import find_buyer
from bo.core.orders.cancelling import call_off
from bo.core.orders.deriving import derive
from bo.core.orders.fulfilling import note_printed, send
from bo.core.orders.fulfilling import take_back as undo_parcel
from bo.core.orders.lead_commands import link, refund_, reverse, unlink, win  # noqa: F401 - taken from here
from bo.core.orders.papers import PaperKind
from bo.core.orders.receiving import Money, NoPrice, add_later, order_key, sum_of, take_in, take_in_again
from bo.core.orders.receiving import pay as note_payment
from bo.core.orders.records import (
    AUTHORISED,
    CAPTURED,
    DISMISSED,
    DONE,
    DRAFT,
    FAILED,
    OPEN,
    PART_FULFILLED,
    PENDING,
    RESOLVED,
    UNFULFILLED,
    VOIDED,
    ExceptionRule,
    Fulfilment,
    Lines,
    Order,
    OrderException,
    OrderLine,
    OrderRisk,
    Payment,
    Refund,
)
from bo.core.orders.refunding import carry_out, give_up, grant
from bo.core.orders.rules import less_discount, line_total

NOUN: Final = "exceptions"  # of the one command that is done to no record and makes none
Priority = Annotated[str, ChoiceKind("low", "normal", "high")]


@command(needs="orders.edit")
def record(
    tx: Tx,
    *,
    number: Text,
    channel: Text = "",
    placed_at: Moment | None = None,
    paid_at: Moment | None = None,
    cancelled_at: Moment | None = None,
    cancelled: Flag = False,
    sent_at: Moment | None = None,
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
    currency: Currency = "",
    subtotal: Amount = 0,
    shipping: Amount = 0,
    discount: Amount = 0,
    tax: Amount = 0,
    total: Amount | None = None,
    captured: Amount | None = None,
    refunded: Amount | None = None,
    method: Text = "",
    hold_reason: Text | None = None,
    risk: OrderRisk = "",
    shipping_method: Text = "",
    tags: Tags = (),
    note: Note = "",
    lines: Lines = (),
    extra: Facts = {},  # noqa: B006 - never changed: records replace nested values
) -> Order:
    """Record an order as a shop tells it, with its lines, and what was paid, given back and sent.

    Raises:
        KnownOrder: the channel has an order of that number already.
    """
    made = Order(
        number=number, channel=channel, key=order_key(channel, number), placed_at=placed_at or tx.now, paid_at=paid_at,
        cancelled_at=cancelled_at, cancelled=cancelled, customer=customer, store=store, name=name, email=email,
        phone=phone, company=company,
        country=country, province=province, city=city, postcode=postcode, address=address, billing=billing,
        currency=currency or tx.context.currency, subtotal=subtotal, shipping=shipping, discount=discount, tax=tax,
        total=total if total is not None else sum_of(lines) + shipping + tax - discount, risk=risk,
        hold_reason=hold_reason,
        shipping_method=shipping_method, tags=tags, note=note, sent_at=sent_at, extra=extra,
    )  # fmt: skip
    find_buyer(tx, made)
    return take_in(tx, made, lines, Money(captured, refunded, method))


DERIVED = (
    "number", "channel", "key", "payment", "captured", "refunded", "hold_reason", "pieces", "printed", "lead",
    "currency", "sent_at", "lines_key",
)  # fmt: skip


def _edited(tx: Tx, order: Order, given: Mapping[str, Any]) -> None:
    derive(tx, order)


def _told_again(tx: Tx, order: Order, given: Mapping[str, Any]) -> None:
    money = Money(given.get("captured"), given.get("refunded"), given.get("method") or "")
    find_buyer(tx, order)
    take_in_again(tx, order, given.get("lines"), money, sent_at=given.get("sent_at"))


edit = edits(Order, needs="orders.edit", confirm="many", without=(*DERIVED, "cancelled_at", "cancelled"), then=_edited)
record_again = edits(
    Order,
    needs="orders.edit",
    without=DERIVED,
    also={"lines": Lines, "captured": Amount, "refunded": Amount, "method": Text, "sent_at": Moment},
    then=_told_again,
    name="record_again",
    doc="""Take in what a shop tells anew of an order: lines, and what was paid, given back and sent since.

    What is known here is not taken away: payments, refunds and parcels are added and never made less.
    """,
)


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
    """Cancel what of an order has not been sent; stock that is promised to it is free again."""
    call_off(tx, order, reason)


@command(needs="orders.edit", moves=DRAFT >> UNFULFILLED)
def confirm(tx: Tx, order: Order) -> None:
    """Make an order of a draft."""
    derive(tx, order, settled=True)


@command(needs="orders.fulfil", moves=UNFULFILLED | PART_FULFILLED, confirm="many")
def allocate(
    tx: Tx, order: Order, *, warehouse: Annotated[str, RefKind("warehouses")] | None = None, partial: Flag = False
) -> None:
    """Promise stock to an order: all that is to be sent or, with --partial, what there is.

    Raises:
        NotEnough: less is available.
    """
    allocating.allocate(tx, order, warehouse=warehouse, partial=partial)


@command(needs="orders.fulfil", confirm="many")
def deallocate(tx: Tx, order: Order) -> None:
    """Free the stock that is promised to an order."""
    allocating.free(tx, order)


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


@command(needs="orders.print", confirm="many")
def printed(tx: Tx, order: Order, *, paper: PaperKind, again: Flag = False) -> None:
    """Note that papers of an order were printed; `bo orders print` makes them and notes it.

    Raises:
        PrintedAlready: they were, and nobody says --again.
        OnHold: the order is held, and it is for sending it.
    """
    note_printed(tx, order, paper, again=again)


@command(needs="orders.fulfil", confirm="always")
def take_back(tx: Tx, fulfilment: Fulfilment) -> None:
    """Take back a parcel that was not sent after all: its pieces are in stock and promised to the order again."""
    undo_parcel(tx, fulfilment)


@command(needs="orders.pay")
def pay(
    tx: Tx, order: Order, *, amount: Amount, method: Text, reference: Text | None = None, at: Moment | None = None
) -> Payment:
    """Note a payment for an order."""
    if amount <= 0:
        raise Refused("a payment is of more than nothing")
    key = f"{method}/{reference}" if reference else None
    made = note_payment(tx, order, amount, method=method, at=at or tx.now, key=key, reference=reference)
    order.paid_at = order.paid_at or made.at
    derive(tx, order)
    return made


@command(needs="orders.pay")
def authorise(tx: Tx, order: Order, *, amount: Amount, method: Text, reference: Text | None = None) -> Payment:
    """Note that the customer's bank keeps so much for an order; `bo payments capture` takes it."""
    return paying.authorise(tx, order, amount, method=method, reference=reference)


@command(needs="payments.capture", moves=AUTHORISED >> CAPTURED, confirm="many")
def capture(tx: Tx, payment: Payment, *, amount: Amount | None = None) -> None:
    """Take what was authorised: all of it, or so much."""
    paying.capture(tx, payment, amount)


@command(needs="payments.capture", moves=AUTHORISED >> VOIDED, confirm="many")
def void(tx: Tx, payment: Payment) -> None:
    """Let an authorisation go: nothing of it is taken."""


@command(needs="payments.charge_back", moves=States((CAPTURED,)), confirm="always")
def charge_back(tx: Tx, payment: Payment, *, amount: Amount, reason: Text, reference: Text = "") -> Refund:
    """Note that the customer's bank has taken a payment back, or so much of it.

    Raises:
        TooMuch: less is left; a refund that is granted and not done has to fail first.
    """
    return paying.charge_back(tx, payment, amount, reason=reason, reference=reference)


@command(needs="orders.pay")
def record_(
    tx: Tx,
    *,
    order: Order,
    amount: Amount,
    method: Text = "",
    reference: Text | None = None,
    at: Moment | None = None,
    import_key: Text | None = None,
    extra: Facts = {},  # noqa: B006 - never changed: records replace nested values
) -> Payment:
    """Record a payment as a file of payments tells it."""
    paid_at = at or order.paid_at or order.placed_at
    made = note_payment(tx, order, amount, method=method or "imported", at=paid_at, key=None, reference=reference)
    made.import_key, made.extra = import_key, extra
    derive(tx, order)
    return made


@command(needs="orders.edit")
def add(
    tx: Tx,
    *,
    order: Order,
    sku: Text | None = None,
    name: Text = "",
    quantity: Whole = 1,
    price: Amount = 0,
    discount: Amount = 0,
    discount_rate: Rate | None = None,
    tax: Amount = 0,
    total: Amount | None = None,
    shipping: Annotated[Amount, Field(help="what the order is charged for its transport, on top")] = 0,
    position: Count | None = None,
    needs_shipping: Flag = True,
    import_key: Text | None = None,
    extra: Facts = {},  # noqa: B006 - never changed: records replace nested values
) -> OrderLine:
    """Add a line to an order; what it costs is asked for on top."""
    if discount_rate is not None:
        discount += quantity * price - less_discount(quantity * price, discount_rate)
        extra = {**extra, "discount rate": f"{discount_rate / 100:.2f}%"}
    line = {
        "sku": sku, "name": name, "quantity": quantity, "price": price, "discount": discount, "tax": tax,
        "total": total, "position": position, "needs_shipping": needs_shipping, "import_key": import_key,
        "extra": extra,
    }  # fmt: skip
    return add_later(tx, order, line, shipping=shipping)


@command(needs="orders.edit")
def edit_(
    tx: Tx,
    line: OrderLine,
    *,
    quantity: Count | None = None,
    price: Amount | None = None,
    discount: Amount | None = None,
) -> None:
    """Change pieces, price or discount of a line; the order's total follows the difference.

    Raises:
        InconsistentOrder: more was sent or cancelled than would be left.
        NoPrice: only what the line came to is known.
    """
    before = line.total
    if price is None and before != line_total(line.quantity, line.price, line.discount):
        raise NoPrice("line {position} has no price, only a sum", hint="Say it: --price.", position=line.position)
    line.quantity = line.quantity if quantity is None else quantity
    line.price = line.price if price is None else price
    line.discount = line.discount if discount is None else discount
    line.total = line_total(line.quantity, line.price, line.discount)
    allocating.trim(tx, [line])
    order = tx.get(Order, line.order)
    order.subtotal += line.total - before
    order.total += line.total - before
    derive(tx, order)


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
    """Note that a granted refund has been paid back.

    Raises:
        OwnGrant: it is above refunds.approval_above, and you granted it.
    """
    paying.require_second(tx, refund)
    refund.reference = reference
    carry_out(tx, refund)


@command(needs="refunds.execute", moves=PENDING >> FAILED)
def fail(tx: Tx, refund: Refund, *, reason: Text) -> None:
    """Note that a granted refund could not be paid back."""
    refund.reference = reason
    give_up(tx, refund)


# -- exceptions --------------------------------------------------------------------------------------------------------


@command(needs="exception_rules.edit")
def add_(
    tx: Tx, *, code: Text, filter: Text, name: Text = "", after_hours: Count = 0, priority: Priority = "normal"
) -> ExceptionRule:
    """Make a rule: orders that its filter finds need a person.

    Raises:
        NoFilter: it would mean every order.
    """
    made = ExceptionRule(code=code, name=name, filter=filter, after_hours=after_hours, priority=priority)
    exceptions.require_filter(tx, made)
    return tx.add(made)


edit_rule = edits(ExceptionRule, needs="exception_rules.edit", without=("look",), then=exceptions.rule_changed)


@command(needs="exception_rules.edit")
def standard(tx: Tx) -> ExceptionRule:
    """Make the rules of the built-in looks, those that are missing."""
    return exceptions.add_standard(tx)


@command(needs="exceptions.scan")
def scan(tx: Tx, *, orders: Text = "") -> None:
    """Open what needs a person, and resolve what does not any more: of all orders, or of those that a filter finds."""
    exceptions.scan(tx, orders)


@command(needs="exceptions.handle", moves=States((OPEN,)), confirm="many")
def take(tx: Tx, exception: OrderException) -> None:
    """Take an exception on: I see to it."""
    exceptions.hand_to(exception, tx.actor.id)


@command(needs="exceptions.assign", moves=States((OPEN,)), confirm="many")
def assign(tx: Tx, exception: OrderException, *, operator: Annotated[str, RefKind("operators")]) -> None:
    """Give an exception to somebody."""
    exceptions.hand_to(exception, operator)


@command(needs="exceptions.handle", moves=OPEN >> RESOLVED, confirm="many")
def resolve(tx: Tx, exception: OrderException, *, resolution: Note) -> None:
    """Say how an exception was dealt with; while its cause lasts, the next scan opens another."""
    exception.resolution, exception.key = resolution, None


@command(needs="exceptions.handle", moves=OPEN >> DISMISSED, confirm="many")
def dismiss(tx: Tx, exception: OrderException, *, resolution: Note) -> None:
    """Say that an exception is none: while its cause lasts, no other is opened."""
    exception.resolution = resolution
