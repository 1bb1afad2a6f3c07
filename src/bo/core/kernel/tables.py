"""Tables, derived from records. The only module of the kernel that imports SQLAlchemy when it loads; so it is itself
imported only where needed.

The same tables and statements run on SQLite (STRICT tables, FTS5) and PostgreSQL (timestamptz, tsvector); what differs
is compiled here.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from bo.core.kernel.record import FieldInfo, RecordInfo

metadata = sa.MetaData()

INTEGER = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")  # the order of bytes on both, whatever the locale
FLAG = sa.Integer().with_variant(sa.Boolean(), "postgresql")
MOMENT = sa.Text().with_variant(postgresql.TIMESTAMP(timezone=True, precision=3), "postgresql")
DAY = sa.Text().with_variant(sa.Date(), "postgresql")
TYPES: dict[str, sa.types.TypeEngine[Any]] = {
    "text": TEXT,
    "integer": INTEGER,
    "flag": FLAG,
    "moment": MOMENT,
    "day": DAY,
    "json": TEXT,
}

head = sa.Table(
    "head",
    metadata,
    sa.Column("only", INTEGER, primary_key=True, autoincrement=False),
    sa.Column("seq", INTEGER, nullable=False),
    sa.Column("row", INTEGER, nullable=False),
    sa.Column("hash", TEXT, nullable=False),
    sa.Column("device", TEXT, nullable=False),
    sa.Column("region", TEXT, nullable=False),
    sa.Column("currency", TEXT, nullable=False),
    sa.Column("zone", TEXT, nullable=False),
    sqlite_strict=True,
)
operation = sa.Table(
    "operation",
    metadata,
    sa.Column("seq", INTEGER, primary_key=True, autoincrement=False),
    sa.Column("id", TEXT, nullable=False, unique=True),
    sa.Column("batch", TEXT, nullable=False),
    sa.Column("name", TEXT, nullable=False),
    sa.Column("version", INTEGER, nullable=False),
    sa.Column("subject", TEXT, nullable=False),
    sa.Column("args", TEXT, nullable=False),
    sa.Column("actor", TEXT, nullable=False),
    sa.Column("device", TEXT, nullable=False),
    sa.Column("at", MOMENT, nullable=False),
    sa.Column("hash", TEXT, nullable=False),
    sa.Column("cause", TEXT, nullable=False),
    sqlite_strict=True,
)
sa.Index(
    "operation_cause",
    operation.c.cause,
    sqlite_where=operation.c.cause != "",
    postgresql_where=operation.c.cause != "",
)
sa.Index(
    "operation_subject",
    operation.c.subject,
    sqlite_where=operation.c.subject != "",
    postgresql_where=operation.c.subject != "",
)
sa.Index(
    "operation_batch",
    operation.c.batch,
    sqlite_where=operation.c.batch != operation.c.id,
    postgresql_where=operation.c.batch != operation.c.id,
)
change = sa.Table(
    "change",
    metadata,
    sa.Column("seq", INTEGER, primary_key=True, autoincrement=False),
    sa.Column("place", INTEGER, primary_key=True, autoincrement=False),
    sa.Column("noun", TEXT, nullable=False),
    sa.Column("row", TEXT, nullable=False),
    sa.Column("before", TEXT, nullable=False),
    sa.Column("after", TEXT, nullable=False),
    sa.Column("scope_before", TEXT, nullable=False),
    sa.Column("scope_after", TEXT, nullable=False),
    sqlite_strict=True,
)
sa.Index("change_row", change.c.row)
effect = sa.Table(
    "effect",
    metadata,
    sa.Column("id", TEXT, primary_key=True),
    sa.Column("operation", TEXT, nullable=False),
    sa.Column("name", TEXT, nullable=False),
    sa.Column("payload", TEXT, nullable=False),
    sa.Column("state", TEXT, nullable=False),
    sqlite_strict=True,
)
# What became of every call that an operation caused, refused ones too: a refusal has no number in the journal.
caused = sa.Table(
    "caused",
    metadata,
    sa.Column("id", TEXT, primary_key=True),
    sa.Column("origin", TEXT, nullable=False),
    sa.Column("rule", TEXT, nullable=False),
    sa.Column("row", TEXT, nullable=False),
    sa.Column("outcome", TEXT, nullable=False),
    sa.Column("error", TEXT, nullable=False),
    sa.Column("at", MOMENT, nullable=False),
    sqlite_strict=True,
)
sa.Index("caused_rule", caused.c.rule, caused.c.at)
sa.Index("caused_origin", caused.c.origin)
# Up to which operation the journal has been looked through for what operations cause.
followed = sa.Table(
    "followed",
    metadata,
    sa.Column("only", INTEGER, primary_key=True, autoincrement=False),
    sa.Column("seq", INTEGER, nullable=False),
    sqlite_strict=True,
)
statement = sa.Table(
    "statement",
    metadata,
    sa.Column("key", TEXT, primary_key=True),
    sa.Column("sql", TEXT, nullable=False),
    sa.Column("names", TEXT, nullable=False),
    sqlite_strict=True,
)

_MOVED = sa.and_(change.c.scope_before != "", change.c.scope_before != change.c.scope_after)
sa.Index("change_scope_after", change.c.scope_after, change.c.seq)
sa.Index(
    "change_scope_before",
    change.c.scope_before,
    change.c.seq,
    sqlite_where=_MOVED,
    postgresql_where=_MOVED,
)
sa.Index("operation_device", operation.c.device, operation.c.seq)
link = sa.Table(
    "link",  # one row on a device, none anywhere else: which central store it belongs to and how far it has come
    metadata,
    sa.Column("only", INTEGER, primary_key=True, autoincrement=False),
    sa.Column("url", TEXT, nullable=False),
    sa.Column("operator", TEXT, nullable=False),
    sa.Column("seq", INTEGER, nullable=False),
    sa.Column("hash", TEXT, nullable=False),
    sa.Column("stable", INTEGER, nullable=False),
    sa.Column("device_seq", INTEGER, nullable=False),
    sa.Column("view", TEXT, nullable=False),
    sa.Column("contact_at", MOMENT, nullable=False),
    sa.Column("lease_days", INTEGER, nullable=False),
    sqlite_strict=True,
)
# How an operator proves who they are: outside the journal, whose copies go to devices.
credential = sa.Table(
    "credential",
    metadata,
    sa.Column("operator", TEXT, primary_key=True),
    sa.Column("password", TEXT, nullable=False),
    sa.Column("totp", TEXT, nullable=False),
    sa.Column("totp_step", INTEGER, nullable=False),
    sa.Column("recovery", TEXT, nullable=False),
    sa.Column("failures", INTEGER, nullable=False),
    sa.Column("locked_until", MOMENT, nullable=False),
    sa.Column("changed_at", MOMENT, nullable=False),
    sqlite_strict=True,
)
pending = sa.Table(
    "pending",  # what central has not confirmed yet, or has refused
    metadata,
    sa.Column("device_seq", INTEGER, primary_key=True, autoincrement=False),
    sa.Column("id", TEXT, nullable=False, unique=True),
    sa.Column("batch", TEXT, nullable=False),
    sa.Column("name", TEXT, nullable=False),
    sa.Column("version", INTEGER, nullable=False),
    sa.Column("subject", TEXT, nullable=False),
    sa.Column("args", TEXT, nullable=False),
    sa.Column("actor", TEXT, nullable=False),
    sa.Column("at", MOMENT, nullable=False),
    sa.Column("footprint", TEXT, nullable=False),
    sa.Column("state", TEXT, nullable=False),
    sa.Column("answer", TEXT, nullable=False),
    sqlite_strict=True,
)


def table(info: RecordInfo) -> sa.Table:
    """The table of a record: `n`, the row's number in this database, then the record's fields."""
    found = metadata.tables.get(info.name)
    if found is not None:
        return found
    made = sa.Table(
        info.name,
        metadata,
        sa.Column("n", INTEGER, primary_key=True, autoincrement=False),
        *(_column(field) for field in info.fields),
        sqlite_strict=True,
    )
    for field in info.fields:
        if field.meta.unique or field.meta.lookup or field.meta.index:
            present = made.c[field.name].is_not(None) if field.optional else None
            sa.Index(
                f"{info.name}_{field.name}",
                made.c[field.name],
                unique=field.meta.unique,
                sqlite_where=present,
                postgresql_where=present,
            )
    if "state" in info.by_name:
        sa.Index(f"{info.name}_state", made.c.state, made.c.n)
    return made


def _column(field: FieldInfo) -> sa.Column[Any]:
    nullable = field.optional or field.kind.column == "json"
    return sa.Column(
        field.name, TYPES[field.kind.column], nullable=nullable, unique=True if field.name == "id" else None
    )


def search_table(info: RecordInfo) -> sa.TableClause:
    """The full-text index beside a table: its rows have the table's `n`."""
    return sa.table(
        f"{info.name}_search", sa.column("rowid", INTEGER), sa.column("n", INTEGER), sa.column("body", TEXT)
    )


def search_ddl(info: RecordInfo, dialect: str) -> list[str]:
    """FTS5 keeps no text of its own (contentless), PostgreSQL a tsvector of the same words."""
    name = f"{info.name}_search"
    if dialect == "sqlite":
        options = "content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2'"
        return [f"CREATE VIRTUAL TABLE {name} USING fts5(body, {options})"]
    return [
        f"CREATE TABLE {name} (n bigint PRIMARY KEY, body tsvector NOT NULL)",
        f"CREATE INDEX {name}_body ON {name} USING gin (body)",
    ]


@cache
def driver_dialect(name: str) -> Dialect:
    made: Dialect = sqlite.dialect(paramstyle="qmark") if name == "sqlite" else postgresql.dialect(paramstyle="format")  # type: ignore[no-untyped-call]
    return made


class in_list(FunctionElement[Any]):  # noqa: N801 - reads as SQL
    """`column IN (the values of one JSON array / array parameter)`: one statement for any number of values."""

    inherit_cache = True
    type = sa.types.NullType()  # as Boolean it would be written `… = 1` on SQLite, which no index serves


@compiles(in_list, "sqlite")
def _in_list_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    column, values = element.clauses
    return (
        f"{compiler.process(column, **options)} IN (SELECT value FROM json_each({compiler.process(values, **options)}))"
    )


@compiles(in_list, "postgresql")
def _in_list_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    column, values = element.clauses
    return f"{compiler.process(column, **options)} = ANY({compiler.process(values, **options)})"


class matches(FunctionElement[Any]):  # noqa: N801 - reads as SQL
    """`search table matches words`."""

    inherit_cache = True
    type = sa.types.NullType()  # as Boolean it would be written `… = 1` on SQLite, which no index serves


@compiles(matches, "sqlite")
def _matches_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    search, words = element.clauses
    return f"{search.table.name} MATCH {compiler.process(words, **options)}"


@compiles(matches, "postgresql")
def _matches_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    column, words = element.clauses
    return f"{compiler.process(column, **options)} @@ CAST({compiler.process(words, **options)} AS tsquery)"


class like(FunctionElement[Any]):  # noqa: N801 - reads as SQL
    """`column LIKE pattern`, with `\\` before a plain % or _, and ASCII letters alike in both cases, which is what
    SQLite does."""

    inherit_cache = True
    type = sa.types.NullType()


@compiles(like, "sqlite")
def _like_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    column, pattern = element.clauses
    return f"{compiler.process(column, **options)} LIKE {compiler.process(pattern, **options)} ESCAPE '\\'"


@compiles(like, "postgresql")
def _like_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    column, pattern = element.clauses
    return f"{compiler.process(column, **options)} ILIKE {compiler.process(pattern, **options)} ESCAPE '\\'"


def upsert(made: sa.Table, key: str, *names: str, sqlite: bool) -> sa.Insert:
    """Insert rows; where the key is taken, set these columns to the new values, or keep what is there if none is
    named."""
    insert: Any = sqlite_insert if sqlite else postgresql.insert
    wanted = insert(made)
    if not names:
        return wanted.on_conflict_do_nothing(index_elements=[key])  # type: ignore[no-any-return]
    new = {name: wanted.excluded[name] for name in names}
    return wanted.on_conflict_do_update(index_elements=[key], set_=new)  # type: ignore[no-any-return]


def schema_ddl(infos: Iterable[RecordInfo], dialect: str) -> list[str]:
    """Every statement that makes the present schema from nothing; what the first migration was written from."""
    from sqlalchemy.schema import CreateIndex, CreateTable

    infos = list(infos)
    for info in infos:
        table(info)
    written = []
    for made in metadata.sorted_tables:
        written.append(str(CreateTable(made).compile(dialect=driver_dialect(dialect))).strip())
        indexes = sorted(made.indexes, key=lambda index: str(index.name))
        written += [str(CreateIndex(index).compile(dialect=driver_dialect(dialect))).strip() for index in indexes]
    for info in infos:
        if info.searched:
            written += search_ddl(info, dialect)
    return written
