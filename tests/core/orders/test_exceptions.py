"""Orders that need a person are found by rules, handled, and resolved by themselves when the cause is gone."""

from __future__ import annotations

import pytest

from bo.core.orders.looks import LOOKS
from bo.core.orders.records import ExceptionRule, OrderException
from tests.core.inventory.conftest import shop as shop
from tests.core.inventory.conftest import shop_template as shop_template
from tests.core.inventory.shop import CUP, Shop

ADDRESS = {"name": "李雷", "address": "上海市浦东新区世纪大道1号"}


@pytest.fixture
def watched(shop: Shop) -> Shop:
    shop.do("exception_rules.standard")
    return shop


def sound(shop: Shop, number: str, *lines: tuple[str, int, int], **fields: object) -> str:
    """An order that no look means: paid, with an address."""
    given = {**ADDRESS, "phone": f"138{number:0>8}", **fields}
    captured = fields.get("captured", sum(pieces * price for _sku, pieces, price in lines))
    return shop.order(number, *lines, **{**given, "captured": captured})


def told(shop: Shop, **scan: object) -> list[tuple[str, str]]:
    """What is open after a scan: the rule, and the reason with its detail."""
    shop.do("exceptions.scan", None, **scan)
    codes = {rule.id: rule.code for rule in shop.all(ExceptionRule)}
    found = shop.all(OrderException, "state:open")
    return sorted((codes[item.rule], f"{item.reason} {item.detail}".strip()) for item in found)


def test_standard_rules_are_made_once_and_keep_what_is_tuned(watched: Shop) -> None:
    assert {rule.code for rule in watched.all(ExceptionRule)} == set(LOOKS)
    watched.do("exception_rules.edit", "unpaid", after_hours=12)

    assert watched.do("exception_rules.standard").status == "unchanged"
    assert watched.get(ExceptionRule, "unpaid").after_hours == 12


def test_a_sound_order_needs_nobody(watched: Shop) -> None:
    watched.receive(CUP, 5)
    sound(watched, "1", (CUP, 2, 100))
    watched.later(days=3)
    assert told(watched) == []


def test_an_order_unpaid_for_too_long_is_told_and_resolved_by_its_payment(watched: Shop) -> None:
    order = sound(watched, "1", (CUP, 2, 100), captured=0)
    assert told(watched) == []
    watched.later(hours=49)
    assert told(watched) == [("unpaid", "unpaid")]

    watched.do("orders.pay", order, amount="1.50", method="cash")
    assert told(watched) == [("unpaid", "part_paid")]
    watched.do("orders.pay", order, amount="0.50", method="cash")
    assert told(watched) == []
    (item,) = watched.all(OrderException)
    assert (item.state, item.resolution, item.key) == ("resolved", "the cause is gone", None)


def test_of_orders_that_want_more_than_there_is_the_youngest_is_oversold(watched: Shop) -> None:
    watched.receive(CUP, 5)
    sound(watched, "1", (CUP, 3, 100))
    watched.later(minutes=5)
    second = sound(watched, "2", (CUP, 3, 100))
    assert told(watched) == [("oversold", "oversold CUP")]
    assert watched.all(OrderException)[0].order == second
    assert watched.all(OrderException)[0].priority == "high"

    watched.receive(CUP, 1, "WEST")
    assert told(watched) == []


def test_what_is_promised_is_not_oversold(watched: Shop) -> None:
    watched.receive(CUP, 5)
    sound(watched, "1", (CUP, 3, 100))
    watched.do("orders.allocate", sound(watched, "2", (CUP, 4, 100)))
    assert [item.order for item in watched.all(OrderException)] == []
    assert told(watched) == [("oversold", "oversold CUP")]


@pytest.mark.parametrize(
    ("fields", "told_by"),
    [
        ({"address": ""}, [("bad_address", "no_address")]),
        ({"address": "No"}, [("bad_address", "no_address")]),
        ({"name": ""}, [("bad_address", "no_name")]),
        ({"name": "", "company": "Tea Ltd"}, []),
        ({"risk": "high"}, [("high_risk", "high_risk")]),
        ({"total": "3.00", "captured": "3.00"}, [("amount_mismatch", "amounts_differ 3.00 ≠ 2.00 CNY")]),
        ({"total": "2.40", "captured": "2.40", "shipping": "0.50", "discount": "0.10"}, []),
        ({"total": "2.50", "captured": "2.50", "shipping": "0.50", "discount": "0.10", "tax": "0.30"}, []),
    ],
)
def test_a_look_tells_why(watched: Shop, fields: dict[str, object], told_by: list[tuple[str, str]]) -> None:
    watched.receive(CUP, 5)
    sound(watched, "1", (CUP, 2, 100), **fields)
    assert told(watched) == told_by


@pytest.mark.parametrize(
    ("prices", "told_by"),
    [((0, 0), []), ((0, 100), [("amount_mismatch", "amounts_differ 3.00 ≠ 1.00 CNY")])],
)
def test_an_order_whose_lines_carry_no_price_cannot_be_judged(
    watched: Shop, prices: tuple[int, int], told_by: list[tuple[str, str]]
) -> None:
    watched.receive(CUP, 5)
    lines = [(CUP, 1, price) for price in prices]
    sound(watched, "1", *lines, total="3.00", captured="3.00")
    assert told(watched) == told_by


def test_a_line_that_names_no_variant_is_told(watched: Shop) -> None:
    sound(watched, "1", ("NONE", 2, 100))
    assert told(watched) == [("missing_sku", "unknown_sku 1: NONE")]


def test_a_parcel_that_does_not_arrive_is_told(watched: Shop) -> None:
    order = sound(watched, "1", (CUP, 2, 100))
    watched.do("orders.fulfil", order, tracking="SF1")
    assert told(watched) == []
    watched.later(days=11)
    assert told(watched) == [("stuck", "not_arrived SF1")]


@pytest.mark.parametrize(
    ("hours", "second", "told_by"),
    [
        (23, {}, [("same_phone", "repeated 1")]),
        (25, {}, []),
        (1, {"phone": "13900000000", "email": "li@example.com"}, [("same_email", "repeated 1")]),
        (1, {"phone": "13900000000"}, []),
        (1, {"total": "5.00", "shipping": "3.00", "captured": "5.00"}, []),
    ],
)
def test_the_same_order_twice_within_a_day_is_told(
    watched: Shop, hours: int, second: dict[str, object], told_by: list[tuple[str, str]]
) -> None:
    watched.receive(CUP, 9)
    person = {"phone": "13800138000", "email": "li@example.com"}
    sound(watched, "1", (CUP, 2, 100), **person)
    watched.later(hours=hours)
    sound(watched, "2", (CUP, 2, 100), **{"phone": person["phone"], **second})
    assert told(watched) == told_by


def test_a_rule_of_ones_own_is_a_filter(watched: Shop) -> None:
    watched.do("exception_rules.add", None, code="big", filter="total>=500 country:DE", priority="high", after_hours=2)
    sound(watched, "1", (CUP, 6, 10000), country="DE")
    sound(watched, "2", (CUP, 6, 10000), country="FR")
    assert told(watched) == []
    watched.later(hours=3)
    assert told(watched) == [("big", "filter")]


def test_a_filter_narrows_a_look(watched: Shop) -> None:
    watched.do("exception_rules.edit", "high_risk", filter="channel:web")
    sound(watched, "1", (CUP, 1, 100), risk="high", channel="web")
    sound(watched, "2", (CUP, 1, 100), risk="high", channel="shop")
    assert len(told(watched)) == 1


def test_rules_that_cannot_be_understood_are_refused(watched: Shop) -> None:
    assert watched.refused("exception_rules.add", None, code="x", filter="nothing:1") == "usage"
    assert watched.refused("exception_rules.add", None, code="x", filter="total>abc") == "bad_value"
    assert watched.refused("exception_rules.add", None, code="x", filter="sort:total") == "no_filter"
    assert watched.refused("exception_rules.edit", "unpaid", filter="nothing:1") == "usage"
    assert watched.refused("exceptions.scan", None, orders="nothing:1") == "usage"


def test_a_rule_that_is_switched_off_tells_nothing_and_lets_go(watched: Shop) -> None:
    sound(watched, "1", (CUP, 1, 100), risk="high")
    assert len(told(watched)) == 1
    watched.do("exception_rules.edit", "high_risk", active=False)
    assert told(watched) == []


def test_a_scan_of_some_orders_leaves_the_others(watched: Shop) -> None:
    first = sound(watched, "1", (CUP, 1, 100), risk="high")
    sound(watched, "2", (CUP, 1, 100), risk="high")
    assert len(told(watched, orders="number:1")) == 1
    watched.do("orders.edit", first, risk="low")
    assert len(told(watched, orders="number:2")) == 2
    assert len(told(watched)) == 1


def test_a_second_scan_changes_nothing(watched: Shop) -> None:
    sound(watched, "1", (CUP, 1, 100), risk="high")
    told(watched)
    assert watched.do("exceptions.scan").status == "unchanged"


def test_an_exception_is_taken_and_given_to_somebody(watched: Shop) -> None:
    sound(watched, "1", (CUP, 1, 100), risk="high")
    told(watched)
    (item,) = watched.all(OrderException)
    watched.do("exceptions.take", item.id)
    assert watched.get(OrderException, item.id).owner == watched.office.actor
    other = watched.made("operators.add", None, login="rita", roles="admin")
    watched.do("exceptions.assign", item.id, operator="rita")
    assert watched.get(OrderException, item.id).owner == other


def test_one_that_was_resolved_comes_again_while_its_cause_lasts(watched: Shop) -> None:
    sound(watched, "1", (CUP, 1, 100), risk="high")
    told(watched)
    (item,) = watched.all(OrderException)
    watched.do("exceptions.resolve", item.id, resolution="Called")
    assert watched.refused("exceptions.resolve", item.id, resolution="again") == "wrong_state"
    assert len(told(watched)) == 1
    assert len(watched.all(OrderException)) == 2


def test_one_that_was_dismissed_comes_again_only_with_a_new_cause(watched: Shop) -> None:
    order = sound(watched, "1", (CUP, 1, 100), risk="high")
    told(watched)
    (item,) = watched.all(OrderException)
    watched.do("exceptions.dismiss", item.id, resolution="A friend")
    assert told(watched) == []

    watched.do("orders.edit", order, risk="low")
    assert told(watched) == []
    assert watched.get(OrderException, item.id).state == "dismissed"
    watched.do("orders.edit", order, risk="high")
    assert len(told(watched)) == 1


def test_undoing_a_scan_takes_its_exceptions_away(watched: Shop) -> None:
    sound(watched, "1", (CUP, 1, 100), risk="high")
    done = watched.do("exceptions.scan")
    watched.office.undo(done.operation)
    assert watched.all(OrderException) == []


def test_the_office_opens_again_with_the_statements_of_a_scan(watched: Shop) -> None:
    watched.do("exceptions.scan")
    watched.office.close()
    again = Shop(watched.folder)
    assert again.do("exceptions.scan").status == "unchanged"
    again.office.close()


def test_looking_at_one_order_finds_what_looking_at_all_finds(watched: Shop) -> None:
    watched.receive(CUP, 3)
    person = {"phone": "13800138000", "email": "li@example.com", "name": "李雷"}
    sound(watched, "1", (CUP, 2, 100), **person)
    watched.later(hours=1)
    sound(watched, "2", (CUP, 2, 100), ("NONE", 1, 100), **{**person, "address": ""}, risk="high", captured="1.00")
    sound(watched, "3", (CUP, 2, 100), **person, total="9.00", captured="9.00")
    sent = sound(watched, "4", (CUP, 1, 100))
    watched.do("orders.fulfil", sent, tracking="SF1")
    watched.later(days=11)

    for number in ("1", "2", "3", "4"):
        watched.do("exceptions.scan", None, orders=f"number:{number}")
    one_by_one = told(watched, orders="number:nothing")
    assert len({reason for _rule, reason in one_by_one}) == 7
    assert watched.do("exceptions.scan").status == "unchanged"
    assert told(watched) == one_by_one


def test_a_parcel_that_nobody_can_follow_is_not_stuck(watched: Shop) -> None:
    order = sound(watched, "1", (CUP, 2, 100))
    watched.do("orders.fulfil", order)
    watched.later(days=11)
    assert told(watched) == []
