"""Which columns a list shows, and in which order. `Space` takes one in or out, `J K` move it, Enter is content."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical

from bo.core.kernel.text import _
from bo.tui.cells import fitted, harmless
from bo.tui.key_screen import ListScreen, cursor
from bo.tui.looks import Looks, Span
from bo.tui.pane import Bar, Line
from bo.tui.source import Column

if TYPE_CHECKING:
    from bo.tui.screen import BoApp

Names = tuple[str, ...]


def choose_columns(app: BoApp) -> None:
    """Ask which columns the records here should have."""

    def known(columns: Sequence[Column]) -> None:
        if not columns:
            app.release_keys(drop=True)
            app.say(_("These columns stay as they are"), "warn")
            return
        shown = [column.key for column in app.table.columns]
        app.push_screen(ColumnsScreen(app.looks.on_panel(), columns, shown), chosen)
        app.release_keys()

    def chosen(names: Names | None) -> None:
        if names is not None:
            app.browser.choose_columns(names)

    app.hold_keys()
    app.browser.every_column(known)


class ColumnsScreen(ListScreen["Names | None"]):
    """Closes with the names in their order, with none for the usual ones, or with None for no change."""

    def __init__(self, looks: Looks, columns: Sequence[Column], shown: Sequence[str]) -> None:
        self._foot = Bar(looks, id="foot")
        super().__init__(looks, self._foot)
        titles = {column.key: column.title for column in columns}
        first = [name for name in shown if name in titles]
        self._titles = titles
        self._order = [*first, *(name for name in titles if name not in first)]
        self._taken = set(first)

    @property
    def count(self) -> int:
        return len(self._order)

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="picker"):
            self.heading.put([(_("Columns"), "title")], [("Esc ", "dim")])
            yield from super().compose()

    def press(self, name: str) -> bool:
        if name in ("space", "x"):
            self._taken ^= {self._order[self.at]}
            self.move(1)
        elif name in ("J", "K"):
            self._carry(1 if name == "J" else -1)
        elif name == "enter":
            self._accept()
        elif name == "0":
            self.dismiss(())
        else:
            return False
        return True

    def _carry(self, step: int) -> None:
        """Move the column under the cursor, and the cursor with it."""
        to = self.at + step
        if 0 <= to < self.count:
            self._order[self.at], self._order[to] = self._order[to], self._order[self.at]
            self.move(step)

    def _accept(self) -> None:
        names = tuple(name for name in self._order if name in self._taken)
        if names:
            self.dismiss(names)
        else:
            self._foot.put([(_("At least one column"), "bad")])

    def draw(self) -> None:
        self.pane.put([self._line(at, name) for at, name in enumerate(self._order)], keep_offset=True)
        self.pane.show_line(self.at)
        keys = _("Space takes in or out  J K move it  Enter shows them  0 the usual ones")
        self._foot.put([(f"{len(self._taken)}  {keys}", "dim")])

    def _line(self, at: int, name: str) -> Line:
        here = at == self.at
        mark: Span = (f"{self.looks.glyphs.ok if name in self._taken else '':<3}", "good")
        title: Span = (fitted(harmless(self._titles[name]), 30) + " ", "head" if here else "text")
        return (cursor(here), mark, title, (name, "dim"))
