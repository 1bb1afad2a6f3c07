"""Days and moments: the spellings of files and people, zones and their jumps, and the refusal to guess."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bo.core.kernel.errors import BadValue, Configuration
from bo.core.kernel.moments import DayOrder, parse_day, parse_moment

THE_DAY = date(2026, 11, 3)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-03",
        "2026/11/3",
        "2026.11.03",
        "2026年11月3日",
        "２０２６年１１月３日",
        "20261103",
        "2026-11-03 00:00:00",
        "2026-11-03T00:00:00+08:00",
        "2026年11月3日 0:00",
        "3 Nov 2026",
        "03-Nov-2026",
        "Nov 3, 2026",
        "November 3 2026",
        " 2026-11-03 ",
    ],
)
def test_a_day_is_read(text: str) -> None:
    assert parse_day(text) == THE_DAY


@pytest.mark.parametrize(
    ("text", "order", "day"),
    [
        ("03/04/2026", "dmy", date(2026, 4, 3)),
        ("03/04/2026", "mdy", date(2026, 3, 4)),
        ("13/04/2026", "", date(2026, 4, 13)),
        ("04/13/2026", "", date(2026, 4, 13)),
        ("03/03/2026", "", date(2026, 3, 3)),
        ("03-04-26", "dmy", date(2026, 4, 3)),
        ("26-04-03", "ymd", date(2026, 4, 3)),
        ("03/04/71", "dmy", date(1971, 4, 3)),
    ],
)
def test_day_and_month_are_told_apart_by_size_or_by_order(text: str, order: DayOrder, day: date) -> None:
    assert parse_day(text, order) == day


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("03/04/2026", "03/04/2026 can be read as two different days"),
        ("03-04-26", "03-04-26 does not say which number is the year"),
        ("2026-02-30", "2026-02-30 is not on the calendar"),
        ("2026/13/01", "2026/13/01 is not on the calendar"),
        ("0000-00-00", "0000-00-00 is not on the calendar"),
        ("45964", "45964 is a spreadsheet's day number"),
        ("2026-11-03 10:00", "2026-11-03 10:00 has a time of day, and this field keeps the day alone"),
        ("2026-11", "2026-11 is not a day"),
        ("Marathon 3, 2026", "Marathon 3, 2026 names no month"),
        ("2026-11/03", "2026-11/03 is not a day"),
        ("tomorrow", "tomorrow is not a day"),
        ("", " is not a day"),
    ],
)
def test_what_is_not_one_day_is_refused(text: str, message: str) -> None:
    with pytest.raises(BadValue) as refusal:
        parse_day(text)
    assert str(refusal.value) == message
    assert refusal.value.hint


@given(st.dates())
def test_a_written_day_is_read_as_itself(day: date) -> None:
    assert parse_day(day.isoformat()) == day
    assert parse_day(f"{day.year:04d}年{day.month}月{day.day}日") == day


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-01-19T09:42:24.000+0000", datetime(2024, 1, 19, 9, 42, 24, tzinfo=UTC)),
        ("2026-11-03T10:00:00Z", datetime(2026, 11, 3, 10, tzinfo=UTC)),
        ("2026-11-03T10:00:00.123456+08:00", datetime(2026, 11, 3, 2, 0, 0, 123000, tzinfo=UTC)),
        ("20261103T103000Z", datetime(2026, 11, 3, 10, 30, tzinfo=UTC)),
        ("2026-11-03 10:00:00", datetime(2026, 11, 3, 2, tzinfo=UTC)),
        ("2026-11-03", datetime(2026, 11, 2, 16, tzinfo=UTC)),
        ("2026/11/3 2:30 PM", datetime(2026, 11, 3, 6, 30, tzinfo=UTC)),
        ("2026/11/3 12:30 am", datetime(2026, 11, 2, 16, 30, tzinfo=UTC)),
        ("2026年11月3日 14:30", datetime(2026, 11, 3, 6, 30, tzinfo=UTC)),
        ("2026年11月3日14时30分5秒", datetime(2026, 11, 3, 6, 30, 5, tzinfo=UTC)),
        ("2026/11/3 下午2:30", datetime(2026, 11, 3, 6, 30, tzinfo=UTC)),
        ("2026-11-03 10:00:00 UTC", datetime(2026, 11, 3, 10, tzinfo=UTC)),
        ("2026-11-03 10:00:00 -0500", datetime(2026, 11, 3, 15, tzinfo=UTC)),
    ],
)
def test_a_moment_is_read_in_the_zone_or_by_its_offset(text: str, moment: datetime) -> None:
    assert parse_moment(text, "Asia/Shanghai") == moment
    assert parse_moment(text, "Asia/Shanghai").tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "zone", "message"),
    [
        ("2026-11-03 24:00", "UTC", "2026-11-03 24:00 is not on the clock"),
        ("2026-11-03 25:61", "UTC", "2026-11-03 25:61 is not on the clock"),
        ("2026-11-03 10:00:00 PDT", "UTC", "2026-11-03 10:00:00 PDT has no time of day that can be read"),
        ("2026-02-30T10:00:00Z", "UTC", "2026-02-30T10:00:00Z is not on the calendar"),
        ("0001-01-01 00:00", "Asia/Shanghai", "0001-01-01 00:00 is outside the calendar"),
        (
            "2026-03-29 02:30",
            "Europe/Berlin",
            "2026-03-29 02:30 does not exist in Europe/Berlin: clocks are put forward then",
        ),
        ("1762128000", "UTC", "1762128000 is not a day"),
    ],
)
def test_what_is_not_one_moment_is_refused(text: str, zone: str, message: str) -> None:
    with pytest.raises(BadValue) as refusal:
        parse_moment(text, zone)
    assert str(refusal.value) == message


def test_a_time_that_comes_twice_is_the_earlier_one() -> None:
    assert parse_moment("2026-10-25 02:30", "Europe/Berlin") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "", "Asia"])
def test_an_unknown_zone_is_a_matter_of_configuration(zone: str) -> None:
    with pytest.raises(Configuration, match="no time zone"):
        parse_moment("2026-10-25 02:30", zone)


@given(
    st.datetimes(min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 28)),  # noqa: DTZ001
    st.integers(-14 * 60, 14 * 60),
)
def test_a_written_moment_is_read_as_itself(naive: datetime, offset_minutes: int) -> None:
    moment = naive.replace(microsecond=naive.microsecond // 1000 * 1000, tzinfo=UTC)
    local = moment.astimezone(timezone(timedelta(minutes=offset_minutes)))
    assert parse_moment(moment.isoformat(timespec="milliseconds")) == moment
    assert parse_moment(local.isoformat(), "Asia/Shanghai") == moment
