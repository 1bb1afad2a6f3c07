"""The filter language, and the SQL it stands for. One language in the command line, the screen and HTTP:

    state:valid,assigned store:west created>=2026-11-01 amount>500 "kitchen" -tag:test sort:-created

`:` is equality (with `*` a pattern, several values by comma, `none` and `any` for emptiness, `..` between two days or
numbers for both and what lies between), `~` contains, `-` in front negates, bare words search the full text. The text
is read into `Condition`s; their *shape* (fields and operators, not values) is the key of the statement.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import msgspec

from bo.core.kernel.errors import BadValue, UsageError
from bo.core.kernel.kinds import Context, Kind, PhoneKind, RefKind, TagsKind, TextKind
from bo.core.kernel.record import FieldInfo, RecordInfo
from bo.core.kernel.text import in_every_language

TOKEN: Final = re.compile(r"""(-?)(?:([^\s:<>=~!"]+)(:|>=|<=|!=|>|<|=|~))?("(?:[^"\\]|\\.)*"|[^\s"]+)?""")
BETWEEN: Final = ".."
PERIOD: Final = re.compile(r"([+-]?[0-9]{1,9})([dhm])")
FILTER_MOST: Final = 2000  # characters, which also bounds the conditions and words of its statement
WORDS: Final = {"：": ":", "＞": ">", "＜": "<", "＝": "=", "，": ","}
SORT_MOST: Final = 3


class Condition(msgspec.Struct, frozen=True):
    """One field compared. `operator` is one of eq in ne lt le gt ge like none any range tag; `values` fill its
    parameters."""

    field: str
    operator: str
    values: tuple[object, ...] = ()
    negated: bool = False

    @property
    def shape(self) -> str:
        return f"{'-' if self.negated else ''}{self.field}.{self.operator}"


class Filter(msgspec.Struct, frozen=True):
    """A filter as understood: conditions, words for the full text, and the order."""

    conditions: tuple[Condition, ...] = ()
    words: str = ""
    sort: tuple[str, ...] = ()

    def named(self) -> set[str]:
        """The fields that it looks at."""
        return {condition.field for condition in self.conditions} | {name.lstrip("-") for name in self.sort}

    @property
    def shape(self) -> str:
        return "&".join(
            [
                *(condition.shape for condition in self.conditions),
                "words" if self.words else "",
                "sort=" + ",".join(self.sort),
            ]
        )


class Reading(msgspec.Struct, frozen=True):
    """What reading a filter depends on: the workspace's context, the time, and how a reference is found."""

    context: Context
    now: datetime
    find_ref: Callable[[str, str], str | None]


def parse_filter(text: str, info: RecordInfo, reading: Reading) -> Filter:
    """Read a filter for records of one sort. Raises UsageError for an unknown field, BadValue for a value its field
    cannot have."""
    conditions: list[Condition] = []
    words: list[str] = []
    sort: list[str] = []
    for negated, name, operator, value in _tokens(_plain(text)):
        if not name:
            if negated:
                raise UsageError("a word cannot be negated: {word}", hint="Negate a field: -city:{word}", word=value)
            words.append(value)
        elif name == "sort":
            sort += [_sort_field(part, info) for part in value.split(",") if part]
        else:
            conditions.append(_condition(field_called(name, info), operator, value, reading, negated))
    if len(sort) > SORT_MOST:
        raise UsageError("at most {most} fields can be sorted by", most=SORT_MOST)
    if words and not info.searched:
        raise UsageError("{noun} have no text search", hint="Filter by a field.", noun=info.noun)
    return Filter(tuple(conditions), " ".join(words), tuple(sort))


def _plain(text: str) -> str:
    """What was typed, without what no field can hold; full-width marks count as plain ones outside quotation marks."""
    if len(text) > FILTER_MOST:
        raise UsageError("a filter has at most {most} characters", most=FILTER_MOST)
    if not text.isprintable() or not text.isascii():
        from bo.core.kernel.parsing import clean_text

        text = clean_text(text)
    parts = text.split('"')
    for wide, plain in WORDS.items():
        parts[::2] = [part.replace(wide, plain) for part in parts[::2]]
    return '"'.join(parts)


def _tokens(text: str) -> list[tuple[bool, str, str, str]]:
    if text.count('"') % 2:
        text += '"'
    found, place = [], 0
    while place < len(text):
        match = TOKEN.match(text, place)
        if match is None or match.end() == place:
            place += 1
            continue
        place = match.end()
        minus, name, operator, value = match.group(1), match.group(2) or "", match.group(3) or "", match.group(4) or ""
        if value.startswith('"'):
            value = value[1:-1].replace('\\"', '"')
        if name or value:
            found.append((bool(minus) and bool(name or value), name.lower(), operator, value))
    return found


def field_called(name: str, info: RecordInfo) -> FieldInfo:
    """The field of that name, label, or name without `_at`. Raises UsageError that lists the fields."""
    wanted = name.lower().replace("-", "_")
    for candidate in (wanted, f"{wanted}_at", wanted.rstrip("s"), f"{wanted}s"):
        if candidate in info.by_name:
            return info.by_name[candidate]
    for item in info.fields:
        if wanted in (*in_every_language(item.label), *(alias.lower() for alias in item.meta.aliases)):
            return item
    names = ", ".join(item.name for item in info.fields if not item.meta.internal)
    raise UsageError("{noun} have no field {field}", hint="Fields: {names}", noun=info.noun, field=name, names=names)


def _sort_field(text: str, info: RecordInfo) -> str:
    down = text.startswith("-")
    return ("-" if down else "") + field_called(text.lstrip("+-"), info).name


def _condition(item: FieldInfo, operator: str, value: str, reading: Reading, negated: bool) -> Condition:
    operator = ":" if operator == "=" else operator
    if operator == "!=":
        operator, negated = ":", not negated
    if operator == ":" and value.lower() in ("", "none", "any", "*"):
        return Condition(item.name, "any" if value.lower() in ("any", "*") else "none", (), negated)
    try:
        if isinstance(item.kind, TagsKind):
            written = msgspec.json.encode(value).decode()
            return Condition(item.name, "tag", (f"%{_escape(written)}%",), negated)
        if (operator == "~" and item.kind.column not in ("text", "json")) or (
            operator != "~" and item.kind.column == "json"
        ):
            raise UsageError("{field} cannot be compared with {operator}", field=item.name, operator=operator)
        if item.kind.column in ("moment", "day"):
            return _time_condition(item, operator, value, reading, negated)
        if operator == "~":
            return Condition(item.name, "like", (f"%{_escape(value)}%",), negated)
        if operator == ":" and BETWEEN in value and item.kind.column == "integer":
            low, high = (int(str(item.kind.decode(part, reading.context))) for part in value.split(BETWEEN, 1))
            return Condition(item.name, "range", (low, high + 1), negated)
        if operator == ":":
            return _equality(item, value, reading, negated)
        names = {">": "gt", ">=": "ge", "<": "lt", "<=": "le"}
        return Condition(item.name, names[operator], (item.kind.decode(value, reading.context),), negated)
    except BadValue as error:
        error.facts.setdefault("field", item.name)
        raise


def _equality(item: FieldInfo, value: str, reading: Reading, negated: bool) -> Condition:
    if isinstance(item.kind, (TextKind, PhoneKind)):
        if "*" in value:
            return Condition(item.name, "like", (_escape(value).replace("*", "%"),), negated)
        if isinstance(item.kind, PhoneKind) and "," not in value and len(value) < 8:
            return Condition(item.name, "like", (f"%{_escape(value)}",), negated)
    values = [_equal_value(item.kind, part, reading) for part in value.split(",") if part]
    if len(values) == 1:
        return Condition(item.name, "eq", (values[0],), negated)
    return Condition(item.name, "in", (tuple(values),), negated)


def _equal_value(kind: Kind, text: str, reading: Reading) -> object:
    if isinstance(kind, RefKind):
        return reading.find_ref(kind.record, text) or text
    return kind.decode(text, reading.context)


def _time_condition(item: FieldInfo, operator: str, text: str, reading: Reading, negated: bool) -> Condition:
    """Days mean whole days in the workspace's zone: `created:2026-11-01`, `created:2026-11-01..2026-11-07`,
    `created>=-7d`, `due<now`."""
    first, between, last = text.partition(BETWEEN) if operator == ":" else (text, "", "")
    try:
        start, end = _time_span(item, first, reading)
        if between:
            to, end = _time_span(item, last, reading)
            if isinstance(end, datetime) and to == end:
                end += timedelta(milliseconds=1)  # that moment too
    except OverflowError:
        raise BadValue("{value} is outside the calendar", hint="Write it like 2026-11-03.", value=text) from None
    if operator == ":":
        return (
            Condition(item.name, "range", (start, end), negated)
            if start != end
            else Condition(item.name, "eq", (start,), negated)
        )
    if operator == ">=":
        return Condition(item.name, "ge", (start,), negated)
    if operator == "<":
        return Condition(item.name, "lt", (start,), negated)
    if operator == ">":
        return Condition(item.name, "ge" if start != end else "gt", (end,), negated)
    return Condition(item.name, "lt" if start != end else "le", (end,), negated)


def _time_span(item: FieldInfo, text: str, reading: Reading) -> tuple[object, object]:
    """The half-open span that a text names; both ends alike where it is one moment."""
    from zoneinfo import ZoneInfo

    zone = ZoneInfo(reading.context.zone)
    today = reading.now.astimezone(zone).date()
    period = PERIOD.fullmatch(text)
    days = {"today": 0, "yesterday": -1, "tomorrow": 1, "今天": 0, "昨天": -1, "明天": 1}
    if text.lower() == "now":
        return (reading.now, reading.now) if item.kind.column == "moment" else (today, today + timedelta(days=1))
    if period is not None and period[2] != "d":
        moment = reading.now + timedelta(**{"hours" if period[2] == "h" else "minutes": int(period[1])})
        if item.kind.column == "moment":
            return moment, moment
        day = moment.astimezone(zone).date()
        return day, day + timedelta(days=1)
    if period is not None or text.lower() in days:
        day = today + timedelta(days=int(period[1]) if period is not None else days[text.lower()])
    elif item.kind.column == "moment" and len(text) > 10:
        exact = item.kind.decode(text, reading.context)
        return exact, exact
    else:
        day = _day(text)
    return _bounds(item, day, zone)


def _day(text: str) -> date:
    from bo.core.kernel.parsing import parse_day

    return parse_day(text)


def _bounds(item: FieldInfo, day: date, zone: Any) -> tuple[object, object]:
    if item.kind.column == "day":
        return day, day + timedelta(days=1)
    start, end = (datetime.combine(at, datetime.min.time(), tzinfo=zone) for at in (day, day + timedelta(days=1)))
    return start.astimezone(UTC), end.astimezone(UTC)


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


# -- SQL ---------------------------------------------------------------------------------------------------------------


def parameters(found: Filter, *, sqlite: bool, array: Callable[[Sequence[object]], object]) -> dict[str, object]:
    """The values of a filter's statement, by parameter."""
    from bo.core.kernel.search import fts5_query, tsquery

    values: dict[str, object] = {}
    for place, condition in enumerate(found.conditions):
        for part, value in enumerate(condition.values):
            values[f"c{place}_{part}"] = array(value) if isinstance(value, tuple) else value
    if found.words:
        values["words"] = fts5_query(found.words) if sqlite else tsquery(found.words)
        if not values["words"]:
            raise UsageError(
                "there is nothing to search for in {words}", hint="Type letters or digits.", words=found.words
            )
    return values


def clauses(info: RecordInfo, found: Filter, *, sqlite: bool) -> list[Any]:
    """The WHERE clauses of a filter."""
    import sqlalchemy as sa

    from bo.core.kernel.tables import matches, search_table, table

    made = table(info)
    wanted = [
        _clause(info.by_name[item.field], made.c[item.field], item, place)
        for place, item in enumerate(found.conditions)
    ]
    if found.words:
        index = search_table(info)
        key = index.c.rowid if sqlite else index.c.n
        found_by_words = sa.select(key).where(matches(index.c.body, sa.bindparam("words")))
        if any(item.shape == "id.eq" for item in found.conditions):
            # one record: the index is asked for that one, not for all that match
            wanted.append(found_by_words.where(key == made.c.n).exists())
        else:
            wanted.append(made.c.n.in_(found_by_words))
    return wanted


def _clause(field: FieldInfo, column: Any, item: Condition, place: int) -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import in_list, like

    first, second = (sa.bindparam(f"c{place}_{part}", type_=column.type) for part in (0, 1))
    built: dict[str, Callable[[], Any]] = {
        "eq": lambda: column == first,
        "in": lambda: in_list(column, sa.bindparam(f"c{place}_0")),
        "lt": lambda: column < first,
        "le": lambda: column <= first,
        "gt": lambda: column > first,
        "ge": lambda: column >= first,
        "like": lambda: like(column, first),
        "tag": lambda: sa.and_(column.is_not(None), like(column, first)),
        "range": lambda: sa.and_(column >= first, column < second),
        "none": lambda: _empty(field, column),
        "any": lambda: sa.not_(_empty(field, column)),
    }
    clause = built[item.operator]()
    if not item.negated:
        return clause
    return sa.or_(column.is_(None), sa.not_(clause)) if item.operator not in ("none", "any") else sa.not_(clause)


def _empty(field: FieldInfo, column: Any) -> Any:
    import sqlalchemy as sa

    return sa.or_(column.is_(None), column == "") if field.kind.column in ("text", "json") else column.is_(None)


def order(info: RecordInfo, sort: Sequence[str]) -> list[Any]:
    """ORDER BY with the row number last, so that the order is total. Nulls come first going up, last going down, on
    both databases."""
    from bo.core.kernel.tables import table

    made = table(info)
    by = []
    for name in sort:
        column = made.c[name.lstrip("-")]
        by.append(column.desc().nulls_last() if name.startswith("-") else column.asc().nulls_first())
    return [*by, made.c.n.desc() if _descending(sort) else made.c.n.asc()]


def _descending(sort: Sequence[str]) -> bool:
    return not sort or sort[0].startswith("-")


def after_clause(info: RecordInfo, sort: Sequence[str], nulls: Sequence[bool]) -> Any:
    """Rows that come after a given one; parameters k0, k1 … and `kn`. `nulls` says which of its values are NULL."""
    import sqlalchemy as sa

    from bo.core.kernel.tables import table

    made = table(info)
    n: Any = sa.bindparam("kn", type_=made.c.n.type)
    clause: Any = made.c.n < n if _descending(sort) else made.c.n > n
    for place in reversed(range(len(sort))):
        column, down = made.c[sort[place].lstrip("-")], sort[place].startswith("-")
        value = sa.bindparam(f"k{place}", type_=column.type)
        if nulls[place]:
            later: Any = sa.false() if down else column.is_not(None)
            clause = sa.or_(later, sa.and_(column.is_(None), clause))
        else:
            later = sa.or_(column < value, column.is_(None)) if down else column > value
            clause = sa.or_(later, sa.and_(column == value, clause))
    return clause
