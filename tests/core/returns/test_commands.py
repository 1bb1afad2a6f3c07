"""Goods come back, into stock or not, and are made good once: by money, by credit, or by other goods."""

from __future__ import annotations

import pytest

from bo.core.inventory.records import Movement
from bo.core.orders.records import Order, Payment, Refund
from bo.core.returns.records import Credit, CustomerReturn
from tests.core.inventory.shop import CUP, POT, Shop


@pytest.fixture
def sent(shop: Shop) -> str:
    """An order of four cups at 10 and a pot at 20, with 5 of shipping, paid and sent."""
    shop.receive(CUP, 10)
    shop.receive(POT, 5, "WEST")
    customer = shop.made("customers.add", None, number="C1", name="李雷")
    order = shop.order(
        "100", (CUP, 4, 1000), (POT, 1, 2000), customer=customer, shipping="5", captured="65", name="李雷"
    )
    shop.do("orders.fulfil", order)
    return order


def back(shop: Shop, order: str, **lines: int) -> str:
    """A return that has come back."""
    made = shop.made("returns.request", None, order=order, lines=lines, reason="defective")
    shop.do("returns.approve", made)
    shop.do("returns.receive", made)
    return made


def test_pieces_come_back_into_stock(shop: Shop, sent: str) -> None:
    made = shop.made("returns.request", None, order=sent, lines={CUP: 3}, reason="no_longer_wanted")
    found = shop.get(CustomerReturn, "100-R1")
    assert (found.id, found.state, found.pieces) == (made, "requested", 3)
    assert shop.level(CUP) == (6, 0)

    shop.do("returns.approve", made)
    shop.do("returns.receive", made)
    found = shop.get(CustomerReturn, made)
    assert (found.state, found.came, found.short, found.amount) == ("received", 3, 0, 3000)
    assert shop.level(CUP) == (9, 0)
    assert [(item.quantity, item.reason) for item in shop.all(Movement) if item.cause == made] == [(3, "returned")]
    assert [line.returned for line in shop.lines(sent)] == [3, 0]
    assert shop.order_state(sent)[0] == "part_returned"
    shop.require_balance()


def test_what_is_short_or_wrong_is_noted(shop: Shop, sent: str) -> None:
    made = shop.made("returns.request", None, order=sent, lines={CUP: 3})
    shop.do("returns.approve", made)
    assert shop.refused("returns.receive", made, lines={CUP: 4}) == "too_many_pieces"
    shop.do("returns.receive", made, lines={CUP: 2}, wrong=1, restock="scrap")

    found = shop.get(CustomerReturn, made)
    assert (found.came, found.short, found.wrong, found.amount) == (2, 1, 1, 2000)
    assert shop.level(CUP) == (6, 0)


def test_a_warehouse_may_be_named(shop: Shop, sent: str) -> None:
    made = shop.made("returns.request", None, order=sent, lines={CUP: 1})
    shop.do("returns.approve", made)
    shop.do("returns.receive", made, warehouse="WEST")
    assert (shop.level(CUP), shop.level(CUP, "WEST")) == ((6, 0), (1, 0))


def test_no_more_can_be_announced_than_was_sent(shop: Shop, sent: str) -> None:
    shop.do("returns.request", None, order=sent, lines={CUP: 3})
    assert shop.refused("returns.request", None, order=sent, lines={CUP: 2}) == "too_many_pieces"
    rest = shop.made("returns.request", None, order=sent)
    assert shop.get(CustomerReturn, rest).pieces == 2
    assert shop.refused("returns.request", None, order=sent) == "nothing_to_return"
    shop.do("returns.cancel", rest)
    shop.do("returns.request", None, order=sent, lines={POT: 1})


def test_what_was_never_sent_cannot_come_back(shop: Shop) -> None:
    order = shop.order("1", (CUP, 4, 1000))
    assert shop.refused("returns.request", None, order=order) == "nothing_to_return"
    assert shop.refused("returns.request", None, order=order, lines={CUP: 1}) == "too_many_pieces"
    assert shop.refused("returns.request", None, order=order, lines={"NONE": 1}) == "not_found"


def test_after_a_month_it_is_too_late_unless_somebody_says_so(shop: Shop, sent: str) -> None:
    shop.later(days=31)
    assert shop.refused("returns.request", None, order=sent) == "return_too_late"
    shop.do("returns.request", None, order=sent, late=True)


def test_a_return_that_is_rejected_moves_nothing(shop: Shop, sent: str) -> None:
    made = shop.made("returns.request", None, order=sent, lines={CUP: 3})
    shop.do("returns.reject", made, reason="Used")
    assert shop.refused("returns.receive", made) == "wrong_state"
    assert shop.refused("returns.refund", made) == "wrong_state"
    assert (shop.level(CUP), shop.order_state(sent)) == ((6, 0), ("fulfilled", "paid"))


def test_a_refund_is_granted_once_and_executed_later(shop: Shop, sent: str) -> None:
    made = back(shop, sent, CUP=1)
    refund = shop.made("returns.refund", made)
    assert (shop.get(Refund, refund).amount, shop.get(Refund, refund).state) == (1000, "pending")
    assert shop.refused("returns.refund", made) == "return_settled"
    assert shop.refused("returns.decline", made, reason="no") == "return_settled"
    assert shop.get(Order, sent).refunded == 0

    shop.do("refunds.execute", refund)
    assert (shop.get(Order, sent).refunded, shop.order_state(sent)[1]) == (1000, "part_refunded")


def test_all_that_comes_back_is_worth_all_that_was_paid_for_it(shop: Shop, sent: str) -> None:
    first, second = back(shop, sent, CUP=4), back(shop, sent, POT=1)
    assert shop.order_state(sent)[0] == "returned"
    assert shop.refused("returns.refund", first, amount="41") == "too_much"
    shop.do("refunds.execute", shop.made("returns.refund", first))
    shop.do("refunds.execute", shop.made("returns.refund", second, shipping="5"))
    assert shop.get(Order, sent).refunded == 6500
    assert shop.order_state(sent) == ("returned", "refunded")


def test_what_was_not_paid_is_not_given_back(shop: Shop) -> None:
    shop.receive(CUP, 4)
    order = shop.order("1", (CUP, 4, 1000), captured="15")
    shop.do("orders.fulfil", order)
    made = back(shop, order, CUP=2)
    assert shop.get(Refund, shop.made("returns.refund", made)).amount == 1500


def test_less_may_be_given_back(shop: Shop, sent: str) -> None:
    made = back(shop, sent, CUP=1)
    assert shop.get(Refund, shop.made("returns.refund", made, amount="7.50")).amount == 750


def test_store_credit_is_given_and_spent(shop: Shop, sent: str) -> None:
    made = back(shop, sent, CUP=2)
    shop.do("returns.credit", made)
    assert (shop.get(Order, sent).refunded, shop.get(CustomerReturn, made).settled) == (2000, "credit")
    (held,) = shop.office.ask("credits.balance", "C1")
    assert (held.currency, held.balance) == ("CNY", 2000)

    order = shop.order("2", (CUP, 3, 1000))
    args = {"customer": "C1", "order": order}
    assert shop.refused("credits.spend", None, amount="20.01", **args) == "not_enough_credit"
    shop.do("credits.spend", None, **args)
    assert shop.order_state(order)[1] == "part_paid"
    assert [(item.method, item.amount) for item in shop.all(Payment, f"order:{order}")] == [("store_credit", 2000)]
    assert shop.refused("credits.spend", None, **args) == "not_enough_credit"
    assert sum(item.amount for item in shop.all(Credit)) == 0


def test_credit_pays_no_more_than_is_due(shop: Shop, sent: str) -> None:
    shop.do("credits.grant", None, customer="C1", amount="100", reason="Sorry")
    order = shop.order("2", (CUP, 3, 1000))
    assert shop.refused("credits.spend", None, customer="C1", order=order, amount="30.01") == "refused"
    shop.do("credits.spend", None, customer="C1", order=order)
    assert (shop.order_state(order)[1], shop.office.ask("credits.balance", "C1")[0].balance) == ("paid", 7000)


@pytest.mark.parametrize(
    ("price", "payment", "due", "refunds"),
    [("15", "part_paid", 500, [(1000, "done")]), ("10", "paid", 0, [(1000, "done")]),
     ("8", "paid", 0, [(800, "done"), (200, "pending")])],
)  # fmt: skip
def test_an_exchange_is_a_new_order_with_the_difference_due(
    shop: Shop, sent: str, price: str, payment: str, due: int, refunds: list[tuple[int, str]]
) -> None:
    made = back(shop, sent, CUP=1)
    new = shop.made("returns.exchange", made, lines=[{"sku": POT, "quantity": 1, "price": price}])

    found = shop.get(Order, new)
    assert (found.number, found.name, found.payment) == ("100-R1-X", "李雷", payment)
    assert found.total - found.captured == due
    given = [(item.amount, str(item.state)) for item in shop.all(Refund, f"order:{sent} sort:-amount")]
    assert sorted(given, reverse=True) == refunds
    assert shop.get(CustomerReturn, made).exchange == new
    assert shop.refused("returns.exchange", made, lines=[{"sku": POT, "quantity": 1}]) == "return_settled"


def test_a_return_may_be_worth_nothing(shop: Shop, sent: str) -> None:
    made = back(shop, sent, CUP=1)
    shop.do("returns.decline", made, reason="Broken by the customer")
    assert shop.get(CustomerReturn, made).settled == "nothing"
    assert shop.refused("returns.refund", made) == "return_settled"


def test_simulating_tells_what_would_be_and_changes_nothing(shop: Shop, sent: str) -> None:
    before = shop.office.data_version()
    found = shop.office.ask("returns.simulate", sent, lines={CUP: 2})
    assert shop.office.data_version() == before
    assert (found.pieces, found.worth, found.refundable, found.refund) == (2, 2000, 6500, 2000)
    assert (found.in_time, found.restocked, found.state, found.payment) == (True, 2, "part_returned", "part_refunded")

    made = back(shop, sent, CUP=2)
    assert shop.get(CustomerReturn, made).amount == found.worth
    assert shop.order_state(sent)[0] == found.state
    again = shop.office.ask("returns.simulate", sent, lines={CUP: 3})
    assert (again.pieces, again.too_many, again.worth) == (2, 1, 2000)


def test_undoing_a_receipt_takes_stock_and_pieces_back(shop: Shop, sent: str) -> None:
    made = shop.made("returns.request", None, order=sent, lines={CUP: 3})
    shop.do("returns.approve", made)
    done = shop.do("returns.receive", made, restock="scrap")
    shop.office.undo(done.operation)
    assert [line.returned for line in shop.lines(sent)] == [0, 0]
    assert shop.order_state(sent)[0] == "fulfilled"
