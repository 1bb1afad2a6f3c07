"""Rules that would leave a doubt are refused when they are written."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from bo.core.kernel.errors import BoError
from bo.core.rewards.rules import check_rule
from bo.core.rewards.terms import BadTerms, RuleTerms, Tier, read_tiers

FIRST_DAY = date(2026, 1, 1)
LEAD = RuleTerms(
    rule_id="lead", event="valid_lead", kind="fixed", currency="CNY", amount=5000, effective_from=FIRST_DAY
)
ORDER = RuleTerms(rule_id="order", event="won", kind="percent", currency="CNY", rate_bp=500, effective_from=FIRST_DAY)
TIERED = replace(
    ORDER,
    kind="tiers",
    rate_bp=0,
    tiers=(Tier(0, 1000, rate_bp=100), Tier(1000, rate_bp=200)),
    tier_measure="amount",
    tier_mode="marginal",
)


@pytest.mark.parametrize(
    "terms",
    [
        LEAD,
        ORDER,
        TIERED,
        replace(TIERED, tier_mode="cliff"),
        replace(TIERED, tiers=(Tier(0, 1000), Tier(1000, rate_bp=200))),
        replace(LEAD, kind="tiers", amount=0, tiers=(Tier(0, amount=5000),), tier_mode="marginal"),
        replace(ORDER, kind="first_order", rate_bp=0, amount=100),
        replace(ORDER, rate_bp=10_000, holding_days=90, store_share=9_999, effective_until=date(2026, 1, 2)),
    ],
)
def test_a_rule_without_a_doubt_passes(terms: RuleTerms) -> None:
    check_rule(terms)


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        (replace(LEAD, amount=0), "a rule of kind fixed needs an amount above zero"),
        (replace(LEAD, amount=-1), "a rule of kind fixed needs an amount above zero"),
        (replace(ORDER, rate_bp=-500), "a rate of -5 % cannot be paid"),
        (replace(ORDER, rate_bp=0), "a rate of 0 % cannot be paid"),
        (replace(ORDER, rate_bp=10_001), "a rate of 100.01 % cannot be paid"),
        (replace(LEAD, cap_event=0), "a cap or a budget has to be above zero"),
        (replace(LEAD, cap_year=0), "a cap or a budget has to be above zero"),
        (replace(LEAD, budget=-1), "a cap or a budget has to be above zero"),
        (
            replace(LEAD, effective_until=FIRST_DAY),
            "the rule ends on 2026-01-01, before it is in force on 2026-01-01",
        ),
        (replace(LEAD, holding_days=91), "rewards are held for 0 to 90 days"),
        (replace(ORDER, store_share=10_000), "the store's share of a reward is between 0 % and 100 %"),
        (
            replace(ORDER, store_share=1, beneficiary="store"),
            "a rule that rewards the store has no share to give to it",
        ),
        (replace(LEAD, store_share=5_000), "a lead becomes valid before it has a store"),
        (replace(LEAD, beneficiary="store"), "a lead becomes valid before it has a store"),
        (replace(LEAD, kind="percent", rate_bp=500), "valid_lead has no order to take a share of"),
        (replace(LEAD, tiers=(Tier(0),)), "only a rule of kind tiers has tiers"),
        (replace(TIERED, tiers=()), "a rule of kind tiers needs tiers"),
        (replace(TIERED, tier_mode=None), "it is not said how tiers add up"),
        (replace(TIERED, tiers=(Tier(1, rate_bp=100),)), "the first tier starts at 1"),
        (replace(TIERED, tiers=(Tier(0, 1000, rate_bp=100),)), "nothing is said about what lies above 1000"),
        (replace(TIERED, tiers=(Tier(0, 900, rate_bp=1), Tier(1000, rate_bp=2))), "no tier covers 900 to 1000"),
        (replace(TIERED, tiers=(Tier(0, 1100, rate_bp=1), Tier(1000, rate_bp=2))), "two tiers overlap at 1000"),
        (replace(TIERED, tiers=(Tier(0, rate_bp=1), Tier(1000, rate_bp=2))), "two tiers overlap at 1000"),
        (replace(TIERED, tiers=(Tier(0, 0, rate_bp=1), Tier(0, rate_bp=2))), "the tier from 0 to 0 is empty"),
        (
            replace(TIERED, tiers=(Tier(0, amount=100),)),
            "the tier from 0 does not pay what its measure asks for",
        ),
        (
            replace(TIERED, tiers=(Tier(0, rate_bp=-1),)),
            "the tier from 0 does not pay what its measure asks for",
        ),
        (
            replace(TIERED, tier_mode="cliff", tiers=(Tier(0, 1000, rate_bp=200), Tier(1000, rate_bp=100))),
            "a cliff tier pays less from 1000 on, and would take back what was earned",
        ),
    ],
)
def test_a_rule_with_a_doubt_is_refused_with_what_to_write(terms: RuleTerms, message: str) -> None:
    with pytest.raises(BadTerms) as refusal:
        check_rule(terms)
    assert str(refusal.value) == message
    assert refusal.value.hint


@pytest.mark.parametrize(
    ("text", "measure", "tiers"),
    [
        ("0:1%, 10000:2.5%", "amount", (Tier(0, 1_000_000, rate_bp=100), Tier(1_000_000, rate_bp=250))),
        ("0:50,10:60.5", "count", (Tier(0, 10, amount=5000), Tier(10, amount=6050))),
        ("0：１％", "amount", (Tier(0, rate_bp=100),)),
    ],
)
def test_tiers_are_read_as_people_write_them(text: str, measure: str, tiers: tuple[Tier, ...]) -> None:
    assert read_tiers(text, "CNY") == (measure, tiers)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", " are no tiers"),
        ("1%", "1% are no tiers"),
        ("0:1%,", "0:1%, are no tiers"),
        ("0:1%,10000:50", "tiers pay either rates or amounts"),
        ("0:1%,100:2%,100:3%", "the tiers do not rise"),
        ("0:50,1.5:60", "1.5 has more decimals than JPY has"),
        ("0:1.005%", "1.005 has more decimals than CNY has"),
    ],
)
def test_tiers_that_cannot_be_read_are_refused(text: str, message: str) -> None:
    with pytest.raises(BoError) as refusal:
        read_tiers(text, "CNY")
    assert str(refusal.value) == message
