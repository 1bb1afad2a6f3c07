"""What can be asked about tickets and shops."""

from __future__ import annotations

from typing import Any

import msgspec

from bo.core.kernel.command import query
from bo.core.kernel.kinds import Amount, Count
from bo.core.kernel.reader import Reader
from bo.core.kernel.record import info_of
from tests.core.kernel.office.records import Shop, Ticket


class Load(msgspec.Struct):
    """How much a shop has to do."""

    shop: str
    tickets: int
    amount: int


@query(needs="tickets.read")
def alike(read: Reader, ticket: Ticket, *, limit: Count = 10) -> list[Ticket]:
    """Other tickets with the same phone."""
    found = read.records(Ticket, f"phone:{ticket.phone} sort:created_at") if ticket.phone else []
    return [item for item in found if item.id != ticket.id][:limit]


@query(needs="shops.read")
def load(read: Reader, shop: Shop, *, least: Amount = 0, beside: Shop | None = None) -> list[Load]:
    """What a shop, and perhaps another one, have to do with tickets of at least this amount."""
    shops = [shop, *([beside] if beside else [])]
    rows = read.rows("test:load", _sums, ids=read.session.array([item.id for item in shops]), least=least)
    sums = {str(row[0]): (int(row[1]), int(row[2])) for row in rows}
    return [Load(item.code, *sums.get(item.id, (0, 0))) for item in shops]


def _sums() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import in_list, table

    made = table(info_of(Ticket))
    chosen = sa.and_(in_list(made.c.shop, sa.bindparam("ids")), made.c.amount >= sa.bindparam("least"))
    return sa.select(made.c.shop, sa.func.count(), sa.func.sum(made.c.amount)).where(chosen).group_by(made.c.shop)
