"""What rules would do, and what they have done."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from bo.core.automation import reading
from bo.core.automation.records import AutomationRule
from bo.core.automation.rules import CLOCK, filled, listens, way_to_subject
from bo.core.kernel import journal
from bo.core.kernel.command import query
from bo.core.kernel.kinds import ChoiceKind, Count, Facts, Field, Id, Moment, Text, moment_of
from bo.core.kernel.reader import Reader
from bo.core.kernel.record import info_of
from bo.core.kernel.text import _

NOUN: Final = "automation_rules"
SHOWN: Final = 100
OutcomeKind = Annotated[str, ChoiceKind("", "applied", "unchanged", "refused")]


class Trial(msgspec.Struct, frozen=True):
    """What a rule would have done."""

    operation: Id
    event: Text
    record: Id
    command: Text
    subject: Id
    arguments: Facts


class Run(msgspec.Struct, frozen=True):
    """What became of a call that a rule made. `operation` is the one that it is in the journal, where it is."""

    at: Moment
    rule: Text
    outcome: Text
    operation: Id
    origin: Annotated[Id, Field(label="because of")]
    record: Id
    code: Text
    reason: Text


@query(needs="automation_rules.read")
def try_(
    read: Reader,
    rule: AutomationRule,
    *,
    operations: Annotated[Count, Field(help="how many of the last operations are looked at")] = 1000,
) -> list[Trial]:
    """Show what a rule would do with the records of the last operations, as they are now; nothing is done."""
    info, command = read.info(rule.records), read.registry.command(rule.then)
    if rule.on == CLOCK:
        met = reading.met_by(read, rule, info, None)
        pairs = reading.last_touched(read.session, list(met))
    else:
        head = int(read.session.rows("kernel:head", journal.head_statement)[0][0])
        done = reading.done_between(read.session, max(0, head - operations), head)
        pairs = reading.touched(read.session, info, [item for item in done if listens(rule.on, item.name)])
        met = reading.met_by(read, rule, info, [record for _item, record in pairs])
    way = way_to_subject(info, command)
    return [
        Trial(
            item.id, item.name, record, command.name, str(getattr(met[record].record, way) or "") if way else "",
            _plain(filled(rule.arguments, met[record].record, info, command, read.context.currency)),
        )
        for item, record in pairs
        if record in met
    ]  # fmt: skip


def _plain(arguments: dict[str, object]) -> dict[str, str | int | bool | None]:
    return {
        name: value if value is None or isinstance(value, (str, int, bool)) else msgspec.json.encode(value).decode()
        for name, value in arguments.items()
    }


@query(needs="automation_rules.read")
def runs(
    read: Reader, *, rule: AutomationRule | None = None, outcome: OutcomeKind = "", limit: Count = SHOWN
) -> list[Run]:
    """Show what rules have done, the newest first: what was refused too, and why."""
    values = {"rule": rule.id if rule is not None else "", "outcome": outcome, "most": limit}
    key = f"automation:runs:{'rule' if rule is not None else ''}:{'outcome' if outcome else ''}"
    rows = read.rows(key, lambda: _runs(rule is not None, bool(outcome)), **values)
    return [_run(*row) for row in rows]


def _run(name: str, origin: str, rule: str, code: str | None, row: str, outcome: str, error: str, at: object) -> Run:
    told = msgspec.json.decode(error, type=reading.Told) if error else reading.Told("", "")
    reason = _(told.message, **told.facts) if told.message else ""
    operation = name if outcome == "applied" else ""
    return Run(moment_of(at), code or rule, outcome, operation, origin, row, told.code, reason)


def _runs(of_rule: bool, of_outcome: bool) -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import caused, table

    made = table(info_of(AutomationRule))
    wanted = sa.select(
        caused.c.id, caused.c.origin, caused.c.rule, made.c.code, caused.c.row, caused.c.outcome, caused.c.error,
        caused.c.at,
    ).select_from(caused.outerjoin(made, made.c.id == caused.c.rule))  # fmt: skip
    if of_rule:
        wanted = wanted.where(caused.c.rule == sa.bindparam("rule"))
    if of_outcome:
        wanted = wanted.where(caused.c.outcome == sa.bindparam("outcome"))
    return wanted.order_by(caused.c.at.desc(), caused.c.id.desc()).limit(sa.bindparam("most"))
