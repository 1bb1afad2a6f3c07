"""The process that reads a workbook, so that a hostile or broken one cannot take the office with it.

It gets the bytes on standard input and gives text on standard output, both as length-prefixed messages; it opens no
file. Its memory is capped where the system can do that (Linux); a workbook that would take more ends this process and
nothing else. Values become text here: a spreadsheet keeps numbers in binary floating point, and shows 15 digits of
them.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import IO, TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from zipfile import ZipFile

    from python_calamine import CalamineSheet, CalamineWorkbook

CELLS_PER_MESSAGE = 20_000
MOST_MERGED = 100_000
MOST_ERRORS = 10_000
EXACT_TO = 10**15

Value = int | float | str | bool | dt.date | dt.time | dt.datetime | dt.timedelta | None
Errors = dict[tuple[int, int], str]


class Order(msgspec.Struct, frozen=True):
    """What is asked for; the bytes of the workbook follow it."""

    format: str
    sheet: str | None
    memory: int


class Opened(msgspec.Struct, frozen=True, tag="opened"):
    """The sheet that was chosen. `first_row` and `first_column` count from 1."""

    sheet: str
    others: list[str]
    first_row: int
    first_column: int
    merged: int
    errors: int
    first_errors: list[str]


class Rows(msgspec.Struct, frozen=True, tag="rows"):
    rows: list[list[str]]


class Done(msgspec.Struct, frozen=True, tag="done"):
    """`long_numbers` have more digits than a spreadsheet keeps; the first stands at `first_long`."""

    long_numbers: int = 0
    first_long: str = ""


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """`why` is one of: password, sheet, empty, memory, letters, broken."""

    why: str
    detail: str = ""


Message = Opened | Rows | Done | Failed


def main() -> None:
    """Read one order and one workbook from standard input; answer on standard output."""
    source, target = open(0, "rb", closefd=False), open(1, "wb", closefd=False)  # noqa: SIM115  they end with the process
    order = msgspec.msgpack.decode(source.read(int.from_bytes(source.read(4), "big")), type=Order)
    _cap_memory(order.memory)
    encode = msgspec.msgpack.encode
    with suppress(BrokenPipeError):  # whoever reads may have seen enough
        for message in answers(source.read(), order):
            data = encode(message)
            target.write(len(data).to_bytes(4, "big") + data)
            target.flush()


def _cap_memory(most: int) -> None:
    try:
        import resource
    except ImportError:
        return
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def answers(data: bytes, order: Order) -> Iterator[Message]:
    """What is to be said about a workbook.

    A panic of the library is an answer too: it derives from BaseException only.
    """
    try:
        yield from _read(data, order)
    except MemoryError:
        yield Failed("memory")
    except GeneratorExit:
        raise
    except BaseException as error:
        name = type(error).__name__
        why = "password" if name == "PasswordError" else "broken"
        yield Failed(why, str(error)[:300] or name)


def _read(data: bytes, order: Order) -> Iterator[Message]:
    from python_calamine import CalamineWorkbook, SheetTypeEnum

    book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    names = [meta.name for meta in book.sheets_metadata if meta.typ == SheetTypeEnum.WorkSheet]

    def errors_of(name: str) -> Errors:
        return _error_cells(data, name) if order.format == "xlsx" else {}

    sheet = _choose(book, order.sheet, names, errors_of)
    if isinstance(sheet, Failed):
        yield sheet
        return
    assert sheet.start is not None
    errors = errors_of(sheet.name)
    merged = (sheet.merged_cell_ranges or [])[:MOST_MERGED]
    shown = [f"{_column_name(column)}{row + 1} {text}" for (row, column), text in list(errors.items())[:3]]
    yield Opened(
        sheet.name,
        [name for name in names if name != sheet.name],
        1,
        sheet.start[1] + 1,
        len(merged),
        len(errors),
        shown,
    )
    for message in _rows(sheet, merged, errors):
        if isinstance(message, Rows) and any("\0" in cell for cells in message.rows for cell in cells):
            # Old workbooks that do not say how their letters are coded: the library takes each byte for one.
            yield Failed("letters")
            return
        yield message


def _choose(
    book: CalamineWorkbook, wanted: str | None, names: list[str], errors: Callable[[str], Errors]
) -> CalamineSheet | Failed:
    if wanted is not None:
        name = wanted if wanted in names else _by_number(wanted, names)
        if name is None:
            return Failed("sheet", ", ".join(names))
        sheet = book.get_sheet_by_name(name)
        return sheet if sheet.start is not None else Failed("empty", name)
    from python_calamine import SheetVisibleEnum

    visible = {meta.name for meta in book.sheets_metadata if meta.visible == SheetVisibleEnum.Visible}
    for name in names:
        if name in visible:
            sheet = book.get_sheet_by_name(name)
            if sheet.start is not None and (any(map(_filled, sheet.iter_rows())) or errors(sheet.name)):
                return sheet
    return Failed("empty")


def _by_number(wanted: str, names: list[str]) -> str | None:
    index = int(wanted) if wanted.isdecimal() and len(wanted) < 6 else 0
    return names[index - 1] if 1 <= index <= len(names) else None


def _filled(row: Sequence[Value]) -> bool:
    return any(value is not None and value != "" for value in row)


def _rows(
    sheet: CalamineSheet, merged: list[tuple[tuple[int, int], tuple[int, int]]], errors: Errors
) -> Iterator[Rows | Done]:
    """All rows as text. Cells merged downwards are one cell to whoever made the sheet, so each row gets its value."""
    assert sheet.start is not None
    first, width = sheet.start[1], sheet.width
    begins: dict[int, list[tuple[int, int]]] = {}
    for (top, left), (bottom, _right) in merged:
        if bottom > top and first <= left < first + width:
            begins.setdefault(top, []).append((left - first, bottom))
    held: dict[int, tuple[int, str]] = {}
    batch: list[list[str]] = []
    text = Texts(first)
    for number, values in enumerate(sheet.iter_rows()):
        cells = text.row(number, values[len(values) - width :])
        for column in [column for (row, column) in errors if row == number] if errors else ():
            if 0 <= column - first < width and not cells[column - first]:
                cells[column - first] = errors[number, column]
        for column, (bottom, value) in list(held.items()):
            if number > bottom:
                del held[column]
            elif not cells[column]:
                cells[column] = value
        for column, bottom in begins.get(number, ()):
            held[column] = (bottom, cells[column])
        batch.append(cells)
        if len(batch) * width >= CELLS_PER_MESSAGE:
            yield Rows(batch)
            batch = []
    yield Rows(batch)
    yield Done(text.long_numbers, text.first_long)


class Texts:
    """Values of a sheet as text, counting the numbers that have lost digits."""

    def __init__(self, first_column: int) -> None:
        self.long_numbers = 0
        self.first_long = ""
        self._first = first_column

    def row(self, number: int, values: Sequence[Value]) -> list[str]:
        return [value if type(value) is str else self._text(number, index, value) for index, value in enumerate(values)]

    def _text(self, row: int, column: int, value: Value) -> str:
        if isinstance(value, float | int) and not isinstance(value, bool) and abs(value) >= EXACT_TO:
            self.long_numbers += 1
            self.first_long = self.first_long or f"{_column_name(column + self._first)}{row + 1}"
        return cell_text(value)


def cell_text(value: Value) -> str:
    """A value of a sheet as its text: numbers without an exponent, dates as ISO 8601, durations as hh:mm:ss."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _number_text(value)
    if isinstance(value, dt.datetime):
        return value.isoformat(timespec="milliseconds" if value.microsecond else "seconds")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, dt.timedelta):
        seconds = round(value.total_seconds())
        sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
        return f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return "" if value is None else str(value)


def _number_text(value: float) -> str:
    if value.is_integer() and abs(value) < EXACT_TO:
        return str(int(value))
    # 15 digits are what a spreadsheet keeps and shows: 19.990000000000002 is its 19.99.
    text = f"{value:.15g}" if abs(value) < EXACT_TO else repr(value)
    return format(Decimal(text), "f").removesuffix(".0") if "e" in text else text.removesuffix(".0")


def _column_name(index: int) -> str:
    name = ""
    index += 1
    while index:
        index, letter = divmod(index - 1, 26)
        name = chr(65 + letter) + name
    return name


_error_cell = re.compile(
    rb'<(?:\w+:)?c (?:[^>]*? )?r="([A-Z]{1,3})([0-9]{1,7})"(?:[^>]*?) t="e"[^>]*>'
    rb"(?:<(?:\w+:)?f[^>]*(?:/>|>[^<]*</(?:\w+:)?f>))?<(?:\w+:)?v>([^<]{1,20})<"
)


def _error_cells(data: bytes, sheet: str) -> Errors:
    """Cells such as #DIV/0!, which the library gives as blanks.

    Without them a failed formula would pass for nothing.
    """
    from zipfile import ZipFile

    found: Errors = {}
    with ZipFile(io.BytesIO(data)) as archive:
        part = _sheet_part(archive, sheet)
        if part is None:
            return found
        with archive.open(part) as source:
            rest = b""
            while block := source.read(1 << 20):
                text = rest + block
                if b't="e"' in text:
                    for letters, row, error in _error_cell.findall(text):
                        found[int(row) - 1, _column_index(letters)] = error.decode("utf-8", "replace")
                if len(found) > MOST_ERRORS:
                    break
                rest = text[text.rfind(b"<c ") :][-4096:] if b"<c " in text else b""
    return found


def _sheet_part(archive: ZipFile, sheet: str) -> str | None:
    """The part of the archive that holds a sheet, by way of the workbook's relations."""
    from xml.etree.ElementTree import ParseError, fromstring

    try:
        book, relations = archive.read("xl/workbook.xml"), archive.read("xl/_rels/workbook.xml.rels")
        if b"<!DOCTYPE" in book or b"<!DOCTYPE" in relations:
            return None
        ids = {
            element.get("name"): next((value for key, value in element.items() if key.endswith("}id")), None)
            for element in fromstring(book).iter()
            if element.tag.endswith("}sheet")
        }
        targets = {element.get("Id"): element.get("Target", "") for element in fromstring(relations).iter()}
    except (ParseError, KeyError):
        return None
    target = targets.get(ids.get(sheet), "")
    part = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
    return part if part in archive.namelist() else None


def _column_index(letters: bytes) -> int:
    index = 0
    for letter in letters:
        index = index * 26 + letter - 64
    return index - 1


def send(target: IO[bytes], order: Order) -> None:
    """Write the order, for the side that starts this process."""
    data = msgspec.msgpack.encode(order)
    target.write(len(data).to_bytes(4, "big") + data)
