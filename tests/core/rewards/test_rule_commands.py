"""Writing rules: refused when they are written, versions that follow each other without a gap."""

from __future__ import annotations

import pytest

from bo.core.kernel.errors import NotAllowed, WrongState
from bo.core.rewards.commands import RuleExists, RulesOverlap, WrongPeriod
from bo.core.rewards.records import RewardRule
from bo.core.rewards.terms import BadTerms
from tests.core.money_office import MoneyOffice

TIERS = {"event": "won", "kind": "tiers", "tier_mode": "cliff"}


def rule(money: MoneyOffice, code: str) -> RewardRule:
    return money.all(RewardRule, f"version_code:{code}")[0]


def test_a_rule_starts_as_a_draft_and_pays_once_it_is_active(money: MoneyOffice) -> None:
    # when
    money.by("fin").do("reward_rules.add", code="A", event="valid_lead", kind="fixed", amount="8", source="fair")

    # then
    assert (rule(money, "A/1").state, rule(money, "A/1").amount) == ("draft", 800)
    assert rule(money, "A/1").effective_from.isoformat() == "2026-11-02"
    assert rule(money, "A/1").editors == (money.ids["fin"],)

    # when
    money.by("fred").do("reward_rules.activate", "A")

    # then
    assert rule(money, "A/1").state == "active"
    assert set(rule(money, "A/1").editors) == {money.ids["fin"], money.ids["fred"]}


def test_a_code_is_given_once(money: MoneyOffice) -> None:
    money.refuses(RuleExists, "fin", "reward_rules.add", code="VALID", event="visit", kind="fixed", amount="1")


@pytest.mark.parametrize(
    "terms",
    [
        {"event": "won", "kind": "percent", "rate": "0"},
        {"event": "won", "kind": "percent", "rate": "101%"},
        {"event": "valid_lead", "kind": "fixed"},
        {"event": "valid_lead", "kind": "percent", "rate": "5%"},
        {"event": "valid_lead", "kind": "fixed", "amount": "1", "hold_days": 91},
        {"event": "valid_lead", "kind": "fixed", "amount": "1", "cap_month": "0"},
        {"event": "valid_lead", "kind": "fixed", "amount": "1", "effective_until": "2026-11-02"},
        {**TIERS, "tiers": "10:50"},
        {**TIERS, "tiers": "0:50,20:60,10:70"},
        {**TIERS, "tiers": "0:1%,10000:20"},
        {**TIERS, "tiers": "0:60,10:50"},
        {**TIERS, "tiers": "much"},
    ],
)
def test_terms_that_leave_a_doubt_are_refused_when_written(money: MoneyOffice, terms: dict[str, object]) -> None:
    money.refuses(BadTerms, "fin", "reward_rules.add", code="A", **terms)


def test_two_rules_of_one_scope_do_not_share_a_day(money: MoneyOffice) -> None:
    # given
    money.by("fin").do("reward_rules.add", code="A", event="valid_lead", kind="fixed", amount="8")

    # then
    said = money.refuses(RulesOverlap, "fin", "reward_rules.activate", "A")
    assert "VALID/1" in said


def test_rules_of_another_scope_or_period_stand_beside_each_other(money: MoneyOffice) -> None:
    for code, terms in (
        ("A", {"event": "valid_lead", "kind": "fixed", "amount": "8", "source": "fair"}),
        ("B", {"event": "won", "kind": "first_order", "amount": "200"}),
        ("C", {"event": "valid_lead", "kind": "fixed", "amount": "8", "currency": "EUR"}),
        ("D", {"event": "visit", "kind": "fixed", "amount": "8", "referrer_kind": "designer"}),
    ):
        money.by("fin").do("reward_rules.add", code=code, **terms)
        money.by("fin").do("reward_rules.activate", code)

    assert {item.code for item in money.all(RewardRule, "state:active")} == {
        "A",
        "B",
        "C",
        "D",
        "VALID",
        "VISIT",
        "ORDER",
    }


def test_a_next_version_follows_on_the_day_the_present_one_ends(money: MoneyOffice) -> None:
    # when
    money.by("fred").do("reward_rules.revise", "VALID", amount="60", effective_from="2026-12-01", cap_month="500")

    # then
    first, second = rule(money, "VALID/1"), rule(money, "VALID/2")
    assert (first.amount, first.state, str(first.effective_until)) == (5000, "active", "2026-12-01")
    assert (second.amount, second.state, str(second.effective_from)) == (6000, "active", "2026-12-01")
    assert (second.version, second.cap_month, second.event) == (2, 50000, "valid_lead")


def test_who_wrote_an_earlier_version_stays_an_author(money: MoneyOffice) -> None:
    money.by("fred").do("reward_rules.revise", "VALID", amount="60")

    assert set(rule(money, "VALID/2").editors) == {money.ids["boss"], money.ids["fred"]}
    assert rule(money, "VALID/1").editors == (money.ids["boss"],)


def test_zero_takes_a_cap_away(money: MoneyOffice) -> None:
    money.by("fin").do("reward_rules.revise", "VALID", cap_month="500", effective_from="2026-12-01")
    money.by("fin").do("reward_rules.revise", "VALID/2", cap_month="0", effective_from="2027-01-01")

    assert [item.cap_month for item in money.all(RewardRule, "code:VALID sort:version")] == [None, 50000, None]


def test_a_version_does_not_start_before_the_present_one(money: MoneyOffice) -> None:
    money.refuses(WrongPeriod, "fin", "reward_rules.revise", "VALID", amount="60", effective_from="2026-01-01")


def test_a_version_leaves_no_gap(money: MoneyOffice) -> None:
    money.by("fin").do("reward_rules.revise", "VALID", effective_from="2026-12-01", effective_until="2027-01-01")

    money.refuses(WrongPeriod, "fin", "reward_rules.revise", "VALID/2", amount="60", effective_from="2027-02-01")


def test_an_old_version_is_not_revised_over_a_newer_one(money: MoneyOffice) -> None:
    money.by("fin").do("reward_rules.revise", "VALID", amount="60", effective_from="2026-12-01")

    money.refuses(RulesOverlap, "fin", "reward_rules.revise", "VALID/1", amount="70", effective_from="2026-11-15",
                  effective_until="2027-06-01")  # fmt: skip


def test_a_draft_is_changed_as_it_stands(money: MoneyOffice) -> None:
    money.by("fin").do("reward_rules.add", code="A", event="visit", kind="fixed", amount="8", source="fair")
    money.by("fred").do("reward_rules.revise", "A", amount="9", effective_from="2026-01-01")

    assert [(item.amount, str(item.effective_from)) for item in money.all(RewardRule, "code:A")] == [
        (900, "2026-01-01")
    ]


def test_bad_terms_are_refused_in_a_revision_too(money: MoneyOffice) -> None:
    money.refuses(BadTerms, "fin", "reward_rules.revise", "ORDER", rate="200%")


def test_a_retired_rule_ends_today(money: MoneyOffice) -> None:
    money.by("fin").do("reward_rules.retire", "VALID")

    assert (rule(money, "VALID/1").state, str(rule(money, "VALID/1").effective_until)) == ("retired", "2026-11-02")
    money.refuses(WrongState, "fin", "reward_rules.revise", "VALID", amount="1")


def test_only_who_may_writes_rules(money: MoneyOffice) -> None:
    money.refuses(NotAllowed, "anna", "reward_rules.revise", "VALID", amount="60")
