"""Products, variants, categories and pictures."""

from typing import Annotated

from bo.core.kernel.errors import Refused
from bo.core.kernel.kinds import (
    Amount,
    AmountKind,
    ChoiceKind,
    Count,
    Currency,
    Facts,
    FactsKind,
    Field,
    Flag,
    FlagKind,
    Note,
    RefKind,
    RowsKind,
    Tags,
    Text,
    TextKind,
    WholeKind,
)
from bo.core.kernel.record import Record, State, record

DRAFT, ACTIVE, ARCHIVED = State("draft"), State("active"), State("archived")
PRODUCT_STATES = (DRAFT, ACTIVE, ARCHIVED)
ProductState = Annotated[str, ChoiceKind(*PRODUCT_STATES)]
ProductId = Annotated[str, RefKind("products")]
OPTIONS_MOST = 3

# Variants and pictures as a file or a shop tells them: each value of an option goes with the product's name for it.
VariantRows = Annotated[
    tuple[dict[str, object], ...],
    RowsKind(
        sku=TextKind(200), title=TextKind(), option1=TextKind(), option2=TextKind(), option3=TextKind(),
        price=AmountKind(), compare_at=AmountKind(), cost=AmountKind(), barcode=TextKind(), weight_g=WholeKind(0),
        hs_code=TextKind(), origin=TextKind(), bin=TextKind(), image=TextKind(), taxable=FlagKind(),
        needs_shipping=FlagKind(), tracked=FlagKind(), backorder=FlagKind(), state=ChoiceKind(*PRODUCT_STATES),
        extra=FactsKind(),
    ),
]  # fmt: skip
MediaRows = Annotated[
    tuple[dict[str, object], ...],
    RowsKind("url", url=TextKind(), alt=TextKind(), position=WholeKind(0), extra=FactsKind()),
]


class NegativePrice(Refused):
    """A price below nothing."""

    code = "negative_price"


@record(
    "categories", prefix="cat", key=("path",), create="categories.add", edit="categories.edit",
    columns=("path", "name"),
)  # fmt: skip
class Category(Record, kw_only=True):
    """A place in the tree of what is sold: `Garden > Tools`."""

    path: Annotated[Text, Field(lookup=True, unique=True, aliases=("类目路径",))]
    name: Annotated[Text, Field(search=True)] = ""
    note: Note = ""


@record(
    "products",
    prefix="prod",
    key=("handle",),
    states=PRODUCT_STATES,
    create="products.record",
    edit="products.edit",
    columns=("handle", "title", "state", "vendor", "type", "category"),
)
class Product(Record, kw_only=True):
    """What is sold under one name; each combination of its options is a variant."""

    handle: Annotated[Text, Field(lookup=True, unique=True, aliases=("URL handle", "slug", "商品编码", "货号"))]
    title: Annotated[Text, Field(search=True, aliases=("商品名称", "商品标题", "name", "Product Name"))] = ""
    state: ProductState = ACTIVE
    vendor: Annotated[Text, Field(index=True, aliases=("brand", "品牌", "供应商"))] = ""
    type: Annotated[Text, Field(aliases=("Product type", "商品类型"))] = ""
    category: Annotated[Text, Field(index=True, aliases=("Product Category", "类目", "分类"))] = ""
    description: Annotated[Note, Field(aliases=("Body (HTML)", "body_html", "商品描述", "详情"))] = ""
    tags: Annotated[Tags, Field(aliases=("标签",))] = ()
    seo_title: Annotated[Text, Field(label="SEO title")] = ""
    seo_description: Annotated[Text, Field(label="SEO description")] = ""
    option1: Annotated[Text, Field(label="first option", aliases=("Option1 Name",))] = ""
    option2: Annotated[Text, Field(label="second option", aliases=("Option2 Name",))] = ""
    option3: Annotated[Text, Field(label="third option", aliases=("Option3 Name",))] = ""
    currency: Annotated[Currency, Field(help="of the prices of its variants; blank: the office's")] = ""
    variants_key: Annotated[Text, Field(internal=True, help="stands for its variants as a file told them last")] = ""
    media_key: Annotated[Text, Field(internal=True, help="stands for its pictures as a file told them last")] = ""
    import_key: (
        Annotated[Text, Field(lookup=True, unique=True, internal=True, help="stands for a file row that has no handle")]
        | None
    ) = None


@record(
    "variants",
    prefix="var",
    key=("sku",),
    states=(ACTIVE, ARCHIVED),
    create="variants.add",
    edit="variants.edit",
    columns=("sku", "product", "options", "price", "currency", "cost", "barcode", "state"),
)
class Variant(Record, kw_only=True):
    """One thing that can be bought: a product in one combination of its options."""

    product: Annotated[ProductId, Field(lookup=True)]
    sku: Annotated[Text, Field(lookup=True, search=True, aliases=("Variant SKU", "商家编码", "规格编码"))] | None = None
    title: Annotated[Text, Field(search=True, help="options in words")] = ""
    options: Annotated[Facts, Field(help="option and value, in the product's order")] = {}
    option_key: Annotated[
        Text, Field(lookup=True, unique=True, internal=True, help="product and values of its options")
    ]
    position: Annotated[Count, Field(help="its place among the variants of the product")] = 0
    image: Annotated[Text, Field(label="picture")] = ""
    state: ProductState = ACTIVE
    price: Annotated[Amount, Field(aliases=("Variant Price", "Regular price", "价格", "售价"))] = 0
    compare_at: (
        Annotated[Amount, Field(label="compare-at price", aliases=("Variant Compare At Price", "原价"))] | None
    ) = None
    cost: Annotated[Amount, Field(needs="variants.cost", aliases=("Cost per item", "成本", "进价"))] | None = None
    currency: Currency = ""
    barcode: (
        Annotated[Text, Field(lookup=True, aliases=("Variant Barcode", "GTIN", "EAN", "条形码", "条码"))] | None
    ) = None
    weight_g: Annotated[Count, Field(label="weight in grams", aliases=("Variant Grams",))] = 0
    hs_code: Annotated[Text, Field(label="HS code")] = ""
    origin: Annotated[Text, Field(label="country of origin")] = ""
    bin: Annotated[Text, Field(help="where it lies, for pick lists", aliases=("Bin name", "库位"))] = ""
    taxable: Flag = True
    needs_shipping: Flag = True
    tracked: Annotated[Flag, Field(help="stock is counted")] = True
    backorder: Annotated[Flag, Field(help="may be sold when there is none")] = False
    import_key: Annotated[Text, Field(lookup=True, unique=True, internal=True)] | None = None

    def check(self) -> None:
        if self.price < 0 or (self.cost or 0) < 0 or (self.compare_at or 0) < 0:
            raise NegativePrice("variant {sku} would have a price below nothing", sku=self.sku or self.id)


@record("media", prefix="med", create="media.add", edit="media.edit", columns=("product", "position", "url", "alt"))
class Media(Record, kw_only=True):
    """A picture of a product."""

    product: Annotated[ProductId, Field(lookup=True)]
    position: Count = 1
    url: Text
    alt: Annotated[Text, Field(label="alternative text")] = ""
