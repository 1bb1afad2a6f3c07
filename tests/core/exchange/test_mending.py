"""What people bring that is wrong is told, mended and brought again; and no price is ever a hundred times itself."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path

import pytest

from bo.core.catalog.records import Product, Variant
from bo.core.exchange.export import ExportOptions, export_file
from bo.core.exchange.pipeline import import_file
from bo.core.exchange.readers import open_source
from bo.core.exchange.report import ImportOptions
from bo.core.exchange.source import Format
from bo.core.kernel.workspace import Workspace
from bo.core.orders.records import Order, OrderLine
from tests.core.exchange.test_presets_real import DATA, every, total

real = pytest.mark.skipif(not DATA.is_dir(), reason="the real files are not here")


def written(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


@real
def test_an_order_that_is_refused_comes_back_with_all_its_rows_and_can_be_mended(
    office: Workspace, tmp_path: Path
) -> None:
    # Given a file in which the second of three rows is broken
    source = tmp_path / "orders.csv"
    with open(DATA / "01-shopify/shopify_orders_ltv_sample.csv", encoding="utf-8", newline="") as whole:
        rows = list(csv.reader(whole))
    rows[2][rows[0].index("Lineitem quantity")] = "two"
    rows[3][rows[0].index("Lineitem name")] = "=Red 'Gadget"
    with open(source, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    rejects = tmp_path / "rejects.csv"
    # When
    report = import_file(office, "orders", source, ImportOptions(rejects=rejects))
    # Then
    assert (report.created, report.rejected) == (126, 1)
    with open(rejects, encoding="utf-8", newline="") as file:
        told = list(csv.DictReader(file))
    assert [row["Name"] for row in told] == ["#1001"] * 3
    assert "quantity" in told[0]["bo_reason"]
    # And when it is mended
    rejects.write_text(rejects.read_text("utf-8").replace(",two,", ",1,"), "utf-8")
    again = import_file(office, "orders", rejects)
    # Then
    assert (again.created, again.rejected) == (1, 0), again.problems
    assert total(every(office, Order), "total") == sum(every_total(rows))
    order = office.reader().get(Order, "#1001")
    assert not [name for name in order.extra if name.startswith("bo_")]
    names = [str(row["name"]) for row in every(office, OrderLine) if row["order"] == order.id]
    assert "=Red 'Gadget" in names


def every_total(rows: list[list[str]]) -> list[Decimal]:
    place = rows[0].index("Total")
    return [Decimal(row[place]) for row in rows[1:] if row[place]]


def test_a_blank_cell_keeps_and_an_unknown_column_is_kept(office: Workspace, tmp_path: Path) -> None:
    import_file(office, "orders", written(
        tmp_path / "a.csv", "Name,Created at,Total,Currency,Lineitem name,Lineitem quantity,Notes,Mood",
        "#1,2026-01-02 10:00:00 +0000,10.00,USD,Rake,2,ring twice,good"))  # fmt: skip
    import_file(office, "orders", written(
        tmp_path / "b.csv", "Name,Created at,Total,Currency,Lineitem name,Lineitem quantity,Notes",
        "#1,,,,Rake,2,"))  # fmt: skip
    order = office.reader().get(Order, "#1")
    assert (order.total, order.note, order.extra["Mood"]) == (1000, "ring twice", "good")


@pytest.mark.parametrize(
    ("header", "cell", "grams"),
    [("Weight (kg)", "1.5", 1500), ("Weight (g)", "1500", 1500), ("Weight (lbs)", "2", 907), ("Weight (oz)", "1", 28)],
)
def test_a_weight_is_in_the_unit_that_its_header_says(
    office: Workspace, tmp_path: Path, header: str, cell: str, grams: int
) -> None:
    columns = f"Type,SKU,Name,Published,Regular price,Categories,Parent,{header}"
    report = import_file(
        office, "products", written(tmp_path / "p.csv", columns, f"simple,R,Rake,1,9.90,Garden,,{cell}")
    )
    assert report.created == 1, report.problems
    assert [row["weight_g"] for row in every(office, Variant)] == [grams]


@pytest.mark.parametrize(
    ("cell", "minor"), [("$1,234.50", 123450), ("US$ 9.90", 990), ("9.90 USD", 990), ("-$5.00", -500), ("$-5.00", -500)]
)
def test_a_price_may_have_a_currency_sign(office: Workspace, tmp_path: Path, cell: str, minor: int) -> None:
    file = written(tmp_path / "o.csv", "number,currency,total", f'1,USD,"{cell}"')
    report = import_file(office, "orders", file)
    assert report.created == 1, report.problems
    assert office.reader().get(Order, "1").total == minor


def test_another_currency_sign_is_told(office: Workspace, tmp_path: Path) -> None:
    report = import_file(office, "orders", written(tmp_path / "o.csv", "number,currency,total", "1,USD,€5.00"))
    assert (report.created, report.rejected) == (0, 1)


@pytest.mark.parametrize("format", ["csv", "tsv", "json", "jsonl", "xlsx"])
@pytest.mark.parametrize("currency", ["USD", "JPY", "KWD"])
def test_no_export_makes_a_price_a_hundred_times_itself(
    office: Workspace, tmp_path: Path, format: Format, currency: str
) -> None:
    # Given
    office.do("products.record", handle="rake", title="Rake", currency=currency, variants=[{"sku": "R", "price": "15"}])
    office.do("orders.record", number="1", currency=currency, lines=[{"name": "Rake", "quantity": 2, "price": "15"}])
    before = [(row["price"], row["currency"]) for row in every(office, Variant)]
    lines = [(row["price"], row["total"]) for row in every(office, OrderLine)]
    # When it is exported, changed elsewhere, and brought back three times
    for _time in range(3):
        for noun in ("products", "orders"):
            path = tmp_path / f"{noun}.{format}"
            export_file(office, noun, path, ExportOptions(format=format))
            assert import_file(office, noun, path).unchanged == 1
    # Then
    assert [(row["price"], row["currency"]) for row in every(office, Variant)] == before
    assert [(row["price"], row["total"]) for row in every(office, OrderLine)] == lines


def test_a_number_of_json_is_an_amount_as_people_write_it(office: Workspace, tmp_path: Path) -> None:
    order = {"number": "1", "currency": "USD", "total": 30, "lines": [{"name": "Rake", "quantity": 2, "price": 15}]}
    rake = {"handle": "rake", "title": "Rake", "currency": "USD", "variants": [{"sku": "R", "price": 9.9}]}
    import_file(office, "orders", written(tmp_path / "o.jsonl", json.dumps(order)))
    import_file(office, "products", written(tmp_path / "p.jsonl", json.dumps(rake)))
    assert [(row["price"], row["total"]) for row in every(office, OrderLine)] == [(1500, 3000)]
    assert office.reader().get(Order, "1").total == 3000
    assert [row["price"] for row in every(office, Variant)] == [990]
    assert office.reader().get(Product, "rake").title == "Rake"


def test_digits_that_a_spreadsheet_was_told_are_text_lose_their_apostrophe(office: Workspace, tmp_path: Path) -> None:
    # Given products and orders of shops, in files of one row and of several for each
    products = written(
        tmp_path / "products.csv",
        "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Grams,Variant Inventory Tracker,Variant Price,"
        "Variant Barcode,Image Src,Variant Image",
        "cup,'90s,Size,S,'1001,5,shopify,4,'4897082590194,,",
    )
    orders = written(tmp_path / "orders.csv", "订单编号,渠道,phone,note", "'20260001,web,'13800138000,'2026")
    # When
    for noun, path in (("products", products), ("orders", orders)):
        assert import_file(office, noun, path).created == 1
    # Then
    (cup,), (order,) = every(office, Variant), every(office, Order)
    assert (cup["sku"], cup["barcode"]) == ("1001", "4897082590194")
    assert office.reader().get(Product, "cup").title == "'90s"
    assert (order["number"], order["phone"], order["note"]) == ("20260001", "+8613800138000", "'2026")
    # And the same files change nothing
    assert import_file(office, "products", products).unchanged == import_file(office, "orders", orders).unchanged == 1


@pytest.mark.parametrize("format", ["csv", "tsv", "xlsx", "jsonl"])
def test_an_apostrophe_that_is_meant_comes_back(office: Workspace, tmp_path: Path, format: Format) -> None:
    office.do("products.record", handle="cup", title="'90", variants=[{"sku": "'1", "barcode": "''2", "price": "1"}])
    for noun in ("products", "variants"):
        path = tmp_path / f"{noun}.{format}"
        export_file(office, noun, path)
        if noun == "products":
            report = import_file(office, noun, path)
            assert (report.read, report.unchanged) == (1, 1)
    with open_source(tmp_path / f"variants.{format}", unescape=True) as source:
        place = source.columns.index("barcode")
        assert [row.cells[place] for row in source] == ["''2"]


def test_what_a_command_refuses_of_many_rows_is_told_once(office: Workspace, tmp_path: Path) -> None:
    # Given three stores that would close before they open, and between them one whose capacity cannot be read
    rows = [f"s{number},Store,18:00,09:00,2" for number in range(3)]
    header = "code,name,opens,closes,capacity"
    path = written(tmp_path / "stores.csv", header, rows[0], "west,West,,,many", *rows[1:])
    # When
    report = import_file(office, "stores", path)
    # Then
    assert (report.rejected, report.written) == (4, False)
    assert [(item.line, item.column, item.rows) for item in report.problems] == [(2, "", 3), (3, "capacity", 1)]
    assert report.problems[0].reason.endswith(" (rows refused for this: 3)")
