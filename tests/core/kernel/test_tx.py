"""What a command may ask its transaction: rows by any condition, as the database and the earlier calls have them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from bo.core.kernel.dispatch import Call
from bo.core.kernel.errors import NotFound, Refused
from bo.core.kernel.record import EPOCH
from bo.core.kernel.tx import SYSTEM, Actor, Tx
from bo.core.kernel.unit import Condition, Head, Unit
from bo.core.kernel.workspace import Workspace
from tests.core.kernel.making import CONTEXT
from tests.core.kernel.office.records import CLOSED, GIVEN, NEW, Shop, Ticket
from tests.core.kernel.stock import FIRST, stock

OPERATION = "op_" + "0" * 26


@pytest.fixture
def tx(office: Workspace) -> Tx:
    """A running call in a stocked office, outside dispatch."""
    stock(office)
    made = Tx(Unit(office.database.session, Head(0, 0, "", "")), CONTEXT)
    made.begin(OPERATION, EPOCH, SYSTEM)
    return made


SELECTED: tuple[tuple[tuple[Condition, ...], dict[str, object], str], ...] = (
    ((), {}, "1 2 3 4 5 6"),
    ((), {"number": None}, "6"),
    ((), {"number": "T-1"}, "1"),
    ((("number", "!=", None),), {}, "1 2 3 4 5"),
    ((("number", "!=", "T-1"),), {}, "2 3 4 5"),
    ((("number", "<", "T-3"),), {}, "1 2"),
    ((("number", "<=", "T-3"), ("number", ">", "T-1")), {}, "2 3"),
    ((), {"state": NEW}, "1 4"),
    ((), {"state": (NEW, GIVEN)}, "1 3 4 5"),
    ((), {"state": [CLOSED]}, "2 6"),
    ((), {"state": ()}, ""),
    ((("amount", ">=", 50_000),), {"state": "new"}, "1"),
    ((), {"amount": (0, 50_000)}, "1 5"),
    ((), {"urgent": True}, "1 4"),
    ((("due", ">=", date(2026, 11, 2)),), {}, "2 4 5 6"),
    ((), {"due": date(2026, 11, 2)}, "2 6"),
    ((("created_at", "=", FIRST),), {}, "1"),
    ((("created_at", ">", datetime(2026, 11, 2, 12, tzinfo=UTC)),), {}, "5 6"),
)


def places(records: list[Ticket]) -> str:
    return " ".join("6" if item.number is None else item.number[2:] for item in records)


def test_rows_are_selected_and_counted_by_any_condition(tx: Tx) -> None:
    for conditions, equals, expected in SELECTED:
        wanted = [*conditions, *((name, "=", value) for name, value in equals.items())]
        assert places(tx.select(Ticket, *wanted)) == expected, wanted
        assert tx.count(Ticket, *wanted) == len(expected.split())
    assert places(tx.select(Ticket, state="new", urgent=True)) == "1 4"


def test_rows_come_in_the_order_that_is_asked_for(tx: Tx) -> None:
    assert places(tx.select(Ticket, ("amount", "!=", None), order="-amount")) == "6 2 1 5 4"
    assert places(tx.select(Ticket, order="state,-due", state=("given", "closed"), limit=3)) == "2 6 5"
    assert places(tx.select(Ticket, order="amount")) == "3 4 5 1 2 6"
    assert places(tx.select(Ticket, order="-amount")) == "6 2 1 5 4 3"


def test_a_found_row_and_a_selected_one_are_the_same_object(tx: Tx) -> None:
    (selected,) = tx.select(Ticket, number="T-1")

    assert tx.find(Ticket, number="T-1") is tx.get(Ticket, selected.id) is selected
    assert tx.find(Ticket, number="T-1", state="closed") is None
    assert tx.find_all(Ticket, phone="+8613800138000", number="T-1") == [selected]
    with pytest.raises(TypeError, match="none of \\['name'\\] is a lookup field"):
        tx.find(Ticket, name="Ann")


def test_what_is_not_there_is_not_got(tx: Tx) -> None:
    with pytest.raises(NotFound, match="there is no ticket ticket_1"):
        tx.get(Ticket, "ticket_1")
    assert tx.peek(Ticket, "ticket_1") is None
    assert tx.view(Shop, "shop_1") is None


def test_a_row_that_was_taken_out_is_not_found_again(tx: Tx) -> None:
    found = tx.find(Ticket, number="T-1")
    assert found is not None
    tx.remove(found)

    assert tx.find(Ticket, number="T-1") is None
    assert tx.peek(Ticket, found.id) is None
    assert places(tx.select(Ticket)) == "2 3 4 5 6"


def test_a_row_that_an_earlier_call_took_out_can_come_back_under_its_id(tx: Tx) -> None:
    found = tx.select(Ticket, number="T-1")[0]
    tx.remove(found)
    tx.accept(tx.settle())
    tx.begin(OPERATION, EPOCH, SYSTEM)

    tx.add(Ticket(id=found.id, number="T-1", name="again"))
    tx.drop()
    assert tx.peek(Ticket, found.id) is None
    tx.begin(OPERATION, EPOCH, SYSTEM)
    tx.add(Ticket(id=found.id, number="T-1", name="again"))
    tx.accept(tx.settle())

    assert places(tx.select(Ticket, order="number", number="T-1", name="again")) == "1"


def test_a_row_that_was_added_is_found_by_its_keys(tx: Tx) -> None:
    added = tx.add(Ticket(number="T-9", phone="+8613800138000"))

    assert tx.find(Ticket, number="T-9") is added
    assert places(tx.find_all(Ticket, phone="+8613800138000")) == "1 9"


def test_an_id_that_is_there_is_not_given_again(tx: Tx) -> None:
    there = tx.select(Ticket, number="T-1")[0].id

    with pytest.raises(Refused, match="there already is a ticket"):
        Tx(Unit(tx._unit.session, tx._unit.head), CONTEXT).add(Ticket(id=there))


def test_ids_derive_from_the_operation(tx: Tx) -> None:
    first, second, shop = tx.new_id(Ticket), tx.new_id(Ticket), tx.new_id(Shop)
    tx.begin(OPERATION, EPOCH, SYSTEM)

    assert first == "ticket_" + "0" * 26
    assert len({first[-26:], second[-26:], shop[-26:]}) == 3
    assert (tx.new_id(Ticket), tx.new_id(Ticket), tx.new_id(Shop)) == (first, second, shop)


@pytest.mark.parametrize(
    ("permissions", "allowed"),
    [
        (("*",), True),
        (("tickets.*",), True),
        (("tickets.give",), True),
        (("tickets.close", "tick.*", "shops.*"), False),
        ((), False),
    ],
)
def test_an_actor_may_what_is_granted(permissions: tuple[str, ...], allowed: bool) -> None:
    actor = Actor("a", "a", frozenset(permissions))

    assert actor.may("tickets.give") is allowed
    assert actor.may("anyone")


def test_an_actor_sees_the_scopes_of_its_own_and_what_is_shared() -> None:
    everywhere = Actor("a", "a", frozenset())
    at_home = Actor("a", "a", frozenset(), frozenset(("store:west",)))

    assert everywhere.sees("hq")
    assert [at_home.sees(scope) for scope in ("shared", "store:west", "store:east", "hq", "")] == [
        True,
        True,
        *[False] * 3,
    ]


def test_the_moment_of_a_call_is_cut_to_what_is_stored(office: Workspace) -> None:
    at = datetime(2026, 11, 2, 9, 0, 0, 123_999, UTC)
    office.run([Call("tickets.open", None, {"number": "T-1"}, at=at)])
    done = office.do("tickets.edit", "T-1", name="Ann").operation

    assert office.reader().get(Ticket, "T-1").created_at == at.replace(microsecond=123_000)
    assert office.undo(done)[0].status == "applied"
    assert office.verify() == 3
