"""Sections of a detail as lines: columns as wide as what is in them, one of which takes the room that is left."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from bo.tui.cells import fitted, harmless
from bo.tui.looks import Looks
from bo.tui.pane import Line
from bo.tui.source import Section

COLUMN_MOST = 24
GROW_LEAST = 8


def sections_lines(sections: Sequence[Section], looks: Looks, width: int) -> list[Line]:
    """Every section under its title, with an empty line behind it."""
    lines: list[Line] = []
    for section in sections:
        lines += [((f" {harmless(section.title)}", "title"),), *_rows(section, looks, width - 2), ()]
    return lines


def _rows(section: Section, looks: Looks, width: int) -> list[Line]:
    rows = [tuple(harmless(cell) for cell in row) for row in section.rows]
    columns = max(len(row) for row in rows)
    widths = [min(COLUMN_MOST, max(cell_len(row[at]) if at < len(row) else 0 for row in rows)) for at in range(columns)]
    others = sum(each + 1 for at, each in enumerate(widths) if at != section.grow and each)
    widths[section.grow] = max(GROW_LEAST, width - others)
    lines: list[Line] = []
    for row in rows:
        cells = [
            fitted(row[at] if at < len(row) else "", each, "right" if at in section.right else "left",
                   looks.glyphs.more)
            for at, each in enumerate(widths) if each
        ]  # fmt: skip
        lines.append((("  " + " ".join(cells).rstrip(), section.tone),))
    return lines
