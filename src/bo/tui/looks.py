"""How things look: tones (what a text means) as styles for each theme, and the glyphs of states.

Meaning is never in the colour alone: every state has a glyph, and the word stands in its column. Glyphs are taken from
those that East Asian terminals draw one cell wide too; `ascii` replaces them all.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct
from rich.style import Style

Tone = Literal["text", "dim", "head", "title", "key", "good", "bad", "wait", "info", "mark", "warn"]
Span = tuple[str, Tone]

THEMES = ("dark", "light", "colour-blind", "ansi", "plain")


class Glyphs(Struct, frozen=True):
    mark: str
    range: str
    more: str
    down: str
    up: str
    ok: str
    no: str
    to: str
    states: dict[str, str]
    other: str


_STATES = {
    "received": "◦",
    "duplicate": "⧉",
    "pending_review": "◌",
    "needs_info": "⁇",
    "valid": "✓",
    "invalid": "✗",
    "assigned": "▸",
    "accepted": "✔",
    "declined": "⊘",
    "recalled": "↩",
    "contacted": "✆",
    "visit_booked": "◔",
    "visited": "⌂",
    "quoted": "✎",
    "won": "✦",
    "lost": "✖",
    "on_hold": "⏸",
    "appealed": "⚑",
    "reversed": "⟲",
}
_ASCII_STATES = {
    "received": ".",
    "duplicate": "=",
    "pending_review": "?",
    "needs_info": "i",
    "valid": "v",
    "invalid": "x",
    "assigned": ">",
    "accepted": "a",
    "declined": "d",
    "recalled": "<",
    "contacted": "c",
    "visit_booked": "b",
    "visited": "V",
    "quoted": "q",
    "won": "$",
    "lost": "X",
    "on_hold": "|",
    "appealed": "!",
    "reversed": "R",
}
_PLAIN_MARKS = str.maketrans({"…": "~", "⋯": "~", "–": "-"})
UNICODE = Glyphs("▪", "▹", "…", "▾", "▴", "✓", "✗", "⇢", _STATES, "∙")
ASCII = Glyphs("*", ">", "~", "v", "^", "ok", "!", "->", _ASCII_STATES, ".")

_STATE_TONES: dict[str, Tone] = {
    "pending_review": "wait",
    "needs_info": "wait",
    "on_hold": "wait",
    "appealed": "wait",
    "valid": "good",
    "accepted": "good",
    "won": "good",
    "invalid": "bad",
    "declined": "bad",
    "lost": "bad",
    "recalled": "bad",
    "reversed": "bad",
    "assigned": "info",
    "contacted": "info",
    "visit_booked": "info",
    "visited": "info",
    "quoted": "info",
}


def state_tone(state: str) -> Tone:
    return _STATE_TONES.get(state, "text")


class Looks(Struct, frozen=True):
    """Styles of one theme. `cursor` and `acted` are laid over or take the place of a row's own style."""

    name: str
    glyphs: Glyphs
    tones: dict[Tone, Style]
    cursor: Style
    cursor_acted: Style
    acted: Style
    header: Style
    ground: Style
    background: str
    panel: str
    foreground: str
    raised: Looks | None = None

    def on_panel(self) -> Looks:
        """The same looks on the ground of panels and dialogs."""
        return self.raised or self

    def tone(self, tone: Tone) -> Style:
        return self.tones[tone]

    def plain(self, text: str) -> str:
        """The text with marks of ours that sentences bring along as the glyphs have them; data keeps its letters."""
        return text.translate(_PLAIN_MARKS) if self.glyphs is ASCII else text

    def state(self, state: str) -> str:
        return self.glyphs.states.get(state, self.glyphs.other)


def _coloured(name: str, glyphs: Glyphs, colours: dict[str, str], on: str = "background") -> Looks:
    ground = colours[on]

    def style(colour: str, bold: bool = False) -> Style:
        return Style(color=colours[colour], bgcolor=ground, bold=bold or None)

    tones: dict[Tone, Style] = {
        "text": style("text"),
        "dim": style("dim"),
        "head": style("text", bold=True),
        "title": style("info", bold=True),
        "key": style("key", bold=True),
        "good": style("good"),
        "bad": style("bad"),
        "wait": style("wait"),
        "info": style("info"),
        "mark": style("key", bold=True),
        "warn": style("wait", bold=True),
    }
    return Looks(
        name,
        glyphs,
        tones,
        cursor=Style(color=colours["on_cursor"], bgcolor=colours["cursor"]),
        cursor_acted=Style(color=colours["faint"], bgcolor=colours["cursor"]),
        acted=style("dim"),
        header=style("dim", bold=True),
        ground=Style(bgcolor=ground),
        background=colours["background"],
        panel=colours["panel"],
        foreground=colours["text"],
        raised=_coloured(name, glyphs, colours, "panel") if on == "background" else None,
    )


_DARK = {
    "text": "#d8dee4", "dim": "#7d8793", "key": "#f2c14e", "good": "#7ec77e", "bad": "#f07878", "wait": "#e0a95a",
    "info": "#79b8ff", "cursor": "#2f4a6b", "on_cursor": "#ffffff", "panel": "#232a33", "background": "#14181d",
    "faint": "#a9b4c0",
}  # fmt: skip
_LIGHT = {
    "text": "#24292f", "dim": "#6e7781", "key": "#8a5a00", "good": "#1a7f37", "bad": "#b3261e", "wait": "#8a5a00",
    "info": "#0550ae", "cursor": "#bcdcff", "on_cursor": "#0a0c10", "panel": "#e6eaef", "background": "#fbfcfd",
    "faint": "#57606a",
}  # fmt: skip
# Blue against orange stays apart in every common kind of colour blindness (Okabe and Ito).
_COLOUR_BLIND = _DARK | {"good": "#56b4e9", "bad": "#e69f00", "wait": "#f0e442", "info": "#cc79a7", "key": "#f0e442"}


def _ansi(name: str, glyphs: Glyphs, *, colour: bool) -> Looks:
    """The terminal's own colours; with `colour` off, only bold, dim and reverse."""

    def style(color: str, bold: bool = False) -> Style:
        return Style(color=color if colour else None, bold=bold or None)

    tones: dict[Tone, Style] = {
        "text": Style(),
        "dim": Style(dim=True),
        "head": Style(bold=True),
        "title": style("cyan", bold=True),
        "key": style("yellow", bold=True),
        "good": style("green"),
        "bad": style("red", bold=not colour),
        "wait": style("yellow"),
        "info": style("cyan"),
        "mark": style("yellow", bold=True),
        "warn": style("yellow", bold=True),
    }
    default = "ansi_default"
    return Looks(
        name,
        glyphs,
        tones,
        cursor=Style(reverse=True),
        cursor_acted=Style(reverse=True, dim=True),
        acted=Style(dim=True),
        header=Style(bold=True, underline=True),
        ground=Style(),
        background=default,
        panel=default,
        foreground=default,
    )


def looks_for(theme: str, *, ascii_only: bool = False) -> Looks:
    """The looks of a theme by name; an unknown name gives the dark one."""
    glyphs = ASCII if ascii_only else UNICODE
    match theme:
        case "light":
            return _coloured(theme, glyphs, _LIGHT)
        case "colour-blind":
            return _coloured(theme, glyphs, _COLOUR_BLIND)
        case "ansi":
            return _ansi(theme, glyphs, colour=True)
        case "plain":
            return _ansi(theme, glyphs, colour=False)
        case _:
            return _coloured("dark", glyphs, _DARK)
