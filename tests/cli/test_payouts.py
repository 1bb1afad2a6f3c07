"""What leaves for the bank and for the payees, as it is typed."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.running import Desk


@pytest.fixture
def approved(desk: Desk) -> str:
    """The number of a settlement of one payee that somebody else has approved."""
    today = datetime.now(UTC).date()
    period = f"{today - timedelta(days=20)}..{today + timedelta(days=20)}"
    desk.well("operators", "add", "--login", "anna", "--roles", "approver")
    desk.well("operators", "add", "--login", "fin", "--roles", "finance")
    desk.well("referrers", "register", "--code", "D001", "--name", "李设计")
    desk.well("payee-accounts", "add", "--referrer", "D001", "--holder", "李设计", "--number", "6222 0000 1113 0001")
    desk.well("rewards", "adjust", "--referrer", "D001", "--amount", "50", "--reason", "x", "--yes", "--as", "fin")
    desk.well("settlements", "run", "--period", period, "--as", "fin")
    number = desk.well("settlements", "list", "--fields", "number", "-o", "csv").lines()[1]
    desk.well("settlements", "submit", number, "--as", "fin")
    shown = str(desk.well("settlements", "check", number, "-o", "json").thing()["content_hash"])
    desk.well("settlements", "approve", number, "--hash", shown, "--yes", "--as", "anna")
    return number


def test_the_file_is_written_once_and_said_to_be_the_same_the_second_time(
    desk: Desk, approved: str, tmp_path: Path
) -> None:
    # when
    first = desk.well(
        "settlements", "export", approved, "--to", str(tmp_path / "a.csv"), "--layout", "cn_bank", "--yes"
    )
    second = desk.well("settlements", "export", approved, "--to", str(tmp_path / "b.csv"), "--yes")

    # then
    content = (tmp_path / "a.csv").read_bytes()
    assert content.decode("gbk").splitlines()[0] == "序号,收款人户名,收款人账号,开户行,金额,用途,附言"
    assert (tmp_path / "b.csv").read_bytes() == content
    assert "the same file" not in first.err
    assert "the same file" in second.err


def test_a_file_that_cannot_be_made_leaves_nothing(desk: Desk, approved: str, tmp_path: Path) -> None:
    before = desk.operations()
    target = tmp_path / "a.xml"

    ran = desk.bo("settlements", "export", approved, "--to", str(target), "--layout", "pain.001.001.03", "--yes")

    assert (ran.code, target.exists(), desk.operations()) == (76, False, before)
    assert "--bank-account" in ran.err


def test_a_template_of_ones_own_is_read_from_its_file(desk: Desk, approved: str, tmp_path: Path) -> None:
    template = tmp_path / "mine.toml"
    template.write_text('header = false\nencoding = "ascii"\n[[columns]]\nfield = "amount"\n')

    desk.well("settlements", "export", approved, "--to", str(tmp_path / "a.csv"), "--table", str(template), "--yes")

    assert (tmp_path / "a.csv").read_bytes() == b"50.00\r\n"
    missing = desk.bo("settlements", "export", approved, "--to", "x", "--table", str(tmp_path / "none"), "--yes")
    assert missing.code == 65


def test_a_bundle_is_a_folder_or_a_zip_of_the_same_files(desk: Desk, approved: str, tmp_path: Path) -> None:
    # when
    desk.well("settlements", "bundle", approved, "--to", str(tmp_path / "b"))
    desk.well("settlements", "bundle", approved, "--to", str(tmp_path / "one.zip"))
    desk.well("settlements", "bundle", approved, "--to", str(tmp_path / "two.zip"))

    # then
    files = {path.relative_to(tmp_path / "b").as_posix(): path.read_bytes() for path in (tmp_path / "b").rglob("*.*")}
    assert [Path(name).suffix for name in sorted(files)] == [".csv", ".eml", ".pdf"]
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == files
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_a_bundle_takes_the_place_of_nothing(desk: Desk, approved: str, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()

    ran = desk.bo("settlements", "bundle", approved, "--to", str(tmp_path / "b"))

    assert ran.code == 65
    assert list((tmp_path / "b").iterdir()) == []


def test_who_may_not_read_operators_sees_what_they_are_called(desk: Desk, approved: str) -> None:
    desk.well("operators", "edit", "fin", "--name", "方 Fang", "--yes")

    shown = desk.well("settlements", "show", approved, "-o", "table", "--as", "anna").out
    listed = desk.well("settlements", "list", "-o", "table", "--as", "anna").out
    as_json = desk.well("settlements", "show", approved, "-o", "json", "--as", "anna").thing()

    assert "方 Fang" in shown
    assert "方 Fang" in listed
    assert str(as_json["created_by"]).startswith("oper_")
    assert "fin" in desk.well("settlements", "show", approved, "-o", "table").out
