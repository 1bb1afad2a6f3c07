"""Reading the arguments of a call by their kinds.

Amounts that people write are in the currency that the call names, or else in that of the record it is about.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from bo.core.kernel.command import Command, Plan, Query
from bo.core.kernel.errors import BadValue, UsageError
from bo.core.kernel.kinds import Context


def money_in(context: Context, currency: str) -> Context:
    """What amounts in a currency are read with; "" is the office's."""
    return msgspec.structs.replace(context, currency=currency.strip().upper()) if currency else context


def has_written_amounts(command: Command, args: Mapping[str, object]) -> bool:
    """Whether amounts of a call are text whose currency only its subject says."""
    if command.subject is None or not args or args.get("currency"):
        return False
    return any(
        type(args.get(param.name)) not in (int, type(None))
        for param in command.params
        if param.kind.name in ("amount", "rows")
    )


def decode_arguments(command: Command | Query, given: Mapping[str, object], context: Context) -> dict[str, object]:
    """Read a call's arguments by kind, in the order of the signature. Blank clears an optional one. Raises BadValue or
    UsageError naming the field."""
    names = tuple(given)
    plan = command.plans.get(names)
    if plan is None:
        plan = command.plans[names] = _plan(command, given)
    values: dict[str, object] = {}
    name, value = "", None
    try:
        for name, decode, optional, required in plan:
            value = given[name]
            read = decode(value, context) if value is not None and value != "" else None
            if read is not None and read != "":
                values[name] = read
            elif required:
                raise _missing(command, name)
            elif optional:
                values[name] = None
    except BadValue as error:
        error.facts.setdefault("field", name)
        error.facts.setdefault("value", str(value)[:200])
        raise
    return values


def _plan(command: Command | Query, given: Mapping[str, object]) -> Plan:
    """How calls with these argument names are read; worked out once for each set of names."""
    for param in command.params:
        if param.required and param.name not in given:
            raise _missing(command, param.name)
    if not {param.name for param in command.params}.issuperset(given):
        raise _unknown(command, given)
    return tuple(
        (param.name, param.kind.decode, param.optional, param.required)
        for param in command.params
        if param.name in given
    )


def _missing(command: Command | Query, name: str) -> UsageError:
    option = name.replace("_", "-")
    return UsageError(
        "{command} needs {field}", hint="Give it with --{option}.", command=command.name, field=name, option=option
    )


def _unknown(command: Command | Query, given: Mapping[str, object]) -> UsageError:
    names = sorted(param.name for param in command.params)
    unknown = next(name for name in given if name not in names)
    return UsageError(
        "{command} has no parameter {field}",
        hint="It takes: {names}.",
        command=command.name,
        field=unknown,
        names=", ".join(names),
    )
