"""Plays stories on the screen of an office with money in it, as one of its people."""

from __future__ import annotations

from pathlib import Path

from bo.core import office
from bo.core.kernel.workspace import Workspace
from bo.tui.office import OfficeDesk, OfficeLibrary
from bo.tui.source import ScreenOptions
from tests.core.money_office import MoneyOffice
from tests.tui.stage import SMALL, Stage, Story, perform


def play(
    money: MoneyOffice, folder: Path, login: str, story: Story, *, noun: str, size: tuple[int, int] = SMALL,
    jobs: bool = False,
) -> None:  # fmt: skip
    """The screen of whoever that login is, on the records of a noun."""

    def opened() -> Workspace:
        return office.open_office(folder, operator=login, clock=money.clock)

    environment = {"BO_WORKSPACE": str(folder), "BO_OPERATOR": login} if jobs else {}
    perform(
        lambda: OfficeLibrary(opened()), lambda: OfficeDesk(opened(), "Office"), story, size=size,
        options=ScreenOptions(noun=noun, environment=environment),
    )  # fmt: skip


class Counted:
    """Counts the keys that a person presses."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.keys = 0

    async def press(self, *keys: str) -> None:
        self.keys += len(keys)
        await self._stage.press(*keys)
