"""Who had a hand in what a settlement pays. None of them approves it.

Editors of settlements, rules and lines are kept on the records. Who ever changed an account, or undid something, stands
in the journal alone, and is asked for there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bo.core.access.records import Operator
from bo.core.kernel.record import info_of
from bo.core.kernel.tx import SYSTEM, Tx
from bo.core.referrers.payees import Payee
from bo.core.rewards.records import RewardLine, RewardRule
from bo.core.settlement.records import Settlement
from bo.core.settlement.refusals import NotAPerson
from bo.core.settlement.rules import SECOND_APPROVER_ABOVE, OwnWork, require_approver

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement

RULES_MOST: Final = 100_000
ASK: Final = "Ask somebody else to approve it."


def require_person(tx: Tx) -> None:
    """Refuse a service, the system itself, and a rule that runs in somebody's name. Raises NotAPerson."""
    operator = tx.peek(Operator, tx.actor.id)
    if tx.actor.id == SYSTEM.id or (operator is not None and operator.kind != "person"):
        raise NotAPerson(
            "{actor} is not a person and cannot approve", hint="Let an operator approve it.", actor=tx.actor.name
        )
    if tx.cause:
        raise NotAPerson("a rule cannot approve what nobody has looked at", hint="Let an operator approve it.")


def second_above(tx: Tx, currency: str) -> int | None:
    """The sum above which a settlement needs a second approver, in minor units; None where one is always enough.

    The limit is in the office's currency. Where there is one, whatever is paid in another needs two people.
    """
    limit = SECOND_APPROVER_ABOVE.of(tx) or None
    return limit if limit is None or currency == tx.context.currency else 0


def require_other_hands(tx: Tx, settlement: Settlement, found: Collection[Payee]) -> None:
    """Refuse an approver who made, edited, submitted or approved it, wrote a rule, line, account or tax treatment of
    it, or undid any of that.

    Raises:
        OwnWork
    """
    actor = tx.actor.id
    rules = tuple(sorted(str(row[0]) for row in _asked(tx, "rules", _rules, settlement=settlement.id)))
    written = tx.select(RewardRule, id=rules, limit=RULES_MOST) if rules else []
    authors = {editor for rule in written for editor in rule.editors}
    editors = {editor for row in _asked(tx, "editors", _editors, settlement=settlement.id) for editor in _names(row[0])}
    accounts = [payee.account.id for payee in found if payee.account is not None]
    try:
        require_approver(
            actor,
            settlement.created_by,
            {*settlement.editors, settlement.submitted_by},
            authors,
            approved_before=settlement.approvers,
        )
        if actor in editors:
            raise OwnWork("{approver} had a hand in a line of this settlement and cannot approve it", hint=ASK)
        if _has_acted(tx, accounts):
            raise OwnWork("{approver} wrote an account that it pays to and cannot approve it", hint=ASK)
        if _has_acted(tx, [payee.referrer.id for payee in found], "referrers.set_tax"):
            raise OwnWork("{approver} said what tax it withholds and cannot approve it", hint=ASK)
        undone = _asked(tx, "undone", _undone, settlement=settlement.id, actor=actor)
        if undone or _has_acted(tx, [settlement.id, *rules], "op.undo"):
            raise OwnWork("{approver} undid something in this settlement and cannot approve it", hint=ASK)
    except OwnWork as error:
        error.facts["approver"] = tx.actor.name
        raise


def _asked(
    tx: Tx, key: str, build: Callable[[], ClauseElement], **values: str | tuple[str, ...]
) -> list[tuple[Any, ...]]:
    return tx.rows(f"settlement:hands:{key}", build, RewardLine, narrowed=None, **values)


def _names(text: object) -> tuple[str, ...]:
    """The operators that a column of editors holds."""
    return msgspec.json.decode(str(text), type=tuple[str, ...]) if text else ()


def _has_acted(tx: Tx, ids: Sequence[str], name: str = "") -> bool:
    """Whether who acts has ever changed one of these records, or done that one thing to it."""
    values: dict[str, str | tuple[str, ...]] = {"ids": tuple(ids), "actor": tx.actor.id, "name": name}
    return bool(_asked(tx, f"acted:{bool(name)}", lambda: _acted(bool(name)), **values))


def _rules() -> ClauseElement:
    import sqlalchemy as sa

    from bo.core.kernel.tables import table

    line = table(info_of(RewardLine))
    wanted = (line.c.settlement == sa.bindparam("settlement"), line.c.rule.is_not(None))
    return sa.select(line.c.rule).where(*wanted).distinct()


def _editors() -> ClauseElement:
    import sqlalchemy as sa

    from bo.core.kernel.tables import table

    line = table(info_of(RewardLine))
    wanted = (line.c.settlement == sa.bindparam("settlement"), line.c.editors.is_not(None))
    return sa.select(line.c.editors).where(*wanted).distinct()


def _acted(by_name: bool) -> ClauseElement:
    import sqlalchemy as sa

    from bo.core.kernel.tables import change, in_list, operation

    wanted = [operation.c.actor == sa.bindparam("actor"), in_list(change.c.row, sa.bindparam("ids"))]
    if by_name:
        wanted.append(operation.c.name == sa.bindparam("name"))
    return sa.select(operation.c.seq).join(change, change.c.seq == operation.c.seq).where(*wanted).limit(1)


def _undone() -> ClauseElement:
    """Whether somebody undid something to a line of a settlement; by the operations first, which are few."""
    import sqlalchemy as sa

    from bo.core.kernel.tables import change, operation, table

    line = table(info_of(RewardLine))
    undone = (
        sa.select(change.c.row)
        .join(operation, change.c.seq == operation.c.seq)
        .where(operation.c.actor == sa.bindparam("actor"), operation.c.name == sa.literal("op.undo"))
    )
    wanted = (line.c.settlement == sa.bindparam("settlement"), line.c.id.in_(undone))
    return sa.select(line.c.id).where(*wanted).limit(1)
