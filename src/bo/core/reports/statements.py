"""What stands behind the ledger in rewards, read with statements of its own."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from bo.core.kernel.reader import Reader

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement, Table

    from bo.core.kernel.record import Record

OWED: Final = ("holding", "held", "due", "included")  # states of lines that are earned and not paid
AGES: Final = (0, 31, 61, 91)  # days since it was due, from which a line stands in the next column
COST_BY: Final = ("store", "referrer", "rule")

Ages = tuple[int, int, int, int, int]


def aged(read: Reader, today: date) -> dict[tuple[str, str], Ages]:
    """What is owed, by payee and currency: not due yet, and due for 0-30, 31-60, 61-90 and more days."""
    bounds = {f"day{place}": today - timedelta(days=days) for place, days in enumerate(AGES)}
    found: dict[tuple[str, str], Ages] = {}
    for payee, currency, *sums in read.rows("reports:aged", _aged, **bounds):
        first, second, third, fourth, fifth = (int(item) for item in sums)
        found[str(payee), str(currency)] = (first, second, third, fourth, fifth)
    return found


def costs(read: Reader, by: str, since: date, until: date) -> list[tuple[str, str, int, int, str]]:
    """Group, its name, how many lines, their sum and currency: of all lines whose payout was approved in these days."""
    rows = read.rows(f"reports:costs:{by}", lambda: _costs(by), since=since, until=until)
    return [
        (str(group or ""), str(name or ""), int(count), int(amount), str(money))
        for group, name, count, amount, money in rows
    ]


def payees(read: Reader) -> dict[str, tuple[str, str]]:
    """Code and name of every referrer, by id."""
    return {str(key): (str(code), str(name)) for key, code, name in read.rows("reports:payees", _payees)}


# -- statements --------------------------------------------------------------------------------------------------------


def _table(cls: type[Record]) -> Table:
    from bo.core.kernel.record import info_of
    from bo.core.kernel.tables import table

    return table(info_of(cls))


def _aged() -> ClauseElement:
    import sqlalchemy as sa

    from bo.core.rewards.records import RewardLine

    line = _table(RewardLine)
    day0, day1, day2, day3 = (sa.bindparam(f"day{place}", type_=line.c.due_on.type) for place in range(len(AGES)))
    columns = (
        line.c.due_on > day0,
        sa.and_(line.c.due_on <= day0, line.c.due_on > day1),
        sa.and_(line.c.due_on <= day1, line.c.due_on > day2),
        sa.and_(line.c.due_on <= day2, line.c.due_on > day3),
        line.c.due_on <= day3,
    )
    sums = (sa.func.sum(sa.case((condition, line.c.amount), else_=sa.literal_column("0"))) for condition in columns)
    return (
        sa.select(line.c.referrer, line.c.currency, *sums)
        .where(sa.or_(*(line.c.state == state for state in OWED)))
        .group_by(line.c.referrer, line.c.currency)
    )


def _costs(by: str) -> ClauseElement:
    import sqlalchemy as sa

    from bo.core.leads.records import Lead
    from bo.core.ledger.records import Entry
    from bo.core.referrers.records import Referrer
    from bo.core.rewards.records import RewardLine
    from bo.core.stores.records import Store

    line, entry, lead, store, referrer = (_table(cls) for cls in (RewardLine, Entry, Lead, Store, Referrer))
    made: Any = line.join(entry, entry.c.source == sa.literal_column("'approval:'") + line.c.payout)
    if by == "store":
        made = made.outerjoin(lead, lead.c.id == line.c.cause).outerjoin(store, store.c.id == lead.c.store)
        group, name = store.c.code, store.c.name
    elif by == "referrer":
        made = made.join(referrer, referrer.c.id == line.c.referrer)
        group, name = referrer.c.code, referrer.c.name
    else:
        group, name = line.c.rule_code, line.c.kind
    total = sa.func.sum(line.c.amount)
    return (
        sa.select(group, name, sa.func.count(), total, line.c.currency)
        .select_from(made)
        .where(entry.c.day >= sa.bindparam("since"), entry.c.day < sa.bindparam("until"))
        .group_by(group, name, line.c.currency)
        .order_by(line.c.currency, total.desc(), group)
    )


def _payees() -> ClauseElement:
    import sqlalchemy as sa

    from bo.core.referrers.records import Referrer

    made = _table(Referrer)
    return sa.select(made.c.id, made.c.code, made.c.name)
