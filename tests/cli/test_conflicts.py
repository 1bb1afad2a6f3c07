"""What central refused, at the command line: looked at, done again, changed, let go."""

from __future__ import annotations

import pytest

from tests.cli.laptop import Laptop, assigned, refused
from tests.cli.running import Desk
from tests.sync.stage import Stage


def test_a_conflict_says_what_why_and_how_the_row_is_now(stage: Stage, laptop: Laptop) -> None:
    lead = assigned(stage)
    hugo = laptop.joined("hugo")
    hugo.well("leads", "recall", lead, "--note", "mine")
    stage.office.do("leads.recall", lead, note="another shop is nearer")
    assert hugo.bo("sync").code == 3

    (listed,) = hugo.well("conflicts", "list", "-o", "json").things()
    shown = hugo.well("conflicts", "show", str(listed["id"])[-6:], "-o", "json").thing()

    assert (listed["command"], listed["subject"], listed["code"]) == ("leads.recall", lead, "wrong_state")
    assert listed["reason"] == f"lead {lead[-6:]}: not possible while it is valid"
    assert shown["args"] == {"note": "mine"}
    now = shown["now"]
    assert isinstance(now, dict)
    assert (now["id"], now["state"]) == (lead, "valid")
    table = hugo.well("conflicts", "show", str(listed["id"]), "-o", "table").out
    assert "as it is now:" in table


def test_what_it_is_about_may_be_out_of_sight(stage: Stage, laptop: Laptop) -> None:
    refused(stage, laptop)
    (listed,) = laptop.well("conflicts", "list", "-o", "json").things()

    assert laptop.well("conflicts", "show", str(listed["id"]), "-o", "json").thing()["now"] is None


def test_a_conflict_that_is_done_again_is_a_new_operation(stage: Stage, laptop: Laptop) -> None:
    lead = refused(stage, laptop)
    (old,) = laptop.conflicts()
    stage.office.do("leads.assign", lead, store="S1")
    laptop.well("sync")

    ran = laptop.bo("conflicts", "retry", old.id, "-o", "json")

    assert ran.code == 0, ran
    (new,) = laptop.pending()
    assert (ran.thing()["outcome"], ran.thing()["operation"]) == ("applied", new.id)
    assert new.id != old.id
    assert new.batch == old.id
    assert (new.name, new.subject, new.args) == (old.name, old.subject, old.args)
    assert laptop.conflicts() == []
    assert laptop.bo("sync").code == 0
    assert stage.office.reader().page("leads", "state:accepted", fields=("id",)).rows[0][0] == lead


def test_what_is_refused_here_too_stays_a_conflict(stage: Stage, laptop: Laptop) -> None:
    refused(stage, laptop)
    before = laptop.conflicts()
    rows = laptop.rows()

    ran = laptop.bo("conflicts", "retry", before[0].id)

    assert ran.code == 66
    assert (laptop.conflicts(), laptop.pending()) == (before, [])
    assert laptop.rows() == rows


def test_a_conflict_is_sent_again_with_another_value_and_what_hung_on_it_follows(stage: Stage, laptop: Laptop) -> None:
    hugo = laptop.joined("hugo")
    hugo.well("leads", "report", "--number", "R-1", "--name", "王芳", "--phone", "13700137000", "--city", "上海")
    lead = hugo.well("leads", "list", "number:R-1", "-o", "ids").out.strip()
    hugo.well("leads", "accept", lead)
    hugo.well("leads", "assign", lead, "--store", "S1")
    stage.lead(number="R-1", phone="13600136000")
    assert hugo.bo("sync").code == 3
    first, second, third = hugo.conflicts()
    shown = hugo.well("conflicts", "show", second.id, "-o", "json").thing()
    assert shown["caused_by"] == first.id

    assert hugo.bo("conflicts", "edit", first.id, "--set", "number=R-2").code == 0
    assert hugo.bo("conflicts", "retry", third.id, second.id).code == 0

    assert hugo.conflicts() == []
    assert [item.name for item in hugo.pending()] == ["leads.report", "leads.accept", "leads.assign"]
    assert hugo.bo("sync").code == 0
    found = stage.office.reader().page("leads", "number:R-2", fields=("name", "state")).rows
    assert found == [("王芳", "assigned")]
    assert hugo.pending() == []


def test_a_value_that_the_command_does_not_take_changes_nothing(stage: Stage, laptop: Laptop) -> None:
    refused(stage, laptop)
    before = laptop.conflicts()

    assert laptop.bo("conflicts", "edit", before[0].id, "--set", "colour=red").code == 2
    assert laptop.bo("conflicts", "edit", before[0].id).code == 2
    assert laptop.bo("conflicts", "edit", before[0].id, "--set", "colour").code == 2
    assert laptop.conflicts() == before


def test_letting_go_asks_first(stage: Stage, laptop: Laptop) -> None:
    refused(stage, laptop)
    before = laptop.conflicts()

    ran = laptop.bo("conflicts", "discard", before[0].id)
    assert ran.code == 2
    assert "leads.take" in ran.err
    assert laptop.conflicts() == before

    assert laptop.bo("conflicts", "discard", before[0].id, "--yes").code == 0
    assert laptop.conflicts() == []
    assert laptop.bo("conflicts", "discard", before[0].id, "--yes").code == 66


def test_a_conflict_is_handed_to_somebody_else(
    stage: Stage, laptop: Laptop, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lead = refused(stage, laptop)
    (old,) = laptop.conflicts()

    ran = laptop.bo("conflicts", "hand", old.id, "--to", "hugo", "--note", "yours now", "-o", "json")

    assert ran.code == 0, ran
    assert ran.things() == [{"id": old.id, "outcome": "handed over"}]
    assert laptop.conflicts() == []
    assert laptop.bo("sync").code == 0
    hugo = Laptop(laptop.folder.with_name("hugo"), capsys, monkeypatch).joined("hugo")
    (listed,) = hugo.well("conflicts", "list", "-o", "json").things()
    assert (listed["command"], listed["subject"], listed["code"]) == ("leads.take", lead, "not_found")
    shown = hugo.well("conflicts", "show", str(listed["id"]), "-o", "json").thing()
    assert shown["note"] == "yours now"
    assert hugo.bo("conflicts", "discard", str(listed["id"]), "--yes").code == 0
    assert hugo.well("conflicts", "list", "-o", "json").things() == []


def test_an_office_of_its_own_has_no_conflicts(desk: Desk) -> None:
    assert desk.bo("conflicts", "list").code == 2
