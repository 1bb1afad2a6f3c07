"""Lists that take every key themselves: the same moves in all of them, and the line under the cursor is in sight."""

from __future__ import annotations

from pathlib import Path

import pytest

from bo.tui.key_screen import FAR, ListScreen, step_of
from bo.tui.looks import Looks
from bo.tui.pane import Bar
from tests.tui.stage import Stage, play

COUNT = 50


class Numbers(ListScreen["int | None"]):
    """A heading line and numbers below it."""

    def __init__(self, looks: Looks) -> None:
        super().__init__(looks, Bar(looks))

    @property
    def count(self) -> int:
        return COUNT

    def draw(self) -> None:
        self.heading.put([(f" at {self.at}", "title")])
        lines = [f"{'>' if at == self.at else ' '} number {at}" for at in range(COUNT)]
        self.pane.put([(("the first line", "dim"),), *(((line, "text"),) for line in lines)], keep_offset=True)
        self.pane.show_line(self.at + 1, above=1)

    def press(self, name: str) -> bool:
        if name == "enter":
            self.dismiss(self.at)
        return name == "enter"


def test_keys_move_by_a_line_a_page_or_to_an_end() -> None:
    assert [step_of(key, 20) for key in ("j", "down", "k", "up")] == [1, 1, -1, -1]
    assert [step_of(key, 20) for key in ("pagedown", "ctrl+d", "space", "pageup", "ctrl+u")] == [20, 20, 20, -20, -20]
    assert [step_of(key, 20) for key in ("g", "home", "G", "end")] == [-FAR, -FAR, FAR, FAR]
    assert [step_of(key, 0) for key in ("pagedown", "x", "enter", "5")] == [1, 0, 0, 0]


def test_the_cursor_stays_in_the_list_and_in_sight(office: Path) -> None:
    async def story(stage: Stage) -> None:
        chosen: list[int | None] = []
        stage.app.push_screen(Numbers(stage.app.looks), chosen.append)
        await stage.until_said("> number 0")
        for keys, at in (("k", 0), ("jj", 2), ("G", 49), ("j", 49), ("k", 48), ("g", 0), (["pagedown"], 21)):
            await stage.press(*keys)
            await stage.until_said(f"at {at} ")
            assert f"> number {at}" in stage.text()
        await stage.press("ctrl+u", "end", "home")
        await stage.until_said("at 0 ")
        assert "the first line" in stage.text()
        await stage.press("j", "x", "enter")
        await stage.until(lambda: chosen)
        assert chosen == [1]

    play(office, story)


@pytest.mark.parametrize("key", ["q", "escape"])
def test_it_closes_with_nothing(office: Path, key: str) -> None:
    async def story(stage: Stage) -> None:
        chosen: list[int | None] = []
        stage.app.push_screen(Numbers(stage.app.looks), chosen.append)
        await stage.until_said("> number 0")
        await stage.press(key)
        await stage.until(lambda: chosen)
        assert chosen == [None]

    play(office, story)


def test_another_size_is_drawn_anew(office: Path) -> None:
    async def story(stage: Stage) -> None:
        stage.app.push_screen(Numbers(stage.app.looks))
        await stage.until_said("> number 0")
        await stage.press("G")
        await stage.until_said("> number 49")
        await stage.pilot.resize_terminal(80, 10)
        await stage.until(lambda: len(stage.lines()) == 10 and "> number 49" in stage.text())

    play(office, story)
