"""Data never drives the screen: whatever stands in a field is shown harmlessly, and every line keeps its width."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from bo.core.kernel.dispatch import Call
from bo.core.kernel.errors import BoError
from bo.core.kernel.workspace import Workspace
from bo.core.office import context_for, create, open_office
from bo.tui.office import OfficeDesk, OfficeLibrary
from bo.tui.source import ScreenOptions
from tests.sync.stage import Stage as Central
from tests.tui import test_conflicts
from tests.tui.sample_office import HOSTILE
from tests.tui.stage import LARGE, SMALL, Stage, Story, perform

FORBIDDEN = "\x00\x07\x1b\x7f\x85\u00ad\u061c\u200b\u200d\u200e\u200f\u202a\u202d\u202e\u2066\u2069\u2028\ufe0f\ufeff"
SIZES = [SMALL, (120, 30), LARGE]
MARKUP = "[bold red]markup[/]"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An office in which every text tries to drive the terminal."""
    folder = tmp_path_factory.mktemp("hostile") / "office"
    made = create(folder, context_for("CN"), operator="ann", name=HOSTILE[1])
    for number, text in enumerate(HOSTILE):
        _try(made, "stores.add", code=f"S{number}", name=text, city=text)
        _try(
            made, "leads.report", name=text, phone=f"1380013800{number}", city=text, source=text, note=text, tags=[text]
        )
        _try(made, "orders.record", number=f"{number}", name=text, city=text, note=text, channel=text, method=text,
             phone=f"1390013900{number}", total=1000, captured=1000, placed_at=made.clock(),
             lines=[{"sku": f"K{number}", "name": text, "quantity": 1, "price": 1000}])  # fmt: skip
        _try(made, "views.save", of="leads", name=text[:60], filter="", sort="", slot=number + 1)
    made.do("exceptions.scan", None)
    made.close()
    return folder


def _try(office: Workspace, command: str, /, **args: object) -> None:
    """Run a command; what it refuses is not shown either."""
    try:
        office.run([Call(command, None, args)], atomic=True)
    except BoError:
        office.run([Call(command, None, {**args, "name": f"{MARKUP} {len(str(args))}", "city": MARKUP})])


def play(folder: Path, story: Story, size: tuple[int, int], noun: str = "leads") -> None:
    perform(
        partial(_library, folder), lambda: OfficeDesk(open_office(folder), HOSTILE[0]), story, size=size,
        options=ScreenOptions(noun=noun, environment={"BO_WORKSPACE": str(folder), "BO_OPERATOR": "ann"}),
    )  # fmt: skip


def _library(folder: Path) -> OfficeLibrary:
    return OfficeLibrary(open_office(folder))


def check(stage: Stage) -> None:
    """Every line has the screen's width and nothing in it that drives a terminal or hides."""
    width = stage.app.size.width
    for strip in stage.app.screen._compositor.render_strips():
        assert strip.cell_length == width, strip.text
        assert not set(strip.text) & set(FORBIDDEN), ascii(strip.text)
        assert all(character.isprintable() for character in strip.text), ascii(strip.text)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("noun", ["leads", "orders", "exceptions", "stores", "customers", "products"])
def test_rows_previews_and_details(folder: Path, noun: str, size: tuple[int, int]) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("0", "p")
        await stage.settled()
        for _text in HOSTILE:
            await stage.settled()
            check(stage)
            await stage.press("j")
        if noun in ("leads", "orders"):
            assert stage.app.table.count >= len(HOSTILE) - 1  # one is too long to be taken
            assert "[bold red]" in stage.text()
        await stage.press("g", "h")
        await stage.settled()
        check(stage)

    play(folder, story, size, noun)


@pytest.mark.parametrize("size", SIZES)
def test_views_whether_tabs_or_rail(folder: Path, size: tuple[int, int]) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(lambda: any("markup" in view.title for view in stage.app.frame.views))
        await stage.settled()
        check(stage)
        assert "[bold red]" in stage.text()
        await stage.press("g", "v")
        await stage.until_said("Views")
        check(stage)

    play(folder, story, size)


@pytest.mark.parametrize("size", SIZES)
def test_forms_pickers_menus_help_and_what_belongs_to_a_record(folder: Path, size: tuple[int, int]) -> None:
    async def story(stage: Stage) -> None:
        for place in range(len(HOSTILE)):
            for key in ("e", "o", "m", "b", *(("ctrl+p", "?") if place == 0 else ())):  # the last two are of no record
                await stage.press(key)
                await stage.settled()
                check(stage)
                await stage.press("escape", "escape")
                await stage.until(lambda: len(stage.app.screen_stack) == 1)
            await stage.press("j")

    play(folder, story, size)


@pytest.mark.parametrize("size", SIZES)
def test_the_dashboard_and_jobs(folder: Path, size: tuple[int, int]) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("g", "d")
        await stage.until_said("as of")
        check(stage)
        await stage.press("q")
        for text in HOSTILE:
            stage.app.jobs.start(f"Export to {text}", ["nonsense", text.replace("\x00", "")[:50]])
        await stage.until(lambda: not stage.app.jobs.running)
        check(stage)
        await stage.press("g", "j")
        await stage.until_said("Jobs")
        check(stage)

    play(folder, story, size)


@pytest.mark.parametrize("text", HOSTILE)
def test_what_was_refused(tmp_path: Path, text: str) -> None:
    central = Central(tmp_path)
    lead = central.lead(name=text[:200], number="N-7", note=text[:200])
    device = central.device("hugo")
    central.office.do("leads.accept", lead)
    device.do("leads.reject", lead, reason="no_intent", note=text[:200])
    assert device.sync().refused == 1

    async def story(stage: Stage) -> None:
        await stage.until_said("leads: reject")
        await stage.settled()
        check(stage)

    test_conflicts.play(device, story)
    central.close()
