"""Operations that were refused and given to somebody else: who has to deal with which."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bo.core.access.records import HANDED, Handover
from bo.core.kernel.reader import Reader
from bo.core.kernel.record import info_of
from bo.core.kernel.tx import Actor

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement


def is_for(actor: Actor, handover: Handover) -> bool:
    """Whether it is theirs to settle."""
    return handover.to == actor.id if handover.to else actor.may("handovers.settle")


def handed_to(read: Reader) -> list[Handover]:
    """What the reader has been given and has not dealt with, oldest first."""
    info = info_of(Handover)
    rows = read.rows(f"{info.fingerprint}:handed", _handed, state=str(HANDED))
    found = [info.load(row[1:]) for row in rows]
    return [item for item in found if isinstance(item, Handover) and is_for(read.actor, item)]


def _handed() -> ClauseElement:
    import sqlalchemy as sa

    from bo.core.kernel.tables import table

    kept = table(info_of(Handover))
    return sa.select(kept).where(kept.c.state == sa.bindparam("state")).order_by(kept.c.created_at, kept.c.id)
