"""Statements: SQL text that outlives the process.

SQLAlchemy Core writes every statement, for both databases. Its import costs as much as twenty starts of Python, so the
text it wrote is kept, by key, in
the workspace, and the next process runs it directly. A key says everything the text depends on; the cache as a whole
belongs to one schema version.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement


class Prepared(NamedTuple):
    """A statement in the driver's own spelling, the names of its parameters in the order it wants them, and those that
    never vary."""

    sql: str
    names: tuple[str, ...]
    constants: dict[str, str | int] = {}


class Statements:
    """The statements of one workspace: those kept from before, and those built since (`fresh`), to be kept."""

    def __init__(self, dialect: str, kept: dict[str, Prepared] | None = None) -> None:
        self.dialect = dialect
        self.kept = kept or {}
        self.fresh: dict[str, Prepared] = {}

    def get(self, key: str, build: Callable[[], ClauseElement]) -> Prepared:
        found = self.kept.get(key)
        if found is None:
            found = self.kept[key] = self.fresh[key] = compile_statement(build(), self.dialect)
        return found


def compile_statement(statement: ClauseElement, dialect: str) -> Prepared:
    from bo.core.kernel.tables import driver_dialect

    compiled = statement.compile(dialect=driver_dialect(dialect), compile_kwargs={"render_postcompile": True})
    names = tuple(getattr(compiled, "positiontup", None) or ())
    constants = {
        name: value for name, value in getattr(compiled, "params", {}).items() if value is not None and name in names
    }
    return Prepared(str(compiled), names, constants)
