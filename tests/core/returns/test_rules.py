"""What comes back is worth its share of what was asked for the goods."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bo.core.orders.records import Order, OrderLine
from bo.core.returns.rules import goods_paid, returnable, settle_sums, too_late, worth

NOW = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)


def order(total: int, shipping: int = 0) -> Order:
    return Order(number="1", key="/1", placed_at=NOW, total=total, shipping=shipping)


def line(number: int, quantity: int, total: int, *, cancelled: int = 0, returned: int = 0) -> OrderLine:
    return OrderLine(
        id=f"l{number}",
        order="o",
        position=number,
        quantity=quantity,
        total=total,
        fulfilled=quantity - cancelled,
        cancelled=cancelled,
        returned=returned,
    )


def test_a_piece_is_worth_its_share_of_discount_and_tax() -> None:
    lines = [line(1, 2, 2000), line(2, 1, 1000)]
    assert worth(order(3000), lines, {"l1": 1}) == 1000
    assert worth(order(2400 + 500, shipping=500), lines, {"l1": 1}) == 800
    assert worth(order(3300), lines, {"l1": 2, "l2": 1}) == 3300


def test_cancelled_pieces_are_worth_nothing() -> None:
    lines = [line(1, 4, 4000, cancelled=2)]
    assert worth(order(2000), lines, {"l1": 1}) == 1000


@given(
    st.lists(st.tuples(st.integers(1, 5), st.integers(0, 9999)), min_size=1, max_size=5), st.integers(0, 50_000),
    st.randoms(use_true_random=False),
)  # fmt: skip
def test_the_parts_make_up_the_whole(bought: list[tuple[int, int]], total: int, chance: object) -> None:
    lines = [line(place, pieces, price) for place, (pieces, price) in enumerate(bought)]
    asked = order(total)
    given_back = 0
    while any(item.returned < item.quantity for item in lines):
        item = next(item for item in lines if item.returned < item.quantity)
        part = worth(asked, lines, {item.id: 1})
        assert part >= 0
        given_back += part
        item.returned += 1
    assert given_back == (goods_paid(asked) if sum(price for _pieces, price in bought) else 0)


def test_what_is_announced_cannot_be_announced_again() -> None:
    assert returnable(line(1, 5, 100, returned=1), 3) == 1
    assert returnable(line(1, 5, 100), 9) == 0


@pytest.mark.parametrize(("days", "late"), [(0, False), (30, False), (31, True)])
def test_after_thirty_days_it_is_too_late(days: int, late: bool) -> None:
    assert too_late(NOW - timedelta(days=days), NOW, 30) is late
    assert too_late(None, NOW, 30) is False


@pytest.mark.parametrize(
    ("value", "refundable", "wanted", "sums"),
    [(100, 500, 80, (80, 20)), (100, 500, 150, (100, 0)), (100, 60, 150, (60, 0)), (100, 60, 40, (40, 20))],
)
def test_an_exchange_moves_what_the_new_goods_cost(
    value: int, refundable: int, wanted: int, sums: tuple[int, int]
) -> None:
    assert settle_sums(value, refundable, wanted) == sums
