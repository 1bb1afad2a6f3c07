"""What happened to a record, in words: each operation with what was said and what it changed, the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bo.core.kernel.ids import short
from bo.core.kernel.text import _
from bo.tui.source import HistoryEntry

if TYPE_CHECKING:
    from bo.core.kernel.command import Registry
    from bo.core.kernel.journal import Operation
    from bo.core.kernel.reader import Reader
    from bo.core.kernel.record import FieldInfo, RecordInfo
    from bo.core.kernel.unit import Change
    from bo.tui.shown import Shown

HISTORY_MAX = 100
FIELDS_IN_ENTRY = 6
SAID = ("text", "choice")


class Told:
    """Writes history for one reader: what they do not see is left out, what they see in part is masked."""

    def __init__(self, reader: Reader, registry: Registry, info: RecordInfo, shown: Shown) -> None:
        self._session = reader.session
        self._registry = registry
        self._info = info
        self._shown = shown
        self._hidden = {item.name for item in reader.actor.hidden(info)}
        self._masked = {item.name for item in reader.actor.masks(info)}

    def entries(self, record_id: str) -> tuple[HistoryEntry, ...]:
        from bo.core.kernel import journal

        found = journal.history(self._session, record_id, HISTORY_MAX)
        self._shown.people({operation.actor for operation, _change in found})
        return tuple(
            HistoryEntry(self._shown.moment(operation.at), self._who(operation), self._what(operation, change))
            for operation, change in found
        )

    def _who(self, operation: Operation) -> str:
        """Who did it, and where nobody did it by hand the rule that did it in their name, and after what."""
        from bo.core.automation.rules import read_cause

        who = self._shown.people({operation.actor}).get(operation.actor, operation.actor)
        cause = read_cause(operation.cause)
        if cause is None:
            return who
        rule = self._shown.names("automation_rules", {cause.rule})[cause.rule]
        return _("{who}, by rule {rule} after {origin}", who=who, rule=rule, origin=short(cause.origin))

    def _what(self, operation: Operation, change: Change) -> str:
        from bo.core.kernel.journal import differences

        verb = _(operation.name.partition(".")[2].replace("_", " ").capitalize()).lower()
        if change.after is not None and change.was is None:
            return verb
        told, changed = [], differences(change)
        for item in changed:
            field = self._info.by_name.get(item.field)
            if field is None or field.meta.internal or item.field in self._hidden:
                continue
            was, now = (self._veiled(field, value) for value in (item.before, item.after))
            before, after = self._shown.plain(field, was), self._shown.plain(field, now)
            told.append(f"{_(field.label)}: {before or '-'} > {after or '-'}")
        said = self._words(operation, {item.field for item in changed}, [item.after for item in changed])
        return "  ".join(part for part in (verb, "; ".join(said), ", ".join(told[:FIELDS_IN_ENTRY])) if part)

    def _veiled(self, field: FieldInfo, value: object) -> object:
        return field.kind.mask(str(value)) if value and field.name in self._masked else value

    def _words(self, operation: Operation, fields: set[str], values: Sequence[object]) -> list[str]:
        """What was said with it, as far as no changed field tells it: the words of a contact, a note, a reason."""
        known = {param.name: param for param in self._registry.command(operation.name).params}
        said = []
        for name, value in operation.call().args.items():
            param = known.get(name)
            seen = name not in self._hidden and name not in self._masked
            untold = seen and name not in fields and value not in values
            if param is None or not untold or param.kind.name not in SAID or value in ("", None):
                continue
            text = param.kind.show(value, self._shown.currency)
            words = _(text.replace("_", " ")) if param.kind.name == "choice" else text
            said.append(words if param.required or param.kind.name == "choice" else f"{_(param.label)}: {words}")
        return said
