"""Writes the next migration: `python -m tools.migration WORDS`, after a module got new records.

It holds the statements that make the present schema and that no migration before has. A table that exists already and
whose columns have changed is named, and its ALTER statements are for a person to write.
"""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from types import ModuleType

from bo.core.kernel.record import RecordInfo, declared_records
from bo.core.kernel.tables import schema_ddl
from bo.core.office import registry
from bo.sync import tables as central_tables

del central_tables  # loaded for what it declares

VERSIONS = Path(__file__).parents[1] / "src/bo/core/kernel/migrations/versions"
DIALECTS = ("sqlite", "postgresql")
NAMED = re.compile(r"CREATE (?:VIRTUAL )?(?:TABLE|(?:UNIQUE )?INDEX) (\S+)")
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


def released() -> list[ModuleType]:
    """The migrations there are, in order."""
    names = sorted(path.stem for path in VERSIONS.glob("[0-9]*.py"))
    return [importlib.import_module(f"bo.core.kernel.migrations.versions.{name}") for name in names]


def office_records() -> list[RecordInfo]:
    registry().load_all()
    return [info for info in declared_records().values() if info.cls.__module__.startswith("bo.")]


def plain(statement: str) -> str:
    """A statement without its white space, for comparing."""
    return "".join(statement.split())


def new_statements(dialect: str, before: list[ModuleType]) -> tuple[list[str], list[str]]:
    """What is to be run, and the names of tables that are there already in another shape."""
    known = [statement for module in before for statement in getattr(module, dialect.upper())]
    texts = {plain(statement) for statement in known}
    names = {match[1] for statement in known if (match := NAMED.match(statement))}
    missing = [sql for sql in schema_ddl(office_records(), dialect) if plain(sql) not in texts]
    changed = [match[1] for sql in missing if (match := NAMED.match(sql)) and match[1] in names]
    return [sql for sql in missing if not ((match := NAMED.match(sql)) and match[1] in names)], changed


def main(words: str) -> int:
    before = released()
    revision = f"{len(before) + 1:04d}"
    text = HEAD.format(words=words, revision=revision, before=before[-1].revision)
    for dialect in DIALECTS:
        statements, changed = new_statements(dialect, before)
        for name in changed:
            print(f"{dialect}: {name} has changed: write its ALTER statements by hand", file=sys.stderr)
        tidied = (re.sub(r"[ \t]+\n", "\n", sql.replace("\t", "    ").strip()) for sql in statements)
        body = "".join('    """' + sql.replace("\\", "\\\\") + '""",\n' for sql in tidied)
        text += f"{dialect.upper()} = (\n{body})\n\n"
    name = "_".join(re.findall(r"[a-z0-9]+", words.lower()))
    (VERSIONS / f"{revision}_{name}.py").write_text(text + UPGRADE, "utf-8")
    print(f"{revision}_{name}.py written; set SCHEMA_VERSION in workspace.py to {revision}")
    return 0


if __name__ == "__main__":
    sys.exit(main(" ".join(sys.argv[1:]) or "A change of the schema"))
