"""Rewards: which rule, what sum and why, and what a refund takes back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bo.core.rewards.rules import (
    CurrencyMismatch,
    RewardFacts,
    RewardInputs,
    choose_bonus,
    choose_rule,
    clawback,
    compute,
    divide_half_even,
    earned_by,
    split_largest_remainder,
    split_reward,
)
from bo.core.rewards.terms import BadTerms, RuleTerms, Tier, TierMode, show_rate

FIRST_DAY = date(2026, 1, 1)
LEAD = RuleTerms(
    rule_id="lead", event="valid_lead", kind="fixed", currency="CNY", amount=5000, effective_from=FIRST_DAY
)
ORDER = RuleTerms(rule_id="order", event="won", kind="percent", currency="CNY", rate_bp=500, effective_from=FIRST_DAY)
TIERED = replace(
    ORDER,
    kind="tiers",
    rate_bp=0,
    tiers=(Tier(0, 100_000, rate_bp=100), Tier(100_000, 200_000, rate_bp=200), Tier(200_000, rate_bp=300)),
    tier_measure="amount",
    tier_mode="marginal",
)
COUNTED = replace(
    LEAD, kind="tiers", amount=0, tiers=(Tier(0, 2, amount=1000), Tier(2, amount=1500)), tier_mode="marginal"
)
FACTS = RewardFacts(event="valid_lead", day=date(2026, 11, 3), source="form", store="north", category="windows")


def inputs(
    *,
    gross: int = 0,
    net: int = 0,
    margin: int = 0,
    count_before: int = 0,
    base_before: int = 0,
    paid_person: int = 0,
    paid_month: int = 0,
    paid_all: int = 0,
) -> RewardInputs:
    return RewardInputs(
        currency="CNY",
        gross=gross,
        net=net,
        margin=margin,
        count_before=count_before,
        base_before=base_before,
        paid_person=paid_person,
        paid_month=paid_month,
        paid_all=paid_all,
    )


# --- Which rule


def test_the_most_specific_rule_wins() -> None:
    for_store = replace(LEAD, rule_id="for_store", stores=frozenset(["north"]))
    narrow = replace(for_store, rule_id="narrow", categories=frozenset(["windows"]))
    assert choose_rule([LEAD, for_store, narrow], FACTS) == narrow
    assert choose_rule([LEAD, for_store, narrow], replace(FACTS, category="doors")) == for_store
    assert choose_rule([LEAD, for_store, narrow], replace(FACTS, store="south")) == LEAD


def test_of_equally_specific_rules_the_oldest_wins() -> None:
    younger = replace(LEAD, rule_id="a", oldest=2)
    older = replace(LEAD, rule_id="b", oldest=1)
    assert choose_rule([younger, older], FACTS) == older


DESIGNER = replace(FACTS, referrer_kind="designer")


@pytest.mark.parametrize(
    "facts",
    [
        replace(DESIGNER, event="won"),
        replace(DESIGNER, beneficiary="store"),
        replace(DESIGNER, day=date(2025, 12, 31)),
        replace(DESIGNER, day=date(2026, 12, 1)),  # the end day itself no longer counts
        replace(DESIGNER, source="fair"),
        replace(DESIGNER, referrer_kind=""),
    ],
)
def test_a_rule_whose_conditions_do_not_hold_is_not_chosen(facts: RewardFacts) -> None:
    terms = replace(
        LEAD,
        effective_until=date(2026, 12, 1),
        sources=frozenset(["form"]),
        referrer_kinds=frozenset(["designer"]),
    )
    assert choose_rule([terms], DESIGNER) == terms
    assert choose_rule([terms], facts) is None


def test_a_first_order_bonus_is_chosen_beside_the_rule() -> None:
    bonus = replace(ORDER, rule_id="bonus", kind="first_order", rate_bp=0, amount=20_000)
    facts = replace(FACTS, event="won", first_order=True)
    assert choose_rule([ORDER, bonus], facts) == ORDER
    assert choose_bonus([ORDER, bonus], facts) == bonus
    assert choose_bonus([ORDER, bonus], replace(facts, first_order=False)) is None


# --- How much


@pytest.mark.parametrize(
    ("terms", "sums", "amount", "words"),
    [
        (LEAD, {}, 5000, "50.00 CNY for a valid lead"),
        (
            ORDER,
            {"gross": 35_000_000, "net": 30_126_000},
            1_506_300,
            "5 % of 301260.00 CNY net of tax and shipping = 15063.00 CNY",
        ),
        (replace(ORDER, base="gross"), {"gross": 100}, 5, "5 % of 1.00 CNY gross = 0.05 CNY"),
        (replace(ORDER, base="margin"), {"margin": -4000}, 0, "5 % of 0.00 CNY margin = 0.00 CNY"),
        (replace(ORDER, rate_bp=250), {"net": 20}, 0, "2.5 % of 0.20 CNY net of tax and shipping = 0.00 CNY"),
        (replace(ORDER, rate_bp=250), {"net": 60}, 2, "2.5 % of 0.60 CNY net of tax and shipping = 0.02 CNY"),
        (
            replace(ORDER, kind="first_order", rate_bp=0, amount=20_000),
            {"net": 1},
            20_000,
            "200.00 CNY for the first order",
        ),
        (
            TIERED,
            {"base_before": 80_000, "net": 150_000},
            # 20,000 at 1 %, 100,000 at 2 %, 30,000 at 3 %
            3100,
            "slice by slice, from 800.00 CNY to 2300.00 CNY: 39.00 CNY less 8.00 CNY = 31.00 CNY",
        ),
        (
            replace(TIERED, tier_mode="cliff"),
            {"base_before": 80_000, "net": 20_000},
            # all 100,000 at 2 %, less 80,000 at 1 %
            1200,
            "all at one tier, from 800.00 CNY to 1000.00 CNY: 20.00 CNY less 8.00 CNY = 12.00 CNY",
        ),
        (
            COUNTED,
            {"count_before": 1},
            1000,
            "slice by slice, from 1 events to 2: 20.00 CNY less 10.00 CNY = 10.00 CNY",
        ),
        (
            COUNTED,
            {"count_before": 2},
            1500,
            "slice by slice, from 2 events to 3: 35.00 CNY less 20.00 CNY = 15.00 CNY",
        ),
        (
            replace(COUNTED, tier_mode="cliff"),
            {"count_before": 1},
            2000,
            "all at one tier, from 1 events to 2: 30.00 CNY less 10.00 CNY = 20.00 CNY",
        ),
    ],
)
def test_a_reward_says_its_sum_and_how_it_came_to_it(
    terms: RuleTerms, sums: dict[str, int], amount: int, words: str
) -> None:
    computed = compute(terms, inputs(**sums))
    assert computed.amount_minor == amount
    assert [str(step) for step in computed.arithmetic] == [words]
    assert computed.capped_by == ""


@pytest.mark.parametrize(
    ("caps", "sums", "amount", "capped_by", "last_step"),
    [
        ({"cap_event": 4000}, {}, 4000, "event", "at most 40.00 CNY for one event: 40.00 CNY"),
        (
            {"cap_person": 12_000},
            {"paid_person": 10_000},
            2000,
            "person",
            "at most 120.00 CNY for one person, 100.00 CNY given before: 20.00 CNY",
        ),
        (
            {"cap_event": 4000, "cap_month": 3000},
            {},
            3000,
            "month",
            "at most 30.00 CNY for one person in a month, 0.00 CNY given before: 30.00 CNY",
        ),
        (
            {"budget": 100_000, "cap_event": 4000},
            {"paid_all": 100_000},
            0,
            "budget",
            "the budget is 1000.00 CNY, 1000.00 CNY of it given before: 0.00 CNY",
        ),
        (
            {"budget": 100_000},
            {"paid_all": 120_000},
            0,
            "budget",
            "the budget is 1000.00 CNY, 1200.00 CNY of it given before: 0.00 CNY",
        ),
    ],
)
def test_caps_clamp_and_the_tightest_is_named(
    caps: dict[str, int], sums: dict[str, int], amount: int, capped_by: str, last_step: str
) -> None:
    computed = compute(replace(LEAD, **caps), inputs(**sums))  # type: ignore[arg-type]
    assert (computed.amount_minor, computed.capped_by) == (amount, capped_by)
    assert str(computed.arithmetic[-1]) == last_step


def test_a_cap_that_is_just_reached_takes_nothing_away() -> None:
    computed = compute(replace(LEAD, cap_event=5000), inputs())
    assert (computed.amount_minor, computed.capped_by, len(computed.arithmetic)) == (5000, "", 1)


def test_a_base_in_another_currency_is_refused() -> None:
    with pytest.raises(CurrencyMismatch, match="the rule pays in CNY, the base is in EUR"):
        compute(ORDER, RewardInputs(currency="EUR", net=100))


@given(st.lists(st.integers(0, 150_000), max_size=12), st.sampled_from(["marginal", "cliff"]))
def test_events_of_a_period_together_earn_what_their_total_earns(bases: list[int], mode: TierMode) -> None:
    terms = replace(TIERED, tier_mode=mode)
    before, earned = 0, 0
    for base in bases:
        reward = compute(terms, inputs(net=base, base_before=before)).amount_minor
        assert reward >= 0
        earned += reward
        before += base
    assert earned == earned_by(terms, before)


@given(st.lists(st.integers(1, 40_000), max_size=20), st.integers(1, 60_000))
def test_rewards_under_a_budget_never_exceed_it(amounts: list[int], budget: int) -> None:
    paid = 0
    for amount in amounts:
        paid += compute(replace(LEAD, amount=amount, budget=budget), inputs(paid_all=paid)).amount_minor
    assert paid == min(sum(amounts), budget)


@pytest.mark.parametrize(
    ("numerator", "denominator", "quotient"), [(5, 2, 2), (7, 2, 4), (9, 4, 2), (11, 4, 3), (-5, 2, -2), (-7, 2, -4)]
)
def test_a_half_is_rounded_to_the_even_neighbour(numerator: int, denominator: int, quotient: int) -> None:
    assert divide_half_even(numerator, denominator) == quotient


@pytest.mark.parametrize(("rate_bp", "shown"), [(500, "5 %"), (250, "2.5 %"), (1, "0.01 %"), (10_000, "100 %")])
def test_rates_are_shown_as_percent(rate_bp: int, shown: str) -> None:
    assert show_rate(rate_bp) == shown


# --- Splits and clawbacks


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (-100, [1, 1, 1], [-34, -33, -33]),
        (10, [6, 3, 1], [6, 3, 1]),
        (1, [1, 2], [0, 1]),
        (0, [1, 2], [0, 0]),
        (5, [0, 1], [0, 5]),
    ],
)
def test_a_sum_is_split_without_a_remainder(total: int, weights: list[int], parts: list[int]) -> None:
    assert split_largest_remainder(total, weights) == parts


@given(
    st.integers(-(10**12), 10**12),
    st.lists(st.integers(0, 10**6), min_size=1, max_size=8).filter(lambda weights: sum(weights) > 0),
)
def test_the_parts_add_up_to_the_total(total: int, weights: list[int]) -> None:
    parts = split_largest_remainder(total, weights)
    assert sum(parts) == total
    assert all(
        abs(part * sum(weights) - total * weight) < sum(weights) for part, weight in zip(parts, weights, strict=True)
    )


@pytest.mark.parametrize("weights", [[], [0, 0], [2, -1]])
def test_weights_that_divide_nothing_are_refused(weights: list[int]) -> None:
    with pytest.raises(BadTerms, match="nothing to divide by"):
        split_largest_remainder(100, weights)


def test_a_reward_is_split_between_referrer_and_store() -> None:
    assert split_reward(1001, 3000) == (701, 300)
    assert split_reward(1001, 0) == (1001, 0)
    assert split_reward(1001, 10_000) == (0, 1001)


@pytest.mark.parametrize(
    ("original", "refunded", "base", "clawed", "amount"),
    [
        (1000, 0, 30_000, 0, 0),
        (1000, 10_000, 30_000, 0, 333),
        (1000, 20_000, 30_000, 333, 334),
        (1000, 30_000, 30_000, 667, 333),
        (1000, 40_000, 30_000, 1000, 0),  # more refunded than paid
        (1000, 30_000, 30_000, 0, 1000),
        (5000, 0, 0, 0, 5000),  # a fixed reward, reversed
        (1000, 10_000, 30_000, 500, 0),  # taken back by hand before
    ],
)
def test_a_refund_takes_back_its_share(original: int, refunded: int, base: int, clawed: int, amount: int) -> None:
    assert clawback(original, refunded, base, clawed) == amount


@given(st.integers(0, 10**9), st.lists(st.integers(0, 10**6), min_size=1, max_size=20), st.integers(1, 10**7))
def test_many_partial_refunds_take_what_one_would_and_never_more(original: int, refunds: list[int], base: int) -> None:
    refunded = clawed = 0
    for refund in refunds:
        refunded += refund
        more = clawback(original, refunded, base, clawed)
        assert more >= 0
        clawed += more
    assert clawed == clawback(original, refunded, base, 0) <= original


def test_negative_sums_are_refused() -> None:
    with pytest.raises(BadTerms):
        clawback(-1, 0, 0, 0)
