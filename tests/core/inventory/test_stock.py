"""Stock is received, adjusted, counted, reversed and sent to another warehouse; every change is a movement."""

from __future__ import annotations

from bo.core.inventory.records import Movement, Transfer
from tests.core.inventory.shop import CUP, EBOOK, LAMP, Shop


def movements(shop: Shop) -> list[tuple[int, str]]:
    return [(item.quantity, item.reason) for item in shop.all(Movement, "sort:at,created_at")]


def test_goods_are_received(shop: Shop) -> None:
    shop.receive(CUP, 10)
    shop.receive(CUP, 5)

    assert shop.level(CUP) == (15, 0)
    assert movements(shop) == [(10, "received"), (5, "received")]


def test_nothing_is_received_of_what_is_not_counted(shop: Shop) -> None:
    assert shop.refused("stock.receive", None, variant=EBOOK, warehouse="EAST", quantity=1) == "not_counted"
    assert shop.refused("stock.receive", None, variant=CUP, warehouse="EAST", quantity=0) == "refused"


def test_an_adjustment_takes_or_adds_by_its_reason(shop: Shop) -> None:
    shop.receive(CUP, 10)
    shop.do("stock.adjust", None, variant=CUP, warehouse="EAST", quantity=3, reason="damaged")
    shop.do("stock.adjust", None, variant=CUP, warehouse="EAST", quantity=1, reason="found")

    assert shop.level(CUP) == (8, 0)
    args = {"variant": CUP, "warehouse": "EAST", "quantity": 9, "reason": "lost"}
    assert shop.refused("stock.adjust", None, **args) == "not_enough_stock"
    assert shop.level(CUP) == (8, 0)


def test_counting_moves_the_difference(shop: Shop) -> None:
    shop.receive(CUP, 10)
    shop.do("stock.count", None, variant=CUP, warehouse="EAST", on_hand=7)
    assert shop.level(CUP) == (7, 0)
    assert movements(shop)[-1] == (-3, "counted")

    again = shop.do("stock.count", None, variant=CUP, warehouse="EAST", on_hand=7)
    assert again.status == "unchanged"


def test_less_than_is_promised_cannot_be_counted(shop: Shop) -> None:
    shop.receive(CUP, 10)
    shop.do("orders.allocate", shop.order("1", (CUP, 6, 100)))

    assert shop.refused("stock.count", None, variant=CUP, warehouse="EAST", on_hand=5) == "not_enough_stock"
    assert shop.level(CUP) == (10, 6)
    shop.do("stock.count", None, variant=CUP, warehouse="EAST", on_hand=6)
    assert shop.level(CUP) == (6, 6)


def test_a_movement_is_reversed_once(shop: Shop) -> None:
    shop.receive(CUP, 10)
    received = shop.all(Movement)[0].id
    shop.do("movements.reverse", received)

    assert shop.level(CUP) == (0, 0)
    assert shop.refused("movements.reverse", received) == "not_reversible"
    (back,) = shop.all(Movement, f"reverses:{received}")
    assert (back.quantity, back.reason) == (-10, "reversed")
    assert shop.refused("movements.reverse", back.id) == "not_reversible"


def test_a_transfer_takes_away_as_much_as_it_brings(shop: Shop) -> None:
    shop.receive(CUP, 10)
    transfer = shop.made("transfers.send", None, variant=CUP, source="EAST", target="WEST", quantity=6)
    assert (shop.level(CUP), shop.level(CUP, "WEST")) == ((4, 0), (0, 0))

    shop.do("transfers.arrive", transfer, quantity=2)
    assert (shop.level(CUP, "WEST"), shop.get(Transfer, transfer).state) == ((2, 0), "under_way")
    assert shop.refused("transfers.arrive", transfer, quantity=5) == "refused"
    shop.do("transfers.arrive", transfer)
    assert (shop.level(CUP, "WEST"), shop.get(Transfer, transfer).state) == ((6, 0), "arrived")
    assert shop.refused("transfers.cancel", transfer) == "wrong_state"
    assert sum(item.quantity for item in shop.all(Movement) if item.cause == transfer) == 0


def test_what_has_not_arrived_goes_back_when_a_transfer_is_cancelled(shop: Shop) -> None:
    shop.receive(CUP, 10)
    transfer = shop.made("transfers.send", None, variant=CUP, source="EAST", target="WEST", quantity=6)
    shop.do("transfers.arrive", transfer, quantity=2)
    shop.do("transfers.cancel", transfer)

    assert (shop.level(CUP), shop.level(CUP, "WEST")) == ((8, 0), (2, 0))


def test_a_transfer_takes_only_what_is_free(shop: Shop) -> None:
    shop.receive(CUP, 10)
    shop.do("orders.allocate", shop.order("1", (CUP, 6, 100)))
    args = {"variant": CUP, "source": "EAST", "target": "WEST"}

    assert shop.refused("transfers.send", None, quantity=5, **args) == "not_enough_stock"
    assert shop.refused("transfers.send", None, quantity=1, **{**args, "target": "EAST"}) == "refused"
    shop.do("transfers.send", None, quantity=4, **args)


def test_what_there_is_what_is_low_and_what_to_buy(shop: Shop) -> None:
    shop.receive(CUP, 10)
    shop.receive(CUP, 1, "WEST")
    shop.receive(LAMP, 3)
    shop.do("orders.allocate", shop.order("1", (CUP, 8, 100)))
    shop.do("transfers.send", None, variant=CUP, source="EAST", target="WEST", quantity=2)
    rule = {"variant": CUP, "least": 5, "most": 20, "multiple": 6}
    shop.do("reorder_rules.add", None, warehouse="EAST", **rule)
    shop.do("reorder_rules.add", None, warehouse="WEST", **rule)

    found = shop.office.ask("stock.available", CUP)
    assert [(item.warehouse, item.on_hand, item.allocated, item.available, item.incoming) for item in found] == [
        ("EAST", 8, 8, 0, 0),
        ("WEST", 1, 0, 1, 2),
    ]
    low = shop.office.ask("stock.low")
    assert [(item.sku, item.warehouse, item.available, item.least) for item in low] == [
        (CUP, "EAST", 0, 5),
        (CUP, "WEST", 1, 5),
    ]
    buy = shop.office.ask("reorder_rules.suggest")
    assert [(item.sku, item.warehouse, item.available, item.incoming, item.buy) for item in buy] == [
        (CUP, "EAST", 0, 0, 18),
        (CUP, "WEST", 1, 2, 12),
    ]


def test_a_rule_that_sleeps_suggests_nothing(shop: Shop) -> None:
    rule = {"variant": CUP, "warehouse": "EAST", "least": 5, "most": 20}
    made = shop.made("reorder_rules.add", None, **rule, snoozed_until="2026-11-04 00:00")
    assert shop.office.ask("reorder_rules.suggest") == []

    shop.later(days=2)
    assert [item.buy for item in shop.office.ask("reorder_rules.suggest")] == [20]
    assert shop.refused("reorder_rules.edit", made, most=2) == "refused"
