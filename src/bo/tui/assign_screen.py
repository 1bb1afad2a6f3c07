"""Which store takes a lead: each with its load, and the one that the rule would pick under the cursor."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.app import ComposeResult
from textual.screen import ModalScreen

from bo.core.kernel.text import _
from bo.tui.cells import fitted, harmless
from bo.tui.keys import key_name
from bo.tui.leads import StoreOffer
from bo.tui.looks import Looks, Span, Tone
from bo.tui.pane import Bar, Line, Pane

BY_FORM = StoreOffer("", "", "", "", False, False, "")
NAME_MAX, COUNT = 28, 10


class AssignScreen(ModalScreen["StoreOffer | None"]):
    """Closes with the store that was chosen, with `BY_FORM` for who wants to fill in the form, or with nothing."""

    def __init__(self, looks: Looks, heading: str, offers: Sequence[StoreOffer]) -> None:
        super().__init__()
        self._looks = looks
        self._title = heading
        self._offers = offers
        self._at = 0
        self.pane = Pane(looks, id="text")
        self._heading = Bar(looks, raised=True)
        self._said = Bar(looks)
        self._foot = Bar(looks)

    def compose(self) -> ComposeResult:
        yield self._heading
        yield self.pane
        yield self._said
        yield self._foot

    def on_mount(self) -> None:
        self._heading.put([(f" {self._title}", "title")])
        offered = [("1-9", _("this store")), ("Enter", _("the one at the cursor")), ("f", _("form, with search")),
                   ("q", _("back"))]  # fmt: skip
        self._foot.put([span for key, words in offered for span in _key(key, words)])
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        name = key_name(event.key, event.character)
        far = len(self._offers)
        moves = {"j": 1, "down": 1, "k": -1, "up": -1, "pagedown": 10, "pageup": -10, "g": -far, "G": far}
        if name in moves:
            self._at = max(0, min(self._at + moves[name], far - 1))
            self._draw()
        elif name == "enter":
            self._choose(self._at)
        elif name.isdecimal() and name.isascii() and 0 < int(name) <= far:
            self._choose(int(name) - 1)
        elif name == "f":
            self.dismiss(BY_FORM)
        elif name in ("q", "escape"):
            self.dismiss(None)

    def _choose(self, at: int) -> None:
        offer = self._offers[at]
        if offer.blocked:
            self._at = at
            self._draw()
            self._said.put([(" " + _("{store} cannot take it: {why}", store=offer.name, why=offer.why), "bad")])
        else:
            self.dismiss(offer)

    def _draw(self) -> None:
        width = max(40, self.size.width)
        name = min(NAME_MAX, width // 3)
        head = (
            f"      {fitted(_('Store'), name)} {fitted(_('open leads'), COUNT)} {fitted(_('this month'), COUNT + 2)} "
        )
        lines: list[Line] = [((head + _("why"), "dim"),)]
        lines += [self._line(at, offer, name, width) for at, offer in enumerate(self._offers)]
        self.pane.put(lines, keep_offset=True)
        row, height, offset = self._at + 1, max(1, self.pane.size.height), self.pane.offset_lines
        self.pane.scroll_lines(row + 1 - height - offset if row >= offset + height else min(0, row - 1 - offset))
        # What has no room in its line is told in full for the one at the cursor.
        self._said.put([(f" {harmless(self._offers[self._at].why)}", "dim")])

    def _line(self, at: int, offer: StoreOffer, name: int, width: int) -> Line:
        here = at == self._at
        tone: Tone = "head" if here else "dim" if offer.blocked else "text"
        digit = str(at + 1) if at < 9 else " "
        mark: Span = (f" {self._looks.glyphs.to if here else ' ' * len(self._looks.glyphs.to)} ", "mark")
        glyphs, more = self._looks.glyphs, self._looks.glyphs.more
        why = f"{glyphs.no} {offer.why}" if offer.blocked else offer.why
        if offer.picked:
            why = _("the rule picks it: {why}", why=offer.why)
        words = (
            f"{fitted(harmless(offer.name), name, more=more)} {fitted(offer.open_leads, COUNT)} "
            f"{fitted(offer.this_month, COUNT + 2)} "
        )
        room = max(10, width - name - 2 * COUNT - 12)
        return (mark, (f"{digit} ", "key"), (words, tone),
                (fitted(harmless(why), room, more=more), "good" if offer.picked else tone))  # fmt: skip


def _key(key: str, words: str) -> tuple[Span, Span]:
    return (f" {key}", "key"), (f" {words} ", "dim")
