"""Cells read by the kinds of their fields, with what a mapping says about days, decimals and words.

A blank cell gives no value. What its kind cannot read is a BadValue; a reference that finds nothing is the NotFound or
Ambiguous of the reader. Nothing is put right behind the reader's back: text that had to be tidied is counted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from bo.core.exchange.escaping import NAMING, digits
from bo.core.exchange.mapping import MORE, Binding, Column, SavedMapping, several_phones
from bo.core.exchange.report import Fault, fault_of
from bo.core.kernel.command import Param
from bo.core.kernel.errors import Ambiguous, BadValue, BoError, NotFound
from bo.core.kernel.kinds import (
    AmountKind,
    Context,
    DayKind,
    Kind,
    MomentKind,
    PhoneKind,
    RefKind,
    RowsKind,
    TagsKind,
    TextKind,
    moment_text,
)
from bo.core.kernel.parsing import parse_amount, parse_day, parse_moment, parse_phone, split_phones
from bo.core.kernel.reader import Reader
from bo.core.kernel.record import Record, info_of

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement

Decode = Callable[[str, Context], object]
LONGEST_SINGLE_PHONE: Final = 14  # +86 and eleven digits; what is longer may be two
REFERENCES_MOST: Final = 20_000
OPTIONS: Final = "\x1f"  # between a product's handle and the option values that name a variant
_as_texts = msgspec.json.Decoder(list[str]).decode


class FieldReader(NamedTuple):
    """How one field is read: its cell, and whether it is text that comes out as it goes in."""

    name: str
    place: int
    decode: Decode
    is_text: bool


def field_reader(
    name: str, place: int, param: Param, mapping: SavedMapping, references: References, *, own: bool = False
) -> FieldReader:
    """How a field is read; what names something loses the mark of spreadsheets, save in an `own` export."""
    decode = decoder(param.kind, mapping, references, mapping.split.get(name, ""), param.record)
    if not own and (name in NAMING or isinstance(param.kind, RefKind)):
        return FieldReader(name, place, _without_mark(decode), isinstance(param.kind, TextKind))
    return FieldReader(name, place, decode, isinstance(param.kind, TextKind))


def _without_mark(decode: Decode) -> Decode:
    return lambda text, context: decode(digits(text.strip()) if "'" in text else text, context)


def decoder(
    kind: Kind, mapping: SavedMapping, references: References, mark: str = "", cls: type[Record] | None = None
) -> Decode:
    """How text is read as this kind, under this mapping."""
    order, decimal = mapping.day_order, mapping.decimal or None
    if isinstance(kind, DayKind) and order:
        return lambda text, _context: parse_day(text, order)
    if isinstance(kind, MomentKind) and order:
        return lambda text, context: parse_moment(text, context.zone, order)
    if isinstance(kind, AmountKind):
        return lambda text, context: parse_amount(text, context.currency, decimal)
    if isinstance(kind, RowsKind):
        amounts = tuple(name for name, item in kind.kinds.items() if isinstance(item, AmountKind))
        return lambda text, context: kind.decode(_in_major_units(text, amounts), context)
    if isinstance(kind, TagsKind):
        return lambda text, context: kind.decode(tag_words(text, mark), context)
    if isinstance(kind, RefKind):
        return references.decoder(kind, cls)
    return kind.decode


def _in_major_units(text: str, amounts: Sequence[str]) -> object:
    """Rows of a file: a number of JSON is an amount as people write it, and not in cents as in a call."""
    try:
        rows = msgspec.json.decode(text)
    except msgspec.MsgspecError:
        return text
    for row in rows if isinstance(rows, list) else ():
        for name in amounts if isinstance(row, dict) else ():
            if isinstance(row.get(name), int | float):
                row[name] = str(row[name])
    return rows


def tag_words(text: str, mark: str = "") -> str | list[str]:
    """The words of a cell: a JSON array, or what a mark divides; else the text, which the kind divides."""
    if text[:1] == "[" and text[-1:] == "]":
        try:
            return _as_texts(text)
        except msgspec.MsgspecError:
            return text
    return text.split(mark) if mark else text


class References:
    """Ids of records that cells refer to, each looked up once."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._found: dict[tuple[str, str], str | NotFound | Ambiguous] = {}

    def decoder(self, kind: RefKind, cls: type[Record] | None) -> Decode:
        wanted = cls or self._reader.registry.record(kind.record)
        return lambda text, _context: self.id_of(kind.record, wanted, text.strip())

    def id_of(self, noun: str, cls: type[Record], text: str) -> str:
        """The id that a text means. Raises NotFound or Ambiguous."""
        found = self._found.get((noun, text))
        if found is None:
            if len(self._found) >= REFERENCES_MOST:
                self._found.clear()
            try:
                found = (
                    self._variant(text) if noun == "variants" and OPTIONS in text else self._reader.get(cls, text).id
                )
            except (NotFound, Ambiguous) as error:
                found = type(error)(error.message, hint=error.hint, **error.facts)
            self._found[noun, text] = found
        if isinstance(found, str):
            return found
        raise type(found)(found.message, hint=found.hint, **found.facts)

    def _variant(self, text: str) -> str:
        """The variant of a product's handle and the values of its options. Raises NotFound."""
        from bo.core.catalog.records import Product, Variant
        from bo.core.catalog.rules import OPTION_NAMES, option_key, values_of

        handle, *values = text.split(OPTIONS)
        product = self._reader.get(Product, handle)
        key = option_key(product.id, values_of(dict(zip(OPTION_NAMES, values, strict=False))))
        info = info_of(Variant)
        rows = self._reader.rows(f"{info.fingerprint}:by:options", _by_options, wanted=key)
        if not rows:
            raise NotFound(
                "{product} has no variant {options}", hint="Import the products first.",
                product=handle, options=" / ".join(values) or "without options",
            )  # fmt: skip
        return str(rows[0][0])


def _by_options() -> ClauseElement:
    import sqlalchemy as sa

    from bo.core.catalog.records import Variant
    from bo.core.kernel.tables import table

    made = table(info_of(Variant))
    return sa.select(made.c["id"]).where(made.c["option_key"] == sa.bindparam("wanted"))


class RowReader:
    """Reads the cells of one file's rows into the fields of a record."""

    def __init__(self, binding: Binding, params: Mapping[str, Param], references: References, context: Context) -> None:
        self.tidied: Counter[str] = Counter()
        self._context = context
        self._contexts: dict[str, Context] = {}
        self._mapping = mapping = binding.mapping
        fields = binding.fields
        places = {name: columns[0].place for name, columns in fields.items()}
        for name in mapping.constants:
            places.setdefault(
                name, len(binding.columns) + sum(place >= len(binding.columns) for place in places.values())
            )
        self.readers = {
            name: field_reader(name, place, params[name], mapping, references, own=binding.own)
            for name, place in places.items()
        }
        self._phones = [item for name, item in self.readers.items() if isinstance(params[name].kind, PhoneKind)]
        money = (AmountKind, RowsKind)
        self._amounts = [item for name, item in self.readers.items() if isinstance(params[name].kind, money)]
        special = {item.name for item in (*self._phones, *self._amounts)}
        self._plain = [item for item in self.readers.values() if item.name not in special]
        self._twins = {
            item.name: item.name + MORE if several_phones(params, item.name) else "" for item in self._phones
        }
        self._headers = {name: columns[0].header for name, columns in fields.items()}
        self._tables = [
            (column.place, table) for name, table in mapping.values.items() for column in fields.get(name, [])
        ]
        self._joined = [
            ([column.place for column in _in_said_order(columns, name, mapping)], mapping.joins.get(name, " "))
            for name, columns in fields.items()
            if len(columns) > 1
        ]
        self._as_they_are = not (mapping.null or mapping.constants or self._tables or self._joined)

    def header_of(self, name: str) -> str:
        """The column that a field comes from, as the file calls it."""
        return self._headers.get(name, name)

    def ready(self, cells: Sequence[str | None]) -> Sequence[str | None]:
        """Cells as the mapping wants them: null words blank, words translated, columns joined, constants filled in."""
        if self._as_they_are:
            return cells
        null = self._mapping.null
        made = [None if cell is not None and cell.strip() in null else cell for cell in cells]
        for place, table in self._tables:
            cell = made[place]
            if cell is not None:
                made[place] = table.get(cell.strip(), cell)
        for places, mark in self._joined:
            made[min(places)] = mark.join(text for place in places if (text := (made[place] or "").strip()))
        for name, constant in self._mapping.constants.items():
            place = self.readers[name].place
            if place >= len(made):
                made.append(constant)
            elif not (made[place] or "").strip():
                made[place] = constant
        return made

    def values(self, cells: Sequence[str | None], own_currency: str, leftover: dict[str, object]) -> dict[str, object]:
        """The fields of a row that are not blank. Phone numbers beyond the second go to `leftover` by their header.

        `own_currency` is what amounts are in where the row does not say. Raises what reading a cell raises.
        """
        values: dict[str, object] = {}
        context = self._context
        for name, place, decode, is_text in self._plain:
            text = cells[place]
            if not text or text.isspace():
                continue
            value = decode(text, context)
            if value is not text:
                if value == "":
                    continue
                if is_text and value != text.strip():
                    self.tidied[name] += 1
            values[name] = value
        if self._phones:
            self._take_phones(cells, values, leftover)
        if self._amounts:
            context = self.money(str(values.get("currency") or own_currency))
            for name, place, decode, _is_text in self._amounts:
                text = cells[place]
                if text and not text.isspace():
                    values[name] = decode(text, context)
        return values

    def _take_phones(self, cells: Sequence[str | None], values: dict[str, object], leftover: dict[str, object]) -> None:
        """One number for each field, a second in the cell for the twin; a cell with more stays beside them as it is."""
        twins, region = self._twins, self._context.region
        for name, place, _decode, _is_text in self._phones:
            if name[-1:] == MORE and twins.get(name[:-1]) == name:
                continue  # read together with the first
            twin = twins[name]
            other = self.readers.get(twin) if twin else None
            first, second = (
                (cells[place] or "").strip(),
                (cells[other.place] or "").strip() if other is not None else "",
            )
            if not first:
                if second:
                    values[twin] = phones_in("", second, region, self._mapping.split.get(twin, ""))[0]
                continue
            try:
                numbers = phones_in(first, second, region, self._mapping.split.get(name, ""))
            except BadValue:
                if name not in self._mapping.loose:
                    raise
                leftover[self.header_of(name)] = first
                continue
            values[name] = numbers[0]
            if twin and len(numbers) > 1:
                values[twin] = numbers[1]
            if len(numbers) > (2 if twin else 1):
                leftover[self.header_of(name)] = first
                leftover.update({self.header_of(twin): second} if second else {})

    def money(self, currency: str) -> Context:
        """What amounts in that currency are read with; "" is the office's."""
        if not currency or currency == self._context.currency:
            return self._context
        found = self._contexts.get(currency)
        if found is None:
            found = self._contexts[currency] = Context(self._context.region, currency, self._context.zone)
        return found

    def faults(self, cells: Sequence[str | None], own_currency: str) -> tuple[Fault, ...]:
        """Every cell of a row that cannot be read, and why."""
        found: list[Fault] = []
        currency = self.readers.get("currency")
        context = self.money(own_currency)
        if currency is not None and (text := cells[currency.place]):
            with suppress(BoError):  # told below, with the others
                context = self.money(str(currency.decode(text, context)))
        for name, place, decode, _is_text in self.readers.values():
            text = cells[place]
            if not text or text.isspace():
                continue
            try:
                if name in self._twins:
                    phones_in(text, "", context.region, self._mapping.split.get(name, ""))
                else:
                    decode(text, context)
            except BoError as error:
                found.append(fault_of(error, self.header_of(name), text))
        return tuple(found) or (fault_of(BadValue("the row cannot be read", hint="Look at its cells.")),)


def _in_said_order(columns: Sequence[Column], name: str, mapping: SavedMapping) -> Sequence[Column]:
    """Columns of one field as the mapping names them, where it says how they are joined."""
    if name not in mapping.joins:
        return columns
    said = list(mapping.columns)
    return sorted(columns, key=lambda column: said.index(column.header) if column.header in said else len(said))


def phones_in(first: str, second: str, region: str, mark: str = "") -> list[str]:
    """The numbers of a phone cell and its twin's, each once. Raises BadValue."""
    found: dict[str, None] = {}
    for cell in (first, second):
        if cell:
            found.update(dict.fromkeys(_phones_of(cell, region, mark)))
    return list(found)


def _phones_of(cell: str, region: str, mark: str) -> Sequence[str]:
    if mark:
        return [parse_phone(part, region) for part in cell.split(mark) if part.strip()]
    if len(cell) <= LONGEST_SINGLE_PHONE and cell.isascii():
        return (parse_phone(cell, region),)
    try:
        return (parse_phone(cell, region),)
    except BadValue as single:
        try:
            return split_phones(cell, region)
        except BadValue:
            raise single from None


def plain_value(value: object) -> object:
    """A value as it goes into a call and a temporary file: text, number, flag, or a list or mapping of these."""
    if isinstance(value, datetime):
        return moment_text(value)
    return value.isoformat() if isinstance(value, date) else value


def facts_of(text: str) -> dict[str, str | int | bool | None] | None:
    """The names with values that a cell holds as a JSON object; None where it holds something else."""
    if not re.match(r"\s*\{", text):
        return None
    try:
        return msgspec.json.decode(text, type=dict[str, str | int | bool | None])
    except msgspec.MsgspecError:
        return None
