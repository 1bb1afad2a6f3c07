"""The journal: operations, one operation, a record's history, and undo."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from bo.cli import diagnostics, exit_codes, output
from bo.cli.asked import LIMIT_ON_TERMINAL
from bo.cli.office import opened, require_subjects, subject_words
from bo.cli.outcomes import write_all
from bo.cli.output import Column
from bo.core.automation.rules import read_cause
from bo.core.kernel import journal
from bo.core.kernel.errors import BoError
from bo.core.kernel.ids import short
from bo.core.kernel.kinds import moment_text
from bo.core.kernel.record import declared_records
from bo.core.kernel.text import _
from bo.core.kernel.wire import Changed, Names, changed_fields

if TYPE_CHECKING:
    from bo.cli.asked import Asked
    from bo.core.kernel.journal import Operation
    from bo.core.kernel.unit import Change
    from bo.core.kernel.workspace import Workspace

PAGE: Final = 1000
LISTED: Final = 10
LOG_COLUMNS: Final = {
    "seq": Column("seq", "whole", "number"),
    "id": Column("id", "id", "operation"),
    "at": Column("at", "moment", "when"),
    "actor": Column("actor", "text", "who"),
    "name": Column("name", "text", "what"),
    "subject": Column("subject", "id"),
    "args": Column("args", "facts", "with"),
    "batch": Column("batch", "id"),
    "version": Column("version", "whole"),
    "device": Column("device", "id"),
    "hash": Column("hash"),
    "cause": Column("cause"),
}
LOG_SHOWN: Final = ("seq", "id", "at", "actor", "name", "subject", "args")
HISTORY_COLUMNS: Final = (
    Column("at", "moment", "when"),
    Column("actor", "text", "who"),
    Column("name", "text", "what"),
    Column("operation", "id"),
    Column("changed"),
    Column("id", "id", "record"),
    Column("cause"),
)


def log(asked: Asked) -> int:
    """Write operations, the newest first."""
    limit = asked.whole("limit")
    if limit is None and output.form_of(asked) == "table" and output.is_terminal():
        limit = LIMIT_ON_TERMINAL
    names = ["id"] if output.form_of(asked) == "ids" else asked.fields_of(LOG_COLUMNS, LOG_SHOWN)
    with opened(asked) as workspace:
        workspace.reader().require("op.read")
        who = Who(workspace, asked)
        batches = (
            [_log_row(item, names, who) for item in page]
            for page in _operations(workspace, limit, asked.whole("before"))
        )
        output.rows(asked, [LOG_COLUMNS[name] for name in names], batches, zone=workspace.context.zone)
    return exit_codes.OK


def _operations(workspace: Workspace, limit: int | None, before: int | None) -> Iterator[list[Operation]]:
    left = limit if limit is not None else 2**62
    while left > 0:
        page = workspace.operations(limit=min(left, PAGE), before=before)
        if not page:
            return
        yield page
        left, before = left - len(page), page[-1].seq


class Who:
    """Who did an operation: the login, and in a table also the rule that did it in that name, and after what."""

    def __init__(self, workspace: Workspace, asked: Asked) -> None:
        self.names = Names(workspace.reader())
        self.codes: dict[str, str] = {}
        self.in_words = output.form_of(asked) == "table"

    def did(self, item: Operation) -> str:
        login = self.names.of(item.actor)
        cause = read_cause(item.cause)
        if cause is None or not self.in_words:
            return login
        return _(
            "{who}, by rule {rule} after {origin}", who=login, rule=self._code(cause.rule), origin=short(cause.origin)
        )

    def _code(self, rule: str) -> str:
        if rule not in self.codes:
            reader = self.names.reader
            try:
                found = reader.get(reader.registry.record("automation_rules"), rule)
                self.codes[rule] = str(getattr(found, "code", rule))
            except BoError:  # it was removed, or is out of sight
                self.codes[rule] = short(rule)
        return self.codes[rule]


def _log_row(item: Operation, names: Sequence[str], who: Who) -> list[object]:
    import msgspec

    values = {"at": moment_text(item.at), "actor": who.did(item), "args": msgspec.json.decode(item.args)}
    return [values[name] if name in values else getattr(item, name) for name in names]


def show(asked: Asked) -> int:
    """Write one operation with all it changed."""
    with opened(asked) as workspace:
        workspace.reader().require("op.read")
        session = workspace.database.session
        workspace.registry.load_all()
        item = journal.operation(session, asked.text("operation"))
        changes = [
            {"noun": change.noun, "id": change.row, "changed": _changed(change, workspace)}
            for change in journal.changes_of(session, item.seq)
        ]
        names = list(LOG_COLUMNS)
        values = [*_log_row(item, names, Who(workspace, asked)), changes]
        output.record(asked, [*LOG_COLUMNS.values(), Column("changes", "facts")], values, zone=workspace.context.zone)
    return exit_codes.OK


def show_history(asked: Asked) -> int:
    """Write what was done to records, the newest first."""
    texts = require_subjects(asked)
    with opened(asked) as workspace:
        reader = workspace.reader()
        reader.require(f"{asked.noun}.read")
        cls = reader.registry.record(asked.noun)
        who = Who(workspace, asked)
        ids = [reader.get(cls, text).id for text in subject_words(texts)]
        batches = (
            [_history_row(asked, entry, who, workspace) for entry in workspace.history(record_id)] for record_id in ids
        )
        columns = HISTORY_COLUMNS[:-1] if who.in_words else HISTORY_COLUMNS
        output.rows(asked, columns, batches, zone=workspace.context.zone)
    return exit_codes.OK


def _changed(change: Change, workspace: Workspace) -> Changed:
    """What differs, as far as who asks may see it in plain."""
    withheld = workspace.who().withheld(declared_records()[change.noun])
    return changed_fields(change, workspace.context.currency, {item.name for item in withheld})


def _history_row(asked: Asked, entry: tuple[Operation, Change], who: Who, workspace: Workspace) -> list[object]:
    item, change = entry
    fields = _changed(change, workspace)
    changed: object = fields
    if who.in_words:
        from bo.cli.outcomes import Result

        changed = Result(change.row, "", item.id, item.name, fields, [], None).in_words()
    row: list[object] = [moment_text(item.at), who.did(item), item.name, item.id, changed, change.row]
    return row if who.in_words else [*row, item.cause]


def _tell_what_stays(asked: Asked, workspace: Workspace, undone: Sequence[Operation]) -> None:
    """What rules did because of an operation is not undone with it: say so."""
    session = workspace.database.session
    stays = [caused for item in undone[:LISTED] for caused in journal.caused_by(session, item.id)]
    for caused in stays[:LISTED]:
        diagnostics.note(
            asked,
            "a rule did {name} {subject} because of it, which stays: bo undo {operation}",
            name=caused.name,
            subject=caused.subject or "",
            operation=short(caused.id),
        )


def undo(asked: Asked) -> int:
    """Undo an operation and those that were run together with it: all or nothing."""
    with opened(asked) as workspace:
        undone = workspace.undone_by(asked.text("operation"))
        who = Names(workspace.reader())
        for item in undone[:LISTED]:
            diagnostics.note(
                asked,
                "undo {name} {subject} by {actor} of {at}",
                name=item.name,
                subject=item.subject or "",
                actor=who.of(item.actor),
                at=moment_text(item.at),
            )
        if len(undone) > LISTED:
            diagnostics.note(asked, "and {count} others", count=len(undone) - LISTED)
        _tell_what_stays(asked, workspace, undone)
        if len(undone) > 1:
            diagnostics.confirm(asked, _("undo {count} operations?", count=f"{len(undone):,}"))
        workspace.registry.load_all()
        write_all(asked, workspace, workspace.undo(undone[0].id, dry_run=asked.flag("dry_run")))
    return exit_codes.OK
