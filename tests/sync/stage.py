"""A central store and devices in one process: headquarters, two shops with a laptop each, a clock that stands still.

The devices speak to central through `Within`, which encodes and decodes as HTTP does; a test may put something lossy
between.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from bo.core.kernel.database import Database, SqliteDatabase
from bo.core.kernel.dispatch import Call, Outcome
from bo.core.kernel.record import declared_records
from bo.core.kernel.replay import table_rows
from bo.core.kernel.tx import SYSTEM
from bo.core.kernel.workspace import Workspace, make_office
from bo.core.leads.records import Lead
from bo.core.office import context_for, found, open_database
from bo.core.stores.records import Store
from bo.sync.central import Caller, Central
from bo.sync.client import Client, Report, found_device
from bo.sync.protocol import Ticket
from bo.sync.transport import Transport, Within

MONDAY: Final = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)  # 10:00 in Shanghai
PEOPLE: Final = (
    ("hugo", "manager", None),
    ("anna", "store", "S1"),
    ("bert", "store", "S2"),
)
Wrap = Callable[[Transport], Transport]


class Clock:
    """Stands still until it is moved."""

    def __init__(self, now: datetime = MONDAY) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def later(self, **units: float) -> None:
        self.now += timedelta(**units)


class Device:
    """A laptop with its office and its way to central."""

    def __init__(self, ws: Workspace, central: Central, wrap: Wrap = lambda inner: inner) -> None:
        self.ws = ws
        self.revoked = False
        self.client = Client(ws, wrap(Within(central, self.caller)))

    def caller(self) -> Caller:
        return Caller(self.ws.actor, self.ws.device, self.revoked)

    def sync(self) -> Report:
        return self.client.sync()

    def do(self, name: str, subject: str | None = None, /, **args: object) -> Outcome:
        return self.ws.do(name, subject, **args)

    def lead(self, lead_id: str) -> Lead:
        return self.ws.reader().get(Lead, lead_id)

    def leads(self) -> set[str]:
        return {row[0] for row in self.ws.reader().page("leads", fields=("id",), limit=10_000).rows}


class Stage:
    """The whole set: `central`, `office` (a workspace on the central store itself), and devices by login."""

    def __init__(self, folder: Path, database: Callable[[], Database] | None = None) -> None:
        self.folder = folder
        self.clock = Clock()
        self.make_database = database or (lambda: SqliteDatabase(folder / "central.db"))
        self.office = found(self.make_database(), context_for("CN"), operator="boss", clock=self.clock)
        self.office.run(
            [
                Call("stores.add", None, {"code": "S1", "name": "浦东店", "city": "上海"}),
                Call("stores.add", None, {"code": "S2", "name": "静安店", "city": "上海"}),
            ],
            atomic=True,
        )
        for login, role, store in PEOPLE:
            self.office.do("operators.add", login=login, roles=role, store=store)
        self.central = Central(self.open_central)
        self.devices: list[Device] = []

    def open_central(self) -> Workspace:
        return open_database(self.make_database(), operator=SYSTEM.id, clock=self.clock)

    def operator(self, login: str) -> str:
        return self.office.reader().get(self.office.registry.record("operators"), login).id

    def store(self, code: str) -> str:
        return self.office.reader().get(Store, code).id

    def ticket(self, login: str) -> Ticket:
        operator = self.operator(login)
        made = self.office.do("devices.register", operator=operator, name=f"{login}'s laptop")
        return Ticket("", operator, str(made.returned), 0, "CN", "CNY", "Asia/Shanghai", MONDAY)

    def device(self, login: str, *, wrap: Wrap = lambda inner: inner, clock: Clock | None = None) -> Device:
        """A laptop that has logged in and has had its first sync."""
        ticket = self.ticket(login)
        database = SqliteDatabase(self.folder / f"{ticket.device}.db")
        found_device(database, ticket, "https://central.example/acme")
        ws = open_database(database, operator=SYSTEM.id, clock=clock or self.clock)
        ws.actor = ticket.operator
        made = Device(ws, self.central, wrap)
        made.sync()
        self.devices.append(made)
        return made

    def lead(self, **fields: object) -> str:
        """A lead reported at headquarters; its id."""
        made = self.office.do("leads.report", **{"name": "李雷", "phone": "13800138000", "city": "上海", **fields})
        assert made.returned is not None
        return made.returned

    def close(self) -> None:
        self.central.close()
        self.office.close()
        for device in self.devices:
            device.ws.close()


def rows_of(ws: Workspace) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every record, by id and without its number in that database."""
    ws.registry.load_all()
    infos = [info for info in declared_records().values() if info.cls.__module__.startswith("bo.")]
    return {
        info.noun: sorted((row[1:] for row in table_rows(ws.database.session, info)), key=lambda row: str(row[0]))
        for info in infos
    }


__all__ = ["Call", "Clock", "Device", "Stage", "make_office", "rows_of"]
