"""The mouse does what a key does; every word of the `:` line does what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from bo.core.kernel.dispatch import Call
from bo.core.office import context_for, create, open_office
from bo.tui.office import OfficeDesk, OfficeLibrary
from bo.tui.source import ScreenOptions
from tests.tui.stage import LARGE, Stage, Story, perform


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = create(tmp_path / "office", context_for("CN"), operator="ann")
    made.run([Call("stores.add", None, {"code": "west", "name": "West"})])
    for number in range(4):
        made.do(
            "leads.report", number=f"L{number}", name=f"Lead {number}", phone=f"1380013800{number}", city="Oslo",
            note="\n".join(f"line {line}" for line in range(80)),
        )  # fmt: skip
    made.close()
    return tmp_path / "office"


def play(folder: Path, story: Story, *, size: tuple[int, int] = LARGE) -> None:
    perform(
        lambda: OfficeLibrary(open_office(folder)), lambda: OfficeDesk(open_office(folder), "Office"), story, size=size,
        options=ScreenOptions(environment={"BO_WORKSPACE": str(folder), "BO_OPERATOR": "ann"}),
    )  # fmt: skip


def states(folder: Path) -> dict[str, str]:
    office = open_office(folder)
    try:
        return {str(row[0]): str(row[1]) for row in office.reader().page("leads", "", fields=("number", "state")).rows}
    finally:
        office.close()


async def line(stage: Stage, text: str) -> None:
    await stage.press(":")
    await stage.type(text)
    await stage.press("enter")


def test_a_tab_is_opened_by_a_click(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        text = stage.app.tabs.text
        await stage.pilot.click(stage.app.tabs, offset=(text.index("Needs info") + 2, 0))
        await stage.until(lambda: stage.app.browser.filter_text == "state:needs_info")

    play(folder, story, size=(100, 30))


def test_the_rail_goes_to_places_and_views(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        listed = stage.app.rail.text.splitlines()
        await stage.pilot.click(
            stage.app.rail, offset=(8, next(y for y, text in enumerate(listed) if "Stores" in text))
        )
        await stage.until(lambda: stage.app.browser.noun == "stores")
        await stage.until(lambda: stage.app.table.count == 1)
        listed = stage.app.rail.text.splitlines()
        await stage.pilot.click(stage.app.rail, offset=(8, next(y for y, text in enumerate(listed) if "Leads" in text)))
        await stage.until(lambda: stage.app.browser.noun == "leads")

    play(folder, story)


def test_a_key_of_the_footer_does_what_it_says_and_a_row_clicked_twice_is_opened(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.settled()
        text = stage.app.foot.text
        await stage.pilot.click(stage.app.foot, offset=(text.index("mark"), 0))
        await stage.until(lambda: len(stage.app.table.marks) == 1)
        await stage.pilot.double_click(stage.app.table, offset=(20, 3))
        await stage.until(lambda: stage.app.reading.is_open)
        await stage.until(lambda: "Lead" in stage.app.preview.text)

    play(folder, story)


def test_the_wheel_scrolls_the_preview(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.settled()
        await stage.until(lambda: len(stage.app.preview.lines) > 15)
        from textual import events

        pane = stage.app.preview
        x, y = pane.region.x + 3, pane.region.y + 3
        stage.app.screen._forward_event(
            events.MouseScrollDown(pane, x, y, 0, 1, 0, False, False, False, screen_x=x, screen_y=y)
        )
        await stage.until(lambda: pane.offset_lines == 3)

    play(folder, story, size=(180, 14))


def test_words_of_the_line(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        await line(stage, "3")
        assert stage.app.table.cursor == 2
        await line(stage, "sort -name")
        await stage.until(lambda: stage.app.browser.sort == "-name")
        await line(stage, "orders state:draft")
        await stage.until(lambda: (stage.app.browser.noun, stage.app.browser.filter_text) == ("orders", "state:draft"))
        await line(stage, "leads city:Oslo")
        await stage.until(lambda: (stage.app.browser.noun, stage.app.browser.filter_text) == ("leads", "city:Oslo"))
        await line(stage, "theme light")
        await stage.until(lambda: stage.app.looks.name == "light")

    play(folder, story)


def test_a_command_takes_its_parameters_on_the_line(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("d")
        await stage.until_said("accepted, u undoes")
        await stage.press("k")
        await line(stage, "assign store:west")
        await stage.until_said("assigned, u undoes")

    play(folder, story)
    assert sorted(states(folder).values()) == ["assigned", "pending_review", "pending_review", "pending_review"]


def test_the_last_steps_are_taken_back_together_after_asking(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        for _step in range(3):
            await stage.press("d")
            await stage.until_said("accepted, u undoes")
            await stage.settled()
        assert sorted(states(folder).values()) == ["pending_review", "valid", "valid", "valid"]
        await line(stage, "undo two")
        await stage.until_said("a number, not two")
        await line(stage, "undo 2")
        await stage.until_said("Undo: 1 lead accepted, 1 lead accepted ?")
        await stage.pilot.pause(0.3)  # until it counts as read
        await stage.press("y")
        await stage.until_said("Undone")
        await stage.until(lambda: list(states(folder).values()).count("valid") == 1)

    play(folder, story)


def test_an_export_does_not_write_over_a_file_unasked(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "mine.csv"
    target.write_text("mine", "utf-8")

    async def story(stage: Stage) -> None:
        await line(stage, f"export {target}")
        await stage.until_said("is there already")
        await stage.press("escape")
        await stage.settled()
        assert not stage.app.jobs.all
        await line(stage, f"export {tmp_path / 'mine.what'}")
        await stage.until(lambda: bool(stage.app.jobs.all) and not stage.app.jobs.running)
        assert "does not say its format" in stage.app.jobs.all[0].told

    play(folder, story)
    assert target.read_text("utf-8") == "mine"
