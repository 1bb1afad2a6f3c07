"""The ledger and its reports at the command line: streams, files, and bars."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import pytest

from tests.cli.running import Desk

LEGS = json.dumps([{"account": "fees", "amount": "12.50"}, {"account": "suspense", "amount": "-12.50", "party": "王"}])


@pytest.fixture
def books(desk: Desk) -> Desk:
    desk.well("entries", "record", "--text", "=fee; x", "--reason", "told", "--legs", LEGS, "--day", "2026-01-05", "-y")
    desk.well("entries", "record", "--text", "fee", "--reason", "told", "--legs", LEGS, "--day", "2026-02-05", "-y")
    return desk


def test_the_register_is_written_as_it_is_read(books: Desk) -> None:
    ran = books.well("ledger", "register", "--account", "fees", "--since", "2026-02-01", "-o", "jsonl")

    assert [(row["number"], row["amount"], row["balance"]) for row in ran.things()] == [
        (0, "0.00", "12.50"), (2, "12.50", "25.00"),
    ]  # fmt: skip
    assert books.well("ledger", "register", "--account", "bank", "-o", "json").things() == []


@pytest.mark.parametrize(("form", "line"), [("beancount", "2026-02-06 balance"), ("hledger", "2026-02-06 * (0)")])
def test_a_journal_goes_to_a_file_or_to_stdout(books: Desk, tmp_path: Path, form: str, line: str) -> None:
    path = tmp_path / "books.journal"

    books.well("ledger", "export", "--format", form, "--to", str(path))

    assert line in path.read_text("utf-8")
    assert [item.name for item in tmp_path.glob(".*.part")] == []


def test_a_report_is_written_as_its_file_is_called(books: Desk, tmp_path: Path) -> None:
    for name, begins in (("t.pdf", b"%PDF-"), ("t.xlsx", b"PK"), ("t.csv", b"account,type")):
        books.well("reports", "trial-balance", "--to", str(tmp_path / name))
        assert (tmp_path / name).read_bytes().startswith(begins)
    assert books.bo("reports", "trial-balance", "--to", str(tmp_path / "t.doc")).code != 0
    assert not (tmp_path / "t.doc").exists()


def test_amounts_in_a_workbook_are_numbers(books: Desk, tmp_path: Path) -> None:
    from python_calamine import load_workbook

    books.well("reports", "trial-balance", "--to", str(tmp_path / "t.xlsx"))

    rows = load_workbook(BytesIO((tmp_path / "t.xlsx").read_bytes())).get_sheet_by_index(0).to_python()
    assert [row[:5] for row in rows[1:]] == [
        ["fees", "expense", "", 25.0, 0.0], ["suspense", "liability", "", 0.0, 25.0], ["total", "", "", 25.0, 25.0],
    ]  # fmt: skip


def test_a_report_is_a_table_like_every_answer(books: Desk) -> None:
    rows = books.well("reports", "profit-and-loss", "--period", "2026-02", "-o", "json").things()

    assert [(row["section"], row["account"], row["amount"], row["before"]) for row in rows] == [
        ("income", "total", "0.00", "0.00"),
        ("expense", "fees", "12.50", "12.50"),
        ("expense", "total", "12.50", "12.50"),
        ("result", "total", "-12.50", "-12.50"),
    ]


def test_a_chart_has_a_bar_for_each_row_that_is_no_total(books: Desk) -> None:
    lines = books.well("reports", "balance-sheet", "--chart").lines()

    assert [line.split("  ")[0].strip() for line in lines] == ["liability suspense", "equity result"]
    assert lines[0].count("█") == lines[1].count("░") > 5
    assert books.well("reports", "payables", "--chart").out == "nothing found\n"


def test_a_month_is_closed_and_opened_again_at_the_command_line(books: Desk) -> None:
    books.well("ledger", "close-period", "--period", "2026-01", "-y")

    assert books.bo("ledger", "close-period", "--period", "2026-01", "-y").code != 0
    books.well("ledger", "reopen-period", "--period", "2026-01", "--reason", "a bill was lost", "-y")
    states = [row["state"] for row in books.well("periods", "list", "sort:number", "-o", "json").things()]
    assert states == ["closed", "open"]
