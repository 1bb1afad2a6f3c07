"""Whatever the refunds are and however they are told: what is taken back is a share, never more, and whole in the
end."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from bo.core.rewards.rules import (
    RewardFacts,
    RewardInputs,
    choose_rule,
    clawback,
    compute,
    split_largest_remainder,
    split_reward,
)
from bo.core.rewards.terms import RuleTerms

SUMS = st.integers(0, 10**12)


@given(SUMS, st.integers(1, 10**12), st.lists(st.integers(0, 10**12), max_size=12))
def test_refunds_take_back_a_share_that_is_whole_at_the_end(original: int, base: int, refunds: list[int]) -> None:
    taken, told = 0, 0
    for refund in [*refunds, base]:
        told = min(base, max(told, refund))
        more = clawback(original, told, base, taken)
        taken += more
        assert more >= 0
        assert 0 <= taken <= original
        assert abs(taken * base - original * told) <= base  # never a whole unit away from the exact share
    assert taken == original


@given(SUMS, st.integers(1, 9_999), st.integers(1, 10**12), st.lists(st.integers(0, 10**12), max_size=8))
def test_the_parts_of_a_split_reward_go_back_to_the_unit(whole: int, share: int, base: int, refunds: list[int]) -> None:
    parts = split_reward(whole, share)
    assert sum(parts) == whole
    assert list(parts) == split_largest_remainder(whole, (10_000 - share, share))

    taken = [0, 0]
    for refund in [*sorted(min(base, item) for item in refunds), base]:
        taken = [before + clawback(part, refund, base, before) for part, before in zip(parts, taken, strict=True)]
    assert tuple(taken) == parts


@given(
    st.integers(0, 10**10), st.integers(0, 9_999), st.integers(0, 10**8), st.integers(0, 10**8), st.integers(0, 10**8)
)
def test_referrer_and_store_together_get_no_more_than_rate_cap_and_budget_allow(
    net: int, share: int, cap: int, budget: int, person: int
) -> None:
    terms = RuleTerms(
        rule_id="o", event="won", kind="percent", currency="CNY", rate_bp=500, effective_from=date(2026, 1, 1),
        store_share=share, cap_event=cap + 1, budget=budget + 1, cap_person=person + 1,
    )  # fmt: skip
    referrer = compute(terms, RewardInputs(currency="CNY", net=net)).amount_minor
    store = compute(terms, RewardInputs(currency="CNY", net=net, for_store=True)).amount_minor if share else 0

    assert 0 <= referrer + store <= min(cap + 1, budget + 1, net * 500 // 10_000 + 1)
    assert referrer <= person + 1


@given(st.permutations(range(5)))
def test_which_rule_is_chosen_does_not_depend_on_their_order(order: list[int]) -> None:
    rules = [
        RuleTerms(rule_id=f"r{age}", oldest=age, event="won", kind="fixed", currency="CNY", amount=1 + age,
                  effective_from=date(2026, 1, 1), sources=frozenset(["fair"]) if age > 2 else frozenset())
        for age in range(5)
    ]  # fmt: skip

    chosen = choose_rule(
        [rules[place] for place in order], RewardFacts(event="won", day=date(2026, 5, 1), source="fair")
    )

    assert chosen == rules[3]
