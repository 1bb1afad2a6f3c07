"""What was asked for on the command line: one command and its values, read by name and type."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from bo.core.kernel.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

FORMS: Final = ("table", "json", "jsonl", "csv", "tsv", "ids", "template")
LIMIT_ON_TERMINAL: Final = 50
UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


class Asked:
    """One invocation. `command` is its name in messages and results, such as `leads.assign`."""

    __slots__ = ("command", "noun", "params", "values", "verb")

    def __init__(self, command: str, values: Mapping[str, object], params: tuple[str, ...] = ()) -> None:
        self.command = command
        self.noun, _dot, self.verb = command.partition(".")
        self.values = values
        self.params = params  # which of the values are the command's own parameters, and not options of every command

    def text(self, name: str) -> str:
        """A value as it was typed; nothing where it was not given."""
        value = self.values.get(name)
        return value if isinstance(value, str) else ""

    def flag(self, name: str) -> bool:
        return self.values.get(name) is True

    def many(self, name: str) -> tuple[str, ...]:
        """The values of an argument or option that may be repeated."""
        value = self.values.get(name)
        return tuple(str(item) for item in value) if isinstance(value, (tuple, list)) else ()

    def whole(self, name: str) -> int | None:
        """A whole number above zero. Raises UsageError for anything else."""
        text = self.text(name)
        if not text:
            return None
        try:
            number = int(text)
        except ValueError:
            number = 0
        if number < 1:
            raise UsageError(
                "--{option} takes a whole number above 0, not {value}", option=name.replace("_", "-"), value=text
            )
        return number

    @property
    def fields(self) -> tuple[str, ...]:
        """The names that `--fields` has."""
        return tuple(name.strip() for name in self.text("fields").split(",") if name.strip())

    def fields_of(self, known: Iterable[str], shown: Iterable[str] = ()) -> list[str]:
        """The fields asked for, else those shown, else all that are known. Raises UsageError with the list."""
        by_name = dict.fromkeys(known)
        names = list(self.fields or shown)
        unknown = [name for name in names if name not in by_name and names != ["all"]]
        if unknown:
            raise UsageError(
                "{noun} have no field {field}",
                hint="Fields: {names}",
                noun=self.command,
                field=unknown[0],
                names=", ".join(by_name),
            )
        return list(by_name) if names in ([], ["all"]) else names

    def arguments(self) -> dict[str, object]:
        """The values of the command's own parameters, those alone that were given."""
        given = {name: self.values.get(name) for name in self.params}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in given.items()
            if value is not None and value != ()
        }

    # -- options of every command --------------------------------------------------------------------------------------

    @property
    def form(self) -> str:
        """The output format asked for, empty to let the output decide. Raises UsageError for one that is not known."""
        form = self.text("output")
        if form and form not in FORMS:
            raise UsageError(
                "there is no output format {value}", hint="One of: {known}.", value=form, known=", ".join(FORMS)
            )
        return "template" if not form and self.text("template") else form

    @property
    def is_for_programs(self) -> bool:
        """Whether errors are to be JSON too."""
        return self.text("output") in ("json", "jsonl")

    @property
    def quiet(self) -> bool:
        return self.flag("quiet")

    @property
    def operator(self) -> str:
        return self.text("as") or os.environ.get("BO_OPERATOR", "")

    @property
    def workspace(self) -> Path:
        """The folder of the workspace: `--workspace`, `BO_WORKSPACE`, or where settings say. Raises Configuration."""
        from bo.cli.settings import workspace_folder

        return workspace_folder(self.text("workspace"))


def seconds(text: str, option: str) -> float:
    """`90`, `90s`, `2m`, `1h` in seconds. Raises UsageError."""
    number, unit = text.rstrip("smhd"), text[len(text.rstrip("smhd")) :]
    try:
        value = float(number)
    except ValueError:
        value = -1.0
    if value < 0 or unit not in UNITS:
        raise UsageError("--{option} takes a time such as 90s, 2m or 1h, not {value}", option=option, value=text)
    return value * UNITS[unit]
