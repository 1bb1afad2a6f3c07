"""How values of records are written in cells: moments in the office's time, references by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from bo.core.kernel.errors import BoError
from bo.core.kernel.text import _
from bo.core.kernel.workspace import utc_now
from bo.tui.looks import Tone
from bo.tui.source import Column

if TYPE_CHECKING:
    from bo.core.kernel.kinds import Kind
    from bo.core.kernel.reader import Reader
    from bo.core.kernel.record import FieldInfo, RecordInfo

NAMES = ("name", "title", "login", "code", "number")
_WIDTHS = {
    "moment": 16,
    "deadline": 11,
    "day": 10,
    "phone": 15,
    "amount": 12,
    "whole": 8,
    "rate": 8,
    "flag": 5,
    "choice": 14,
    "ref": 14,
}
SENTENCES = (*NAMES[:2], "reason", "text", "arithmetic")  # what takes the room that is left
TAIL = 8
ASKED_AT_ONCE = 50  # a filter has an end
# What a decision hangs on must be seen on a narrow screen, so it comes before the rest.
FIRST = {"orders": ("number", "placed_at", "total", "payment")}
POINTERS = ("exceptions", "refunds", "payments", "fulfilments")  # people know them by their order
CALLED = {"orders": "number"}  # what people say, where that is not the name of a person
OPERATOR = "oper_"
DEADLINE, SOON_MIN = "due_at", 120


def columns_of(info: RecordInfo) -> tuple[str, ...]:
    """The columns of a list: the state first, which glyph and colour belong to, then how much time there is; the
    natural key last."""
    wanted = info.columns or tuple(item.name for item in info.fields if not item.meta.internal)
    first = {*NAMES[:3], name_field(info)}
    names = [name for name in wanted if name not in ("id", "state") and (name not in info.key or name in first)]
    early = (DEADLINE, *FIRST.get(info.noun, ()))
    names.sort(key=lambda name: early.index(name) if name in early else len(early))
    keys = [name for name in info.key if name in wanted and name not in names]
    return (*(("state",) if info.states else ()), *names, *keys)


def column_for(item: FieldInfo) -> Column:
    kind = "deadline" if item.name == DEADLINE else item.kind.name
    width = 16 if item.name in SENTENCES else _WIDTHS.get(kind, 10)
    right = kind in ("amount", "whole", "rate")
    return Column(
        item.name, _(item.label).capitalize(), width, "right" if right else "left", grow=item.name in SENTENCES
    )


def title_field(info: RecordInfo) -> str:
    """The field that stands over a record."""
    return "order" if info.noun in POINTERS else name_field(info)


def name_field(info: RecordInfo) -> str:
    """The field that people call a record by."""
    return CALLED.get(info.noun) or next((name for name in NAMES if name in info.by_name), "id")


class Shown:
    """Writes values for one reader. What it learns about references holds as long as the view does."""

    def __init__(self, reader: Reader, info: RecordInfo, clock: Callable[[], datetime] = utc_now) -> None:
        from zoneinfo import ZoneInfo

        self._clock = clock

        self._reader = reader
        self._info = info
        self._zone = ZoneInfo(reader.context.zone)
        self._names: dict[str, dict[str, str]] = {}
        self._writers: dict[str, Callable[[object], str]] = {}
        self.currency = reader.context.currency

    def cells(self, names: Sequence[str], values: Sequence[object]) -> tuple[str, ...]:
        """Stored values of a row as texts."""
        return tuple(
            "" if value is None or value == "" else self._writer(name)(value)
            for name, value in zip(names, values, strict=True)
        )

    def learn_refs(self, names: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Look up the names of everything that these rows refer to, one question for each noun."""
        for index, name in enumerate(names):
            noun = self._refers(name)
            if noun:
                self._learn(noun, {str(row[index]) for row in rows if row[index]})

    def record(self, values: Mapping[str, object]) -> dict[str, str]:
        """Loaded values of a record as texts, in the order of its fields."""
        for name, value in values.items():
            noun = self._refers(name)
            if noun and value:
                self._learn(noun, {str(value)})
        self.people({value for value in values.values() if isinstance(value, str) and value.startswith(OPERATOR)})
        self.currency = str(values.get("currency") or self._reader.context.currency)
        names = list(values)
        cells = self.cells(names, [_plain(values[name]) for name in names])
        return dict(zip(names, cells, strict=True))

    def titles(self, names: Iterable[str]) -> dict[str, str]:
        """What the fields are called."""
        return {name: _(self._info.by_name[name].label) for name in names}

    def plain(self, item: FieldInfo, value: object) -> str:
        """A value of a journal image as text."""
        noun = self._refers(item.name)
        if noun and value:
            self._learn(noun, {str(value)})
        if isinstance(value, str) and value.startswith(OPERATOR):
            self.people({value})
        if item.name == DEADLINE and value:
            return self.moment(value)
        return self.cells([item.name], [value])[0]

    def moment(self, value: object) -> str:
        """A moment in the office's time zone, to the minute."""
        at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        return at.astimezone(self._zone).strftime("%Y-%m-%d %H:%M")

    def deadline(self, value: object) -> tuple[str, Tone]:
        """How long there is, or how late it is, in words that need no colour."""
        at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        left = round((at - self._clock()).total_seconds() / 60)
        words = _span(abs(left))
        if left < 0:
            return _("{time} late", time=words), "bad"
        return _("in {time}", time=words), "warn" if left < SOON_MIN else "text"

    def people(self, ids: set[str]) -> Mapping[str, str]:
        """Names of operators; what may not be read stays an id."""
        self._learn("operators", ids - {"system"})
        return self._names.get("operators", {})

    def _person(self, text: str) -> str:
        """Who is meant where a text field keeps the id of an operator."""
        return self._names.get("operators", {}).get(text, text) if text.startswith(OPERATOR) else text

    def refers(self, item: FieldInfo) -> str:
        """The noun of the record that a field names; nothing for other fields."""
        return str(item.kind.describe().get("record", "")) if item.kind.name == "ref" else ""

    def _refers(self, name: str) -> str:
        item = self._info.by_name.get(name)
        return self.refers(item) if item is not None else ""

    def _learn(self, noun: str, ids: Iterable[str]) -> None:
        known = self._names.setdefault(noun, {})
        wanted = [record_id for record_id in ids if record_id not in known]
        if not wanted:
            return
        known.update((record_id, record_id.rpartition("_")[2][-TAIL:]) for record_id in wanted)
        for at in range(0, len(wanted), ASKED_AT_ONCE):
            self._ask(noun, known, wanted[at : at + ASKED_AT_ONCE])

    def _ask(self, noun: str, known: dict[str, str], wanted: list[str]) -> None:
        try:
            info = self._reader.info(noun)
            fields = ("id", *dict.fromkeys((name_field(info), *info.key)))
            # Always a list, so that one id and many are one statement.
            page = self._reader.page(noun, f"id:{','.join([*wanted, wanted[0]])}", fields=fields, limit=len(wanted) + 1)
        except BoError:
            return
        for row in page.rows:
            known[str(row[0])] = next((str(value) for value in row[1:] if value), known[str(row[0])])

    def _writer(self, name: str) -> Callable[[object], str]:
        writer = self._writers.get(name)
        if writer is None:
            item = self._info.by_name.get(name)
            writer = self._writers[name] = str if item is None else self._writer_of(name, item.kind)
        return writer

    def _writer_of(self, name: str, kind: Kind) -> Callable[[object], str]:
        noun = self._refers(name)
        if noun:
            return lambda value: self._names.get(noun, {}).get(str(value), str(value))
        if name == DEADLINE:
            return lambda value: self.deadline(value)[0]
        match kind.name:
            case "moment":
                return self.moment
            case "flag":
                return lambda value: _("yes") if value else ""
            case "choice":
                described = kind.describe()
                options, labels = described.get("options"), described.get("labels")
                words = (
                    dict(zip(options, labels, strict=True))
                    if isinstance(options, list) and isinstance(labels, list)
                    else {}
                )
                return lambda value: _(str(words.get(value, value)))
            case "tags" | "facts":
                return _listed
            case "text":
                return lambda value: self._person(str(value))
            case "amount" | "rate":
                return lambda value: kind.show(value, self.currency)
            case _:
                return str


def _span(minutes: int) -> str:
    """Minutes below two hours, hours below two days, then days."""
    if minutes < 120:
        return _("{count} min", count=minutes)
    return _("{count} h", count=minutes // 60) if minutes < 2880 else _("{count} d", count=minutes // 1440)


def _plain(value: object) -> object:
    """A loaded value as it would be stored, as far as writing it needs."""
    if isinstance(value, bool):
        return value or None
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    return None if value in ((), {}) else value


def _listed(value: object) -> str:
    import msgspec

    if isinstance(value, str):
        value = msgspec.json.decode(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={item}" for name, item in value.items())
    return ", ".join(str(item) for item in value) if isinstance(value, (list, tuple)) else str(value)
