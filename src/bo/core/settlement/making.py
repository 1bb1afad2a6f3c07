"""How a settlement is put together: which lines it takes, what each payee gets, and what an approval of it binds.

A payee whose balance is not above zero, or who cannot be paid now, gets a held payout that says why and has no lines:
those stay due, and a later settlement finds them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from bo.core.kernel.tx import Tx
from bo.core.ledger.days import midnight, today
from bo.core.referrers.payees import Payee, payees
from bo.core.referrers.records import PayeeAccount
from bo.core.rewards.records import DUE, HOLDING, INCLUDED, RewardLine
from bo.core.settlement.records import CANCELLED, HELD, PLANNED, Payout, Settlement
from bo.core.settlement.rules import (
    ContentLine,
    Period,
    TotalDiffers,
    content_hash,
    end_to_end_id,
)

LINES_MOST: Final = 1_000_000

# Message ids, as those of referrers/payees.py.
CARRIED: Final = "the balance is not above zero and is carried over"
TAKEN_OUT: Final = "its lines were taken out"


def period_of_settlement(settlement: Settlement) -> Period:
    return Period(settlement.period_from, settlement.period_until)


def due_lines(tx: Tx, period: Period, currency: str, referrer: str = "") -> dict[str, list[RewardLine]]:
    """Lines earned before the period ends that are due by now, by payee; a holding time that is over makes due."""
    ends = midnight(period.until, tx.context.zone)
    only = {"referrer": referrer} if referrer else {}
    found = tx.select(
        RewardLine,
        ("earned_at", "<", ends),
        state=(DUE, HOLDING),
        currency=currency,
        disputed=False,
        limit=LINES_MOST,
        **only,
    )
    now = today(tx)
    by_payee: dict[str, list[RewardLine]] = {}
    for line in found:
        if line.state not in (DUE, HOLDING) or line.due_on > now:
            continue
        line.state = DUE
        by_payee.setdefault(line.referrer, []).append(line)
    return by_payee


def plan(tx: Tx, settlement: Settlement, by_payee: dict[str, list[RewardLine]]) -> list[Payout]:
    """A payout for each payee, in the order of their codes: planned with its lines in it, or held without."""
    found = payees(tx, by_payee, settlement.currency)
    ordered = sorted(found.values(), key=lambda payee: payee.referrer.code)
    return [_plan_one(tx, settlement, payee, by_payee[payee.referrer.id]) for payee in ordered]


def _plan_one(tx: Tx, settlement: Settlement, payee: Payee, lines: list[RewardLine]) -> Payout:
    payout = Payout(
        id=tx.new_id(Payout),
        reference="",
        settlement=settlement.id,
        referrer=payee.referrer.id,
        payee_code=payee.referrer.code,
        amount=0,
        currency=settlement.currency,
    )
    payout.reference = end_to_end_id(payout.id)
    add_up(payout, lines, settlement, tx.context.zone)
    payout.reason = payee.held or (CARRIED if payout.amount <= 0 else "")
    payout.state = HELD if payout.reason else PLANNED
    set_account(payout, payee)
    if payout.state == PLANNED:
        include(lines, payout)
    return tx.add(payout)


def include(lines: Iterable[RewardLine], payout: Payout) -> None:
    for line in lines:
        line.state, line.settlement, line.payout = INCLUDED, payout.settlement, payout.id


def let_go(lines: Iterable[RewardLine]) -> None:
    """Lines become due again."""
    for line in lines:
        line.state, line.settlement, line.payout = DUE, None, None


def add_up(payout: Payout, lines: Sequence[RewardLine], settlement: Settlement, zone: str) -> None:
    """Set the sums of a payout. What was earned before the period began is brought in as one sum."""
    start = midnight(settlement.period_from, zone)
    payout.carried = sum(line.amount for line in lines if line.earned_at < start)
    payout.earned = _sum(lines, "reward", start)
    payout.clawed_back = -_sum(lines, "clawback", start)
    payout.adjusted = _sum(lines, "adjustment", start)
    payout.amount = payout.carried + payout.earned - payout.clawed_back + payout.adjusted
    payout.lines = len(lines)


def _sum(lines: Iterable[RewardLine], kind: str, start: datetime) -> int:
    return sum(line.amount for line in lines if line.kind == kind and line.earned_at >= start)


def set_account(payout: Payout, payee: Payee) -> None:
    """Write down where the payee is paid now; from the approval on it is not written again."""
    account = payee.account
    payout.payee_code = payee.referrer.code
    payout.account_id = account.id if account else None
    payout.holder = account.holder if account else payee.referrer.name
    payout.account_kind = account.kind if account else ""
    payout.account = account.number if account else ""
    payout.bank, payout.bank_code = (account.bank, account.bank_code) if account else ("", "")


def total_up(settlement: Settlement, payouts: Iterable[Payout]) -> None:
    """Set total, lines and payees from the payouts that pay something."""
    paying = [payout for payout in payouts if payout.state not in (HELD, CANCELLED)]
    settlement.total = sum(payout.amount for payout in paying)
    settlement.lines = sum(payout.lines for payout in paying)
    settlement.payees = len(paying)


def require_parts(payouts: Iterable[Payout], lines: Iterable[RewardLine]) -> None:
    """Every line is in one of the payouts, and each payout is the sum of its lines. Raises TotalDiffers."""
    sums: dict[str | None, int] = {}
    for line in lines:
        sums[line.payout] = sums.get(line.payout, 0) + line.amount
    stated: dict[str | None, int] = {payout.id: payout.amount for payout in payouts}
    for payout_id in {*sums, *stated}:
        if sums.get(payout_id, 0) != stated.get(payout_id, 0):
            raise TotalDiffers(
                "payout {payout} says {stated}, its lines add up to {summed}",
                hint="Do not pay it. Cancel the settlement, run bo doctor, and make it again.",
                payout=payout_id,
                stated=stated.get(payout_id, 0),
                summed=sums.get(payout_id, 0),
            )


def content(lines: Sequence[RewardLine], found: dict[str, Payee]) -> list[ContentLine]:
    """What an approval binds: every line, with the account that it is paid to."""
    accounts = {key: account_text(payee.account) for key, payee in found.items()}
    return [
        ContentLine(line.id, line.referrer, accounts.get(line.referrer, ""), line.currency, line.amount)
        for line in lines
    ]


def hash_of(settlement: Settlement, lines: Iterable[ContentLine]) -> str:
    period = period_of_settlement(settlement)
    return content_hash(lines, (settlement.number, period.label, settlement.currency))


def account_text(account: PayeeAccount | None) -> str:
    if account is None:
        return ""
    return "|".join((account.id, account.kind, account.holder, account.number, account.bank, account.bank_code))
