"""How a settlement is put together: which lines it takes, what each payee gets, and what an approval of it binds.

A payee whose balance is not above zero, or who cannot be paid now, gets a held payout that says why and has no lines:
those stay due, and a later settlement finds them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from bo.core.kernel.tx import Tx
from bo.core.ledger.days import midnight, month_label, today
from bo.core.referrers import tax
from bo.core.referrers.payees import Payee, payees
from bo.core.referrers.records import PayeeAccount, Referrer
from bo.core.rewards.records import DUE, HOLDING, INCLUDED, RewardLine
from bo.core.settlement.records import FAILED, HELD, PLANNED, RETURNED, UNPAID, Payout, Settlement
from bo.core.settlement.rules import (
    ACCOUNT_REST_DAYS,
    ContentLine,
    Period,
    TotalDiffers,
    content_hash,
    end_to_end_id,
    payment_key,
)

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement

LINES_MOST: Final = 1_000_000

# Message ids, as those of referrers/payees.py.
CARRIED: Final = "the balance is not above zero and is carried over"
TAKEN_OUT: Final = "its lines were taken out"
TAX_UNKNOWN: Final = "the tax on labour income is known in CNY only"


class Bound(NamedTuple):
    """What an approval looks at of a line that is in a settlement; read without the rest of it."""

    id: str
    referrer: str
    payout: str
    currency: str
    amount: int
    disputed: bool


def lines_in(tx: Tx, settlement: Settlement) -> list[Bound]:
    """The lines of a settlement as they were before the running call, in the order of their ids."""
    rows = tx.rows("settlement:bound", _bound_statement, RewardLine, settlement=settlement.id)
    return list(map(Bound._make, rows))


def _bound_statement() -> ClauseElement:
    import sqlalchemy as sa

    from bo.core.kernel.record import info_of
    from bo.core.kernel.tables import table

    line = table(info_of(RewardLine))
    columns = [line.c[name] for name in Bound._fields]
    return sa.select(*columns).where(line.c.settlement == sa.bindparam("settlement")).order_by(line.c.id)


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
    found = payees_of(tx, by_payee, settlement)
    ordered = sorted(found.values(), key=lambda payee: payee.referrer.code)
    made = [_plan_one(tx, settlement, payee, by_payee[payee.referrer.id]) for payee in ordered]
    withhold(tx, made, found)
    return made


def _plan_one(tx: Tx, settlement: Settlement, payee: Payee, lines: list[RewardLine]) -> Payout:
    payout = tx.add(
        Payout(
            reference="",
            settlement=settlement.id,
            referrer=payee.referrer.id,
            payee_code=payee.referrer.code,
            once=payment_key(settlement.id, payee.referrer.id, settlement.currency),
            amount=0,
            currency=settlement.currency,
        )
    )
    payout.reference = end_to_end_id(payout.id)
    add_up(payout, lines, settlement, tx.context.zone)
    payout.reason = why_held(payout, payee)
    payout.state = HELD if payout.reason else PLANNED
    set_account(payout, payee)
    if payout.state == PLANNED:
        include(lines, payout)
    return payout


def payees_of(tx: Tx, referrers: Collection[str], settlement: Settlement) -> dict[str, Payee]:
    """The payees of these referrers, with their accounts in the settlement's currency."""
    return payees(tx, referrers, settlement.currency, rest_days=ACCOUNT_REST_DAYS.of(tx))


def why_held(payout: Payout, payee: Payee) -> str:
    """Why nothing is paid to a payee now: a message id, or nothing."""
    if not payee.held and payee.referrer.tax == "cn_labour" and payout.currency != tax.LABOUR_CURRENCY:
        return TAX_UNKNOWN
    return payee.held or (CARRIED if payout.gross <= 0 else "")


def withhold(tx: Tx, payouts: Iterable[Payout], found: dict[str, Payee]) -> None:
    """Take the tax out of payouts, whose sums are set; what the payee gets in the same month besides counts too."""
    month = month_label(today(tx))
    taxed = [item for item in payouts if item.state == PLANNED and found[item.referrer].referrer.tax != "none"]
    besides = _besides(tx, {item.id for item in taxed}, tuple(sorted({item.referrer for item in taxed})), month)
    for item in taxed:
        gross = item.gross
        paid, withheld = besides.get(item.referrer, (0, 0))
        made = _tax_of(found[item.referrer].referrer, gross, item.currency, month, paid, withheld)
        item.tax, item.tax_month, item.tax_words, item.tax_facts = made.tax, month, made.words, made.facts
        item.amount = gross - made.tax


def _tax_of(payee: Referrer, gross: int, currency: str, month: str, paid: int, withheld: int) -> tax.Withheld:
    if payee.tax == "flat":
        return tax.flat(gross, payee.tax_rate, currency)
    return tax.labour(gross, month, paid_before=paid, withheld_before=withheld)


def _besides(tx: Tx, but: set[str], referrers: tuple[str, ...], month: str) -> dict[str, tuple[int, int]]:
    """Sum and tax of the other payouts that are taxed with a month, by referrer."""
    sums: dict[str, tuple[int, int]] = {}
    if not referrers:
        return sums
    for item in tx.select(Payout, referrer=referrers, tax_month=month, limit=LINES_MOST):
        if item.id not in but and item.state not in (*UNPAID, FAILED, RETURNED):
            paid, withheld = sums.get(item.referrer, (0, 0))
            sums[item.referrer] = (paid + item.gross, withheld + item.tax)
    return sums


def include(lines: Iterable[RewardLine], payout: Payout) -> None:
    for line in lines:
        line.state, line.settlement, line.payout = INCLUDED, payout.settlement, payout.id


def let_go(lines: Iterable[RewardLine]) -> None:
    """Lines become due again."""
    for line in lines:
        line.state, line.settlement, line.payout = DUE, None, None


def add_up(payout: Payout, lines: Sequence[RewardLine], settlement: Settlement, zone: str) -> None:
    """Set the sums of a payout, before tax. What was earned before the period began is brought in as one sum."""
    start = midnight(settlement.period_from, zone)
    sums = {"carried": 0, "reward": 0, "clawback": 0, "adjustment": 0}
    for line in lines:
        sums["carried" if line.earned_at < start else line.kind] += line.amount
    payout.carried, payout.earned = sums["carried"], sums["reward"]
    payout.clawed_back, payout.adjusted = -sums["clawback"], sums["adjustment"]
    payout.amount = sum(sums.values())
    payout.tax, payout.tax_month, payout.tax_words, payout.tax_facts = 0, "", "", {}
    payout.lines = len(lines)


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
    """Set total, tax, lines and payees from the payouts that pay something."""
    paying = [payout for payout in payouts if payout.state not in UNPAID]
    settlement.total = sum(payout.gross for payout in paying)
    settlement.tax = sum(payout.tax for payout in paying)
    settlement.lines = sum(payout.lines for payout in paying)
    settlement.payees = len(paying)


def require_parts(payouts: Iterable[Payout], lines: Iterable[Bound]) -> None:
    """Every line is in one of the payouts, and each payout is the sum of its lines. Raises TotalDiffers."""
    sums: dict[str, int] = {}
    for line in lines:
        sums[line.payout] = sums.get(line.payout, 0) + line.amount
    stated = {payout.id: payout.gross for payout in payouts}
    for payout_id in {*sums, *stated}:
        if sums.get(payout_id, 0) != stated.get(payout_id, 0):
            raise TotalDiffers(
                "payout {payout} says {stated}, its lines add up to {summed}",
                hint="Do not pay it. Cancel the settlement, run bo doctor, and make it again.",
                payout=payout_id,
                stated=stated.get(payout_id, 0),
                summed=sums.get(payout_id, 0),
            )


def content(lines: Sequence[Bound], found: dict[str, Payee]) -> list[ContentLine]:
    """What an approval binds: every line, with the account that it is paid to."""
    accounts = {key: account_text(payee.account) for key, payee in found.items()}
    return [
        ContentLine(line.id, line.referrer, accounts.get(line.referrer, ""), line.currency, line.amount)
        for line in lines
    ]


def hash_of(settlement: Settlement, lines: Iterable[ContentLine], payouts: Iterable[Payout]) -> str:
    """The hash of the content: the lines, and under what heading and after which tax they are paid."""
    period = period_of_settlement(settlement)
    taxes = sorted(f"{item.reference} {item.amount} {item.tax}" for item in payouts)
    return content_hash(lines, (settlement.number, period.label, settlement.currency, *taxes))


def account_text(account: PayeeAccount | None) -> str:
    if account is None:
        return ""
    return "|".join((account.id, account.kind, account.holder, account.number, account.bank, account.bank_code))
