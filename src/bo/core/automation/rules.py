"""What needs no database: which operations a rule listens to, what caused what, and what stands for a record's
fields."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from bo.core.kernel.command import Command
from bo.core.kernel.errors import UsageError
from bo.core.kernel.record import Record, RecordInfo

CLOCK: Final = "clock"
DEPTH_MOST: Final = 8
FIELD: Final = re.compile(r"\{(\w+)\}")


class Cause(NamedTuple):
    """Why an operation ran: another one, the rule that it met, and the record that it met it with."""

    origin: str
    rule: str
    record: str

    @property
    def text(self) -> str:
        return "/".join(self)


Chain = tuple[Cause, ...]


def read_cause(text: str) -> Cause | None:
    """The cause that an operation's text stands for; None for what a person or a program did."""
    parts = text.split("/")
    return Cause(*parts) if len(parts) == len(Cause._fields) else None


def listens(on: str, name: str) -> bool:
    """Whether a rule for `on` listens to an operation of that name."""
    return on == name or (on.endswith(".*") and name.startswith(on[:-1]))


def goes_round(chain: Sequence[Cause], rule: str, record: str) -> bool:
    """Whether the rule has met the record in this chain of causes already."""
    return any(cause.rule == rule and cause.record == record for cause in chain)


def named_in(arguments: Mapping[str, object]) -> list[str]:
    """The fields that arguments name."""
    return sorted({name for value in arguments.values() for name in FIELD.findall(str(value))})


def filled(
    arguments: Mapping[str, object], record: Record, info: RecordInfo, command: Command, currency: str
) -> dict[str, object]:
    """Arguments with the record's values in the places of its fields: what is a field alone and of the parameter's own
    kind as it is, all else as people read it."""
    own = str(getattr(record, "currency", "") or currency)
    if gone := [name for name in named_in(arguments) if name not in info.by_name]:
        raise UsageError("{noun} have no field {field}", noun=info.noun, field=gone[0])

    def shown(name: str) -> str:
        return info.by_name[name].kind.show(getattr(record, name), own)

    made: dict[str, object] = {}
    for name, value in arguments.items():
        text = str(value)
        alone, param = FIELD.fullmatch(text), command.param(name)
        if alone and param is not None and param.kind.name == info.by_name[alone[1]].kind.name:
            made[name] = getattr(record, alone[1])
        elif FIELD.search(text):
            made[name] = FIELD.sub(lambda found: shown(found[1]), text)
        else:
            made[name] = value
    return made


def way_to_subject(info: RecordInfo, command: Command) -> str | None:
    """The field of a record that names what the command is done to: `id` for the record itself, blank where the
    command is done to nothing. None: there is no one way."""
    if command.subject is None or command.subject.record is None:
        return ""
    if command.subject.record is info.cls:
        return "id"
    wanted = command.subject.kind.describe().get("record")
    ways = [item.name for item in info.fields if item.kind.name == "ref" and item.kind.describe()["record"] == wanted]
    return ways[0] if len(ways) == 1 else None
