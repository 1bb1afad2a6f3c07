"""Whose an order is."""

from __future__ import annotations

from bo.core.customers.records import Customer
from bo.core.orders.records import Order
from tests.core.orders.desk import Desk
from tests.core.orders.desk import desk as desk
from tests.core.orders.desk import desk_template as desk_template


def buyer(desk: Desk, number: str) -> Customer | None:
    found = desk.get(Order, number).customer
    return desk.get(Customer, found) if found else None


def test_an_order_makes_the_customer_that_the_next_one_finds(desk: Desk) -> None:
    desk.order("1", name="Ann", phone="(212) 555-0100", email="Ann+x@Example.com", city="New York")
    desk.order("2", phone="+1 212 555 0100", company="Ann & Co.")
    desk.order("3", email="ann@example.com")

    (made,) = desk.all(Customer)
    assert [desk.get(Order, number).customer for number in "123"] == [made.id] * 3
    assert (made.name, made.phone, made.city, made.company, made.consent) == (
        "Ann", "+12125550100", "New York", "Ann & Co.", False,
    )  # fmt: skip


def test_an_order_of_a_batch_finds_who_an_earlier_one_made(desk: Desk) -> None:
    from bo.core.kernel.dispatch import Call

    calls = [Call("orders.record", None, {"number": str(n), "email": "ann@example.com"}) for n in range(3)]
    assert all(outcome.ok for outcome in desk.office.run(calls))

    assert len(desk.all(Customer)) == 1


def test_an_order_without_phone_and_mailbox_has_no_customer(desk: Desk) -> None:
    desk.order("1", name="Ann")

    assert (buyer(desk, "1"), desk.all(Customer)) == (None, [])


def test_the_customer_that_an_order_names_stays(desk: Desk) -> None:
    desk.do("customers.add", number="A", email="a@example.com")
    desk.do("customers.add", number="B")

    desk.order("1", customer="B", email="a@example.com")

    assert desk.get(Order, "1").customer == desk.get(Customer, "B").id


def test_no_customer_is_made_where_the_office_does_not_want_it(desk: Desk) -> None:
    desk.do("settings.set", key="orders.make_customers", value="no")
    desk.do("customers.add", number="A", email="a@example.com")

    desk.order("1", email="b@example.com")
    desk.order("2", email="a@example.com")

    assert (buyer(desk, "1"), len(desk.all(Customer))) == (None, 1)
    assert desk.get(Order, "2").customer == desk.get(Customer, "A").id


def test_undoing_an_order_takes_its_customer_away(desk: Desk) -> None:
    made = desk.do("orders.record", number="1", email="a@example.com")

    desk.office.undo(made.operation)

    assert (desk.all(Order), desk.all(Customer)) == ([], [])


def test_a_customer_whom_a_later_order_found_stays_when_the_first_is_undone(desk: Desk) -> None:
    # given
    first = desk.do("orders.record", number="1", email="a@example.com")
    second = desk.do("orders.record", number="2", email="a@example.com", company="Ann & Co.")
    (customer,) = desk.all(Customer)

    # when
    desk.office.undo(first.operation)

    # then
    assert [item.id for item in desk.all(Customer)] == [customer.id]
    assert [(item.number, item.customer) for item in desk.all(Order)] == [("2", customer.id)]

    # when the last that named them goes too
    desk.office.undo(second.operation)

    # then nothing of theirs is left but they themselves, whom the second had not made
    assert (desk.all(Order), len(desk.all(Customer))) == ([], 1)


def test_a_customer_of_orders_that_were_made_together_goes_with_them(desk: Desk) -> None:
    from bo.core.kernel.dispatch import Call

    calls = [Call("orders.record", None, {"number": str(n), "email": "ann@example.com"}) for n in range(3)]
    first = desk.office.run(calls)[0].operation

    desk.office.undo(first)

    assert (desk.all(Order), desk.all(Customer)) == ([], [])


def test_a_customer_whom_an_order_names_is_not_undone_alone(desk: Desk) -> None:
    made = desk.do("customers.add", number="A", email="a@example.com")
    desk.order("1", customer="A")

    said = desk.refused("op.undo", operation=made.operation)

    assert said == "still_named"
    assert len(desk.all(Customer)) == 1


def test_the_backlog_is_linked(desk: Desk) -> None:
    desk.do("settings.set", key="orders.make_customers", value="no")
    desk.order("1", email="a@example.com")
    desk.order("2", email="A+1@example.com", phone="+12125550100")
    desk.order("3")
    desk.do("settings.reset", "orders.make_customers")

    desk.do("customers.link_orders")

    (made,) = desk.all(Customer)
    assert [desk.get(Order, number).customer for number in "123"] == [made.id, made.id, None]
    assert desk.do("customers.link_orders").status == "unchanged"
