"""Customers who are one person: merged with all that is theirs, and given back by an undo."""

from __future__ import annotations

import shutil
from contextlib import suppress
from itertools import permutations
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bo.core.customers.records import Address, Communication, ContactPoint, Customer
from bo.core.hub.merging import MergedBefore, SameCustomer
from bo.core.kernel.record import Record
from bo.core.leads.records import Lead
from bo.core.orders.records import Order
from bo.core.returns.records import Credit
from tests.core.leads.scene import Scene
from tests.core.orders.desk import Desk

EACH: tuple[type[Record], ...] = (Customer, Address, ContactPoint, Communication, Lead, Order, Credit)


def contents(scene: Scene) -> dict[str, dict[str, object]]:
    """Every row, apart from how often and when it was written."""
    read = scene.office.reader()
    found: dict[str, dict[str, object]] = {}
    for cls in EACH:
        for item in read.records(cls):
            values = {name: getattr(item, name) for name in item.__struct_fields__}
            found[item.id] = {name: value for name, value in values.items() if name not in ("revision", "updated_at")}
    return found


def people(scene: Scene) -> None:
    """Three customers, each with an order, an address, a contact and a talk."""
    for place, number in enumerate("ABC", 1):
        scene.do(
            "customers.add", None, number=number, name="Li Lei", phone=f"1380013800{place}",
            email=f"li{place}@example.com", city="上海", address=f"Nanjing Road {place}", tags=f"from {number}",
        )  # fmt: skip
        scene.do("orders.record", None, number=f"10{place}", channel="web", customer=number, total="10.00")
        scene.do("addresses.add", None, customer=number, label="office", city="上海", address=f"Bund {place}")
        scene.do("contacts.add", None, customer=number, kind="wechat", value=f"lilei{place}", preferred="yes")
        scene.do("customers.log", number, summary=f"asked about {number}")


def owners(scene: Scene) -> dict[str, set[str]]:
    """Which customers have children of which sort."""
    read = scene.office.reader()
    return {
        cls.__name__: {str(getattr(item, "customer", "")) for item in read.records(cls)}
        for cls in EACH
        if cls is not Customer
    }


def kept_of(scene: Scene, number: str) -> Customer:
    return scene.office.reader().get(Customer, number)


def test_everything_of_one_customer_becomes_the_other_s(scene: Scene) -> None:
    people(scene)
    won = scene.bring_to("won", phone="13800138002")
    a, b, c = (kept_of(scene, number) for number in "ABC")

    scene.do("customers.merge", "B", into="A")

    read = scene.office.reader()
    kept, gone = kept_of(scene, "A"), kept_of(scene, "B")
    assert (gone.merged_into, gone.number, kept.merged_into) == (a.id, "B", None)
    assert kept.tags == ("from A", "from B")
    assert {order.number for order in read.records(Order, f"customer:{a.id}")} == {"101", "102", "SO-1"}
    assert scene.lead(won).customer == a.id
    found = [item.summary for item in read.records(Communication, f"customer:{a.id}")]
    assert sorted(found) == ["asked about A", "asked about B"]
    assert sorted(item.address for item in read.records(Address, f"customer:{a.id}")) == [
        "Bund 1", "Bund 2", "Nanjing Road 2",
    ]  # fmt: skip
    contacts = read.records(ContactPoint, f"customer:{a.id}")
    assert sorted((item.kind, item.value, item.preferred) for item in contacts) == [
        ("email", "li2@example.com", False), ("phone", "+8613800138002", False),
        ("wechat", "lilei1", True), ("wechat", "lilei2", False),
    ]  # fmt: skip
    assert b.id not in set().union(*owners(scene).values())
    assert c.id in owners(scene)["Order"]


def test_who_was_merged_is_found_by_their_old_number_phone_and_mailbox(scene: Scene) -> None:
    people(scene)
    scene.do("customers.merge", "B", into="A")
    kept = kept_of(scene, "A").id

    scene.do("orders.record", None, number="201", channel="web", customer="B")
    scene.do("orders.record", None, number="202", channel="web", phone="138 0013 8002")
    scene.do("orders.record", None, number="203", channel="web", email="LI2+shop@example.com")
    scene.do("customers.log", "B", summary="called")

    read = scene.office.reader()
    assert [read.get(Order, number).customer for number in ("201", "202", "203")] == [kept] * 3
    assert {item.customer for item in read.records(Communication, "called")} == {kept}
    assert [item.number for item in scene.office.ask("customers.timeline", "B") if item.what == "order"] == [
        item.number for item in scene.office.ask("customers.timeline", "A") if item.what == "order"
    ]


@pytest.mark.parametrize(
    ("gone", "into", "code"), [("A", "A", "same_customer"), ("B", "C", "merged_before"), ("A", "B", "same_customer")]
)
def test_nobody_is_merged_with_themselves_or_twice(scene: Scene, gone: str, into: str, code: str) -> None:
    people(scene)
    scene.do("customers.merge", "B", into="A")

    assert scene.refused("customers.merge", gone, into=into) == code


def test_who_refused_as_one_of_both_is_not_contacted(scene: Scene) -> None:
    scene.do("customers.add", None, number="A", note="pays late")
    scene.do("customers.add", None, number="B", consent="no", email="b@example.com", note="likes blue")

    scene.do("customers.merge", "B", into="A")

    kept = kept_of(scene, "A")
    assert (kept.consent, kept.email, kept.note) == (False, "b@example.com", "pays late\nlikes blue")


def test_credit_counts_for_who_is_kept_and_goes_back_with_an_undo(desk: Desk) -> None:
    for number in "AB":
        desk.do("customers.add", number=number)
    desk.do("credits.grant", customer="A", amount="10.00", currency="USD", reason="sorry")
    desk.do("credits.grant", customer="B", amount="30.00", currency="USD", reason="sorry")
    desk.do("credits.grant", customer="B", amount="5.00", currency="EUR", reason="sorry")
    merged = desk.do("customers.merge", "B", into="A")
    order = desk.order()

    desk.do("credits.spend", customer="B", order=order, amount="25.00")

    told = desk.office.ask("credits.balance", "A")
    assert [(item.currency, item.balance) for item in told] == [("EUR", 500), ("USD", 1500)]
    assert desk.get(Order, order).captured == 2500
    desk.office.undo(merged.operation)
    assert [(item.currency, item.balance) for item in desk.office.ask("credits.balance", "A")] == [("USD", 0)]
    assert [(item.currency, item.balance) for item in desk.office.ask("credits.balance", "B")] == [
        ("EUR", 500), ("USD", 1500),
    ]  # fmt: skip


def test_a_chain_of_merges_ends_alike_in_every_order(brand: Path) -> None:
    ends = []
    for order in permutations([("A", "B"), ("B", "C")]):
        with TemporaryDirectory() as folder:
            scene = Scene(Path(shutil.copytree(brand, Path(folder) / "office")))
            people(scene)
            for gone, into in order:
                scene.do("customers.merge", gone, into=into)
            kept = kept_of(scene, "C").id
            assert {kept_of(scene, number).merged_into for number in "AB"} == {kept}
            assert set().union(*owners(scene).values()) == {kept}
            read = scene.office.reader()
            ends.append(
                sorted([item.address for item in read.records(Address)])
                + sorted([item.value for item in read.records(ContactPoint)])
            )
            scene.office.close()
    assert ends[0] == ends[1]


@given(merges=st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from("ABC")), min_size=1, max_size=3))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_undoing_merges_gives_everything_back(brand: Path, merges: list[tuple[str, str]]) -> None:
    with TemporaryDirectory() as folder:
        scene = Scene(Path(shutil.copytree(brand, Path(folder) / "office")))
        people(scene)
        before, done = contents(scene), []
        for gone, into in merges:
            with suppress(SameCustomer, MergedBefore):
                done.append(scene.do("customers.merge", gone, into=into).operation)
        for operation in reversed(done):
            scene.office.undo(operation)
        assert contents(scene) == before
        scene.office.close()
