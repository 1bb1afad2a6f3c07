"""Stock is promised to orders, leaves with their parcels, and is free again when they are cancelled."""

from __future__ import annotations

import pytest

from bo.core.inventory.records import Movement, Reservation
from bo.core.orders.records import Fulfilment
from tests.core.inventory.shop import CUP, EBOOK, LAMP, POT, Shop


def reservations(shop: Shop, order: str) -> list[tuple[int, str]]:
    lines = {line.id for line in shop.lines(order)}
    return sorted((item.quantity, item.state) for item in shop.all(Reservation) if item.line in lines)


def test_an_order_is_promised_stock(shop: Shop) -> None:
    shop.receive(CUP, 10)
    shop.receive(POT, 1, "WEST")
    order = shop.order("1", (CUP, 6, 100), (POT, 1, 900), (EBOOK, 1, 50))
    shop.do("orders.allocate", order)

    assert (shop.level(CUP), shop.level(POT, "WEST")) == ((10, 6), (1, 1))
    assert reservations(shop, order) == [(1, "reserved"), (6, "reserved")]
    assert shop.do("orders.allocate", order).status == "unchanged"


def test_an_order_that_cannot_be_had_is_promised_nothing(shop: Shop) -> None:
    shop.receive(CUP, 10)
    order = shop.order("1", (CUP, 6, 100), (POT, 1, 900))

    assert shop.refused("orders.allocate", order) == "not_enough_stock"
    assert shop.level(CUP) == (10, 0)
    shop.do("orders.allocate", order, partial=True)
    assert shop.level(CUP) == (10, 6)


def test_what_is_promised_is_not_promised_twice(shop: Shop) -> None:
    shop.receive(CUP, 10)
    shop.do("orders.allocate", shop.order("1", (CUP, 6, 100)))

    assert shop.refused("orders.allocate", shop.order("2", (CUP, 6, 100))) == "not_enough_stock"
    assert shop.level(CUP) == (10, 6)


def test_a_warehouse_that_is_named_is_the_only_one(shop: Shop) -> None:
    shop.receive(CUP, 10)
    order = shop.order("1", (CUP, 6, 100))
    assert shop.refused("orders.allocate", order, warehouse="WEST") == "not_enough_stock"
    shop.do("orders.allocate", order, warehouse="EAST")


def test_a_warehouse_that_is_closed_gives_nothing(shop: Shop) -> None:
    shop.receive(CUP, 10)
    shop.do("warehouses.edit", "EAST", active=False)
    assert shop.refused("orders.allocate", shop.order("1", (CUP, 1, 100))) == "not_enough_stock"


def test_what_may_be_sold_ahead_is_promised_whatever_there_is(shop: Shop) -> None:
    shop.receive(LAMP, 2)
    shop.do("orders.allocate", shop.order("1", (LAMP, 5, 100)))
    assert shop.level(LAMP) == (2, 5)

    shop.do("variants.allow", LAMP, backorder=False)
    assert shop.refused("orders.allocate", shop.order("2", (LAMP, 1, 100))) == "not_enough_stock"
    shop.receive(LAMP, 1)
    assert shop.level(LAMP) == (3, 5)
    assert shop.refused("stock.adjust", None, variant=LAMP, warehouse="EAST", quantity=1, reason="lost") == (
        "not_enough_stock"
    )


def test_a_parcel_takes_what_was_promised(shop: Shop) -> None:
    shop.receive(CUP, 10)
    order = shop.order("1", (CUP, 6, 100))
    shop.do("orders.allocate", order)
    parcel = shop.made("orders.fulfil", order, lines={CUP: 4})

    assert shop.level(CUP) == (6, 2)
    assert reservations(shop, order) == [(2, "reserved"), (4, "shipped")]
    assert [(item.quantity, item.reason) for item in shop.all(Movement) if item.cause == parcel] == [(-4, "sold")]
    shop.do("orders.fulfil", order)
    assert shop.level(CUP) == (4, 0)
    shop.require_balance()


def test_a_parcel_of_what_was_not_promised_takes_what_is_free(shop: Shop) -> None:
    shop.receive(CUP, 4)
    shop.do("orders.allocate", shop.order("1", (CUP, 3, 100)))
    order = shop.order("2", (CUP, 2, 100))

    assert shop.refused("orders.fulfil", order) == "not_enough_stock"
    assert (shop.level(CUP), shop.order_state(order)[0]) == ((4, 3), "unfulfilled")
    shop.do("orders.fulfil", order, lines={CUP: 1})
    assert shop.level(CUP) == (3, 3)


def test_a_parcel_from_another_warehouse_frees_the_promise(shop: Shop) -> None:
    shop.receive(CUP, 4)
    shop.receive(CUP, 4, "WEST")
    order = shop.order("1", (CUP, 3, 100))
    shop.do("orders.allocate", order, warehouse="EAST")
    shop.do("orders.fulfil", order, warehouse="WEST")

    assert (shop.level(CUP), shop.level(CUP, "WEST")) == ((4, 0), (1, 0))
    shop.require_balance()


def test_an_office_without_stock_sends_too(shop: Shop) -> None:
    order = shop.order("1", (CUP, 3, 100), ("UNKNOWN", 1, 50))
    shop.do("orders.fulfil", order)
    assert shop.order_state(order)[0] == "fulfilled"
    assert shop.all(Movement) == []


@pytest.mark.parametrize("promised", [True, False])
def test_a_parcel_that_was_not_sent_is_there_and_promised_again(shop: Shop, promised: bool) -> None:
    shop.receive(CUP, 10)
    order = shop.order("1", (CUP, 4, 100), (CUP, 2, 90))
    if promised:
        shop.do("orders.allocate", order)
    parcel = shop.made("orders.fulfil", order, lines={"1": 3, "2": 2})
    shop.do("fulfilments.take_back", parcel)

    assert shop.level(CUP) == (10, 6 if promised else 5)
    assert shop.get(Fulfilment, parcel).state == "cancelled"
    shop.require_balance()
    shop.do("orders.fulfil", order)
    assert shop.level(CUP) == (4, 0)


def test_cancelling_frees_what_was_promised(shop: Shop) -> None:
    shop.receive(CUP, 10)
    order = shop.order("1", (CUP, 6, 100))
    shop.do("orders.allocate", order)
    shop.do("orders.fulfil", order, lines={CUP: 1})
    shop.do("orders.cancel", order, reason="Changed their mind")

    assert shop.level(CUP) == (9, 0)
    assert reservations(shop, order) == [(1, "shipped"), (5, "released")]


def test_a_promise_is_freed_by_hand(shop: Shop) -> None:
    shop.receive(CUP, 10)
    order = shop.order("1", (CUP, 6, 100))
    shop.do("orders.allocate", order)
    (item,) = shop.all(Reservation)
    shop.do("reservations.release", item.id)
    assert shop.level(CUP) == (10, 0)
    assert shop.refused("reservations.release", item.id) == "wrong_state"

    shop.do("orders.allocate", order)
    shop.do("orders.deallocate", order)
    assert shop.level(CUP) == (10, 0)


def test_undoing_the_promise_undoes_the_level(shop: Shop) -> None:
    shop.receive(CUP, 10)
    done = shop.do("orders.allocate", shop.order("1", (CUP, 6, 100)))
    shop.office.undo(done.operation)
    assert shop.level(CUP) == (10, 0)
    shop.require_balance()


def test_stock_that_a_later_file_makes_superfluous_is_free_again(shop: Shop) -> None:
    shop.receive(CUP, 10)
    order = shop.order("1", (CUP, 6, 100), (POT, 1, 100))
    shop.do("orders.allocate", order, partial=True)
    assert shop.level(CUP) == (10, 6)

    shop.do("orders.record_again", order, lines=[{"sku": CUP, "name": "CUP name", "quantity": 2, "price": 100}])
    assert shop.level(CUP) == (10, 2)
    shop.do("orders.record_again", order, cancelled_at="2026-11-02")
    assert shop.level(CUP) == (10, 0)
    shop.require_balance()


def test_pieces_that_are_cancelled_in_a_line_are_free_again(shop: Shop) -> None:
    shop.receive(CUP, 10)
    order = shop.order("1", (CUP, 6, 100))
    shop.do("orders.allocate", order)
    shop.do("order_lines.edit", shop.lines(order)[0].id, quantity=4)
    assert shop.level(CUP) == (10, 4)
    shop.do("orders.fulfil", order, lines={CUP: 1})
    shop.do("orders.cancel", order, reason="no more")
    assert shop.level(CUP) == (9, 0)
    shop.require_balance()


def test_a_parcel_that_a_file_tells_of_leaves_from_what_was_promised(shop: Shop) -> None:
    shop.receive(CUP, 10)
    order = shop.order("1", (CUP, 6, 100))
    shop.do("orders.allocate", order)
    shop.do("order_lines.edit", shop.lines(order)[0].id, quantity=6)
    told = {"sku": CUP, "name": "CUP name", "quantity": 6, "price": 100}
    shop.do("orders.record_again", order, lines=[{**told, "fulfilled": 4}])
    assert shop.level(CUP) == (6, 2)
    assert shop.do("orders.record_again", order, lines=[{**told, "fulfilled": 4}]).status == "unchanged"

    (parcel,) = shop.all(Fulfilment)
    shop.do("fulfilments.take_back", parcel.id)
    assert shop.level(CUP) == (10, 6)
    shop.require_balance()


def test_history_that_comes_in_with_a_file_moves_no_stock(shop: Shop) -> None:
    shop.receive(CUP, 10)
    sent = {"sku": CUP, "name": "CUP name", "quantity": 6, "price": 100, "fulfilled": 6}
    order = shop.made("orders.record", None, number="1", lines=[sent])
    other = shop.order("2", (CUP, 6, 100))
    shop.do("orders.record_again", other, lines=[sent])

    assert (shop.order_state(order)[0], shop.order_state(other)[0]) == ("fulfilled", "fulfilled")
    assert shop.level(CUP) == (10, 0)
    shop.require_balance()
