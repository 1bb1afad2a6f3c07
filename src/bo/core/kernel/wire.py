"""What records, answers of queries and changes look like to programs: the same on the command line and over HTTP.

Amounts are text in major units with their currency beside them, rates are percentages, days and moments ISO text. It
decides no right: who may see a row or field is decided before.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final, get_args, get_type_hints

import msgspec

from bo.core.kernel.errors import BoError
from bo.core.kernel.kinds import Kind, TagsKind, moment_text
from bo.core.kernel.reader import Reader, Row, wire_row
from bo.core.kernel.record import FieldInfo, RecordInfo, declared_records, read_annotation
from bo.core.kernel.tx import SYSTEM

if TYPE_CHECKING:
    from bo.core.kernel.unit import Change

CURRENCY: Final = "currency"
UNTOLD: Final = frozenset(("id", "revision", "created_at", "updated_at", "scope"))
BLANK: Final[tuple[object, ...]] = (None, "", [], {})  # not worth telling about a new record

Changed = dict[str, list[object]]
_KINDS: dict[type, dict[str, Kind | None]] = {}  # of the types that answers are made of


class Rows:
    """How rows of some fields are written. `fields` are those to read, `names` what is written: where there are
    amounts, their currency comes with them.
    """

    def __init__(self, info: RecordInfo, fields: Sequence[FieldInfo], currency: str) -> None:
        self.is_money = any(item.kind.name == "amount" for item in fields)
        self.asked_currency = any(item.name == CURRENCY for item in fields)
        if self.is_money and not self.asked_currency and CURRENCY in info.by_name:
            fields = (*fields, info.by_name[CURRENCY])
        self.fields = tuple(fields)
        names = [item.name for item in self.fields]
        self.place = names.index(CURRENCY) if CURRENCY in names else None
        self.names = (*names, CURRENCY) if self.is_money and self.place is None else tuple(names)
        self.currency = currency
        self._wire = wire_row(self.fields, currency)

    def written(self, batch: Sequence[Row]) -> list[list[object]]:
        """Rows of `fields` as rows of `names`."""
        rows = [self._wire(row) for row in batch]
        if self.is_money:
            for row in rows:
                if self.place is None:
                    row.append(self.currency)
                else:
                    row[self.place] = row[self.place] or self.currency
        return rows


# -- answers of queries ------------------------------------------------------------------------------------------------


def kinds_of(cls: type) -> dict[str, Kind | None]:
    """The fields of a typed answer, each with its kind where it has one; none for what is no such thing."""
    found = _KINDS.get(cls)
    if found is None:
        typed = issubclass(cls, msgspec.Struct) or hasattr(cls, "__dataclass_fields__")
        hints = get_type_hints(cls, include_extras=True) if typed else {}
        found = {name: read_annotation(hint)[0] for name, hint in hints.items() if not name.startswith("_")}
        _KINDS[cls] = found
    return found


def item_class(function: Callable[..., object]) -> type:
    """What a query's list holds, read off its annotation."""
    held = get_args(get_type_hints(function).get("return"))
    return held[0] if held and isinstance(held[0], type) else str


def plain(item: object, currency: str) -> dict[str, object]:
    """A typed answer as JSON has it: amounts in major units of its own currency, also in what it holds."""
    values: dict[str, object] = msgspec.to_builtins(item)
    own = str(values.get(CURRENCY) or currency)
    made: dict[str, object] = {}
    for name, kind in kinds_of(type(item)).items():
        value = values.get(name)
        if kind is not None:
            if kind.name == "moment":
                value = getattr(item, name)
            made[name] = kind.wire(value, own) if kind.name in ("amount", "rate", "moment") else value
            continue
        held = getattr(item, name, None)
        if isinstance(held, (list, tuple)) and held and kinds_of(type(held[0])):
            made[name] = [plain(part, own) for part in held]
        else:
            made[name] = value
    return made


# -- what changed ------------------------------------------------------------------------------------------------------


def changed_fields(change: Change, currency: str, hidden: Collection[str] = ()) -> Changed:
    """The fields in which a change's images differ, as [before, after]. `currency` is the office's."""
    info = declared_records()[change.noun]
    before, after = change.values()
    own = str((after or before or {}).get(CURRENCY) or currency)
    found: Changed = {}
    for name in {**(before or {}), **(after or {})}:
        item = info.by_name.get(name)
        if item is None or name in UNTOLD or name in hidden:
            continue
        if before and after and before.get(name) == after.get(name):
            continue
        was, now = _value(item, before, own), _value(item, after, own)
        if was != now and not (before is None and now in BLANK):
            found[name] = [was, now]
    return found


def _value(item: FieldInfo, image: dict[str, object] | None, currency: str) -> object:
    """A field's value; images leave defaults out, and where there is no image there is no value."""
    if image is None:
        return None
    value = image.get(item.name, item.default)
    if item.kind.name == "moment" and isinstance(value, str):
        return moment_text(datetime.fromisoformat(value))
    if item.kind.name in ("amount", "rate", "day", "moment") and value is not None:
        return item.kind.wire(value, currency)
    if isinstance(item.kind, TagsKind):
        return list(value) if isinstance(value, (list, tuple)) else []
    return value


class Names:
    """The logins of operators by id, looked up once each; for a reader who may not read them what they are called."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.known: dict[str, str] = {SYSTEM.id: SYSTEM.id}

    def of(self, operator: str) -> str:
        if operator not in self.known:
            try:
                found = self.reader.get(self.reader.registry.record("operators"), operator)
                self.known[operator] = str(getattr(found, "login", operator))
            except BoError:
                self.known[operator] = self.reader.called("operators", [operator]).get(operator, operator)
        return self.known[operator]
