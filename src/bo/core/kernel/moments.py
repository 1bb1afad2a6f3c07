"""Days and moments as text -> `date`, and `datetime` in UTC with milliseconds.

Day and month must be plain to tell apart: `03/04/2026` is refused unless one number is above 12, both are equal, or
the caller gives the order. A time of day is never dropped from a day. Local times are read in a zone of the IANA
database (Windows has none of its own: the `tzdata` package brings it); a time that comes twice when clocks go back is
the earlier one, a time that is skipped is refused.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Final, Literal, TypeAlias
from unicodedata import normalize

from bo.core.kernel.errors import BadValue, Configuration

DayOrder: TypeAlias = Literal["", "ymd", "dmy", "mdy"]

_MONTHS: Final = "january february march april may june july august september october november december"
_DAY_AND_TIME: Final = (
    r"(?P<day>[0-9]{4}年[0-9]{1,2}月[0-9]{1,2}[日号]?|[0-9]{8}|[0-9]{1,4}([-/.])[0-9]{1,2}\2[0-9]{1,4}"
    r"|[0-9]{1,2}[ -][A-Za-z]{3,9}\.?[ ,-]+[0-9]{4}|[A-Za-z]{3,9}\.? [0-9]{1,2},? [0-9]{4})"
    r"(?:(?:(?<=[日号])|[Tt ])\s*(?P<time>\S.*))?"
)
_TIME: Final = (
    r"(?P<half>am|pm|上午|下午)?\s*(?P<hour>[0-9]{1,2})[:时点](?P<minute>[0-9]{1,2})分?"
    r"(?::?(?P<second>[0-9]{1,2})(?:[.,](?P<fraction>[0-9]{1,9}))?秒?)?"
    r"\s*(?P<behind>[ap]\.?m\.?)?\s*(?P<offset>z|utc|gmt|[+-][0-9]{2}(?::?[0-9]{2})?)?"
)
_AFTERNOON: Final = frozenset(("pm", "下午"))
_SHOW_DAY: Final = "Write it like 2026-11-03."


def parse_day(text: str, order: DayOrder = "") -> date:
    """A day: ISO, `2026/11/3`, `2026年11月3日`, `20261103`, `3 Nov 2026`; midnight may stand behind it.

    Raises:
        BadValue: not a day, not on the calendar, ambiguous without `order`, or with a time of day that would be lost.
    """
    if len(text) == 10 and text[4] == "-" and text[7] == "-":
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass  # the long way says what is wrong
    day, written_time = _read_day(text, order)
    if written_time and _read_time(written_time, text)[0] != time():
        raise BadValue("{value} has a time of day, and this field keeps the day alone", hint=_SHOW_DAY, value=text)
    return day


def parse_moment(text: str, zone: str = "UTC", order: DayOrder = "") -> datetime:
    """A moment in UTC, cut to milliseconds. Without an offset it is local time in `zone`; a day alone is its midnight.

    Raises:
        BadValue: not a moment, not on the calendar, ambiguous without `order`, or skipped by the zone's clocks.
        Configuration: the zone is unknown here.
    """
    moment = _read_iso(text)
    if moment is None:
        day, written_time = _read_day(text, order)
        clock, offset = _read_time(written_time, text) if written_time else (time(), None)
        moment = datetime.combine(day, clock, offset)
    try:
        return _in_utc(moment, zone, text)
    except OverflowError:
        raise BadValue("{value} is outside the calendar", hint=_SHOW_DAY, value=text) from None


@lru_cache(maxsize=64)
def zone_of(name: str) -> tzinfo:
    """The time zone of that name in the IANA database. Raises Configuration."""
    if name == "UTC":
        return UTC
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise Configuration(
            "there is no time zone {zone} on this machine",
            hint="Use a name such as Asia/Shanghai; on Windows also install the tzdata package.",
            zone=name,
        ) from None


def _read_iso(text: str) -> datetime | None:
    """What ISO 8601 and RFC 3339 write, read fast; nothing when it has to be read the long way."""
    if len(text) < 13 or not ((text[4] == "-" and text[10] in "T ") or (text[8] == "T" and text[:8].isdecimal())):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _in_utc(moment: datetime, zone: str, text: str) -> datetime:
    if moment.tzinfo is None:
        local = moment.replace(tzinfo=zone_of(zone))
        moment = local.astimezone(UTC)
        if zone != "UTC" and moment.astimezone(local.tzinfo).replace(tzinfo=None) != local.replace(tzinfo=None):
            raise BadValue(
                "{value} does not exist in {zone}: clocks are put forward then",
                hint="Give the time with its offset.",
                value=text,
                zone=zone,
            )
    elif moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    beyond = moment.microsecond % 1000
    return moment.replace(microsecond=moment.microsecond - beyond) if beyond else moment


def _read_day(text: str, order: DayOrder) -> tuple[date, str]:
    """The day, and the time of day as it is written behind it."""
    plain = normalize("NFKC", text).strip()
    match = re.fullmatch(_DAY_AND_TIME, plain, re.DOTALL)
    if match is None:
        if re.fullmatch(r"[0-9]{5}(\.[0-9]+)?", plain):
            raise BadValue(
                "{value} is a spreadsheet's day number",
                hint="Format the column as a date and export it again.",
                value=text,
            )
        raise BadValue("{value} is not a day", hint=_SHOW_DAY, value=text[:60])
    year, month, day = _year_month_day(match["day"], order, text)
    try:
        return date(year, month, day), match["time"] or ""
    except ValueError:
        raise BadValue("{value} is not on the calendar", hint="Check the month and the day.", value=text) from None


def _year_month_day(written: str, order: DayOrder, text: str) -> tuple[int, int, int]:
    numbers = [int(number) for number in re.findall("[0-9]+", written)]
    if len(numbers) == 1:
        return int(written[:4]), int(written[4:6]), int(written[6:])
    if len(numbers) == 2:
        return numbers[1], _month_named(re.findall("[A-Za-z]+", written)[0].lower(), text), numbers[0]
    if re.match("[0-9]{3,}", written):
        return numbers[0], numbers[1], numbers[2]
    return _by_order(numbers, written, order, text)


def _month_named(word: str, text: str) -> int:
    for number, name in enumerate(_MONTHS.split(), 1):
        if name.startswith(word):
            return number
    raise BadValue("{value} names no month", hint=_SHOW_DAY, value=text)


def _by_order(numbers: list[int], written: str, order: DayOrder, text: str) -> tuple[int, int, int]:
    """Three numbers that do not begin with the year."""
    first, second, last = numbers
    if order == "ymd":
        return _full_year(first), second, last
    if len(re.findall("[0-9]+", written)[2]) <= 2:
        if not order:
            raise BadValue("{value} does not say which number is the year", hint=_SHOW_DAY, value=text)
        last = _full_year(last)
    if order == "dmy" or (not order and first > 12):
        return last, second, first
    if order == "mdy" or second > 12 or first == second:
        return last, first, second
    raise BadValue(
        "{value} can be read as two different days",
        hint="Write it like 2026-11-03, or say which comes first, day or month.",
        value=text,
    )


def _full_year(year: int) -> int:
    """Two digits as POSIX reads them: 69 to 99 are of the last century."""
    return year if year > 99 else year + (1900 if year >= 69 else 2000)


def _read_time(written: str, text: str) -> tuple[time, tzinfo | None]:
    match = re.fullmatch(_TIME, written.strip(), re.IGNORECASE)
    if match is None:
        raise BadValue(
            "{value} has no time of day that can be read",
            hint="Write it like 14:30 or 14:30:05+08:00.",
            value=text[:60],
        )
    hour = _hour(int(match["hour"]), (match["half"] or match["behind"] or "").lower().replace(".", ""))
    microsecond = int((match["fraction"] or "0").ljust(6, "0")[:6])
    try:
        return time(hour, int(match["minute"]), int(match["second"] or 0), microsecond), _offset(match["offset"])
    except ValueError:
        raise BadValue(
            "{value} is not on the clock", hint="Hours go to 23, minutes and seconds to 59.", value=text
        ) from None


def _hour(hour: int, half: str) -> int:
    if half in _AFTERNOON:
        return hour + 12 if hour < 12 else hour
    if half in ("am", "上午") and hour == 12:
        return 0
    return hour


def _offset(written: str | None) -> tzinfo | None:
    if not written:
        return None
    if written[0] not in "+-":
        return UTC
    digits = written[1:].replace(":", "").ljust(4, "0")
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    from datetime import timezone

    return timezone(timedelta(minutes=-minutes if written[0] == "-" else minutes))
