"""`bo conflicts`: what the central store refused of this device's work, and what becomes of it.

Nothing is settled by itself: a person sends it again, as it was or changed, or lets it go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from bo.cli import diagnostics, exit_codes, output
from bo.cli.asked import Asked
from bo.cli.office import opened, subject_words
from bo.cli.outcomes import ResultWriter, result_of
from bo.cli.output import Column
from bo.core.kernel.errors import BoError, UsageError
from bo.core.kernel.kinds import moment_text
from bo.core.kernel.text import _
from bo.core.kernel.wire import Names

if TYPE_CHECKING:
    from bo.core.kernel.workspace import Workspace
    from bo.sync.conflicts import Conflict

NEXT: Final = (
    "bo conflicts show ID says more; retry does it again, edit with other values, hand gives it to somebody else, "
    "discard lets it go."
)
LISTED: Final = (
    Column("id", "id"),
    Column("at", "moment", "when"),
    Column("command", "text", "what"),
    Column("subject", "id"),
    Column("code"),
    Column("reason", "text", "why not"),
    Column("hint"),
)
SHOWN: Final = (
    *LISTED,
    Column("args", "facts", "with"),
    Column("caused_by", "id", "because of"),
    Column("by", "text", "handed over by"),
    Column("note"),
)


def list_conflicts(asked: Asked) -> int:
    """Write what was refused, in the order in which it was done."""
    from bo.sync.conflicts import conflicts

    with opened(asked) as workspace:
        _require_device(workspace)
        rows = [_row(item) for item in conflicts(workspace)]
        output.rows(asked, LISTED, [rows], zone=workspace.context.zone)
    if output.form_of(asked) == "table":
        diagnostics.note(asked, NEXT if rows else "nothing was refused")
    return exit_codes.OK


def show(asked: Asked) -> int:
    """Write one conflict whole, with the row that it is about as it is now."""
    from bo.sync.conflicts import conflict

    with opened(asked) as workspace:
        _require_device(workspace)
        found = conflict(workspace, asked.text("conflict"))
        columns = list(SHOWN)
        args = msgspec.json.decode(found.operation.args, type=dict[str, object])
        giver = Names(workspace.reader()).of(found.operation.actor) if found.is_given else None
        values = [*_row(found), args, found.answer.caused_by or None, giver, found.note or None]
        now = _now(asked, workspace, found)
        if output.form_of(asked) != "table":
            shown = dict(zip((column.name for column in now[0]), now[1], strict=True)) if now else None
            columns, values = [*columns, Column("now", "facts")], [*values, shown]
        output.record(asked, columns, values, zone=workspace.context.zone)
        if now and output.form_of(asked) == "table":
            output.write("\n" + _("as it is now:") + "\n")
            output.record(asked, *now, zone=workspace.context.zone)
        if output.form_of(asked) == "table":
            diagnostics.note(asked, NEXT)
    return exit_codes.OK


def retry(asked: Asked) -> int:
    """Do operations again, each as a new one, in the order in which they were done first."""
    return _again(asked, asked.many("conflicts"), {})


def edit(asked: Asked) -> int:
    """Do one again with other values."""
    changed = dict(_pair(text) for text in asked.many("set"))
    if not changed:
        raise UsageError("what is to be changed?", hint="--set field=value")
    return _again(asked, (asked.text("conflict"),), changed)


def hand(asked: Asked) -> int:
    """Give operations to somebody else."""
    from bo.sync import conflicts

    to, note = asked.text("to"), asked.text("note")
    with opened(asked) as workspace:
        _require_device(workspace)
        found = _named(workspace, asked.many("conflicts"))
        for item in found:
            conflicts.hand(workspace, item, to, note)
        output.rows(asked, [LISTED[0], Column("outcome")], [[[item.id, "handed over"] for item in found]])
    diagnostics.note(asked, "{count} handed over; bo sync sends it", count=len(found))
    return exit_codes.OK


def discard(asked: Asked) -> int:
    """Let operations go for good."""
    from bo.sync import conflicts

    with opened(asked) as workspace:
        _require_device(workspace)
        found = _named(workspace, asked.many("conflicts"))
        names = ", ".join(dict.fromkeys(item.operation.name for item in found))
        diagnostics.confirm(asked, _("let {count} operations go for good ({names})?", count=len(found), names=names))
        for item in found:
            conflicts.discard(workspace, item)
        output.rows(asked, [LISTED[0], Column("outcome")], [[[item.id, "discarded"] for item in found]])
    return exit_codes.OK


def _again(asked: Asked, texts: Sequence[str], changed: Mapping[str, object]) -> int:
    """Each in a transaction of its own; what is refused here stays a conflict, and the others go on."""
    from bo.sync import conflicts

    failures: list[BaseException] = []
    with opened(asked) as workspace:
        _require_device(workspace)
        workspace.registry.load_all()
        found = _named(workspace, texts)
        several = len(found) > 1
        writer = ResultWriter(asked, workspace, several=several)
        for item in found:
            try:
                # read anew: what an earlier one makes may have changed what this one is about
                outcome = conflicts.again(workspace, conflicts.conflict(workspace, item.id), changed)
            except BoError as error:
                if not several:
                    raise
                diagnostics.refused(asked, error, item.id, len(failures))
                failures.append(error)
                continue
            writer.write([result_of(outcome, workspace)])
        writer.end()
    done = len(found) - len(failures)
    if done:
        diagnostics.note(asked, "{count} done again; bo sync sends it", count=done)
    return exit_codes.code_of_many(done, failures)


def _named(workspace: Workspace, texts: Sequence[str]) -> list[Conflict]:
    """The conflicts of these ids, oldest first, each once. Raises UsageError for none, NotFound, Ambiguous."""
    from bo.sync.conflicts import conflict

    found = {item.id: item for item in (conflict(workspace, text) for text in subject_words(tuple(texts)))}
    if not found:
        raise UsageError("which conflicts?", hint="bo conflicts list shows them.")
    return sorted(found.values(), key=lambda item: item.operation.device_seq)


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name.strip():
        raise UsageError("--{option} takes NAME=VALUE, not {value}", option="set", value=text)
    return name.strip().replace("-", "_"), value


def _row(item: Conflict) -> list[object]:
    operation, answer = item.operation, item.answer
    return [
        item.id,
        moment_text(operation.at),
        operation.name,
        operation.subject or None,
        answer.code or answer.status,
        _(answer.message, **answer.facts),
        _(answer.hint, **answer.facts),
    ]


def _now(asked: Asked, workspace: Workspace, found: Conflict) -> tuple[list[Column], list[object]] | None:
    """The row that the operation is about, as this operator sees it; None where there is none, or none any more."""
    from bo.cli.reading import Shape

    command = workspace.registry.command(found.operation.name)
    if not found.operation.subject or command.subject is None or command.subject.record is None:
        return None
    reader = workspace.reader()
    info = reader.info(found.operation.name.partition(".")[0])
    try:
        reader.require(f"{info.noun}.read")
        record = reader.get(command.subject.record, found.operation.subject)
    except BoError:
        return None
    about = Asked(f"{info.noun}.show", {**asked.values, "fields": ""})
    shape = Shape(reader, about, whole=True)
    return shape.columns, shape.row_of(record)


def _require_device(workspace: Workspace) -> None:
    if workspace.link is None:
        raise UsageError("this office has no central store that could refuse anything", hint="bo login URL")
