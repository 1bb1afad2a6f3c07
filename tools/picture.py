"""Draws the picture of the screen that the README shows: `python -m tools.picture OFFICE`, on an office that `bo demo
--workspace OFFICE` has left."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

from bo.core.office import open_office
from bo.tui.app import reading
from bo.tui.office import OfficeDesk, OfficeLibrary
from bo.tui.screen import BoApp
from bo.tui.source import ScreenOptions, Standing

TARGET = Path(__file__).parents[1] / "docs/images/triage.svg"
KEYS = ("j", "j", "d", "space", "space", "j")


async def draw(folder: Path) -> str:
    """The screen after a few keys, as SVG."""
    workspace = open_office(folder, operator="mei")
    options = ScreenOptions(filter_text="state:pending_review,valid,assigned,won -source:Expo")
    lane, browser = reading(lambda: OfficeLibrary(workspace))
    browser.open(options.filter_text, options.sort)
    standing = Standing("brand", workspace.who().name)
    app = BoApp(browser, lane, lambda: OfficeDesk(open_office(folder, operator="mei"), "brand"), standing, options)
    async with app.run_test(size=(124, 30)) as pilot:
        await pilot.pause(1.0)
        for key in KEYS:
            await pilot.press(key)
            await pilot.pause(0.3)
        drawn = app.export_screenshot(title="bo")
    return re.sub(
        r"@font-face\s*\{.*?\}", "", drawn, flags=re.DOTALL
    )  # fonts from elsewhere: a page of ours fetches nothing


def main() -> None:
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(asyncio.run(draw(Path(sys.argv[1]))), "utf-8")


if __name__ == "__main__":
    main()
