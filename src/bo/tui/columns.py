"""Which columns a list shows, and in which order. `Space` takes one in or out, `J K` move it, Enter is content."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen

from bo.core.kernel.text import _
from bo.tui.cells import fitted, harmless
from bo.tui.keys import key_name
from bo.tui.looks import Looks, Span
from bo.tui.pane import Bar, Line, Pane
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


class ColumnsScreen(ModalScreen["Names | None"]):
    """Closes with the names in their order, with none for the usual ones, or with None for no change."""

    def __init__(self, looks: Looks, columns: Sequence[Column], shown: Sequence[str]) -> None:
        super().__init__()
        titles = {column.key: column.title for column in columns}
        first = [name for name in shown if name in titles]
        self._looks = looks
        self._titles = titles
        self._order = [*first, *(name for name in titles if name not in first)]
        self._taken = set(first)
        self._at = 0
        self.pane = Pane(looks, id="columns")
        self._foot = Bar(looks, id="foot")

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="picker"):
            heading = Bar(self._looks, id="heading")
            heading.put([(_("Columns"), "title")], [("Esc ", "dim")])
            yield heading
            yield self.pane
            yield self._foot

    def on_mount(self) -> None:
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        name = key_name(event.key, event.character)
        steps = {"j": 1, "down": 1, "k": -1, "up": -1, "pagedown": 10, "pageup": -10}
        if name in steps:
            self._at = max(0, min(self._at + steps[name], len(self._order) - 1))
        elif name in ("space", "x"):
            self._taken ^= {self._order[self._at]}
            self._at = min(self._at + 1, len(self._order) - 1)
        elif name in ("J", "K"):
            self._carry(1 if name == "J" else -1)
        elif name == "enter":
            self._accept()
        elif name == "0":
            self.dismiss(())
        elif name in ("escape", "q"):
            self.dismiss(None)
        self._draw()

    def _carry(self, step: int) -> None:
        """Move the column under the cursor, and the cursor with it."""
        to = self._at + step
        if 0 <= to < len(self._order):
            self._order[self._at], self._order[to] = self._order[to], self._order[self._at]
            self._at = to

    def _accept(self) -> None:
        names = tuple(name for name in self._order if name in self._taken)
        if names:
            self.dismiss(names)
        else:
            self._foot.put([(_("At least one column"), "bad")])

    def _draw(self) -> None:
        self.pane.put([self._line(at, name) for at, name in enumerate(self._order)], keep_offset=True)
        height = max(1, self.pane.size.height)
        offset = self.pane.offset_lines
        self.pane.scroll_lines(
            self._at + 1 - height - offset if self._at >= offset + height else min(0, self._at - offset)
        )
        if names := len(self._taken):
            keys = _("Space takes in or out  J K move it  Enter shows them  0 the usual ones")
            self._foot.put([(f"{names}  {keys}", "dim")])

    def _line(self, at: int, name: str) -> Line:
        here = at == self._at
        cursor: Span = (f" {'>' if here else ' '} ", "key")
        mark: Span = (f"{self._looks.glyphs.ok if name in self._taken else '':<3}", "good")
        title: Span = (fitted(harmless(self._titles[name]), 30) + " ", "head" if here else "text")
        return (cursor, mark, title, (name, "dim"))
