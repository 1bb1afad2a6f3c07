"""Two plain surfaces that draw spans and nothing else: `Bar` is one line, `Pane` is many and scrolls.

They take text with tones, never markup, and lay nothing out: setting what is shown already costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.strip import Strip
from textual.widget import Widget

from bo.tui.cells import harmless
from bo.tui.looks import Looks, Span

Line = tuple[Span, ...]
WHEEL_LINES = 3


class Bar(Widget):
    """One line: spans from the left, and spans that stand at the right edge as long as there is room."""

    DEFAULT_CSS = "Bar { height: 1; width: 1fr; }"
    ALLOW_SELECT = False

    def __init__(self, looks: Looks, *, raised: bool = False, id: str | None = None) -> None:
        super().__init__(id=id)
        self.looks = looks
        self._raised = raised
        self._left: Line = ()
        self._right: Line = ()

    @property
    def text(self) -> str:
        """What it says, for tests and for those who read the screen by other means."""
        return "".join(text for text, _ in (*self._left, *self._right))

    def span_at(self, x: int) -> int | None:
        """Which of the spans at the left stands in that cell."""
        end = 0
        for at, (text, _tone) in enumerate(self._left):
            end += cell_len(harmless(text))
            if x < end:
                return at
        return None

    def put(self, left: Sequence[Span], right: Sequence[Span] = ()) -> None:
        """Show these spans; the same as before costs nothing."""
        if (tuple(left), tuple(right)) != (self._left, self._right):
            self._left, self._right = tuple(left), tuple(right)
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        looks = self.looks.on_panel() if self._raised else self.looks
        left = Strip(_segments(self._left, looks))
        right = Strip(_segments(self._right, looks))
        room = width - right.cell_length
        if room < min(left.cell_length, width // 2):
            return _cut(left, width, looks)
        return Strip.join([_cut(left, room, looks), right])


class Pane(Widget):
    """Lines that scroll. `heading` stays in place at the top."""

    DEFAULT_CSS = "Pane { width: 1fr; height: 1fr; }"
    ALLOW_SELECT = False

    def __init__(self, looks: Looks, *, raised: bool = False, id: str | None = None) -> None:
        super().__init__(id=id)
        self.looks = looks
        self.offset_lines = 0
        self._raised = raised
        self._lines: list[Line] = []

    @property
    def text(self) -> str:
        return "\n".join("".join(text for text, _ in line) for line in self._lines)

    @property
    def lines(self) -> list[Line]:
        return self._lines

    def put(self, lines: Sequence[Line], *, keep_offset: bool = False) -> None:
        if list(lines) == self._lines:
            return
        self._lines = list(lines)
        self.offset_lines = min(self.offset_lines, self._offset_max) if keep_offset else 0
        self.refresh()

    def scroll_lines(self, lines: int) -> None:
        offset = max(0, min(self.offset_lines + lines, self._offset_max))
        if offset != self.offset_lines:
            self.offset_lines = offset
            self.refresh()

    def show_line(self, line: int, above: int = 0) -> None:
        """Scroll no further than it takes to have a line in sight, with so many above it if there is room."""
        height = max(1, self.size.height)
        for wanted in (line - above, line):
            beyond = wanted - (self.offset_lines + height - 1)
            self.scroll_lines(max(0, beyond) + min(0, wanted - self.offset_lines))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.scroll_lines(WHEEL_LINES)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.scroll_lines(-WHEEL_LINES)

    @property
    def _offset_max(self) -> int:
        return max(0, len(self._lines) - max(1, self.size.height))

    def render_line(self, y: int) -> Strip:
        looks = self.looks.on_panel() if self._raised else self.looks
        index = y + self.offset_lines
        line = self._lines[index] if index < len(self._lines) else ()
        return _cut(Strip(_segments(line, looks)), self.size.width, looks)


def steady(strip: Strip) -> Strip:
    """A line that a widget of Textual drew, in the same width, without what other terminals count otherwise."""
    segments = [Segment(harmless(text), style) for text, style, control in strip if not control]
    return Strip(segments).adjust_cell_length(strip.cell_length, segments[-1].style if segments else None)


def _cut(strip: Strip, width: int, looks: Looks) -> Strip:
    """The strip in exactly that width, with a mark at its end where something is missing."""
    if width < 2 or cell_len(strip.text.rstrip()) <= width:
        return strip.adjust_cell_length(width, looks.ground)
    return Strip.join([strip.crop(0, width - 1), Strip([Segment(looks.glyphs.more, looks.tone("dim"))])])


def _segments(spans: Sequence[Span], looks: Looks) -> list[Segment]:
    return [Segment(looks.plain(harmless(text)), looks.tone(tone)) for text, tone in spans if text] or [
        Segment("", looks.ground)
    ]
