"""From raw records to rows: where the header is, which columns count, which records are no rows, and what is wrong
with the others.

Shared by text files and workbooks. It refuses to mend: a record that is too short or too long becomes a row with a
problem.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from bo.core.exchange.escaping import unescape
from bo.core.exchange.sniffing import Records, usual_width
from bo.core.exchange.source import Limits, Row, Skipped, distinct_names, shorten
from bo.core.kernel.errors import BadFile, BadInput
from bo.core.kernel.text import _

HEADER_WITHIN = 40

_data_like = re.compile(
    r"""[+-]?[\d.,]*\d%?          # an amount or a plain number
    | [$€£¥]\s?\d.*               # with its currency
    | \d{1,4}[-/.年]\d{1,2}([-/.月].*)?   # a day
    | \d{1,2}:\d{2}(:\d{2})?      # a time
    | [^@\s]+@[^@\s]+\.[^@\s]+    # a mail address
    | https?://\S+""",
    re.VERBOSE,
).fullmatch


class Sampled(msgspec.Struct, frozen=True):
    """A record of the sample: where it begins and its cells, or None where it cannot be read."""

    line: int
    cells: list[str] | None

    @property
    def filled(self) -> int:
        return sum(1 for cell in self.cells or () if cell and not cell.isspace())


class Layout(msgspec.Struct, frozen=True):
    """`skip` records come before the header; without `header` the data begin at once.

    Of each record the cells [start:stop] count.
    """

    skip: int
    header: bool
    start: int
    stop: int
    width: int
    padded: int
    wrapped: bool
    notes: list[str]


def find_layout(sample: Sequence[Sampled], *, header_row: int | None, plain: bool = False) -> Layout | None:
    """Where the header is, or None where nothing but blanks was found.

    `header_row` is a line number as the user sees it, 0 for no header. `plain` takes the first record that is not
    blank, whatever it looks like.
    """
    filled = [index for index, record in enumerate(sample) if record.filled]
    if not filled:
        return None
    if header_row == 0:
        return _headless(sample, filled)
    if header_row is not None:
        index = _record_at_line(sample, header_row)
    else:
        index = filled[0] if plain else _likely_header(sample, filled)
    header = sample[index]
    cells = header.cells or []
    start, stop = _extent(cells, sample[index + 1 :])
    notes = _preamble_notes(sample[:index]) + ([] if header_row else _header_doubts(cells[start:stop]))
    return Layout(
        skip=index,
        header=True,
        start=start,
        stop=stop,
        width=len(cells),
        padded=_padded_width(len(cells), sample[index + 1 :]),
        wrapped=not plain and _wrapped(sample),
        notes=notes,
    )


def _headless(sample: Sequence[Sampled], filled: list[int]) -> Layout:
    width = _usual_width(sample, filled)
    return Layout(
        skip=0, header=False, start=0, stop=width, width=width, padded=width, wrapped=_wrapped(sample), notes=[]
    )


def _record_at_line(sample: Sequence[Sampled], line: int) -> int:
    """Lines before the first sampled one are blank ones, so that the nearest record at or after the line is meant."""
    for index, record in enumerate(sample):
        begins_after = index + 1 < len(sample) and sample[index + 1].line > line
        if record.line == line or (record.line < line and begins_after):
            if record.filled:
                return index
            break
    raise BadFile(
        "line {line} cannot be the header: it is blank, unreadable or too far down",
        hint="Give the number of the line with the column names, or 0 if there is none.",
        line=line,
    )


def _likely_header(sample: Sequence[Sampled], filled: list[int]) -> int:
    """The first record that fills at least half of the usual width; titles and comments above a table do not."""
    width = _usual_width(sample, filled)
    enough = min(width, max(2, (width + 1) // 2))
    for index in filled[:HEADER_WITHIN]:
        record = sample[index]
        if record.filled >= enough and not _is_comment(record.cells or [], width):
            return index
    return filled[0]


def _usual_width(sample: Sequence[Sampled], filled: list[int]) -> int:
    return usual_width([len(sample[index].cells or ()) for index in filled])


def _is_comment(cells: Sequence[str], width: int) -> bool:
    return bool(cells) and cells[0].startswith("#") and width > 1 and not any(cells[1:])


def _extent(header: Sequence[str], below: Sequence[Sampled]) -> tuple[int, int]:
    """The columns that count: nameless ones at either edge only where the sample has something in them."""
    used = [bool(cell.strip()) for cell in header]
    for record in below:
        for index, cell in enumerate((record.cells or [])[: len(used)]):
            if cell:
                used[index] = True
    if True not in used:
        return 0, len(used)
    return used.index(True), len(used) - used[::-1].index(True)


def _wrapped(sample: Sequence[Sampled]) -> bool:
    """Whether cells are written as ="0012", the formula that keeps a spreadsheet from eating the zeros."""
    return any(_formula_text(cell) for record in sample for cell in record.cells or () if cell.startswith('="'))


_formula_text = re.compile(r'="([^"]*)"').fullmatch


def _unwrap(cell: str) -> str:
    found = _formula_text(cell)
    return found[1] if found else cell


def _padded_width(width: int, below: Sequence[Sampled]) -> int:
    """The width of rows that all end in delimiters which the header lacks, as some exports do.

    Only as a habit of the whole file: in one row, a blank last cell too many is what an unquoted delimiter leaves.
    """
    rows = [record.cells for record in below if record.cells and record.filled]
    if not rows:
        return width
    usual, count = Counter(map(len, rows)).most_common(1)[0]
    blank = usual > width and not any(any(cells[width:]) for cells in rows if len(cells) == usual)
    return usual if blank and count * 10 >= len(rows) * 9 else width


def _preamble_notes(above: Sequence[Sampled]) -> list[str]:
    lines = [str(record.line) for record in above if record.filled]
    return [_("lines above the header left out: {lines}", lines=shorten(lines))] if lines else []


def _header_doubts(cells: Sequence[str]) -> list[str]:
    looks = [cell.strip() for cell in cells if _data_like(cell.strip())]
    if not looks:
        return []
    return [_("the header looks like data ({cells}): if there is none, say --header-row 0", cells=shorten(looks, 3))]


class Intake(msgspec.Struct):
    """What the row loop and the line feeder tell each other: records completed, and whether a NUL has come by."""

    records: int = 0
    nul: bool = False


class Table:
    """Rows of one table. `columns` are known once it is made; iterate `rows()` once."""

    def __init__(
        self,
        records: Records,
        layout: Layout,
        intake: Intake,
        limits: Limits,
        *,
        notes: list[str],
        unescape: bool = False,
        offset: int = 0,
    ) -> None:
        self.skipped = Skipped()
        self.notes = notes
        self._records = records
        self._intake = intake
        self._unescape = unescape
        self._wrapped = layout.wrapped
        self._start, self._stop = layout.start, layout.stop
        self._width, self._padded = layout.width, layout.padded
        self._offset = offset
        self._second = 0
        notes += layout.notes
        if layout.wrapped:
            notes.append(_('cells written as ="text" are read as the text'))
        header = self._take_header(layout)
        names = header[self._start : self._stop] if layout.header else [""] * self._width
        if len(names) > limits.columns:
            raise BadFile(
                "there are {count} columns; at most {most} are read",
                hint=PARTED_WRONG,
                count=len(names),
                most=limits.columns,
            )
        self.columns, doubts = distinct_names([self._plain(name) for name in names], first=self._start + offset + 1)
        notes += doubts if layout.header else []
        self._header = header

    def _take_header(self, layout: Layout) -> list[str]:
        """Go past what stands above the header, and the header."""
        header: list[str] = []
        for index in range(layout.skip + layout.header):
            try:
                header = next(self._records)
            except csv.Error as error:
                if index == layout.skip:
                    raise BadFile("the header cannot be read: {reason}", hint=PARTED_WRONG, reason=error) from error
            self._intake.records += 1
        return header

    def _plain(self, cell: str) -> str:
        if self._wrapped:
            return _unwrap(cell)
        return unescape(cell) if self._unescape else cell

    def rows(self) -> Iterator[Row]:
        """The rows. This loop is what the speed of an import hangs on, so the usual row leaves it at the first test."""
        records, intake, width = self._records, self._intake, self._width
        whole, own = self._start == 0 and self._stop == width and not self._wrapped, self._unescape
        lead = self._header[0] if self._header else None
        number, end = 0, records.line_num
        while True:
            try:
                for cells in records:
                    intake.records += 1
                    line, end = end + 1, records.line_num
                    if (
                        whole
                        and len(cells) == width
                        and (first := cells[0])
                        and first != lead
                        and not first.isspace()
                        and not ("'" in "".join(cells) if own else intake.nul)
                    ):
                        number += 1
                        yield Row(number, line, cells)
                        continue
                    row = self._judge(number + 1, line, cells)
                    whole = whole and not self._second
                    if row is not None:
                        number += 1
                        yield row
                break
            except csv.Error as error:
                intake.records += 1
                line, end = end + 1, records.line_num
                number += 1
                yield Row(number, line, [], _unreadable(line, error))
        self._report()

    def _judge(self, number: int, line: int, cells: list[str]) -> Row | None:
        """A record that is not plainly a row: None if it is none, else the row, with its problem where it has one."""
        if not cells or not any(cells) or not any(cell.strip() for cell in cells):
            self.skipped.blank += 1
            return None
        if len(self.columns) > 1:
            if cells == self._header:
                self.skipped.header += 1
                return None
            if cells[0].startswith("#") and len(cells) < self._width and not any(cells[1:]):
                self.skipped.comment += 1
                return None
        return self._fitted(number, line, cells)

    def _fitted(self, number: int, line: int, cells: list[str]) -> Row:
        if self._unescape and "'" in "".join(cells):
            cells = [unescape(cell) for cell in cells]
        elif self._intake.nul and not self._unescape:
            for index, cell in enumerate(cells):
                if "\0" in cell:
                    return Row(number, line, cells, _nul(line, index + self._offset + 1))
        if self._wrapped:
            cells = [_unwrap(cell) for cell in cells]
        if self._second:
            return Row(number, line, cells, _other_table(line, self._second))
        kept = cells[self._start : self._stop]
        fits = len(cells) == self._width or len(cells) == self._padded
        if not fits or any(cells[self._stop :]) or any(cells[: self._start]):
            self._second = line if self._looks_like_header(cells) else 0
            return Row(number, line, cells, _ragged(line, len(cells), len(self.columns)))
        return Row(number, line, kept)

    def _looks_like_header(self, cells: list[str]) -> bool:
        """Half of the column names in a record of another width: a second table begins, and its rows are not ours."""
        names = {name for name in self._header if name}
        return len(names) > 1 and len(names.intersection(cells)) * 2 >= len(names)

    def _report(self) -> None:
        skipped = self.skipped
        if skipped.blank:
            self.notes.append(_("blank lines left out: {count}", count=skipped.blank))
        if skipped.header:
            self.notes.append(_("repeated header lines left out: {count}", count=skipped.header))
        if skipped.comment:
            self.notes.append(_("comment lines left out: {count}", count=skipped.comment))


PARTED_WRONG = "Say how the cells are parted with --delimiter, or which line has the column names with --header-row."


def _ragged(line: int, found: int, expected: int) -> BadInput:
    return BadInput(
        "line {line} has {found} cells, the header has {expected}",
        hint="Quote cells that hold the delimiter, and give each line all its cells, blank ones too.",
        line=line,
        found=found,
        expected=expected,
    )


def _other_table(line: int, begins: int) -> BadInput:
    return BadInput(
        "line {line} belongs to another table, which begins on line {begins}",
        hint="Put each table in a file of its own.",
        line=line,
        begins=begins,
    )


def _nul(line: int, column: int) -> BadInput:
    return BadInput(
        "line {line} has a NUL character in cell {column}",
        hint="The file is damaged, or in another encoding: say --encoding utf-16-le, for example.",
        line=line,
        column=column,
    )


def _unreadable(line: int, error: csv.Error) -> BadInput:
    reason = str(error)
    if "end of data" in reason:
        return BadInput(
            "line {line}: a quotation mark is opened and not closed before the file ends",
            hint="Close it, or double it if it belongs to the text.",
            line=line,
        )
    if "expected after" in reason:
        return BadInput(
            "line {line}: text follows a closing quotation mark",
            hint="Double the quotation marks that belong to the text.",
            line=line,
        )
    return BadInput("line {line}: {reason}", hint="Look at this line in a text editor.", line=line, reason=reason)
