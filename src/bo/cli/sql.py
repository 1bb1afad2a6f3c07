"""`bo sql`: the operator's own questions to the database, in SQL, for reading only.

sqlite-utils works on our own connection, which is set to refuse every write. Raw SQL knows no rows that an operator
may not see, so it is for those alone who see all of them and may do anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Final

from bo.cli import exit_codes, output
from bo.cli.office import opened, stdin_lines
from bo.cli.output import Column
from bo.core.kernel.errors import BoError, NotAllowed, UsageError

if TYPE_CHECKING:
    from sqlite_utils import Database

    from bo.cli.asked import Asked
    from bo.core.kernel.workspace import Workspace

BATCH: Final = 1000
PERMISSION: Final = "office.sql"


def run(asked: Asked) -> int:
    """Write the rows of a query, the tables, or how one is made."""
    with opened(asked) as workspace:
        database = _read_only(workspace)
        if asked.text("schema"):
            output.write(_schema(database, asked.text("schema")))
            return exit_codes.OK
        sql = asked.text("query")
        if not sql:
            listed = [[name, database[name].count] for name in database.table_names() if "_search" not in name]
            output.rows(asked, [Column("table"), Column("rows", "whole")], [listed])
            return exit_codes.OK
        text = "".join(stdin_lines()) if sql == "-" else sql
        columns, batches = _rows(database, text, dict(_param(item) for item in asked.many("param")))
        if output.form_of(asked) == "ids" and output.ID not in columns:
            raise UsageError("the query has no column called id", hint="Name one: SELECT … AS id")
        try:
            output.rows(asked, [Column(name) for name in columns], batches)
        except BoError:
            raise
        except Exception as error:
            raise _told(error) from error
    return exit_codes.OK


def _read_only(workspace: Workspace) -> Database:
    actor = workspace.who()
    if actor.scopes is not None or not actor.may(PERMISSION):
        raise NotAllowed(
            "{actor} may not {permission}",
            hint="Use bo … list, which shows what you may see.",
            actor=actor.name,
            permission=PERMISSION,
        )
    session = workspace.database.session
    if not session.is_sqlite:
        raise UsageError("bo sql reads SQLite files", hint="Use psql for this office.")
    from sqlite_utils import Database

    database = Database(session.connection, recursive_triggers=False, execute_plugins=False)
    session.connection.execute("PRAGMA query_only=ON")
    return database


def _rows(
    database: Database, sql: str, values: dict[str, str]
) -> tuple[list[str], Iterator[Sequence[Sequence[object]]]]:
    """The columns and the rows of one statement. Raises UsageError for SQL that does not run."""
    try:
        cursor = database.execute(sql, values)
    except Exception as error:
        raise _told(error) from error
    if cursor.description is None:
        raise UsageError("this statement has no rows to show", hint="bo sql only reads: write a SELECT.")
    names = _distinct([str(part[0]) for part in cursor.description])
    return names, _batches(cursor)


def _batches(rows: Iterator[Sequence[object]]) -> Iterator[Sequence[Sequence[object]]]:
    while batch := list(islice(rows, BATCH)):
        yield [[f"<{len(value)} bytes>" if isinstance(value, bytes) else value for value in row] for row in batch]


def _distinct(names: list[str]) -> list[str]:
    """Column names, each once: a join may have two `id`s."""
    seen: dict[str, int] = {}
    made = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        made.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return made


def _schema(database: Database, table: str) -> str:
    if table not in database.table_names():
        raise UsageError("there is no table {name}", hint="bo sql lists them.", name=table)
    indexes = database.execute(
        "SELECT sql FROM sqlite_master WHERE tbl_name = ? AND type = 'index' AND sql IS NOT NULL", [table]
    ).fetchall()
    return ";\n".join([database[table].schema.rstrip(";"), *(str(row[0]) for row in indexes)]) + ";\n"


def _param(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise UsageError("--{option} takes NAME=VALUE, not {value}", option="param", value=text)
    return name, value


def _told(error: Exception) -> BoError:
    words = str(error)
    if "readonly" in words or "read-only" in words or "query_only" in words:
        return NotAllowed(
            "bo sql only reads", hint="Change records with their commands: each is checked, recorded and can be undone."
        )
    return UsageError(
        "the query cannot be run: {reason}", hint="bo sql lists the tables, --schema TABLE shows one.", reason=words
    )
