"""Settling: from the lines that are due to payments that were made. What an approval has bound is never edited."""

from collections.abc import Mapping
from typing import Annotated, Final, NamedTuple

from bo.core.kernel.command import command
from bo.core.kernel.kinds import Currency, Day, Field, PersonName, Text
from bo.core.kernel.record import States
from bo.core.kernel.standard import edits
from bo.core.kernel.tx import Tx
from bo.core.ledger.days import today
from bo.core.referrers.numbers import bank_number
from bo.core.referrers.payees import Payee
from bo.core.rewards.records import RewardLine
from bo.core.settlement import hands, making, paying
from bo.core.settlement.files import LayoutName, Order, PayOn, Template, file_hash_of, order_of, payment_file
from bo.core.settlement.records import (
    APPROVED,
    CANCELLED,
    CLOSED,
    DRAFT,
    EXPORTED,
    FAILED,
    HELD,
    PAID,
    PART_PAID,
    PLANNED,
    RETURNED,
    SENT,
    SUBMITTED,
    UNPAID,
    AccountSort,
    BankAccount,
    OwnNumber,
    PaymentFile,
    Payout,
    Settlement,
)
from bo.core.settlement.refusals import (
    ContentChanged,
    LineDisputed,
    LineNotDue,
    NothingDue,
    NotInSettlement,
    OtherFile,
    PaymentsOpen,
    PayoutHeld,
    PeriodSettled,
)
from bo.core.settlement.rules import (
    Period,
    approvals_needed,
    period_of,
    require_free,
    require_totals,
    settlement_number,
)

NOUN: Final = "settlements"
PAYOUTS_MOST: Final = 100_000

PeriodText = Annotated[Text, Field(help="2026-11, 2026-W47, 2026-Q4, or 2026-11-01..2026-12-01 without its last day")]
Reason = Annotated[Text, Field(help="why, for the one who asks later")]
PaidOn = Annotated[Day, Field(help="the day the bank carried it out; today if not said")]


# -- making it ---------------------------------------------------------------------------------------------------------


@command(needs="settlements.run")
def run(tx: Tx, *, period: PeriodText, currency: Currency | None = None) -> Settlement:
    """Put all that is due for a period into a draft, one payout for each payee. Asked again, the same draft comes back.

    Takes every line earned before the period ends that no settlement has yet. A payee who cannot be paid now, or whose
    balance is not above zero, gets a held payout that says why; those lines stay due.

    Raises:
        PeriodSettled: the period's settlement is submitted or further.
        PeriodOverlaps: another settlement covers some of these days.
        NothingDue: there is nobody to pay.
    """
    wanted, money = period_of(period), currency or tx.context.currency
    existing = _settlement_of(tx, wanted, money)
    if existing is not None:
        return existing
    by_payee = making.due_lines(tx, wanted, money)
    sequence = 1 + tx.count(Settlement, period_from=wanted.start, period_until=wanted.until, currency=money)
    settlement = tx.add(
        Settlement(
            number=settlement_number(wanted, money, sequence),
            period_from=wanted.start,
            period_until=wanted.until,
            currency=money,
            created_by=tx.actor.id,
        )
    )
    payouts = making.plan(tx, settlement, by_payee)
    making.total_up(settlement, payouts)
    if settlement.payees == 0:
        raise NothingDue(
            "nothing is to be paid for {period} in {currency}; {held} payees are held or carried over",
            hint="See who is owed what: bo rewards due.", period=wanted.label, currency=money, held=len(payouts),
        )  # fmt: skip
    return settlement


def _settlement_of(tx: Tx, period: Period, currency: str) -> Settlement | None:
    """The draft of exactly this period; refuses a period that is settled, wholly or in part."""
    found = tx.select(
        Settlement, ("period_from", "<", period.until), ("period_until", ">", period.start), currency=currency
    )
    live = [item for item in found if item.state != CANCELLED]
    for item in live:
        if making.period_of_settlement(item) != period:
            continue
        if item.state == DRAFT:
            return item
        raise PeriodSettled(
            "{period} is settled by {number}, which is {state}", hint="What was earned since goes into the next one.",
            period=period.label, number=item.number, state=item.state,
        )  # fmt: skip
    require_free(period, [(item.number, making.period_of_settlement(item)) for item in live])
    return None


@command(needs="settlements.edit", moves=(DRAFT | SUBMITTED) >> DRAFT)
def add_line(tx: Tx, settlement: Settlement, line: RewardLine) -> None:
    """Take a due reward line in. What the payee must give back comes in with it.

    Raises:
        LineNotDue: it is not due, disputed, of another currency, or earned after the period.
        PayoutHeld: the payee cannot be paid now, or nothing would be left to pay.
    """
    period = making.period_of_settlement(settlement)
    due = making.due_lines(tx, period, settlement.currency, line.referrer).get(line.referrer, [])
    if all(item.id != line.id for item in due):
        raise LineNotDue(
            "the line is {state} and cannot be taken into {number}", hint="bo rewards show {line} says more.",
            state=line.state, number=settlement.number, line=line.id,
        )  # fmt: skip
    payout = _payout_of(tx, settlement, line.referrer)
    _take_in(tx, settlement, payout, [item for item in due if item.id == line.id or item.amount < 0])
    _edited(tx, settlement)


@command(needs="settlements.edit", moves=(DRAFT | SUBMITTED) >> DRAFT)
def remove_line(tx: Tx, settlement: Settlement, line: RewardLine) -> None:
    """Take a line out; it is due again. Where nothing is left to pay, the payee's other lines go out too.

    Raises:
        NotInSettlement: the line is in another settlement, or in none.
    """
    if line.settlement != settlement.id or line.payout is None:
        raise NotInSettlement(
            "the line is not in {number}", hint="bo settlements lines shows what is.", number=settlement.number
        )
    payout = tx.get(Payout, line.payout)
    lines = tx.find_all(RewardLine, payout=payout.id)
    making.let_go([line])
    rest = [item for item in lines if item.id != line.id]
    making.add_up(payout, rest, settlement, tx.context.zone)
    if payout.amount <= 0:
        making.let_go(rest)
        payout.state, payout.reason = HELD, making.CARRIED if rest else making.TAKEN_OUT
    making.withhold(tx, [payout], making.payees_of(tx, [payout.referrer], settlement))
    _edited(tx, settlement)


@command(needs="settlements.edit", moves=PLANNED >> HELD)
def hold(tx: Tx, payout: Payout, *, reason: Reason) -> None:
    """Take a payee out of a settlement that is not approved yet; the lines are due again."""
    settlement = _open_settlement(tx, payout)
    making.let_go(tx.find_all(RewardLine, payout=payout.id))
    payout.state, payout.reason = HELD, reason
    _edited(tx, settlement)


@command(needs="settlements.edit", moves=States((HELD,)))
def release(tx: Tx, payout: Payout) -> None:
    """Take a held payee in again, with every line that is due for the period.

    Raises:
        PayoutHeld: what held it still does.
    """
    settlement = _open_settlement(tx, payout)
    period = making.period_of_settlement(settlement)
    due = making.due_lines(tx, period, settlement.currency, payout.referrer).get(payout.referrer, [])
    _take_in(tx, settlement, payout, due)
    _edited(tx, settlement)


def _take_in(tx: Tx, settlement: Settlement, payout: Payout | None, lines: list[RewardLine]) -> None:
    """Put lines of one payee into a payout that is there, or make one."""
    if payout is None:
        made = making.plan(tx, settlement, {lines[0].referrer: lines})[0]
        _refuse_held(made, made.reason)
        return
    payee = making.payees_of(tx, [payout.referrer], settlement)[payout.referrer]
    present = tx.find_all(RewardLine, payout=payout.id)
    making.add_up(payout, [*present, *lines], settlement, tx.context.zone)
    _refuse_held(payout, making.why_held(payout, payee))
    making.include(lines, payout)
    making.set_account(payout, payee)
    payout.state, payout.reason = PLANNED, ""
    making.withhold(tx, [payout], {payout.referrer: payee})


def _refuse_held(payout: Payout, reason: str) -> None:
    if reason:
        raise PayoutHeld(
            "{payee} cannot be paid now: {reason}", hint="Leave it out: bo payouts hold {reference}.",
            payee=payout.payee_code, reason=reason, reference=payout.reference,
        )  # fmt: skip


def _edited(tx: Tx, settlement: Settlement) -> None:
    """Sum up again, and remember who had a hand in it; what was submitted is a draft again."""
    settlement.state = DRAFT
    settlement.editors = _with(settlement.editors, tx.actor.id)
    settlement.submitted_by, settlement.content_hash, settlement.approvers = "", "", ()
    making.total_up(settlement, tx.find_all(Payout, settlement=settlement.id))


def _open_settlement(tx: Tx, payout: Payout) -> Settlement:
    settlement = tx.get(Settlement, payout.settlement)
    if settlement.state not in (DRAFT, SUBMITTED):
        raise ContentChanged(
            "{number} is {state}; it cannot be edited any more", hint="Cancel it while it is not exported.",
            number=settlement.number, state=settlement.state,
        )  # fmt: skip
    return settlement


def _payout_of(tx: Tx, settlement: Settlement, referrer: str) -> Payout | None:
    found = [item for item in tx.find_all(Payout, referrer=referrer) if item.settlement == settlement.id]
    return found[0] if found else None


# -- deciding about it -------------------------------------------------------------------------------------------------


@command(needs="settlements.submit", moves=DRAFT >> SUBMITTED)
def submit(tx: Tx, settlement: Settlement) -> None:
    """Hand a settlement over for approval by others. Binds its content by a hash; the tax is that of this month.

    Raises:
        NothingDue: there is nothing to pay in it.
        PayoutHeld: somebody in it cannot be paid any more.
        LineDisputed: a line of it is disputed.
        TotalDiffers: its total is not the sum of its lines.
    """
    if settlement.total <= 0:
        raise NothingDue("{number} pays nothing", hint="Cancel it.", number=settlement.number)
    bound = _bound(tx, settlement)
    making.withhold(tx, bound.payouts, bound.found)
    making.total_up(settlement, bound.payouts)
    settlement.content_hash = _hash(settlement, bound)
    settlement.submitted_by, settlement.approvers = tx.actor.id, ()
    settlement.editors = _with(settlement.editors, tx.actor.id)


@command(needs="settlements.approve", moves=SUBMITTED >> DRAFT)
def return_(tx: Tx, settlement: Settlement, *, reason: Reason) -> None:
    """Give a submitted settlement back to be changed; an approval that it has already counts no more."""
    settlement.note, settlement.content_hash, settlement.submitted_by, settlement.approvers = reason, "", "", ()


@command(needs="settlements.approve", moves=States((SUBMITTED,)), where="central", confirm="always", step_up=True)
def approve(
    tx: Tx,
    settlement: Settlement,
    *,
    hash: Annotated[Text, Field(help="of the content that was shown: bo settlements check")],
) -> None:
    """Approve a settlement that others made, as it was shown. What is owed goes into the ledger; accounts are frozen.

    Above the limit for one approver it stays submitted until a second one has approved it too.

    Raises:
        OwnWork: the approver made, edited, submitted or approved it, wrote a rule, a line, an account or a tax
            treatment of it, or undid that.
        NotAPerson: a service cannot approve.
        ContentChanged: it is not what was shown.
        PayoutHeld: somebody in it cannot be paid any more.
        LineDisputed: a line of it is disputed.
        TotalDiffers: its total is not the sum of its lines.
    """
    hands.require_person(tx)
    bound = _bound(tx, settlement)
    hands.require_other_hands(tx, settlement, bound.found.values())
    if not _hash(settlement, bound) == settlement.content_hash == hash:
        raise ContentChanged(
            "{number} is not what was shown to you", hint="Look at it again: bo settlements check {number}.",
            number=settlement.number,
        )  # fmt: skip
    settlement.approvers = _with(settlement.approvers, tx.actor.id)
    if len(settlement.approvers) < approvals_needed(settlement.total, hands.second_above(tx, settlement.currency)):
        return
    paying.owe(tx, settlement, bound.payouts)
    settlement.state = APPROVED
    settlement.approved_by, settlement.approved_hash, settlement.approved_at = tx.actor.id, hash, tx.now


class Bound(NamedTuple):
    """What submitting binds and approving looks at."""

    payouts: list[Payout]
    lines: list[making.Bound]
    found: dict[str, Payee]


def _bound(tx: Tx, settlement: Settlement) -> Bound:
    """The lines and payees of a settlement, checked against each other; the payouts get the accounts of today."""
    payouts = _payouts(tx, settlement, PLANNED)
    lines = making.lines_in(tx, settlement)
    found = making.payees_of(tx, [item.referrer for item in payouts], settlement)
    making.require_parts(payouts, lines)
    if disputed := next((line for line in lines if line.disputed), None):
        raise LineDisputed(
            "a line of {number} is disputed", hint="Take it out: bo settlements remove-line {number} --line {line}.",
            number=settlement.number, line=disputed.id,
        )  # fmt: skip
    for item in payouts:
        _refuse_held(item, making.why_held(item, found[item.referrer]))
        making.set_account(item, found[item.referrer])
    require_totals(making.content(lines, found), {settlement.currency: settlement.total})
    return Bound(payouts, lines, found)


def _hash(settlement: Settlement, bound: Bound) -> str:
    return making.hash_of(settlement, making.content(bound.lines, bound.found), bound.payouts)


# -- paying it ---------------------------------------------------------------------------------------------------------


@command(
    needs="settlements.export", moves=APPROVED | EXPORTED | PART_PAID | PAID | CLOSED, where="central", confirm="always"
)
def export(
    tx: Tx,
    settlement: Settlement,
    *,
    file_hash: Annotated[Text, Field(help="SHA-256 of the file")],
    file_name: Text,
    layout: LayoutName = "csv",
    template: Template = "",
    bank_account: BankAccount | None = None,
    pay_on: PayOn | None = None,
) -> None:
    """Record that the payout file leaves the office. The same file may be taken again; there is no other one.

    Raises:
        OtherFile: the hash is not that of this settlement's file.
        NoPayingAccount: the layout needs to know which account of ours pays.
        CannotBeWritten: a name or an account does not go into that layout.
    """
    payouts = [item for item in tx.find_all(Payout, settlement=settlement.id) if item.state not in UNPAID]
    before = tx.find(PaymentFile, settlement=settlement.id)
    order = (
        order_of(settlement, layout, template, bank_account, pay_on, tx.context.zone)
        if before is None
        else Order.again(before)
    )
    if file_hash != file_hash_of(payment_file(settlement, payouts, order)):
        raise OtherFile(
            "this is not the payout file of {number}", hint="Make it again: bo settlements export {number}.",
            number=settlement.number,
        )  # fmt: skip
    if before is not None:
        return
    paying.send(tx, settlement, payouts, bank_account.code if bank_account else "")
    settlement.state, settlement.exported_at = EXPORTED, tx.now
    settlement.file_hash, settlement.file_name = file_hash, file_name
    tx.add(
        PaymentFile(
            settlement=settlement.id, file_name=file_name, file_hash=file_hash, payments=len(payouts),
            total=settlement.total - settlement.tax, currency=settlement.currency, exported_by=tx.actor.id,
            layout=order.layout, template=order.template, pay_on=order.pay_on, payer=order.payer,
            payer_account=order.account, payer_bank_code=order.bank_code,
            bank_account=bank_account.id if bank_account else None,
        )
    )  # fmt: skip


@command(needs="payouts.mark_paid", moves=SENT >> PAID, confirm="many")
def mark_paid(tx: Tx, payout: Payout, *, paid_on: PaidOn | None = None) -> None:
    """Record that the bank has paid one payee. The lines are paid.

    Raises:
        NotYet: the day lies in the future.
    """
    paying.pay(tx, [payout], paid_on or today(tx))


@command(needs="payouts.mark_paid", moves=EXPORTED | PART_PAID, confirm="always")
def mark_paid_(tx: Tx, settlement: Settlement, *, paid_on: PaidOn | None = None) -> None:
    """Record that the bank has paid everybody in a settlement whose payment has not failed.

    Raises:
        PaymentsOpen: there is no payment under way.
        NotYet: the day lies in the future.
    """
    payouts = _payouts(tx, settlement, SENT)
    if not payouts:
        raise PaymentsOpen(
            "no payment of {number} is under way", hint="Close it: bo settlements close.", number=settlement.number
        )
    paying.pay(tx, payouts, paid_on or today(tx))


@command(needs="payouts.mark_paid", moves=SENT >> FAILED, confirm="many")
def fail(tx: Tx, payout: Payout, *, reason: Reason) -> None:
    """Record that a payment has failed: its lines are due again, and the next settlement pays them."""
    paying.fail(tx, [payout], reason)


@command(needs="payouts.mark_paid", moves=PAID >> RETURNED, confirm="many")
def returned(
    tx: Tx,
    payout: Payout,
    *,
    reason: Reason,
    returned_on: Annotated[Day, Field(help="the day the money was back; today if not said")] | None = None,
) -> None:
    """Record that the bank has returned a payment that it had made: its lines are due again.

    Raises:
        NotYet: the day lies in the future.
    """
    paying.give_back(tx, [payout], reason, returned_on or today(tx))


@command(needs="settlements.cancel", moves=(DRAFT | SUBMITTED | APPROVED) >> CANCELLED, confirm="always")
def cancel(tx: Tx, settlement: Settlement, *, reason: Reason) -> None:
    """Cancel a settlement before its file has left the office: its lines are due again."""
    making.let_go(tx.select(RewardLine, settlement=settlement.id, limit=making.LINES_MOST))
    payouts = tx.find_all(Payout, settlement=settlement.id)
    if settlement.state == APPROVED:
        planned = [item for item in payouts if item.state == PLANNED]
        paying.forget(tx, planned, f"{settlement.number} cancelled", today(tx))
    for item in payouts:
        item.state = CANCELLED
    settlement.note = reason


@command(needs="settlements.close", moves=(EXPORTED | PART_PAID | PAID) >> CLOSED)
def close(tx: Tx, settlement: Settlement) -> None:
    """Close a settlement: every payment of it was made or has failed.

    Raises:
        PaymentsOpen: a payment is still under way.
    """
    if settlement.payments_open:
        raise PaymentsOpen(
            "payments of {number} are still under way", hint="Record how they went: bo payouts mark-paid or fail.",
            number=settlement.number,
        )  # fmt: skip


def _payouts(tx: Tx, settlement: Settlement, state: str) -> list[Payout]:
    return [item for item in tx.find_all(Payout, settlement=settlement.id) if item.state == state]


def _with(editors: tuple[str, ...], editor: str) -> tuple[str, ...]:
    return tuple(sorted({*editors, editor}))


# -- our own accounts --------------------------------------------------------------------------------------------------


def _check_account(_tx: Tx, account: BankAccount, _given: Mapping[str, object]) -> None:
    account.number = bank_number(account.number)


edit = edits(BankAccount, needs="bank_accounts.edit", where="central", without=("code",), then=_check_account)


@command(needs="bank_accounts.edit", where="central")
def add(
    tx: Tx,
    *,
    code: Annotated[Text, Field(help="a short name, such as CMB or MAIN")],
    holder: PersonName,
    number: OwnNumber,
    bic: Text = "",
    bank: Text = "",
    kind: Annotated[AccountSort, Field(label="kind of account")] = "bank",
    currency: Currency | None = None,
) -> BankAccount:
    """Add an account of ours, that payments leave and whose statements are imported.

    Raises:
        BadValue: an IBAN or a card number with a wrong digit.
    """
    account = BankAccount(code=code, holder=holder, number=bank_number(number), bic=bic, bank=bank, kind=kind,
                          currency=currency or tx.context.currency)  # fmt: skip
    return tx.add(account)
