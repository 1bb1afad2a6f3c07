"""The dashboard: sales beside the time before, how far leads get, and what waits. Enter on a pile goes to its rows."""

from __future__ import annotations

from collections.abc import Callable

from bo.core.kernel.text import _
from bo.tui.cells import fitted, harmless
from bo.tui.key_screen import ListScreen, cursor, step_of, within
from bo.tui.looks import Looks, Span
from bo.tui.pane import Line
from bo.tui.source import Bars, Board, Figure, Trend, Waiting

CHART_LINES, CHART_WIDTH_MAX, BAR_CELLS = 9, 110, 24
PAGES = ("pagedown", "pageup", "space")
UNITS = {"d": "day", "w": "week", "M": "month"}

Ask = Callable[[str, Callable[[Board], None]], None]


class DashboardScreen(ListScreen[Waiting | None]):
    """Closes with the pile that was picked, or with nothing."""

    def __init__(self, looks: Looks, ask: Ask) -> None:
        super().__init__(looks)
        self._ask = ask
        self._board: Board | None = None
        self._unit = "day"

    @property
    def count(self) -> int:
        return len(self._board.waiting) if self._board is not None else 0

    def on_mount(self) -> None:
        self._head(_("counting …"))
        self._ask(self._unit, self._arrived)

    def _head(self, words: str) -> None:
        keys = _("d w M days, weeks, months  j k Enter goes there  r again  q closes")
        self.heading.put([(f" {_('Dashboard')}  ", "title"), (words, "dim")], [(f"{keys} ", "dim")])

    def _arrived(self, board: Board) -> None:
        if self._board is None:
            # Where nothing waits there is nothing to go to.
            self.at = next((at for at, pile in enumerate(board.waiting) if pile.count), 0)
        self._board = board
        self.at = within(self.at, self.count)
        self._head(_("as of {moment}", moment=board.as_of))
        self.draw()

    def press(self, name: str) -> bool:
        if name in UNITS or name == "r":
            self._unit = UNITS.get(name, self._unit)
            self._ask(self._unit, self._arrived)
        elif name == "enter" and self._board is not None and self._board.waiting:
            self.dismiss(self._board.waiting[self.at])
        elif name in PAGES:
            self.pane.scroll_lines(step_of(name, self.page))
        elif name == "?":
            self.leave()
        else:
            return False
        return True

    def draw(self) -> None:
        if self._board is None:
            return
        width = max(20, self.size.width)
        lines = [*_figures(self._board.figures, width), *_chart(self._board.trend, width, self.looks), ()]
        first = len(lines) + 1
        lines += _beside(self._piles(self._board), _bars(self._board.bars, self.looks), width)
        self.pane.put(lines, keep_offset=True)
        self.pane.show_line(first + self.at, above=1)

    def _piles(self, board: Board) -> list[Line]:
        lines: list[Line] = [((" " + _("What waits"), "title"),)]
        for at, pile in enumerate(board.waiting):
            here = at == self.at
            count: Span = (f"{pile.count:>7,}  ", "head" if pile.count else "dim")
            noun = _(pile.noun.replace("_", " ")).capitalize()
            words = fitted(f"{noun}: {pile.title}", 34, more=self.looks.glyphs.more)
            lines.append((cursor(here), count, (words, "head" if here else "text" if pile.count else "dim")))
        return lines


def _figures(figures: tuple[Figure, ...], width: int) -> list[Line]:
    lines: list[Line] = []
    for figure in figures:
        before: Span = (f"   {_('before')} {figure.before}" if figure.before else "", "dim")
        lines.append(((" " + fitted(figure.title, 26), "dim"), (f"{figure.value:>16}", "head"), before))
    return lines


def _chart(trend: Trend, width: int, looks: Looks) -> list[Line]:
    """The trend as plotext draws it, without its colours: now as a line, the time before as dots."""
    if not any(trend.now) and not any(trend.before):
        return []
    import plotext

    plotext.clear_figure()
    plotext.theme("clear")
    plotext.plot_size(min(width - 2, CHART_WIDTH_MAX), CHART_LINES)
    plain = looks.glyphs.mark.isascii()
    places = list(range(len(trend.now)))
    plotext.plot(places, list(trend.before), marker="." if plain else "dot")
    plotext.plot(places, list(trend.now), marker="*" if plain else "braille")
    ticks = places[:: max(1, len(places) // 6)]
    plotext.xticks(ticks, [trend.labels[place] for place in ticks])
    drawn = plotext.uncolorize(plotext.build())
    if plain:
        drawn = drawn.translate(str.maketrans("┌┐└┘│─┤├┬┴┼", "++++|-+++++"))
    dots = "." if plain else "•"
    legend: Line = ((f" {trend.title}", "title"), (f"   {dots} {_('the time before')}", "dim"))
    return [legend, *(((f" {line}", "info"),) for line in drawn.splitlines())]


def _bars(bars: tuple[Bars, ...], looks: Looks) -> list[Line]:
    block = "#" if looks.glyphs.mark.isascii() else "█"
    lines: list[Line] = []
    for each in bars:
        most = max((count for _name, count in each.rows), default=0) or 1
        lines.append(((each.title, "title"),))
        for name, count in each.rows:
            cells = -(-count * BAR_CELLS // most)
            label: Span = (fitted(harmless(name), 18, more=looks.glyphs.more) + " ", "dim")
            lines.append((label, (f"{count:>7,} ", "head"), (block * cells, "info")))
        lines.append(())
    return lines


def _beside(left: list[Line], right: list[Line], width: int) -> list[Line]:
    """Two columns where there is room, else one below the other."""
    column = 50
    if width < column + 18 + 9 + BAR_CELLS:
        return [*left, (), *right]
    rows = max(len(left), len(right))
    padded = [*left, *[()] * (rows - len(left))], [*right, *[()] * (rows - len(right))]
    return [(*one, (" " * max(1, column - _cells(one)), "text"), *two) for one, two in zip(*padded, strict=True)]


def _cells(line: Line) -> int:
    from rich.cells import cell_len

    return sum(cell_len(text) for text, _tone in line)
