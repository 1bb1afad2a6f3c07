"""Syncing from the screen: once, in a thread of its own, while everything else goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bo.core.kernel.text import _
from bo.tui.lane import Lane
from bo.tui.source import SyncNow

if TYPE_CHECKING:
    from bo.tui.screen import BoApp


class _Held:
    """What the thread holds: the way to sync."""

    def __init__(self, sync: SyncNow) -> None:
        self.sync = sync

    def close(self) -> None:
        """Nothing is held open between two syncs."""


class Syncing:
    """Syncs when asked, never twice at once; what is done meanwhile goes out with the next one."""

    def __init__(self, app: BoApp, sync: SyncNow | None) -> None:
        self._app = app
        self._sync = sync
        self._lane: Lane[_Held] | None = None
        self.is_at_work = False

    @property
    def is_possible(self) -> bool:
        return self._sync is not None and not self.is_at_work

    def start(self) -> None:
        """Begin a sync. Its words come when it has ended."""
        sync = self._sync
        if sync is None or self.is_at_work:
            return
        if self._lane is None:
            self._lane = Lane("bo-sync", lambda: _Held(sync))
            self._lane.attach(self._app.post_call)
        self.is_at_work = True
        self._app.say(_("Syncing …"), "info")
        self._lane.ask(lambda held: held.sync(self._told), self._done, self._failed)

    def close(self) -> None:
        if self._lane is not None:
            self._lane.close()

    def _told(self, done: int, total: int) -> None:
        """In the syncing thread."""
        words = _("Syncing: {done} of {total}", done=f"{done:,}", total=f"{total:,}") if total else f"{done:,}"
        self._app.post_call(lambda: self._app.say(words, "info"))

    def _done(self, words: str) -> None:
        self.is_at_work = False
        self._app.say(words, "good")
        self._app.standing_changed()

    def _failed(self, error: Exception) -> None:
        self.is_at_work = False
        self._app.trouble(error)
        self._app.standing_changed()
