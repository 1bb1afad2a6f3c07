"""Kinds: what a field *is*. A kind reads a value from text or JSON, writes it back, and names its column; never where
it sits on a screen.

    lead.phone: Phone | None          Phone = Annotated[str, PhoneKind()]

A parameter or field is described once: by its kind, and by a `Field` beside it for its label, other names in files, and
whether it is searched.
Reading (`decode`) accepts both text from people and JSON values; what cannot be read is a `BadValue`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Annotated, Final, Literal, TypeAlias
from unicodedata import is_normalized

import msgspec

from bo.core.kernel.errors import BadValue

Column: TypeAlias = Literal["text", "integer", "flag", "moment", "day", "json"]
Primitive: TypeAlias = str | int | bool | None
REFERENCE_LONGEST: Final = 2_000
LARGEST: Final = 2**62  # fits the integer columns of every database with room for sums
RATE_MOST: Final = 1_000_000  # basis points: a hundredfold
TRUE_WORDS: Final = frozenset(("1", "y", "yes", "true", "on", "是", "有", "t"))
FALSE_WORDS: Final = frozenset(("0", "n", "no", "false", "off", "否", "无", "f"))


class Context(msgspec.Struct, frozen=True):
    """What reading a value may depend on: fixed when a workspace is made."""

    region: str = "CN"
    currency: str = "CNY"
    zone: str = "Asia/Shanghai"


class Field(msgspec.Struct, frozen=True):
    """How a field is called and found. `aliases` are header names seen in files of others."""

    label: str = ""
    aliases: tuple[str, ...] = ()
    search: bool = False  # in the full-text index
    lookup: bool = False  # indexed, so that commands may `find` by it
    unique: bool = False
    index: bool = False
    help: str = ""
    internal: bool = False  # kept by the kernel or a rule; not shown or exported unless asked for
    public: bool = False  # of a shop or an office, not of a person: never masked
    needs: str = ""  # a permission without which the value is neither shown nor sent; only for what may be blank


class Kind:
    """Read, write and store one sort of value."""

    name: str = ""
    column: Column = "text"
    personal: bool = False
    masked: bool = False  # shown in part to whoever may not see how somebody can be reached
    secret: bool = False

    def mask(self, text: str) -> str:
        """Enough of the value to tell it from others, and not enough to reach anybody."""
        return text[:2] + "****" if len(text) > 4 else "****"

    def decode(self, value: object, context: Context) -> object:
        """The value that a text or JSON value stands for. Raises BadValue."""
        raise NotImplementedError

    def wire(self, value: object, currency: str) -> object:
        """The value as JSON and people read it; `currency` is that of the record, for amounts."""
        return value

    def show(self, value: object, currency: str) -> str:
        """The value as text for a table cell."""
        shown = self.wire(value, currency)
        return "" if shown is None else str(shown)

    def describe(self) -> dict[str, object]:
        """What a form, a schema and the manifest need to know."""
        return {"kind": self.name}


class TextKind(Kind):
    name = "text"

    def __init__(
        self, longest: int = 2000, *, personal: bool = False, masked: bool = False, lines: bool = False
    ) -> None:
        self.longest = longest
        self.personal = personal
        self.masked = masked
        self.lines = lines

    def decode(self, value: object, context: Context) -> str:
        text = value if type(value) is str else _as_text(value)
        # printable already means: no control, bidi or zero-width characters
        if not (
            text.isprintable()
            and text
            and text[0] != " "
            and text[-1] != " "
            and (text.isascii() or is_normalized("NFC", text))
        ):
            text = _clean(text, self.lines)
        if len(text) > self.longest:
            raise BadValue(
                "text is {length} characters long, at most {longest} are kept", length=len(text), longest=self.longest
            )
        return text


class PhoneKind(Kind):
    name = "phone"
    personal = True
    masked = True

    def mask(self, text: str) -> str:
        return f"{text[:-8]}****{text[-4:]}" if len(text) > 10 else "****" + text[-2:]

    def decode(self, value: object, context: Context) -> str:
        from bo.core.kernel.parsing import parse_phone

        return parse_phone(_as_text(value), context.region)


class EmailKind(Kind):
    name = "email"
    personal = True
    masked = True

    def mask(self, text: str) -> str:
        return f"{text[:1]}***@{text.rpartition('@')[2]}"

    def decode(self, value: object, context: Context) -> str:
        from bo.core.kernel.parsing import parse_email

        return parse_email(_as_text(value))


class WholeKind(Kind):
    name = "whole"
    column = "integer"

    def __init__(self, least: int = -LARGEST, most: int = LARGEST) -> None:
        self.least, self.most = least, most

    def decode(self, value: object, context: Context) -> int:
        number = _as_whole(value)
        if not self.least <= number <= self.most:
            raise BadValue("{value} is outside {least} to {most}", value=number, least=self.least, most=self.most)
        return number


class AmountKind(Kind):
    """Money in minor units. Text is read in major units; a JSON integer already is minor units."""

    name = "amount"
    column = "integer"

    def decode(self, value: object, context: Context) -> int:
        if type(value) is int:
            return value if -LARGEST <= value <= LARGEST else _within(value, LARGEST)
        from bo.core.kernel.parsing import parse_amount

        return parse_amount(_as_text(value), context.currency)

    def wire(self, value: object, currency: str) -> object:
        from bo.core.kernel.parsing import format_amount

        return None if value is None else format_amount(int(str(value)), currency)


class RateKind(Kind):
    """A ratio in basis points (1/10000). Text is read as percent: `5%` or `5` is 500; a JSON integer already is basis
    points."""

    name = "rate"
    column = "integer"

    def decode(self, value: object, context: Context) -> int:
        if type(value) is int:
            return _within(value, RATE_MOST)
        from decimal import Decimal, InvalidOperation, Overflow

        text = _as_text(value).strip().removesuffix("%").strip()
        try:
            points = Decimal(text) * 100
        except (InvalidOperation, Overflow):
            raise BadValue("{value} is not a percentage", hint="Write it like 5 or 2.5%.", value=text) from None
        if points != points.to_integral_value() or abs(points) > RATE_MOST:
            raise BadValue("{value} is not a percentage with at most two decimals", value=text)
        return int(points)

    def wire(self, value: object, currency: str) -> object:
        if not isinstance(value, int):
            return None
        sign, points = "-" if value < 0 else "", abs(value)
        return f"{sign}{points // 100}.{points % 100:02d}%"


class CurrencyKind(Kind):
    name = "currency"

    def decode(self, value: object, context: Context) -> str:
        code = _as_text(value).strip().upper()
        if len(code) != 3 or not code.isascii() or not code.isalpha():
            raise BadValue(
                "{value} is not a currency code",
                hint="Use the three letters of ISO 4217, such as CNY or EUR.",
                value=code,
            )
        return code


class DayKind(Kind):
    name = "day"
    column = "day"

    def decode(self, value: object, context: Context) -> date:
        if type(value) is date:
            return value
        from bo.core.kernel.parsing import parse_day

        return parse_day(_as_text(value))

    def wire(self, value: object, currency: str) -> object:
        return value.isoformat() if isinstance(value, date) else value


class MomentKind(Kind):
    name = "moment"
    column = "moment"

    def decode(self, value: object, context: Context) -> datetime:
        if type(value) is datetime and value.tzinfo is not None:
            moment = value.astimezone(UTC)
            return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
        from bo.core.kernel.parsing import parse_moment

        return parse_moment(_as_text(value), context.zone)

    def wire(self, value: object, currency: str) -> object:
        return moment_text(value) if isinstance(value, datetime) else value


class FlagKind(Kind):
    name = "flag"
    column = "flag"

    def decode(self, value: object, context: Context) -> bool:
        if type(value) is bool:
            return value
        word = _as_text(value).strip().lower()
        if word in TRUE_WORDS:
            return True
        if word in FALSE_WORDS:
            return False
        raise BadValue("{value} is neither yes nor no", hint="Write yes or no.", value=word)


class ChoiceKind(Kind):
    """One of a few words. `labels` are message ids for people, in the order of `options`."""

    name = "choice"

    def __init__(self, *options: str, labels: tuple[str, ...] = ()) -> None:
        self.options = tuple(str(option) for option in options)
        self.labels = labels or tuple(option.replace("_", " ") for option in self.options)

    def decode(self, value: object, context: Context) -> str:
        word = _as_text(value).strip()
        if word in self.options:
            return word
        plain = word.lower().replace(" ", "_").replace("-", "_")
        if plain in self.options:
            return plain
        found = [option for option, label in zip(self.options, self.labels, strict=True) if _means(label, word)]
        if len(found) == 1:
            return found[0]
        raise BadValue("{value} is not one of: {options}", value=word, options=", ".join(self.options))

    def describe(self) -> dict[str, object]:
        return {"kind": self.name, "options": list(self.options), "labels": list(self.labels)}


class RefKind(Kind):
    """The id of a record of another table, or whatever `resolve` finds by: an id's unique tail, or its natural key."""

    name = "ref"

    def __init__(self, record: str) -> None:
        self.record = record

    def decode(self, value: object, context: Context) -> str:
        text = _as_text(value).strip()
        if not text.isprintable() or len(text) > REFERENCE_LONGEST:
            raise BadValue("{value} stands for no record", value=repr(text[:40]))
        return text

    def describe(self) -> dict[str, object]:
        return {"kind": self.name, "record": self.record}


class TagsKind(Kind):
    """Several words. Text is split at commas (also the Chinese ones) and semicolons; kept sorted, without doubles."""

    name = "tags"
    column = "json"

    def decode(self, value: object, context: Context) -> tuple[str, ...]:
        if isinstance(value, (list, tuple)):
            words = [_as_text(word) for word in value]
        else:
            import re

            words = re.split(r"[,;，；、]", _as_text(value))
        cleaned = (_clean(word, lines=False) for word in words)
        return tuple(sorted({word for word in cleaned if word}))

    def wire(self, value: object, currency: str) -> object:
        return list(value) if isinstance(value, tuple) else value

    def show(self, value: object, currency: str) -> str:
        return ",".join(value) if isinstance(value, tuple) else ""


class FactsKind(Kind):
    """Names with values: columns that a file had and we have no field for, or the frozen inputs of a computation."""

    name = "facts"
    column = "json"

    def decode(self, value: object, context: Context) -> dict[str, Primitive]:
        found: object = value
        if isinstance(value, str):
            try:
                found = msgspec.json.decode(value)
            except msgspec.DecodeError:
                raise BadValue("{value} is not a JSON object", value=value[:80]) from None
        if not isinstance(found, Mapping):
            raise BadValue("expected names with values")
        return {_storable(str(key)): _fact(str(key), item) for key, item in found.items()}

    def show(self, value: object, currency: str) -> str:
        return msgspec.json.encode(value).decode() if value else ""


class RowsKind(Kind):
    """Rows of a few named values, such as the lines of an order: a JSON array of objects. `required` is in each."""

    name = "rows"
    column = "json"

    def __init__(self, *required: str, most: int = 5_000, **kinds: Kind) -> None:
        self.kinds = kinds
        self.required = required
        self.most = most

    def decode(self, value: object, context: Context) -> tuple[dict[str, object], ...]:
        found: object = value
        if isinstance(value, str):
            try:
                found = msgspec.json.decode(value)
            except msgspec.DecodeError:
                raise BadValue("{value} is not a JSON array of objects", value=value[:80]) from None
        if not isinstance(found, (list, tuple)) or len(found) > self.most:
            raise BadValue("expected at most {most} rows, as a JSON array", most=self.most)
        return tuple(self._row(number, row, context) for number, row in enumerate(found, 1))

    def _row(self, number: int, row: object, context: Context) -> dict[str, object]:
        if not isinstance(row, Mapping):
            raise BadValue("row {number} is no object with names and values", number=number)
        made: dict[str, object] = {}
        kinds, name = self.kinds, ""
        try:
            for name, given in row.items():
                kind = kinds[name]
                if given is not None and given != "":
                    made[name] = kind.decode(given, context)
        except BadValue as error:
            reason = str(error)
            raise BadValue("row {number}, {name}: {reason}", number=number, name=name, reason=reason) from None
        except KeyError:
            raise BadValue("row {number} has {name}, which is not known", number=number, name=str(name)[:80]) from None
        for name in self.required:
            if name not in made:
                raise BadValue("row {number} needs {name}", number=number, name=name)
        return made

    def describe(self) -> dict[str, object]:
        rows = {name: kind.describe() for name, kind in self.kinds.items()}
        return {"kind": self.name, "rows": rows, "required": list(self.required)}

    def show(self, value: object, currency: str) -> str:
        return msgspec.json.encode(value).decode() if value else ""


def rows_key(rows: Sequence[Mapping[str, object]]) -> str:
    """What rows of a `RowsKind` are known by: equal rows have equal keys; "" for none."""
    if not rows:
        return ""
    from hashlib import blake2b

    return blake2b(msgspec.json.encode(list(rows), order="sorted"), digest_size=12).hexdigest()


class IdKind(Kind):
    name = "id"

    def decode(self, value: object, context: Context) -> str:
        text = _as_text(value).strip()
        if not text.isprintable():
            raise BadValue("{value} is not an id", value=repr(text[:40]))
        return text


@lru_cache(maxsize=256)
def moment_text(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds: always 24 characters, so that text sorts as time does."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return moment.isoformat(timespec="milliseconds")[:-6] + "Z"


def moment_of(value: object) -> datetime:
    """The time that a database holds, as text or as a time."""
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))


def _means(label: str, word: str) -> bool:
    from bo.core.kernel.text import in_every_language

    return word.lower() in in_every_language(label)


def _as_text(value: object) -> str:
    if type(value) is str:
        return value
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise BadValue("expected text, not {type}", type=type(value).__name__)
    return str(value)


def _as_whole(value: object) -> int:
    if type(value) is int:
        return value
    text = _as_text(value).strip().replace(",", "")
    try:
        if not text.isascii() or "_" in text:
            raise ValueError
        return int(text.removesuffix(".0"))
    except ValueError:
        raise BadValue("{value} is not a whole number", value=text[:40]) from None


def _within(number: int, most: int) -> int:
    if not -most <= number <= most:
        raise BadValue("{value} is outside {least} to {most}", value=number, least=-most, most=most)
    return number


def _fact(name: str, value: object) -> Primitive:
    """A value that can be stored and read again: no fractions (they are written as text) and nothing nested."""
    if isinstance(value, str):
        return _storable(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return _within(value, LARGEST)
    raise BadValue("{name} is neither text, a whole number, yes or no, nor empty", hint="Write it as text.", name=name)


def _storable(text: str) -> str:
    """Text as it came, for it may have to go back to where it came from; only half surrogate pairs, which nothing can
    hold, are replaced."""
    return text if text.isprintable() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _clean(text: str, lines: bool) -> str:
    from bo.core.kernel.parsing import clean_text

    cleaned = clean_text(text)
    return cleaned if lines else " ".join(cleaned.split("\n"))


Text = Annotated[str, TextKind()]
Note = Annotated[str, TextKind(20_000, lines=True)]
PersonName = Annotated[str, TextKind(200, personal=True)]
Whereabouts = Annotated[str, TextKind(200, personal=True, masked=True)]
Phone = Annotated[str, PhoneKind()]
Email = Annotated[str, EmailKind()]
Whole = Annotated[int, WholeKind()]
Count = Annotated[int, WholeKind(0)]
Amount = Annotated[int, AmountKind()]
Rate = Annotated[int, RateKind()]
Currency = Annotated[str, CurrencyKind()]
Day = Annotated[date, DayKind()]
Moment = Annotated[datetime, MomentKind()]
Flag = Annotated[bool, FlagKind()]
Tags = Annotated[tuple[str, ...], TagsKind()]
Facts = Annotated[dict[str, Primitive], FactsKind()]
Id = Annotated[str, IdKind()]
