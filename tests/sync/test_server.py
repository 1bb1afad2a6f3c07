"""What the server answers: to what is malformed, to whom it does not know, to those who wait, and to too many."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import logging
import tracemalloc
import zlib
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from bo.sync import bodies
from bo.sync.limits import Rate
from bo.sync.logs import JsonLines
from bo.sync.protocol import Cursor, Page, Pushed, Ticket
from tests.sync.house import (
    BODY_MOST,
    ORG,
    PASSWORD,
    House,
    hello_body,
    json_as,
    login_body,
    opened,
    pull_body,
    push_body,
    require_problem,
    sync,
    waiting,
)

# -- what is malformed -------------------------------------------------------------------------------------------------

GOOD = push_body("13812345678")
PACKED = gzip.compress(GOOD)
DAMAGED = PACKED[:60] + b"xx" + PACKED[62:]
UNPACKED_LARGE = gzip.compress(b" " * (BODY_MOST + 1))
NESTED = b"[" * 5000 + b"]" * 5000


def digest(body: bytes) -> str:
    return f"sha-256=:{base64.b64encode(sha256(body).digest()).decode()}:"


def changed(**more: object) -> bytes:
    return json.dumps({**json.loads(GOOD), **more}).encode()


def first_changed(**more: object) -> bytes:
    said = json.loads(GOOD)
    said["ops"][0].update(more)
    return json.dumps(said).encode()


MALFORMED: dict[str, tuple[str, bytes, dict[str, str], int, str]] = {
    "no body": ("push", b"", {}, 400, "usage"),
    "not JSON": ("push", b"PK\x03\x04\x00\xff", {}, 400, "usage"),
    "not UTF-8": ("push", GOOD.replace(b"leads.report", b"leads.\xff\xfe"), {}, 400, "usage"),
    "UTF-16": ("push", GOOD.decode().encode("utf-16"), {}, 400, "usage"),
    "cut": ("push", GOOD[:-20], {}, 400, "usage"),
    "two bodies": ("push", GOOD + GOOD, {}, 400, "usage"),
    "a list": ("push", b"[]", {}, 400, "usage"),
    "null": ("push", b"null", {}, 400, "usage"),
    "deeply nested": ("push", b"[" * 500_000, {}, 400, "usage"),
    "deeply nested arguments": ("push", GOOD.replace(b'{"name', b'{"x": ' + NESTED + b', "name'), {}, 400, "usage"),
    "half a character": ("push", GOOD.replace(b"13812345678", b"\\ud800"), {}, 400, "usage"),
    "a field missing": ("push", b'{"schema": "0002", "n": 0}', {}, 400, "usage"),
    "an unknown field": ("push", changed(actor="boss"), {}, 400, "usage"),
    "an unknown field of an operation": ("push", first_changed(actor="boss"), {}, 400, "usage"),
    "another type": ("push", changed(n="1"), {}, 400, "usage"),
    "a time without a zone": ("push", changed(now="yesterday"), {}, 400, "usage"),
    "a number beyond all bounds": ("push", GOOD.replace(b'"n": 1', b'"n": 1e999'), {}, 400, "usage"),
    "fewer than it says": ("push", changed(n=2), {}, 400, "usage"),
    "more than it says": ("push", changed(n=0), {}, 400, "usage"),
    "the same twice": ("push", changed(n=2, ops=json.loads(GOOD)["ops"] * 2), {}, 400, "usage"),
    "no proper id": ("push", first_changed(id="op_1' OR 1=1"), {}, 400, "usage"),
    "no proper batch": ("push", first_changed(batch=""), {}, 400, "usage"),
    "a number that is none": ("push", first_changed(device_seq=0), {}, 400, "usage"),
    "a kind that is not there": ("drop", GOOD, {}, 400, "usage"),
    "a body of another kind": ("pull", GOOD, {}, 400, "usage"),
    "a snapshot from nowhere": ("snapshot", b'{"after": "tokens:1", "schema": "0002"}', {}, 400, "usage"),
    "a snapshot by SQL": ("snapshot", b'{"after": "leads:1;--", "schema": "0002"}', {}, 400, "usage"),
    "a schema of old": ("snapshot", b'{"schema": "0001"}', {}, 426, "old_schema"),
    "a protocol to come": ("hello", hello_body().replace(b"[1]", b"[9]"), {}, 426, "old_schema"),
    "not packed": ("push", GOOD, {"content_encoding": "gzip"}, 400, "bad_encoding"),
    "packed and cut": ("push", PACKED[:-9], {"content_encoding": "gzip"}, 400, "bad_encoding"),
    "packed and damaged": ("push", DAMAGED, {"content_encoding": "gzip"}, 400, "bad_encoding"),
    "packed with more behind": ("push", PACKED + PACKED, {"content_encoding": "gzip"}, 400, "bad_encoding"),
    "packed otherwise": ("push", GOOD, {"content_encoding": "br"}, 415, "unknown_encoding"),
    "packed twice": ("push", gzip.compress(PACKED), {"content_encoding": "gzip, gzip"}, 415, "unknown_encoding"),
    "another digest": ("push", GOOD, {"content_digest": digest(GOOD + b" ")}, 400, "digest_mismatch"),
    "no digest": ("push", GOOD, {"content_digest": "sha-256=:AAAA:"}, 400, "digest_mismatch"),
    "a digest of nothing": ("push", GOOD, {"content_digest": "sha-256=x"}, 400, "digest_mismatch"),
    "too large": ("push", b" " * (BODY_MOST + 1), {}, 413, "too_large"),
    "too large when unpacked": ("push", UNPACKED_LARGE, {"content_encoding": "gzip"}, 413, "too_large"),
}  # fmt: skip


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_malformed_is_refused_in_words_and_changes_nothing(house: House, hugo: Ticket, name: str) -> None:
    kind, body, headers, status, code = MALFORMED[name]
    before = house.held()

    answer = house.post(sync(kind), body, hugo.token, **headers)

    require_problem(answer, status, code)
    assert house.held() == before


def test_the_same_bodies_well_formed_are_taken(house: House, hugo: Ticket) -> None:
    ways: tuple[dict[str, str], ...] = ({}, {"content_encoding": "gzip"})
    for place, headers in enumerate(ways, 1):
        body = push_body(f"1381234567{place}", first=place)
        body = gzip.compress(body) if headers else body
        answer = house.post(sync("push"), body, hugo.token, content_digest=f"sha-512=:eA==:, {digest(body)}", **headers)
        assert [item.status for item in json_as(answer, Pushed).results] == ["applied"]


def test_a_bomb_is_refused_in_bounded_memory(house: House, hugo: Ticket) -> None:
    bomb = _bomb(1 << 30)
    assert len(bomb) < 1_200_000
    before = house.held()
    tracemalloc.start()
    answer = house.post(sync("push"), bomb, hugo.token, content_encoding="gzip")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    require_problem(answer, 413, "too_large")
    assert peak < 16_000_000
    assert house.held() == before


def _bomb(size: int) -> bytes:
    """That many zeroes, packed: each MiB as the one before it."""
    packer, part = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS), bytes(1 << 20)
    first, again = (packer.compress(part) + packer.flush(zlib.Z_FULL_FLUSH) for _time in range(2))
    return first + again * ((size >> 20) - 1)


async def _endless() -> AsyncIterator[bytes]:
    while True:
        yield b" " * 65536
        await asyncio.sleep(0)


async def _stalling() -> AsyncIterator[bytes]:
    yield GOOD[:100]
    await asyncio.sleep(30)


def test_a_body_without_an_end_is_refused_when_it_is_too_large(house: House, hugo: Ticket) -> None:
    before = house.held()
    answer = house.run(house.client.post(sync("push"), content=_endless(), headers=bearer(hugo)))
    require_problem(answer, 413, "too_large")
    assert answer.headers["connection"] == "close"
    assert house.held() == before


def test_a_body_that_stalls_is_not_waited_for(house: House, hugo: Ticket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "PAUSE_SECONDS", 0.2)
    before = house.held()
    answer = house.run(house.client.post(sync("push"), content=_stalling(), headers=bearer(hugo)))
    require_problem(answer, 408, "too_slow")
    assert answer.headers["connection"] == "close"
    assert house.held() == before


def bearer(ticket: Ticket) -> dict[str, str]:
    return {"authorization": f"Bearer {ticket.token}"}


# -- who asks ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["hello", "push", "pull", "snapshot", "digest", "anything"])
def test_who_has_no_good_token_hears_the_same_words_everywhere(house: House, hugo: Ticket, kind: str) -> None:
    before = house.held()
    foreign = house.login("hugo", org="other").token
    answers = [
        house.post(f"/{org}/v1/sync/{kind}", GOOD, token, **headers)
        for org in (ORG, "nowhere", "Nowhere%20!", "..", "x" * 300)
        for token, headers in (
            ("", {}),
            ("bo_wrong", {}),
            (hugo.token + "x", {}),
            (foreign, {}),
            ("x" * 5000, {}),
            ("", {"authorization": f"Basic {hugo.token}"}),
            ("", {"authorization": "Bearer"}),
        )
        if not (org == ".." and httpx.URL(f"http://x/{org}/v1").path != f"/{org}/v1")
    ]
    for answer in answers:
        require_problem(answer, 401, "logged_out")
        assert answer.headers["www-authenticate"] == "Bearer"
    assert {answer.content for answer in answers} == {answers[0].content}
    assert house.held() == before


def test_a_revoked_device_is_shut_out_at_its_next_request(house: House, hugo: Ticket) -> None:
    house.revoke(hugo.device)
    before = house.held()
    for kind, body in (("hello", hello_body()), ("pull", pull_body(Cursor(), "")), ("snapshot", b"{}")):
        require_problem(house.post(sync(kind), body, hugo.token), 403, "revoked")
    assert house.held() == before


def test_a_switched_off_operator_is_logged_out_at_the_next_request(house: House) -> None:
    ticket = house.login("anna")
    house.do("operators.disable", ticket.operator)
    try:
        require_problem(house.post(sync("hello"), hello_body(), ticket.token), 401, "logged_out")
    finally:
        house.do("operators.enable", ticket.operator)


def test_who_logs_out_is_out(house: House, hugo: Ticket) -> None:
    assert house.post(f"/{ORG}/v1/logout", b"{}", hugo.token).content == b"{}"
    require_problem(house.post(sync("hello"), hello_body(), hugo.token), 401, "logged_out")


def test_a_wrong_login_does_not_tell_which_organisations_there_are(house: House) -> None:
    bodies_ = (login_body("hugo", "wrong horses everywhere"), login_body("nobody", "wrong horses everywhere"))
    answers = [house.post(f"/{org}/v1/login", body) for org in (ORG, "nowhere") for body in bodies_]
    for answer in answers:
        require_problem(answer, 401, "login_refused")
    assert len({answer.content for answer in answers}) == 1


def test_many_wrong_logins_are_held_back_where_there_is_nothing_too(house: House) -> None:
    answers = {
        org: [house.post(f"/{org}/v1/login", login_body("zed", "wrong horses everywhere")) for _ in range(11)]
        for org in (ORG, "nowhere")
    }
    for several in answers.values():
        assert [answer.status_code for answer in several] == [401] * 10 + [429]
        assert several[-1].json()["title"] == "too many wrong tries"
        assert 28 <= int(several[-1].headers["retry-after"]) <= 31


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "usage"),
        (b"{}", 400, "usage"),
        (b'{"user": 1, "password": "x"}', 400, "usage"),
        (b'{"user": "hugo", "password": "x", "admin": true}', 400, "usage"),
        (b"[" * 10_000, 400, "usage"),
        (login_body("x" * 20_000), 413, "too_large"),
        (login_body("hugo'--", "x"), 401, "login_refused"),
    ],
)
def test_a_malformed_login_is_refused(house: House, body: bytes, status: int, code: str) -> None:
    before = house.held()
    require_problem(house.post(f"/{ORG}/v1/login", body), status, code)
    assert house.held() == before


def test_what_is_not_there_is_told_as_a_problem(house: House, hugo: Ticket) -> None:
    require_problem(house.get("/"), 404, "no_route")
    require_problem(house.get("/robots.txt"), 404, "no_route")
    require_problem(house.post("/health", b""), 405, "wrong_method")
    assert set(house.post("/health", b"").headers["allow"].split(", ")) == {"GET", "HEAD"}
    assert house.get("/health/").status_code == 404


# -- answers -----------------------------------------------------------------------------------------------------------


def test_a_long_answer_is_packed_for_whoever_takes_it(house: House, hugo: Ticket) -> None:
    plain = house.post(sync("snapshot"), b'{"schema": "0002"}', hugo.token, accept_encoding="identity")
    packed = house.post(sync("snapshot"), b'{"schema": "0002"}', hugo.token, accept_encoding="br, gzip;q=0.5")
    refused = house.post(sync("snapshot"), b'{"schema": "0002"}', hugo.token, accept_encoding="gzip;q=0")
    assert "content-encoding" not in plain.headers
    assert "content-encoding" not in refused.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(plain.content)
    assert packed.json()["rows"] == plain.json()["rows"]


def test_a_fault_says_a_number_and_nothing_else(
    house: House, hugo: Ticket, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def failing(*_args: object) -> bytes:
        raise ValueError("13812345678 李雷 two herons")

    monkeypatch.setattr(house.central, "answer", failing)
    with caplog.at_level(logging.INFO):
        answer = house.post(sync("hello"), hello_body(), hugo.token)
    problem = require_problem(answer, 500, "fault")
    facts = problem["facts"]
    assert isinstance(facts, dict)
    assert list(facts) == ["incident"]
    lines = [JsonLines().format(record) for record in caplog.records]
    told = next(json.loads(line) for line in lines if facts["incident"] in line)
    assert told["fault"][0]["kind"] == "ValueError"
    assert any("failing" in at for at in told["fault"][0]["places"])
    for line in lines:
        for secret in ("13812345678", "李雷", "herons", hugo.token):
            assert secret not in line


def test_what_is_wrong_with_the_store_stays_inside(house: House, hugo: Ticket, monkeypatch: pytest.MonkeyPatch) -> None:
    from bo.core.kernel.errors import Configuration

    def failing(*_args: object) -> bytes:
        raise Configuration("the database cannot be reached: {reason}", reason="host db-7.internal, user bo")

    monkeypatch.setattr(house.central, "answer", failing)
    answer = house.post(sync("hello"), hello_body(), hugo.token)
    problem = require_problem(answer, 503, "unavailable")
    assert "db-7" not in answer.text
    assert (problem["retryable"], answer.headers["retry-after"]) == (True, "1")


def test_the_log_names_no_person_and_no_secret(house: House, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        ticket = house.login("hugo")
        house.post(sync("push") + "?phone=13812345678", push_body("13812345678"), ticket.token)
    lines = [json.loads(JsonLines().format(record)) for record in caplog.records if record.name == "bo.server"]
    pushed = lines[-1]
    assert {name: pushed[name] for name in ("org", "method", "route", "status", "operator", "device")} == {
        "org": ORG, "method": "POST", "route": "/{org}/v1/sync/push", "status": 200, "operator": ticket.operator,
        "device": ticket.device,
    }  # fmt: skip
    assert pushed["bytes_in"] == len(push_body("13812345678"))
    for record in (record for record in caplog.records if record.name != "httpx"):  # the test's own client
        for secret in ("1381234", "李雷", "上海", PASSWORD, ticket.token, "hugo"):
            assert secret not in JsonLines().format(record)


# -- too many ----------------------------------------------------------------------------------------------------------


def test_who_asks_too_often_is_told_when_to_come_again(furnished: tuple[Path | None, str]) -> None:
    house = opened(furnished, token_rate=Rate(0.5, 3))
    try:
        ticket, other = house.login("hugo"), house.login("anna")
        answers = [house.post(sync("hello"), hello_body(), ticket.token) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        problem = require_problem(answers[-1], 429, "too_many")
        assert problem["retryable"] is True
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 3
        assert house.post(sync("hello"), hello_body(), other.token).status_code == 200
    finally:
        house.close()


def test_an_address_that_asks_too_often_is_held_back_whatever_its_token(furnished: tuple[Path | None, str]) -> None:
    house = opened(furnished, address_rate=Rate(0.5, 3))
    try:
        answers = [house.post(sync("hello"), hello_body(), f"bo_{number}") for number in range(4)]
        assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
    finally:
        house.close()


# -- those who run it --------------------------------------------------------------------------------------------------


def test_it_is_ready_while_the_stores_answer_and_it_does_not_stop(
    house: House, hugo: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bo.sync import server

    monkeypatch.setattr(server, "READY_KEPT_SECONDS", 0.0)
    assert (house.get("/health").status_code, house.get("/ready").status_code) == (200, 200)

    def failing() -> int:
        raise OSError("the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr(house.central, "head", failing)
        assert house.get("/ready").json() == {"ready": False}
    assert house.get("/ready").status_code == 200


def test_those_who_wait_are_let_go_when_it_stops(house: House, hugo: Ticket) -> None:
    welcome = house.hello(hugo.token)
    service = house.service

    async def both() -> tuple[Page, float]:
        wait = asyncio.create_task(waiting(house, hugo, welcome.head, welcome.view, 25))
        await asyncio.sleep(0.2)
        service.stop()
        return await wait

    page, waited = house.run(both())
    assert page.commits == ()
    assert waited < 20
    assert house.get("/ready").status_code == 503
    assert house.get("/health").status_code == 200


def test_figures_are_for_this_machine_and_for_who_has_the_token(furnished: tuple[Path | None, str]) -> None:
    house = opened(furnished)
    nearby = httpx.AsyncClient(transport=httpx.ASGITransport(house.app), base_url="http://127.0.0.1")
    try:
        ticket = house.login("hugo")
        house.post(sync("push"), push_body("13312345678", "13312345679", name="leads.nothing"), ticket.token)
        require_problem(house.get("/metrics"), 404, "no_route")
        assert house.run(nearby.get("/metrics", headers={"x-forwarded-for": "8.8.8.8"})).status_code == 404
        answer = house.run(nearby.get("/metrics"))
        assert answer.headers["content-type"].startswith("text/plain")
        lines = answer.text.splitlines()
        assert 'bo_http_requests_total{method="POST",route="/{org}/v1/sync/push",status="200"} 1.0' in lines
        assert 'bo_operations_total{status="retry"} 1.0' in lines
        assert 'bo_operations_total{status="not_run"} 1.0' in lines
        assert f'bo_journal_head{{organisation="{ORG}"}} {float(house.central.head())}' in lines
        assert "bo_pushes_in_flight 0.0" in lines
    finally:
        house.run(nearby.aclose())
        house.close()


def test_a_token_opens_the_figures_to_other_machines(furnished: tuple[Path | None, str]) -> None:
    house = opened(furnished, metrics_token="let me see")
    try:
        require_problem(house.get("/metrics"), 404, "no_route")
        require_problem(house.get("/metrics", authorization="Bearer let me se"), 404, "no_route")
        assert house.get("/metrics", authorization="Bearer let me see").status_code == 200
    finally:
        house.close()


def test_an_operation_id_that_was_used_for_something_else_gets_no_answer_of_its_own(house: House, hugo: Ticket) -> None:
    first = json.loads(push_body("13212345678"))
    assert house.post(sync("push"), json.dumps(first).encode(), hugo.token).status_code == 200
    other = {**first, "ops": [{**first["ops"][0], "args": {"name": "x", "phone": "13212345679", "city": "上海"}}]}
    answer = json_as(house.post(sync("push"), json.dumps(other).encode(), hugo.token), Pushed)
    assert [(item.status, item.code) for item in answer.results] == [("refused", "id_reused")]
