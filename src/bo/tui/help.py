"""Text over the whole screen: the help, and one record with its history. Scrolls with the keys of the table."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import events
from textual.app import ComposeResult
from textual.screen import ModalScreen

from bo.core.kernel.text import _
from bo.tui.actions import Actions, key_label
from bo.tui.cells import fitted
from bo.tui.keys import key_name
from bo.tui.looks import Looks, Tone
from bo.tui.pane import Bar, Line, Pane


class TextScreen(ModalScreen[None]):
    """Lines to read. `q`, Esc or Enter closes it; `also` are keys with a meaning of the opener's own."""

    def __init__(
        self,
        looks: Looks,
        heading: str,
        lines: Sequence[Line],
        *,
        start: int = 0,
        also: dict[str, Callable[[], None]] | None = None,
    ) -> None:
        super().__init__()
        self._heading = heading
        self._looks = looks
        self._lines = lines
        self._start = start
        self._also = also or {}
        self.pane = Pane(looks, id="text")

    def compose(self) -> ComposeResult:
        heading = Bar(self._looks, raised=True)
        heading.put([(f" {self._heading}", "title")], [(_("q closes") + " ", "dim")])
        yield heading
        yield self.pane

    def on_mount(self) -> None:
        self.pane.put(self._lines)
        self.call_after_refresh(self.pane.scroll_lines, self._start)

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        name = key_name(event.key, event.character)
        half, far = max(1, self.size.height // 2), len(self._lines)
        moves = {
            "j": 1, "down": 1, "k": -1, "up": -1, "ctrl+d": half, "ctrl+u": -half, "pagedown": 2 * half - 2,
            "space": 2 * half - 2, "pageup": 2 - 2 * half, "g": -far, "home": -far, "G": far, "end": far,
        }  # fmt: skip
        if name in self._also:
            self.dismiss(None)
            self._also[name]()
        elif name in moves:
            self.pane.scroll_lines(moves[name])
        elif name in ("q", "escape", "enter", "?"):
            self.dismiss(None)


def help_lines(actions: Actions, width: int, more: str) -> list[Line]:
    """Every action of the registry by group, with its keys and its word; what cannot be done now is dim."""
    groups: dict[str, list[Line]] = {}
    for action in actions.all():
        keys = "  ".join(key_label(key) for key in action.keys)
        word = f":{action.word} {action.argument}".rstrip() if action.word else ""
        tone: Tone = "text" if action.enabled() else "dim"
        title = f"{action.title}: {action.hint}" if action.title_now else action.title
        if action.command is not None and action.command.allowed_states:
            title += "  (" + ", ".join(sorted(action.command.allowed_states)) + ")"
        groups.setdefault(action.group, []).append(
            (
                (fitted("  " + keys, 22, more=more) + " ", "key"),
                (fitted(word, 26, more=more) + " ", "info"),
                (fitted(title, max(10, width - 52), more=more), tone),
            )
        )
    lines: list[Line] = []
    for group, listed in groups.items():
        lines += [((group, "title"),), *listed, ()]
    if actions.problems:
        lines += [((_("Keys"), "title"),), *(((f"  {problem}", "bad"),) for problem in actions.problems)]
    return lines
