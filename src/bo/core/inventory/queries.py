"""What there is of a variant, what is low, and what should be bought."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from bo.core.catalog.records import Variant
from bo.core.inventory.records import ReorderRule, StockLevel, Transfer, Warehouse
from bo.core.inventory.rules import to_buy
from bo.core.kernel.command import query
from bo.core.kernel.kinds import Count, Text, Whole, moment_text
from bo.core.kernel.reader import Reader
from bo.core.kernel.record import info_of

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement

NOUN: Final = "stock"


class Availability(msgspec.Struct, frozen=True):
    """What a warehouse has of a variant, what of it is promised, what can be promised, and what is on its way."""

    warehouse: Text
    on_hand: Whole
    allocated: Count
    available: Whole
    incoming: Count


class Low(msgspec.Struct, frozen=True):
    """A variant that is short in a warehouse."""

    sku: Text
    variant: Text
    warehouse: Text
    available: Whole
    incoming: Count
    least: Count


class Suggestion(msgspec.Struct, frozen=True):
    """How many of a variant to buy for a warehouse, and what that follows from."""

    sku: Text
    variant: Text
    warehouse: Text
    available: Whole
    incoming: Count
    least: Count
    most: Count
    buy: Count
    lead_days: Count


@query(needs="stock.read")
def available(read: Reader, variant: Variant) -> list[Availability]:
    """How much of a variant there is in each warehouse, promised, free, and on its way."""
    key = f"{info_of(StockLevel).fingerprint}:available"
    found = read.rows(key, _available, variant=variant.id)
    return [Availability(str(code), int(hand), int(held), int(hand) - int(held), int(way))
            for code, hand, held, way in found]  # fmt: skip


@query(needs="stock.read")
def low(read: Reader, *, least: Count = 1) -> list[Low]:
    """What is short: below the least of its reorder rule or, without one, below `least` available."""
    found = read.rows(f"{info_of(StockLevel).fingerprint}:low", _low, least=least)
    return [Low(str(sku or ""), str(variant), str(code), int(free), int(way), int(bar))
            for sku, variant, code, free, way, bar in found]  # fmt: skip


@query(needs="stock.read", noun="reorder_rules")
def suggest(read: Reader) -> list[Suggestion]:
    """What should be bought: where available and incoming are below the least, up to the most in whole packs."""
    now = moment_text(read.now) if read.session.is_sqlite else read.now
    rows = read.rows(f"{info_of(ReorderRule).fingerprint}:suggest", _short, now=now)
    return [_suggestion(row) for row in rows]


def _suggestion(row: tuple[Any, ...]) -> Suggestion:
    sku, variant, code, free, way, least, most, multiple, lead_days = row
    buy = to_buy(available=free, incoming=way, least=least, most=most, multiple=multiple)
    return Suggestion(str(sku or ""), variant, code, free, way, least, most, buy, lead_days)


# -- statements --------------------------------------------------------------------------------------------------------


def _tables() -> tuple[Any, Any, Any, Any]:
    from bo.core.kernel.tables import table

    level, rule, warehouse, variant = (table(info_of(cls)) for cls in (StockLevel, ReorderRule, Warehouse, Variant))
    return level, rule, warehouse, variant


def _incoming() -> Any:
    """Pieces under way, by variant and warehouse."""
    import sqlalchemy as sa

    from bo.core.kernel.tables import table

    made = table(info_of(Transfer))
    pieces = sa.cast(sa.func.sum(made.c.quantity - made.c.arrived), made.c.quantity.type).label("pieces")
    wanted = sa.select(made.c.variant, made.c.target, pieces).where(made.c.state == "under_way")
    return wanted.group_by(made.c.variant, made.c.target).subquery("coming")


def _available() -> ClauseElement:
    import sqlalchemy as sa

    level, _rule, warehouse, _variant = _tables()
    way = _incoming()
    joined = level.join(warehouse, warehouse.c.id == level.c.warehouse).outerjoin(
        way, sa.and_(way.c.variant == level.c.variant, way.c.target == level.c.warehouse)
    )
    wanted = sa.select(warehouse.c.code, level.c.on_hand, level.c.allocated, sa.func.coalesce(way.c.pieces, 0))
    return wanted.select_from(joined).where(level.c.variant == sa.bindparam("variant")).order_by(warehouse.c.code)


def _low() -> ClauseElement:
    import sqlalchemy as sa

    level, rule, warehouse, variant = _tables()
    way = _incoming()
    joined = (
        level.join(warehouse, warehouse.c.id == level.c.warehouse)
        .join(variant, variant.c.id == level.c.variant)
        .outerjoin(rule, sa.and_(rule.c.variant == level.c.variant, rule.c.warehouse == level.c.warehouse))
        .outerjoin(way, sa.and_(way.c.variant == level.c.variant, way.c.target == level.c.warehouse))
    )
    free = level.c.on_hand - level.c.allocated
    least = sa.func.coalesce(rule.c.least, sa.bindparam("least", type_=level.c.on_hand.type))
    columns = (variant.c.sku, level.c.variant, warehouse.c.code, free, sa.func.coalesce(way.c.pieces, 0), least)
    return (
        sa.select(*columns).select_from(joined).where(free < least)
        .order_by(variant.c.sku, warehouse.c.code, level.c.n)
    )  # fmt: skip


def _short() -> ClauseElement:
    import sqlalchemy as sa

    level, rule, warehouse, variant = _tables()
    way = _incoming()
    joined = (
        rule.join(warehouse, warehouse.c.id == rule.c.warehouse)
        .join(variant, variant.c.id == rule.c.variant)
        .outerjoin(level, sa.and_(level.c.variant == rule.c.variant, level.c.warehouse == rule.c.warehouse))
        .outerjoin(way, sa.and_(way.c.variant == rule.c.variant, way.c.target == rule.c.warehouse))
    )
    free = sa.func.coalesce(level.c.on_hand - level.c.allocated, 0)
    coming = sa.func.coalesce(way.c.pieces, 0)
    awake = sa.or_(
        rule.c.snoozed_until.is_(None),
        rule.c.snoozed_until <= sa.bindparam("now", type_=rule.c.snoozed_until.type),
    )
    columns = (
        variant.c.sku, rule.c.variant, warehouse.c.code, free, coming, rule.c.least, rule.c.most, rule.c.multiple,
        rule.c.lead_days,
    )  # fmt: skip
    wanted = sa.select(*columns).select_from(joined).where(awake, free + coming < rule.c.least)
    return wanted.order_by(variant.c.sku, warehouse.c.code, rule.c.n)
