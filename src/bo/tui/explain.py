"""Why an amount is what it is: the words of a reward line, what it was computed from, and its way to the bank.

`o` goes along that way: to the lead, the order, the settlement, the payout, the bank line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from bo.core.kernel.text import _
from bo.tui.cells import fitted, harmless, wrapped
from bo.tui.looks import Looks, Span
from bo.tui.pane import Line
from bo.tui.settling import grouped

if TYPE_CHECKING:
    from bo.core.kernel.workspace import Workspace
    from bo.tui.screen import BoApp

NAME, WORD_LINES, STATION, TAIL = 30, 6, 14, 8
ID: Final = re.compile(r"\b([a-z]+)_[0-9a-z]{26}\b")
FOLLOWS: Final = "o"


class Station(Struct, frozen=True):
    """One record on the way from the lead to the bank; `noun` is empty where one cannot go there."""

    what: str
    name: str
    state: str
    amount: str
    noun: str
    id: str


class Explained(Struct, frozen=True):
    """A reward line in words, with the values it was computed from."""

    id: str
    rule: str
    amount: str
    state: str
    words: tuple[str, ...]
    inputs: tuple[tuple[str, str], ...]
    way: tuple[Station, ...]
    agrees: bool


def explained(workspace: Workspace, line_id: str) -> Explained:
    """Raises NotAllowed, NotFound."""
    told = workspace.ask("rewards.explain", line_id)
    nouns = _nouns(workspace)
    way = tuple(
        Station(
            link.what, link.name or link.id[-TAIL:], link.state,
            f"{grouped(link.amount, link.currency)} {link.currency}" if link.amount is not None else "",
            nouns.get(link.id.partition("_")[0], ""), link.id,
        )
        for link in told.chain
    )  # fmt: skip
    here = next((at for at, station in enumerate(way) if station.id == told.line), len(way))
    way = (*way[:here], *_mentioned(told.words, way, nouns), *way[here:])
    names = {station.id: station.name for station in way}
    words = tuple(ID.sub(lambda found: names.get(found[0]) or found[0][-TAIL:], line) for line in told.words)
    amount = f"{grouped(told.amount, told.currency)} {told.currency}"
    inputs = tuple((item.name, item.value) for item in told.inputs if item.value)
    return Explained(told.line, told.rule, amount, told.state, words, inputs, way, told.agrees)


def _mentioned(words: Sequence[str], way: Sequence[Station], nouns: Mapping[str, str]) -> list[Station]:
    """What the words name beside the way: the reward that is taken back."""
    known = {station.id for station in way}
    return [
        Station(_("taken back"), found[0][-TAIL:], "", "", nouns[found[1]], found[0])
        for line in words
        for found in ID.finditer(line)
        if found[0] not in known and found[1] in nouns
    ]


def _nouns(workspace: Workspace) -> dict[str, str]:
    """What records are called, by the beginning of their ids; only those that the operator may see."""
    from bo.core.kernel.record import declared_records

    workspace.registry.load_all()
    who = workspace.who()
    return {info.prefix: info.noun for info in declared_records().values() if who.may(f"{info.noun}.read")}


def explained_lines(told: Explained, looks: Looks, width: int) -> list[Line]:
    """The words first, then the way, then the values."""
    more = looks.glyphs.more
    agrees: Span = (_("computed again: the same"), "good")
    if not told.agrees:
        agrees = (f"{looks.glyphs.no} {_('computed again it comes to another amount')}", "bad")
    lines: list[Line] = [((f" {told.amount}", "head"), (f"   {_(told.state)}   ", "text"), agrees), ()]
    for words in told.words:
        mark = f" {looks.glyphs.to} "
        for part in wrapped(harmless(words), max(20, width - 6), WORD_LINES):
            lines.append(((mark, "key"), (part, "text")))
            mark = " " * len(mark)
    lines += [(), ((f" {_('From the lead to the bank')}", "title"),)]
    for station in told.way:
        here = station.id == told.id
        lines.append(
            (
                (f" {looks.glyphs.mark if here else ' '} {fitted(harmless(station.what), STATION, more=more)} ", "dim"),
                (fitted(harmless(station.name), NAME, more=more) + " ", "head" if here else "text"),
                (fitted(harmless(station.state), STATION, more=more) + " ", "info"),
                (station.amount, "text"),
            )
        )
    if told.inputs:
        lines += [(), ((f" {_('Computed from')}", "title"),)]
        lines += [
            ((f"   {fitted(harmless(name), NAME + 4, more=more)} ", "dim"), (harmless(value), "text"))
            for name, value in told.inputs
        ]
    return lines


def open_explanation(app: BoApp, line_id: str, leave: Callable[[], None] | None = None) -> None:
    """Show why a line is what it is. `leave` closes the screen that it was asked from, for who goes elsewhere."""

    def told(found: Explained) -> None:
        from bo.tui.help import TextScreen

        def go(station: Station) -> None:
            screen.leave()
            if leave is not None:
                leave()
            app.frame.go(station.noun, f"id:{station.id}")

        heading = _("Why this amount?   {key}: follow the way", key=FOLLOWS)
        lines = explained_lines(found, app.looks, app.size.width)
        screen = TextScreen(app.looks, heading, lines, also={FOLLOWS: lambda: _follow(app, found, go)})
        app.push_screen(screen)

    app.browser.read(lambda workspace: explained(workspace, line_id), told, app.trouble, topic="explain")


def _follow(app: BoApp, found: Explained, go: Callable[[Station], None]) -> None:
    ways = [station for station in found.way if station.noun and station.id != found.id]
    hints = [(f"{station.what}: {station.name}", "", station.state) for station in ways]
    app.overlays.choose(_("Where to"), hints, lambda at: go(ways[at]))
