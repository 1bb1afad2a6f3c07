"""What becomes of payments: authorised and captured or let go, charged back, and refunded by two people."""

from __future__ import annotations

import pytest

from bo.core.orders.records import Order, Payment, Refund
from tests.core.orders.desk import Desk
from tests.core.orders.desk import desk as desk
from tests.core.orders.desk import desk_template as desk_template


def made(desk: Desk, name: str, subject: str, **args: object) -> str:
    returned = desk.do(name, subject, **args).returned
    assert returned is not None
    return returned


def paid(desk: Desk) -> tuple[str, int, int]:
    found = desk.get(Order, "1001")
    return found.payment, found.captured, found.refunded


def test_what_is_authorised_is_not_paid_until_it_is_captured(desk: Desk) -> None:
    desk.order()
    payment = made(desk, "orders.authorise", "1001", amount="80.00", method="card", reference="ch_1")
    assert paid(desk) == ("unpaid", 0, 0)
    assert desk.refused("orders.refund", "1001", amount="1.00", reason="torn") == "too_much"

    assert desk.refused("payments.capture", payment, amount="80.01") == "refused"
    desk.do("payments.capture", payment, amount="60.00")
    assert paid(desk) == ("part_paid", 6000, 0)
    assert desk.refused("payments.capture", payment) == "wrong_state"
    desk.assert_sound()


def test_an_authorisation_that_is_let_go_pays_nothing(desk: Desk) -> None:
    desk.order()
    payment = made(desk, "orders.authorise", "1001", amount="80.00", method="card")
    desk.do("payments.void", payment)

    assert paid(desk) == ("unpaid", 0, 0)
    assert desk.refused("payments.capture", payment) == "wrong_state"
    assert desk.refused("payments.charge_back", payment, amount="1.00", reason="fraud") == "wrong_state"


def test_a_charge_back_counts_as_given_back(desk: Desk) -> None:
    desk.order(captured="80.00")
    (payment,) = desk.all(Payment)
    desk.do("payments.charge_back", payment.id, amount="30.00", reason="fraud", reference="case 7")

    assert paid(desk) == ("part_refunded", 8000, 3000)
    (told,) = desk.all(Refund)
    assert (told.sort, told.state, told.reference) == ("charge_back", "done", "case 7")
    assert desk.refused("orders.refund", "1001", amount="50.01", reason="torn") == "too_much"
    desk.do("orders.refund", "1001", amount="50.00", reason="torn")
    assert desk.refused("payments.charge_back", payment.id, amount="0.01", reason="fraud") == "too_much"
    desk.assert_sound()


def test_what_happened_to_the_money_is_told_in_its_order(desk: Desk) -> None:
    desk.order()
    payment = made(desk, "orders.authorise", "1001", amount="80.00", method="card")
    desk.do("payments.capture", payment)
    refund = made(desk, "orders.refund", "1001", amount="20.00", reason="torn")
    failed = made(desk, "orders.refund", "1001", amount="5.00", reason="torn")
    desk.do("refunds.execute", refund, reference="re_1")
    desk.do("refunds.fail", failed, reason="card closed")
    desk.do("payments.charge_back", payment, amount="60.00", reason="fraud")

    assert [(item.event, item.amount, item.refundable) for item in desk.office.ask("orders.money", "1001")] == [
        ("authorised", 8000, 0), ("captured", 8000, 8000), ("refund_granted", 2000, 6000),
        ("refund_granted", 500, 5500), ("refunded", 2000, 5500), ("refund_failed", 500, 6000),
        ("charged_back", 6000, 0),
    ]  # fmt: skip


@pytest.mark.parametrize(("amount", "code"), [("50.00", ""), ("50.01", "own_grant")])
def test_who_granted_much_does_not_pay_it_back(desk: Desk, amount: str, code: str) -> None:
    desk.do("settings.set", key="refunds.approval_above", value="50.00")
    desk.do("operators.add", login="mei", roles="finance")
    desk.order(captured="80.00")
    refund = made(desk, "orders.refund", "1001", amount=amount, reason="torn")
    if code:
        assert desk.refused("refunds.execute", refund) == code
        desk.office.actor = desk.office.reader().page("operators", "login:mei", fields=("id",)).rows[0][0]
    desk.do("refunds.execute", refund)
    assert desk.get(Refund, refund).state == "done"
