"""The hub on both databases: a backlog linked, two merged and given back, and what is told of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bo.core.customers.records import Customer
from bo.core.kernel.database import Database
from bo.core.office import context_for, found
from bo.core.orders.records import Order
from tests.core.orders.desk import Desk


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_customers_are_linked_merged_told_and_given_back(
    new_database: Callable[[str], Database], database: str
) -> None:
    # Given
    desk = Desk(found(new_database(database), context_for("US"), operator="li"))
    desk.do("settings.set", key="orders.make_customers", value="no")
    for number, email in (("1", "ann@example.com"), ("2", "ann+2@example.com"), ("3", "bob@example.com")):
        desk.order(number, email=email, placed_at=f"2026-10-0{number}T12:00:00Z")
    desk.do("settings.reset", "orders.make_customers")
    # When
    desk.do("customers.link_orders")
    ann, bob = (desk.get(Customer, str(desk.get(Order, number).customer)) for number in "23")
    desk.do("contacts.add", customer=bob.id, kind="email", value="ann@example.com")
    desk.do("customers.log", bob.id, summary="is Ann")
    # Then
    ask = desk.office.ask
    assert [(item.customer, item.other) for item in ask("customers.duplicates")] == [(ann.id, bob.id)]
    assert [item.customer for item in ask("customers.alike", ann.id)] == [bob.id]
    merged = desk.do("customers.merge", bob.id, into=ann.id)
    told = [item.number for item in ask("customers.timeline", bob.id) if item.what == "order"]
    assert told == ["3", "2", "1"]
    assert [(item.orders, item.ordered) for item in ask("customers.totals", ann.id)] == [(3, 24_000)]
    assert [(item.segment, item.customers) for item in ask("customers.segments")] == [("hibernating", 1)]
    desk.office.undo(merged.operation)
    assert sum(item.customers for item in ask("customers.segments")) == 2
    assert [item.orders for item in ask("customers.totals", bob.id)] == [1]
    desk.do("customers.erase", bob.id)
    assert desk.get(Order, "3").email is None
    assert {item.noun for item in ask("customers.export_personal", ann.id)} >= {"customers", "orders", "order_lines"}
    desk.office.close()
