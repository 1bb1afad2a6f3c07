"""Reading settlements: what is in them, whether they add up, and the files that are made of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Final

from msgspec import Struct

from bo.core.kernel.command import query
from bo.core.kernel.kinds import Amount, ChoiceKind, Count, Currency, Day, Field, Flag, PersonName, Text
from bo.core.kernel.reader import Reader
from bo.core.kernel.record import Record, info_of
from bo.core.kernel.text import _, speaking
from bo.core.ledger.days import day_of, midnight
from bo.core.ledger.queries import require_whole_office
from bo.core.referrers.records import Language, Referrer
from bo.core.rewards.records import RewardLine
from bo.core.rewards.words import words_of
from bo.core.settlement.documents import (
    RuleSum,
    Statement,
    StatementLine,
    statement_csv,
    statement_pdf,
)
from bo.core.settlement.files import (
    LayoutName,
    Order,
    PayOn,
    Template,
    file_hash_of,
    order_of,
    payment_file,
    payout_file_name,
)
from bo.core.settlement.making import period_of_settlement
from bo.core.settlement.paying import approval_of
from bo.core.settlement.records import UNPAID, BankAccount, PaymentFile, Payout, Settlement
from bo.core.settlement.refusals import NoStatement, NotApproved
from bo.core.settlement.rules import statement_number

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement

NOUN: Final = "settlements"
NOT_APPROVED: Final = ("draft", "submitted", "cancelled")
NOTHING_TOLD: Final = ("failed", "returned", "cancelled")  # their lines are in a later settlement

DocumentForm = Annotated[str, ChoiceKind("pdf", "csv")]


class SettlementLine(Struct, frozen=True):
    """One line of a settlement, with who is paid for what."""

    payee: Text
    holder: PersonName
    kind: Text
    rule: Text
    cause: Text
    arithmetic: Text
    amount: Amount
    currency: Currency
    earned_on: Day
    line: Text


class SettlementCheck(Struct, frozen=True):
    """Sums that have to agree, and what an approval binds. `broken` names the first that does not agree.

    `total` is what the lines add up to, `payouts` what is paid of it and `tax` what is withheld.
    """

    number: Text
    state: Text
    total: Amount
    payouts: Amount
    tax: Amount
    lines: Amount
    ledger: Amount
    currency: Currency
    approvals: Count
    content_hash: Text
    agrees: Flag
    broken: Text


class File(Struct, frozen=True):
    """A file that is made of stored data: the same bytes each time. `again`: it has left the office before."""

    name: Text
    content: bytes
    hash: Text
    payments: Count = 0
    total: Amount = 0
    currency: Currency = ""
    again: Flag = False


@query(needs="settlements.read")
def lines(read: Reader, settlement: Settlement) -> list[SettlementLine]:
    """The lines of a settlement, in the order of its payees."""
    payouts = {item.id: item for item in _payouts(read, settlement)}
    zone = read.context.zone
    shown = []
    for line in _lines(read, f"settlement:{settlement.id}"):
        payout = payouts[line.payout or ""]
        shown.append(
            SettlementLine(
                payout.payee_code, payout.holder, line.kind, _rule(line), line.cause, "; ".join(words_of(line)),
                line.amount, line.currency, day_of(line.earned_at, zone), line.id,
            )
        )  # fmt: skip
    return sorted(shown, key=lambda item: (item.payee, item.earned_on, item.line))


@query(needs="settlements.read")
def check(read: Reader, settlement: Settlement) -> SettlementCheck:
    """Whether total, payouts, lines and ledger of a settlement agree; and the hash that an approval is given with."""
    require_whole_office(read)
    payouts = [item for item in _payouts(read, settlement) if item.state not in UNPAID]
    standing = [item for item in payouts if item.state not in NOTHING_TOLD]
    in_lines = sum(line.amount for line in _lines(read, f"settlement:{settlement.id}"))
    payable, expense = (_posted(read, payouts, account) for account in ("reward_payable", "reward_expense"))
    owed = [] if settlement.state in NOT_APPROVED else standing
    total, withheld = (settlement.total, settlement.tax) if settlement.state != "cancelled" else (0, 0)
    compared = (
        ("the total is the sum of the payouts", total, sum(item.gross for item in payouts)),
        ("the tax is the sum of what is withheld", withheld, sum(item.tax for item in payouts)),
        ("the payouts are the sum of the lines", sum(item.gross for item in standing), in_lines),
        ("the ledger holds what was approved", sum(item.amount for item in owed), -payable),
        (
            "the ledger holds what was earned",
            sum(item.gross for item in owed),
            expense,
        ),
    )
    broken = next((name for name, left, right in compared if left != right), "")
    return SettlementCheck(
        settlement.number, settlement.state, settlement.total, sum(item.amount for item in payouts), withheld, in_lines,
        -payable, settlement.currency, len(settlement.approvers), settlement.content_hash, not broken, broken,
    )  # fmt: skip


@query(needs="settlements.read")
def statement(read: Reader, settlement: Settlement, *, referrer: Referrer) -> Statement:
    """What a payee is told about a settlement: opening, earned by rule, taken back, adjusted, paid and closing.

    Raises:
        NoStatement: the payee is not in the settlement, or its payment failed or was cancelled.
    """
    payout = next(iter(_payouts(read, settlement, f" referrer:{referrer.id}")), None)
    if payout is None or payout.state in NOTHING_TOLD:
        raise NoStatement(
            "{number} has no statement for {payee}: {state}", hint="Its lines are in a later settlement.",
            number=settlement.number, payee=referrer.code, state=payout.state if payout else "not in it",
        )  # fmt: skip
    return told(settlement, payout, _lines(read, f"payout:{payout.id}"), read.context.zone)


@query(needs="settlements.read")
def statement_file(
    read: Reader,
    settlement: Settlement,
    *,
    referrer: Referrer,
    form: DocumentForm = "pdf",
    language: Annotated[Language, Field(help="the payee's, or else the office's, if not said")] | None = None,
) -> File:
    """The statement of a payee as a file, PDF or CSV.

    Raises:
        NoStatement: the payee is not in the settlement, or its payment failed or was cancelled.
    """
    with speaking(language or language_of(referrer, read.context.region)):
        found = statement(read, settlement, referrer=referrer)
        content = statement_pdf(found) if form == "pdf" else statement_csv(found)
    return File(f"{found.number}.{form}", content, file_hash_of(content))


@query(needs="settlements.read")
def payout_file(
    read: Reader,
    settlement: Settlement,
    *,
    layout: LayoutName = "csv",
    template: Template = "",
    bank_account: BankAccount | None = None,
    pay_on: PayOn | None = None,
) -> File:
    """The payout file of an approved settlement, with the hash that `settlements.export` is given.

    Once it is exported there is one file only, whatever is asked for.

    Raises:
        NotApproved: nobody has approved it.
        NoPayingAccount: the layout needs to know which account of ours pays.
        CannotBeWritten: a name or an account does not go into that layout.
    """
    if settlement.state in NOT_APPROVED:
        raise NotApproved(
            "{number} is {state}; only an approved settlement is paid", hint="Let somebody else approve it.",
            number=settlement.number, state=settlement.state,
        )  # fmt: skip
    before = next(iter(read.records(PaymentFile, f"settlement:{settlement.id}")), None)
    order = (
        Order.again(before)
        if before
        else order_of(settlement, layout, template, bank_account, pay_on, read.context.zone)
    )
    payouts = [item for item in _payouts(read, settlement) if item.state not in UNPAID]
    content = payment_file(settlement, payouts, order)
    name = settlement.file_name or payout_file_name(settlement, order.layout)
    total = sum(item.amount for item in payouts)
    return File(name, content, file_hash_of(content), len(payouts), total, settlement.currency, before is not None)


# -- telling the payees ------------------------------------------------------------------------------------------------


def language_of(referrer: Referrer, region: str) -> str:
    """The language in which a payee is written to."""
    return referrer.language or ("zh_CN" if region == "CN" else "en")


def all_told(read: Reader, settlement: Settlement) -> Iterator[tuple[Payout, list[RewardLine]]]:
    """Every payout of a settlement that has a statement, with its lines; all lines are read with one statement."""
    by_payout: dict[str, list[RewardLine]] = {}
    for line in _lines(read, f"settlement:{settlement.id}"):
        by_payout.setdefault(str(line.payout), []).append(line)
    payouts = (item for item in _payouts(read, settlement) if item.state not in NOTHING_TOLD)
    for payout in sorted(payouts, key=lambda item: (item.payee_code, item.id)):
        yield payout, by_payout.get(payout.id, [])


def told(settlement: Settlement, payout: Payout, found: Iterable[RewardLine], zone: str) -> Statement:
    """The statement of one payout, in the language that is spoken."""
    ordered = sorted(found, key=lambda line: (line.earned_at, line.id))
    return _statement(settlement, payout, ordered, zone)


# -- inside ------------------------------------------------------------------------------------------------------------


def _statement(settlement: Settlement, payout: Payout, found: Sequence[RewardLine], zone: str) -> Statement:
    start = midnight(settlement.period_from, zone)
    by_rule: dict[str, tuple[int, int]] = {}
    for line in found:
        if line.kind == "reward" and line.earned_at >= start:
            count, amount = by_rule.get(_rule(line), (0, 0))
            by_rule[_rule(line)] = (count + 1, amount + line.amount)
    paid = payout.amount if payout.state == "paid" else 0
    return Statement(
        number=statement_number(period_of_settlement(settlement), settlement.currency, payout.payee_code),
        settlement=settlement.number,
        period_from=settlement.period_from,
        period_until=settlement.period_until,
        payee=payout.payee_code,
        holder=payout.holder,
        account=_masked(payout.account),
        currency=settlement.currency,
        state=payout.state,
        opening=payout.carried,
        earned=payout.earned,
        earned_by_rule=tuple(RuleSum(rule, *sums) for rule, sums in sorted(by_rule.items())),
        clawed_back=payout.clawed_back,
        adjusted=payout.adjusted,
        tax_withheld=payout.tax,
        tax_arithmetic=_(payout.tax_words, **payout.tax_facts),
        paid=paid,
        paid_on=payout.paid_on,
        closing=payout.amount - paid,
        held=payout.reason if payout.state == "held" else "",
        lines=tuple(_statement_line(line, zone) for line in found),
    )


def _statement_line(line: RewardLine, zone: str) -> StatementLine:
    return StatementLine(
        day=day_of(line.earned_at, zone),
        kind=line.kind,
        rule=_rule(line),
        customer=str(line.inputs.get("customer", "")),
        order=str(line.inputs.get("order", "")),
        reason=line.reason if line.kind == "adjustment" else "",
        amount=line.amount,
    )


def _rule(line: RewardLine) -> str:
    return f"{line.rule_code}/{line.rule_version}" if line.rule_code else ""


def _masked(account: str) -> str:
    """The end of an account number, enough for the payee to know it by."""
    return f"****{account[-4:]}" if len(account) > 6 else "****" if account else ""


def _payouts(read: Reader, settlement: Settlement, only: str = "") -> list[Payout]:
    return [item for item in _stream(read, Payout, f"settlement:{settlement.id}{only}") if isinstance(item, Payout)]


def _lines(read: Reader, filter_text: str) -> Iterator[RewardLine]:
    return (item for item in _stream(read, RewardLine, filter_text) if isinstance(item, RewardLine))


def _stream(read: Reader, cls: type[Record], filter_text: str) -> Iterator[Record]:
    info = info_of(cls)
    _fields, batches = read.stream(info.noun, filter_text, fields=info.field_names)
    return (info.load(row) for batch in batches for row in batch)


def _posted(read: Reader, payouts: list[Payout], account: str) -> int:
    """What an account of the ledger holds for these payouts as approved and not taken back, in minor units."""
    sources = read.session.array([approval_of(item) for item in payouts])
    return int(read.rows("settlement:posted", _posted_statement, sources=sources, account=account)[0][0])


def _posted_statement() -> ClauseElement:
    import sqlalchemy as sa

    from bo.core.kernel.tables import in_list, table
    from bo.core.ledger.records import Entry, Posting

    entry, leg = table(info_of(Entry)), table(info_of(Posting))
    approved = sa.select(entry.c.id).where(in_list(entry.c.source, sa.bindparam("sources"))).cte("approved")
    ours = (
        sa.select(entry.c.id).where(entry.c.reverses.in_(sa.select(approved.c.id))).union_all(sa.select(approved.c.id))
    )
    return sa.select(sa.func.coalesce(sa.func.sum(leg.c.amount), 0)).where(
        leg.c.entry.in_(ours), leg.c.account == sa.bindparam("account")
    )
