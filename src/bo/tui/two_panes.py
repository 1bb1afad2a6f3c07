"""A screen of two lists side by side, or one below the other where it is narrow: what the money screens are made of.

Its keys, its foot and its help come from one list. It runs commands in the writing thread, says what became of them,
and undoes them; what is left to undo when it closes, the table undoes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct
from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.containers import Container

from bo.core.kernel.text import _
from bo.tui.actions import key_label
from bo.tui.cells import fitted, harmless, whole_sentences
from bo.tui.key_screen import KeyScreen, within
from bo.tui.looks import Span, Tone
from bo.tui.pane import Bar, Line, Pane
from bo.tui.source import CommandSpec, Desk, Outcome
from bo.tui.triage import Step
from bo.tui.words import error_words

if TYPE_CHECKING:
    from bo.tui.screen import BoApp

WIDE = 150  # cells that two lists need beside each other


class Key(Struct, frozen=True):
    """What a key does here. `possible` says whether it means anything now, `foot` whether the foot has it too."""

    keys: tuple[str, ...]
    words: str
    run: Callable[[], None]
    possible: Callable[[], object] = lambda: True
    foot: bool = True


class Listed(Struct):
    """A list with a cursor: lines of spans, drawn with the cursor's mark before them."""

    lines: Sequence[Line] = ()
    at: int = 0
    empty: str = ""

    def move(self, step: int) -> None:
        self.at = within(self.at + step, len(self.lines))


class TwoPanes(KeyScreen[None]):
    """`fill` is called whenever something has to be read again, `draw` whenever something has to be drawn again."""

    DEFAULT_CSS = """
    TwoPanes { align: left top; background: $background; }
    TwoPanes #panes { layout: vertical; height: 1fr; }
    TwoPanes #panes.wide { layout: horizontal; }
    TwoPanes #text { height: 3fr; }
    TwoPanes #beside { height: 2fr; background: $panel; }
    TwoPanes #panes.wide Pane { height: 1fr; }
    """
    NOUNS: ClassVar[tuple[str, ...]] = ()
    # What the ledger has posted is not undone, but answered: by this command, for each of those.
    ANSWERED_BY: ClassVar[Mapping[str, str]] = {}

    def __init__(self, app: BoApp) -> None:
        self._said, self._foot = Bar(app.looks), Bar(app.looks)
        super().__init__(app.looks, self._said, self._foot)
        self.bo = app
        self.left, self.right = Listed(), Listed()
        self.at_right = False
        self.commands: Mapping[str, CommandSpec] = {}
        self.steps: list[Step] = []
        self.back_to = ""  # the record that the last undo was about: whoever took it back looks at it next
        self._about = Bar(self.looks)
        self._right = Pane(self.looks, raised=True, id="beside")
        self._panes = Container(self.pane, self._right, id="panes")

    def compose(self) -> ComposeResult:
        yield self.heading
        yield self._about
        yield self._panes
        yield from self.below

    def on_mount(self) -> None:
        self.bo.desk_lane.ask(lambda desk: _commands(desk, self.NOUNS), self._learnt, self.trouble)
        self.fill()

    def _learnt(self, commands: Mapping[str, CommandSpec]) -> None:
        self.commands = commands
        self.draw()

    def on_resize(self, event: events.Resize) -> None:
        self._panes.set_class(event.size.width >= WIDE, "wide")

    def on_unmount(self) -> None:
        for step in self.steps:
            if step.operations and step.command.name not in self.ANSWERED_BY:
                self.bo.triage.note(step)

    # What a screen says of itself

    def keys(self) -> Sequence[Key]:
        """Its own keys; moving, closing and undoing are here."""
        return ()

    def fill(self) -> None:
        """Read again."""

    def draw(self) -> None:
        """Make both lists anew, and show them."""

    # Keys

    def _all_keys(self) -> list[Key]:
        return [
            *self.keys(),
            Key(("u",), _("undo"), self.undo, lambda: self.steps),
            Key(("r",), _("read again"), self._again, foot=False),
            Key(("?",), _("help"), self._help),
            Key(("q", "escape"), _("back"), self.leave),
        ]

    def _again(self) -> None:
        self.say("")
        self.fill()

    @property
    def page(self) -> int:
        return (self._right if self.at_right else self.pane).size.height - 1

    def press(self, name: str) -> bool:
        of_name = [key for key in self._all_keys() if name in key.keys]
        possible = next((key for key in of_name if key.possible()), None)
        if possible is not None:
            possible.run()
        elif name in ("tab", "h", "l", "left", "right"):
            self.at_right = (not self.at_right) if name == "tab" else name in ("l", "right")
            self.draw()
        elif of_name:
            self.say(_("Not possible here"), "warn")
        else:
            return False
        return True

    def move(self, step: int) -> None:
        """Move the cursor of the list that has the keyboard."""
        (self.right if self.at_right else self.left).move(step)
        self.draw()

    def leave(self) -> None:
        self.dismiss(None)

    def _help(self) -> None:
        from bo.tui.help import TextScreen

        lines: list[Line] = [
            ((f"  {fitted(' '.join(key_label(name) for name in key.keys), 14)} ", "key"), (key.words, "text"))
            for key in self._all_keys()
        ]
        lines.append((("  j k Tab h l    ", "key"), (_("move, and from one list to the other"), "text")))
        self.bo.push_screen(TextScreen(self.looks, _("Keys"), lines))

    # Drawing

    def show(self, heading: Sequence[Span], beside: Sequence[Span], about: Sequence[Span]) -> None:
        """Put both lists on the screen under their headings."""
        self.heading.put(heading, beside)
        self._about.put(about)
        self._put(self.pane, self.left, not self.at_right)
        self._put(self._right, self.right, self.at_right)
        self._foot.put(self._foot_spans())

    def _foot_spans(self) -> list[Span]:
        """Keys and words of what can be done now, as many as fit; help and the way back always do."""
        offered = [key for key in self._all_keys() if key.foot and key.possible()]
        cells = [cell_len(f" {key_label(key.keys[0])} {key.words} ") for key in offered]
        room, kept = self.size.width - sum(cells[-2:]), []
        for key, needed in zip(offered[:-2], cells[:-2], strict=True):
            room -= needed
            if room >= 0:
                kept.append(key)
        spans: list[Span] = []
        for key in (*kept, *offered[-2:]):
            spans += [(f" {key_label(key.keys[0])}", "key"), (f" {key.words} ", "dim")]
        return spans

    def _put(self, pane: Pane, listed: Listed, here: bool) -> None:
        listed.move(0)
        glyphs = self.looks.glyphs
        mark = glyphs.to if here else glyphs.more
        drawn: list[Line] = [
            ((f"{fitted(mark if at == listed.at else '', 2)} ", "mark"), *_lit(line, here and at == listed.at))
            for at, line in enumerate(listed.lines)
        ]
        pane.put(drawn or [((f"   {listed.empty}", "dim"),)], keep_offset=True)
        pane.show_line(listed.at)

    def say(self, text: str, tone: Tone = "text") -> None:
        self._said.put([(f" {whole_sentences(harmless(text), self.size.width - 1)}", tone)])

    def trouble(self, error: Exception) -> None:
        self.say(error_words(error), "bad")

    # Doing

    def ask(self, name: str, ids: Sequence[str], heading: str, done: Callable[[Mapping[str, str]], None]) -> None:
        """The form of a command, if it needs anything; else it is done at once."""
        command = self.commands[name]
        if any(param.required for param in command.params):
            self.bo.overlays.form(command, ids, heading, done, {})
        else:
            done({})

    def act(
        self, name: str, ids: Sequence[str], arguments: Mapping[str, str], words: str,
        then: Callable[[], None] | None = None,
    ) -> None:  # fmt: skip
        """Run a command, say `words` when it went well, and read again; `then` follows before that."""
        command = self.commands[name]

        def done(outcomes: list[Outcome]) -> None:
            refused = next((outcome for outcome in outcomes if not outcome.ok), None)
            operations = tuple(outcome.operation for outcome in outcomes if outcome.ok and outcome.operation)
            if operations or (refused is None and name in self.ANSWERED_BY):
                self.steps.append(Step(command, arguments, tuple(ids), operations))
            if refused is not None:
                self.say(refused.message, "bad")
            else:
                undoes = bool(operations) or name in self.ANSWERED_BY
                self.say(_("{words}; {key} undoes", words=words, key="u") if undoes else words, "good")
                if then is not None:
                    then()
            self._after(ids)

        self.bo.desk_lane.ask(lambda desk: desk.run(name, ids, arguments), done, self.trouble)

    def undo(self) -> None:
        """Take the last step back."""
        step = self.steps.pop()
        self.back_to = next(iter(step.ids), "")

        def done(outcomes: list[Outcome]) -> None:
            refused = next((outcome for outcome in outcomes if not outcome.ok), None)
            title = _(step.command.title)
            self.say(refused.message if refused else _("Undone: {title}", title=title), "bad" if refused else "good")
            self._after(step.ids)

        def work(desk: Desk) -> list[Outcome]:
            answer = self.ANSWERED_BY.get(step.command.name, "")
            return desk.run(answer, step.ids, {}) if answer else desk.undo(step.operations)

        self.bo.desk_lane.ask(work, done, self.trouble)

    def _after(self, ids: Sequence[str]) -> None:
        self.bo.browser.reload(set(ids))
        self.bo.standing_changed()
        self.fill()


def _lit(line: Line, here: bool) -> Line:
    return tuple((text, "head" if here and tone == "text" else tone) for text, tone in line)


def _commands(desk: Desk, nouns: Sequence[str]) -> Mapping[str, CommandSpec]:
    return {command.name: command for noun in nouns for command in desk.commands(noun)}
