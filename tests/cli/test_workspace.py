"""Making an office, how it stands, settings, help, and the doctor."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import ROLES, Desk, process


def test_a_new_office_has_its_first_operator_and_says_what_comes_next(tmp_path: Path) -> None:
    ran = process(
        "init", str(tmp_path / "new"), "--region", "de", "--operator", "eva", "--name", "Eva", "-o", "jsonl",
        env={"BO_WORKSPACE": ""},
    )  # fmt: skip

    assert ran.returncode == 0
    assert '"region":"DE","currency":"EUR","zone":"Europe/Berlin","operator":"eva"' in ran.stdout
    listed = process("-w", str(tmp_path / "new"), "operators", "list", "--fields", "login,name,roles")
    assert listed.stdout == "login\tname\troles\neva\tEva\tadmin\n"


def test_an_office_is_made_where_there_is_no_desktop_and_no_home(tmp_path: Path) -> None:
    ran = process(
        "init", str(tmp_path / "new"), "--operator", "x",
        env={"HOME": "/nonexistent", "DISPLAY": "", "DBUS_SESSION_BUS_ADDRESS": "", "TERM": "dumb"},
    )  # fmt: skip

    assert ran.returncode == 0
    assert "The office is ready" in ran.stderr


def test_an_office_is_not_made_over_another(desk: Desk) -> None:
    before = (desk.folder / "office.db").read_bytes()

    ran = desk.bo("init", str(desk.folder))

    assert ran.code == 78
    assert (desk.folder / "office.db").read_bytes() == before


@pytest.mark.parametrize("wrong", [("--region", "Germany"), ("--currency", "EURO"), ("--zone", "Mars/Base")])
def test_wrong_surroundings_are_refused_before_anything_is_made(
    desk: Desk, tmp_path: Path, wrong: tuple[str, ...]
) -> None:
    ran = desk.bo("init", str(tmp_path / "new"), *wrong)

    assert ran.code == 78
    assert not (tmp_path / "new").exists()


def test_the_status_counts_what_is_there(desk: Desk) -> None:
    desk.well("leads", "report", "--name", "王芳", "--phone", "13800138000", "-q")

    found = desk.well("status", "-o", "json").thing()

    assert found["operator"] == "ann"
    assert found["records"] == {"roles": ROLES, "operators": 1, "leads": 1}
    assert found["leads_by_state"] == {"pending_review": 1}
    assert found["last_operation"] == "leads.report"


def test_a_setting_says_where_it_comes_from(desk: Desk) -> None:
    file = str(desk.folder / "bo.toml")

    assert desk.well("config", "explain", "operator").lines()[1] == f"operator\tann\t{file}\ttrue"
    desk.monkeypatch.setenv("BO_OPERATOR", "bob")
    assert desk.well("config", "explain", "operator").lines()[1:3] == [
        "operator\tbob\tBO_OPERATOR\ttrue",
        f"operator\tann\t{file}\tfalse",
    ]
    assert desk.well("config", "explain", "operator", "--as", "eve").lines()[1] == "operator\teve\tflag\ttrue"
    assert desk.bo("config", "explain", "colour").code == 2


def test_the_users_own_file_names_a_workspace(desk: Desk, tmp_path: Path) -> None:
    from bo.cli.settings import user_file

    user_file().parent.mkdir(parents=True)
    user_file().write_text(f'workspace = "{desk.folder.as_posix()}"\n', "utf-8")
    desk.monkeypatch.delenv("BO_WORKSPACE")
    desk.monkeypatch.chdir(tmp_path)

    assert desk.well("roles", "count").out == f"{ROLES}\n"


@pytest.mark.parametrize(
    "text",
    ['# mine\n\noperator = "ann"\n', "[more]\nx = 1\n", "operator = 'ann' # who\n", 'operator = "a\\u006en"\n'],
)
def test_settings_are_read_as_toml_says(tmp_path: Path, text: str) -> None:
    import tomllib

    from bo.cli.settings import read_file

    (tmp_path / "bo.toml").write_text(text, "utf-8")

    wanted = {name: value for name, value in tomllib.loads(text).items() if isinstance(value, str)}
    assert read_file(tmp_path / "bo.toml") == wanted


def test_a_settings_file_that_cannot_be_read_is_told(desk: Desk) -> None:
    (desk.folder / "bo.toml").write_text("operator = \n", "utf-8")

    ran = desk.bo("roles", "list")

    assert ran.code == 78
    assert "bo.toml cannot be read" in ran.err


def test_an_office_without_settings_asks_who_acts_rather_than_letting_anybody(desk: Desk) -> None:
    (desk.folder / "bo.toml").unlink()

    assert desk.bo("roles", "list").code == 78
    assert desk.bo("roles", "list", "--as", "ann").code == 0


def test_the_doctor_finds_a_sound_office_sound(desk: Desk) -> None:
    results = {line.split("\t")[0]: line.split("\t")[1] for line in desk.bo("doctor").lines()[1:]}

    assert {name for name, result in results.items() if result != "ok"} <= {"terminal", "locale"}
    assert {"sqlite", "schema", "integrity", "journal", "clock", "settings"} <= set(results)


def test_the_doctor_names_roles_that_somebody_edited_and_that_lack_what_came_later(desk: Desk) -> None:
    desk.well("roles", "edit", "reviewer", "--permissions", "leads.read", "--yes")

    ran = desk.well("doctor")

    assert "roles\tnote\treviewer lack permissions that came later: bo roles missing" in ran.out
    missing = [line.split("\t") for line in desk.well("roles", "missing").lines()[1:]]
    assert {line[0] for line in missing} == {"reviewer"}
    desk.well("roles", "grant", "reviewer", *(word for line in missing for word in ("--permissions", line[1])), "--yes")
    assert "roles\tok\t" in desk.well("doctor").out


def test_the_doctor_sees_a_journal_that_was_edited(desk: Desk) -> None:
    from bo.core.kernel.database import SqliteDatabase

    database = SqliteDatabase(desk.folder / "office.db")
    with database.writing() as session:
        session.cursor.execute("UPDATE operation SET args = '{}' WHERE seq = 3")
    database.close()

    ran = desk.bo("doctor")

    assert ran.code == 1
    assert "journal\tproblem\tthe journal has been altered at operation 3" in ran.out


def test_the_doctor_says_when_there_is_no_office(desk: Desk, tmp_path: Path) -> None:
    ran = desk.bo("doctor", "-w", str(tmp_path))

    assert ran.code == 1
    assert "workspace\tproblem\t" in ran.out


def test_help_explains_every_exit_code_once(desk: Desk) -> None:
    from bo.cli.exit_codes import MEANINGS

    page = desk.well("help", "exit-codes").out

    codes = [int(line.split()[0]) for line in page.splitlines() if line[:5].strip().isdigit()]
    assert codes == [code for code, _meaning in MEANINGS]
    assert len(codes) == len(set(codes))


def test_help_shows_topics_commands_and_groups(desk: Desk) -> None:
    assert "sort:-created" in desk.well("help", "filter").out
    assert "jsonl" in desk.well("help", "output").out
    assert desk.well("help", "leads", "accept").out == desk.well("leads", "accept", "--help").out
    assert "explain" in desk.well("help", "config").out
    assert desk.bo("help", "nothing").code == 2
    assert desk.bo("help", "leads", "accept", "more").code == 2


def test_the_screen_needs_a_terminal(desk: Desk) -> None:
    assert desk.bo("tui").code == 2
