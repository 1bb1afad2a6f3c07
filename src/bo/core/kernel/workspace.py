"""The workspace: the one door for every face. A database, who is using it, `run` commands, `ask` queries, `reader` to
list, `history` and `undo`."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from bo.core.kernel import journal
from bo.core.kernel.command import Registry
from bo.core.kernel.database import DATABASE_NAME, Database, Session, SqliteDatabase, told
from bo.core.kernel.dispatch import Authorise, Call, Dispatch, Outcome
from bo.core.kernel.errors import BoError, Configuration
from bo.core.kernel.ids import new_operation_id
from bo.core.kernel.kinds import Context, moment_of
from bo.core.kernel.proof import LASTS, Factors, Gate, Proof
from bo.core.kernel.reader import Reader
from bo.core.kernel.record import info_of
from bo.core.kernel.statements import Prepared
from bo.core.kernel.tx import SYSTEM, Actor, Tx
from bo.core.kernel.unit import Change, Head, Unit

STATEMENTS_VERSION: Final = "3"
STATEMENTS_MOST: Final = 2000
SCHEMA_VERSION: Final = "0003"
REST_LEAST: Final = 100
_KEPT = tuple[tuple[str, ...], dict[str, str | int]]


def utc_now() -> datetime:
    """The time in UTC, to the millisecond, which is what the journal keeps."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


@contextmanager
def collector_resting(wanted: bool = True) -> Iterator[None]:
    """No garbage collection while a large batch runs: it makes hundreds of thousands of objects and drops hardly any,
    and each look costs."""
    if not wanted or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class Link(msgspec.Struct, frozen=True):
    """What ties a device to its central store: where that is, who works here, and how far its journal has been read
    (`seq` and the hash of that operation). Up to `stable` central's journal is in a verified backup."""

    url: str
    operator: str
    seq: int
    hash: str
    stable: int
    device_seq: int
    view: str
    contact_at: datetime
    lease_days: int


class Rights(msgspec.Struct):
    """Who may do what, as the last transaction knew it; good as long as nobody has written since (`version`)."""

    version: int = -1
    actors: dict[str, Actor] = {}
    watched: set[str] = set()


class Transaction(msgspec.Struct, eq=False):
    """An open writing transaction: runs calls, each batch in a unit of work of its own. `session` and `head` are for
    sync, which also writes what central says."""

    workspace: Workspace
    session: Session
    head: Head
    rights: Rights
    before: int  # the version of what was there when it began
    dry_run: bool = False
    spoilt: list[BaseException] = []
    touched: set[str] = set()  # the nouns of what was looked at or written

    def __call__(self, calls: Sequence[Call], *, atomic: bool = False, unit: Unit | None = None) -> list[Outcome]:
        own = self.workspace
        unit = unit or Unit(self.session, self.head)
        dispatch = Dispatch(
            own.registry, self.session, unit, own.context, own.authorise, own.actor, own.clock, own.new_id,
            self.rights.actors, self.rights.watched, own.authority,
            Gate(self.session, None if self.dry_run else own.factors, own.proof),
        )  # fmt: skip
        try:
            with collector_resting():
                outcomes = dispatch.perform(calls, atomic=atomic)
                unit.flush()
        except BaseException as error:
            self.spoilt.append(error)
            raise
        self.touched.update(info_of(cls).noun for cls in unit.entries)
        return outcomes

    def forget_rights(self) -> None:
        """Rows that say who may do what have been written past dispatch."""
        self.rights.actors.clear()


class _RollBack(Exception):
    """Leaves a writing transaction without writing."""


class Workspace:
    """An open office. `actor` is the id of the operator at the keyboard; `authorise` tells what that operator may
    do."""

    def __init__(
        self,
        database: Database,
        registry: Registry,
        authorise: Authorise,
        *,
        actor: str = SYSTEM.id,
        clock: Callable[[], datetime] = utc_now,
        new_id: Callable[[], str] = new_operation_id,
        factors: Factors | None = None,
    ) -> None:
        self.database = database
        self.registry = registry
        self.authorise = authorise
        self.actor = actor
        self.clock = clock
        self.new_id = new_id
        self.factors = factors
        self.proof: Proof | None = None  # that the operator has shown a second factor; one transaction uses it up
        self.after: Callable[[Transaction], None] | None = None  # told of every commit that numbered operations
        self._rights = Rights()
        try:
            self._check_schema()
            self._load_statements()
            self.context, self.device = self._read_head()
            self.link = self.read_link()
        except BaseException:
            database.close()
            raise

    # -- writing -------------------------------------------------------------------------------------------------------

    def run(self, calls: Sequence[Call], *, atomic: bool = False, dry_run: bool = False) -> list[Outcome]:
        """Run commands in one transaction. Each call has its own outcome; with `atomic` the first refusal undoes all
        and is raised."""
        if not calls:
            return []
        with self.transaction(dry_run=dry_run) as perform:
            return perform(calls, atomic=atomic)

    @contextmanager
    def transaction(self, *, dry_run: bool = False) -> Iterator[Transaction]:
        """Several batches in one transaction, each in a unit of work of its own, so that memory stays that of one
        batch.

        Leaving the block commits; an error, or `dry_run`, leaves everything as it was. The write lock is held all the
        while. A batch that raised has spoilt the transaction, whoever catches it: its error is raised again at the end.
        """
        try:
            with self.database.writing() as session:
                head = self._lock_head(session)
                rights, self._rights = self._rights, Rights()
                if rights.version != head.version:
                    rights = Rights()
                made = Transaction(self, session, head, rights, head.version, dry_run)
                yield made
                if made.spoilt:
                    raise made.spoilt[0]
                if dry_run:
                    raise _RollBack
                self._save_head(session, head)
                self._keep_statements(session)
            rights.version = head.version
            self._rights = rights
        except _RollBack:
            return
        finally:
            if self.proof is not None and self.proof.used:
                self.proof = None
        if self.after is not None and head.version != made.before:
            self.after(made)

    def wants_code(self, name: str) -> bool:
        """Whether the operator has a second factor, and has to show it for this command; a device does not know."""
        if self.factors is None or not self.authority or not self.registry.command(name).step_up:
            return False
        return self.factors.is_on(self.database.session, self.actor)

    def prove(self, code: str) -> None:
        """Spend a code of the operator's second factor. For five minutes the next transaction with a command that wants
        one has that proof, and uses it up. Who has no second factor has nothing to prove.

        Raises NotAllowed for a wrong code, and what holds back who guesses.
        """
        self.proof = None
        factors = self.factors
        if factors is not None and factors.is_on(self.database.session, self.actor):
            factors.spend(self.database, self.actor, code, self.clock())
            self.proof = Proof(self.actor, self.clock() + LASTS)

    def do(self, name: str, subject: str | None = None, /, **args: object) -> Outcome:
        """Run one command; its refusal is raised. For tests, scripts and rules that need no batch."""
        (outcome,) = self.run([Call(name, subject, args)])
        if outcome.error is not None:
            raise outcome.error
        return outcome

    def undo(self, operation_id: str, *, dry_run: bool = False) -> list[Outcome]:
        """Undo an operation, or, for the first that stands of a batch, all that were run together. All or nothing."""
        calls = [Call("op.undo", None, {"operation": item.id}) for item in reversed(self.undone_by(operation_id))]
        return self.run(calls, atomic=True, dry_run=dry_run)

    def undone_by(self, operation_id: str) -> list[journal.Operation]:
        """The operations that `undo` of this one would undo, in the order they were done."""
        session = self.database.session
        first = journal.operation(session, operation_id)
        together = journal.batch(session, first.batch)
        return together if together[0].id == first.id else [first]

    # -- reading -------------------------------------------------------------------------------------------------------

    @property
    def authority(self) -> bool:
        """Whether what is done here is final; on a device it is provisional until central has confirmed it."""
        return self.link is None

    def read_link(self, session: Session | None = None) -> Link | None:
        """The tie to a central store as it is now; None where this office is its own."""
        rows = (session or self.database.session).rows("kernel:link", _link_statement)
        if not rows:
            return None
        url, operator, seq, hashed, stable, device_seq, view, contact_at, lease_days = rows[0]
        return Link(url, operator, seq, hashed, stable, device_seq, view, moment_of(contact_at), lease_days)

    def reader(self, session: Session | None = None) -> Reader:
        """Eyes on this workspace. A thread of its own brings its own session (`database.connect()`)."""
        return Reader(session or self.database.session, self.registry, self.context, self.who(session), self.clock())

    def ask(self, name: str, subject: str | None = None, /, **args: object) -> Any:
        """The answer of a query. Raises NotAllowed, or what the query raises."""
        from bo.core.kernel.arguments import decode_arguments

        query = self.registry.query(name)
        read = self.reader()
        read.require(query.needs)
        values = decode_arguments(query, args, self.context)
        for param in query.params:
            if param.record is not None and values.get(param.name) is not None:
                values[param.name] = read.get(param.record, str(values[param.name]))
        if query.subject is not None and query.subject.record is not None:
            return query.function(read, read.get(query.subject.record, subject or ""), **values)
        return query.function(read, **values)

    def who(self, session: Session | None = None) -> Actor:
        """The operator at the keyboard, with permissions and scopes."""
        unit = Unit(session or self.database.session, Head(0, 0, "", self.device))
        tx = Tx(unit, self.context)
        tx.begin("", self.clock(), SYSTEM)
        return self.authorise(tx, self.actor)

    def operations(self, *, limit: int = 50, before: int | None = None) -> list[journal.Operation]:
        return journal.operations(self.database.session, limit=limit, before=before)

    def history(self, record_id: str) -> list[tuple[journal.Operation, Change]]:
        """What was done to one row, newest first, for who may read it where it is now. Raises NotAllowed."""
        self.registry.load_all()
        found = journal.history(self.database.session, record_id)
        if not found:
            return []
        reader = self.reader()
        reader.require(f"{found[0][1].noun}.read")
        scope = next((scope for _done, each in found if (scope := each.scope_after or each.scope_before)), "")
        return found if reader.actor.sees(scope) else []

    def verify(self) -> int:
        """Check the journal's chain; the number of operations. Raises Damaged."""
        with self.database.reading() as session:
            return journal.verify_chain(session)

    def data_version(self) -> int:
        """A number that changes whenever anything was written: the last operation's."""
        seq = int(self.database.session.rows("kernel:head", journal.head_statement)[0][0])
        link = self.read_link() if self.link is not None else None
        return seq + (link.seq if link is not None else 0)

    def touched(self, noun: str, after: int, most: int) -> tuple[int, list[tuple[str, str]]]:
        """The number of the last operation that everybody knows, and which rows of a noun, of those that this actor
        sees, were changed since the one after which to look: (operation, row), of at most so many changes."""
        session, link = self.database.session, self.read_link() if self.link is not None else None
        # On a device the numbers of what waits there lie far above central's.
        to = link.seq if link is not None else int(session.rows("kernel:head", journal.head_statement)[0][0])
        found, who = journal.touched(session, noun, after, to, most) if to > after else (), self.who()
        return to, [(operation, row) for operation, row, scope in found if who.sees(scope)]

    # -- opening and closing -------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Keep what was learnt, and let go of the file."""
        if self.database.statements.fresh and self.database._session is not None:
            self._keep_statements_quietly()
        self.database.close()

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _check_schema(self) -> None:
        session = self.database.session
        try:
            with told(session.dialect):
                session.cursor.execute("SELECT version_num FROM alembic_version")
                versions = [str(row[0]) for row in session.cursor.fetchall()]
        except BoError:
            raise
        except Exception:
            versions = []
        if versions == [SCHEMA_VERSION]:
            return
        if not versions:
            raise Configuration("there is no office in this workspace", hint="Make one: bo init DIR")
        if versions[0] > SCHEMA_VERSION:
            raise Configuration(
                "this workspace was written by a newer bo (schema {version})",
                hint="Install that version.",
                version=versions[0],
            )
        from bo.core.kernel.migrations import upgrade

        upgrade(self.database)

    def _read_head(self) -> tuple[Context, str]:
        rows = self.database.session.rows("kernel:context", _context_statement)
        if not rows:
            raise Configuration("this workspace was never finished", hint="Make a new one: bo init DIR")
        region, currency, zone, device = (str(item) for item in rows[0])
        return Context(region, currency, zone), device

    def _lock_head(self, session: Session) -> Head:
        seq, row, hashed, device = session.rows("kernel:lock", _lock_statement)[0]
        head = Head(int(seq), int(row), str(hashed), str(device))
        if self.link is not None and (link := self.read_link(session)) is not None:
            head.pulled, head.device_seq = link.seq, link.device_seq
        return head

    def _save_head(self, session: Session, head: Head) -> None:
        if self.link is not None:
            session.run("kernel:counted", _counted_statement, {"new_device_seq": head.device_seq})
        session.run("kernel:save", _save_statement, {"new_seq": head.seq, "new_row": head.row, "new_hash": head.hash})

    # -- statements that outlive the process ---------------------------------------------------------------------------

    def _load_statements(self) -> None:
        session = self.database.session
        if not session.is_sqlite or os.environ.get("BO_KEEP_STATEMENTS") == "0":
            return
        with told(session.dialect):
            session.cursor.execute("SELECT key, sql, names FROM statement")
            rows = {key: (sql, names) for key, sql, names in session.cursor.fetchall()}
        if rows.pop("version", ("", ""))[0] == _statements_version():
            kept = {key: Prepared(sql, *msgspec.json.decode(names, type=_KEPT)) for key, (sql, names) in rows.items()}
            self.database.statements.kept = {**kept, **self.database.statements.kept}

    def _keep_statements(self, session: Session) -> None:
        fresh = self.database.statements.fresh
        if not fresh or not session.is_sqlite:
            return
        session.cursor.execute("SELECT sql FROM statement WHERE key = 'version'")
        if session.cursor.fetchall() != [(_statements_version(),)]:
            session.cursor.execute("DELETE FROM statement")
        if (
            len(self.database.statements.kept) > STATEMENTS_MOST
        ):  # every start reads them all: begin anew with what is used
            session.cursor.execute("DELETE FROM statement")
        rows = [
            ("version", _statements_version(), "[[],{}]"),
            *((key, item.sql, as_json(item[1:])) for key, item in fresh.items()),
        ]
        session.cursor.executemany("INSERT OR REPLACE INTO statement VALUES (?, ?, ?)", rows)
        fresh.clear()

    def _keep_statements_quietly(self) -> None:
        """After a read: keep new statements if nobody is writing; a busy or read-only file is no reason to fail."""
        session = self.database.session
        if not session.is_sqlite:
            return
        try:
            session.cursor.execute("PRAGMA busy_timeout=0")
            with self.database.writing() as writing:
                self._keep_statements(writing)
        except Exception:  # the list was shown already: this is only for the next start
            return


@contextmanager
def opened(workspace: Workspace) -> Iterator[Workspace]:
    """The workspace for a block, closed at its end."""
    try:
        yield workspace
    finally:
        workspace.close()


def database_at(path: Path) -> SqliteDatabase:
    """The database of a workspace folder. Raises Configuration where there is none."""
    file = path / DATABASE_NAME
    if not file.is_file() or not file.stat().st_size:
        raise Configuration("there is no office in {path}", hint="Make one: bo init {path}", path=str(path))
    return SqliteDatabase(file)


def make_office(database: Database, context: Context, device: str) -> None:
    """Create the schema and the head row in an empty database."""
    from bo.core.kernel.migrations import upgrade

    upgrade(database)
    with database.writing() as session:
        values = {"only": 1, "seq": 0, "row": 0, "hash": journal.GENESIS, "device": device}
        session.run(
            "kernel:found",
            _found_statement,
            {**values, "region": context.region, "currency": context.currency, "zone": context.zone},
        )


def _statements_version() -> str:
    from bo import __version__

    return f"{__version__}/{SCHEMA_VERSION}/{STATEMENTS_VERSION}"


def as_json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _context_statement() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import head

    return sa.select(head.c.region, head.c.currency, head.c.zone, head.c.device)


def _lock_statement() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import head

    return sa.select(head.c.seq, head.c.row, head.c.hash, head.c.device).with_for_update()


def _save_statement() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import head

    return head.update().values({name: sa.bindparam(f"new_{name}") for name in ("seq", "row", "hash")})


def _link_statement() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import link

    return sa.select(*(column for column in link.c if column.name != "only"))


def _counted_statement() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import link

    return link.update().values(device_seq=sa.bindparam("new_device_seq"))


def _found_statement() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import head

    return sa.insert(head)
