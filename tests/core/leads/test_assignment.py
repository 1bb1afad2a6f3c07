"""The choice of a store: preference, obstacles, turns, and the overflow with its reason."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bo.core.leads.assignment import OBSTACLES, OVERFLOWS, PICKS, LeadFacts, Method, StoreLoad, choose_store, obstacle

PUDONG = frozenset(["pudong"])
NORTH = StoreLoad("north", territories=PUDONG)
SOUTH = StoreLoad("south", territories=PUDONG)
CITY = StoreLoad("city", territories=frozenset(["shanghai"]))
FACTS = LeadFacts(territories=("pudong", "shanghai"))


def test_the_store_named_on_the_form_comes_first() -> None:
    facts = replace(FACTS, named_store_id="city", customer_store_id="south")
    assert choose_store([NORTH, SOUTH, CITY], facts).store_id == "city"
    assert choose_store([NORTH, SOUTH, CITY], facts).reason == "named"


def test_a_named_store_that_cannot_take_it_is_told_why_and_the_next_preference_counts() -> None:
    # Given the named store is full
    full = replace(CITY, capacity=5, open_leads=5)
    facts = replace(FACTS, named_store_id="city", customer_store_id="south")
    # When a store is chosen, Then it is the customer's own, and the named one says why not
    chosen = choose_store([NORTH, SOUTH, full], facts)
    assert (chosen.store_id, chosen.reason) == ("south", "customer")
    assert chosen.tried == {"city": "full"}


def test_the_narrowest_territory_comes_before_the_wider_one() -> None:
    chosen = choose_store([CITY, NORTH], FACTS)
    assert (chosen.store_id, chosen.reason, chosen.detail) == ("north", "territory", "pudong")
    assert choose_store([CITY], FACTS).detail == "shanghai"


def test_outside_every_territory_the_nearest_store_in_reach_takes_it() -> None:
    near, far = StoreLoad("near", distance_m=1200), StoreLoad("far", distance_m=9000)
    facts = LeadFacts(territories=("minhang",), reach_m=5000)
    chosen = choose_store([far, near, NORTH], facts)
    assert (chosen.store_id, chosen.reason, chosen.detail) == ("near", "nearest", "1200")
    assert choose_store([far, NORTH], facts).store_id is None


def test_a_store_that_names_no_place_takes_what_nobody_else_does() -> None:
    chosen = choose_store([NORTH, StoreLoad("web")], LeadFacts(territories=("minhang",)))
    assert (chosen.store_id, chosen.reason) == ("web", "anywhere")


@pytest.mark.parametrize(
    ("store", "why"),
    [
        (replace(NORTH, open=False), "closed"),
        (replace(NORTH, categories=frozenset(["doors"])), "category"),
        (replace(NORTH, contract_active=False), "contract"),
        (replace(NORTH, opted_out=True), "opted_out"),
        (replace(NORTH, open_leads=3, capacity=3), "full"),
        (replace(NORTH, quota=10, taken=10), "quota"),
        (replace(NORTH, store_id="had_it"), "passed_over"),
        (replace(NORTH, open_leads=2, capacity=3, quota=10, taken=9, categories=frozenset(["windows"])), ""),
    ],
)
def test_a_store_that_cannot_take_a_lead_says_why(store: StoreLoad, why: str) -> None:
    facts = replace(FACTS, category="windows", passed_over=frozenset(["had_it"]))
    assert obstacle(store, facts, "quota") == why


def test_a_lead_that_no_store_can_take_overflows_with_the_reason() -> None:
    full = replace(NORTH, capacity=0)
    chosen = choose_store([full, replace(SOUTH, capacity=1, open_leads=1), replace(CITY, open=False)], FACTS)
    assert (chosen.store_id, chosen.reason, chosen.detail) == (None, "nobody_can", "full")
    assert chosen.tried == {"city": "closed", "north": "full", "south": "full"}


def test_a_lead_out_of_reach_and_a_lead_without_stores_overflow_differently() -> None:
    assert choose_store([NORTH], LeadFacts(territories=("minhang",))).reason == "out_of_reach"
    assert choose_store([], FACTS).reason == "no_stores"


def run(stores: list[StoreLoad], method: Method, times: int) -> list[str]:
    """The stores that so many leads go to, one after the other, with the weights kept between them."""
    weights: dict[str, int] = {}
    chosen = []
    for _ in range(times):
        assignment = choose_store(stores, FACTS, method, weights)
        weights = dict(assignment.weights)
        chosen.append(str(assignment.store_id))
    return chosen


def test_round_robin_takes_turns() -> None:
    assert run([SOUTH, NORTH], "round_robin", 5) == ["north", "south", "north", "south", "north"]


def test_least_open_takes_the_store_with_the_fewest_and_turns_among_equals() -> None:
    busy = replace(NORTH, store_id="busy", open_leads=7)
    assert run([busy, SOUTH, NORTH], "least_open", 3) == ["north", "south", "north"]


def test_quotas_are_shared_out_smoothly() -> None:
    big, small = replace(NORTH, store_id="big", quota=3), replace(NORTH, store_id="small", quota=1)
    assert run([big, small], "quota", 8) == ["big", "big", "small", "big"] * 2


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_one_round_of_quotas_gives_each_store_its_quota_exactly(quotas: list[int]) -> None:
    stores = [StoreLoad(f"store_{number}", territories=PUDONG, quota=quota) for number, quota in enumerate(quotas)]
    given_out = Counter(run(stores, "quota", sum(quotas)))
    assert [given_out[store.store_id] for store in stores] == quotas


@given(st.permutations(["a", "b", "c", "d"]), st.sampled_from(["round_robin", "least_open", "quota"]))
def test_the_order_of_the_candidates_changes_nothing(order: list[str], method: Method) -> None:
    stores = [StoreLoad(store_id, territories=PUDONG, quota=2, open_leads=1) for store_id in order]
    assert choose_store(stores, FACTS, method) == choose_store(
        sorted(stores, key=lambda each: each.store_id), FACTS, method
    )


def test_choosing_leaves_the_given_weights_alone() -> None:
    weights = {"north": 5}
    choose_store([NORTH, SOUTH], FACTS, "round_robin", weights)
    assert weights == {"north": 5}


def test_every_word_of_an_assignment_has_a_label() -> None:
    assert all(
        label and not label.endswith(".") for label in [*OBSTACLES.values(), *PICKS.values(), *OVERFLOWS.values()]
    )
