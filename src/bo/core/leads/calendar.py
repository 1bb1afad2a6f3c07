"""The business calendar of a store: when it is open, and how long a deadline takes on it.

Pure: the holidays are days that the caller hands in, kept as data in the workspace, so that a deadline computed today
is computed the same when an operation runs again under a newer release of the `holidays` library. Opening hours are
local wall time; durations are real elapsed time, so a day on which clocks change is an hour shorter or longer where
that hour falls into the opening hours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from bo.core.kernel.errors import BadValue, Configuration
from bo.core.kernel.moments import zone_of

MONDAY_TO_FRIDAY: Final = frozenset(range(5))
EVERY_DAY: Final = frozenset(range(7))
DAYS_LOOKED_AHEAD: Final = 3660
MIDNIGHT: Final = time()

_OpenHours = tuple[datetime, datetime]


@dataclass(frozen=True)
class BusinessCalendar:
    """Opening hours in one zone. `closes` at 00:00 is the end of the day; weekdays count from Monday = 0.

    `open_days` are working days that weekday or holiday would close, such as the make-up weekends in China.
    """

    zone: str = "UTC"
    opens: time = time(9)
    closes: time = time(18)
    weekdays: frozenset[int] = MONDAY_TO_FRIDAY
    closed_days: frozenset[date] = frozenset()
    open_days: frozenset[date] = frozenset()
    _hours: dict[date, _OpenHours | None] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        zone_of(self.zone)
        if self.closes <= self.opens and self.closes != MIDNIGHT:
            raise BadValue(
                "a store cannot close at {closes} when it opens at {opens}",
                hint="Give opening hours within one day; 00:00 as the closing time means midnight.",
                opens=self.opens.isoformat("minutes"),
                closes=self.closes.isoformat("minutes"),
            )
        if not self.weekdays <= EVERY_DAY:
            raise BadValue("weekdays are numbered 0 (Monday) to 6 (Sunday)", hint="Give at least one of them.")

    def is_open_on(self, day: date) -> bool:
        """Whether the store opens at all on that local day."""
        if day in self.open_days:
            return True
        return day.weekday() in self.weekdays and day not in self.closed_days

    def is_open_at(self, moment: datetime) -> bool:
        """Whether the store is open at that moment: from opening time up to, and without, closing time."""
        hours = self._open_hours(self.local_day(moment))
        return hours is not None and hours[0] <= moment < hours[1]

    def local_day(self, moment: datetime) -> date:
        return moment.astimezone(zone_of(self.zone)).date()

    def next_open(self, moment: datetime) -> datetime:
        """The moment itself when the store is open then, else the next opening. Raises Configuration: there is none."""
        for opens, closes in self._open_hours_from(moment):
            if moment < closes:
                return max(opens, moment)
        raise self._never_open()

    def add_business_time(self, start: datetime, duration: timedelta) -> datetime:
        """The moment by which `duration` of opening hours has passed since `start`.

            A duration used up at closing time ends there, not at the next opening.

        Raises:
            Configuration: the store does not open often enough.
        """
        if duration <= timedelta(0):
            return self.next_open(start)
        left = duration
        for opens, closes in self._open_hours_from(start):
            begins = max(opens, start)
            if begins >= closes:
                continue
            if left <= closes - begins:
                return begins + left
            left -= closes - begins
        raise self._never_open()

    def business_time_between(self, start: datetime, end: datetime) -> timedelta:
        """How much opening time lies from `start` to `end`; nothing when `end` is the earlier."""
        passed = timedelta(0)
        for opens, closes in self._open_hours_from(start):
            if opens >= end:
                break
            passed += max(timedelta(0), min(closes, end) - max(opens, start))
        return passed

    def add_open_days(self, start: datetime, days: int) -> datetime:
        """The same time of day `days` open days later; what starts outside opening hours starts at the next opening."""
        zone = zone_of(self.zone)
        begins = self.next_open(start).astimezone(zone)
        day, left = begins.date(), days
        for _ in range(DAYS_LOOKED_AHEAD):
            if left == 0:
                break
            day += timedelta(days=1)
            left -= self.is_open_on(day)
        hours = self._open_hours(day)
        if left or hours is None:
            raise self._never_open()
        same_time = datetime.combine(day, begins.time(), zone).astimezone(UTC)
        return min(max(same_time, hours[0]), hours[1])

    def add_days(self, start: datetime, days: int) -> datetime:
        """The same local time of day that many calendar days later, open or not."""
        local = start.astimezone(zone_of(self.zone))
        return datetime.combine(local.date() + timedelta(days=days), local.time(), local.tzinfo).astimezone(UTC)

    def _open_hours(self, day: date) -> _OpenHours | None:
        try:
            return self._hours[day]
        except KeyError:
            pass
        hours: _OpenHours | None = None
        if self.is_open_on(day):
            zone = zone_of(self.zone)
            last = day + timedelta(days=1) if self.closes == MIDNIGHT else day
            opens, closes = datetime.combine(day, self.opens, zone), datetime.combine(last, self.closes, zone)
            hours = opens.astimezone(UTC), closes.astimezone(UTC)
        self._hours[day] = hours
        return hours

    def _open_hours_from(self, moment: datetime) -> Iterator[_OpenHours]:
        """The opening hours of the local day of `moment` and of the open days behind it, in order."""
        day = self.local_day(moment)
        for _ in range(DAYS_LOOKED_AHEAD):
            hours = self._open_hours(day)
            if hours is not None:
                yield hours
            day += timedelta(days=1)

    def _never_open(self) -> Configuration:
        return Configuration(
            "the business calendar has no opening hours in sight",
            hint="Give the store at least one weekday, and fewer closed days.",
        )


@dataclass(frozen=True, slots=True)
class CountryHolidays:
    """Days off of a country as data to be kept, with the release of the library that said so."""

    country: str
    closed_days: tuple[date, ...]
    open_days: tuple[date, ...]
    source: str


def look_up_holidays(country: str, years: Iterable[int]) -> CountryHolidays:
    """What the `holidays` library knows of a country, to be handed to the command that keeps it as data.

    Raises:
        BadValue: the library does not know the country.
    """
    from importlib.metadata import version

    import holidays

    wanted = sorted(set(years))
    try:
        found = holidays.country_holidays(country, years=wanted)
    except NotImplementedError:
        raise BadValue(
            "no holidays are known for {country}",
            hint="Use the two letters of ISO 3166, such as CN, or give the closed days yourself.",
            country=country,
        ) from None
    working = sorted(day for day in found.weekend_workdays if day.year in wanted)
    return CountryHolidays(country, tuple(sorted(found)), tuple(working), f"holidays {version('holidays')}")
