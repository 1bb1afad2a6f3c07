"""Undo: an operation of its own that puts back the rows another operation changed, as long as nobody has changed them
since."""

from typing import Final

import msgspec

from bo.core.kernel import journal
from bo.core.kernel.command import command
from bo.core.kernel.errors import Ambiguous, NotAllowed, NotFound, Refused
from bo.core.kernel.kinds import Id, RefKind
from bo.core.kernel.record import declared_records
from bo.core.kernel.tx import Tx
from bo.core.kernel.unit import Change, Unit

NOUN: Final = "op"


class ChangedSince(Refused):
    """A row has been changed after the operation that is to be undone."""

    code = "changed_since"


class StillNamed(Refused):
    """Other records name what would be taken away."""

    code = "still_named"


@command(needs="anyone")
def undo(tx: Tx, *, operation: Id) -> None:
    """Undo an operation: put back every row it changed. A customer whom it made stays where others name them.

    Raises:
        ChangedSince: a later operation has changed one of the rows; undo that first.
        NotAllowed: the operator may not do what was done, so may not undo it either.
        ProofWanted: it would do again what wants a second factor.
        StillNamed: all that it made is named by other records.
        Refused: a row is final (a ledger entry), or somebody else changed it.
    """
    unit = tx._unit
    unit.flush()
    recorded, changes = _in_sight(tx, unit, operation)
    _require_permission(tx, recorded)
    if recorded.name == "op.undo":
        tx.require_proof(_origin(tx, recorded).name)
    rows = {change.row for change in changes}
    left = [change for change in changes if not _stays(tx, change, rows)]
    if changes and not left:
        raise StillNamed("other records name it", hint="Undo those first.")
    for change in reversed(left):
        _put_back(tx, unit, change)


def _stays(tx: Tx, change: Change, rows: set[str]) -> bool:
    """Whether a row that the operation made is left to others that name it; the operation's own rows do not any more,
    once they are put back."""
    if change.before is not None or not declared_records()[change.noun].stays:
        return False
    tx.load_all()
    for info in list(declared_records().values()):
        for item in info.fields:
            if isinstance(item.kind, RefKind) and item.kind.record == change.noun:
                naming = tx.select(info.cls, limit=len(rows) + 1, **{item.name: change.row})
                if any(record.id not in rows for record in naming):
                    return True
    return False


def _in_sight(tx: Tx, unit: Unit, text: str) -> tuple[journal.Operation, list[Change]]:
    """The operation that is meant, with its changes. One of rows that who sees a part alone does not see is not there:
    to say more would tell whose it is."""
    absent = NotFound("there is no operation {id}", hint="bo op log lists them.", id=text)
    try:
        recorded = journal.operation(unit.session, text)
    except Ambiguous:
        if tx.actor.scopes is None:
            raise
        raise absent from None
    changes = journal.changes_of(unit.session, recorded.seq)
    scopes = {scope for change in changes for scope in (change.scope_before, change.scope_after) if scope}
    if recorded.actor != tx.actor.id and not all(tx.actor.sees(scope) for scope in scopes):
        raise absent
    return recorded, changes


def _require_permission(tx: Tx, recorded: journal.Operation) -> None:
    """Who may not do it may not undo it either. What others did is for those with the undo of that noun, in the rows
    they see."""
    origin = _origin(tx, recorded)
    if not tx.actor.may(tx.needs_of(origin.name)):
        raise NotAllowed(
            "{actor} may not {permission}",
            hint="Ask somebody who may: bo operators list.",
            actor=tx.actor.name,
            permission=tx.needs_of(origin.name),
        )
    if recorded.actor == tx.actor.id:
        return
    permission = origin.name.partition(".")[0] + ".undo"
    if not tx.actor.may(permission):
        raise Refused(
            "{name} was done by somebody else",
            hint="Ask {doer}, or somebody with the permission {permission}.",
            name=recorded.name,
            doer=recorded.actor,
            permission=permission,
        )


def _origin(tx: Tx, recorded: journal.Operation) -> journal.Operation:
    """The operation that undos of undos go back to: undoing an undo does it again."""
    while recorded.name == "op.undo" and (undone := recorded.call().args.get("operation")):
        recorded = journal.operation(tx._unit.session, str(undone))
    return recorded


def _without_stamps(image: bytes | None) -> dict[str, object] | None:
    """What an image says apart from how often and when it was written: an undo and what it undid leave the same
    values."""
    if image is None:
        return None
    values = msgspec.json.decode(image, type=dict[str, object])
    return {name: value for name, value in values.items() if name not in ("revision", "updated_at")}


def _put_back(tx: Tx, unit: Unit, change: Change) -> None:
    info = declared_records()[change.noun]
    entry = unit.entry(info.cls, change.row)
    current = entry.image if entry is not None and not entry.removed else None
    if current != change.after and _without_stamps(current) != _without_stamps(change.after):
        raise ChangedSince(
            "{name} {id} has been changed since",
            hint="bo {noun} history {id} shows by whom; undo that first.",
            name=info.name,
            id=change.row,
            noun=info.noun,
        )
    if info.append_only:
        raise Refused(
            "{name} {id} is final and cannot be undone", hint="Make a reversing entry.", name=info.name, id=change.row
        )
    if change.before is None:
        if entry is None:
            return
        entry.removed = True
        tx._touched[change.row] = entry
        return
    before = info.decoder.decode(change.before)
    if entry is None or entry.held is None:
        tx.add(before)
        return
    before.revision = entry.record.revision
    entry.record = before
    tx._touched[change.row] = entry
