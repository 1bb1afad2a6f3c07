"""Marks by key: one, a range, or all that the filter shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bo.core.kernel.text import _
from bo.tui.keys import GOOD_STEPS
from bo.tui.looks import Tone
from bo.tui.source import RowView

if TYPE_CHECKING:
    from bo.tui.browse import Browser
    from bo.tui.table import VirtualTable


class Marking:
    """What `space`, `x`, `v`, `*` and `X` do. Long ranges are read by id from the view, in the reading thread."""

    def __init__(
        self, table: VirtualTable, browser: Browser, say: Callable[[str, Tone], None], changed: Callable[[], None]
    ) -> None:
        self._table = table
        self._changed = changed
        self._browser = browser
        self._say = say

    def toggle_here(self) -> None:
        """Mark or unmark the row under the cursor; within a range, take the range."""
        if self._table.range_anchor is not None:
            self.take_range()
            return
        row = self._table.current()
        if row is not None:
            self._table.marks.toggle(row.id, row.state)
            self._table.redraw([row.id])
            self._changed()

    def toggle_and_next(self) -> None:
        taking_range = self._table.range_anchor is not None
        self.toggle_here()
        if not taking_range:
            self._table.move_by(1)

    def range_here(self) -> None:
        """Begin a range at the cursor, or mark the one that was begun."""
        if self._table.range_anchor is not None:
            self.take_range()
        elif self._table.count:
            self._table.range_anchor = self._table.cursor
            self._table.refresh()
            self._say(_("Range: move, then v or space marks it, Esc leaves it"), "info")

    def take_range(self) -> None:
        table, anchor = self._table, self._table.range_anchor
        if anchor is None:
            return
        low, high = sorted((anchor, table.cursor))
        table.range_anchor = None
        rows = [table.row(position) for position in range(low, high + 1)] if high - low < 2_000 else [None]
        here = [row for row in rows if row is not None]
        if len(here) == len(rows):
            self._add([row.id for row in here if row.id], {row.id: row.state for row in here})
        else:
            self._browser.ids(low, high + 1, lambda ids: self._add(ids, {}))
        table.refresh()

    def next_needing(self, step: int) -> None:
        """Put the cursor on the next row that way that is late, was refused, or waits for its good next step."""
        table, steps = self._table, GOOD_STEPS.get(self._browser.noun, {})
        acted, refused = set(table.acted), set(table.refused)

        def wanted(row: RowView) -> bool:
            late = "bad" in row.tones.values()
            return row.id in refused or (bool(row.id) and row.id not in acted and (late or row.state in steps))

        def found(at: int) -> None:
            if at >= 0:
                table.move_to(at)
            else:
                self._say(_("Nothing else in this view waits for you"), "dim")

        self._browser.find_row(table.cursor + step, step, wanted, found)

    def drop_range(self) -> bool:
        """Leave a range that was begun; returns whether there was one."""
        begun = self._table.range_anchor is not None
        if begun:
            self._table.range_anchor = None
            self._table.refresh()
        return begun

    def all_shown(self) -> None:
        """Every record of the view, and only those: what the filter hides is never marked by this."""
        self._browser.every_id(lambda ids: self._add(ids, {}))

    def clear(self) -> None:
        count = self._table.marks.clear()
        self._table.refused.clear()
        self._table.refresh()
        self._say(_("{count} unmarked", count=f"{count:,}"), "text")
        self._changed()

    def _add(self, ids: list[str], states: dict[str, str]) -> None:
        added = self._table.marks.add(ids, states)
        self._table.refresh()
        self._say(_("{count} marked", count=f"{added:,}"), "info")
        self._changed()
