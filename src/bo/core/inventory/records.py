"""Warehouses, levels, movements, reservations, transfers, counts and reorder rules."""

from typing import Annotated

from bo.core.kernel.errors import Refused
from bo.core.kernel.kinds import ChoiceKind, Count, Field, Flag, Moment, Note, RefKind, Text, Whole
from bo.core.kernel.record import Record, State, record

VariantId = Annotated[str, RefKind("variants")]
WarehouseId = Annotated[str, RefKind("warehouses")]
Reason = Annotated[
    str,
    ChoiceKind(
        "received", "sold", "returned", "counted", "damaged", "lost", "found", "transferred_out", "transferred_in",
        "imported", "reversed",
    ),
]  # fmt: skip
RESERVED, SHIPPED, RELEASED = State("reserved"), State("shipped"), State("released")
UNDER_WAY, ARRIVED, CANCELLED = State("under_way"), State("arrived"), State("cancelled")


class NotEnough(Refused):
    """There is less than is wanted, and it may not be sold ahead."""

    code = "not_enough_stock"


@record(
    "warehouses", prefix="wh", key=("code",), create="warehouses.add", edit="warehouses.edit",
    columns=("code", "name", "store", "active"),
)  # fmt: skip
class Warehouse(Record, kw_only=True):
    """Where stock lies."""

    code: Annotated[Text, Field(lookup=True, unique=True, aliases=("仓库编码", "Location"))]
    name: Annotated[Text, Field(search=True, aliases=("仓库", "仓库名称"))] = ""
    store: Annotated[str, RefKind("stores"), Field(index=True)] | None = None
    address: Text = ""
    active: Flag = True


@record(
    "stock", prefix="stk", key=("variant", "warehouse"), create="stock.count", edit="stock.recount",
    columns=("variant", "warehouse", "on_hand", "allocated"),
)  # fmt: skip
class StockLevel(Record, kw_only=True):
    """How much of a variant lies in a warehouse, and how much of it is promised."""

    key: Annotated[Text, Field(lookup=True, unique=True, internal=True, help="variant and warehouse")]
    variant: Annotated[VariantId, Field(lookup=True, aliases=("SKU", "规格编码", "商家编码"))]
    warehouse: Annotated[WarehouseId, Field(index=True, aliases=("Location", "仓库", "仓库编码"))]
    on_hand: Annotated[Whole, Field(aliases=("Quantity", "库存", "数量", "库存数量"))] = 0
    allocated: Count = 0
    backorder: Annotated[Flag, Field(internal=True, help="may be promised beyond what there is")] = False

    def check(self) -> None:
        if not self.backorder and not 0 <= self.allocated <= self.on_hand:
            raise NotEnough(
                "only {available} are left of what {wanted} would need",
                hint="Receive or count stock, choose another warehouse, or allow backorders.",
                available=self.on_hand, wanted=self.allocated,
            )  # fmt: skip


@record(
    "movements", prefix="mov", append_only=True,
    columns=("variant", "warehouse", "quantity", "reason", "cause", "at"),
)  # fmt: skip
class Movement(Record, kw_only=True):
    """Stock that came or went. `cause` is the record that made it move."""

    variant: Annotated[VariantId, Field(lookup=True)]
    warehouse: Annotated[WarehouseId, Field(index=True)]
    quantity: Annotated[Whole, Field(help="what came; negative: what went")]
    reason: Reason
    cause: Annotated[Text, Field(lookup=True, internal=True)] = ""
    reverses: Annotated[str, RefKind("movements"), Field(lookup=True, unique=True)] | None = None
    at: Moment
    note: Note = ""


@record(
    "reservations",
    prefix="rsv",
    states=(RESERVED, SHIPPED, RELEASED),
    columns=("line", "variant", "warehouse", "quantity", "state"),
)
class Reservation(Record, kw_only=True):
    """Stock that is promised to a line of an order."""

    line: Annotated[Text, Field(lookup=True, help="the order line it is for")]
    variant: Annotated[VariantId, Field(lookup=True)]
    warehouse: Annotated[WarehouseId, Field(index=True)]
    quantity: Count
    state: Annotated[str, ChoiceKind(RESERVED, SHIPPED, RELEASED)] = RESERVED


@record(
    "transfers",
    prefix="trf",
    states=(UNDER_WAY, ARRIVED, CANCELLED),
    columns=("variant", "source", "target", "quantity", "state"),
)
class Transfer(Record, kw_only=True):
    """Stock on its way from one warehouse to another."""

    variant: Annotated[VariantId, Field(lookup=True)]
    source: WarehouseId
    target: WarehouseId
    quantity: Count
    arrived: Count = 0
    state: Annotated[str, ChoiceKind(UNDER_WAY, ARRIVED, CANCELLED)] = UNDER_WAY
    note: Note = ""


@record(
    "reorder_rules",
    prefix="ror",
    create="reorder_rules.add",
    edit="reorder_rules.edit",
    columns=("variant", "warehouse", "least", "most", "multiple", "lead_days", "snoozed_until"),
)
class ReorderRule(Record, kw_only=True):
    """When a variant is short in a warehouse, and how much is bought then."""

    variant: Annotated[VariantId, Field(lookup=True)]
    warehouse: Annotated[WarehouseId, Field(index=True)]
    least: Annotated[Count, Field(help="short below this many available")]
    most: Annotated[Count, Field(help="fill up to this many")]
    multiple: Annotated[Count, Field(help="bought in packs of so many")] = 1
    lead_days: Count = 0
    snoozed_until: Moment | None = None

    def check(self) -> None:
        if self.most < self.least or self.multiple < 1:
            raise Refused("the most must not be below the least, and a pack has at least one")
