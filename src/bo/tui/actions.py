"""The one registry of actions. Keys, footer, help, palette and the `:` line are all read from it; none lists its own.

An action is something the screen can do now. Record commands become actions too, so they are found the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct, structs

from bo.core.kernel.text import _
from bo.tui.keys import Bound, clashes, remap, sequence
from bo.tui.looks import Span
from bo.tui.source import CommandSpec


def always() -> bool:
    return True


class Action(Struct, frozen=True):
    """One thing to do. `run` takes what was typed behind its word on the `:` line, or nothing.

    `title` is already in the user's language. `weight` orders the footer; 0 keeps an action out of it. `command` is set
    for record commands, whose key may be shared by commands of other states. `title_now` says what the action would do
    here, where that depends on the record; `says_why` that it explains itself when it cannot be done. `hint` is a
    sentence about it.
    """

    name: str
    title: str
    run: Callable[[str], None]
    keys: tuple[str, ...] = ()
    group: str = ""
    word: str = ""
    argument: str = ""
    enabled: Callable[[], bool] = always
    weight: int = 0
    command: CommandSpec | None = None
    completions: Callable[[], Sequence[str]] | None = None
    title_now: Callable[[], str] | None = None
    says_why: bool = False
    hint: str = ""


class Actions:
    """All actions by name, by key and by word."""

    def __init__(self) -> None:
        self._actions: dict[str, Action] = {}
        self._pressed: tuple[str, ...] = ()
        self.problems: list[str] = []

    def all(self) -> list[Action]:
        return list(self._actions.values())

    def named(self, name: str) -> Action:
        return self._actions[name]

    def fill(self, actions: Iterable[Action], wanted_keys: dict[str, tuple[str, ...]]) -> None:
        """Replace everything by these actions with the user's keys laid over theirs; `problems` says what clashes."""
        self._actions = {action.name: action for action in actions}
        self._pressed = ()
        remapped = remap([_bound(action) for action in self._actions.values()], wanted_keys)
        self.problems = remapped.problems
        for name, keys in remapped.keys.items():
            self._actions[name] = structs.replace(self._actions[name], keys=keys)

    def clashes(self) -> list[tuple[str, str, str]]:
        return clashes(_bound(action) for action in self._actions.values())

    # Keys

    @property
    def pending(self) -> str:
        """Presses of a sequence that is not complete yet."""
        return "".join(self._pressed)

    def press(self, key: str) -> list[Action] | None:
        """The actions that the key means now, after what was pressed before; None while a sequence is incomplete."""
        pressed = (*self._pressed, key)
        exact = [action for action in self._actions.values() if any(sequence(each) == pressed for each in action.keys)]
        if exact:
            self._pressed = ()
            return exact
        if self.continuations(pressed):
            self._pressed = pressed
            return None
        began, self._pressed = bool(self._pressed), ()
        return [] if began else self.without_sequence(key)

    def without_sequence(self, key: str) -> list[Action]:
        return [action for action in self._actions.values() if key in action.keys]

    def give_up(self) -> bool:
        """Forget a begun sequence; returns whether there was one."""
        began, self._pressed = bool(self._pressed), ()
        return began

    def continuations(self, pressed: tuple[str, ...] | None = None) -> list[tuple[str, Action]]:
        """What may follow a begun sequence: (last key, action)."""
        begun = self._pressed if pressed is None else pressed
        return [
            (sequence(key)[-1], action)
            for action in self._actions.values()
            for key in action.keys
            if len(sequence(key)) == len(begun) + 1 and sequence(key)[: len(begun)] == begun
        ]

    # Words

    def worded(self, word: str) -> list[Action]:
        """Actions that a word of the `:` line names: exactly, or else as a beginning."""
        known = [action for action in self._actions.values() if action.word]
        return [action for action in known if action.word == word] or [
            action for action in known if action.word.startswith(word)
        ]

    def complete(self, text: str) -> list[str]:
        """Whole lines that the `:` line could become."""
        word, space, rest = text.partition(" ")
        if not space:
            return sorted(
                {action.word for action in self._actions.values() if action.word.startswith(word) and action.word}
            )
        begun, _gap, last = rest.rpartition(" ")
        lead = f"{word} {begun} " if begun else f"{word} "
        offered: list[str] = []
        for action in self.worded(word)[:1]:
            offered = list(action.completions()) if action.completions else []
        return [lead + each for each in offered if each.startswith(last) and each != last]

    # Footer

    def footer(self, width: int) -> list[Span]:
        """Keys and titles of what can be done now."""
        spans: list[Span] = []
        for action in self.in_footer(width):
            spans += [(key_label(action.keys[0]), "key"), (f" {_title(action)}  ", "dim")]
        return spans

    def in_footer(self, width: int) -> list[Action]:
        """What can be done now, the weightiest first, as much as fits."""
        offered = [action for action in self._actions.values() if action.weight and action.keys and action.enabled()]
        shown: list[Action] = []
        room = width
        for action in sorted(offered, key=lambda each: each.weight):
            # Twice the characters is the most cells a title can take.
            cells = sum(1 if character.isascii() else 2 for character in _title(action))
            needed = len(key_label(action.keys[0])) + 3 + cells
            if needed <= room and _title(action) not in map(_title, shown):
                room -= needed
                shown.append(action)
        return shown


def _title(action: Action) -> str:
    return action.title_now() if action.title_now else action.title


def _bound(action: Action) -> Bound:
    states = action.command.allowed_states if action.command is not None else frozenset()
    return Bound(action.name, action.keys, states, action.command is not None)


_LABELS = {
    "space": "Space",
    "enter": "Enter",
    "escape": "Esc",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
    "up": "Up",
    "down": "Down",
    "left": "Left",
    "right": "Right",
    "tab": "Tab",
}


def key_label(key: str) -> str:
    """A key as people write it."""
    return _LABELS.get(key, key.replace("ctrl+", "^"))


def not_now(action: Action, state: str) -> str:
    """Why a command's key does nothing on this record."""
    return _("{title} is not possible in state {state}", title=action.title, state=state or "-")
