"""A shipped mapping read the other way: records written in the columns of a shop, a row for each entry of a list.

Only a mapping that loses nothing on the way in can be turned round. It refuses the others, with the reason: columns
that are joined or divided, a value that one of several columns gave, records known by one of several columns. What the
records keep in `extra` is put back under its header; a word that stands for a value (*Financial Status*) stays as it
came for as long as it says the same.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

import msgspec

from bo.core.exchange.gathering import ANY_WORD, LEFT_OVER, Pick, Rows
from bo.core.exchange.mapping import DROP, KEEP, SavedMapping
from bo.core.exchange.nested import Told, as_text
from bo.core.exchange.telling import Row, WithLists
from bo.core.kernel.errors import UsageError

ROWS_MOST: Final = 5_000
Cells = dict[str, str]
_SAID: Final = {"yes": "true", "no": "", "false": ""}
_FLAGS: Final = {"true": "yes", "false": "no"}
_our_id: Final = re.compile(r"[a-z]+_[0-9a-z]{26}").fullmatch  # of the office that a file of ours came from
_later_row: Final = re.compile(r"(.+) \((\d+)\)").fullmatch


def refusal(mapping: SavedMapping) -> str:
    """Why a mapping cannot be turned round; "" where it can."""
    gather = mapping.gather
    if mapping.unwritten:
        return mapping.unwritten
    if "order" in mapping.columns.values():
        return "an order is named by its number alone, which another channel may have too"
    if _double([field for field in mapping.columns.values() if field not in (KEEP, DROP)]):
        return "several columns are joined into one field"
    if gather is None:
        return ""
    if not isinstance(gather.key, str):
        return "a record is known by one of several columns"
    if gather.totals:
        return "sums of its rows are kept"
    for name, rows in gather.lists.items():
        if _double(rows.columns.values()):
            return f"several columns are entries of {name}"
        if rows.split or rows.first or rows.round_sum:
            return f"cells of {name} are divided, chosen or rounded"
    return ""


def _double(fields: Any) -> bool:
    return any(count > 1 for count in Counter(fields).values())


class Reversed:
    """Rows in the columns of a shop. `look` at all records first: what they keep in `extra` makes columns too."""

    def __init__(self, mapping: SavedMapping, whole: WithLists, escape: Callable[[str], str]) -> None:
        """Raises UsageError for a mapping that cannot be turned round."""
        if reason := refusal(mapping):
            raise UsageError(
                "the preset {name} is read and not written: {reason}",
                hint="Leave out --preset for a file that can be imported again.",
                name=Path(mapping.name).stem, reason=reason,
            )  # fmt: skip
        self._mapping, self._whole, self._escape = mapping, whole, escape
        self._gather = mapping.gather
        self.amounts: list[int] = []
        known = dict.fromkeys(mapping.match.columns)
        known.update(dict.fromkeys(header for header, field in mapping.columns.items() if field != DROP))
        if self._gather is not None:
            assert isinstance(self._gather.key, str)
            known = {self._gather.key: None, **known}
            lists = self._gather.lists.values()
            known.update(dict.fromkeys(header for rows in lists for header in rows.columns))
            known.update(dict.fromkeys(self._solved()))
            known.update(dict.fromkeys(pick.by for rows in lists for pick in rows.picks.values()))
            known.update(dict.fromkeys(pick.by for pick in self._gather.picks.values()))
            for made in (*self._gather.sums, *self._gather.picks):
                known.pop(made, None)
        self._columns: dict[str, None] = known

    @property
    def names(self) -> list[str]:
        return list(self._columns)

    def look(self, batch: Sequence[Row]) -> None:
        """Take note of what these records keep in `extra`."""
        for rows in self._records(batch):
            for cells in rows:
                self._columns.update(dict.fromkeys(cells))

    def columns(self, batch: Sequence[Row]) -> list[Sequence[Any]]:
        rows = [
            [self._escape(cells.get(name, "")) for name in self._columns] for of in self._records(batch) for cells in of
        ]
        return list(zip(*rows, strict=True))

    # -- a record ------------------------------------------------------------------------------------------------------

    def _records(self, batch: Sequence[Row]) -> list[list[Cells]]:
        columns, lists, currencies = self._whole.told(batch)
        names = self._whole.head_names
        heads = [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]
        return [self._record(*told) for told in zip(heads, lists, currencies, strict=True)]

    def _record(self, head: Mapping[str, Any], lists: Mapping[str, list[Told]], currency: str) -> list[Cells]:
        kinds = {nested.name: nested.kinds for nested in self._whole.lists}
        said = {name: "" if value is None else str(value) for name, value in head.items()}
        extra = _facts(said.pop(LEFT_OVER, ""))
        rows = [self._head(said, extra)]
        if self._gather is None:
            return rows
        key = self._gather.key
        assert isinstance(key, str)
        for name, how in self._gather.lists.items():
            for at, entry in enumerate(lists.get(name, [])):
                while len(rows) <= at:
                    rows.append({})
                texts = {field: as_text(kinds[name].get(field), value, currency) for field, value in entry.items()}
                cells = _entry(how, texts, _facts(texts.pop(LEFT_OVER, "")), rows[0])
                rows[at].update({header: cell for header, cell in cells.items() if cell})
        if self._gather.named and not rows[0].get(key):
            rows[0][key] = said.get(self._gather.named, "")
        for header, text in extra.items():
            found = _later_row(header)
            if found and found[1] in self._columns and 1 < (place := int(found[2])) <= ROWS_MOST:
                rows += [{} for _missing in range(len(rows), place)]
                rows[place - 1].setdefault(found[1], text)
        for row in rows[1:]:
            row[key] = rows[0][key]
        return rows

    def _head(self, said: Mapping[str, str], extra: Cells) -> Cells:
        later = {header for header in extra if (found := _later_row(header)) and found[1] in self._columns}
        cells = {header: text for header, text in extra.items() if header not in later and not _our_id(text)}
        for header, field in self._mapping.columns.items():
            if field not in (KEEP, DROP):
                cells[header] = self._word(field, said.get(field, ""), cells.get(header, ""))
        gather = self._gather
        if gather is None:
            return cells
        for field, pick in gather.picks.items():
            if pick.by not in self._mapping.columns:
                cells[pick.by] = _word_of(pick, said.get(field, ""), self._with_sums(cells), cells.get(pick.by, ""))
                self._solve(cells, pick.take.get(cells[pick.by], ""), said.get(field, ""))
        for name in gather.sums:
            self._solve(cells, name, said.get(name, ""))
        return cells

    def _word(self, field: str, value: str, held: str) -> str:
        """A value in the words of the file."""
        if not value:
            return held or self._mapping.blank.get(field, "")
        words = self._mapping.values.get(field, {})
        return held if held and words.get(held, held) == value else _word_for(words, value)

    # -- sums ----------------------------------------------------------------------------------------------------------

    def _solved(self) -> list[str]:
        """Columns that are told by a sum alone."""
        gather = self._gather
        sums = gather.sums.values() if gather is not None else ()
        return [header for wanted in sums for sign in wanted if self._is_free(header := sign.removeprefix("-"))]

    def _is_free(self, header: str) -> bool:
        return self._mapping.columns.get(header, DROP) == DROP

    def _with_sums(self, cells: Cells) -> Cells:
        """Cells with what sums of them come to."""
        assert self._gather is not None
        sums = {}
        for name, wanted in self._gather.sums.items():
            parts = [(-1 if sign[0] == "-" else 1, _number(cells.get(sign.removeprefix("-"), ""))) for sign in wanted]
            sums[name] = str(sum(sign * (part or Decimal(0)) for sign, part in parts))
        return {**cells, **sums}

    def _solve(self, cells: Cells, name: str, value: str) -> None:
        """Fill in the one column of a sum that no field tells."""
        assert self._gather is not None
        wanted, total = self._gather.sums.get(name, []), _number(value)
        free = [sign for sign in wanted if self._is_free(sign.removeprefix("-"))]
        if len(free) != 1 or total is None:
            return
        for sign in wanted:
            if sign is not free[0]:
                part = _number(cells.get(sign.removeprefix("-"), "")) or Decimal(0)
                total -= -part if sign[0] == "-" else part
        header = free[0].removeprefix("-")
        found = f"{-total if free[0][0] == '-' else total:f}"
        if not cells.get(header) or not _is_same(cells[header], found):
            cells[header] = found


def _entry(how: Rows, texts: Cells, extra: Cells, head: Cells) -> Cells:
    """An entry of a list in the columns of the file."""
    cells = dict(extra)
    for header, field in how.columns.items():
        value = texts.get(field, "") or how.blank.get(field, "")
        if header in extra and field in how.round:
            continue  # what was written before it was rounded
        value = _word_for(how.values.get(field, {}), value)
        cells[header] = _divided(value, how.times.get(header, ""))
    for field, pick in how.picks.items():
        if pick.by not in how.columns:
            value = _word_for(how.values.get(field, {}), texts.get(field, ""))
            cells[pick.by] = _word_of(pick, value, cells, cells.get(pick.by, "") or head.get(pick.by, ""))
    return cells


def _word_for(words: Mapping[str, str], value: str) -> str:
    """The first word that stands for a value."""
    meant = {value, _FLAGS.get(value, value)}
    return next((word for word, meaning in words.items() if word and meaning in meant), value)


def _word_of(pick: Pick, value: str, cells: Mapping[str, str], held: str) -> str:
    """The word by which a value is chosen: the one that is there, if it still says so, else the first that does."""
    for word in (held, *pick.take, *pick.say):
        column = pick.take.get(word, pick.take.get(ANY_WORD, ""))
        given = cells.get(column, "") if column else pick.say.get(word, "")
        if word != ANY_WORD and _is_same(given, value):
            return word
    return ""


def _is_same(one: str, other: str) -> bool:
    one, other = _SAID.get(one, one), _SAID.get(other, other)
    if one == other:
        return True
    first, second = _number(one or "0"), _number(other or "0")
    return first is not None and first == second


def _divided(text: str, times: str) -> str:
    number = _number(text)
    if not times or number is None:
        return text
    return f"{(number / Decimal(times)).normalize():f}"


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text) if text else None
    except InvalidOperation:
        return None


def _facts(text: str) -> Cells:
    if not text:
        return {}
    return {name: "" if value is None else str(value) for name, value in msgspec.json.decode(text).items()}
