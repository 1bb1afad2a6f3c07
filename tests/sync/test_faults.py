"""Faults between a device and its central store, and within either: nothing is lost, nothing is done twice."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from bo.core.kernel.errors import BadFile, StorageFull, UsageError
from bo.core.kernel.workspace import SCHEMA_VERSION
from bo.core.leads import receiving
from bo.sync.protocol import Answer, Pushed, encode
from bo.sync.transport import Unreachable
from tests.sync import judging
from tests.sync.handling import in_step, lossy, numbers, pushed, reported, sent
from tests.sync.lossy import Fate, Lossy, always, fates, once
from tests.sync.stage import Call, Stage

NEVER = "op_" + "0" * 26


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Stage]:
    """Where it makes no difference which database central has."""
    made = Stage(tmp_path)
    yield made
    made.close()


# -- the line ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["hello", "push", "pull"])
@pytest.mark.parametrize("fate", [fate for fate in Fate if fate is not Fate.FINE])
def test_whatever_becomes_of_one_request_the_work_is_done_once(stage: Stage, kind: str, fate: Fate) -> None:
    hugo = stage.device("hugo", wrap=Lossy)
    reported(hugo, 3)
    hugo.client = hugo.new_client()
    lossy(hugo).choose = once(kind, fate)

    for _time in range(2):
        try:
            hugo.sync()
        except (Unreachable, BadFile, UsageError):
            assert len(hugo.client.pending()) == 3 or kind == "pull"
    hugo.sync()

    assert numbers(stage) == ["N-0", "N-1", "N-2"]
    in_step(stage, hugo)


def test_an_answer_that_is_lost_after_the_commit_leaves_one_effect(stage: Stage) -> None:
    hugo = stage.device("hugo", wrap=Lossy)
    (operation,) = reported(hugo)
    lossy(hugo).choose = fates({"push": [Fate.NO_ANSWER] * 3})
    for _time in range(3):
        with pytest.raises(Unreachable):
            hugo.sync()
        assert [item.id for item in hugo.client.pending()] == [operation]

    report = hugo.sync()

    assert (report.sent, report.confirmed, report.again) == (1, 1, 0)
    assert numbers(stage) == ["N-0"]
    in_step(stage, hugo)


def test_the_same_push_in_parallel_is_done_once_under_one_number(stage: Stage) -> None:
    hugo = stage.device("hugo")
    reported(hugo, 20)
    ops, answers, failed = sent(hugo), list[tuple[Answer, ...]](), list[BaseException]()
    start = threading.Barrier(4)

    def push() -> None:
        start.wait()
        try:
            answers.append(pushed(stage, hugo, ops))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=push) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not failed
    assert {item.status for answer in answers for item in answer} == {"applied"}
    assert len({tuple(item.seq for item in answer) for answer in answers}) == 1
    assert numbers(stage) == [f"N-{place}" for place in range(20)]


# -- who an operation is -----------------------------------------------------------------------------------------------


def test_an_id_that_comes_again_for_something_else_is_refused_and_changes_nothing(stage: Stage) -> None:
    hugo = stage.device("hugo")
    reported(hugo)
    (item,) = sent(hugo)
    (first,) = pushed(stage, hugo, [item])
    before = judging.rows_held(stage.office)
    other = msgspec.structs.replace(item, args=msgspec.Raw(b'{"name":"Ann","phone":"13900139000"}'))

    (answer,) = pushed(stage, hugo, [other])

    assert first.status == "applied"
    assert (answer.status, answer.code) == ("refused", "id_reused")
    assert judging.rows_held(stage.office) == before
    assert pushed(stage, hugo, [item]) == (first,)


def test_an_id_that_was_refused_is_not_free_for_something_else(stage: Stage) -> None:
    hugo = stage.device("hugo")
    stage.lead(number="N-0")
    reported(hugo)
    (item,) = sent(hugo)
    (first,) = pushed(stage, hugo, [item])
    other = msgspec.structs.replace(item, args=msgspec.Raw(b'{"name":"Ann","phone":"13900139000"}'))

    (answer,) = pushed(stage, hugo, [other])

    assert (first.status, answer.status, answer.code) == ("refused", "refused", "id_reused")
    assert pushed(stage, hugo, [item]) == (first,)
    assert numbers(stage) == ["N-0"]


def test_what_was_refused_stays_refused_in_the_same_words(stage: Stage) -> None:
    first = stage.lead(number="N-0")
    hugo = stage.device("hugo")
    stage.office.do("leads.edit", first, number="N-9")
    hugo.sync()
    reported(hugo)
    stage.office.do("leads.edit", first, number="N-0")
    ops = sent(hugo)
    (told,) = pushed(stage, hugo, ops)
    stage.office.do("leads.edit", first, number="N-9")  # now it would be possible

    again = pushed(stage, hugo, ops)

    assert (told.status, told.message) == ("refused", "there already is a {name} with {field} {value}")
    assert told.facts["value"] == "N-0"
    assert again == (told,)
    assert numbers(stage) == ["N-9"]
    assert hugo.sync().refused == 1
    assert [item.id for item in hugo.client.conflicts()] == [told.id]
    in_step(stage, hugo)


def test_numbers_may_have_gaps_and_must_rise(stage: Stage) -> None:
    hugo = stage.device("hugo")
    reported(hugo, 3)
    first, second, third = sent(hugo)
    with pytest.raises(UsageError):
        pushed(stage, hugo, [second, first, third])
    assert numbers(stage) == []

    far = msgspec.structs.replace(third, device_seq=1000)

    assert [item.status for item in pushed(stage, hugo, [first, second, far])] == ["applied"] * 3
    assert numbers(stage) == ["N-0", "N-1", "N-2"]


def test_an_unknown_operation_under_an_old_number_shows_that_two_machines_count_as_one(stage: Stage) -> None:
    hugo = stage.device("hugo")
    reported(hugo, 2)
    ops = sent(hugo)
    pushed(stage, hugo, ops)
    stranger = msgspec.structs.replace(ops[0], id=NEVER, batch=NEVER, device_seq=1)

    assert pushed(stage, hugo, [stranger]) == ()
    assert numbers(stage) == ["N-0", "N-1"]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b"\xff\xfe",
        b'{"schema":"0002","n":0,"now":"2026-11-02T02:00:00Z","ops":[],"more":1}',
        b'{"schema":"0002","n":1,"now":"2026-11-02T02:00:00Z","ops":[]}',
        b'{"schema":"0002","n":0,"now":"yesterday","ops":[]}',
        b'{"schema":"0002","n":0,"now":"2026-11-02T02:00:00","ops":[]}',
    ],
)  # fmt: skip
def test_a_body_that_is_not_a_push_is_told_and_does_nothing(here: Stage, body: bytes) -> None:
    hugo = here.device("hugo")
    before = judging.head(here.office)

    with pytest.raises(UsageError):
        here.central.answer(hugo.caller(), "push", body)

    assert judging.head(here.office) == before


BAD = [
    {"id": "op_1"}, {"id": NEVER[:-1] + "é"}, {"batch": ""}, {"device_seq": 0}, {"device_seq": -1},
    {"device_seq": 2**63}, {"at": "2026-11-02T02:00:00"}, {"args": []}, {"args": "x"}, {"args": None},
]  # fmt: skip


@pytest.mark.parametrize("change", BAD, ids=str)
def test_an_operation_that_cannot_be_one_is_told_and_nothing_of_the_push_is_run(
    here: Stage, change: dict[str, object]
) -> None:
    hugo = here.device("hugo")
    reported(hugo, 2)
    ops = msgspec.json.decode(encode(sent(hugo)))
    ops[1] |= change
    body = {"schema": SCHEMA_VERSION, "n": 2, "now": here.clock().isoformat(), "ops": ops}

    with pytest.raises(UsageError):
        here.central.answer(hugo.caller(), "push", encode(body))

    assert numbers(here) == []
    assert judging.selected(here.office, "SELECT COUNT(*) FROM quarantine") == [(0,)]


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
@pytest.mark.parametrize("now", ["0001-01-01T00:00:00Z", "2026-11-02T02:00:00Z", "9999-12-31T23:59:59Z"])
def test_the_ends_of_time_are_only_a_wrong_clock(here: Stage, moment: str, now: str) -> None:
    hugo = here.device("hugo")
    reported(hugo)
    (real,) = sent(hugo)
    item = {**msgspec.json.decode(encode(real)), "at": moment}
    body = {"schema": SCHEMA_VERSION, "n": 1, "now": now, "ops": [item]}

    answer = msgspec.json.decode(here.central.answer(hugo.caller(), "push", encode(body)), type=Pushed)

    assert [made.status for made in answer.results] == ["applied"]
    ((at,),) = judging.selected(here.office, f"SELECT at FROM operation WHERE id = '{real.id}'")
    assert str(at) <= "2026-11-02 02:00:05" or str(at) <= "2026-11-02T02:00:05"


# -- pages that are cut, edits meanwhile -------------------------------------------------------------------------------


@pytest.mark.parametrize("fate", [Fate.CUT_ANSWER, Fate.GARBLED])
def test_a_page_that_cannot_be_read_moves_nothing(stage: Stage, fate: Fate) -> None:
    hugo = stage.device("hugo", wrap=Lossy)
    stage.lead()
    link, rows = hugo.ws.read_link(), judging.rows_held(hugo.ws)
    lossy(hugo).choose = always(["pull"], fate)

    with pytest.raises(BadFile):
        hugo.sync()

    assert hugo.ws.read_link() == link
    assert judging.rows_held(hugo.ws) == rows
    lossy(hugo).choose = once("pull", Fate.FINE)
    hugo.sync()
    in_step(stage, hugo)


def test_an_edit_made_while_a_page_is_on_its_way_is_kept(stage: Stage) -> None:
    lead = stage.lead()
    hugo = stage.device("hugo", wrap=Lossy)
    stage.office.do("leads.edit", lead, name="韩梅梅")
    edits = iter(["typed meanwhile"])

    def edit(kind: str) -> None:
        for note in edits if kind == "pull" else ():
            hugo.do("leads.edit", lead, note=note)

    lossy(hugo).after = edit
    report = hugo.sync()

    assert report.waiting == 1
    assert (hugo.lead(lead).name, hugo.lead(lead).note) == ("韩梅梅", "typed meanwhile")
    hugo.sync()
    assert stage.office.reader().get(type(hugo.lead(lead)), lead).note == "typed meanwhile"
    in_step(stage, hugo)


def test_two_programs_that_sync_one_device_at_once_double_nothing(stage: Stage) -> None:
    hugo = stage.device("hugo", wrap=Lossy)
    reported(hugo, 5)
    other = hugo.new_client()
    turns = iter(range(100))

    def sync(_kind: str) -> None:
        if next(turns) % 2 == 0:
            other.sync()

    lossy(hugo).before = lossy(hugo).after = sync
    hugo.sync()

    assert numbers(stage) == [f"N-{place}" for place in range(5)]
    in_step(stage, hugo)


# -- faults of central's own -------------------------------------------------------------------------------------------


def test_one_operation_that_breaks_central_stops_none_of_the_others(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    hugo = stage.device("hugo")
    names = reported(hugo, 1000)
    receive = receiving.receive
    monkeypatch.setattr(receiving, "receive", lambda tx, lead: _poisoned(receive, tx, lead))

    report = hugo.sync()

    assert (report.sent, report.confirmed, report.refused, report.waiting) == (1000, 999, 1, 0)
    (kept,) = judging.selected(stage.office, "SELECT id, device, operator, reason, body FROM quarantine")
    assert kept[:4] == (names[499], hugo.ws.device, hugo.ws.actor, "RuntimeError")
    assert msgspec.json.decode(kept[4])["args"]["number"] == "N-499"
    (conflict,) = hugo.client.conflicts()
    assert msgspec.json.decode(conflict.answer)["status"] == "quarantined"
    assert len(numbers(stage)) == 999
    assert "N-499" not in numbers(stage)
    in_step(stage, hugo)


def _poisoned(receive: Callable[..., object], tx: object, lead: object) -> object:
    if getattr(lead, "number", "") == "N-499" and getattr(tx, "authority", False):
        raise RuntimeError("no")
    return receive(tx, lead)


def test_what_depends_on_a_refused_one_says_so(stage: Stage) -> None:
    hugo = stage.device("hugo")
    reported(hugo)
    (lead,) = hugo.leads()
    hugo.do("leads.accept", lead)
    stage.lead(number="N-0", phone="13700137000")

    hugo.sync()

    first, second = (msgspec.json.decode(item.answer, type=Answer) for item in hugo.client.conflicts())
    assert (first.code, second.code, second.caused_by) == ("refused", "not_found", first.id)
    in_step(stage, hugo)


# -- full disks --------------------------------------------------------------------------------------------------------


def test_a_full_disk_of_the_device_is_said_and_the_outbox_stays_whole(stage: Stage) -> None:
    hugo = stage.device("hugo")
    reported(hugo, 3)
    stage.office.run([Call("leads.report", None, {"name": "x", "note": "n" * 4000}) for _ in range(200)])
    cursor = hugo.ws.database.session.cursor
    cursor.execute("PRAGMA page_count")
    ((pages,),) = cursor.fetchall()
    cursor.execute(f"PRAGMA max_page_count = {pages}")
    cursor.fetchall()
    link = hugo.ws.read_link()

    with pytest.raises(StorageFull):
        hugo.sync()

    assert hugo.ws.read_link() == link
    assert len(hugo.client.pending()) == 3
    hugo.reopen()
    hugo.sync()
    in_step(stage, hugo)


def test_a_full_disk_of_central_is_said_and_the_outbox_stays_whole(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    hugo = stage.device("hugo")
    reported(hugo, 300)
    with stage.central.workspace() as ws:
        cursor = ws.database.session.cursor
        cursor.execute("PRAGMA page_count")
        ((pages,),) = cursor.fetchall()
        cursor.execute(f"PRAGMA max_page_count = {pages}")
        cursor.fetchall()

    with pytest.raises(StorageFull):
        hugo.sync()

    assert len(hugo.client.pending()) == 300
    assert numbers(stage) == []
    stage.restart()
    hugo.sync()
    in_step(stage, hugo)
    stage.close()
