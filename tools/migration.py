"""Writes the next migration: `python -m tools.migration WORDS`, after records were added or changed.

It holds the statements that lead from what the migrations before it make to the present schema. A table of another
shape is made anew: its rows are kept aside and put back, and a new column gets the default of its field. With `--again`
the newest migration, which nobody has yet, is written once more.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from bo.core.kernel.record import RecordInfo, declared_records
from bo.core.kernel.tables import metadata, schema_ddl
from bo.core.office import registry
from bo.sync import tables as central_tables

del central_tables  # loaded for what it declares

VERSIONS = Path(__file__).parents[1] / "src/bo/core/kernel/migrations/versions"
DIALECTS = ("sqlite", "postgresql")
TABLE = re.compile(r'CREATE (?:VIRTUAL )?TABLE ("?\w+"?)')
INDEX = re.compile(r'CREATE (?:UNIQUE )?INDEX ("?\w+"?) ON ("?\w+"?)')
DROPPED = re.compile(r'DROP (?:TABLE|INDEX) ("?\w+"?)')
COLUMN = re.compile(r'^\s+("?\w+"?) (?:TEXT|INTEGER|BIGINT|BOOLEAN|DATE|TIMESTAMP)', re.MULTILINE)
HEAD = '''"""{words}. Never changed after its release."""

from __future__ import annotations

from alembic import op

revision = "{revision}"
down_revision = "{before}"

'''
UPGRADE = '''
def upgrade() -> None:
    """Run the statements of the dialect at hand."""
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL:
        op.execute(statement)
'''


class Schema(NamedTuple):
    """The CREATE statements in force, by the name of what they make; indexes with the name of their table."""

    tables: dict[str, str]
    indexes: dict[str, tuple[str, str]]


def schema_of(statements: Iterable[str]) -> Schema:
    """What stands after these statements have run."""
    made = Schema({}, {})
    for sql in statements:
        if match := TABLE.match(sql):
            made.tables[match[1]] = sql
        elif match := INDEX.match(sql):
            made.indexes[match[1]] = (match[2], sql)
        elif match := DROPPED.match(sql):
            made.tables.pop(match[1], None)
            made.indexes.pop(match[1], None)
            for name in [name for name, (table, _sql) in made.indexes.items() if table == match[1]]:
                del made.indexes[name]
    return made


def changes(before: Schema, after: Schema) -> Iterator[str]:
    """The statements that lead from one schema to the other."""
    yield from (f"DROP TABLE {name}" for name in before.tables if name not in after.tables)
    renewed = set()
    for name, sql in after.tables.items():
        if name not in before.tables:
            yield sql
        elif plain(sql) != plain(before.tables[name]):
            renewed.add(name)
            yield from renewal(name, before.tables[name], sql)
    for name, (table, sql) in before.indexes.items():
        gone = table not in renewed and table in after.tables
        if gone and (name not in after.indexes or plain(after.indexes[name][1]) != plain(sql)):
            yield f"DROP INDEX {name}"
    for name, (table, sql) in after.indexes.items():
        same = name in before.indexes and plain(before.indexes[name][1]) == plain(sql)
        if table in renewed or not same:
            yield sql


def renewal(name: str, old: str, new: str) -> Iterator[str]:
    """A table made anew with the rows it has: the same on both databases, and the same as one made from nothing."""
    had, has = COLUMN.findall(old), COLUMN.findall(new)
    values = ", ".join(column if column in had else default_of(name, column, new) for column in has)
    yield f"CREATE TABLE kept_aside AS SELECT * FROM {name}"
    yield f"DROP TABLE {name}"
    yield new
    yield f"INSERT INTO {name} ({', '.join(has)}) SELECT {values} FROM kept_aside"
    yield "DROP TABLE kept_aside"


def default_of(table: str, column: str, sql: str) -> str:
    """What a new column holds in rows that are there already, as SQL."""
    declared = next((info for info in declared_records().values() if info.name == table.strip('"')), None)
    field = next((item for item in declared.fields if item.name == column.strip('"')), None) if declared else None
    value = field.default if field is not None else None
    made = metadata.tables[table.strip('"')].columns[column.strip('"')]
    if re.search(rf"^\s+{column} BOOLEAN", sql, re.MULTILINE):
        return "true" if value else "false"
    if value is None and not made.nullable:
        value = 0 if re.search(rf"^\s+{column} (?:INTEGER|BIGINT)", sql, re.MULTILINE) else ""
    return literal(value)


def literal(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool | int):
        return str(int(value))
    if isinstance(value, datetime | date):
        value = value.isoformat()
    text = value if isinstance(value, str) else json.dumps(value)
    return "'" + text.replace("'", "''") + "'"


def office_records() -> list[RecordInfo]:
    registry().load_all()
    return [info for info in declared_records().values() if info.cls.__module__.startswith("bo.")]


def plain(statement: str) -> str:
    """A statement without its white space, for comparing."""
    return "".join(statement.split())


def released() -> list[ModuleType]:
    """The migrations there are, in order."""
    names = sorted(path.stem for path in VERSIONS.glob("[0-9]*.py"))
    return [importlib.import_module(f"bo.core.kernel.migrations.versions.{name}") for name in names]


def main(words: list[str]) -> int:
    paths = sorted(VERSIONS.glob("[0-9]*.py"))
    newest = paths[-1] if words[:1] == ["--again"] else None
    before = [module for module in released() if newest is None or not str(module.__file__).endswith(newest.name)]
    title = " ".join(words[newest is not None :]) or "A change of the schema"
    revision = f"{len(before) + 1:04d}"
    text = HEAD.format(words=title, revision=revision, before=before[-1].revision)
    records = office_records()
    for dialect in DIALECTS:
        known = [statement for module in before for statement in getattr(module, dialect.upper())]
        statements = list(changes(schema_of(known), schema_of(schema_ddl(records, dialect))))
        tidied = (re.sub(r"[ \t]+\n", "\n", sql.replace("\t", "    ").strip()) for sql in statements)
        body = "".join('    """' + sql.replace("\\", "\\\\") + '""",\n' for sql in tidied)
        text += f"{dialect.upper()} = (\n{body})\n\n"
    name = "_".join(re.findall(r"[a-z0-9]+", title.lower()))
    if newest is not None:
        newest.unlink()
    (VERSIONS / f"{revision}_{name}.py").write_text(text + UPGRADE, "utf-8")
    print(f"{revision}_{name}.py written; SCHEMA_VERSION in workspace.py is to be {revision}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
