"""An office that is exported and imported elsewhere is the same office, in every format; and a shop gets its own file
back, in its own columns.

The real files lie beside the project, as for the tests of the presets; without them those tests are skipped.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from pathlib import Path
from unicodedata import category

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bo.core.exchange.escaping import unescape
from bo.core.exchange.export import ExportOptions, export_file
from bo.core.exchange.pipeline import import_file
from bo.core.exchange.report import ImportOptions
from bo.core.exchange.source import Format
from bo.core.kernel.dispatch import Call
from bo.core.kernel.errors import UsageError
from bo.core.kernel.moments import parse_moment
from bo.core.kernel.workspace import Workspace
from bo.core.office import open_office
from tests.core.exchange.test_presets_real import DATA, OLIST, PUBLIC

real = pytest.mark.skipif(not DATA.is_dir(), reason="the real files are not here")
FORMATS: tuple[Format, ...] = ("csv", "jsonl", "xlsx")
OWN = ("id", "created_at", "updated_at", "revision")  # what each office says for itself
TOTALS = ("total", "captured", "refunded", "subtotal", "shipping", "tax", "discount")


@contextmanager
def another(template: Path, folder: Path) -> Iterator[Workspace]:
    """An office with the same stores and nothing else."""
    with open_office(shutil.copytree(template, folder)) as office:
        yield office


def told(office: Workspace, noun: str, path: Path, **options: object) -> list[dict[str, object]]:
    """All that an export says, but for what is each office's own."""
    export_file(office, noun, path, ExportOptions(format="jsonl", **options))  # type: ignore[arg-type]
    found = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    for row in found:
        for name in OWN:
            row.pop(name, None)
        row["extra"] = {name: value for name, value in (row.get("extra") or {}).items() if name != "id"}
    return sorted(found, key=lambda row: json.dumps(row, sort_keys=True))


def there_and_back(office: Workspace, template: Path, noun: str, folder: Path, format: Format) -> None:
    """Export, import elsewhere, compare; and import again here, which changes nothing."""
    file = folder / f"all.{format}"
    count = export_file(office, noun, file)
    before = office.data_version()
    again = import_file(office, noun, file)
    assert (again.unchanged, again.rejected) == (count, 0), (again.problems[:3], again.rows[:2])
    assert office.data_version() == before
    with another(template, folder / f"other-{format}") as other:
        report = import_file(other, noun, file)
        assert (report.created, report.rejected) == (count, 0), report.problems[:3]
        assert told(other, noun, folder / "b.jsonl") == told(office, noun, folder / "a.jsonl")
        if noun == "orders":
            assert sums(other) == sums(office)


def sums(office: Workspace) -> dict[str, int]:
    """What a query adds up."""
    reader = office.reader()
    page = reader.page("orders", "", fields=TOTALS, limit=5_000)
    made = {name: sum(int(row[at]) for row in page.rows) for at, name in enumerate(TOTALS)}
    states = ("unpaid", "paid", "refunded")
    return {**made, **{state: reader.count("orders", f"payment:{state}") for state in states}}


def first_lines(file: str, count: int, folder: Path) -> Path:
    """The beginning of a file that would take too long."""
    path = folder / Path(file).name
    with open(DATA / file, encoding="utf-8-sig", newline="") as source, open(path, "w", encoding="utf-8") as target:
        target.writelines(line for line, _number in zip(source, range(count + 1), strict=False))
    return path


# -- real files --------------------------------------------------------------------------------------------------------


@real
@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    ("noun", "file"),
    [
        ("orders", "01-shopify/shopify_orders_ltv_sample.csv"),
        ("orders", "02-woocommerce/woocommerce_orders.csv"),
        ("orders", PUBLIC + "uci-online-retail/2010-12-01.csv"),
        ("products", "01-shopify/shopify_products_export_petstore.csv"),
        ("products", "02-woocommerce/woocommerce_sample_products.csv"),
        ("products", "03-platforms-erp/medusa/exported-products-comma.csv"),
    ],
)
def test_real_files_go_to_another_office_and_are_the_same_there(
    office: Workspace, office_template: Path, tmp_path: Path, noun: str, file: str, format: Format
) -> None:
    import_file(office, noun, DATA / file)
    there_and_back(office, office_template, noun, tmp_path, format)


@real
def test_two_thousand_orders_of_tmall(office: Workspace, office_template: Path, tmp_path: Path) -> None:
    import_file(office, "orders", first_lines("08-chinese/tmall_order_report.csv", 2_000, tmp_path))
    there_and_back(office, office_template, "orders", tmp_path, "csv")


@real
def test_orders_whose_lines_and_payments_came_in_files_of_their_own(
    office: Workspace, office_template: Path, tmp_path: Path
) -> None:
    import_file(office, "orders", first_lines(OLIST + "orders_dataset.csv", 300, tmp_path))
    rest = ImportOptions(rejects=tmp_path / "rejects.csv")
    import_file(office, "order_lines", DATA / (OLIST + "order_items_dataset.csv"), rest)
    import_file(office, "payments", DATA / (OLIST + "order_payments_dataset.csv"), rest)
    there_and_back(office, office_template, "orders", tmp_path, "jsonl")


@real
def test_what_cannot_be_turned_round_is_refused_with_the_reason(office: Workspace, tmp_path: Path) -> None:
    for noun, preset, words in (
        ("orders", "woocommerce_orders", "several columns are joined"),
        ("orders", "superstore_orders", "sums of its rows are kept"),
        ("products", "woocommerce_products", "known by one of several columns"),
        ("products", "medusa_products", "several columns"),
        ("orders", "shopify_products", "there is no preset shopify_products of orders"),
        ("orders", "../mapping", "there is no preset"),
    ):
        with pytest.raises(UsageError) as told:
            export_file(office, noun, tmp_path / "made.csv", ExportOptions(preset=preset))
        assert words in str(told.value)
        assert not (tmp_path / "made.csv").exists()


# -- what is hard ------------------------------------------------------------------------------------------------------


def test_an_order_with_all_that_can_be_said_of_it(office: Workspace, office_template: Path, tmp_path: Path) -> None:
    # Given
    order = {
        "number": "=A1", "channel": "web", "currency": "JPY", "captured": "300", "refunded": "100", "method": "alipay",
        "billing": {"Name": "@x"}, "store": "west", "customer": "K1", "hold_reason": "-call first", "tags": "a b,c",
        "note": "two\nlines", "risk": "high", "placed_at": "2026-10-31T09:30:00Z", "email": "a@b.example",
        "extra": {"Gift": "yes"},
        "lines": [
            {"sku": "+1", "name": "=Rake", "quantity": 3, "price": "150", "fulfilled": 2, "returned": 1, "tax": "10"},
            {"name": "Spade", "quantity": 2, "cancelled": 1, "total": "90", "needs_shipping": False,
             "extra": {"Colour": "'red", "=x": "-1"}},
        ],
    }  # fmt: skip
    calls = [
        Call("customers.add", None, {"number": "K1", "name": "Ann", "phone": "13800138000"}),
        Call("orders.record", None, order),
        Call("orders.record", None, {"number": "2", "cancelled": True, "lines": []}),
    ]
    assert all(outcome.ok for outcome in office.run(calls, atomic=True))
    customers = tmp_path / "customers.csv"
    export_file(office, "customers", customers)
    # When, then
    for format in ("csv", "tsv", "json", "jsonl", "xlsx"):
        file = tmp_path / f"all.{format}"
        export_file(office, "orders", file)
        assert import_file(office, "orders", file).counts()["unchanged"] == 2
        with another(office_template, tmp_path / f"other-{format}") as other:
            import_file(other, "customers", customers)
            report = import_file(other, "orders", file)
            assert report.created == 2, report.problems
            assert told(other, "orders", tmp_path / "b.jsonl") == told(office, "orders", tmp_path / "a.jsonl")
            assert other.reader().count("orders", "state:cancelled hold_reason:none") == 1


def test_archived_variants_stay_archived(office: Workspace, office_template: Path, tmp_path: Path) -> None:
    rake = {"handle": "rake", "title": "Rake", "option1": "Size", "seo_title": "Rakes", "category": "Garden > Tools",
            "variants": [{"option1": "S", "sku": "R", "cost": "3"}, {"option1": "M", "sku": "R-M", "bin": "A-1"}],
            "media": [{"url": "https://shop.example/1.jpg", "alt": "-1"}]}  # fmt: skip
    office.run([Call("products.record", None, rake), Call("variants.archive", "R", {})], atomic=True)
    for format in FORMATS:
        there_and_back(office, office_template, "products", tmp_path, format)


TEXTS = st.text(st.characters(exclude_categories=["C"]), max_size=12).map(str.strip)
LINES = st.lists(
    st.fixed_dictionaries(
        {"quantity": st.integers(1, 9), "price": st.integers(0, 99_999)}, optional={"sku": TEXTS, "name": TEXTS}
    ),
    max_size=4,
)


@settings(max_examples=10)
@given(orders=st.lists(st.tuples(LINES, TEXTS, st.integers(0, 50_000)), min_size=1, max_size=4))
def test_any_orders_go_to_another_office_and_are_the_same_there(
    office_template: Path,
    tmp_path_factory: pytest.TempPathFactory,
    orders: list[tuple[list[dict[str, object]], str, int]],
) -> None:
    folder = tmp_path_factory.mktemp("orders")
    with another(office_template, folder / "office") as office:
        calls = [
            Call("orders.record", None, {"number": f"#{at}", "lines": lines, "note": note, "captured": paid})
            for at, (lines, note, paid) in enumerate(orders)
        ]
        assert all(outcome.ok for outcome in office.run(calls, atomic=True))
        for format in FORMATS:
            there_and_back(office, office_template, "orders", folder, format)


# -- in the columns of a shop ------------------------------------------------------------------------------------------


# tags are sorted, and a price to compare with that is the price itself says nothing
LOST = ("Tags", "Variant Compare At Price")


def grouped(path: Path, key: str, columns: list[str]) -> dict[str, Counter[tuple[str, str]]]:
    """Of each record the cells that say something, whichever of its rows they stand in."""
    found: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    with open(path, encoding="utf-8-sig", newline="") as source:
        for raw in csv.DictReader(source):
            row = {name.strip(): cell for name, cell in raw.items()}
            cells = ((name, plain(name, row.get(name) or "")) for name in columns)
            found[row[key]].update((name, cell) for name, cell in cells if cell and name != key)
    return found


def plain(name: str, cell: str) -> str:
    """A cell as it is meant: 5 and 5.00 are one amount, a moment is one in every zone, and what cannot be seen does not
    count."""
    text = " ".join("".join(char for char in unescape(cell) if category(char) != "Cf").split())
    try:
        number = Decimal(text)
        return str(number.normalize()) if number.is_finite() else text
    except InvalidOperation:
        pass
    if cell and name.endswith((" at", "时间")):
        return str(parse_moment(text, "Asia/Shanghai"))
    return {"TRUE": "true", "FALSE": "false"}.get(text, text)


@real
@pytest.mark.parametrize(
    ("noun", "preset", "file", "key", "unlike"),
    [
        ("orders", "shopify_orders", "01-shopify/shopify_orders_ltv_sample.csv", "Name", ()),
        ("orders", "tmall_orders", "tmall", "订单编号", ()),
        ("products", "shopify_products", "01-shopify/shopify_products_export_petstore.csv", "Handle", LOST),
        ("products", "shopify_products", "01-shopify/shopify_products_apparel.csv", "Handle", LOST),
    ],
)
def test_a_shop_gets_its_own_file_back(
    office: Workspace, office_template: Path, tmp_path: Path, noun: str, preset: str, file: str, key: str,
    unlike: tuple[str, ...],
) -> None:  # fmt: skip
    # Given
    source = first_lines("08-chinese/tmall_order_report.csv", 500, tmp_path) if file == "tmall" else DATA / file
    import_file(office, noun, source)
    made = tmp_path / "made.csv"
    # When
    count = export_file(office, noun, made, ExportOptions(preset=preset))
    # Then
    with open(source, encoding="utf-8-sig", newline="") as before, open(made, encoding="utf-8", newline="") as after:
        columns = [name.strip() for name in next(csv.reader(before)) if name not in unlike]
        written = next(csv.reader(after))
    filled = {name for cells in grouped(source, key, columns).values() for name, _cell in cells}
    assert not filled - set(written)
    ours, theirs = grouped(made, key, columns), grouped(source, key, columns)
    for name, cells in theirs.items():
        assert (name, cells - ours[name], ours[name] - cells) == (name, Counter(), Counter())
    assert len(ours) == count
    # and it says nothing new here, and the same elsewhere
    again = import_file(office, noun, made)
    assert (again.rejected, again.read) == (0, count), again.problems[:3]
    with another(office_template, tmp_path / "other") as other:
        assert import_file(other, noun, made).created == count
        names = ("lines", *TOTALS, "number", "state") if noun == "orders" else ("handle", "title", "variants", "media")
        assert told(other, noun, tmp_path / "b.jsonl", fields=names) == told(
            office, noun, tmp_path / "a.jsonl", fields=names
        )
