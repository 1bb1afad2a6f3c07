"""What waits on a device: operations that central has not confirmed, or has refused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from bo.core.kernel.database import Session
from bo.core.kernel.dispatch import Call
from bo.core.kernel.kinds import moment_of
from bo.core.kernel.record import declared_records
from bo.core.kernel.unit import PENDING, image_before
from bo.core.kernel.workspace import Workspace

WAITING: Final = "waiting"


class Pending(msgspec.Struct, frozen=True, array_like=True):
    """An operation that central has not confirmed: `waiting` to be sent or confirmed, `refused`, or `unchanged`
    (central had nothing to do)."""

    device_seq: int
    id: str
    batch: str
    name: str
    version: int
    subject: str
    args: str
    actor: str
    at: datetime
    footprint: str
    state: str
    answer: str

    def call(self) -> Call:
        args = msgspec.json.decode(self.args, type=dict[str, object])
        return Call(self.name, self.subject or None, args, self.id, self.at, self.actor, None, self.batch, self.version)


def pending_of(
    session: Session, states: Sequence[str] = (WAITING,), *, after: int = 0, most: int = 2**31
) -> list[Pending]:
    """The pending operations in these states, in the order they were done: the first `most` with a number above
    `after`."""
    values = {"states": session.array(states), "after": after, "most": most}
    rows = session.rows("sync:pending", _pending, values)
    return [msgspec.convert((*row[:8], moment_of(row[8]), *row[9:]), Pending) for row in rows]


def count_waiting(session: Session) -> int:
    """How many operations wait to be sent or confirmed."""
    return int(session.rows("sync:waiting:count", _count_waiting)[0][0])


def settle(ws: Workspace, answers: Iterable[tuple[str, str, str]]) -> None:
    """Keep what central answered to operations it did not apply: (id, state, answer as JSON)."""
    rows = [(state, answer, name) for name, state, answer in answers]
    if rows:
        with ws.transaction() as perform:
            perform.session.many("sync:settle", _settle, rows)


def effects_to_take_back(session: Session) -> bool:
    """Whether operations that central did not apply are still to be seen in the rows here, or kept for nothing."""
    return bool(session.rows("sync:settled", _settled))


def confirmed_images(session: Session) -> dict[tuple[str, str], str]:
    """Rows that pending operations have changed, as they were before; blank where there was none. For comparing with
    central."""
    found: dict[tuple[str, str], str] = {}
    for noun, row, was, after in session.rows("sync:pending:changes", pending_changes):
        if (noun, row) not in found:
            image = image_before(declared_records()[noun], was.encode() or None, after.encode() or None)
            found[noun, row] = (image or b"").decode()
    return found


# -- statements --------------------------------------------------------------------------------------------------------


def _pending() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import in_list, pending

    wanted = sa.select(pending).where(
        in_list(pending.c.state, sa.bindparam("states")), pending.c.device_seq > sa.bindparam("after")
    )
    return wanted.order_by(pending.c.device_seq).limit(sa.bindparam("most"))


def _count_waiting() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import pending

    return sa.select(sa.func.count()).select_from(pending).where(pending.c.state == WAITING)


def _settled() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import operation, pending

    shown = sa.select(pending.c.id).join(operation, operation.c.id == pending.c.id).where(pending.c.state == "refused")
    idle = sa.select(pending.c.id).where(pending.c.state == "unchanged")
    return sa.union_all(shown, idle).limit(1)


def pending_changes() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import change

    wanted = sa.select(change.c.noun, change.c.row, change.c.before, change.c.after).where(change.c.seq > PENDING)
    return wanted.order_by(change.c.seq, change.c.place)


def pending_done() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import pending

    return pending.delete().where(pending.c.id == sa.bindparam("name"))


def _settle() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import pending

    values: list[Any] = [(pending.c.state, sa.bindparam("new_state")), (pending.c.answer, sa.bindparam("new_answer"))]
    return pending.update().ordered_values(*values).where(pending.c.id == sa.bindparam("name"))
