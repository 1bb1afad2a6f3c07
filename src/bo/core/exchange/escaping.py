"""Cells that a spreadsheet program would run as a formula, and the way back.

A cell that begins with = + - @ (or their full-width forms), tab, line break or NUL gets a leading apostrophe, unless
it is only a number or a phone number in E.164, which no program runs. A cell that already begins with apostrophes and
then one of these gets one more, so that taking away one is always the way back: `escape` then `unescape` changes
nothing, for every text.
"""

from __future__ import annotations

import re

DANGEROUS = "=+-@\t\r\n\0＝＋－＠"
FIRST = frozenset(DANGEROUS + "'")

_live = re.compile(f"'*[{re.escape(DANGEROUS)}]").match
_number = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?").fullmatch


def escape(text: str) -> str:
    """The text as it is safe in a spreadsheet."""
    return f"'{text}" if _live(text) and not _number(text) else text


def unescape(text: str) -> str:
    """The text that `escape` was given."""
    return text[1:] if text.startswith("'") and _live(text) else text
