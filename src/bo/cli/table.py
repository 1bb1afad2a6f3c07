"""Tables for people: plain columns, two spaces apart, as wide as their content and no wider than the terminal.

Chinese and other wide letters take two cells. Nothing is cut unless there is a width to keep. Data is never markup.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bo.core.kernel.ids import TAIL_LENGTH, short
from bo.core.kernel.text import _, visible
from bo.core.kernel.text import width as width_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bo.cli.output import Column, Row

GAP: Final = "  "
NARROWEST: Final = 6
RIGHT: Final = frozenset(("amount", "whole", "rate"))
BOLD, PLAIN = "\x1b[1m", "\x1b[0m"


class Layout:
    """Lays rows out in columns whose widths only grow, so that a long list stays even."""

    def __init__(
        self, columns: Sequence[Column], *, zone: str = "", width: int | None = None, bold: bool = False
    ) -> None:
        self.columns = columns
        self.zone = zone
        self.width = width
        self.bold = bold
        self.heads = [visible(_(column.label)).upper() for column in columns]
        self.widths = [width_of(head) for head in self.heads]
        self.content = [0] * len(self.heads)
        self.begun = False

    def lines(self, batch: Sequence[Row]) -> str:
        """The text of some rows, with the heading before the first."""
        shown = [[self._shown(column, value) for column, value in zip(self.columns, row, strict=True)] for row in batch]
        for place, texts in enumerate(zip(*shown, strict=True)):
            self.content[place] = max(self.content[place], *map(width_of, texts))
            self.widths[place] = max(self.widths[place], self.content[place])
        widths = self._fitted()
        lines = [self._line(cells, widths) for cells in shown]
        if not self.begun:
            self.begun = True
            head = self._line(self.heads, widths)
            lines.insert(0, f"{BOLD}{head}{PLAIN}" if self.bold else head)
        return "\n".join(lines) + "\n"

    def _fitted(self) -> list[int]:
        """The widths to use: headings give way before what stands under them."""
        if self.width is None or sum(self.widths) + len(GAP) * (len(self.widths) - 1) <= self.width:
            return self.widths
        narrow = [max(content, min(wide, NARROWEST)) for content, wide in zip(self.content, self.widths, strict=True)]
        return fitted(narrow, self.width)

    def _shown(self, column: Column, value: object) -> str:
        return shown(column.kind, value, self.zone)

    def _line(self, cells: Sequence[str], widths: Sequence[int]) -> str:
        parts = []
        for column, cell, wide in zip(self.columns, cells, widths, strict=True):
            text = cut(cell, wide)
            space = " " * (wide - width_of(text))
            parts.append(space + text if column.kind in RIGHT else text + space)
        return GAP.join(parts).rstrip()


def fields_text(columns: Sequence[Column], values: Row, *, zone: str = "", bold: bool = False) -> str:
    """One thing, a line for each field that has a value, and for each part of one that has several."""
    given = []
    for column, value in zip(columns, values, strict=True):
        parts = _parts(value, zone) or [shown(column.kind, value, zone, whole=True)]
        given += [("" if place else visible(_(column.label)), text) for place, text in enumerate(parts) if text]
    wide = max((width_of(label) for label, _text in given), default=0)
    lines = []
    for label, text in given:
        space = " " * (wide - width_of(label))
        lines.append(f"{BOLD}{label}{PLAIN}{space}{GAP}{text}" if bold else f"{label}{space}{GAP}{text}")
    return "\n".join(lines) + "\n" if lines else ""


def _parts(value: object, zone: str) -> list[str]:
    """Sentences one below the other, and things with names and values likewise; nothing for what fits on a line."""
    if not isinstance(value, (list, tuple)) or len(value) < 2:
        return []
    if all(isinstance(item, dict) for item in value):
        rows = ((shown("text", part, zone, whole=True) for part in item.values()) for item in value)
        return [GAP.join(part for part in row if part) for row in rows]
    return [shown("text", item, zone) for item in value] if any(" " in str(item) for item in value) else []


def shown(kind: str, value: object, zone: str, *, whole: bool = False) -> str:
    """A value as a person reads it in a table: short ids, yes and no, moments in the office's zone."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, (list, tuple)):
        return ", ".join(shown("text", item, zone) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{visible(str(name))}={shown('text', item, zone)}" for name, item in value.items())
    text = str(value)
    if kind in ("ref", "id") and not whole and is_record_id(text):
        return short(text)
    if kind == "moment" and len(text) == 24 and zone:
        return local_moment(text, zone)
    return visible(text)


def is_record_id(text: str) -> bool:
    prefix, line, tail = text.partition("_")
    return bool(prefix and line) and len(tail) == TAIL_LENGTH and tail.isalnum()


def local_moment(text: str, zone: str) -> str:
    """`2026-11-02T01:00:00.000Z` as the office's clocks show it: 2026-11-02 09:00."""
    from datetime import datetime
    from zoneinfo import ZoneInfo

    return datetime.fromisoformat(text).astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")


def fitted(widths: Sequence[int], most: int) -> list[int]:
    """Widths that fit in `most` cells: the widest columns give way first, none below what is still readable."""
    fit = list(widths)
    over = sum(fit) + len(GAP) * (len(fit) - 1) - most
    while over > 0:
        widest = max(fit)
        if widest <= NARROWEST:
            break
        places = [place for place, wide in enumerate(fit) if wide == widest]
        below = max((wide for wide in fit if wide < widest), default=NARROWEST)
        step = max(1, min(widest - max(below, NARROWEST), -(-over // len(places))))
        for place in places:
            given = min(step, over)
            fit[place] -= given
            over -= given
            if over <= 0:
                break
    return fit


def cut(text: str, most: int) -> str:
    """The text in at most `most` cells, with an ellipsis where it was cut."""
    if width_of(text) <= most:
        return text
    kept, used = [], 1
    for letter in text:
        used += width_of(letter)
        if used > most:
            break
        kept.append(letter)
    return "".join(kept) + "…"
