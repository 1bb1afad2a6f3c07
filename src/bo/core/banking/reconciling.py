"""Questions about reconciling: what is open and for how long, what a line may be for, and the proof that the ledger
holds what the banks say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Final

from msgspec import Struct

from bo.core.banking import matching
from bo.core.banking.matching import Item, Matcher, Proposal
from bo.core.banking.open_items import line_of, memory_of, open_items
from bo.core.banking.records import IGNORED, BankLine
from bo.core.banking.rules import WINDOW_DAYS
from bo.core.kernel.command import query
from bo.core.kernel.kinds import Amount, ChoiceKind, Count, Currency, Day, Field, Flag, Text
from bo.core.kernel.reader import Reader
from bo.core.kernel.record import info_of
from bo.core.kernel.text import _
from bo.core.ledger.days import day_of
from bo.core.ledger.queries import require_whole_office
from bo.core.settlement.records import BankAccount

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement

    from bo.core.banking.queries import AccountCheck

SHOWN_MOST: Final = 10_000
AGES: Final = ((30, "0-30"), (60, "31-60"), (90, "61-90"))
OLDER: Final = "90+"
LINE: Final = "bank_line"
KINDS: Final = (LINE, "payout", "payment", "order", "refund", "entry")
WHY: Final = {  # why something may be what a bank line was for
    "id": "the same id",
    "reference": "its number is in the text",
    "amount": "the same amount",
    "remembered": "this counterparty was matched with it before",
    "account": "the same account of the counterparty",
    "name": "a like name",
    "day": "about the same day",
}
PARTS: Final = {  # the lines of the proof
    "opening": "opening balance",
    "came": "money that came in",
    "went": "money that went out",
    "missing": "missing statements",
    "closing": "closing balance of the bank",
    "noted": "noted as paid, not seen at the bank",
    "by_hand": "entered by hand, not seen at the bank",
    "unexplained": "difference that nothing explains",
    "ledger": "balance of the ledger",
    "waits": "of it not matched yet",
    "set_aside": "of it set aside",
    "transit": "payouts under way",
}


class OpenItem(Struct, frozen=True):
    """Something that waits for its other side: a bank line, or what a bank line will be for."""

    kind: Text
    label: Text
    id: Text
    day: Day
    name: Text
    amount: Amount
    currency: Currency
    days: Count
    age: Text


class Ageing(Struct, frozen=True):
    """What waits, by how long: sums of one kind and currency."""

    kind: Text
    count: Count
    days_0_30: Amount
    days_31_60: Amount
    days_61_90: Amount
    over_90: Amount
    total: Amount
    currency: Currency


class Candidate(Struct, frozen=True):
    """What a bank line may be for, how well it fits out of 100, and why."""

    kind: Text
    label: Text
    id: Text
    day: Day
    name: Text
    amount: Amount
    currency: Currency
    points: Count
    why: Text


class ProofLine(Struct, frozen=True):
    """One line of the proof that an account of the ledger holds what the bank says: they add up from top to bottom."""

    account: Text
    line: Text
    number: Count
    amount: Amount
    currency: Currency
    agrees: Flag
    as_of: Day | None


Kind = Annotated[str, ChoiceKind(*KINDS, labels=("bank line", "payout", "payment", "order", "refund", "ledger entry"))]


@query(needs="bank_lines.read", noun="reconciliations")
def open(
    read: Reader,
    *,
    kind: Kind | None = None,
    account: Annotated[Text, Field(label="bank account", help="its code")] = "",
) -> list[OpenItem]:
    """What waits for its other side: bank lines, and payouts, payments, orders and refunds that no bank line is for;
    the oldest first."""
    require_whole_office(read)
    return _waiting(read, kind or "", account)[:SHOWN_MOST]


@query(needs="bank_lines.read", noun="reconciliations")
def ageing(read: Reader) -> list[Ageing]:
    """How much waits for its other side, and for how long."""
    require_whole_office(read)
    sums: dict[tuple[str, str], list[int]] = {}
    for item in _waiting(read, "", ""):
        found = sums.setdefault((item.kind, item.currency), [0] * 5)
        found[0] += 1
        found[1 + [*(name for _days, name in AGES), OLDER].index(item.age)] += item.amount
    return [
        Ageing(kind, found[0], found[1], found[2], found[3], found[4], sum(found[1:]), currency)
        for (kind, currency), found in sorted(sums.items(), key=lambda each: (KINDS.index(each[0][0]), each[0][1]))
    ]


def _waiting(read: Reader, kind: str, account: str) -> list[OpenItem]:
    today = day_of(read.now, read.context.zone)
    lines, accounts = _lines(read)
    made = [
        _open(LINE, accounts[line.account].code, line.id, line.day, line.counterparty or line.purpose[:60], line.left,
              line.currency, today)
        for line in lines
        if kind in ("", LINE) and account in ("", accounts[line.account].code)
    ]  # fmt: skip
    items = open_items(read, (), accounts) if kind != LINE and not account else []
    made += [
        _open(item.kind, item.label, item.id, item.day, item.name, item.left, item.currency, today)
        for item in items
        if item.kind != matching.RETURNED and kind in ("", item.kind)
    ]
    return sorted(made, key=lambda item: (-item.days, item.kind, item.id))


def _open(
    kind: str, label: str, key: str, day: date, name: str, amount: int, currency: str, today: date
) -> OpenItem:  # fmt: skip
    days = max((today - day).days, 0)
    age = next((text for most, text in AGES if days <= most), OLDER)
    return OpenItem(kind, label, key, day, name, amount, currency, days, age)


def _lines(read: Reader) -> tuple[list[BankLine], dict[str, BankAccount]]:
    lines = read.records(BankLine, "state:open,part_matched sort:day,account,position", limit=SHOWN_MOST)
    accounts = {account.id: account for account in read.records(BankAccount, limit=SHOWN_MOST)}
    return lines, accounts


@query(needs="bank_lines.read", noun="bank_lines")
def candidates(read: Reader, line: BankLine) -> list[Candidate]:
    """What a bank line may be for, the best first, with points out of 100 and why."""
    require_whole_office(read)
    lines, accounts = _lines(read)
    items = [item for item in open_items(read, lines, accounts) if item.id != line.id]
    matcher = Matcher(items, memory_of(read), window=WINDOW_DAYS.of(read))
    meant = line_of(line)
    found = [matcher.proposal(meant, item) for item in items if _may_fit(matcher, meant, item)]
    return [_candidate(each) for each in matching.best(each for each in found if set(each.why) - {"day"})]


def _may_fit(matcher: Matcher, line: matching.Line, item: Item) -> bool:
    if item.currency != line.currency or item.left * line.left <= 0:
        return False
    return item.account != line.account if item.kind == matching.TRANSFER else item.account in ("", line.account)


def _candidate(each: Proposal) -> Candidate:
    item = each.item
    why = [_(WHY[reason]) for reason in each.why]
    if item.asks:
        why.append(_("granted, not noted as paid back: bo refunds execute"))
    return Candidate(item.kind, item.label, item.id, item.day, item.name, item.left, item.currency, each.points,
                     "; ".join(why))  # fmt: skip


@query(needs="bank_lines.read", noun="reconciliations")
def report(read: Reader) -> list[ProofLine]:
    """The proof that the ledger holds what the banks say, account by account, from the opening balance down; where it
    does not, which movements make the difference."""
    from bo.core.banking.queries import check

    require_whole_office(read)
    lines, accounts = _lines(read)
    items = [item for item in open_items(read, (), accounts) if item.kind in (matching.PAYOUT, matching.ENTRY)]
    lines += read.records(BankLine, "state:ignored", limit=SHOWN_MOST)
    made: list[ProofLine] = []
    for told in check(read):
        own = [line for line in lines if accounts[line.account].code == told.account]
        made += _proof(told, _sums(read, told.account), own, [item for item in items if item.party == told.account])
    return made + _nowhere(items, {line.account for line in made})


def _proof(told: AccountCheck, sums: tuple[int, int], lines: list[BankLine], items: list[Item]) -> list[ProofLine]:
    """From what the bank says to what the ledger holds, then what of it is not done."""
    paid = [item.left for item in items if item.noted and item.kind == matching.PAYOUT]
    hand = [item.left for item in items if item.noted and item.kind == matching.ENTRY]
    transit = [item.left for item in items if not item.noted]
    waits = [line.left for line in lines if line.state != IGNORED]
    aside = [line.left for line in lines if line.state == IGNORED]
    missing = told.missing or 0
    closing = told.closing if told.closing is not None else sum(sums)
    unexplained = told.ledger - closing - sum(paid) - sum(hand)
    rows: Iterable[tuple[str, int, int]] = (
        ("opening", told.statements, closing - sum(sums) - missing), ("came", 0, sums[0]), ("went", 0, sums[1]),
        ("missing", told.gaps, missing), ("closing", 0, closing), ("noted", len(paid), sum(paid)),
        ("by_hand", len(hand), sum(hand)), ("unexplained", 0, unexplained), ("ledger", 0, told.ledger),
        ("waits", len(waits), sum(waits)), ("set_aside", len(aside), sum(aside)),
        ("transit", len(transit), sum(transit)),
    )  # fmt: skip
    return [
        ProofLine(told.account, _(PARTS[part]), number, amount, told.currency, not unexplained and not missing,
                  told.until)
        for part, number, amount in rows
        if amount or number or part in ("opening", "closing", "ledger")
    ]  # fmt: skip


def _nowhere(items: Iterable[Item], told: set[str]) -> list[ProofLine]:
    """What was noted as paid from an account that has no statement, or from none that is known."""
    sums: dict[tuple[str, str], list[int]] = defaultdict(list)
    for item in items:
        if item.noted and item.party not in told:
            sums[item.party, item.currency].append(item.left)
    return [
        ProofLine(account, _(PARTS["noted"]), len(found), sum(found), currency, False, None)
        for (account, currency), found in sorted(sums.items())
    ]


def _sums(read: Reader, account: str) -> tuple[int, int]:
    """What came in and what went out by the lines of an account."""
    came, went = read.rows("reconcile:sums", _sums_statement, code=account)[0]
    return int(came or 0), int(went or 0)


def _sums_statement() -> ClauseElement:
    import sqlalchemy as sa

    from bo.core.kernel.tables import table

    line, account = table(info_of(BankLine)), table(info_of(BankAccount))
    nothing: Any = sa.literal_column("0")
    came = sa.func.sum(sa.case((line.c.amount > nothing, line.c.amount), else_=nothing))
    went = sa.func.sum(sa.case((line.c.amount < nothing, line.c.amount), else_=nothing))
    joined = line.join(account, account.c.id == line.c.account)
    return sa.select(came, went).select_from(joined).where(account.c.code == sa.bindparam("code"))
