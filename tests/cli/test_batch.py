"""`bo batch`: lines in, results out, in the same order."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.running import ROLES, Desk


def lines(*commands: object) -> str:
    return "\n".join(item if isinstance(item, str) else json.dumps(item) for item in commands)


def add(code: str, **more: object) -> dict[str, object]:
    return {"command": "roles.add", "args": {"code": code}, **more}


def test_each_line_has_its_result_in_order(desk: Desk) -> None:
    ran = desk.bo("batch", "-", stdin=lines(add("a"), add("a"), "{broken", "", add("b")))

    assert ran.code == 3
    results = ran.things()
    assert [(item["line"], item["outcome"]) for item in results] == [
        (1, "applied"),
        (2, "refused"),
        (3, "refused"),
        (5, "applied"),
    ]
    broken = results[2]["error"]
    assert isinstance(broken, dict)
    assert broken["code"] == "bad_input"
    assert desk.well("roles", "count").out == f"{ROLES + 2}\n"


def test_a_command_that_is_not_there_is_refused_like_any_other(desk: Desk) -> None:
    ran = desk.bo("batch", "-", stdin=lines({"command": "roles.frobnicate"}, add("a")))

    assert ran.code == 3
    error = ran.things()[0]["error"]
    assert isinstance(error, dict)
    assert error["message"] == "there is no command roles.frobnicate"


def test_all_refused_alike_has_that_code(desk: Desk) -> None:
    assert desk.bo("batch", "-", stdin=lines(add("admin"), add("store"))).code == 76
    assert desk.bo("batch", "-", stdin="[1]\n").code == 65
    assert desk.bo("batch", "-", stdin="").code == 0


def test_atomic_keeps_all_or_nothing(desk: Desk) -> None:
    before = desk.operations()

    assert desk.bo("batch", "-", "--atomic", stdin=lines(add("a"), add("admin"))).code == 76
    assert desk.bo("batch", "-", "--atomic", stdin=lines(add("a"), "{broken")).code == 65
    assert desk.operations() == before
    assert desk.bo("batch", "-", "--atomic", stdin=lines(add("a"), add("b"))).code == 0
    assert desk.operations() == before + 2


def test_a_key_makes_sending_again_harmless(desk: Desk) -> None:
    sent = lines(add("a", key="one"), add("b", key="two"))

    first, second = desk.well("batch", "-", stdin=sent).things(), desk.well("batch", "-", stdin=sent).things()

    assert [item["outcome"] for item in second] == ["repeated", "repeated"]
    assert [item["operation"] for item in first] == [item["operation"] for item in second]


def test_an_id_that_is_none_is_refused(desk: Desk) -> None:
    before = desk.operations()

    assert desk.bo("batch", "-", stdin=lines(add("a", id="mine"))).code == 2
    assert desk.bo("batch", "-", stdin=lines(add("a", id="op_" + "0" * 26, key="x"))).code == 2
    assert desk.operations() == before


def test_chunks_and_files_come_to_the_same(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "commands.jsonl"
    file.write_text(lines(*(add(f"r{number}") for number in range(7))), "utf-8")

    assert len(desk.well("batch", str(file), "--chunk", "3").things()) == 7
    assert desk.well("roles", "count").out == f"{ROLES + 7}\n"
    assert desk.bo("batch", str(tmp_path / "missing")).code == 65


def test_a_dry_run_changes_nothing(desk: Desk) -> None:
    before = desk.operations()

    (result,) = desk.well("batch", "-", "--dry-run", stdin=lines(add("a"))).things()

    assert result["dry_run"] is True
    assert desk.operations() == before
