"""Reports, duplicates, review and appeals: every move, and every refusal with nothing changed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bo.core.leads.records import Appeal
from bo.core.rewards.records import RewardLine
from tests.core.leads.scene import DESIGNER, MONDAY, Scene


def test_a_new_report_waits_for_review_within_four_open_hours(scene: Scene) -> None:
    lead = scene.lead(scene.report(number="R1", email="Li+kitchen@YY.com", budget="1,234.50"))

    assert (lead.state, lead.due_kind, lead.due_at) == (
        "pending_review",
        "review",
        datetime(2026, 11, 2, 6, 0, tzinfo=UTC),
    )
    assert (lead.phone, lead.email, lead.email_key) == ("+8613800138000", "Li+kitchen@yy.com", "li@yy.com")
    assert (lead.budget, lead.scope, lead.created_at) == (123450, "hq", MONDAY)


@pytest.mark.parametrize(
    ("first", "second", "points"),
    [
        ({"phone": "138 0013 8000"}, {"phone": "0086-13800138000"}, 100),
        ({"phone": "13911112222", "phone2": "13800138000"}, {"phone": "13800138000"}, 100),
        ({"phone": "13800138000"}, {"phone": "13911112222", "phone2": "13800138000"}, 100),
        ({"phone": "", "platform_id": "wx_li"}, {"phone": "", "platform_id": "wx_li"}, 100),
        ({"phone": "", "email": "Li+a@YY.com"}, {"phone": "", "email": "li@yy.com"}, 80),
        (
            {"phone": "", "name": "李雷", "district": "浦东", "community": "阳光花园", "room": "3栋2单元501室"},
            {"phone": "", "name": "李梅", "district": "浦东", "community": "阳光花园小区", "room": "3-2-501"},
            80,
        ),
    ],
)
def test_a_second_report_of_a_customer_is_a_duplicate_of_the_first(
    scene: Scene, first: dict[str, object], second: dict[str, object], points: int
) -> None:
    earlier = scene.report(**first)
    later = scene.lead(scene.report(**second))

    assert (later.state, later.duplicate_of, later.duplicate_score, later.due_at) == (
        "duplicate",
        earlier,
        points,
        None,
    )


def test_the_same_name_in_a_community_is_shown_and_not_decided(scene: Scene) -> None:
    scene.report(phone="13911112222", community="阳光花园", district="浦东")
    lead = scene.lead(scene.report(phone="13933334444", community="阳光花园", district="浦东"))

    assert (lead.state, lead.duplicate_score, lead.duplicate_of) == ("pending_review", 60, None)


def test_a_duplicate_of_a_duplicate_belongs_to_the_first(scene: Scene) -> None:
    first = scene.report()
    scene.report(email="li@yy.com")
    third = scene.lead(scene.report(phone="13911112222", email="li@yy.com"))

    assert third.duplicate_of == first


def test_protection_ends_after_ninety_days(scene: Scene) -> None:
    scene.report()
    scene.later(days=90, hours=1)

    assert scene.lead(scene.report()).state == "pending_review"


def test_another_brand_protects_nobody_here(scene: Scene) -> None:
    scene.report(brand="North")

    assert scene.lead(scene.report(brand="South")).state == "pending_review"
    assert scene.lead(scene.report(brand="North")).state == "duplicate"


def test_a_rejected_report_protects_nobody(scene: Scene) -> None:
    first = scene.report()
    scene.do("leads.reject", first, reason="test_data")

    assert scene.lead(scene.report()).state == "pending_review"


def test_a_phone_that_too_many_share_says_nothing(scene: Scene) -> None:
    states = [scene.lead(scene.report(phone="021 5555 6666", name=f"客户{number}")).state for number in range(23)]

    assert states == ["pending_review", *["duplicate"] * 20, "pending_review", "pending_review"]


def test_reports_in_one_batch_see_each_other(scene: Scene) -> None:
    from bo.core.kernel.dispatch import Call

    calls = [Call("leads.report", None, {"phone": phone}) for phone in ("13800138000", "13900139000", "13800138000")]
    made = [str(outcome.returned) for outcome in scene.office.run(calls)]

    assert [scene.lead(lead).state for lead in made] == ["pending_review", "pending_review", "duplicate"]
    assert scene.lead(made[2]).duplicate_of == made[0]


def test_a_number_is_given_once(scene: Scene) -> None:
    scene.report(number="R1")

    assert scene.refused("leads.report", None, number="R1", phone="13900139000") == "refused"


def test_an_edit_clears_what_is_blank_and_keeps_what_is_not_given(scene: Scene) -> None:
    lead = scene.report(number="R1", email="li@yy.com", note="kitchen")

    scene.do("leads.edit", lead, email="", tags="vip, vip;north")

    changed = scene.lead(lead)
    assert (changed.email, changed.email_key, changed.note, changed.tags) == (None, None, "kitchen", ("north", "vip"))
    assert scene.do("leads.edit", lead, note="kitchen").status == "unchanged"


def test_an_edit_shows_whom_a_lead_looks_like_now_and_decides_nothing(scene: Scene) -> None:
    scene.report()
    lead = scene.report(phone="13900139000")

    scene.do("leads.edit", lead, phone="138-0013-8000")

    assert (scene.lead(lead).state, scene.lead(lead).duplicate_score) == ("pending_review", 100)


def test_a_lead_that_is_accepted_is_valid_and_earns(scene: Scene) -> None:
    scene.do(
        "reward_rules.add",
        None,
        code="V",
        event="valid_lead",
        kind="fixed",
        amount="50",
        currency="CNY",
        effective_from="2026-01-01",
    )
    scene.do("reward_rules.activate", "V")
    lead = scene.report(referrer=DESIGNER)

    scene.do("leads.accept", lead, by="rita")

    found = scene.lead(lead)
    assert (found.state, found.due_at, found.reviewed_by, found.reviewed_at) == (
        "valid",
        None,
        scene.people["rita"],
        MONDAY,
    )
    (line,) = scene.office.reader().records(RewardLine)
    assert (line.cause, line.event, line.amount) == (lead, "valid_lead", 5000)


def test_who_reported_a_lead_is_not_edited_after_its_review_but_corrected_with_its_reward(scene: Scene) -> None:
    terms = {"event": "valid_lead", "kind": "fixed", "amount": "50", "currency": "CNY", "effective_from": "2026-01-01"}
    scene.do("reward_rules.add", None, code="V", **terms)
    scene.do("reward_rules.activate", "V")
    other = scene.do("referrers.register", None, code="D002").returned
    lead = scene.report()
    scene.do("leads.edit", lead, referrer=DESIGNER)
    scene.do("leads.accept", lead)

    assert scene.refused("leads.edit", lead, referrer="D002") == "reviewed_fact"
    assert scene.refused("leads.edit", lead, reported_at="2026-10-01") == "reviewed_fact"
    assert scene.refused("leads.correct", lead, reported_at="2026-12-01", reason="Typed wrong") == "wrong_time"
    assert scene.refused("leads.correct", lead, by="stan", referrer="D002", reason="For me") == "not_allowed"
    assert scene.do("leads.edit", lead, referrer=DESIGNER).status == "unchanged"

    scene.do("leads.correct", lead, referrer="D002", reason="Her form, typed in by him")

    lines = {line.referrer: line.state for line in scene.office.reader().records(RewardLine)}
    assert (lines.pop(other or ""), list(lines.values())) == ("due", ["void"])
    assert scene.lead(lead).referrer == other


def test_nobody_accepts_a_customer_who_may_not_be_contacted(scene: Scene) -> None:
    assert scene.refused("leads.accept", scene.report(consent="no")) == "no_consent"


def test_a_reviewed_lead_is_not_reviewed_again(scene: Scene) -> None:
    lead = scene.bring_to("valid")

    assert scene.refused("leads.accept", lead) == "wrong_state"
    assert scene.refused("leads.reject", lead, reason="test_data") == "wrong_state"


def test_a_store_does_not_review(scene: Scene) -> None:
    assert scene.refused("leads.accept", scene.report(), by="stan") == "not_allowed"


def test_a_rejection_keeps_its_reason(scene: Scene) -> None:
    lead = scene.report()

    scene.do("leads.reject", lead, reason="wrong_number", note="The owner of the number has never heard of us")

    assert (scene.lead(lead).state, scene.lead(lead).invalid_reason, scene.lead(lead).due_at) == (
        "invalid",
        "wrong_number",
        None,
    )


def test_a_reason_without_its_evidence_is_refused(scene: Scene) -> None:
    assert scene.refused("leads.reject", scene.report(), reason="wrong_number") == "evidence_missing"


def test_unreachable_takes_three_attempts_on_two_days(scene: Scene) -> None:
    lead = scene.report()
    for _attempt in range(3):
        scene.do("leads.follow_up", lead, outcome="no_answer")
        scene.later(hours=1)
    assert scene.refused("leads.reject", lead, reason="unreachable", note="I called") == "evidence_missing"

    scene.later(days=1)
    scene.do("leads.follow_up", lead, outcome="no_answer")
    scene.do("leads.reject", lead, reason="unreachable")

    assert (scene.lead(lead).state, scene.lead(lead).attempts) == ("invalid", 4)


def test_a_question_stops_the_review_clock_and_the_answer_starts_it_again(scene: Scene) -> None:
    lead = scene.report()
    scene.later(hours=1)

    scene.do("leads.request_info", lead, note="Which room?")

    asked = scene.lead(lead)
    assert (asked.state, asked.due_kind, asked.due_at) == (
        "needs_info",
        "info",
        datetime(2026, 11, 5, 3, 0, tzinfo=UTC),
    )
    assert (asked.stopped_kind, asked.due_seconds_left) == ("review", 3 * 3600)

    scene.later(days=1)
    scene.do("leads.info_received", lead)

    found = scene.lead(lead)
    assert (found.state, found.due_kind, found.due_at) == (
        "pending_review",
        "review",
        datetime(2026, 11, 3, 6, 0, tzinfo=UTC),
    )
    assert (found.stopped_kind, found.due_seconds_left) == ("", 0)


def test_no_answer_is_a_reason_only_after_a_question_and_its_time(scene: Scene) -> None:
    lead = scene.report()
    assert scene.refused("leads.reject", lead, reason="no_response") == "still_waiting"
    scene.do("leads.request_info", lead, note="Which room?")
    assert scene.refused("leads.reject", lead, reason="no_response") == "still_waiting"

    scene.later(days=3)
    scene.do("leads.reject", lead, reason="no_response")

    assert scene.lead(lead).invalid_reason == "no_response"


def test_cron_ends_a_review_whose_question_nobody_answered(scene: Scene) -> None:
    lead = scene.report()
    scene.do("leads.request_info", lead, note="Which room?")
    assert scene.refused("leads.breach_due", lead) == "not_overdue"

    scene.later(days=3)
    assert scene.office.ask("leads.missed") == [lead]
    scene.do("leads.breach_due", lead)

    found = scene.lead(lead)
    assert (found.state, found.invalid_reason, found.breaches, found.due_at) == ("invalid", "no_response", 1, None)


def test_a_missed_review_is_counted_once_and_stays_overdue(scene: Scene) -> None:
    lead = scene.report()
    scene.later(hours=5)

    scene.do("leads.breach_due", lead)

    assert scene.do("leads.breach_due", lead).status == "unchanged"
    assert (scene.lead(lead).breaches, scene.lead(lead).state) == (1, "pending_review")
    assert scene.office.ask("leads.missed") == []
    assert scene.lead(lead).due_at == datetime(2026, 11, 2, 6, 0, tzinfo=UTC)


def test_a_person_marks_a_duplicate(scene: Scene) -> None:
    first, second = scene.report(), scene.report(phone="13900139000")

    scene.do("leads.mark_duplicate", second, of=first, by="rita")

    found = scene.lead(second)
    assert (found.state, found.duplicate_of, found.duplicate_score, found.due_at) == ("duplicate", first, 100, None)
    assert found.reviewed_by == scene.people["rita"]


def test_a_lead_is_no_duplicate_of_itself_or_of_its_own_duplicate(scene: Scene) -> None:
    first, second = scene.report(), scene.report()

    assert scene.refused("leads.mark_duplicate", first, of=first) == "not_its_duplicate"
    assert scene.refused("leads.mark_duplicate", first, of=second) == "not_its_duplicate"


def test_a_rejected_lead_has_no_duplicates(scene: Scene) -> None:
    first, second = scene.report(), scene.report(phone="13900139000")
    scene.do("leads.reject", first, reason="test_data")

    assert scene.refused("leads.mark_duplicate", second, of=first) == "not_its_duplicate"


def test_a_wrong_mark_is_taken_off_and_the_review_begins_anew(scene: Scene) -> None:
    scene.report()
    second = scene.report()
    scene.later(hours=1)

    scene.do("leads.not_duplicate", second)

    found = scene.lead(second)
    assert (found.state, found.duplicate_of, found.due_at) == (
        "pending_review",
        None,
        datetime(2026, 11, 2, 7, 0, tzinfo=UTC),
    )


# -- appeals -----------------------------------------------------------------------------------------------------------


def rejected(scene: Scene) -> str:
    lead = scene.report()
    scene.do("leads.reject", lead, by="rita", reason="no_intent")
    return lead


def appealed(scene: Scene, lead: str, by: str = "boss") -> str:
    made = scene.do("leads.appeal", lead, by=by, reason="She bought a kitchen last week").returned
    assert made is not None
    return made


def test_an_appeal_leaves_the_lead_as_it_is_until_it_is_decided(scene: Scene) -> None:
    lead = rejected(scene)
    appeal = scene.office.reader().get(Appeal, appealed(scene, lead))

    assert (appeal.state, appeal.against, appeal.opened_by) == ("open", scene.people["rita"], scene.people["boss"])
    assert appeal.due_at == datetime(2026, 11, 7, 2, 0, tzinfo=UTC)
    assert scene.lead(lead).state == "invalid"


def test_who_decided_does_not_decide_the_appeal_nor_does_who_appeals(scene: Scene) -> None:
    appeal = appealed(scene, rejected(scene), by="remo")

    assert scene.refused("appeals.uphold", appeal, by="rita", decision="Right") == "same_reviewer"
    assert scene.refused("appeals.reject", appeal, by="rita", decision="Wrong") == "same_reviewer"
    assert scene.refused("appeals.uphold", appeal, by="remo", decision="Right") == "same_reviewer"


def test_an_upheld_appeal_brings_the_lead_back_to_another_reviewer(scene: Scene) -> None:
    lead = rejected(scene)
    scene.do("appeals.uphold", appealed(scene, lead), by="remo", decision="There is an order")

    found = scene.lead(lead)
    assert (found.state, found.invalid_reason, found.due_kind) == ("pending_review", None, "review")
    assert scene.refused("leads.accept", lead, by="rita") == "same_reviewer"
    assert scene.refused("leads.reject", lead, by="rita", reason="test_data") == "same_reviewer"
    scene.do("leads.accept", lead, by="remo")
    assert (scene.lead(lead).state, scene.lead(lead).contested_by) == ("valid", "")


def test_a_rejected_appeal_leaves_the_decision_and_is_the_last(scene: Scene) -> None:
    lead = rejected(scene)
    scene.do("appeals.reject", appealed(scene, lead), by="remo", decision="No order found")

    assert scene.lead(lead).state == "invalid"
    assert scene.refused("leads.appeal", lead, reason="Again") == "already_appealed"


def test_there_is_one_open_appeal_at_a_time_and_its_opener_withdraws_it(scene: Scene) -> None:
    lead = rejected(scene)
    appeal = appealed(scene, lead)
    assert scene.refused("leads.appeal", lead, reason="Twice") == "already_appealed"
    assert scene.refused("appeals.withdraw", appeal, by="remo") == "not_opener"

    scene.do("appeals.withdraw", appeal)

    assert scene.office.reader().get(Appeal, appeal).state == "withdrawn"
    assert scene.do("leads.appeal", lead, reason="Now with proof").ok


def test_an_appeal_comes_in_time_and_against_a_reason_that_has_one(scene: Scene) -> None:
    lead = rejected(scene)
    other = scene.report(phone="13900139000")
    scene.do("leads.reject", other, reason="test_data")
    assert scene.refused("leads.appeal", other, reason="Not a test") == "not_appealable"

    scene.later(days=7)
    assert scene.refused("leads.appeal", lead, reason="Late") == "not_appealable"


def test_a_marked_duplicate_is_contested_like_a_rejection(scene: Scene) -> None:
    scene.report()
    second = scene.report()
    appeal = appealed(scene, second)
    assert scene.refused("leads.not_duplicate", second, by="rita") == "already_appealed"

    scene.do("appeals.uphold", appeal, by="rita", decision="Two people, one phone")

    assert (scene.lead(second).state, scene.lead(second).duplicate_of) == ("pending_review", None)
    scene.do("leads.accept", second, by="rita")


def test_an_appeal_is_not_made_about_an_open_lead(scene: Scene) -> None:
    assert scene.refused("leads.appeal", scene.report(), reason="Why not") == "wrong_state"
