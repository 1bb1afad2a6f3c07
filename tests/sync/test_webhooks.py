"""What a webhook is told: events in a form that receivers can check, no more than its operator may see, and no secret
anywhere else."""

from __future__ import annotations

import base64
import hmac
from datetime import timedelta

import pytest

from bo.core.access.records import Webhook
from bo.core.kernel.errors import NotFound
from bo.core.leads.records import Lead
from bo.sync import leases, webhooks
from bo.sync.outbox import Worker
from bo.sync.outside import Answered, NoAnswer
from bo.sync.webhooks import SwitchedOff, matches, resume, rotate_secret, secret_of, send_test, status
from tests.sync.receiver import Receiver, lines_of_verifier, verify
from tests.sync.stage import Call, Stage, rows_of

URL = "https://hooks.example.com/T00/B00/path-that-is-a-secret"


def hook(stage: Stage, name: str = "erp", *, events: str = "*", operator: str = "boss", url: str = URL) -> str:
    made = stage.office.do(
        "webhooks.add", name=name, url=url, events=events, operator=stage.operator(operator), active=True
    )
    assert made.returned is not None
    return made.returned


def worker(stage: Stage, receiver: Receiver, **options: object) -> Worker:
    return Worker(stage.central, clock=stage.clock, send=receiver, chance=lambda: 0.0, **options)  # type: ignore[arg-type]


def assigned(stage: Stage, store: str, **fields: object) -> str:
    """A lead that a shop has."""
    lead = stage.lead(**fields)
    stage.office.do("leads.accept", lead)
    stage.office.do("leads.assign", lead, store=store)
    return lead


def test_patterns_stand_for_names() -> None:
    table = {
        ("leads.win",): ("leads.win",),
        ("leads.*",): ("leads.win", "leads.assign"),
        ("*",): ("leads.win", "leads.assign", "op.undo", "settlements.approve"),
        ("effect.*",): ("effect.leads.assigned",),
        ("effect.leads.assigned",): ("effect.leads.assigned",),
        ("effect.leads.*",): ("effect.leads.assigned",),
        ("*", "effect.*"): (
            "leads.win", "leads.assign", "op.undo", "settlements.approve", "effect.leads.assigned",
        ),
        ("lead.*", "leads", "won", "*.won", "leads.w*", ""): (),
    }  # fmt: skip
    names = ("leads.win", "leads.assign", "op.undo", "settlements.approve", "effect.leads.assigned")
    assert {patterns: tuple(name for name in names if matches(patterns, name)) for patterns in table} == table


def test_an_event_says_what_was_done_by_whom_and_what_is_there_now(stage: Stage) -> None:
    hook(stage, events="leads.report")
    receiver = Receiver()
    lead = stage.lead(name="韩梅梅", budget="1234.50")
    assert worker(stage, receiver).run_once() == 1
    (got,) = receiver.got
    operation = stage.office.operations(limit=1)[0]
    assert got.url == URL
    assert got.event["id"] == got.headers["webhook-id"] == operation.id
    assert (got.event["type"], got.event["timestamp"]) == ("leads.report", "2026-11-02T02:00:00.000Z")
    data = got.event["data"]
    assert set(data) == {"operation", "subject", "actor", "rows"}
    assert (data["operation"], data["subject"], data["actor"]) == (operation.id, None, stage.operator("boss"))
    row = got.row("leads")
    assert {name: row[name] for name in ("id", "name", "phone", "state", "budget", "revision", "tags", "store")} == {
        "id": lead, "name": "韩梅梅", "phone": "+8613800138000", "state": "pending_review", "budget": "1234.50",
        "revision": 1, "tags": [], "store": None,
    }  # fmt: skip
    assert "scope" not in row


def test_a_signature_verifies_by_the_lines_of_the_guide_and_nothing_else_does(stage: Stage) -> None:
    name = hook(stage, events="leads.report")
    receiver = Receiver()
    stage.lead()
    worker(stage, receiver).run_once()
    (got,) = receiver.got
    secret, now = secret_of(stage.central, name), stage.clock().timestamp()
    verify(secret, got.headers, got.body, now=now)
    assert len(lines_of_verifier()) <= 15
    other_id = got.headers | {"webhook-id": "op_other"}
    other_time = got.headers | {"webhook-timestamp": str(int(now) + 1)}
    other_secret = webhooks.new_secret()
    for wrong in (
        (secret, got.headers, got.body + b" ", now),
        (secret, other_id, got.body, now),
        (secret, other_time, got.body, now),
        (other_secret, got.headers, got.body, now),
        (secret, got.headers, got.body, now + 301),
        (secret, got.headers, got.body, now - 301),
    ):
        with pytest.raises(ValueError, match=r"."):
            verify(wrong[0], wrong[1], wrong[2], now=wrong[3])


def test_the_signature_is_that_of_the_standard() -> None:
    # the example of the specification's own libraries
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    signed = b'msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}'
    assert webhooks.signature(secret, signed) == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_every_secret_is_its_own_and_long(stage: Stage) -> None:
    first, second = hook(stage, "erp"), hook(stage, "shop")
    made = [secret_of(stage.central, item) for item in (first, second)]
    assert made[0] != made[1]
    assert all(item.startswith("whsec_") and len(base64.b64decode(item[6:])) == 32 for item in made)
    assert secret_of(stage.central, "erp") == made[0]


def test_while_a_secret_is_changed_both_sign(stage: Stage) -> None:
    name = hook(stage, events="leads.report")
    old = secret_of(stage.central, name)
    new = rotate_secret(stage.central, "erp")
    assert new != old
    assert secret_of(stage.central, name) == new
    receiver = Receiver()
    stage.lead()
    worker(stage, receiver).run_once()
    for secret in (old, new):
        verify(secret, receiver.got[0].headers, receiver.got[0].body, now=stage.clock().timestamp())
    assert len(receiver.got[0].headers["webhook-signature"].split()) == 2
    stage.clock.later(hours=24)
    stage.lead(phone="13900139000")
    worker(stage, receiver).run_once()
    verify(new, receiver.got[1].headers, receiver.got[1].body, now=stage.clock().timestamp())
    with pytest.raises(ValueError, match="wrong signature"):
        verify(old, receiver.got[1].headers, receiver.got[1].body, now=stage.clock().timestamp())
    newest = rotate_secret(stage.central, name)
    third = rotate_secret(stage.central, name)  # twice in a row: the one before signs, the one before that does not
    with stage.central.workspace() as ws:
        held = leases.place(ws.database.session, name)
    assert held is not None
    assert webhooks.good_secrets(held.secret, stage.clock()) == [third, newest]


# -- who is told what --------------------------------------------------------------------------------------------------


def test_a_shops_webhook_is_told_nothing_of_another_shop(stage: Stage) -> None:
    hook(stage, events="*, effect.*", operator="anna")
    hook(stage, "all", events="*, effect.*", url="https://all.example.com/")
    referrer = str(stage.office.do("referrers.register", code="R-CANARY", name="推荐人甲").returned)
    own = assigned(stage, "S1", name="自家客户", phone="13800138001", referrer="R-CANARY")
    receiver, everything = Receiver(), Receiver()
    canaries = ["13911112222", "别家客户", "别家地址一号", "R-CANARY", "推荐人甲", "别家备注", referrer]
    other = assigned(stage, "S2", name="别家客户", phone="13911112222", address="别家地址一号", note="别家备注")
    hugo = stage.operator("hugo")
    stage.office.run([Call("leads.take", other, actor=hugo), Call("leads.take", own, actor=hugo)])
    stage.office.do("operators.edit", stage.operator("bert"), email="canary@example.com")
    stage.office.do("leads.recall", own, note="还给总部")
    stage.office.do("leads.assign", own, store="S2")
    stage.office.do("leads.edit", own, note="别家备注")
    stage.lead(name="总部客户", phone="13733334444")
    receivers = {URL: receiver, "https://all.example.com/": everything}
    Worker(stage.central, clock=stage.clock, send=lambda url, *said: receivers[url](url, *said)).run_once()
    sent = receiver.text()
    assert [word for word in canaries if word not in everything.text()] == []
    foreign = [*canaries, other, stage.operator("bert"), "canary@example.com", "总部客户", "13733334444", "whsec_"]
    assert [word for word in foreign if word in sent] == []
    assert "自家客户" in sent
    left = next(item for item in receiver.got if item.type == "leads.recall").event["data"]["rows"]
    assert {"noun": "leads", "id": own, "row": None} in left  # it is told that the lead went, and nothing after that
    assert receiver.types[-1] == "leads.recall"
    row = receiver.got[0].row("leads")
    assert "referrer" not in row
    assert row["store"] == stage.store("S1")


def test_headquarters_is_told_what_a_role_may_read_and_no_more(stage: Stage) -> None:
    stage.office.do("roles.add", code="stocktaker", permissions="stores.read, webhooks.read")
    stage.office.do("operators.add", login="stock", roles="stocktaker")
    hook(stage, operator="stock")
    assigned(stage, "S1", name="看不见")
    stage.office.do("stores.edit", "S1", name="新店名")
    receiver = Receiver()
    worker(stage, receiver).run_once()
    assert "看不见" not in receiver.text()
    assert "新店名" in receiver.text()


def test_an_operator_who_is_switched_off_is_told_nothing_until_they_are_back(stage: Stage) -> None:
    hook(stage, events="leads.*", operator="hugo")
    stage.lead()
    stage.office.do("operators.disable", stage.operator("hugo"))
    receiver = Receiver()
    assert worker(stage, receiver).run_once() == 0
    assert receiver.got == []
    (told,) = status(stage.central)
    assert (told.state, told.attempts, told.error) == ("waiting", 1, "hugo is switched off")
    stage.office.do("operators.enable", stage.operator("hugo"))
    stage.clock.later(seconds=5)
    assert worker(stage, receiver).run_once() == 1
    assert receiver.types == ["leads.report"]


def test_what_an_operator_may_see_is_asked_again_after_every_event(stage: Stage) -> None:
    hook(stage, events="leads.assign", operator="anna")
    for number in range(3):
        assigned(stage, "S1", phone=f"1380013800{number}")
    receiver = Receiver()

    def sent_away() -> None:
        if len(receiver.got) == 1:
            stage.office.do("operators.edit", stage.operator("anna"), store="S2")

    receiver.when_sent = sent_away
    worker(stage, receiver).run_once()
    assert len(receiver.got) == 1


def test_a_webhook_that_is_switched_off_in_between_is_told_no_more(stage: Stage) -> None:
    name = hook(stage, events="leads.report")
    for number in range(3):
        stage.lead(phone=f"1380013800{number}")
    receiver = Receiver()
    receiver.when_sent = lambda: stage.office.do("webhooks.edit", name, active=False)  # type: ignore[assignment]
    worker(stage, receiver).run_once()
    assert len(receiver.got) == 1
    receiver.when_sent = lambda: None
    stage.office.do("webhooks.edit", name, active=True)
    assert worker(stage, receiver).run_once() == 2  # it has kept its place
    assert len(set(receiver.ids)) == 3


def test_a_large_operation_is_told_in_a_bounded_body(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    hook(stage, events="leads.report")
    stage.lead(note="x" * 3_000)
    monkeypatch.setattr(webhooks, "BODY_MOST", 1_000)
    receiver = Receiver()
    worker(stage, receiver).run_once()
    data = receiver.got[0].event["data"]
    assert data["rows"] == []
    assert data["left_out"] >= 1


# -- secrets -----------------------------------------------------------------------------------------------------------


def test_a_secret_is_in_no_log_no_error_and_no_journal(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    name = hook(stage, events="leads.report")
    secret = secret_of(stage.central, name)
    path = URL.partition(".com")[2]
    receiver = Receiver(
        Answered(500, f"you sent {secret} to {path}, {secret[6:]}"),
        NoAnswer("{host}: {reason}", host="hooks.example.com", reason=f"no route to {URL}"),
        RuntimeError(f"fault with {secret} and {URL}"),
    )
    stage.lead()
    working = worker(stage, receiver)
    errors = []
    for _attempt in range(3):
        working.run_once()
        errors.append(status(stage.central)[0].error)
        stage.clock.later(hours=12)
    assert errors == [
        "500 you sent … to /…, …", "hooks.example.com: no route to …", "RuntimeError",
    ]  # fmt: skip
    new = rotate_secret(stage.central, name)
    working.run_once()
    with stage.central.workspace() as ws:
        held = leases.place(ws.database.session, name)
        journal = [f"{item.args} {changes}" for item in ws.operations(limit=1000) for changes in ws.history(name)]
    everywhere = "\n".join([caplog.text, repr(held), repr(status(stage.central)), *journal, receiver.text()])
    assert [word for word in (secret, secret[6:], new, new[6:]) if word in everywhere] == []
    assert "path-that-is-a-secret" not in caplog.text + repr(status(stage.central)) + repr(held)
    assert secret not in repr(rows_of(stage.office))


# -- what a person does ------------------------------------------------------------------------------------------------


def test_a_status_says_how_far_each_has_come_and_what_keeps_it(stage: Stage) -> None:
    hook(stage, "behind", events="leads.report")
    hook(stage, "done", events="leads.report")
    off = hook(stage, "off")
    stage.lead()
    stage.office.do("webhooks.edit", off, active=False)
    worker(stage, Receiver(Answered(502, "bad gateway"))).run_once()
    told = {item.name: item for item in status(stage.central)}
    assert list(told) == ["behind", "done", "off"]
    failing = next(item for item in told.values() if item.state == "waiting")
    assert failing.error == "502 bad gateway"
    assert failing.next_at == stage.clock() + timedelta(seconds=5)
    assert failing.host == "hooks.example.com"
    assert sorted((item.state, item.attempts) for item in told.values()) == [("off", 0), ("ok", 0), ("waiting", 1)]
    assert min(item.behind for item in told.values() if item.state == "ok") == 0


def test_a_webhook_is_resumed_where_it_stood_or_from_now(stage: Stage) -> None:
    name = hook(stage, events="leads.report")
    first = stage.lead()
    receiver = Receiver(Answered(500))
    working = worker(stage, receiver)
    working.run_once()
    assert working.run_once() == 0
    resume(stage.central, "erp")
    assert working.run_once() == 1
    assert [item.row("leads")["id"] for item in receiver.got] == [first, first]
    stage.lead(phone="13900139000")
    resume(stage.central, name, from_now=True)
    last = stage.lead(phone="13700137000")
    working.run_once()
    assert [item.row("leads")["id"] for item in receiver.got][2:] == [last]


def test_what_is_not_there_or_off_is_not_resumed(stage: Stage) -> None:
    name = hook(stage)
    stage.office.do("webhooks.edit", name, active=False)
    with pytest.raises(SwitchedOff):
        resume(stage.central, name)
    for attempt in (resume, rotate_secret, secret_of, send_test):
        with pytest.raises(NotFound):
            attempt(stage.central, "nobody")


def test_a_test_is_sent_at_once_and_moves_nothing(stage: Stage) -> None:
    name = hook(stage, events="leads.report")
    stage.lead()
    secret = secret_of(stage.central, name)
    before = status(stage.central)
    receiver = Receiver(Answered(200, "thank you"), Answered(401, "who are you?"), NoAnswer("nothing there"))
    tried = [send_test(stage.central, "erp", send=receiver) for _time in range(3)]
    assert [(item.ok, item.status, item.text) for item in tried] == [
        (True, 200, "thank you"), (False, 401, "who are you?"), (False, 0, "nothing there"),
    ]  # fmt: skip
    for got in receiver.got:
        assert got.type == "webhooks.test"
        verify(secret, got.headers, got.body, now=stage.clock().timestamp())
    assert status(stage.central) == before


def test_an_address_inside_is_not_sent_to(stage: Stage) -> None:
    for number, url in enumerate(("http://hooks.example.com/", "https://127.0.0.1/", "https://[::ffff:10.0.0.1]/")):
        name = hook(stage, f"inside{number}", url=url)
        made = send_test(stage.central, name)
        assert (made.ok, made.status) == (False, 0)
        assert "secret" not in made.text


def test_a_record_of_a_webhook_holds_no_secret(stage: Stage) -> None:
    name = hook(stage)
    secret_of(stage.central, name)
    assert set(Webhook.__struct_fields__) == {
        "id", "revision", "created_at", "updated_at", "scope", "extra", "name", "url", "events", "operator", "active",
    }  # fmt: skip
    assert hmac.compare_digest(stage.office.reader().get(Webhook, name).url, URL)
    assert stage.office.reader().count("webhooks") == 1
    assert stage.office.reader().count("leads") == len(stage.office.reader().records(Lead))
