"""A pen for papers: goes down an A4 page and on to the next, writes Chinese and Latin text, and draws barcodes.

The same calls come to the same bytes: a PDF carries no clock.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Final

from bo.core.kernel.text import visible

PLAIN_FONT: Final = "Helvetica"
WIDE_FONT: Final = "STSong-Light"  # PDF readers bring it for Chinese, so that no font file has to be carried
CODE_MOST: Final = 32  # characters of a barcode that still fits
_RUNS: Final = re.compile(r"[\x20-\x7e]+|[^\x20-\x7e]+")


class Pen:
    """Writes one document. `begin` is called for every new page and writes its head."""

    LEFT: Final = 50
    RIGHT: Final = 545
    TOP: Final = 60
    BOTTOM: Final = 60
    STEP: Final = 15

    def __init__(self, title: str) -> None:
        from reportlab.lib.pagesizes import A4
        from reportlab.pdfbase import pdfmetrics
        from reportlab.pdfbase.cidfonts import UnicodeCIDFont
        from reportlab.pdfgen.canvas import Canvas

        if WIDE_FONT not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(UnicodeCIDFont(WIDE_FONT))
        self._written = BytesIO()
        self._canvas = Canvas(self._written, pagesize=A4, invariant=1)
        self._canvas.setTitle(title)
        self._canvas.setCreator("bo")
        self._height = int(A4[1])
        self._head: Callable[[int], None] = _no_head
        self._page_of_part = 0
        self.pages = 0
        self.y = 0

    def part(self, head: Callable[[int], None]) -> None:
        """Begin a part of the document, such as one slip, on a page of its own; `head` writes the head of each of its
        pages, and is told which one it is."""
        self._head, self._page_of_part = head, 0
        self._turn()

    def rows(self, rows: Sequence[Sequence[str]], places: Sequence[int], *, right: Sequence[int] = ()) -> None:
        """Rows of cells at these places, on as many pages as they need; `right` are the columns that end at theirs."""
        for row in rows:
            self.room(self.STEP)
            self.row(row, places, right=right)

    def row(self, row: Sequence[str], places: Sequence[int], *, right: Sequence[int] = (), size: int = 9) -> None:
        """One row of cells; a cell that would run into the next is cut."""
        for column, (text, place) in enumerate(zip(row, places, strict=True)):
            following = [other for other in places[column + 1 :] if other > place]
            if column in right:
                self.write(place - self.width(text, size), text, size=size)
            else:
                room = (following[0] if following else self.RIGHT) - place - 4
                self.write(place, self.fitting(text, room, size), size=size)
        self.down()

    def room(self, height: int) -> None:
        """Go on to the next page unless so much is left of this one."""
        if self.y - height < self.BOTTOM:
            self._turn()

    def write(self, x: int, text: str, *, size: int = 9) -> None:
        """Text in the plain font, and what that one does not have in the wide one."""
        place: float = x
        for run in _RUNS.findall(visible(text)):
            font = PLAIN_FONT if run.isascii() else WIDE_FONT
            self._canvas.setFont(font, size)
            self._canvas.drawString(place, self.y, run)
            place += self._canvas.stringWidth(run, font, size)

    def width(self, text: str, size: int) -> int:
        """How wide a text is, in points."""
        runs = ((run, PLAIN_FONT if run.isascii() else WIDE_FONT) for run in _RUNS.findall(visible(text)))
        total: float = sum(self._canvas.stringWidth(run, font, size) for run, font in runs)
        return round(total)

    def fitting(self, text: str, room: int, size: int = 9) -> str:
        """As much of a text as there is room for."""
        if self.width(text, size) <= room:
            return text
        while text and self.width(text + "…", size) > room:
            text = text[:-1]
        return text + "…"

    def code(self, right: int, text: str, *, height: int = 26) -> None:
        """A Code 128 barcode that ends at a place; nothing for what cannot be one."""
        from reportlab.graphics.barcode.code128 import Code128

        if not text.isascii() or not text.isprintable() or not 0 < len(text) <= CODE_MOST:
            return
        made = Code128(text, barHeight=height, barWidth=0.9, quiet=0)
        made.drawOn(self._canvas, right - made.width, self.y)

    def gap(self) -> None:
        """A line across the page."""
        self._canvas.line(self.LEFT, self.y + self.STEP // 2, self.RIGHT, self.y + self.STEP // 2)
        self.down()

    def down(self, steps: int = 1) -> None:
        self.y -= steps * self.STEP

    def done(self) -> bytes:
        """The document."""
        self._canvas.save()
        return self._written.getvalue()

    def _turn(self) -> None:
        if self.pages:
            self._canvas.showPage()
        self.pages += 1
        self._page_of_part += 1
        self.y = self._height - self.TOP
        self._head(self._page_of_part)


def _no_head(_page: int) -> None:
    """Before any part."""
