"""Which key does what: the default keys of record commands, what a key press is called, and remapping by a TOML file.

A remap that clashes is refused for the keys it clashes on and reported; the screen never starts with two meanings on
one key. Some keys are kept from everybody, because terminals, tmux or input methods take them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from msgspec import Struct

from bo.core.kernel.text import _

# Keys of commands, in the order in which the footer offers them. Commands may share one where no state allows both.
COMMAND_KEYS: dict[str, str] = {
    "leads.assign": "a",
    "leads.request_info": "i",
    "leads.follow_up": "t",
    "leads.hold": "w",
    "leads.win": "W",
    "leads.book_visit": "B",
    "leads.recall": "R",
    "leads.reopen": "O",
    "leads.appeal": "P",
    "leads.edit": "e",
    "leads.report": "c",
    "conflicts.discard": "T",
    "conflicts.edit": "e",
    "conflicts.hand": "s",
    "orders.hold": "w",
    "orders.release": "W",
    "orders.tag": "t",
    "orders.pay": "P",
    "orders.refund": "R",
    "orders.allocate": "a",
    "orders.fulfil": "s",
    "orders.edit": "e",
    "exceptions.take": "a",
    "exceptions.assign": "s",
    "returns.receive": "a",
    "returns.exchange": "B",
    "returns.credit": "D",
    "returns.request": "c",
    "rewards.hold": "w",
    "rewards.release": "W",
    "rewards.adjust": "c",
    "payouts.hold": "w",
    "payouts.release": "W",
    "settlements.run": "c",
    "products.edit": "e",
    "products.tag": "t",
    "customers.edit": "e",
    "customers.add": "c",
    "entries.record": "c",
}

# Where nothing above says otherwise, the same verb has the same key everywhere.
VERB_KEYS: dict[str, str] = {"add": "c", "edit": "e", "tag": "t"}

GO_KEYS: dict[str, str] = {
    "conflicts": "gc",
    "leads": "gl",
    "orders": "go",
    "exceptions": "gx",
    "returns": "gr",
    "refunds": "gf",
    "customers": "gk",
    "products": "gp",
    "stock": "gi",
    "settlements": "gs",
    "payouts": "gy",
    "rewards": "gw",
    "bank_lines": "gb",
    "stores": "gt",
    "automation_rules": "ga",
}

# Commands whose own key opens the form, since the key of the good next step does them plainly: all pieces.
FORMED = frozenset({"orders.fulfil", "returns.receive"})

# Commands that do nothing until they are told what: their key opens the form, though none of it must be filled in.
ASKING = frozenset({"orders.tag", "products.tag", "customers.tag", "payee_accounts.change"})

# Commands of other records that are offered for these, and the parameter that the record under the cursor is.
GUESTS: dict[str, dict[str, str]] = {"orders": {"returns.request": "order"}}

# What Enter goes on to, where the record is only a pointer to another: the noun of what it is about.
OPENS: dict[str, str] = {"exceptions": "orders"}

# Records whose views say how many there are.
COUNTED = frozenset({"exceptions"})

# `d` is the good next step and `b`, its mirror image, the bad one; which command that is, the record's state says.
GOOD_STEPS: dict[str, dict[str, str]] = {
    "leads": {
        "pending_review": "leads.accept",
        "needs_info": "leads.info_received",
        "duplicate": "leads.not_duplicate",
        "valid": "leads.assign_by_rule",
        "assigned": "leads.take",
        "accepted": "leads.follow_up",
        "contacted": "leads.book_visit",
        "visit_booked": "leads.visit",
        "visited": "leads.quote",
        "quoted": "leads.win",
        "on_hold": "leads.resume",
        "lost": "leads.reopen",
    },
    "orders": {"draft": "orders.confirm", "unfulfilled": "orders.fulfil", "part_fulfilled": "orders.fulfil"},
    "conflicts": {"refused": "conflicts.retry"},
    "exceptions": {"open": "exceptions.resolve"},
    "returns": {"requested": "returns.approve", "approved": "returns.receive", "received": "returns.refund"},
    "refunds": {"pending": "refunds.execute"},
    "reward_rules": {"draft": "reward_rules.activate"},
    "rewards": {"held": "rewards.release"},
    "settlements": {
        "draft": "settlements.submit",
        "submitted": "settlements.approve",
        "approved": "settlements.export",
        "exported": "settlements.mark_paid",
        "part_paid": "settlements.mark_paid",
        "paid": "settlements.close",
    },
    "bank_lines": {"ignored": "bank_lines.reconsider"},
    "payouts": {"held": "payouts.release", "sent": "payouts.mark_paid"},
    "products": {"draft": "products.activate", "archived": "products.activate"},
}
BAD_STEPS: dict[str, dict[str, str]] = {
    "leads": {
        "pending_review": "leads.reject",
        "needs_info": "leads.reject",
        "assigned": "leads.decline",
        "accepted": "leads.lose",
        "contacted": "leads.lose",
        "visit_booked": "leads.lose",
        "visited": "leads.lose",
        "quoted": "leads.lose",
        "on_hold": "leads.lose",
        "won": "leads.reverse",
    },
    "orders": {"draft": "orders.cancel", "unfulfilled": "orders.cancel", "part_fulfilled": "orders.cancel"},
    "exceptions": {"open": "exceptions.dismiss"},
    "returns": {"requested": "returns.reject", "approved": "returns.reject", "received": "returns.decline"},
    "refunds": {"pending": "refunds.fail"},
    "reward_rules": {"draft": "reward_rules.retire", "active": "reward_rules.retire"},
    "rewards": {"holding": "rewards.void", "due": "rewards.void", "held": "rewards.void"},
    "settlements": {"draft": "settlements.cancel", "submitted": "settlements.return", "approved": "settlements.cancel"},
    "bank_statements": {"taken": "bank_statements.withdraw"},
    "bank_lines": {"open": "bank_lines.ignore", "part_matched": "bank_lines.unmatch", "matched": "bank_lines.unmatch"},
    "payouts": {"planned": "payouts.hold", "sent": "payouts.fail", "paid": "payouts.returned"},
    "products": {"active": "products.archive", "draft": "products.archive"},
}


def command_keys(names: Collection[str]) -> dict[str, str]:
    """The keys of those commands, in the order in which the footer offers them."""
    named = {name: key for name, key in COMMAND_KEYS.items() if name in names}
    taken = {(name.partition(".")[0], key) for name, key in named.items()}
    by_verb = {name: VERB_KEYS.get(name.partition(".")[2], "") for name in names if name not in named}
    free = {name: key for name, key in by_verb.items() if key and (name.partition(".")[0], key) not in taken}
    return named | free


RESERVED = frozenset({"ctrl+a", "ctrl+b", "ctrl+s", "ctrl+q", "ctrl+z", "ctrl+c", "ctrl+space", "escape", "tab"})

_NAMES = {" ": "space", "　": "space", "、": "/", "。": ".", "￥": "$"}


def key_name(key: str, character: str | None) -> str:
    """What the registry calls a key press: the character where it is one, else Textual's name.

    Full-width forms, which an input method left on produces, count as the plain ones.
    """
    if character is None or not character.isprintable():
        return key
    if character in _NAMES:
        return _NAMES[character]
    if "！" <= character <= "～":
        return chr(ord(character) - 0xFEE0)
    return character


def from_input_method(name: str) -> bool:
    """Whether a key can only have come from an input method that is still on."""
    return len(name) == 1 and (
        "⺀" <= name <= "鿿" or "가" <= name <= "힣" or "豈" <= name <= "﫿" or ord(name) >= 0x20000
    )


class Bound(Struct, frozen=True):
    """An action's keys as the registry sees them: `states` empty means it can be meant in any state."""

    name: str
    keys: tuple[str, ...]
    states: frozenset[str] = frozenset()
    by_state: bool = False


def clashes(bound: Iterable[Bound]) -> list[tuple[str, str, str]]:
    """Pairs of actions that one key press could mean at once: (key, action, action).

    Record commands may share a key where no state allows both. A key may not begin another one's sequence.
    """
    found: list[tuple[str, str, str]] = []
    seen: list[tuple[str, Bound]] = []
    for action in bound:
        for key in action.keys:
            for other_key, other in seen:
                if other.name != action.name and _collide(key, action, other_key, other):
                    found.append((key, other.name, action.name))
            seen.append((key, action))
    return found


def _collide(key: str, action: Bound, other_key: str, other: Bound) -> bool:
    if key == other_key:
        apart = action.by_state and other.by_state and action.states and other.states
        return not (apart and not action.states & other.states)
    first, second = sorted((sequence(key), sequence(other_key)), key=len)
    return second[: len(first)] == first


def sequence(key: str) -> tuple[str, ...]:
    """A key as the presses that make it up: `gg` is two, `ctrl+d` and `space` are one."""
    if len(key) == 2 and key[0] in "gz":
        return (key[0], key[1])
    return (key,)


class Remapped(Struct, frozen=True):
    """Keys for every action after the remap, and what is wrong with the file, in words for the user."""

    keys: dict[str, tuple[str, ...]]
    problems: list[str]


def remap(bound: Iterable[Bound], wanted: Mapping[str, tuple[str, ...]]) -> Remapped:
    """Apply a user's keys to the defaults. What clashes keeps its default key, and is reported."""
    defaults = {action.name: action for action in bound}
    current = dict(defaults)
    problems: list[str] = []
    for name, keys in wanted.items():
        action, kept = defaults.get(name), [key for key in keys if key in RESERVED]
        if action is None:
            problems.append(_("There is no action {name} to give a key to", name=name))
        elif kept:
            problems.append(_("{key} is kept for the terminal; {name} keeps its key", key=kept[0], name=name))
        else:
            current[name] = Bound(name, keys, action.states, action.by_state)
    while found := clashes(current.values()):
        key, first, second = found[0]
        loser = second if current[second] != defaults[second] or current[first] == defaults[first] else first
        winner = first if loser == second else second
        problems.append(_("{key} means {winner} already; {loser} does not get it", key=key, winner=winner, loser=loser))
        default = defaults[loser]
        without = tuple(each for each in default.keys if each != key)
        # A default that clashes with another default gives the key up; a remapped one falls back to its default.
        current[loser] = (
            default if current[loser] != default else Bound(loser, without, default.states, default.by_state)
        )
        defaults[loser] = current[loser]
    return Remapped({name: action.keys for name, action in current.items()}, problems)


def read_keys_file(path: str) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """The `[keys]` table of a TOML file: action name -> its keys; and what cannot be understood in it."""
    if not path or not Path(path).is_file():
        return {}, []
    import tomllib

    try:
        with Path(path).open("rb") as file:
            table = tomllib.load(file).get("keys", {})
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return {}, [_("{path} cannot be read as keys: {why}", path=path, why=error)]
    wanted: dict[str, tuple[str, ...]] = {}
    problems: list[str] = []
    for name, keys in table.items() if isinstance(table, dict) else ():
        listed = [keys] if isinstance(keys, str) else keys
        if isinstance(listed, list) and all(isinstance(key, str) and key for key in listed):
            wanted[name] = tuple(listed)
        else:
            problems.append(_("The keys of {name} are not a text or a list of texts", name=name))
    return wanted, problems
