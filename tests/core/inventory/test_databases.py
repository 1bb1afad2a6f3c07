"""The statements of stock, exceptions and papers give the same answers on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest

from bo.core.office import context_for, found
from bo.core.orders.records import ExceptionRule, OrderException
from tests.core.inventory.shop import CUP, EBOOK, LAMP, MONDAY, POT, Shop, furnish
from tests.core.kernel.conftest import NewDatabase
from tests.core.kernel.conftest import new_database as new_database
from tests.core.kernel.making import DIALECTS


@pytest.fixture(params=DIALECTS)
def shop(request: pytest.FixtureRequest, new_database: NewDatabase, tmp_path: Path) -> Shop:
    database = new_database(request.param)
    office = found(database, context_for("CN"), operator="boss", clock=lambda: MONDAY)
    furnish(office)
    return Shop(tmp_path, office)


def test_stock_is_told_alike(shop: Shop) -> None:
    shop.receive(CUP, 10)
    shop.do("orders.allocate", shop.order("1", (CUP, 8, 100)))
    shop.do("transfers.send", None, variant=CUP, source="EAST", target="WEST", quantity=2)
    shop.do("reorder_rules.add", None, variant=CUP, warehouse="EAST", least=5, most=20)

    assert [item.available for item in shop.office.ask("stock.available", CUP)] == [0]
    assert [(item.sku, item.least) for item in shop.office.ask("stock.low")] == [(CUP, 5)]
    assert [item.buy for item in shop.office.ask("reorder_rules.suggest")] == [20]
    shop.require_balance()


def test_exceptions_are_found_alike(shop: Shop) -> None:
    shop.do("exception_rules.standard")
    shop.do("exception_rules.add", None, code="big", filter="total>5 channel:web")
    shop.receive(CUP, 3)
    person = {"phone": "13800138000", "email": "li@example.com", "name": "李雷"}
    shop.order("1", (CUP, 2, 100), **person)
    shop.later(hours=1)
    shop.order("2", (CUP, 2, 100), risk="high", **person)
    shop.order("3", (POT, 2, 500), ("NONE", 1, 100), channel="web", total="20.00", **person)
    sent = shop.order("4", (LAMP, 1, 100), address="世纪大道1号", captured="1", **person)
    shop.do("orders.fulfil", sent, tracking="SF1")
    shop.later(days=11)
    shop.do("exceptions.scan")

    codes = {rule.id: rule.code for rule in shop.all(ExceptionRule)}
    found = sorted((codes[item.rule], f"{item.reason} {item.detail}".strip()) for item in shop.all(OrderException))
    assert found == [
        ("amount_mismatch", "amounts_differ 20.00 ≠ 11.00 CNY"),
        ("bad_address", "no_address"),
        ("bad_address", "no_address"),
        ("bad_address", "no_address"),
        ("big", "filter"),
        ("high_risk", "high_risk"),
        ("missing_sku", "unknown_sku 2: NONE"),
        ("oversold", "oversold CUP"),
        ("same_email", "repeated 1"),
        ("same_phone", "repeated 1"),
        ("stuck", "not_arrived SF1"),
        ("unpaid", "unpaid"),
        ("unpaid", "unpaid"),
        ("unpaid", "unpaid"),
    ]
    shop.do("exceptions.scan", None, orders="number:1")
    assert len(shop.all(OrderException, "state:open")) == 14


def test_papers_are_drawn_alike(shop: Shop) -> None:
    orders = [shop.order("1", (CUP, 2, 100)), shop.order("2", (EBOOK, 1, 100))]
    assert shop.office.ask("orders.papers", None, orders=orders, paper="picks").pages == 1
