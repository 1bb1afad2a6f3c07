"""The built-in looks: what makes an order need a person, each as one statement.

A look tells (order, its store, currency, two facts), of which `Look.told` makes a reason and a detail. A rule's own
filter narrows it. For a few orders a statement looks at those alone, and at what they are compared with; for all of
them it goes through the tables once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, NamedTuple

import msgspec

from bo.core.catalog.records import Variant
from bo.core.inventory.records import Reservation, StockLevel
from bo.core.kernel.amounts import format_amount
from bo.core.kernel.kinds import moment_of
from bo.core.kernel.query import Filter, clauses
from bo.core.kernel.record import Record, info_of
from bo.core.kernel.tx import Tx
from bo.core.orders.records import ExceptionRule, Fulfilment, Order, OrderLine

OPEN_STATES: Final = ("unfulfilled", "part_fulfilled")
SAME_WITHIN: Final = timedelta(days=1)
ADDRESS_LEAST: Final = 4  # characters; a shorter one is none


class Found(NamedTuple):
    """An order that a rule means, and why: a reason (an option of the record's field) and what it is about."""

    order: str
    store: str | None
    reason: str
    detail: str


class Few(NamedTuple):
    """Orders that are looked at alone, and when the first and the last of them was placed."""

    ids: tuple[str, ...]
    first: datetime
    last: datetime


class Look(msgspec.Struct, frozen=True):
    """One look. `hours` is how long the cause lasts before it counts, unless the rule says otherwise.

    Without a `reason` the first fact is one. `detail` is a template without words, so that it reads in every language;
    `money` says that the facts are amounts.
    """

    name: str
    build: Callable[[bool], Any]  # told whether it is for a few orders alone
    reason: str = ""
    detail: str = ""
    money: bool = False
    repeats: bool = False  # it compares orders with those shortly before
    hours: int = 0
    priority: str = "normal"
    of: tuple[type[Record], ...] = ()
    before: Callable[[Tx, Few | None], dict[str, str]] | None = None  # a first step: orders with a fact

    def told(self, fact: object, other: object, currency: str) -> tuple[str, str]:
        """The reason and the detail."""
        said = [format_amount(int(str(item)), currency) if self.money else item for item in (fact, other)]
        detail = self.detail.format(*said, currency=currency)
        return self.reason or str(fact), detail


def found_by(tx: Tx, rule: ExceptionRule, scope: str, few: Few | None) -> Iterator[Found]:
    """The orders that a rule means now, among `few` orders or else those that `scope` (a filter; blank: all) finds."""
    narrowed = tx.filter(Order, rule.filter if few is not None else f"{rule.filter} {scope}")
    look = LOOKS.get(rule.look, ANY)
    values: dict[str, object] = {"until": tx.now - timedelta(hours=rule.after_hours)}
    if few is not None:
        values["few"] = few.ids
        if look.repeats:
            values |= {"first": few.first - SAME_WITHIN, "last": few.last}
    before = look.before(tx, few) if look.before is not None else {}
    if look.before is not None:
        values["short"] = tuple(before)
    rows = tx.rows(
        f"look:{rule.look}:{few is not None}", partial(_narrow, look, narrowed, few is not None, tx.on_sqlite), Order,
        *look.of, narrowed=narrowed, **values,
    )  # fmt: skip
    for order, store, currency, fact, other in _soon_after(rows) if look.repeats else rows:
        yield Found(order, store, *look.told(before.get(order, fact), other, currency))


def _soon_after(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """Orders placed within a day of the one before: databases count with times too differently to do it there."""
    for order, store, currency, number, earlier, placed in rows:
        if moment_of(placed) - moment_of(earlier) <= SAME_WITHIN:
            yield order, store, currency, number, ""


def _narrow(look: Look, narrowed: Filter, few: bool, sqlite: bool) -> Any:
    made, wanted = _table(Order), look.build(few).where(*clauses(info_of(Order), narrowed, sqlite=sqlite))
    return wanted.where(_few(made.c.id)).order_by(None).order_by(_by_hand(made.c.n)) if few else wanted


# -- statements --------------------------------------------------------------------------------------------------------


def _table(cls: type[Record]) -> Any:
    from bo.core.kernel.tables import table

    return table(info_of(cls))


def _orders(fact: Any = None, other: Any = None) -> Any:
    import sqlalchemy as sa

    made = _table(Order)
    blank = sa.literal("")
    return sa.select(
        made.c.id, made.c.store, made.c.currency, blank if fact is None else fact, blank if other is None else other
    ).order_by(made.c.n)  # fmt: skip


def _few(column: Any) -> Any:
    """One of the few orders that are looked at."""
    import sqlalchemy as sa

    from bo.core.kernel.tables import in_list

    return in_list(column, sa.bindparam("few"))


def _of_few(wanted: Any, column: Any, few: bool) -> Any:
    """A statement about orders, about the few alone where it is for those."""
    return wanted.where(_few(column)) if few else wanted


def _open_orders(few: bool, fact: Any = None, other: Any = None) -> Any:
    made = _table(Order)
    state, placed = (_by_hand(made.c.state), _by_hand(made.c.placed_at)) if few else (made.c.state, made.c.placed_at)
    return _orders(fact, other).where(_among(state, OPEN_STATES), _since(placed))


def _since(column: Any) -> Any:
    import sqlalchemy as sa

    return column <= sa.bindparam("until", type_=column.type)


def _by_hand(column: Any) -> Any:
    """A column that no index is used for: a few orders are found by their ids."""
    import sqlalchemy as sa

    return sa.func.coalesce(column, column, type_=column.type)


def _among(column: Any, values: Iterable[str]) -> Any:
    """One of a few words; written out, since a list as a parameter would need all parameters while it is compiled."""
    import sqlalchemy as sa

    return sa.or_(*(column == value for value in values))


def _left(line: Any) -> Any:
    return line.c.quantity - line.c.cancelled - line.c.fulfilled


def _any_order(few: bool) -> Any:
    placed = _table(Order).c.placed_at
    return _orders().where(_since(_by_hand(placed) if few else placed))


def _unpaid(few: bool) -> Any:
    made = _table(Order)
    return _open_orders(few, made.c.payment).where(_among(made.c.payment, ("unpaid", "part_paid")))


def _high_risk(few: bool) -> Any:
    return _open_orders(few).where(_table(Order).c.risk == "high")


def _bad_address(few: bool) -> Any:
    import sqlalchemy as sa

    made, line = _table(Order), _table(OrderLine)
    to_send = sa.exists().where(line.c.order == made.c.id, _is(line.c.needs_shipping, True), _left(line) > 0)
    nobody = sa.and_(made.c.name == "", made.c.company == "")
    nowhere = sa.func.length(made.c.address) < ADDRESS_LEAST
    what = sa.case((nowhere, "no_address"), else_="no_name")
    return _open_orders(few, what).where(sa.or_(nobody, nowhere), to_send)


def _is(column: Any, wanted: bool) -> Any:
    """A flag, written into the statement: what is kept of statements holds words and numbers only."""
    import sqlalchemy as sa

    return column.is_(sa.true() if wanted else sa.false())


def _missing_sku(few: bool) -> Any:
    import sqlalchemy as sa

    made, line = _table(Order), _table(OrderLine)
    wanted = (
        sa.select(line.c.order, sa.func.min(line.c.position).label("place"), sa.func.max(line.c.sku).label("sku"))
        .where(line.c.variant.is_(None), _is(line.c.needs_shipping, True), _left(line) > 0).group_by(line.c.order)
    )  # fmt: skip
    missing = _of_few(wanted, line.c.order, few).subquery("missing")
    return _open_orders(few, missing.c.place, sa.func.coalesce(missing.c.sku, "")).join(
        missing, missing.c.order == made.c.id
    )


def _amount_mismatch(few: bool) -> Any:
    """The total is none of the sums that shops make: with or without the discount (lines may be after it) and the tax
    (prices may contain it). Lines that carry no price at all, as some files have them, say nothing about it."""
    import sqlalchemy as sa

    made, line = _table(Order), _table(OrderLine)
    goods = sa.cast(sa.func.sum(line.c.total), line.c.total.type).label("goods")
    priced = sa.or_(line.c.price != 0, line.c.total != 0)
    of_orders = (
        sa.select(line.c.order, goods).group_by(line.c.order).having(sa.func.max(sa.case((priced, 1), else_=0)) > 0)
    )
    sums = _of_few(of_orders, line.c.order, few).subquery("sums")
    plain = sums.c.goods + made.c.shipping
    ways = (plain, plain + made.c.tax, plain - made.c.discount, plain + made.c.tax - made.c.discount)
    wanted = _open_orders(few, made.c.total, ways[3]).join(sums, sums.c.order == made.c.id)
    return wanted.where(*(made.c.total != way for way in ways))


def _oversold(few: bool) -> Any:
    """The orders that were found to be short; looked for in two steps, since putting every line of every order in order
    takes longer than all other looks together."""
    import sqlalchemy as sa

    from bo.core.kernel.tables import in_list

    return _open_orders(few).where(in_list(_table(Order).c.id, sa.bindparam("short")))


def _short_orders(tx: Tx, few: Few | None) -> dict[str, str]:
    """Orders, each with the SKU that it is short of: what orders still need of a variant, the oldest first, goes beyond
    what is free; so the youngest are told."""
    of = (Order, OrderLine, StockLevel, Reservation, Variant)
    if few is None:
        scarce = tx.rows("look:scarce", partial(_scarce, False), *of)
    else:
        scarce = tx.rows("look:scarce:few", partial(_scarce, True), *of, few=few.ids)
    left = {str(variant): int(free) for variant, free in scarce}
    short: dict[str, str] = {}
    rows = tx.rows("look:wanting", _wanting, *of, variants=tuple(left)) if left else []
    for order, variant, sku, need in rows:
        left[variant] -= need
        if left[variant] < 0:
            short.setdefault(str(order), str(sku or ""))
    return short


def _wanting() -> Any:
    """The lines that need something of these variants, the oldest order first."""
    import sqlalchemy as sa

    from bo.core.kernel.tables import in_list

    made, line, variant = _table(Order), _table(OrderLine), _table(Variant)
    promised = _promised(lambda held: in_list(held.c.variant, sa.bindparam("variants")))
    need = _need(line, promised)
    wanted = (
        sa.select(line.c.order, line.c.variant, variant.c.sku, need)
        .join(made, made.c.id == line.c.order).join(variant, variant.c.id == line.c.variant)
        .outerjoin(promised, promised.c.line == line.c.id)
        .where(in_list(line.c.variant, sa.bindparam("variants")), need > 0, _among(made.c.state, OPEN_STATES))
    )  # fmt: skip
    return wanted.order_by(made.c.placed_at, made.c.n, line.c.n)


def _need(line: Any, promised: Any) -> Any:
    """Pieces of a line that are to be sent and not promised."""
    import sqlalchemy as sa

    return _left(line) - sa.func.coalesce(promised.c.pieces, 0)


def _promised(of: Callable[[Any], Any]) -> Any:
    """What is promised to each line, of some reservations."""
    import sqlalchemy as sa

    held = _table(Reservation)
    wanted = sa.select(held.c.line, sa.func.sum(held.c.quantity).label("pieces"))
    return wanted.where(held.c.state == "reserved", of(held)).group_by(held.c.line).subquery("promised")


def _scarce(few: bool) -> Any:
    """The variants of which lines need more than is free, and may not be sold ahead; for a few orders those that they
    want."""
    import sqlalchemy as sa

    line, level, variant = _table(OrderLine), _table(StockLevel), _table(Variant)

    def of(table: Any) -> Any:
        asked = _table(OrderLine).alias("asked")
        wanted = sa.select(asked.c.variant).where(_few(asked.c.order))
        return table.c.variant.in_(wanted) if few else table.c.variant.is_not(None)

    promised = _promised(of)
    free = (
        sa.select(level.c.variant, sa.func.sum(level.c.on_hand - level.c.allocated).label("free"))
        .where(of(level)).group_by(level.c.variant).subquery("free")
    )  # fmt: skip
    wanted = (
        sa.select(line.c.variant, sa.func.sum(_need(line, promised)).label("need"))
        .outerjoin(promised, promised.c.line == line.c.id).where(_left(line) > 0, of(line))
        .group_by(line.c.variant).subquery("wanted")
    )  # fmt: skip
    found = sa.select(free.c.variant, free.c.free).join(wanted, wanted.c.variant == free.c.variant)
    found = found.join(variant, variant.c.id == free.c.variant)
    return found.where(
        wanted.c.need > free.c.free, _is(variant.c.backorder, False), _is(variant.c.tracked, True)
    ).order_by(free.c.variant)  # fmt: skip


def _stuck(few: bool) -> Any:
    """Parcels that nobody can follow, such as those of the past that came with a file, are not stuck."""
    import sqlalchemy as sa

    made, parcel = _table(Order), _table(Fulfilment)
    late = (
        sa.select(parcel.c.order, sa.func.min(parcel.c.tracking).label("tracking"))
        .where(parcel.c.state == "shipped", parcel.c.tracking.is_not(None), _since(parcel.c.shipped_at))
        .group_by(parcel.c.order)
    )  # fmt: skip
    stuck = _of_few(late, parcel.c.order, few).subquery("stuck")
    wanted = _orders(stuck.c.tracking).join(stuck, stuck.c.order == made.c.id)
    state = _by_hand(made.c.state) if few else made.c.state
    return wanted.where(_among(state, (*OPEN_STATES, "fulfilled", "part_returned")))


def _duplicate(name: str, few: bool) -> Any:
    """Orders after another of the same person and total; how long after is looked at later. For a few, those that
    were placed too early to be repeated, or later, are left out."""
    import sqlalchemy as sa

    made = _table(Order)
    by: dict[str, Any] = {"partition_by": (made.c[name], made.c.total), "order_by": (made.c.placed_at, made.c.n)}
    of_person = (
        sa.select(
            made.c.id, sa.func.lag(made.c.number).over(**by).label("number"),
            sa.func.lag(made.c.placed_at).over(**by).label("placed"),
        )
        .where(made.c[name].is_not(None), made.c.state != "cancelled", made.c.state != "draft")
    )  # fmt: skip
    if few:
        first, last = (sa.bindparam(name, type_=made.c.placed_at.type) for name in ("first", "last"))
        of_person = of_person.where(made.c.placed_at.between(first, last))
    pairs = of_person.subquery("pairs")
    wanted = _open_orders(few, pairs.c.number, pairs.c.placed).add_columns(made.c.placed_at)
    return wanted.join(pairs, pairs.c.id == made.c.id).where(pairs.c.number.is_not(None))


ANY: Final = Look("", _any_order, "filter")
LOOKS: Final = {
    "unpaid": Look("Unpaid for too long", _unpaid, hours=48),
    "oversold": Look("Oversold", _oversold, "oversold", "{0}", priority="high", before=_short_orders),
    "bad_address": Look("Bad address", _bad_address, of=(OrderLine,)),
    "high_risk": Look("High risk", _high_risk, "high_risk", priority="high"),
    "stuck": Look("Stuck in transit", _stuck, "not_arrived", "{0}", hours=240, of=(Fulfilment,)),
    "amount_mismatch": Look("Amounts do not add up", _amount_mismatch, "amounts_differ", "{0} ≠ {1} {currency}",
                            money=True, of=(OrderLine,)),
    "same_phone": Look("Twice from one phone", partial(_duplicate, "phone"), "repeated", "{0}", repeats=True),
    "same_email": Look("Twice from one e-mail address", partial(_duplicate, "email"), "repeated", "{0}",
                       repeats=True),
    "missing_sku": Look("Unknown SKU", _missing_sku, "unknown_sku", "{0}: {1}", of=(OrderLine,)),
}  # fmt: skip
