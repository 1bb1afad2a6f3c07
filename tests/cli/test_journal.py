"""The journal on the command line: log, show, history and undo."""

from __future__ import annotations

from tests.cli.running import ROLES, Desk


def add_role(desk: Desk) -> str:
    return str(desk.well("roles", "add", "--code", "helper", "--note", "one", "-o", "json").thing()["operation"])


def test_the_log_says_who_did_what(desk: Desk) -> None:
    add_role(desk)

    newest = desk.well("op", "log", "--limit", "1", "-o", "json").things()[0]

    assert (newest["actor"], newest["name"]) == ("ann", "roles.add")
    assert newest["args"] == {"code": "helper", "note": "one"}
    assert desk.well("op", "log", "--limit", "1", "--fields", "name,actor").out == "name\tactor\nroles.add\tann\n"
    assert desk.bo("op", "log", "--fields", "colour").code == 2


def test_the_log_goes_on_before_a_number(desk: Desk) -> None:
    add_role(desk)
    numbers = [item["seq"] for item in desk.well("op", "log", "-o", "json").things()]

    rest = [item["seq"] for item in desk.well("op", "log", "--before", "3", "-o", "json").things()]

    assert numbers == list(range(len(numbers), 0, -1))
    assert rest == [2, 1]


def test_an_operation_is_shown_with_what_it_changed(desk: Desk) -> None:
    operation = add_role(desk)

    found = desk.well("op", "show", operation[-8:], "-o", "json").thing()

    changes = found["changes"]
    assert isinstance(changes, list)
    assert changes[0]["changed"] == {"code": [None, "helper"], "note": [None, "one"]}
    assert desk.bo("op", "show", "nothing").code == 66


def test_a_records_history_is_newest_first(desk: Desk) -> None:
    add_role(desk)
    desk.well("roles", "edit", "helper", "--note", "two", "-y", "-q")

    found = desk.well("roles", "history", "helper", "-o", "json").things()

    assert [(item["name"], item["changed"]) for item in found] == [
        ("roles.edit", {"note": ["one", "two"]}),
        ("roles.add", {"code": [None, "helper"], "note": [None, "one"]}),
    ]


def test_undo_puts_back_and_says_what(desk: Desk) -> None:
    add_role(desk)
    edit = str(desk.well("roles", "edit", "helper", "--note", "two", "-y", "-o", "json").thing()["operation"])

    dry = desk.well("undo", edit, "--dry-run", "-o", "json").thing()
    assert dry["changed"] == {"note": ["two", "one"]}
    assert desk.well("roles", "list", "code:helper", "--fields", "note").lines()[1] == "two"

    ran = desk.well("undo", edit)
    assert "undo roles.edit role_" in ran.err
    assert desk.well("roles", "list", "code:helper", "--fields", "note").lines()[1] == "one"


def test_what_was_changed_since_is_not_undone(desk: Desk) -> None:
    first = add_role(desk)
    desk.well("roles", "edit", "helper", "--note", "two", "-y", "-q")
    before = desk.operations()

    ran = desk.bo("undo", first, "-o", "json")

    assert ran.code == 76
    assert ran.error()["code"] == "changed_since"
    assert desk.operations() == before


def test_undoing_many_is_asked_about(desk: Desk) -> None:
    sent = '{"command": "roles.add", "args": {"code": "a"}}\n{"command": "roles.add", "args": {"code": "b"}}\n'
    first = desk.well("batch", "-", "--chunk", "2", stdin=sent).things()[0]
    before = desk.operations()

    assert desk.bo("undo", str(first["operation"])).code == 2
    assert desk.operations() == before
    assert desk.well("undo", str(first["operation"]), "-y", "-q").out == ""
    assert desk.well("roles", "count").out == f"{ROLES}\n"
