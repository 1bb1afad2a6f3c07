"""Outcomes of commands as results: what became of each record, and which fields changed from what to what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from bo.cli import diagnostics, output
from bo.cli.output import Column
from bo.core.kernel.text import _
from bo.core.kernel.wire import BLANK, Changed, changed_fields

if TYPE_CHECKING:
    from bo.cli.asked import Asked
    from bo.core.kernel.dispatch import Outcome
    from bo.core.kernel.workspace import Workspace

COLUMNS: Final = (Column("id", "id"), Column("outcome"), Column("operation", "id"), Column("changed"))


class Result:
    """One outcome as it is written. `changed` is about the record itself, `also` about others."""

    __slots__ = ("also", "changed", "command", "error", "id", "operation", "outcome")

    def __init__(
        self,
        record_id: str | None,
        outcome: str,
        operation: str,
        command: str,
        changed: Changed,
        also: list[dict[str, object]],
        error: dict[str, object] | None,
    ) -> None:
        self.id = record_id
        self.outcome = outcome
        self.operation = operation
        self.command = command
        self.changed = changed
        self.also = also
        self.error = error

    def as_object(self, *, dry_run: bool) -> dict[str, object]:
        """As programs read it."""
        made: dict[str, object] = {
            "id": self.id,
            "outcome": self.outcome,
            "operation": self.operation or None,
            "changed": self.changed,
        }
        if self.also:
            made["also"] = self.also
        if self.error is not None:
            made["error"] = self.error
            made["operation"] = None
        return {**made, "dry_run": True} if dry_run else made

    def in_words(self) -> str:
        """The changes as a person reads them."""
        words = [
            f"{name}: {_brief(before)} → {_brief(after)}" if before not in BLANK else f"{name}: {_brief(after)}"
            for name, (before, after) in self.changed.items()
        ]
        if self.error is not None:
            words.append(str(self.error["message"]))
        if self.also:
            words.append(_("and {count} others", count=len(self.also)))
        return "; ".join(words)


def result_of(outcome: Outcome, workspace: Workspace) -> Result:
    """The result of an outcome. The record it is about is its subject, else what was made or changed first."""
    about = outcome.subject or outcome.returned or (outcome.changes[0].row if outcome.changes else None)
    error, currency = outcome.error, workspace.context.currency
    own = [change for change in outcome.changes if change.row == about]
    others = [change for change in outcome.changes if change.row != about]
    return Result(
        about or outcome.call.subject,
        outcome.status,
        outcome.operation,
        outcome.call.name,
        changed_fields(own[0], currency) if own else {},
        [{"noun": change.noun, "id": change.row, "changed": changed_fields(change, currency)} for change in others],
        diagnostics.as_object(error, outcome.call.name, outcome.call.subject or "") if error is not None else None,
    )


def write_all(asked: Asked, workspace: Workspace, outcomes: Sequence[Outcome]) -> None:
    """Write the results of what was done in one step."""
    writer = ResultWriter(asked, workspace, several=len(outcomes) > 1)
    writer.write([result_of(outcome, workspace) for outcome in outcomes])
    writer.end()


def _brief(value: object) -> str:
    from bo.cli.table import cut, shown

    return cut(shown("ref", value, ""), 40) or "-"


class ResultWriter:
    """Writes results as they come: in JSON one object for one record, a list for several."""

    def __init__(self, asked: Asked, workspace: Workspace, *, several: bool) -> None:
        self.asked = asked
        self.several = several
        self.zone = workspace.context.zone
        self.dry_run = asked.flag("dry_run")
        self.requests = 0
        self.form = output.form_of(asked)
        self.list = output.JsonList() if self.form == "json" and several else None
        self.rows = None if self.form in ("json", "jsonl") else output.open_rows(asked, self._columns(), zone=self.zone)

    def write(self, results: Sequence[Result]) -> None:
        """Write some results; nothing when the invocation is quiet and nobody asked for a format."""
        self.requests += sum(result.outcome == "requested" for result in results)
        if self.asked.quiet and not self.asked.form:
            return
        if self.rows is not None:
            self.rows.batch([self._row(result) for result in results])
            return
        for result in results:
            made = result.as_object(dry_run=self.dry_run)
            if self.form == "jsonl":
                output.json_line(made)
            elif self.list is not None:
                self.list.add(made)
            else:
                output.json_object(made)

    def end(self) -> None:
        if self.list is not None:
            self.list.end()
        if self.rows is not None and not (self.asked.quiet and not self.asked.form):
            self.rows.end()
        output.flush()
        if self.requests and not self.dry_run:  # a device's: only central may decide that
            diagnostics.note(
                self.asked, "{count} requested: it waits for the central store (bo sync)", count=self.requests
            )

    def _columns(self) -> tuple[Column, ...]:
        return (*COLUMNS, Column("dry_run")) if self.dry_run else COLUMNS

    def _row(self, result: Result) -> list[object]:
        changed: object = (
            result.in_words()
            if self.form == "table"
            else {**result.changed, **({"error": result.error["message"]} if result.error else {})}
        )
        row = [result.id or "", result.outcome, result.operation, changed]
        return [*row, True] if self.dry_run else row
