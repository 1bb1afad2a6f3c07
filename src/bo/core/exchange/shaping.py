"""Stored rows as columns of values, as a format wants them: amounts as decimals, moments as text, tags with commas."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from itertools import islice
from typing import Any, Final

import msgspec

from bo.core.exchange.escaping import FIRST, escape
from bo.core.exchange.telling import Names, Row
from bo.core.kernel.amounts import exponent_of, format_amount
from bo.core.kernel.kinds import RefKind, moment_text
from bo.core.kernel.record import FieldInfo

Convert = Callable[[Any], object]
CURRENCY: Final = "currency"
USUAL_DECIMALS: Final = 2
SEPARATORS: Final = frozenset(",;，；、")
UNSAFE_FIRST: Final = FIRST | {"["}
# Kinds whose text may begin with what a spreadsheet runs.
FREE_KINDS: Final = frozenset(("text", "email", "phone", "rate"))


class Head:
    """Turns stored rows into columns of values of a format, touching only those that are stored otherwise."""

    def __init__(
        self,
        fields: Sequence[FieldInfo],
        office_currency: str,
        convert: Callable[[FieldInfo], Convert | None],
        called: Names,
        *,
        escaped: bool = False,
        priced: bool = False,
    ) -> None:
        """`priced` says that amounts are told beside these fields, so that their currency is."""
        self.names = [item.name for item in fields]
        self._office = office_currency
        self._called = called
        self._priced = priced
        made = [(place, convert(item)) for place, item in enumerate(fields)]
        self._odd = [(place, function) for place, function in made if function is not None]
        self.amounts = [place for place, item in enumerate(fields) if item.kind.name == "amount"]
        self._currency = self.names.index(CURRENCY) if CURRENCY in self.names else None
        self._risky = [place for place, item in enumerate(fields) if escaped and _is_risky(item)]

    def columns(self, batch: Sequence[Row]) -> list[Sequence[Any]]:
        """The values of a batch that is not empty, column by column."""
        columns: list[Sequence[Any]] = [*islice(zip(*batch, strict=True), len(self.names))]
        self._called.put(columns)
        for place, convert in self._odd:
            columns[place] = [None if value is None else convert(value) for value in columns[place]]
        if self.amounts or self._priced:
            self._take_prices(columns, len(batch))
        for place in self._risky:
            if not FIRST.isdisjoint({text[0] for text in columns[place] if text}):
                columns[place] = [_escaped(text) for text in columns[place]]
        return columns

    def currencies(self, columns: list[Sequence[Any]], rows: int) -> Sequence[str]:
        """The currency of each record, after its columns were made."""
        return columns[self._currency] if self._currency is not None else [self._office] * rows

    def _take_prices(self, columns: list[Sequence[Any]], rows: int) -> None:
        """Amounts in major units of the row's currency, which is the office's where the row has none."""
        codes: Sequence[str] = [self._office] * rows
        if self._currency is not None:
            codes = columns[self._currency] = [code or self._office for code in columns[self._currency]]
        decimals = {code: exponent_of(code) for code in set(codes)}
        for place in self.amounts:
            columns[place] = [
                None if minor is None else _decimal(minor, code, decimals[code])
                for minor, code in zip(columns[place], codes, strict=True)
            ]


def _decimal(minor: int, code: str, decimals: int) -> str:
    """What `format_amount` says; the usual case written out, in a third of the time."""
    if decimals == USUAL_DECIMALS and minor >= 0:
        return f"{minor // 100}.{minor % 100:02}"
    return format_amount(minor, code)


def _is_risky(item: FieldInfo) -> bool:
    """Whether what is written may begin with what a spreadsheet runs; the key of another record may."""
    return item.kind.name in FREE_KINDS or isinstance(item.kind, RefKind)


def escaped_text(text: str) -> str:
    return _escaped(text) or ""


def _escaped(text: str | None) -> str | None:
    if text and text[0] in FIRST and not (text[0] == "+" and text[1:].isdigit()):
        return escape(text)
    return text


def _timely(value: object) -> object:
    if isinstance(value, datetime):
        return moment_text(value)
    return value.isoformat() if isinstance(value, date) else value


def _rate(item: FieldInfo) -> Convert:
    return lambda value: item.kind.wire(value, "")


def for_json(item: FieldInfo) -> Convert | None:
    if item.kind.column == "json":
        return lambda text: msgspec.Raw(text.encode())
    if item.kind.column == "flag":
        return bool
    if item.kind.column in ("moment", "day"):
        return _timely
    return _rate(item) if item.kind.name == "rate" else None


def for_cells(item: FieldInfo) -> Convert | None:
    if item.kind.name == "tags":
        return _tags_text
    if item.kind.column == "flag":
        return lambda value: "true" if value else "false"
    if item.kind.column in ("moment", "day"):
        return _timely
    return _rate(item) if item.kind.name == "rate" else None


def _tags_text(text: str) -> str:
    """Tags with commas between them; as JSON where one would not come back so, or would be run by a spreadsheet."""
    words = msgspec.json.decode(text, type=list[str])
    return text if any(SEPARATORS.intersection(word) or word[:1] in UNSAFE_FIRST for word in words) else ",".join(words)
