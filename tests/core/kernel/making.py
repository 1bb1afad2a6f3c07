"""Making the small office in a database of either sort."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType

import pytest

from bo.core.kernel.command import Registry
from bo.core.kernel.database import Database, Session, SqliteDatabase
from bo.core.kernel.ids import encode
from bo.core.kernel.journal import GENESIS
from bo.core.kernel.kinds import Context
from bo.core.kernel.record import RecordInfo, declared_records
from bo.core.kernel.replay import contents
from bo.core.kernel.tx import SYSTEM, Actor, Tx
from bo.core.kernel.workspace import SCHEMA_VERSION, Workspace, _found_statement

MODULE = "tests.core.kernel.office"
DIALECTS = ("sqlite", "postgresql")
START = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
CONTEXT = Context()
CLERK = Actor("clerk", "clerk", frozenset(("tickets.open", "tickets.read", "tickets.edit", "shops.read")))
GUEST = Actor("guest", "guest", frozenset())
NewOffice = Callable[[str], Workspace]


def keeper(shop: str) -> str:
    """The id of an actor who may do everything with tickets, and sees those of one shop alone."""
    return f"keeper:{shop}"


def authorise(tx: Tx, actor: str) -> Actor:
    if actor.startswith("keeper:"):
        scopes = frozenset((f"store:{actor.partition(':')[2]}",))
        return Actor(actor, "keeper", frozenset(("personal.see", "tickets.*", "shops.read")), scopes)
    known = {"clerk": CLERK, "guest": GUEST, "system": SYSTEM}
    return known.get(actor, Actor(actor, actor, frozenset(("*",))))


def registry() -> Registry:
    return Registry(("bo.core.kernel", MODULE)).load_all()


def office_records() -> list[RecordInfo]:
    """The records of the small office, whatever else has been loaded."""
    registry()
    return [info for info in declared_records().values() if info.cls.__module__.startswith(MODULE)]


def ticking(start: datetime = START) -> Callable[[], datetime]:
    """A clock that goes one second further at each look."""
    looks = [start]

    def look() -> datetime:
        looks[0] += timedelta(seconds=1)
        return looks[0]

    return look


def numbered_ids() -> Callable[[], str]:
    """Operation ids in order: the same in every run."""
    made = [0]

    def new_id() -> str:
        made[0] += 1
        return "op_" + encode(0x0193 << 112 | made[0] << 20)

    return new_id


def make_schema(database: Database) -> None:
    """The tables of the small office and its head row, in an empty database."""
    from bo.core.kernel.tables import schema_ddl

    infos = office_records()
    marker = f"INSERT INTO alembic_version VALUES ('{SCHEMA_VERSION}')"
    session = database.session
    tables = only_tables_of(infos, schema_ddl(infos, database.dialect))
    session.script(
        ["BEGIN", "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)", marker, *tables, "COMMIT"]
    )
    values = {"only": 1, "seq": 0, "row": 0, "hash": GENESIS, "device": "dev_test"}
    session.run(
        "kernel:found", _found_statement, {**values, "region": "CN", "currency": "CNY", "zone": "Asia/Shanghai"}
    )


def only_tables_of(infos: Iterable[RecordInfo], statements: Iterable[str]) -> list[str]:
    """Without the tables of business modules that other tests have loaded."""
    own = {info.name for info in infos} | {"head", "operation", "change", "effect", "statement"}
    foreign = {info.name for info in declared_records().values()} - own
    return [sql for sql in statements if not any(f" {name} (" in sql for name in foreign)]


def make_workspace(database: Database, *, actor: str = "boss") -> Workspace:
    return Workspace(database, registry(), authorise, actor=actor, clock=ticking(), new_id=numbered_ids())


def reopened(file: Path) -> Workspace:
    """The small office of a file once more, as another process opens it: its ids are new ones."""
    return Workspace(SqliteDatabase(file), registry(), authorise, actor="boss")


def sqlite_office(folder: Path) -> Workspace:
    database = SqliteDatabase(folder / "office.db")
    make_schema(database)
    return make_workspace(database)


def everything_in(office: Workspace) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, to see that a refusal has changed nothing."""
    return contents(office.database.session, office_records()) | {"head": head_of(office.database.session)}


def head_of(session: Session) -> list[tuple[object, ...]]:
    session.cursor.execute('SELECT seq, "row", hash FROM head')
    return [tuple(row) for row in session.cursor.fetchall()]


def module_of(patch: pytest.MonkeyPatch, *functions: Callable[..., object], noun: str = "") -> Registry:
    """A registry of one made-up module with these commands, not loaded yet."""
    import sys

    package, commands = ModuleType("made_up"), ModuleType("made_up.commands")
    for place, function in enumerate(functions):
        function.__module__ = commands.__name__
        setattr(commands, f"function_{place}", function)
    if noun:
        vars(commands)["NOUN"] = noun
    for module in (package, commands):
        patch.setitem(sys.modules, module.__name__, module)
    return Registry((package.__name__,))
