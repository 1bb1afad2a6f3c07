"""The line at the bottom where a filter or a `:` command is typed. It recalls earlier lines and completes on Tab."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from msgspec import Struct
from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.strip import Strip
from textual.widgets import Input

from bo.tui.looks import Looks
from bo.tui.pane import Bar, steady

HISTORY_MAX = 100


class Line(Input):
    """The input itself. It hands Esc, Tab and the arrows to the prompt before Textual would use them."""

    def __init__(self, prompt: Prompt) -> None:
        super().__init__(compact=True, select_on_focus=False)
        self.cursor_blink = False
        self._prompt = prompt

    def render_line(self, y: int) -> Strip:
        return steady(super().render_line(y))

    async def _on_key(self, event: events.Key) -> None:
        if not self._prompt.display:
            # Typed after Enter, but before the keyboard was given back.
            self._prompt.late(event)
            event.stop()
            event.prevent_default()
        elif self._prompt.handles(event.key):
            event.stop()
            event.prevent_default()
        else:
            await super()._on_key(event)


class Told(Struct, frozen=True):
    """What happened in the prompt: `changed`, `accepted`, `given_up`, or `offered` with what Tab could complete to."""

    what: Literal["changed", "accepted", "given_up", "offered"]
    label: str
    text: str = ""
    offers: tuple[str, ...] = ()


class Prompt(Horizontal):
    """Opens with a label and a text; tells of every change, of acceptance and of giving up."""

    DEFAULT_CSS = """
    Prompt { height: 1; width: 1fr; }
    Prompt Bar { width: 2; }
    Prompt Line { width: 1fr; background: transparent; padding: 0; }
    Prompt Line:focus { background: transparent; }
    """

    def __init__(self, looks: Looks, tell: Callable[[Told], None], late: Callable[[events.Key], object]) -> None:
        super().__init__(id="prompt")
        self.late = late
        self._tell = tell
        self.label = ""
        self.line = Line(self)
        self._bar = Bar(looks)
        self._complete: Callable[[str], list[str]] | None = None
        self._history: dict[str, list[str]] = {}
        self._recalled = 0
        self._offers: list[str] = []
        self._offer = -1

    def compose(self) -> ComposeResult:
        yield self._bar
        yield self.line

    def open(self, label: str, text: str, complete: Callable[[str], list[str]] | None = None) -> None:
        """Take the keyboard, with a text to start from."""
        self.label = label
        self._complete = complete
        self._recalled = 0
        self._offers, self._offer = [], -1
        self._bar.put([(label, "key")])
        with self.prevent(Input.Changed):
            self.line.value = text
        self.line.cursor_position = len(text)
        self.display = True
        # At once, not by `focus()`, which waits its turn: the next key already belongs to this line.
        self.screen.set_focus(self.line)

    def handles(self, key: str) -> bool:
        """Keys that mean something to the prompt itself."""
        match key:
            case "escape" | "ctrl+c":
                self._tell(Told("given_up", self.label))
            case "enter":
                self._remember(self.line.value)
                self._tell(Told("accepted", self.label, self.line.value))
            case "tab" | "shift+tab":
                self._tab(1 if key == "tab" else -1)
            case "up" | "down":
                self._recall(1 if key == "up" else -1)
            case "backspace" if not self.line.value:
                self._tell(Told("given_up", self.label))
            case _:
                return False
        return True

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if not (self._offers and self._offer >= 0 and self._offers[self._offer] == event.value):
            self._offers, self._offer = [], -1
        self._tell(Told("changed", self.label, event.value))

    def _remember(self, text: str) -> None:
        kept = self._history.setdefault(self.label, [])
        if text and (not kept or kept[-1] != text):
            kept.append(text)
            del kept[:-HISTORY_MAX]

    def _recall(self, step: int) -> None:
        kept = self._history.get(self.label, [])
        self._recalled = max(0, min(self._recalled + step, len(kept)))
        text = kept[-self._recalled] if self._recalled else ""
        self.line.value = text
        self.line.cursor_position = len(text)

    def _tab(self, step: int) -> None:
        if self._complete is None:
            return
        if not self._offers:
            self._offers, self._offer = self._complete(self.line.value), -1 if step > 0 else 0
        if not self._offers:
            return
        self._offer = (self._offer + step) % len(self._offers)
        text = self._offers[self._offer]
        self.line.value = text
        self.line.cursor_position = len(text)
        offers = (*self._offers[self._offer :], *self._offers[: self._offer])
        self._tell(Told("offered", self.label, text, offers))
