"""A table as PDF: as many A4 pages as it needs, with the same head on each, in Chinese and Latin letters."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Final

from bo.core.orders.drawing import Pen

SIZES: Final = (9, 8, 7, 6)
GAP: Final = 8
TITLE_SIZE: Final = 14


def table_pdf(
    title: str, caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]], *, right: Set[int] = frozenset()
) -> bytes:
    """The document; columns in `right` are figures and end in line. The same table comes to the same bytes."""
    pen = Pen(title)
    size, widths = _fitted(pen, [heads, *rows])
    places = _places(pen, widths, right)
    wide = tuple(right)

    def head(_page: int) -> None:
        pen.write(pen.LEFT, title, size=TITLE_SIZE)
        pen.down()
        pen.write(pen.LEFT, caption)
        pen.down(2)
        pen.row(heads, places, right=wide, size=size)
        pen.gap()

    pen.part(head)
    for row in rows:
        pen.room(pen.STEP)
        pen.row(row, places, right=wide, size=size)
    return pen.done()


def _fitted(pen: Pen, rows: Sequence[Sequence[str]]) -> tuple[int, list[int]]:
    """The largest letters in which all columns have room; in the smallest, the widest columns give way."""
    room = pen.RIGHT - pen.LEFT - GAP * (len(rows[0]) - 1)
    columns = list(zip(*rows, strict=True))
    widths: list[int] = []
    for size in SIZES:
        widths = [max(pen.width(text, size) for text in column) for column in columns]
        if sum(widths) <= room:
            return size, widths
    while sum(widths) > room:
        widths[widths.index(max(widths))] -= 1
    return SIZES[-1], widths


def _places(pen: Pen, widths: Sequence[int], right: Set[int]) -> list[int]:
    """Where each column is written: at its left edge, or its right one for figures."""
    places, edge = [], pen.LEFT
    for column, width in enumerate(widths):
        places.append(edge + width if column in right else edge)
        edge += width + GAP
    return places
