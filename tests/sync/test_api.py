"""HTTP for programs: what an endpoint does, what a key promises, and what nobody is told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import anyio
import httpx
import pytest

from bo.core.office import context_for, create, open_office
from bo.sync.central import Caller, Central
from bo.sync.programs import operation_for
from tests.cli.running import Desk as Shell
from tests.sync.desk import Desk, code_of, furnish
from tests.sync.stage import Stage

LEAD: Final = {"name": "李雷", "phone": "13800138000", "city": "上海", "budget": "1,234.50"}
HOSTILE_IDS: Final = ("%", "_", "*", "'", "\\", "{x}", "{", "a/b", "\0", "a\0b", " ", "ü", "\u202e", "x" * 10_000)
HOSTILE_BODIES: Final = {
    "not JSON": (b"{", 400, "usage"),
    "a list": (b"[]", 400, "usage"),
    "a text": (b'"name"', 400, "usage"),
    "not UTF-8": (b'{"name": "\xff"}', 400, "usage"),
    "half a character": (b'{"name": "\\ud800"}', 400, "usage"),
    "no number": (b'{"budget": NaN}', 400, "usage"),
    "too large a number": (b'{"budget": 1e999}', 400, "usage"),
    "one name twice": (b'{"name": "a", "name": "b"}', 400, "usage"),
    "one name twice, inside": (b'{"name": "a", "extra": {"x": "1", "x": "2"}}', 400, "usage"),
    "nested deeply": (b'{"extra": ' + b"[" * 50_000 + b"]" * 50_000 + b"}", 400, "usage"),
    "nested": (b'{"extra": ' + b"[" * 40 + b"]" * 40 + b"}", 400, "usage"),
    "thousands of digits": (b'{"budget": ' + b"9" * 5_000 + b"}", 400, "usage"),
    "many digits": (b'{"budget": ' + b"9" * 30 + b"}", 422, "bad_value"),
    "a fraction": (b'{"budget": 1.5}', 422, "bad_value"),
    "NUL": (b'{"extra": {"x": "\\u0000"}}', 422, "bad_value"),
    "a book": (b'{"note": "' + b"x" * 50_000 + b'"}', 422, "bad_value"),
    "another sort": (b'{"phone": ["13800138000"]}', 422, "bad_value"),
    "an unknown argument": (b'{"nmae": "a"}', 400, "usage"),
    "no phone": (b'{"phone": "12"}', 422, "bad_value"),
    "nobody's lead": (b'{"name": "a", "wanted_store": "S9"}', 404, "not_found"),
}


@pytest.fixture
def desk(stage: Stage) -> Desk:
    return Desk(stage)


@pytest.fixture
def one_desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk on one database, for what has nothing to do with which."""
    stage = Stage(tmp_path)
    yield Desk(stage)
    stage.close()


# -- commands ----------------------------------------------------------------------------------------------------------


def test_a_command_is_carried_out_and_says_what_changed(desk: Desk) -> None:
    reported = desk.post("/leads/report", json=LEAD).json()
    lead = reported["returned"]
    accepted = desk.post(f"/leads/{lead[-6:]}/accept")
    assert (reported["status"], reported["subject"]) == ("applied", None)
    assert reported["changes"][0]["changed"]["budget"] == [None, "1234.50"]
    assert accepted.status_code == 200
    said = accepted.json()
    assert (said["status"], said["subject"], said["returned"]) == ("applied", lead, lead)
    assert said["operation"].startswith("op_")
    (change,) = said["changes"]
    assert (change["noun"], change["id"], change["changed"]["state"]) == ("leads", lead, ["pending_review", "valid"])


def test_a_refusal_is_a_problem_with_the_code_of_the_command_line(desk: Desk) -> None:
    lead = desk.stage.lead()
    desk.post(f"/leads/{lead}/accept")
    head = desk.head()
    refused = desk.post(f"/leads/{lead}/accept")
    assert code_of(refused) == (409, "wrong_state")
    problem = refused.json()
    assert problem["detail"] == f"lead {lead[-6:]}: not possible while it is valid"
    assert problem["hint"] == "It must be pending_review."
    assert problem["facts"]["state"] == "valid"
    assert desk.head() == head


def test_who_may_not_is_refused(desk: Desk) -> None:
    lead, head = desk.stage.lead(), desk.head()
    assert code_of(desk.post(f"/leads/{lead}/accept", "anna")) == (403, "not_allowed")
    assert code_of(desk.get("/settlements", "anna")) == (403, "not_allowed")
    assert code_of(desk.get("/leads", "nobody")) == (401, "logged_out")
    assert desk.head() == head


def test_a_device_that_is_shut_out_gets_nothing(desk: Desk) -> None:
    async def revoked(_request: object) -> tuple[Central, Caller]:
        return desk.stage.central, Caller(desk.operators["anna"], "dev_x", revoked=True)

    endpoint = desk.app.routes[0].routes[0].app  # type: ignore[attr-defined]
    endpoint.authenticated = revoked
    assert code_of(desk.get("/leads")) == (403, "revoked")


def test_a_dry_run_tells_the_result_and_changes_nothing(desk: Desk) -> None:
    head = desk.head()
    said = desk.post("/leads/report?dry_run=true", json=LEAD, key="dry").json()
    assert (said["status"], said["operation"], said["dry_run"]) == ("applied", None, True)
    assert said["changes"][0]["changed"]["name"] == [None, "李雷"]
    assert (desk.head(), desk.get("/leads").json()["rows"]) == (head, [])
    assert desk.post("/leads/report", json=LEAD, key="dry").json()["status"] == "applied"


def test_an_undo_is_a_command_like_others(desk: Desk) -> None:
    lead = desk.stage.lead()
    done = desk.post(f"/leads/{lead}/accept").json()
    undone = desk.post("/op/undo", json={"operation": done["operation"]})
    assert undone.json()["changes"][0]["changed"]["state"] == ["valid", "pending_review"]
    assert code_of(desk.get("/op")) == (404, "not_found")


# -- keys --------------------------------------------------------------------------------------------------------------


def test_the_same_key_again_gives_the_result_it_had(desk: Desk) -> None:
    first = desk.post("/leads/report", json=LEAD, key="order-4711").json()
    head = desk.head()
    turned_round = dict(reversed(LEAD.items()))
    again = desk.post("/leads/report", json=turned_round, key='"order-4711"').json()
    assert again == {**first, "status": "repeated"}
    assert desk.head() == head


def test_the_same_key_for_another_call_is_refused(desk: Desk) -> None:
    desk.post("/leads/report", json=LEAD, key="k")
    head = desk.head()
    for path, body in (("/leads/report", {**LEAD, "name": "韩梅"}), ("/stores/add", {"code": "S3", "name": "x"})):
        assert code_of(desk.post(path, json=body, key="k")) == (422, "key_reused")
    assert desk.head() == head


def test_the_keys_of_two_operators_never_meet(desk: Desk) -> None:
    one = desk.post("/leads/report", "boss", json=LEAD, key="k").json()
    other = desk.post("/leads/report", "hugo", json={"name": "韩梅", "phone": "13900139000"}, key="k").json()
    assert (one["status"], other["status"]) == ("applied", "applied")
    of = {operation_for(*parts) for parts in (("a", "b", "k"), ("ab", "", "k"), ("a", "", "bk"), ("b", "a", "k"))}
    assert len(of) == 4


def test_what_a_rule_refused_stays_refused_under_its_key(desk: Desk) -> None:
    lead = desk.stage.lead()
    refused = desk.post(f"/leads/{lead}/take", key="k")
    desk.post(f"/leads/{lead}/accept")
    desk.post(f"/leads/{lead}/assign", json={"store": "S1"})
    head = desk.head()
    again = desk.post(f"/leads/{lead}/take", key="k")
    assert code_of(refused) == code_of(again) == (409, "wrong_state")
    assert again.json() == refused.json()
    assert code_of(desk.post(f"/leads/{desk.stage.lead(phone='13700137000')}/take", key="k")) == (422, "key_reused")
    assert desk.post(f"/leads/{lead}/take", key="another").json()["status"] == "applied"
    assert desk.head() == head + 2


def test_nothing_to_do_stays_nothing_to_do_under_its_key(desk: Desk) -> None:
    lead = desk.stage.lead()
    same = {"name": "李雷"}
    first = desk.post(f"/leads/{lead}/edit", json=same, key="k").json()
    desk.post(f"/leads/{lead}/edit", json={"name": "韩梅"})
    again = desk.post(f"/leads/{lead}/edit", json=same, key="k").json()
    assert (first["status"], first["operation"]) == ("unchanged", None)
    assert again == first
    assert desk.get(f"/leads/{lead}").json()["name"] == "韩梅"


def test_what_could_not_be_read_can_be_put_right_under_the_same_key(desk: Desk) -> None:
    assert code_of(desk.post("/leads/report", json={**LEAD, "phone": "12"}, key="k")) == (422, "bad_value")
    assert desk.post("/leads/report", json=LEAD, key="k").json()["status"] == "applied"


@pytest.mark.parametrize("key", ["", '"', "x" * 256, "a\tb", "a\x7fb"])
def test_a_key_that_is_none_is_refused(one_desk: Desk, key: str) -> None:
    head = one_desk.head()
    headers = httpx.Headers([(b"idempotency-key", key.encode("latin-1"))])
    response = one_desk.send("POST", "/leads/report", json=LEAD, headers=dict(headers))
    assert (response.status_code, one_desk.head()) == ((400, head) if key != '"' else (200, head + 1))


def test_sixteen_at_once_under_one_key_have_one_effect(desk: Desk) -> None:
    async def all_at_once() -> list[httpx.Response]:
        found: list[httpx.Response] = []

        async def one() -> None:
            found.append(await desk.sent("POST", "/leads/report", json=LEAD, headers={"idempotency-key": "k"}))

        async with anyio.create_task_group() as group:
            for _number in range(16):
                group.start_soon(one)
        return found

    head = desk.head()
    said = [response.json() for response in anyio.run(all_at_once)]
    assert sorted(item["status"] for item in said) == ["applied"] + ["repeated"] * 15
    assert len({(item["returned"], item["operation"]) for item in said}) == 1
    assert (desk.head(), len(desk.get("/leads").json()["rows"])) == (head + 1, 1)


# -- batches -----------------------------------------------------------------------------------------------------------


def test_each_call_of_a_batch_has_its_own_result(desk: Desk) -> None:
    calls = [
        {"command": "leads.report", "args": LEAD, "key": "a"},
        {"command": "leads.accept", "subject": "zzzzzz"},
        {"command": "leads.dance"},
        {"command": "leads.report", "args": {"phone": "12"}},
        {"command": "stores.pause", "subject": "S1", "args": {"reason": "moving"}},
    ]
    results = desk.post("/batch", json={"calls": calls}).json()["results"]
    assert [item["status"] for item in results] == ["applied", "refused", "refused", "refused", "applied"]
    codes = [item["error"]["code"] for item in results if "error" in item]
    assert codes == ["not_found", "usage", "bad_value"]
    assert desk.post("/batch", json={"calls": calls[:1]}).json()["results"] == [{**results[0], "status": "repeated"}]


def test_an_atomic_batch_stands_or_falls_together(desk: Desk) -> None:
    head = desk.head()
    calls = [{"command": "leads.report", "args": LEAD, "key": "a"}, {"command": "leads.accept", "subject": "zzzzzz"}]
    refused = desk.post("/batch", json={"calls": calls, "atomic": True})
    assert code_of(refused) == (404, "not_found")
    assert refused.json()["facts"]["place"] == 1
    assert desk.head() == head
    assert desk.post("/leads/report", json=LEAD, key="a").json()["status"] == "applied"


def test_a_batch_under_one_key_is_carried_out_once(desk: Desk) -> None:
    calls = [
        {"command": "leads.report", "args": {"name": str(number), "phone": f"1380013{number:04d}"}}
        for number in range(30)
    ]
    first = desk.post("/batch", json={"calls": calls}, key="night").json()["results"]
    head = desk.head()
    again = desk.post("/batch", json={"calls": calls}, key="night").json()["results"]
    assert again == [{**item, "status": "repeated"} for item in first]
    assert desk.head() == head


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"calls": []},
        {"calls": [{"command": "leads.missed"}] * 1001},
        {"calls": [{}]},
        {"calls": [{"command": "leads.report", "other": 1}]},
        {"calls": [{"command": "leads.report", "args": []}]},
        {"calls": "leads.report"},
        {"calls": [{"command": "leads.report", "args": LEAD, "key": "k"}] * 2},
        {"calls": [{"command": "leads.report", "args": LEAD, "key": ""}]},
        {"calls": [{"command": "leads.report", "args": LEAD}], "atomic": "yes"},
    ],
)
def test_a_batch_that_is_none_is_refused(one_desk: Desk, body: dict[str, object]) -> None:
    head = one_desk.head()
    assert code_of(one_desk.post("/batch", json=body)) == (400, "usage")
    assert one_desk.head() == head


# -- reading -----------------------------------------------------------------------------------------------------------


def test_pages_of_a_list_follow_each_other_and_lines_are_all_of_it(desk: Desk) -> None:
    calls = [
        {"command": "leads.report", "args": {"name": str(number), "phone": f"1380013{number:04d}"}}
        for number in range(25)
    ]
    desk.post("/batch", json={"calls": calls})
    names, after = [], ""
    while True:
        query = {"fields": "name", "limit": "10", **({"after": after} if after else {})}
        page = desk.get("/leads", params=query).json()
        names += [row["name"] for row in page["rows"]]
        if page["after"] is None:
            break
        after = page["after"]
    lines = desk.get("/leads?fields=name", headers={"accept": "application/x-ndjson"})
    some = desk.get("/leads?fields=name&limit=7&filter=sort:created_at", headers={"accept": "application/x-ndjson"})
    assert names == [str(number) for number in reversed(range(25))]
    assert lines.headers["content-type"] == "application/x-ndjson"
    assert [json.loads(line)["name"] for line in lines.text.splitlines() if line] == names
    assert len(some.text.split()) == 7


def test_lines_come_page_by_page(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bo.sync.api.STREAM_PAGE", 4)
    calls = [{"command": "leads.report", "args": {"name": str(n), "phone": f"1380013{n:04d}"}} for n in range(10)]
    desk.post("/batch", json={"calls": calls})
    lines = desk.get("/leads?fields=name", headers={"accept": "application/x-ndjson"}).text.split()
    assert [json.loads(line)["name"] for line in lines] == [str(number) for number in reversed(range(10))]


def test_a_record_comes_with_what_can_be_done_with_it(desk: Desk) -> None:
    lead = desk.stage.lead(budget="1234.5")
    found = desk.get(f"/leads/{lead}").json()
    assert (found["id"], found["budget"], found["currency"], found["consent"]) == (lead, "1234.50", "CNY", True)
    assert {"accept", "reject", "request_info"} <= set(found["can"])
    assert "assign" not in found["can"]
    assert desk.get(f"/leads/{lead}?fields=name,state").json() == {"name": "李雷", "state": "pending_review"}
    assert code_of(desk.get(f"/leads/{lead}?fields=nmae")) == (400, "usage")


def test_a_history_says_what_was_done_by_whom(desk: Desk) -> None:
    lead = desk.stage.lead()
    desk.post(f"/leads/{lead}/accept", "hugo")
    rows = desk.get(f"/leads/{lead}/history").json()["rows"]
    assert [(row["name"], row["actor"]) for row in rows] == [("leads.accept", "hugo"), ("leads.report", "boss")]
    assert rows[0]["changed"]["state"] == ["pending_review", "valid"]


def test_queries_are_asked_with_the_query_string(desk: Desk) -> None:
    leads = furnish(desk.stage)
    stages = desk.get("/leads/funnel?by=city").json()["rows"]
    assert [(row["group"], row["reported"], row["order_amount"]) for row in stages] == [("上海", 3, "10000.00")]
    check = desk.get(f"/settlements/{leads['settlement']}/check").json()
    assert (check["agrees"], check["total"], check["currency"]) == (True, "100.00", "CNY")
    statement = desk.get(f"/settlements/{leads['settlement']}/statement?referrer=D1").json()
    assert [line["amount"] for line in statement["lines"]] == ["50.00", "50.00"]
    assert code_of(desk.get("/leads/funnel?by=moon")) == (422, "bad_value")
    assert code_of(desk.get("/leads/funnel?how=city")) == (400, "usage")
    assert code_of(desk.get("/leads/funnel?by=city&by=store")) == (422, "bad_value")
    assert code_of(desk.get(f"/settlements/{leads['settlement']}/statement")) == (400, "usage")


def test_a_file_comes_as_it_is_or_as_json(desk: Desk) -> None:
    leads = furnish(desk.stage)
    path = f"/settlements/{leads['settlement']}/statement_file?referrer=D1"
    as_csv, as_json = desk.get(f"{path}&form=csv"), desk.get(f"{path}&form=csv", headers={"accept": "application/json"})
    assert as_csv.headers["content-type"].startswith("text/csv")
    assert as_csv.headers["content-disposition"].endswith(".csv")
    assert "50.00" in as_csv.text
    assert set(as_json.json()) == {"name", "content", "hash", "payments", "total", "currency", "again"}
    assert desk.get(path).content.startswith(b"%PDF")


def test_what_comes_back_is_what_the_command_line_writes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "office"
    with create(folder, context_for("CN"), operator="boss") as ws:
        boss = ws.actor
        lead = str(ws.do("leads.report", **LEAD, tags=["vip"], extra={"a": "b"}).returned)
        ws.do("leads.accept", lead)
    shell = Shell(folder, capsys, monkeypatch)
    central = Central(lambda: open_office(folder, operator="boss"))

    async def boss_asks(_request: object) -> tuple[Central, Caller]:
        return central, Caller(boss)

    desk = object.__new__(Desk)
    desk.app = _app(boss_asks)
    shown = shell.well("leads", "show", lead, "-o", "json").thing()
    shown["can"] = [str(verb).replace("-", "_") for verb in shown["can"]]  # type: ignore[attr-defined]
    assert desk.get(f"/leads/{lead}").json() == shown
    assert desk.get("/leads").json()["rows"] == shell.well("leads", "list", "-o", "json").things()
    assert desk.get("/leads/funnel").json()["rows"] == shell.well("leads", "funnel", "-o", "json").things()
    told = shell.well("leads", "history", lead, "-o", "json").things()
    assert desk.get(f"/leads/{lead}/history").json()["rows"] == told
    done = shell.well("leads", "edit", lead, "--name", "韩梅", "-n", "-o", "json").thing()
    (change,) = desk.post(f"/leads/{lead}/edit?dry_run=true", json={"name": "韩梅"}).json()["changes"]
    assert change["changed"] == done["changed"]
    central.close()


def _app(authenticated: Callable[[Any], Any]) -> Any:
    from starlette.applications import Starlette
    from starlette.routing import Mount

    from bo.sync import api

    return Starlette(routes=[Mount("/{org}/v1", routes=api.routes(authenticated))])


# -- what comes from outside -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", HOSTILE_IDS, ids=lambda text: ascii(text)[:20])
def test_an_id_that_is_none_is_not_found(desk: Desk, text: str) -> None:
    desk.stage.lead()
    head, escaped = desk.head(), quote(text, safe="")
    for path in (f"/leads/{escaped}", f"/leads/{escaped}/history", f"/leads/{escaped}/duplicates"):
        assert code_of(desk.get(path)) == (404, "not_found")
    assert code_of(desk.post(f"/leads/{escaped}/accept")) == (404, "not_found")
    assert code_of(desk.post(f"/leads/{desk.stage.lead(phone='13700137000')}/assign", json={"store": text})) in (
        (404, "not_found"),
        (422, "bad_value"),
        (400, "usage"),
        (409, "wrong_state"),
    )
    assert desk.head() == head + 1


def test_a_key_with_a_slash_is_found(desk: Desk) -> None:
    lead = desk.stage.lead(number="2026/11/A 1")
    assert desk.get("/leads/2026%2F11%2FA%201").json()["id"] == lead
    assert desk.post("/leads/2026%2F11%2FA%201/accept").json()["subject"] == lead


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/", 404, "not_found"),
        ("GET", "/unicorns", 404, "not_found"),
        ("GET", "/leads/", 404, "not_found"),
        ("GET", "/leads//history", 404, "not_found"),
        ("GET", "/leads/a/b/c", 404, "not_found"),
        ("GET", "/leads/%ff", 400, "usage"),
        ("GET", "/leads/%ED%A0%80", 400, "usage"),
        ("GET", "/leads?filter=%ff", 400, "usage"),
        ("GET", "/leads?nofilter=1", 400, "usage"),
        ("GET", "/leads?limit=0", 422, "bad_value"),
        ("GET", "/leads?limit=10001", 400, "usage"),
        ("GET", "/leads?limit=99999999999999999999", 422, "bad_value"),
        ("GET", "/leads?after=made-up", 400, "usage"),
        ("GET", "/leads?after=W1tbW1tbW1tbW1tbW1tb", 400, "usage"),
        ("GET", "/leads?limit=1&limit=2", 400, "usage"),
        ("GET", "/leads/funnel?" + "&".join(f"p{number}=1" for number in range(5000)), 400, "usage"),
        ("GET", "/leads?filter=" + "x" * 3000, 400, "usage"),
        ("GET", "/leads/x/history?a=1", 400, "usage"),
        ("POST", "/leads", 405, "wrong_method"),
        ("PUT", "/leads/report", 405, "wrong_method"),
        ("DELETE", "/leads/x", 405, "wrong_method"),
        ("GET", "/batch", 405, "wrong_method"),
        ("POST", "/leads/accept", 400, "usage"),
        ("POST", "/leads/x/report", 400, "usage"),
        ("POST", "/leads/report?dry_run=perhaps", 422, "bad_value"),
        ("POST", "/leads/report?dry=1", 400, "usage"),
        ("POST", "/leads/dance", 405, "wrong_method"),
        ("POST", "/leads/x/dance", 404, "not_found"),
        ("GET", "/leads/a%0Ab", 404, "no_route"),
    ],
)
def test_a_path_that_leads_nowhere_is_a_problem(one_desk: Desk, method: str, path: str, status: int, code: str) -> None:
    response = one_desk.send(method, path)
    assert code_of(response) == (status, code)
    assert ("allow" in response.headers) == (status == 405)


@pytest.mark.parametrize("name", HOSTILE_BODIES)
def test_a_body_that_cannot_be_read_is_a_problem_and_changes_nothing(desk: Desk, name: str) -> None:
    body, status, code = HOSTILE_BODIES[name]
    head = desk.head()
    response = desk.post("/leads/report", content=body, headers={"content-type": "application/json"})
    assert code_of(response) == (status, code)
    assert len(response.content) < 4_000
    assert desk.head() == head


def test_a_body_that_is_not_json_by_its_name_is_a_problem(one_desk: Desk) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    response = one_desk.post("/leads/report", content=b"name=a", headers=headers)
    assert code_of(response) == (415, "unknown_media")
