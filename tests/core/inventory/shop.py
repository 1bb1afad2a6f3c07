"""A small shop: two warehouses, four things to sell, and a clock that stands still until a test moves it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

from bo.core import office
from bo.core.inventory.records import Movement, Reservation, StockLevel
from bo.core.kernel.command import Registry
from bo.core.kernel.dispatch import Call, Outcome
from bo.core.kernel.reader import Reader
from bo.core.kernel.record import Record
from bo.core.kernel.workspace import Workspace
from bo.core.office import context_for, create, open_office
from bo.core.orders.records import Order, OrderLine

MONDAY: Final = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)  # 10:00 in Shanghai
GOODS: Final = "tests.core.inventory.goods"
CUP, POT, EBOOK, LAMP = "CUP", "POT", "EBOOK", "LAMP"

R = TypeVar("R", bound=Record)


def registry() -> Registry:
    return Registry((*office.MODULES, GOODS), {**office.NOUNS, "variants": GOODS}).load_all()


def build(folder: Path) -> None:
    """Make the office that every shop is a copy of."""
    with create(folder, context_for("CN"), operator="boss", clock=lambda: MONDAY) as made:
        furnish(made)


def furnish(made: Workspace) -> None:
    """Two warehouses and what is sold."""
    made.registry = registry()
    calls = [
        Call("warehouses.add", None, {"code": "EAST", "name": "东仓"}),
        Call("warehouses.add", None, {"code": "WEST", "name": "西仓"}),
        Call("variants.make", None, {"sku": CUP, "title": "青花杯", "bin": "A-01"}),
        Call("variants.make", None, {"sku": POT, "title": "茶壶", "bin": "A-02"}),
        Call("variants.make", None, {"sku": EBOOK, "title": "Tea book", "tracked": False}),
        Call("variants.make", None, {"sku": LAMP, "title": "Lamp", "backorder": True, "bin": "B-01"}),
    ]
    made.run(calls, atomic=True)


class Shop:
    """An office and its clock. `do` runs a command, `refused` one that must change nothing."""

    def __init__(self, folder: Path, office: Workspace | None = None) -> None:
        self.folder = folder
        self.now = MONDAY
        self.office = office or open_office(folder, operator="boss", clock=lambda: self.now)
        self.office.clock = lambda: self.now
        self.office.registry = registry()

    @property
    def read(self) -> Reader:
        return self.office.reader()

    def later(self, **units: int) -> None:
        """Move the clock on."""
        self.now += timedelta(**units)

    def do(self, name: str, subject: str | None = None, /, **args: object) -> Outcome:
        return self.office.do(name, subject, **args)

    def made(self, name: str, subject: str | None = None, /, **args: object) -> str:
        """Run a command; the id of what it made."""
        returned = self.do(name, subject, **args).returned
        assert returned is not None
        return returned

    def refused(self, name: str, subject: str | None = None, /, **args: object) -> str:
        """The code of the refusal, after which the journal, and so every table, is as before."""
        before = self.office.data_version()
        outcome = self.office.run([Call(name, subject, args)])[0]
        assert outcome.error is not None, f"{name} was {outcome.status}"
        assert self.office.data_version() == before
        return outcome.error.code

    def get(self, cls: type[R], text: str) -> R:
        return self.read.get(cls, text)

    def all(self, cls: type[R], filter_text: str = "sort:created_at") -> list[R]:
        return self.read.records(cls, filter_text)

    def receive(self, sku: str, quantity: int, warehouse: str = "EAST") -> str:
        """Take goods in; the id of the level."""
        return self.made("stock.receive", None, variant=sku, warehouse=warehouse, quantity=quantity)

    def order(self, number: str, *lines: tuple[str, int, int], **fields: object) -> str:
        """An order of (SKU, pieces, price) lines; its id."""
        rows = [{"sku": sku, "name": f"{sku} name", "quantity": pieces, "price": price} for sku, pieces, price in lines]
        return self.made("orders.record", None, number=number, lines=rows, **fields)

    def lines(self, order: str) -> list[OrderLine]:
        return self.all(OrderLine, f"order:{order} sort:position")

    def level(self, sku: str, warehouse: str = "EAST") -> tuple[int, int]:
        """What is on hand, and what of it is promised."""
        found = self.all(StockLevel, f"variant:{sku} warehouse:{warehouse}")
        return (found[0].on_hand, found[0].allocated) if found else (0, 0)

    def order_state(self, order: str) -> tuple[str, str]:
        found = self.get(Order, order)
        return found.state, found.payment

    def require_balance(self) -> None:
        """On hand is the sum of the movements, promised that of the open reservations, everywhere."""
        on_hand: dict[tuple[str, str], int] = {}
        promised: dict[tuple[str, str], int] = {}
        for movement in self.all(Movement):
            place = (movement.variant, movement.warehouse)
            on_hand[place] = on_hand.get(place, 0) + movement.quantity
        for item in self.all(Reservation, "state:reserved"):
            place = (item.variant, item.warehouse)
            promised[place] = promised.get(place, 0) + item.quantity
        levels = {(item.variant, item.warehouse): item for item in self.all(StockLevel)}
        assert set(levels) >= set(on_hand) | set(promised)
        for place, level in levels.items():
            assert level.on_hand == on_hand.get(place, 0)
            assert level.allocated == promised.get(place, 0)
            assert level.backorder or 0 <= level.allocated <= level.on_hand
