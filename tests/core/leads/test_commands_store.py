"""Giving leads to stores and what stores do with them: every move, and every refusal with nothing changed."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from bo.core.leads.records import FollowUp
from tests.core.leads.scene import MONDAY, Scene


def at(day: int, hour: int) -> datetime:
    """A moment of November 2026, in UTC; Shanghai is eight hours ahead."""
    return datetime(2026, 11, day, hour, 0, tzinfo=UTC)


# -- by hand -----------------------------------------------------------------------------------------------------------


def test_a_lead_given_to_a_store_is_due_in_two_open_hours(scene: Scene) -> None:
    lead = scene.bring_to("valid")

    scene.do("leads.assign", lead, by="dora", store="S1", note="Speaks Shanghainese")

    found = scene.lead(lead)
    assert (found.state, found.store, found.assigned_reason) == (
        "assigned",
        scene.id_of("stores", "S1"),
        "Speaks Shanghainese",
    )
    assert (found.due_kind, found.due_at, found.assigned_at) == ("accept", at(2, 4), MONDAY)
    assert found.scope == f"store:{found.store}"


@pytest.mark.parametrize(
    ("command", "values"),
    [
        ("stores.pause", {}),
        ("stores.close", {}),
        ("stores.edit", {"opted_out": "yes"}),
        ("stores.edit", {"categories": "bath"}),
        ("stores.edit", {"contract_until": "2026-11-01"}),
    ],
)
def test_a_store_that_cannot_take_a_lead_does_not_get_it(scene: Scene, command: str, values: dict[str, object]) -> None:
    lead = scene.bring_to("valid", category="kitchen")
    scene.do(command, "S1", **values)

    assert scene.refused("leads.assign", lead, store="S1") == "store_cannot_take"
    assert scene.do("leads.assign", lead, store="S2").ok


def test_a_full_store_gets_no_more(scene: Scene) -> None:
    scene.do("stores.edit", "S1", capacity=1)
    scene.bring_to("assigned")
    second = scene.bring_to("valid", phone="13900139000")

    assert scene.refused("leads.assign", second, store="S1") == "store_cannot_take"


def test_an_assignment_is_undone_even_after_others_to_the_same_store(scene: Scene) -> None:
    first, second = scene.bring_to("valid"), scene.bring_to("valid", phone="13900139000")
    done = scene.do("leads.assign_by_rule", first)
    scene.do("leads.assign_by_rule", second)

    scene.office.undo(done.operation)

    assert (scene.lead(first).state, scene.lead(first).store) == ("valid", None)
    assert scene.lead(second).state == "assigned"


def test_a_lead_that_is_not_valid_is_not_given_to_a_store(scene: Scene) -> None:
    assert scene.refused("leads.assign", scene.report(), store="S1") == "wrong_state"
    assert scene.refused("leads.assign_by_rule", scene.bring_to("assigned", phone="13900139000")) == "wrong_state"


# -- by rule -----------------------------------------------------------------------------------------------------------


def given_by_rule(scene: Scene, count: int, **values: object) -> list[str]:
    """Codes of the stores that get so many new leads, one after the other."""
    codes = {scene.id_of("stores", code): code for code in ("S1", "S2")}
    got = []
    for number in range(count):
        method = values.pop("method", "round_robin")
        lead = scene.bring_to("valid", phone=f"139{number:08}", **values)
        values["method"] = method
        scene.do("leads.assign_by_rule", lead, method=method)
        got.append(codes.get(scene.lead(lead).store or "", "-"))
    return got


def test_equal_stores_take_turns(scene: Scene) -> None:
    first = sorted(("S1", "S2"), key=lambda code: scene.id_of("stores", code))

    assert given_by_rule(scene, 4) == first * 2


def test_a_quota_is_also_the_share(scene: Scene) -> None:
    scene.do("stores.edit", "S1", quota=3)
    scene.do("stores.edit", "S2", quota=1)

    got = given_by_rule(scene, 6, method="quota")

    assert (got[:2], sorted(got[2:4]), got[4:]) == (["S1", "S1"], ["S1", "S2"], ["-", "-"])
    assert [view.count for view in scene.office.ask("leads.inbox") if view.name == "overflow"] == [2]


def test_the_store_with_the_fewest_open_leads_is_next(scene: Scene) -> None:
    scene.bring_to("assigned", phone="13700000001")
    scene.bring_to("assigned", phone="13700000002")

    assert given_by_rule(scene, 2, method="least_open") == ["S2", "S2"]


def test_the_named_store_comes_first_then_the_territory(scene: Scene) -> None:
    scene.do("territories.add", None, code="T1", store="S1", province="上海市", city="上海市", district="浦东新区")
    scene.do("territories.add", None, code="T2", store="S2", city="上海")
    pudong = scene.bring_to("valid", city="上海市", district="浦东")
    jingan = scene.bring_to("valid", phone="13900000001", city="上海", district="静安区")
    named = scene.bring_to("valid", phone="13900000002", city="上海", district="浦东", wanted_store="S2")
    away = scene.bring_to("valid", phone="13900000003", city="北京")

    for lead in (pudong, jingan, named, away):
        scene.do("leads.assign_by_rule", lead)

    s1, s2 = scene.id_of("stores", "S1"), scene.id_of("stores", "S2")
    assert [scene.lead(lead).store for lead in (pudong, jingan, named, away)] == [s1, s2, s2, None]
    assert scene.lead(pudong).assigned_reason == "In the store's territory: /上海/浦东"
    assert scene.lead(named).assigned_reason == "Named on the form"
    assert (scene.lead(away).overflow, scene.lead(away).state) == (True, "valid")
    assert scene.lead(away).assigned_reason == "Stores could take it, but none is in reach"


def test_a_lead_that_finds_no_store_waits_with_the_reasons_and_is_taken_up_later(scene: Scene) -> None:
    scene.do("stores.pause", "S1")
    scene.do("stores.edit", "S2", opted_out="yes")
    lead = scene.bring_to("valid")

    scene.do("leads.assign_by_rule", lead)

    found = scene.lead(lead)
    assert (found.state, found.overflow, found.due_at) == ("valid", True, None)
    assert found.assigned_reason == (
        "No store can take it at present (S1: The store is closed; S2: The store takes no leads at present)"
    )
    assert scene.do("leads.assign_by_rule", lead).status == "unchanged"

    scene.do("stores.resume", "S1")
    scene.do("leads.assign_by_rule", lead)
    assert (scene.lead(lead).state, scene.lead(lead).overflow) == ("assigned", False)


def test_a_customer_goes_to_their_own_store_again(scene: Scene) -> None:
    first = scene.bring_to("won")
    scene.later(days=91)
    lead = scene.bring_to("valid")
    assert scene.lead(lead).customer == scene.lead(first).customer

    scene.do("leads.assign_by_rule", lead)

    assert scene.lead(lead).assigned_reason == "The customer's own store"


# -- back from the store -----------------------------------------------------------------------------------------------


def test_a_declined_lead_is_valid_again_and_the_store_is_remembered(scene: Scene) -> None:
    lead = scene.bring_to("assigned")
    s1 = scene.id_of("stores", "S1")

    scene.do("leads.decline", lead, reason="no_capacity")

    found = scene.lead(lead)
    assert (found.state, found.store, found.tried_stores, found.decline_reason) == ("valid", None, (s1,), "no_capacity")
    assert (found.due_at, found.scope) == (None, "hq")
    scene.do("leads.assign_by_rule", lead)
    assert scene.lead(lead).store == scene.id_of("stores", "S2")


def test_another_reason_to_decline_is_explained(scene: Scene) -> None:
    assert scene.refused("leads.decline", scene.bring_to("assigned"), reason="other") == "evidence_missing"


def test_an_accepted_lead_is_not_declined(scene: Scene) -> None:
    assert scene.refused("leads.decline", scene.bring_to("accepted"), reason="no_capacity") == "wrong_state"


def test_a_lead_is_recalled_when_overdue_or_for_a_reason(scene: Scene) -> None:
    lead = scene.bring_to("assigned")
    assert scene.refused("leads.recall", lead) == "not_overdue"

    scene.later(hours=3)
    scene.do("leads.recall", lead)
    assert (scene.lead(lead).state, scene.lead(lead).tried_stores) == ("valid", (scene.id_of("stores", "S1"),))

    scene.do("leads.assign", lead, store="S2")
    scene.do("leads.recall", lead, note="The customer moved")
    assert scene.lead(lead).state == "valid"


def test_cron_gives_a_lead_that_nobody_took_to_the_next_store(scene: Scene) -> None:
    lead = scene.bring_to("assigned")
    scene.later(hours=3)

    scene.do("leads.breach_due", lead)

    found = scene.lead(lead)
    assert (found.state, found.store, found.breaches) == ("assigned", scene.id_of("stores", "S2"), 1)
    assert (found.due_kind, found.due_at) == ("accept", at(2, 7))
    assert found.tried_stores == (scene.id_of("stores", "S1"),)

    scene.later(hours=3)
    scene.do("leads.breach_due", lead)
    assert (scene.lead(lead).state, scene.lead(lead).overflow, scene.lead(lead).breaches) == ("valid", True, 2)


def test_cron_recalls_a_lead_whose_customer_nobody_called(scene: Scene) -> None:
    lead = scene.bring_to("accepted")
    assert (scene.lead(lead).due_kind, scene.lead(lead).due_at) == ("first_contact", at(3, 2))
    scene.later(days=1)

    scene.do("leads.breach_due", lead)

    assert (scene.lead(lead).state, scene.lead(lead).store) == ("assigned", scene.id_of("stores", "S2"))


def test_a_missed_follow_up_is_told_and_the_store_keeps_the_lead(scene: Scene) -> None:
    lead = scene.bring_to("contacted")
    scene.later(days=4)

    scene.do("leads.breach_due", lead)

    assert (scene.lead(lead).state, scene.lead(lead).breaches) == ("contacted", 1)
    assert [view.count for view in scene.office.ask("leads.inbox") if view.name == "overdue"] == [1]


# -- following up ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        ("reached", "contacted"),
        ("call_back", "contacted"),
        ("interested", "contacted"),
        ("not_interested", "contacted"),
        ("no_answer", "accepted"),
        ("note", "accepted"),
        ("visit_booked", "visit_booked"),
        ("visited", "visited"),
        ("quoted", "quoted"),
    ],
)
def test_the_outcome_of_a_contact_takes_the_lead_forward(scene: Scene, outcome: str, state: str) -> None:
    lead = scene.bring_to("accepted")

    scene.do("leads.follow_up", lead, outcome=outcome, note="on the phone")

    assert (scene.lead(lead).state, scene.lead(lead).follow_ups) == (state, 1)
    (entry,) = scene.office.reader().records(FollowUp)
    assert (entry.lead, entry.kind, entry.outcome, entry.note, entry.at) == (
        lead,
        "call",
        outcome,
        "on the phone",
        MONDAY,
    )
    assert entry.scope == f"store:{scene.id_of('stores', 'S1')}"


def test_a_contact_never_takes_a_lead_back(scene: Scene) -> None:
    lead = scene.bring_to("quoted")

    scene.do("leads.follow_up", lead, outcome="reached")

    assert (scene.lead(lead).state, scene.lead(lead).due_kind) == ("quoted", "follow_up")


def test_follow_ups_are_due_every_three_open_days_or_when_agreed(scene: Scene) -> None:
    lead = scene.bring_to("contacted")
    assert (scene.lead(lead).due_kind, scene.lead(lead).due_at) == ("follow_up", at(5, 2))

    scene.do("leads.follow_up", lead, outcome="call_back", next_at="2026-11-20 15:00")
    assert (scene.lead(lead).due_at, scene.lead(lead).next_at) == (at(20, 7), at(20, 7))

    scene.do("leads.follow_up", lead, outcome="call_back", next_at="2026-11-03 15:00")
    assert (scene.lead(lead).due_at, scene.lead(lead).next_at) == (at(5, 2), at(3, 7))


def test_a_call_without_an_answer_is_a_first_contact_and_is_counted(scene: Scene) -> None:
    lead = scene.bring_to("accepted")

    scene.do("leads.follow_up", lead, outcome="no_answer")

    found = scene.lead(lead)
    assert (found.attempts, found.first_attempt_on, found.due_kind) == (1, date(2026, 11, 2), "follow_up")


def test_a_next_contact_lies_ahead(scene: Scene) -> None:
    lead = scene.bring_to("accepted")

    assert scene.refused("leads.follow_up", lead, outcome="reached", next_at="2026-11-01 10:00") == "wrong_time"


def test_nobody_visits_before_a_store_has_the_lead(scene: Scene) -> None:
    assert scene.refused("leads.follow_up", scene.report(), outcome="visited") == "outcome_not_possible"


def test_a_closed_lead_is_not_followed_up(scene: Scene) -> None:
    assert scene.refused("leads.follow_up", scene.bring_to("won"), outcome="reached") == "wrong_state"


def test_a_visit_is_booked_moved_and_made(scene: Scene) -> None:
    lead = scene.bring_to("contacted")
    assert scene.refused("leads.book_visit", lead, at="2026-11-01 10:00") == "wrong_time"

    scene.do("leads.book_visit", lead, at="2026-11-04 14:00")
    assert (scene.lead(lead).state, scene.lead(lead).visit_at) == ("visit_booked", at(4, 6))
    assert (scene.lead(lead).due_kind, scene.lead(lead).due_at) == ("visit", at(5, 6))
    scene.do("leads.book_visit", lead, at="2026-11-06 14:00")
    assert scene.lead(lead).due_at == at(7, 6)

    scene.later(days=4)
    scene.do("leads.visit", lead)
    found = scene.lead(lead)
    assert (found.state, found.visited_at, found.due_kind, found.due_at) == ("visited", at(6, 2), "outcome", at(8, 2))


def test_a_quote_names_a_price(scene: Scene) -> None:
    lead = scene.bring_to("visited")
    assert scene.refused("leads.quote", lead, amount="0") == "wrong_amount"

    scene.do("leads.quote", lead, amount="12,000")

    assert (scene.lead(lead).state, scene.lead(lead).quoted, scene.lead(lead).currency) == ("quoted", 1_200_000, "CNY")


def test_the_clock_stands_still_on_hold_and_runs_on_afterwards(scene: Scene) -> None:
    lead = scene.bring_to("contacted")  # due on Thursday at 10:00: 27 open hours
    scene.later(days=1)

    scene.do("leads.hold", lead, until="2026-11-20")

    held = scene.lead(lead)
    assert (held.state, held.held_from, held.hold_until) == ("on_hold", "contacted", date(2026, 11, 20))
    assert (held.due_kind, held.due_at, held.stopped_kind) == ("hold", at(20, 1), "follow_up")
    assert held.due_seconds_left == 18 * 3600

    scene.later(days=2)
    scene.do("leads.resume", lead)
    found = scene.lead(lead)
    assert (found.state, found.due_kind, found.due_at) == ("contacted", "follow_up", at(7, 2))


def test_cron_wakes_a_lead_whose_waiting_is_over(scene: Scene) -> None:
    lead = scene.bring_to("quoted")
    scene.do("leads.hold", lead, until="2026-11-20")
    scene.later(days=18)

    scene.do("leads.breach_due", lead)

    assert (scene.lead(lead).state, scene.lead(lead).breaches, scene.lead(lead).hold_until) == ("quoted", 0, None)


@pytest.mark.parametrize("until", ["2026-11-02", "2026-11-01", "2027-06-01"])
def test_a_lead_waits_for_a_day_to_come_and_not_for_ever(scene: Scene, until: str) -> None:
    assert scene.refused("leads.hold", scene.bring_to("contacted"), until=until) == "wrong_time"


def test_a_lead_that_waits_is_not_held_again(scene: Scene) -> None:
    lead = scene.bring_to("contacted")
    scene.do("leads.hold", lead, until="2026-11-20")

    assert scene.refused("leads.hold", lead, until="2026-11-21") == "wrong_state"
    assert scene.refused("leads.take", lead) == "wrong_state"


def test_a_lost_lead_says_why_and_can_be_reopened_for_thirty_days(scene: Scene) -> None:
    lead = scene.bring_to("quoted")
    assert scene.refused("leads.lose", lead, reason="other") == "evidence_missing"

    scene.do("leads.lose", lead, reason="price")
    assert (scene.lead(lead).state, scene.lead(lead).lost_reason, scene.lead(lead).due_at) == ("lost", "price", None)

    scene.later(days=29)
    scene.do("leads.reopen", lead)
    assert (scene.lead(lead).state, scene.lead(lead).lost_reason, scene.lead(lead).due_kind) == (
        "contacted",
        None,
        "follow_up",
    )

    scene.do("leads.lose", lead, reason="price")
    scene.later(days=30)
    assert scene.refused("leads.reopen", lead) == "too_late"


def test_a_lead_reopened_after_its_store_closed_waits_for_another(scene: Scene) -> None:
    lead = scene.bring_to("contacted")
    scene.do("leads.lose", lead, reason="timing")
    scene.do("stores.close", "S1")

    scene.do("leads.reopen", lead)

    assert (scene.lead(lead).state, scene.lead(lead).store) == ("valid", None)


def test_a_store_keeps_to_its_own_hours_and_days_off(scene: Scene) -> None:
    scene.do(
        "stores.edit", "S1", opens="10:00", closes="11:00", weekdays="mon-fri", closed_days="2026-11-03,2026-11-04"
    )

    lead = scene.bring_to("assigned")

    assert scene.lead(lead).due_at == at(5, 3)
