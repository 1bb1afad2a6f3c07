"""Making the small office in a database of either sort."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bo.core.kernel.command import Registry
from bo.core.kernel.database import Database, SqliteDatabase
from bo.core.kernel.journal import GENESIS
from bo.core.kernel.kinds import Context
from bo.core.kernel.record import declared_records
from bo.core.kernel.tx import SYSTEM, Actor, Tx
from bo.core.kernel.workspace import SCHEMA_VERSION, Workspace, _found_statement

MODULE = "tests.core.kernel.office"
CLERK = Actor("clerk", "clerk", frozenset(("tickets.*", "shops.read")))
START = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)


def registry() -> Registry:
    return Registry(("bo.core.kernel", MODULE)).load_all()


def authorise(_tx: Tx, actor: str) -> Actor:
    return {"clerk": CLERK, "system": SYSTEM}.get(actor, Actor(actor, actor, frozenset(("*",))))


def ticking(start: datetime = START) -> Callable[[], datetime]:
    """A clock that goes one second further at each look."""
    looks = [start]

    def look() -> datetime:
        looks[0] += timedelta(seconds=1)
        return looks[0]

    return look


def make_schema(database: Database) -> None:
    from bo.core.kernel.tables import schema_ddl

    registry()
    session = database.session
    infos = [info for info in declared_records().values() if info.cls.__module__.startswith(MODULE)]
    session.script(
        [
            "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)",
            f"INSERT INTO alembic_version VALUES ('{SCHEMA_VERSION}')",
        ]
    )
    session.script(schema_ddl(infos, database.dialect))
    values = {"only": 1, "seq": 0, "row": 0, "hash": GENESIS, "device": "dev_test"}
    session.run(
        "kernel:found", _found_statement, {**values, "region": "CN", "currency": "CNY", "zone": "Asia/Shanghai"}
    )


def make_workspace(database: Database, *, actor: str = "boss") -> Workspace:
    return Workspace(database, registry(), authorise, actor=actor, clock=ticking())


def sqlite_office(folder: Path) -> Workspace:
    database = SqliteDatabase(folder / "office.db")
    make_schema(database)
    return make_workspace(database)


CONTEXT = Context()
