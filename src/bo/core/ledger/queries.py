"""Reading the ledger: balances, the register of an account, and the check that every invariant holds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from bo.core.kernel.command import query
from bo.core.kernel.errors import NotAllowed
from bo.core.kernel.kinds import Amount, Count, Currency, Day, Flag, Tags, Text
from bo.core.kernel.reader import Reader
from bo.core.ledger.records import AccountName

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement, Table

NOUN: Final = "ledger"
SHOWN_MOST: Final = 100_000


class Balance(Struct, frozen=True):
    """What an account holds, or one party's part of it; debits above zero."""

    account: Text
    party: Text
    amount: Amount
    currency: Currency
    postings: Count


class RegisterLine(Struct, frozen=True):
    """One posting, with what the account holds after it in that currency."""

    number: Count
    day: Day
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


@query(needs="ledger.read")
def balance(
    read: Reader, *, account: AccountName | None = None, party: Text = "", by_party: Flag = False
) -> list[Balance]:
    """What the accounts hold, as one sum in each currency or, by party, one for each."""
    require_whole_office(read)
    split = by_party or bool(party)
    key = f"ledger:balance:{bool(account)}:{bool(party)}:{split}"
    rows = read.rows(
        key, lambda: _balances(bool(account), bool(party), split), account=account, party=party, most=SHOWN_MOST
    )
    return [Balance(name, whose, int(amount), currency, count) for name, whose, currency, amount, count in rows]


@query(needs="ledger.read")
def register(
    read: Reader,
    *,
    account: AccountName | None = None,
    party: Text = "",
    since: Day | None = None,
    until: Day | None = None,
) -> list[RegisterLine]:
    """The postings of an account in order, each with the balance after it; `until` is the first day not shown."""
    require_whole_office(read)
    key = f"ledger:register:{bool(account)}:{bool(party)}"
    rows = read.rows(key, lambda: _postings(bool(account), bool(party)), account=account, party=party, most=SHOWN_MOST)
    held: dict[tuple[str, str], int] = {}
    shown = []
    for number, day, text, name, whose, amount, currency in rows:
        held[name, currency] = held.get((name, currency), 0) + amount
        on = date.fromisoformat(day) if isinstance(day, str) else day
        if (since is None or on >= since) and (until is None or on < until):
            shown.append(RegisterLine(number, on, text, name, whose, amount, currency, held[name, currency]))
    return shown


@query(needs="ledger.read")
def check(read: Reader) -> LedgerCheck:
    """Check every invariant of the ledger; the first that is broken is named."""
    require_whole_office(read)
    entries, postings = (int(item) for item in read.rows("ledger:size", _size)[0])
    holds: list[str] = []
    for name, build in _INVARIANTS:
        found = read.rows(f"ledger:check:{name}", build)
        if found:
            where = " ".join(str(item) for item in found[0])
            return LedgerCheck(entries, postings, tuple(holds), f"{name}: {where}")
        holds.append(name)
    return LedgerCheck(entries, postings, tuple(holds))


def require_whole_office(read: Reader) -> None:
    """Money is of the whole office: whoever sees one shop alone sees none of it. Raises NotAllowed."""
    if read.actor.scopes is not None:
        raise NotAllowed("{actor} sees one shop alone, and money is of the whole office", actor=read.actor.name)


# -- statements --------------------------------------------------------------------------------------------------------


def _tables() -> tuple[Table, Table]:
    from bo.core.kernel.record import info_of
    from bo.core.kernel.tables import table
    from bo.core.ledger.records import Entry, Posting

    return table(info_of(Entry)), table(info_of(Posting))


def _of(leg: Table, account: bool, party: bool) -> list[Any]:
    import sqlalchemy as sa

    wanted = [leg.c.account == sa.bindparam("account")] if account else []
    return [*wanted, leg.c.party == sa.bindparam("party")] if party else wanted


def _balances(account: bool, party: bool, split: bool) -> ClauseElement:
    import sqlalchemy as sa

    _entry, leg = _tables()
    whose = leg.c.party if split else sa.literal("")
    groups = [leg.c.account, leg.c.currency, *([leg.c.party] if split else [])]
    return (
        sa.select(leg.c.account, whose, leg.c.currency, sa.func.sum(leg.c.amount), sa.func.count())
        .where(*_of(leg, account, party))
        .group_by(*groups)
        .order_by(*groups)
        .limit(sa.bindparam("most"))
    )


def _postings(account: bool, party: bool) -> ClauseElement:
    import sqlalchemy as sa

    entry, leg = _tables()
    return (
        sa.select(entry.c.number, entry.c.day, entry.c.text, leg.c.account, leg.c.party, leg.c.amount, leg.c.currency)
        .join(entry, entry.c.id == leg.c.entry)
        .where(*_of(leg, account, party))
        .order_by(entry.c.number, leg.c.n)
        .limit(sa.bindparam("most"))
    )


def _size() -> ClauseElement:
    import sqlalchemy as sa

    entry, leg = _tables()
    counts = [sa.select(sa.func.count()).select_from(item).scalar_subquery() for item in (entry, leg)]
    return sa.select(*counts)


def _unbalanced() -> ClauseElement:
    import sqlalchemy as sa

    _entry, leg = _tables()
    total = sa.func.sum(leg.c.amount)
    groups = (leg.c.entry, leg.c.currency)
    return sa.select(*groups, total).group_by(*groups).having(total != 0).limit(1)


def _too_few_legs() -> ClauseElement:
    import sqlalchemy as sa

    entry, leg = _tables()
    count = sa.func.count(leg.c.n)
    return (
        sa.select(entry.c.id, count)
        .outerjoin(leg, leg.c.entry == entry.c.id)
        .group_by(entry.c.id)
        .having(count < 2)
        .limit(1)
    )


def _stray_postings() -> ClauseElement:
    import sqlalchemy as sa

    entry, leg = _tables()
    there = sa.exists().where(entry.c.id == leg.c.entry)
    return sa.select(leg.c.id).where(sa.or_(~there, leg.c.amount == 0)).limit(1)


def _gaps() -> ClauseElement:
    import sqlalchemy as sa

    entry, _leg = _tables()
    last = sa.func.max(entry.c.number)
    return sa.select(last).having(last != sa.func.count())


def _reversals_of_reversals() -> ClauseElement:
    import sqlalchemy as sa

    entry, _leg = _tables()
    other = entry.alias("other")
    return (
        sa.select(entry.c.id)
        .outerjoin(other, other.c.id == entry.c.reverses)
        .where(entry.c.reverses.is_not(None), sa.or_(other.c.id.is_(None), other.c.reverses.is_not(None)))
        .limit(1)
    )


def _crooked_reversals() -> ClauseElement:
    """A reversal and its entry together move nothing, on no account and for no party."""
    import sqlalchemy as sa

    entry, leg = _tables()
    pair = sa.select(entry.c.reverses.label("pair"), entry.c.id.label("entry")).where(entry.c.reverses.is_not(None))
    itself = sa.select(entry.c.reverses, entry.c.reverses).where(entry.c.reverses.is_not(None))
    both = sa.union_all(pair, itself).subquery("both")
    total = sa.func.sum(leg.c.amount)
    groups = (both.c.pair, leg.c.account, leg.c.party, leg.c.currency)
    return (
        sa.select(*groups, total).join(leg, leg.c.entry == both.c.entry).group_by(*groups).having(total != 0).limit(1)
    )


def _without_operation() -> ClauseElement:
    import sqlalchemy as sa

    from bo.core.kernel.tables import change

    entry, _leg = _tables()
    return sa.select(entry.c.id).where(~sa.exists().where(change.c.row == entry.c.id)).limit(1)


_INVARIANTS: Final[tuple[tuple[str, Callable[[], ClauseElement]], ...]] = (
    ("debits equal credits in every entry and currency", _unbalanced),
    ("an entry has two legs at least", _too_few_legs),
    ("a posting belongs to an entry and moves something", _stray_postings),
    ("entries are numbered without a gap", _gaps),
    ("a reversal is of an entry that is none itself", _reversals_of_reversals),
    ("a reversal mirrors its entry", _crooked_reversals),
    ("every entry has its operation in the journal", _without_operation),
)
