"""One record as lines: its fields, then its history."""

from __future__ import annotations

from collections.abc import Sequence

from bo.core.kernel.text import _
from bo.tui.cells import fitted, harmless, wrapped
from bo.tui.looks import Looks, Span, state_tone
from bo.tui.pane import Line
from bo.tui.sections import sections_lines
from bo.tui.source import Detail, DetailField

VALUE_LINES_MAX = 4
HISTORY_MAX = 200
LABEL_MOST, KEPT_LABEL_MOST = 16, 30


def detail_lines(detail: Detail, looks: Looks, width: int, *, value_lines: int = VALUE_LINES_MAX) -> list[Line]:
    """Lines of at most `width` cells; long values are wrapped and cut after a few lines."""
    title = wrapped(harmless(detail.title), width - 1, 2)
    lines: list[Line] = [((" " + part, "head"),) for part in title]
    word = harmless(_(detail.state.replace("_", " ")))
    state: Span = (f" {looks.state(detail.state)} {word}", state_tone(detail.state))
    lines += [(state, (f"  {harmless(detail.id)}", "dim")), ()]
    lines += sections_lines(detail.sections, looks, width)
    lines += field_lines(detail.fields, looks, width, value_lines)
    if detail.kept:
        lines += [(), ((" " + _("Kept from the file"), "title"),)]
        lines += field_lines(detail.kept, looks, width, value_lines, label_most=KEPT_LABEL_MOST)
    return [*lines, (), *history_lines(detail, width)]


def history_at(lines: Sequence[Line]) -> int:
    """Where the history begins."""
    heading = _history_heading()
    return next((at for at, line in enumerate(lines) if line and line[0] == heading), 0)


def field_lines(
    fields: Sequence[DetailField], looks: Looks, width: int, value_lines: int, *, label_most: int = LABEL_MOST
) -> list[Line]:
    """Titles and values, those that have one."""
    label_width = min(label_most, max(8, width * 2 // 5))
    lines: list[Line] = []
    for field in fields:
        if field.value:
            label = fitted(harmless(field.title), label_width, more=looks.glyphs.more)
            for part in wrapped(harmless(field.value), width - label_width - 2, value_lines):
                lines.append(((f" {label} ", "dim"), (part, "text")))
                label = " " * label_width
    return lines


def history_lines(detail: Detail, width: int) -> list[Line]:
    lines: list[Line] = [(_history_heading(),)]
    for entry in detail.history[:HISTORY_MAX]:
        head: Line = ((f" {harmless(entry.when)} ", "dim"), (harmless(entry.who), "info"))
        lines.append(head)
        lines += [((f"   {part}", "text"),) for part in wrapped(harmless(entry.what), width - 4, 3)]
    if not detail.history:
        lines.append((("   " + _("nothing yet"), "dim"),))
    return lines


def _history_heading() -> Span:
    return (" " + _("History"), "title")
