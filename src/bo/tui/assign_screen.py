"""Which store takes a lead: each with its load, and the one that the rule would pick under the cursor."""

from __future__ import annotations

from collections.abc import Sequence

from bo.core.kernel.text import _
from bo.tui.cells import fitted, harmless
from bo.tui.key_screen import ListScreen, cursor
from bo.tui.leads import StoreOffer
from bo.tui.looks import Looks, Span, Tone
from bo.tui.pane import Bar, Line

BY_FORM = StoreOffer("", "", "", "", False, False, "")
NAME_MAX, COUNT = 28, 10


class AssignScreen(ListScreen["StoreOffer | None"]):
    """Closes with the store that was chosen, with `BY_FORM` for who wants to fill in the form, or with nothing."""

    def __init__(self, looks: Looks, heading: str, offers: Sequence[StoreOffer]) -> None:
        self._said, self._foot = Bar(looks), Bar(looks)
        super().__init__(looks, self._said, self._foot)
        self._title = heading
        self._offers = offers

    @property
    def count(self) -> int:
        return len(self._offers)

    def on_mount(self) -> None:
        self.heading.put([(f" {self._title}", "title")])
        offered = [("1-9", _("this store")), ("Enter", _("the one at the cursor")), ("f", _("form, with search")),
                   ("q", _("back"))]  # fmt: skip
        self._foot.put([span for key, words in offered for span in _key(key, words)])

    def press(self, name: str) -> bool:
        if name == "enter":
            self._choose(self.at)
        elif name.isdecimal() and name.isascii() and 0 < int(name) <= self.count:
            self._choose(int(name) - 1)
        elif name == "f":
            self.dismiss(BY_FORM)
        else:
            return False
        return True

    def _choose(self, at: int) -> None:
        offer = self._offers[at]
        if offer.blocked:
            self.at = at
            self.draw()
            self._said.put([(" " + _("{store} cannot take it: {why}", store=offer.name, why=offer.why), "bad")])
        else:
            self.dismiss(offer)

    def draw(self) -> None:
        width = max(40, self.size.width)
        name = min(NAME_MAX, width // 3)
        head = (
            f"      {fitted(_('Store'), name)} {fitted(_('open leads'), COUNT)} {fitted(_('this month'), COUNT + 2)} "
        )
        lines: list[Line] = [((head + _("why"), "dim"),)]
        lines += [self._line(at, offer, name, width) for at, offer in enumerate(self._offers)]
        self.pane.put(lines, keep_offset=True)
        self.pane.show_line(self.at + 1, above=1)
        # What has no room in its line is told in full for the one at the cursor.
        self._said.put([(f" {harmless(self._offers[self.at].why)}", "dim")])

    def _line(self, at: int, offer: StoreOffer, name: int, width: int) -> Line:
        here = at == self.at
        tone: Tone = "head" if here else "dim" if offer.blocked else "text"
        digit = str(at + 1) if at < 9 else " "
        glyphs, more = self.looks.glyphs, self.looks.glyphs.more
        why = f"{glyphs.no} {offer.why}" if offer.blocked else offer.why
        if offer.picked:
            why = _("the rule picks it: {why}", why=offer.why)
        words = (
            f"{fitted(harmless(offer.name), name, more=more)} {fitted(offer.open_leads, COUNT)} "
            f"{fitted(offer.this_month, COUNT + 2)} "
        )
        room = max(10, width - name - 2 * COUNT - 12)
        return (cursor(here), (f"{digit} ", "key"), (words, tone),
                (fitted(harmless(why), room, more=more), "good" if offer.picked else tone))  # fmt: skip


def _key(key: str, words: str) -> tuple[Span, Span]:
    return (f" {key}", "key"), (f" {words} ", "dim")
