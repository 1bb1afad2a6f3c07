"""Customers: added, changed, and found again."""

from __future__ import annotations

from bo.core.customers.records import Customer
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
