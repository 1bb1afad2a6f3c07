"""Who sees what over HTTP: each role what its scopes say, and of anything else not even that it is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from bo.core.access.permissions import STANDARD_ROLES
from bo.core.kernel import journal
from bo.core.kernel.command import Registry
from bo.core.kernel.record import declared_records
from bo.core.office import registry
from tests.sync.desk import Desk, code_of, furnish
from tests.sync.stage import Stage

LEAD = {"name": "李雷", "phone": "13800138000", "city": "上海"}


@pytest.fixture
def desk(stage: Stage) -> Desk:
    return Desk(stage)


@pytest.fixture
def one_desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk on one database, for what has nothing to do with which."""
    stage = Stage(tmp_path)
    yield Desk(stage)
    stage.close()


def test_each_role_reads_what_its_scopes_say_and_nothing_else(one_desk: Desk) -> None:
    """Every list, record and history, for every role, at headquarters and in a shop, against what the roles and the
    rows themselves say."""
    furnish(one_desk.stage)
    rows = _rows_by_noun(one_desk)
    for role, permissions in STANDARD_ROLES.items():
        for store in (None, "S1"):
            login = f"{role}-{store}"
            one_desk.hire(login, role, store)
            me = f"operator:{one_desk.operators[login]}"
            sight = {"shared", "everyone", me, f"store:{one_desk.stage.store(store)}"} if store else None
            for noun, scopes in {**rows, "operators": rows["operators"] | {one_desk.operators[login]: me}}.items():
                if not {"*", f"{noun}.*", f"{noun}.read"} & set(permissions):
                    assert code_of(one_desk.get(f"/{noun}", login)) == (403, "not_allowed"), (login, noun)
                    assert code_of(one_desk.get(f"/{noun}/x", login)) == (403, "not_allowed"), (login, noun)
                    continue
                wanted = {row for row, scope in scopes.items() if sight is None or scope in sight}
                found = one_desk.get(f"/{noun}?fields=id&limit=1000", login).json()["rows"]
                assert wanted == {row["id"] for row in found} & (set(scopes) | wanted), (login, noun)
                _require_same_of_each(one_desk, login, noun, wanted, set(scopes) - wanted)


def _rows_by_noun(desk: Desk) -> dict[str, dict[str, str]]:
    """All rows there are: their scopes by id."""
    nouns = [noun for noun, info in declared_records().items() if info.cls.__module__.startswith("bo.")]
    found = {noun: desk.get(f"/{noun}?fields=id,scope&limit=1000").json()["rows"] for noun in nouns}
    return {noun: {row["id"]: row["scope"] for row in rows} for noun, rows in found.items()}


def _require_same_of_each(desk: Desk, login: str, noun: str, seen: set[str], unseen: set[str]) -> None:
    for row in sorted(seen)[:2]:
        assert desk.get(f"/{noun}/{row}", login).json()["id"] == row
        assert desk.get(f"/{noun}/{row}/history", login).status_code == 200
    for row in sorted(unseen)[:2]:
        for path in (f"/{noun}/{row}", f"/{noun}/{row[-6:]}", f"/{noun}/{row}/history"):
            assert code_of(desk.get(path, login)) == (404, "not_found"), (login, path)


def test_the_lead_of_another_shop_is_told_as_one_that_does_not_exist(desk: Desk) -> None:
    """Every path to a record, also by its key and the ends of its id, for the operator of another shop."""
    leads = furnish(desk.stage)
    commands = registry().load_all()
    foreign, own, nobody = leads["S2"], leads["S1"], "lead_" + "0" * 26
    head = desk.head()
    for text, other in (
        (foreign, nobody), (foreign[-6:], "zzzzzz"), (foreign[-3:], "zzz"), ("N-S2", "N-S9"), (leads[""], nobody)
    ):  # fmt: skip
        for path in ("/leads/{}", "/leads/{}/history", *_query_paths(commands)):
            told, unknown = (desk.get(path.format(quote(item)), "anna") for item in (text, other))
            assert told.status_code in (403, 404), path
            assert _renamed(told.text, text, other) == unknown.text
        for command in commands.commands_of("leads"):
            if command.subject is None:
                continue
            body = {param.name: _some_value(param.kind.name, own) for param in command.params if param.required}
            told, unknown = (
                desk.post(f"/leads/{quote(item)}/{command.verb}", "anna", json=body) for item in (text, other)
            )
            assert told.status_code in (400, 403, 404, 422), command.name
            assert _renamed(told.text, text, other) == unknown.text
    assert desk.head() == head


def test_an_operation_of_another_shop_is_told_as_one_that_does_not_exist(desk: Desk) -> None:
    furnish(desk.stage)
    own = f"operator:{desk.stage.operator('anna')}"
    head, sight = desk.head(), {"shared", "everyone", own, f"store:{desk.stage.store('S1')}"}
    for operation in desk.stage.office.operations(limit=100):
        for text in (operation.id, operation.id[-6:]):
            told = desk.post("/op/undo?dry_run=1", "anna", json={"operation": text})
            unknown = desk.post("/op/undo?dry_run=1", "anna", json={"operation": "zzzzzz"})
            if told.status_code == 404:
                assert _renamed(told.text, text, "zzzzzz") == unknown.text
            else:  # something in their own shop
                assert told.status_code in (200, 403, 409)
                changes = journal.changes_of(desk.stage.office.database.session, operation.seq)
                assert {change.scope_after for change in changes} <= sight
    assert desk.head() == head


def _renamed(words: str, text: str, other: str) -> str:
    return re.sub(rf"(?<![0-9a-z_]){re.escape(text)}(?![0-9a-z_])", other, words)


def _query_paths(commands: Registry) -> list[str]:
    return [f"/leads/{{}}/{item.verb}" for item in commands.queries.values() if item.noun == "leads" and item.subject]


def _some_value(kind: str, lead: str) -> object:
    values = {"ref": lead, "amount": "1", "moment": "2026-11-03T02:00:00Z", "day": "2026-11-03", "choice": "other"}
    return values.get(kind, "x")


def test_no_answer_to_a_shop_holds_a_word_of_another(desk: Desk) -> None:
    """Everything that can be read, and every error met on the way, byte by byte."""
    leads = furnish(desk.stage)
    paths = [
        f"/{noun}{tail}"
        for noun, info in declared_records().items()
        if info.cls.__module__.startswith("bo.")
        for tail in ("", "?fields=all", f"/{leads['S1']}", "/N-S2", "/C2")
    ]
    commands = registry().load_all()
    paths += [
        f"/{query.noun}/{query.verb}" if query.subject is None else f"/{query.noun}/{leads['S1']}/{query.verb}"
        for query in commands.queries.values()
    ]
    paths += [
        f"/leads/{leads['S1']}/history",
        "/leads?filter=S2",
        "/leads?filter=store:S2",
        "/leads?filter=phone:13800138002",
    ]
    secret = (
        "S2的客户",
        "8002",
        "called S2",
        "words about S2",
        leads["S2"],
        "13500135002",
        "客户二",
        leads[""],
        "words about HQ",
    )
    for path in paths:
        text = desk.get(path, "anna").text.replace(path, "")
        assert [word for word in secret if word in text] == [], path


def test_a_hidden_field_is_in_no_answer(desk: Desk) -> None:
    leads = furnish(desk.stage)
    lead, referrer = leads["S1"], desk.get("/referrers/D1").json()["id"]
    for path in (
        "/leads",
        "/leads?fields=all",
        f"/leads/{lead}",
        f"/leads/{lead}/history",
        f"/leads/{lead}/duplicates",
    ):
        answer = desk.get(path, "anna")
        assert (answer.status_code, referrer in answer.text) == (200, False), path
        assert referrer in desk.get(path, "hugo").text or "duplicates" in path
    assert code_of(desk.get("/leads?fields=referrer", "anna")) == (403, "not_allowed")
    assert code_of(desk.get("/leads?filter=referrer:D1", "anna")) == (403, "not_allowed")
    made = desk.post("/leads/report", "anna", json={**LEAD, "referrer": "D1"})
    assert referrer not in made.text


def test_what_leaves_the_sight_of_a_shop_is_not_told(desk: Desk) -> None:
    lead = desk.stage.lead()
    desk.stage.office.do("leads.accept", lead)
    desk.stage.office.do("leads.assign", lead, store="S1")
    declined = desk.post(f"/leads/{lead}/decline", "anna", json={"reason": "no_capacity", "note": "full"}, key="k")
    again = desk.post(f"/leads/{lead}/decline", "anna", json={"reason": "no_capacity", "note": "full"}, key="k")
    assert (declined.json()["status"], declined.json()["changes"]) == ("applied", [])
    assert again.json() == {**declined.json(), "status": "repeated"}
