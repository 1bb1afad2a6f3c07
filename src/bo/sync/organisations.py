"""Where the organisations of a central store lie: a folder each, or a schema each of one PostgreSQL database.

On disk an organisation is an ordinary workspace folder, so that every command of the office works there too. One is
made aside and put in its place when it is whole: of two programs that make the same one, one is told that it is there.
A device's folder is refused: what a device holds is a part, and its word is provisional.
"""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from bo.core.kernel.backup import create as copied
from bo.core.kernel.database import DATABASE_NAME, Database, PostgresDatabase, SqliteDatabase, told
from bo.core.kernel.errors import BadValue, BoError, Configuration, NotAllowed, NotFound, Refused, UsageError
from bo.core.kernel.kinds import Context
from bo.core.kernel.tx import SYSTEM
from bo.core.kernel.workspace import Workspace, database_at, utc_now
from bo.core.office import SETTINGS_NAME, create, found, open_database
from bo.sync.central import Central

NAME: Final = re.compile(r"[a-z0-9-]{2,40}", re.ASCII)
SCHEMA: Final = "bo_"
SCHEMES: Final = ("postgresql+psycopg://", "postgresql://")


class Taken(Refused):
    """There is an organisation of that name."""

    code = "taken"


class IsDevice(Refused):
    """A device's folder cannot be a central store."""

    code = "is_device"


class Organisations:
    """The organisations in a folder (`data`), or in a PostgreSQL database, whose address appears in no message."""

    def __init__(self, data: Path | None, database: str = "", *, clock: Callable[[], datetime] = utc_now) -> None:
        if (data is None) == (not database):
            raise Configuration(
                "where do the organisations lie?", hint="Say --data DIR or --database URL, one of the two."
            )
        self.data = data
        self.clock = clock
        self._url = _checked_url(database) if database else ""
        self._open: dict[str, Central] = {}
        self._lock = threading.Lock()

    @property
    def on_disk(self) -> bool:
        return self.data is not None

    def names(self) -> list[str]:
        """Every organisation, in the order of the alphabet."""
        if self.data is None:
            with self._door() as cursor:
                cursor.execute("SELECT schema_name FROM information_schema.schemata")
                found_names = [str(row[0]).removeprefix(SCHEMA) for row in cursor.fetchall() if row[0][:3] == SCHEMA]
        else:
            found_names = [path.parent.name for path in self.data.glob(f"*/{DATABASE_NAME}")]
        return sorted(name for name in found_names if NAME.fullmatch(name))

    def central(self, name: str) -> Central:
        """The store of an organisation, opened once. Raises NotFound, IsDevice."""
        with self._lock:
            held = self._open.get(name)
            if held is None:
                if not NAME.fullmatch(name) or not self._is_there(name):
                    raise NotFound(
                        "there is no organisation {name}", hint="bo central org list shows them.", name=name[:40]
                    )
                held = Central(lambda: self.workspace(name))
                with held.workspace():  # that it can be opened is known before anybody is answered
                    self._open[name] = held
        return held

    def create(
        self, name: str, context: Context | None = None, *, operator: str = "", person: str = "",
        source: Path | None = None,
    ) -> Central:  # fmt: skip
        """Make an organisation: a new office with its first operator, an administrator, or a copy of the office in the
        folder `source`, whose operators stay. Raises BadValue for a name that cannot be one, Taken, IsDevice."""
        if not NAME.fullmatch(name):
            raise BadValue(
                "{value} cannot be the name of an organisation",
                hint="Use 2 to 40 of the letters a to z, digits and hyphens.",
                field="org",
                value=name[:80],
            )
        if self._is_there(name):
            raise _taken(name)
        if source is not None:
            self._copy(name, source)
        elif context is None or not operator:
            raise UsageError("a new organisation needs a first operator", hint="--operator LOGIN")
        elif self.data is None:
            self._make_schema(name, context, operator, person)
        else:
            with self._aside(name) as part:
                create(part, context, operator=operator, name=person, clock=self.clock).close()
        return self.central(name)

    def workspace(self, name: str) -> Workspace:
        """One more connection to an organisation's office. Raises IsDevice."""
        ws = open_database(self.database(name), operator=SYSTEM.id, clock=self.clock)
        if ws.link is not None:
            ws.close()
            raise _is_device(name)
        return ws

    def database(self, name: str) -> Database:
        """Where an organisation lies."""
        if self.data is None:
            return PostgresDatabase(self._url, SCHEMA + name)
        return database_at(self.data / name)

    def close(self) -> None:
        with self._lock:
            held, self._open = list(self._open.values()), {}
        for central in held:
            central.close()

    def _is_there(self, name: str) -> bool:
        if self.data is None:
            return name in self.names()
        return (self.data / name / DATABASE_NAME).is_file()

    # -- on disk -------------------------------------------------------------------------------------------------------

    def _copy(self, name: str, source: Path) -> None:
        """A verified copy; whoever works in the source meanwhile is not held up, and not in the copy."""
        if self.data is None:
            raise UsageError(
                "an office is not copied into PostgreSQL", hint="Make the organisation with --data DIR instead."
            )
        _require_own(source)
        with self._aside(name) as part:
            copied(database_at(source), part / DATABASE_NAME)
            if (source / SETTINGS_NAME).is_file():
                shutil.copyfile(source / SETTINGS_NAME, part / SETTINGS_NAME)
            with open_database(SqliteDatabase(part / DATABASE_NAME), operator=SYSTEM.id, clock=self.clock) as ws:
                _forget_tokens(ws)

    @contextmanager
    def _aside(self, name: str) -> Iterator[Path]:
        """A folder that becomes the organisation's at the end of the block, or is gone. Raises Taken, Configuration."""
        assert self.data is not None
        part = self.data / f".{name}.{os.getpid()}.{threading.get_ident()}.part"
        try:
            self.data.mkdir(parents=True, exist_ok=True)
            part.mkdir(mode=0o700)
            yield part
            try:
                part.rename(self.data / name)
            except OSError:
                if (self.data / name).exists():
                    raise _taken(name) from None
                raise
        except OSError as error:
            raise Configuration(
                "{path} cannot be made: {reason}",
                hint="Choose another folder.",
                path=str(self.data / name),
                reason=error.strerror or type(error).__name__,
            ) from None
        finally:
            shutil.rmtree(part, ignore_errors=True)

    # -- on PostgreSQL -------------------------------------------------------------------------------------------------

    def _make_schema(self, name: str, context: Context, operator: str, person: str) -> None:
        part = f"bo.{name}.{os.getpid()}.{threading.get_ident() % 10**6}"[:63]  # no organisation has a dot in its name
        with self._door() as cursor:
            _carry_out(cursor, f'CREATE SCHEMA "{part}"')
            database = PostgresDatabase(self._url, part)
            try:
                found(database, context, operator=operator, name=person, clock=self.clock)
                database.close()
                try:
                    _carry_out(cursor, f'ALTER SCHEMA "{part}" RENAME TO "{SCHEMA}{name}"')
                except BoError:
                    if self._is_there(name):
                        raise _taken(name) from None
                    raise
            finally:
                database.close()
                _carry_out(cursor, f'DROP SCHEMA IF EXISTS "{part}" CASCADE')

    @contextmanager
    def _door(self) -> Iterator[Any]:
        """A cursor on the database that holds the schemas."""
        connection = PostgresDatabase(self._url).open()
        try:
            yield connection.cursor()
        finally:
            connection.close()


def _checked_url(url: str) -> str:
    """The address, if it can be read. Its words may hold a password: no message repeats them."""
    if not url.startswith(SCHEMES):
        raise Configuration(
            "the central store's database is no PostgreSQL address",
            hint="postgresql+psycopg://USER@HOST/NAME, or --data DIR for files.",
        )
    try:
        from psycopg import ProgrammingError
        from psycopg.conninfo import conninfo_to_dict
    except ImportError:
        raise Configuration("PostgreSQL's driver is not installed", hint="pip install 'bo-office[postgres]'") from None
    readable = url.replace(SCHEMES[0], SCHEMES[1], 1)
    try:
        conninfo_to_dict(readable)
    except (ProgrammingError, UnicodeError):
        raise Configuration(
            "the database's address cannot be read", hint="Write what is special in a password as %XX."
        ) from None
    return readable


def _carry_out(cursor: Any, statement: str) -> None:
    """A statement about schemas. Raises NotAllowed, Taken, Configuration."""
    from psycopg import Error, errors

    try:
        cursor.execute(statement)
    except errors.InsufficientPrivilege:
        raise NotAllowed(
            "the database's user may not make schemas", hint="GRANT CREATE ON DATABASE … TO that user."
        ) from None
    except Error as error:
        raise Configuration(
            "the database refuses: {reason}", hint="See its log.", reason=str(error).split("\n")[0]
        ) from error


def _require_own(folder: Path) -> None:
    """Raise IsDevice where a folder's office belongs to another central store. The folder is left as it is, whatever
    bo wrote it, so its tables are asked by hand."""
    session = database_at(folder).connect()
    try:
        with told("sqlite"):
            session.cursor.execute("SELECT 1 FROM sqlite_master WHERE name = 'link'")
            if session.cursor.fetchall():
                session.cursor.execute("SELECT 1 FROM link")
                if session.cursor.fetchall():
                    raise _is_device(str(folder))
    finally:
        session.connection.close()


def _forget_tokens(ws: Workspace) -> None:
    """A token is good for the store that gave it, and not for a copy."""
    with ws.database.writing() as session:
        session.run("sync:token:none", _no_tokens)


def _no_tokens() -> Any:
    from bo.sync.tables import token

    return token.delete()


def _taken(name: str) -> Taken:
    return Taken("there already is an organisation {name}", hint="bo central org list shows them.", name=name)


def _is_device(name: str) -> IsDevice:
    return IsDevice(
        "{name} is a device's folder, which has a part of another central store",
        hint="Copy that central store instead.",
        name=name,
    )
