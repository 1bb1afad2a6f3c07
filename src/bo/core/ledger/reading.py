"""Reading the ledger in bulk: what accounts held as of a day, the postings in their order, the sums of all entries.

What whole months moved is read from the balances that are kept up; postings are read only for a month that a day cuts
in two, and for the register.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bo.core.kernel.reader import Reader
from bo.core.kernel.tx import Tx
from bo.core.ledger.balances import Moved
from bo.core.ledger.days import day_of, month_label
from bo.core.ledger.records import ACCOUNTS, PENDING, Entry, Posting

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement, Table

SUMS: Final = ("moved", "turnover", "reserved", "postings")
LAST_DAY: Final = date(9999, 12, 31)


class Held(NamedTuple):
    """What an account held, or one party's part of it: debit less credit is the balance."""

    account: str
    party: str
    currency: str
    debit: int
    credit: int
    reserved: int
    postings: int

    @property
    def amount(self) -> int:
        return self.debit - self.credit


class Line(NamedTuple):
    """A posting with its entry, and what the account held after it."""

    number: int
    day: date
    text: str
    account: str
    party: str
    amount: int
    currency: str
    balance: int


def held(
    read: Reader, *, until: date | None = None, by_party: bool = True, account: str = "", party: str = ""
) -> list[Held]:
    """What was posted before a day, or to date, in the order of accounts, currencies and parties."""
    day = until or LAST_DAY
    begin, split, whole = day.replace(day=1), by_party or bool(party), until is None or until.day == 1
    rows = read.rows(
        f"ledger:held:{bool(account)}:{bool(party)}:{split}:{whole}",
        lambda: _held(bool(account), bool(party), split, whole),
        account=account, party=party, month=month_label(day), begin=begin, until=day,
    )  # fmt: skip
    found = [Held(*row[:3], *(int(item) for item in row[3:])) for row in rows]
    return sorted(found, key=lambda item: (ACCOUNTS.index(item.account), item.currency, item.party))


def lines(
    read: Reader,
    *,
    account: str = "",
    party: str = "",
    since: date | None = None,
    until: date | None = None,
    by_party: bool = False,
) -> Iterator[Sequence[Line]]:
    """The postings in the order of their days, in lists, each with what its account held after it."""
    before = {
        (item.account, item.currency, item.party): item.amount
        for item in (held(read, until=since, by_party=by_party, account=account, party=party) if since else ())
    }
    key = f"ledger:lines:{bool(account)}:{bool(party)}"
    values = {"account": account, "party": party, "since": since or date.min, "until": until or LAST_DAY}
    for batch in read.session.stream(key, lambda: _lines(bool(account), bool(party)), values):
        made = []
        for number, day, text, name, whose, amount, currency in batch:
            place = (name, currency, whose if by_party or party else "")
            before[place] = before.get(place, 0) + amount
            made.append(Line(number, day_of_row(day), text, name, whose, amount, currency, before[place]))
        yield made


def legs(read: Reader, since: date, until: date, *, pending: bool) -> Iterator[Sequence[tuple[Any, ...]]]:
    """The legs of posted entries, or of those that are pending still, with what their entries say: number, day, text,
    source, fact day; account, party, currency, amount."""
    values = {"since": since, "until": until}
    return read.session.stream(f"ledger:legs:{pending}", lambda: _legs(pending), values)


def days(read: Reader) -> tuple[date, date]:
    """The first and the last day that has an entry; the reader's own where there is none."""
    first, last = read.rows("ledger:days", _days)[0]
    today = day_of(read.now, read.context.zone)
    return (day_of_row(first), day_of_row(last)) if first is not None else (today, today)


def open_pending(tx: Tx, until: date) -> list[int]:
    """The numbers of the entries before a day that are pending still."""
    return [int(row[0]) for row in tx.rows("ledger:pending", _open_pending, Entry, until=until)]


def summed(tx: Tx) -> Moved:
    """What all entries come to, by account, party, currency and month."""
    made = Moved()
    for place, *found in tx.rows("ledger:summed", lambda: sums(sqlite=tx.on_sqlite), Entry, Posting):
        account, party, currency, month = place.split("\n")
        amount, turnover, reserved, postings = (int(item) for item in found)
        there = made[account, party, currency, month]
        for column, value in enumerate(((turnover + amount) // 2, (turnover - amount) // 2, reserved, postings)):
            there[column] += value
    return made


def day_of_row(value: object) -> date:
    """A day as either database gives it."""
    return value if isinstance(value, date) else date.fromisoformat(str(value))


# -- statements --------------------------------------------------------------------------------------------------------


def tables() -> tuple[Table, Table, Table]:
    """Those of entries, postings and balances."""
    from bo.core.kernel.record import info_of
    from bo.core.kernel.tables import table
    from bo.core.ledger.records import LedgerBalance

    return table(info_of(Entry)), table(info_of(Posting)), table(info_of(LedgerBalance))


def sums(*, sqlite: bool) -> Any:
    """All entries, added up to what the balances should be: by place what was moved, what went to and fro, what pending
    entries reserve, and how many postings there are."""
    import sqlalchemy as sa

    entry, leg, _balance = tables()
    # no parameters in what is grouped by: PostgreSQL would take each for another expression
    spelled: list[Any] = [sa.literal_column(item) for item in (("1", "7") if sqlite else ("'YYYY-MM'",))]
    month = (sa.func.substr if sqlite else sa.func.to_char)(entry.c.day, *spelled)
    place = place_of(leg, month)
    none: Any = sa.literal_column("0")
    amount, turnover, count = sa.func.sum(leg.c.amount), sa.func.sum(sa.func.abs(leg.c.amount)), sa.func.count()
    named = (item.label(name) for item, name in zip((amount, turnover, none, count), SUMS, strict=True))
    posted = sa.select(place, *named).where(posted_only(entry))
    reserved = sa.select(place, none, none, amount, none).where(_waits(entry))
    parts = (part.join(entry, entry.c.id == leg.c.entry).group_by(place) for part in (posted, reserved))
    return sa.union_all(*parts)


def posted_only(entry: Table) -> Any:
    """Whether legs count; a void entry has none. Not `= 'posted'`, which a database would look up in the index of
    phases, where nearly all entries are alike."""
    return entry.c.phase != PENDING


def place_of(made: Table, month: Any) -> Any:
    """Account, party, currency and month as one text: sorted twice as fast as four columns."""
    import sqlalchemy as sa

    line: Any = sa.literal_column("'\n'")
    return (made.c.account + line + made.c.party + line + made.c.currency + line + month).label("place")


def _held(account: bool, party: bool, split: bool, whole: bool) -> ClauseElement:
    """What whole months moved, and what was posted in the month that a day cuts in two."""
    import sqlalchemy as sa

    _entry, _leg, balance = tables()
    names = ("debit", "credit", "reserved", "postings")
    before = (balance.c.month < sa.bindparam("month"), *_of(balance, account, party))
    moved: Any = balance
    if not whole:
        columns = (balance.c.account, balance.c.party, balance.c.currency, *(balance.c[name] for name in names))
        moved = sa.union_all(sa.select(*columns).where(*before), _part(account, party)).subquery("moved")
    whose = moved.c.party if split else sa.literal_column("''")
    groups = [moved.c.account, moved.c.currency, *([moved.c.party] if split else [])]
    made = sa.select(moved.c.account, whose, moved.c.currency, *(sa.func.sum(moved.c[name]) for name in names))
    return (made.where(*before) if whole else made).group_by(*groups)


def _part(account: bool, party: bool) -> Any:
    import sqlalchemy as sa

    entry, leg, _balance = tables()
    return (
        sa.select(
            leg.c.account, leg.c.party, leg.c.currency,
            sa.case((leg.c.amount > 0, leg.c.amount), else_=0), sa.case((leg.c.amount < 0, -leg.c.amount), else_=0),
            sa.literal_column("0"), sa.literal_column("1"),
        )
        .join(entry, entry.c.id == leg.c.entry)
        .where(entry.c.day >= sa.bindparam("begin"), entry.c.day < sa.bindparam("until"), posted_only(entry),
               *_of(leg, account, party))
    )  # fmt: skip


def _of(made: Table, account: bool, party: bool) -> list[Any]:
    import sqlalchemy as sa

    wanted = [made.c.account == sa.bindparam("account")] if account else []
    return [*wanted, made.c.party == sa.bindparam("party")] if party else wanted


def _lines(account: bool, party: bool) -> ClauseElement:
    import sqlalchemy as sa

    entry, leg, _balance = tables()
    return (
        sa.select(entry.c.number, entry.c.day, entry.c.text, leg.c.account, leg.c.party, leg.c.amount, leg.c.currency)
        .join(entry, entry.c.id == leg.c.entry)
        .where(entry.c.day >= sa.bindparam("since"), entry.c.day < sa.bindparam("until"), posted_only(entry),
               *_of(leg, account, party))
        .order_by(entry.c.day, entry.c.number, leg.c.n)
    )  # fmt: skip


def _legs(pending: bool) -> ClauseElement:
    import sqlalchemy as sa

    entry, leg, _balance = tables()
    return (
        sa.select(entry.c.number, entry.c.day, entry.c.text, entry.c.source, entry.c.fact_day,
                  leg.c.account, leg.c.party, leg.c.currency, leg.c.amount)
        .join(entry, entry.c.id == leg.c.entry)
        .where(entry.c.day >= sa.bindparam("since"), entry.c.day < sa.bindparam("until"))
        .where(_waits(entry) if pending else posted_only(entry))
        .order_by(entry.c.day, entry.c.number, leg.c.n)
    )  # fmt: skip


def _days() -> ClauseElement:
    import sqlalchemy as sa

    entry, _leg, _balance = tables()
    return sa.select(sa.func.min(entry.c.day), sa.func.max(entry.c.day))


def _open_pending() -> ClauseElement:
    import sqlalchemy as sa

    entry, _leg, _balance = tables()
    return sa.select(entry.c.number).where(entry.c.day < sa.bindparam("until"), _waits(entry)).order_by(entry.c.number)


def _waits(entry: Table) -> Any:
    """Whether an entry is pending and nothing has resolved it."""
    import sqlalchemy as sa

    other = entry.alias("other")
    return sa.and_(entry.c.phase == PENDING, ~sa.exists().where(other.c.resolves == entry.c.id))
