"""Rows of a file that are one record: gathered together or apart, into lists, sums and picks, and nothing lost."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bo.core.exchange import open_source
from bo.core.exchange.gathering import Gather, GatheredRow, gathered
from bo.core.exchange.mapping import SavedMapping, find_preset, read_mapping
from bo.core.exchange.pipeline import import_file
from bo.core.exchange.report import ImportOptions
from bo.core.kernel.errors import BadFile
from bo.core.kernel.workspace import Workspace
from bo.core.orders.records import Order, OrderLine

ORDERS = """Name,Total,Tip,Status,Item,Pieces,Note
#1,30.00,1.50,paid,Cup,2,first
#1,,,,Pot,1,second
#2,5.00,,open,Cup,1,
"""
LINES: dict[str, Any] = {"needs": ["name"], "columns": {"Item": "name", "Pieces": "quantity"}}


def rows_of(folder: Path, text: str, **how: Any) -> list[dict[str, Any]]:
    """The gathered rows, lists and what is left over read from their JSON; a problem as it is told."""
    path = folder / "file.csv"
    path.write_text(text, "utf-8")
    with open_source(path) as source:
        made = gathered(source, msgspec.convert(how, Gather))
        found: list[dict[str, Any]] = []
        for row in made:
            if row.problem is not None:
                found.append({"problem": str(row.problem)})
                continue
            cells = dict(zip(made.columns, row.cells, strict=True))
            found.append({name: _read(name, cell, how) for name, cell in cells.items() if cell})
        return found


def _read(name: str, cell: str | None, how: dict[str, Any]) -> object:
    return msgspec.json.decode(cell or "") if name in (*how.get("lists", {}), "extra") else cell


def test_rows_of_one_key_become_one_row_with_a_list(tmp_path: Path) -> None:
    first, second = rows_of(tmp_path, ORDERS, key="Name", lists={"lines": LINES})

    assert first == {
        "Name": "#1",
        "Total": "30.00",
        "Tip": "1.50",
        "Status": "paid",
        "Note": "first",
        "lines": [{"name": "Cup", "quantity": "2"}, {"name": "Pot", "quantity": "1"}],
        "extra": {"Note (2)": "second"},
    }
    assert (second["Name"], second["lines"]) == ("#2", [{"name": "Cup", "quantity": "1"}])
    assert "extra" not in second


def test_sums_totals_and_picks_are_worked_out(tmp_path: Path) -> None:
    first, second = rows_of(
        tmp_path,
        ORDERS,
        key="Name",
        lists={"lines": LINES},
        sums={"all": ["Total", "Tip"], "less": ["Total", "-Tip"]},
        totals={"pieces": "Pieces"},
        picks={"paid": {"by": "Status", "take": {"paid": "less"}}, "else": {"by": "Status", "take": {"*": "Total"}}},
    )

    assert [first[name] for name in ("all", "less", "pieces", "paid", "else")] == [
        "31.50", "28.50", "3", "28.50", "30.00",
    ]  # fmt: skip
    assert ("paid" in second, second["else"]) == (False, "5.00")


def test_rows_that_stand_apart_are_told_unless_the_mapping_says_so(tmp_path: Path) -> None:
    text = ORDERS + "#1,,,,Lid,4,\n"

    told = rows_of(tmp_path, text, key="Name", lists={"lines": LINES})
    assert [row.get("problem", "") for row in told] == ["", "", "the rows of #1 do not stand together"]

    together = rows_of(tmp_path, text, key="Name", apart=True, lists={"lines": LINES})
    assert [len(row["lines"]) for row in together] == [3, 1]


def test_of_several_keys_the_first_that_is_filled_counts_and_the_head_is_the_row_without(tmp_path: Path) -> None:
    text = "Parent,SKU,Name,Price\nT,T-1,red,5\n,T,Tee,\n,M,Mug,3\n"
    variants = {"needs": ["price"], "columns": {"SKU": "sku", "Price": "price"}}

    tee, mug = rows_of(tmp_path, text, key=["Parent", "SKU"], named="handle", apart=True, lists={"variants": variants})
    assert (tee["handle"], tee["Name"], tee["variants"]) == ("T", "Tee", [{"sku": "T-1", "price": "5"}])
    assert (mug["handle"], mug["variants"]) == ("M", [{"sku": "M", "price": "3"}])


def test_numbers_are_multiplied_and_rounded_and_what_was_written_stays(tmp_path: Path) -> None:
    text = "K,Weight,Sales\na,0.0683,16.448\na,1,3.004\na,2,0.004\n"
    lines = {
        "columns": {"Weight": "grams", "Sales": "total"},
        "times": {"Weight": "1000"},
        "round": {"grams": 0},
        "round_sum": {"total": 2},
    }

    (row,) = rows_of(tmp_path, text, key="K", lists={"lines": lines})
    assert [line["grams"] for line in row["lines"]] == ["68", "1000", "2000"]
    assert [line["total"] for line in row["lines"]] == ["16.45", "3.00", "0.01"]  # 19.456 is 19.46
    assert row["lines"][0]["extra"] == {"Weight": "0.0683", "total, exactly": "16.448"}


def test_a_cell_may_make_several_entries(tmp_path: Path) -> None:
    text = 'K,Images,Image 2,Alt\na,"1.jpg, 2.jpg",3.jpg,picture\n'
    media = {"needs": ["url"], "split": {"url": ","}, "columns": {"Images": "url", "Image 2": "url", "Alt": "alt"}}

    (row,) = rows_of(tmp_path, text, key="K", lists={"media": media})
    assert row["media"] == [{"url": f"{number}.jpg", "alt": "picture"} for number in (1, 2, 3)]


def test_words_constants_first_columns_and_extras_of_an_entry(tmp_path: Path) -> None:
    text = "K,Sale,Regular,Policy,Line tax,Line code\na,4,5,deny,1,x\na,,5,,,\n"
    lines = {
        "first": {"price": ["Sale", "Regular"]},
        "columns": {"Policy": "backorder"},
        "values": {"backorder": {"deny": "no", "": "yes"}},
        "set": {"quantity": "1"},
        "extra": ["Line *", "!Line code"],
    }

    (row,) = rows_of(tmp_path, text, key="K", lists={"lines": lines})
    assert row["lines"] == [
        {"price": "4", "backorder": "no", "quantity": "1", "extra": {"Line tax": "1"}},
        {"price": "5", "backorder": "yes", "quantity": "1"},
    ]
    assert row["Line code"] == "x"


def test_what_no_list_takes_is_left_over_with_the_number_of_its_row(tmp_path: Path) -> None:
    text = "K,Title,Price,Grams\na,Cup,,12\na,,5,13\na,Mug,,14\n"
    variants = {"needs": ["price"], "columns": {"Price": "price", "Grams": "weight_g"}}

    (row,) = rows_of(tmp_path, text, key="K", lists={"variants": variants})
    assert row["variants"] == [{"price": "5", "weight_g": "13"}]
    assert row["extra"] == {"Grams": "12", "Title (3)": "Mug", "Grams (3)": "14"}


def test_columns_are_found_in_any_spelling(tmp_path: Path) -> None:
    lines = {"columns": {"Variant Compare At Price": "compare_at"}}

    (row,) = rows_of(tmp_path, "K,Variant Compare-at Price\na,5\n", key="k", lists={"lines": lines})
    assert row["lines"] == [{"compare_at": "5"}]


def test_a_file_without_the_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadFile):
        rows_of(tmp_path, ORDERS, key="Order")


def test_the_rows_as_they_came_stay_with_the_record(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_text(ORDERS, "utf-8")
    with open_source(path) as source:
        (first, _second) = gathered(source, Gather(key="Name"))

    assert isinstance(first, GatheredRow)
    assert [(row.line, list(row.cells)[4]) for row in first.parts] == [(2, "Cup"), (3, "Pot")]


# -- imports -----------------------------------------------------------------------------------------------------------

SHOPIFY = """Name,Created at,Total,Financial Status,Fulfillment Status,Currency,Lineitem name,Lineitem quantity,\
Lineitem price,Lineitem sku,Refunded Amount
#1,2026-01-05 10:00:00 -0500,{total},paid,,USD,Cup,2,10.00,C-1,{refunded}
#1,,,,,,{second},1,5.00,P-1,
#2,2026-01-06 10:00:00 -0500,7.00,pending,,USD,Cup,1,7.00,C-1,0.00
"""


def written(folder: Path, total: str = "25.00", refunded: str = "0.00", second: str = "Pot") -> Path:
    path = folder / "orders.csv"
    path.write_text(SHOPIFY.format(total=total, refunded=refunded, second=second), "utf-8")
    return path


def outcome(office: Workspace, path: Path, **options: Any) -> dict[str, int]:
    report = import_file(office, "orders", path, ImportOptions(**options))
    return {name: count for name, count in report.counts().items() if count}


def lines(office: Workspace) -> list[tuple[str, int]]:
    return sorted((line.name, line.quantity) for line in office.reader().records(OrderLine))


def test_importing_again_changes_nothing(office: Workspace, tmp_path: Path) -> None:
    assert outcome(office, written(tmp_path)) == {"read": 2, "created": 2}
    assert outcome(office, written(tmp_path)) == {"read": 2, "unchanged": 2}
    assert lines(office) == [("Cup", 1), ("Cup", 2), ("Pot", 1)]


def test_a_later_file_changes_what_it_tells_differently(office: Workspace, tmp_path: Path) -> None:
    outcome(office, written(tmp_path))

    assert outcome(office, written(tmp_path, refunded="5.00")) == {"read": 2, "updated": 1, "unchanged": 1}
    assert outcome(office, written(tmp_path, refunded="5.00", second="Lid")) == {
        "read": 2, "updated": 1, "unchanged": 1,
    }  # fmt: skip
    made = office.reader().get(Order, "#1")
    assert (made.captured, made.refunded, made.payment) == (2500, 500, "part_refunded")
    assert lines(office) == [("Cup", 1), ("Cup", 2), ("Lid", 1), ("Pot", 1)]
    assert outcome(office, written(tmp_path, refunded="5.00", second="Lid")) == {"read": 2, "unchanged": 2}


def test_an_order_that_is_refused_goes_to_the_reject_file_with_all_its_rows(office: Workspace, tmp_path: Path) -> None:
    rejects = tmp_path / "rejects.csv"
    path = written(tmp_path, refunded="99.00")

    assert outcome(office, path, rejects=rejects) == {"read": 2, "created": 1, "rejected": 1}
    told = rejects.read_text("utf-8-sig")
    rejected = list(csv.DictReader(told.splitlines()))
    assert [(row["Name"], row["Lineitem name"]) for row in rejected] == [("#1", "Cup"), ("#1", "Pot")]
    assert "more was refunded than paid" in told
    mended = tmp_path / "mended.csv"
    mended.write_text(told.replace("99.00", "9.00"), "utf-8")
    assert outcome(office, mended) == {"read": 1, "created": 1}
    assert office.reader().get(Order, "#1").refunded == 900


def test_a_shipped_mapping_is_found_by_the_header_and_says_what_it_is_for() -> None:
    columns = ["Handle", "Title", "Option1 Name", "Option1 Value", "Variant Price", "Anything"]
    found = find_preset("products", columns)

    assert found is not None
    assert Path(found.name).name == "shopify_products.toml"
    assert find_preset("customers", columns) is None


def test_every_shipped_mapping_can_be_read_and_begins_with_words() -> None:
    folder = Path(SavedMapping.__module__.replace(".", "/")).parent / "presets"
    found = sorted((Path(__file__).parents[3] / "src" / folder).glob("*.toml"))

    assert len(found) > 15
    for path in found:
        saved = read_mapping(path)
        assert saved.match.noun or saved.refuse, path.name
        assert saved.match.columns, path.name
        assert path.read_text("utf-8").startswith("# "), path.name
