"""Sums in a transaction: what the database would say, kept in step with what the calls of a batch do."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bo.core.kernel.record import EPOCH
from bo.core.kernel.tx import SYSTEM, Tx
from bo.core.kernel.unit import Condition, Head, Unit
from bo.core.kernel.workspace import Workspace
from tests.core.kernel.making import CONTEXT
from tests.core.kernel.office.records import Ticket
from tests.core.kernel.stock import FIRST, stock

OPERATION = "op_" + "0" * 26
ASKED: tuple[tuple[str, tuple[Condition, ...]], ...] = (
    ("amount", ()),
    ("", ()),
    ("amount", (("number", "=", "T-1"),)),
    ("amount", (("number", "=", None),)),
    ("amount", (("number", "!=", None),)),
    ("amount", (("state", "=", ("new", "given")),)),
    ("amount", (("state", "!=", "closed"), ("phone", "=", "+8613800138000"))),
    ("amount", (("amount", ">", -2000), ("amount", "<=", 50000))),
    ("", (("created_at", ">=", FIRST), ("due", "!=", None), ("urgent", "=", False))),
)


def add(tx: Tx) -> None:
    tx.add(Ticket(number="T-9", phone="+8613800138000", amount=700))
    tx.add(Ticket(amount=None))


def change(tx: Tx) -> None:
    tx.select(Ticket, number="T-1")[0].amount = 3
    tx.select(Ticket, number="T-4")[0].number = None
    tx.select(Ticket, number="T-2")[0].state = "new"


def remove(tx: Tx) -> None:
    tx.remove(tx.select(Ticket, number="T-1")[0])


@pytest.fixture
def tx(office: Workspace) -> Tx:
    stock(office)
    made = Tx(Unit(office.database.session, Head(0, 0, "", "")), CONTEXT)
    made.begin(OPERATION, EPOCH, SYSTEM)
    return made


def test_a_sum_is_that_of_the_records_that_meet_its_conditions(tx: Tx) -> None:
    assert tx.sum(Ticket, "amount") == 50000 + 50001 - 1250 + 100_000_000
    assert tx.sum(Ticket, "", state=("given", "closed")) == tx.count(Ticket, state=("given", "closed")) == 4
    assert tx.sum(Ticket, "amount", number="T-7") == 0


@pytest.mark.parametrize("call", [add, change, remove])
def test_an_earlier_call_of_the_batch_is_seen_and_the_running_one_is_not(tx: Tx, call: Callable[[Tx], None]) -> None:
    # given
    before = [tx.sum(Ticket, field, *conditions) for field, conditions in ASKED]

    # when
    call(tx)

    # then
    assert [tx.sum(Ticket, field, *conditions) for field, conditions in ASKED] == before

    # when
    tx.accept(tx.settle())
    tx.begin("op_" + "1" * 26, EPOCH, SYSTEM)

    # then
    kept = [tx.sum(Ticket, field, *conditions) for field, conditions in ASKED]
    tx._unit.sums.clear()
    assert kept == [tx.sum(Ticket, field, *conditions) for field, conditions in ASKED] != before


def test_what_a_refused_call_did_does_not_count(tx: Tx) -> None:
    before = tx.sum(Ticket, "amount")

    add(tx)
    tx.drop()

    assert tx.sum(Ticket, "amount") == before
