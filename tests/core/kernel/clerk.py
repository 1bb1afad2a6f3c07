"""A process that works in the small office of a database until it is done, killed, or out of room.

    python -m tests.core.kernel.clerk DATABASE WORK COUNT

Every line it prints is one acknowledgement: the ids of the operations that a commit has confirmed.
"""

from __future__ import annotations

import sys
from pathlib import Path

from bo.core.kernel.database import Database, PostgresDatabase, SqliteDatabase
from bo.core.kernel.dispatch import Call
from bo.core.kernel.errors import StorageFull
from bo.core.kernel.ids import new_operation_id
from bo.core.kernel.workspace import Workspace
from tests.core.kernel.making import authorise, registry


def database_of(address: str) -> Database:
    """The database of a file, or of a schema written behind its server's address: `postgresql://…#schema`."""
    if address.startswith("postgresql://"):
        server, _mark, schema = address.partition("#")
        return PostgresDatabase(server, schema)
    return SqliteDatabase(Path(address))


def address_of(database: Database) -> str:
    """What `database_of` finds the database by."""
    if isinstance(database, PostgresDatabase):
        return f"{database.url}#{database.schema}"
    assert isinstance(database, SqliteDatabase)
    return str(database.path)


def count_up(office: Workspace, _turn: int) -> list[Call]:
    """One ticket more in the shop."""
    return [Call("shops.count_up", "west")]


def serve(office: Workspace, turn: int) -> list[Call]:
    """A ticket that is opened, given, closed and sometimes taken out: rows in four tables, one commit."""
    number = f"T-{new_operation_id()[-10:]}"
    calls = [
        Call("tickets.open", None, {"number": number, "name": "王小明", "note": "kitchen " * 20, "amount": 1250}),
        Call("shops.count_up", "west"),
        Call("tickets.close", number),
    ]
    return [*calls, Call("tickets.drop", number)] if turn % 3 == 0 else calls


def hoard(office: Workspace, turn: int) -> list[Call]:
    """Many long notes at once, to fill a disk with."""
    return [Call("tickets.open", None, {"note": f"{turn} {place} " * 200}) for place in range(50)]


WORK = {"count_up": count_up, "serve": serve, "hoard": hoard}


def limit_files(size: int) -> None:
    """No file of this process may grow beyond `size` bytes from here on."""
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


def main(address: str, work: str, count: int, limit: int = 0) -> int:
    """Do `count` pieces of work; 28 as the exit code where the disk was full."""
    with Workspace(database_of(address), registry(), authorise, actor="boss") as office:
        if limit:
            limit_files(limit)
        for turn in range(count):
            try:
                outcomes = office.run(WORK[work](office, turn), atomic=True)
            except StorageFull:
                sys.stdout.write("full\n")
                return 28
            sys.stdout.write(" ".join(outcome.operation for outcome in outcomes) + "\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])))
