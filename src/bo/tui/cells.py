"""Text fitted into cells of a terminal. Data is cut and made harmless here, before anything else sees it."""

from __future__ import annotations

import re

from rich.cells import cell_len, get_character_cell_size

from bo.core.kernel.text import visible

CHARACTERS_MAX = 512

# Selectors and tags change the width of what stands before them in some terminals only; line separators and the rest
# draw nothing or something else everywhere. Without them a cell takes the same room on every terminal.
_UNSTEADY = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]"
)
_SEPARATORS = re.compile("[\u2028\u2029\u0085]")
_COMBINING_RUN = re.compile(
    "([\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]{2})[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]+"
)

_SENTENCE = re.compile("[.!?] |[。！？]")


def harmless(text: str) -> str:
    """The text on one line, with nothing in it that drives a terminal or hides; at most 512 characters."""
    if len(text) > CHARACTERS_MAX:
        text = text[:CHARACTERS_MAX]
    if text.isascii() and text.isprintable():
        return text
    text = visible(text)
    text = _SEPARATORS.sub("␤", text)
    text = _UNSTEADY.sub("", text)
    return _COMBINING_RUN.sub(r"\1", text)


def sentence(text: str) -> str:
    """A title that begins with a capital; SKU stays SKU."""
    return text[:1].upper() + text[1:]


def fitted(text: str, width: int, align: str = "left", more: str = "…") -> str:
    """The text in exactly `width` cells, cut with a mark where it is longer."""
    if width <= 0:
        return ""
    used = len(text) if text.isascii() else cell_len(text)
    if used > width:
        text, used = _cut(text, width, more)
    room = " " * (width - used)
    return room + text if align == "right" else text + room


def _cut(text: str, width: int, more: str) -> tuple[str, int]:
    if text.isascii():
        return text[: width - 1] + more, width
    used = 0
    for index, character in enumerate(text):
        size = get_character_cell_size(character)
        if used + size > width - 1:
            return text[:index] + more, used + 1
        used += size
    return text, used


def whole_sentences(text: str, width: int) -> str:
    """As many sentences from the beginning as there is room for; the text as it is where the first is too long."""
    if cell_len(text) <= width:
        return text
    ends = [found.end() for found in _SENTENCE.finditer(text)]
    return next((kept for end in reversed(ends) if cell_len(kept := text[:end].rstrip()) <= width), text)


def wrapped(text: str, width: int, lines_max: int) -> list[str]:
    """The text broken into lines of at most `width` cells; between words where there are any."""
    lines: list[str] = []
    rest = text
    while rest and len(lines) < lines_max:
        line, rest = _take_line(rest, max(2, width))
        lines.append(line)
    if rest and lines:
        lines[-1] = fitted(lines[-1] + rest, width)
    return lines or [""]


def _take_line(text: str, width: int) -> tuple[str, str]:
    used = 0
    space = -1
    for index, character in enumerate(text):
        used += get_character_cell_size(character)
        if used > width:
            cut = space if space > 0 else max(1, index)
            return text[:cut].rstrip(), text[cut:].lstrip()
        if character == " ":
            space = index
    return text, ""
