"""Cells with several telephone numbers are taken apart before a report is made of them."""

from __future__ import annotations

import pytest

from bo.core.leads.contacts import split_phone_cells


@pytest.mark.parametrize(
    ("given", "phone", "phone2"),
    [
        ({"phone": "13800138000/13900139000"}, "+8613800138000", "+8613900139000"),
        ({"phone": "13800138000、13800138000"}, "+8613800138000", ""),
        ({"phone": "13800138000 或 13900139000", "phone2": "13900139000"}, "+8613800138000", "+8613900139000"),
        ({"phone": "", "phone2": "13800138000;13900139000"}, "+8613800138000", "+8613900139000"),
    ],
)
def test_two_numbers_fill_both_fields(given: dict[str, object], phone: str, phone2: str) -> None:
    made = split_phone_cells({"name": "李雷", **given}, "CN")

    assert made == {"name": "李雷", "phone": phone, "phone2": phone2}


def test_a_third_number_is_kept_beside_the_other_facts() -> None:
    made = split_phone_cells({"phone": "13800138000,13900139000,13700137000", "extra": {"floor": 3}}, "CN")

    assert made["extra"] == {"floor": 3, "more_phones": "+8613700137000"}


@pytest.mark.parametrize("cell", ["13800138000", "+8613800138000", "", None, 13800138000])
def test_one_number_is_left_as_it_is(cell: object) -> None:
    given = {"phone": cell, "name": "李雷"}

    assert split_phone_cells(given, "CN") is given


def test_what_is_no_number_is_left_for_reading_to_refuse() -> None:
    given = {"phone": "call me after six please"}

    assert split_phone_cells(given, "CN") is given
