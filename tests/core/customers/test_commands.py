"""Customers: added, changed, and found again."""

from __future__ import annotations

from bo.core.customers.records import Address, Communication, ContactPoint, Customer
from bo.core.orders.records import Order
from tests.core.leads.scene import Scene


def customer(scene: Scene, text: str) -> Customer:
    return scene.office.reader().get(Customer, text)


def test_a_customer_is_added_with_or_without_a_number(scene: Scene) -> None:
    scene.do("customers.add", None, number="C1", name="李雷", phone="13800138000", store="S1")
    unnumbered = scene.do("customers.add", None, name="韩梅梅").returned

    assert (customer(scene, "C1").phone, customer(scene, "C1").scope) == (
        "+8613800138000",
        f"store:{scene.id_of('stores', 'S1')}",
    )
    assert (customer(scene, unnumbered or "").number, customer(scene, unnumbered or "").scope) == (None, "hq")


def test_a_number_stands_for_one_customer(scene: Scene) -> None:
    scene.do("customers.add", None, number="C1")

    assert scene.refused("customers.add", None, number="C1", name="Another") == "refused"


def test_a_blank_field_is_cleared_and_the_others_stay(scene: Scene) -> None:
    scene.do("customers.add", None, number="C1", name="李雷", email="li@yy.com")

    scene.do("customers.edit", "C1", email="")

    assert (customer(scene, "C1").email, customer(scene, "C1").name) == (None, "李雷")


def test_two_customers_with_one_phone_are_shown_to_each_other(scene: Scene) -> None:
    scene.do("customers.add", None, number="C1", name="李雷", phone="13800138000")
    scene.do("customers.add", None, number="C2", name="李梅", phone="138 0013 8000")
    scene.do("customers.add", None, number="C3", name="王芳", phone="13900139000")

    found = scene.office.ask("customers.alike", "C1")

    assert [(item.customer, item.common) for item in found] == [(customer(scene, "C2").id, "phone")]


def test_a_sale_fills_in_what_was_not_known_and_overwrites_nothing(scene: Scene) -> None:
    scene.do("customers.add", None, number="C1", name="李先生", phone="13800138000")

    scene.bring_to("won", email="li@yy.com", city="上海")

    found = customer(scene, "C1")
    assert (found.name, found.email, found.city, found.store) == (
        "李先生",
        "li@yy.com",
        "上海",
        scene.id_of("stores", "S1"),
    )


def test_a_store_does_not_see_the_customers_of_another(scene: Scene) -> None:
    scene.do("customers.add", None, number="C1", store="S1")
    scene.do("operators.edit", "stan", store="S2")

    assert scene.refused("customers.edit", "C1", by="stan", note="mine?") == "not_found"


# -- how customers are reached -----------------------------------------------------------------------------------------


def test_several_people_of_a_firm_are_reached_and_found_by_any_of_their_numbers(scene: Scene) -> None:
    # Given
    scene.do("customers.add", None, number="K1", name="Acme", company="Acme Ltd.", phone="13800138000")
    scene.do("contacts.add", None, customer="K1", kind="phone", value="139 0013 9000", name="Ann")
    scene.do("contacts.add", None, customer="K1", kind="email", value="Bob+shop@Acme.com", name="Bob")
    # When
    by_phone = scene.do("orders.record", None, number="1", phone="13900139000").returned
    by_mail = scene.do("orders.record", None, number="2", email="bob@acme.com").returned
    # Then
    firm = customer(scene, "K1").id
    orders = scene.office.reader()
    assert [orders.get(Order, made or "").customer for made in (by_phone, by_mail)] == [firm, firm]
    assert scene.office.reader().count("customers") == 1


def test_a_contact_that_cannot_be_read_is_refused(scene: Scene) -> None:
    scene.do("customers.add", None, number="K1")

    assert scene.refused("contacts.add", None, customer="K1", kind="phone", value="12") == "bad_value"
    assert scene.refused("contacts.add", None, customer="K1", kind="email", value="nobody") == "bad_value"


def test_one_address_is_preferred_at_a_time(scene: Scene) -> None:
    scene.do("customers.add", None, number="K1")
    first = scene.do("addresses.add", None, customer="K1", label="home", address="1 Bund", preferred="yes").returned
    second = scene.do("addresses.add", None, customer="K1", label="office", address="2 Bund", preferred="yes").returned
    chosen = {item.label: item.preferred for item in scene.office.reader().records(Address)}

    scene.do("addresses.edit", first, preferred="yes")

    assert chosen == {"home": False, "office": True}
    assert {item.id: item.preferred for item in scene.office.reader().records(Address)} == {first: True, second: False}


def test_an_address_goes_to_who_has_that_mailbox_or_to_nobody(scene: Scene) -> None:
    scene.do("customers.add", None, number="K1", email="Li@yy.com")

    scene.do("addresses.add", None, email="li@yy.com", address="1 Bund")

    assert [item.customer for item in scene.office.reader().records(Address)] == [customer(scene, "K1").id]
    assert scene.refused("addresses.add", None, email="ann@yy.com", address="1 Bund") == "not_found"


def test_addresses_told_again_are_merged_and_none_is_taken_away(scene: Scene) -> None:
    told = [{"address": "1 Bund", "city": "Shanghai"}, {"address": "2 Bund", "city": "Shanghai", "preferred": True}]
    scene.do("customers.add", None, number="K1", addresses=told)

    scene.do("customers.edit", "K1", addresses=[{"address": "1 bund", "city": "Shanghai", "label": "home"}])

    found = sorted(scene.office.reader().records(Address), key=lambda item: item.position)
    assert [(item.address, item.label, item.preferred) for item in found] == [
        ("1 bund", "home", False), ("2 Bund", "", True),
    ]  # fmt: skip
    assert (customer(scene, "K1").address, customer(scene, "K1").city) == ("2 Bund", "Shanghai")


def test_what_was_spoken_is_written_down_with_what_it_was_about(scene: Scene) -> None:
    scene.do("customers.add", None, number="K1", store="S1")
    order = scene.do("orders.record", None, number="1", customer="K1").returned

    made = scene.do(
        "customers.log", "K1", kind="call", direction="in", summary="late?", order=order, next_at="2026-11-05 10:00"
    ).returned
    scene.do("communications.edit", made, outcome="sent tomorrow")

    found = scene.office.reader().get(Communication, made or "")
    assert (found.kind, found.direction, found.summary, found.outcome, found.order) == (
        "call", "in", "late?", "sent tomorrow", order,
    )  # fmt: skip
    assert (found.by, found.at, found.scope) == (
        scene.people["boss"], scene.now, f"store:{scene.id_of('stores', 'S1')}",
    )  # fmt: skip
    assert scene.refused("customers.log", "K1", summary="tomorrow", at="2026-11-03 12:00") == "refused"


def test_what_is_written_about_a_customer_goes_with_them_to_another_store(scene: Scene) -> None:
    scene.do("customers.add", None, number="K1", store="S1")
    scene.do("addresses.add", None, customer="K1", address="1 Bund")
    scene.do("contacts.add", None, customer="K1", kind="wechat", value="lilei")
    scene.do("customers.log", "K1", summary="hello")

    scene.do("customers.edit", "K1", store="S2")

    read, wanted = scene.office.reader(), f"store:{scene.id_of('stores', 'S2')}"
    found = [*read.records(Address), *read.records(ContactPoint), *read.records(Communication)]
    assert [item.scope for item in found] == [wanted] * 3


def test_tags_are_added_and_taken_away(scene: Scene) -> None:
    scene.do("customers.add", None, number="K1", tags="vip,old")

    scene.do("customers.tag", "K1", add="new", remove="old")

    assert customer(scene, "K1").tags == ("new", "vip")
