"""A lead beside those that it may be a later report of. One key decides; nothing is decided by looking."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from bo.core.kernel.text import _
from bo.tui.cells import fitted, harmless, wrapped
from bo.tui.key_screen import ListScreen
from bo.tui.leads import Compared, Comparison, RivalView
from bo.tui.looks import Looks, Span, Tone
from bo.tui.pane import Bar, Line
from bo.tui.source import CommandSpec

LABEL, VALUE_LINES = 14, 3
SCROLLS = {"J": 3, "K": -3, "pagedown": 10, "pageup": -10}
MARK_TONES: Mapping[str, Tone] = {"=": "good", "!": "warn", "+": "dim"}
# Key -> command; what the lead's state does not allow is not on offer.
DECISIONS: Mapping[str, str] = {"D": "leads.mark_duplicate", "n": "leads.not_duplicate", "d": "leads.accept"}


class Decision(Struct, frozen=True):
    """A command on the lead, and the candidate it was made about."""

    command: CommandSpec
    rival: str


class DuplicatesScreen(ListScreen["Decision | None"]):
    """Closes with what was decided, or with nothing."""

    def __init__(self, looks: Looks, told: Comparison, commands: Mapping[str, CommandSpec]) -> None:
        self._foot = Bar(looks)
        super().__init__(looks, self._foot)
        self._told = told
        self._commands = {
            key: commands[name]
            for key, name in DECISIONS.items()
            if name in commands and told.state in commands[name].allowed_states
        }

    @property
    def rival(self) -> RivalView:
        return self._told.rivals[self.at]

    @property
    def count(self) -> int:
        return len(self._told.rivals)

    def press(self, name: str) -> bool:
        command = self._commands.get("D" if name == "enter" else name)
        if command is not None:
            self.dismiss(Decision(command, self.rival.id))
        elif name in SCROLLS:
            self.pane.scroll_lines(SCROLLS[name])
        else:
            return False
        return True

    def draw(self) -> None:
        place = _("{at} of {count}", at=self.at + 1, count=self.count)
        self.heading.put(
            [(f" {_('Who may be the same')}  ", "title"), (harmless(self._told.title), "head")], [(f"{place} ", "dim")]
        )
        self.pane.put(self._lines(max(60, self.size.width)))
        self._foot.put(self._keys())

    def _keys(self) -> list[Span]:
        titles = {"D": _("is a duplicate of this one"), "n": _("not the same"), "d": _("not the same, accept")}
        offered = [("j k", _("candidates")), *((key, titles[key]) for key in self._commands), ("q", _("back"))]
        return [span for key, words in offered for span in ((f" {key}", "key"), (f" {words} ", "dim"))]

    def _lines(self, width: int) -> list[Line]:
        half = (width - LABEL - 6) // 2
        rival = self.rival
        sure = _("{points} points", points=rival.points)
        why: Span = (f" {sure}: {rival.why}" if rival.why else f" {sure}", "key")
        lines: list[Line] = [(why,), ()]
        heads = [(self._told.title, self._told.state), (rival.title, rival.state)]
        cells = [fitted(f"{self.looks.state(state)} {_(state.replace('_', ' '))}", half) for _name, state in heads]
        lines.append(((" " * (LABEL + 2), "dim"), (f"{fitted(_('This lead'), half)}   ", "head"),
                      (fitted(_("Candidate"), half), "head")))  # fmt: skip
        lines.append(((" " * (LABEL + 2), "dim"), (f"{cells[0]}   ", "info"), (cells[1], "info")))
        for field in rival.fields:
            lines += self._field(field, half)
        legend = _("= the same   ! different   + only one has it")
        return [*lines, (), ((f" {legend}", "dim"),)]

    def _field(self, field: Compared, half: int) -> list[Line]:
        mine = wrapped(harmless(field.mine), half, VALUE_LINES)
        theirs = wrapped(harmless(field.theirs), half, VALUE_LINES)
        tone: Tone = "head" if field.mark == "!" else "text"
        lines: list[Line] = []
        for at in range(max(len(mine), len(theirs))):
            label = fitted(harmless(field.title), LABEL, more=self.looks.glyphs.more) if not at else " " * LABEL
            left, right = (part[at] if at < len(part) else "" for part in (mine, theirs))
            mark: Span = (f"{field.mark if not at else ' '}  ", MARK_TONES[field.mark])
            lines.append(((f" {label} ", "dim"), (fitted(left, half), tone), mark, (fitted(right, half), tone)))
        return lines
