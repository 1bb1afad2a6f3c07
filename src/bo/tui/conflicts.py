"""The conflict inbox: what the central store refused of this device's work, as rows like any other.

A person does it again, does it again with other values, or lets it go; nothing is settled by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from bo.core.kernel.errors import BoError, NotFound, UsageError
from bo.core.kernel.text import _
from bo.tui.source import (
    Choice,
    Column,
    CommandSpec,
    Detail,
    DetailField,
    HistoryEntry,
    Outcome,
    ParamSpec,
    Related,
    RowView,
)
from bo.tui.words import error_words

if TYPE_CHECKING:
    from bo.core.kernel.workspace import Workspace
    from bo.sync.conflicts import Conflict
    from bo.tui.shown import Shown

NOUN: Final = "conflicts"
STATE: Final = "refused"
COMMANDS: Final = (
    CommandSpec("conflicts.retry", "retry", "Mine again", done="done again",
                summary="Do it again as it was; the next sync sends it."),
    CommandSpec("conflicts.discard", "discard", "Theirs stands", confirm=True, done="let go",
                summary="Let it go for good: what the central store has stands."),
    CommandSpec("conflicts.edit", "edit", "Again with another value",
                (ParamSpec("field", "Field", required=True, help="as the difference names it"),
                 ParamSpec("value", "Value", required=True)),
                done="done again", summary="Do it again with one value changed."),
    CommandSpec("conflicts.hand", "hand", "To somebody else",
                (ParamSpec("to", "For whom", required=True, help="a login"),
                 ParamSpec("note", "Note")),
                done="handed over", summary="Let somebody else decide; the next sync sends it."),
)  # fmt: skip


class ConflictSnapshot:
    """The conflicts as they were when the view was built."""

    whole = True

    def __init__(self, rows: Sequence[RowView]) -> None:
        self._rows = rows

    @property
    def count(self) -> int:
        return len(self._rows)

    def window(self, start: int, stop: int) -> list[RowView]:
        return list(self._rows[start:stop])

    def ids(self, start: int, stop: int) -> list[str]:
        return [row.id for row in self._rows[start:stop]]

    def position(self, record_id: str) -> int | None:
        return next((at for at, row in enumerate(self._rows) if row.id == record_id), None)

    def complete(self) -> None:
        """All are there from the beginning."""

    def stop(self) -> None:
        """All are there from the beginning."""

    def close(self) -> None:
        """Nothing is held."""


class ConflictSource:
    """Reads of what was refused. `shown` writes values of the records of a noun."""

    def __init__(self, workspace: Workspace, shown: Callable[[str], Shown]) -> None:
        self._workspace = workspace
        self._shown = shown

    def columns(self) -> Sequence[Column]:
        return [
            Column("at", _("When"), 16),
            Column("command", _("What"), 18),
            Column("subject", _("Record"), 16),
            Column("reason", _("Why not"), 30, grow=True),
        ]

    def snapshot(self, filter_text: str, sort: str) -> ConflictSnapshot:
        from bo.sync.conflicts import conflicts

        wanted = filter_text.casefold().split()
        rows = [self._row(item) for item in conflicts(self._workspace)] if self._workspace.link is not None else []
        found = [row for row in rows if all(word in " ".join(row.cells).casefold() for word in wanted)]
        if sort:
            at = [column.key for column in self.columns()].index(sort.lstrip("-"))
            found.sort(key=lambda row: row.cells[at], reverse=sort.startswith("-"))
        return ConflictSnapshot(found)

    def _row(self, item: Conflict) -> RowView:
        noun = item.operation.name.partition(".")[0]
        cells = (
            self._shown(noun).moment(item.operation.at), _title(item.operation.name),
            self._called(item), _(item.answer.message, **item.answer.facts) or _(item.answer.status),
        )  # fmt: skip
        return RowView(item.id, cells, STATE)

    def detail(self, record_id: str) -> Detail:
        """Why it was refused, and what was wanted beside what is there now."""
        from bo.sync.conflicts import conflict

        try:
            item = conflict(self._workspace, record_id)
        except NotFound:  # what was just decided may still be asked for
            return Detail(record_id, _("dealt with"), STATE, (), ())
        args, now = item.operation.call().args, self._now(item)
        fields = [
            DetailField(_("record"), self._called(item)),
            DetailField(_("why not"), _(item.answer.message, **item.answer.facts)),
            DetailField(_("what to do"), _(item.answer.hint, **item.answer.facts)),
            DetailField(_("note"), item.note),
        ]
        for name, value in args.items():
            there = now.get(name, "")
            fields.append(
                DetailField(
                    name, _("yours: {mine}", mine=value) + (f"   {_('now: {now}', now=there)}" if there else "")
                )
            )
        if "state" in now:
            fields.append(DetailField(_("state now"), now["state"]))
        history = (HistoryEntry(self._shown(_noun(item)).moment(item.operation.at), "", item.operation.name),)
        return Detail(item.id, _title(item.operation.name), STATE, tuple(f for f in fields if f.value), history)

    def values(self, record_id: str) -> Mapping[str, str]:
        return {}

    def related(self, record_id: str) -> list[Related]:
        from bo.sync.conflicts import conflict

        item = conflict(self._workspace, record_id)
        subject = item.operation.subject
        return [Related(_noun(item), self._called(item), f"id:{subject}")] if subject else []

    def term(self, record_id: str, column_key: str) -> str:
        return ""

    def choices(self, ref: str, text: str, limit: int) -> list[Choice]:
        return []

    def _called(self, item: Conflict) -> str:
        now = self._now(item)
        return now.get("name") or now.get("number") or item.operation.subject.rpartition("_")[2][-8:]

    def _now(self, item: Conflict) -> Mapping[str, str]:
        """The record as it is now, in words; nothing where there is none, or none that may be seen."""
        if not item.operation.subject:
            return {}
        reader = self._workspace.reader()
        try:
            info = reader.info(_noun(item))
            reader.require(f"{info.noun}.read")
            record = reader.get(info.cls, item.operation.subject)
        except BoError:
            return {}
        return self._shown(info.noun).record(
            {field.name: getattr(record, field.name) for field in info.fields if not field.meta.internal}
        )


def run(workspace: Workspace, command: str, ids: Sequence[str], arguments: Mapping[str, str]) -> list[Outcome]:
    """What a person decides on each, one after the other; what is refused here stays a conflict."""
    from bo.sync import conflicts

    told = []
    for record_id in ids:
        try:
            found = conflicts.conflict(workspace, record_id)
            if command == "conflicts.discard":
                conflicts.discard(workspace, found)
                told.append(Outcome(record_id, True))
                continue
            if command == "conflicts.hand":
                conflicts.hand(workspace, found, arguments.get("to", ""), arguments.get("note", ""))
                told.append(Outcome(record_id, True))
                continue
            changed = {arguments["field"].replace(" ", "_"): arguments["value"]} if arguments else {}
            workspace.registry.command(found.operation.name)
            outcome = conflicts.again(workspace, found, changed)
            told.append(Outcome(record_id, True, "", outcome.operation))
        except BoError as error:
            told.append(Outcome(record_id, False, error_words(error)))
    return told


def check(workspace: Workspace, command: str, ids: Sequence[str], arguments: Mapping[str, str]) -> Mapping[str, str]:
    """Whether each of the operations takes a field of that name."""
    from bo.sync.conflicts import conflict

    name = arguments.get("field", "").replace(" ", "_")
    for record_id in ids if name else ():
        found = workspace.registry.command(conflict(workspace, record_id).operation.name)
        if found.param(name) is None:
            known = ", ".join(param.name for param in found.params)
            return {
                "field": error_words(UsageError("it has no field {field}; it has {known}", field=name, known=known))
            }
    return {}


def _noun(item: Conflict) -> str:
    return item.operation.name.partition(".")[0]


def _title(name: str) -> str:
    noun, _dot, verb = name.partition(".")
    return f"{_(noun.replace('_', ' '))}: {_(verb.replace('_', ' ').capitalize()).lower()}"
