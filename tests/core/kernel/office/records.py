"""A shop, a ticket that is opened, given and closed, a slip that is never changed, a gauge of every kind of field."""

from typing import Annotated

from bo.core.kernel.errors import Refused
from bo.core.kernel.kinds import (
    Amount,
    ChoiceKind,
    Currency,
    Day,
    Email,
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


class TooHot(Refused):
    """A gauge above what it can show."""

    code = "too_hot"


@record("gauges", prefix="gauge", key=("label",), create="gauges.add", edit="gauges.edit")
class Gauge(Record, kw_only=True):
    """One field of every kind that a ticket has not, with defaults that are neither empty nor zero."""

    label: Annotated[Text, Field(lookup=True)]
    city: Annotated[Text, Field(search=True)] = "Hangzhou"
    heat: Whole = 1000
    rate: Rate | None = None
    read_at: Annotated[Moment, Field(index=True)] | None = None
    checked_on: Day | None = None
    email: Annotated[Email, Field(lookup=True, search=True)] | None = None
    colour: Annotated[str, ChoiceKind("red", "dark_green", labels=("Red", "Dark green"))] = "red"
    working: Flag = True
    marks: Tags = ("new",)
    fitted_in: Annotated[ShopId, Field(index=True)] | None = None

    def check(self) -> None:
        if self.heat > 5000:
            raise TooHot("{heat} is more than a gauge can show", heat=self.heat)
