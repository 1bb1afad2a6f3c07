"""Text over the whole screen: the help, and one record with its history. Scrolls with the keys of the table."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bo.core.kernel.text import _
from bo.tui.actions import Action, Actions, key_label
from bo.tui.cells import fitted, wrapped
from bo.tui.key_screen import KeyScreen
from bo.tui.looks import Looks, Tone
from bo.tui.pane import Line

KEYS_WIDTH, WORD_WIDTH = 16, 24


class TextScreen(KeyScreen[None]):
    """Lines to read. `q`, Esc or Enter closes it; `also` are keys with a meaning of the opener's own."""

    def __init__(
        self,
        looks: Looks,
        heading: str,
        lines: Sequence[Line],
        *,
        also: dict[str, Callable[[], None]] | None = None,
    ) -> None:
        super().__init__(looks)
        self.heading.put([(f" {heading}", "title")], [(_("q closes") + " ", "dim")])
        self._lines = lines
        self._also = also or {}

    def on_mount(self) -> None:
        self.pane.put(self._lines)

    def press(self, name: str) -> bool:
        if name not in self._also and name not in ("enter", "?"):
            return False
        if name in self._also:
            self._also[name]()
        else:
            self.leave()
        return True


def help_lines(actions: Actions, width: int, more: str) -> list[Line]:
    """Every action of the registry by group, with its keys and its word; what cannot be done now is dim."""
    groups: dict[str, list[Line]] = {}
    for action in actions.all():
        groups.setdefault(action.group, []).extend(_action_lines(action, width, more))
    lines: list[Line] = []
    for group, listed in groups.items():
        lines += [((group, "title"),), *listed, ()]
    if actions.problems:
        lines += [((_("Keys"), "title"),), *(((f"  {problem}", "bad"),) for problem in actions.problems)]
    return lines


def _action_lines(action: Action, width: int, more: str) -> list[Line]:
    """Its keys, what it does, on as many lines as that takes, and its word on the first."""
    keys = "  ".join(key_label(key) for key in action.keys)
    word = f":{action.word} {action.argument}".rstrip() if action.word else ""
    title = f"{action.title}: {action.hint}" if action.title_now else action.title
    if action.command is not None and action.command.allowed_states:
        title += "  (" + ", ".join(_state(state) for state in sorted(action.command.allowed_states)) + ")"
    tone: Tone = "text" if action.enabled() else "dim"
    room = max(20, width - KEYS_WIDTH - WORD_WIDTH - 2)
    first, *rest = wrapped(title, room, 6)
    return [
        (
            (fitted("  " + keys, KEYS_WIDTH, more=more) + " ", "key"),
            (fitted(first, room, more=more) + " ", tone),
            (fitted(word, WORD_WIDTH, more=more), "info"),
        ),
        *(((" " * (KEYS_WIDTH + 1), tone), (part, tone)) for part in rest),
    ]


def _state(state: str) -> str:
    return _(state.replace("_", " "))
