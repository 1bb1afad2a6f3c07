"""Two records: a shop, and a ticket that is opened, given to a shop and closed."""

from typing import Annotated

from bo.core.kernel.kinds import (
    Amount,
    ChoiceKind,
    Currency,
    Day,
    Field,
    Flag,
    Note,
    PersonName,
    Phone,
    RefKind,
    Tags,
    Text,
    Whole,
)
from bo.core.kernel.record import Record, State, record

NEW, GIVEN, CLOSED = State("new"), State("given"), State("closed")
TICKET_STATES = (NEW, GIVEN, CLOSED)
TicketState = Annotated[str, ChoiceKind(*TICKET_STATES)]
ShopId = Annotated[str, RefKind("shops")]


@record("shops", prefix="shop", key=("code",), create="shops.add", edit="shops.edit")
class Shop(Record, kw_only=True):
    """A shop."""

    code: Annotated[Text, Field(lookup=True, unique=True)]
    name: Annotated[Text, Field(search=True)] = ""
    tickets: Whole = 0


@record("tickets", prefix="ticket", key=("number",), states=TICKET_STATES, create="tickets.open", edit="tickets.edit")
class Ticket(Record, kw_only=True):
    """A ticket."""

    number: Annotated[Text, Field(lookup=True, unique=True)] | None = None
    state: TicketState = NEW
    name: Annotated[PersonName, Field(search=True)] = ""
    phone: Annotated[Phone, Field(search=True, lookup=True)] | None = None
    shop: Annotated[ShopId, Field(index=True)] | None = None
    amount: Amount | None = None
    currency: Currency = "CNY"
    due: Day | None = None
    urgent: Flag = False
    tags: Tags = ()
    note: Annotated[Note, Field(search=True)] = ""
    same_phone: Annotated[Text, Field(label="other with this phone")] = ""

    def held_by(self) -> str:
        return f"store:{self.shop}" if self.shop else "hq"


@record("slips", prefix="slip", append_only=True)
class Slip(Record, kw_only=True):
    """A fact that is never changed."""

    ticket: Annotated[str, RefKind("tickets"), Field(lookup=True)]
    amount: Amount = 0
