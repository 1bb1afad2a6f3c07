"""Words as the full-text index holds them.

unicode61 makes one token of a run of Chinese characters, and trigrams cannot find one or two of them. So every CJK
character is indexed as a word of
its own, and a query for several of them is a phrase: 退款 finds exactly the places where 退 is followed by 款.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Final
from unicodedata import is_normalized, normalize

WORD_MOST: Final = 500  # characters: PostgreSQL takes words of 2046 bytes
PLACES_MOST: Final = 16_000  # and knows no place beyond 16383
_ACCENTS = re.compile("[\u0300-\u036f]+")
_CJK = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003134f"


@cache
def _runs() -> re.Pattern[str]:
    """Compiled at first use: the character class takes as long as the start of a small program."""
    return re.compile(f"[{_CJK}]+")


@cache
def _parts() -> re.Pattern[str]:
    return re.compile(f"[{_CJK}]+|[^\\W_{_CJK}]+")


def index_texts(rows: Sequence[list[str]]) -> list[str]:
    """The text to index for the field values of each row; all characters are gone through at once, which takes half as
    long. Phones are also found by their last four digits, and by the number as it is dialled at home."""
    text = "\0".join([" ".join(values).replace("\0", " ") for values in rows])
    if not text.isascii():
        text = _runs().sub(lambda run: f" {' '.join(run[0])} ", without_accents(text))
    return [_with_tails(part, values) for part, values in zip(text.split("\0"), rows, strict=True)]


def _with_tails(text: str, values: list[str]) -> str:
    numbers = [value for value in values if len(value) > 7 and value[1:].isdigit()]
    if not numbers:
        return text
    tails = [number[-4:] for number in numbers] + [number[3:] for number in numbers if number.startswith("+86")]
    return f"{text} {' '.join(tails)}"


def query_words(text: str) -> list[list[str]]:
    """What people typed, as phrases of index words: `杭州 kit` is [['杭', '州'], ['kit']]."""
    parts = _parts().findall(without_accents(text.lower()))
    return [list(part) if _runs().match(part) else [part] for part in parts]


def without_accents(text: str) -> str:
    """`Café` as `Cafe`, so that both databases find either by either."""
    if text.isascii():
        return text
    apart = text if is_normalized("NFD", text) else normalize("NFD", text)
    bare = _ACCENTS.sub("", apart)
    return text if bare is text else normalize("NFC", bare)


def tsvector(text: str) -> str:
    """The words of an index text with their places, as PostgreSQL writes a tsvector: its own parser would cut some of
    them otherwise."""
    words = [word[:WORD_MOST] for phrase in query_words(text) for word in phrase]
    return " ".join(f"'{word}':{place}" for place, word in enumerate(words[:PLACES_MOST], 1))


def fts5_query(text: str) -> str:
    """The words as an FTS5 expression: every phrase must occur, the last word of each as a prefix."""
    return " AND ".join('"' + " ".join(words) + '" *' for words in query_words(text))


def tsquery(text: str) -> str:
    """The words as a PostgreSQL tsquery: every phrase must occur, the last word of each as a prefix."""
    return " & ".join(
        "(" + " <-> ".join(f"'{word[:WORD_MOST]}'" for word in words) + ":*)" for words in query_words(text)
    )
