"""What is typed on the `:` line, taken apart: a row number, a word with its argument, a command with its parameters."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from bo.core.kernel.errors import UsageError
from bo.tui.source import CommandSpec, ParamSpec


def row_number(text: str) -> int | None:
    """`:123` is the 123rd row."""
    digits = text.strip().replace(",", "")
    return int(digits) if digits.isdecimal() and len(digits) < 13 else None


def arguments(command: CommandSpec, text: str) -> Mapping[str, str]:
    """Parameters as `name:value`, and values without a name for the parameters in their order.

    Raises:
        UsageError: a parameter that the command does not have, one value too many, or an open quote.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError("A quote is open in {text}", text=text, hint="Close it.") from error
    known = {param.name for param in command.params}
    given: dict[str, str] = {}
    unnamed: list[str] = []
    for word in words:
        name, colon, value = word.partition(":")
        if colon and name in known:
            given[name] = value
        elif colon and name.isidentifier() and not value.startswith("/"):
            raise UsageError(
                "{command} has no parameter {name}", command=command.name, name=name,
                hint="It has: {known}.", known=", ".join(sorted(known)) or "-",
            )  # fmt: skip
        else:
            unnamed.append(word)
    open_params = [param.name for param in command.params if param.name not in given]
    if len(unnamed) > len(open_params):
        raise UsageError(
            "{word} is one value too many", word=unnamed[len(open_params)], hint="Quote values that have spaces."
        )
    return given | dict(zip(open_params, unnamed, strict=False))


def offers(params: Sequence[ParamSpec]) -> list[str]:
    """What may stand behind a command's word: every parameter, and every value of those that have a list."""
    listed: list[str] = []
    for param in params:
        if param.choices:
            listed += [f"{param.name}:{choice.value}" for choice in param.choices]
        elif param.kind == "flag":
            listed.append(f"{param.name}:yes")
        else:
            listed.append(f"{param.name}:")
    return listed
