"""Orders are taken in as shops tell them; what is told again adds to them and takes nothing away."""

from __future__ import annotations

from datetime import UTC, datetime

from bo.core.catalog.records import Variant
from bo.core.orders.records import Fulfilment, Order, OrderLine, Payment, Refund
from tests.core.orders.desk import LINES, Desk
from tests.core.orders.desk import desk as desk
from tests.core.orders.desk import desk_template as desk_template


def test_an_order_is_recorded_with_lines_payment_and_refund(desk: Desk) -> None:
    desk.order(captured="80.00", refunded="20.00", paid_at="2026-11-01T10:00:00Z", method="card")

    made = desk.get(Order, "1001")
    assert (made.total, made.captured, made.refunded, made.payment) == (8000, 8000, 2000, "part_refunded")
    assert (made.state, made.pieces, made.key) == ("unfulfilled", 5, "web/1001")
    assert [(line.name, line.quantity, line.price, line.total) for line in desk.lines("1001")] == [
        ("Shirt", 3, 2000, 6000), ("Mug", 2, 1000, 1500),
    ]  # fmt: skip
    (paid,) = desk.all(Payment)
    assert (paid.amount, paid.method, paid.at) == (8000, "card", datetime(2026, 11, 1, 10, tzinfo=UTC))
    (back,) = desk.all(Refund)
    assert (back.amount, back.state, back.payment) == (2000, "done", paid.id)
    desk.assert_sound()


def test_a_line_is_linked_to_the_one_variant_of_its_sku(desk: Desk) -> None:
    desk.order(lines=[{"sku": sku, "quantity": 1} for sku in ("SH-R", "TWICE", "NOBODY")])

    shirt = next(item for item in desk.all(Variant) if item.sku == "SH-R")
    assert [line.variant for line in desk.lines("1001")] == [shirt.id, None, None]


def test_lines_keep_name_and_price_of_the_day(desk: Desk) -> None:
    desk.order()
    desk.do("products.edit", "shirt", title="Blouse")
    shirt = next(item for item in desk.all(Variant) if item.sku == "SH-R")
    desk.do("variants.edit", shirt.id, price="99")
    desk.do("products.archive", "shirt")

    assert (desk.lines("1001")[0].name, desk.lines("1001")[0].price) == ("Shirt", 2000)


def test_a_number_is_a_channels_own_and_given_once(desk: Desk) -> None:
    desk.order()
    desk.order(channel="market")

    assert len(desk.all(Order)) == 2
    assert desk.refused("orders.record", number="1001", channel="web") == "known_order"


def test_more_refunded_than_paid_is_refused(desk: Desk) -> None:
    assert desk.refused("orders.record", number="1", captured="10.00", refunded="20.00", total="10.00") == "refused"


def test_what_was_refunded_was_paid_also_where_the_shop_does_not_say_so(desk: Desk) -> None:
    desk.order(refunded="10.00")

    assert (desk.get(Order, "1001").captured, desk.get(Order, "1001").payment) == (1000, "refunded")


def test_a_line_that_only_has_a_sum_gets_its_price_where_it_divides(desk: Desk) -> None:
    desk.order(lines=[{"quantity": 2, "total": "5.00"}, {"quantity": 3, "total": "5.00"}], shipping=0)

    assert [(line.price, line.total) for line in desk.lines("1001")] == [(250, 500), (0, 500)]
    assert desk.get(Order, "1001").total == 1000


def test_pieces_below_nothing_make_a_credit_note(desk: Desk) -> None:
    desk.order("C1001", shipping=0, lines=[{"name": "Mug", "quantity": -2, "price": "10.00"}])

    made = desk.get(Order, "C1001")
    assert (made.total, made.state, made.tags, made.pieces) == (-2000, "cancelled", ("credit note",), 0)
    (line,) = desk.lines("C1001")
    assert (line.quantity, line.cancelled, line.total) == (2, 2, -2000)
    desk.assert_sound()


def test_a_cancelled_order_is_sent_no_more(desk: Desk) -> None:
    desk.order(cancelled_at="2026-11-01")

    assert (desk.get(Order, "1001").state, [line.cancelled for line in desk.lines("1001")]) == ("cancelled", [3, 2])
    assert desk.refused("orders.fulfil", "1001") == "wrong_state"


def test_what_was_sent_is_a_parcel(desk: Desk) -> None:
    desk.order("1", sent_at="2026-11-02T08:00:00Z")
    desk.order("2", lines=[{**LINES[0], "fulfilled": 1}, LINES[1]])

    assert [desk.get(Order, number).state for number in "12"] == ["fulfilled", "part_fulfilled"]
    assert sorted(item.pieces for item in desk.all(Fulfilment)) == [1, 5]
    assert desk.get(Order, "1").sent_at == datetime(2026, 11, 2, 8, tzinfo=UTC)
    desk.assert_sound()


# -- told again --------------------------------------------------------------------------------------------------------


def test_a_later_file_tells_of_the_payment(desk: Desk) -> None:
    desk.order()
    desk.do("orders.record_again", "1001", captured="80.00", method="card")

    assert (desk.get(Order, "1001").payment, len(desk.all(Payment))) == ("paid", 1)
    assert desk.do("orders.record_again", "1001", captured="80.00").status == "unchanged"
    desk.assert_sound()


def test_an_older_file_takes_no_payment_away(desk: Desk) -> None:
    desk.order(captured="80.00")

    assert desk.do("orders.record_again", "1001", captured="30.00").status == "unchanged"


def test_a_refund_that_is_told_is_the_one_that_was_granted_here(desk: Desk) -> None:
    desk.order(captured="80.00")
    granted = desk.do("orders.refund", "1001", amount="20.00", reason="torn").returned
    assert granted is not None
    desk.do("orders.record_again", "1001", refunded="25.00")

    assert desk.get(Refund, granted).state == "done"
    assert [(item.amount, item.state) for item in desk.all(Refund)] == [(2000, "done"), (500, "done")]
    assert desk.get(Order, "1001").refunded == 2500
    desk.assert_sound()


def test_lines_told_again_are_merged_and_those_told_no_more_are_cancelled(desk: Desk) -> None:
    desk.order()
    shirt = desk.lines("1001")[0]
    desk.do(
        "orders.record_again",
        "1001",
        lines=[{**LINES[0], "quantity": 4, "fulfilled": 1}, {"name": "Cap", "quantity": 1}],
    )

    assert [(line.name, line.quantity, line.cancelled, line.fulfilled) for line in desk.lines("1001")] == [
        ("Shirt", 4, 0, 1), ("Mug", 2, 2, 0), ("Cap", 1, 0, 0),
    ]  # fmt: skip
    assert desk.lines("1001")[0].id == shirt.id


def test_an_order_that_was_sent_meanwhile_gets_its_parcel(desk: Desk) -> None:
    desk.order()
    desk.do("orders.fulfil", "1001", lines={"MUG": 1})
    desk.do("fulfilments.take_back", desk.all(Fulfilment)[0].id)
    desk.do("orders.record_again", "1001", sent_at="2026-11-05")

    assert desk.get(Order, "1001").state == "fulfilled"
    desk.assert_sound()


# -- lines of their own files ------------------------------------------------------------------------------------------


def test_a_line_that_comes_later_is_asked_for_on_top(desk: Desk) -> None:
    desk.order(captured="80.00")
    desk.do("order_lines.add", order="1001", name="Cap", quantity=2, price="7.50", shipping="1.00", tax="0.50")

    made = desk.get(Order, "1001")
    assert (made.total, made.shipping, made.payment) == (8000 + 1500 + 100 + 50, 600, "part_paid")
    assert [line.position for line in desk.lines("1001")] == [1, 2, 3]
    desk.assert_sound()


def test_a_discount_may_be_a_share(desk: Desk) -> None:
    desk.order(lines=[], shipping=0)
    for price, rate in (("0.25", "10"), ("0.35", "10"), ("9.99", "15")):
        desk.do("order_lines.add", order="1001", price=price, discount_rate=rate)

    assert [line.total for line in desk.lines("1001")] == [22, 32, 849]  # 22.5, 31.5 and 849.15 minor units
    assert desk.lines("1001")[2].extra == {"discount rate": "15.00%"}


def test_lines_of_an_order_that_was_sent_go_into_its_parcel(desk: Desk) -> None:
    desk.order("sent", lines=[], sent_at="2026-11-02")
    desk.order("gone", lines=[], cancelled_at="2026-11-02")
    for number in ("sent", "gone"):
        desk.do("order_lines.add", order=number, name="Cap", quantity=2)
        desk.do("order_lines.add", order=number, name="Hat")

    assert [(desk.get(Order, number).state, desk.get(Order, number).pieces) for number in ("sent", "gone")] == [
        ("fulfilled", 3), ("cancelled", 0),
    ]  # fmt: skip
    desk.assert_sound()


def test_an_order_that_is_told_as_sent_without_lines_is_sent(desk: Desk) -> None:
    desk.order("told", lines=[], sent_at="2026-11-02")
    desk.order("again", lines=[])
    desk.do("orders.record_again", "again", sent_at="2026-11-02")
    desk.order("neither", lines=[], sent_at="2026-11-02", cancelled_at="2026-11-02")

    assert [desk.get(Order, number).state for number in ("told", "again", "neither")] == [
        "fulfilled", "fulfilled", "cancelled",
    ]  # fmt: skip
    desk.assert_sound()


def test_what_was_sent_whole_stays_sent_when_a_shop_tells_its_lines_or_cancels_it(desk: Desk) -> None:
    for number, told in (("lines", {"lines": LINES}), ("cancelled", {"cancelled_at": "2026-11-03"})):
        desk.order(number, lines=[])
        desk.do("orders.fulfil", number, tracking="SF1")
        desk.do("orders.record_again", number, **told)

    assert [desk.get(Order, number).state for number in ("lines", "cancelled")] == ["fulfilled", "fulfilled"]
    assert [line.fulfilled for line in desk.lines("lines")] == [3, 2]
    assert [(item.pieces, item.tracking) for item in desk.all(Fulfilment)] == [(5, "SF1"), (0, "SF1")]


def test_a_payment_that_comes_later_may_be_of_nothing(desk: Desk) -> None:
    desk.order()
    desk.do("payments.record", order="1001", amount="80.00", method="voucher")
    desk.do("payments.record", order="1001", amount="0", method="voucher")

    assert (desk.get(Order, "1001").payment, len(desk.all(Payment))) == ("paid", 2)
    assert desk.refused("payments.record", order="1001", amount="-1") == "inconsistent_order"
    assert len(desk.all(OrderLine)) == 2


def test_what_a_shop_says_it_has_sent_has_left_also_where_the_order_is_held_here(desk: Desk) -> None:
    desk.order()
    desk.do("orders.hold", "1001", reason="address?")
    desk.do("orders.record_again", "1001", sent_at="2026-11-02T08:00:00Z")

    made = desk.get(Order, "1001")
    assert (made.state, made.hold_reason) == ("fulfilled", "address?")
    assert desk.refused("orders.printed", "1001", paper="slips") == "on_hold"
    desk.assert_sound()
