"""Columns of a list: chosen, put in order, kept with a view, and the same on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from bo.core.office import context_for, create, open_office
from bo.tui.office import OfficeDesk, OfficeLibrary
from bo.tui.shown import said
from bo.tui.words import state_words
from tests.tui.stage import LARGE, Stage, Story, perform


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = create(tmp_path / "office", context_for("CN"), operator="ann")
    for number in range(3):
        made.do("leads.report", name=f"Lead {number}", phone=f"1380013800{number}", city="上海" if number else "北京")
    made.close()
    return tmp_path / "office"


def play(folder: Path, story: Story) -> None:
    perform(
        lambda: OfficeLibrary(open_office(folder)), lambda: OfficeDesk(open_office(folder), "Office"), story, size=LARGE
    )


def shown(stage: Stage) -> list[str]:
    return [column.key for column in stage.app.table.columns]


def test_columns_are_taken_out_and_moved_and_the_place_is_kept(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        usual = shown(stage)
        await stage.press("j")
        here = stage.current().id
        await stage.press("C")
        await stage.until_said("takes in or out")
        await stage.press("J", "k", "x", "enter")
        await stage.until(lambda: shown(stage) != usual)

        assert shown(stage) == ["state", usual[1], *usual[3:]]
        assert stage.current().id == here
        assert stage.current().state == "pending_review"
        await stage.press("C")
        await stage.until_said("takes in or out")
        await stage.press("0")
        await stage.until(lambda: shown(stage) == usual)

    play(folder, story)


def test_a_list_without_columns_is_not_taken(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        usual = shown(stage)
        await stage.press("C")
        await stage.until_said("takes in or out")
        await stage.press(*["x"] * (len(usual) - 1), "enter")
        await stage.until_said("At least one column")
        await stage.press("escape")
        await stage.settled()
        assert shown(stage) == usual

    play(folder, story)


def test_a_saved_view_brings_its_columns_and_others_keep_theirs(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        usual = shown(stage)
        await stage.press(":", *"columns", "space", *"city,name", "enter")
        await stage.until(lambda: shown(stage) == ["state", "city", "name"])
        await stage.press("/", *"city:上海", "enter")
        await stage.until(lambda: stage.app.table.count == 2)
        assert shown(stage) == ["state", "city", "name"]
        await stage.press(":", *"save-view", "space", *"Shanghai", "space", "7", "enter")
        await stage.until_said("View Shanghai saved")
        await stage.press("C")
        await stage.until_said("takes in or out")
        await stage.press("0")
        await stage.until(lambda: shown(stage) == usual)
        await stage.press("7")
        await stage.until(lambda: shown(stage) == ["state", "city", "name"])
        await stage.press("1")
        await stage.until(lambda: shown(stage) == usual)

    play(folder, story)
    kept = open_office(folder)
    (view,) = kept.ask("views.mine", None, of="leads")
    assert (view.name, view.columns) == ("Shanghai", "city,name")
    kept.close()


def test_the_head_says_in_words_what_the_rows_are_sorted_by(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("1")
        await stage.until_said("by Due ▴")
        await stage.press(":", *"sort", "space", *"-name", "enter")
        await stage.until_said("by Name ▾")
        await stage.press(":", *"columns", "space", *"city", "enter")
        await stage.until(lambda: shown(stage) == ["state", "city"])
        assert "by Name ▾" in stage.text()

    play(folder, story)


def test_what_commands_write_is_in_words_and_what_people_write_stays() -> None:
    assert said("leads", "due_kind", "first_contact") == "the first contact"
    assert said("payments", "method", "imported") == "as imported"
    assert said("payments", "method", "Visa ••42") == "Visa ••42"
    assert said("leads", "name", "review") == "review"
    assert state_words({"visit_booked", "accepted"}) == "accepted, visit booked"
