"""Drives the screen in a test: press keys, wait for words, read what stands there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot, WaitForScreenTimeout

from bo.tui import confirm, form, keyboard
from bo.tui.app import reading
from bo.tui.lane import Lane
from bo.tui.screen import BoApp
from bo.tui.source import Desk, Library, RowView, ScreenOptions, Standing
from tests.tui.sample_office import SampleDesk, SampleSource

WAIT_S = 60.0
CLOSING_S = 5.0
MOMENT_S = 0.1  # longer than anything that the screen puts off until keys rest
SETTLED = 2  # looks in a row that find nothing
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
            await self._dealt_with()

    async def _dealt_with(self) -> None:
        """Wait until every widget has come to the end of what stood in line. A screen that closes meanwhile takes its
        widgets' lines with it, and they never answer; what a test asks for next finds out whether anything is wrong."""
        with suppress(WaitForScreenTimeout):
            await self.pilot._wait_for_screen(CLOSING_S)

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

    @contextmanager
    def hurrying(self) -> Iterator[None]:
        """However long the machine takes: what is pressed now comes sooner than anybody can read, or is a held key."""
        with pytest.MonkeyPatch.context() as patch:
            for place, name in ((confirm, "SETTLE_S"), (form, "SETTLE_S"), (keyboard, "HELD_KEY_S")):
                patch.setattr(place, name, 3_600.0)
            yield

    async def settled(self) -> None:
        """Wait until nothing is on its way any more and the preview, head and footer have followed."""
        began = time.monotonic()
        still = 0
        while still < SETTLED:
            await asyncio.sleep(0.001 if still else 0.005)  # what came from another thread stands in line now
            await self._dealt_with()
            self.app.screen._on_timer_update()
            still = 0 if self._is_on_its_way() else still + 1
            if time.monotonic() - began > WAIT_S:
                raise AssertionError(f"it did not settle; the screen:\n{self.text()}")

    def _is_on_its_way(self) -> bool:
        """Whether a thread is at work for the screen, or something comes by itself in a moment."""
        app, loop = self.app, asyncio.get_running_loop()
        lanes: list[Lane[Any]] = [app._reading_lane, *([app.desk_lane] if app.has_desk else [])]
        if any(lane._tasks or lane._running for lane in lanes) or any(not work.is_finished for work in app.workers):
            return True
        timers: list[asyncio.TimerHandle] = loop._scheduled  # type: ignore[attr-defined]
        return any(not timer.cancelled() and timer.when() < loop.time() + MOMENT_S for timer in timers)


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
