"""Exporting: records of one noun into a file or a stream, in memory for one batch of rows.

The columns are called as the fields are, so that the file can be imported again and changes nothing. Amounts are
decimals in major units with their currency beside them, moments RFC 3339 in UTC, lists and facts JSON (in a cell tags
are parted by commas). A file appears whole or not at all; text that a spreadsheet would run is escaped in CSV and TSV.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date, datetime
from decimal import Decimal
from io import StringIO
from typing import IO, Any, Final

import msgspec

from bo.core.exchange.escaping import FIRST, escape
from bo.core.exchange.source import Format
from bo.core.exchange.writers import WRITTEN, _Target, open_writer
from bo.core.kernel.amounts import exponent_of, format_amount
from bo.core.kernel.errors import UsageError
from bo.core.kernel.kinds import moment_text
from bo.core.kernel.reader import Reader
from bo.core.kernel.record import FieldInfo, RecordInfo
from bo.core.kernel.workspace import Workspace

Row = tuple[Any, ...]
Convert = Callable[[Any], object]
FACTS: Final = "extra"
CURRENCY: Final = "currency"
USUAL_DECIMALS: Final = 2
CACHE_KIB: Final = 8192
ENDINGS: Final[dict[str, Format]] = {
    "csv": "csv",
    "tsv": "tsv",
    "tab": "tsv",
    "json": "json",
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "xlsx": "xlsx",
}
SEPARATORS: Final = frozenset(",;，；、")
UNSAFE_FIRST: Final = FIRST | {"["}
# Kinds whose text may begin with what a spreadsheet runs.
FREE_KINDS: Final = frozenset(("text", "email", "phone", "rate"))


class ExportOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What to export and how. Without `format` the file's ending says it, CSV for a stream.

    Without `fields` all are written but those that are kept for rules. `filter` is in the filter language, `limit` in
    rows. `bom` puts the mark in front of a CSV by which Excel sees that it is UTF-8.
    """

    format: Format | None = None
    filter: str = ""
    fields: tuple[str, ...] = ()
    limit: int | None = None
    bom: bool = False


STANDARD_OPTIONS: Final = ExportOptions()


def export_file(
    workspace: Workspace,
    noun: str,
    target: str | os.PathLike[str] | IO[bytes],
    options: ExportOptions = STANDARD_OPTIONS,
) -> int:
    """Write records to a path or a stream of bytes, newest first unless the filter sorts; the number of rows.

    Raises:
        UsageError: an unknown noun, field or format.
        NotAllowed: the operator may not read them.
        BadFile, StorageFull: the file cannot be written; an older one of that name is untouched.
    """
    format = options.format or _format_of(target)
    names = _names(workspace, noun, options)
    office_currency = workspace.context.currency
    with _own_eyes(workspace) as reader:
        fields, batches = reader.stream(noun, options.filter, fields=names)
        with closing(_limited(batches, options.limit)) as rows:
            if format == "xlsx" or format not in WRITTEN:
                return _through_writer(target, format, fields, rows, office_currency)
            return _in_bulk(target, _form(format, fields, office_currency, bom=options.bom), rows)


@contextmanager
def _own_eyes(workspace: Workspace) -> Iterator[Reader]:
    """A connection for this export alone: it sees one moment of the office, and keeps few pages of what it passes."""
    session = workspace.database.connect()
    try:
        if session.is_sqlite:
            session.script([f"PRAGMA cache_size=-{CACHE_KIB}"])
        yield workspace.reader(session)
    finally:
        session.connection.close()


def _names(workspace: Workspace, noun: str, options: ExportOptions) -> list[str]:
    reader = workspace.reader()
    asked = [item.name for item in reader.fields(noun, options.fields)] if options.fields else []
    info = reader.info(noun)
    hidden = {item.name for item in reader.actor.hidden(info)}
    return [name for name in export_fields(info, asked) if name not in hidden]


def export_fields(info: RecordInfo, names: Sequence[str] = ()) -> list[str]:
    """The fields of an export: those asked for, or all that people may see and the facts of unknown columns; beside
    amounts always their currency."""
    chosen = list(dict.fromkeys(names)) or [
        item.name for item in info.fields if not item.meta.internal or item.name == FACTS
    ]
    has_amounts = any(info.by_name[name].kind.name == "amount" for name in chosen)
    if has_amounts and CURRENCY in info.by_name and CURRENCY not in chosen:
        chosen.append(CURRENCY)
    return chosen


def _format_of(target: str | os.PathLike[str] | IO[bytes]) -> Format:
    if not isinstance(target, str | os.PathLike):
        return "csv"
    ending = os.fspath(target).lower().rpartition(".")[2]
    if ending not in ENDINGS:
        raise UsageError(
            "{name} does not say its format", hint="Use one of the endings {known}, or --format.",
            name=os.fspath(target), known=", ".join(f".{name}" for name in WRITTEN),
        )  # fmt: skip
    return ENDINGS[ending]


def _limited(batches: Iterator[list[Row]], limit: int | None) -> Generator[list[Row], None, None]:
    """The first rows; what reads them is closed with this, so that it never outlives its connection."""
    left = limit
    try:
        for batch in batches:
            if left is None:
                yield batch
                continue
            if left > 0:
                yield batch[:left]
            left -= len(batch)
            if left <= 0:
                return
    finally:
        if isinstance(batches, Generator):
            batches.close()


# -- rows as a format wants them ---------------------------------------------------------------------------------------


class _Shaper:
    """Turns stored rows into columns of values of a format, touching only those that are stored otherwise."""

    def __init__(
        self,
        fields: Sequence[FieldInfo],
        office_currency: str,
        convert: Callable[[FieldInfo], Convert | None],
        *,
        escaped: bool = False,
    ) -> None:
        self.names = [item.name for item in fields]
        self._office = office_currency
        made = [(place, convert(item)) for place, item in enumerate(fields)]
        self._odd = [(place, function) for place, function in made if function is not None]
        self._amounts = [place for place, item in enumerate(fields) if item.kind.name == "amount"]
        self._currency = self.names.index(CURRENCY) if CURRENCY in self.names else None
        self._risky = [place for place, item in enumerate(fields) if escaped and item.kind.name in FREE_KINDS]

    def columns(self, batch: Sequence[Row]) -> list[Sequence[Any]]:
        """The values of a batch that is not empty, column by column."""
        columns: list[Sequence[Any]] = list(zip(*batch, strict=True))
        for place, convert in self._odd:
            columns[place] = [None if value is None else convert(value) for value in columns[place]]
        if self._amounts:
            self._take_prices(columns, len(batch))
        for place in self._risky:
            if not FIRST.isdisjoint({text[0] for text in columns[place] if text}):
                columns[place] = [_escaped(text) for text in columns[place]]
        return columns

    def _take_prices(self, columns: list[Sequence[Any]], rows: int) -> None:
        """Amounts in major units of the row's currency, which is the office's where the row has none."""
        codes: Sequence[str] = [self._office] * rows
        if self._currency is not None:
            codes = columns[self._currency] = [code or self._office for code in columns[self._currency]]
        decimals = {code: exponent_of(code) for code in set(codes)}
        for place in self._amounts:
            columns[place] = [
                None if minor is None else _decimal(minor, code, decimals[code])
                for minor, code in zip(columns[place], codes, strict=True)
            ]


def _decimal(minor: int, code: str, decimals: int) -> str:
    """What `format_amount` says; the usual case written out, in a third of the time."""
    if decimals == USUAL_DECIMALS and minor >= 0:
        return f"{minor // 100}.{minor % 100:02}"
    return format_amount(minor, code)


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


def _for_json(item: FieldInfo) -> Convert | None:
    if item.kind.column == "json":
        return lambda text: msgspec.Raw(text.encode())
    if item.kind.column == "flag":
        return bool
    if item.kind.column in ("moment", "day"):
        return _timely
    return _rate(item) if item.kind.name == "rate" else None


def _for_cells(item: FieldInfo) -> Convert | None:
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


# -- formats -----------------------------------------------------------------------------------------------------------


class _Form:
    """How batches become bytes."""

    def head(self) -> bytes:
        return b""

    def put(self, batch: Sequence[Row]) -> bytes:
        raise NotImplementedError

    def tail(self) -> bytes:
        return b""


class _JsonLines(_Form):
    def __init__(self, fields: Sequence[FieldInfo], office_currency: str) -> None:
        self._shaper = _Shaper(fields, office_currency, _for_json)
        # A struct's keys are encoded once for all rows.
        self._object = msgspec.defstruct("Exported", self._shaper.names, gc=False)
        self._encode = msgspec.json.Encoder().encode_lines

    def put(self, batch: Sequence[Row]) -> bytes:
        return self._encode(list(map(self._object, *self._shaper.columns(batch)))) if batch else b""


class _JsonArray(_JsonLines):
    def __init__(self, fields: Sequence[FieldInfo], office_currency: str) -> None:
        super().__init__(fields, office_currency)
        self._before = b"[\n"

    def put(self, batch: Sequence[Row]) -> bytes:
        lines = super().put(batch)
        if not lines:
            return lines
        data, self._before = self._before + lines[:-1].replace(b"\n", b",\n"), b",\n"
        return data

    def tail(self) -> bytes:
        return b"\n]\n" if self._before == b",\n" else b"[]\n"


class _Cells(_Form):
    def __init__(self, fields: Sequence[FieldInfo], office_currency: str, delimiter: str, *, bom: bool) -> None:
        self._shaper = _Shaper(fields, office_currency, _for_cells, escaped=True)
        self._delimiter = delimiter
        self._bom = bom

    def head(self) -> bytes:
        return (b"\xef\xbb\xbf" if self._bom else b"") + self._lines([self._shaper.names], csv.QUOTE_MINIMAL).encode()

    def put(self, batch: Sequence[Row]) -> bytes:
        columns = self._shaper.columns(batch) if batch else []
        text = self._lines(zip(*columns, strict=True), csv.QUOTE_MINIMAL)
        if "\r" in text:  # the csv module leaves a lone CR bare, where any reader would see the end of a line
            text = self._lines(zip(*columns, strict=True), csv.QUOTE_ALL)
        return text.encode()

    def _lines(self, rows: Iterable[Sequence[object]], quoting: Any) -> str:
        buffer = StringIO(newline="")
        csv.writer(buffer, delimiter=self._delimiter, lineterminator="\n", quoting=quoting).writerows(rows)
        return buffer.getvalue()


def _form(format: Format, fields: Sequence[FieldInfo], office_currency: str, *, bom: bool) -> _Form:
    if format == "csv" or format == "tsv":
        return _Cells(fields, office_currency, "\t" if format == "tsv" else ",", bom=bom)
    return _JsonArray(fields, office_currency) if format == "json" else _JsonLines(fields, office_currency)


def _in_bulk(target: str | os.PathLike[str] | IO[bytes], form: _Form, batches: Iterator[list[Row]]) -> int:
    place, count = _Target(target), 0
    try:
        place.file.write(form.head())
        for batch in batches:
            place.file.write(form.put(batch))
            count += len(batch)
        place.file.write(form.tail())
        place.complete()
    except OSError as error:
        place.drop()
        raise place.trouble(error) from error
    except BaseException:
        place.drop()
        raise
    return count


def _through_writer(
    target: str | os.PathLike[str] | IO[bytes],
    format: Format,
    fields: Sequence[FieldInfo],
    batches: Iterator[list[Row]],
    office_currency: str,
) -> int:
    """A workbook: amounts as numbers, so that they can be added up."""
    shaper = _Shaper(fields, office_currency, _for_cells)
    amounts = [place for place, item in enumerate(fields) if item.kind.name == "amount"]
    with open_writer(target, format, shaper.names) as writer:
        for batch in batches:
            columns = shaper.columns(batch) if batch else []
            for place in amounts if batch else ():
                columns[place] = [None if price is None else Decimal(price) for price in columns[place]]
            for values in zip(*columns, strict=True):
                writer.row(values)
        return writer.rows
