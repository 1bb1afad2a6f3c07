"""Real files of shops and platforms, through the shipped mappings: their totals are met to the cent, importing again
changes nothing, and what there is no field for is kept.

They lie beside the project (`../shared/data`, or `BO_REAL_DATA`) and are not part of it; without them these tests are
skipped.
"""

from __future__ import annotations

import csv
import os
from collections import Counter, defaultdict
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

import pytest

from bo.core.catalog.records import Media, Product, Variant
from bo.core.customers.records import Address, Customer
from bo.core.exchange.pipeline import import_file
from bo.core.exchange.report import ImportOptions, ImportReport
from bo.core.kernel.record import Record
from bo.core.kernel.workspace import Workspace
from bo.core.orders.records import Fulfilment, Order, OrderLine, Payment

# Read at load, because the settings of whoever runs the tests are taken away before each of them.
DATA = Path(os.environ.get("BO_REAL_DATA") or Path(__file__).parents[4] / "shared" / "data")
PUBLIC = "04-public-orders/"
INVENTORY = "01-shopify/shopify_inventory_export_new-layout.csv"
OLIST = PUBLIC + "olist-sample-a/olist_"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the real files are not here")


def imported(office: Workspace, noun: str, file: str) -> ImportReport:
    """The file imported twice; the second time nothing changes."""
    first = import_file(office, noun, DATA / file)
    again = import_file(office, noun, DATA / file)
    assert (first.rejected, again.unchanged, again.read) == (0, again.read, first.read), first.problems[:3]
    return first


def every(office: Workspace, cls: type[Record], text: str = "") -> list[dict[str, object]]:
    """The records of a filter, each as names with values."""
    noun = {Order: "orders", OrderLine: "order_lines", Payment: "payments", Fulfilment: "fulfilments",
            Product: "products", Variant: "variants", Media: "media", Customer: "customers"}[cls]  # fmt: skip
    reader = office.reader()
    names = [item.name for item in reader.info(noun).fields]
    found: list[dict[str, object]] = []
    after = None
    while True:
        page = reader.page(noun, text, fields=names, limit=5_000, after=after)
        found += [dict(zip(names, row, strict=True)) for row in page.rows]
        after = page.after
        if after is None:
            return found


def total(rows: list[dict[str, object]], field: str) -> Decimal:
    """What a field of amounts comes to, in major units."""
    return Decimal(sum(int(str(row[field])) for row in rows)) / 100


def table(file: str) -> list[dict[str, str]]:
    with open(DATA / file, encoding="utf-8-sig", newline="") as source:
        return list(csv.DictReader(source))


# -- orders ------------------------------------------------------------------------------------------------------------


def test_shopify_orders(office: Workspace) -> None:
    report = imported(office, "orders", "01-shopify/shopify_orders_ltv_sample.csv")

    orders = every(office, Order, "channel:shopify")
    assert (report.created, len(orders)) == (127, 127)
    assert (total(orders, "total"), total(orders, "refunded")) == (Decimal("15063.00"), Decimal("423.75"))
    assert len(every(office, OrderLine)) == 249
    assert {row["currency"] for row in orders} == {"USD"}


def test_shopify_orders_without_a_financial_status(office: Workspace) -> None:
    imported(office, "orders", "01-shopify/shopify_orders_ltv_fixture.csv")

    orders = {str(row["number"]): row for row in every(office, Order)}
    assert (len(orders), orders["#1003"]["refunded"], orders["#1003"]["payment"]) == (8, 1000, "refunded")
    assert orders["#1001"]["pieces"] == 2


def test_woocommerce_orders(office: Workspace) -> None:
    imported(office, "orders", "02-woocommerce/woocommerce_orders.csv")

    orders = every(office, Order)
    assert (len(orders), total(orders, "total")) == (50, Decimal("37768.39"))
    assert total(every(office, OrderLine), "total") == Decimal("37760.39")


def test_tmall_orders(office: Workspace) -> None:
    imported(office, "orders", "08-chinese/tmall_order_report.csv")

    orders = every(office, Order, "channel:tmall")
    assert (len(orders), total(orders, "total")) == (28_010, Decimal("2995760.61"))
    assert total(orders, "captured") - total(orders, "refunded") == Decimal("1902487.15")
    assert total(orders, "refunded") == Decimal("572335.92")
    assert sum(row["payment"] == "unpaid" for row in orders) == 3923


def test_superstore_orders_and_what_it_wrote_exactly(office: Workspace) -> None:
    file = PUBLIC + "superstore_en_utf8bom.csv"
    imported(office, "orders", file)

    exact: dict[str, Decimal] = defaultdict(Decimal)
    for row in table(file):
        exact[row["Order ID"]] += Decimal(row["Sales"])
    orders = every(office, Order)
    assert len(orders) == 5111
    for order in orders:
        wanted = exact[str(order["number"])].quantize(Decimal("0.01"), ROUND_HALF_EVEN)
        assert Decimal(int(str(order["total"]))) / 100 == wanted
    assert total(orders, "total") == total(every(office, OrderLine), "total") == Decimal("2326534.35")
    assert len(every(office, OrderLine)) == 10_194
    # what it wrote exactly is kept
    reader = office.reader()
    assert reader.get(Order, "US-2019-103800").extra["Sales, exactly"] == "16.448"
    kept = sum(Decimal(str(item.extra["Sales, exactly"])) for item in _all(office, Order))
    assert kept == Decimal("2326534.3543")


def _all(office: Workspace, cls: type[Order]) -> list[Order]:
    return office.reader().records(cls)


def test_online_retail_with_credit_notes_and_lines_without_a_customer(office: Workspace) -> None:
    for day, invoices, came_to, notes in (
        ("2010-12-01", 143, "58635.56", 6),
        ("2010-12-06", 133, "53860.18", 18),
    ):
        before = every(office, Order)
        imported(office, "orders", f"{PUBLIC}uci-online-retail/{day}.csv")
        orders = [row for row in every(office, Order) if row not in before]
        assert (len(orders), total(orders, "total")) == (invoices, Decimal(came_to))
        assert sum(str(row["number"]).startswith("C") for row in orders) == notes
        assert all(row["state"] == "cancelled" for row in orders if str(row["number"]).startswith("C"))
    assert len(every(office, OrderLine)) == 3108 + 3878


def test_northwind_orders_and_their_lines(office: Workspace) -> None:
    imported(office, "orders", PUBLIC + "northwind-csv/orders.csv")
    imported(office, "order_lines", PUBLIC + "northwind-csv/order_details.csv")

    orders, lines = every(office, Order), every(office, OrderLine)
    assert (len(orders), len(lines)) == (830, 2155)
    gross = sum(int(str(row["quantity"])) * int(str(row["price"])) for row in lines)
    assert Decimal(gross) / 100 == Decimal("1354458.59")
    # net of discount 1,265,793.04 where it is added up unrounded: each line is in cents here
    assert total(lines, "total") == total(orders, "subtotal") == Decimal("1265793.02")
    assert total(orders, "total") == total(orders, "subtotal") + total(orders, "shipping")
    assert sum(row["state"] == "unfulfilled" for row in orders) == 21


def test_olist_orders_items_and_payments(office: Workspace) -> None:
    imported(office, "orders", OLIST + "orders_dataset.csv")
    imported(office, "order_lines", OLIST + "order_items_dataset.csv")
    imported(office, "payments", OLIST + "order_payments_dataset.csv")

    orders = every(office, Order)
    assert (len(orders), len(every(office, OrderLine)), len(every(office, Payment))) == (3000, 3397, 3170)
    assert (total(orders, "subtotal"), total(orders, "shipping")) == (Decimal("392468.58"), Decimal("68855.36"))
    assert total(orders, "captured") == Decimal("468087.37")
    assert Counter(row["state"] for row in orders)["cancelled"] == 24 + 17
    assert {row["cancelled_at"] for row in orders} == {None}  # the file tells that they were, and not when
    assert sum(row["pieces"] == 0 and row["state"] != "cancelled" for row in orders) < 24


# -- products ----------------------------------------------------------------------------------------------------------


def test_the_pet_store(office: Workspace) -> None:
    file = "01-shopify/shopify_products_export_petstore.csv"
    report = imported(office, "products", file)

    variants = every(office, Variant)
    skus = [row["sku"] for row in variants if row["sku"]]
    assert (report.read, len(every(office, Product))) == (514, 514)
    assert (len(variants), len(skus), len(set(skus))) == (2790, 2289, 2152)
    rows = table(file)
    assert len(every(office, Media)) == sum(bool(row["Image Src"]) for row in rows) == 1738
    assert total(variants, "price") == sum(Decimal(row["Variant Price"] or 0) for row in rows)
    doubles = {item.value for item in office.ask("variants.doubles") if item.field == "sku"}
    told = {item.about for item in office.ask("products.lint", look="sku")}
    assert doubles
    assert told <= {sku for sku, count in Counter(skus).items() if count > 1}


@pytest.mark.parametrize(
    ("file", "products", "variants", "pictures"),
    [
        ("01-shopify/shopify_products_ai-pos.csv", 20, 240, 0),
        ("01-shopify/shopify_products_apparel.csv", 20, 22, 20),
        ("01-shopify/shopify_products_home-and-garden.csv", 20, 21, 21),
        ("01-shopify/shopify_products_packt.csv", 20, 21, 21),
        ("01-shopify/shopify_transporter_products.csv", 1, 3, 3),
        ("02-woocommerce/woocommerce_products_ai-pos.csv", 100, 100, 0),
        ("02-woocommerce/woocommerce_sample_products.csv", 15, 21, 26),
        ("03-platforms-erp/spree/products.csv", 37, 87, 124),
        ("03-platforms-erp/medusa/exported-products-comma.csv", 2, 3, 4),
        ("03-platforms-erp/medusa/exported-products-semicolon.csv", 2, 3, 4),
        ("03-platforms-erp/medusa/v1-template.csv", 3, 5, 3),
        ("03-platforms-erp/magento/products_gear_bags.csv", 14, 14, 0),
        ("03-platforms-erp/bagisto/products.csv", 22, 23, 13),
        ("03-platforms-erp/bagisto/products.xlsx", 22, 23, 13),
        ("03-platforms-erp/prestashop-thirtybees/products_import.csv", 7, 7, 7),
    ],
)
def test_product_files_of_platforms(office: Workspace, file: str, products: int, variants: int, pictures: int) -> None:
    imported(office, "products", file)

    found = (len(every(office, Product)), len(every(office, Variant)), len(every(office, Media)))
    assert found == (products, variants, pictures)


def test_a_product_without_a_title_is_told(office: Workspace) -> None:
    report = import_file(office, "products", DATA / "01-shopify/shopify_transporter_invalid_product.csv")

    assert (report.created, report.rejected) == (0, 1)
    assert every(office, Product) == []


def test_customers_of_shopify_keep_further_addresses(office: Workspace) -> None:
    rejects = office_file(office)
    import_file(
        office, "customers", DATA / "01-shopify/shopify_transporter_customers.csv", ImportOptions(rejects=rejects)
    )

    john = next(item for item in office.reader().records(Customer) if item.email == "john.doe@acme.com")
    assert (john.name, john.company, john.tags) == (
        "John Doe",
        "Acme Warehouse",
        ("member_since_2017", "repeat_customer"),
    )
    found = office.reader().records(Address, f"customer:{john.id} sort:position")
    assert [(item.address, item.city, item.extra.get("Address2")) for item in found] == [
        ("57 Erb St W", "Waterloo", None), ("150 Elgin St", "Ottawa", "Unit 56"),
    ]  # fmt: skip
    assert (john.address, john.city, john.postcode) == ("57 Erb St W", "Waterloo", "N2L 6C2")
    assert john.extra["Metafield Key (3)"] == "corporate"


def office_file(office: Workspace) -> Path:
    from bo.core.kernel.database import SqliteDatabase

    assert isinstance(office.database, SqliteDatabase)
    return office.database.path.parent / "rejects.csv"


def test_transporter_orders_with_taxes_transactions_and_refunds_on_rows_of_their_own(office: Workspace) -> None:
    imported(office, "orders", "01-shopify/shopify_transporter_orders.csv")

    orders = {str(row["number"]): row for row in every(office, Order)}
    first, second = orders["#MA-1097"], orders["#MA-1098"]
    assert [first[name] for name in ("captured", "refunded", "tax", "discount", "total")] == [
        100_000, 50_000, 1_040, 1_000, 8_040,
    ]  # fmt: skip
    assert (first["payment"], first["pieces"], first["city"]) == ("part_refunded", 5, "Waterloo")
    assert (second["state"], second["total"], second["captured"]) == ("cancelled", 3_000, 0)


def test_stock_of_shopify_is_counted_where_it_lies(office: Workspace) -> None:
    handles = {row["Handle"] for row in table(INVENTORY)}
    for handle in sorted(handles):
        rows = [row for row in table(INVENTORY) if row["Handle"] == handle]
        variants = [{f"option{at}": row[f"Option{at} Value"] for at in (1, 2, 3)} for row in rows]
        office.do("products.record", handle=handle, title=rows[0]["Title"], variants=variants)
    imported(office, "warehouses", INVENTORY)
    imported(office, "stock", INVENTORY)

    reader = office.reader()
    assert reader.count("warehouses", 'code:"Shop location"') == 1
    wanted = sum(int(row["On hand"]) for row in table(INVENTORY))
    levels = reader.page("stock", "", fields=["id", "on_hand", "allocated"], limit=5_000).rows
    assert (sum(int(row[1]) for row in levels), sum(int(row[2]) for row in levels)) == (wanted, 0)
    assert reader.count("movements", "reason:counted") == sum(row["On hand"] != "0" for row in table(INVENTORY))


def test_a_file_without_a_header_is_taken_by_a_mapping_of_ones_own(office: Workspace, tmp_path: Path) -> None:
    docs = (Path(__file__).parents[3] / "docs" / "file-formats.md").read_text("utf-8")
    mapping = tmp_path / "adventureworks.toml"
    mapping.write_text(docs.split("```toml")[1].split("```")[0], "utf-8")
    options = ImportOptions(mapping=mapping, header_row=0)
    report = import_file(office, "products", DATA / PUBLIC / "adventureworks/Product.csv", options)
    assert (report.created, report.rejected) == (504, 0), report.problems[:3]
    aisles = tmp_path / "aisles.toml"
    aisles.write_text('[columns]\n"aisle" = "path"\n', "utf-8")
    report = import_file(office, "categories", DATA / PUBLIC / "instacart/aisles.csv", ImportOptions(mapping=aisles))
    assert (report.created, report.rejected) == (134, 0)


def test_a_password_is_never_kept(office: Workspace) -> None:
    for file in ("magento/customer_profile.csv", "prestashop-thirtybees/customers_import.csv"):
        imported(office, "customers", f"03-platforms-erp/{file}")
    import_file(office, "customers", DATA / "03-platforms-erp/mall_zh.sql", ImportOptions(sheet="ums_member"))

    assert not [item for item in office.reader().records(Customer) if any("assword" in name for name in item.extra)]
