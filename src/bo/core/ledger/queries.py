"""Reading the ledger: balances, the register of an account, the check that every invariant holds, and journals for
other programs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import chain, islice
from typing import Annotated, Final

from msgspec import Struct

from bo.core.kernel.command import query
from bo.core.kernel.errors import NotAllowed
from bo.core.kernel.kinds import Amount, ChoiceKind, Count, Currency, Day, Field, Flag, Tags, Text
from bo.core.kernel.reader import Reader
from bo.core.ledger import checking, journals, reading
from bo.core.ledger.records import AccountName

NOUN: Final = "ledger"
PAGE_LINES: Final = 10_000
SHOWN_MOST: Final = 100_000  # rows of one answer

Until = Annotated[Day, Field(help="the first day that no longer counts")]
Form = Annotated[str, ChoiceKind(*journals.FORMS)]


class Balance(Struct, frozen=True):
    """What an account holds, or one party's part of it; debits above zero. `reserved` is what pending entries would
    add."""

    account: Text
    party: Text
    amount: Amount
    reserved: Amount
    currency: Currency
    postings: Count


class RegisterLine(Struct, frozen=True):
    """One posting, with what the account holds after it in that currency. Number 0 is what it held before."""

    number: Count
    day: Day | None
    text: Text
    account: Text
    party: Text
    amount: Amount
    currency: Currency
    balance: Amount


class LedgerCheck(Struct, frozen=True):
    """What was checked. `broken` names the first invariant that does not hold, and where; empty when all of them do."""

    entries: Count
    postings: Count
    holds: Tags
    broken: Text = ""


class Journal(Struct, frozen=True):
    """A journal for another program."""

    name: Text
    content: bytes


@query(needs="ledger.read")
def balance(
    read: Reader,
    *,
    account: AccountName | None = None,
    party: Text = "",
    by_party: Flag = False,
    until: Until | None = None,
) -> list[Balance]:
    """What the accounts hold, as one sum in each currency or, by party, one for each."""
    require_whole_office(read)
    found = reading.held(read, until=until, by_party=by_party, account=account or "", party=party)
    return [
        Balance(item.account, item.party, item.amount, item.reserved, item.currency, item.postings) for item in found
    ]


@query(needs="ledger.read")
def register(
    read: Reader,
    *,
    account: AccountName | None = None,
    party: Text = "",
    by_party: Flag = False,
    since: Day | None = None,
    until: Until | None = None,
    page: Annotated[Count, Field(help="10,000 lines at a time, from 1")] = 1,
) -> list[RegisterLine]:
    """The postings of an account in the order of their days, each with the balance after it."""
    found = register_lines(read, account=account or "", party=party, by_party=by_party, since=since, until=until)
    start = (max(page, 1) - 1) * PAGE_LINES
    return list(islice(found, start, start + PAGE_LINES))


def register_lines(
    read: Reader, *, account: str, party: str, by_party: bool, since: date | None, until: date | None
) -> chain[RegisterLine]:
    """The register as a stream, in memory for a few lines; it begins with what was there before `since`."""
    require_whole_office(read)
    before = reading.held(read, until=since, by_party=by_party, account=account, party=party) if since else []
    opening = (
        RegisterLine(0, since, OPENING, item.account, item.party, 0, item.currency, item.amount)
        for item in before
        if item.amount
    )
    batches = reading.lines(read, account=account, party=party, since=since, until=until, by_party=by_party)
    return chain(opening, (RegisterLine(*line) for batch in batches for line in batch))


OPENING: Final = "opening balance"  # a message id


@query(needs="ledger.read")
def check(read: Reader) -> LedgerCheck:
    """Check every invariant of the ledger; the first that is broken is named."""
    require_whole_office(read)
    entries, postings = checking.size(read)
    holds: list[str] = []
    broken = checking.first_broken(read, holds)
    return LedgerCheck(entries, postings, tuple(holds), broken)


@query(needs="ledger.read")
def export(read: Reader, *, format: Form, since: Day | None = None, until: Until | None = None) -> Journal:
    """The entries as a journal of Beancount or hledger; its last lines state the balances, so that those programs
    check them."""
    text = "".join(journal_pieces(read, format=format, since=since, until=until))
    return Journal(f"ledger.{journals.FORMS[format]}", text.encode())


def journal_pieces(read: Reader, *, format: str, since: date | None, until: date | None) -> Iterator[str]:
    """The journal as a stream, in memory for one transaction."""
    require_whole_office(read)
    return journals.pieces(read, format, since=since, until=until)


def require_whole_office(read: Reader) -> None:
    """Money is of the whole office: whoever sees one shop alone sees none of it. Raises NotAllowed."""
    if read.actor.scopes is not None:
        raise NotAllowed("{actor} sees one shop alone, and money is of the whole office", actor=read.actor.name)
