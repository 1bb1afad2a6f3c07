"""What somebody should look at in the catalog, and finding a variant by what is printed on it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bo.core.catalog import rules
from bo.core.catalog.records import ARCHIVED, Media, Product, Variant
from bo.core.kernel.command import query
from bo.core.kernel.kinds import Amount, Currency, Text
from bo.core.kernel.reader import Reader
from bo.core.kernel.record import Record, info_of

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement

NOUN: Final = "products"
FOUND_MOST: Final = 50


class Found(msgspec.Struct, frozen=True):
    """A variant, with the product it is of."""

    variant: Text
    sku: Text | None
    product: Text
    title: Text
    options: Text
    price: Amount
    currency: Currency
    barcode: Text | None
    state: Text


class Double(msgspec.Struct, frozen=True):
    """A SKU or a barcode that several variants have."""

    field: Text
    value: Text
    variants: int


@query(needs="products.read")
def lint(read: Reader, *, look: Text = "") -> list[rules.Finding]:
    """What to look at: SEO titles and descriptions, doubles, prices, pictures. `look` is one field, such as sku."""
    found = rules.lint(_products(read))
    return [item for item in found if look in ("", item.field, item.what)]


def _products(read: Reader) -> list[rules.LintProduct]:
    """Products that are not archived, with what a lint looks at. Archived variants are left out."""
    variants: dict[str, list[rules.LintVariant]] = defaultdict(list)
    for product, sku, barcode, price in read.rows("catalog:lint:variants", _variants, state=str(ARCHIVED)):
        variants[product].append(rules.LintVariant(sku or "", barcode or "", price))
    pictures: dict[str, list[str]] = defaultdict(list)
    for product, alt in read.rows("catalog:lint:media", _media):
        pictures[product].append(alt)
    return [
        rules.LintProduct(
            row[0], row[1], row[2], row[3], row[4], tuple(variants.get(row[0], ())), tuple(pictures.get(row[0], ()))
        )
        for row in read.rows("catalog:lint:products", _heads, state=str(ARCHIVED))
    ]


def _heads() -> ClauseElement:
    import sqlalchemy as sa

    made = _table(Product)
    chosen = (made.c.id, made.c.handle, made.c.title, made.c.seo_title, made.c.seo_description)
    return sa.select(*chosen).where(made.c.state != sa.bindparam("state")).order_by(made.c.handle)


def _variants() -> ClauseElement:
    import sqlalchemy as sa

    made = _table(Variant)
    chosen = (made.c.product, made.c.sku, made.c.barcode, made.c.price)
    return sa.select(*chosen).where(made.c.state != sa.bindparam("state")).order_by(made.c.n)


def _media() -> ClauseElement:
    import sqlalchemy as sa

    made = _table(Media)
    return sa.select(made.c.product, made.c.alt).order_by(made.c.n)


def _table(cls: type[Record]) -> Any:
    from bo.core.kernel.tables import table

    return table(info_of(cls))


@query(needs="variants.read", noun="variants")
def lookup(read: Reader, *, code: Text) -> list[Found]:
    """The variants with that SKU or barcode."""
    found = read.rows("catalog:lookup", _lookup, code=code, most=FOUND_MOST)
    return [
        Found(row[0], row[1], row[2], row[3], " / ".join(rules.option_parts(row[4])), row[5], row[6], row[7], row[8])
        for row in found
    ]


def _lookup() -> ClauseElement:
    import sqlalchemy as sa

    variant, product = _table(Variant), _table(Product)
    chosen = (
        variant.c.id, variant.c.sku, product.c.handle, product.c.title, variant.c.option_key, variant.c.price,
        variant.c.currency, variant.c.barcode, variant.c.state,
    )  # fmt: skip
    code: Any = sa.bindparam("code")
    return (
        sa.select(*chosen)
        .join(product, product.c.id == variant.c.product)
        .where(sa.or_(variant.c.sku == code, variant.c.barcode == code))
        .order_by(variant.c.n)
        .limit(sa.bindparam("most"))
    )


@query(needs="variants.read", noun="variants")
def doubles(read: Reader) -> list[Double]:
    """SKUs and barcodes that several variants have; an order line that names such a SKU is linked to none."""
    return [
        Double(name, value, count)
        for name in ("sku", "barcode")
        for value, count in read.rows(f"catalog:doubles:{name}", lambda name=name: _doubles(name), state=str(ARCHIVED))  # type: ignore[misc]
    ]


def _doubles(name: str) -> ClauseElement:
    import sqlalchemy as sa

    made = _table(Variant)
    column = made.c[name]
    count: Any = sa.func.count()
    return (
        sa.select(column, count)
        .where(made.c.state != sa.bindparam("state"), column.is_not(None))
        .group_by(column)
        .having(count > 1)
        .order_by(column)
    )
