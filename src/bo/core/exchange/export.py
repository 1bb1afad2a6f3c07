"""Exporting: records of one noun into a file or a stream, in memory for one batch of rows.

The columns are called as the fields are, so that the file can be imported again and changes nothing. Amounts are
decimals in major units with their currency beside them, moments RFC 3339 in UTC, lists and facts JSON (in a cell tags
are parted by commas), other records by their natural key. An order is told with its lines, a product with its variants
and pictures. A file appears whole or not at all; text that a spreadsheet would run is escaped in CSV and TSV.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from decimal import Decimal
from io import StringIO
from typing import IO, Any, Final

import msgspec

from bo.core.exchange.mapping import SavedMapping, shipped_mapping
from bo.core.exchange.nested import Nested, lists_of
from bo.core.exchange.reversing import Reversed
from bo.core.exchange.shaping import CURRENCY, Convert, Head, escaped_text, for_cells, for_json
from bo.core.exchange.source import Format
from bo.core.exchange.telling import InCells, InJson, Names, Row, Shaper, WithLists
from bo.core.exchange.writers import WRITTEN, open_writer
from bo.core.kernel.errors import UsageError
from bo.core.kernel.kinds import AmountKind
from bo.core.kernel.placing import Place
from bo.core.kernel.reader import Reader
from bo.core.kernel.record import FieldInfo, RecordInfo
from bo.core.kernel.workspace import Workspace

FACTS: Final = "extra"
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


class ExportOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What to export and how. Without `format` the file's ending says it, CSV for a stream.

    Without `fields` all are written but those that are kept for rules. `filter` is in the filter language, `limit` in
    rows. `bom` puts the mark in front of a CSV by which Excel sees that it is UTF-8. `preset` is a shipped mapping: its
    columns are written in the place of ours.
    """

    format: Format | None = None
    filter: str = ""
    fields: tuple[str, ...] = ()
    limit: int | None = None
    bom: bool = False
    preset: str = ""


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
    mapping = shipped_mapping(options.preset, noun) if options.preset else None
    with _own_eyes(workspace) as reader:
        plan = _plan(workspace, reader, noun, options)
        fields, batches = reader.stream(noun, options.filter, fields=plan.stored)
        shaper = (
            plan.shaper(fields, format) if mapping is None else plan.as_shop(fields, format, mapping, options.filter)
        )
        with closing(_limited(batches, options.limit)) as rows:
            if format == "xlsx" or format not in WRITTEN:
                return _through_writer(target, format, shaper, rows)
            return _in_bulk(target, _form(format, shaper, bom=options.bom), rows)


@contextmanager
def _own_eyes(workspace: Workspace) -> Iterator[Reader]:
    """A connection for this export alone: it sees one moment of the office, and keeps few pages of what it passes."""
    session = workspace.database.connect()
    try:
        session.keep_pages(CACHE_KIB)
        yield workspace.reader(session)
    finally:
        session.connection.close()


class _Plan(msgspec.Struct, frozen=True):
    """What is written of a noun: fields of its records, and lists of each."""

    reader: Reader
    info: RecordInfo
    names: list[str]
    lists: list[Nested]
    office_currency: str

    @property
    def stored(self) -> list[str]:
        """The fields to be read: the lists of a record are found by its id."""
        return self.names if "id" in self.names else [*self.names, "id"] if self.lists else self.names

    def shaper(self, fields: Sequence[FieldInfo], format: Format) -> Shaper:
        """Rows in our own form."""
        in_json = format in ("json", "jsonl")
        escaped = format in ("csv", "tsv")
        head = self._head(fields, for_json if in_json else for_cells, escaped=escaped)
        if not self.lists:
            return head
        whole = self._whole(head, fields)
        if in_json:
            return InJson(whole)
        return InCells(whole, ("id", *self.info.key), escaped_text if escaped else str)

    def as_shop(self, fields: Sequence[FieldInfo], format: Format, mapping: SavedMapping, filter_text: str) -> Shaper:
        """Rows in the columns of a shop. Raises UsageError where they cannot be told from the records."""
        if format in ("json", "jsonl"):
            raise UsageError("{format} has no columns of a shop", hint="Write csv, tsv or xlsx.", format=format)
        whole = self._whole(self._head(fields, for_cells, escaped=False), fields)
        reversed = Reversed(mapping, whole, escaped_text if format != "xlsx" else str)
        _found, batches = self.reader.stream(self.info.noun, filter_text, fields=self.stored)
        for batch in batches:
            reversed.look(batch)
        return reversed

    def _head(
        self, fields: Sequence[FieldInfo], convert: Callable[[FieldInfo], Convert | None], *, escaped: bool
    ) -> Head:
        own = fields[: len(self.names)]
        return Head(own, self.office_currency, convert, Names(self.reader, own), escaped=escaped, priced=self._priced)

    def _whole(self, head: Head, fields: Sequence[FieldInfo]) -> WithLists:
        method = self.info.noun == "orders" and self.reader.actor.may("payments.read")
        places = [item.name for item in fields]
        return WithLists(
            head, self.lists, self.reader, id_place=places.index("id"), currency=head.currencies, method=method
        )

    @property
    def _priced(self) -> bool:
        return any(isinstance(kind, AmountKind) for nested in self.lists for kind in nested.kinds.values())


def _plan(workspace: Workspace, reader: Reader, noun: str, options: ExportOptions) -> _Plan:
    info = reader.info(noun)
    create = workspace.registry.command(info.create) if info.create else None
    lists = lists_of(reader, noun, create)
    called = {nested.name for nested in lists}
    plain = [name for name in options.fields if name not in called]
    asked = [item.name for item in reader.fields(noun, plain)] if plain else ["id"] if options.fields else []
    hidden = {item.name for item in reader.actor.hidden(info)}
    chosen = [nested for nested in lists if nested.name in options.fields or not options.fields]
    if options.preset:
        asked, chosen = [], lists
    names = [name for name in export_fields(info, asked) if name not in hidden]
    plan = _Plan(reader, info, names, chosen, workspace.context.currency)
    if plan._priced and CURRENCY in info.by_name and CURRENCY not in names:
        names.append(CURRENCY)
    return plan


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
    def __init__(self, shaper: Shaper) -> None:
        self._shaper = shaper
        # A struct's keys are encoded once for all rows.
        self._object = msgspec.defstruct("Exported", self._shaper.names, gc=False)
        self._encode = msgspec.json.Encoder().encode_lines

    def put(self, batch: Sequence[Row]) -> bytes:
        return self._encode(list(map(self._object, *self._shaper.columns(batch)))) if batch else b""


class _JsonArray(_JsonLines):
    def __init__(self, shaper: Shaper) -> None:
        super().__init__(shaper)
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
    def __init__(self, shaper: Shaper, delimiter: str, *, bom: bool) -> None:
        self._shaper = shaper
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


def _form(format: Format, shaper: Shaper, *, bom: bool) -> _Form:
    if format == "csv" or format == "tsv":
        return _Cells(shaper, "\t" if format == "tsv" else ",", bom=bom)
    return _JsonArray(shaper) if format == "json" else _JsonLines(shaper)


def _in_bulk(target: str | os.PathLike[str] | IO[bytes], form: _Form, batches: Iterator[list[Row]]) -> int:
    place, count = Place(target), 0
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
    target: str | os.PathLike[str] | IO[bytes], format: Format, shaper: Shaper, batches: Iterator[list[Row]]
) -> int:
    """A workbook: amounts as numbers, so that they can be added up."""
    count = 0
    with open_writer(target, format, shaper.names) as writer:
        for batch in batches:
            columns = shaper.columns(batch) if batch else []
            for place in shaper.amounts if batch else ():
                columns[place] = [None if price is None else Decimal(price) for price in columns[place]]
            for values in zip(*columns, strict=True):
                writer.row(values)
            count += len(batch)
    return count
