"""Text in cells: widths, cuts, and nothing that drives a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from bo.tui.cells import CHARACTERS_MAX, fitted, harmless, wrapped


@pytest.mark.parametrize(
    ("text", "width", "align", "shown"),
    [
        ("abc", 5, "left", "abc  "),
        ("abc", 5, "right", "  abc"),
        ("abcdef", 5, "left", "abcd…"),
        ("北京市", 6, "left", "北京市"),
        ("北京市", 5, "left", "北京…"),
        ("北京市", 4, "left", "北… "),
        ("a北", 2, "left", "a…"),
        ("", 3, "left", "   "),
        ("abc", 0, "left", ""),
        ("abc", 1, "left", "…"),
    ],
)
def test_a_text_takes_exactly_the_cells_it_is_given(text: str, width: int, align: str, shown: str) -> None:
    assert fitted(text, width, align) == shown


@given(st.text(max_size=700), st.integers(0, 60))
def test_whatever_it_is_it_is_harmless_and_fits(text: str, width: int) -> None:
    safe = harmless(text)
    assert len(safe) <= CHARACTERS_MAX
    assert cell_len(fitted(safe, width)) == width
    assert not any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for character in safe)
    assert not set(safe) & set("\u200b\u200d\u202e\u2066\u2028\ufe0f\ufeff")
    assert harmless(safe) == safe


@given(st.text(max_size=200), st.integers(2, 40), st.integers(1, 5))
def test_wrapped_lines_are_never_wider_or_more_than_asked(text: str, width: int, lines: int) -> None:
    broken = wrapped(harmless(text), width, lines)
    assert 1 <= len(broken) <= lines
    assert all(cell_len(line) <= width for line in broken)


def test_words_are_broken_between_and_chinese_anywhere() -> None:
    assert wrapped("one two three", 8, 3) == ["one two", "three"]
    assert wrapped("北京上海", 4, 3) == ["北京", "上海"]
    assert wrapped("abcdefgh", 4, 1) == ["abc…"]
