"""Settings: how this screen looks, which its user decides, and what the office has decided, which is a command."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from bo.core.kernel.errors import NotAllowed
from bo.core.kernel.text import LANGUAGES, _, language
from bo.tui.cells import fitted, harmless
from bo.tui.key_screen import ListScreen, cursor
from bo.tui.looks import THEMES, Span
from bo.tui.pane import Bar, Line
from bo.tui.source import Choice, CommandSpec, Outcome, ParamKind, ParamSpec
from bo.tui.triage import Step
from bo.tui.words import error_words

if TYPE_CHECKING:
    from bo.core.kernel.workspace import Workspace
    from bo.tui.screen import BoApp

SET, RESET = "settings.set", "settings.reset"
ON, OFF = "yes", "no"
LANGUAGE_NAMES = {"en": "English", "zh_CN": "简体中文"}
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


class SettingsScreen(ListScreen[None]):
    """Enter changes the one under the cursor, `x` lets one of the office be what it is by itself."""

    def __init__(self, app: BoApp) -> None:
        self._meaning, self._said, self._keys = Bar(app.looks), Bar(app.looks), Bar(app.looks)
        super().__init__(app.looks, self._meaning, self._said, self._keys)
        self._office = app
        self._items: Sequence[Item] = ()

    def on_mount(self) -> None:
        self._read()

    @property
    def count(self) -> int:
        return len(self._own()) + len(self._items)

    @property
    def here(self) -> Item | None:
        """The setting of the office under the cursor."""
        at = self.at - len(self._own())
        return self._items[at] if 0 <= at < len(self._items) else None

    def press(self, name: str) -> bool:
        here = self.here
        if name == "enter" and here is None:
            self._choose(self._own()[self.at])
        elif name == "enter" and here is not None:
            self._ask(here)
        elif name == "x" and here is not None and here.changed:
            self._change(RESET, here, here.by_itself)
        elif name == "?":
            self.leave()
        else:
            return False
        return True

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
            self.looks = self._office.looks
            for part in (self.heading, self.pane, self._meaning, self._said, self._keys):
                part.looks = self.looks
                part.refresh()
            self.draw()

        offers = [(_own_words(value), "", _("now") if value == own.holds else "") for value in own.values]
        self._office.overlays.choose(own.title, offers, picked)

    # The office's

    def _read(self) -> None:
        self._office.browser.read(_known, self._known, self._trouble, topic="settings")

    def _known(self, items: Sequence[Item]) -> None:
        self._items = items
        self.draw()

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

    def draw(self) -> None:
        self.heading.put([(f" {_('Settings')}", "title")])
        self._keys.put([(" " + _("j k move  Enter changes it  x as it is by itself  q closes"), "dim")])
        own = self._own()
        lines: list[Line] = [((" " + _("this screen"), "title"),)]
        for at, each in enumerate(own):
            lines.append(self._line(at, each.title, _own_words(each.holds), ""))
        if self._items:
            lines += [(), ((" " + _("the office"), "title"),)]
        lines += [
            self._line(at, item.key, item.holds, _beside(item), changed=item.changed)
            for at, item in enumerate(self._items, len(own))
        ]
        here = self.here
        self._meaning.put([(f" {harmless(here.meaning)}" if here else "", "info")])
        self.pane.put(lines, keep_offset=True)
        self.pane.show_line(self.at + (1 if self.at < len(own) else 3), above=1)

    def _line(self, at: int, title: str, holds: str, beside: str, *, changed: bool = False) -> Line:
        here, more = at == self.at, self.looks.glyphs.more
        name: Span = (fitted(title, 38, more=more) + " ", "head" if here else "text")
        value: Span = (fitted(harmless(holds) or "-", 16, more=more) + " ", "info" if changed else "text")
        return (cursor(here), name, value, (beside, "dim"))


def _beside(item: Item) -> str:
    return _("by itself {value}", value=harmless(item.by_itself) or "-") if item.changed else harmless(item.meaning)


def _own_words(value: str) -> str:
    """What a setting of the screen holds, with the word that is typed where that is another."""
    words = {ON: _("yes"), OFF: _("no"), **LANGUAGE_NAMES}.get(value) or _(value)
    return f"{words} ({value})" if value in THEMES and words != value else words


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
