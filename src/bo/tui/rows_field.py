"""A form field that is rows: the lines of an order, the legs of an entry.

Arrows move, digits and letters change the cell under the cursor, space leaves a row out or takes it in again. Left
alone, it sends nothing, which to a command means all there is.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from bo.core.kernel.text import _
from bo.tui.cells import fitted, harmless
from bo.tui.looks import Looks
from bo.tui.source import ParamSpec, RowColumn, StartRow

ROWS_MAX = 10
EMPTY_ROWS = 2


class _Row:
    """One row as it stands in the form."""

    def __init__(self, key: str, cells: dict[str, str], most: int) -> None:
        self.key = key
        self.cells = cells
        self.most = most
        self.out = False


class RowsField(Widget, can_focus=True):
    """Rows to change. `value` is what is sent: JSON, or nothing where all stayed as it was."""

    DEFAULT_CSS = "RowsField { width: 1fr; height: 2; }"
    ALLOW_SELECT = False

    class Entered(Message):
        """Enter on the last row: on to the next field."""

    class Changed(Message):
        """A key was used here."""

    def __init__(self, looks: Looks, param: ParamSpec, start: Sequence[StartRow]) -> None:
        super().__init__()
        self.looks = looks
        self._columns = param.columns
        self._pieces = param.kind == "pieces"
        self._rows = [_Row(row.key, dict(row.cells), row.most) for row in start]
        if not self._pieces and not self._rows:
            self._rows = [_Row("", {}, 0) for _at in range(EMPTY_ROWS)]
        self._before = self._state() if self._pieces else []
        self._at, self._column = 0, self._first_open()
        self.enters = False  # whether Enter is the form's, wherever the cursor is
        self._fresh = True  # whether the next character replaces what is in the cell
        self._resize()

    @property
    def value(self) -> str:
        if self._state() == self._before:
            return ""
        if self._pieces:
            counts = {row.key: int(row.cells.get("quantity") or 0) for row in self._rows if not row.out}
            kept: object = {key: count for key, count in counts.items() if count}
        else:
            kept = [
                {name: text.strip() for name, text in row.cells.items() if text.strip()}
                for row in self._rows if not row.out and any(text.strip() for text in row.cells.values())
            ]  # fmt: skip
        return json.dumps(kept, ensure_ascii=False) if kept else ""

    @property
    def problem(self) -> str:
        """What is wrong with it in itself. Nothing at all would mean all there is, so it is refused."""
        if self._pieces and self._state() != self._before and not self.value:
            return _("no row is left")
        over = next((row for row in self._rows if self._is_over(row)), None)
        return (
            _("only {count} are left of {name}", count=over.most, name=over.cells.get("sku") or over.key)
            if over
            else ""
        )

    def _is_over(self, row: _Row) -> bool:
        return self._pieces and not row.out and int(row.cells.get("quantity") or 0) > row.most

    def _state(self) -> list[tuple[bool, tuple[tuple[str, str], ...]]]:
        return [(row.out, tuple(sorted(row.cells.items()))) for row in self._rows]

    def _first_open(self) -> int:
        return next((at for at, column in enumerate(self._columns) if not column.fixed), 0)

    def on_focus(self) -> None:
        self._fresh = True
        self.refresh()

    def on_blur(self) -> None:
        self._leave_cell()
        self.refresh()

    def on_key(self, event: events.Key) -> None:
        if self._used(event.key, event.character):
            event.stop()
            event.prevent_default()
            self._resize()
            self.refresh()
            self.post_message(self.Changed())

    def _used(self, key: str, character: str | None) -> bool:
        if not self._rows:
            return False
        match key:
            case "down" if self._at + 1 < len(self._rows):
                self._move(1)
            case "up" if self._at > 0:
                self._move(-1)
            case "left" | "right":
                self._turn(1 if key == "right" else -1)
            case "enter":
                self._enter()
            case "space" if self._pieces or self._columns[self._column].is_number:
                self._rows[self._at].out = not self._rows[self._at].out
            case "backspace" | "delete":
                self._set("" if self._fresh or key == "delete" else self._cell()[:-1])
            case _ if (
                character is not None and character.isprintable() and not (self._pieces and not character.isdigit())
            ):
                self._set(character if self._fresh else self._cell() + character)
            case _:
                return False
        return True

    def _enter(self) -> None:
        self._leave_cell()
        row, last = self._rows[self._at], self._at + 1 == len(self._rows)
        if self.enters or self._pieces or (last and not any(row.cells.values())):
            self.post_message(self.Entered())
        elif self._may_end_here() or not self._turn(1):
            if last:
                self._rows.append(_Row("", {}, 0))
            self._column = self._first_open()
            self._move(1)

    def _may_end_here(self) -> bool:
        """Whether nothing stands in this cell, and the row needs neither it nor one behind it."""
        return not self._cell() and not any(column.required for column in self._columns[self._column :])

    def _move(self, step: int) -> None:
        self._leave_cell()
        self._at += step

    def _turn(self, step: int) -> bool:
        """To the next cell of the row that can be changed; returns whether there is one."""
        self._leave_cell()
        at = self._column + step
        while 0 <= at < len(self._columns) and self._columns[at].fixed:
            at += step
        if 0 <= at < len(self._columns):
            self._column = at
            return True
        return False

    def _leave_cell(self) -> None:
        """What was typed of a choice becomes the one that begins with it."""
        self._fresh = True
        column, typed = self._columns[self._column], self._cell().casefold() if self._rows else ""
        if typed and column.choices:
            words = [each.value for each in column.choices if typed in (each.value, _(each.words).casefold())]
            found = words or [
                each.value for each in column.choices
                if each.value.startswith(typed) or _(each.words).casefold().startswith(typed)
            ]  # fmt: skip
            if found:
                self._rows[self._at].cells[column.name] = found[0]

    def _cell(self) -> str:
        return self._rows[self._at].cells.get(self._columns[self._column].name, "")

    def _set(self, text: str) -> None:
        self._rows[self._at].out = False
        self._rows[self._at].cells[self._columns[self._column].name] = text[:200]
        self._fresh = False

    def _resize(self) -> None:
        self.styles.height = 1 + max(1, min(len(self._rows), ROWS_MAX))

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if not self._rows:
            words = _("no line is left for it") if y == 0 else ""
            return Strip([Segment(words, self.looks.tone("dim"))]).adjust_cell_length(width, self.looks.ground)
        if y == 0:
            heads = [fitted(column.title, self._width(column, width), self._side(column)) for column in self._columns]
            return Strip([Segment("  " + " ".join(heads), self.looks.tone("dim"))]).adjust_cell_length(
                width, self.looks.ground
            )
        first = max(0, min(self._at - ROWS_MAX // 2, len(self._rows) - ROWS_MAX))
        index = first + y - 1
        if index >= len(self._rows):
            return Strip.blank(width, self.looks.ground)
        return self._row(index, width)

    def _row(self, index: int, width: int) -> Strip:
        row, more = self._rows[index], self.looks.glyphs.more
        glyph = "- " if row.out else "! " if self._is_over(row) else "  "
        segments = [Segment(glyph, self.looks.tone("bad" if self._is_over(row) else "key"))]
        for at, column in enumerate(self._columns):
            text = "-" if row.out and column.name == "quantity" else _words(column, row.cells.get(column.name, ""))
            cell = fitted(harmless(text), self._width(column, width), self._side(column), more)
            segments += [Segment(cell, self._style(row, index, at)), Segment(" ", self.looks.ground)]
        return Strip(segments).adjust_cell_length(width, self.looks.ground)

    def _style(self, row: _Row, index: int, column: int) -> Style:
        if self.has_focus and (index, column) == (self._at, self._column):
            return self.looks.cursor
        return self.looks.tone("dim" if row.out or self._columns[column].fixed else "text")

    @staticmethod
    def _side(column: RowColumn) -> str:
        return "right" if column.is_number else "left"

    def _width(self, column: RowColumn, width: int) -> int:
        """Its own width, less where the columns do not fit."""
        wanted = sum(each.width + 1 for each in self._columns) + 2
        return max(4, column.width - max(0, wanted - width)) if column.width > 12 else column.width


def _words(column: RowColumn, text: str) -> str:
    """A cell as it is read: a choice by its label."""
    return next((_(each.words) for each in column.choices if each.value == text), text)
