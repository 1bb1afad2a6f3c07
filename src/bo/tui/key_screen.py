"""Screens that take every key themselves: text that scrolls, and lists with a cursor. What moves is the same in all."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.screen import ModalScreen, ScreenResultType
from textual.widget import Widget

from bo.tui.keys import key_name
from bo.tui.looks import Looks, Span
from bo.tui.pane import Bar, Pane

FAR = 1 << 30
_MOVES = {"j": 1, "down": 1, "k": -1, "up": -1, "g": -FAR, "home": -FAR, "G": FAR, "end": FAR}
_PAGES = {"pagedown": 1, "ctrl+d": 1, "space": 1, "pageup": -1, "ctrl+u": -1}


def step_of(name: str, page: int) -> int:
    """How many lines a key moves by, 0 where it moves by none."""
    return _MOVES.get(name, 0) or _PAGES.get(name, 0) * max(1, page)


def within(at: int, count: int) -> int:
    """The place nearest to it that there is."""
    return max(0, min(at, count - 1))


def cursor(here: bool) -> Span:
    """What stands before a line of a list."""
    return (" > " if here else "   ", "key")


class KeyScreen(ModalScreen[ScreenResultType]):
    """A heading, a pane of text, what stands `below` it. Keys that `press` has no use for move, or close the screen."""

    def __init__(self, looks: Looks, *below: Widget) -> None:
        super().__init__()
        self.looks = looks
        self.heading = Bar(looks, raised=True, id="heading")
        self.pane = Pane(looks, id="text")
        self.below = below

    def compose(self) -> ComposeResult:
        yield self.heading
        yield self.pane
        yield from self.below

    def on_mount(self) -> None:
        self.draw()

    def on_resize(self, event: events.Resize) -> None:
        # By then the pane knows its new size.
        self.call_after_refresh(self.draw)

    def draw(self) -> None:
        """Show what there is now."""

    def on_key(self, event: events.Key) -> None:
        if self.focused is not None:
            return  # something is being typed
        event.stop()
        event.prevent_default()
        name = key_name(event.key, event.character)
        if self.press(name):
            return
        if step := step_of(name, self.page):
            self.move(step)
        elif name in ("q", "escape"):
            self.leave()

    @property
    def page(self) -> int:
        """How many lines a page is."""
        return self.pane.size.height - 1

    def press(self, name: str) -> bool:
        """Do what a key means here; returns whether it means anything."""
        return False

    def move(self, step: int) -> None:
        self.pane.scroll_lines(step)

    def leave(self) -> None:
        self.dismiss(None)


class ListScreen(KeyScreen[ScreenResultType]):
    """One of its entries is under the cursor."""

    at = 0

    @property
    def count(self) -> int:
        """How many entries there are."""
        raise NotImplementedError

    def move(self, step: int) -> None:
        self.at = within(self.at + step, self.count)
        self.draw()
