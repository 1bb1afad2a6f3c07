"""A list to pick from by typing: the palette, the menu of a record, the columns to sort by."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct
from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input

from bo.core.kernel.text import _
from bo.tui.cells import fitted, harmless
from bo.tui.looks import Looks
from bo.tui.pane import Bar


class Entry(Struct, frozen=True):
    """One line: what is handed back, what is shown, and the key that would have done the same."""

    value: str
    title: str
    key: str = ""
    hint: str = ""


def matching(entries: Sequence[Entry], typed: str) -> list[Entry]:
    """Entries that have every typed word somewhere; those that begin with it first, order otherwise kept."""
    words = typed.casefold().split()

    def text(entry: Entry) -> str:
        return f"{entry.title} {entry.hint} {entry.value}".casefold()

    found = [entry for entry in entries if all(word in text(entry) for word in words)]
    if words:
        found.sort(key=lambda entry: not entry.title.casefold().startswith(words[0]))
    return found


class Listing(Widget):
    """The entries that match, one of them chosen."""

    DEFAULT_CSS = "Listing { height: 1fr; width: 1fr; }"
    ALLOW_SELECT = False

    def __init__(self, looks: Looks) -> None:
        super().__init__()
        self._looks = looks
        self.entries: Sequence[Entry] = ()
        self.at = 0
        self._widest = 0

    def put(self, entries: Sequence[Entry]) -> None:
        self.entries, self.at = entries, 0
        self._widest = max((cell_len(harmless(entry.title)) for entry in entries), default=0)
        self.refresh()

    def move(self, step: int) -> None:
        self.at = max(0, min(self.at + step, len(self.entries) - 1))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width, height = self.size
        index = max(0, min(self.at - height // 2, len(self.entries) - height)) + y
        if index >= len(self.entries):
            words = _("nothing matches") if not self.entries and y == 0 else ""
            return Strip([Segment(fitted(words, width), self._looks.tone("dim"))], width)
        entry = self.entries[index]
        here = index == self.at
        style = self._looks.cursor if here else self._looks.tone("text")
        key_style = self._looks.cursor if here else self._looks.tone("key")
        hint_style = self._looks.cursor if here else self._looks.tone("dim")
        title_width = max(4, min(self._widest, width * 3 // 5))
        more = self._looks.glyphs.more
        spans = [
            Segment((">" if here else " ") + fitted(entry.key, 6) + " ", key_style),
            Segment(fitted(harmless(entry.title), title_width, more=more) + "  ", style),
            Segment(fitted(harmless(entry.hint), max(4, width - 10 - title_width), more=more), hint_style),
        ]
        return Strip(spans).adjust_cell_length(width, style)


class PickerScreen(ModalScreen["str | None"]):
    """Type to narrow, arrows to choose, Enter to take. Without typing, an entry's own key takes it at once."""

    def __init__(
        self, looks: Looks, heading: str, entries: Sequence[Entry], ready: Callable[[], None], *, by_key: bool = False
    ) -> None:
        super().__init__()
        self._looks = looks
        self._heading = heading
        self._all = entries
        self._by_key = by_key
        self._ready = ready
        self._input = Input(compact=True, select_on_focus=False)
        self._input.cursor_blink = False
        self.listing = Listing(looks)

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="picker"):
            heading = Bar(self._looks, id="heading")
            heading.put([(self._heading, "title")], [("Esc ", "dim")])
            yield heading
            yield self._input
            yield self.listing

    def on_mount(self) -> None:
        self.listing.put(self._all)
        self.set_focus(self._input)
        self._ready()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        typed = event.value
        if self._by_key and len(typed) == 1:
            taken = [entry for entry in self._all if entry.key == typed]
            if len(taken) == 1:
                self.dismiss(taken[0].value)
                return
        self.listing.put(matching(self._all, typed))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if self.listing.entries:
            self.dismiss(self.listing.entries[self.listing.at].value)

    def on_key(self, event: events.Key) -> None:
        steps = {
            "down": 1,
            "up": -1,
            "ctrl+n": 1,
            "ctrl+p": -1,
            "tab": 1,
            "shift+tab": -1,
            "pagedown": 10,
            "pageup": -10,
        }
        if event.key == "escape":
            self.dismiss(None)
        elif event.key in steps:
            self.listing.move(steps[event.key])
        else:
            return
        event.stop()
        event.prevent_default()
