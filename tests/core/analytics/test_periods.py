"""Periods: of the office's own days, across months, clocks that change, and zones that begin between hours."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from bo.core.analytics.periods import midnights, place_of, starts, whole_hours


@pytest.mark.parametrize(
    ("unit", "found"),
    [
        ("day", [date(2026, 2, 28), date(2026, 3, 1), date(2026, 3, 2)]),
        ("week", [date(2026, 2, 16), date(2026, 2, 23), date(2026, 3, 2)]),
        ("month", [date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)]),
    ],
)
def test_the_last_periods_end_with_the_present_one(unit: str, found: list[date]) -> None:
    assert starts(unit, date(2026, 3, 2), 3) == found


def test_a_moment_belongs_to_the_offices_own_day_also_when_clocks_change() -> None:
    beginnings = midnights([date(2026, 3, 28), date(2026, 3, 29), date(2026, 3, 30)], "Europe/Berlin")

    assert place_of(datetime(2026, 3, 27, 22, 59, tzinfo=UTC), beginnings) == -1
    assert place_of(datetime(2026, 3, 28, 22, 59, tzinfo=UTC), beginnings) == 0
    assert place_of(datetime(2026, 3, 28, 23, 0, tzinfo=UTC), beginnings) == 1
    assert place_of(datetime(2026, 3, 29, 22, 0, tzinfo=UTC), beginnings) == 2


def test_days_of_india_begin_between_hours() -> None:
    assert whole_hours([date(2026, 3, 1)], "Asia/Shanghai")
    assert not whole_hours([date(2026, 3, 1)], "Asia/Kolkata")
