"""An order desk: an office with two products, a clock that goes on by itself, and what the tests look at."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest

from bo.core.kernel.dispatch import Call, Outcome
from bo.core.kernel.errors import BoError
from bo.core.kernel.record import Record
from bo.core.kernel.workspace import Workspace
from bo.core.office import context_for, create, open_office
from bo.core.orders import rules
from bo.core.orders.records import FAILED, PENDING, Fulfilment, Order, OrderLine, Payment, Refund

R = TypeVar("R", bound=Record)
START = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
ALL = (Order, OrderLine, Payment, Refund, Fulfilment)
LINES = [
    {"name": "Shirt", "sku": "SH-R", "quantity": 3, "price": "20.00"},
    {"name": "Mug", "sku": "MUG", "quantity": 2, "price": "10.00", "discount": "5.00"},
]


class Desk:
    """An office as the tests of orders use it."""

    def __init__(self, office: Workspace) -> None:
        self.office = office

    def do(self, command: str, subject: str | None = None, /, **args: Any) -> Outcome:
        """One call; what it is refused for is raised."""
        (outcome,) = self.office.run([Call(command, subject, args)])
        if outcome.error is not None:
            raise outcome.error
        return outcome

    def order(self, number: str = "1001", **args: Any) -> str:
        """An order of three shirts and two mugs, 75.00 and 5.00 for shipping; its id."""
        given = {"number": number, "channel": "web", "currency": "USD", "shipping": "5.00", "lines": LINES, **args}
        made = self.do("orders.record", None, **given)
        assert made.returned is not None
        return made.returned

    def get(self, cls: type[R], text: str) -> R:
        return self.office.reader().get(cls, text)

    def all(self, cls: type[R], text: str = "") -> list[R]:
        return sorted(self.office.reader().records(cls, text), key=lambda item: item.id)

    def lines(self, order: str) -> list[OrderLine]:
        found = self.all(OrderLine, f"order:{self.get(Order, order).id}")
        return sorted(found, key=lambda line: line.position)

    def refused(self, command: str, subject: str | None = None, /, **args: Any) -> str:
        """The code of the refusal; whatever was there is as it was."""
        before = self.contents()
        try:
            self.do(command, subject, **args)
        except BoError as error:
            assert self.contents() == before
            return error.code
        raise AssertionError(f"{command} was not refused")

    def contents(self) -> list[object]:
        return [self.all(cls) for cls in ALL]

    def assert_sound(self) -> None:
        """What orders promise, for every order at hand."""
        for order in self.all(Order):
            assert_sound(
                order,
                self.lines(order.id),
                self.all(Payment, f"order:{order.id}"),
                self.all(Refund, f"order:{order.id}"),
                self.all(Fulfilment, f"order:{order.id}"),
            )


def assert_sound(
    order: Order, lines: list[OrderLine], payments: list[Payment], refunds: list[Refund], parcels: list[Fulfilment]
) -> None:
    """The invariants of orders, and that all that is derived equals its derivation."""
    pieces = rules.pieces_of(lines)
    whole = not lines and any(parcel.state != "cancelled" for parcel in parcels)
    cancelled = order.cancelled_at is not None
    assert order.state == rules.state_of(pieces, draft=order.state == "draft", cancelled=cancelled, sent=whole)
    assert order.payment == rules.payment_status(order.total, order.captured, order.refunded)
    assert order.pieces == pieces.ordered - pieces.cancelled
    assert order.captured == sum(item.amount for item in payments)
    assert order.refunded == sum(item.refunded + item.charged_back for item in payments)
    sent = {line.id: 0 for line in lines}
    for parcel in parcels:
        if parcel.state != "cancelled":
            assert parcel.pieces == sum(int(str(count)) for count in parcel.lines.values())
            for line_id, count in parcel.lines.items():
                sent[line_id] += int(str(count))
    for line in lines:
        assert 0 <= line.returned <= line.fulfilled <= line.quantity - line.cancelled
        assert line.fulfilled == sent[line.id]
    for payment in payments:
        own = [item for item in refunds if item.payment == payment.id]
        assert payment.refunded == sum(item.amount for item in own if item.state == "done" and item.sort == "refund")
        assert payment.charged_back == sum(item.amount for item in own if item.sort == "charge_back")
        assert payment.amount == 0 or payment.state == "captured"
        assert payment.granted == sum(item.amount for item in own if item.state == PENDING)
        assert payment.refunded + payment.granted + payment.charged_back <= payment.amount
    assert sum(item.shipping for item in refunds if item.state != FAILED) <= order.shipping


@pytest.fixture(scope="session")
def desk_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("desk") / "office"
    with create(folder, context_for("US"), operator="li") as office:
        for handle, sku in (("shirt", "SH-R"), ("mug", "MUG"), ("mug-2", "TWICE"), ("mug-3", "TWICE")):
            office.do("products.record", handle=handle, title=handle, variants=[{"sku": sku, "price": "1"}])
    return folder


@pytest.fixture
def desk(desk_template: Path, tmp_path: Path) -> Iterator[Desk]:
    with open_desk(desk_template, tmp_path / "office") as office:
        yield Desk(office)


def open_desk(template: Path, folder: Path) -> Workspace:
    """A copy of the office; its clock goes one second further at each look."""
    looks = [START]

    def look() -> datetime:
        looks[0] += timedelta(seconds=1)
        return looks[0]

    return open_office(shutil.copytree(template, folder), clock=look)
