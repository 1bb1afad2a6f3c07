"""Databases: connections to SQLite (through sqlcipher3) and PostgreSQL, their transactions, and their errors in our
words.

One writing transaction at a time: `BEGIN IMMEDIATE` and the head row on SQLite, `SELECT … FROM head FOR UPDATE` on
PostgreSQL. SQLite runs with WAL and
`synchronous=FULL`; an older SQLite than 3.51.3 is refused because of its WAL-reset race.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from bo.core.kernel.errors import BoError, Busy, Configuration, Damaged, StorageFull
from bo.core.kernel.record import State, day_or_moment, encode_json
from bo.core.kernel.statements import Prepared, Statements

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement

SQLITE_LEAST: Final = (3, 51, 3)
CACHE_KIB: Final = 64 * 1024
BUSY_MS: Final = 10_000
DATABASE_NAME: Final = "office.db"
SQLITE_BUSY, SQLITE_LOCKED, SQLITE_READONLY, SQLITE_IOERR = 5, 6, 8, 10
SQLITE_CORRUPT, SQLITE_FULL, SQLITE_CANTOPEN, SQLITE_NOTADB = 11, 13, 14, 26
_streams: Final = count(1)


class Cursor(Protocol):
    """The part of a DBAPI cursor that is used."""

    rowcount: int

    def execute(self, sql: str, values: Sequence[object] = ..., /) -> object: ...
    def executemany(self, sql: str, rows: Iterable[Sequence[object]], /) -> object: ...
    def fetchall(self) -> list[Any]: ...
    def fetchmany(self, size: int = ..., /) -> list[Any]: ...


class Session:
    """One connection in use. Statements go by key, so that their text is made once."""

    def __init__(self, connection: Any, dialect: str, statements: Statements) -> None:
        self.connection = connection
        self.dialect = dialect
        self.statements = statements
        self.cursor: Cursor = connection.cursor()

    @property
    def is_sqlite(self) -> bool:
        return self.dialect == "sqlite"

    def rows(
        self, key: str, build: Callable[[], ClauseElement], values: Mapping[str, object] | None = None
    ) -> list[tuple[Any, ...]]:
        """All rows of a statement."""
        prepared = self.statements.get(key, build)
        with told(self.dialect):
            self.cursor.execute(prepared.sql, self._values(prepared, values or {}))
            return self.cursor.fetchall()

    def stream(
        self,
        key: str,
        build: Callable[[], ClauseElement],
        values: Mapping[str, object] | None = None,
        *,
        size: int = 1000,
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Rows of a statement in lists of `size`, with memory for one list."""
        prepared = self.statements.get(key, build)
        # on PostgreSQL a cursor of the server, held beyond its transaction, since reading is done outside of any
        cursor = (
            self.connection.cursor()
            if self.is_sqlite
            else self.connection.cursor(name=f"stream_{next(_streams)}", withhold=True)
        )
        try:
            with told(self.dialect):
                cursor.execute(prepared.sql, self._values(prepared, values or {}))
                while batch := cursor.fetchmany(size):
                    yield batch
        finally:
            cursor.close()

    def run(self, key: str, build: Callable[[], ClauseElement], values: Mapping[str, object] | None = None) -> int:
        """Carry out a statement; the number of rows it met."""
        prepared = self.statements.get(key, build)
        with told(self.dialect):
            self.cursor.execute(prepared.sql, self._values(prepared, values or {}))
            return self.cursor.rowcount

    def many(self, key: str, build: Callable[[], ClauseElement], rows: Sequence[Sequence[object]]) -> None:
        """Carry out a statement for many rows, given in the order of its columns."""
        prepared = self.statements.get(key, build)
        with told(self.dialect):
            self.cursor.executemany(prepared.sql, rows)

    def script(self, statements: Iterable[str]) -> None:
        with told(self.dialect):
            for sql in statements:
                self.cursor.execute(sql)

    def array(self, values: Iterable[object]) -> object:
        """Many values as one parameter of `in_list`."""
        if not self.is_sqlite:
            return list(values)
        return encode_json([day_or_moment(value) for value in values]).decode()

    def keep_pages(self, kib: int) -> None:
        """Keep so much of an SQLite file in memory; other databases see to that themselves."""
        if self.is_sqlite:
            self.script([f"PRAGMA cache_size=-{kib}"])

    def begin_reading(self) -> None:
        """From here to the end of the transaction all is as it is now, however much others write."""
        self.script(["BEGIN" if self.is_sqlite else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"])

    def moment(self, moment: datetime) -> object:
        """A time as this database binds it in rows that are given by place."""
        return day_or_moment(moment) if self.is_sqlite else moment

    def _values(self, prepared: Prepared, values: Mapping[str, object]) -> list[object]:
        if prepared.constants:
            values = {**prepared.constants, **values}
        if self.is_sqlite:
            return [day_or_moment(values[name]) for name in prepared.names]
        return [values[name] for name in prepared.names]


class Database:
    """Where one organisation's office lies: a folder with an SQLite file, or a PostgreSQL schema."""

    dialect: str

    def __init__(self, statements: Statements) -> None:
        self.statements = statements
        self._session: Session | None = None
        self._inside = False

    def connect(self) -> Session:
        """A new connection; its owner closes it."""
        raise NotImplementedError

    def begin(self, session: Session) -> None:
        """Start a writing transaction: from here on nobody else writes."""
        raise NotImplementedError

    @property
    def session(self) -> Session:
        """The connection of this thread of work, opened once."""
        if self._session is None or getattr(self._session.connection, "closed", False):
            self._session = self.connect()
        return self._session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A writing transaction: committed at the end, rolled back on any error."""
        session = self._enter()
        try:
            self.begin(session)
            yield session
            with told(self.dialect):
                session.cursor.execute("COMMIT")
        except BaseException:
            self.roll_back(session)
            raise
        finally:
            self._inside = False

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """One view of everything that stays as it is, however much others write meanwhile. Nothing can be written
        inside."""
        session = self._enter()
        try:
            session.begin_reading()
            yield session
        finally:
            self.roll_back(session)
            self._inside = False

    def _enter(self) -> Session:
        """One transaction at a time on a connection: one inside another would end the outer one unseen."""
        if self._inside:
            raise RuntimeError("a transaction is open already: work in that one")
        session = self.session
        self._inside = True
        return session

    def roll_back(self, session: Session) -> None:
        try:
            session.cursor.execute("ROLLBACK")
        except Exception:  # the transaction may be gone already: the first error is the one to tell
            if not self.is_alive(session):
                self.close()

    def is_alive(self, session: Session) -> bool:
        try:
            session.cursor.execute("SELECT 1")
            session.cursor.fetchall()
        except Exception:
            return False
        return True

    def close(self) -> None:
        if self._session is not None:
            self._session.connection.close()
            self._session = None


class SqliteDatabase(Database):
    """A file, opened by sqlcipher3 and by nothing else in this process."""

    dialect = "sqlite"

    def __init__(self, path: Path, key: bytes | None = None) -> None:
        super().__init__(Statements("sqlite"))
        self.path = path
        self.key = key
        self.busy_ms = int(os.environ.get("BO_BUSY_MS", BUSY_MS))

    def connect(self) -> Session:
        return Session(self.open(), "sqlite", self.statements)

    def open(self) -> Any:
        """A raw connection with our pragmas. Raises Configuration or Damaged."""
        from sqlcipher3 import dbapi2

        if dbapi2.sqlite_version_info < SQLITE_LEAST:
            raise Configuration(
                "SQLite {version} can lose data; {least} is needed",
                hint="Install sqlcipher3 0.6.4 or later.",
                version=dbapi2.sqlite_version,
                least="3.51.3",
            )
        # without an adapter of its own the driver looks for one on every None and state it binds: that costs as much as
        # the row
        dbapi2.register_adapter(type(None), _itself)
        dbapi2.register_adapter(State, _itself)
        with told("sqlite"):
            connection = dbapi2.connect(
                str(self.path), isolation_level=None, check_same_thread=False, cached_statements=256
            )
            try:
                self._prepare(connection.cursor())
            except BaseException:
                connection.close()
                raise
        return connection

    def _prepare(self, cursor: Any) -> None:
        if self.key is not None:
            cursor.execute(f"PRAGMA key = \"x'{self.key.hex()}'\"")
        cursor.executescript(
            f"PRAGMA busy_timeout={self.busy_ms}; PRAGMA cache_size=-{CACHE_KIB}; PRAGMA synchronous=FULL;"
            "PRAGMA foreign_keys=ON; PRAGMA recursive_triggers=ON; PRAGMA temp_store=FILE; PRAGMA trusted_schema=OFF;"
        )
        cursor.execute("PRAGMA journal_mode=WAL").fetchall()

    def begin(self, session: Session) -> None:
        with told("sqlite"):
            session.cursor.execute("BEGIN IMMEDIATE")


class PostgresDatabase(Database):
    """A schema of a PostgreSQL database, through psycopg."""

    dialect = "postgresql"

    def __init__(self, url: str, schema: str = "public") -> None:
        super().__init__(Statements("postgresql"))
        self.url = url.replace("postgresql+psycopg://", "postgresql://", 1)
        self.schema = schema

    def connect(self) -> Session:
        return Session(self.open(), "postgresql", self.statements)

    def open(self) -> Any:
        import psycopg

        with told("postgresql"):
            connection = psycopg.connect(self.url, autocommit=True)
            connection.execute(f'SET search_path TO "{self.schema}"')
            connection.execute("SET timezone TO 'UTC'")
            connection.execute(f"SET lock_timeout TO {BUSY_MS}")
        return connection

    def begin(self, session: Session) -> None:
        with told("postgresql"):
            session.cursor.execute("BEGIN")


def _itself(value: object) -> object:
    return value


@contextmanager
def told(dialect: str) -> Iterator[None]:
    """Turn a driver's error into one of ours that says what to do."""
    try:
        yield
    except BoError:
        raise
    except Exception as error:
        cause = getattr(error, "orig", None) or error  # what SQLAlchemy wraps while it migrates
        translated = _sqlite_error(cause) if dialect == "sqlite" else _postgres_error(cause)
        if translated is None:
            raise
        raise translated from error


def _sqlite_error(error: Exception) -> BoError | None:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the primary code; the words may name a column called `full`
    if code in (SQLITE_BUSY, SQLITE_LOCKED):
        return Busy(
            "another program is writing to this workspace", hint="Try again in a moment, or wait longer with --wait 2m."
        )
    if code == SQLITE_FULL:
        return StorageFull("the disk is full: nothing was changed", hint="Free some space and run the command again.")
    if code == SQLITE_IOERR:
        return StorageFull(
            "the disk cannot be written or read: nothing was changed",
            hint="Check its space and its health, then run the command again.",
        )
    if code in (SQLITE_CORRUPT, SQLITE_NOTADB) or "could not decode" in str(error).lower():
        return Damaged(
            "the workspace file is damaged or encrypted with another key",
            hint="bo backup restore brings back the last backup.",
        )
    if code in (SQLITE_READONLY, SQLITE_CANTOPEN):
        return Configuration(
            "the workspace file cannot be opened for writing", hint="Check its folder and its permissions."
        )
    return None


def _postgres_error(error: Exception) -> BoError | None:
    names = {cls.__name__ for cls in type(error).__mro__}
    if names & {"LockNotAvailable", "DeadlockDetected", "SerializationFailure", "QueryCanceled"}:
        return Busy("another program is writing to this office", hint="Try again in a moment.")
    if names & {"DiskFull", "ConfigurationLimitExceeded"}:
        return StorageFull(
            "the database has no room: nothing was changed", hint="Free some space and run the command again."
        )
    if "OperationalError" in names:
        return Configuration(
            "the database cannot be reached: {reason}",
            hint="Check its address and that it runs.",
            reason=str(error).split("\n")[0],
        )
    return None
