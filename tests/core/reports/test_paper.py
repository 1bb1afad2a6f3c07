"""A table as PDF: the same bytes for the same table, on as many pages as it needs."""

from __future__ import annotations

from bo.core.reports.paper import table_pdf

HEADS = ["payee", "姓名", "amount"]
ROWS = [[f"D{number:04}", "李设计" * (number % 5), f"{number}.00"] for number in range(120)]


def test_the_same_table_comes_to_the_same_bytes() -> None:
    made = table_pdf("Payables", "as of 2026-11-30", HEADS, ROWS, right={2})

    assert made.startswith(b"%PDF-")
    assert made == table_pdf("Payables", "as of 2026-11-30", HEADS, ROWS, right={2})


def test_a_long_table_goes_on_to_the_next_page() -> None:
    pages = [table_pdf("x", "", HEADS, ROWS[:count], right={2}).count(b"/Type /Page\n") for count in (1, 40, 120)]

    assert pages == [1, 1, 3]


def test_a_table_that_is_too_wide_is_cut_and_not_lost() -> None:
    assert table_pdf("x", "", ["a"] * 12, [["很长的文字" * 10] * 12]).startswith(b"%PDF-")
