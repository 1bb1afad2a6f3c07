"""The dashboard: sums of orders by day as the office counts days, and what waits, each as its operator may see it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bo.core.analytics.queries import Pile, Sales
from bo.core.kernel.database import Database
from bo.core.kernel.dispatch import Call
from bo.core.kernel.errors import BadInput
from bo.core.kernel.workspace import Workspace
from bo.core.office import context_for, found
from tests.core.kernel.conftest import new_database as new_database
from tests.core.kernel.making import DIALECTS

NOW = datetime(2026, 11, 2, 20, 0, tzinfo=UTC)
NewDatabase = Callable[[str], Database]


@pytest.fixture(params=DIALECTS)
def office(new_database: NewDatabase, request: pytest.FixtureRequest) -> Iterator[Workspace]:
    made = found(new_database(request.param), context_for("IN"), operator="ann", clock=lambda: NOW)
    yield made
    made.close()


def order(office: Workspace, number: int, placed_at: datetime, total: int, **more: object) -> None:
    told = {"number": str(number), "placed_at": placed_at.isoformat(), "total": total, **more}
    office.do("orders.record", **told)


def test_sales_stand_beside_the_time_before_and_cancelled_orders_do_not_count(office: Workspace) -> None:
    order(office, 1, datetime(2026, 11, 1, 18, 29, tzinfo=UTC), 1000)  # 23:59 of the first in India
    order(office, 2, datetime(2026, 11, 1, 18, 30, tzinfo=UTC), 2000)  # midnight of the second
    order(office, 3, datetime(2026, 11, 2, 19, 0, tzinfo=UTC), 4000, captured=4000, refunded=500)  # the third, today
    order(office, 4, datetime(2026, 11, 2, 19, 0, tzinfo=UTC), 9999, cancelled_at="2026-11-02T19:30:00Z")
    order(office, 5, datetime(2026, 11, 2, 19, 0, tzinfo=UTC), 7777, currency="USD")

    shown: list[Sales] = office.ask("dashboard.sales", None, by="day", last=2)

    assert shown == [
        Sales(date(2026, 11, 2), "INR", 1, 2000, 0, 0, 0),
        Sales(date(2026, 11, 3), "INR", 1, 4000, 500, 1, 1000),
    ]


@pytest.mark.parametrize("last", [0, 371])
def test_a_number_of_periods_that_cannot_be_shown_is_refused(office: Workspace, last: int) -> None:
    with pytest.raises(BadInput, match="periods"):
        office.ask("dashboard.sales", None, last=last)


def test_piles_are_counted_with_the_filter_that_lists_them(office: Workspace) -> None:
    office.run([Call("leads.report", None, {"name": "A", "phone": "9876543210"})])
    order(office, 1, NOW, 1000)

    piles: list[Pile] = office.ask("dashboard.piles")

    counts = {(pile.of, pile.name): pile.count for pile in piles if pile.count}
    assert counts == {("leads", "to_review"): 1, ("orders", "unpaid"): 1}
    assert all(office.reader().page(pile.of, pile.filter, limit=1).rows for pile in piles if pile.count)


def test_an_operator_sees_piles_of_what_they_may_read_alone(office: Workspace) -> None:
    office.do("operators.add", login="dee", roles=["dispatcher"])
    office.actor = office.reader().get(office.registry.record("operators"), "dee").id

    assert {pile.of for pile in office.ask("dashboard.piles")} == {"leads"}


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(minutes=st.lists(st.integers(0, 60 * 24 * 40), max_size=12), unit=st.sampled_from(["day", "week", "month"]))
def test_every_order_of_the_time_shown_is_counted_once(tmp_path: Path, minutes: list[int], unit: str) -> None:
    from datetime import timedelta

    from bo.core.kernel.database import SqliteDatabase

    folder = tmp_path / f"{len(list(tmp_path.iterdir()))}"
    folder.mkdir()
    office = found(SqliteDatabase(folder / "bo.db"), context_for("IN"), operator="ann", clock=lambda: NOW)
    for number, back in enumerate(minutes):
        order(office, number, NOW - timedelta(minutes=back), 100 + number)

    shown: list[Sales] = office.ask("dashboard.sales", None, by=unit, last=3)

    first = datetime.combine(shown[0].start, datetime.min.time(), ZoneInfo("Asia/Kolkata"))
    counted = [100 + number for number, back in enumerate(minutes) if NOW - timedelta(minutes=back) >= first]
    assert sum(period.total for period in shown) == sum(counted)
    assert sum(period.orders for period in shown) == len(counted)
    office.close()
