"""The screen's own actions: everything that is not a record command. Their keys are defaults; a user may remap them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bo.core.kernel.text import LANGUAGES, _
from bo.tui.actions import Action
from bo.tui.keys import ASKING, BAD_STEPS, FORMED, GO_KEYS, GOOD_STEPS, command_keys
from bo.tui.looks import THEMES
from bo.tui.order_triage import open_record, order_actions
from bo.tui.source import CommandSpec, NamedView, Place
from bo.tui.typed import arguments, offers
from bo.tui.words import state_words

if TYPE_CHECKING:
    from bo.tui.screen import BoApp


def standard_actions(app: BoApp) -> list[Action]:
    """Built anew whenever the language changes, since titles are in it."""
    return [*_moves(app), *_marks(app), *_rows(app), *_places(app), *_doing(app), *_screen(app)]


def command_actions(app: BoApp, commands: list[CommandSpec]) -> list[Action]:
    """Record commands as actions, offered where the record's state allows them; before them the steps by state."""
    known = {command.name: command for command in commands}
    keys = command_keys(known)
    steps = [
        _step(app, "good_step", _("The good next step"), "d", GOOD_STEPS, known, weight=1),
        _step(app, "bad_step", _("The bad next step"), "b", BAD_STEPS, known, weight=2),
    ]
    weights = {name: weight for weight, name in enumerate(keys, 10)}
    made = (_command(app, each, keys.get(each.name, ""), weights.get(each.name, 0)) for each in commands)
    return [*(step for step in steps if step), *made]


def _step(
    app: BoApp, name: str, title: str, key: str, steps: Mapping[str, Mapping[str, str]],
    known: Mapping[str, CommandSpec], weight: int,
) -> Action | None:  # fmt: skip
    """One key for the command that the state of the record, or of all marked records, makes the next one."""
    by_state = {state: known[step] for state, step in steps.get(app.browser.noun, {}).items() if step in known}
    if not by_state:
        return None

    def here() -> CommandSpec | None:
        found = {by_state[state].name for state in app.states_here() if state in by_state}
        return known[found.pop()] if len(found) == 1 else None

    def run(text: str) -> None:
        command = here()
        if command is not None:
            app.triage.act(command, arguments(command, text))
        elif len(app.states_here()) > 1:
            app.say(_("What is marked is in several states: m chooses a command"), "warn")
        else:
            app.say(_("{title}: none from {state}", title=title, state=state_words(app.states_here()) or "-"), "warn")

    def title_now() -> str:
        command = here()
        return _(command.title) if command is not None else title

    states = ", ".join(f"{_(state.replace('_', ' '))}: {_(command.title)}" for state, command in by_state.items())
    return Action(
        name, title, run, (key,), _("Records"), enabled=lambda: here() is not None, weight=weight,
        title_now=title_now, says_why=True, hint=states,
    )  # fmt: skip


def _command(app: BoApp, command: CommandSpec, usual_key: str, weight: int) -> Action:
    def run(text: str) -> None:
        given = arguments(command, text)
        if command.name in FORMED | ASKING and not given:
            app.triage.act_with_form(command)
        else:
            app.triage.act(command, given)

    key = command.key or usual_key
    summary = command.summary or _(command.title)
    title = _("{title} in part", title=_(command.title)) if command.name in FORMED else _(command.title)
    return Action(
        command.name, title, run, (key,) if key else (), _("Records"), command.verb.replace("_", "-"),
        argument=" ".join(f"{param.name}:" for param in command.params if param.required),
        enabled=lambda: app.allows(command), weight=weight, command=command, hint=_(summary),
        completions=lambda: offers(command.params),
    )  # fmt: skip


def _moves(app: BoApp) -> list[Action]:
    table, group = app.table, _("Move")

    def action(name: str, title: str, keys: str, run: Callable[[], None], word: str = "") -> Action:
        return Action(name, title, lambda _text: run(), tuple(keys.split()), group, word=word)

    return [
        action("down", _("Down"), "j down", lambda: table.move_by(1)),
        action("up", _("Up"), "k up", lambda: table.move_by(-1)),
        action("half_down", _("Half a screen down"), "ctrl+d", lambda: table.page_by(0.5)),
        action("half_up", _("Half a screen up"), "ctrl+u", lambda: table.page_by(-0.5)),
        action("page_down", _("A screen down"), "pagedown ctrl+f", lambda: table.page_by(1)),
        action("page_up", _("A screen up"), "pageup", lambda: table.page_by(-1)),
        action("first", _("First row"), "gg home", lambda: table.move_to(0), "first"),
        action("last", _("Last row"), "G end", table.move_to_last, "last"),
        action("next_needing", _("Next row that waits for you"), "n", lambda: app.marking.next_needing(1), "next"),
        action("previous_needing", _("Row before that waits for you"), "N", lambda: app.marking.next_needing(-1)),
        action("next_column", _("Next column"), "l right", lambda: table.move_column(1)),
        action("previous_column", _("Previous column"), "h left", lambda: table.move_column(-1)),
    ]


def _marks(app: BoApp) -> list[Action]:
    group = _("Mark")

    def action(name: str, title: str, key: str, run: Callable[[], None], weight: int = 0, word: str = "") -> Action:
        return Action(name, title, lambda _text: run(), (key,), group, weight=weight, word=word)

    marked = app.table.marks
    return [
        action("mark", _("mark"), "space", app.marking.toggle_and_next, weight=60),
        action("toggle", _("Mark or unmark"), "x", app.marking.toggle_here),
        action("range", _("Mark from here to there"), "v", app.marking.range_here),
        action("mark_all", _("Mark all that the filter shows"), "*", app.marking.all_shown, word="mark-all"),
        Action(
            "unmark_all", _("unmark all"), lambda _text: app.marking.clear(), ("X",), group, word="unmark-all",
            enabled=lambda: bool(marked), weight=61,
        ),
    ]  # fmt: skip


def _places(app: BoApp) -> list[Action]:
    """Where one can go: other records, views of these, and back."""
    group, frame = _("Go to"), app.frame

    def to_place(place: Place) -> Action:
        keys = (GO_KEYS[place.noun],) if place.noun in GO_KEYS else ()
        title = _("Go to: {place}", place=place.title)
        word = place.noun.replace("_", "-")
        return Action(
            f"go.{place.noun}", title, lambda text: frame.go(place.noun, text), keys, group, word, _("FILTER")
        )

    def to_view(view: NamedView) -> Action:
        return Action(f"view.{view.slot or view.title}", _("View: {view}", view=view.title),
                      lambda _text: frame.show(view), (str(view.slot),) if view.slot else (), group)  # fmt: skip

    return [
        *(to_place(place) for place in frame.places),
        Action("view.all", _("View: all"), lambda _text: frame.show_all(), ("0",), group),
        *(to_view(view) for view in frame.views),
        Action("views", _("Views"), lambda _text: frame.pick_view(), ("gv",), group, "views"),
        Action("save_view", _("Save this view"), frame.save_view, ("V",), group, "save-view", _("NAME [DIGIT]")),
        Action("remove_view", _("Remove a view of yours"), frame.remove_view, (), group, "remove-view", _("NAME"),
               completions=lambda: [view.title for view in frame.views if view.id]),
        Action("dashboard", _("Dashboard"), lambda _text: app.overlays.dashboard(), ("gd",), group, "dashboard"),
        Action("related", _("What belongs to it"), lambda _text: frame.pick_related(), ("o",), group, "related"),
        Action("last_place", _("Back to where you were"), lambda _text: frame.turn_back(), ("-",), group),
    ]  # fmt: skip


def _rows(app: BoApp) -> list[Action]:
    group = _("Rows")
    fields = app.column_keys
    opens = _opens(app.browser.noun)
    return [
        Action("filter", _("filter"), app.type_filter, ("/",), group, "filter", _("TEXT"), weight=62),
        Action("filter_cell", _("Filter by the cell here"), lambda _text: app.filter_by_cell(), ("f",), group),
        Action(
            "clear_filter", _("clear filter"), lambda _text: app.browser.filter_by(""), ("F",), group, "clear-filter",
            enabled=lambda: bool(app.browser.filter_text), weight=63,
        ),
        Action("sort", _("Sort"), app.sort, ("S",), group, "sort", _("FIELD or -FIELD"),
               completions=lambda: [*fields(), *(f"-{key}" for key in fields())]),
        Action("columns", _("Columns"), app.overlays.columns, ("C",), group, "columns", _("FIELD,FIELD")),
        Action("refresh", _("Refresh: build the view anew"), lambda _text: app.rebuild(), ("r",), group, "refresh"),
        Action("preview", _("Preview on or off"), lambda _text: app.toggle_preview(), ("p",), group, "preview"),
        Action("preview_down", _("Scroll the preview down"), lambda _text: app.preview.scroll_lines(3), ("J",), group),
        Action("preview_up", _("Scroll the preview up"), lambda _text: app.preview.scroll_lines(-3), ("K",), group),
        Action("detail", opens or _("The whole record"), lambda _text: open_record(app), ("enter",), group, "detail",
               weight=3 if opens else 0),
        Action("history", _("The record's history"), lambda _text: app.reading.open(history=True), ("gh",), group,
               "history"),
        Action("reveal", _("Show what is masked, once"), lambda _text: app.overlays.reveal(), ("z",), group, "reveal"),
        Action("copy", _("Copy the id"), lambda _text: app.copy_id(), ("y",), group, "copy"),
    ]  # fmt: skip


def _opens(noun: str) -> str:
    """What Enter does, where records have a screen of their own."""
    words = {
        "settlements": _("open it"), "payouts": _("open it"), "rewards": _("why this amount"),
        "bank_lines": _("reconcile"),
    }  # fmt: skip
    return words.get(noun, "")


def _doing(app: BoApp) -> list[Action]:
    group = _("Do")
    return [
        *([Action("duplicates", _("who is alike"), lambda _text: app.overlays.compare(), ("D",), group,
                  "duplicates")] if app.browser.noun == "leads" else []),
        *order_actions(app),
        Action("menu", _("menu"), lambda _text: app.overlays.menu(), ("m",), group, "menu", weight=64),
        Action("undo", _("undo"), lambda text: _undo(app, text), ("u",), group, "undo", _("STEPS"),
               enabled=lambda: app.has_desk and app.triage.can_undo, weight=50),
        Action("redo", _("Do again what was undone"), lambda _text: app.triage.redo(), ("U",), group, "redo",
               enabled=lambda: app.has_desk and app.triage.can_redo),
        Action("repeat", _("Repeat the last command here"), lambda _text: app.triage.repeat(), (".",), group, "repeat",
               enabled=lambda: app.has_desk and app.triage.can_repeat),
        Action("advance", _("Go on to the next row after acting, or not"), lambda _text: app.toggle_advance(), ("A",),
               group, "advance"),
    ]  # fmt: skip


def _screen(app: BoApp) -> list[Action]:
    group = _("Screen")
    return [
        Action("sync", _("Sync now"), lambda _text: _sync(app), (), group, "sync",
               enabled=lambda: app.jobs.are_possible and app.standing.pending is not None),
        Action("export", _("Export what the filter shows"), lambda text: _export(app, text), ("E",), group, "export",
               _("FILE"), enabled=lambda: app.jobs.are_possible),
        Action("import", _("Import a file"), app.overlays.import_file, ("I",), group, "import", _("FILE"),
               enabled=lambda: app.jobs.are_possible and app.has_desk),
        Action("settings", _("Settings"), lambda _text: app.overlays.settings(), ("gz",), group, "settings"),
        Action("jobs", _("Jobs"), lambda _text: app.overlays.jobs(), ("gj",), group, "jobs"),
        Action("help", _("help"), lambda _text: app.overlays.help(), ("?",), group, "help", weight=65),
        Action("palette", _("Everything there is, by name"), lambda _text: app.overlays.palette(), ("ctrl+p",), group),
        Action("command", _("Command line"), lambda _text: app.type_command(), (":",), group),
        Action("theme", _("Theme"), app.use_theme, (), group, "theme", "|".join(THEMES), completions=lambda: THEMES),
        Action("language", _("Language"), app.use_language, (), group, "lang", "|".join(LANGUAGES),
               completions=lambda: LANGUAGES),
        Action("back", _("Back"), lambda _text: app.go_back(), ("q",), group),
        Action("suspend", _("To the shell; fg comes back"), lambda _text: app.action_suspend_process(), ("ctrl+z",),
               group, enabled=lambda: os.name == "posix"),
        Action("quit", _("quit"), lambda _text: app.exit(), ("Q",), group, "quit", weight=66),
    ]  # fmt: skip


def _sync(app: BoApp) -> None:
    app.jobs.start(_("Sync"), ["sync", "--progress=json"], lambda _job: app.standing_changed())


def _export(app: BoApp, text: str) -> None:
    """A name is proposed; its ending says the format. What is there is written over after asking."""
    noun, where = app.browser.noun.replace("_", "-"), app.browser.filter_text
    if not text.strip():
        app.typing.open(":", f"export {noun}-{datetime.now().astimezone().date().isoformat()}.csv")
        return
    path = Path(text.strip()).expanduser()
    words = [noun, "export", str(path), *(["--where", where] if where else [])]

    def start() -> None:
        app.jobs.start(_("Export to {file}", file=str(path)), words)

    if path.exists():
        app.ask_confirm(_("{file} is there already: write it anew ?", file=path.name), 0, start)
    else:
        start()


def _undo(app: BoApp, text: str) -> None:
    count = text.strip() or "1"
    if count.isdecimal() and int(count):
        app.triage.undo(int(count))
    else:
        app.say(_("How many steps: a number, not {text}", text=count), "bad")
