"""Every screen in plain letters, in every theme, and without colours."""

from __future__ import annotations

from pathlib import Path

import pytest

from bo.cli.builtin import THEMES as OFFERED
from bo.core.kernel.dispatch import Call
from bo.core.office import context_for, create, open_office
from bo.tui.looks import THEMES
from bo.tui.office import OfficeDesk, OfficeLibrary
from bo.tui.source import ScreenOptions
from tests.tui.stage import LARGE, SMALL, Stage, perform

# Keys that open something from the rows of a noun; Esc leaves it again.
WALKS = {
    "leads": ("p", "enter", "?", "ctrl+p", "m", "c", "e", "b", "i", "t", "S", "C", "o", "v", "space", "d", "u", ":",
              "/", "gd", "gj", "gv", "gh", "n", "f", "V", "E", "I", "D"),
    "orders": ("p", "enter", "?", "m", "w", "t", "R", "P", "e", "d", "L", "o", "gh"),
    "exceptions": ("p", "enter", "m", "a", "s", "d"),
    "customers": ("p", "enter", "e", "c"),
    "stores": ("p", "enter", "e", "c"),
    "settlements": ("p", "enter", "c", "m"),
    "bank_lines": ("p", "enter", "m"),
    "rewards": ("p", "enter", "c"),
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An office whose names are plain letters."""
    folder = tmp_path_factory.mktemp("plain") / "office"
    made = create(folder, context_for("DE"), operator="ann", name="Ann")
    calls = [Call("stores.add", None, {"code": "S1", "name": "West"})]
    for number in range(4):
        calls += [
            Call("leads.report", None, {"name": f"Ann {number}", "phone": f"+49301234500{number}", "note": "x " * 200}),
            Call("orders.record", None, {
                "number": str(number), "name": "Bob", "phone": f"+49301234600{number}", "total": 1000,
                "captured": number, "placed_at": made.clock(),
                "lines": [{"sku": "K", "name": "Kitchen", "quantity": 2, "price": 500}]}),
        ]  # fmt: skip
    made.run(calls, atomic=True)
    made.do("exceptions.scan", None)
    made.close()
    return folder


def walk(folder: Path, noun: str, options: ScreenOptions, size: tuple[int, int]) -> list[tuple[str, str]]:
    """What stands on the screen after each key of a walk, by key."""
    seen: list[tuple[str, str]] = []

    async def story(stage: Stage) -> None:
        await stage.press("0")
        await stage.settled()
        for keys in ("", *WALKS[noun]):
            await stage.press(*([keys] if keys.startswith("ctrl") or keys in ("enter", "space") else keys))
            await stage.settled()
            seen.append((keys, stage.text()))
            for _again in range(3):
                await stage.press("escape")
                await stage.settled()
            await stage.press("y") if len(stage.app.screen_stack) > 1 else None
            await stage.until(lambda: len(stage.app.screen_stack) == 1)

    perform(
        lambda: OfficeLibrary(open_office(folder)), lambda: OfficeDesk(open_office(folder), "Office"), story,
        size=size, options=options,
    )  # fmt: skip
    return seen


def options_for(folder: Path, noun: str, theme: str = "", *, ascii_only: bool = False) -> ScreenOptions:
    environment = {"BO_WORKSPACE": str(folder), "BO_OPERATOR": "ann"}
    return ScreenOptions(theme, ascii_only, noun=noun, environment=environment)


@pytest.mark.parametrize("size", [SMALL, LARGE])
@pytest.mark.parametrize("noun", WALKS)
def test_every_screen_in_plain_letters(folder: Path, noun: str, size: tuple[int, int]) -> None:
    strange = {
        (keys, line.strip())
        for keys, text in walk(folder, noun, options_for(folder, noun, ascii_only=True), size)
        for line in text.splitlines()
        if not line.isascii()
    }
    assert strange == set()


@pytest.mark.parametrize("theme", THEMES)
def test_every_theme_shows_the_same_words(folder: Path, theme: str) -> None:
    seen = walk(folder, "orders", options_for(folder, "orders", theme), (120, 30))
    assert len(seen) == len(WALKS["orders"]) + 1
    assert all(text.strip() for _keys, text in seen)


def test_the_command_line_offers_every_theme() -> None:
    assert OFFERED == THEMES
