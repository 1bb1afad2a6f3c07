"""What rules did, on the command line: told after the command, in histories and before an undo; and caught up with."""

from __future__ import annotations

import pytest

from bo.core.office import open_office
from tests.cli.laptop import Laptop
from tests.cli.running import Desk


@pytest.fixture
def ruled(desk: Desk) -> Desk:
    """An office in which every new role is given a note."""
    with open_office(desk.folder) as office:
        given = {"code": "noted", "on": "roles.add", "then": "roles.edit", "arguments": {"note": "{code}!"}}
        office.do("automation_rules.add", **given)
    return desk


def test_what_followed_is_told_after_the_command(ruled: Desk) -> None:
    ran = ruled.well("roles", "add", "--code", "helper")

    assert "rules ran 1 commands, 0 were refused; bo automation-rules runs shows them" in ran.err
    assert ruled.well("roles", "list", "code:helper", "--fields", "note").lines()[1] == "helper!"
    assert ruled.well("roles", "list", "-q").err == ""


def test_histories_say_which_rule_and_after_what(ruled: Desk) -> None:
    operation = str(ruled.well("roles", "add", "--code", "helper", "-o", "json").thing()["operation"])

    table = ruled.well("roles", "history", "helper", "-o", "table").lines()
    assert f"ann, by rule noted after {operation[-6:]}" in table[1]
    assert "by rule" not in table[2]
    assert f"ann, by rule noted after {operation[-6:]}" in ruled.well("op", "log", "--limit", "1", "-o", "table").out
    newest, first = ruled.well("roles", "history", "helper", "-o", "json").things()
    assert newest["actor"] == "ann"
    assert str(newest["cause"]).startswith(f"{operation}/arul_")
    assert first["cause"] == ""
    shown = ruled.well("op", "show", str(newest["operation"]), "-o", "json").thing()
    assert shown["cause"] == newest["cause"]


def test_an_undo_says_what_stays(ruled: Desk) -> None:
    operation = str(ruled.well("roles", "add", "--code", "helper", "-o", "json").thing()["operation"])

    ran = ruled.bo("undo", operation, "-y")

    assert "a rule did roles.edit role_" in ran.err
    assert "because of it, which stays: bo undo " in ran.err


def test_what_was_cut_off_is_caught_up_with(ruled: Desk) -> None:
    with open_office(ruled.folder) as office:
        office.after = None
        office.do("roles.add", code="helper")

    assert ruled.well("automation", "run", "-o", "json").thing() == {"applied": 1, "unchanged": 0, "refused": 0}
    assert ruled.well("automation", "run", "-o", "json").thing() == {"applied": 0, "unchanged": 0, "refused": 0}
    assert ruled.well("roles", "list", "code:helper", "--fields", "note").lines()[1] == "helper!"


def test_who_may_not_run_rules_does_not(ruled: Desk) -> None:
    ruled.well("operators", "add", "--login", "bea", "--roles", "auditor", "-q")

    assert ruled.bo("automation", "run", "--as", "bea").code == 77


def test_a_device_runs_none(laptop: Laptop) -> None:
    laptop.joined("hugo")

    ran = laptop.bo("automation", "run")

    assert (ran.code, "not on a device" in ran.err) == (76, True)
