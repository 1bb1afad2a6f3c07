"""Settings: how this screen looks, which its user decides, and what the office has decided, which is a command."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from textual import events
from textual.app import ComposeResult
from textual.screen import ModalScreen

from bo.core.kernel.errors import NotAllowed
from bo.core.kernel.text import LANGUAGES, _, language
from bo.tui.cells import fitted, harmless
from bo.tui.keys import key_name
from bo.tui.looks import THEMES, Span
from bo.tui.pane import Bar, Line, Pane
from bo.tui.source import Choice, CommandSpec, Outcome, ParamKind, ParamSpec
from bo.tui.triage import Step
from bo.tui.words import error_words

if TYPE_CHECKING:
    from bo.core.kernel.workspace import Workspace
    from bo.tui.screen import BoApp

SET, RESET = "settings.set", "settings.reset"
ON, OFF = "yes", "no"
KINDS: dict[str, ParamKind] = {"flag": "flag", "choice": "choice", "amount": "amount", "whole": "number"}


class Item(Struct, frozen=True):
    """One setting of the office, with the field by which it is changed."""

    key: str
    holds: str
    by_itself: str
    changed: bool
    meaning: str
    field: ParamSpec


class Own(Struct, frozen=True):
    """One setting of this screen."""

    title: str
    holds: str
    values: tuple[str, ...]
    use: Callable[[str], None]


def open_settings(app: BoApp) -> None:
    """Show all settings; those of the office as far as the operator may see them."""
    app.push_screen(SettingsScreen(app))


class SettingsScreen(ModalScreen[None]):
    """Enter changes the one under the cursor, `x` lets one of the office be what it is by itself."""

    def __init__(self, app: BoApp) -> None:
        super().__init__()
        self._office = app
        self._items: Sequence[Item] = ()
        self._at = 0
        self._heading = Bar(app.looks, raised=True)
        self._pane = Pane(app.looks, id="text")
        self._meaning = Bar(app.looks)
        self._said = Bar(app.looks)
        self._keys = Bar(app.looks)

    def compose(self) -> ComposeResult:
        yield self._heading
        yield self._pane
        yield self._meaning
        yield self._said
        yield self._keys

    def on_mount(self) -> None:
        self._draw()
        self._read()

    def on_resize(self) -> None:
        self._draw()

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        name = key_name(event.key, event.character)
        moves = {"j": 1, "down": 1, "k": -1, "up": -1, "pagedown": 10, "pageup": -10, "G": 999, "g": -999}
        own = self._own()
        here = self._items[self._at - len(own)] if len(own) <= self._at < len(own) + len(self._items) else None
        if name in moves:
            self._at = max(0, min(self._at + moves[name], len(own) + len(self._items) - 1))
        elif name == "enter" and here is None:
            self._choose(own[self._at])
        elif name == "enter" and here is not None:
            self._ask(here)
        elif name == "x" and here is not None and here.changed:
            self._change(RESET, here, here.by_itself)
        elif name in ("q", "escape", "?"):
            self.dismiss(None)
            return
        self._draw()

    # This screen's own

    def _own(self) -> list[Own]:
        app = self._office
        return [
            Own(_("Theme"), app.looks.name, THEMES, app.use_theme),
            Own(_("Language"), language(), LANGUAGES, app.use_language),
            Own(_("Plain characters only"), ON if app.ascii else OFF, (OFF, ON), lambda v: app.use_ascii(v == ON)),
            Own(_("After acting, go on to the next row"), ON if app.advances else OFF, (ON, OFF),
                lambda value: app.use_advance(value == ON)),
        ]  # fmt: skip

    def _choose(self, own: Own) -> None:
        def picked(at: int) -> None:
            own.use(own.values[at])
            for part in (self._heading, self._pane, self._meaning, self._said, self._keys):
                part.looks = self._office.looks
                part.refresh()
            self._draw()

        words = {ON: _("yes"), OFF: _("no")}
        offers = [(words.get(value, value), "", _("now") if value == own.holds else "") for value in own.values]
        self._office.overlays.choose(own.title, offers, picked)

    # The office's

    def _read(self) -> None:
        self._office.browser.read(_known, self._known, self._trouble, topic="settings")

    def _known(self, items: Sequence[Item]) -> None:
        self._items = items
        self._draw()

    def _trouble(self, error: Exception) -> None:
        self._said.put([(f" {error_words(error)}", "warn" if isinstance(error, NotAllowed) else "bad")])

    def _ask(self, item: Item) -> None:
        command = CommandSpec(SET, "set", item.key, (item.field,), subject=False, about="key")
        self._office.overlays.form(
            command, [], item.key, lambda values: self._change(SET, item, values["value"]), {"key": item.key}
        )

    def _change(self, command: str, item: Item, value: str) -> None:
        question = _("{setting}: {before} becomes {after} for everybody ?", setting=item.key, before=item.holds or "-",
                     after=value or "-")  # fmt: skip
        self._office.overlays.confirm(question, 0, lambda: self._do(command, item, value))

    def _do(self, command: str, item: Item, value: str) -> None:
        ids = [item.key] if command == RESET else []
        arguments = {"key": item.key, "value": value} if command == SET else {}

        def done(outcomes: list[Outcome]) -> None:
            (outcome,) = outcomes
            if not outcome.ok:
                self._said.put([(f" {outcome.message}", "bad")])
                return
            spec = CommandSpec(command, command.partition(".")[2], item.key, subject=bool(ids), done="changed")
            self._office.triage.note(Step(spec, arguments, (outcome.record_id,), (outcome.operation,)))
            words = _("{setting} is {value} now", setting=item.key, value=value)
            self._said.put([(f" {words}", "good")])
            self._read()

        self._office.desk_lane.ask(lambda desk: desk.run(command, ids, arguments), done, self._trouble)

    # Drawing

    def _draw(self) -> None:
        looks = self._office.looks
        self._heading.put([(f" {_('Settings')}", "title")])
        self._keys.put([(" " + _("j k move  Enter changes it  x as it is by itself  q closes"), "dim")])
        own = self._own()
        lines: list[Line] = [((" " + _("this screen"), "title"),)]
        words = {ON: _("yes"), OFF: _("no")}
        for at, each in enumerate(own):
            lines.append(self._line(at, each.title, words.get(each.holds, each.holds), ""))
        if self._items:
            lines += [(), ((" " + _("the office"), "title"),)]
        lines += [
            self._line(at, item.key, item.holds, item.by_itself if item.changed else "", changed=item.changed)
            for at, item in enumerate(self._items, len(own))
        ]
        here = (
            self._items[min(self._at - len(own), len(self._items) - 1)]
            if self._at >= len(own) and self._items
            else None
        )
        self._meaning.put([(f" {harmless(here.meaning)}" if here else "", "info")])
        self._pane.put(lines, keep_offset=True)
        line, height = self._at + (1 if self._at < len(own) else 3), max(1, self._pane.size.height)
        offset = self._pane.offset_lines
        self._pane.scroll_lines(line + 1 - height - offset if line >= offset + height else min(0, line - 1 - offset))
        self._pane.looks = looks

    def _line(self, at: int, title: str, holds: str, by_itself: str, *, changed: bool = False) -> Line:
        here, more = at == self._at, self._office.looks.glyphs.more
        cursor: Span = (" > " if here else "   ", "key")
        name: Span = (fitted(title, 38, more=more) + " ", "head" if here else "text")
        value: Span = (fitted(harmless(holds) or "-", 16, more=more) + " ", "info" if changed else "text")
        usual = _("by itself {value}", value=harmless(by_itself) or "-") if changed else ""
        return (cursor, name, value, (usual, "dim"))


def _known(workspace: Workspace) -> list[Item]:
    """In the reading thread: every setting of the office. Raises NotAllowed."""
    from bo.core.access.settings import DECLARED

    listed = workspace.ask("settings.all", None)
    return [
        Item(each.setting, _words(each.holds), _words(each.by_itself), each.changed, each.meaning,
             _field(DECLARED[each.setting].kind.name, DECLARED[each.setting].kind.describe(), each.holds))
        for each in listed
    ]  # fmt: skip


def _field(kind: str, described: dict[str, object], holds: str) -> ParamSpec:
    options, labels = described.get("options"), described.get("labels")
    choices: tuple[Choice, ...] = ()
    if isinstance(options, list) and isinstance(labels, list):
        choices = tuple(Choice(str(option), str(label)) for option, label in zip(options, labels, strict=True))
    now = _("now {value}", value=holds or "-")
    return ParamSpec("value", "wanted value", KINDS.get(kind, "text"), True, choices, help=now)


def _words(value: str) -> str:
    """A value as people read it: a switch is on or off in their words."""
    return {"True": _("yes"), "False": _("no")}.get(value, value)
