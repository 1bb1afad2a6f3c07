"""Questions about bank statements: whether the ledger holds what the banks say, account by account."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from msgspec import Struct

from bo.core.banking.reconciling import ageing, candidates, open, report
from bo.core.banking.records import BankLine, BankStatement
from bo.core.banking.taking_in import SUSPENSE, ledger_account
from bo.core.kernel.command import query
from bo.core.kernel.kinds import Amount, Count, Currency, Day, Text
from bo.core.kernel.reader import Reader
from bo.core.kernel.record import info_of
from bo.core.ledger.queries import balance
from bo.core.settlement.records import BankAccount

NOUN: Final = "bank_statements"
ACCOUNTS_MOST: Final = 1_000
STATEMENTS_MOST: Final = 10_000  # of one account: one a day for a generation


class AccountCheck(Struct, frozen=True):
    """One account of ours: what the bank says it holds, what its lines come to, and what the ledger holds.

    `missing` is what no statement has told: closing less opening and lines. `difference` is what the ledger holds more
    than the bank says; `not_explained` what of the bank's lines waits in suspense, money in above zero.
    """

    account: Text
    currency: Currency
    statements: Count
    gaps: Count
    until: Day | None
    closing: Amount | None
    missing: Amount | None
    ledger: Amount
    difference: Amount | None
    not_explained: Amount


@query(needs="bank_statements.read")
def check(read: Reader) -> list[AccountCheck]:
    """Whether the ledger holds what the banks say, and whether a statement is missing."""
    accounts = read.records(BankAccount, "sort:code", limit=ACCOUNTS_MOST)
    sums: dict[str, int] = dict(read.rows("bank_lines.sums", _sums))
    held = {
        (item.account, item.party): item.amount
        for account in ("bank", "channel", SUSPENSE)
        for item in balance(read, account=account, by_party=True)
    }
    return [
        _check(account, statements, int(sums.get(account.id, 0)), held)
        for account in accounts
        if (statements := _statements(read, account))
    ]


def _statements(read: Reader, account: BankAccount) -> list[BankStatement]:
    return read.records(BankStatement, f"account:{account.id} state:taken sort:until_day", limit=STATEMENTS_MOST)


def _check(
    account: BankAccount, statements: list[BankStatement], lines: int, held: dict[tuple[str, str], int]
) -> AccountCheck:
    told = [item for item in statements if item.closing is not None and item.opening is not None]
    last = _last(told)
    first = min(told, key=lambda item: (item.from_day or date.max, item.id), default=None)
    closing = last.closing if last is not None else None
    missing = None if closing is None or first is None else closing - (first.opening or 0) - lines
    ledger = held.get((ledger_account(account), account.code), 0)
    return AccountCheck(
        account.code, account.currency, len(statements), sum(1 for item in statements if item.gap),
        last.until_day if last is not None else None, closing, missing, ledger,
        None if closing is None else ledger - closing, -held.get((SUSPENSE, account.code), 0),
    )  # fmt: skip


def _last(statements: list[BankStatement]) -> BankStatement | None:
    """The statement that ends last; of one day's the one that no other goes on from."""
    if not statements:
        return None
    until = statements[-1].until_day
    of_day = [item for item in statements if item.until_day == until]
    openings = [item.opening for item in of_day]
    return next((item for item in reversed(of_day) if item.closing not in openings or item.opening == item.closing),
                of_day[-1])  # fmt: skip


def _sums() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import table

    lines = table(info_of(BankLine))
    return sa.select(lines.c.account, sa.func.sum(lines.c.amount)).group_by(lines.c.account)


__all__ = ["ageing", "candidates", "check", "open", "report"]  # questions that stand in a file of their own too
