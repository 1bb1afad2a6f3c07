"""Sixteen who give money back at once, on both databases: never more than was paid, and one request is one refund."""

from __future__ import annotations

from collections.abc import Callable
from threading import Barrier, Thread

import pytest

from bo.core.kernel.database import Database, PostgresDatabase, SqliteDatabase
from bo.core.kernel.dispatch import Call, Outcome
from bo.core.kernel.ids import new_operation_id
from bo.core.kernel.workspace import Workspace
from bo.core.office import context_for, found, open_database
from bo.core.orders.records import Order, Payment, Refund
from tests.core.kernel.conftest import new_database as new_database
from tests.core.orders.desk import Desk

MANY = 16
AT_ONCE = Callable[[Callable[[Workspace, int], list[Outcome]]], list[Outcome]]


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, new_database: Callable[[str], Database]) -> Database:
    return new_database(request.param)


@pytest.fixture
def desk(database: Database) -> Desk:
    """An order of 80.00, paid in two parts."""
    desk = Desk(found(database, context_for("US"), operator="li"))
    desk.order()
    desk.do("orders.pay", "1001", amount="50.00", method="card", reference="ch_1")
    desk.do("orders.pay", "1001", amount="30.00", method="card", reference="ch_2")
    return desk


@pytest.fixture
def at_once(database: Database) -> AT_ONCE:
    """Has as many people as `MANY`, each with a connection of their own, do something at the same moment."""

    def connected() -> Database:
        if isinstance(database, SqliteDatabase):
            return SqliteDatabase(database.path)
        assert isinstance(database, PostgresDatabase)
        return PostgresDatabase(database.url, database.schema)

    def do(work: Callable[[Workspace, int], list[Outcome]]) -> list[Outcome]:
        start, done = Barrier(MANY), list[Outcome]()

        def one(number: int) -> None:
            with open_database(connected(), operator="li") as office:
                start.wait()
                done.extend(work(office, number))

        people = [Thread(target=one, args=(number,)) for number in range(MANY)]
        for person in people:
            person.start()
        for person in people:
            person.join(timeout=60)
        return done

    return do


def test_sixteen_refunds_at_once_give_back_no_more_than_was_paid(desk: Desk, at_once: AT_ONCE) -> None:
    # when each wants 15.00 and pays it back: there is enough for five
    def work(office: Workspace, _number: int) -> list[Outcome]:
        (granted,) = office.run([Call("orders.refund", "1001", {"amount": "15.00", "reason": "torn"})])
        return [granted, *(office.run([Call("refunds.execute", granted.returned)]) if granted.returned else [])]

    done = at_once(work)

    # then
    assert [item.error.code for item in done if item.error is not None] == ["too_much"] * 11
    assert sum(item.amount for item in desk.all(Refund)) == 7500
    for payment in desk.all(Payment):
        assert payment.refunded + payment.granted + payment.charged_back <= payment.amount
    desk.assert_sound()


def test_charge_backs_and_refunds_at_once_take_no_more_than_was_paid(desk: Desk, at_once: AT_ONCE) -> None:
    payments = [item.id for item in desk.all(Payment)]

    def work(office: Workspace, number: int) -> list[Outcome]:
        if number % 2:
            call = Call("payments.charge_back", payments[number % 4 // 2], {"amount": "10.00", "reason": "fraud"})
        else:
            call = Call("orders.refund", "1001", {"amount": "12.00", "reason": "torn"})
        return office.run([call])

    done = at_once(work)

    refusals = {item.error.code for item in done if item.error is not None}
    assert (len(done), refusals) == (MANY, {"too_much"})
    desk.assert_sound()
    left = sum(item.amount - item.refunded - item.granted - item.charged_back for item in desk.all(Payment))
    assert 0 <= left < 1200


def test_one_request_that_is_pressed_sixteen_times_is_one_refund(desk: Desk, at_once: AT_ONCE) -> None:
    pressed = new_operation_id()
    call = Call("orders.refund", "1001", {"amount": "15.00", "reason": "torn"}, id=pressed)

    done = at_once(lambda office, _number: office.run([call]))

    assert [item.error for item in done] == [None] * MANY
    assert len([item for item in done if item.returned]) == 1  # who comes later is told that it is done
    assert [item.amount for item in desk.all(Refund)] == [1500]
    assert desk.get(Order, "1001").refunded == 0
    desk.assert_sound()
