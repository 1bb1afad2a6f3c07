"""Reasons with their evidence, and the deadlines of a lead."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from bo.core.kernel.errors import BadValue
from bo.core.leads import rules
from bo.core.leads.calendar import BusinessCalendar
from bo.core.leads.rules import CLOCKS, INVALID_REASONS, EvidenceMissing, NotAppealable

SHOP = BusinessCalendar("Asia/Shanghai", time(9), time(18))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Shanghai")).astimezone(UTC)


def test_every_reason_stands_under_its_code_with_a_label() -> None:
    for table in (rules.INVALID_REASONS, rules.LOST_REASONS, rules.DECLINE_REASONS):
        assert all(code == reason.code and reason.label for code, reason in table.items())
    assert len(INVALID_REASONS) == 15
    assert [code for code, reason in INVALID_REASONS.items() if reason.rewardable] == [
        "out_of_territory",
        "out_of_category",
    ]
    assert [code for code, reason in INVALID_REASONS.items() if not reason.appealable] == ["test_data"]


def test_an_unknown_reason_is_refused_with_those_there_are() -> None:
    with pytest.raises(BadValue, match="boring is not a reason") as refusal:
        rules.reason_of(INVALID_REASONS, "boring")
    assert "no_intent" in str(refusal.value.facts["options"])


@pytest.mark.parametrize(
    "attempts",
    [
        [],
        ["2026-11-03 10:00", "2026-11-04 10:00"],
        ["2026-11-03 10:00", "2026-11-03 14:00", "2026-11-03 18:00"],
        # three calls of one local morning, which is two days in UTC
        ["2026-11-03 07:30", "2026-11-03 08:30", "2026-11-03 09:30"],
    ],
)
def test_unreachable_needs_three_attempts_on_two_days(attempts: list[str]) -> None:
    with pytest.raises(EvidenceMissing, match="after 3 attempts on 2 days"):
        rules.require_evidence(
            INVALID_REASONS["unreachable"],
            note="never answers",
            attempts=[at(call) for call in attempts],
            calendar=SHOP,
        )


def test_enough_attempts_are_evidence() -> None:
    calls = [at("2026-11-03 10:00"), at("2026-11-03 14:00"), at("2026-11-04 09:00")]
    rules.require_evidence(INVALID_REASONS["unreachable"], attempts=calls, calendar=SHOP)


def test_other_reasons_ask_for_a_note_or_for_nothing() -> None:
    with pytest.raises(EvidenceMissing, match="wrong_number needs a note"):
        rules.require_evidence(INVALID_REASONS["wrong_number"], note="  ")
    rules.require_evidence(INVALID_REASONS["wrong_number"], note="a bakery answers")
    rules.require_evidence(INVALID_REASONS["no_intent"])


@pytest.mark.parametrize(
    ("clock", "at_risk", "due"),
    [
        ("review", "2026-11-09 11:12", "2026-11-09 12:00"),
        ("accept", "2026-11-09 09:36", "2026-11-09 10:00"),
        ("first_contact", "2026-11-09 02:36", "2026-11-09 17:00"),
        ("follow_up", "2026-11-10 17:00", "2026-11-11 17:00"),
        ("outcome", "2026-11-09 21:48", "2026-11-10 17:00"),
        ("appeal", "2026-11-12 07:24", "2026-11-13 17:00"),
        ("dispute", "2026-11-10 17:00", "2026-11-11 17:00"),
    ],
)
def test_every_clock_started_on_a_friday_at_five(clock: str, at_risk: str, due: str) -> None:
    deadline = CLOCKS[clock].start(at("2026-11-06 17:00"), SHOP)
    assert (deadline.at_risk, deadline.due) == (at(at_risk), at(due))


def test_a_deadline_goes_from_on_time_over_at_risk_to_breached() -> None:
    deadline = rules.REVIEW.start(at("2026-11-06 10:00"), SHOP)
    assert deadline.standing(at("2026-11-06 13:11")) == "on_time"
    assert deadline.standing(at("2026-11-06 13:12")) == "at_risk"
    assert deadline.standing(at("2026-11-06 13:59")) == "at_risk"
    assert deadline.standing(at("2026-11-06 14:00")) == "breached"


def test_without_a_calendar_eighty_percent_is_of_elapsed_time() -> None:
    started = at("2026-11-06 10:00")
    due = started + timedelta(hours=10)
    assert rules.deadline_state(due, started, started + timedelta(minutes=479)) == "on_time"
    assert rules.deadline_state(due, started, started + timedelta(hours=8)) == "at_risk"
    assert rules.deadline_state(due, started, due) == "breached"


def test_a_stopped_clock_has_as_much_left_when_it_runs_again() -> None:
    # Given a review of four hours that stops after one, on Friday
    deadline = rules.REVIEW.start(at("2026-11-06 10:00"), SHOP)
    # When it runs again on Tuesday at noon
    moved = deadline.resumed(at("2026-11-06 11:00"), at("2026-11-10 12:00"), SHOP)
    # Then three hours are left
    assert moved.due == at("2026-11-10 15:00")
    assert moved.at_risk == at("2026-11-10 14:12")


def test_a_warning_that_was_given_before_the_stop_stays_given() -> None:
    deadline = rules.REVIEW.start(at("2026-11-06 10:00"), SHOP)
    moved = deadline.resumed(at("2026-11-06 13:30"), at("2026-11-10 12:00"), SHOP)
    assert moved.at_risk == deadline.at_risk
    assert moved.due == at("2026-11-10 12:30")


def test_calendar_days_are_moved_by_the_time_that_passed() -> None:
    deadline = rules.DISPUTE.start(at("2026-11-06 10:00"), SHOP)
    moved = deadline.resumed(at("2026-11-07 10:00"), at("2026-11-09 10:00"), SHOP)
    assert moved.due == at("2026-11-13 10:00")


def test_a_breach_is_not_undone_by_a_later_stop() -> None:
    deadline = rules.REVIEW.start(at("2026-11-06 10:00"), SHOP)
    assert deadline.resumed(at("2026-11-06 14:00"), at("2026-11-10 12:00"), SHOP) is deadline


def test_an_appeal_is_possible_for_seven_days() -> None:
    reason, decided = INVALID_REASONS["no_intent"], at("2026-11-06 10:00")
    rules.require_appealable(reason, decided, at("2026-11-13 09:59"), SHOP)
    with pytest.raises(NotAppealable, match="possible until"):
        rules.require_appealable(reason, decided, at("2026-11-13 10:00"), SHOP)
    with pytest.raises(NotAppealable, match="no appeal against test_data"):
        rules.require_appealable(INVALID_REASONS["test_data"], decided, decided, SHOP)
