"""Amounts that people write are in the currency of what they are said of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bo.core.kernel.dispatch import Call
from bo.core.kernel.errors import BadValue
from bo.core.kernel.workspace import Workspace
from bo.core.office import context_for, create
from bo.core.orders.records import Order, Payment, Refund


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """An office that counts in yuan."""
    made = create(tmp_path / "office", context_for("CN"), operator="ann")
    yield made
    made.close()


def order(workspace: Workspace, number: str) -> Order:
    (found,) = workspace.reader().records(Order, f"number:{number}")
    return found


def test_an_order_in_yen_is_recorded_paid_and_refunded_in_yen(workspace: Workspace) -> None:
    workspace.do("orders.record", number="J", currency="jpy", total="1200")
    workspace.do("orders.pay", "J", amount="1200", method="card")
    workspace.do("orders.refund", "J", amount="200", reason="late")
    found = order(workspace, "J")
    assert (found.currency, found.total, found.captured, found.payment) == ("JPY", 1200, 1200, "paid")
    assert [item.amount for item in workspace.reader().records(Refund, "")] == [200]
    assert [item.amount for item in workspace.reader().records(Payment, "")] == [1200]


def test_a_currency_with_more_decimals_than_the_office_has_is_read_with_all_of_them(workspace: Workspace) -> None:
    workspace.do("orders.record", number="K", currency="KWD", total="1.234")
    workspace.do("orders.pay", "K", amount="1.234", method="card")
    assert (order(workspace, "K").total, order(workspace, "K").captured) == (1234, 1234)


def test_minor_units_stay_as_programs_write_them(workspace: Workspace) -> None:
    workspace.do("orders.record", number="J", currency="JPY", total=1200)
    workspace.do("orders.pay", "J", amount=1200, method="card")
    assert (order(workspace, "J").total, order(workspace, "J").captured) == (1200, 1200)


def test_decimals_that_a_currency_has_not_are_refused_and_nothing_is_paid(workspace: Workspace) -> None:
    workspace.do("orders.record", number="J", currency="JPY", total="1200")
    with pytest.raises(BadValue, match="more decimals than"):
        workspace.do("orders.pay", "J", amount="1.50", method="card")
    assert order(workspace, "J").captured == 0


def test_what_is_no_currency_is_refused_and_no_order_is_made(workspace: Workspace) -> None:
    with pytest.raises(BadValue, match="is not a currency code"):
        workspace.do("orders.record", number="X", currency="yuan", total="1")
    assert workspace.reader().count("orders", "") == 0


def test_an_order_made_earlier_in_the_batch_has_its_currency_too(workspace: Workspace) -> None:
    made = Call("orders.record", None, {"number": "J", "currency": "JPY", "total": "1200"})
    workspace.run([made, Call("orders.pay", "J", {"amount": "1200", "method": "card"})], atomic=True)
    assert order(workspace, "J").captured == 1200


def test_the_same_payment_sent_twice_is_one(workspace: Workspace) -> None:
    workspace.do("orders.record", number="J", currency="JPY", total="1200")
    pay = Call("orders.pay", "J", {"amount": "1200", "method": "card"}, id="op_01m80000000000000000000000")
    statuses = [outcome.status for _try in range(2) for outcome in workspace.run([pay])]
    assert statuses == ["applied", "repeated"]
    assert order(workspace, "J").captured == 1200
