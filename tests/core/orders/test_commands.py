"""What is done to orders: held, changed, paid, refunded, sent and cancelled, and refused where it cannot be."""

from __future__ import annotations

import pytest

from bo.core.orders.records import Fulfilment, Order, Payment, Refund
from tests.core.orders.desk import Desk
from tests.core.orders.desk import desk as desk
from tests.core.orders.desk import desk_template as desk_template


def status(desk: Desk, number: str = "1001") -> tuple[str, str]:
    found = desk.get(Order, number)
    return found.state, found.payment


def returned(desk: Desk, name: str, subject: str, **args: object) -> str:
    made = desk.do(name, subject, **args).returned
    assert made is not None
    return made


def test_what_is_held_is_not_sent_until_it_is_released(desk: Desk) -> None:
    desk.order()
    desk.do("orders.hold", "1001", reason="address?")

    assert desk.get(Order, "1001").hold_reason == "address?"
    assert desk.refused("orders.fulfil", "1001") == "on_hold"
    desk.do("orders.release", "1001")
    desk.do("orders.fulfil", "1001")
    assert status(desk) == ("fulfilled", "unpaid")


def test_an_order_is_tagged(desk: Desk) -> None:
    desk.order(tags="vip, gift")
    desk.do("orders.tag", "1001", add="rush", remove="gift")

    assert desk.get(Order, "1001").tags == ("rush", "vip")


def test_a_changed_total_changes_what_is_owed(desk: Desk) -> None:
    desk.order(captured="80.00")
    desk.do("orders.edit", "1001", total="90.00", note="gift wrap")

    assert (status(desk), desk.get(Order, "1001").note) == (("unfulfilled", "part_paid"), "gift wrap")
    desk.do("orders.edit", "1001", total="70.00")
    assert status(desk) == ("unfulfilled", "overpaid")
    desk.assert_sound()


def test_status_is_never_set_by_hand(desk: Desk) -> None:
    desk.order()

    for name, value in (("state", "fulfilled"), ("payment", "paid"), ("captured", "80.00"), ("pieces", "0")):
        assert desk.refused("orders.edit", "1001", **{name: value}) == "usage"


def test_a_line_is_changed_and_the_total_follows_the_difference(desk: Desk) -> None:
    desk.order(captured="80.00")
    shirt, mug = desk.lines("1001")
    desk.do("order_lines.edit", shirt.id, quantity=2)
    desk.do("order_lines.edit", mug.id, price="12.00", discount="0")

    assert desk.get(Order, "1001").total == 8000 - 2000 + 900
    assert (status(desk), desk.get(Order, "1001").pieces) == (("unfulfilled", "overpaid"), 4)
    desk.assert_sound()


def test_a_line_is_not_made_less_than_was_sent(desk: Desk) -> None:
    desk.order()
    desk.do("orders.fulfil", "1001", lines={"SH-R": 2})

    assert desk.refused("order_lines.edit", desk.lines("1001")[0].id, quantity=1) == "inconsistent_order"


def test_pieces_of_a_line_that_has_only_a_sum_are_not_changed_without_a_price(desk: Desk) -> None:
    desk.order(lines=[{"quantity": 3, "total": "5.00"}])
    (line,) = desk.lines("1001")

    assert desk.refused("order_lines.edit", line.id, quantity=2) == "no_price"
    desk.do("order_lines.edit", line.id, quantity=2, price="1.60")
    assert desk.lines("1001")[0].total == 320


def test_an_order_is_sent_in_parts(desk: Desk) -> None:
    desk.order()
    desk.do("orders.fulfil", "1001", lines={"SH-R": 2, "2": 1}, carrier="SF", tracking="SF1")

    assert status(desk) == ("part_fulfilled", "unpaid")
    assert [line.fulfilled for line in desk.lines("1001")] == [2, 1]
    desk.do("orders.fulfil", "1001")
    assert status(desk) == ("fulfilled", "unpaid")
    assert [item.pieces for item in desk.all(Fulfilment)] == [3, 2]
    assert desk.refused("orders.fulfil", "1001") == "wrong_state"
    desk.assert_sound()


@pytest.mark.parametrize(
    ("lines", "code"),
    [({"SH-R": 4}, "too_many_pieces"), ({"HAT": 1}, "not_found"), ({"SH-R": 0}, "refused"), ({"SH-R": "x"}, "refused")],
)
def test_what_is_not_there_is_not_sent(desk: Desk, lines: dict[str, object], code: str) -> None:
    desk.order()

    assert desk.refused("orders.fulfil", "1001", lines=lines) == code


def test_an_order_without_lines_is_sent_whole(desk: Desk) -> None:
    desk.order(lines=[], total="75.00")

    sent = desk.do("orders.fulfil", "1001", carrier="SF", tracking="SF1")

    (parcel,) = desk.all(Fulfilment)
    assert (parcel.id, parcel.lines, parcel.pieces) == (sent.returned, {}, 0)
    assert (parcel.carrier, parcel.tracking, parcel.shipped_at) == ("SF", "SF1", desk.get(Order, "1001").sent_at)
    assert status(desk) == ("fulfilled", "unpaid")
    assert desk.refused("orders.fulfil", "1001") == "wrong_state"
    desk.assert_sound()
    desk.office.undo(sent.operation)
    assert (status(desk)[0], desk.get(Order, "1001").sent_at) == ("unfulfilled", None)
    assert desk.all(Fulfilment) == []


def test_an_order_without_lines_is_sent_again_once_its_parcel_is_taken_back(desk: Desk) -> None:
    desk.order(lines=[])
    desk.do("fulfilments.take_back", returned(desk, "orders.fulfil", "1001"))

    assert (status(desk)[0], desk.get(Order, "1001").sent_at) == ("unfulfilled", None)
    assert desk.refused("orders.fulfil", "1001", lines={"SH-R": 1}) == "not_found"
    desk.do("orders.fulfil", "1001")
    assert status(desk)[0] == "fulfilled"
    desk.assert_sound()


def test_a_parcel_is_taken_back_once(desk: Desk) -> None:
    desk.order()
    parcel = returned(desk, "orders.fulfil", "1001")
    desk.do("fulfilments.take_back", parcel)

    assert (status(desk), desk.get(Order, "1001").sent_at) == (("unfulfilled", "unpaid"), None)
    assert desk.refused("fulfilments.take_back", parcel) == "refused"
    desk.assert_sound()


def test_an_order_is_paid_in_parts_and_the_same_payment_once(desk: Desk) -> None:
    desk.order()
    desk.do("orders.pay", "1001", amount="30.00", method="cash")
    assert status(desk) == ("unfulfilled", "part_paid")
    desk.do("orders.pay", "1001", amount="50.00", method="card", reference="ch_1")
    assert status(desk) == ("unfulfilled", "paid")

    assert desk.refused("orders.pay", "1001", amount="50.00", method="card", reference="ch_1") == "refused"
    assert desk.refused("orders.pay", "1001", amount="0", method="cash") == "refused"
    assert desk.refused("orders.pay", "1001", amount="-5", method="cash") == "refused"
    desk.assert_sound()


def test_a_refund_is_granted_and_carried_out(desk: Desk) -> None:
    desk.order(captured="80.00")
    refund = returned(desk, "orders.refund", "1001", amount="30.00", reason="torn")

    assert (status(desk), desk.get(Refund, refund).state) == (("unfulfilled", "paid"), "pending")
    desk.do("refunds.execute", refund, reference="re_1")
    assert (status(desk), desk.get(Refund, refund).reference) == (("unfulfilled", "part_refunded"), "re_1")
    assert desk.refused("refunds.execute", refund) == "wrong_state"
    desk.assert_sound()


def test_a_refund_that_fails_is_free_again(desk: Desk) -> None:
    desk.order(captured="80.00")
    refund = returned(desk, "orders.refund", "1001", amount="80.00", reason="torn")
    assert desk.refused("orders.refund", "1001", amount="0.01", reason="more") == "too_much"
    desk.do("refunds.fail", refund, reason="card closed")

    assert desk.all(Payment)[0].granted == 0
    returned(desk, "orders.refund", "1001", amount="80.00", reason="torn")
    desk.assert_sound()


def test_a_refund_is_taken_from_the_newest_payment_first(desk: Desk) -> None:
    desk.order()
    desk.do("orders.pay", "1001", amount="50.00", method="cash", at="2026-11-01")
    desk.do("orders.pay", "1001", amount="30.00", method="card", at="2026-11-02")
    desk.do("orders.refund", "1001", amount="40.00", reason="torn")

    assert {item.method: item.granted for item in desk.all(Payment)} == {"cash": 1000, "card": 3000}


def test_never_more_is_refunded_than_is_left(desk: Desk) -> None:
    desk.order(captured="80.00", refunded="30.00")

    assert desk.refused("orders.refund", "1001", amount="50.01", reason="torn") == "too_much"
    assert desk.refused("orders.refund", "1001", amount="0", reason="torn") == "refused"
    desk.do("orders.refund", "1001", amount="50.00", reason="torn")
    assert desk.refused("orders.refund", "1001", amount="0.01", reason="torn") == "too_much"


def test_shipping_is_refunded_once(desk: Desk) -> None:
    desk.order(captured="80.00")
    refund = returned(desk, "orders.refund", "1001", amount="10.00", shipping="5.00", reason="late")

    assert desk.refused("orders.refund", "1001", amount="10.00", shipping="0.01", reason="late") == "shipping_refunded"
    assert desk.refused("orders.refund", "1001", amount="1.00", shipping="2.00", reason="late") == "refused"
    desk.do("refunds.fail", refund, reason="card closed")
    desk.do("orders.refund", "1001", amount="5.00", shipping="5.00", reason="late")


def test_an_order_is_cancelled_whole(desk: Desk) -> None:
    desk.order(captured="80.00")
    desk.do("orders.cancel", "1001", reason="changed their mind")

    made = desk.get(Order, "1001")
    assert (made.state, made.payment, made.pieces, made.note) == ("cancelled", "paid", 0, "changed their mind")
    assert made.cancelled_at is not None
    assert desk.refused("orders.cancel", "1001", reason="again") == "wrong_state"
    desk.assert_sound()


def test_what_is_left_of_an_order_is_cancelled(desk: Desk) -> None:
    desk.order()
    desk.do("orders.fulfil", "1001", lines={"SH-R": 1})
    desk.do("orders.cancel", "1001", reason="sold out")

    assert status(desk) == ("fulfilled", "unpaid")
    assert [line.cancelled for line in desk.lines("1001")] == [2, 2]
    assert desk.get(Order, "1001").cancelled_at is None
    desk.assert_sound()


def test_the_same_request_twice_pays_once(desk: Desk) -> None:
    desk.order()
    call = {"amount": "80.00", "method": "cash"}
    first = desk.do("orders.pay", "1001", **call)

    desk.office.undo(first.operation)
    assert status(desk) == ("unfulfilled", "unpaid")
    assert desk.all(Payment) == []
