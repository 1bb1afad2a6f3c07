"""The days that money facts belong to: those of the office's time zone."""

from __future__ import annotations

from datetime import UTC, date, datetime

from bo.core.kernel.moments import zone_of
from bo.core.kernel.tx import Tx


def today(tx: Tx) -> date:
    """The day it is in the office, when the call is made."""
    return day_of(tx.now, tx.context.zone)


def day_of(moment: datetime, zone: str) -> date:
    """The day of a moment in a time zone."""
    return moment.astimezone(zone_of(zone)).date()


def midnight(day: date, zone: str) -> datetime:
    """The moment at which a day begins in a time zone, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=zone_of(zone)).astimezone(UTC)


def month_of(day: date) -> tuple[date, date]:
    """The first day of the day's month, and of the month after."""
    start = day.replace(day=1)
    return start, date(day.year + day.month // 12, day.month % 12 + 1, 1)


def month_label(day: date) -> str:
    """The day's month, such as 2026-11."""
    return day.isoformat()[:7]


def first_day(label: str) -> date:
    """The first day of a month such as 2026-11. Raises ValueError."""
    return date.fromisoformat(f"{label}-01")
