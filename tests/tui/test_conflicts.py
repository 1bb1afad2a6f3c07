"""The conflict inbox: what central refused, decided by key, and never by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bo.core.kernel.database import SqliteDatabase
from bo.core.kernel.tx import SYSTEM
from bo.core.kernel.workspace import Workspace
from bo.core.office import open_database
from bo.tui.office import OfficeDesk, OfficeLibrary
from bo.tui.source import ScreenOptions
from tests.sync.stage import Device
from tests.sync.stage import Stage as Central
from tests.tui.stage import LARGE, Stage, Story, perform


@pytest.fixture
def central(tmp_path: Path) -> Iterator[Central]:
    made = Central(tmp_path)
    yield made
    made.close()


@pytest.fixture
def device(central: Central) -> Device:
    """A manager's laptop that rejected a lead which central had accepted meanwhile."""
    lead = central.lead(name="王伟", number="N-7")
    device = central.device("hugo")
    central.office.do("leads.accept", lead)
    device.do("leads.reject", lead, reason="no_intent")
    assert device.sync().refused == 1
    return device


def opened(device: Device) -> Workspace:
    ws = device.ws
    made = open_database(SqliteDatabase(device.path()), operator=SYSTEM.id, clock=ws.clock, new_id=ws.new_id)
    made.actor = ws.actor
    return made


def play(device: Device, story: Story) -> None:
    def open_library() -> OfficeLibrary:
        return OfficeLibrary(opened(device))

    def open_desk() -> OfficeDesk:
        return OfficeDesk(opened(device), "Office")

    perform(open_library, open_desk, story, size=LARGE, options=ScreenOptions(noun="conflicts"))


def test_a_conflict_tells_what_was_wanted_and_what_is_there(device: Device) -> None:
    async def story(stage: Stage) -> None:
        await stage.until_said("leads: reject")
        await stage.until_said("王伟")
        await stage.until_said("yours: no_intent")
        await stage.until_said("conflicts 1")
        await stage.until_said("unsynced 0")

    play(device, story)


def test_theirs_stands_after_a_question(device: Device) -> None:
    async def story(stage: Stage) -> None:
        await stage.until_said("leads: reject")
        await stage.press("T")
        await stage.until_said("Theirs stands: ")
        await stage.pilot.pause(0.3)
        await stage.press("y")
        await stage.until_said("let go")
        await stage.until(lambda: "conflicts 1 " not in stage.lines()[0])

    play(device, story)

    assert device.sync().refused == 0
    assert [row[0] for row in device.ws.reader().page("leads", fields=("state",)).rows] == ["valid"]


def test_mine_again_is_refused_here_too_where_it_cannot_be_and_stays(device: Device) -> None:
    async def story(stage: Stage) -> None:
        await stage.until_said("leads: reject")
        await stage.press("d")
        await stage.until_said("refused:")
        await stage.until_said("conflicts 1")

    play(device, story)


def test_somebody_else_is_to_decide(device: Device) -> None:
    async def story(stage: Stage) -> None:
        await stage.until_said("leads: reject")
        await stage.press("s")
        await stage.until_said("For whom")
        await stage.press(*"boss", "ctrl+s")
        await stage.until_said("handed over")
        await stage.until(lambda: "conflicts 1 " not in stage.lines()[0])

    play(device, story)

    assert device.client.conflicts() == []
    assert [item.name for item in device.client.pending()] == ["handovers.give"]


def test_the_record_is_one_key_away(device: Device) -> None:
    async def story(stage: Stage) -> None:
        await stage.until_said("leads: reject")
        await stage.press("o")
        await stage.until_said("What belongs to it")
        await stage.press("enter")
        await stage.until(lambda: stage.app.browser.noun == "leads" and stage.app.table.count == 1)

    play(device, story)
