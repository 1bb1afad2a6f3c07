"""What rules have given already: the sums that caps, budgets and tiers are measured against.

Clawbacks count against the period of the reward they take back, so that a refund frees no room in a later one. Void
lines do not count. Earlier calls of a batch are seen, what the running call itself has earned is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from bo.core.kernel.tx import Tx
from bo.core.ledger.days import midnight
from bo.core.rewards.records import VOID, RewardLine
from bo.core.rewards.terms import TierPeriod

Span = tuple[datetime, datetime]
LIVE: Final = ("state", "!=", str(VOID))
MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}


def span_of(day: date, period: TierPeriod, zone: str) -> Span | None:
    """The calendar month, quarter or year that a day lies in, from its first moment up to the next one's; None for
    ever."""
    if period == "ever":
        return None
    months = MONTHS[period]
    first = (day.month - 1) // months * months
    start = date(day.year, first + 1, 1)
    end = date(day.year + (first + months) // 12, (first + months) % 12 + 1, 1)
    return midnight(start, zone), midnight(end, zone)


def given(
    tx: Tx, versions: Sequence[str], field: str = "amount", *, referrer: str | None = None, span: Span | None = None
) -> int:
    """What these versions of a rule gave, to one referrer or all, in a span or ever.

    With another field the sum of that, as `base_amount`; with none ("") how many events they rewarded.
    """
    of, kinds = _of(versions, referrer), ("reward", "clawback") if field else "reward"
    if span is None:
        return tx.sum(RewardLine, field, LIVE, kind=kinds, **of)
    since, until = span
    earned = tx.sum(RewardLine, field, LIVE, ("earned_at", ">=", since), ("earned_at", "<", until), kind="reward", **of)
    if not field:
        return earned
    taken = (("reward_at", ">=", since), ("reward_at", "<", until))
    return earned + tx.sum(RewardLine, field, LIVE, *taken, kind="clawback", **of)


def _of(versions: Sequence[str], referrer: str | None) -> dict[str, object]:
    only: dict[str, object] = {"rule": versions[0] if len(versions) == 1 else tuple(versions)}
    return only if referrer is None else {"referrer": referrer, **only}
