"""Disputes about one reward line: what they freeze, and who may decide them.

While a dispute is open the line goes into no settlement. What is paid is never edited: a dispute that is upheld adds a
line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bo.core.kernel.errors import Refused
from bo.core.kernel.tx import Tx
from bo.core.ledger.days import today
from bo.core.rewards.records import DUE, ESCALATED, OPEN, PAID, UNDER_REVIEW, Dispute, RewardLine

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement

ANSWER_DAYS: Final = 5
LIVE: Final = (OPEN, UNDER_REVIEW, ESCALATED)


class LineDisputed(Refused):
    """A line that somebody disputes already, or that waits for the answer."""

    code = "line_disputed"


class OwnDispute(Refused):
    """A dispute decided by who opened it, or who decided what it is about."""

    code = "own_dispute"


class NotReviewer(Refused):
    """A dispute that somebody else has taken."""

    code = "not_reviewer"


def require_undisputed(tx: Tx, line: RewardLine) -> None:
    """Refuse what is done by hand to a line whose dispute is not decided. Raises LineDisputed."""
    if any(item.state in LIVE for item in tx.find_all(Dispute, line=line.id)):
        raise LineDisputed(
            "this line is disputed; it waits for the answer", hint="See bo disputes list line:{line}.", line=line.id
        )


def require_free_to_decide(tx: Tx, dispute: Dispute) -> None:
    """Refuse who opened it, had it before, or had a hand in the line or in its settlement. Raises OwnDispute."""
    line = tx.get(RewardLine, dispute.line)
    decided = {item.decided_by for item in tx.find_all(Dispute, line=line.id)}
    rows = [line.id, line.settlement or line.id]
    if tx.actor.id in {dispute.opened_by, *dispute.reviewers, *line.editors, *decided} or _has_acted(tx, rows):
        raise OwnDispute(
            "{actor} had a hand in this and does not decide it", hint="Ask somebody else.", actor=tx.actor.name
        )


def require_reviewer(tx: Tx, dispute: Dispute) -> None:
    """Refuse everybody but who has taken it. Raises NotReviewer."""
    if dispute.reviewer != tx.actor.id:
        raise NotReviewer(
            "somebody else looks at this dispute",
            hint="Leave it to them, or escalate it: bo disputes escalate {dispute}.",
            dispute=dispute.id,
        )


def freeze(line: RewardLine) -> None:
    """Keep a line out of settlements; one that is paid stays as it is."""
    if line.state != PAID:
        line.disputed = True


def decide(tx: Tx, dispute: Dispute, reason: str) -> RewardLine:
    """Write down who decided and why; the line goes on."""
    line = tx.get(RewardLine, dispute.line)
    if line.state != PAID:
        line.disputed = False
    dispute.decided_by, dispute.decision = tx.actor.id, reason
    return line


def make_good(tx: Tx, dispute: Dispute, line: RewardLine, amount: int, reason: str) -> RewardLine:
    """The line that an upheld dispute adds, above or below zero. Who decided does not approve its payment."""
    made = RewardLine(
        referrer=line.referrer,
        kind="adjustment",
        state=DUE,
        amount=amount,
        currency=line.currency,
        event=line.event,
        cause=line.cause,
        once=f"{dispute.id}:adjustment",
        inputs={"dispute": dispute.id, "line": line.id},
        earned_at=tx.now,
        due_on=today(tx),
        reason=reason,
        editors=tuple(sorted({dispute.opened_by, tx.actor.id})),
    )
    return tx.add(made)


def _has_acted(tx: Tx, rows: list[str]) -> bool:
    """Whether who acts has ever changed one of these."""
    return bool(tx.rows("rewards:acted", _acted, actor=tx.actor.id, rows=tuple(rows)))


def _acted() -> ClauseElement:
    import sqlalchemy as sa

    from bo.core.kernel.tables import change, in_list, operation

    ours = (operation.c.actor == sa.bindparam("actor"), in_list(change.c.row, sa.bindparam("rows")))
    return sa.select(operation.c.seq).join(change, change.c.seq == operation.c.seq).where(*ours).limit(1)
