"""Cells that a spreadsheet program would run as a formula, or that it was told are text, and the way back.

A cell that begins with = + - @ (or their full-width forms), tab, line break or NUL gets a leading apostrophe, unless
it is only a number or a phone number in E.164, which no program runs. A cell that already begins with apostrophes and
then one of these, or digits alone, gets one more, so that taking away one is always the way back: `escape` then
`unescape` changes nothing, for every text.

Shops write '4897082590194 so that a spreadsheet keeps every digit of it. `digits` takes that mark away where a field
names something: a SKU, a barcode, a number.
"""

from __future__ import annotations

import re
from typing import Final

DANGEROUS = "=+-@\t\r\n\0＝＋－＠"
FIRST = frozenset(DANGEROUS + "'")
NAMING: Final = frozenset({"sku", "barcode", "number", "order_number", "code", "reference", "tracking"})

_live = re.compile(f"'*[{re.escape(DANGEROUS)}]|'+[0-9][0-9-]*\\Z").match
_number = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?").fullmatch
_marked = re.compile("'[0-9][0-9-]*").fullmatch


def escape(text: str) -> str:
    """The text as it is safe in a spreadsheet."""
    return f"'{text}" if _live(text) and not _number(text) else text


def unescape(text: str) -> str:
    """The text that `escape` was given."""
    return text[1:] if text.startswith("'") and _live(text) else text


def digits(text: str) -> str:
    """What names something, without the apostrophe that says that its digits are text."""
    return text[1:] if _marked(text) else text
