"""Who had a hand in what a settlement pays. None of them approves it.

Editors of settlements, rules and lines are kept on the records. Who ever changed an account, or undid something, stands
in the journal alone, and is asked for there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Final

from bo.core.access.records import Operator
from bo.core.kernel.tx import SYSTEM, Tx
from bo.core.referrers.payees import Payee
from bo.core.rewards.records import RewardLine, RewardRule
from bo.core.settlement.records import Settlement
from bo.core.settlement.refusals import NotAPerson
from bo.core.settlement.rules import OwnWork, require_approver

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement

RULES_MOST: Final = 100_000
ASK: Final = "Ask somebody else to approve it."


def require_person(tx: Tx) -> None:
    """Refuse a service and the system itself. Raises NotAPerson."""
    operator = tx.peek(Operator, tx.actor.id)
    if tx.actor.id == SYSTEM.id or (operator is not None and operator.kind != "person"):
        raise NotAPerson(
            "{actor} is not a person and cannot approve", hint="Let an operator approve it.", actor=tx.actor.name
        )


def require_other_hands(tx: Tx, settlement: Settlement, lines: Sequence[RewardLine], found: Collection[Payee]) -> None:
    """Refuse an approver who made, edited or submitted it, wrote a rule, line or account of it, or undid any of that.

    Raises:
        OwnWork
    """
    actor = tx.actor.id
    rules = tuple(sorted({line.rule for line in lines if line.rule is not None}))
    written = tx.select(RewardRule, id=rules, limit=RULES_MOST) if rules else []
    authors = {editor for rule in written for editor in rule.editors}
    accounts = [payee.account.id for payee in found if payee.account is not None]
    parts = [settlement.id, *rules, *(line.id for line in lines)]
    try:
        require_approver(actor, settlement.created_by, {*settlement.editors, settlement.submitted_by}, authors)
        if any(actor in line.editors for line in lines):
            raise OwnWork("{approver} had a hand in a line of this settlement and cannot approve it", hint=ASK)
        if _has_acted(tx, accounts):
            raise OwnWork("{approver} wrote an account that it pays to and cannot approve it", hint=ASK)
        if _has_acted(tx, parts, "op.undo"):
            raise OwnWork("{approver} undid something in this settlement and cannot approve it", hint=ASK)
    except OwnWork as error:
        error.facts["approver"] = tx.actor.name
        raise


def _has_acted(tx: Tx, ids: Iterable[str], name: str = "") -> bool:
    """Whether who acts has ever changed one of these records, or done that one thing to it."""
    unit = tx._unit
    unit.flush()
    values = {"ids": unit.session.array(list(ids)), "actor": tx.actor.id, "name": name}
    return bool(unit.session.rows(f"settlement:acted:{bool(name)}", lambda: _acted(bool(name)), values))


def _acted(by_name: bool) -> ClauseElement:
    import sqlalchemy as sa

    from bo.core.kernel.tables import change, in_list, operation

    wanted = [operation.c.actor == sa.bindparam("actor"), in_list(change.c.row, sa.bindparam("ids"))]
    if by_name:
        wanted.append(operation.c.name == sa.bindparam("name"))
    return sa.select(operation.c.seq).join(change, change.c.seq == operation.c.seq).where(*wanted).limit(1)
