"""The manifest: every noun with its fields, commands and queries, as generated from the registry (`python -m
tools.generate`).

It is the wire form of all commands, committed as `manifest.json` so that a change of it shows in review, and it is
all that help and completion read.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from typing import NotRequired, TypedDict

    class ParamEntry(TypedDict):
        """A parameter of a command or query."""

        kind: str
        required: NotRequired[bool]
        default: NotRequired[object]
        label: NotRequired[str]
        help: NotRequired[str]
        options: NotRequired[list[str]]
        record: NotRequired[str]

    class FieldEntry(TypedDict):
        """A field of a record."""

        kind: str
        label: NotRequired[str]
        help: NotRequired[str]
        options: NotRequired[list[str]]
        record: NotRequired[str]
        optional: NotRequired[bool]
        search: NotRequired[bool]
        unique: NotRequired[bool]
        internal: NotRequired[bool]

    # "from" is a keyword of Python, so this one is written as a call.
    Moves = TypedDict("Moves", {"from": list[str], "to": str | None})

    class CommandEntry(TypedDict):
        """A command: what it needs, where it may run, what it takes."""

        summary: str
        doc: NotRequired[str]
        needs: str
        version: int
        subject: NotRequired[str]
        moves: NotRequired[Moves]
        where: NotRequired[str]
        confirm: NotRequired[str]
        step_up: NotRequired[bool]
        returns: NotRequired[str]
        params: dict[str, ParamEntry]

    class QueryEntry(TypedDict):
        """A query: what it needs and takes."""

        summary: str
        doc: NotRequired[str]
        needs: str
        subject: NotRequired[str]
        params: dict[str, ParamEntry]

    class NounEntry(TypedDict):
        """One noun. `fields` is there for records only; a noun such as `ledger` has queries alone."""

        summary: str
        one: NotRequired[str]
        prefix: NotRequired[str]
        key: NotRequired[list[str]]
        states: NotRequired[list[str]]
        columns: NotRequired[list[str]]
        create: NotRequired[str]
        edit: NotRequired[str]
        final: NotRequired[bool]
        fields: NotRequired[dict[str, FieldEntry]]
        commands: dict[str, CommandEntry]
        queries: dict[str, QueryEntry]

    Manifest = dict[str, NounEntry]

PATH: Final = Path(__file__).with_name("manifest.json")


@cache
def manifest() -> Manifest:
    """Every noun, by name."""
    with PATH.open(encoding="utf-8") as file:
        return cast("Manifest", json.load(file))


def noun_called(text: str) -> str | None:
    """The noun that was typed: with dash or underscore, in the plural or for one. None where there is none."""
    wanted = text.replace("-", "_")
    nouns = manifest()
    if wanted in nouns:
        return wanted
    return next((noun for noun, entry in nouns.items() if entry.get("one") == wanted), None)


def dashed(name: str) -> str:
    """A name as it is typed."""
    return name.replace("_", "-")


def offered(noun: str, state: str) -> list[str]:
    """The commands that a record of this noun may be the subject of in this state, whoever asks."""
    found = []
    for verb, command in manifest()[noun]["commands"].items():
        moves = command.get("moves")
        if command.get("subject") == noun and (moves is None or state in moves["from"]):
            found.append(verb)
    return found


def stepping_up() -> list[tuple[str, str]]:
    """The commands that want a code of the second factor, by noun and verb."""
    entries = ((noun, entry["commands"]) for noun, entry in manifest().items())
    return [(noun, verb) for noun, commands in entries for verb, found in commands.items() if found.get("step_up")]
