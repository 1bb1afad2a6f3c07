"""What the dashboard shows: sales by day, week or month beside the time before, and what waits for whom."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

from msgspec import Struct

from bo.core.analytics import periods
from bo.core.analytics.periods import UNITS
from bo.core.kernel.command import query
from bo.core.kernel.errors import BadInput
from bo.core.kernel.kinds import Amount, ChoiceKind, Count, Currency, Day, Field, RefKind, Text
from bo.core.kernel.moments import zone_of
from bo.core.kernel.reader import Reader, visible
from bo.core.kernel.record import info_of
from bo.core.orders.records import CANCELLED, DRAFT, Order
from bo.core.views.shipped import VIEWS, split_sort

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement

NOUN: Final = "dashboard"
PERIODS_MOST: Final = 370
PILES: Final = {
    "leads": ("to_review", "overdue", "to_assign", "overflow", "to_take", "contact_today"),
    "orders": ("to_send", "held", "unpaid", "high_risk"),
    "exceptions": ("open",),
    "returns": ("to_approve", "to_receive"),
    "refunds": ("to_carry_out",),
    "stock": ("running_low",),
    "rewards": ("due", "held"),
    "settlements": ("to_approve", "to_pay"),
    "payouts": ("held", "failed_payments"),
}
PeriodUnit = Annotated[str, ChoiceKind(*UNITS)]


class Sales(Struct, frozen=True):
    """What was sold in one period, cancelled orders left out, and in the same one of the equally long time before."""

    start: Day
    currency: Currency
    orders: Count
    total: Amount
    refunded: Amount
    orders_before: Count
    total_before: Annotated[Amount, Field(label="total before")]


class Pile(Struct, frozen=True):
    """How many records wait for something, and the filter that lists them."""

    of: Annotated[Text, Field(label="records")]
    name: Text
    count: Count
    filter: Text


@query(needs="orders.read")
def sales(
    read: Reader,
    *,
    by: PeriodUnit = "day",
    last: Annotated[Count, Field(help="how many periods, the present one among them")] = 30,
    channel: Text = "",
    store: Annotated[str, RefKind("stores")] | None = None,
    currency: Currency | None = None,
) -> list[Sales]:
    """What was sold in the last days, weeks or months, beside the equally long time before; in one currency.

    Raises:
        BadInput: no periods, or too many.
    """
    if not 0 < last <= PERIODS_MOST:
        raise BadInput("from 1 to {most} periods can be shown, not {last}", most=PERIODS_MOST, last=last)
    zone, money = read.context.zone, currency or read.context.currency
    days = periods.starts(by, read.now.astimezone(zone_of(zone)).date(), 2 * last)
    beginnings = periods.midnights(days, zone)
    found: list[tuple[int, int, int]] = [(0, 0, 0)] * len(days)
    for moment, *sums in _sums(read, beginnings[0], periods.whole_hours(days, zone), channel, store, money):
        place = periods.place_of(moment, beginnings)
        orders, total, refunded = (a + int(b or 0) for a, b in zip(found[place], sums, strict=True))
        found[place] = (orders, total, refunded)
    return [
        Sales(day, money, *now, before[0], before[1])
        for day, now, before in zip(days[last:], found[last:], found[:last], strict=True)
    ]


@query(needs="anyone")
def piles(read: Reader) -> list[Pile]:
    """What waits for somebody, of all that you may read, with the filter that lists it."""
    return [
        Pile(noun, name, read.count(noun, split_sort(VIEWS[noun][name])[0]), VIEWS[noun][name])
        for noun, names in PILES.items()
        if read.actor.may(f"{noun}.read")
        for name in names
    ]


def _sums(
    read: Reader, since: datetime, by_hour: bool, channel: str, store: str | None, currency: str
) -> list[tuple[datetime, int, int, int]]:
    """Count and sums of orders by the hour, or by the minute where a zone's days begin between hours."""
    width = len("2026-11-02T10") if by_hour else len("2026-11-02T10:15")
    values: dict[str, object] = {
        "since": read.session.moment(since.astimezone(UTC)),
        "currency": currency,
        **read.eyes(),
    }
    values |= {"channel": channel} if channel else {}
    values |= {"store": store} if store else {}
    info = info_of(Order)
    key = f"{info.fingerprint}:sales:{width}:{','.join(sorted(values))}"
    rows = read.rows(key, lambda: _summed(read, width, set(values)), **values)
    tail = "2026-11-02T10:00:00+00:00"[width:]
    return [(datetime.fromisoformat(f"{text}{tail}"), *sums) for text, *sums in rows]


def _summed(read: Reader, width: int, given: set[str]) -> ClauseElement:
    import sqlalchemy as sa

    from bo.core.kernel.tables import table

    info = info_of(Order)
    made = table(info)
    form = f'YYYY-MM-DD"T"HH24{":MI" if width > len("2026-11-02T10") else ""}'
    hour: Any = (
        sa.func.substr(made.c.placed_at, 1, width)
        if read.session.is_sqlite
        else sa.func.to_char(sa.func.timezone("UTC", made.c.placed_at), form)
    )
    wanted = sa.select(
        hour, sa.func.count(), sa.func.sum(made.c.total), sa.func.sum(made.c.refunded)
    ).where(
        made.c.placed_at >= sa.bindparam("since"), made.c.currency == sa.bindparam("currency"),
        made.c.state != str(CANCELLED), made.c.state != str(DRAFT), *visible(info, read.actor),
    )  # fmt: skip
    for name in ("channel", "store"):
        if name in given:
            wanted = wanted.where(made.c[name] == sa.bindparam(name))
    return wanted.group_by(sa.literal_column("1"))
