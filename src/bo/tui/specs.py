"""Commands of the registry as the screen offers them: what they are called, and what their forms ask for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from bo.tui.source import Choice, CommandSpec, ParamKind, ParamSpec
from bo.tui.start_rows import columns_of
from bo.tui.words import DONE, TITLES

if TYPE_CHECKING:
    from bo.core.kernel.command import Command, Param

AHEAD = ("next_at", "until")
KINDS: Mapping[str, ParamKind] = {
    "choice": "choice",
    "amount": "amount",
    "day": "day",
    "moment": "moment",
    "flag": "flag",
    "phone": "phone",
    "ref": "ref",
    "whole": "number",
}


def spec(command: Command, zone: str = "UTC") -> CommandSpec:
    """A command of the registry as the screen offers it; `zone` is the office's, for days to come."""
    states = command.moves.sources if command.moves is not None and command.subject is not None else ()
    return CommandSpec(
        command.name,
        command.verb,
        TITLES.get(command.name) or command.verb.replace("_", " ").capitalize(),
        tuple(_param(param, zone) for param in command.params),
        confirm=command.confirm == "always",
        allowed_states=frozenset(str(state) for state in states),
        done=DONE.get(command.name, ""),
        subject=command.subject is not None,
        summary=command.summary,
        edits=command.subject is not None and command.verb == "edit",
    )


def _param(param: Param, zone: str) -> ParamSpec:
    described = param.kind.describe()
    options, labels = described.get("options"), described.get("labels")
    choices: tuple[Choice, ...] = ()
    if isinstance(options, list) and isinstance(labels, list):
        choices = tuple(Choice(str(option), str(label)) for option, label in zip(options, labels, strict=True))
    ref = str(described.get("record", ""))
    default = "" if param.default in (None, "", ()) else "yes" if param.default is True else str(param.default)
    if param.default is False:
        default = "no"
    kind = KINDS.get(param.kind.name, "text")
    # A time that may be left out is one that has been, such as when a payment came.
    to_come = param.name in AHEAD or (param.name == "at" and param.required)
    ahead = zone if to_come and kind in ("day", "moment") else ""
    columns = columns_of(param) if param.kind.name in ("rows", "facts") else ()
    if columns:
        kind = "rows" if param.kind.name == "rows" else "pieces"
    return ParamSpec(
        param.name, param.label.capitalize(), kind, param.required, choices, default, param.meta.help, ref, ahead,
        columns,
    )  # fmt: skip
