"""Import and export on the command line: options arrive, counts add up, and the exit code says what was kept."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.cli.running import Desk

GOOD = "姓名,手机,城市\n王芳,13800138000,杭州\n李雷,139 0013 9000,上海\n"
MIXED = "姓名,手机,城市\n王芳,13800138000,杭州\n赵六,12,上海\n"
COUNTS = ("read", "created", "updated", "unchanged", "duplicate", "rejected")


@pytest.fixture
def good(tmp_path: Path) -> str:
    path = tmp_path / "good.csv"
    path.write_text(GOOD, "gb18030")
    return str(path)


@pytest.fixture
def mixed(tmp_path: Path) -> str:
    path = tmp_path / "mixed.csv"
    path.write_text(MIXED, "utf-8")
    return str(path)


def counts(found: dict[str, object]) -> list[object]:
    return [found[name] for name in COUNTS]


def test_an_import_ends_with_one_object_whose_counts_add_up(desk: Desk, good: str) -> None:
    first = desk.well("leads", "import", good, "-o", "json").thing()
    second = desk.well("leads", "import", good, "-o", "json").thing()

    assert counts(first) == [2, 2, 0, 0, 0, 0]
    assert counts(second) == [2, 0, 0, 2, 0, 0]
    assert desk.well("leads", "count").out == "2\n"


def test_a_dry_run_tells_the_same_and_keeps_nothing(desk: Desk, good: str) -> None:
    before = desk.operations()

    found = desk.well("leads", "import", good, "--dry-run", "-o", "json").thing()
    rows = desk.well("leads", "import", good, "--dry-run", "-o", "jsonl").things()

    assert counts(found) == [2, 2, 0, 0, 0, 0]
    assert found["dry_run"] is True
    assert [row["outcome"] for row in rows[:2]] == ["created", "created"]
    assert counts(rows[-1]) == [2, 2, 0, 0, 0, 0]
    assert desk.operations() == before


def test_one_bad_row_and_nothing_is_kept(desk: Desk, mixed: str) -> None:
    before = desk.operations()

    ran = desk.bo("leads", "import", mixed, "-o", "json")

    assert ran.code == 65
    assert counts(ran.thing()) == [2, 1, 0, 0, 0, 1]
    assert ran.thing()["written"] is False
    assert ran.error()["code"] == "rows_rejected"
    assert desk.operations() == before


def test_a_reject_file_keeps_the_good_rows_and_can_be_mended(desk: Desk, mixed: str, tmp_path: Path) -> None:
    rejects = tmp_path / "rejects.csv"

    ran = desk.bo("leads", "import", mixed, "--rejects", str(rejects), "-o", "json")

    assert ran.code == 3
    assert desk.well("leads", "count").out == "1\n"
    text = rejects.read_text("utf-8-sig")
    (row,) = csv.DictReader(text.splitlines())
    assert row["手机"].lstrip("'") == "12"
    told = desk.bo("leads", "import", mixed, "--rejects", str(rejects))
    assert f"1 rows were rejected; {rejects} has them all, with the reason" in told.err
    rejects.write_text(text.replace(",12,", ",13700137000,"), "utf-8")
    assert counts(desk.well("leads", "import", str(rejects), "-o", "json").thing())[:2] == [1, 1]


def test_people_are_told_which_line_is_wrong_and_why(desk: Desk, mixed: str) -> None:
    ran = desk.bo("leads", "import", mixed)

    assert ran.code == 65
    assert ran.out.splitlines()[1].split("\t")[:6] == ["2", "1", "0", "0", "0", "1"]
    assert "line 3: " in ran.err
    assert "12" in ran.err
    assert "bo: leads.import: 1 of 2 rows are rejected, so nothing was kept." in ran.err


def test_an_import_is_undone_as_one(desk: Desk, good: str) -> None:
    operation = str(desk.well("leads", "import", good, "-o", "json").thing()["operation"])

    desk.well("undo", operation, "-y", "-q")

    assert desk.well("leads", "count").out == "0\n"


def test_a_mapping_is_suggested_and_used(desk: Desk, tmp_path: Path) -> None:
    file, mapping = tmp_path / "odd.csv", tmp_path / "odd.toml"
    file.write_text("who;call\n王芳;13800138000\n", "utf-8")

    suggested = desk.well("leads", "import", str(file), "--suggest-map").out
    mapping.write_text('[columns]\nwho = "name"\ncall = "phone"\n', "utf-8")
    desk.well("leads", "import", str(file), "--map", str(mapping), "-q")

    assert '"who"' in suggested
    assert desk.well("leads", "list", "--fields", "name,phone").lines()[1] == "王芳\t+8613800138000"


def test_options_that_cannot_be_are_usage_errors(desk: Desk, good: str) -> None:
    assert desk.bo("leads", "import", good, "--format", "doc").code == 2
    assert desk.bo("leads", "import", good, "--header-row", "x").code == 2
    assert desk.bo("leads", "export", "x.csv", "--encoding", "gbk").code == 2
    assert desk.bo("leads", "export", "x.doc").code == 2


def test_what_is_exported_and_imported_again_changes_nothing(desk: Desk, good: str, tmp_path: Path) -> None:
    desk.well("leads", "import", good, "-q")
    for ending in ("csv", "jsonl", "xlsx"):
        file = tmp_path / f"out.{ending}"

        exported = desk.well("leads", "export", str(file), "-o", "json").thing()
        again = desk.well("leads", "import", str(file), "-o", "json").thing()

        assert exported["rows"] == 2
        assert counts(again) == [2, 0, 0, 2, 0, 0]


def test_an_export_goes_to_stdout_too(desk: Desk, good: str) -> None:
    desk.well("leads", "import", good, "-q")

    ran = desk.well("leads", "export", "-", "--fields", "name,city", "--where", "sort:name")

    assert ran.out == "name,city\n李雷,上海\n王芳,杭州\n"


def test_an_import_from_stdin(desk: Desk) -> None:
    found = desk.well("leads", "import", "-", "-o", "json", stdin=GOOD).thing()

    assert counts(found)[:2] == [2, 2]
