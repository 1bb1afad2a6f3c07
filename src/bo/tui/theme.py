"""Looks as Textual themes: only grounds and text colour, since everything drawn takes its style from the looks. And
where each part of the screen stands."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from textual.scrollbar import ScrollBar, ScrollBarRender

from bo.tui.looks import ASCII, Looks

if TYPE_CHECKING:
    from textual.theme import Theme


STYLES: Final = """
Screen { background: $background; color: $foreground; layout: vertical; }
#body { layout: horizontal; height: 1fr; layers: rows whole; }
#rail { width: 24; display: none; background: $panel; }
#body.widest #rail { display: block; }
#preview { width: 40%; max-width: 64; display: none; background: $panel; }
#body.wide #preview { display: block; }
#body.below { layout: vertical; }
#body.below #preview { display: block; width: 1fr; max-width: 100%; height: 45%; }
#body.alone #preview { display: block; layer: whole; width: 100%; max-width: 100%; height: 100%; }
#dialog { width: 80; max-width: 100%; height: auto; max-height: 92%; background: $panel; padding: 1 2; }
#dialog.picker { height: 20; }
#dialog #heading { margin-bottom: 1; }
#fields { height: auto; }
#foot, #answer { margin-top: 1; }
ModalScreen { align: center middle; background: transparent; }
TextScreen { background: $background; }
.plain #dialog { border: ascii $foreground; padding: 0 1; }
Input { background: transparent; }
Input:focus { background: transparent; }
Input:ansi > .input--cursor, Input:ansi > .input--selection {
    background: ansi_default; color: ansi_default; text-style: reverse;
}
"""


class _PlainBar(ScrollBarRender):
    """Whole cells alone, told apart by their ground."""

    VERTICAL_BARS = [" "] * 8
    HORIZONTAL_BARS = [" "] * 8


def draw_scroll_bars(looks: Looks) -> None:
    """Have Textual's scroll bars drawn with letters that the looks allow."""
    ScrollBar.renderer = _PlainBar if looks.glyphs is ASCII else ScrollBarRender


def without_colour() -> bool:
    """Whether NO_COLOR (https://no-color.org) is set. An empty one is taken away, since to Textual it counts."""
    if os.environ.get("NO_COLOR") == "":
        del os.environ["NO_COLOR"]
    return "NO_COLOR" in os.environ


def chosen_theme(wanted: str, remembered: str = "") -> str:
    """The theme to start with. NO_COLOR outweighs a theme that was only configured."""
    if without_colour():
        return "plain"
    return wanted or os.environ.get("BO_THEME", "") or remembered or "dark"


def textual_theme(looks: Looks) -> Theme:
    from textual.theme import BUILTIN_THEMES, Theme

    name = f"bo-{looks.name}"
    if looks.background == "ansi_default":
        # Textual's own style sheets need the variables of its terminal theme.
        return replace(BUILTIN_THEMES["ansi-dark"], name=name)
    return Theme(
        name=name,
        primary="#3b6ea5",
        background=looks.background,
        surface=looks.background,
        panel=looks.panel,
        boost=looks.panel,
        foreground=looks.foreground,
        dark=looks.name != "light",
    )
