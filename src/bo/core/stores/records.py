"""Stores (shops) and the territories they serve."""

from typing import Annotated

from bo.core.kernel.errors import Refused
from bo.core.kernel.kinds import ChoiceKind, Count, Day, Field, Flag, Note, PersonName, Phone, RefKind, Tags, Text, Whole
from bo.core.kernel.record import Record, State, record

OPEN, PAUSED, CLOSED = State("open"), State("paused"), State("closed")
STORE_STATES = (OPEN, PAUSED, CLOSED)
StoreState = Annotated[str, ChoiceKind(*STORE_STATES)]
StoreId = Annotated[str, RefKind("stores")]
WeekDays = Annotated[str, ChoiceKind("mon-sun", "mon-sat", "mon-fri")]


class WrongHours(Refused):
    """A store that closes before it opens."""

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
    """A shop that takes leads. `weight` is its share in a monthly quota; `current_weight` the state of smooth weighting."""

    code: Annotated[Text, Field(lookup=True, unique=True, aliases=("门店编号", "店号", "store code"))]
    name: Annotated[Text, Field(search=True, aliases=("门店", "门店名称", "店名"))] = ""
    state: StoreState = OPEN
    region: Annotated[Text, Field(aliases=("大区",))] = ""
    province: Annotated[Text, Field(aliases=("省份", "省"))] = ""
    city: Annotated[Text, Field(index=True, aliases=("城市", "市"))] = ""
    district: Annotated[Text, Field(aliases=("区", "区县"))] = ""
    address: Annotated[Text, Field(aliases=("地址",))] = ""
    phone: Annotated[Phone, Field(aliases=("电话",))] | None = None
    manager: Annotated[PersonName, Field(aliases=("店长",))] = ""
    categories: Annotated[Tags, Field(aliases=("品类", "类目"), help="empty: takes every category")] = ()
    capacity: Annotated[Count, Field(aliases=("容量",), help="open leads at most; 0 means no limit")] = 0
    weight: Annotated[Count, Field(help="share in a quota; 0 means as the others")] = 0
    current_weight: Annotated[Whole, Field(internal=True)] = 0
    assigned_count: Annotated[Count, Field(internal=True)] = 0
    opted_out: Annotated[Flag, Field(help="takes no leads at present")] = False
    contract_until: Annotated[Day, Field(aliases=("合同到期",))] | None = None
    zone: Annotated[Text, Field(help="time zone; empty: the office's")] = ""
    opens: Annotated[Text, Field(help="HH:MM")] = "09:00"
    closes: Annotated[Text, Field(help="HH:MM")] = "18:00"
    weekdays: WeekDays = "mon-sun"
    note: Annotated[Note, Field(aliases=("备注",))] = ""

    def check(self) -> None:
        if self.opens >= self.closes:
            raise WrongHours("store {code} would close at {closes}, before it opens at {opens}", code=self.code, closes=self.closes, opens=self.opens)


@record("territories", prefix="terr", key=("code",), create="territories.add", edit="territories.edit", columns=("code", "store", "province", "city", "district"))
class Territory(Record, kw_only=True):
    """A part of the country that a store serves; the most specific match wins."""

    code: Annotated[Text, Field(lookup=True, unique=True)]
    store: Annotated[StoreId, Field(index=True, aliases=("门店",))]
    province: Annotated[Text, Field(aliases=("省份", "省"))] = ""
    city: Annotated[Text, Field(lookup=True, aliases=("城市", "市"))] = ""
    district: Annotated[Text, Field(aliases=("区", "区县"))] = ""
