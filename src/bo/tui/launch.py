"""Starts the screen: the first view is being read while Textual is still being imported."""

from __future__ import annotations

from collections.abc import Callable

from bo.tui.browse import Browser
from bo.tui.lane import Lane
from bo.tui.source import Desk, ScreenOptions, Source, Standing


def _interrupt(source: Source) -> None:
    source.interrupt()


def reading(open_source: Callable[[], Source]) -> tuple[Lane[Source], Browser]:
    """The reading thread, and what browses through it."""
    lane: Lane[Source] = Lane("bo-reading", open_source, _interrupt)
    return lane, Browser(lane)


def run_screen(
    open_source: Callable[[], Source],
    open_desk: Callable[[], Desk],
    standing: Standing,
    options: ScreenOptions | None = None,
) -> None:
    """Run the screen until it is left. `open_source` and `open_desk` are called once, each in its own thread."""
    import gc

    # What is imported lives to the end: walking it again and again costs a tenth of the start.
    gc.disable()
    options = options or ScreenOptions()
    lane, browser = reading(open_source)
    browser.open(options.filter_text, options.sort)

    from bo.tui.app import BoApp

    BoApp(browser, lane, open_desk, standing, options).run()
