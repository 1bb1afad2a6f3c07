"""Opening hours: what a duration means on them, over nights, weekends, holidays and the jumps of clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bo.core.kernel.errors import BadValue, Configuration
from bo.core.leads.calendar import EVERY_DAY, BusinessCalendar, look_up_holidays

SHANGHAI = ZoneInfo("Asia/Shanghai")
SHOP = BusinessCalendar("Asia/Shanghai", time(9), time(18))
HOUR = timedelta(hours=1)


def at(text: str, zone: ZoneInfo = SHANGHAI) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        ("2026-11-06 10:00", 4, "2026-11-06 14:00"),
        ("2026-11-06 17:00", 4, "2026-11-09 12:00"),  # over the weekend
        ("2026-11-06 14:00", 4, "2026-11-06 18:00"),  # used up at closing time
        ("2026-11-06 18:00", 4, "2026-11-09 13:00"),
        ("2026-11-07 11:00", 4, "2026-11-09 13:00"),  # a Saturday
        ("2026-11-06 03:00", 2, "2026-11-06 11:00"),
        ("2026-11-06 10:00", 27, "2026-11-11 10:00"),  # three days of nine hours
    ],
)
def test_business_time_runs_only_in_opening_hours(start: str, hours: int, due: str) -> None:
    assert SHOP.add_business_time(at(start), hours * HOUR) == at(due)


def test_no_time_at_all_waits_for_the_opening() -> None:
    assert SHOP.add_business_time(at("2026-11-07 11:00"), timedelta(0)) == at("2026-11-09 09:00")


def test_holidays_and_make_up_days_are_data() -> None:
    # Given the National Day week, and a Saturday that is worked instead
    calendar = BusinessCalendar(
        "Asia/Shanghai",
        closed_days=frozenset(date(2026, 10, day) for day in range(1, 8)),
        open_days=frozenset([date(2026, 10, 10)]),
    )
    # When four hours run from the evening before, Then they end after the week
    assert calendar.add_business_time(at("2026-09-30 17:00"), 4 * HOUR) == at("2026-10-08 12:00")
    assert calendar.is_open_on(date(2026, 10, 10))
    assert not calendar.is_open_on(date(2026, 10, 11))


def test_a_store_may_close_at_midnight() -> None:
    late = BusinessCalendar("Asia/Shanghai", time(18), time(0), EVERY_DAY)
    assert late.add_business_time(at("2026-11-06 23:00"), 2 * HOUR) == at("2026-11-07 19:00")


def test_an_hour_that_clocks_skip_is_not_business_time() -> None:
    # Given a store in Berlin that is always open, and the night in which clocks go from 2 to 3
    berlin = ZoneInfo("Europe/Berlin")
    always = BusinessCalendar("Europe/Berlin", time(0), time(0), EVERY_DAY)
    # Then four real hours take five on the clock
    assert always.add_business_time(at("2026-03-29 00:00", berlin), 4 * HOUR) == at("2026-03-29 05:00", berlin)
    assert always.business_time_between(at("2026-03-29 00:00", berlin), at("2026-03-30 00:00", berlin)) == 23 * HOUR


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        ("2026-11-06 15:00", 1, "2026-11-09 15:00"),
        ("2026-11-07 11:00", 1, "2026-11-10 09:00"),  # begins at the next opening
        ("2026-11-06 20:00", 2, "2026-11-11 09:00"),
        ("2026-11-06 15:00", 3, "2026-11-11 15:00"),
        ("2026-11-06 15:00", 0, "2026-11-06 15:00"),
    ],
)
def test_open_days_keep_the_time_of_day(start: str, days: int, due: str) -> None:
    assert SHOP.add_open_days(at(start), days) == at(due)


def test_calendar_days_run_through_everything() -> None:
    assert SHOP.add_days(at("2026-11-06 15:00"), 7) == at("2026-11-13 15:00")


def test_a_store_is_open_from_opening_up_to_closing_time() -> None:
    assert SHOP.is_open_at(at("2026-11-06 09:00"))
    assert not SHOP.is_open_at(at("2026-11-06 18:00"))
    assert not SHOP.is_open_at(at("2026-11-07 12:00"))


def test_a_store_that_never_opens_is_a_matter_of_configuration() -> None:
    never = BusinessCalendar(weekdays=frozenset())
    start = datetime(2026, 11, 6, tzinfo=UTC)
    with pytest.raises(Configuration, match="no opening hours in sight"):
        never.next_open(start)
    with pytest.raises(Configuration, match="no opening hours in sight"):
        never.add_business_time(start, HOUR)
    with pytest.raises(Configuration, match="no opening hours in sight"):
        never.add_open_days(start, 1)


@pytest.mark.parametrize(("opens", "closes"), [(time(18), time(9)), (time(9), time(9))])
def test_hours_that_do_not_fit_a_day_are_refused(opens: time, closes: time) -> None:
    with pytest.raises(BadValue, match="cannot close"):
        BusinessCalendar("UTC", opens, closes)


def test_an_unknown_zone_is_refused_at_once() -> None:
    with pytest.raises(Configuration, match="no time zone"):
        BusinessCalendar("Mars/Olympus")


MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
CALENDARS = st.builds(
    BusinessCalendar,
    st.sampled_from(["UTC", "Asia/Shanghai", "Europe/Berlin", "America/St_Johns"]),
    st.sampled_from([time(0), time(2, 30), time(9)]),
    st.sampled_from([time(12), time(18, 15), time(0)]),
    st.frozensets(st.integers(0, 6), min_size=1),
    st.frozensets(st.dates(date(2020, 1, 1), date(2030, 1, 1)), max_size=5),
)


@given(CALENDARS, MOMENTS, st.integers(0, 90))
def test_adding_and_measuring_business_time_agree(calendar: BusinessCalendar, start: datetime, hours: int) -> None:
    due = calendar.add_business_time(start, hours * HOUR)
    assert due >= start
    assert calendar.business_time_between(start, due) == hours * HOUR


@given(CALENDARS, MOMENTS, MOMENTS, st.integers(1, 90))
def test_what_starts_later_is_not_due_earlier(
    calendar: BusinessCalendar, one: datetime, other: datetime, hours: int
) -> None:
    first, second = sorted((one, other))
    assert calendar.add_business_time(first, hours * HOUR) <= calendar.add_business_time(second, hours * HOUR)
    assert calendar.add_open_days(first, 2) <= calendar.add_open_days(second, 2)


def test_holidays_of_a_country_become_data_with_their_source() -> None:
    found = look_up_holidays("CN", [2025])
    assert date(2025, 10, 1) in found.closed_days
    assert date(2025, 9, 28) in found.open_days
    assert {day.year for day in found.closed_days} == {2025}
    assert found.source.startswith("holidays ")


def test_a_country_without_known_holidays_is_refused() -> None:
    with pytest.raises(BadValue, match="no holidays are known for XX"):
        look_up_holidays("XX", [2025])
