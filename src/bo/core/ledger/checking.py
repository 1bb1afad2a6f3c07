"""The invariants of the ledger, each a statement that finds what breaks it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from bo.core.kernel.reader import Reader
from bo.core.ledger.reading import SUMS, place_of, sums, tables
from bo.core.ledger.records import PENDING, POSTED, VOID, LedgerPeriod

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement


def size(read: Reader) -> tuple[int, int]:
    """How many entries and postings there are."""
    entries, postings = read.rows("ledger:size", _size)[0]
    return int(entries), int(postings)


def first_broken(read: Reader, holds: list[str]) -> str:
    """The first invariant that is broken, with where; "" when all hold. Those that do are added to `holds`."""
    sqlite = read.session.is_sqlite
    for name, build in INVARIANTS:
        found = read.rows(f"ledger:check:{name}", lambda build=build: build(sqlite))  # type: ignore[misc]
        if found:
            return f"{name}: {' '.join(str(item) for item in found[0])}".replace("\n", " ")
        holds.append(name)
    return ""


# -- statements --------------------------------------------------------------------------------------------------------


def _size() -> ClauseElement:
    import sqlalchemy as sa

    entry, leg, _balance = tables()
    counts = [sa.select(sa.func.count()).select_from(item).scalar_subquery() for item in (entry, leg)]
    return sa.select(*counts)


def _unbalanced(_sqlite: bool) -> ClauseElement:
    import sqlalchemy as sa

    _entry, leg, _balance = tables()
    total = sa.func.sum(leg.c.amount)
    groups = (leg.c.entry, leg.c.currency)
    return sa.select(*groups, total).group_by(*groups).having(total != 0).limit(1)


def _wrong_legs(_sqlite: bool) -> ClauseElement:
    """A void entry moves nothing; each other one has legs, and being balanced, none of them zero, two at least."""
    import sqlalchemy as sa

    entry, leg, _balance = tables()
    legs = sa.exists().where(leg.c.entry == entry.c.id)
    void = entry.c.phase == VOID
    return sa.select(entry.c.id).where(sa.or_(sa.and_(void, legs), sa.and_(~void, ~legs))).limit(1)


def _empty_postings(_sqlite: bool) -> ClauseElement:
    import sqlalchemy as sa

    _entry, leg, _balance = tables()
    return sa.select(leg.c.id).where(leg.c.amount == 0).limit(1)


def _stray_postings(_sqlite: bool) -> ClauseElement:
    import sqlalchemy as sa

    entry, leg, _balance = tables()
    return sa.select(leg.c.entry).where(~sa.exists().where(entry.c.id == leg.c.entry)).limit(1)


def _gaps(_sqlite: bool) -> ClauseElement:
    import sqlalchemy as sa

    entry, _leg, _balance = tables()
    last = sa.func.max(entry.c.number)
    return sa.select(last).having(last != sa.func.count())


def _reversals_of_reversals(_sqlite: bool) -> ClauseElement:
    import sqlalchemy as sa

    entry, _leg, _balance = tables()
    other = entry.alias("other")
    return (
        sa.select(entry.c.id)
        .outerjoin(other, other.c.id == entry.c.reverses)
        .where(
            entry.c.reverses.is_not(None),
            sa.or_(other.c.id.is_(None), other.c.reverses.is_not(None), other.c.phase != POSTED),
        )
        .limit(1)
    )


def _crooked_reversals(_sqlite: bool) -> ClauseElement:
    """A reversal and its entry together move nothing, on no account and for no party."""
    import sqlalchemy as sa

    entry, leg, _balance = tables()
    pair = sa.select(entry.c.reverses.label("pair"), entry.c.id.label("entry")).where(entry.c.reverses.is_not(None))
    itself = sa.select(entry.c.reverses, entry.c.reverses).where(entry.c.reverses.is_not(None))
    both = sa.union_all(pair, itself).subquery("both")
    total = sa.func.sum(leg.c.amount)
    groups = (both.c.pair, leg.c.account, leg.c.party, leg.c.currency)
    return (
        sa.select(*groups, total).join(leg, leg.c.entry == both.c.entry).group_by(*groups).having(total != 0).limit(1)
    )


def _wrong_resolutions(_sqlite: bool) -> ClauseElement:
    """What resolves is posted or void, and what it resolves is pending; nothing else is void."""
    import sqlalchemy as sa

    entry, _leg, _balance = tables()
    other = entry.alias("other")
    resolves = entry.c.resolves.is_not(None)
    wrong = sa.or_(other.c.id.is_(None), other.c.phase != PENDING, entry.c.phase == PENDING)
    return (
        sa.select(entry.c.id)
        .outerjoin(other, other.c.id == entry.c.resolves)
        .where(sa.or_(sa.and_(resolves, wrong), sa.and_(~resolves, entry.c.phase == VOID)))
        .limit(1)
    )


def _beyond_reserved(_sqlite: bool) -> ClauseElement:
    """On no account and for no party is more posted than was reserved, or on the other side."""
    import sqlalchemy as sa

    entry, leg, _balance = tables()
    resolved = entry.c.resolves.is_not(None)  # what is void has no legs
    made = sa.select(entry.c.resolves.label("pair"), entry.c.id.label("entry"), sa.literal_column("1").label("posted"))
    kept = sa.select(entry.c.resolves, entry.c.resolves, sa.literal_column("0"))
    both = sa.union_all(made.where(resolved), kept.where(resolved)).subquery("both")
    posted = sa.func.sum(sa.case((both.c.posted == 1, leg.c.amount), else_=0))
    most = sa.func.sum(sa.case((both.c.posted == 0, leg.c.amount), else_=0))
    groups = (both.c.pair, leg.c.account, leg.c.party, leg.c.currency)
    outside = sa.or_(sa.and_(posted > 0, posted > most), sa.and_(posted < 0, posted < most))
    return sa.select(*groups, posted).join(leg, leg.c.entry == both.c.entry).group_by(*groups).having(outside).limit(1)


def _into_closed(_sqlite: bool) -> ClauseElement:
    """Entries of a day that was closed when they were made: between a closing or opening and the next one."""
    import sqlalchemy as sa

    from bo.core.kernel.record import info_of
    from bo.core.kernel.tables import table

    entry, _leg, _balance = tables()
    period = table(info_of(LedgerPeriod))
    after = period.alias("after")
    there = sa.and_(
        entry.c.number > period.c.last_number,
        sa.or_(after.c.number.is_(None), entry.c.number <= after.c.last_number),
        entry.c.day < period.c.opens,
    )
    return (
        sa.select(entry.c.id)
        .select_from(period.outerjoin(after, after.c.number == period.c.number + 1).join(entry, there))
        .limit(1)
    )


def _wrong_balances(sqlite: bool) -> ClauseElement:
    """The balances that are kept up, against all entries added up again."""
    import sqlalchemy as sa

    _entry, _leg, balance = tables()
    held = balance.c
    none: Any = sa.literal_column("0")
    kept = sa.select(
        place_of(balance, held.month), held.credit - held.debit, none - held.debit - held.credit, none - held.reserved,
        none - held.postings,
    )  # fmt: skip
    both: Any = sa.union_all(*sums(sqlite=sqlite).selects, kept).subquery("both")
    off = [sa.func.sum(both.c[name]) for name in SUMS]
    return sa.select(both.c.place, *off).group_by(both.c.place).having(sa.or_(*(item != 0 for item in off))).limit(1)


def _without_operation(_sqlite: bool) -> ClauseElement:
    import sqlalchemy as sa

    from bo.core.kernel.tables import change

    entry, _leg, _balance = tables()
    return sa.select(entry.c.id).where(~sa.exists().where(change.c.row == entry.c.id)).limit(1)


INVARIANTS: Final[tuple[tuple[str, Callable[[bool], ClauseElement]], ...]] = (
    ("debits equal credits in every entry and currency", _unbalanced),
    ("an entry has two legs at least, and a void one none", _wrong_legs),
    ("a posting moves something", _empty_postings),
    ("a posting belongs to an entry", _stray_postings),
    ("entries are numbered without a gap", _gaps),
    ("a reversal is of a posted entry that is none itself", _reversals_of_reversals),
    ("a reversal mirrors its entry", _crooked_reversals),
    ("what resolves an entry finds it pending", _wrong_resolutions),
    ("no more is posted than was reserved", _beyond_reserved),
    ("a closed period has taken nothing since", _into_closed),
    ("the balances that are kept are the sums of the entries", _wrong_balances),
    ("every entry has its operation in the journal", _without_operation),
)
