"""Drives the screen in a test: press keys, wait for words, read what stands there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from textual import events
from textual.pilot import Pilot

from bo.tui.app import reading
from bo.tui.screen import BoApp
from bo.tui.source import Desk, Library, RowView, ScreenOptions, Standing
from tests.tui.sample_office import SampleDesk, SampleSource

WAIT_S = 15.0
SMALL, LARGE = (80, 24), (200, 50)

Story = Callable[["Stage"], Awaitable[None]]


class Stage:
    """The screen under test."""

    def __init__(self, app: BoApp, pilot: Pilot[None], source: list[SampleSource]) -> None:
        self.app = app
        self.pilot = pilot
        self._source = source

    @property
    def source(self) -> SampleSource:
        return self._source[0]

    def lines(self) -> list[str]:
        """What stands on the topmost screen, line for line."""
        return [strip.text for strip in self.app.screen._compositor.render_strips()]

    def table_lines(self) -> list[str]:
        """The lines from the heads of the columns on."""
        return self.lines()[self.app.table.region.y :]

    def text(self) -> str:
        return "\n".join(self.lines())

    def current(self) -> RowView:
        row = self.app.table.current()
        assert row is not None
        return row

    def row(self, position: int) -> RowView:
        row = self.app.table.row(position)
        assert row is not None
        return row

    async def press(self, *keys: str) -> None:
        """Press keys one after the other, each when what the one before set off has been dealt with."""
        for key in keys:
            self.burst(key)
            # The driver hands keys over as another task; only then do they stand before what is waited for here.
            await asyncio.sleep(0.001)
            await self.pilot._wait_for_screen()

    def burst(self, *keys: str) -> None:
        """Press keys faster than anything can answer, as a terminal that was slow delivers them."""
        driver = self.app._driver
        assert driver is not None
        for key in keys:
            character = " " if key == "space" else key if len(key) == 1 else None
            event = events.Key(key, character)
            event.set_sender(self.app)
            driver.send_message(event)

    async def type(self, text: str) -> None:
        await self.press(*("space" if character == " " else character for character in text))

    async def until(self, holds: Callable[[], object], what: str = "") -> None:
        """Wait until something is so; fails with what stands on the screen."""
        began = time.monotonic()
        while not holds():
            if time.monotonic() - began > WAIT_S:
                raise AssertionError(f"{what or 'it'} did not come about; the screen:\n{self.text()}")
            await self.pilot.pause(0.01)

    async def until_said(self, words: str) -> None:
        """Wait for words anywhere on the screen."""
        await self.until(lambda: words in self.text(), repr(words))

    async def settled(self) -> None:
        """Wait until nothing is on its way any more and the preview, head and footer have followed."""
        await self.pilot.pause(0.12)


def play(office: Path, story: Story, *, size: tuple[int, int] = SMALL, options: ScreenOptions | None = None) -> None:
    """Run a story on the screen of a sample office, from its first rows and commands on."""
    sources: list[SampleSource] = []

    def open_source() -> SampleSource:
        sources.append(SampleSource(office))
        return sources[0]

    perform(open_source, lambda: SampleDesk(office), story, sources=sources, size=size, options=options)


def perform(
    open_source: Callable[[], Library],
    open_desk: Callable[[], Desk],
    story: Story,
    *,
    sources: list[SampleSource] | None = None,
    size: tuple[int, int] = SMALL,
    options: ScreenOptions | None = None,
) -> None:
    """Run a story on the screen of whatever office these open."""

    async def run() -> None:
        lane, browser = reading(open_source, (options or ScreenOptions()).noun)
        app = BoApp(browser, lane, open_desk, Standing("Office", "ann"), options or ScreenOptions())
        async with app.run_test(size=size) as pilot:
            stage = Stage(app, pilot, sources if sources is not None else [])
            await stage.until(lambda: app.has_commands, "the first view and the commands")
            await story(stage)

    asyncio.run(run())
