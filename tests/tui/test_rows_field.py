"""Rows in a form: an entry by hand with its legs, typed by keys into cells, refused in words, and posted."""

from __future__ import annotations

from pathlib import Path

import pytest

from bo.core.ledger.records import Entry, Posting
from bo.core.office import context_for, create, open_office
from bo.tui.office import OfficeDesk, OfficeLibrary
from bo.tui.source import ScreenOptions
from tests.tui.stage import LARGE, SMALL, Stage, Story, perform

FIRST_LEG = (*"fees", "enter", *"5", "enter", "enter")
SECOND_LEG = (*"bank m", "enter", *"-5", "enter", "enter")  # as far as it takes to tell it from others
LEFT_ROWS = ("enter",)  # on a row where nothing stands


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    create(tmp_path / "office", context_for("CN"), operator="ann").close()
    return tmp_path / "office"


def play(folder: Path, story: Story, size: tuple[int, int] = LARGE) -> None:
    perform(
        lambda: OfficeLibrary(open_office(folder)), lambda: OfficeDesk(open_office(folder), "Office"), story,
        size=size, options=ScreenOptions(noun="entries"),
    )  # fmt: skip


def posted(folder: Path) -> list[tuple[str, list[tuple[str, int, str, str]]]]:
    """The text of every entry with its legs: account, amount, party, currency."""
    with open_office(folder) as office:
        read = office.reader()
        return [
            (
                entry.text,
                sorted(
                    (leg.account, leg.amount, leg.party, leg.currency)
                    for leg in read.records(Posting, f"entry:{entry.id}")
                ),
            )
            for entry in read.records(Entry, "")
        ]


async def open_form(stage: Stage) -> None:
    await stage.press("c")
    await stage.until_said("Legs of the entry")
    await stage.type("Bank charge")
    await stage.press("enter")


async def give_reason(stage: Stage) -> None:
    await stage.type("as told by the bank")
    await stage.press("ctrl+s")


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_an_entry_is_posted_from_rows_of_debit_and_credit(folder: Path, size: tuple[int, int]) -> None:
    async def story(stage: Stage) -> None:
        await open_form(stage)
        await stage.press(*FIRST_LEG, *SECOND_LEG)
        assert "bank money" in stage.text()  # a choice by its label
        await stage.press(*LEFT_ROWS)
        await give_reason(stage)
        await stage.until_said("entry recorded")

    play(folder, story, size)
    legs = [("fees", 500, "", "CNY"), ("suspense", -500, "", "CNY")]
    assert posted(folder) == [("Bank charge (as told by the bank)", legs)]


def test_a_leg_may_name_a_party_and_another_currency(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        await open_form(stage)
        await stage.press(*"fees", "enter", *"5.50", "enter", *"MAIN", "enter", *"usd", "enter")
        await stage.press(*"suspense", "right", *"-5.50", "right", "right", *"USD", "tab")
        await give_reason(stage)
        await stage.until_said("entry recorded")

    play(folder, story)
    ((_text, legs),) = posted(folder)
    assert legs == [("fees", 550, "MAIN", "USD"), ("suspense", -550, "", "USD")]


def test_what_does_not_balance_is_told_and_can_be_mended_where_it_stands(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        await open_form(stage)
        await stage.press(*FIRST_LEG, *SECOND_LEG, "up", "right", *"4", "tab")
        await give_reason(stage)
        await stage.until_said("9.00 CNY")
        assert posted(folder) == []
        assert "Bank charge" in stage.text()
        await stage.press("shift+tab", *"-5", "ctrl+s")
        await stage.until_said("entry recorded")

    play(folder, story)
    ((_text, legs),) = posted(folder)
    assert legs == [("fees", 500, "", "CNY"), ("suspense", -500, "", "CNY")]


def test_a_row_left_out_and_a_cell_cleared_are_not_sent(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        await open_form(stage)
        await stage.press(*FIRST_LEG, *SECOND_LEG, *"rounding", "right", *"9", "space")
        await stage.press("up", "right", *"x", "delete", "tab")
        await give_reason(stage)
        await stage.until_said("entry recorded")

    play(folder, story)
    ((_text, legs),) = posted(folder)
    assert legs == [("fees", 500, "", "CNY"), ("suspense", -500, "", "CNY")]


def test_an_account_that_is_not_there_is_refused_by_its_name(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        await open_form(stage)
        await stage.press(*"nonsense", "enter", *"5", "tab")
        await give_reason(stage)
        await stage.until_said("nonsense")
        await stage.press("escape", "escape")

    play(folder, story)
    assert posted(folder) == []
