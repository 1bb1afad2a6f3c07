"""Returns and store credit."""

from typing import Annotated

from bo.core.kernel.errors import Refused
from bo.core.kernel.kinds import Amount, ChoiceKind, Count, Currency, Facts, Field, Moment, Note, RefKind, Text
from bo.core.kernel.record import Record, State, record
from bo.core.orders.records import OrderId

REQUESTED, APPROVED, RECEIVED, REJECTED, CANCELLED = map(
    State, ("requested", "approved", "received", "rejected", "cancelled")
)
RETURN_STATES = (REQUESTED, APPROVED, RECEIVED, REJECTED, CANCELLED)
OPEN_STATES = (REQUESTED, APPROVED)
ReturnReason = Annotated[
    str,
    ChoiceKind("no_longer_wanted", "damaged", "defective", "wrong_item", "not_as_described", "too_late", "other"),
]
Restock = Annotated[str, ChoiceKind("restock", "scrap")]
Settlement = Annotated[str, ChoiceKind("", "refund", "credit", "exchange", "nothing")]
CustomerId = Annotated[str, RefKind("customers")]


@record(
    "returns", prefix="ret", key=("number",), states=RETURN_STATES,
    columns=("number", "order", "reason", "pieces", "state", "came", "short", "amount", "currency", "settled"),
)  # fmt: skip
class CustomerReturn(Record, kw_only=True):
    """Pieces of an order that a customer wants to send back, has sent back, and what became of them."""

    number: Annotated[Text, Field(lookup=True, search=True, help="number of the order and how manieth return")]
    order: Annotated[OrderId, Field(lookup=True)]
    store: Annotated[str, RefKind("stores"), Field(internal=True)] | None = None
    state: Annotated[str, ChoiceKind(*RETURN_STATES)] = REQUESTED
    reason: Annotated[ReturnReason, Field(index=True)] = "other"
    lines: Annotated[Facts, Field(help="pieces that are announced, by line")] = {}
    received: Annotated[Facts, Field(help="pieces that came, by line")] = {}
    pieces: Annotated[Count, Field(help="pieces that are announced")] = 0
    came: Annotated[Count, Field(help="pieces that came")] = 0
    short: Annotated[Count, Field(help="pieces that were announced and did not come")] = 0
    wrong: Annotated[Count, Field(help="pieces that came and are not of this order")] = 0
    restock: Annotated[Restock, Field(help="whether what came is in stock again")] = "restock"
    warehouse: Annotated[str, RefKind("warehouses")] | None = None
    received_at: Annotated[Moment, Field(label="received on")] | None = None
    amount: Annotated[Amount, Field(help="what the pieces that came are worth")] = 0
    currency: Currency = ""
    settled: Annotated[Settlement, Field(index=True, help="how it was made good")] = ""
    exchange: Annotated[str, RefKind("orders"), Field(lookup=True, help="the order that was sent for it")] | None = None
    note: Note = ""

    def held_by(self) -> str:
        return f"store:{self.store}" if self.store else "hq"


@record(
    "credits", prefix="crd", append_only=True, columns=("customer", "amount", "currency", "reason", "order", "at"),
)  # fmt: skip
class Credit(Record, kw_only=True):
    """Store credit that a customer got or (below nothing) spent."""

    customer: Annotated[CustomerId, Field(lookup=True)]
    amount: Annotated[Amount, Field(help="what was got; negative: what was spent")]
    currency: Currency
    reason: Text = ""
    order: Annotated[str, RefKind("orders"), Field(lookup=True)] | None = None
    cause: Annotated[Text, Field(lookup=True, internal=True)] = ""
    at: Annotated[Moment, Field(index=True)]

    def held_by(self) -> str:
        return "hq"

    def check(self) -> None:
        if not self.amount:
            raise Refused("credit is of more or less than nothing")
