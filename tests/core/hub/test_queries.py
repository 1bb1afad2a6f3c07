"""All that there is of one customer, who may be one, how customers buy, and what is personal."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from bo.core.customers.records import Address, Communication, ContactPoint, Customer
from bo.core.hub.likeness import pairs, person
from bo.core.hub.scoring import Buyer, scores, segment_of
from bo.core.leads.records import FollowUp, Lead
from bo.core.orders.records import Order
from tests.core.leads.scene import Scene
from tests.core.orders.desk import Desk


def test_a_customer_s_timeline_has_everything_newest_first(desk: Desk) -> None:
    # Given
    desk.do("customers.add", number="K1", name="Ann", email="ann@example.com")
    desk.order("1001", email="ann@example.com")
    desk.do("orders.pay", "1001", amount="75.00", method="card")
    desk.do("orders.fulfil", "1001")
    desk.do("returns.request", order="1001", lines={"MUG": 1}, reason="damaged")
    desk.do("orders.refund", "1001", amount="5.00", reason="late")
    desk.do("credits.grant", customer="K1", amount="3.00", reason="sorry")
    desk.do("customers.log", "K1", kind="mail", summary="apologised")
    # When
    found = desk.office.ask("customers.timeline", "K1")
    # Then
    assert [(item.what, item.number, item.amount) for item in found] == [
        ("mail", "", None), ("credit", "", 300), ("refund", "1001", -500), ("return", "1001-R1", 0),
        ("order", "1001", 8000),
    ]  # fmt: skip
    assert [item.what for item in desk.office.ask("customers.timeline", "K1", limit=2)] == ["mail", "credit"]


def test_totals_are_by_currency_and_leave_out_what_was_cancelled(desk: Desk) -> None:
    desk.do("customers.add", number="K1")
    for number, currency, day in (("1", "USD", "01"), ("2", "USD", "02"), ("3", "EUR", "03"), ("4", "USD", "04")):
        desk.order(number, currency=currency, customer="K1", placed_at=f"2026-10-{day}T12:00:00Z")
    desk.do("orders.pay", "1", amount="80.00", method="card")
    refund = desk.do("orders.refund", "1", amount="10.00", reason="late").returned
    desk.do("refunds.execute", refund)
    desk.do("orders.cancel", "4", reason="double")

    euro, dollar = desk.office.ask("customers.totals", "K1")

    assert (dollar.orders, dollar.ordered, dollar.paid, dollar.refunded, dollar.average, dollar.cancelled) == (
        2, 16_000, 8_000, 1_000, 8_000, 1,
    )  # fmt: skip
    assert (dollar.first_order.day, dollar.last_order.day, euro.orders) == (1, 2, 1)


def test_likely_pairs_are_found_by_phone_mailbox_and_name_with_address(scene: Scene) -> None:
    people: tuple[tuple[str, dict[str, str]], ...] = (
        ("A", {"name": "Li Lei", "phone": "13800138000", "email": "li@yy.com"}),
        ("B", {"name": "Someone", "email": "LI+shop@yy.com"}),
        ("C", {"name": "Wang Fang", "city": "上海", "address": "Nanjing Road 12"}),
        ("D", {"name": "Fang Wang", "city": "上海", "address": "Nanjing Road 12 "}),
        ("E", {"name": "Wang Fang", "city": "上海", "address": "Huaihai Road 900"}),
        ("F", {"name": "Other"}),
    )
    for code, fields in people:
        scene.do("customers.add", None, number=code, **fields)
    scene.do("contacts.add", None, customer="F", kind="phone", value="138 0013 8000")
    number = {item.id: item.number for item in scene.office.reader().records(Customer)}

    found = scene.office.ask("customers.duplicates")

    assert [(number[item.customer], number[item.other], item.points, item.common) for item in found] == [
        ("A", "F", 100, "phone"), ("A", "B", 80, "email"), ("C", "D", 60, "name"),
    ]  # fmt: skip
    assert [item.points for item in scene.office.ask("customers.duplicates", least=80)] == [100, 80]
    assert [(number[item.customer], item.common) for item in scene.office.ask("customers.alike", "F")] == [
        ("A", "phone")
    ]
    assert [number[item.customer] for item in scene.office.ask("customers.alike", "D")] == ["C"]


def test_who_was_merged_is_no_duplicate_any_more(scene: Scene) -> None:
    scene.do("customers.add", None, number="A", phone="13800138000")
    scene.do("customers.add", None, number="B", phone="13800138000")

    scene.do("customers.merge", "B", into="A")

    assert scene.office.ask("customers.duplicates") == []
    assert scene.office.ask("customers.alike", "A") == []


def test_a_number_that_many_share_says_nothing() -> None:
    switchboard = [person(str(n), f"p{n}", "", (), [("phone", "+862155512345")]) for n in range(21)]

    assert pairs(switchboard) == []
    assert len(pairs(switchboard[:3])) == 3


def test_fifths_are_even_and_alike_for_alike_buyers() -> None:
    start, dice = datetime(2026, 1, 1, tzinfo=UTC), random.Random(3)
    buyers = [Buyer(f"c{n:03}", start + timedelta(days=n), 1 + n % 7, n * 100) for n in range(100)]
    dice.shuffle(buyers)

    found = {item.customer: item for item in scores(buyers)}

    assert [sum(item.recency == fifth for item in found.values()) for fifth in (1, 2, 3, 4, 5)] == [20] * 5
    assert (found["c099"].recency, found["c000"].recency, found["c099"].monetary) == (5, 1, 5)
    assert len({item.frequency for item in found.values() if item.orders == 3}) == 1
    assert scores([]) == []


@pytest.mark.parametrize(
    ("recency", "frequency", "orders", "segment"),
    [(5, 5, 9, "champions"), (4, 1, 1, "new"), (4, 3, 2, "promising"), (3, 5, 9, "loyal"), (3, 1, 1, "needs_attention"),
     (1, 5, 9, "at_risk"), (2, 1, 1, "hibernating")],
)  # fmt: skip
def test_segments_by_how_recently_and_how_often(recency: int, frequency: int, orders: int, segment: str) -> None:
    assert segment_of(recency, frequency, orders) == segment


def test_segments_count_every_buyer_once(desk: Desk) -> None:
    for n in range(5):
        desk.order(str(n), email=f"c{n % 3}@example.com", placed_at=f"2026-10-0{n + 1}T12:00:00Z")

    found = desk.office.ask("customers.segments")
    scored = desk.office.ask("customers.rfm")

    assert (sum(item.customers for item in found), sum(item.orders for item in found)) == (3, 5)
    assert sum(item.ordered for item in found) == sum(item.ordered for item in scored) == 40_000
    assert {item.segment for item in scored} == {item.segment for item in found}


def test_personal_data_is_told_whole_and_erased_where_it_stands(scene: Scene) -> None:
    # Given
    won = scene.bring_to("won", email="li@yy.com", note="third floor")
    customer = str(scene.lead(won).customer)
    scene.do("addresses.add", None, customer=customer, name="李雷", address="1 Bund")
    scene.do("contacts.add", None, customer=customer, kind="wechat", value="lilei")
    scene.do("customers.log", customer, summary="his wife is Han Meimei")
    told = scene.office.ask("customers.export_personal", customer)
    assert {item.noun for item in told} >= {"customers", "addresses", "contacts", "communications", "orders", "leads"}
    assert "李雷" in str(told)
    # When
    scene.do("customers.erase", customer)
    # Then
    read = scene.office.reader()
    kept = read.get(Customer, customer)
    assert (kept.name, kept.phone, kept.email, kept.email_key, kept.consent) == ("", None, None, None, False)
    assert (kept.erased_at, read.records(Address), read.records(ContactPoint)) == (scene.now, [], [])
    assert [item.summary for item in read.records(Communication)] == [""]
    (order,) = read.records(Order)
    assert (order.name, order.phone, order.email, order.total) == ("", None, None, 1_000_000)
    lead = read.get(Lead, won)
    assert (lead.name, lead.phone, lead.phone_key, lead.note, lead.state) == ("", None, None, "", "won")
    assert not any(item.note for item in read.records(FollowUp))
    told_after = str(scene.office.ask("customers.export_personal", customer))
    assert not any(word in told_after for word in ("李雷", "13800138000", "li@yy.com", "Bund", "Meimei", "third floor"))
    assert scene.refused("customers.edit", customer, name="李雷") == "erased"


def test_a_store_may_not_merge_or_erase(scene: Scene) -> None:
    scene.do("customers.add", None, number="A", store="S1")
    scene.do("customers.add", None, number="B", store="S1")
    scene.do("operators.edit", "stan", store="S1")

    assert scene.refused("customers.merge", "A", by="stan", into="B") == "not_allowed"
    assert scene.refused("customers.erase", "A", by="stan") == "not_allowed"
