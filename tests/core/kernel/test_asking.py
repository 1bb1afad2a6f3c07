"""Queries: asked by name, with values as people write them, for who may read."""

from __future__ import annotations

import pytest

from bo.core.kernel.errors import BadValue, NotAllowed, NotFound, UsageError
from bo.core.kernel.workspace import Workspace
from tests.core.kernel.making import keeper
from tests.core.kernel.office.queries import Load
from tests.core.kernel.office.records import Shop
from tests.core.kernel.stock import stock


def test_a_query_gets_its_subject_and_its_values_read(office: Workspace) -> None:
    stock(office)
    office.do("tickets.open", number="T-8", phone="138 0013 8000")

    assert [item.number for item in office.ask("tickets.alike", "T-1")] == ["T-8"]
    assert office.ask("tickets.alike", "T-1", limit="0") == []
    assert office.ask("tickets.alike", "T-4") == []


def test_a_reference_of_a_query_is_handed_in_as_a_record(office: Workspace) -> None:
    stock(office)

    assert office.ask("shops.load", "west") == [Load("west", 2, 50_001)]
    assert office.ask("shops.load", "west", least="0.01", beside="east") == [
        Load("west", 1, 50_001),
        Load("east", 0, 0),
    ]


def test_a_query_is_refused_in_words(office: Workspace) -> None:
    stock(office)

    for kind, name, subject, values in (
        (UsageError, "shops.sum", "west", {}),
        (NotFound, "shops.load", "north", {}),
        (NotFound, "shops.load", None, {}),
        (NotFound, "shops.load", "west", {"beside": "north"}),
        (BadValue, "shops.load", "west", {"least": "much"}),
        (UsageError, "shops.load", "west", {"most": "1"}),
    ):
        with pytest.raises(kind):
            office.ask(name, subject, **values)


def test_a_query_is_for_who_may_read_and_finds_what_they_see(office: Workspace) -> None:
    stock(office)
    office.do("tickets.edit", "T-2", phone="13800138001")
    shop = office.reader().get(Shop, "west").id
    office.actor = keeper(shop)
    assert [item.number for item in office.ask("tickets.alike", "T-5")] == ["T-2"]
    with pytest.raises(NotFound):
        office.ask("tickets.alike", "T-1")

    office.actor = "guest"
    with pytest.raises(NotAllowed, match=r"guest may not shops\.read"):
        office.ask("shops.load", "west")
