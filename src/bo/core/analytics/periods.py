"""Periods of an office's own days: how long they are, where they begin, and which one a moment falls into."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Final, Literal

from bo.core.kernel.moments import zone_of

Unit = Literal["day", "week", "month"]
UNITS: Final = ("day", "week", "month")


def starts(unit: str, today: date, count: int) -> list[date]:
    """The first days of the last `count` periods, the present one last. Weeks begin on Monday."""
    first = {"day": today, "week": today - timedelta(days=today.weekday()), "month": today.replace(day=1)}[unit]
    found = [first]
    while len(found) < count:
        earlier = found[-1] - timedelta(days={"day": 1, "week": 7, "month": 1}[unit])
        found.append(earlier.replace(day=1) if unit == "month" else earlier)
    return found[::-1]


def midnights(days: Sequence[date], zone: str) -> list[datetime]:
    """When each day begins there."""
    return [datetime.combine(day, time(), zone_of(zone)) for day in days]


def whole_hours(days: Sequence[date], zone: str) -> bool:
    """Whether each of the days begins at a full hour of UTC, so that sums by hour are enough to add up days."""
    offsets = {moment.utcoffset() or timedelta() for moment in midnights(days, zone)}
    return all(offset % timedelta(hours=1) == timedelta() for offset in offsets)


def place_of(moment: datetime, beginnings: Sequence[datetime]) -> int:
    """Which period a moment falls into; below zero before the first."""
    return bisect_right(beginnings, moment) - 1
