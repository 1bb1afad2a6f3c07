"""What rules have given already: the sums that caps, budgets and tiers are measured against.

Clawbacks count against the month of the reward they take back, so that a refund frees no room in a later one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from bo.core.kernel.tx import Tx

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement, Table


class Given(NamedTuple):
    """Events rewarded, the bases they had and the amounts given, in minor units."""

    events: int
    base: int
    amount: int


def given(
    tx: Tx,
    rules: Sequence[str],
    *,
    referrer: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Given:
    """What these versions of a rule gave, to one referrer or all, in [since, until) or ever. Void lines do not count.

    Sees the earlier calls of a batch, and not what the running call itself has earned.
    """
    unit = tx._unit  # sums are not part of what a command is given; one statement here beats loading every line
    unit.flush()
    values = {"rules": unit.session.array(rules), "referrer": referrer, "since": since, "until": until}
    shape = f"{'referrer' if referrer else ''}:{'month' if since else ''}"
    by_referrer, in_month = referrer is not None, since is not None
    rows = unit.session.rows(f"rewards:given:{shape}", lambda: _earned(by_referrer, in_month), values)
    rows += unit.session.rows(f"rewards:taken:{shape}", lambda: _taken_back(by_referrer, in_month), values)
    events, base, amount = (sum(int(row[place]) for row in rows) for place in range(3))
    return Given(events, base, amount)


def _earned(by_referrer: bool, in_month: bool) -> ClauseElement:
    import sqlalchemy as sa

    line = _lines()
    wanted = [*_of_rules(line, "reward", by_referrer), *(_in_month(line) if in_month else ())]
    return sa.select(sa.func.count(), _sum(line.c.base_amount), _sum(line.c.amount)).where(*wanted)


def _taken_back(by_referrer: bool, in_month: bool) -> ClauseElement:
    """Clawbacks are below zero; their month is that of the reward."""
    import sqlalchemy as sa

    line = _lines().alias("back")
    reward = _lines().alias("reward")
    wanted = [*_of_rules(line, "clawback", by_referrer), *(_in_month(reward) if in_month else ())]
    sums = sa.select(sa.literal(0), _sum(line.c.base_amount), _sum(line.c.amount))
    return sums.select_from(line.join(reward, reward.c.id == line.c.clawback_of) if in_month else line).where(*wanted)


def _lines() -> Table:
    from bo.core.kernel.record import info_of
    from bo.core.kernel.tables import table
    from bo.core.rewards.records import RewardLine

    return table(info_of(RewardLine))


def _sum(column: Any) -> Any:
    import sqlalchemy as sa

    return sa.func.coalesce(sa.func.sum(column), 0)


def _of_rules(line: Any, kind: str, by_referrer: bool) -> list[Any]:
    import sqlalchemy as sa

    from bo.core.kernel.tables import in_list

    wanted: list[Any] = [in_list(line.c.rule, sa.bindparam("rules")), line.c.kind == kind, line.c.state != "void"]
    return [*wanted, line.c.referrer == sa.bindparam("referrer")] if by_referrer else wanted


def _in_month(line: Any) -> list[Any]:
    import sqlalchemy as sa

    column = line.c.earned_at
    since, until = (sa.bindparam(name, type_=column.type) for name in ("since", "until"))
    return [column >= since, column < until]
