"""How values of records are written in cells: moments in the office's time, references by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from rich.cells import cell_len

from bo.core.kernel.errors import BoError
from bo.core.kernel.text import _
from bo.core.kernel.workspace import utc_now
from bo.tui.cells import sentence
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
SENTENCES = (*NAMES[:2], "reason", "text", "arithmetic")  # wider from the start than other texts
TAIL = 8
ASKED_AT_ONCE = 50  # a filter has an end
# What a decision hangs on must be seen on a narrow screen, so it comes before the rest.
FIRST = {
    "orders": ("number", "placed_at", "total", "payment"),
    "settlements": ("number", "total"),
    "stock": ("variant", "warehouse", "on_hand", "allocated"),
    "bank_lines": ("day", "amount", "counterparty", "purpose"),
}
# What is told apart by its end, and what a decision hangs on.
LONG = {
    "settlements": {"number": 19},
    "payouts": {"settlement": 19},
    "stock": {"variant": 24},
    "bank_lines": {"state": 15, "counterparty": 16, "purpose": 18},
}
# What people know a record by that has no name of its own.
POINTERS = {"exceptions": "order", "refunds": "order", "payments": "order", "fulfilments": "order", "stock": "variant"}
# What people say, where that is not the name of a person, or names one of many that are called alike.
CALLED = {"orders": "number", "variants": "sku"}
# Texts that the office's own commands write, in the user's words; what people and files say stays as it is.
SAID: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("leads", "due_kind"): {
        "review": "the review", "info": "what is missing", "accept": "the store's answer",
        "first_contact": "the first contact", "follow_up": "the next contact", "visit": "the visit",
        "hold": "the end of the pause",
    },
    ("payments", "method"): {
        "imported": "as imported", "reported": "as reported", "exchange": "by an exchange",
        "store_credit": "by store credit", "bank": "by bank",
    },
    ("bank_matches", "how"): {
        "hand": "by hand", "id": "by the id of the payment", "reference": "by the reference", "amount": "by the amount",
        "kind": "by its kind",
    },
    ("payouts", "reason"): {},
    ("exception_rules", "name"): {},
}  # fmt: skip
OPERATOR = "oper_"
DEADLINE, SOON_MIN = "due_at", 120


def columns_of(info: RecordInfo) -> tuple[str, ...]:
    """The columns of a list: the state first, which glyph and colour belong to, then how much time there is; the
    natural key last."""
    wanted = info.columns or tuple(item.name for item in info.fields if not item.meta.internal)
    first = {*NAMES[:3], name_field(info), *FIRST.get(info.noun, ())}
    names = [name for name in wanted if name not in ("id", "state") and (name not in info.key or name in first)]
    early = (DEADLINE, *FIRST.get(info.noun, ()))
    names.sort(key=lambda name: early.index(name) if name in early else len(early))
    keys = [name for name in info.key if name in wanted and name not in names]
    return (*(("state",) if info.states else ()), *names, *keys)


def column_for(item: FieldInfo, noun: str) -> Column:
    kind = "deadline" if item.name == DEADLINE else item.kind.name
    width = LONG.get(noun, {}).get(item.name, 16 if item.name in SENTENCES else _WIDTHS.get(kind, 10))
    right, title = kind in ("amount", "whole", "rate"), sentence(_(item.label))
    if kind == "whole":
        width = max(width, cell_len(title) + 2)  # with the mark of the sort behind it
    grows = item.name in SENTENCES or kind == "text"
    return Column(item.name, title, width, "right" if right else "left", grow=grows)


def title_field(info: RecordInfo) -> str:
    """The field that stands over a record."""
    return POINTERS.get(info.noun) or name_field(info)


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
        self._home = self.currency = reader.context.currency

    def row(self, names: Sequence[str], values: Sequence[object], currency: object) -> tuple[str, ...]:
        """As `cells`, of a record with a currency of its own: amounts in another than the office's say in which."""
        self.currency = str(currency or self._home)
        cells = self.cells(names, values)
        if self.currency == self._home:
            return cells
        return tuple(
            f"{cell} {self.currency}" if cell and self._is_amount(name) else cell
            for name, cell in zip(names, cells, strict=True)
        )

    def _is_amount(self, name: str) -> bool:
        return name in self._info.by_name and self._info.by_name[name].kind.name == "amount"

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

    def moment(self, value: object, *, seconds: bool = False) -> str:
        """A moment in the office's time zone, to the minute; with its seconds where they are asked for and not 0."""
        at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        local = at.astimezone(self._zone)
        return local.strftime("%Y-%m-%d %H:%M:%S" if seconds and local.second else "%Y-%m-%d %H:%M")

    def deadline(self, value: object) -> tuple[str, Tone]:
        """How long there is, or how late it is, in words that need no colour."""
        at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        left = round((at - self._clock()).total_seconds() / 60)
        words = _span(abs(left))
        if left < 0:
            return _("{time} late", time=words), "bad"
        return _("in {time}", time=words), "warn" if left < SOON_MIN else "text"

    def people(self, ids: set[str]) -> Mapping[str, str]:
        """Names of operators."""
        return self.names("operators", ids - {"system"})

    def names(self, noun: str, ids: set[str]) -> Mapping[str, str]:
        """What records are called; those that may not be read and whose names are not for everybody, by the end of
        their id."""
        self._learn(noun, ids)
        return self._names[noun]

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
            others = (name for name in NAMES if name in info.by_name)
            fields = ("id", *dict.fromkeys((name_field(info), *info.key, *others)))
            # Always a list, so that one id and many are one statement.
            page = self._reader.page(noun, f"id:{','.join([*wanted, wanted[0]])}", fields=fields, limit=len(wanted) + 1)
        except BoError:
            known.update(self._reader.called(noun, wanted))
            return
        for row in page.rows:
            called = next((str(value) for value in row[1:] if value), known[str(row[0])])
            known[str(row[0])] = said(noun, fields[1], called)

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
                return lambda value: said(self._info.noun, name, self._person(str(value)))
            case "amount" | "rate":
                return lambda value: kind.show(value, self.currency)
            case _:
                return str


def said(noun: str, name: str, text: str) -> str:
    """A text of a record as the user reads it."""
    words = SAID.get((noun, name))
    return text if words is None else _(words.get(text, text))


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
