"""The journal: operations, one operation, a record's history, and undo."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from bo.cli import diagnostics, exit_codes, output
from bo.cli.asked import LIMIT_ON_TERMINAL
from bo.cli.office import opened, require_subjects, subject_words
from bo.cli.outcomes import ResultWriter, result_of
from bo.cli.output import Column
from bo.core.kernel import journal
from bo.core.kernel.errors import UsageError
from bo.core.kernel.kinds import moment_text
from bo.core.kernel.text import _
from bo.core.kernel.wire import Names, changed_fields

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
}
LOG_SHOWN: Final = ("seq", "id", "at", "actor", "name", "subject", "args")
HISTORY_COLUMNS: Final = (
    Column("at", "moment", "when"),
    Column("actor", "text", "who"),
    Column("name", "text", "what"),
    Column("operation", "id"),
    Column("changed"),
    Column("id", "id", "record"),
)


def log(asked: Asked) -> int:
    """Write operations, the newest first."""
    limit = asked.whole("limit")
    if limit is None and output.form_of(asked) == "table" and output.is_terminal():
        limit = LIMIT_ON_TERMINAL
    names = [name.strip() for name in asked.text("fields").split(",") if name.strip()] or list(LOG_SHOWN)
    names = list(LOG_COLUMNS) if names == ["all"] else ["id"] if output.form_of(asked) == "ids" else names
    unknown = [name for name in names if name not in LOG_COLUMNS]
    if unknown:
        raise UsageError(
            "{noun} have no field {field}",
            hint="Fields: {names}",
            noun=_("operations"),
            field=unknown[0],
            names=", ".join(LOG_COLUMNS),
        )
    with opened(asked) as workspace:
        workspace.reader().require("op.read")
        who = Names(workspace.reader())
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


def _log_row(item: Operation, names: Sequence[str], who: Names) -> list[object]:
    import msgspec

    values = {"at": moment_text(item.at), "actor": who.of(item.actor), "args": msgspec.json.decode(item.args)}
    return [values[name] if name in values else getattr(item, name) for name in names]


def show(asked: Asked) -> int:
    """Write one operation with all it changed."""
    with opened(asked) as workspace:
        workspace.reader().require("op.read")
        session = workspace.database.session
        workspace.registry.load_all()
        item = journal.operation(session, asked.text("operation"))
        changes = [
            {"noun": change.noun, "id": change.row, "changed": changed_fields(change, workspace.context.currency)}
            for change in journal.changes_of(session, item.seq)
        ]
        names = list(LOG_COLUMNS)
        values = [*_log_row(item, names, Names(workspace.reader())), changes]
        output.record(asked, [*LOG_COLUMNS.values(), Column("changes", "facts")], values, zone=workspace.context.zone)
    return exit_codes.OK


def show_history(asked: Asked) -> int:
    """Write what was done to records, the newest first."""
    texts = require_subjects(asked)
    with opened(asked) as workspace:
        reader = workspace.reader()
        reader.require(f"{asked.noun}.read")
        cls = reader.registry.record(asked.noun)
        who = Names(workspace.reader())
        ids = [reader.get(cls, text).id for text in subject_words(texts)]
        batches = (
            [_history_row(asked, entry, who, workspace) for entry in workspace.history(record_id)] for record_id in ids
        )
        output.rows(asked, HISTORY_COLUMNS, batches, zone=workspace.context.zone)
    return exit_codes.OK


def _history_row(asked: Asked, entry: tuple[Operation, Change], who: Names, workspace: Workspace) -> list[object]:
    item, change = entry
    fields = changed_fields(change, workspace.context.currency)
    changed: object = fields
    if output.form_of(asked) == "table":
        from bo.cli.outcomes import Result

        changed = Result(change.row, "", item.id, item.name, fields, [], None).in_words()
    return [moment_text(item.at), who.of(item.actor), item.name, item.id, changed, change.row]


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
        if len(undone) > 1:
            diagnostics.confirm(asked, _("undo {count} operations?", count=f"{len(undone):,}"))
        workspace.registry.load_all()
        outcomes = workspace.undo(undone[0].id, dry_run=asked.flag("dry_run"))
        writer = ResultWriter(asked, workspace, several=len(outcomes) > 1)
        writer.write([result_of(outcome, workspace) for outcome in outcomes])
        writer.end()
    return exit_codes.OK
