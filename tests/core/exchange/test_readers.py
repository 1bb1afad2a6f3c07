"""CSV, TSV and JSON as rows: encodings, delimiters, headers, what is left out and what is refused."""

from __future__ import annotations

import bz2
import gzip
import io
import os
import sys
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from bo.core.exchange import Limits, open_source
from bo.core.kernel.errors import BadFile, UsageError
from tests.core.exchange.files import Read, read

NAMES = "名称,电话,城市\n张三,13800138000,杭州\n李四,13900139000,上海\n"
NAMED = Read(["名称", "电话", "城市"], [["张三", "13800138000", "杭州"], ["李四", "13900139000", "上海"]], {}, [])


def taken(path: Path, data: str | bytes, **options: object) -> Read:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return read(open_source(path, **options))  # type: ignore[arg-type]  # each test gives options that exist


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "leads.csv"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "gb18030", "gbk"]
)
def test_the_encoding_is_found_out(path: Path, encoding: str) -> None:
    got = taken(path, NAMES.encode(encoding))
    assert (got.columns, got.rows) == (NAMED.columns, NAMED.rows)


@pytest.mark.parametrize("encoding", ["gbk", "gb18030", "utf-16-le", "utf-8"])
def test_a_given_encoding_is_taken_without_a_note(path: Path, encoding: str) -> None:
    assert taken(path, NAMES.encode(encoding), encoding=encoding) == NAMED


def test_western_letters_are_read_as_windows_1252_with_a_note(path: Path) -> None:
    got = taken(path, "name,city\nJosé,Köln\n€,Málaga\n".encode("cp1252"))
    assert got.rows == [["José", "Köln"], ["€", "Málaga"]]
    assert got.notes == ["encoding guessed: cp1252; if letters look wrong, say --encoding"]


@pytest.mark.parametrize(("encoding", "word"), [("shift_jis", "お客様の名前は田中です"), ("cp1251", "Привет, мир")])
def test_longer_texts_in_other_encodings_are_guessed(path: Path, encoding: str, word: str) -> None:
    text = "name;note\n" + f"a;{word} и ещё\n".replace(" и ещё", "" if encoding == "shift_jis" else " и ещё") * 40
    assert taken(path, text.encode(encoding)).rows[0][1] == text.split("\n")[1].split(";")[1]


def test_a_late_letter_decides_the_encoding_of_a_long_plain_file(path: Path) -> None:
    data = b"id,name\n" + b"1,plain\n" * 40_000 + "2,杭州\n".encode("gb18030") * 9
    assert taken(path, data).rows[-1] == ["2", "杭州"]


def test_a_wrong_encoding_names_the_byte_and_the_line(path: Path) -> None:
    path.write_bytes(b"a,b\n1,2\n3,\xe9\xe9\n")
    with pytest.raises(BadFile) as caught:
        open_source(path, encoding="utf-8")
    assert str(caught.value) == f"{path} is not utf-8: byte 10, on line 3, is e9 e9 0a"
    assert caught.value.hint.startswith("Say another --encoding")


def test_a_wrong_byte_far_down_ends_the_reading_and_changes_no_value(path: Path) -> None:
    path.write_bytes("名,b\n".encode() + b"1,2\n" * 200_000 + b"\xff,3\n")
    rows = []
    with open_source(path) as source, pytest.raises(BadFile, match="byte 800006, on line 200002, is ff"):
        rows += [row.cells for row in source]
    assert not any("\ufffd" in cell for cells in rows for cell in cells if cell)


@pytest.mark.parametrize("name", ["klingon", "base64", "rot13", "idna", ""])
def test_an_encoding_that_is_none_is_refused(path: Path, name: str) -> None:
    path.write_bytes(b"a,b\n1,2\n")
    if name:
        with pytest.raises(UsageError, match="not an encoding"):
            open_source(path, encoding=name)


@pytest.mark.parametrize(
    ("data", "delimiter"),
    [
        ("a;b;c\n1,5;2;3\n", ";"),
        ("a\tb\tc\n1,5\t2\t3\n", "\t"),
        ("a|b|c\n1,5|2|3\n", "|"),
        ('"a" "b" "c"\n"1,5" "2" "3"\n', " "),
        ('a, b, c\n"1,5", "2", "3"\n', ","),
    ],
)
def test_the_delimiter_is_found_out(path: Path, data: str, delimiter: str) -> None:
    got = taken(path, data)
    assert (got.columns, got.rows) == (["a", "b", "c"], [["1,5", "2", "3"]])


def test_one_column_of_words_is_not_parted_at_blanks(path: Path) -> None:
    assert taken(path, "full name\nAda Lovelace\nAlan Turing\n").rows == [["Ada Lovelace"], ["Alan Turing"]]


@pytest.mark.parametrize("given", ["tab", "\t", "\\t"])
def test_a_given_delimiter_is_taken(path: Path, given: str) -> None:
    assert taken(path, "a,1\tb\nx,2\ty\n", delimiter=given).rows == [["x,2", "y"]]


@pytest.mark.parametrize("given", ["", "ab", "\n", '"', "\0"])
def test_a_delimiter_that_cannot_be_one_is_refused(path: Path, given: str) -> None:
    path.write_text("a,b\n")
    with pytest.raises(UsageError, match="cannot be a delimiter"):
        open_source(path, delimiter=given)


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        ("a,b\n1,'x, y'\n2,'it''s'\n", [["1", "x, y"], ["2", "it's"]]),
        ("a,b\n1,`x, y`\n", [["1", "x, y"]]),
        ('a,b\n1,"say \\"no\\", so"\n', [["1", 'say "no", so']]),
        ('a,b\n1,"C:\\new"\n2,"C:\\"\n', [["1", "C:\\new"], ["2", "C:\\"]]),
        ('a,b\n1,10" wide\n2,"5"" wide"\n', [["1", '10" wide'], ["2", '5" wide']]),
        ('a,b\n1," kept"\n2, kept\n', [["1", " kept"], ["2", " kept"]]),
        ('a\tb\n1\t"Best" tape\n2\t"Good" glue\n', [["1", '"Best" tape'], ["2", '"Good" glue']]),
        ('a,b\r\n1,"x\r\ny"\r\n', [["1", "x\r\ny"]]),
        ('a,b\r1,"x\ry"\r2,z\r', [["1", "x\ry"], ["2", "z"]]),
        ('a,b\n1,"x\x0cy\u2028z"\n', [["1", "x\x0cy\u2028z"]]),
        ("a,b\n1,'=x\n2,'+y\n", [["1", "'=x"], ["2", "'+y"]]),
        ('a,b,c\n"1"\t,"x, y"\t,"/"\n""\t,"5"" x"\t,z\n', [["1", "x, y", "/"], ["", '5" x', "z"]]),
        ('a,b\n1,="007"\n="=x",y\n2,=1+1\n', [["1", "007"], ["=x", "y"], ["2", "=1+1"]]),
    ],
)
def test_quoting_is_found_out_and_values_stay_as_they_are(path: Path, data: str, rows: list[list[str]]) -> None:
    assert taken(path, data).rows == rows


def test_rows_that_are_too_short_or_too_long_are_problems_and_not_mended(path: Path) -> None:
    got = taken(path, "a,b,c\n1,2,3\n4,5\n6,7,8,9\n")
    assert got.rows == [["1", "2", "3"]]
    assert got.problems == {
        3: "line 3 has 2 cells, the header has 3",
        4: "line 4 has 4 cells, the header has 3",
    }


def test_blank_cells_too_many_are_fine_as_a_habit_and_a_problem_in_one_row(path: Path) -> None:
    assert taken(path, "name,phone\nAda,1,\nBo,2,\n").rows == [["Ada", "1"], ["Bo", "2"]]
    assert taken(path, "name,phone,\nAda,1,\nBo,2,\n").columns == ["name", "phone"]
    # An unquoted comma in a name, and the last cell blank: the cells have moved by one.
    got = taken(path, "name,phone,note\nAda,1,x\nSmith, John,2,\n")
    assert (got.rows, list(got.problems)) == ([["Ada", "1", "x"]], [3])


def test_numbers_and_lines_point_into_the_file(path: Path) -> None:
    path.write_text('# made by hand\nid,note\n\n1,"two\nlines"\n2,b\n3\n')
    with open_source(path) as source:
        assert [(row.number, row.line, row.problem is None) for row in source] == [
            (1, 4, True),
            (2, 6, True),
            (3, 7, False),
        ]
    assert (source.skipped.blank, source.skipped.comment, source.skipped.header) == (1, 0, 0)
    assert source.notes == ["lines above the header left out: 1", "blank lines left out: 1"]


def test_a_quotation_mark_left_open_is_told_with_its_line(path: Path) -> None:
    got = taken(path, 'a,b\n1,2\n3,"open\n5,6\n')
    assert got.problems == {3: "line 3: a quotation mark is opened and not closed before the file ends"}


def test_text_after_a_closing_quotation_mark_is_a_problem_of_its_row(path: Path) -> None:
    got = taken(path, 'a,b\n1,2\n3,"x" y, z\n5,"6"\n')
    assert (got.rows, list(got.problems)) == ([["1", "2"], ["5", "6"]], [3])


def test_a_nul_is_a_problem_of_its_row(path: Path) -> None:
    got = taken(path, b"a,b\n1,\0\n3,4\n")
    assert (got.rows, got.problems) == ([["3", "4"]], {2: "line 2 has a NUL character in cell 2"})


@pytest.mark.parametrize(
    "above",
    [
        "# a comment\n",
        "Report of June\n\n",
        "Report,,\n,,\n",
        "微信支付账单明细,,\n起始时间:[2025],,\n,,\n",
        "~ x\n",
        "支付宝账户:x\n" * 20,
    ],
)
def test_lines_above_the_header_are_left_out(path: Path, above: str) -> None:
    got = taken(path, above + "id,name,city\n1,a,b\n2,c,d\n")
    assert (got.columns, len(got.rows)) == (["id", "name", "city"], 2)
    assert got.notes[0].startswith("lines above the header left out: 1")


def test_repeated_headers_comments_and_blank_lines_are_counted_and_left_out(path: Path) -> None:
    got = taken(path, "id,name\nid,name\n1,a\n# note\n,\n \n2,b\nid,name\n\n")
    assert got.rows == [["1", "a"], ["2", "b"]]
    assert got.notes == [
        "blank lines left out: 3",
        "repeated header lines left out: 2",
        "comment lines left out: 1",
    ]


def test_the_rows_of_a_second_table_are_problems(path: Path) -> None:
    got = taken(path, "id,name,city\n1,a,b\n2,c,d\nid,name,city,more\n7,e,f,\n")
    assert (len(got.rows), list(got.problems)) == (2, [4, 5])
    assert got.problems[5] == "line 5 belongs to another table, which begins on line 4"


def test_names_are_made_distinct_and_blanks_are_numbered(path: Path) -> None:
    got = taken(path, " id ,name,,name,name (2),收货地址 \n1,2,3,4,5,6\n")
    assert got.columns == ["id", "name", "column 3", "name (2)", "name (2) (2)", "收货地址"]
    assert got.notes == [
        "columns without a name are called by their place: column 3",
        "columns with the same name are told apart: name (2), name (2) (2)",
    ]


def test_a_header_that_looks_like_data_is_doubted_and_0_says_there_is_none(path: Path) -> None:
    data = "2025-01-02,12.50\n2025-01-03,8.00\n"
    assert taken(path, data).notes == [
        "the header looks like data (2025-01-02, 12.50): if there is none, say --header-row 0"
    ]
    got = taken(path, data, header_row=0)
    assert got == Read(["column 1", "column 2"], [["2025-01-02", "12.50"], ["2025-01-03", "8.00"]], {}, [])


def test_the_line_of_the_header_can_be_given(path: Path) -> None:
    data = "a,b\nc,d\n\nid,name\n1,2\n"
    assert taken(path, data, header_row=4).columns == ["id", "name"]
    for line in (3, 99):
        with pytest.raises(BadFile, match=f"line {line} cannot be the header"):
            open_source(path, header_row=line)


def test_a_header_alone_is_an_empty_source(path: Path) -> None:
    assert taken(path, "id,name\n") == Read(["id", "name"], [], {}, [])


@pytest.mark.parametrize("data", [b"", b"\n", b"\r\n\r\n", b"\xef\xbb\xbf", b" \t\n"])
def test_an_empty_file_is_refused(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    with pytest.raises(BadFile, match="is empty"):
        open_source(path)


def test_a_file_of_blank_cells_is_refused(path: Path) -> None:
    path.write_text(",,\n,,\n")
    with pytest.raises(BadFile, match="nothing but blank lines"):
        open_source(path)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"%PDF-1.7\n", "a PDF"),
        (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
        (b"SQLite format 3\0rest", "an SQLite database"),
        (bytes(range(256)) * 20, "not text"),
        (b"<html><body><table><tr><td>1</td></tr></table>", "a web page or XML"),
        (b'<?xml version="1.0"?>\n<a><b/></a>', "a web page or XML"),
        (b'<Response xmlns="x">\n<a/></Response>', "a web page or XML"),
        (b"PK\x03\x04 not really", "a damaged archive"),
    ],
)
def test_what_is_no_table_is_told_for_what_it_is(path: Path, data: bytes, words: str) -> None:
    path.write_bytes(data)
    with pytest.raises(BadFile, match=words):
        open_source(path)


def test_a_missing_file_a_directory_and_a_strange_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="there is no such file"):
        open_source(tmp_path / "none.csv")
    with pytest.raises(BadFile, match="is a directory"):
        open_source(tmp_path)
    with pytest.raises(BadFile, match="cannot be read"):
        open_source("a\0b.csv")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_refused(path: Path) -> None:
    path.write_text("a,b\n")
    path.chmod(0)
    with pytest.raises(BadFile, match="Permission denied"):
        open_source(path)


@pytest.mark.parametrize("size", [1 << 10, 64 << 20])
def test_a_line_without_end_is_refused_in_little_memory(path: Path, size: int) -> None:
    with path.open("wb") as file:
        file.write(b"a,b\n1,")
        for _ in range(size >> 10):
            file.write(b"x" * 1024)
    if size < 1 << 20:
        assert len(read(open_source(path)).rows) == 1
        return
    open_source(path).close()
    tracemalloc.start()
    with open_source(path) as source, pytest.raises(BadFile, match="about line 2 a record is longer than 1048576"):
        list(source)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 14 << 20


def test_a_quoted_cell_without_end_is_refused_in_little_memory(path: Path) -> None:
    path.write_bytes(b'a,b\n1,"' + b"line\n" * (6 << 20))
    open_source(path).close()
    tracemalloc.start()
    with open_source(path) as source, pytest.raises(BadFile, match="a record is longer than 1048576 characters"):
        list(source)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 14 << 20


def test_memory_stays_flat_however_long_the_file(path: Path) -> None:
    path.write_bytes(b"id,name,note\n" + b"1,somebody,something\n" * 200_000)
    open_source(path).close()
    tracemalloc.start()
    with open_source(path) as source:
        count = sum(1 for _row in source)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (count, peak < 4 << 20) == (200_000, True)


def test_too_many_columns_are_refused(path: Path) -> None:
    path.write_text(",".join(f"c{index}" for index in range(30)) + "\n")
    with pytest.raises(BadFile, match="there are 30 columns; at most 20 are read"):
        open_source(path, limits=Limits(columns=20))


def test_packed_files_are_unpacked(tmp_path: Path) -> None:
    data = NAMES.encode()
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(data))
    (tmp_path / "a.csv.bz2").write_bytes(bz2.compress(data))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("__MACOSX/._a.csv", b"junk")
        archive.writestr("folder/账单.csv", NAMES.encode("gb18030"))
    for name in ("a.csv.gz", "a.csv.bz2", "a.zip"):
        got = read(open_source(tmp_path / name))
        assert (got.columns, got.rows) == (NAMED.columns, NAMED.rows)


def test_packed_files_that_are_damaged_ambiguous_or_too_large_are_refused(tmp_path: Path) -> None:
    cut, two, bomb = tmp_path / "cut.gz", tmp_path / "two.zip", tmp_path / "bomb.csv.gz"
    cut.write_bytes(gzip.compress(os.urandom(9999))[:-99])
    with zipfile.ZipFile(two, "w") as archive:
        archive.writestr("a.csv", "a\n")
        archive.writestr("b.csv", "b\n")
    bomb.write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * (1 << 20)))
    with pytest.raises(BadFile, match="a damaged archive"):
        open_source(cut)
    with pytest.raises(BadFile, match=r"holds 2 files that could be meant: a\.csv, b\.csv"):
        open_source(two)
    with (
        pytest.raises(BadFile, match="unpacks to more than 2 MiB"),
        open_source(bomb, limits=Limits(unpacked_bytes=2 << 20)) as source,
    ):
        list(source)


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(NAMES.encode())))
    assert read(open_source("-")) == NAMED


def test_standard_input_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a,b\n" * (1 << 19))))
    with pytest.raises(BadFile, match="- gives more than 1 MiB"):
        open_source("-", limits=Limits(unpacked_bytes=1 << 20))


def test_options_that_do_not_fit_are_refused(path: Path) -> None:
    path.write_text("a,b\n1,2\n")
    with pytest.raises(UsageError, match="has no sheets"):
        open_source(path, sheet="June")
    with pytest.raises(BadFile, match="is not xlsx"):
        open_source(path, format="xlsx")
    with pytest.raises(UsageError, match="docx is not a format"):
        open_source(path, format="docx")  # type: ignore[arg-type]


def test_json_keeps_the_spelling_of_numbers_and_tells_absent_from_blank(tmp_path: Path) -> None:
    data = '[{"id": 12345678901234567890, "amount": 12.50, "on": true},\n {"id": 2, "note": null, "tags": ["a", 1.0]}]'
    got = taken(tmp_path / "a.json", data)
    assert got.columns == ["id", "amount", "on", "note", "tags"]
    assert got.rows == [
        ["12345678901234567890", "12.50", "true", None, None],
        ["2", None, None, "", '["a", 1.0]'],
    ]


@pytest.mark.parametrize(
    "data",
    [
        '[{"a": "1"}, {"a": "2"}]',
        '{"total": 2, "page": {"next": [1]}, "items": [{"a": "1"}, {"a": "2"}], "more": []}',
        '{"a": "1"}\n{"a": "2"}\n',
    ],
)
def test_an_array_an_object_around_it_and_json_lines_are_read(tmp_path: Path, data: str) -> None:
    got = taken(tmp_path / "a.json", data)
    assert (got.columns, got.rows) == (["a"], [["1"], ["2"]])


def test_one_object_is_one_row(tmp_path: Path) -> None:
    assert taken(tmp_path / "a.json", '{"a": 1, "tags": ["x"]}').rows == [["1", '["x"]']]


def test_a_bad_line_of_json_lines_spoils_only_itself(tmp_path: Path) -> None:
    got = taken(
        tmp_path / "a.jsonl",
        '{"a": 1}\n{"a": \n\n[1]\n{"a": 1, "a": 2}\n{"a": NaN}\n{"a": "\\ud800"}\n{"a": 2}\n' + "[" * 9999 + "\n",
    )
    assert got.rows == [["1"], ["2"]]
    assert got.problems == {
        2: "line 2 is not JSON: Expecting value (character 6)",
        4: "line 4 is no JSON object",
        5: "line 5 is not JSON: the field 'a' stands there twice",
        6: "line 6 is not JSON: NaN is no JSON",
        7: "line 7 is not JSON: half of a character (a lone surrogate)",
        9: "line 9 is not JSON: nested too deeply",
    }


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ('[{"a": 1},\n {"a": 2]', "line 2: Expecting ',' delimiter"),
        ('[{"a": 1}', ", or ] was expected"),
        ('{"a": [{"x": 1}], "b": [{"y": 2}]}', "there are several tables: a, b"),
        ('[{"a": 1}] more', "something follows after the end"),
        ("[]", "holds no JSON object"),
        ("[1, 2]", "holds no JSON object"),
        ("12", "an array or an object was expected"),
        ("[" * 99999, "nested too deeply"),
    ],
)
def test_json_that_is_no_table_is_refused(tmp_path: Path, data: str, words: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(data)
    with pytest.raises(BadFile) as caught:
        open_source(path)
    assert words in str(caught.value)


def test_a_json_value_without_end_is_refused_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b'[{"a": "' + b"x" * (32 << 20))
    tracemalloc.start()
    with pytest.raises(BadFile, match="Unterminated string"):
        open_source(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 14 << 20
