"""Where the user is and may go: the records shown, views of them, what belongs to one, and the way back.

It holds what differs from one sort of records to the next: their commands, their views, the marks among them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from bo.core.kernel.text import _
from bo.tui.keys import COUNTED, GO_KEYS
from bo.tui.looks import Span
from bo.tui.marks import Marks
from bo.tui.source import CommandSpec, Desk, NamedView, Place, Related
from bo.tui.views import SLOTS, views_of

if TYPE_CHECKING:
    from bo.tui.pane import Line
    from bo.tui.screen import BoApp


class Frame:
    """Goes from one sort of records to another. Keys typed on the way wait until their commands are there."""

    def __init__(self, app: BoApp) -> None:
        self._app = app
        self._noun = ""
        self._commands: dict[str, list[CommandSpec]] = {}
        self._own: dict[str, list[NamedView]] = {}
        self._marks: dict[str, Marks] = {}
        self._going = self._leaving = False
        self.places: Sequence[Place] = ()

    @property
    def commands(self) -> list[CommandSpec]:
        return self._commands.get(self._noun, [])

    @property
    def views(self) -> list[NamedView]:
        return views_of(self._app.browser.noun, self._own.get(self._app.browser.noun, ()))

    @property
    def is_ready(self) -> bool:
        """Whether the commands of the records here are on their keys."""
        return self._noun == self._app.browser.noun and self._noun in self._commands

    # What differs from place to place

    def arrived(self) -> None:
        """A view is shown. Where its records are others than before, so are the commands, the views and the marks."""
        noun = self._app.browser.noun
        if noun == self._noun:
            self._settle()
            self.recount()
            return
        self._marks.setdefault(self._noun, self._app.table.marks)
        self._noun = noun
        self._app.table.marks = self._marks.setdefault(noun, Marks())
        if noun in self._commands:
            self._changed()
        else:
            self._app.desk_lane.ask(lambda desk: _learnt(desk, noun), self._learnt, self._app.trouble)

    def _learnt(self, told: tuple[str, Sequence[Place], list[CommandSpec], list[NamedView]]) -> None:
        noun, places, commands, views = told
        order = list(GO_KEYS)
        self.places = sorted(places, key=lambda place: order.index(place.noun) if place.noun in GO_KEYS else len(order))
        self._commands[noun], self._own[noun] = commands, views
        self._changed()

    def recount(self) -> None:
        """Views that say how many there are say it anew."""
        noun = self._noun
        if noun in COUNTED and noun in self._own:
            self._app.desk_lane.ask(
                lambda desk: list(desk.views(noun)), lambda views: self._recounted(noun, views), self._app.trouble,
                topic="views",
            )  # fmt: skip

    def _recounted(self, noun: str, views: list[NamedView]) -> None:
        if self._own.get(noun) != views:
            self._own[noun] = views
            if noun == self._noun:
                self._app.commands_changed()

    def _changed(self) -> None:
        if self.is_ready:
            self._app.commands_changed()
            self._settle()

    def _settle(self) -> None:
        if self._going:
            self._going = False
            self._app.release_keys()

    def stay(self) -> None:
        """Something went wrong: who was on the way stays where they were, and what they typed ahead is dropped."""
        if self._going:
            self._going = False
            if self._leaving:
                self.back()
            self._app.release_keys(drop=True)

    def is_elsewhere(self, name: str) -> bool:
        """Whether an action is a command of other records than those here."""
        noun, dot, _verb = name.partition(".")
        return bool(dot) and noun != self._noun and any(place.noun == noun for place in self.places)

    # Going

    def go(self, noun: str, filter_text: str = "", sort: str = "", keep: str = "") -> None:
        """Show other records. Without a filter, those the first of their views asks for, or all."""
        view = next(iter(views_of(noun, self._own.get(noun, ()))), None)
        if not filter_text and not sort and view is not None:
            filter_text, sort = view.filter_text, view.sort
        self._set_off(leaving=True)
        self._app.browser.go(noun, filter_text, sort, keep)

    def show(self, view: NamedView) -> None:
        """Open a view of the records here."""
        self._set_off(leaving=False)
        columns = view.columns or self._app.browser.chosen_for(view.noun)
        self._app.browser.open(view.filter_text, view.sort, noun=view.noun, columns=columns)

    def show_all(self) -> None:
        """All records of the sort that is here."""
        self._set_off(leaving=False)
        self._app.browser.filter_by("")

    def _set_off(self, *, leaving: bool) -> None:
        """What is typed from now on is meant for the rows that come, not for those that still stand here."""
        self._going, self._leaving = True, leaving
        self._app.say("")
        self._app.hold_keys()

    def back(self) -> bool:
        """To where the user was before; returns whether there was such a place."""
        return self._app.browser.come_back()

    def turn_back(self) -> None:
        """As `back`, and says where there is none."""
        if not self.back():
            self._app.say(_("You have not been anywhere else"), "dim")

    def pick_view(self) -> None:
        """Choose one of the views by name."""
        views = self.views
        hints = [(view.title, str(view.slot or ""), view.filter_text) for view in views]
        self._app.overlays.choose(_("Views"), hints, lambda at: self.show(views[at]))

    def pick_related(self) -> None:
        """Choose what belongs to the record under the cursor, and go there."""
        row = self._app.table.current()
        if row is not None:
            self._app.browser.related(row.id, self._related)

    def _related(self, found: list[Related]) -> None:
        if not found:
            self._app.say(_("Nothing belongs to this record"), "dim")
            return
        hints = [(item.title, "", "") for item in found]
        self._app.overlays.choose(_("What belongs to it"), hints, lambda at: self._go_to(found[at]))

    def _go_to(self, item: Related) -> None:
        self.go(item.noun, item.filter_text)

    # Keeping views

    def save_view(self, text: str) -> None:
        """Keep the filter, the order of rows and the columns under a name, on the digit that is said last or is
        free."""
        name, _space, digit = text.strip().rpartition(" ")
        if not name or not digit.isdigit() or not 0 < int(digit) <= SLOTS:
            name, digit = text.strip(), ""
        if not name:
            self._app.typing.open(":", "save-view ")
            return
        slot = int(digit) if digit else self._slot_for(name)
        browser = self._app.browser
        view = NamedView(browser.noun, name, browser.filter_text, browser.sort, slot, columns=browser.chosen)
        saved = _("View {name} saved; {key} opens it", name=name, key=slot or "gv")
        self._change(lambda desk: desk.save_view(view), saved)

    def _slot_for(self, name: str) -> int:
        """The digit that the view of this name has, or else the first one that is free; 0 for none."""
        taken = {view.slot: view.title for view in self.views if view.slot}
        same = [slot for slot, title in taken.items() if title == name]
        free = [slot for slot in range(1, SLOTS + 1) if slot not in taken]
        return next(iter([*same, *free]), 0)

    def remove_view(self, text: str) -> None:
        """Let a view of the user's own go."""
        view = next((view for view in self.views if view.id and view.title == text.strip()), None)
        if view is None:
            self._app.say(_("You have no view {name}", name=text.strip() or "-"), "warn")
            return
        gone = view
        self._change(lambda desk: desk.remove_view(gone), _("View {name} removed", name=view.title))

    def _change(self, change: Callable[[Desk], None], words: str) -> None:
        noun = self._noun

        def work(desk: Desk) -> list[NamedView]:
            change(desk)
            return list(desk.views(noun))

        def done(views: list[NamedView]) -> None:
            self._own[noun] = views
            self._app.commands_changed()
            self._app.say(words, "good")

        self._app.desk_lane.ask(work, done, self._app.trouble)

    # Drawing

    def is_current(self, view: NamedView) -> bool:
        shown = self._app.browser.view
        return shown is not None and (shown.filter_text, shown.sort) == (view.filter_text, view.sort)

    def tabs(self) -> list[Span]:
        """The views of the records here, on one line."""
        spans: list[Span] = []
        for view in self.views:
            label = f"{view.slot} " if view.slot else ""
            spans += [(f" {label}", "key"), (f"{view.title} ", "head" if self.is_current(view) else "dim")]
        return spans

    def rail(self) -> list[Line]:
        """The places with a key, and the views of the one the user is at, below each other."""
        lines: list[Line] = []
        for item in self.on_rail():
            if isinstance(item, NamedView):
                title: Span = (item.title, "title" if self.is_current(item) else "dim")
                lines.append(((f"   {item.slot or ' '} ", "key"), title))
            else:
                here = item.noun == self._app.browser.noun
                lines.append(((f" {GO_KEYS.get(item.noun, '  ')} ", "key"), (item.title, "head" if here else "text")))
        return lines

    def on_rail(self) -> list[Place | NamedView]:
        """What stands on the rail, line by line."""
        listed: list[Place | NamedView] = []
        for place in self.places:
            here = place.noun == self._app.browser.noun
            listed += [place] if place.noun in GO_KEYS or here else []
            listed += self.views if here else []
        return listed


def _learnt(desk: Desk, noun: str) -> tuple[str, Sequence[Place], list[CommandSpec], list[NamedView]]:
    return noun, desk.places(), list(desk.commands(noun)), list(desk.views(noun))
