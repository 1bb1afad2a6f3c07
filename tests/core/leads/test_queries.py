"""The inbox, likely duplicates, a lead's story, the funnel, and who could take a lead."""

from __future__ import annotations

from datetime import datetime

from bo.core.leads.queries import Candidate, Happening, Load, Rival, Stage, View, standing
from tests.core.leads.scene import DESIGNER, Scene


def piles(scene: Scene) -> dict[str, int]:
    views: list[View] = scene.office.ask("leads.inbox")
    for view in views:
        assert view.count == len(scene.office.reader().page("leads", view.filter).rows)
    return {view.name: view.count for view in views if view.count}


def test_the_inbox_counts_each_pile_and_its_filter_lists_it(scene: Scene) -> None:
    scene.bring_to("assigned")
    scene.bring_to("valid", phone="13900000001")
    scene.report(phone="13900000002")
    scene.do("leads.request_info", scene.report(phone="13900000003"), note="Where?")

    assert piles(scene) == {"to_review": 1, "needs_info": 1, "to_assign": 1, "to_take": 1, "at_stores": 1}

    scene.later(hours=6)
    assert piles(scene)["overdue"] == 2


def test_a_store_counts_its_own(scene: Scene) -> None:
    scene.bring_to("assigned")
    scene.report(phone="13900000002")
    scene.do("operators.edit", "stan", store="S2")

    with scene.acting("stan"):
        assert piles(scene) == {}
        assert scene.office.ask("leads.funnel") == []
    scene.do("operators.edit", "stan", store="S1")
    with scene.acting("stan"):
        assert piles(scene) == {"to_take": 1, "at_stores": 1}


def test_likely_duplicates_are_named_with_what_agrees(scene: Scene) -> None:
    home = {"district": "浦东", "community": "阳光花园"}
    first = scene.report(number="R1", name="John Smith", referrer=DESIGNER, **home)
    like = scene.report(number="R2", name="Jon Smith", phone="13900000001", **home)
    same = scene.report(number="R3", name="John Smith", email="li@yy.com")
    scene.report(number="R4", phone="13900000004", **home)

    found: list[Rival] = scene.office.ask("leads.duplicates", first)

    assert [(item.lead, item.points, item.why, item.state) for item in found] == [
        (same, 100, "phone", "duplicate"),
        (like, 60, "name", "pending_review"),
    ]
    assert found[1].number == "R2"


def test_the_story_of_a_lead_has_every_step_and_its_words(scene: Scene) -> None:
    lead = scene.bring_to("accepted")
    scene.later(hours=1)
    scene.do("leads.follow_up", lead, by="rita", outcome="interested", note="Wants an island")

    story: list[Happening] = scene.office.ask("leads.timeline", lead)

    assert [item.what for item in story] == [
        "leads.follow_up",
        "leads.take",
        "leads.assign",
        "leads.accept",
        "leads.report",
    ]
    assert story[0].by == scene.people["rita"]
    assert story[0].words == "outcome: interested; note: Wants an island"


def test_the_funnel_counts_how_far_leads_get(scene: Scene) -> None:
    scene.bring_to("won", source="fair")
    scene.bring_to("contacted", phone="13900000001", source="fair")
    scene.do("leads.reject", scene.report(phone="13900000002", source="web"), reason="test_data")
    scene.report(phone="13900000001", source="web")

    fair, web = scene.office.ask("leads.funnel", by="source")

    assert fair == Stage("fair", 2, 2, 2, 1, 1, 0, 0, 0, 1_000_000)
    assert web == Stage("web", 2, 0, 0, 0, 0, 0, 1, 1, 0)
    by_state: list[Stage] = scene.office.ask("leads.funnel", by="state")
    assert [(stage.group, stage.reported) for stage in by_state] == [
        ("contacted", 1),
        ("duplicate", 1),
        ("invalid", 1),
        ("won", 1),
    ]


def test_candidates_say_which_store_the_rule_takes_and_why_not_the_others(scene: Scene) -> None:
    scene.do("territories.add", None, code="T1", store="S1", city="上海", district="浦东")
    scene.do("stores.add", None, code="S3", capacity=1)
    scene.do("leads.assign", scene.bring_to("valid", phone="13900000001"), store="S3")
    lead = scene.bring_to("valid", district="静安")

    found: list[Candidate] = scene.office.ask("leads.candidates", lead)

    assert [(item.code, item.picked, item.why) for item in found] == [
        ("S2", True, "The store takes leads from anywhere"),
        ("S1", False, "Stores could take it, but none is in reach"),
        ("S3", False, "The store has as many open leads as it can take"),
    ]
    scene.do("leads.assign_by_rule", lead)
    assert scene.lead(lead).store == found[0].store
    assert (found[2].open_leads, found[2].capacity, found[2].this_month) == (1, 1, 1)


def test_the_load_of_each_store(scene: Scene) -> None:
    scene.do("stores.edit", "S1", capacity=5)
    scene.bring_to("assigned")
    scene.bring_to("contacted", phone="13900000001")
    scene.bring_to("won", phone="13900000002")
    scene.later(hours=3)

    first, second = scene.office.ask("leads.load")

    s1, s2 = scene.id_of("stores", "S1"), scene.id_of("stores", "S2")
    assert first == Load(s1, "S1", "浦东店", "open", 1, 1, 0, 1, 3, 3)
    assert second == Load(s2, "S2", "静安店", "open", 0, 0, 0, 0, 0, None)


def test_a_clock_is_at_risk_after_four_fifths(scene: Scene) -> None:
    lead = scene.lead(scene.report())
    start: datetime = scene.now

    assert standing(lead, start) == "on_time"
    assert standing(lead, start.replace(hour=5, minute=12)) == "at_risk"
    assert standing(lead, start.replace(hour=6)) == "breached"
    assert standing(scene.lead(scene.bring_to("valid", phone="13900000001")), start) == ""
