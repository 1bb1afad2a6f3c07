"""Jobs: commands in processes of their own, with their progress, their end, and a way to stop them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bo.core.office import context_for, create, open_office
from bo.tui.office import OfficeDesk, OfficeLibrary
from bo.tui.source import ScreenOptions
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
        lambda: OfficeLibrary(open_office(folder)),
        lambda: OfficeDesk(open_office(folder), "Office"),
        story, size=LARGE, options=ScreenOptions(environment={"BO_WORKSPACE": str(folder), "BO_OPERATOR": "ann"}),
    )  # fmt: skip


def test_an_export_writes_what_the_filter_shows(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "leads.csv"

    async def story(stage: Stage) -> None:
        await stage.press("/", *"city:上海", "enter")
        await stage.until(lambda: stage.app.table.count == 2)
        await stage.press("E")
        await stage.until_said("export leads-20")
        await stage.press("ctrl+u")
        await stage.type(f"export {target}")
        await stage.press("enter")
        await stage.until(lambda: not stage.app.jobs.running)
        await stage.until_said("rows 2")
        await stage.press("g", "j")
        await stage.until_said("Export to")
        await stage.until_said("done")

    play(folder, story)

    assert target.read_text("utf-8").count("上海") == 2


def test_what_went_wrong_is_said_and_stays_to_be_read(folder: Path, tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.press(":")
        await stage.type(f"export {tmp_path}/nowhere/leads.csv")
        await stage.press("enter")
        await stage.until(lambda: stage.app.jobs.all and not stage.app.jobs.running)
        await stage.press("g", "j")
        await stage.until_said("went wrong")
        assert stage.app.jobs.all[0].told

    play(folder, story)


def test_a_job_that_is_stopped_has_done_nothing(folder: Path) -> None:
    other = open_office(folder)

    async def story(stage: Stage) -> None:
        with other.database.writing():  # it waits for this
            stage.app.jobs.start(
                "Report", ["leads", "report", "--name", "X", "--phone", "13900139000", "--wait", "30s"]
            )
            await stage.press("g", "j")
            await stage.until_said("Report")
            await stage.until(lambda: stage.app.jobs._processes)
            await stage.press("x")
            await stage.until(lambda: not stage.app.jobs.running)
            await stage.until_said("stopped")

    play(folder, story)

    assert other.reader().count("leads") == 3
    other.close()
