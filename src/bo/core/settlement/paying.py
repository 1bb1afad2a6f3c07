"""What paying does to payouts, their lines and the ledger. The commands call it, and banking, for many at once.

An approval owes each payee its payout and the tax office the tax. Export reserves what the bank is to pay, payment
confirms it, a failure cancels it; what comes back from the bank is reversed. Whatever is not paid in the end makes its
lines due again, so that the next settlement finds them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from bo.core.kernel.record import State
from bo.core.kernel.tx import Tx
from bo.core.ledger.days import today
from bo.core.ledger.posting import (
    Confirmation,
    Draft,
    Leg,
    cancel_all,
    confirm_all,
    credit,
    debit,
    entries_of,
    post_all,
    reserve_all,
    resolutions_of,
    reverse_all,
)
from bo.core.ledger.records import Entry
from bo.core.rewards import records as rewards
from bo.core.rewards.records import RewardLine
from bo.core.settlement import making
from bo.core.settlement.records import (
    CLOSED,
    EXPORTED,
    FAILED,
    PAID,
    PART_PAID,
    RETURNED,
    SENT,
    BankAccount,
    PaymentFile,
    Payout,
    Settlement,
)
from bo.core.settlement.refusals import LineNotDue, NotYet, SettlementClosed


def owe(tx: Tx, settlement: Settlement, payouts: Iterable[Payout]) -> None:
    """Post what an approval owes: expense to the payees, and to the tax office where something is withheld."""
    day = today(tx)
    post_all(
        tx,
        [Draft(day, f"{settlement.number} {item.payee_code}", approval_of(item), _owed(item)) for item in payouts],
    )


def _owed(item: Payout) -> tuple[Leg, ...]:
    legs = (
        debit("reward_expense", item.gross, item.currency),
        credit("reward_payable", item.amount, item.currency, item.referrer),
    )
    return (*legs, credit("tax_withheld", item.tax, item.currency, item.referrer)) if item.tax else legs


def send(tx: Tx, settlement: Settlement, payouts: Sequence[Payout], bank: str) -> None:
    """The payout file leaves: reserve what the bank is to pay out of that account of ours (its code)."""
    settlement.payments_open = len(payouts)
    for item in payouts:
        item.state = SENT
    _reserve(tx, payouts, bank)


def _reserve(tx: Tx, payouts: Iterable[Payout], bank: str) -> list[Entry]:
    day = today(tx)
    drafts = []
    for item in payouts:
        legs = (
            debit("reward_payable", item.amount, item.currency, item.referrer),
            credit("bank", item.amount, item.currency, bank),
        )
        drafts.append(Draft(day, f"{item.payee_code} {item.reference}", payment_of(item), legs))
    return reserve_all(tx, drafts)


def _reserved(tx: Tx, payouts: Sequence[Payout]) -> list[Entry]:
    """The entries that reserve these payouts; those exported before anything was reserved are reserved now."""
    found = entries_of(tx, [payment_of(item) for item in payouts])
    there = {entry.source for entry in found}
    return [*found, *_reserve(tx, [item for item in payouts if payment_of(item) not in there], "")]


def pay(tx: Tx, payouts: Sequence[Payout], day: date) -> None:
    """The bank has paid these on that day: their lines are paid.

    Raises:
        NotYet: the day lies in the future.
    """
    pay_each(tx, [(item, day) for item in payouts])


def pay_each(tx: Tx, paid: Sequence[tuple[Payout, date]]) -> None:
    """The bank has paid these, each on its day. Raises as `pay` does."""
    late = max((day for _item, day in paid), default=None)
    if late is not None and late > today(tx):
        raise NotYet(
            "{day} lies in the future", hint="Record a payment when the bank has made it.", day=late.isoformat()
        )
    days = {payment_of(item): day for item, day in paid}
    payouts = [item for item, _day in paid]
    for line in _lines(tx, payouts):
        line.state = rewards.PAID
    for item, day in paid:
        item.state, item.paid_on = PAID, day
    confirm_all(tx, [Confirmation(entry, days[entry.source]) for entry in _reserved(tx, payouts)])
    _count(tx, payouts, open_=-1, paid=1)


def fail(tx: Tx, payouts: Sequence[Payout], reason: str) -> None:
    """The bank has not paid these: their lines are due again."""
    cancel_all(tx, _reserved(tx, payouts), reason)
    _not_paid(tx, payouts, FAILED, reason, today(tx))
    _count(tx, payouts, open_=-1, lost=1)


def give_back(tx: Tx, payouts: Sequence[Payout], reason: str, day: date) -> None:
    """The bank paid these, and on that day the money came back: the payment is reversed, their lines are due again.

    Raises:
        NotYet: the day lies in the future.
    """
    if day > today(tx):
        raise NotYet("{day} lies in the future", hint="Record it when the money is back.", day=day.isoformat())
    reserved = entries_of(tx, [payment_of(item) for item in payouts])
    paid = resolutions_of(tx, reserved)
    reverse_all(tx, [paid[entry.id] for entry in reserved], day=day, text=reason)
    _not_paid(tx, payouts, RETURNED, reason, day)
    _count(tx, payouts, paid=-1, lost=1)


def unpay(tx: Tx, item: Payout) -> None:
    """Take back that a payout was paid, as if nobody had recorded it: it is under way again.

    Raises:
        SettlementClosed: its settlement is closed.
    """
    settlement = _require_open(tx, item)
    reserved = entries_of(tx, [payment_of(item)])
    paid = resolutions_of(tx, reserved)
    reverse_all(tx, list(paid.values()), day=item.paid_on or today(tx))
    for line in _lines(tx, [item]):
        line.state = rewards.INCLUDED
    item.state, item.paid_on, item.sendings = SENT, None, item.sendings + 1
    _reserve(tx, [item], paid_from(tx, item.settlement))
    _count(tx, [item], open_=1, paid=-1)
    if not settlement.payments_paid and not _any_returned(tx, settlement):
        settlement.state = EXPORTED


def keep(tx: Tx, item: Payout, lines: Sequence[RewardLine], day: date) -> None:
    """Take back that a payout came back on that day: it was paid, with the lines that it had.

    Raises:
        SettlementClosed: its settlement is closed.
        LineNotDue: one of the lines is not due any more; the next settlement may have it.
    """
    settlement = _require_open(tx, item)
    if gone := next((line for line in lines if line.state != rewards.DUE), None):
        raise LineNotDue(
            "a reward line of {payout} is {state} by now", hint="Take it out there first: bo settlements remove-line.",
            payout=item.reference, state=gone.state,
        )  # fmt: skip
    item.approvals, item.sendings = item.approvals + 1, item.sendings + 1
    post_all(tx, [Draft(day, f"{settlement.number} {item.payee_code}", approval_of(item), _owed(item))])
    confirm_all(tx, [Confirmation(entry, day) for entry in _reserve(tx, [item], paid_from(tx, item.settlement))])
    making.include(lines, item)
    for line in lines:
        line.state = rewards.PAID
    item.state, item.reason = PAID, ""
    _count(tx, [item], paid=1, lost=-1)


def paid_from(tx: Tx, settlement: str) -> str:
    """The code of the account of ours that a settlement is paid from; empty where its file named none."""
    file = tx.view_by(PaymentFile, "settlement", settlement)
    account = tx.view(BankAccount, file.bank_account) if file is not None and file.bank_account else None
    return account.code if account is not None else ""


def lines_of(tx: Tx, item: Payout) -> list[RewardLine]:
    """The reward lines that a payout pays."""
    return _lines(tx, [item])


def _require_open(tx: Tx, item: Payout) -> Settlement:
    settlement = tx.get(Settlement, item.settlement)
    if settlement.state == CLOSED:
        raise SettlementClosed(
            "{number} is closed", hint="Record what differs as an entry of its own.", number=settlement.number
        )
    return settlement


def _any_returned(tx: Tx, settlement: Settlement) -> bool:
    return any(item.state == RETURNED for item in tx.find_all(Payout, settlement=settlement.id))


def forget(tx: Tx, payouts: Sequence[Payout], text: str, day: date) -> None:
    """Reverse what the approval posted for these payouts."""
    reverse_all(tx, entries_of(tx, [approval_of(item) for item in payouts]), day=day, text=text)


def approval_of(item: Payout) -> str:
    """The source of the entry that owes a payout; counted where it was taken back and is owed again."""
    return f"approval:{item.id}:{item.approvals}" if item.approvals else f"approval:{item.id}"


def payment_of(item: Payout) -> str:
    """The source of the entry that reserves a payout; counted where its payment was taken back."""
    return f"payment:{item.id}:{item.sendings}" if item.sendings else f"payment:{item.id}"


def _not_paid(tx: Tx, payouts: Sequence[Payout], state: State, reason: str, day: date) -> None:
    making.let_go(_lines(tx, payouts))
    forget(tx, payouts, reason, day)
    for item in payouts:
        item.state, item.reason = state, reason


def _lines(tx: Tx, payouts: Sequence[Payout]) -> list[RewardLine]:
    if len(payouts) == 1:
        return tx.find_all(RewardLine, payout=payouts[0].id)
    return tx.select(RewardLine, payout=tuple(item.id for item in payouts), limit=making.LINES_MOST)


def _count(tx: Tx, payouts: Iterable[Payout], *, open_: int = 0, paid: int = 0, lost: int = 0) -> None:
    """Count each payment where it is now. A settlement is paid when none is open or lost, until then in part."""
    for item in payouts:
        settlement = tx.get(Settlement, item.settlement)
        if not (settlement.payments_open or settlement.payments_paid or settlement.payments_lost):
            _recount(tx, settlement)
        settlement.payments_open += open_
        settlement.payments_paid += paid
        settlement.payments_lost += lost
        if settlement.state == CLOSED or (settlement.state == EXPORTED and not settlement.payments_paid):
            continue
        settlement.state = PART_PAID if settlement.payments_open or settlement.payments_lost else PAID


def _recount(tx: Tx, settlement: Settlement) -> None:
    """Count the payments of a settlement that was exported before they were counted."""
    key = settlement.id
    settlement.payments_open = tx.count(Payout, settlement=key, state=SENT)
    settlement.payments_paid = tx.count(Payout, settlement=key, state=PAID)
    settlement.payments_lost = tx.count(Payout, settlement=key, state=(FAILED, RETURNED))
