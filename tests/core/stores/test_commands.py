"""Stores and territories: added, changed, paused, closed, and refused where they cannot be."""

from __future__ import annotations

from datetime import date

import pytest

from bo.core.stores.records import Store, Territory
from tests.core.leads.scene import Scene


def store(scene: Scene, code: str = "S1") -> Store:
    return scene.office.reader().get(Store, code)


def test_a_store_is_added_as_people_write_it(scene: Scene) -> None:
    scene.do(
        "stores.add",
        None,
        code="S9",
        name="西湖店",
        phone="0571 8888 6666",
        categories="kitchen，bath",
        contract_until="2027-01-31",
    )

    made = store(scene, "S9")
    assert (made.state, made.phone, made.categories) == ("open", "+8657188886666", ("bath", "kitchen"))
    assert (made.contract_until, made.opens, made.closes) == (date(2027, 1, 31), "09:00", "18:00")


def test_a_code_is_given_once(scene: Scene) -> None:
    assert scene.refused("stores.add", None, code="S1") == "refused"


@pytest.mark.parametrize(
    "wrong",
    [
        {"opens": "18:00"},
        {"opens": "9"},
        {"closes": "25:00"},
        {"closed_days": "2026-02-30"},
        {"open_days": "Saturday"},
    ],
)
def test_hours_and_days_that_cannot_be_are_refused(scene: Scene, wrong: dict[str, object]) -> None:
    assert scene.refused("stores.edit", "S1", **wrong) == "wrong_hours"
    assert (store(scene).opens, store(scene).closes) == ("09:00", "18:00")


def test_an_unknown_zone_is_refused(scene: Scene) -> None:
    assert scene.refused("stores.edit", "S1", zone="Mars/Olympus") == "wrong_hours"


def test_a_store_may_be_open_until_midnight(scene: Scene) -> None:
    scene.do("stores.edit", "S1", closes="00:00")

    assert store(scene).closes == "00:00"


def test_a_store_is_paused_resumed_and_closed_for_good(scene: Scene) -> None:
    assert scene.refused("stores.resume", "S1") == "wrong_state"
    scene.do("stores.pause", "S1", reason="Rebuilding")
    assert store(scene).state == "paused"
    assert scene.refused("stores.pause", "S1") == "wrong_state"
    scene.do("stores.resume", "S1")
    assert store(scene).state == "open"

    scene.do("stores.close", "S1")

    assert store(scene).state == "closed"
    assert scene.refused("stores.resume", "S1") == "wrong_state"


def test_a_store_does_not_close_itself(scene: Scene) -> None:
    assert scene.refused("stores.close", "S1", by="stan") == "not_allowed"


def test_territories_are_added_changed_and_removed(scene: Scene) -> None:
    assert scene.refused("territories.add", None, code="T1", store="S8", city="上海") == "not_found"
    scene.do("territories.add", None, code="T1", store="S1", city="上海")
    scene.do("territories.add", None, code="T2", store="S2", city="上海", district="静安")

    found = scene.office.ask("stores.serving", city="上海市", district="静安区")
    assert [(item.code, item.territory) for item in found] == [("S2", "T2"), ("S1", "T1")]

    scene.do("territories.edit", "T2", district="")
    scene.do("territories.remove", "T1")
    assert [(item.code, item.district) for item in scene.office.reader().records(Territory)] == [("T2", "")]
