"""The ledger as a journal of Beancount or hledger, piece by piece.

Both get the same account names, which either program takes: `Liabilities:Reward-Payable:P-…`. What is open of a pending
entry is a transaction marked `!` on accounts of its own below `Equity:Reserved`, so that the balances of all others are
ours. The last lines state every balance: it is the other program that finds the books equal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import groupby
from typing import Final, NamedTuple, Protocol

from bo.core.kernel.amounts import format_amount
from bo.core.kernel.ids import ALPHABET, TAIL_LENGTH
from bo.core.kernel.reader import Reader
from bo.core.ledger import reading
from bo.core.ledger.records import ACCOUNT_TYPES, ASSET, EQUITY, EXPENSE, INCOME, LIABILITY

FORMS: Final = {"beancount": "beancount", "hledger": "journal"}  # with the ends of their files' names
ROOTS: Final = {
    ASSET: "Assets", LIABILITY: "Liabilities", EQUITY: "Equity", INCOME: "Income", EXPENSE: "Expenses",
}  # fmt: skip
RECORD_ID: Final = re.compile(f"[a-z_]+_[{ALPHABET}]{{{TAIL_LENGTH}}}")
RESERVED: Final = "Equity:Reserved"
INDENT: Final = "  "

Sum = tuple[str, int, str]  # account as the journal calls it, amount, currency


class Transaction(NamedTuple):
    """A transaction to be written. Number 0 is none of ours."""

    number: int
    day: date
    text: str
    source: str
    fact_day: date | None
    sums: list[Sum]
    pending: bool = False


class _Writer(Protocol):
    """How a program wants it."""

    def head(self, day: date, accounts: dict[str, str], currencies: Iterable[str]) -> Iterator[str]: ...
    def transaction(self, item: Transaction) -> str: ...
    def stated(self, day: date, sums: Iterable[Sum]) -> Iterator[str]: ...


def pieces(read: Reader, form: str, *, since: date | None, until: date | None) -> Iterator[str]:
    """The journal of some days, or of all; what was there before `since` is its first transaction."""
    writer: _Writer = _Beancount() if form == "beancount" else _Hledger()
    at_end = reading.held(read, until=until)
    first, last = reading.days(read)
    begin, end = since or first, until or last + timedelta(days=1)
    pending = list(_transactions(read, begin, end, pending=True))
    accounts = {account_called(item.account, item.party): item.party for item in at_end}
    accounts |= {account_called(item.account): "" for item in at_end}
    accounts |= {name: "" for item in pending for name, _amount, _currency in item.sums}
    currencies = {item.currency for item in at_end} | {sum_[2] for item in pending for sum_ in item.sums}
    yield from writer.head(begin, dict(sorted(accounts.items())), sorted(currencies))
    opening = [
        _sum(*item[:3], item.amount) for item in (reading.held(read, until=since) if since else ()) if item.amount
    ]
    if opening:
        yield writer.transaction(Transaction(0, begin, "opening balances", "", None, opening))
    for item in _transactions(read, begin, end, pending=False):
        yield writer.transaction(item)
    for item in pending:
        yield writer.transaction(item)
    yield from writer.stated(end, _stated(at_end))


def account_called(account: str, party: str = "") -> str:
    """An account as a journal calls it: the same for the same party, another for every other one."""
    root, words = ROOTS[ACCOUNT_TYPES[account]], "-".join(word.title() for word in account.split("_"))
    return f"{root}:{words}:{_component(party)}" if party else f"{root}:{words}"


def _component(party: str) -> str:
    """A party as one part of an account's name: letters and digits of any script. Where another mark had to give way,
    the end says which party it was; the id of a record needs no such end."""
    plain = "".join(sign if sign.isalpha() or sign.isdecimal() or sign == "-" else "-" for sign in party)
    if RECORD_ID.fullmatch(party) or (plain == party and not RECORD_ID.fullmatch(party.replace("-", "_"))):
        return f"P-{plain}"
    from hashlib import blake2b

    return f"P-{plain}-{blake2b(party.encode(), digest_size=4).hexdigest()}"


def _sum(account: str, party: str, currency: str, amount: int) -> Sum:
    return account_called(account, party), amount, currency


def _stated(at_end: Iterable[reading.Held]) -> Iterator[Sum]:
    """Each party's balance, and that of each account with all its parties."""
    totals: dict[tuple[str, str], int] = {}
    for item in at_end:
        place = (account_called(item.account), item.currency)
        totals[place] = totals.get(place, 0) + item.amount
        if item.party:
            yield _sum(item.account, item.party, item.currency, item.amount)
    for (name, currency), amount in totals.items():
        yield name, amount, currency


def _transactions(read: Reader, since: date, until: date, *, pending: bool) -> Iterator[Transaction]:
    rows = (row for batch in reading.legs(read, since, until, pending=pending) for row in batch)
    for (number, day, text, source, fact_day), legs in groupby(rows, key=lambda row: row[:5]):
        sums = [
            _sum(account, party, currency, amount) for account, party, currency, amount in (leg[5:] for leg in legs)
        ]
        if pending:
            sums = [(f"{RESERVED}:{name.partition(':')[2]}", amount, currency) for name, amount, currency in sums]
        late = reading.day_of_row(fact_day) if fact_day is not None else None
        yield Transaction(number, reading.day_of_row(day), text, source, late, sums, pending)


class _Beancount:
    """https://beancount.github.io/docs/beancount_language_syntax.html"""

    def head(self, day: date, accounts: dict[str, str], currencies: Iterable[str]) -> Iterator[str]:
        yield 'option "title" "bo"\n'
        for currency in currencies:
            yield f'option "operating_currency" "{currency}"\n'
        yield "\n"
        yield from (f"{day} commodity {currency}\n" for currency in currencies)
        for name, party in accounts.items():
            yield f"{day} open {name}\n" + (f"{INDENT}party: {_quoted(party)}\n" if party else "")

    def transaction(self, item: Transaction) -> str:
        lines = [f"\n{item.day} {'!' if item.pending else '*'} {_quoted(item.text)}"]
        if item.number:
            lines.append(f"{INDENT}entry: {item.number}")
            lines.append(f"{INDENT}source: {_quoted(item.source)}")
        if item.fact_day is not None:
            lines.append(f"{INDENT}fact-day: {item.fact_day}")
        lines += (
            f"{INDENT}{name}  {format_amount(amount, currency)} {currency}" for name, amount, currency in item.sums
        )
        return "\n".join(lines) + "\n"

    def stated(self, day: date, sums: Iterable[Sum]) -> Iterator[str]:
        yield "\n"
        for name, amount, currency in sums:
            yield f"{day} balance {name}  {format_amount(amount, currency)} ~ 0 {currency}\n"


class _Hledger:
    """https://hledger.org/hledger.html#journal"""

    def head(self, day: date, accounts: dict[str, str], currencies: Iterable[str]) -> Iterator[str]:
        yield "; bo\n\n"
        yield from (f"commodity {_sample(currency)}\n" for currency in currencies)
        for name, party in accounts.items():
            yield f"account {name}" + (f"  ; party: {_uncommented(party)}\n" if party else "\n")

    def transaction(self, item: Transaction) -> str:
        marks = f"{item.day} {'!' if item.pending else '*'} ({item.number})"
        lines = [f"\n{marks} {_uncommented(item.text)}".rstrip()]
        if item.source:
            lines.append(f"{INDENT}; source: {_uncommented(item.source)}")
        if item.fact_day is not None:
            lines.append(f"{INDENT}; fact-day: {item.fact_day}")
        lines += (
            f"{INDENT}{name}  {format_amount(amount, currency)} {currency}" for name, amount, currency in item.sums
        )
        return "\n".join(lines) + "\n"

    def stated(self, day: date, sums: Iterable[Sum]) -> Iterator[str]:
        yield f"\n{day} * (0) balances\n"
        for name, amount, currency in sums:
            nothing, held = format_amount(0, currency), format_amount(amount, currency)
            yield f"{INDENT}{name}  {nothing} {currency} =* {held} {currency}\n"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _uncommented(text: str) -> str:
    """Text of one line in which nothing begins a comment."""
    return " ".join(text.replace(";", ",").split())


def _sample(currency: str) -> str:
    """How amounts of a currency are written; the mark is there even where no decimals follow it."""
    sample = format_amount(100_000_000, currency)
    return f"{sample if '.' in sample else sample + '.'} {currency}"
