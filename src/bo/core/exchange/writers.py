"""Writing rows: CSV, TSV, JSON, JSON Lines and XLSX, in bounded memory.

A file appears whole or not at all: rows go to a neighbour of it, which takes its place at the end. In CSV and TSV a
cell that a spreadsheet would run is escaped, and `open_source(..., unescape=True)` gives back what was written; in
XLSX text is text. It refuses text that is no Unicode, and what a sheet cannot hold.

XLSX goes through rustpy-xlsxwriter: it takes rows one by one and stays at about 20 MB, nine times as fast as
XlsxWriter's constant-memory mode.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from types import TracebackType
from typing import IO, BinaryIO, Protocol, Self, cast

import msgspec

from bo.core.exchange.escaping import FIRST, escape
from bo.core.exchange.source import Format
from bo.core.kernel.errors import BadInput, UsageError
from bo.core.kernel.placing import Place

Value = str | int | float | bool | Decimal | date | datetime | time | None
SheetValue = str | int | float | bool | Decimal | None
WRITTEN: tuple[Format, ...] = ("csv", "tsv", "json", "jsonl", "xlsx")
BUFFER_BYTES = 128 << 10
LINES_AT_ONCE = 512
SHEET_ROWS = 1_048_575
SHEET_CELL_CHARS = 32_767
EXACT_TO = 10**15

_json = msgspec.json.Encoder()


class _Form(Protocol):
    """How rows are put into bytes."""

    def row(self, values: Sequence[Value]) -> None: ...
    def finish(self) -> None: ...
    def drop(self) -> None: ...


class Writer:
    """Takes rows; a context manager that completes the file, or leaves everything as it was if the block fails."""

    def __init__(self, form: _Form, width: int, target: Place) -> None:
        self.rows = 0
        self._form = form
        self._width = width
        self._target = target
        self._open = True

    def row(self, values: Sequence[Value]) -> None:
        """Add one row: one value for each column, in their order. Raises BadInput for what the format cannot hold."""
        if len(values) != self._width:
            raise ValueError(f"{len(values)} values for {self._width} columns")
        try:
            self._form.row(values)
        except UnicodeEncodeError as error:
            raise BadInput(
                "row {row} holds half of a character, which no file can hold",
                hint="Enter the text of that record anew.",
                row=self.rows + 1,
            ) from error
        except OSError as error:
            raise self._target.trouble(error) from error
        self.rows += 1

    def close(self) -> None:
        """Complete the file and put it in its place. Safe to call twice."""
        if not self._open:
            return
        self._open = False
        try:
            self._form.finish()
            self._target.complete()
        except OSError as error:
            self._target.drop()
            raise self._target.trouble(error) from error
        except BaseException:
            self._target.drop()
            raise

    def abandon(self) -> None:
        """Leave everything as it was; what went to a stream already is gone."""
        if self._open:
            self._open = False
            self._form.drop()
            self._target.drop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon()


def open_writer(
    target: str | os.PathLike[str] | IO[bytes],
    format: Format,
    columns: Sequence[str],
    *,
    bom: bool = False,
    sheet: str = "Sheet1",
) -> Writer:
    """Open a path, or a stream of bytes that stays open, for rows of these columns.

    `bom` puts the mark in front of a CSV or TSV that lets Excel see that it is UTF-8. A path is replaced only when
    the writer is closed.

    Raises:
        UsageError: a format that is only read.
        BadFile, StorageFull: it cannot be written.
    """
    if format not in WRITTEN:
        raise UsageError("{format} is not written", hint="One of: {known}.", format=format, known=", ".join(WRITTEN))
    if len(set(columns)) != len(columns):
        raise ValueError(f"columns with the same name: {columns}")
    place = Place(target)
    try:
        form: _Form
        if format == "csv" or format == "tsv":
            form = _Cells(place.file, columns, "\t" if format == "tsv" else ",", bom=bom)
        elif format == "xlsx":
            form = _Sheet(place.file, columns, sheet)
        else:
            form = _Objects(place.file, columns, array=format == "json")
    except OSError as error:
        place.drop()
        raise place.trouble(error) from error
    except BaseException:
        place.drop()
        raise
    return Writer(form, len(columns), place)


def cell_text(value: Value) -> str:
    """A value as the text of a cell: "" for None, true and false, decimals without an exponent, moments in RFC 3339."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(msgspec.to_builtins(value))


class _Buffer:
    """Bytes on their way to a file, handed on in large pieces."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._bytes = bytearray()

    def add(self, data: bytes) -> None:
        self._bytes += data
        if len(self._bytes) > BUFFER_BYTES:
            self.flush()

    def flush(self) -> None:
        data, self._bytes = self._bytes, bytearray()
        self._file.write(data)

    def drop(self) -> None:
        self._bytes.clear()


class _Lines:
    """What the csv module takes for a file: each line is kept as it comes."""

    __slots__ = ("write",)

    def __init__(self, lines: list[str]) -> None:
        self.write = lines.append


class _Cells:
    """CSV and TSV in UTF-8, lines ended by LF."""

    def __init__(self, file: IO[bytes], columns: Sequence[str], delimiter: str, *, bom: bool) -> None:
        self._file = file
        self._lines: list[str] = ["\ufeff"] if bom else []
        lines = _Lines(self._lines)
        self._usual = csv.writer(lines, delimiter=delimiter, lineterminator="\n").writerow
        self._quoted = csv.writer(lines, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL).writerow
        self.row(columns)

    def row(self, values: Sequence[Value]) -> None:
        lines = self._lines
        cells = [
            (escape(value) if value and value[0] in FIRST else value) if type(value) is str else cell_text(value)
            for value in values
        ]
        self._usual(cells)
        if "\r" in lines[-1]:
            # The csv module leaves a lone CR bare, where any reader would see the end of a line.
            lines.pop()
            self._quoted(cells)
        if not lines[-1].isascii():
            lines[-1].encode()
        if len(lines) >= LINES_AT_ONCE:
            self._flush()

    def finish(self) -> None:
        self._flush()

    def drop(self) -> None:
        self._lines.clear()

    def _flush(self) -> None:
        data = "".join(self._lines).encode()
        self._lines.clear()
        self._file.write(data)


class _Objects:
    """JSON: one array of objects, or one object a line."""

    def __init__(self, file: IO[bytes], columns: Sequence[str], *, array: bool) -> None:
        self._buffer = _Buffer(file)
        self._columns = list(columns)
        self._array = array
        self._before = b"[\n" if array else b""

    def row(self, values: Sequence[Value]) -> None:
        data = _json.encode(dict(zip(self._columns, values, strict=True)))
        if self._array:
            self._buffer.add(self._before + data)
            self._before = b",\n"
        else:
            self._buffer.add(data + b"\n")

    def finish(self) -> None:
        if self._array:
            self._buffer.add(b"\n]\n" if self._before == b",\n" else b"[]\n")
        self._buffer.flush()

    def drop(self) -> None:
        self._buffer.drop()


class _Sheet:
    """XLSX. Rows are put by in a temporary file until all are there, because the library fetches them itself."""

    def __init__(self, file: IO[bytes], columns: Sequence[str], sheet: str) -> None:
        import tempfile

        self._file = file
        self._columns = list(columns)
        self._sheet = "".join(" " if letter in "[]:*?/\\" else letter for letter in sheet)[:31] or "Sheet1"
        self._rows = tempfile.TemporaryFile()  # noqa: SIM115  closed when the rows have been taken
        self._buffer = _Buffer(cast(IO[bytes], self._rows))
        self._count = 0

    def row(self, values: Sequence[Value]) -> None:
        if self._count >= SHEET_ROWS:
            raise BadInput("a sheet holds at most {most} rows", hint="Export as CSV.", most=SHEET_ROWS)
        cells = [value if type(value) is str else _sheet_value(value) for value in values]
        for column, cell in zip(self._columns, cells, strict=True):
            if type(cell) is str and len(cell) > SHEET_CELL_CHARS // 2 and _utf16_length(cell) > SHEET_CELL_CHARS:
                raise BadInput(
                    "{column} is longer than the {most} characters that a cell holds",
                    hint="Export as CSV or JSON.",
                    column=column,
                    most=SHEET_CELL_CHARS,
                )
        # A decimal in a tuple is told from the text that it is encoded as.
        data = msgspec.msgpack.encode([(cell,) if isinstance(cell, Decimal) else cell for cell in cells])
        self._buffer.add(len(data).to_bytes(4, "big") + data)
        self._count += 1

    def finish(self) -> None:
        from rustpy_xlsxwriter import write_worksheet

        self._buffer.flush()
        try:
            write_worksheet(self._records(), cast(BinaryIO, self._file), sheet_name=self._sheet, freeze_row=1)
        finally:
            self._rows.close()

    def drop(self) -> None:
        self._rows.close()

    def _records(self) -> Iterator[dict[str, SheetValue]]:
        """Rows for the library, which takes the header from the first: without rows a blank one stands for it."""
        if not self._count:
            yield dict.fromkeys(self._columns)
        self._rows.seek(0)
        decode = msgspec.msgpack.Decoder(list[str | int | float | bool | tuple[Decimal] | None]).decode
        while size := int.from_bytes(self._rows.read(4), "big"):
            cells = (cell[0] if isinstance(cell, tuple) else cell for cell in decode(self._rows.read(size)))
            yield dict(zip(self._columns, cells, strict=True))


def _utf16_length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _sheet_value(value: Value) -> SheetValue:
    """Numbers that a sheet keeps exactly are numbers, so that they can be added up; everything else is text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < EXACT_TO else str(value)
    if isinstance(value, Decimal):
        exact = value.is_finite() and len(value.as_tuple().digits) <= 15 and abs(value) < EXACT_TO
        return value if exact else cell_text(value)
    return value if isinstance(value, float) else cell_text(value)
