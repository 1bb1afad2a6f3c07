"""What others have changed since a list was made: another screen, an import by cron, a sync.

A list is frozen, so it does not show that by itself; the head says how much it is, and the user decides when to look.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bo.core.kernel.workspace import Workspace
    from bo.tui.screen import BoApp

MOST: Final = 1_000  # rows that are counted; beyond that "1,000+" says enough


class Elsewhere:
    """Counts, for one list at a time, the records that operations of others have touched. In the writing thread."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._list: tuple[str, int] | None = None
        self._after = 0
        self._rows: set[str] = set()
        self._own: set[str] = set()
        make = workspace.new_id

        def new_id() -> str:
            made = make()
            self._own.add(made)
            return made

        workspace.new_id = new_id

    def count(self, noun: str, view: int) -> int:
        """How many records of that sort others have touched since this was first asked of the view, at most `MOST`."""
        anew = self._list != (noun, view)
        self._after, touched = self._workspace.touched(noun, 2**62 if anew else self._after, MOST + len(self._own))
        if anew:
            self._list, self._rows = (noun, view), set()
        self._rows.update(row for operation, row in touched if operation not in self._own)
        self._own.clear()
        return min(len(self._rows), MOST)


class News:
    """What the head tells of it."""

    def __init__(self, app: BoApp, changed: Callable[[], None]) -> None:
        self._app = app
        self._changed = changed
        self.count = 0

    def look(self) -> None:
        """Ask again; of another list than before, from now on."""
        app = self._app
        view = app.browser.view
        if view is not None and app.has_desk:
            app.desk_lane.ask(
                lambda desk: desk.elsewhere(view.noun, view.number), self._told, lambda _error: None, topic="elsewhere"
            )

    def _told(self, count: int) -> None:
        if count != self.count:
            self.count = count
            self._changed()
