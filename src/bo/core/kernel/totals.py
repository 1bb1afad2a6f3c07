"""What chosen records come to, by currency. Sees what the reader's actor may see, and nothing more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bo.core.kernel.reader import Reader, visible
from bo.core.kernel.tx import OPEN_SCOPES

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement


def totals(read: Reader, noun: str, ids: Sequence[str], field: str) -> list[tuple[str, int]]:
    """The sums of an amount over records of a noun that say their `currency`: (currency, minor units).

    Raises NotAllowed.
    """
    read.require(f"{noun}.read")
    info, scopes = read.info(noun), read.actor.scopes
    values: dict[str, object] = {"ids": read.session.array(tuple(ids))}
    if scopes is not None:
        values["scopes"] = read.session.array(sorted({*OPEN_SCOPES, *scopes}))
    key = f"{info.fingerprint}:totals:{field}:{'' if scopes is None else 'scoped'}"
    rows = read.rows(key, lambda: _sums(read, noun, field), **values)
    return [(str(currency or read.context.currency), int(summed)) for currency, summed in rows]


def _sums(read: Reader, noun: str, field: str) -> ClauseElement:
    import sqlalchemy as sa

    from bo.core.kernel.tables import in_list, table

    info = read.info(noun)
    made = table(info)
    summed = sa.cast(sa.func.sum(made.c[field]), made.c[field].type)
    wanted = sa.select(made.c.currency, summed).where(in_list(made.c.id, sa.bindparam("ids")))
    return wanted.where(*visible(info, read.actor)).group_by(made.c.currency).order_by(made.c.currency)
