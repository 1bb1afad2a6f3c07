"""Real files, as others publish them: each agrees with what it is known to hold, or is listed with the reason why not.

They lie beside the project (`../shared/data`, or `BO_REAL_DATA`) and are not part of it; without them these tests are
skipped.
"""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bo.core.exchange import open_source
from bo.core.kernel.errors import BadFile
from tests.core.exchange.files import Read, read

# Read at load, because the settings of whoever runs the tests are taken away before each of them.
DATA = Path(os.environ.get("BO_REAL_DATA") or Path(__file__).parents[4] / "shared" / "data")
TORTURE = DATA / "09-csv-torture"
POLLOCK = TORTURE / "pollock-file"
SHEETS = DATA / "10-spreadsheets"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the real files are not here")


def names(folder: Path, pattern: str) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.glob(pattern) if path.is_file())


def got(path: Path, **options: object) -> Read:
    return read(open_source(path, **options))  # type: ignore[arg-type]  # each test gives options that exist


# csv-spectrum: an oracle for each file.
SPECTRUM_DIFFERS = {
    "location_coordinates": "the oracle has another phone number than the file",
    "newlines_crlf": "the oracle has CRLF in a cell where the file, as published, has LF",
}


def objects(path: Path) -> list[dict[str, str]]:
    """The rows of an oracle, which may be one object without an array around it."""
    content = json.loads(path.read_text("utf-8"))
    return content if isinstance(content, list) else [content]


@pytest.mark.parametrize("name", [name[:-4] for name in names(TORTURE / "csv-spectrum", "*.csv")])
def test_csv_spectrum_agrees_with_its_oracles(name: str) -> None:
    result = got(TORTURE / "csv-spectrum" / f"{name}.csv")
    oracle = objects(TORTURE / "csv-spectrum" / f"{name}.json")
    rows = [dict(zip(result.columns, row, strict=True)) for row in result.rows]
    assert result.problems == {}
    assert (rows == oracle) is (name not in SPECTRUM_DIFFERS)
    if name == "newlines_crlf":
        assert json.loads(json.dumps(oracle).replace("\\r", "")) == rows
    if name == "location_coordinates":
        assert {**rows[0], "Contact Phone Number": ""} == {**oracle[0], "Contact Phone Number": ""}


@pytest.mark.parametrize("name", names(TORTURE / "csv-spectrum", "*.json"))
def test_the_oracles_themselves_are_read_as_json(name: str) -> None:
    path = TORTURE / "csv-spectrum" / name
    result = got(path)
    assert [dict(zip(result.columns, row, strict=True)) for row in result.rows] == objects(path)


# Pollock: one pollution in each file, with the clean content beside it.
# What is refused, as rows with a problem, with the reason; all other rows agree with the oracle.
POLLOCK_REFUSED = {
    "file_escape_char_0x00.csv": (6, "quotation marks inside quoted cells are not escaped at all"),
    "file_quotation_char_0x27.csv": (32, "apostrophes inside cells quoted with apostrophes are not escaped"),
    "file_multitable_less.csv": (83, "a second table of 8 columns follows, which is refused"),
    "file_multitable_more.csv": (83, "a second table of 10 columns follows, which is refused"),
}
# Cells that differ from the oracle: a backslash that escapes, escapes an apostrophe too; between apostrophes a doubled
# quotation mark is two of them.
POLLOCK_CELLS = {
    "file_escape_char_0x5C.csv": {"\\'": "'"},
    "file_quotation_char_0x27.csv": {"\\'": "'", '"': '""'},
}
POLLOCK_DIFFERS = {
    "file_field_delimiter_0x20.csv": "cells with blanks are not quoted where blanks part the cells: nobody can tell",
    "file_header_multirow_2.csv": "the oracle joins the lines to 'DATE DATE'; a repeated header is left out instead",
    "file_header_multirow_3.csv": "as above",
    "file_multitable_same.csv": "a second table of the same columns is more rows of the first",
    "file_no_header.csv": "there is no header, so it has to be said",
    "file_no_payload.csv": "an empty file is refused",
}


def clean(name: str) -> list[list[str]]:
    with (POLLOCK / "clean" / name).open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize("name", [name for name in names(POLLOCK / "csv", "*.csv") if name not in POLLOCK_DIFFERS])
def test_pollock_agrees_with_its_oracles(name: str) -> None:
    with open_source(POLLOCK / "csv" / name) as source:
        rows = list(source)
    header, *oracle = clean(name)
    refused = [row for row in rows if row.problem]
    assert source.columns == header
    assert len(refused) == POLLOCK_REFUSED.get(name, (0, ""))[0]
    assert len(rows) == len(oracle) + (83 if "multitable" in name else 0)
    for row in rows:
        if row.problem is None:
            expected = oracle[row.number - 1]
            for old, new in POLLOCK_CELLS.get(name, {}).items():
                expected = [cell.replace(old, new) for cell in expected]
            assert row.cells == expected


def test_pollock_where_we_answer_otherwise() -> None:
    csvs, source = POLLOCK / "csv", clean("source.csv")
    for name, repeats in (("file_header_multirow_2.csv", 1), ("file_header_multirow_3.csv", 2)):
        result = got(csvs / name)
        assert [result.columns, *result.rows] == source
        assert result.notes == [f"repeated header lines left out: {repeats}"]
    same = got(csvs / "file_multitable_same.csv")
    assert (same.rows[:83], len(same.rows), list(same.problems)) == (source[1:], 164, [106])
    headless = got(csvs / "file_no_header.csv", header_row=0)
    assert headless.rows == clean("file_no_header.csv")
    assert got(csvs / "file_no_header.csv").notes[0].startswith("the header looks like data (28/01/2018, 00:00, 2")
    with pytest.raises(BadFile, match="is empty"):
        open_source(csvs / "file_no_payload.csv")
    blanks = got(csvs / "file_field_delimiter_0x20.csv", delimiter="space", header_row=1)
    assert blanks.columns == source[0]
    assert len(blanks.problems) + len(blanks.rows) == 83
    assert all(row in source for row in blanks.rows)


# The others: columns, how many good rows, and the lines with a problem. The trap is in the name.
EXPECTED: dict[str, tuple[str, int, list[int]]] = {
    "csv-parser/backtick.csv": ("pokemon_id|p_desc", 2, []),
    "csv-parser/bad-data.csv": ("column 1|somejunk|<! />", 3, []),
    "csv-parser/basic.csv": ("a|b|c", 1, []),
    "csv-parser/bench/latin.csv": ("a|b|c", 2, []),
    "csv-parser/bench/mac-newlines.csv": ("a|b|c", 2, []),
    "csv-parser/bench/utf16-big.csv": ("a|b|c", 2, []),
    "csv-parser/bench/utf16.csv": ("a|b|c", 2, []),
    "csv-parser/bench/utf8.csv": ("a|b|c", 2, []),
    "csv-parser/comma-in-quote.csv": ("first|last|address|city|zip", 1, []),
    "csv-parser/comment.csv": ("a|b|c", 1, []),
    "csv-parser/empty-columns.csv": ("2007-01-01", 1, []),
    "csv-parser/escape-quotes.csv": ("a|b", 3, []),
    "csv-parser/geojson.csv": ("id|prop0|prop1|geojson", 3, []),
    "csv-parser/headers.csv": ("1|2|3", 2, []),
    "csv-parser/newlines.csv": ("a|b|c", 3, []),
    "csv-parser/no-headers.csv": ("a|b|c", 2, [4]),
    "csv-parser/option-comment.csv": ("a|b|c", 1, []),
    "csv-parser/option-escape.csv": ("a|b|c", 3, []),
    "csv-parser/option-newline.csv": ('a|b|cX1|2|3X"X-Men"|5|6X7|8|9', 0, []),
    "csv-parser/option-quote-escape.csv": ("a|b|c", 3, []),
    "csv-parser/option-quote-many.csv": ("a|b|c", 3, []),
    "csv-parser/option-quote.csv": ("a|b|c", 2, []),
    "csv-parser/quotes+newlines.csv": ("a|b", 3, []),
    "csv-parser/strict+skipLines.csv": ("a|b|c", 4, []),
    "csv-parser/strict-false-less-columns.csv": ("a|b|c", 2, [3]),
    "csv-parser/strict-false-more-columns.csv": ("a|b|c", 2, [3]),
    "csv-parser/strict.csv": ("a|b|c", 2, [4]),
    "csvkit/bad.csv": ("column_a|column_b|column_c", 1, [2, 3]),
    "csvkit/bad_skip_lines.csv": ("column_a|column_b|column_c", 1, [5, 6]),
    "csvkit/blanks.csv": ("a|b|c|d|e|f", 1, []),
    "csvkit/date_like_number.csv": ("a", 1, []),
    "csvkit/dummy.csv.bz2": ("a|b|c", 1, []),
    "csvkit/dummy.csv.gz": ("a|b|c", 1, []),
    "csvkit/dummy_col_shuffled_ragged.csv": ("b|c|a|d", 1, []),
    "csvkit/mac_newlines.csv": ("a|b|c", 2, []),
    "csvkit/no_header_row.csv": ("1|2|3", 0, []),
    "csvkit/null_byte.csv": ("a|b|c", 0, [2]),
    "csvkit/optional_quote_characters.csv": ("a|b|c", 1, []),
    "csvkit/sniff_limit.csv": ("a|b|c", 1, []),
    "csvkit/test_empty_columns_long_row.csv": ("a|b|c", 0, []),
    "csvkit/test_empty_columns_short_row.csv": ("a|b|c", 0, []),
    "csvkit/test_header_newline.csv": ("start end|b|c", 1, []),
    "csvkit/test_latin1.csv": ("a|b|c", 2, []),
    "csvkit/test_locale.csv": ("a|b|c", 1, []),
    "csvkit/test_no_leading_zeroes.csv": ("a|b|c", 1, []),
    "csvkit/test_numeric_date_format.csv": ("a", 2, []),
    "csvkit/test_skip_lines.csv": ("a|b|c", 1, []),
    "csvkit/test_utf16_big.csv": ("a|b|c", 2, []),
    "csvkit/test_utf16_little.csv": ("a|b|c", 2, []),
    "csvkit/test_utf8_bom.csv": ("foo|bar|baz", 2, []),
    "frictionless/accent.csv": ("n_amenageur|…|date_maj", 2, []),
    "frictionless/ascii-notvalid.csv": ("A|B|C", 1, []),
    "frictionless/blank-cells.csv": ("id|name", 5, []),
    "frictionless/blank-headers.csv": ("id|column 2|age", 2, []),
    "frictionless/blank-rows-multiple.csv": ("id|name|age", 2, []),
    "frictionless/blank-rows-no-fields.csv": ("id|name|age", 2, []),
    "frictionless/blank-rows.csv": ("id|name|age", 2, []),
    "frictionless/bom.csv": ("id|name", 2, []),
    "frictionless/capital-invalid.csv": ("id|name|name (2)", 8, [10, 12]),
    "frictionless/defective-rows.csv": ("id|name|age", 0, [2, 3]),
    "frictionless/delimiter.csv": ("id|name", 2, []),
    "frictionless/doublequote.csv": ("INCISO|…|pbi", 5, []),
    "frictionless/duplicate-column.csv": ("A|B|B (2)|C", 1, []),
    "frictionless/duplicate-headers.csv": ("id|name|id (2)|age|id (3)", 2, []),
    "frictionless/duplicate-rows.csv": ("id|name|age", 3, []),
    "frictionless/encoding-issue-274.csv": ("id|…|source_url", 507, []),
    "frictionless/escaping.csv": ("ID|Test", 3, []),
    "frictionless/invalid.csv": ("id|name|column 3|name (2)", 0, [2, 3, 5]),
    "frictionless/issue-1009-comma.csv": ("fieldNameA|fieldNameB", 1, []),
    "frictionless/issue-1009-semicolon.csv": ("fieldNameA|fieldNameB", 1, []),
    "frictionless/issue-1105-timezone.csv": ("id|timestamp", 2, []),
    "frictionless/issue-305.csv": ("data_id|…|iso3", 338, []),
    "frictionless/latin1.csv": ("id|name", 2, []),
    "frictionless/leading-zeros.csv": ("value", 3, []),
    "frictionless/matrix-with-comment.csv": ("f1|f2|f3|f4", 4, []),
    "frictionless/number-test.csv": ("number|required|unique|minimum|maximum|enum", 13, []),
    "frictionless/primary-file-types.csv": ("id|integer_minmax|boolean", 2, []),
    "frictionless/schema-errors.csv": ("id|name|age", 3, [5]),
    "frictionless/skip-blank-at-the-end.csv": ("test1|test2", 1, []),
    "frictionless/skip-rows-before-headers.csv": ("id|name", 2, []),
    "frictionless/skip-rows.csv": ("id|name", 2, []),
    "frictionless/structure-errors.csv": ("id|name|age", 2, [5]),
}
CELLS: dict[str, list[list[str]]] = {
    "csv-parser/backtick.csv": [
        ["1", "Bulbasaur can be seen napping"],
        ["2", "There is a bud on this"],
    ],
    "csv-parser/bench/latin.csv": [["1", "2", "3"], ["4", "5", "©"]],
    "csv-parser/bench/mac-newlines.csv": [["1", "2", "3"], ["Once upon\ra time", "5", "6"]],
    "csv-parser/bench/utf16-big.csv": [["1", "2", "3"], ["4", "5", "ʤ"]],
    "csv-parser/escape-quotes.csv": [["1", 'ha "ha" ha'], ["2", '""'], ["3", "4"]],
    "csv-parser/option-escape.csv": [["1", 'some "escaped" value', "2"], ["3", '""', "4"], ["5", "6", "7"]],
    "csv-parser/option-quote-escape.csv": [["1", "some 'escaped' value", "2"], ["3", "''", "4"], ["5", "6", "7"]],
    "csv-parser/option-quote-many.csv": [["1", "some 'escaped' value", "2"], ["3", "''", "4"], ["5", "6", "7"]],
    "csv-parser/quotes+newlines.csv": [["1", 'ha \n"ha" \nha'], ["2", ' \n"" \n'], ["3", "4"]],
    "csvkit/blanks.csv": [["", "NA", "N/A", "NONE", "NULL", "."]],
    "csvkit/test_locale.csv": [["1,7", "200.000.000", ""]],
    "csvkit/test_no_leading_zeroes.csv": [["01", "00.11", "0.1"]],
    "csvkit/test_utf16_little.csv": [["1", "2", "3"], ["4", "5", "ʤ"]],
    "frictionless/bom.csv": [["1", "english"], ["2", "中国人"]],
    "frictionless/escaping.csv": [["1", "Test line 1"], ["2", 'Test " line 2'], ["3", 'Test " line 3']],
    "frictionless/leading-zeros.csv": [["01"], ["002"], ["00003"]],
}


def shown(columns: list[str], like: str) -> str:
    return f"{columns[0]}|…|{columns[-1]}" if "…" in like else "|".join(columns)


@pytest.mark.parametrize("name", EXPECTED)
def test_torture_files_give_what_a_person_reads_in_them(name: str) -> None:
    columns, good, bad = EXPECTED[name]
    result = got(TORTURE / name)
    assert (shown(result.columns, columns), len(result.rows), list(result.problems)) == (columns, good, bad)
    if name in CELLS:
        assert result.rows == CELLS[name]


def test_an_empty_torture_file_is_refused() -> None:
    with pytest.raises(BadFile, match="is empty"):
        open_source(TORTURE / "csvkit" / "empty.csv")


def test_no_torture_file_is_forgotten() -> None:
    known = {*EXPECTED, "csvkit/empty.csv"}
    others = [name for name in names(TORTURE, "**/*") if not name.startswith(("csv-spectrum/", "pollock-file/"))]
    assert set(others) == known


# Workbooks: sheet chosen by number, columns, rows.
BOOKS: dict[str, list[tuple[int | None, str, list[list[str]] | int]]] = {
    "calamine/any_sheets.xlsx": [(None, "1|2", 3)],
    "calamine/date.xls": [(None, "2021-01-01|15", [["2021-01-02", "16"], ["255:10:10", "17"]])],
    "calamine/date.xlsb": [(None, "2021-01-01|15", [["2021-01-02", "16"], ["255:10:10", "17"]])],
    "calamine/date.xlsx": [(None, "2021-01-01|15", [["2021-01-02", "16"], ["255:10:10", "17"]])],
    "calamine/date_1904.xls": [(None, "2021-01-01|15", [["2021-01-02", "16"], ["255:10:10", "17"]])],
    "calamine/date_1904.xlsx": [(None, "2021-01-01|15", [["2021-01-02", "16"], ["255:10:10", "17"]])],
    "calamine/date_iso.xlsx": [(None, "2021-01-01", 5)],
    "calamine/encoded_entities.xlsx": [(None, "&", 0)],
    "calamine/errors.xlsx": [
        (None, "#DIV/0!", [["#NAME?"], ["#VALUE!"], ["#NULL!"], ["#REF!"], ["#NUM!"], ["#N/A"]]),
    ],
    "calamine/has_x000D_.xlsx": [(None, "ABC DEF", 0)],
    "calamine/header-row.xlsx": [
        (None, "Columns|Column A|Column B|Column C", [["put data here", "1", "2", "3"]]),
    ],
    "calamine/inventory-table.xlsx": [
        (
            None,
            "Item|Type|Quantity",
            [["1", "Apple", "50"], ["2", "Banana", "200"], ["3", "Orange", "60"], ["4", "Pear", "100"]],
        ),
    ],
    "calamine/issues.ods": [
        (None, "1", [["1.5"], ["ab"], ["false"], ["test"], ["2016-10-20T00:00:00"]]),
        (3, "1|a", [["2", "b"], ["3", "c"]]),
        (6, "&", 7),
    ],
    "calamine/issues.xls": [
        (None, "1", [["1.5"], ["ab"], ["false"], ["test"], ["2016-10-20"]]),
        (3, "1|a", [["2", "b"], ["3", "c"]]),
    ],
    "calamine/issues.xlsx": [
        (None, "1", [["1.5"], ["ab"], ["false"], ["test"], ["2016-10-20"]]),
        (3, "1|a", [["2", "b"], ["3", "c"]]),
        (6, "&", [["<"], [">"], ["aaa ' aaa"], ['"'], ["☺"], ["֍"], ["àâéêèçöïî«»"]]),
    ],
    "calamine/merge_cells.xlsx": [
        (None, "Row Merge|column 2|Not Merged", [["Column Merge", "Chunk Merged", ""]]),
    ],
    # Header cells merged over two rows are one header, the second of which repeats it.
    "calamine/merged_range.xlsx": [
        (
            None,
            "A1|B1|C1|column 4|E1|F1|G1|H1",
            [["A3", "B3", "C3", "", "E3", "F3", "G3", "H3"], ["A4", "B4", "C4", "", "E4", "F4", "G4", "H4"]],
        ),
        (2, "A1|B1|C1|column 4|E1|F1", [["A1", "B3", "C3", "", "E3", "F1"], ["A1", "B4", "C3", "", "E4", "F1"]]),
    ],
    "calamine/no-header.xlsx": [(None, "a|0", [["b", "1"]])],
    "calamine/temperature-in-middle.xlsx": [
        (None, "label|value", [["celsius", "22.2222"], ["fahrenheit", "72"]]),
    ],
    "csvkit/sheets.xlsx": [
        (None, "text|date|integer|boolean|float|datetime|empty_column|column 8", 5),
        (3, "a|b|c", [["1", "2", "3"]]),
    ],
    "csvkit/test.xlsx": [(None, "text|date|integer|boolean|float|datetime|empty_column|column 8", 5)],
    "csvkit/test_skip_lines.xlsx": [(None, "text|date|integer|boolean|float|datetime|empty_column|column 8", 5)],
    "frictionless/merged-cells.xlsx": [(None, "data", 0)],
    "frictionless/preserve-formatting.xlsx": [
        (
            None,
            "empty|0|0.00|0.0000|0.00000|0.0000#|m/d/yy|d-mmm|mm/dd/yy|mmddyy|mmddyyam/pmdd",
            [["", *["1000.5577"] * 5, *["2040-05-20"] * 5]],
        ),
    ],
    "frictionless/sheets.xlsx": [(None, "id|name", [["1", "london"]]), (3, "id|name", [["3", "rome"]])],
    "frictionless/skip-rows.xlsx": [(None, "A|B", [["8", "9"], ["", "TOTAL"]])],
}


def book_cases() -> Iterator[tuple[str, int | None, str, list[list[str]] | int]]:
    for name, sheets in BOOKS.items():
        for sheet, columns, rows in sheets:
            yield name, sheet, columns, rows


@pytest.mark.parametrize(("name", "sheet", "columns", "rows"), list(book_cases()))
def test_workbooks_give_what_a_person_sees_in_them(
    name: str, sheet: int | None, columns: str, rows: list[list[str]] | int
) -> None:
    result = got(SHEETS / name, sheet=sheet)
    assert ("|".join(result.columns), result.problems) == (columns, {})
    assert (len(result.rows) if isinstance(rows, int) else result.rows) == rows


def test_dates_numbers_and_truth_of_a_workbook_are_text() -> None:
    rows = got(SHEETS / "csvkit" / "test.xlsx").rows
    assert rows[1][:6] == ["Chicago Sun-Times", "1948-01-01", "63", "true", "1.27", "1948-01-01T14:57:13"]
    assert rows[2][:6] == ["Chicago Tribune", "1920-01-01", "164", "false", "41800000.01", "1920-01-01"]


def test_a_workbook_without_data_is_refused_and_none_is_forgotten() -> None:
    with pytest.raises(BadFile, match="has no data"):
        open_source(SHEETS / "calamine" / "empty_sheet.xlsx")
    assert set(names(SHEETS, "*/*")) == {*BOOKS, "calamine/empty_sheet.xlsx"}


def counted() -> Iterator[tuple[str, int]]:
    """Files and their records, header included, as the list beside the files has them."""
    manifest = DATA / "MANIFEST.md"
    text = manifest.read_text("utf-8") if manifest.is_file() else ""
    for section in ("05-leads-crm", "08-chinese"):
        part = text.partition(f"### {section}")[2].partition("\n### ")[0]
        for name, count in re.findall(r"^\| (\S+\.(?:csv|xlsx)) \| (\d+) \|", part, re.MULTILINE):
            yield f"{section}/{name}", int(count)


@pytest.mark.parametrize(("name", "records"), list(counted()))
def test_leads_and_chinese_files_have_every_row(name: str, records: int) -> None:
    result = got(DATA / name)
    assert (len(result.rows) + 1, result.problems) == (records, {})
    assert not any("\ufffd" in cell for row in result.rows for cell in row if cell)


def test_every_counted_file_was_found() -> None:
    assert len(list(counted())) == 25


def test_an_old_workbook_with_undecodable_letters_is_refused() -> None:
    with pytest.raises(BadFile, match="does not say how its letters are coded"):
        open_source(DATA / "06-payments/cn/suishouji.xls")


def test_gbk_and_trimmed_headers_of_real_exports() -> None:
    assert got(DATA / "08-chinese/tmall_cosmetics_gbk.csv").columns[-1] == "店名"
    assert got(DATA / "08-chinese/tmall_order_report.csv").columns[3] == "收货地址"
    assert got(DATA / "08-chinese/leads_template_zh.xlsx").rows[0][:3] == ["XX小区物业管理处", "张经理", "13800138001"]


@pytest.mark.parametrize(
    ("name", "first", "rows"),
    [
        ("06-payments/cn/alipay_gbk.csv", "交易时间", 10),
        ("06-payments/cn/wechat.csv", "交易时间", 27),
        ("06-payments/cn/jd.csv", "交易时间", 26),
        ("06-payments/cn/meituan.csv", "交易创建时间", 29),
        ("06-payments/cn/hxsec_text-named.xls", "交收日期", 13),
        ("06-payments/cn/ccb_letterhead.xls", "记账日", 7),
        ("03-platforms-erp/invoiceninja/clients.csv", "Name", 20),
        ("03-platforms-erp/invoiceninja/products.csv", "User", 181),
    ],
)
def test_titles_above_the_header_of_a_real_export_are_left_out(name: str, first: str, rows: int) -> None:
    result = got(DATA / name)
    assert (result.columns[0], len(result.rows), result.problems) == (first, rows, {})
