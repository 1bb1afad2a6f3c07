"""What follows from the facts of a product: option values, handles, matrices, and what a lint finds. No transaction, no
clock."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product as combinations
from typing import Final
from unicodedata import east_asian_width, normalize

import msgspec

from bo.core.catalog.records import OPTIONS_MOST
from bo.core.kernel.errors import BadValue, Refused

OPTION_NAMES: Final = ("option1", "option2", "option3")
NO_OPTION: Final = ("Title", "Default Title")  # how Shopify writes a product without options
MATRIX_MOST: Final = 2_000
APART: Final = "\x1f"
SEO_TITLE_MOST: Final = 60  # columns of text, of which a Chinese character takes two
SEO_DESCRIPTION_LEAST, SEO_DESCRIPTION_MOST = 50, 160
_Options = list[tuple[str, tuple[str, ...]]]


class DoubleOptions(Refused):
    """Two variants of one product with the same values of its options."""

    code = "double_options"


def values_of(row: Mapping[str, object]) -> tuple[str, ...]:
    """The option values of a row as it is told, without what stands for none."""
    values = tuple(str(row.get(name) or "") for name in OPTION_NAMES)
    return () if values == (NO_OPTION[1], "", "") else _trimmed(values)


def _trimmed(values: tuple[str, ...]) -> tuple[str, ...]:
    while values and not values[-1]:
        values = values[:-1]
    return values


def distinct_values(rows: Sequence[Mapping[str, object]]) -> list[tuple[str, ...]]:
    """The option values of the rows of one product. Where several rows have none, their title or SKU tells them apart.

    Raises DoubleOptions for two rows that nothing tells apart.
    """
    found = [values_of(row) for row in rows]
    if sum(not values for values in found) > 1:
        found = [
            values or _trimmed((str(row.get("title") or row.get("sku") or ""),))
            for values, row in zip(found, rows, strict=True)
        ]
        if len(set(found)) < len(found):
            found = [
                (str(row.get("sku")),) if found.count(values) > 1 and not values_of(row) and row.get("sku") else values
                for values, row in zip(found, rows, strict=True)
            ]
    double = (
        next((values for values in found if found.count(values) > 1), None) if len(set(found)) < len(found) else None
    )
    if double is not None:
        raise DoubleOptions("two variants would be {options}", options=" / ".join(double) or "without options")
    return found


def option_key(product: str, values: Iterable[str]) -> str:
    """What stands for a variant: its product and the values of its options."""
    return APART.join((product, *values))


def option_parts(key: str) -> list[str]:
    """The option values that a key stands for."""
    return key.split(APART)[1:]


def options_of(names: Sequence[str], values: Sequence[str]) -> dict[str, str]:
    """Option and value, in the product's order; an option without a name goes by its place."""
    return {(names[place] if place < len(names) else "") or f"option {place + 1}": value
            for place, value in enumerate(values) if value}  # fmt: skip


def slug_of(text: str) -> str:
    """A handle made of a title: letters of any script and digits, with hyphens between."""
    return re.sub(r"[\W_]+", "-", normalize("NFKC", text).casefold()).strip("-")[:120]


def parse_matrix(text: str) -> _Options:
    """`Color: red, blue; Size: S, M` as options with their values, in that order.

    Raises:
        BadValue: not written like that, an option or value twice, or too many of them.
    """
    found: _Options = []
    for part in re.split(r"[;；]", text):
        name, colon, rest = part.replace("：", ":").partition(":")
        values = tuple(dict.fromkeys(value.strip() for value in re.split(r"[,，、]", rest) if value.strip()))
        if not part.strip():
            continue
        if not colon or not name.strip() or not values:
            raise BadValue("{value} is no option with values", hint="Write: Color: red, blue; Size: S, M", value=part)
        if name.strip() in (known for known, _values in found):
            raise BadValue("the option {value} stands there twice", value=name.strip())
        found.append((name.strip(), values))
    if not 1 <= len(found) <= OPTIONS_MOST:
        raise BadValue("a product has one to {most} options", most=OPTIONS_MOST)
    if (count := len(list(tuples_of(found)))) > MATRIX_MOST:
        raise BadValue("{count} variants are too many, {most} at most", count=count, most=MATRIX_MOST)
    return found


def tuples_of(options: _Options) -> Iterator[tuple[str, ...]]:
    """Every combination of the values, the last option changing fastest."""
    return combinations(*(values for _name, values in options))


def sku_of(pattern: str, names: Sequence[str], values: Sequence[str]) -> str | None:
    """A SKU from a pattern such as `TS-{Color}-{Size}`. Raises BadValue for a name that is no option."""
    made = pattern
    for name, value in zip(names, values, strict=False):
        made = made.replace("{" + name + "}", slug_of(value).upper())
    if left := re.search(r"\{[^}]*\}", made):
        raise BadValue("{value} is no option of the product", value=left[0])
    return made or None


def width_of(text: str) -> int:
    """How many columns a text takes where it is shown."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


# -- lint --------------------------------------------------------------------------------------------------------------


class Finding(msgspec.Struct, frozen=True):
    """One thing about a product that somebody should look at. `what` is a fixed word, `about` the value it is about."""

    product: str
    handle: str
    field: str
    what: str
    about: str


class LintVariant(msgspec.Struct, frozen=True):
    """What a lint looks at in a variant."""

    sku: str
    barcode: str
    price: int


class LintProduct(msgspec.Struct, frozen=True):
    """What a lint looks at in a product. `pictures` are the alternative texts of its pictures."""

    id: str
    handle: str
    title: str
    seo_title: str
    seo_description: str
    variants: tuple[LintVariant, ...] = ()
    pictures: tuple[str, ...] = ()


def lint(products: Sequence[LintProduct]) -> list[Finding]:
    """Everything to look at, product by product."""
    counts = _Doubles(products)
    return [finding for item in products for finding in (*_seo(item, counts), *_goods(item, counts))]


class _Doubles:
    """What stands for more than one thing."""

    def __init__(self, products: Sequence[LintProduct]) -> None:
        variants = [variant for item in products for variant in item.variants]
        self.skus = _repeated(variant.sku for variant in variants)
        self.barcodes = _repeated(variant.barcode for variant in variants)
        self.titles = _repeated((item.seo_title or item.title).casefold() for item in products)
        self.descriptions = _repeated(item.seo_description.casefold() for item in products)


def _repeated(values: Iterable[str]) -> set[str]:
    seen: set[str] = set()
    return {value for value in values if value and (value in seen or seen.add(value))}  # type: ignore[func-returns-value]


def _seo(item: LintProduct, doubles: _Doubles) -> Iterator[Finding]:
    title, description = item.seo_title or item.title, item.seo_description
    if not title:
        yield Finding(item.id, item.handle, "title", "missing", "")
    if (width := width_of(title)) > SEO_TITLE_MOST:
        yield Finding(item.id, item.handle, "seo_title", "long", str(width))
    if title.casefold() in doubles.titles:
        yield Finding(item.id, item.handle, "seo_title", "double", title)
    if not description:
        yield Finding(item.id, item.handle, "seo_description", "missing", "")
        return
    if not SEO_DESCRIPTION_LEAST <= (width := width_of(description)) <= SEO_DESCRIPTION_MOST:
        what = "short" if width < SEO_DESCRIPTION_LEAST else "long"
        yield Finding(item.id, item.handle, "seo_description", what, str(width))
    if description.casefold() in doubles.descriptions:
        yield Finding(item.id, item.handle, "seo_description", "double", "")


def _goods(item: LintProduct, doubles: _Doubles) -> Iterator[Finding]:
    if not item.variants:
        yield Finding(item.id, item.handle, "variants", "missing", "")
    elif not any(variant.price for variant in item.variants):
        yield Finding(item.id, item.handle, "price", "missing", "")
    for variant in item.variants:
        if variant.sku in doubles.skus:
            yield Finding(item.id, item.handle, "sku", "double", variant.sku)
        if variant.barcode in doubles.barcodes:
            yield Finding(item.id, item.handle, "barcode", "double", variant.barcode)
    if not item.pictures:
        yield Finding(item.id, item.handle, "picture", "missing", "")
    if blank := sum(not alt for alt in item.pictures):
        yield Finding(item.id, item.handle, "alt", "missing", str(blank))
