"""The form of any command, derived from its parameters. It knows no command by name and decodes nothing itself.

Required values are asked for here; everything else about a value is judged by the command's own kinds through `check`,
and said beside the field.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widgets import Input

from bo.core.kernel.text import _
from bo.tui.cells import harmless, wrapped
from bo.tui.choice import ChoiceField
from bo.tui.confirm import SETTLE_S
from bo.tui.looks import Looks, Tone
from bo.tui.pane import Bar, Pane, steady
from bo.tui.rows_field import RowsField
from bo.tui.source import Choice, CommandSpec, Foresight, ParamSpec, StartRow

Values = Mapping[str, str]


class Checked(Protocol):
    """Takes what is wrong with the values, and what they would do where nothing is."""

    def __call__(self, wrong: Mapping[str, str], foresight: Foresight | None = None) -> None: ...


Check = Callable[[Values, Checked], None]
Search = Callable[[str, str, Callable[[list[Choice]], None]], None]

FRAME_HEIGHT = 8
MORNING = "10:00"
DAYS_AHEAD = {"t": ("tomorrow", 1), "d": ("in two days", 2), "w": ("in a week", 7), "m": ("in a month", 30)}


class TextField(Input):
    """One line of text. Keys that move between fields are left to the form."""

    def __init__(self, value: str, placeholder: str) -> None:
        super().__init__(value, placeholder=placeholder, compact=True, select_on_focus=False)
        self.cursor_blink = False

    def render_line(self, y: int) -> Strip:
        return steady(super().render_line(y))

    async def _on_key(self, event: events.Key) -> None:
        if event.key in ("enter", "escape", "tab", "shift+tab", "up", "down", "ctrl+s"):
            return
        await super()._on_key(event)


class WhenField(TextField):
    """A time to come: one key while it is empty, or typed."""

    class Picked(Message):
        """A day was chosen by its key."""

    def __init__(self, param: ParamSpec, value: str) -> None:
        told = "  ".join(f"{key} {_(words)}" for key, (words, _days) in DAYS_AHEAD.items())
        super().__init__(value, _("{keys}, or type a day", keys=told))
        self._param = param

    async def _on_key(self, event: events.Key) -> None:
        if not self.value and event.character in DAYS_AHEAD:
            event.stop()
            event.prevent_default()
            self.value = self._in_days(DAYS_AHEAD[event.character][1])
            self.post_message(self.Picked())
        else:
            await super()._on_key(event)

    def _in_days(self, days: int) -> str:
        from bo.core.kernel.moments import zone_of

        day = (datetime.now(zone_of(self._param.ahead)) + timedelta(days=days)).date().isoformat()
        return day if self._param.kind == "day" else f"{day} {MORNING}"


Field = TextField | ChoiceField | RowsField


class FieldRow(Vertical):
    """A parameter's title, its field, and what is wrong with its value."""

    DEFAULT_CSS = """
    FieldRow { height: auto; }
    FieldRow Horizontal { height: auto; }
    FieldRow .label { width: 19; padding-right: 1; }
    FieldRow TextField { width: 1fr; }
    FieldRow .error { margin-left: 19; display: none; }
    """

    def __init__(self, looks: Looks, param: ParamSpec, field: Field) -> None:
        super().__init__()
        self.param = param
        self.field = field
        self._looks = looks
        self._label = Bar(looks)
        self._label.add_class("label")
        self.error = Bar(looks)
        self.error.add_class("error")

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield self._label
            yield self.field
        yield self.error

    def on_mount(self) -> None:
        star = "*" if self.param.required else " "
        self._label.put([(star, "key"), (_(self.param.title), "text")])

    def blame(self, why: str) -> None:
        """Say what is wrong, or with nothing to say take it back."""
        self.error.put([(f"{self._looks.glyphs.no} {why}", "bad")] if why else [])
        self.error.display = bool(why)


class FormScreen(ModalScreen["Values | None"]):
    """Tab moves, ctrl+s sends, Enter on the last field sends, Esc leaves after asking if something was typed."""

    def __init__(
        self,
        looks: Looks,
        command: CommandSpec,
        heading: str,
        check: Check,
        search: Search,
        start: Values,
        ready: Callable[[], None],
        start_rows: Mapping[str, Sequence[StartRow]] | None = None,
    ) -> None:
        super().__init__()
        self._looks = looks
        self._command = command
        self._heading = heading
        self._check = check
        self._search = search
        self._leaving = False
        self._sent = False
        self._start = start
        self._ready = ready
        self._start_rows = start_rows or {}
        self._foreseen: Values | None = None
        self._foreseen_at = 0.0
        self._told = Pane(looks, id="told")
        self._told.display = False
        self._told.styles.margin = (1, 0, 0, 0)
        self._rows = [FieldRow(looks, param, self._field(param)) for param in command.params]
        self._before = self.values()
        self._foot = Bar(looks, id="foot")

    def values(self) -> dict[str, str]:
        """What stands in the fields now: all that is filled; when editing, all that was changed, also to nothing."""
        given = {row.param.name: row.field.value.strip() for row in self._rows}
        if self._command.edits and self._start:
            return {name: value for name, value in given.items() if value != self._start.get(name, "").strip()}
        return {name: value for name, value in given.items() if value}

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            title = Bar(self._looks, id="heading")
            title.put([(self._heading, "title")])
            yield title
            with VerticalScroll(id="fields", can_focus=False):
                yield from self._rows
            yield self._told
            yield self._foot

    def on_resize(self, event: events.Resize) -> None:
        # Whatever the number of fields, the line with the keys stays on the screen.
        self.query_one("#fields").styles.max_height = max(3, event.size.height - FRAME_HEIGHT)

    def on_mount(self) -> None:
        self._say_keys()
        if self._rows:
            first = next((row for row in self._rows if row.param.required and not row.field.value), self._rows[0])
            self.set_focus(first.field)
        self._ready()

    def on_key(self, event: events.Key) -> None:
        if event.key == "escape":
            self._leave()
        elif event.key == "ctrl+s":
            self.send()
        elif event.key == "enter":
            self._enter()
        elif event.key in ("tab", "down", "shift+tab", "up"):
            self._move(1 if event.key in ("tab", "down") else -1)
        else:
            self._stay()
            return
        event.stop()
        event.prevent_default()

    def on_choice_field_entered(self, event: ChoiceField.Entered) -> None:
        event.stop()
        self._enter()

    def on_choice_field_picked(self, event: ChoiceField.Picked) -> None:
        event.stop()
        self._picked()

    def on_rows_field_entered(self, event: RowsField.Entered) -> None:
        event.stop()
        self._enter()

    def on_rows_field_changed(self, event: RowsField.Changed) -> None:
        event.stop()
        self._stay()

    def on_when_field_picked(self, event: WhenField.Picked) -> None:
        event.stop()
        self._picked()

    def _picked(self) -> None:
        """One key answers the form if nothing is open that is required, and no time to come; else it goes on there."""
        open_rows = [row for row in self._rows if not row.field.value and (row.param.required or row.param.ahead)]
        if not open_rows:
            self.send()
        elif any(row.param.required for row in open_rows):
            self._move(1)
        else:
            self.set_focus(open_rows[0].field)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._stay()
        for row in self._rows:
            if row.field is event.input:
                row.blame("")

    def send(self) -> None:
        """Check everything; close with the values, or say what is wrong beside the fields."""
        values = self.values()
        if self._foreseen is not None and values == self._foreseen:
            # Nobody reads what would happen that fast: it was a key that was held, or pressed twice.
            if time.monotonic() - self._foreseen_at >= SETTLE_S:
                self.dismiss(values)
            return
        if self._sent:
            return
        missing = {
            row.param.name: _("is needed")
            for row in self._rows
            if row.param.required and not values.get(row.param.name)
        }
        missing |= {
            row.param.name: row.field.problem
            for row in self._rows
            if isinstance(row.field, RowsField) and row.field.problem
        }
        if missing:
            self._blame(missing)
            return
        self._sent = True
        self._check(values, partial(self._checked, values))

    def _checked(self, values: Values, wrong: Mapping[str, str], foresight: Foresight | None = None) -> None:
        self._sent = False
        if not self.is_current:
            return
        if wrong:
            self._blame(wrong)
        elif foresight is not None:
            self._show_foresight(values, foresight)
        else:
            self.dismiss(values)

    def _show_foresight(self, values: Values, foresight: Foresight) -> None:
        """What would happen, once it is all filled in; the same key again does it."""
        self._blame({})
        self._foreseen, self._foreseen_at = values, time.monotonic()
        self._rows_enter(True)
        self._tell(foresight.lines or (_("nothing of it can be shown before"),), "text")
        self._foot.put([("Enter", "key"), (" " + _("do it") + "   ", "warn"), ("Esc", "key"),
                        (" " + _("leave"), "dim")])  # fmt: skip

    def _tell(self, told: Sequence[str], tone: Tone) -> None:
        """Words below the fields, on as many lines as they need."""
        fields = self.query_one("#fields")
        width = max(20, fields.size.width - 1)
        lines = [part for line in told for part in wrapped(harmless(line), width, 3)]
        self._told.styles.height = min(len(lines), max(3, self.size.height - FRAME_HEIGHT - fields.size.height))
        self._told.display = bool(lines)
        self._told.put([((part, tone),) for part in lines])

    def _blame(self, wrong: Mapping[str, str]) -> None:
        for row in self._rows:
            row.blame(wrong.get(row.param.name, ""))
        known = {row.param.name for row in self._rows}
        others = [why for name, why in wrong.items() if name not in known]
        self._tell(others[:1], "bad")
        for row in self._rows:
            if row.param.name in wrong:
                self.set_focus(row.field)
                return

    def _enter(self) -> None:
        # Where sending first shows what would happen, it need not wait for fields that may be left alone.
        ready = self._command.confirm and all(row.field.value for row in self._rows if row.param.required)
        if ready or self.focused is self._rows[-1].field:
            self.send()
        else:
            self._move(1)

    def _move(self, step: int) -> None:
        at = next((index for index, row in enumerate(self._rows) if row.field is self.focused), 0)
        self.set_focus(self._rows[(at + step) % len(self._rows)].field)

    def _leave(self) -> None:
        if self.values() == self._before or self._leaving:
            self.dismiss(None)
            return
        self._leaving = True
        self._foot.put([(_("Not sent yet: Esc again throws it away, any other key goes on"), "warn")])

    def _stay(self) -> None:
        changed = self._foreseen is not None and self._foreseen != self.values()
        if changed:
            self._foreseen = None
            self._rows_enter(False)
        if self._foreseen is None:
            self._told.display = False
        if self._leaving or changed:
            self._leaving = False
            self._say_keys()

    def _rows_enter(self, enters: bool) -> None:
        for row in self._rows:
            if not isinstance(row.field, TextField):
                row.field.enters = enters

    def _say_keys(self) -> None:
        self._foot.put(
            [("Tab", "key"), (" " + _("next") + "  ", "dim"), ("^s", "key"), (" " + _("send") + "  ", "dim"),
             ("Esc", "key"), (" " + _("leave"), "dim")]
        )  # fmt: skip

    def _field(self, param: ParamSpec) -> Field:
        if param.columns:
            return RowsField(self._looks, param, self._start_rows.get(param.name, ()))
        value = self._start.get(param.name, "" if self._command.edits and self._start else param.default)
        if param.kind == "ref":
            noun = param.ref or param.name
            return ChoiceField(self._looks, (), value, search=lambda text, then: self._search(noun, text, then))
        if param.kind == "flag":
            return ChoiceField(self._looks, (Choice("yes", _("yes")), Choice("no", _("no"))), value)
        if param.choices:
            return ChoiceField(self._looks, [Choice(c.value, _(c.words)) for c in param.choices], value)
        return WhenField(param, value) if param.ahead else TextField(value, _placeholder(param))


def _placeholder(param: ParamSpec) -> str:
    if param.help:
        return _(param.help)
    match param.kind:
        case "day":
            return _("a day, such as 2026-11-21")
        case "moment":
            return _("a moment, such as 2026-11-21 15:30")
        case "amount":
            return _("an amount, such as 1200.00")
        case "number":
            return _("a number")
        case "phone":
            return _("a phone number")
        case _:
            return ""
