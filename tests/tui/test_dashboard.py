"""The dashboard: what it shows, at each size and in plain letters, and that a pile leads to its rows."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from bo.core.office import context_for, create, open_office
from bo.tui.office import OfficeDesk, OfficeLibrary
from bo.tui.source import ScreenOptions
from tests.tui.stage import LARGE, SMALL, Stage, perform, play


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_a_pile_is_picked_by_its_place_and_leads_to_its_rows(office: Path, size: tuple[int, int]) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("g", "d")
        await stage.until_said("as of now")
        await stage.press("j")
        await stage.until(lambda: any(" > " in line and "To review" in line for line in stage.lines()))
        await stage.press("enter")
        await stage.until(lambda: stage.app.browser.filter_text == "state:pending_review")
        await stage.press("q")
        await stage.until(lambda: stage.app.browser.filter_text == "" and stage.app.table.count == 300)

    play(office, story, size=size)


def test_the_trend_is_drawn_by_day_week_or_month(office: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("g", "d")
        await stage.until_said("Sales by day")
        await stage.press("w")
        await stage.until_said("Sales by week")
        await stage.press("q")
        await stage.until(lambda: "Sales by week" not in stage.text())

    play(office, story)


def test_plain_letters_draw_it_too(office: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("g", "d")
        await stage.until_said("Sales by day")
        assert all(character.isascii() for line in stage.lines() for character in line.replace("…", ""))

    play(office, story, options=ScreenOptions(ascii=True), size=SMALL)


def test_it_counts_a_real_office_and_leaves_out_what_may_not_be_seen(tmp_path: Path) -> None:
    folder = tmp_path / "office"
    made = create(folder, context_for("CN"), operator="ann")
    made.do("leads.report", name="Ann", phone="13800138000")
    made.do("orders.record", number="1", total=1234500, captured=1234500)
    made.do("operators.add", login="dee", roles=["dispatcher"])
    made.close()

    async def whole(stage: Stage) -> None:
        await stage.press("g", "d")
        await stage.until_said("12,345.00")
        await stage.until_said("Leads: To review")
        await stage.until_said("reported leads")

    async def part(stage: Stage) -> None:
        await stage.press("g", "d")
        await stage.until_said("Leads: To review")
        assert "Sales" not in stage.text()
        assert "Orders" not in stage.text()

    for operator, story in (("ann", whole), ("dee", part)):
        library = partial(_library, folder, operator)
        perform(library, partial(_desk, folder, operator), story, size=LARGE)


def _library(folder: Path, operator: str) -> OfficeLibrary:
    return OfficeLibrary(open_office(folder, operator=operator))


def _desk(folder: Path, operator: str) -> OfficeDesk:
    return OfficeDesk(open_office(folder, operator=operator), "Office")
