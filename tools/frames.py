"""Records what the screen looks like: `python -m tools.frames [NAME …]` writes docs/screens/NAME.txt, one frame a file,
and README.md beside them, which says what each shows.

A scene (`frames_scenes.py`) is an office, a size, a language and keys. With `--svg` each frame is drawn with its
colours too, for whoever wants to look at them; those are not kept.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import chdir, contextmanager
from itertools import repeat
from pathlib import Path
from time import monotonic

from textual.pilot import Pilot

from bo.core.kernel.text import language, use_language
from bo.tui.app import reading
from bo.tui.office import OfficeDesk, OfficeLibrary
from bo.tui.screen import BoApp
from bo.tui.source import ScreenOptions, Standing
from tools import frames_office
from tools.frames_scenes import SCENES, Scene, index

TARGET = Path(__file__).parents[1] / "docs/screens"
INDEX = "README.md"
WAIT_S = 20.0
RESTING_S = 0.4
SIDE_BY_SIDE = 4


class Recorder:
    """One scene while it is played."""

    def __init__(self, app: BoApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    def frame(self) -> str:
        """What stands on the screen, line for line."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text.rstrip() for strip in strips).rstrip() + "\n"

    async def play(self, keys: Sequence[str]) -> str:
        await self._until(lambda: self.app.has_commands)
        await self._rest()
        for step in keys:
            if len(step) > 1 and step.startswith("="):
                words = step[1:]
                await self._until(lambda words=words: words in self.frame())
            elif len(step) > 1 and step.startswith("'"):
                await self.pilot.press(*("space" if letter == " " else letter for letter in step[1:]))
            else:
                await self.pilot.press(step)
            await self._rest()
        self.app.screen.refresh()  # what lies behind a dialog too
        await self._rest()
        return self.frame()

    async def _until(self, holds: object) -> None:
        assert callable(holds)
        began = monotonic()
        while not holds():
            if monotonic() - began > WAIT_S:
                raise TimeoutError(self.frame())
            await self.pilot.pause(0.02)

    async def _rest(self) -> None:
        """Until the frame has stayed as it is for a while."""
        before, since = self.frame(), monotonic()
        while monotonic() - since < RESTING_S:
            await self.pilot.pause(0.02)
            if (now := self.frame()) != before:
                before, since = now, monotonic()


def record(scene: Scene, office: Path, svg: Path | None = None) -> str:
    """The frame of a scene, played on a copy of the office."""
    with tempfile.TemporaryDirectory() as kept, _speaking(scene.language):
        folder = Path(kept) / "acme"
        shutil.copytree(office, folder)
        with chdir(folder / "files"):
            drawn = asyncio.run(_play(scene, folder, svg))
        return drawn.replace(str(folder), "~/acme")


async def _play(scene: Scene, folder: Path, svg: Path | None) -> str:
    def open_library() -> OfficeLibrary:
        return OfficeLibrary(frames_office.opened(folder, scene.device))

    def open_desk() -> OfficeDesk:
        return OfficeDesk(frames_office.opened(folder, scene.device), "acme")

    who = "Hugo" if scene.device else "Mei Lin"
    options = ScreenOptions(
        "dark", "ascii" in scene.options, noun=scene.noun,
        environment={"BO_WORKSPACE": str(folder), "BO_OPERATOR": "mei"},
    )  # fmt: skip
    lane, browser = reading(open_library, scene.noun)
    app = BoApp(browser, lane, open_desk, Standing("acme", who), options)
    async with app.run_test(size=scene.size) as pilot:
        frame = await Recorder(app, pilot).play(scene.keys)
        if svg is not None:
            drawn = re.sub(r"@font-face\s*\{.*?\}", "", app.export_screenshot(title="bo"), flags=re.DOTALL)
            (svg / f"{scene.name}.svg").write_text(drawn, "utf-8")
    return frame


@contextmanager
def _speaking(wanted: str) -> Iterator[None]:
    before = language()
    use_language(wanted)
    try:
        yield
    finally:
        use_language(before)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="scenes to record; all when none is named")
    parser.add_argument("--svg", type=Path, help="draw them with their colours into this folder too")
    parser.add_argument("--to", type=Path, default=TARGET, help="write them elsewhere")
    chosen = parser.parse_args()
    chosen.to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as kept:
        office = Path(kept) / "acme"
        frames_office.make(office)
        wanted = [scene for scene in SCENES if not chosen.names or scene.name in chosen.names]
        # Most of it is waiting for a screen to come to rest.
        with ProcessPoolExecutor(SIDE_BY_SIDE) as pool:
            frames = pool.map(record, wanted, repeat(office), repeat(chosen.svg))
            for scene, frame in zip(wanted, frames, strict=True):
                (chosen.to / f"{scene.name}.txt").write_text(frame, "utf-8")
                print(scene.name)
    (chosen.to / INDEX).write_text(index(), "utf-8")


if __name__ == "__main__":
    main()
