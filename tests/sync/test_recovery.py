"""History that a device or its central store has lost, snapshots that are cut, rows that were changed by hand: all is
put right again, and nothing that was done is lost.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Table, select

from bo.core.kernel.errors import BadFile, BoError
from bo.core.kernel.tables import caused
from bo.core.kernel.workspace import SCHEMA_VERSION
from bo.sync.central import Caller, Revoked
from bo.sync.client import SPOOL_NAME, Client, Report
from bo.sync.oversight import declare_stable
from bo.sync.protocol import Push, SnapshotPage, encode
from bo.sync.tables import answer
from bo.sync.transport import Unreachable
from tests.sync import judging
from tests.sync.handling import in_step, lossy, numbers, reported, sent
from tests.sync.lossy import Fate, Lossy, fates, once
from tests.sync.stage import Device, Stage

# -- history that is not there any more --------------------------------------------------------------------------------


def test_a_cursor_that_leads_nowhere_costs_a_snapshot_and_no_work(stage: Stage) -> None:
    hugo = stage.device("hugo")
    reported(hugo, 1)
    hugo.sync()
    reported(hugo, 2, first=1)
    hugo.ws.database.session.script(["UPDATE link SET hash = 'of another history'"])

    report = hugo.sync()

    assert (report.events, report.waiting) == (["diverged"], 0)
    assert sorted(numbers(stage)) == ["N-0", "N-1", "N-2"]
    in_step(stage, hugo)


def test_a_cursor_older_than_what_central_keeps_costs_a_snapshot_and_no_work(stage: Stage) -> None:
    hugo = stage.device("hugo")
    reported(hugo, 2)
    link = hugo.ws.read_link()
    assert link is not None
    stage.lead()
    stage.office.database.session.script(
        [f"DELETE FROM change WHERE seq <= {link.seq}", f"DELETE FROM operation WHERE seq <= {link.seq}"]
    )

    report = hugo.sync()

    assert report.events == ["gone"]
    assert sorted(number or "" for number in numbers(stage)) == ["", "N-0", "N-1"]
    in_step(stage, hugo)


def test_an_operation_that_is_in_the_snapshot_already_is_not_done_again_here(stage: Stage) -> None:
    hugo = stage.device("hugo", wrap=Lossy)
    reported(hugo, 2)
    lossy(hugo).choose = once("push", Fate.NO_ANSWER)
    with pytest.raises(Unreachable):
        hugo.sync()
    hugo.ws.database.session.script(["UPDATE link SET view = 'of old'"])

    report = hugo.sync()

    assert (report.events, report.confirmed, report.waiting) == (["view"], 2, 0)
    in_step(stage, hugo)
    assert judging.rows_held(hugo.ws) == judging.rows_confirmed(hugo.ws)


def test_what_central_loses_to_an_older_backup_comes_back_from_its_device_once(tmp_path: Path) -> None:
    from tests.sync.dangers import Files

    stage = Stage(tmp_path)
    hugo = stage.device("hugo")
    reported(hugo, 2)
    hugo.sync()
    vault = Files(tmp_path / "central.db")
    backup = vault.take()
    reported(hugo, 2, first=2)
    hugo.sync()
    reported(hugo, 1, first=4)
    stage.stop()
    vault.put_back(backup)
    stage.start()
    assert numbers(stage) == ["N-0", "N-1"]

    report = hugo.sync()

    assert report.events == ["diverged"]
    assert sorted(numbers(stage)) == [f"N-{place}" for place in range(5)]
    in_step(stage, hugo)
    stage.close()


def test_a_laptop_put_back_to_an_older_copy_loses_nothing_that_it_does_from_then_on(stage: Stage) -> None:
    hugo = stage.device("hugo")
    copy = hugo.copy(stage.folder / "copy.db")
    reported(hugo, 3)
    hugo.sync()
    hugo.ws.close()
    copy.replace(hugo.path())
    for ending in ("-wal", "-shm"):
        hugo.path().with_name(hugo.path().name + ending).unlink(missing_ok=True)
    hugo.reopen()
    reported(hugo, 2, first=10)  # under numbers that were used

    report = hugo.sync()

    assert report.events == ["forked"]
    assert (report.sent, report.confirmed, report.refused, report.waiting) == (2, 2, 0, 0)
    assert sorted(numbers(stage)) == ["N-0", "N-1", "N-10", "N-11", "N-2"]
    in_step(stage, hugo)


def test_two_machines_with_one_disk_both_keep_their_work(stage: Stage) -> None:
    hugo = stage.device("hugo")
    reported(hugo, 1)
    twin = stage.clone(hugo)
    reported(hugo, 2, first=1)
    reported(twin, 2, first=3)

    for _round in range(3):
        hugo.sync()
        twin.sync()
    hugo.sync()

    assert sorted(numbers(stage)) == [f"N-{place}" for place in range(5)]
    in_step(stage, hugo)
    in_step(stage, twin)


# -- snapshots ---------------------------------------------------------------------------------------------------------


def parts(device: Device) -> int:
    assert device.spool is not None
    path = device.spool / SPOOL_NAME
    return len(path.read_bytes().splitlines()) if path.exists() else 0


@pytest.mark.parametrize("cut", [1, 3])
@pytest.mark.parametrize("commits", [False, True])
def test_a_snapshot_cut_after_any_part_goes_on_where_it_stopped(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cut: int, commits: bool
) -> None:
    monkeypatch.setattr("bo.sync.feed.snapshot.__defaults__", (10,))
    leads = [stage.lead(phone=f"1391{place:07}", number=f"N-{place}") for place in range(40)]
    hugo = stage.device("hugo", wrap=Lossy, spool=tmp_path, synced=False)
    asked: list[bytes] = []

    def hear(kind: str, body: bytes, _answer: bytes) -> None:
        if kind == "snapshot":
            asked.append(body)

    lossy(hugo).hear = hear
    lossy(hugo).choose = fates({"snapshot": [*[Fate.FINE] * cut, Fate.NO_ANSWER]})
    with pytest.raises(Unreachable):
        hugo.sync()
    assert parts(hugo) == cut
    if commits:  # rows of parts that have come, of parts to come, and a number that goes from one to the other
        stage.office.do("leads.edit", leads[0], number="N-900")
        stage.office.do("leads.edit", leads[39], number="N-0")
        stage.office.do("leads.edit", leads[20], name="韩梅梅")
        stage.lead(phone="13700137000", number="N-901")

    hugo.reopen()
    lossy(hugo).hear = hear
    hugo.sync()

    assert len(asked) == len(set(asked))  # no part twice
    assert parts(hugo) == 0
    in_step(stage, hugo)


def test_a_part_of_a_snapshot_that_was_half_written_is_fetched_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("bo.sync.feed.snapshot.__defaults__", (10,))
    for place in range(30):
        stage.lead(phone=f"1391{place:07}")
    hugo = stage.device("hugo", wrap=Lossy, spool=tmp_path, synced=False)
    lossy(hugo).choose = fates({"snapshot": [*[Fate.FINE] * 3, Fate.NO_ANSWER]})
    with pytest.raises(Unreachable):
        hugo.sync()
    path = tmp_path / SPOOL_NAME
    path.write_bytes(path.read_bytes()[:-100])

    hugo.sync()

    in_step(stage, hugo)


def test_a_part_of_a_snapshot_that_was_changed_on_its_way_is_not_taken(stage: Stage) -> None:
    stage.lead()
    hugo = stage.device("hugo", wrap=Lossy, synced=False)
    carried = lossy(hugo)._carried

    def changed(fate: Fate, kind: str, body: bytes) -> bytes:
        answer = carried(fate, kind, body)
        if kind != "snapshot":
            return answer
        page = msgspec.json.decode(answer, type=SnapshotPage)
        assert any(row.noun == "leads" for row in page.rows)
        return answer.replace("李雷".encode(), "李雪".encode())

    lossy(hugo)._carried = changed  # type: ignore[method-assign]
    with pytest.raises(BadFile):
        hugo.sync()
    assert not judging.rows_held(hugo.ws)["leads"]


# -- looking after it --------------------------------------------------------------------------------------------------


def test_a_row_that_was_tampered_with_is_found_and_put_right(stage: Stage) -> None:
    lead = stage.lead()
    hugo = stage.device("hugo")
    reported(hugo, 1)
    hugo.ws.database.session.script([f"UPDATE lead SET name = 'nobody' WHERE id = '{lead}'"])
    assert hugo.lead(lead).name == "nobody"

    odd = hugo.client.check(report := Report())

    assert (odd, report.events) == (["leads"], ["digest"])
    assert hugo.lead(lead).name == "李雷"
    in_step(stage, hugo)
    assert hugo.client.check(Report()) == []


def test_a_device_that_is_shut_out_leaves_its_last_words_once_and_hears_nothing(stage: Stage) -> None:
    hugo = stage.device("hugo", wrap=Lossy)
    reported(hugo, 2)
    stage.lead()
    rows = judging.rows_held(hugo.ws)
    hugo.revoked = True

    for _time in range(2):
        with pytest.raises(Revoked):
            hugo.sync()

    kept = judging.selected(stage.office, "SELECT id, reason, body FROM quarantine")
    assert [(row[0], row[1]) for row in kept] == [(f"last_{hugo.ws.device}", "revoked")]
    assert [item["args"]["number"] for item in msgspec.json.decode(kept[0][2])["ops"]] == ["N-0", "N-1"]
    assert judging.rows_held(hugo.ws) == rows
    assert len(numbers(stage)) == 1


def test_a_program_without_a_device_cannot_push(stage: Stage) -> None:
    hugo = stage.device("hugo")
    reported(hugo)
    body = encode(Push(SCHEMA_VERSION, 1, stage.clock(), tuple(sent(hugo))))

    with pytest.raises(BoError, match="only a device"):
        stage.central.answer(Caller(hugo.ws.actor), "push", body)

    assert numbers(stage) == []


def test_an_office_of_its_own_has_nothing_to_sync_with(stage: Stage) -> None:
    with pytest.raises(BoError, match="no central store"):
        Client(stage.office, stage.device("hugo").client.transport)


def test_an_answer_is_kept_for_a_year_and_forgotten_with_a_verified_backup_after_that(stage: Stage) -> None:
    lead = stage.lead()
    hugo = stage.device("hugo")
    stage.office.do("leads.accept", lead)
    hugo.do("leads.reject", lead, reason="no_intent")
    (item,) = hugo.client.pending()
    assert hugo.sync().refused == 1
    ahead = stage.office.data_version()
    with stage.office.database.writing() as session:
        ran = ("op_1/rule/row", "op_1", "rule", "row", "refused", "", session.moment(stage.clock()))
        session.many("test:caused", caused.insert, [ran])

    def kept(table: Table) -> list[str]:
        rows = stage.office.database.session.rows(f"test:kept:{table.name}", lambda: select(table.c.id))
        return [str(row[0]) for row in rows]

    stage.clock.later(days=399)
    declare_stable(stage.office, ahead)
    assert (kept(answer), kept(caused)) == ([item.id], ["op_1/rule/row"])

    stage.clock.later(days=2)
    declare_stable(stage.office, ahead)

    assert (kept(answer), kept(caused)) == ([], [])
    assert stage.office.data_version() == ahead
    assert hugo.sync().refused == 0
    assert len(hugo.client.conflicts()) == 1  # a person's to deal with, whatever central remembers
