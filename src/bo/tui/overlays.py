"""Everything that opens over the table. Each is imported when first asked for, so none weighs on the start."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, runtime_checkable

from bo.core.kernel.text import _
from bo.tui.actions import Action, key_label
from bo.tui.source import Choice, CommandSpec, Desk, DetailField, Foresight, StartRow, Waiting
from bo.tui.words import error_words

if TYPE_CHECKING:
    from textual.screen import ModalScreen

    from bo.tui.form import Checked
    from bo.tui.picker import Entry
    from bo.tui.screen import BoApp
    from bo.tui.triage import Arguments


NEAR_MIDDLE = 12
Dialog = TypeVar("Dialog", bound="ModalScreen[Any]")


@runtime_checkable
class Watching(Protocol):
    """A screen that shows jobs."""

    def jobs_changed(self) -> None: ...


class Overlays:
    """Opens help, palette, menu, forms and questions for the screen."""

    def __init__(self, app: BoApp) -> None:
        self._app = app

    def help(self) -> None:
        from bo.tui.help import TextScreen, help_lines

        app = self._app
        app.push_screen(
            TextScreen(
                app.looks, _("Keys and commands"), help_lines(app.actions, app.size.width, app.looks.glyphs.more)
            )
        )

    def opened(self, noun: str, record_id: str) -> bool:
        """Open the screen that records of this noun have of their own; whether there is one."""
        from bo.tui import money_doors

        if noun in money_doors.OPENED:
            money_doors.open_record(self._app, noun, record_id)
            return True
        return False

    def dashboard(self) -> None:
        """The figures of the office; who picks a pile goes there."""
        from bo.tui.dashboard import DashboardScreen

        app = self._app

        def picked(pile: Waiting | None) -> None:
            if pile is not None:
                app.frame.go(pile.noun, pile.filter_text, pile.sort)

        app.push_screen(DashboardScreen(app.looks, app.browser.board), picked)

    def columns(self, text: str) -> None:
        """Choose the columns of the list, or take those that were typed."""
        from bo.tui.columns import choose_columns

        if text:
            self._app.browser.choose_columns(tuple(name.strip() for name in text.split(",") if name.strip()))
        else:
            choose_columns(self._app)

    def import_file(self, text: str) -> None:
        """From a file to records of the sort that is shown; bank lines come with their statement."""
        from bo.tui import money_doors

        if self._app.browser.noun in money_doors.STATED:
            from bo.tui.statement_import import open_statement_import

            open_statement_import(self._app, text)
        else:
            from bo.tui.import_screen import open_import

            open_import(self._app, text)

    def settings(self) -> None:
        """What the office has decided, and how this screen looks."""
        from bo.tui.settings_screen import open_settings

        open_settings(self._app)

    def jobs(self) -> None:
        """What runs beside the screen, and what became of it."""
        from bo.tui.jobs_screen import JobsScreen

        self._app.push_screen(JobsScreen(self._app.looks, self._app.jobs))

    def jobs_changed(self) -> None:
        """Show it, where somebody looks at them."""
        top = self._app.screen
        if isinstance(top, Watching):
            top.jobs_changed()

    def palette(self) -> None:
        """Everything that can be done now, by name."""
        actions = [action for action in self._app.actions.all() if action.enabled()]
        self._pick_action(_("What to do"), actions, by_key=False)

    def menu(self) -> None:
        """The commands that the record allows, each with every parameter on offer."""
        commands = [action for action in self._app.actions.all() if action.command is not None and action.enabled()]
        self._pick_action(_("Commands for this record"), commands, by_key=True)

    def sort(self) -> None:
        from bo.tui.picker import Entry

        app = self._app
        entries = [
            Entry(
                column.key, column.title, hint=_("now, again turns it round") if app.browser.sort == column.key else ""
            )
            for column in app.table.columns
            if column.sortable
        ]

        def picked(key: str | None) -> None:
            if key is not None:
                app.browser.sort_by(f"-{key}" if app.browser.sort == key else key)

        self._open_picker(_("Sort by"), entries, picked)

    def choose(self, heading: str, offers: Sequence[tuple[str, str, str]], picked: Callable[[int], None]) -> None:
        """Choose one of several: (title, key, hint) each. `picked` is told its place."""
        from bo.tui.picker import Entry

        entries = [Entry(str(at), title, key, hint) for at, (title, key, hint) in enumerate(offers)]
        self._open_picker(heading, entries, lambda at: picked(int(at)) if at is not None else None)

    def ask(
        self,
        command: CommandSpec,
        targets: Sequence[str],
        heading: str,
        then: Callable[[Arguments], None],
        start: Mapping[str, str],
    ) -> None:
        """What a command needs: by a screen of its own where it has one, else by its form."""
        from bo.tui import money_doors
        from bo.tui.lead_triage import ASSIGN, choose_store

        if command.name in money_doors.ASKED:
            money_doors.ask(
                self._app, command, targets, then, lambda then: self.form(command, targets, heading, then, start)
            )
        elif command.name == ASSIGN and len(targets) == 1 and not start:
            choose_store(
                self._app, targets[0], heading, then, lambda: self.form(command, targets, heading, then, start)
            )
        else:
            self.form(command, targets, heading, then, start)

    def reveal(self) -> None:
        """What is masked of the record here, once that has been written down."""
        app, row = self._app, self._app.table.current()
        if row is None or not app.has_desk:
            return
        noun, heading = app.browser.noun, app.table.name_of(row.id)

        def told(fields: Sequence[DetailField]) -> None:
            from bo.tui.help import TextScreen
            from bo.tui.preview import field_lines

            lines = [
                *field_lines(fields, app.looks, app.size.width, 20),
                (),
                ((" " + _("This is in the journal."), "dim"),),
            ]
            app.push_screen(TextScreen(app.looks, heading, lines))

        app.desk_lane.ask(lambda desk: desk.reveal(noun, row.id), told, app.trouble)

    def compare(self) -> None:
        """The lead here beside those that it may be a later report of."""
        from bo.tui.lead_triage import compare

        compare(self._app)

    def form(
        self,
        command: CommandSpec,
        targets: Sequence[str],
        heading: str,
        then: Callable[[Arguments], None],
        start: Mapping[str, str],
    ) -> None:
        """The fields of a command."""
        from bo.tui.form import FormScreen

        app = self._app

        asks_itself = command.confirm and len(targets) <= 1

        def look(desk: Desk, values: Mapping[str, str]) -> tuple[Mapping[str, str], Foresight | None]:
            wrong = desk.check(command.name, targets, values)
            return wrong, desk.foresee(command.name, targets, values) if asks_itself and not wrong else None

        def check(values: Mapping[str, str], told: Checked) -> None:
            def answered(found: tuple[Mapping[str, str], Foresight | None]) -> None:
                told(*found)
                app.release_keys(drop=bool(found[0]))

            app.hold_keys()
            given = {**fixed, **values}
            app.desk_lane.ask(
                lambda desk: look(desk, given), answered, lambda error: answered(({"": error_words(error)}, None))
            )

        def search(noun: str, text: str, found: Callable[[list[Choice]], None]) -> None:
            app.browser.choices(noun, text, found)

        def filled(values: Mapping[str, str] | None) -> None:
            if values is not None:
                then(values)

        def open_with(rows: Mapping[str, Sequence[StartRow]]) -> None:
            form = FormScreen(app.looks.on_panel(), command, heading, check, search, start, app.release_keys, rows)
            app.push_screen(self._beside(form), filled)

        fixed = {name: value for name, value in start.items() if name == command.about}
        app.keyboard.hold_back_repeats()
        app.hold_keys()
        subject = start.get(command.about, "") if command.about else targets[0] if len(targets) == 1 else ""
        if any(param.columns for param in command.params):
            app.browser.start_rows(command.name, subject, open_with)
        else:
            open_with({})

    def confirm_command(
        self, command: CommandSpec, targets: Sequence[str], arguments: Arguments, question: str,
        then: Callable[[], None],
    ) -> None:  # fmt: skip
        """Ask before a command is run, and say what it comes to: for several records their sum."""
        app = self._app

        def ask(foresight: Foresight) -> None:
            app.release_keys(drop=True)
            self.confirm(question, len(targets), then, foresight.lines)

        app.hold_keys()
        app.desk_lane.ask(
            lambda desk: desk.foresee(command.name, targets, arguments), ask, lambda _error: ask(Foresight())
        )

    def confirm(self, question: str, count: int, then: Callable[[], None], lines: Sequence[str] = ()) -> None:
        from bo.tui.confirm import ConfirmScreen

        def answered(yes: bool | None) -> None:
            if yes:
                then()
            else:
                self._app.say(_("Left as it is"))

        asked = ConfirmScreen(self._app.looks.on_panel(), question, count, lines)
        self._app.push_screen(self._beside(asked), answered)

    def _beside(self, dialog: Dialog) -> Dialog:
        """The dialog at the edge away from the row that it is about, where it would lie over it in the middle."""
        app, table = self._app, self._app.table
        row = table.region.y + 1 + table.cursor - table.top
        if not app.reading.is_open and abs(row - app.size.height // 2) < NEAR_MIDDLE:
            dialog.styles.align_vertical = "bottom" if row < app.size.height // 2 else "top"
        return dialog

    def _pick_action(self, heading: str, actions: list[Action], *, by_key: bool) -> None:
        from bo.tui.picker import Entry

        app = self._app
        entries = [
            Entry(
                action.name,
                action.title,
                key_label(action.keys[0]) if action.keys else "",
                action.hint or (f":{action.word}" if action.word else ""),
            )
            for action in actions
        ]

        def picked(name: str | None) -> None:
            if name is None:
                return
            action = app.actions.named(name)
            if action.command is not None and by_key:
                app.triage.act_with_form(action.command)
            else:
                app.do(action)

        self._open_picker(heading, entries, picked, by_key=by_key)

    def _open_picker(
        self, heading: str, entries: Sequence[Entry], picked: Callable[[str | None], None], *, by_key: bool = False
    ) -> None:
        from bo.tui.picker import PickerScreen

        app = self._app
        app.hold_keys()
        picker = PickerScreen(app.looks.on_panel(), heading, entries, app.release_keys, by_key=by_key)
        app.push_screen(self._beside(picker), picked)
