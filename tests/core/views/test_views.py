"""Saved views: kept by name, opened by digit, and nobody else's business."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bo.core.kernel.dispatch import Call
from bo.core.kernel.errors import BadInput, NotAllowed
from bo.core.kernel.workspace import Workspace
from bo.core.office import context_for, create
from bo.core.views.queries import View
from bo.core.views.shipped import VIEWS, split_sort


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Workspace]:
    made = create(tmp_path / "office", context_for("CN"), operator="ann")
    made.run([Call("operators.add", None, {"login": "bea", "roles": ["reviewer"]})])
    yield made
    made.close()


def mine(office: Workspace) -> list[tuple[str, int, str]]:
    found: list[View] = office.ask("views.mine")
    return [(view.name, view.slot, view.filter) for view in found]


def as_bea(office: Workspace) -> None:
    office.actor = office.reader().get(office.registry.record("operators"), "bea").id


@pytest.mark.parametrize(("noun", "text"), [(noun, text) for noun, views in VIEWS.items() for text in views.values()])
def test_every_shipped_view_is_understood(office: Workspace, noun: str, text: str) -> None:
    assert office.reader().page(noun, text, limit=1).rows == []


def test_a_filter_and_its_order_are_told_apart() -> None:
    assert split_sort("state:valid sort:due_at city:Oslo") == ("state:valid city:Oslo", "due_at")
    assert split_sort("") == ("", "")


def test_a_view_of_the_same_name_is_replaced(office: Workspace) -> None:
    office.do("views.save", of="leads", name="Mine", filter="city:Oslo", slot=2)
    office.do("views.save", of="orders", name="Mine", filter="payment:paid")

    office.do("views.save", of="leads", name="Mine", filter="city:Lyon", slot=2)

    assert mine(office) == [("Mine", 2, "city:Lyon"), ("Mine", 0, "payment:paid")]


def test_a_digit_opens_one_view(office: Workspace) -> None:
    office.do("views.save", of="leads", name="First", slot=1)
    office.do("views.save", of="orders", name="Other", slot=1)

    office.do("views.save", of="leads", name="Second", slot=1)

    assert mine(office) == [("Second", 1, ""), ("First", 0, ""), ("Other", 1, "")]


def test_a_digit_that_there_is_not_is_refused(office: Workspace) -> None:
    with pytest.raises(BadInput, match="10 is no digit"):
        office.do("views.save", of="leads", name="Tenth", slot=10)

    assert mine(office) == []


def test_a_view_is_its_operators_own(office: Workspace) -> None:
    office.do("views.save", of="leads", name="Mine", filter="city:Oslo")
    (view,) = office.ask("views.mine")
    as_bea(office)

    assert mine(office) == []
    with pytest.raises(NotAllowed):
        office.do("views.remove", view.id)
    office.do("views.save", of="leads", name="Mine", filter="city:Lyon")
    assert mine(office) == [("Mine", 0, "city:Lyon")]


def test_a_view_can_be_let_go_and_taken_back(office: Workspace) -> None:
    office.do("views.save", of="leads", name="Mine", filter="city:Oslo")
    (view,) = office.ask("views.mine")

    removed = office.do("views.remove", view.id)
    assert mine(office) == []

    office.undo(removed.operation)
    assert mine(office) == [("Mine", 0, "city:Oslo")]
