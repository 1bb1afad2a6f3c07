"""The screen itself: puts the parts together, turns key presses into actions, and says what happened.

It alone changes what is shown. Reading and writing happen in two threads (`lane.py`), whose answers arrive here as
messages.
What takes long to import and is not needed for the first paint is imported where it is used.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from textual import events
from textual.app import App, ComposeResult
from textual.containers import Container
from textual.message import Message

from bo.core.kernel.errors import BoError
from bo.core.kernel.text import LANGUAGES, _, use_language
from bo.tui.actions import Action, Actions, key_label
from bo.tui.cells import whole_sentences
from bo.tui.elsewhere import MOST, News
from bo.tui.frame import Frame
from bo.tui.head import head_spans
from bo.tui.jobs import Jobs
from bo.tui.keyboard import Keyboard
from bo.tui.keys import read_keys_file
from bo.tui.lane import Lane
from bo.tui.leaving import leave_on_signals
from bo.tui.looks import THEMES, Tone, looks_for
from bo.tui.marking import Marking
from bo.tui.overlays import Overlays
from bo.tui.pane import Bar, Pane
from bo.tui.reading import Reading
from bo.tui.remembered import Remembered
from bo.tui.source import CommandSpec, Desk, Detail, Library, ScreenOptions, Standing
from bo.tui.standard import command_actions, standard_actions
from bo.tui.table import VirtualTable
from bo.tui.theme import STYLES, chosen_theme, draw_scroll_bars, textual_theme, without_colour
from bo.tui.triage import Triage
from bo.tui.typing_line import TypingLine
from bo.tui.words import error_words, nothing_here

if TYPE_CHECKING:
    from bo.tui.browse import Browser
    from bo.tui.triage import Arguments

WIDE, WIDEST = 120, 170
SETTLE_S = 0.06
STANDING_S = 5.0


class Answered(Message):
    """A lane has an answer; the screen makes the call."""

    def __init__(self, call: Callable[[], None]) -> None:
        super().__init__()
        self.call = call


class BoApp(App[None]):
    """Triage by keyboard over one frozen view."""

    CSS = STYLES
    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = None
    ALLOW_SELECT = False
    TITLE = "bo"

    def __init__(
        self,
        browser: Browser,
        reading_lane: Lane[Library],
        open_desk: Callable[[], Desk],
        standing: Standing,
        options: ScreenOptions,
    ) -> None:
        # Textual would make greys of the terminal's own colours otherwise, black on black in dialogs.
        super().__init__(ansi_color=True if without_colour() else None)
        self.browser = browser
        self.standing = standing
        self.actions = Actions()
        self.remembered = Remembered(options.screen_file)
        self.ascii = options.ascii or self.remembered.get("ascii") == "yes"
        self.looks = looks_for(chosen_theme(options.theme, self.remembered.get("theme")), ascii_only=self.ascii)
        self._options = options
        self._reading_lane = reading_lane
        self._open_desk = open_desk
        self._wanted_keys, self._key_problems = read_keys_file(options.keys_file)
        self._preview_wanted: bool | None = None
        self._settle_timer: asyncio.TimerHandle | None = None
        self.keyboard = Keyboard(self, super().on_event)
        self.desk_lane: Lane[Desk]
        self.triage: Triage
        self._make_parts()
        self._apply_theme()

    def _make_parts(self) -> None:
        self.table = VirtualTable(self.looks, self.browser, self)
        self.head = Bar(self.looks, raised=True, id="head")
        self.preview = Pane(self.looks, raised=True, id="preview")
        self.rail = Pane(self.looks, raised=True, id="rail")
        self.body = Container(self.rail, self.table, self.preview, id="body")
        self.tabs = Bar(self.looks, id="tabs")
        self.message = Bar(self.looks, id="message")
        self.foot = Bar(self.looks, id="foot-keys")
        self.overlays = Overlays(self)
        self.frame = Frame(self)
        self.reading = Reading(self)
        self.news = News(self, self._show_head)
        self.jobs = Jobs(self, self._options.environment)
        self.typing = TypingLine(self)
        self.marking = Marking(self.table, self.browser, self.say, self.settle_soon)
        self.browser.table = self.table
        self.browser.stage = self

    def compose(self) -> ComposeResult:
        yield self.head
        yield self.tabs
        yield self.body
        yield self.message
        yield self.foot

    def on_mount(self) -> None:
        self.set_interval(STANDING_S, self._look_at_standing)
        leave_on_signals(self)
        self._fill_actions()
        self.table.focus()
        self._arrange()
        self._show_head()
        self._reading_lane.attach(self.post_call)
        if self.browser.view is None and not self.browser.opening:
            self.browser.open(self._options.filter_text, self._options.sort)

    def post_call(self, call: Callable[[], None]) -> None:
        """Have the screen make a call. From any thread."""
        self.post_message(Answered(call))

    def on_answered(self, message: Answered) -> None:
        message.call()

    async def on_unmount(self) -> None:
        self._reading_lane.close()
        await self.jobs.close()
        if self.has_desk:
            self.desk_lane.close()

    # The desk is opened once rows are on the screen: loading every command must not delay the first paint.

    @property
    def has_desk(self) -> bool:
        return hasattr(self, "triage")

    @property
    def has_commands(self) -> bool:
        """Whether record commands are on their keys: the screen is ready for everything."""
        return self.frame.is_ready and self.typing.is_ready

    def _open_writing(self) -> None:
        if self.has_desk:
            return
        self.desk_lane = Lane("bo-desk", self._open_desk)
        self.desk_lane.attach(self.post_call)
        self.triage = Triage(self.desk_lane, self.table, self.browser, self)
        self.triage.advance = self.remembered.get("advance") != "no"
        self.frame.arrived()
        self.news.look()
        self.standing_changed()
        self.run_worker(self.typing.prepare())
        gc.freeze()
        gc.enable()

    def commands_changed(self) -> None:
        """Other commands or views are on offer than before."""
        self._fill_actions()
        self._show_places()
        self._settled()
        problems = [*self._key_problems, *self.actions.problems]
        if problems:
            self.say(problems[0] if len(problems) == 1 else _("{first} (and {more} more, see ?)", first=problems[0],
                                                               more=len(problems) - 1), "bad")  # fmt: skip

    def _fill_actions(self) -> None:
        actions = [*command_actions(self, self.frame.commands), *standard_actions(self)]
        known = {action.name for action in actions}
        # Keys wanted for commands of other records, or of those that are not here yet, are no mistake.
        wanted = {
            name: keys
            for name, keys in self._wanted_keys.items()
            if name in known or (self.frame.is_ready and not self.frame.is_elsewhere(name))
        }
        self.actions.fill(actions, wanted)

    # What others tell the screen (Listener, Stage, Office)

    def view_changed(self) -> None:
        view = self.browser.view
        self.table.empty_words = nothing_here(self.browser.noun, view.filter_text if view else "")
        self._show_head()
        self._show_places()
        self.settle_soon()
        if self.has_desk:
            self.frame.arrived()
            self.news.look()
        else:
            self.call_after_refresh(self._open_writing)

    def view_grown(self) -> None:
        self._show_head()

    def cursor_moved(self) -> None:
        self.settle_soon()

    def settle_soon(self) -> None:
        """Preview, head and footer follow once the cursor rests; a held `j` pays for none of them."""
        if self._settle_timer is not None:
            self._settle_timer.cancel()
        self._settle_timer = asyncio.get_running_loop().call_later(SETTLE_S, self.call_later, self._settled)

    def _settled(self) -> None:
        self._show_head()
        self._show_foot()
        row = self.table.current()
        if row is None:
            self.preview.put([])
        elif self.preview.display:
            self.browser.read_detail(row.id)

    def detail_arrived(self, detail: Detail) -> None:
        row = self.table.current()
        if row is not None and row.id == detail.id:
            self.reading.put(detail)

    def standing_changed(self) -> None:
        if self.has_desk:
            self.desk_lane.ask(lambda desk: desk.standing(), self._standing_arrived, self.trouble, topic="standing")
            self.frame.recount()
        self._show_head()

    def _look_at_standing(self) -> None:
        """A sync beside this screen changes what waits; where there is no central store nothing does."""
        self.news.look()
        if self.has_desk and self.standing.pending is not None:
            self.standing_changed()

    def _standing_arrived(self, standing: Standing) -> None:
        if standing != self.standing:
            self.standing = standing
            self._show_head()
        self.settle_soon()

    def jobs_changed(self) -> None:
        """A job has begun, come further, or ended."""
        self._show_head()
        self.overlays.jobs_changed()

    def say(self, text: str, tone: Tone = "text") -> None:
        self.message.put([(f" {whole_sentences(text, self.size.width - 1)}", tone)])

    def trouble(self, error: Exception) -> None:
        """Say what went wrong. While a filter is being typed it is seldom finished, so the tone is mild."""
        self.frame.stay()
        unfinished = self.browser.typing and isinstance(error, BoError)
        if unfinished:
            self.foot.put([(error_words(error), "wait")])
        else:
            self.say(error_words(error), "bad")

    def ask_form(
        self,
        command: CommandSpec,
        targets: Sequence[str],
        heading: str,
        then: Callable[[Arguments], None],
        start: Arguments,
    ) -> None:
        self.overlays.ask(command, targets, heading, then, start)

    def ask_confirm(self, question: str, count: int, then: Callable[[], None]) -> None:
        self.overlays.confirm(question, count, then)

    def ask_command(
        self, command: CommandSpec, targets: Sequence[str], arguments: Arguments, question: str,
        then: Callable[[], None],
    ) -> None:  # fmt: skip
        self.overlays.confirm_command(command, targets, arguments, question, then)

    def key_of(self, name: str) -> str:
        keys = self.actions.named(name).keys
        return key_label(keys[0]) if keys else f":{name}"

    # Keys

    def do(self, action: Action, text: str = "") -> None:
        """Carry an action out; what it refuses is said, never thrown."""
        try:
            if not self.reading.takes(action):
                action.run(text)
        except BoError as error:
            self.trouble(error)

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key) and not event.is_forwarded:
            await self.keyboard.take(event)
        else:
            await super().on_event(event)

    def hold_keys(self) -> None:
        """Keys wait for what is opening."""
        self.keyboard.hold()

    def release_keys(self, *, drop: bool = False) -> None:
        """What keys waited for is there, or is not coming: then they are dropped."""
        self.keyboard.release(drop=drop)

    def _fatal_error(self) -> None:
        """End at a fault; whoever ran the screen says what it was. Textual would print what stands in every variable,
        and that is people's data."""
        self.bell()
        self._close_messages_no_wait()

    def action_help_quit(self) -> None:
        self.say(_("{key} quits", key=self.key_of("quit")), "info")

    # What actions do to the screen itself

    def allows(self, command: CommandSpec) -> bool:
        """Whether the record here is in a state that the command allows; with marks, whether one of theirs is."""
        if not command.subject or not command.allowed_states:
            return True
        states = self.states_here()
        # Marks made by id alone have no known state; then the outcome of each record decides.
        return bool(states & command.allowed_states) or (bool(self.table.marks) and not states)

    def states_here(self) -> set[str]:
        """States of what a command would act on. The record under the cursor speaks for all, if it is one of them."""
        row, marks = self.table.current(), self.table.marks
        if row is not None and (not marks or row.id in marks):
            return {row.state}
        return marks.states()

    def column_keys(self) -> list[str]:
        return [column.key for column in self.table.columns if column.sortable]

    def type_filter(self, text: str) -> None:
        if text:
            self.browser.filter_by(text)
        else:
            self.typing.open("/", self.browser.filter_text)

    def type_command(self) -> None:
        self.typing.open(":", "")

    def filter_by_cell(self) -> None:
        row = self.table.current()
        if row is not None and self.table.columns:
            self.browser.term(row.id, self.table.columns[self.table.column].key, self._add_term)

    def _add_term(self, term: str) -> None:
        if not term:
            self.say(_("This column cannot be filtered by"), "warn")
        elif term not in self.browser.filter_text.split(" "):
            self.browser.filter_by(f"{self.browser.filter_text} {term}".strip())

    def sort(self, text: str) -> None:
        if not text:
            self.overlays.sort()
        elif key := self._column_meant(text.lstrip("-－")):
            self.browser.sort_by(key if self._column_meant(text) else f"-{key}")
        else:
            self.say(
                _("{field} is not a field to sort by: {known}", field=text, known=", ".join(self.column_keys())), "bad"
            )

    def _column_meant(self, text: str) -> str:
        """The column that goes by this name or under this title; nothing for none."""
        names = {name: column.key for column in self.table.columns if column.sortable
                 for name in (column.title.casefold(), column.key)}  # fmt: skip
        return names.get(text.casefold(), "")

    def rebuild(self) -> None:
        self.table.acted.clear()
        self.table.refused.clear()
        self.browser.refresh()

    def toggle_preview(self) -> None:
        self._preview_wanted = not self.preview.display
        self._arrange()
        self.settle_soon()

    def copy_id(self) -> None:
        row = self.table.current()
        if row is not None:
            self.copy_to_clipboard(row.id)
            self.say(_("Copied: {id}", id=row.id), "info")

    @property
    def advances(self) -> bool:
        return self.triage.advance if self.has_desk else self.remembered.get("advance") != "no"

    def toggle_advance(self) -> None:
        self.use_advance(not self.advances)

    def use_advance(self, advance: bool) -> None:
        self.triage.advance = advance
        self._remember("advance", "yes" if advance else "no")
        self.say(_("After acting: next row") if self.triage.advance else _("After acting: stay"), "info")
        self._show_head()

    def go_back(self) -> None:
        if self.frame.back():
            return
        if self.browser.filter_text:
            self.browser.filter_by("")
        else:
            self.say(_("{key} quits", key=self.key_of("quit")), "info")

    def use_language(self, text: str) -> None:
        named = next((name for name in LANGUAGES if text and name.startswith(text.replace("-", "_"))), "")
        if named:
            use_language(named)
            self._remember("language", named)
            self.browser.retitle()
            self._fill_actions()
            self._show_places()
            self._settled()
        else:
            self.say(_("Languages: {known}", known=", ".join(LANGUAGES)))

    def use_ascii(self, ascii_only: bool) -> None:
        self.ascii = ascii_only
        self._remember("ascii", "yes" if ascii_only else "no")
        self._look_like(self.looks.name)

    def _remember(self, name: str, value: str) -> None:
        try:
            self.remembered.put(name, value)
        except OSError as error:
            self.say(_("Not remembered: {why}", why=error.strerror or error), "warn")

    def use_theme(self, text: str) -> None:
        if text not in THEMES:
            self.say(_("Themes: {known}", known=", ".join(THEMES)))
            return
        self._remember("theme", text)
        self._look_like(text)

    def _look_like(self, theme: str) -> None:
        self.looks = looks_for(theme, ascii_only=self.ascii)
        for part in (self.table, self.head, self.tabs, self.rail, self.preview, self.message, self.foot):
            part.looks = self.looks
        self._apply_theme()
        self.preview.put([])
        self.screen.refresh()
        self._settled()

    # Drawing the frame

    def _apply_theme(self) -> None:
        draw_scroll_bars(self.looks)
        theme = textual_theme(self.looks)
        self.register_theme(theme)
        self.theme = theme.name
        self.set_class(self.looks.name in ("plain", "ansi") or self.ascii, "plain")

    def _arrange(self, width: int = 0) -> None:
        """Preview at the right where there is room, below the table where it was asked for, else not at all."""
        wide = (width or self.size.width) >= WIDE
        wanted = wide if self._preview_wanted is None else self._preview_wanted
        self.body.set_class((width or self.size.width) >= WIDEST, "widest")
        self.body.set_class(wanted and wide, "wide")
        self.body.set_class(wanted and not wide, "below")

    def on_resize(self, event: events.Resize) -> None:
        self._arrange(event.size.width)
        self._show_places()
        self.settle_soon()

    def _sorted_by(self) -> str:
        view, glyphs = self.browser.view, self.looks.glyphs
        if view is None or not view.sort:
            return ""
        return f"{view.by} {glyphs.down if view.sort.startswith('-') else glyphs.up}"

    def _changed_elsewhere(self) -> str:
        count = self.news.count
        more = "+" if count >= MOST else ""
        return _("{count} changed, {key} shows", count=f"{count:,}{more}", key=self.key_of("refresh")) if count else ""

    def _show_head(self) -> None:
        view = self.browser.view
        self.head.put(
            *head_spans(
                self.standing,
                noun=self.browser.noun,
                row=self.table.cursor + 1 if self.table.count else 0,
                count=view.count if view and view.whole else None,
                filter_text=self.browser.wanted_filter,
                sort=self._sorted_by(),
                marks=len(self.table.marks),
                jobs=len(self.jobs.running) + (self.triage.jobs if self.has_desk else 0),
                advance=self.triage.advance if self.has_desk else True,
                changed=self._changed_elsewhere(),
            )
        )

    def _show_places(self) -> None:
        """The views as tabs, or at the left with the places where there is room."""
        rail = self.body.has_class("widest")
        tabs = self.frame.tabs()
        self.tabs.display = bool(tabs) and not rail
        if rail:
            self.rail.put(self.frame.rail())
        else:
            self.tabs.put(tabs)

    @property
    def foot_room(self) -> int:
        return max(10, self.size.width - 1)

    def on_click(self, event: events.Click) -> None:
        if len(self.screen_stack) == 1 and not self.typing.is_open:
            from bo.tui.mouse import clicked

            clicked(self, event)

    def _show_foot(self) -> None:
        if not self.typing.is_open:
            self.foot.put([(" ", "dim"), *self.actions.footer(self.foot_room)])
