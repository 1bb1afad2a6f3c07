"""Asks before many records are changed. Enter means no; above a hundred the count has to be typed.

Keys that were on their way before the question could be read are ignored.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen

from bo.core.kernel.text import _
from bo.tui.cells import harmless, wrapped
from bo.tui.looks import Looks
from bo.tui.pane import Bar

TYPED_ABOVE = 100
SETTLE_S = 0.25
LINE_WIDTH = 72
# A key that is held down comes again every 20 to 50 ms; nobody answers a question that fast.
REPEAT_S = 0.06


class ConfirmScreen(ModalScreen[bool]):
    """Closes with True only after `y`, or above a hundred records after their count and Enter."""

    def __init__(
        self,
        looks: Looks,
        question: str,
        count: int,
        lines: Sequence[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._looks = looks
        self._question = question
        self._count = count
        self._lines = lines
        self._clock = clock
        self._opened = self._last = clock()
        self._typed = ""
        self._answer = Bar(looks, id="answer")

    @property
    def must_type(self) -> bool:
        return self._count > TYPED_ABOVE

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            heading = Bar(self._looks, id="heading")
            heading.put([(self._question, "title")])
            yield heading
            for part in (part for line in self._lines for part in wrapped(harmless(line), LINE_WIDTH, 3)):
                told = Bar(self._looks)
                told.put([(part, "text")])
                yield told
            yield self._answer

    def on_mount(self) -> None:
        self._show()

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        now, last = self._clock(), self._last
        self._last = now
        if event.key == "escape":
            self.dismiss(False)
        elif now - self._opened < SETTLE_S or (now - last < REPEAT_S and not self.must_type):
            return
        elif event.key == "enter":
            self.dismiss(self.must_type and self._typed == str(self._count))
        elif self.must_type:
            self._type(event)
        elif event.character in ("y", "Y", "ｙ"):
            self.dismiss(True)
        elif event.character in ("n", "N", "q"):
            self.dismiss(False)

    def _type(self, event: events.Key) -> None:
        if event.key == "backspace":
            self._typed = self._typed[:-1]
        elif event.character is not None and event.character in "0123456789" and len(self._typed) < 12:
            self._typed += event.character
        self._show()

    def _show(self) -> None:
        if self.must_type:
            words = _("Type {count} and Enter to go on; Enter alone or Esc leaves all as it is", count=self._count)
            self._answer.put([(words + "  ", "dim"), (self._typed + "_", "key")])
        else:
            self._answer.put(
                [
                    ("y", "key"),
                    (" " + _("do it") + "   ", "dim"),
                    ("Enter", "key"),
                    (" " + _("leave all as it is"), "dim"),
                ]
            )
