"""A form field that takes one of several values: by digit, by typing a part of it, or with the arrows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from bo.core.kernel.text import _
from bo.tui.cells import fitted, harmless
from bo.tui.looks import Looks
from bo.tui.source import Choice

ROWS_MAX = 10

Search = Callable[[str, Callable[[list[Choice]], None]], None]


class ChoiceField(Widget, can_focus=True):
    """The chosen value on one line; while it has the keyboard, the values that match below it."""

    DEFAULT_CSS = "ChoiceField { height: 1; width: 1fr; }"
    ALLOW_SELECT = False

    class Picked(Message):
        """A value was chosen by its digit: the one key press that can answer the whole form."""

    class Entered(Message):
        """Enter: on to the next field."""

    def __init__(self, looks: Looks, choices: Sequence[Choice], value: str = "", search: Search | None = None) -> None:
        super().__init__()
        self.looks = looks
        self.typed = ""
        self.enters = False  # whether Enter is the form's, as long as nothing is typed
        self._open = False
        self._all = list(choices)
        self._search = search
        self._shown = list(choices)
        self._chosen: Choice | None = next((choice for choice in choices if choice.value == value), None)
        if value and self._chosen is None:
            self._chosen = Choice(value)
        self._asked = 0
        self._waiting = False
        self._enter_then = False
        self._at = self._shown.index(self._chosen) if self._chosen in self._shown else 0

    @property
    def value(self) -> str:
        return self._chosen.value if self._chosen else ""

    def on_mount(self) -> None:
        if self._search is not None and self._chosen is not None:
            self._search(self._chosen.value, self._named)

    def _named(self, choices: list[Choice]) -> None:
        """The value that the field started with is an id; people know it by a name."""
        self._chosen = next((each for each in choices if each.value == self.value), self._chosen)
        self.refresh()

    def on_focus(self) -> None:
        self._open = True
        if self._search is not None and not self._shown:
            self._ask(self._search)
        self._resize()

    def on_blur(self) -> None:
        self._open = False
        # What was typed and leaves one value, or is one, counts as chosen.
        if self.typed and self._shown:
            self._choose(self._shown[self._at])
        self.typed = ""
        self._resize()

    def on_key(self, event: events.Key) -> None:
        if self._used(event.key, event.character):
            event.stop()
            event.prevent_default()
            self.refresh()

    def _used(self, key: str, character: str | None) -> bool:
        if key in ("down", "up"):
            self._at = max(0, min(self._at + (1 if key == "down" else -1), len(self._shown) - 1))
            if self._shown:
                self._chosen = self._shown[self._at]
        elif key == "enter":
            self._enter()
        elif key == "backspace" and self.typed:
            self._filter(self.typed[:-1])
        elif key == "backspace" and self._chosen is not None:
            self._chosen = None
        elif character is not None and character in "1234567890" and not self.typed and self._search is None:
            self._by_digit((int(character) - 1) % 10)
        elif character is not None and character.isprintable():
            self._filter(self.typed + character)
        else:
            return False
        return True

    def _enter(self) -> None:
        if self.enters and not self.typed:
            self.post_message(self.Entered())
            return
        if self._waiting:
            # What matches is not known yet; the wrong one must not be taken meanwhile.
            self._enter_then = True
            return
        self._enter_then = False
        if self._shown and (self.typed or self._chosen is None):
            self._choose(self._shown[self._at])
        if not self.typed:
            self.post_message(self.Entered())

    def _by_digit(self, index: int) -> None:
        if index < min(len(self._shown), ROWS_MAX):
            self._choose(self._shown[index])
            self.post_message(self.Picked())

    def _choose(self, choice: Choice) -> None:
        self._chosen = choice
        self.typed = ""
        if self._search is None:
            self._shown = list(self._all)
        self._at = self._shown.index(choice) if choice in self._shown else 0

    def _filter(self, typed: str) -> None:
        self.typed = typed
        self._chosen = None
        if self._search is None:
            self._shown = _matching(self._all, typed)
        else:
            self._shown = _matching(self._shown, typed)
            self._ask(self._search)
        self._at = 0
        self._resize()

    def _ask(self, search: Search) -> None:
        self._asked += 1
        self._waiting = True
        search(self.typed, partial(self._found, self._asked))

    def _found(self, asked: int, choices: list[Choice]) -> None:
        if asked != self._asked:
            return
        self._waiting = False
        self._shown = choices
        self._at = 0
        self._resize()
        self.refresh()
        if self._enter_then:
            self._enter()

    def _resize(self) -> None:
        self.styles.height = 1 + (min(len(self._shown), ROWS_MAX) if self._open else 0)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y == 0:
            return self._head(width)
        first = max(0, min(self._at - ROWS_MAX // 2, len(self._shown) - ROWS_MAX))
        index = first + y - 1
        if index >= len(self._shown):
            return Strip.blank(width, self.looks.ground)
        choice = self._shown[index]
        digit = f"{(index + 1) % 10} " if index < ROWS_MAX and self._search is None and not self.typed else "  "
        style = self.looks.cursor if index == self._at else self.looks.tone("text")
        key_style = self.looks.cursor if index == self._at else self.looks.tone("key")
        text = fitted(harmless(choice.words), max(0, width - 2), more=self.looks.glyphs.more)
        return Strip([Segment(digit, key_style), Segment(text, style)]).adjust_cell_length(width, style)

    def _head(self, width: int) -> Strip:
        tone = self.looks.tone
        if self.typed:
            segments = [Segment("/", tone("key")), Segment(harmless(self.typed), tone("head"))]
            if not self._shown and not self._waiting:
                segments.append(Segment("  " + _("nothing matches"), tone("bad")))
        elif self._chosen is not None:
            segments = [Segment(harmless(self._chosen.words), tone("head"))]
        else:
            hint = _("type to search") if self._search is not None else _("digit, arrows, or type a part")
            segments = [Segment(hint if self._open else "-", tone("dim"))]
        return Strip(segments).adjust_cell_length(width, self.looks.ground)


def _matching(choices: Sequence[Choice], typed: str) -> list[Choice]:
    """Choices that have the letters typed; those that begin with them come first."""
    wanted = typed.casefold()
    found = [each for each in choices if wanted in each.words.casefold() or wanted in each.value.casefold()]
    found.sort(key=lambda each: not (each.words.casefold().startswith(wanted) or each.value.startswith(wanted)))
    return found
