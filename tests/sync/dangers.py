"""What the simulator does to processes and disks: it ends them between any two statements, and puts back old copies."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, Protocol

from bo.core.kernel.database import Database, SqliteDatabase


class Killed(BaseException):
    """A process ended here. Nothing may catch it but who started it."""


class Trip:
    """Ends a process at one of the next statements, before or after it is carried out."""

    def __init__(self) -> None:
        self.left = 0
        self.after = False

    def arm(self, chance: Random, most: int) -> None:
        self.left, self.after = chance.randrange(1, most), chance.random() < 0.5

    def disarm(self) -> None:
        self.left = 0

    def watch(self, database: Database) -> None:
        session = database.session
        session.cursor = Watched(session.cursor, self)

    def counted(self, carry_out: Callable[[], object]) -> object:
        self.left -= 1 if self.left else 0
        if self.left != 1:
            return carry_out()
        self.left = 0
        if self.after:
            carry_out()
        raise Killed


class Watched:
    """A cursor that tells a trip of every statement."""

    def __init__(self, inner: Any, trip: Trip) -> None:
        self.inner = inner
        self.trip = trip

    @property
    def rowcount(self) -> int:
        return int(self.inner.rowcount)

    @rowcount.setter
    def rowcount(self, _value: int) -> None:
        raise AttributeError

    def execute(self, sql: str, *values: Any) -> object:
        return self.trip.counted(lambda: self.inner.execute(sql, *values))

    def executemany(self, sql: str, rows: Any) -> object:
        return self.trip.counted(lambda: self.inner.executemany(sql, rows))

    def fetchall(self) -> list[Any]:
        return list(self.inner.fetchall())

    def fetchmany(self, *size: int) -> list[Any]:
        return list(self.inner.fetchmany(*size))


class Vault(Protocol):
    """Where backups of a central store are kept."""

    def take(self) -> object: ...
    def put_back(self, taken: object) -> None: ...


class Files:
    """Backups of a central store in a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0

    def take(self) -> object:
        self.count += 1
        target = self.path.with_name(f"{self.path.name}.{self.count}.backup")
        database = SqliteDatabase(self.path)
        database.session.cursor.execute("VACUUM INTO ?", (str(target),))
        database.close()
        return target

    def put_back(self, taken: object) -> None:
        assert isinstance(taken, Path)
        shutil.copy(taken, self.path)
        for ending in ("-wal", "-shm"):
            self.path.with_name(self.path.name + ending).unlink(missing_ok=True)


class Copies:
    """Backups of a central store in a schema of PostgreSQL."""

    def __init__(self, url: str, schema: str) -> None:
        self.url = url
        self.schema = schema

    def take(self) -> object:
        import psycopg

        found: dict[str, bytes] = {}
        with psycopg.connect(self.url) as connection, connection.cursor() as cursor:
            for name in self._tables(cursor):
                with cursor.copy(f'COPY "{self.schema}"."{name}" TO STDOUT'.encode()) as rows:
                    found[name] = b"".join(bytes(part) for part in rows)
        return found

    def put_back(self, taken: object) -> None:
        import psycopg

        assert isinstance(taken, dict)
        with psycopg.connect(self.url) as connection, connection.cursor() as cursor:
            for name in self._tables(cursor):
                cursor.execute(f'TRUNCATE "{self.schema}"."{name}"'.encode())
                with cursor.copy(f'COPY "{self.schema}"."{name}" FROM STDIN'.encode()) as rows:
                    rows.write(taken[name])

    def _tables(self, cursor: Any) -> list[str]:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1", (self.schema,))
        return [str(row[0]) for row in cursor.fetchall()]
