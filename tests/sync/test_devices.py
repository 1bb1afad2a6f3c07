"""Devices that work alone and sync later: what they see, what they may do, and what becomes of it."""

from __future__ import annotations

import pytest

from bo.core.kernel.errors import NotAllowed, NotFound
from bo.sync import conflicts
from bo.sync.device import standing
from tests.sync.stage import Device, Stage, rows_of


def test_a_shops_device_holds_its_own_leads_and_nothing_else(stage: Stage) -> None:
    own, other, nobodys = stage.lead(), stage.lead(phone="13900139000"), stage.lead(phone="13700137000")
    for lead, store in ((own, "S1"), (other, "S2")):
        stage.office.do("leads.accept", lead)
        stage.office.do("leads.assign", lead, store=store)
    anna = stage.device("anna")
    assert anna.leads() == {own}
    assert nobodys not in anna.leads()


def test_what_is_done_offline_is_final_after_a_sync(stage: Stage) -> None:
    lead = stage.lead()
    stage.office.do("leads.accept", lead)
    stage.office.do("leads.assign", lead, store="S1")
    anna, hugo = stage.device("anna"), stage.device("hugo")
    anna.do("leads.take", lead)
    assert len(anna.client.pending()) == 1
    report = anna.sync()
    assert (report.sent, report.confirmed, report.waiting, report.again) == (1, 1, 0, 0)
    hugo.sync()
    assert (
        hugo.lead(lead).state == anna.lead(lead).state == stage.office.reader().get(type(anna.lead(lead)), lead).state
    )
    assert rows_of(hugo.ws)["leads"] == rows_of(stage.office)["leads"]


def test_what_central_refuses_is_taken_back_and_kept_with_the_reason(stage: Stage) -> None:
    lead = stage.lead()
    stage.office.do("leads.accept", lead)
    stage.office.do("leads.assign", lead, store="S1")
    anna = stage.device("anna")
    before = rows_of(anna.ws)["leads"]
    anna.do("leads.take", lead)
    stage.office.do("leads.recall", lead, note="another shop is nearer")
    report = anna.sync()
    assert (report.refused, report.waiting) == (1, 0)
    assert [item.name for item in anna.client.conflicts()] == ["leads.take"]
    with pytest.raises(NotFound):
        anna.lead(lead)
    assert before != rows_of(anna.ws)["leads"]


def test_nothing_of_a_lead_that_left_a_shop_stays_in_the_file(stage: Stage) -> None:
    lead = stage.lead(name="Zebulon Quartermaine", note="drawing room in teal")
    stage.office.do("leads.accept", lead)
    stage.office.do("leads.assign", lead, store="S1")
    anna = stage.device("anna")
    stage.office.do("leads.edit", lead, note="drawing room in ochre")
    anna.sync()
    assert anna.lead(lead).note == "drawing room in ochre"
    stage.office.do("leads.recall", lead, note="moved house")
    anna.sync()
    session = anna.ws.database.session
    session.cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    session.cursor.fetchall()
    held = b"".join(path.read_bytes() for path in stage.folder.glob(f"{anna.ws.device}.db*"))
    for word in (b"quartermaine", b"ochre", b"teal", b"moved house"):
        assert word not in held.lower()


def test_a_refused_operation_is_handed_to_somebody_who_does_it_with_their_rights(stage: Stage) -> None:
    anna, hugo, lead = refused_at_annas(stage)
    (found,) = conflicts.conflicts(anna.ws)

    conflicts.hand(anna.ws, found, "hugo", "can you?")

    assert conflicts.conflicts(anna.ws) == []
    assert [item.name for item in anna.client.pending()] == ["handovers.give"]
    assert anna.sync().refused == 0
    hugo.sync()
    (given,) = conflicts.conflicts(hugo.ws)
    assert (standing(anna.ws).given, standing(hugo.ws).given) == (0, 1)
    assert (given.operation.name, given.operation.subject, given.note) == ("leads.take", lead, "can you?")
    assert given.answer == found.answer
    assert conflicts.conflicts(anna.ws) == []
    assert rows_of(anna.ws)["handovers"] == []  # it is not hers to see any more

    stage.office.do("leads.assign", lead, store="S1")
    hugo.sync()
    conflicts.again(hugo.ws, given)

    assert conflicts.conflicts(hugo.ws) == []
    assert [item.name for item in hugo.client.pending()] == ["leads.take", "handovers.settle"]
    assert hugo.sync().refused == 0
    assert hugo.lead(lead).state == "accepted"
    assert rows_of(hugo.ws)["handovers"] == rows_of(stage.office)["handovers"]


def test_what_is_handed_to_nobody_by_name_is_for_who_may_settle_it(stage: Stage) -> None:
    anna, hugo, _lead = refused_at_annas(stage)
    bert = stage.device("bert")
    (found,) = conflicts.conflicts(anna.ws)
    conflicts.hand(anna.ws, found)
    anna.sync()
    bert.sync()
    hugo.sync()

    assert conflicts.conflicts(bert.ws) == []
    (given,) = conflicts.conflicts(hugo.ws)
    conflicts.discard(hugo.ws, given)

    assert conflicts.conflicts(hugo.ws) == []
    assert hugo.sync().refused == 0
    assert stage.office.reader().count("handovers", "state:settled") == 1


def test_what_is_handed_to_somebody_who_is_not_there_comes_back(stage: Stage) -> None:
    anna, _hugo, lead = refused_at_annas(stage)
    (found,) = conflicts.conflicts(anna.ws)
    conflicts.hand(anna.ws, found, "nobody")

    assert anna.sync().refused == 1

    (back,) = conflicts.conflicts(anna.ws)
    assert (back.operation.name, back.answer.code) == ("handovers.give", "not_found")
    conflicts.again(anna.ws, back, {"to": "hugo"})
    assert anna.sync().refused == 0
    assert stage.office.reader().page("handovers", fields=("subject",)).rows == [(lead,)]


def test_nobody_settles_what_was_given_to_somebody_else(stage: Stage) -> None:
    anna, hugo, _lead = refused_at_annas(stage)
    (found,) = conflicts.conflicts(anna.ws)
    conflicts.hand(anna.ws, found, "hugo")
    anna.sync()
    hugo.sync()
    (given,) = conflicts.conflicts(hugo.ws)
    before = rows_of(stage.office)["handovers"]

    with pytest.raises(NotAllowed):
        stage.office.do("handovers.settle", given.id)

    assert rows_of(stage.office)["handovers"] == before


def refused_at_annas(stage: Stage) -> tuple[Device, Device, str]:
    """A lead that anna took after headquarters had recalled it, and hugo beside her."""
    lead = stage.lead()
    stage.office.do("leads.accept", lead)
    stage.office.do("leads.assign", lead, store="S1")
    anna, hugo = stage.device("anna"), stage.device("hugo")
    anna.do("leads.take", lead)
    stage.office.do("leads.recall", lead, note="another shop is nearer")
    assert anna.sync().refused == 1
    return anna, hugo, lead
