"""The virtual table: a window over a frozen view of any length. It knows rows by position and marks by id.

It draws lines itself (Textual's line API) and keeps its own offset instead of being a ScrollView: without scroll bars
and virtual sizes a move of the cursor dirties two lines, asks for no layout and costs a few hundred bytes. It refuses
to re-sort: what acts on rows dims them where they stand, and only a new view moves them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from bo.tui.cells import fitted, harmless
from bo.tui.looks import Looks, Tone, state_tone
from bo.tui.marks import Marks
from bo.tui.source import PAGE_ROWS, Column, RowView

PAGES_KEPT = 32
GUTTER = 3
COLUMN_WIDTH_MIN = 6
GROWS_MAX = 2
NO_NAMES = ("state", "due_at")


class Feed(Protocol):
    """Where pages come from. `want` returns at once; the page arrives later by `supply`."""

    def want(self, page: int, *, urgent: bool) -> None: ...

    def when_whole(self, then: Callable[[], None]) -> None:
        """Do it once all rows are known."""


class Listener(Protocol):
    """Who is told that the cursor stands elsewhere, or on a row that has arrived only now."""

    def cursor_moved(self) -> None: ...


class VirtualTable(Widget, can_focus=True):
    """Rows by page, a cursor, marks, dimmed rows, and columns that scroll sideways."""

    DEFAULT_CSS = "VirtualTable { width: 1fr; height: 1fr; }"
    ALLOW_SELECT = False

    def __init__(self, looks: Looks, feed: Feed, listener: Listener) -> None:
        super().__init__()
        self.looks = looks
        self.marks = Marks()
        self.acted: set[str] = set()
        self.refused: set[str] = set()
        self.count = 0
        self.whole = True
        self.cursor = 0
        self.top = 0
        self.column = 0
        self.sort = ""
        self.empty_words = ""
        self.range_anchor: int | None = None
        self.columns: Sequence[Column] = ()
        self._feed = feed
        self._listener = listener
        self._first_column = 1
        self._pages: dict[int, list[RowView]] = {}
        self._asked: set[int] = set()

    # What is shown

    def show(
        self, count: int, pages: Mapping[int, list[RowView]], *, cursor: int, top: int | None = None, whole: bool = True
    ) -> None:
        """Put a new view in place of the old one. `pages` holds at least what is visible around the cursor. Where it is
        not `whole` more rows follow (`grow`)."""
        self.count = count
        self.whole = whole
        self._pages = dict(pages)
        self._asked.clear()
        self.range_anchor = None
        self.cursor = max(0, min(cursor, count - 1))
        self.top = self._offset_for(self.cursor, self.top if top is None else top)
        self.refresh()
        self._prefetch()
        self._listener.cursor_moved()

    def grow(self, count: int) -> None:
        """All rows of the view are known: those that were not follow behind the others."""
        known, self.count, self.whole = self.count, count, True
        if known < min(count, self.top + self.rows_visible):
            self.refresh()
        self._prefetch()

    def supply(self, page: int, rows: list[RowView]) -> None:
        """A page has arrived, or arrived again with what its records are now."""
        self._asked.discard(page)
        old = self._pages.pop(page, None)
        self._pages[page] = rows
        while len(self._pages) > PAGES_KEPT:
            # Oldest first; what is visible is asked for again at once if it should go.
            del self._pages[next(iter(self._pages))]
        for index, row in enumerate(rows):
            if old is None or index >= len(old) or old[index] != row:
                self._refresh_position(page * PAGE_ROWS + index)
        if page == self.cursor // PAGE_ROWS:
            self._listener.cursor_moved()

    def not_coming(self, page: int) -> None:
        """The page could not be read; it may be asked for again."""
        self._asked.discard(page)

    def row(self, position: int) -> RowView | None:
        """The row at a position, if its page is here."""
        rows = self._pages.get(position // PAGE_ROWS)
        index = position % PAGE_ROWS
        return rows[index] if rows is not None and 0 <= index < len(rows) else None

    def current(self) -> RowView | None:
        """The row under the cursor, unless its page is not here yet or its record has been removed."""
        row = self.row(self.cursor) if self.count else None
        return row if row is not None and row.id else None

    def loaded(self, record_ids: Iterable[str]) -> dict[str, int]:
        """Positions of those records whose pages are here."""
        wanted = set(record_ids)
        return {
            row.id: page * PAGE_ROWS + index
            for page, rows in self._pages.items()
            for index, row in enumerate(rows)
            if row.id in wanted
        }

    def page_rows(self, page: int) -> list[RowView] | None:
        return self._pages.get(page)

    def visible_pages(self) -> list[int]:
        last = min(self.count - 1, self.top + self.rows_visible - 1)
        return list(range(self.top // PAGE_ROWS, max(0, last) // PAGE_ROWS + 1))

    def name_of(self, record_id: str) -> str:
        """What people call the record: its first cell that is neither state nor deadline; else its id."""
        for position in self.loaded([record_id]).values():
            row = self.row(position)
            cells = zip(self.columns, row.cells if row else (), strict=False)
            return next((text for column, text in cells if column.key not in NO_NAMES and text), record_id)
        return record_id

    def redraw(self, record_ids: Iterable[str]) -> None:
        """Draw these records again where they are visible: a mark or a dimming has changed."""
        for position in self.loaded(record_ids).values():
            self._refresh_position(position)

    # Moves

    @property
    def rows_visible(self) -> int:
        return max(1, self.size.height - 1)

    def move_to(self, position: int) -> None:
        """Put the cursor at a position, scrolling only as far as needed."""
        if position >= self.count and not self.whole:
            self._feed.when_whole(lambda: self.move_to(position))
            return
        position = max(0, min(position, self.count - 1))
        before, self.cursor = self.cursor, position
        top = self._offset_for(position, self.top)
        if top != self.top:
            self.top = top
            self.refresh()
        elif before != position:
            changed = {before, position}
            if self.range_anchor is not None:
                changed.update(range(min(before, position), max(before, position) + 1))
            for line in changed:
                self._refresh_position(line)
        if before != position:
            self._prefetch()
            self._listener.cursor_moved()

    def move_by(self, rows: int) -> None:
        self.move_to(self.cursor + rows)

    def move_to_last(self) -> None:
        self._feed.when_whole(lambda: self.move_to(self.count - 1))

    def page_by(self, screens: float) -> None:
        """Move the cursor and the window together, as a pager does."""
        step = int(self.rows_visible * screens) or (1 if screens > 0 else -1)
        if self.top + step + self.rows_visible > self.count and not self.whole:
            self._feed.when_whole(lambda: self.page_by(screens))
            return
        top = max(0, min(self.top + step, max(0, self.count - self.rows_visible)))
        if top != self.top:
            self.top = top
            self.refresh()
        self.move_to(self.cursor + step)

    def move_column(self, step: int) -> None:
        """Choose the next column that way, bringing it into sight."""
        if not self.columns:
            return
        self.column = max(0, min(self.column + step, len(self.columns) - 1))
        if 0 < self.column < self._first_column:
            self._first_column = self.column
        while self.column and not self._in_sight(self.column) and self._first_column < self.column:
            self._first_column += 1
        if self.column == 0:
            self._first_column = 1
        self.refresh()

    def refresh_header(self) -> None:
        self.refresh(Region(0, 0, self.size.width, 1))

    def _in_sight(self, column: int) -> bool:
        return any(index == column and width >= self.columns[index].width for index, width in self._layout())

    def _offset_for(self, position: int, top: int) -> int:
        height = self.rows_visible
        top = min(top, max(0, self.count - height))
        if position < top:
            # A jump lands in the middle; a step scrolls by one.
            return max(0, position if top - position == 1 else position - height // 2)
        if position >= top + height:
            if position == top + height:
                return top + 1
            return min(position - height // 2, max(0, self.count - height))
        return max(0, top)

    def _prefetch(self) -> None:
        """Ask for what lies ahead before it is needed."""
        if not self.count:
            return
        ahead = self.rows_visible * 2
        for position in (self.cursor, self.cursor + ahead, self.cursor - ahead):
            if 0 <= position < self.count:
                self._want(position // PAGE_ROWS, urgent=False)

    def _want(self, page: int, *, urgent: bool) -> None:
        if page not in self._pages and page not in self._asked:
            self._asked.add(page)
            self._feed.want(page, urgent=urgent)

    def _refresh_position(self, position: int) -> None:
        line = position - self.top
        if 0 <= line < self.rows_visible:
            self.refresh(Region(0, line + 1, self.size.width, 1))

    # Events

    def on_resize(self, event: events.Resize) -> None:
        self.top = self._offset_for(self.cursor, self.top)
        self._prefetch()

    def on_click(self, event: events.Click) -> None:
        if event.y > 0 and self.top + event.y - 1 < self.count:
            self.move_to(self.top + event.y - 1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self.move_by(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self.move_by(-3)

    # Drawing

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y == 0:
            return self._header(width)
        position = self.top + y - 1
        if position >= self.count:
            words = self.empty_words if self.count == 0 and y == 2 else ""
            words = fitted("   " + words, width, more=self.looks.glyphs.more)
            return Strip([Segment(words, self.looks.tone("dim"))], width)
        row = self.row(position)
        if row is None:
            self._want(position // PAGE_ROWS, urgent=True)
            style = self.looks.cursor if position == self.cursor else self.looks.tone("dim")
            return Strip([Segment(fitted("   ⋯" if self.looks.glyphs.mark != "*" else "   ...", width), style)], width)
        return self._line(position, row, width)

    def _layout(self) -> list[tuple[int, int]]:
        """Which columns are drawn and how wide: the first always, then from the first one in sight on."""
        room = self.size.width - GUTTER
        drawn: list[list[int]] = []
        for index in [0, *range(self._first_column, len(self.columns))] if self.columns else []:
            wanted = self.columns[index].width
            if room < min(wanted, COLUMN_WIDTH_MIN):
                break
            drawn.append([index, min(wanted, room)])
            room -= drawn[-1][1] + 1
        growing = [item for item in drawn if self.columns[item[0]].grow]
        for item in growing:
            # Beyond that, the eye loses the line on the way to the next column.
            item[1] += min(max(0, room) // len(growing), GROWS_MAX * item[1])
        return [(index, width) for index, width in drawn]

    def _header(self, width: int) -> Strip:
        glyphs = self.looks.glyphs
        spans: list[tuple[str, Style]] = [(" " * GUTTER, self.looks.header)]
        for index, cells in self._layout():
            column = self.columns[index]
            title = column.title
            if self.sort.lstrip("-") == column.key and self.sort:
                title += " " + (glyphs.down if self.sort.startswith("-") else glyphs.up)
            style = self.looks.header + self.looks.tone("key") if index == self.column else self.looks.header
            spans.append((fitted(title, cells, column.align, glyphs.more), style))
            spans.append((" ", self.looks.header))
        return _strip(spans, width)

    def _line(self, position: int, row: RowView, width: int) -> Strip:
        looks = self.looks
        is_cursor, is_acted = position == self.cursor, row.id in self.acted
        if is_cursor:
            base = state = looks.cursor_acted if is_acted else looks.cursor
        elif is_acted:
            base = state = looks.acted
        else:
            base, state = looks.tone("text"), looks.tone(state_tone(row.state))
        plain = looks.tone("text")
        marked, tone = self._mark(position, row.id)
        mark_style = state if is_cursor or marked == " " else looks.tone(tone)
        spans: list[tuple[str, Style]] = [(marked, mark_style), (looks.state(row.state) + " ", state)]
        for index, cells in self._layout():
            column = self.columns[index]
            text = harmless(row.cells[index]) if index < len(row.cells) else ""
            style = state if column.key == "state" else base
            if index in row.tones and base is plain:
                style = looks.tone(row.tones[index])
            spans.append((fitted(text, cells, column.align, looks.glyphs.more) + " ", style))
        if row.note:
            spans.append((harmless(row.note), state))
        return _strip(spans, width)

    def _mark(self, position: int, record_id: str) -> tuple[str, Tone]:
        glyphs = self.looks.glyphs
        if record_id in self.refused:
            return "!", "bad"
        if record_id in self.marks:
            return glyphs.mark, "mark"
        if self.range_anchor is not None:
            low, high = sorted((self.range_anchor, self.cursor))
            if low <= position <= high:
                return glyphs.range, "mark"
        return " ", "text"


def _strip(spans: list[tuple[str, Style]], width: int) -> Strip:
    """Spans as a strip of exactly `width` cells; neighbours of one style become one segment, which saves bytes."""
    segments: list[Segment] = []
    text, style = spans[0]
    for next_text, next_style in spans[1:]:
        if next_style == style:
            text += next_text
        else:
            segments.append(Segment(text, style))
            text, style = next_text, next_style
    segments.append(Segment(text, style))
    strip = Strip(segments)
    return strip.adjust_cell_length(width, style)
