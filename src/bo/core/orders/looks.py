"""The built-in looks: what makes an order need a person, each as one statement over all orders.

A look tells (order, its store, two facts); `in_words` makes a reason of the facts. A rule's own filter narrows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, NamedTuple

import msgspec

from bo.core.catalog.records import Variant
from bo.core.inventory.records import Reservation, StockLevel
from bo.core.kernel.query import Filter, clauses
from bo.core.kernel.record import Record, info_of
from bo.core.kernel.tx import Tx
from bo.core.orders.records import ExceptionRule, Fulfilment, Order, OrderLine

OPEN_STATES: Final = ("unfulfilled", "part_fulfilled")
SAME_WITHIN: Final = timedelta(days=1)
ADDRESS_LEAST: Final = 4  # characters; a shorter one is none


class Found(NamedTuple):
    """An order that a rule means, and why."""

    order: str
    store: str | None
    reason: str


class Look(msgspec.Struct, frozen=True):
    """One look. `hours` is how long the cause lasts before it counts, unless the rule says otherwise."""

    name: str
    build: Callable[[], Any]
    in_words: str
    hours: int = 0
    priority: str = "normal"
    of: tuple[type[Record], ...] = ()
    before: Callable[[Tx], dict[str, str]] | None = None  # a first step: orders with a fact of each


def found_by(tx: Tx, rule: ExceptionRule, scope: str) -> Iterator[Found]:
    """The orders that a rule means now, among those that `scope` (a filter; blank: all) finds."""
    narrowed = tx.filter(Order, f"{rule.filter} {scope}")
    look = LOOKS.get(rule.look, ANY)
    values: dict[str, object] = {"until": tx.now - timedelta(hours=rule.after_hours)}
    before = look.before(tx) if look.before is not None else {}
    if look.before is not None:
        values["short"] = tuple(before)
    rows = tx.rows(
        f"look:{rule.look}", partial(_narrow, look, narrowed, tx.on_sqlite), Order, *look.of,
        narrowed=narrowed, **values,
    )  # fmt: skip
    for order, store, fact, other in _soon_after(rows) if rule.look.startswith(DUPLICATE) else rows:
        yield Found(order, store, look.in_words.format(fact=before.get(order, fact), other=other).rstrip(": "))


def _soon_after(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """Orders placed within a day of the one before: databases count with times too differently to do it there."""
    for order, store, number, earlier, placed in rows:
        if _moment(placed) - _moment(earlier) <= SAME_WITHIN:
            yield order, store, number, ""


def _moment(value: object) -> datetime:
    return value if isinstance(value, datetime) else msgspec.convert(value, datetime)


def _narrow(look: Look, narrowed: Filter, sqlite: bool) -> Any:
    return look.build().where(*clauses(info_of(Order), narrowed, sqlite=sqlite))


# -- statements --------------------------------------------------------------------------------------------------------


def _table(cls: type[Record]) -> Any:
    from bo.core.kernel.tables import table

    return table(info_of(cls))


def _orders(fact: Any = None, other: Any = None) -> Any:
    import sqlalchemy as sa

    made = _table(Order)
    blank = sa.literal("")
    return sa.select(
        made.c.id, made.c.store, blank if fact is None else fact, blank if other is None else other
    ).order_by(made.c.n)  # fmt: skip


def _open_orders(fact: Any = None, other: Any = None) -> Any:
    made = _table(Order)
    return _orders(fact, other).where(_among(made.c.state, OPEN_STATES), _since(made.c.placed_at))


def _since(column: Any) -> Any:
    import sqlalchemy as sa

    return column <= sa.bindparam("until", type_=column.type)


def _among(column: Any, values: Iterable[str]) -> Any:
    """One of a few words; written out, since a list as a parameter would need all parameters while it is compiled."""
    import sqlalchemy as sa

    return sa.or_(*(column == value for value in values))


def _left(line: Any) -> Any:
    return line.c.quantity - line.c.cancelled - line.c.fulfilled


def _any_order() -> Any:
    return _orders().where(_since(_table(Order).c.placed_at))


def _unpaid() -> Any:
    made = _table(Order)
    return _open_orders(made.c.payment).where(_among(made.c.payment, ("unpaid", "part_paid")))


def _high_risk() -> Any:
    return _open_orders().where(_table(Order).c.risk == "high")


def _bad_address() -> Any:
    import sqlalchemy as sa

    made, line = _table(Order), _table(OrderLine)
    to_send = sa.exists().where(line.c.order == made.c.id, _is(line.c.needs_shipping, True), _left(line) > 0)
    nobody = sa.and_(made.c.name == "", made.c.company == "")
    nowhere = sa.func.length(made.c.address) < ADDRESS_LEAST
    what = sa.case((nowhere, "address"), else_="name")
    return _open_orders(what).where(sa.or_(nobody, nowhere), to_send)


def _is(column: Any, wanted: bool) -> Any:
    """A flag, written into the statement: what is kept of statements holds words and numbers only."""
    import sqlalchemy as sa

    return column.is_(sa.true() if wanted else sa.false())


def _missing_sku() -> Any:
    import sqlalchemy as sa

    made, line = _table(Order), _table(OrderLine)
    missing = (
        sa.select(line.c.order, sa.func.min(line.c.position).label("place"), sa.func.max(line.c.sku).label("sku"))
        .where(line.c.variant.is_(None), _is(line.c.needs_shipping, True), _left(line) > 0)
        .group_by(line.c.order).subquery("missing")
    )  # fmt: skip
    return _open_orders(missing.c.place, sa.func.coalesce(missing.c.sku, "")).join(
        missing, missing.c.order == made.c.id
    )


def _amount_mismatch() -> Any:
    """The total is none of the sums that shops make: with or without the discount (lines may be after it) and the tax
    (prices may contain it)."""
    import sqlalchemy as sa

    made, line = _table(Order), _table(OrderLine)
    goods = sa.cast(sa.func.sum(line.c.total), line.c.total.type).label("goods")
    sums = sa.select(line.c.order, goods).group_by(line.c.order).subquery("sums")
    plain = sums.c.goods + made.c.shipping
    ways = (plain, plain + made.c.tax, plain - made.c.discount, plain + made.c.tax - made.c.discount)
    wanted = _open_orders(made.c.total, ways[3]).join(sums, sums.c.order == made.c.id)
    return wanted.where(*(made.c.total != way for way in ways))


def _oversold() -> Any:
    """The orders that were found to be short; looked for in two steps, since putting every line of every order in order
    takes longer than all other looks together."""
    import sqlalchemy as sa

    from bo.core.kernel.tables import in_list

    return _open_orders().where(in_list(_table(Order).c.id, sa.bindparam("short")))


def _short_orders(tx: Tx) -> dict[str, str]:
    """Orders, each with the SKU that it is short of: what orders still need of a variant, the oldest first, goes beyond
    what is free; so the youngest are told."""
    of = (Order, OrderLine, StockLevel, Reservation, Variant)
    left = {str(variant): int(free) for variant, free in tx.rows("look:scarce", _scarce, *of)}
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

    made, line, variant, promised = _table(Order), _table(OrderLine), _table(Variant), _promised()
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


def _promised() -> Any:
    import sqlalchemy as sa

    held = _table(Reservation)
    wanted = sa.select(held.c.line, sa.func.sum(held.c.quantity).label("pieces")).where(held.c.state == "reserved")
    return wanted.group_by(held.c.line).subquery("promised")


def _scarce() -> Any:
    """The variants of which lines need more than is free, and may not be sold ahead."""
    import sqlalchemy as sa

    line, level, variant, promised = _table(OrderLine), _table(StockLevel), _table(Variant), _promised()
    free = (
        sa.select(level.c.variant, sa.func.sum(level.c.on_hand - level.c.allocated).label("free"))
        .group_by(level.c.variant).subquery("free")
    )  # fmt: skip
    wanted = (
        sa.select(line.c.variant, sa.func.sum(_need(line, promised)).label("need"))
        .outerjoin(promised, promised.c.line == line.c.id).where(_left(line) > 0, line.c.variant.is_not(None))
        .group_by(line.c.variant).subquery("wanted")
    )  # fmt: skip
    found = sa.select(free.c.variant, free.c.free).join(wanted, wanted.c.variant == free.c.variant)
    found = found.join(variant, variant.c.id == free.c.variant)
    return found.where(
        wanted.c.need > free.c.free, _is(variant.c.backorder, False), _is(variant.c.tracked, True)
    ).order_by(free.c.variant)  # fmt: skip


def _stuck() -> Any:
    import sqlalchemy as sa

    made, parcel = _table(Order), _table(Fulfilment)
    stuck = (
        sa.select(parcel.c.order, sa.func.min(sa.func.coalesce(parcel.c.tracking, "")).label("tracking"))
        .where(parcel.c.state == "shipped", _since(parcel.c.shipped_at)).group_by(parcel.c.order).subquery("stuck")
    )  # fmt: skip
    wanted = _orders(stuck.c.tracking).join(stuck, stuck.c.order == made.c.id)
    return wanted.where(_among(made.c.state, (*OPEN_STATES, "fulfilled", "part_returned")))


def _duplicate(name: str) -> Any:
    """Orders after another of the same person and total; how long after is looked at later."""
    import sqlalchemy as sa

    made = _table(Order)
    by: dict[str, Any] = {"partition_by": (made.c[name], made.c.total), "order_by": (made.c.placed_at, made.c.n)}
    pairs = (
        sa.select(
            made.c.id, sa.func.lag(made.c.number).over(**by).label("number"),
            sa.func.lag(made.c.placed_at).over(**by).label("placed"),
        )
        .where(made.c[name].is_not(None), made.c.state != "cancelled", made.c.state != "draft").subquery("pairs")
    )  # fmt: skip
    wanted = _open_orders(pairs.c.number, pairs.c.placed).add_columns(made.c.placed_at)
    return wanted.join(pairs, pairs.c.id == made.c.id).where(pairs.c.number.is_not(None))


DUPLICATE: Final = "same_"
ANY: Final = Look("", _any_order, "the filter of the rule finds it")
LOOKS: Final = {
    "unpaid": Look("Unpaid for too long", _unpaid, "{fact}", hours=48),
    "oversold": Look("Oversold", _oversold, "{fact} is short", priority="high", before=_short_orders),
    "bad_address": Look("Bad address", _bad_address, "no {fact} to send it to", of=(OrderLine,)),
    "high_risk": Look("High risk", _high_risk, "the payment is risky", priority="high"),
    "stuck": Look("Stuck in transit", _stuck, "a parcel has not arrived: {fact}", hours=240, of=(Fulfilment,)),
    "amount_mismatch": Look("Amounts do not add up", _amount_mismatch, "{fact} asked for, {other} by its parts",
                            of=(OrderLine,)),
    "same_phone": Look("Twice from one phone", partial(_duplicate, "phone"), "like {fact}"),
    "same_email": Look("Twice from one e-mail address", partial(_duplicate, "email"), "like {fact}"),
    "missing_sku": Look("Unknown SKU", _missing_sku, "line {fact}: {other} is no variant", of=(OrderLine,)),
}  # fmt: skip
