"""Orders, their lines, payments, refunds, fulfilments and exceptions."""

from collections.abc import Iterable, Mapping
from typing import Annotated

from bo.core.kernel.amounts import money
from bo.core.kernel.errors import Refused
from bo.core.kernel.kinds import (
    Amount,
    AmountKind,
    ChoiceKind,
    Count,
    Currency,
    Email,
    Facts,
    FactsKind,
    Field,
    Flag,
    FlagKind,
    Moment,
    Note,
    PersonName,
    Phone,
    RefKind,
    RowsKind,
    Tags,
    Text,
    TextKind,
    Whereabouts,
    WholeKind,
)
from bo.core.kernel.record import Record, State, record

DRAFT, UNFULFILLED, PART_FULFILLED, FULFILLED, PART_RETURNED, RETURNED, CANCELLED = map(
    State, ("draft", "unfulfilled", "part_fulfilled", "fulfilled", "part_returned", "returned", "cancelled")
)
ORDER_STATES = (DRAFT, UNFULFILLED, PART_FULFILLED, FULFILLED, PART_RETURNED, RETURNED, CANCELLED)
PAYMENT_STATES = ("unpaid", "part_paid", "paid", "overpaid", "part_refunded", "refunded")
OrderState = Annotated[str, ChoiceKind(*ORDER_STATES)]
PaymentState = Annotated[str, ChoiceKind(*PAYMENT_STATES)]
OrderRisk = Annotated[str, ChoiceKind("", "low", "medium", "high")]
OrderId = Annotated[str, RefKind("orders")]
PENDING, DONE, FAILED = State("pending"), State("done"), State("failed")
RefundState = Annotated[str, ChoiceKind(PENDING, DONE, FAILED)]
AUTHORISED, CAPTURED, VOIDED = State("authorised"), State("captured"), State("voided")
REFUND, CHARGE_BACK = "refund", "charge_back"
LATER = "lines come later"  # marks a parcel that takes up the lines of its order as they come in
WHY = {  # an order needs a person
    "unpaid": "it is not paid",
    "part_paid": "it is paid in part",
    "oversold": "there is less than was ordered",
    "no_address": "there is no address to send it to",
    "no_name": "there is no name to send it to",
    "high_risk": "the payment is risky",
    "not_arrived": "a parcel has not arrived",
    "amounts_differ": "the total is not what its parts come to",
    "repeated": "it is like another order shortly before",
    "unknown_sku": "a line names no variant",
    "filter": "the filter of the rule finds it",
}
ExceptionReason = Annotated[str, ChoiceKind(*WHY, labels=tuple(WHY.values()))]
OPEN, RESOLVED, DISMISSED = State("open"), State("resolved"), State("dismissed")


# A line as a file or a shop tells it. Without a total it is quantity times price less discount. Pieces below nothing
# are pieces that came back: a line of a credit note.
Lines = Annotated[
    tuple[dict[str, object], ...],
    RowsKind(
        "quantity",
        sku=TextKind(200), name=TextKind(), quantity=WholeKind(), price=AmountKind(), discount=AmountKind(),
        tax=AmountKind(), total=AmountKind(), cancelled=WholeKind(0), fulfilled=WholeKind(0), returned=WholeKind(0),
        needs_shipping=FlagKind(), extra=FactsKind(),
    ),
]  # fmt: skip


class InconsistentOrder(Refused):
    """An order whose figures contradict each other."""

    code = "inconsistent_order"


@record(
    "orders",
    prefix="ord",
    key=("number", "channel"),
    states=ORDER_STATES,
    create="orders.record",
    edit="orders.record_again",
    columns=("number", "channel", "placed_at", "name", "total", "currency", "state", "payment", "hold_reason", "tags"),
)
class Order(Record, kw_only=True):
    """One purchase. `number` is the shop's own; `total` what the customer was asked for."""

    number: Annotated[Text, Field(lookup=True, search=True, aliases=("订单编号", "订单号", "Order ID", "order_number"))]
    channel: Annotated[Text, Field(index=True, aliases=("渠道", "平台"))] = ""
    key: Annotated[Text, Field(lookup=True, unique=True, internal=True, help="channel and number")]
    state: OrderState = UNFULFILLED
    payment: Annotated[PaymentState, Field(index=True, label="payment status")] = "unpaid"
    placed_at: Annotated[Moment, Field(index=True, label="placed")]
    paid_at: Annotated[Moment, Field(label="paid on")] | None = None
    cancelled_at: Annotated[Moment, Field(label="cancelled on")] | None = None
    cancelled: Annotated[Flag, Field(label="was cancelled", help="also where nobody knows when")] = False
    customer: Annotated[str, RefKind("customers"), Field(index=True)] | None = None
    store: Annotated[str, RefKind("stores"), Field(index=True)] | None = None
    lead: Annotated[str, RefKind("leads"), Field(lookup=True)] | None = None
    name: Annotated[PersonName, Field(search=True, aliases=("收货人", "收件人", "姓名", "收货人姓名", "买家姓名"))] = ""
    email: Annotated[Email, Field(search=True)] | None = None
    phone: Annotated[Phone, Field(search=True)] | None = None
    company: Text = ""
    country: Text = ""
    province: Text = ""
    city: Text = ""
    postcode: Text = ""
    address: Annotated[Whereabouts, Field(aliases=("收货地址",))] = ""
    billing: Annotated[Facts, Field(label="billing address", needs="personal.see")] = {}
    currency: Currency = ""
    subtotal: Amount = 0
    shipping: Annotated[Amount, Field(label="shipping charged")] = 0
    discount: Amount = 0
    tax: Amount = 0
    total: Annotated[Amount, Field(index=True)] = 0
    captured: Annotated[Amount, Field(label="paid so far", help="sum of the payments")] = 0
    refunded: Annotated[Amount, Field(label="refunded so far", help="sum of the refunds that are done")] = 0
    hold_reason: Annotated[Text, Field(index=True, label="on hold because")] | None = None
    risk: OrderRisk = ""
    shipping_method: Text = ""
    tags: Tags = ()
    note: Annotated[Note, Field(search=True)] = ""
    pieces: Annotated[Count, Field(help="pieces ordered and not cancelled")] = 0
    printed: Annotated[Count, Field(help="how often papers were printed")] = 0
    sent_at: Annotated[Moment, Field(index=True, label="sent on", help="when the last parcel left")] | None = None
    lines_key: Annotated[Text, Field(internal=True, help="stands for its lines as a file told them last")] = ""

    @property
    def is_cancelled(self) -> bool:
        """Whether the order as a whole was, not only pieces of it."""
        return self.cancelled or self.cancelled_at is not None

    def held_by(self) -> str:
        return f"store:{self.store}" if self.store else "hq"

    @classmethod
    def sought(cls, values: Mapping[str, object]) -> Iterable[tuple[type[Record], str, object]]:
        # imported here, as a list of orders has no use for these records
        from bo.core.catalog.records import Variant
        from bo.core.customers.registering import sought_customer

        yield cls, "key", f"{values.get('channel') or ''}/{values.get('number') or ''}"
        if not values.get("customer"):
            yield from sought_customer(values)
        lines = values.get("lines")
        for line in lines if isinstance(lines, tuple) else ():
            if sku := line.get("sku"):
                yield Variant, "sku", sku

    def check(self) -> None:
        if self.refunded > self.captured or self.captured < 0 or self.refunded < 0:
            raise InconsistentOrder("order {number}: more refunded than paid", number=self.number)


@record(
    "order_lines", prefix="ol", create="order_lines.add",
    columns=("order", "position", "sku", "name", "quantity", "fulfilled", "price", "total"),
)  # fmt: skip
class OrderLine(Record, kw_only=True):
    """What was bought, as it was called and priced that day. `total` is after its discount."""

    order: Annotated[OrderId, Field(lookup=True)]
    position: Count
    store: Annotated[str, RefKind("stores"), Field(internal=True)] | None = None
    variant: Annotated[str, RefKind("variants"), Field(lookup=True)] | None = None
    sku: Annotated[Text, Field(lookup=True)] | None = None
    name: Text = ""
    quantity: Count
    cancelled: Count = 0
    fulfilled: Count = 0
    returned: Count = 0
    import_key: Annotated[Text, Field(lookup=True, unique=True, internal=True)] | None = None
    price: Amount = 0
    discount: Amount = 0
    tax: Amount = 0
    total: Amount = 0
    needs_shipping: Flag = True

    def held_by(self) -> str:
        return f"store:{self.store}" if self.store else "hq"

    def check(self) -> None:
        if not (self.fulfilled <= self.quantity - self.cancelled and self.returned <= self.fulfilled):
            raise InconsistentOrder(
                "line {position}: more sent, cancelled or returned than was bought", position=self.position
            )


@record(
    "payments", prefix="pmt", create="payments.record", states=(AUTHORISED, CAPTURED, VOIDED),
    columns=("order", "method", "reference", "state", "amount", "refunded", "currency", "at"),
)  # fmt: skip
class Payment(Record, kw_only=True):
    """Money that a customer paid for an order, or that their bank keeps for it until it is taken."""

    order: Annotated[OrderId, Field(lookup=True)]
    method: Text = ""
    reference: Annotated[Text, Field(lookup=True)] | None = None
    key: Annotated[Text, Field(lookup=True, unique=True, internal=True)] | None = None
    import_key: Annotated[Text, Field(lookup=True, unique=True, internal=True)] | None = None
    state: Annotated[str, ChoiceKind(AUTHORISED, CAPTURED, VOIDED)] = CAPTURED
    authorised: Annotated[Amount, Field(label="authorised amount", help="what the customer's bank keeps for us")] = 0
    amount: Annotated[Amount, Field(help="what was paid")]
    refunded: Annotated[Amount, Field(help="refunds that are done")] = 0
    granted: Annotated[Amount, Field(help="refunds that are granted and not done yet")] = 0
    charged_back: Amount = 0
    currency: Currency = ""
    at: Annotated[Moment, Field(index=True)]

    def held_by(self) -> str:
        return "hq"

    def check(self) -> None:
        if self.amount < 0 or min(self.refunded, self.granted, self.charged_back) < 0:
            raise InconsistentOrder("a payment is not of less than nothing")
        if self.refunded + self.granted + self.charged_back > self.amount:
            raise InconsistentOrder(
                "payment {reference}: only {left} is left to refund",
                reference=self.reference or self.id,
                left=money(self.amount - self.refunded - self.charged_back, self.currency),
            )  # fmt: skip


@record(
    "refunds", prefix="rfd", states=(PENDING, DONE, FAILED),
    columns=("order", "payment", "sort", "amount", "shipping", "reason", "state", "currency"),
)  # fmt: skip
class Refund(Record, kw_only=True):
    """Money that goes back: granted by one person, carried out later. A charge-back was the bank's doing."""

    order: Annotated[OrderId, Field(lookup=True)]
    payment: Annotated[str, RefKind("payments"), Field(lookup=True)]
    key: Annotated[Text, Field(lookup=True, unique=True, internal=True)] | None = None
    sort: Annotated[str, ChoiceKind(REFUND, CHARGE_BACK), Field(label="sort of refund")] = REFUND
    amount: Amount
    shipping: Annotated[Amount, Field(help="how much of it is for shipping")] = 0
    reason: Text
    state: RefundState = PENDING
    granted_by: Text = ""
    reference: Text = ""
    currency: Currency = ""

    def held_by(self) -> str:
        return "hq"


@record(
    "fulfilments", prefix="ful", columns=("order", "warehouse", "carrier", "tracking", "pieces", "shipped_at", "state")
)
class Fulfilment(Record, kw_only=True):
    """A parcel of an order: which lines, and where it is."""

    order: Annotated[OrderId, Field(lookup=True)]
    store: Annotated[str, RefKind("stores"), Field(internal=True)] | None = None
    warehouse: Annotated[str, RefKind("warehouses")] | None = None
    lines: Annotated[Facts, Field(help="pieces by line")] = {}
    pieces: Count = 0
    carrier: Text = ""
    tracking: Annotated[Text, Field(lookup=True, search=True)] | None = None
    shipped_at: Moment
    state: Annotated[str, ChoiceKind("shipped", "delivered", "cancelled")] = "shipped"

    def held_by(self) -> str:
        return f"store:{self.store}" if self.store else "hq"


@record(
    "exception_rules", prefix="xrul", key=("code",), create="exception_rules.add", edit="exception_rules.edit",
    columns=("code", "name", "filter", "active", "priority"),
)  # fmt: skip
class ExceptionRule(Record, kw_only=True):
    """When an order needs a person: a filter of orders, or one of the built-in looks."""

    code: Annotated[Text, Field(lookup=True, unique=True)]
    name: Text = ""
    filter: Annotated[Text, Field(help="orders that it means, in the filter language; blank: the built-in look")] = ""
    look: Annotated[Text, Field(help="name of a built-in look", internal=True)] = ""
    after_hours: Annotated[Count, Field(help="how long the cause must last")] = 0
    priority: Annotated[str, ChoiceKind("low", "normal", "high")] = "normal"
    active: Flag = True


@record(
    "exceptions", prefix="exc", states=(OPEN, RESOLVED, DISMISSED),
    columns=("order", "rule", "reason", "detail", "priority", "owner", "state"),
)  # fmt: skip
class OrderException(Record, kw_only=True):
    """An order that needs a person, why, who has it, and how it ended."""

    order: Annotated[OrderId, Field(lookup=True)]
    store: Annotated[str, RefKind("stores"), Field(internal=True)] | None = None
    rule: Annotated[str, RefKind("exception_rules"), Field(lookup=True)]
    key: Annotated[Text, Field(lookup=True, unique=True, internal=True, help="order and rule while open")] | None = None
    reason: Annotated[ExceptionReason, Field(index=True)] = "filter"
    detail: Annotated[Text, Field(help="what the reason is about: a SKU, a number, amounts")] = ""
    priority: Annotated[str, ChoiceKind("low", "normal", "high")] = "normal"
    owner: Annotated[str, RefKind("operators"), Field(index=True)] | None = None
    state: Annotated[str, ChoiceKind(OPEN, RESOLVED, DISMISSED)] = OPEN
    resolution: Note = ""

    def held_by(self) -> str:
        return f"store:{self.store}" if self.store else "hq"


@record("printings", prefix="prn", columns=("order", "paper", "by", "at"))
class Printing(Record, kw_only=True):
    """A paper of an order that was printed, and by whom."""

    order: Annotated[OrderId, Field(lookup=True)]
    store: Annotated[str, RefKind("stores"), Field(internal=True)] | None = None
    paper: Annotated[str, ChoiceKind("slips", "picks", "invoices")]
    by: Annotated[str, RefKind("operators")]
    at: Moment

    def held_by(self) -> str:
        return f"store:{self.store}" if self.store else "hq"
