"""Workbooks as rows: which sheet, which header, values as text, and the guards."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from bo.core.exchange import Limits, open_source
from bo.core.exchange.sheet_process import Value, cell_text
from bo.core.kernel.errors import BadFile
from tests.core.exchange.files import read, text_row, workbook

# The clock of a sheet has no zone.
NOON = dt.datetime.fromisoformat("2025-01-31T12:30:00")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "leads.xlsx"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (13800138000.0, "13800138000"),
        (0.0, "0"),
        (-5.0, "-5"),
        (19.990000000000002, "19.99"),
        (0.1, "0.1"),
        (1e-7, "0.0000001"),
        (110101199003071234.0, "110101199003071230"),
        (1e22, "10000000000000000000000"),
        (15, "15"),
        (True, "true"),
        (False, "false"),
        ("007", "007"),
        ("", ""),
        (None, ""),
        (dt.date(2025, 1, 31), "2025-01-31"),
        (NOON, "2025-01-31T12:30:00"),
        (NOON.replace(microsecond=250_000), "2025-01-31T12:30:00.250"),
        (dt.time(7, 5), "07:05:00"),
        (dt.timedelta(hours=26, minutes=5), "26:05:00"),
        (dt.timedelta(seconds=-90), "-00:01:30"),
    ],
)
def test_a_value_becomes_the_text_that_a_person_would_type(value: Value, text: str) -> None:
    assert cell_text(value) == text


def test_numbers_booleans_and_formulas_are_read_as_their_values(path: Path) -> None:
    workbook(
        path,
        [
            (
                "S",
                text_row(1, "phone", "active", "sum")
                + '<row r="2"><c r="A2"><v>13800138000</v></c><c r="B2" t="b"><v>1</v></c>'
                '<c r="C2"><f>1+2.5</f><v>3.5</v></c></row>',
            )
        ],
    )
    assert read(open_source(path)).rows == [["13800138000", "true", "3.5"]]


def test_the_first_visible_sheet_with_data_is_read_and_another_can_be_chosen(path: Path) -> None:
    workbook(
        path,
        [
            ("!Old", text_row(1, "x") + text_row(2, "hidden")),
            ("Empty", ""),
            ("June", text_row(1, "id") + text_row(2, "6")),
            ("七月", text_row(1, "id") + text_row(2, "7")),
        ],
    )
    got = read(open_source(path))
    assert (got.rows, got.notes) == ([["6"]], ["sheet June; there are also: Old, Empty, 七月"])
    for chosen, value in (("七月", "7"), (4, "7"), ("4", "7"), ("Old", "hidden"), (1, "hidden")):
        assert read(open_source(path, sheet=chosen)).rows == [[value]]
    for missing in ("May", 5, 0, "99999999"):
        with pytest.raises(BadFile, match="has no such sheet; it has: Old, Empty, June, 七月"):
            open_source(path, sheet=missing)
    with pytest.raises(BadFile, match="has no data"):
        open_source(path, sheet="Empty")


def test_titles_blank_rows_and_blank_columns_around_the_table_are_left_out(path: Path) -> None:
    workbook(
        path,
        [
            (
                "S",
                text_row(2, "", "Report of June")
                + text_row(4, "", "id", "name", "city")
                + text_row(5, "", "1", "a", "b")
                + text_row(7, "", "2", "", "d"),
            )
        ],
    )
    with open_source(path) as source:
        assert source.columns == ["id", "name", "city"]
        assert [(row.number, row.line, row.cells) for row in source] == [
            (1, 5, ["1", "a", "b"]),
            (2, 7, ["2", "", "d"]),
        ]
    assert source.notes == ["lines above the header left out: 2", "blank lines left out: 1"]


def test_the_row_of_the_header_can_be_given_as_the_sheet_numbers_it(path: Path) -> None:
    workbook(path, [("S", text_row(1, "a", "b") + text_row(2, "c", "d") + text_row(4, "id", "n") + text_row(5, "1"))])
    got = read(open_source(path, header_row=4))
    assert (got.columns, got.rows) == (["id", "n"], [["1", ""]])
    assert len(read(open_source(path, header_row=0)).rows) == 4


def test_a_column_without_a_name_is_called_by_its_place_in_the_sheet(path: Path) -> None:
    workbook(path, [("S", text_row(1, "", "id", "", "city") + text_row(2, "", "1", "x", "y"))])
    assert read(open_source(path)).columns == ["id", "column 3", "city"]


def test_cells_merged_downwards_count_for_each_row(path: Path) -> None:
    workbook(
        path,
        [("S", text_row(1, "store", "item") + text_row(2, "West", "a") + text_row(3, "", "b") + text_row(4, "", "c"))],
        more='<mergeCells count="1"><mergeCell ref="A2:A3"/></mergeCells>',
    )
    got = read(open_source(path))
    assert got.rows == [["West", "a"], ["West", "b"], ["", "c"]]
    assert got.notes == ["merged cells: 1; those merged downwards count for each row"]


def test_errors_keep_their_text_and_are_noted(path: Path) -> None:
    workbook(
        path,
        [
            (
                "S",
                text_row(1, "a", "b")
                + '<row r="2"><c r="A2" t="e"><f>1/0</f><v>#DIV/0!</v></c><c r="B2"><v>1</v></c></row>',
            )
        ],
    )
    got = read(open_source(path))
    assert got.rows == [["#DIV/0!", "1"]]
    assert got.notes == ["cells with an error instead of a value: 1 (A2 #DIV/0!)"]


def test_numbers_that_have_lost_digits_are_noted(path: Path) -> None:
    workbook(path, [("S", text_row(1, "card") + '<row r="2"><c r="A2"><v>6222021234567890123</v></c></row>')])
    got = read(open_source(path))
    assert got.notes[0].startswith("numbers of more than 15 digits: 1 (first at A2)")


def test_a_workbook_that_calls_itself_csv_is_read_as_what_it_is(tmp_path: Path) -> None:
    path = workbook(tmp_path / "leads.csv", [("S", text_row(1, "id") + text_row(2, "1"))])
    with open_source(path) as source:
        assert source.format == "xlsx"
    assert read(open_source(path, format="xls")).notes[0] == "the file is really xlsx"


def test_text_that_calls_itself_a_workbook_is_read_as_text(tmp_path: Path) -> None:
    path = tmp_path / "export.xls"
    path.write_text("id\tname\n1\ta\n")
    got = read(open_source(path))
    assert (got.rows, got.notes[0]) == ([["1", "a"]], "the file is named .xls and is really text")


def test_what_unpacks_too_far_is_refused_before_it_is_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def not_to_be_started(*_arguments: object, **_options: object) -> None:
        raise AssertionError

    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            for _ in range(64):
                sheet.write(b"0" * (1 << 20))
    monkeypatch.setattr(subprocess, "Popen", not_to_be_started)
    with pytest.raises(BadFile, match="would unpack to 64 MiB; at most 50 MiB are read"):
        open_source(path, limits=Limits(workbook_bytes=50 << 20))
    with pytest.raises(BadFile, match=r"would unpack to \d+ times its size"):
        open_source(path)
    with pytest.raises(BadFile, match="is larger than 0 MiB"):
        open_source(path, limits=Limits(workbook_ratio=9999, workbook_file_bytes=1000))


def test_an_archive_of_too_many_files_is_refused_by_its_directory(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for index in range(101):
            archive.writestr(f"xl/{index}.xml", "")
    with pytest.raises(BadFile, match=r"holds too many files \(101\)"):
        open_source(path, limits=Limits(archive_entries=100))


FAR_CELL = '<row r="1048576"><c r="XFD1048576"><v>2</v></c></row>'
ONE_LONG_TEXT = f"<si><t>{'x' * 30_000}</t></si>"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux caps the memory of a process")
@pytest.mark.parametrize(
    ("rows", "shared"),
    [
        (text_row(1, "id") + FAR_CELL, ""),
        ("".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(1, 40_001)), ONE_LONG_TEXT),
    ],
    ids=["a cell far away", "one text repeated"],
)
def test_a_workbook_that_grows_in_memory_ends_its_process_and_not_ours(path: Path, rows: str, shared: str) -> None:
    workbook(path, [("S", rows)], shared=shared)
    with pytest.raises(BadFile, match="takes more memory or time than a workbook of its size should"):
        open_source(path)


def test_a_workbook_that_takes_too_long_is_given_up(path: Path) -> None:
    workbook(path, [("S", text_row(1, "id") + text_row(2, "1"))])
    with pytest.raises(BadFile, match="takes more memory or time"):
        open_source(path, limits=Limits(workbook_seconds=0))


def test_protected_and_damaged_workbooks_are_refused(path: Path, tmp_path: Path) -> None:
    workbook(path, [("S", text_row(1, "id"))])
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadFile, match="a damaged archive"):
        open_source(path)
    old = tmp_path / "old.xls"
    old.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + os.urandom(4096))
    with pytest.raises(BadFile, match="a damaged workbook"):
        open_source(old)
    pages = tmp_path / "letter.docx"
    with zipfile.ZipFile(pages, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    with pytest.raises(BadFile, match=r"holds 0 files that could be meant: word/document\.xml"):
        open_source(pages)


def test_closing_early_leaves_no_process(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []
    start = subprocess.Popen

    def watched(*arguments: object, **options: object) -> subprocess.Popen[bytes]:
        started.append(start(*arguments, **options))  # type: ignore[call-overload]  # handed on as they come
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", watched)
    workbook(path, [("S", "".join(text_row(number, f"id {number}", "x" * 99) for number in range(1, 30_000)))])
    source = open_source(path)
    assert next(iter(source)).cells[0] == "id 2"
    assert started[0].poll() is None
    source.close()
    source.close()
    assert (len(started), started[0].poll() is None) == (1, False)
