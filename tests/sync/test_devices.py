"""Devices that work alone and sync later: what they see, what they may do, and what becomes of it."""

from __future__ import annotations

import pytest

from bo.core.kernel.errors import NotFound
from tests.sync.stage import Stage, rows_of


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
