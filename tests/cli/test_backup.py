"""Backups from the command line."""

from __future__ import annotations

from pathlib import Path

from tests.cli.running import ROLES, Desk


def test_a_backup_brings_the_office_back(desk: Desk, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    made = desk.well("backup", "create", str(copy), "-o", "json").thing()
    desk.well("roles", "add", "--code", "later", "-q")

    verified = desk.well("backup", "verify", str(copy), "-o", "json").thing()
    assert desk.bo("backup", "restore", str(copy)).code == 2
    assert desk.well("roles", "count", "code:later").out == "1\n"
    desk.well("backup", "restore", str(copy), "--yes", "-q")

    assert (verified["operations"], verified["head"]) == (made["operations"], made["head"])
    assert desk.well("roles", "count", "code:later").out == "0\n"
    (kept,) = (desk.folder / "backups").glob("before-restore-*.db")
    desk.well("backup", "restore", str(kept), "--yes", "-q")
    assert desk.well("roles", "count", "code:later").out == "1\n"


def test_a_backup_is_restored_into_a_new_folder(desk: Desk, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    desk.well("backup", "create", str(copy), "-q")

    desk.well("backup", "restore", str(copy), "-w", str(tmp_path / "again"), "--yes", "-q")

    assert desk.well("roles", "count", "-w", str(tmp_path / "again"), "--as", "ann").out == f"{ROLES}\n"


def test_a_dry_run_of_restore_only_verifies(desk: Desk, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    desk.well("backup", "create", str(copy), "-q")
    desk.well("roles", "add", "--code", "later", "-q")

    desk.well("backup", "restore", str(copy), "--dry-run", "-q")

    assert desk.well("roles", "count", "code:later").out == "1\n"


def test_the_usual_place_is_beside_the_office(desk: Desk) -> None:
    made = desk.well("backup", "create", "-o", "json").thing()

    assert Path(str(made["path"])).parent == desk.folder / "backups"


def test_who_may_not_see_everything_makes_no_copy_of_it(desk: Desk, tmp_path: Path) -> None:
    desk.well("operators", "add", "--login", "eve", "--roles", "auditor", "-q")

    assert desk.bo("backup", "create", str(tmp_path / "x.db"), "--as", "eve").code == 77
    assert not (tmp_path / "x.db").exists()
