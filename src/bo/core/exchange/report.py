"""What an import is asked for and what it answers: options, the report with its counts, and why rows were refused.

Every row that was read is counted once: read = created + updated + unchanged + duplicate + rejected.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

import msgspec

from bo.core.exchange.source import Format
from bo.core.kernel.errors import BoError
from bo.core.kernel.text import _

PROBLEMS_MOST = 20
ROWS_MOST = 50
VALUE_CHARS_MOST = 200

CREATED, UPDATED, UNCHANGED, DUPLICATE, REJECTED = "created", "updated", "unchanged", "duplicate", "rejected"
Progress = Callable[[int, float | None], None]
"""Told the rows done and the share of all the work (0 to 1, None where it is not known)."""


class Fault(msgspec.Struct, frozen=True, array_like=True):
    """Why one cell, or a whole row (`column` is ""), cannot be taken: an error's template with its facts as text."""

    column: str
    value: str
    code: str
    message: str
    hint: str
    facts: dict[str, str]

    @property
    def reason(self) -> str:
        return _(self.message, **self.facts)

    @property
    def advice(self) -> str:
        return _(self.hint, **self.facts) if self.hint else ""


def fault_of(error: BoError, column: str = "", value: str | None = None) -> Fault:
    """An error as the fault of a cell; without `value` the one that the error itself names."""
    facts = {name: str(fact)[:VALUE_CHARS_MOST] for name, fact in error.facts.items()}
    shown = facts.get("value", "") if value is None else value[:VALUE_CHARS_MOST]
    return Fault(column, shown, error.code, error.message, error.hint, facts)


class Problem(msgspec.Struct, frozen=True):
    """One refused cell or row, for people. `record` counts rows from 1, `line` is that of the file. What a command
    refuses is told once: `rows` says of how many."""

    record: int
    line: int
    column: str
    value: str
    reason: str
    hint: str
    code: str
    rows: int = 1


class FieldChange(msgspec.Struct, frozen=True, array_like=True):
    """One field of a record before and after, as people read it."""

    field: str
    before: str
    after: str


class RowOutcome(msgspec.Struct, frozen=True):
    """What became of one row, or would, in a dry run. `id` is the record's, "" where there is none."""

    record: int
    line: int
    outcome: str
    id: str = ""
    changes: tuple[FieldChange, ...] = ()
    reason: str = ""


class ImportOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How to read the file, and what to do with it.

    Without `rejects` all rows are taken or none. With it the good rows are, and the others go to that CSV file, which
    can be mended and imported. `mapping` is a TOML file; without it a saved one that fits is taken from `mappings`
    (by default the folder of that name in the workspace). `on_row` hears of every row in the order of the file.
    """

    encoding: str | None = None
    format: Format | None = None
    delimiter: str | None = None
    sheet: str | int | None = None
    header_row: int | None = None
    mapping: str | os.PathLike[str] | None = None
    mappings: str | os.PathLike[str] | None = None
    rejects: str | os.PathLike[str] | None = None
    dry_run: bool = False
    problems_most: int = PROBLEMS_MOST
    rows_most: int = ROWS_MOST
    on_row: Callable[[RowOutcome], None] | None = None


class ImportReport(msgspec.Struct, kw_only=True):
    """What an import did, or in a dry run would do.

    `written` is False when nothing was kept: a dry run, or rejected rows without a reject file; the other counts then
    say what would have been. `batch` is the operation that `undo` takes the whole import back by, "" where there is
    none. `rows` are the first rows that are not unchanged.
    """

    noun: str
    file: str
    dry_run: bool = False
    written: bool = False
    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    duplicate: int = 0
    rejected: int = 0
    batch: str = ""
    mapping: str = ""
    rejects: str = ""
    notes: list[str] = msgspec.field(default_factory=list)
    ignored_columns: list[str] = msgspec.field(default_factory=list)
    extra_columns: list[str] = msgspec.field(default_factory=list)
    problems: list[Problem] = msgspec.field(default_factory=list)
    rows: list[RowOutcome] = msgspec.field(default_factory=list)

    def count(self, outcomes: Mapping[str, int]) -> None:
        """Add rows to the counts, by outcome."""
        for outcome, rows in outcomes.items():
            setattr(self, outcome, getattr(self, outcome) + rows)

    def counts(self) -> Mapping[str, int]:
        """The counts by name, `read` first."""
        names = ("read", CREATED, UPDATED, UNCHANGED, DUPLICATE, REJECTED)
        return {name: int(getattr(self, name)) for name in names}
