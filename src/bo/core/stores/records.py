"""Stores (shops) and the territories they serve."""

from datetime import date
from typing import Annotated

from bo.core.kernel.errors import Configuration, Refused
from bo.core.kernel.kinds import ChoiceKind, Count, Day, Field, Flag, Note, PersonName, Phone, RefKind, Tags, Text
from bo.core.kernel.moments import zone_of
from bo.core.kernel.record import Record, State, record

OPEN, PAUSED, CLOSED = State("open"), State("paused"), State("closed")
STORE_STATES = (OPEN, PAUSED, CLOSED)
StoreState = Annotated[str, ChoiceKind(*STORE_STATES)]
StoreId = Annotated[str, RefKind("stores")]
WeekDays = Annotated[str, ChoiceKind("mon-sun", "mon-sat", "mon-fri")]


MIDNIGHT = "00:00"


class WrongHours(Refused):
    """Opening hours or days off that cannot be."""

    code = "wrong_hours"


@record(
    "stores",
    prefix="store",
    key=("code",),
    states=STORE_STATES,
    create="stores.add",
    edit="stores.edit",
    columns=("code", "name", "state", "city", "capacity", "categories", "opted_out"),
)
class Store(Record, kw_only=True):
    """A shop that takes leads.

    Nothing here is counted up by leads: what a store has is counted when it is asked for, so that no two leads meet
    in its row.
    """

    code: Annotated[Text, Field(lookup=True, unique=True, aliases=("门店编号", "店号", "store code"))]
    name: Annotated[Text, Field(search=True, aliases=("门店", "门店名称", "店名"))] = ""
    state: StoreState = OPEN
    region: Annotated[Text, Field(aliases=("大区",))] = ""
    province: Annotated[Text, Field(aliases=("省份", "省"))] = ""
    city: Annotated[Text, Field(index=True, aliases=("城市", "市"))] = ""
    district: Annotated[Text, Field(aliases=("区", "区县"))] = ""
    address: Annotated[Text, Field(aliases=("地址",))] = ""
    phone: Annotated[Phone, Field(public=True, aliases=("电话",))] | None = None
    manager: Annotated[PersonName, Field(aliases=("店长",))] = ""
    categories: Annotated[Tags, Field(aliases=("品类", "类目"), help="empty: takes every category")] = ()
    capacity: Annotated[Count, Field(aliases=("容量",), help="open leads at most; 0 means no limit")] = 0
    quota: Annotated[
        Count, Field(aliases=("月配额",), help="leads a month, and the share among equal stores; 0 means no limit")
    ] = 0
    opted_out: Annotated[Flag, Field(help="takes no leads at present")] = False
    contract_until: Annotated[Day, Field(aliases=("合同到期",))] | None = None
    zone: Annotated[Text, Field(help="time zone; empty: the office's")] = ""
    opens: Annotated[Text, Field(help="HH:MM")] = "09:00"
    closes: Annotated[Text, Field(help="HH:MM")] = "18:00"
    weekdays: WeekDays = "mon-sun"
    closed_days: Annotated[Tags, Field(aliases=("休息日",), help="days off, as 2026-10-01")] = ()
    open_days: Annotated[
        Tags, Field(aliases=("调休上班日",), help="working days that weekday or holiday would close")
    ] = ()
    note: Annotated[Note, Field(aliases=("备注",))] = ""

    def check(self) -> None:
        for hour in (self.opens, self.closes):
            if not (
                len(hour) == 5
                and hour[2] == ":"
                and hour[:2].isdigit()
                and hour[3:].isdigit()
                and hour[:2] < "24"
                and hour[3:] < "60"
            ):
                raise WrongHours("{hour} is not a time of day", hint="Write it like 09:00.", hour=hour)
        if self.opens >= self.closes and self.closes != MIDNIGHT:
            raise WrongHours(
                "store {code} would close at {closes}, before it opens at {opens}",
                hint="00:00 as the closing time means midnight.",
                code=self.code,
                closes=self.closes,
                opens=self.opens,
            )
        for day in (*self.closed_days, *self.open_days):
            _require_day(day)
        if self.zone:
            _require_zone(self.zone)


@record(
    "territories",
    prefix="terr",
    key=("code",),
    create="territories.add",
    edit="territories.edit",
    columns=("code", "store", "province", "city", "district"),
)
class Territory(Record, kw_only=True):
    """A part of the country that a store serves; the most specific match wins."""

    code: Annotated[Text, Field(lookup=True, unique=True)]
    store: Annotated[StoreId, Field(index=True, aliases=("门店",))]
    province: Annotated[Text, Field(aliases=("省份", "省"))] = ""
    city: Annotated[Text, Field(aliases=("城市", "市"))] = ""
    district: Annotated[Text, Field(aliases=("区", "区县"))] = ""


def _require_day(text: str) -> None:
    try:
        if date.fromisoformat(text).isoformat() == text:
            return
    except ValueError:
        pass
    raise WrongHours("{day} is not a day", hint="Write days like 2026-10-01, with commas between them.", day=text)


def _require_zone(name: str) -> None:
    try:
        zone_of(name)
    except Configuration:
        raise WrongHours("there is no time zone {zone}", hint="Use a name such as Asia/Shanghai.", zone=name) from None
