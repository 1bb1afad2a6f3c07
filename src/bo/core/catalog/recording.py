"""Taking in products as a file or a shop tells them, and merging what is told again into what is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from bo.core.catalog import rules
from bo.core.catalog.records import Media, Product, Variant
from bo.core.kernel.kinds import rows_key
from bo.core.kernel.tx import Tx

Rows = Sequence[Mapping[str, object]]


def names_of(product: Product) -> tuple[str, ...]:
    """What a product's options are called."""
    return (product.option1, product.option2, product.option3)


def variants_of(tx: Tx, product: Product) -> list[Variant]:
    """The variants of a product, in their order."""
    return sorted(tx.find_all(Variant, product=product.id), key=lambda item: (item.position, item.id))


def free_handle(tx: Tx, title: str) -> str:
    """A handle that no other product has, made of a title."""
    wanted = rules.slug_of(title) or "product"
    made, number = wanted, 1
    while tx.find(Product, handle=made) is not None:
        number += 1
        made = f"{wanted}-{number}"
    return made


def tidy_options(product: Product) -> None:
    """A product whose one option only says that it has none has none."""
    if product.option1 == rules.NO_OPTION[0] and not product.option2:
        product.option1 = ""


def tell_variants(tx: Tx, product: Product, rows: Rows) -> None:
    """Merge variants as they are told: known by their option values, else by a SKU that one of them has. What a row
    leaves blank stays; variants that no row names stay.

    Raises DoubleOptions.
    """
    told = rules.distinct_values(rows)
    known = variants_of(tx, product)
    by_options = {item.option_key: item for item in known}
    by_sku = _single_skus(known)
    taken = {rules.option_key(product.id, values) for values in told}
    position = max((item.position for item in known), default=0)
    for row, values in zip(rows, told, strict=True):
        key = rules.option_key(product.id, values)
        found = by_options.get(key)
        if found is None:
            other = by_sku.get(str(row.get("sku") or ""))
            found = other if other is not None and other.option_key not in taken else None
        if found is None:
            position += 1
            add_variant(tx, product, values, row, position)
        else:
            _fill(found, row)
            _place(found, product, values)
    product.variants_key = rows_key(rows)


def _single_skus(variants: Sequence[Variant]) -> dict[str, Variant]:
    skus = [item.sku for item in variants]
    return {item.sku: item for item in variants if item.sku and skus.count(item.sku) == 1}


def add_variant(tx: Tx, product: Product, values: Sequence[str], row: Mapping[str, object], position: int) -> Variant:
    """One more variant, with these option values."""
    plain = {name: value for name, value in row.items() if name not in rules.OPTION_NAMES}
    own = {
        "product": product.id, "position": position, "currency": product.currency or tx.context.currency,
        "option_key": rules.option_key(product.id, values),
    }  # fmt: skip
    made = msgspec.convert({**plain, **own}, Variant)
    _tidy_prices(made)
    _place(made, product, values)
    return tx.add(made)


def _fill(variant: Variant, row: Mapping[str, object]) -> None:
    for name, value in row.items():
        if name == "extra":
            variant.extra = {**variant.extra, **value}  # type: ignore[dict-item]
        elif name not in rules.OPTION_NAMES:
            setattr(variant, name, value)
    _tidy_prices(variant)


def _tidy_prices(variant: Variant) -> None:
    """A price to compare with that is none, or the price itself, says nothing."""
    if variant.compare_at in (0, variant.price):
        variant.compare_at = None


def _place(variant: Variant, product: Product, values: Sequence[str]) -> None:
    """Give a variant these option values, in the words of its product."""
    wanted = rules.options_of(names_of(product), values)
    if variant.options != wanted or list(variant.options) != list(wanted):
        variant.options = dict(wanted)
    variant.option_key = rules.option_key(product.id, values)
    if values and not variant.title:
        variant.title = " / ".join(value for value in values if value)


def option_values(variant: Variant) -> tuple[str, ...]:
    """The option values that a variant stands for."""
    return tuple(rules.option_parts(variant.option_key))


def place_again(tx: Tx, product: Product, variant: Variant, given: Mapping[str, object]) -> None:
    """Give a variant other values of some options. Raises DoubleOptions where another has them."""
    row = dict(zip(rules.OPTION_NAMES, option_values(variant), strict=False))
    values = rules.values_of({**row, **given})
    key = rules.option_key(product.id, values)
    if any(item.option_key == key and item.id != variant.id for item in variants_of(tx, product)):
        raise rules.DoubleOptions(
            "{product} has a variant {options} already",
            hint="Give it another value of an option: --option1.",
            product=product.handle, options=" / ".join(values) or "without options",
        )  # fmt: skip
    variant.title = ""
    _place(variant, product, values)


def rename_options(tx: Tx, product: Product) -> None:
    """Say the options of all variants in the words of the product as they are now."""
    tidy_options(product)
    for variant in variants_of(tx, product):
        _place(variant, product, option_values(variant))


def tell_media(tx: Tx, product: Product, rows: Rows) -> None:
    """Merge pictures as they are told, each with the first of its address that is not taken yet; those that no row
    names stay. Rows that say the same are one picture."""
    left = sorted(tx.find_all(Media, product=product.id), key=lambda item: item.position)
    last = max((item.position for item in left), default=0)
    told: set[tuple[object, ...]] = set()
    for row in rows:
        url, alt, position = str(row["url"]), str(row.get("alt") or ""), int(str(row.get("position") or 0))
        if (url, alt, position) in told:
            continue
        told.add((url, alt, position))
        found = next((item for item in left if item.url == url), None)
        if found is None:
            position = position or last + 1
            extra = row.get("extra")
            made = Media(product=product.id, url=url, alt=alt, position=position)
            made.extra = dict(extra) if isinstance(extra, Mapping) else {}
            tx.add(made)
        else:
            left.remove(found)
            found.alt, found.position = alt or found.alt, position or found.position
        last = max(last, position)
    product.media_key = rows_key(rows)
