"""Several rows of a file that are one record: an order and its lines.

A mapping with a `[gather]` table says which column tells the record, which columns are of a line, and which values are
picked or added up from others. Rows of one key that follow each other become one row, whose cell `lines` is a JSON
array; from there on it is planned and written like any other. The rows as they came stay with it, for the reject file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from itertools import groupby
from typing import Final

import msgspec

from bo.core.exchange.source import Row, Source
from bo.core.kernel.errors import BadFile, BadValue


class Pick(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A value that another column chooses: `by` is that column, `take` the column whose cell is taken for each of its
    words; a word that is not there takes nothing."""

    by: str
    take: dict[str, str]


class Rows(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What of each row goes into a list: `columns` says column = field. Only rows that fill `needs`, a field, count."""

    columns: dict[str, str]
    needs: str = ""


class Gather(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How rows are gathered. `lists`: new column (`lines`, `variants`) = what of each row goes into it. `sums`: new
    column = columns of the head that are added up. `totals`: new column = a column of all rows that is added up.
    `picks`: new column = one chosen by a word."""

    key: str
    lists: dict[str, Rows] = {}
    sums: dict[str, list[str]] = {}
    totals: dict[str, str] = {}
    picks: dict[str, Pick] = {}


class GatheredRow(Row, frozen=True, gc=False):
    """A record made of several rows of the file."""

    parts: tuple[Row, ...] = ()


def gathered(source: Source, how: Gather) -> Source:
    """The records that a file's rows make up. Raises BadFile where the column of the key is not there."""
    places = {name: place for place, name in enumerate(source.columns)}
    if how.key not in places:
        raise BadFile("{name} has no column {columns}", name=source.name, columns=how.key)
    taken = {places[name] for rows in how.lists.values() for name in rows.columns if name in places}
    head = [place for place in range(len(source.columns)) if place not in taken]
    made = _Gathering(how, places, head)
    names = [source.columns[place] for place in head]
    return Source(
        name=source.name,
        format=source.format,
        columns=[*names, *how.sums, *how.totals, *how.picks, *how.lists],
        rows=made.rows(iter(source)),
        encoding=source.encoding,
        notes=source.notes,
        skipped=source.skipped,
        sheet=source.sheet,
        close=source.close,
    )


class _Gathering(msgspec.Struct):
    how: Gather
    places: Mapping[str, int]
    head: Sequence[int]

    def rows(self, found: Iterator[Row]) -> Iterator[Row]:
        key = self.places[self.how.key]
        for number, (_key, group) in enumerate(groupby(found, lambda row: _cell(row, key)), 1):
            parts = tuple(group)
            problem = next((row.problem for row in parts if row.problem is not None), None)
            cells = self._cells(parts) if problem is None else parts[0].cells
            try:
                yield GatheredRow(number, parts[0].line, cells, problem, parts)
            except BadValue as error:
                yield GatheredRow(number, parts[0].line, parts[0].cells, error, parts)

    def _cells(self, parts: Sequence[Row]) -> list[str | None]:
        """The head's cells, each from the first row that fills it, then what is worked out."""
        head = [next((row.cells[place] for row in parts if row.cells[place]), "") for place in self.head]
        first = {name: self._first(parts, place) for name, place in self.places.items()}
        sums = [_sum([first.get(name) for name in names]) for names in self.how.sums.values()]
        totals = [_sum([_cell(row, self.places.get(name, -1)) for row in parts]) for name in self.how.totals.values()]
        picks = [
            first.get(pick.take.get((first.get(pick.by) or "").strip(), ""), "") for pick in self.how.picks.values()
        ]
        lists = [self._list(parts, rows) for rows in self.how.lists.values()]
        return [*head, *sums, *totals, *picks, *lists]

    def _first(self, parts: Sequence[Row], place: int) -> str:
        return next((cell for row in parts if (cell := row.cells[place])), "") or ""

    def _list(self, parts: Sequence[Row], rows: Rows) -> str:
        columns = [(self.places[name], field) for name, field in rows.columns.items() if name in self.places]
        made = [{field: cell for place, field in columns if (cell := _cell(row, place))} for row in parts]
        kept = [row for row in made if row and (not rows.needs or row.get(rows.needs))]
        return msgspec.json.encode(kept).decode() if kept else ""


def _cell(row: Row, place: int) -> str:
    return (row.cells[place] or "").strip() if 0 <= place < len(row.cells) else ""


def _sum(cells: Sequence[str | None]) -> str:
    """Numbers added up as they are written; what is no number is left for the kind of the field to refuse."""
    total, found = Decimal(0), False
    for cell in cells:
        text = (cell or "").strip().replace(",", "")
        if text:
            try:
                total, found = total + Decimal(text), True
            except InvalidOperation:
                return text
    return str(total) if found else ""
