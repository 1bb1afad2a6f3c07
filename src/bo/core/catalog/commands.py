"""What can be done with products, variants, categories and pictures."""

from collections.abc import Mapping
from typing import Annotated, Any

from bo.core.catalog import rules
from bo.core.catalog.recording import (
    add_variant,
    free_handle,
    option_values,
    place_again,
    rename_options,
    tell_media,
    tell_variants,
    tidy_options,
    variants_of,
)
from bo.core.catalog.records import (
    ACTIVE,
    ARCHIVED,
    DRAFT,
    Category,
    Media,
    MediaRows,
    Product,
    ProductState,
    Variant,
    VariantRows,
)
from bo.core.kernel.command import command
from bo.core.kernel.kinds import Amount, Count, Currency, Facts, Field, Flag, Note, Tags, Text
from bo.core.kernel.standard import adds, edits
from bo.core.kernel.tx import Tx

BRANCH = " > "
LAST = "\U0010ffff"  # comes after every other character


# -- products ----------------------------------------------------------------------------------------------------------


@command(needs="products.edit")
def record(
    tx: Tx,
    *,
    title: Text,
    handle: Text = "",
    state: ProductState = str(ACTIVE),
    vendor: Text = "",
    type: Text = "",
    category: Text = "",
    description: Note = "",
    tags: Tags = (),
    seo_title: Text = "",
    seo_description: Text = "",
    option1: Text = "",
    option2: Text = "",
    option3: Text = "",
    currency: Currency = "",
    variants: VariantRows = (),
    media: MediaRows = (),
    import_key: Text | None = None,
    extra: Facts = {},  # noqa: B006 - never changed: records replace nested values
) -> Product:
    """Add a product with its variants and pictures; without a handle it gets one made of its title.

    Raises:
        DoubleOptions: two of the variants have the same option values.
    """
    made = Product(
        handle=handle or free_handle(tx, title), title=title, state=state, vendor=vendor, type=type, category=category,
        description=description, tags=tags, seo_title=seo_title, seo_description=seo_description, option1=option1,
        option2=option2, option3=option3, currency=currency, import_key=import_key, extra=extra,
    )  # fmt: skip
    tidy_options(made)
    tx.add(made)
    if variants:
        tell_variants(tx, made, variants)
    if media:
        tell_media(tx, made, media)
    return made


def _told(tx: Tx, product: Product, given: Mapping[str, Any]) -> None:
    if given.get("state"):
        product.state = given["state"]
    if not {*rules.OPTION_NAMES}.isdisjoint(given):
        rename_options(tx, product)
    if given.get("variants"):
        tell_variants(tx, product, given["variants"])
    if given.get("media"):
        tell_media(tx, product, given["media"])
    if "currency" in given:
        for variant in variants_of(tx, product):
            variant.currency = product.currency or tx.context.currency


edit = edits(
    Product,
    needs="products.edit",
    confirm="many",
    without=("import_key", "variants_key", "media_key"),
    also={"state": ProductState, "variants": VariantRows, "media": MediaRows},
    then=_told,
    doc="Change fields of a product. Variants are merged by their option values, then by SKU; what is blank stays.",
)


@command(needs="products.edit", moves=(DRAFT | ACTIVE) >> ARCHIVED, confirm="many")
def archive(tx: Tx, product: Product) -> None:
    """Archive a product: it is sold no more, and orders keep what they say of it."""


@command(needs="products.edit", moves=(DRAFT | ARCHIVED) >> ACTIVE, confirm="many")
def activate(tx: Tx, product: Product) -> None:
    """Sell a product, or sell it again."""


@command(needs="products.edit", confirm="many")
def tag(tx: Tx, product: Product, *, add: Tags = (), remove: Tags = ()) -> None:
    """Add tags to a product, or take some away."""
    product.tags = tuple(sorted({*product.tags, *add} - set(remove)))


@command(needs="products.edit")
def matrix(
    tx: Tx,
    product: Product,
    *,
    options: Annotated[Note, Field(help="Color: red, blue; Size: S, M")],
    price: Amount | None = None,
    sku: Annotated[Text, Field(help="pattern such as TS-{Color}-{Size}")] = "",
) -> None:
    """Make every variant of these option values that is not there yet; a variant without options is archived.

    Raises:
        BadValue: the options cannot be read, or are too many.
    """
    wanted = rules.parse_matrix(options)
    names = [name for name, _values in wanted]
    product.option1, product.option2, product.option3 = (*names, "", "")[:3]
    known = variants_of(tx, product)
    keys = {item.option_key for item in known}
    model = known[0].price if known else 0
    position = max((item.position for item in known), default=0)
    for values in rules.tuples_of(wanted):
        if rules.option_key(product.id, values) in keys:
            continue
        position += 1
        row = {"price": model if price is None else price, "sku": rules.sku_of(sku, names, values)}
        add_variant(tx, product, values, row, position)
    for item in known:
        if not option_values(item):
            item.state = ARCHIVED
    product.variants_key = ""


# -- variants ----------------------------------------------------------------------------------------------------------


@command(needs="variants.edit")
def add(
    tx: Tx,
    *,
    product: Product,
    sku: Text | None = None,
    title: Text = "",
    option1: Text = "",
    option2: Text = "",
    option3: Text = "",
    price: Amount = 0,
    compare_at: Amount | None = None,
    cost: Amount | None = None,
    barcode: Text | None = None,
    weight_g: Count = 0,
    hs_code: Text = "",
    origin: Text = "",
    bin: Text = "",
    image: Text = "",
    taxable: Flag = True,
    needs_shipping: Flag = True,
    tracked: Flag = True,
    backorder: Flag = False,
    import_key: Text | None = None,
    extra: Facts = {},  # noqa: B006 - never changed: records replace nested values
) -> Variant:
    """Add a variant to a product.

    Raises:
        DoubleOptions: the product has a variant with these option values.
    """
    values = rules.values_of({"option1": option1, "option2": option2, "option3": option3})
    known = variants_of(tx, product)
    if any(option_values(item) == values for item in known):
        raise rules.DoubleOptions(
            "{product} has a variant {options} already",
            hint="Give it another value of an option: --option1.",
            product=product.handle, options=" / ".join(values) or "without options",
        )  # fmt: skip
    row = {
        "sku": sku, "title": title, "price": price, "compare_at": compare_at, "cost": cost, "barcode": barcode,
        "weight_g": weight_g, "hs_code": hs_code, "origin": origin, "bin": bin, "image": image, "taxable": taxable,
        "needs_shipping": needs_shipping, "tracked": tracked, "backorder": backorder, "import_key": import_key,
        "extra": extra,
    }  # fmt: skip
    product.variants_key = ""  # what the file told last is not what is there
    return add_variant(tx, product, values, row, max((item.position for item in known), default=0) + 1)


def _told_variant(tx: Tx, variant: Variant, given: Mapping[str, Any]) -> None:
    product = tx.get(Product, variant.product)
    product.variants_key = ""  # what the file told last is not what is there
    if not {*rules.OPTION_NAMES}.isdisjoint(given):
        place_again(tx, product, variant, {name: given.get(name) for name in rules.OPTION_NAMES if name in given})


edit_variant = edits(
    Variant,
    needs="variants.edit",
    confirm="many",
    without=("product", "options", "option_key", "import_key"),
    also=dict.fromkeys(rules.OPTION_NAMES, Text),
    then=_told_variant,
)


@command(needs="variants.edit", moves=ACTIVE >> ARCHIVED, confirm="many")
def archive_(tx: Tx, variant: Variant) -> None:
    """Archive a variant: it is sold no more."""


@command(needs="variants.edit", moves=ARCHIVED >> ACTIVE, confirm="many")
def activate_(tx: Tx, variant: Variant) -> None:
    """Sell a variant again."""


# -- categories and pictures -------------------------------------------------------------------------------------------


add_category = adds(Category, needs="categories.edit")


@command(needs="categories.edit", confirm="many")
def edit_(
    tx: Tx, category: Category, *, path: Text | None = None, name: Text | None = None, note: Note | None = None
) -> None:
    """Change a category; where its path changes, what lies in it and below it moves along."""
    category.name = name if name is not None else category.name
    category.note = note if note is not None else category.note
    if path is None or path == category.path:
        return
    before = category.path
    for below in tx.select(Category, ("path", ">=", before + BRANCH), ("path", "<", before + BRANCH + LAST)):
        below.path = path + below.path[len(before) :]
    for item in [
        *tx.select(Product, category=before),
        *tx.select(Product, ("category", ">=", before + BRANCH), ("category", "<", before + BRANCH + LAST)),
    ]:
        item.category = path + item.category[len(before) :]
    category.path = path


@command(needs="media.edit")
def add_(tx: Tx, *, product: Product, url: Text, alt: Text = "", position: Count = 0) -> Media:
    """Add a picture to a product."""
    last = max((item.position for item in tx.find_all(Media, product=product.id)), default=0)
    product.media_key = ""
    return tx.add(Media(product=product.id, url=url, alt=alt, position=position or last + 1))


def _told_media(tx: Tx, media: Media, given: Mapping[str, Any]) -> None:
    tx.get(Product, media.product).media_key = ""


edit_media = edits(Media, needs="media.edit", confirm="many", without=("product",), then=_told_media)


@command(needs="media.edit", confirm="many")
def remove(tx: Tx, media: Media) -> None:
    """Take a picture away from its product."""
    tx.get(Product, media.product).media_key = ""
    tx.remove(media)
