"""Looks as Textual themes: only grounds and text colour, since everything drawn takes its style from the looks."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from textual.scrollbar import ScrollBar, ScrollBarRender

from bo.tui.looks import ASCII, Looks

if TYPE_CHECKING:
    from textual.theme import Theme


class _PlainBar(ScrollBarRender):
    """Whole cells alone, told apart by their ground."""

    VERTICAL_BARS = [" "] * 8
    HORIZONTAL_BARS = [" "] * 8


def draw_scroll_bars(looks: Looks) -> None:
    """Have Textual's scroll bars drawn with letters that the looks allow."""
    ScrollBar.renderer = _PlainBar if looks.glyphs is ASCII else ScrollBarRender


def chosen_theme(wanted: str, remembered: str = "") -> str:
    """The theme to start with. NO_COLOR (https://no-color.org) outweighs a theme that was only configured."""
    if os.environ.get("NO_COLOR"):
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
