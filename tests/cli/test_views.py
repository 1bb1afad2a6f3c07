"""A saved view on the command line: its filter, its order, its columns."""

from __future__ import annotations

import pytest

from tests.cli.running import Desk


@pytest.fixture
def leads(desk: Desk) -> Desk:
    for number, city in enumerate(("Oslo", "Lyon", "Oslo")):
        desk.well("leads", "report", "--name", f"Lead {number}", "--phone", f"1380013800{number}", "--city", city)
    desk.well("views", "save", "--of", "leads", "--name", "In Oslo", "--filter", "city:Oslo", "--sort", "-name",
              "--columns", "name,city")  # fmt: skip
    return desk


def test_a_view_of_mine_brings_its_filter_order_and_columns(leads: Desk) -> None:
    assert leads.well("leads", "list", "--view", "In Oslo", "-o", "csv").lines() == [
        "name,city", "Lead 2,Oslo", "Lead 0,Oslo",
    ]  # fmt: skip


def test_what_is_said_beside_a_view_counts(leads: Desk) -> None:
    ran = leads.well("leads", "list", "--view", "In Oslo", "sort:name", "--fields", "name", "-o", "csv")
    assert ran.lines() == ["name", "Lead 0", "Lead 2"]
    ran = leads.well("leads", "list", "--view", "In Oslo", "name~2", "-o", "csv")
    assert ran.lines() == ["name,city", "Lead 2,Oslo"]


@pytest.mark.parametrize("name", ["to-review", "to_review", "To review"])
def test_a_view_that_comes_with_the_office_goes_by_its_name(leads: Desk, name: str) -> None:
    assert len(leads.well("leads", "list", "--view", name, "-o", "ids").lines()) == 3


def test_a_view_that_is_not_there_is_refused_with_those_that_are(leads: Desk) -> None:
    ran = leads.bo("leads", "list", "--view", "Nowhere", "-o", "json")
    assert ran.out == ""
    assert ran.error()["code"] == "not_found"
    assert "In Oslo, to-review" in str(ran.error()["hint"])
