"""What a reader hands out: a Source of Rows, and the limits every reader keeps.

A Source owns an open file and nothing else: it knows names and text, not records or kinds. It refuses to guess
silently: whatever was detected or left out stands in `notes`, and a row that does not fit carries its `problem` and
is never mended.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from types import TracebackType
from typing import Final, Literal, Self
from unicodedata import normalize

import msgspec

from bo.core.kernel.errors import BadInput
from bo.core.kernel.text import _

Format = Literal["csv", "tsv", "json", "jsonl", "sql", "xlsx", "xls", "ods", "xlsb"]
FORMATS: Final[tuple[Format, ...]] = ("csv", "tsv", "json", "jsonl", "sql", "xlsx", "xls", "ods", "xlsb")
WORKBOOKS: Final[frozenset[str]] = frozenset({"xlsx", "xls", "ods", "xlsb"})

MIB = 1 << 20


class Limits(msgspec.Struct, frozen=True):
    """The most that a reader takes in before it refuses. Bytes and characters as the names say."""

    record_chars: int = MIB
    columns: int = 16_384
    sample_bytes: int = 128 << 10
    unpacked_bytes: int = 4 << 30
    """Of a gz, bz2 or zip, and of what is piped in.

    It guards the disk and the patience, since reading is flat in memory.

    """
    archive_entries: int = 10_000
    workbook_bytes: int = 384 * MIB
    """All parts of a workbook unpacked, pictures excepted."""
    workbook_ratio: int = 200
    """Unpacked to packed, looked at above 16 MiB; real sheets lie between 5 and 60."""
    workbook_file_bytes: int = 96 * MIB
    workbook_memory: int = 192 * MIB
    """For the process that reads a workbook, beside six times the unpacked bytes."""
    workbook_seconds: int = 180


class Row(msgspec.Struct, frozen=True, gc=False):
    """One record of the file.

    `number` counts records from 1, header and blank lines left out; `line` is where it begins: the line of a text
    file, the row of a sheet. A cell is its text; "" is a blank; None (JSON only) says that the object has no such
    field. With a `problem` the cells are as found, which may be fewer or more than the columns, or none.
    """

    number: int
    line: int
    cells: Sequence[str | None]
    problem: BadInput | None = None


class Skipped(msgspec.Struct):
    """Lines that are no records, by reason. Complete when the rows have been read."""

    blank: int = 0
    comment: int = 0
    header: int = 0


class Source:
    """An open file of rows; a context manager.

    Iterate it once; iterating may raise BadFile when the file breaks further down.
    """

    def __init__(
        self,
        *,
        name: str,
        format: Format,
        columns: list[str],
        rows: Iterator[Row],
        encoding: str = "",
        notes: list[str] | None = None,
        skipped: Skipped | None = None,
        sheet: str = "",
        close: Callable[[], None] | None = None,
    ) -> None:
        self.name = name
        self.format: Format = format
        self.columns = columns
        self.encoding = encoding
        self.sheet = sheet
        self.notes = notes if notes is not None else []
        self.skipped = skipped if skipped is not None else Skipped()
        self._rows = rows
        self._close = close

    def __iter__(self) -> Iterator[Row]:
        return self._rows

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file. Safe to call twice."""
        close, self._close = self._close, None
        if close is not None:
            close()


def without_entities(source: Source) -> Source:
    """The same rows, with characters for the names that HTML gives them."""
    import html

    def rows() -> Iterator[Row]:
        for row in source:
            if any("&" in cell for cell in row.cells if cell):
                cells = [html.unescape(cell) if cell else cell for cell in row.cells]
                yield msgspec.structs.replace(row, cells=cells)
            else:
                yield row

    return _with_rows(source, rows())


def without_rows(source: Source, said: Mapping[str, str]) -> Source:
    """The same rows without those whose column holds that cell, such as a second header."""
    wanted = [(source.columns.index(name), cell) for name, cell in said.items() if name in source.columns]

    def rows() -> Iterator[Row]:
        for row in source:
            if row.problem is not None or not any(row.cells[place] == cell for place, cell in wanted):
                yield row

    return _with_rows(source, rows())


def _with_rows(source: Source, rows: Iterator[Row]) -> Source:
    return Source(
        name=source.name, format=source.format, columns=source.columns, rows=rows, encoding=source.encoding,
        notes=source.notes, skipped=source.skipped, sheet=source.sheet, close=source.close,
    )  # fmt: skip


def distinct_names(cells: Sequence[str], *, first: int = 1) -> tuple[list[str], list[str]]:
    """Column names as a user can address them, and notes: white space tidied, blanks numbered, repeats counted ("name
    (2)").

    `first` is the position of the first cell in the file, from 1.
    """
    names: list[str] = []
    blank: list[str] = []
    repeated: list[str] = []
    taken: set[str] = set()
    copies: dict[str, int] = {}
    for position, cell in enumerate(cells, first):
        wanted = " ".join(cell.split())
        if not wanted:
            wanted = f"column {position}"
            blank.append(wanted)
        name, copy = wanted, copies.get(wanted, 1)
        while name in taken:
            copy += 1
            name = f"{wanted} ({copy})"
        if copy > 1:
            repeated.append(name)
        # From here on, so that a line of one name repeated is not counted through again and again.
        copies[wanted] = copy
        taken.add(name)
        names.append(name)
    notes = []
    if blank:
        notes.append(_("columns without a name are called by their place: {names}", names=shorten(blank)))
    if repeated:
        notes.append(_("columns with the same name are told apart: {names}", names=shorten(repeated)))
    return names, notes


def shorten(names: Sequence[str], most: int = 8) -> str:
    """Names for a message, the rest counted."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} … ({len(names)})"


@cache
def plain_name(header: str) -> str:
    """A header as it is compared: without case, width, spaces and punctuation."""
    return re.sub(r"[\W_]+", "", normalize("NFKC", header).casefold())
