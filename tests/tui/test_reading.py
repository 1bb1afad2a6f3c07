"""The whole record over the rows: reading it, deciding on it there, and the way back."""

from __future__ import annotations

from pathlib import Path

import pytest

from bo.core.kernel.dispatch import Call
from bo.core.office import context_for, create, open_office
from bo.tui.office import OfficeDesk, OfficeLibrary
from tests.tui.stage import LARGE, SMALL, Stage, perform, play


async def _at_review(stage: Stage) -> None:
    await stage.type("/state:pending_review")
    await stage.press("enter")
    await stage.until(lambda: stage.app.browser.filter_text == "state:pending_review")


async def _shown(stage: Stage, name: str) -> None:
    await stage.until(lambda: stage.app.preview.text.startswith(f" {name}"), name)


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_the_whole_record_and_its_history_open_over_the_rows(office: Path, size: tuple[int, int]) -> None:
    async def story(stage: Stage) -> None:
        await _at_review(stage)
        await stage.press("d")
        await stage.until_said("accepted, u undoes")
        await stage.press("k")
        here = stage.current()
        await stage.press("enter")
        await _shown(stage, here.cells[1])
        await stage.until_said("leads.accept: pending_review -> valid")
        assert stage.app.preview.region.width == size[0]
        await stage.press("enter")
        await stage.until(lambda: here.cells[1] in stage.table_lines()[1 + stage.app.table.cursor])
        assert stage.current().id == here.id

    play(office, story, size=size)


def test_what_is_decided_there_goes_on_to_the_next_record(office: Path) -> None:
    async def story(stage: Stage) -> None:
        await _at_review(stage)
        first, second = stage.row(0), stage.row(1)
        await stage.press("enter")
        await _shown(stage, first.cells[1])
        await stage.press("d")
        await stage.until_said("accepted, u undoes")
        await _shown(stage, second.cells[1])
        assert stage.app.reading.is_open
        await stage.press("u")
        await stage.until(lambda: stage.row(0).state == "pending_review")
        assert stage.app.reading.is_open

    play(office, story)


def test_left_and_right_change_the_record_and_the_other_moves_scroll(office: Path) -> None:
    async def story(stage: Stage) -> None:
        await _at_review(stage)
        await stage.press("enter")
        await _shown(stage, stage.row(0).cells[1])
        await stage.press("right", "l")
        await _shown(stage, stage.row(2).cells[1])
        await stage.press("left")
        await _shown(stage, stage.row(1).cells[1])
        assert stage.app.table.cursor == 1
        pane = stage.app.preview
        pane.put([((f"line {number}", "text"),) for number in range(100)])
        await stage.press("j", "j", "down", "k")
        assert (pane.offset_lines, stage.app.table.cursor) == (2, 1)
        await stage.press("G")
        assert "line 99" in stage.text()
        await stage.press("g", "g")
        assert pane.offset_lines == 0
        await stage.press("pagedown", "ctrl+d", "ctrl+u", "pageup")
        assert (pane.offset_lines, stage.app.table.cursor) == (0, 1)

    play(office, story)


def test_another_record_is_read_from_its_first_line(office: Path) -> None:
    async def story(stage: Stage) -> None:
        await _at_review(stage)
        await stage.press("g", "h")
        await _shown(stage, stage.row(0).cells[1])
        stage.app.preview.offset_lines = 3
        await stage.press("right")
        await _shown(stage, stage.row(1).cells[1])
        assert stage.app.preview.offset_lines == 0

    play(office, story)


@pytest.mark.parametrize("key", ["q", "escape", "enter", "/", ":", "0"])
def test_what_leads_elsewhere_closes_it(office: Path, key: str) -> None:
    async def story(stage: Stage) -> None:
        await _at_review(stage)
        await stage.press("enter")
        await stage.until(lambda: stage.app.reading.is_open)
        await stage.press(key)
        assert not stage.app.reading.is_open
        assert stage.app.browser.wanted_filter == ("" if key == "0" else "state:pending_review")

    play(office, story)


@pytest.mark.parametrize("key", ["?", "m", "ctrl+p", "b"])
def test_what_opens_over_it_comes_back_to_it(office: Path, key: str) -> None:
    async def story(stage: Stage) -> None:
        await _at_review(stage)
        await stage.press("enter")
        await _shown(stage, stage.row(0).cells[1])
        await stage.press(key)
        await stage.until(lambda: len(stage.app.screen_stack) == 2)
        await stage.press("escape")
        await stage.until(lambda: len(stage.app.screen_stack) == 1)
        assert stage.app.reading.is_open

    play(office, story)


def test_what_an_import_kept_without_a_field_for_it_is_there_to_read(tmp_path: Path) -> None:
    folder = tmp_path / "office"
    workspace = create(folder, context_for("CN"), operator="ann")
    kept = {"Total Time Spent on Website": "1279", "How did you hear": "[red]Select\x1b[31m"}
    workspace.run([Call("leads.report", None, {"number": "L1", "name": "王伟", "extra": kept})], atomic=True)
    workspace.close()

    async def story(stage: Stage) -> None:
        await stage.press("enter")
        await stage.until_said("Kept from the file")
        assert "Total Time Spent on Website    1279" in stage.text()
        assert "How did you hear               [red]Select" in stage.text()

    perform(lambda: OfficeLibrary(open_office(folder)), lambda: OfficeDesk(open_office(folder), "Office"), story)
