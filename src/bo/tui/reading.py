"""One record over the whole screen, read and dealt with there: the preview, grown over the rows.

The rows stay below it with their cursor, so that every command, mark and undo means what it means there, and what is
done to one record goes on to the next. Only moves mean something else: they scroll, and left and right change the
record. Whatever leads elsewhere closes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bo.core.kernel.text import _
from bo.tui.actions import Action, key_label
from bo.tui.preview import VALUE_LINES_MAX, detail_lines, history_at

if TYPE_CHECKING:
    from bo.tui.screen import BoApp
    from bo.tui.source import Detail

WHOLE_VALUE_LINES: Final = 40
SCREENS: Final = {"down": 0.0, "up": 0.0, "half_down": 0.5, "half_up": -0.5, "page_down": 1.0, "page_up": -1.0}
ENDS: Final = {"first": -1, "last": 1}
RECORDS: Final = {"next_column": 1, "previous_column": -1}
CLOSES: Final = frozenset({"detail", "back"})
STAYS: Final = frozenset(
    "undo redo repeat menu help palette reveal copy advance next_needing previous_needing mark toggle duplicates print "
    "preview_down preview_up history explain".split()
)


class Reading:
    """Whether the record under the cursor takes the whole screen, and what keys do then."""

    def __init__(self, app: BoApp) -> None:
        self._app = app
        self._shown = ""
        self._history_wanted = False
        self.is_open = False

    def open(self, *, history: bool = False) -> None:
        """Show the record under the cursor, from its history on if that is wanted."""
        app = self._app
        row = app.table.current()
        if row is None or (not history and app.overlays.opened(app.browser.noun, row.id)):
            return
        if not self.is_open:
            self._show(True)
            app.say(self._way_back(), "dim")
        self._shown, self._history_wanted = "", history
        # Once it has its new size, since lines are broken to it.
        app.call_after_refresh(app.browser.read_detail, row.id)

    def close(self) -> bool:
        """Back to the rows; whether it was open."""
        was_open = self.is_open
        if was_open:
            self._show(False)
            self._shown = ""
            self._app.say("")
            self._app.settle_soon()
        return was_open

    def takes(self, action: Action) -> bool:
        """Whether an action means something of its own here, which is then done."""
        if not self.is_open:
            return False
        app, name = self._app, action.name
        if name in CLOSES:
            return self.close()
        if name in RECORDS:
            app.table.move_by(RECORDS[name])
            return True
        if name in SCREENS or name in ENDS:
            app.preview.scroll_lines(self._lines(name))
            return True
        if action.command is None and name not in STAYS and not name.endswith("_step"):
            self.close()
        return False

    def put(self, detail: Detail) -> None:
        """Show a record that was read: where it is the same one, from the same line on."""
        app = self._app
        most = WHOLE_VALUE_LINES if self.is_open else VALUE_LINES_MAX
        lines = detail_lines(detail, app.looks, max(10, app.preview.size.width), value_lines=most)
        app.preview.put(lines, keep_offset=detail.id == self._shown)
        self._shown = detail.id
        if self._history_wanted:
            self._history_wanted = False
            app.preview.scroll_lines(history_at(lines))

    def _show(self, is_open: bool) -> None:
        self.is_open = is_open
        self._app.body.set_class(is_open, "alone")

    def _lines(self, name: str) -> int:
        pane = self._app.preview
        if name in ENDS:
            return ENDS[name] * len(pane.lines)
        if not SCREENS[name]:
            return 1 if name == "down" else -1
        return round(SCREENS[name] * max(1, pane.size.height - 2))

    def _way_back(self) -> str:
        def keys(name: str) -> str:
            return key_label(self._app.actions.named(name).keys[-1])

        return _("{back} the rows   {earlier} {later} other records   every key of the rows acts",
                 back=keys("detail"), earlier=keys("previous_column"), later=keys("next_column"))  # fmt: skip
