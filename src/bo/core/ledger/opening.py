"""The books of an office that an older bo made, as it is opened: it has entries, and no balances of them yet."""

from __future__ import annotations

from typing import Any

from bo.core.kernel.database import Session
from bo.core.kernel.dispatch import Call


def calls(session: Session) -> list[Call]:
    """What the system does once: add the balances up."""
    return [Call("ledger.rebuild")] if session.rows("ledger:opening", _unbalanced) else []


def _unbalanced() -> Any:
    import sqlalchemy as sa

    from bo.core.ledger.reading import tables

    entry, _leg, balance = tables()
    return sa.select(entry.c.n).where(~sa.exists(sa.select(balance.c.n))).limit(1)
