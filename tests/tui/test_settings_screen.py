"""Settings: what a user chose for the screen is there again next time, what the office decides is a command."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bo.core.kernel.text import language, use_language
from bo.core.office import context_for, create, open_office
from bo.tui.office import OfficeDesk, OfficeLibrary
from bo.tui.remembered import Remembered
from bo.tui.source import ScreenOptions
from tests.tui.stage import LARGE, Stage, Story, perform

WINDOW = "returns.window_days"


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    use_language("en")
    yield
    use_language("en")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = create(tmp_path / "office", context_for("CN"), operator="ann")
    made.do("operators.add", login="bea", roles=["reviewer"])
    made.do("leads.report", name="Ann", phone="13800138000")
    made.close()
    return tmp_path / "office"


def play(folder: Path, story: Story, *, operator: str = "ann") -> None:
    perform(
        lambda: OfficeLibrary(open_office(folder, operator=operator)),
        lambda: OfficeDesk(open_office(folder, operator=operator), "Office"),
        story, size=LARGE, options=ScreenOptions(screen_file=str(folder / "own" / "screen.toml")),
    )  # fmt: skip


def window(folder: Path) -> str:
    office = open_office(folder)
    try:
        return str(next(each.holds for each in office.ask("settings.all") if each.setting == WINDOW))
    finally:
        office.close()


async def go_to(stage: Stage, words: str) -> None:
    for _step in range(60):
        if any(line.startswith(" > ") and words in line for line in stage.lines()):
            return
        await stage.press("j")
    raise AssertionError(stage.text())


def test_theme_language_and_plain_characters_are_there_again(folder: Path) -> None:
    async def first(stage: Stage) -> None:
        await stage.press("g", "z")
        await stage.until_said("this screen")
        await stage.press("enter")
        await stage.until_said("colour-blind")
        await stage.type("light")
        await stage.press("enter")
        await stage.until(lambda: stage.app.looks.name == "light")
        await go_to(stage, "Plain characters")
        await stage.press("enter", "down", "enter")
        await stage.until(lambda: stage.app.looks.glyphs.more == "~")
        await go_to(stage, "After acting")
        await stage.press("enter", "down", "enter")
        await stage.until(lambda: not stage.app.triage.advance)
        await stage.press("q", ":", *"lang", "space", *"zh", "enter")
        await stage.until(lambda: language() == "zh_CN")

    play(folder, first)
    kept = Remembered(str(folder / "own" / "screen.toml"))
    assert [kept.get(name) for name in ("theme", "language", "ascii", "advance")] == ["light", "zh_CN", "yes", "no"]
    assert [path.name for path in (folder / "own").iterdir()] == ["screen.toml"]
    use_language("en")

    async def second(stage: Stage) -> None:
        assert (stage.app.looks.name, stage.app.looks.glyphs.more) == ("light", "~")
        assert not stage.app.triage.advance

    play(folder, second)


def test_a_language_that_is_not_there_changes_nothing(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.press(":", *"lang", "space", *"fr", "enter")
        await stage.until_said("Languages: en, zh_CN")
        assert language() == "en"

    play(folder, story)
    assert not (folder / "own").exists()


def test_a_setting_of_the_office_is_changed_after_asking_and_undone(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("g", "z")
        await stage.until_said(WINDOW)
        await go_to(stage, WINDOW)
        await stage.press("enter")
        await stage.until_said("now 30")
        await stage.type("soon")
        await stage.press("enter")
        await stage.until_said("is not a")
        await stage.press("ctrl+u", *"14", "enter")
        await stage.until_said("30 becomes 14 for everybody ?")
        assert window(folder) == "30"
        await stage.pilot.pause(0.3)  # until it counts as read
        await stage.press("y")
        await stage.until_said("is 14 now")
        assert window(folder) == "14"
        await stage.until_said("by itself 30")
        await stage.press("q", "u")
        await stage.until_said("Undone")
        assert window(folder) == "30"

    play(folder, story)


def test_a_changed_setting_is_let_be_what_it_is_by_itself(folder: Path) -> None:
    office = open_office(folder)
    office.do("settings.set", key=WINDOW, value="7")
    office.close()

    async def story(stage: Stage) -> None:
        await stage.press("g", "z")
        await stage.until_said("by itself 30")
        await go_to(stage, WINDOW)
        await stage.press("x")
        await stage.until_said("7 becomes 30")
        await stage.pilot.pause(0.3)  # until it counts as read
        await stage.press("y")
        await stage.until_said("is 30 now")

    play(folder, story)
    assert window(folder) == "30"


def test_who_may_not_see_the_offices_settings_has_their_own(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("g", "z")
        await stage.until_said("may not")
        assert "Theme" in stage.text()
        assert WINDOW not in stage.text()

    play(folder, story, operator="bea")


def test_a_file_that_cannot_be_read_counts_as_not_there(tmp_path: Path) -> None:
    broken = tmp_path / "screen.toml"
    broken.write_text("theme = \nascii", "utf-8")
    assert Remembered(str(broken)).get("theme") == ""
