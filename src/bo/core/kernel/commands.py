"""Undo: an operation of its own that puts back the rows another operation changed, as long as nobody has changed them since."""

from typing import Final

from bo.core.kernel import journal
from bo.core.kernel.command import command
from bo.core.kernel.errors import Refused
from bo.core.kernel.kinds import Id
from bo.core.kernel.record import declared_records
from bo.core.kernel.tx import Tx
from bo.core.kernel.unit import Change, Unit

NOUN: Final = "op"


class ChangedSince(Refused):
    """A row has been changed after the operation that is to be undone."""

    code = "changed_since"


@command(needs="anyone")
def undo(tx: Tx, *, operation: Id) -> None:
    """Undo an operation: put back every row it changed.

    Raises:
        ChangedSince: a later operation has changed one of the rows; undo that first.
        Refused: a row is final (a ledger entry), or was never the operator's to change.
    """
    unit = tx._unit
    unit.flush()
    recorded = journal.operation(unit.session, operation)
    changes = journal.changes_of(unit.session, recorded.seq)
    _require_permission(tx, recorded, changes)
    for change in reversed(changes):
        _put_back(tx, unit, change)


def _require_permission(tx: Tx, recorded: journal.Operation) -> None:
    """Who may not do it may not undo it either; one's own doing is always one's own to undo."""
    if recorded.actor != tx.actor.id and not tx.actor.may(recorded.name.partition(".")[0] + ".undo"):
        raise Refused("{name} was done by somebody else", hint="Ask {actor}, or somebody with the permission {permission}.",
                      name=recorded.name, actor=recorded.actor, permission=recorded.name.partition(".")[0] + ".undo")  # fmt: skip


def _put_back(tx: Tx, unit: Unit, change: Change) -> None:
    info = declared_records()[change.noun]
    entry = unit.entry(info.cls, change.row)
    current = entry.image if entry is not None and not entry.removed else None
    if current != change.after:
        raise ChangedSince("{name} {id} has been changed since", hint="bo {noun} history {id} shows by whom; undo that first.",
                           name=info.name, id=change.row, noun=info.noun)  # fmt: skip
    if info.append_only:
        raise Refused("{name} {id} is final and cannot be undone", hint="Make a reversing entry.", name=info.name, id=change.row)
    if change.before is None:
        assert entry is not None
        entry.removed = True
        tx._touched[change.row] = entry
        return
    before = info.decoder.decode(change.before)
    if entry is None or entry.image is None:
        tx.add(before)
        return
    before.revision = entry.record.revision
    entry.record = before
    tx._touched[change.row] = entry
    unit.note_keys(entry)


