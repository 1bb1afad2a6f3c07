"""The worker tells every webhook everything, in order and at least once, whoever dies on the way, and carries out
effects once each."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bo.core.access.records import Webhook
from bo.core.kernel.database import Database, PostgresDatabase, Session, SqliteDatabase
from bo.core.kernel.errors import Busy, StorageFull
from bo.sync import leases
from bo.sync.central import Central
from bo.sync.effects import CannotBeDone, Effect, Handler, effects_between
from bo.sync.leases import Place
from bo.sync.outbox import SETTLED, Worker
from bo.sync.outside import Answered, NoAnswer, Outside, Rules
from bo.sync.webhooks import Status, resume, secret_of, send_test, status
from tests.sync.receiver import Receiver, verify
from tests.sync.stage import Stage
from tests.sync.test_outside import Listening, replying
from tests.sync.test_webhooks import URL, assigned, hook, worker

HOUR = timedelta(hours=1)


def leads(stage: Stage, count: int) -> list[str]:
    return [stage.lead(phone=f"138001380{number:02}") for number in range(count)]


def told(receiver: Receiver) -> list[str]:
    """The leads that were told of, in the order they were."""
    return [str(item.row("leads")["id"]) for item in receiver.got]


def only_status(stage: Stage) -> Status:
    (found,) = status(stage.central)
    return found


def effects_of(stage: Stage) -> list[tuple[str, str]]:
    with stage.central.workspace() as ws:
        return [(item.name, item.state) for item in effects_between(ws.database.session, 0, ws.data_version())]


# -- in order, at least once -------------------------------------------------------------------------------------------


def test_events_come_one_a_request_and_in_order(stage: Stage) -> None:
    stage.lead(phone="13700137000")  # before the webhook was there
    hook(stage, events="leads.report")
    made = leads(stage, 7)
    receiver = Receiver()
    working = worker(stage, receiver)
    assert working.run_once() == 7
    assert told(receiver) == made
    assert working.run_once() == 0
    later = leads(stage, 9)[7:]
    working.run_once()
    assert told(receiver)[-2:] == later
    assert (only_status(stage).state, only_status(stage).behind) == ("ok", 0)


def test_more_events_than_are_read_at_once_keep_their_order(stage: Stage) -> None:
    hook(stage, events="leads.report")
    made = leads(stage, 60)
    receiver = Receiver()
    working = worker(stage, receiver)
    assert working.run_once() == 60
    assert told(receiver) == made


def test_only_what_was_asked_for_is_told(stage: Stage) -> None:
    hook(stage, events="leads.accept, op.*")
    lead = assigned(stage, "S1")
    stage.office.undo(stage.office.operations(limit=1)[0].id)
    receiver = Receiver()
    worker(stage, receiver).run_once()
    assert receiver.types == ["leads.accept", "op.undo"]
    assert told(receiver) == [lead, lead]


@pytest.mark.parametrize("answer", [Answered(500), Answered(302), Answered(404), NoAnswer("gone"), ValueError("fault")])
def test_what_is_not_taken_comes_again_and_nothing_overtakes_it(stage: Stage, answer: Answered | Exception) -> None:
    hook(stage, events="leads.report")
    made = leads(stage, 3)
    receiver = Receiver(Answered(200), answer)
    working = worker(stage, receiver)
    assert working.run_once() == 1
    assert told(receiver) == made[:2]
    stage.clock.later(seconds=5)
    assert working.run_once() == 2
    assert told(receiver) == [made[0], made[1], made[1], made[2]]
    assert receiver.ids[1] == receiver.ids[2]


DYING = """
import sys
from datetime import datetime
from pathlib import Path
from bo.core.kernel.database import PostgresDatabase, SqliteDatabase
from bo.core.office import open_database
from bo.sync.central import Central
from bo.sync.outbox import Worker
import os

kind, place, schema, now, sent = sys.argv[1:]

def clock():
    return datetime.fromisoformat(now)

def opened():
    database = SqliteDatabase(Path(place)) if kind == "sqlite" else PostgresDatabase(place, schema)
    return open_database(database, operator="system", clock=clock)

def send(url, headers, body):
    with open(sent, "a") as file:
        file.write(headers["webhook-id"] + "\\n")
    os._exit(9)

Worker(Central(opened), clock=clock, send=send).run_once()
"""


def test_a_server_that_dies_between_sending_and_keeping_sends_again_once_its_lease_is_over(
    stage: Stage, central_database: Callable[[], Database], tmp_path: Path
) -> None:
    hook(stage, events="leads.report")
    leads(stage, 2)
    database, sent = central_database(), tmp_path / "sent"
    if isinstance(database, SqliteDatabase):
        place = ["sqlite", str(database.path), "-"]
    else:
        assert isinstance(database, PostgresDatabase)
        place = ["postgresql", database.url, database.schema]
    line = [sys.executable, "-c", DYING, *place, stage.clock().isoformat(), str(sent)]
    assert subprocess.run(line, check=False, timeout=60).returncode == 9
    (first,) = sent.read_text("utf-8").split()
    receiver = Receiver()
    other = worker(stage, receiver)
    assert other.run_once() == 0  # the dead one's lease stands
    stage.clock.later(seconds=59)
    assert other.run_once() == 0
    stage.clock.later(seconds=1)
    assert other.run_once() == 2
    assert receiver.ids[0] == first
    assert len(set(receiver.ids)) == 2


def test_servers_on_one_database_never_send_the_same_at_the_same_time(stage: Stage) -> None:
    names = ["https://one.example.com/", "https://two.example.com/", "https://three.example.com/"]
    for number, url in enumerate(names):
        hook(stage, f"hook{number}", events="leads.report", url=url)
    made = leads(stage, 25)
    receivers = {url: Receiver() for url in names}
    busy = {url: threading.Lock() for url in names}
    overlaps: list[str] = []

    def send(url: str, headers: object, body: bytes) -> Answered:
        if not busy[url].acquire(blocking=False):
            overlaps.append(url)
            return Answered(500)
        time.sleep(0.001)
        answer = receivers[url](url, headers, body)  # type: ignore[arg-type]
        busy[url].release()
        return answer

    centrals = [Central(stage.open_central) for _server in range(2)]
    workers = [Worker(central, clock=stage.clock, send=send) for central in centrals for _worker in range(2)]
    failed: list[Exception] = []

    def work(working: Worker) -> None:
        try:
            for _time in range(12):
                working.run_once()
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(item,)) for item in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for central in centrals:
        central.close()
    assert (failed, overlaps) == ([], [])
    assert [told(receivers[url]) for url in names] == [made, made, made]


def test_who_was_too_slow_for_its_lease_moves_nothing(stage: Stage) -> None:
    hook(stage, events="leads.report")
    made = leads(stage, 3)
    slow, quick = Receiver(), Receiver()
    second = worker(stage, quick)

    def asleep() -> None:
        stage.clock.later(seconds=61)
        assert second.run_once() == 3

    slow.when_sent = asleep
    assert worker(stage, slow).run_once() == 0  # it has sent one, and the other has sent all
    assert told(slow) == made[:1]
    assert told(quick) == made
    assert (only_status(stage).state, only_status(stage).behind, only_status(stage).attempts) == ("ok", 0, 0)
    assert second.run_once() == 0


def test_a_database_that_fails_between_sending_and_keeping_costs_a_second_delivery_and_no_event(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook(stage, events="leads.report")
    made = leads(stage, 2)
    receiver = Receiver()
    working = worker(stage, receiver)
    move, errors = leases.move, [Busy("another program writes"), StorageFull("the disk is full")]

    def failing(session: Session, held: Place, now: datetime, *, seq: int | None = None) -> Place | None:
        if errors and held.name != SETTLED:
            raise errors.pop()
        return move(session, held, now, seq=seq)

    monkeypatch.setattr(leases, "move", failing)
    assert [working.run_once() for _time in range(3)] == [0, 0, 2]
    assert told(receiver) == [made[0], made[0], made[0], made[1]]
    assert only_status(stage).attempts == 0  # it was not the receiver's fault


def test_a_worker_that_is_stopped_ends_after_the_request_under_way(stage: Stage) -> None:
    hook(stage, events="leads.report")
    made = leads(stage, 3)
    receiver = Receiver()
    working = worker(stage, receiver)
    receiver.when_sent = working.stop
    assert working.run_once() == 1
    assert working.run_once() == 0
    assert told(receiver) == made[:1]
    next_one = Receiver()
    assert worker(stage, next_one).run_once() == 2  # its lease was given back
    assert told(next_one) == made[1:]


# -- trying again ------------------------------------------------------------------------------------------------------


def test_the_times_between_attempts_double_up_to_half_a_day() -> None:
    seconds = [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10240, 20480, 40960, 43200, 43200]
    assert [leases.delay(number, 0.0).total_seconds() for number in range(1, 17)] == seconds
    assert leases.delay(1, 1.0) == timedelta(seconds=6.25)
    assert leases.delay(3, 0.5) == timedelta(seconds=22.5)
    assert leases.delay(14, 1.0) == 12 * HOUR
    assert leases.delay(10_000, 0.0) == 12 * HOUR
    assert leases.delay(0, 0.0) == timedelta(seconds=5)


def test_a_receiver_that_stays_away_is_tried_for_five_days_and_then_waits_for_a_person(stage: Stage) -> None:
    hook(stage, events="leads.report")
    (lead,) = leads(stage, 1)
    receiver = Receiver(*[Answered(503, "down")] * 23)
    working = worker(stage, receiver)
    began = stage.clock()
    for number in range(1, 23):
        assert working.run_once() == 0
        told_now = only_status(stage)
        assert told_now.next_at is not None
        assert (told_now.state, told_now.attempts, told_now.error) == ("waiting", number, "503 down")
        assert told_now.next_at - stage.clock() == leases.delay(number, 0.0)
        stage.clock.now = told_now.next_at - timedelta(milliseconds=1)
        assert working.run_once() == 0
        assert len(receiver.got) == number  # not a millisecond too early
        stage.clock.now = told_now.next_at
    working.run_once()
    assert timedelta(days=4.5) < stage.clock() - began < timedelta(days=5)
    parked = only_status(stage)
    assert (parked.state, parked.attempts, parked.next_at, parked.error) == ("parked", 23, None, "503 down")
    stage.clock.later(days=365)
    assert working.run_once() == 0
    assert len(receiver.got) == 23
    resume(stage.central, "erp")
    assert working.run_once() == 1
    assert told(receiver) == [lead] * 24
    assert len(set(receiver.ids)) == 1
    assert only_status(stage).state == "ok"


def test_one_that_was_taken_makes_the_failures_before_it_forgotten(stage: Stage) -> None:
    hook(stage, events="leads.report")
    leads(stage, 2)
    receiver = Receiver(Answered(500), Answered(500), Answered(200), Answered(500))
    working = worker(stage, receiver)
    seen = []
    for _time in range(3):
        working.run_once()
        seen.append(only_status(stage).attempts)
        stage.clock.later(hours=1)
    assert seen == [1, 2, 1]


def test_a_receiver_says_when_to_come_again(stage: Stage) -> None:
    hook(stage, events="leads.report")
    leads(stage, 1)
    receiver = Receiver(Answered(429, "slower", 90), Answered(503, "", 10_000_000), Answered(503, "", 1))
    working = worker(stage, receiver)
    waits = []
    for _time in range(3):
        working.run_once()
        next_at = only_status(stage).next_at
        assert next_at is not None
        waits.append(next_at - stage.clock())
        stage.clock.now = next_at
    assert waits == [timedelta(seconds=90), 12 * HOUR, timedelta(seconds=20)]


def test_a_receiver_that_fails_holds_up_no_other(stage: Stage) -> None:
    urls = {"https://dead.example.com/": Receiver(*[NoAnswer("dead")] * 9), "https://alive.example.com/": Receiver()}
    for number, url in enumerate(urls):
        hook(stage, f"hook{number}", events="leads.report", url=url)
    made = leads(stage, 3)
    working = Worker(stage.central, clock=stage.clock, send=lambda url, *said: urls[url](url, *said))
    assert working.run_once() == 3
    assert told(urls["https://alive.example.com/"]) == made
    assert told(urls["https://dead.example.com/"]) == made[:1]


def test_gone_switches_a_webhook_off_in_the_name_of_the_system(stage: Stage) -> None:
    name = hook(stage, events="leads.report")
    made = leads(stage, 2)
    receiver = Receiver(Answered(410, "no longer"))
    working = worker(stage, receiver)
    assert working.run_once() == 0
    assert stage.office.reader().get(Webhook, name).active is False
    (last,) = stage.office.operations(limit=1)
    assert (last.name, last.subject, last.actor) == ("webhooks.edit", name, "system")
    assert only_status(stage).state == "off"
    assert only_status(stage).error.startswith("410 Gone")
    stage.clock.later(days=1)
    assert working.run_once() == 0
    assert len(receiver.got) == 1
    stage.office.do("webhooks.edit", name, active=True)
    assert working.run_once() == 2  # what was not taken was not lost
    assert told(receiver) == [made[0], *made]


def test_answers_are_kept_in_part(stage: Stage) -> None:
    hook(stage, events="leads.report")
    leads(stage, 1)
    worker(stage, Receiver(Answered(500, "x" * 200))).run_once()
    assert only_status(stage).error == "500 " + "x" * 200
    assert leases.ERROR_LONGEST == 300


# -- effects -----------------------------------------------------------------------------------------------------------


def test_an_effect_that_nobody_asked_for_is_done(stage: Stage) -> None:
    hook(stage, events="*")
    assigned(stage, "S1")
    assert effects_of(stage) == [("leads.assigned", "wanted")]
    receiver = Receiver()
    worker(stage, receiver).run_once()
    assert effects_of(stage) == [("leads.assigned", "done")]
    assert [item for item in receiver.types if item.startswith("effect.")] == []


def test_an_effect_that_is_asked_for_is_told_and_then_done(stage: Stage) -> None:
    hook(stage, events="leads.assign, effect.leads.assigned")
    lead = assigned(stage, "S1")
    receiver = Receiver(Answered(200), Answered(500))
    working = worker(stage, receiver)
    working.run_once()
    assert receiver.types == ["leads.assign", "effect.leads.assigned"]
    assert effects_of(stage) == [("leads.assigned", "wanted")]
    stage.clock.later(seconds=5)
    working.run_once()
    assert receiver.types == ["leads.assign", "effect.leads.assigned", "effect.leads.assigned"]
    assert effects_of(stage) == [("leads.assigned", "done")]
    event = receiver.got[2].event
    assert event["id"] == receiver.ids[0] + "_0"
    assert event["data"]["operation"] == receiver.ids[0]
    assert event["data"]["effect"] == {"lead": lead, "store": stage.store("S1")}
    assert "." not in event["id"]  # what is signed is parted by full stops


def test_an_effect_waits_for_every_webhook_that_asked_for_it(stage: Stage) -> None:
    urls = {"https://dead.example.com/": Receiver(Answered(500)), "https://alive.example.com/": Receiver()}
    for number, url in enumerate(urls):
        hook(stage, f"hook{number}", events="effect.*", url=url)
    assigned(stage, "S1")
    working = Worker(stage.central, clock=stage.clock, send=lambda url, *said: urls[url](url, *said))
    assert working.run_once() == 1
    assert effects_of(stage) == [("leads.assigned", "wanted")]
    stage.clock.later(seconds=10)
    assert working.run_once() == 1
    assert effects_of(stage) == [("leads.assigned", "done")]


def test_a_shop_is_told_the_effects_of_its_own_leads_alone(stage: Stage) -> None:
    hook(stage, events="effect.*", operator="anna")
    own, other = assigned(stage, "S1"), assigned(stage, "S2", phone="13900139000")
    referrer = str(stage.office.do("referrers.register", code="R1", name="推荐人").returned)
    asked = stage.lead(phone="13700137000", referrer="R1")
    stage.office.do("leads.request_info", asked, note="几号楼?")
    stage.clock.later(days=3)
    stage.office.do("leads.breach_due", own)  # too late: it goes on to another shop
    hook(stage, "other", events="effect.*", url="https://all.example.com/")
    resume(stage.central, "other", from_now=True)
    stage.clock.later(days=3)
    stage.office.do("leads.breach_due", asked)
    receiver, everything = Receiver(), Receiver()
    receivers = {URL: receiver, "https://all.example.com/": everything}
    Worker(stage.central, clock=stage.clock, send=lambda url, *said: receivers[url](url, *said)).run_once()
    assert everything.types == ["effect.leads.deadline_missed"]  # and headquarters, which sees it all, is told all
    assert everything.got[0].event["data"]["effect"]["referrer"] == referrer
    text = receiver.text()
    assert receiver.types.count("effect.leads.assigned") >= 1
    assert [word for word in (other, asked, referrer, "几号楼", stage.store("S2")) if word in text] == []
    assert own in text
    assert effects_of(stage)[-1][1] == "done"


def handling(*outcomes: Exception | None) -> tuple[Handler, list[Effect]]:
    given, seen = list(outcomes), list[Effect]()

    def handle(effect: Effect) -> None:
        seen.append(effect)
        outcome = given.pop(0) if given else None
        if outcome is not None:
            raise outcome

    return handle, seen


def test_a_handler_carries_each_effect_out_once_and_in_order(stage: Stage) -> None:
    made = [assigned(stage, "S1", phone=f"1380013800{number}") for number in range(3)]
    handle, seen = handling()
    working = worker(stage, Receiver(), handlers={"leads.assigned": handle})
    assert working.run_once() == 3
    assert [lead in item.payload.decode() for lead, item in zip(made, seen, strict=True)] == [True] * 3
    assert effects_of(stage) == [("leads.assigned", "done")] * 3
    assert working.run_once() == 0
    assert len(seen) == 3


def test_an_effect_that_fails_is_tried_again_and_given_up_in_the_end(stage: Stage) -> None:
    assigned(stage, "S1")
    assigned(stage, "S1", phone="13900139000")
    handle, seen = handling(*[OSError("mail server down")] * 23)
    working = worker(stage, Receiver(), handlers={"leads.assigned": handle})
    for _number in range(22):
        assert working.run_once() == 0
        assert effects_of(stage) == [("leads.assigned", "wanted")] * 2
        assert working.run_once() == 0  # not before its time
        stage.clock.later(hours=12)
    assert working.run_once() == 2
    assert effects_of(stage) == [("leads.assigned", "failed"), ("leads.assigned", "done")]
    assert len({item.id for item in seen}) == 2
    assert len(seen) == 24


def test_an_effect_that_cannot_be_done_keeps_back_nothing(stage: Stage) -> None:
    assigned(stage, "S1")
    assigned(stage, "S1", phone="13900139000")
    handle, seen = handling(CannotBeDone("this shop has no address"))
    assert worker(stage, Receiver(), handlers={"leads.assigned": handle}).run_once() == 2
    assert effects_of(stage) == [("leads.assigned", "failed"), ("leads.assigned", "done")]
    assert len(seen) == 2


def test_a_handler_and_a_webhook_both_get_an_effect(stage: Stage) -> None:
    hook(stage, events="effect.*")
    assigned(stage, "S1")
    handle, seen = handling()
    receiver = Receiver()
    assert worker(stage, receiver, handlers={"leads.assigned": handle}).run_once() == 2
    assert (len(seen), receiver.types) == (1, ["effect.leads.assigned"])
    assert effects_of(stage) == [("leads.assigned", "done")]


def test_effects_are_settled_once_and_not_looked_through_again(stage: Stage) -> None:
    assigned(stage, "S1")
    working = worker(stage, Receiver())
    working.run_once()
    with stage.central.workspace() as ws:
        held = leases.place(ws.database.session, SETTLED)
        assert held is not None
        assert held.seq == ws.data_version()
        assert held.lease_until == datetime(1970, 1, 1, tzinfo=UTC)
    assert working.run_once() == 0


# -- over HTTP ---------------------------------------------------------------------------------------------------------


def test_events_arrive_over_http_and_verify(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    server = Listening(replying(200, b"ok"))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    name = hook(stage, events="leads.report", url=f"http://127.0.0.1:{server.port}/hooks?key=1")
    made = leads(stage, 3)
    outside = Outside(Rules(allow_insecure_loopback=True), seconds=5.0)
    assert Worker(stage.central, clock=stage.clock, send=outside.post).run_once() == 3
    outside.close()
    server.shutdown()
    server.server_close()
    assert [path for path, _headers, _body in server.seen] == ["/hooks?key=1"] * 3
    assert server.connections == 1
    for lead, (_path, headers, body) in zip(made, server.seen, strict=True):
        small = {key.lower(): value for key, value in headers.items()}
        verify(secret_of(stage.central, name), small, body, now=stage.clock().timestamp())
        assert lead in body.decode()
    words = [secret_of(stage.central, name), "key=1", "李雷", "13800138000", server.seen[0][1]["webhook-signature"]]
    assert [word for word in words if word in caplog.text] == []


def test_without_a_setting_nothing_goes_to_this_machine(stage: Stage) -> None:
    server = Listening(replying(200))
    hook(stage, events="leads.report", url=f"https://127.0.0.1:{server.port}/")
    leads(stage, 1)
    working = Worker(stage.central, clock=stage.clock)
    assert working.run_once() == 0
    assert send_test(stage.central, "erp").ok is False
    working.close()
    server.server_close()
    assert server.connections == 0
    assert (only_status(stage).state, only_status(stage).attempts) == ("waiting", 1)
