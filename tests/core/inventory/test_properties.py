"""Whatever is done with stock in whatever order: it adds up, and nothing is promised that is not there."""

from __future__ import annotations

from random import Random

import pytest

from bo.core.inventory.records import Movement, Reservation, StockLevel, Transfer
from bo.core.kernel.dispatch import Call
from bo.core.kernel.errors import Refused
from bo.core.orders.records import Fulfilment, Order
from tests.core.inventory.shop import CUP, LAMP, POT, Shop

STEPS = 250
SKUS = (CUP, POT, LAMP)
PLACES = ("EAST", "WEST")


def random_call(shop: Shop, chance: Random, orders: list[str]) -> Call:
    sku, place, quantity = chance.choice(SKUS), chance.choice(PLACES), chance.randrange(1, 6)
    stock = {"variant": sku, "warehouse": place}
    transfers, parcels = shop.all(Transfer, "state:under_way"), shop.all(Fulfilment)
    movements, promises = shop.all(Movement), shop.all(Reservation, "state:reserved")
    calls = [
        Call("stock.receive", None, {**stock, "quantity": quantity}),
        Call("stock.receive", None, {**stock, "quantity": quantity}),
        Call("stock.adjust", None, {**stock, "quantity": quantity, "reason": chance.choice(("lost", "found"))}),
        Call("stock.count", None, {**stock, "on_hand": chance.randrange(12)}),
        Call("transfers.send", None, {"variant": sku, "source": place, "target": "WEST", "quantity": quantity}),
        Call("variants.allow", LAMP, {"backorder": chance.random() < 0.5}),
    ]
    order = chance.choice(orders)
    calls += [
        Call("orders.allocate", order, {"partial": chance.random() < 0.5}),
        Call("orders.allocate", order, {"warehouse": place, "partial": True}),
        Call("orders.fulfil", order, {"lines": {"1": quantity}}),
        Call("orders.fulfil", order, {"warehouse": place}),
        Call("orders.deallocate", order),
        Call("orders.record_again", order, {"lines": [_told(sku, quantity, chance.randrange(quantity + 1))]}),
        Call("orders.cancel", order, {"reason": "no"}) if chance.random() < 0.2 else Call("orders.fulfil", order),
    ]
    if transfers:
        calls.append(Call(chance.choice(("transfers.arrive", "transfers.cancel")), chance.choice(transfers).id))
        calls.append(Call("transfers.arrive", chance.choice(transfers).id, {"quantity": 1}))
    if movements:
        calls.append(Call("movements.reverse", chance.choice(movements).id))
    if parcels:
        calls.append(Call("fulfilments.take_back", chance.choice(parcels).id))
    if promises:
        calls.append(Call("reservations.release", chance.choice(promises).id))
    return chance.choice(calls)


def _told(sku: str, quantity: int, sent: int) -> dict[str, object]:
    """A line as a later file tells it."""
    return {"sku": sku, "name": f"{sku} name", "quantity": quantity, "price": 100, "fulfilled": sent}


@pytest.mark.parametrize("seed", range(4))
def test_stock_adds_up_whatever_is_done(shop: Shop, seed: int) -> None:
    chance = Random(seed)
    orders = [
        shop.order(str(number), *((chance.choice(SKUS), chance.randrange(1, 7), 100) for _ in range(3)))
        for number in range(12)
    ]
    applied = 0
    for step in range(STEPS):
        outcome = shop.office.run([random_call(shop, chance, orders)])[0]
        assert outcome.error is None or isinstance(outcome.error, Refused), outcome
        applied += outcome.status == "applied"
        if step % 25 == 0:
            shop.require_balance()
    shop.require_balance()
    assert applied > STEPS // 4
    require_transfers(shop)
    require_orders(shop, orders)


def require_transfers(shop: Shop) -> None:
    """What left for a transfer has arrived, come back, or is under way."""
    moved: dict[str, int] = {}
    for item in shop.all(Movement):
        moved[item.cause] = moved.get(item.cause, 0) + item.quantity
    for transfer in shop.all(Transfer):
        under_way = transfer.quantity - transfer.arrived if transfer.state == "under_way" else 0
        assert moved[transfer.id] == -under_way


def require_orders(shop: Shop, orders: list[str]) -> None:
    """Nothing is promised beyond what is left to send, and the shipped promises are what was sent."""
    promised: dict[tuple[str, str], int] = {}
    for item in shop.all(Reservation):
        promised[item.line, item.state] = promised.get((item.line, item.state), 0) + item.quantity
    for order in orders:
        shop.get(Order, order).check()
        for line in shop.lines(order):
            line.check()
            assert promised.get((line.id, "reserved"), 0) <= line.quantity - line.cancelled - line.fulfilled
            assert promised.get((line.id, "shipped"), 0) <= line.fulfilled
    assert all(level.on_hand >= 0 or level.backorder for level in shop.all(StockLevel))
