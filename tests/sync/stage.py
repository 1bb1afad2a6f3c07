"""A central store and devices in one process: headquarters, two shops with a laptop each, a clock that stands still.

The devices speak to central through `Within`, which encodes and decodes as HTTP does; a test may put something lossy
between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from bo.core.kernel.database import Database, SqliteDatabase
from bo.core.kernel.dispatch import Call, Outcome
from bo.core.kernel.ids import new_operation_id
from bo.core.kernel.record import RecordInfo, declared_records
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
SHOPS: Final = (("S1", "浦东店"), ("S2", "静安店"))
Wrap = Callable[[Transport], Transport]
NewId = Callable[[], str]


class Clock:
    """Stands still until it is moved."""

    def __init__(self, now: datetime = MONDAY) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def later(self, **units: float) -> None:
        self.now += timedelta(**units)


class Device:
    """A laptop with its office and its way to central, which is asked for at each call: it may have been restarted."""

    def __init__(
        self,
        ws: Workspace,
        central: Central | Callable[[], Central],
        wrap: Wrap = lambda inner: inner,
        spool: Path | None = None,
    ) -> None:
        self.ws = ws
        self.revoked = False
        self.central = (lambda: central) if isinstance(central, Central) else central
        self.wrap = wrap
        self.spool = spool
        self.client = self.new_client()

    def new_client(self) -> Client:
        """A program of its own that syncs this office."""
        return Client(self.ws, self.wrap(Line(self.central, self.caller)), spool=self.spool)

    def path(self) -> Path:
        database = self.ws.database
        assert isinstance(database, SqliteDatabase)
        return database.path

    def reopen(self) -> None:
        """The program ends, whatever it was at, and is started again."""
        path, actor, clock, new_id = self.path(), self.ws.actor, self.ws.clock, self.ws.new_id
        self.ws.close()
        self.ws = open_database(SqliteDatabase(path), operator=SYSTEM.id, clock=clock, new_id=new_id)
        self.ws.actor = actor
        self.client = self.new_client()

    def copy(self, target: Path) -> Path:
        """A copy of the office's file, as a backup makes it."""
        target.unlink(missing_ok=True)
        self.ws.database.session.cursor.execute("VACUUM INTO ?", (str(target),))
        return target

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


class Line:
    """The way to a central store that may be another one at each call."""

    def __init__(self, central: Callable[[], Central], caller: Callable[[], Caller]) -> None:
        self.central = central
        self.caller = caller

    def call(self, kind: str, body: bytes, *, timeout: float = 60.0) -> bytes:
        return Within(self.central(), self.caller).call(kind, body, timeout=timeout)

    def close(self) -> None:
        return


class Stage:
    """The whole set: `central`, `office` (a workspace on the central store itself), and devices by login."""

    def __init__(
        self,
        folder: Path,
        database: Callable[[], Database] | None = None,
        *,
        people: Sequence[tuple[str, str, str | None]] = PEOPLE,
        shops: Sequence[tuple[str, str]] = SHOPS,
        new_id: NewId = new_operation_id,
    ) -> None:
        self.folder = folder
        self.clock = Clock()
        self.new_id = new_id
        self.make_database = database or (lambda: SqliteDatabase(folder / "central.db"))
        context = context_for("CN")
        self.office = found(self.make_database(), context, operator="boss", clock=self.clock, new_id=new_id)
        calls = [Call("stores.add", None, {"code": code, "name": name, "city": "上海"}) for code, name in shops]
        self.office.run(calls, atomic=True)
        for login, role, store in people:
            self.office.do("operators.add", login=login, roles=role, store=store)
        self.central = Central(self.open_central)
        self.devices: list[Device] = []

    def open_central(self) -> Workspace:
        return open_database(self.make_database(), operator=SYSTEM.id, clock=self.clock, new_id=self.new_id)

    def restart(self) -> None:
        """The central store's programs end, and start again."""
        self.stop()
        self.start()

    def stop(self) -> None:
        self.central.close()
        self.office.close()

    def start(self) -> None:
        boss = self.office.actor
        self.office = self.open_central()
        self.office.actor = boss
        self.central = Central(self.open_central)

    def operator(self, login: str) -> str:
        return self.office.reader().get(self.office.registry.record("operators"), login).id

    def store(self, code: str) -> str:
        return self.office.reader().get(Store, code).id

    def ticket(self, login: str) -> Ticket:
        operator = self.operator(login)
        made = self.office.do("devices.register", operator=operator, name=f"{login}'s laptop")
        return Ticket("", operator, str(made.returned), 0, "CN", "CNY", "Asia/Shanghai", MONDAY)

    def device(
        self,
        login: str,
        *,
        wrap: Wrap = lambda inner: inner,
        clock: Callable[[], datetime] | None = None,
        spool: Path | None = None,
        synced: bool = True,
    ) -> Device:
        """A laptop that has logged in, and has had its first sync unless it is not `synced`."""
        ticket = self.ticket(login)
        database = SqliteDatabase(self.folder / f"{ticket.device}.db")
        found_device(database, ticket, "https://central.example/acme")
        made = self.laptop(database, ticket.operator, wrap=wrap, clock=clock, spool=spool)
        if synced:
            made.sync()
        return made

    def clone(self, device: Device, name: str = "clone", *, clock: Callable[[], datetime] | None = None) -> Device:
        """Another machine with a copy of that one's disk."""
        path = device.copy(self.folder / f"{device.path().stem}.{name}.db")
        return self.laptop(SqliteDatabase(path), device.ws.actor, wrap=device.wrap, clock=clock or device.ws.clock)

    def laptop(
        self,
        database: Database,
        operator: str,
        *,
        wrap: Wrap = lambda inner: inner,
        clock: Callable[[], datetime] | None = None,
        spool: Path | None = None,
    ) -> Device:
        ws = open_database(database, operator=SYSTEM.id, clock=clock or self.clock, new_id=self.new_id)
        ws.actor = operator
        made = Device(ws, lambda: self.central, wrap, spool)
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


def office_records(ws: Workspace) -> list[RecordInfo]:
    """Every sort of record there is in an office; tests of the kernel declare some of their own."""
    ws.registry.load_all()
    return [info for info in declared_records().values() if info.cls.__module__.startswith("bo.")]


def rows_of(ws: Workspace) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every record, by id and without its number in that database."""
    return {
        info.noun: sorted((row[1:] for row in table_rows(ws.database.session, info)), key=lambda row: str(row[0]))
        for info in office_records(ws)
    }


__all__ = ["Call", "Clock", "Device", "Stage", "make_office", "office_records", "rows_of"]
