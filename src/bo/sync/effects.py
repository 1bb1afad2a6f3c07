"""Effects: what operations asked to be done outside after their commit, in the order of the journal.

An effect is `wanted` until it is `done`, or `failed` for good; each is marked once. What is done is somebody else's:
a handler's, or a webhook's that subscribes to `effect.<name>`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from bo.core.kernel.database import Session
from bo.core.kernel.errors import BoError
from bo.core.kernel.kinds import moment_of

WANTED: Final = "wanted"
DONE: Final = "done"
FAILED: Final = "failed"
PREFIX: Final = "effect."  # of the names under which webhooks are told


class Effect(msgspec.Struct, frozen=True):
    """One effect. `seq` and `at` are those of its operation; `payload` is JSON."""

    id: str
    operation: str
    name: str
    payload: bytes
    state: str
    seq: int
    at: datetime

    @property
    def place(self) -> int:
        """Which of its operation's effects it is, from 0."""
        return int(self.id.rpartition(".")[2])


Handler = Callable[[Effect], None]


class CannotBeDone(BoError):
    """An effect that no further attempt will bring about: it is marked failed at once."""

    code = "cannot_be_done"


def effects_between(session: Session, after: int, upto: int) -> list[Effect]:
    """All effects of a window of the journal, in its order."""
    rows = session.rows("sync:effects", _effects, {"after": after, "upto": upto})
    found = [Effect(row[0], row[1], row[2], row[3].encode(), row[4], int(row[5]), moment_of(row[6])) for row in rows]
    return sorted(found, key=lambda item: (item.seq, item.place))


def wanted_between(session: Session, after: int, upto: int) -> list[Effect]:
    """Those of them that are wanted still."""
    return [item for item in effects_between(session, after, upto) if item.state == WANTED]


def mark(session: Session, ids: Sequence[str], state: str) -> int:
    """Mark wanted effects; how many were. What was marked before stays as it is."""
    if not ids:
        return 0
    return session.run("sync:effects:mark", _mark, {"ids": session.array(ids), "to": state})


def of_others(effects: Sequence[Effect], names: Collection[str]) -> list[Effect]:
    """The effects that have no handler among these."""
    return [item for item in effects if item.name not in names]


def _effects() -> Any:
    """Found by the operations of the window: an effect's id is its operation's, a full stop and a number."""
    import sqlalchemy as sa

    from bo.core.kernel.tables import effect, operation

    own = sa.and_(effect.c.id > operation.c.id + ".", effect.c.id < operation.c.id + "/")
    columns = (
        effect.c.id, effect.c.operation, effect.c.name, effect.c.payload, effect.c.state,
        operation.c.seq, operation.c.at,
    )  # fmt: skip
    window = sa.and_(operation.c.seq > sa.bindparam("after"), operation.c.seq <= sa.bindparam("upto"))
    return sa.select(*columns).join_from(operation, effect, own).where(window)


def _mark() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import effect, in_list

    wanted = sa.and_(in_list(effect.c.id, sa.bindparam("ids")), effect.c.state == WANTED)
    return effect.update().where(wanted).values(state=sa.bindparam("to"))
