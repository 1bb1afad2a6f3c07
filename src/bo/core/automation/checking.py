"""Whether a rule can be kept: everything it names exists, and its author may do what it will do."""

from __future__ import annotations

from typing import Final

import msgspec

from bo.core.automation.records import AutomationRule
from bo.core.automation.rules import CLOCK, FIELD, named_in, way_to_subject
from bo.core.kernel.arguments import decode_arguments
from bo.core.kernel.command import Command, Param
from bo.core.kernel.errors import NotAllowed, Refused, UsageError
from bo.core.kernel.record import RecordInfo, info_of
from bo.core.kernel.tx import SYSTEM, Tx

NOUN: Final = "automation_rules"


class UnsuitableRule(Refused):
    """A rule that could never do what it says, or would do too much."""

    code = "unsuitable_rule"


def take_over(tx: Tx, rule: AutomationRule) -> None:
    """Make who acts the rule's author, after everything in it has been looked at.

    Raises:
        UnsuitableRule: it has no author, looks at no record, or runs what no rule may run.
        NotAllowed: the author may not do what it would do, or not read what it looks at.
        UsageError, BadValue: a command, a field or an argument that cannot be understood.
    """
    if tx.actor.id == SYSTEM.id:
        raise UnsuitableRule("a rule runs in somebody's name, and the system is nobody", hint="Say who with --as.")
    rule.author = tx.actor.id
    rule.records = rule.records or _records_of(tx, rule.on)
    info = info_of(tx.record_of(rule.records))
    _require_event(tx, rule)
    _require(tx, f"{rule.records}.read")
    _check_filter(tx, rule, info)
    command = tx.command_of(rule.then)
    if command.noun == NOUN:
        raise UnsuitableRule("no rule changes rules", hint="Choose another command.")
    _require(tx, command.needs)
    if way_to_subject(info, command) is None:
        raise UnsuitableRule(
            "{command} is done to one of the {wanted}, and {records} do not say to which",
            hint="Let the rule look at {wanted}: --records {wanted}.",
            command=command.name, wanted=command.noun, records=rule.records,
        )  # fmt: skip
    _check_arguments(tx, rule, info, command)


def _records_of(tx: Tx, on: str) -> str:
    """The records that an event is about, where the rule does not say."""
    if on == CLOCK:
        raise UnsuitableRule("the clock is about no record", hint="Say whose records are looked at: --records orders.")
    return on.removesuffix(".*") if on.endswith(".*") else tx.command_of(on).noun


def _require_event(tx: Tx, rule: AutomationRule) -> None:
    if rule.on == CLOCK:
        return
    if rule.on.endswith(".*"):
        tx.record_of(rule.on.removesuffix(".*"))
    else:
        tx.command_of(rule.on)


def _require(tx: Tx, permission: str) -> None:
    if not tx.actor.may(permission):
        raise NotAllowed(
            "{actor} may not {permission}",
            hint="A rule does what its author may do, and no more.",
            actor=tx.actor.name, permission=permission,
        )  # fmt: skip


def _check_filter(tx: Tx, rule: AutomationRule, info: RecordInfo) -> None:
    found = tx.filter(info.cls, rule.filter)
    if rule.on == CLOCK and not found.conditions:
        raise UnsuitableRule(
            "a rule of the clock needs a filter that says which {records} it means",
            hint="Such as: state:unfulfilled payment:unpaid placed<-3d", records=rule.records,
        )  # fmt: skip
    for item in tx.actor.hidden(info):
        if item.name in found.named() or item.name in named_in(rule.arguments):
            _require(tx, item.meta.needs)


def _check_arguments(tx: Tx, rule: AutomationRule, info: RecordInfo, command: Command) -> None:
    for name in named_in(rule.arguments):
        if name not in info.by_name:
            fields = ", ".join(item.name for item in info.fields if not item.meta.internal)
            raise UsageError(
                "{noun} have no field {field}", hint="Fields: {names}", noun=info.noun, field=name, names=fields
            )
    missing = [param.name for param in command.params if param.required and param.name not in rule.arguments]
    if missing:
        raise UsageError(
            "{command} needs {field}, and the rule does not say it",
            hint="Say it with --arguments {field}=…; {{number}} there stands for a field of the record.",
            command=command.name, field=missing[0],
        )  # fmt: skip
    # what names a field is known when the rule runs; that a parameter of its name is there, now
    fixed = {name: value for name, value in rule.arguments.items() if not FIELD.search(str(value))}
    known = [param for param in command.params if param.name not in rule.arguments or param.name in fixed]
    decode_arguments(_with(command, known, rule), fixed, tx.context)


def _with(command: Command, params: list[Param], rule: AutomationRule) -> Command:
    """The command without the parameters that get their values from the record."""
    unknown = sorted({*rule.arguments} - {param.name for param in command.params})
    if unknown:
        raise UsageError(
            "{command} has no parameter {field}",
            hint="It takes: {names}.",
            command=command.name, field=unknown[0], names=", ".join(param.name for param in command.params),
        )  # fmt: skip
    return msgspec.structs.replace(command, params=tuple(params), plans={})
