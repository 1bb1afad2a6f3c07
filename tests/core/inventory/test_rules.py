"""Where stock is taken from, and how much is bought."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bo.core.inventory.rules import Shelf, may_be_short, shared_out, taken, to_buy

counts = st.integers(0, 50)


def test_one_warehouse_gives_all_where_one_can() -> None:
    shelves = [Shelf("w1", "A", 3), Shelf("w2", "B", 5), Shelf("w3", "C", 9)]
    assert shared_out(shelves, 4) == [("w3", 4)]
    assert shared_out(shelves, 11) == [("w3", 9), ("w2", 2)]


def test_the_warehouse_of_the_store_comes_first() -> None:
    assert shared_out([Shelf("w1", "A", 9), Shelf("w2", "B", 2, near=True)], 3) == [("w2", 2), ("w1", 1)]


@given(st.lists(counts, max_size=6), counts)
def test_what_is_shared_out_is_there_and_is_no_more_than_wanted(available: list[int], quantity: int) -> None:
    shelves = [Shelf(f"w{place}", f"C{place}", count) for place, count in enumerate(available)]
    parts = shared_out(shelves, quantity)

    assert sum(part for _place, part in parts) == min(quantity, sum(available))
    assert all(0 < part <= available[int(place[1:])] for place, part in parts)
    assert parts == shared_out(list(reversed(shelves)), quantity)


@given(st.lists(counts, max_size=6), counts)
def test_what_is_taken_is_taken_in_order(held: list[int], quantity: int) -> None:
    parts = taken(quantity, held)
    assert sum(parts) == min(quantity, sum(held))
    assert all(part == count for part, count in zip(parts, held, strict=True) if sum(parts) == sum(held))


@pytest.mark.parametrize(
    ("available", "incoming", "multiple", "buy"),
    [(10, 0, 1, 0), (4, 6, 1, 0), (9, 0, 1, 11), (3, 2, 1, 15), (3, 2, 6, 12), (3, 2, 100, 100), (-5, 0, 10, 20)],
)
def test_buying_fills_up_in_whole_packs(available: int, incoming: int, multiple: int, buy: int) -> None:
    assert to_buy(available=available, incoming=incoming, least=10, most=20, multiple=multiple) == buy


@given(st.integers(-50, 50), counts, counts, counts, st.integers(1, 12))
def test_what_is_bought_is_enough(available: int, incoming: int, least: int, more: int, multiple: int) -> None:
    buy = to_buy(available=available, incoming=incoming, least=least, most=least + more, multiple=multiple)
    assert buy % multiple == 0
    assert (buy == 0) == (available + incoming >= least)
    assert available + incoming + buy >= least


@pytest.mark.parametrize(("after", "may"), [(3, True), (5, True), (6, False), (0, False)])
def test_what_was_promised_ahead_may_become_less_but_not_more(after: int, may: bool) -> None:
    assert may_be_short(backorder=False, was_short=True, before=5, after=after, on_hand=0) is may
    assert may_be_short(backorder=True, was_short=False, before=5, after=after, on_hand=-4)
