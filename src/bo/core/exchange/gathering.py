"""Several rows of a file that are one record: an order and its lines, a product and its variants.

A mapping with a `[gather]` table says which column tells the record, which columns are of a line, and which values are
picked or added up from others. Rows of one key become one row, whose cells `lines`, `variants` … are JSON arrays; from
there on it is planned and written like any other. The rows as they came stay with it, for the reject file. What a later
row says differently from the first, and no list takes, is kept in `extra` under its header and the number of the row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, InvalidOperation
from fnmatch import fnmatchcase
from itertools import groupby
from typing import Final

import msgspec

from bo.core.exchange.escaping import NAMING, digits, unescape
from bo.core.exchange.rejects import REJECT_COLUMNS, is_reject_file
from bo.core.exchange.seen import Seen
from bo.core.exchange.source import Row, Source, plain_name
from bo.core.kernel.errors import BadFile, BadValue

LEFT_OVER: Final = "extra"
ANY_WORD: Final = "*"


class Pick(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A value that another column chooses: `by` is that column, `take` the column (or computed one) whose cell is taken
    for each of its words, `say` the value that a word stands for; "*" for all others. A word that is not there takes
    nothing."""

    by: str
    take: dict[str, str] = {}
    say: dict[str, str] = {}


class Rows(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What of each row goes into a list.

    `columns`: column = field. `first`: field = columns, the first that is filled. `picks`: field = one chosen by a
    word. `set`: field = what stands in for a blank. `values`: field = what its words mean ("" for a blank).
    `times`: column = a number it is multiplied by. `round`: field = decimals it is rounded to, half up; a cell that
    changes by it is kept in the entry's `extra`. `round_sum`: field = decimals, rounded so that the entries add up to
    their sum, rounded once, half to even. `split`: field = the mark between several entries of a cell. `extra`:
    columns, also as `Lineitem *`, that are kept in the entry's `extra`; `!Lineitem tax` is not. `needs`: only rows
    that fill one of these fields count. `blank`: field = the word that is written where it has nothing.
    """

    columns: dict[str, str] = {}
    first: dict[str, list[str]] = {}
    picks: dict[str, Pick] = {}
    constants: dict[str, str] = msgspec.field(default_factory=dict, name="set")
    values: dict[str, dict[str, str]] = {}
    times: dict[str, str] = {}
    round: dict[str, int] = {}
    round_sum: dict[str, int] = {}
    split: dict[str, str] = {}
    extra: list[str] = []
    needs: list[str] = []
    blank: dict[str, str] = {}


class Gather(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How rows are gathered.

    `key`: the column of the record, or several of which the first that is filled counts; a row without its first one
    is then the head. `named`: new column with the key. `apart`: the rows of one record need not stand together; the
    file is held in memory. `lists`: new column (`lines`, `variants`) = what of each row goes into it. `sums`: new
    column = columns of the head that are added up, or taken away ("-Outstanding Balance"). `totals`: new column = a
    column of all rows that is added up, or of each row the one that a word chooses. `picks`: new column = one
    chosen by a word. `escaped`: cells of lists are as we write them for spreadsheets, as those of a reject file are.
    """

    key: str | list[str]
    named: str = ""
    apart: bool = False
    lists: dict[str, Rows] = {}
    sums: dict[str, list[str]] = {}
    totals: dict[str, str | Pick] = {}
    picks: dict[str, Pick] = {}
    escaped: bool = False


_NOTHING: Final[frozenset[int]] = frozenset()


class GatheredRow(Row, frozen=True, gc=False):
    """A record made of several rows of the file."""

    parts: tuple[Row, ...] = ()


class _Entry(msgspec.Struct, frozen=True):
    """How one list is made: columns as places."""

    name: str
    how: Rows
    columns: tuple[tuple[int, str, str], ...]  # place, field, factor
    first: tuple[tuple[str, tuple[int, ...]], ...]
    picks: tuple[tuple[str, int, dict[str, int]], ...]
    extra: tuple[tuple[int, str], ...]
    split: bool
    escaped: bool
    own: bool  # written by us, so that nothing is put right
    taken: frozenset[int]  # the places that an entry takes away from the head


def gathered(source: Source, how: Gather) -> Source:
    """The records that a file's rows make up. Raises BadFile where no column of the key is there."""
    places = _Places(source.columns)
    keys = [place for name in ([how.key] if isinstance(how.key, str) else how.key) if (place := places.of(name)) >= 0]
    if not keys:
        raise BadFile("{name} has no column {columns}", name=source.name, columns=str(how.key))
    escaped = source.format in ("csv", "tsv") and (how.escaped or is_reject_file(source.columns))
    entries = [
        _entry(name, rows, source.columns, places, escaped=escaped, own=how.escaped) for name, rows in how.lists.items()
    ]
    taken = {place for entry in entries for place in entry.taken} - set(keys)
    head = [place for place in range(len(source.columns)) if place not in taken]
    columns = [source.columns[place] for place in head]
    columns += [*([how.named] if how.named else []), *how.sums, *how.totals, *how.picks, *how.lists]
    leaves = LEFT_OVER not in columns
    told_apart = {*keys, *(place for place, name in enumerate(source.columns) if name in REJECT_COLUMNS)}
    made = _Gathering(how, source.columns, places, keys, entries, head, sorted(taken), leaves, told_apart)
    return Source(
        name=source.name,
        format=source.format,
        columns=[*columns, LEFT_OVER] if leaves else columns,
        rows=made.rows(iter(source)),
        encoding=source.encoding,
        notes=source.notes,
        skipped=source.skipped,
        sheet=source.sheet,
        close=source.close,
    )


class _Places:
    """Where columns stand, by their names as they are compared."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._exact = {name: place for place, name in enumerate(columns)}
        self._plain: dict[str, int] = {}
        for place, name in enumerate(columns):
            self._plain.setdefault(plain_name(name), place)

    def of(self, name: str) -> int:
        """The place of a column; -1 where it is not there."""
        found = self._exact.get(name)
        return found if found is not None else self._plain.get(plain_name(name), -1)


def _entry(name: str, how: Rows, columns: Sequence[str], places: _Places, *, escaped: bool, own: bool) -> _Entry:
    named = tuple(
        (place, field, how.times.get(column, ""))
        for column, field in how.columns.items()
        if (place := places.of(column)) >= 0
    )
    fields = [field for _place, field, _times in named]
    taken = {place for place, _field, _times in named}
    extra = tuple(
        (place, column) for place, column in enumerate(columns) if place not in taken and _is_among(column, how.extra)
    )
    first = tuple(
        (field, tuple(place for column in wanted if (place := places.of(column)) >= 0))
        for field, wanted in how.first.items()
    )
    picks = tuple(
        (field, places.of(pick.by), {word: places.of(column) for word, column in pick.take.items()})
        for field, pick in how.picks.items()
    )
    split = bool(how.split) or len(fields) > len(set(fields))
    all_taken = frozenset(taken).union((place for place, _header in extra), *(wanted for _field, wanted in first))
    return _Entry(name, how, named, first, picks, extra, split, escaped, own, all_taken)


def _is_among(column: str, patterns: Sequence[str]) -> bool:
    if any(fnmatchcase(column, pattern[1:]) for pattern in patterns if pattern[:1] == "!"):
        return False
    return any(fnmatchcase(column, pattern) for pattern in patterns)


class _Gathering(msgspec.Struct):
    how: Gather
    columns: Sequence[str]
    places: _Places
    keys: Sequence[int]
    entries: Sequence[_Entry]
    head: Sequence[int]
    taken: Sequence[int]
    leaves: bool
    told_apart: set[int]  # columns that may say something else in each row

    def rows(self, found: Iterator[Row]) -> Iterator[Row]:
        groups = self._apart(found) if self.how.apart else self._together(found)
        for number, (key, parts, apart) in enumerate(groups, 1):
            problem = apart or next((row.problem for row in parts if row.problem is not None), None)
            cells: Sequence[str | None] = parts[0].cells
            if problem is None:
                try:
                    cells = self._cells(key, parts)
                except BadValue as error:
                    problem = error
            yield GatheredRow(number, parts[0].line, cells, problem, parts)

    def _together(self, found: Iterator[Row]) -> Iterator[tuple[str, tuple[Row, ...], BadValue | None]]:
        seen = Seen()
        for key, group in groupby(found, self._key):
            problem = None
            if key and seen.before(key):
                problem = BadValue(
                    "the rows of {key} do not stand together",
                    hint="Sort the file by that column, or say apart = true in the mapping.",
                    key=key[:80],
                )
            yield key, tuple(group), problem

    def _apart(self, found: Iterator[Row]) -> Iterator[tuple[str, tuple[Row, ...], BadValue | None]]:
        groups: dict[str, list[Row]] = {}
        for number, row in enumerate(found):
            key = self._key(row) if row.problem is None else ""
            groups.setdefault(key or f"\x00{number}", []).append(row)
        for key, rows in groups.items():
            if len(self.keys) > 1:  # the row that names no other is the head
                rows.sort(key=lambda row: bool(_cell(row, self.keys[0])))
            yield key if key[:1] != "\x00" else "", tuple(rows), None

    def _key(self, row: Row) -> str:
        return next((cell for place in self.keys if (cell := _cell(row, place))), "")

    def _cells(self, key: str, parts: Sequence[Row]) -> list[str | None]:
        """The head's cells, each from the first row that fills it, then what is worked out."""
        first, how = parts[0].cells, self.how
        head = [first[place] or _filled(parts, place) for place in self.head]
        made = {name: _sum([self._signed(parts, column) for column in wanted]) for name, wanted in how.sums.items()}
        for name, column in how.totals.items():
            made[name] = _sum([_cell(row, self.places.of(self._chosen(row, column))) for row in parts])
        for name, pick in how.picks.items():
            word = self._first(parts, pick.by)
            column = pick.take.get(word, pick.take.get(ANY_WORD, ""))
            taken = made[column] if column in made else self._first(parts, column) if column else ""
            made[name] = taken or pick.say.get(word, pick.say.get(ANY_WORD, ""))
        used = [_NOTHING] * len(parts)
        lists = [_encoded(self._list(entry, parts, used)) for entry in self.entries]
        cells: list[str | None] = [*head, *([key] if how.named else []), *made.values(), *lists]
        if self.leaves:
            cells.append(self._left_over(head, parts, used) if len(parts) > 1 or self.taken else "")
        return cells

    def _chosen(self, row: Row, column: str | Pick) -> str:
        if isinstance(column, str):
            return column
        return column.take.get(_cell(row, self.places.of(column.by)), column.take.get(ANY_WORD, ""))

    def _first(self, parts: Sequence[Row], column: str) -> str:
        place = self.places.of(column)
        return next((cell for row in parts if (cell := _cell(row, place))), "")

    def _signed(self, parts: Sequence[Row], column: str) -> str:
        if not column.startswith("-"):
            return self._first(parts, column)
        text = self._first(parts, column[1:])
        return _product(text, "-1") if text else ""

    def _list(self, entry: _Entry, parts: Sequence[Row], used: list[frozenset[int]]) -> list[dict[str, object]]:
        made: list[dict[str, object]] = []
        for number, row in enumerate(parts):
            found = _entries_of(entry, row, self.columns)
            if found:
                made += found
                used[number] |= entry.taken
        for field, decimals in entry.how.round_sum.items():
            _round_sum(made, field, decimals)
        return made

    def _left_over(self, head: Sequence[str | None], parts: Sequence[Row], used: Sequence[frozenset[int]]) -> str:
        """What no list has taken and the head does not say: under its header, from the second row on with its place."""
        left: dict[str, str] = {}
        for number, row in enumerate(parts):
            cells, gone = row.cells, used[number]
            if number:
                for place, said in zip(self.head, head, strict=True):
                    cell = cells[place]
                    if cell and cell != said and place not in self.told_apart and not cell.isspace():
                        left[f"{self.columns[place]} ({number + 1})"] = cell
            for place in self.taken:
                cell = cells[place]
                if cell and place not in gone and not cell.isspace():
                    left[self.columns[place] if not number else f"{self.columns[place]} ({number + 1})"] = cell
        return msgspec.json.encode(left).decode() if left else ""


def _filled(parts: Sequence[Row], place: int) -> str:
    """What the first row says that fills a column."""
    return next((cell for row in parts if (cell := row.cells[place])), "")


def _entries_of(entry: _Entry, row: Row, columns: Sequence[str]) -> list[dict[str, object]]:
    """What one row adds to a list: nothing where it fills none of the needed fields."""
    how, cells = entry.how, row.cells
    if entry.escaped:
        cells = [unescape(cell) if cell and cell[0] == "'" else cell for cell in cells]
    made: dict[str, object] = {}
    several: dict[str, list[str]] = {}
    kept: dict[str, str] = {}
    written: dict[str, tuple[str, str]] = {}  # field -> header and cell as it came
    for place, field, times in entry.columns:
        if cell := (cells[place] or "").strip():
            written[field] = (columns[place], cell)
            if times:
                cell = _product(cell, times)
            elif cell[0] == "'" and field in NAMING and not entry.own:
                cell = digits(cell)
            if entry.split:
                several.setdefault(field, []).extend(_parts(cell, how.split.get(field, "")))
            made[field] = cell
    for field, wanted in entry.first:
        if found := next((cell for place in wanted if (cell := _cell(row, place))), ""):
            made[field] = found
    if (how.needs and not any(made.get(field) for field in how.needs)) or not made:
        return []
    for field, by, take in entry.picks:
        word = _cell(row, by)
        if found := _cell(row, take.get(word, take.get(ANY_WORD, -1))):
            made[field] = found
    for field, words in how.values.items():
        word = str(made.get(field, ""))
        if word in words:
            made[field] = words[word]
    for field, constant in how.constants.items():
        made.setdefault(field, constant)
    for field, decimals in how.round.items():
        if _is_rounded(made, field, decimals) and field in written:
            kept.update((written[field],))
    kept.update((header, cell) for place, header in entry.extra if (cell := (cells[place] or "").strip()))
    if kept:
        made["extra"] = kept
    if not entry.split:
        return [made]
    most = max((len(found) for found in several.values()), default=1)
    return [
        {**made, **{field: found[at] for field, found in several.items() if len(found) > 1 and at < len(found)}}
        for at in range(most)
    ]


def _is_rounded(made: dict[str, object], field: str, decimals: int) -> bool:
    """Round a number half up, and say whether that changed it. What is no number is left for the kind of the field to
    refuse."""
    try:
        number = Decimal(str(made.get(field, "")).replace(",", ""))
    except InvalidOperation:
        return False
    rounded = number.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    made[field] = f"{rounded:f}"
    return rounded != number


def _round_sum(entries: Sequence[dict[str, object]], field: str, decimals: int) -> None:
    """Round a field of all entries so that they add up to their sum, rounded once: each is what the sum so far, when
    rounded, has grown by. What was written stays in the entry's extra."""
    exactly, so_far, unit = Decimal(0), Decimal(0), Decimal(1).scaleb(-decimals)
    for entry in entries:
        text = str(entry.get(field, ""))
        try:
            number = Decimal(text.replace(",", ""))
        except InvalidOperation:
            continue
        exactly += number
        part = exactly.quantize(unit, ROUND_HALF_EVEN) - so_far
        so_far += part
        entry[field] = f"{part:f}"
        if part != number:
            held = entry.get("extra")
            entry["extra"] = {**(held if isinstance(held, dict) else {}), f"{field}, exactly": text}


def _parts(cell: str, mark: str) -> list[str]:
    return [part for text in cell.split(mark) if (part := text.strip())] if mark else [cell]


def _encoded(rows: Sequence[Mapping[str, object]]) -> str:
    return msgspec.json.encode(rows).decode() if rows else ""


def _cell(row: Row, place: int) -> str:
    return (row.cells[place] or "").strip() if 0 <= place < len(row.cells) else ""


def _product(text: str, times: str) -> str:
    try:
        return f"{Decimal(text.replace(',', '')) * Decimal(times):f}"
    except InvalidOperation:
        return text


def _sum(cells: Iterable[str | None]) -> str:
    """Numbers added up as they are written; what is no number is left for the kind of the field to refuse."""
    total, found = Decimal(0), False
    for cell in cells:
        text = (cell or "").strip().replace(",", "")
        if text:
            try:
                total, found = total + Decimal(text), True
            except InvalidOperation:
                return text
    return f"{total:f}" if found else ""
