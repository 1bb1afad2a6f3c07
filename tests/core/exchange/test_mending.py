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
