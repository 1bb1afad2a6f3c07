"""What central has refused, on the device that did it: looked at, done again, let go, or given to somebody else.

Doing it again is a new operation, since central answers the refused one the same for ever; its `batch` is the id of the
refused one. Both change places in one transaction. What the refused one had made gets other ids by that, so that the
conflicts that were about it are changed to be about what is made now.

What somebody else has given to who works here (a record, `handovers`) is listed with the rest, and done with in the
same ways: it is then an operation of theirs, with their rights.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from bo.core.access.handing import handed_to
from bo.core.access.records import Handover
from bo.core.kernel.command import as_of_today
from bo.core.kernel.database import Session
from bo.core.kernel.dispatch import Call, Outcome
from bo.core.kernel.errors import Ambiguous, NotFound
from bo.core.kernel.ids import TAIL_LENGTH, derived_tail
from bo.core.kernel.workspace import Workspace
from bo.sync import pending, rebase
from bo.sync.pending import Pending
from bo.sync.protocol import Answer, Cursor

REFUSED: Final = "refused"
GIVEN: Final = "given"  # by somebody else
GIVEN_FIRST: Final = 2**52  # above every number of an operation made here
GIVE: Final = "handovers.give"
SETTLE: Final = "handovers.settle"
TAIL_LEAST: Final = 3
MADE_MOST: Final = 1000  # ids that one operation is looked through for


class Conflict(msgspec.Struct, frozen=True):
    """An operation that central refused, and what it said. `note`: what whoever has given it to us wrote with it."""

    operation: Pending
    answer: Answer
    note: str = ""

    @property
    def id(self) -> str:
        return self.operation.id

    @property
    def is_given(self) -> bool:
        return self.operation.state == GIVEN


def conflicts(ws: Workspace) -> list[Conflict]:
    """All that wait for who works here: own ones in the order in which they were done, then what they were given."""
    own = [_conflict(item) for item in pending.pending_of(ws.database.session, (REFUSED,))]
    return [*own, *(_given(place, item) for place, item in enumerate(handed_to(ws.reader()), GIVEN_FIRST))]


def conflict(ws: Workspace, text: str) -> Conflict:
    """The one of that id or unique end of an id. Raises NotFound, Ambiguous."""
    tail = text.strip().lower().removeprefix("op_")
    found = [item for item in conflicts(ws) if len(tail) >= TAIL_LEAST and item.id.endswith(tail)]
    if not found:
        raise NotFound("there is no conflict {id}", hint="bo conflicts list shows them.", id=text)
    if len(found) > 1:
        ids = ", ".join(item.id for item in found[:5])
        raise Ambiguous("{id} is the end of several ids: {ids}", hint="Type more of it.", id=text, ids=ids)
    return found[0]


def again(ws: Workspace, wanted: Conflict, changed: Mapping[str, object] | None = None) -> Outcome:
    """Do it again as a new operation, with some arguments changed, and drop the refused one. Raises what refuses it
    here; then it stays as it was."""
    item = wanted.operation
    command = ws.registry.command(item.name)
    args = as_of_today(command, item.version, msgspec.json.decode(item.args, type=dict[str, object]))
    call = Call(item.name, item.subject or None, {**args, **(changed or {})}, batch=_batch(wanted))
    return _instead(ws, wanted, [call])[0]


def hand(ws: Workspace, wanted: Conflict, to: str = "", note: str = "") -> Outcome:
    """Give it to the operator with that login, or, where none is named, to whoever may settle such. Central finds them:
    one that it does not know comes back as a conflict."""
    item = wanted.operation
    args = {
        "of": item.name, "of_version": item.version, "record": item.subject, "values": item.args,
        "reason": item.answer, "to": to, "note": note or wanted.note,
    }  # fmt: skip
    return _instead(ws, wanted, [Call(GIVE, None, args, batch=_batch(wanted))])[0]


def discard(ws: Workspace, wanted: Conflict) -> None:
    """Let it go for good. Raises NotFound where somebody has dealt with it already."""
    _instead(ws, wanted, [])


def _instead(ws: Workspace, wanted: Conflict, calls: list[Call]) -> list[Outcome]:
    """Put what is done now in the place of what was refused, in one transaction."""
    _take_back(ws)
    with ws.transaction() as perform:
        if wanted.is_given:
            return perform([*calls, Call(SETTLE, wanted.id)], atomic=True)
        _drop(perform.session, wanted.id)
        outcomes = perform(calls, atomic=True) if calls else []
        for outcome in outcomes:
            _follow(perform.session, _ids_anew(wanted.id, outcome))
    return outcomes


def _batch(wanted: Conflict) -> str | None:
    """History shows the connection with what was refused here."""
    return None if wanted.is_given else wanted.id


def _conflict(item: Pending) -> Conflict:
    return Conflict(item, msgspec.json.decode(item.answer, type=Answer))


def _given(place: int, item: Handover) -> Conflict:
    operation = Pending(
        place, item.id, "", item.of, item.of_version, item.subject, item.values or "{}", item.giver, item.created_at,
        "", GIVEN, item.reason,
    )  # fmt: skip
    answer = msgspec.json.decode(item.reason, type=Answer) if item.reason else Answer(item.id, REFUSED)
    return Conflict(operation, answer, item.note)


def _take_back(ws: Workspace) -> None:
    """Where central's answer came but no sync has ended since, what was refused still shows in the rows here."""
    if pending.effects_to_take_back(ws.database.session):
        link = ws.read_link()
        assert link is not None
        cursor = Cursor(link.seq, link.hash)
        rebase.absorb(ws, cursor, [], cursor, link.stable)


def _drop(session: Session, name: str) -> None:
    if not session.run("sync:conflict:drop", _drop_refused, {"name": name}):
        raise NotFound("the conflict {id} has been dealt with already", hint="bo conflicts list", id=name)


def _ids_anew(before: str, outcome: Outcome) -> dict[str, str]:
    """The id of each row that the refused operation would have made -> of the row that was made in its place."""
    made = {change.row[-TAIL_LENGTH:]: change.row for change in outcome.changes if change.was is None}
    found = {}
    for count in range(MADE_MOST if made else 0):
        row = made.pop(derived_tail(outcome.operation, count), None)
        if row is not None:
            found[row[:-TAIL_LENGTH] + derived_tail(before, count)] = row
        if not made:
            break
    return found


def _follow(session: Session, ids: Mapping[str, str]) -> None:
    """Change what the other conflicts are about."""
    rows = []
    for item in pending.pending_of(session, (REFUSED,)) if ids else []:
        subject, args = ids.get(item.subject, item.subject), item.args
        for before, now in ids.items():
            args = args.replace(f'"{before}"', f'"{now}"')
        if (subject, args) != (item.subject, item.args):
            rows.append((subject, args, item.id))
    if rows:
        session.many("sync:conflict:follow", _follow_refused, rows)


def _drop_refused() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import pending

    return pending.delete().where(pending.c.id == sa.bindparam("name"), pending.c.state == REFUSED)


def _follow_refused() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import pending

    values: list[Any] = [(pending.c.subject, sa.bindparam("new_subject")), (pending.c.args, sa.bindparam("new_args"))]
    return pending.update().ordered_values(*values).where(pending.c.id == sa.bindparam("name"))
