"""What rules have given already: the sums that caps, budgets and tiers are measured against.

Clawbacks count against the month of the reward they take back, so that a refund frees no room in a later one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from bo.core.kernel.tx import Tx

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement


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
    shape = f"{'referrer' if referrer else ''}:{'month' if since else ''}"
    values = {"rules": unit.session.array(rules), "referrer": referrer, "since": since, "until": until}
    rows = unit.session.rows(
        f"rewards:given:{shape}", lambda: _given(by_referrer=referrer is not None, in_month=since is not None), values
    )
    events, base, amount, taken_base, taken = (int(item) for item in rows[0])
    return Given(events, base + taken_base, amount + taken)


def _given(*, by_referrer: bool, in_month: bool) -> ClauseElement:
    import sqlalchemy as sa

    from bo.core.kernel.record import info_of
    from bo.core.kernel.tables import in_list, table
    from bo.core.rewards.records import RewardLine

    line = table(info_of(RewardLine))
    wanted: list[Any] = [in_list(line.c.rule, sa.bindparam("rules")), line.c.kind == "reward"]
    wanted.append(line.c.state != "void")
    if by_referrer:
        wanted.append(line.c.referrer == sa.bindparam("referrer"))
    if in_month:
        wanted += [
            line.c.earned_at >= sa.bindparam("since", type_=line.c.earned_at.type),
            line.c.earned_at < sa.bindparam("until", type_=line.c.earned_at.type),
        ]
    earned = sa.select(line.c.id, line.c.base_amount, line.c.amount).where(*wanted).cte("earned")
    back = line.alias("back")
    taken = (
        sa.select(
            sa.func.coalesce(sa.func.sum(back.c.base_amount), 0).label("base"),
            sa.func.coalesce(sa.func.sum(back.c.amount), 0).label("amount"),
        )
        .where(back.c.clawback_of.in_(sa.select(earned.c.id)), back.c.state != "void")
        .subquery("taken")
    )
    sums = sa.select(
        sa.func.count().label("events"),
        sa.func.coalesce(sa.func.sum(earned.c.base_amount), 0).label("base"),
        sa.func.coalesce(sa.func.sum(earned.c.amount), 0).label("amount"),
    ).subquery("sums")
    return sa.select(sums.c.events, sums.c.base, sums.c.amount, taken.c.base, taken.c.amount).select_from(
        sums.join(taken, sa.true())
    )
