"""Exporting records: what stands in the file, and that importing it again changes nothing."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bo.core.exchange import open_source
from bo.core.exchange.export import ExportOptions, export_file
from bo.core.exchange.pipeline import commands_of, import_file
from bo.core.exchange.source import Format
from bo.core.kernel.dispatch import Call
from bo.core.kernel.errors import BadFile, NotAllowed, UsageError
from bo.core.kernel.record import declared_records, info_of
from bo.core.kernel.workspace import Workspace
from bo.core.leads.records import Lead
from bo.core.office import context_for, create

FORMATS: tuple[Format, ...] = ("csv", "tsv", "json", "jsonl", "xlsx")
FEW = ("number", "name", "budget", "consent", "tags", "reported_at", "extra")


RAKE: dict[str, object] = {
    "handle": "rake",
    "title": "=Rake",
    "option1": "Size",
    "variants": [{"option1": "S", "sku": "R-S", "price": "9.90", "extra": {"=x": "1"}}, {"option1": "M", "price": 5}],
    "media": [{"url": "https://shop.example/1.jpg", "alt": "-1"}],
}
ORDER: dict[str, object] = {
    "number": "#1",
    "channel": "web",
    "currency": "JPY",
    "captured": "300",
    "refunded": "100",
    "billing": {"Name": "@x"},
    "lines": [{"sku": "R-S", "name": "Rake", "quantity": 2, "price": "150", "fulfilled": 1}],
}


@pytest.fixture
def filled(office: Workspace) -> Workspace:
    """An office with something of every noun that can be imported, and what is hard to write down."""
    hard = {"=cmd|' /C calc'!A0": "-1+1", "two words": '"quoted",\n', "'kept": "'=1"}
    leads: list[dict[str, object]] = [
        {
            "number": "A1",
            "name": "=1+1",
            "phone": "13800138000",
            "budget": "1234.5",
            "tags": ["a,b", "c"],
            "extra": hard,
        },
        {"number": "007", "name": "'quoted", "budget": 1250, "currency": "JPY", "reported_at": "2026-10-31T09:30:00Z"},
        {"name": "王伟", "phone": "+8601065551234x12", "consent": False, "tags": ["-x", "[1]"], "note": "one\ntwo\t三"},
        {"name": "王伟", "phone": "13800138000", "wanted_store": "west", "referrer": "D1"},
    ]
    customer = {
        "number": "K1",
        "name": "@x",
        "phone": "13900139000",
        "store": "east",
        "extra": {"age": 30, "vip": True},
        "contacts": [{"kind": "email", "value": "=1@x.com", "name": "'Ann"}, {"value": "13900139001"}],
    }
    address = {"customer": "K1", "label": "-home", "city": "杭州", "address": "two\nlines", "preferred": True}
    store = {"contract_until": "2027-01-31", "closed_days": "2026-10-01,2026-10-02", "phone": "13700137000"}
    calls = [
        *(Call("leads.report", None, args) for args in leads),
        Call("customers.add", None, customer),
        Call("addresses.add", None, address),
        Call("territories.add", None, {"code": "T1", "store": "west", "city": "杭州"}),
        Call("stores.edit", "west", store),
        Call("operators.add", None, {"login": "ann", "roles": ["reviewer", "auditor"], "store": "west"}),
        Call("categories.add", None, {"path": "Garden > Tools"}),
        Call("products.record", None, RAKE),
        Call("orders.record", None, {**ORDER, "store": "west"}),
        Call("warehouses.add", None, {"code": "MAIN", "store": "west"}),
        Call("reorder_rules.add", None, {"variant": "R-S", "warehouse": "MAIN", "least": 1, "most": 2}),
        Call("stock.count", None, {"variant": "R-S", "warehouse": "MAIN", "on_hand": 3}),
        Call("exception_rules.add", None, {"code": "dear", "filter": "payment:unpaid"}),
        Call("bank_accounts.add", None, {"code": "MAIN", "holder": "=us", "number": "DE89370400440532013000"}),
        Call("automation_rules.add", None, {"code": "next", "on": "orders.pay", "then": "orders.allocate"}),
    ]
    office.run(calls, atomic=True)
    return office


def exported(office: Workspace, noun: str, path: Path, **options: object) -> str:
    export_file(office, noun, path, ExportOptions(**options))  # type: ignore[arg-type]  # each test gives options that exist
    return path.read_text("utf-8")


# -- what stands in the file -------------------------------------------------------------------------------------------


def test_json_lines_hold_decimals_flags_lists_and_facts(filled: Workspace, tmp_path: Path) -> None:
    lines = exported(filled, "leads", tmp_path / "leads.jsonl", fields=FEW, filter="sort:created").splitlines()
    assert [json.loads(line) for line in lines[:2]] == [
        {
            "number": "A1", "name": "=1+1", "budget": "1234.50", "consent": True, "tags": ["a,b", "c"],
            "reported_at": None, "currency": "CNY",
            "extra": {"=cmd|' /C calc'!A0": "-1+1", "two words": '"quoted",\n', "'kept": "'=1"},
        },
        {
            "number": "007", "name": "'quoted", "budget": "1250", "consent": True, "tags": None,
            "reported_at": "2026-10-31T09:30:00.000Z", "extra": None, "currency": "JPY",
        },
    ]  # fmt: skip


def test_cells_that_a_spreadsheet_would_run_are_escaped(filled: Workspace, tmp_path: Path) -> None:
    text = exported(
        filled,
        "leads",
        tmp_path / "leads.csv",
        fields=("name", "phone", "budget", "consent", "tags"),
        filter="sort:created",
    )
    assert text == (
        "name,phone,budget,consent,tags,currency\n"
        '\'=1+1,+8613800138000,1234.50,true,"[""a,b"",""c""]",CNY\n'
        "'quoted,,1250,true,,JPY\n"
        '王伟,\'+861065551234x12,,false,"[""-x"",""[1]""]",CNY\n'
        "王伟,+8613800138000,,true,,CNY\n"
    )


def test_an_export_is_filtered_sorted_and_limited(filled: Workspace, tmp_path: Path) -> None:
    text = exported(
        filled, "leads", tmp_path / "leads.tsv", fields=("number",), filter="number:any sort:number", limit=1
    )
    assert text == "number\n007\n"
    assert exported(filled, "leads", tmp_path / "none.json", filter="name:nobody") == "[]\n"
    assert exported(filled, "leads", tmp_path / "none.csv", fields=("name",), filter="name:nobody") == "name\n"
    assert exported(filled, "leads", tmp_path / "bom.csv", fields=("name",), limit=0, bom=True) == "\ufeffname\n"


def test_an_export_may_go_to_a_stream_which_stays_open(filled: Workspace) -> None:
    stream = io.BytesIO()
    assert export_file(filled, "stores", stream, ExportOptions(fields=("code",), format="json")) == 2
    assert stream.getvalue() == b'[\n{"code":"east"},\n{"code":"west"}\n]\n'


def test_amounts_in_a_workbook_are_numbers(filled: Workspace, tmp_path: Path) -> None:
    from python_calamine import CalamineWorkbook

    path = tmp_path / "leads.xlsx"
    export_file(filled, "leads", path, ExportOptions(fields=("number", "budget"), filter="number:any sort:number"))
    sheet = CalamineWorkbook.from_path(path).get_sheet_by_index(0)
    assert sheet.to_python() == [["number", "budget", "currency"], ["007", 1250.0, "JPY"], ["A1", 1234.5, "CNY"]]


def test_all_fields_people_may_see_are_written_and_those_kept_for_rules_are_not(
    filled: Workspace, tmp_path: Path
) -> None:
    header = exported(filled, "leads", tmp_path / "leads.csv", limit=0).strip().split(",")
    assert {"id", "state", "created_at", "extra", "number", "due_at"} <= set(header)
    assert {"revision", "scope", "import_key", "email_key"}.isdisjoint(header)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("leads.pdf", {}, "does not say its format"),
        ("leads", {}, "does not say its format"),
        ("leads.xls", {"format": "xls"}, "xls is not written"),
        ("leads.csv", {"fields": ("nmae",)}, "leads have no field nmae"),
        ("leads.csv", {"filter": "nmae:x"}, "leads have no field nmae"),
    ],
)
def test_what_cannot_be_exported_is_refused_and_leaves_an_older_file_alone(
    filled: Workspace, tmp_path: Path, name: str, options: dict[str, object], words: str
) -> None:
    path = tmp_path / name
    path.write_text("older")
    with pytest.raises(UsageError, match=words):
        exported(filled, "leads", path, **options)
    assert path.read_text() == "older"
    assert sorted(item.name for item in tmp_path.iterdir()) == sorted([name, "office"])


def test_a_folder_that_is_not_there_is_told(filled: Workspace, tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="cannot be written"):
        exported(filled, "leads", tmp_path / "none" / "leads.csv")


def test_who_may_not_read_may_not_export(filled: Workspace, tmp_path: Path) -> None:
    filled.actor = str(filled.do("operators.add", login="bob", roles="dispatcher").returned)
    with pytest.raises(NotAllowed):
        exported(filled, "operators", tmp_path / "operators.csv")
    assert not (tmp_path / "operators.csv").exists()


def test_an_operator_of_a_store_exports_what_that_store_holds(filled: Workspace) -> None:
    filled.actor = str(filled.do("operators.add", login="eve", roles="store", store="east").returned)
    stream = io.BytesIO()
    assert export_file(filled, "customers", stream, ExportOptions(fields=("number",))) == 1
    assert export_file(filled, "leads", io.BytesIO()) == 0


# -- there and back ----------------------------------------------------------------------------------------------------


def importable_nouns() -> list[str]:
    return [
        "leads", "customers", "stores", "territories", "referrers", "operators", "roles", "products", "variants",
        "categories", "media", "orders", "order_lines", "payments", "warehouses", "stock", "reorder_rules",
        "exception_rules", "automation_rules", "addresses", "contacts", "bank_accounts",
    ]  # fmt: skip


def test_the_list_of_nouns_that_are_imported_is_complete(filled: Workspace) -> None:
    filled.registry.load_all()
    ours = [info for info in declared_records().values() if info.cls.__module__.startswith("bo.")]
    assert sorted(info.noun for info in ours if info.create) == sorted(importable_nouns())


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("noun", importable_nouns())
def test_an_export_that_is_imported_again_changes_nothing(
    filled: Workspace, tmp_path: Path, noun: str, format: Format
) -> None:
    # Given
    path = tmp_path / f"all.{format}"
    count = export_file(filled, noun, path)
    before = filled.data_version()
    assert count > 0
    # When
    report = import_file(filled, noun, path)
    # Then
    assert report.counts() == {**dict.fromkeys(report.counts(), 0), "read": count, "unchanged": count}, report.problems
    assert filled.data_version() == before
    assert not [note for note in report.notes if "differs" in note]


@pytest.mark.parametrize("format", FORMATS)
def test_a_few_columns_of_an_export_change_nothing_either(filled: Workspace, tmp_path: Path, format: Format) -> None:
    path = tmp_path / f"few.{format}"
    export_file(filled, "leads", path, ExportOptions(fields=("number", "state", "name", "extra"), filter="number:any"))
    assert import_file(filled, "leads", path).counts()["unchanged"] == 2


def test_what_is_changed_in_an_export_is_changed_by_the_import_and_states_are_not(
    filled: Workspace, tmp_path: Path
) -> None:
    # Given
    path = tmp_path / "leads.csv"
    text = exported(filled, "leads", path, fields=("id", "number", "name", "state", "budget"))
    path.write_text(text.replace("'=1+1,pending_review", "Ann,won").replace("1234.50", "99.90"), "utf-8")
    # When
    report = import_file(filled, "leads", path)
    # Then
    assert report.counts() == {**report.counts(), "updated": 1, "unchanged": 3, "rejected": 0}
    lead = filled.reader().get(Lead, "A1")
    assert (lead.name, lead.budget, lead.state) == ("Ann", 9990, "pending_review")
    assert "set by commands and not imported: state" in report.notes
    assert "state differs in 1 rows, and an import does not change it" in report.notes
    assert report.ignored_columns == ["state"]


def test_an_export_fills_another_office(filled: Workspace, tmp_path: Path) -> None:
    # Given
    filled.run([Call("leads.report", None, {"number": "A9", "name": "later"})])
    path = tmp_path / "leads.jsonl"
    export_file(filled, "leads", path, ExportOptions(filter="number:any sort:created"))
    # When
    with create(tmp_path / "other", context_for("CN"), operator="li") as other:
        report = import_file(other, "leads", path)
        # Then
        assert report.counts() == {**report.counts(), "read": 3, "created": 3}
        lead = other.reader().get(Lead, "A1")
        assert (lead.name, lead.budget, lead.tags) == ("=1+1", 123450, ("a,b", "c"))
        assert lead.extra["two words"] == '"quoted",\n'
        assert lead.extra["id"] == filled.reader().get(Lead, "A1").id
        assert import_file(other, "leads", path).counts()["unchanged"] == 3


TEXTS = st.text(max_size=30)


@settings(max_examples=15)
@given(rows=st.lists(st.tuples(TEXTS, TEXTS, TEXTS), min_size=1, max_size=8))
def test_no_text_is_lost_on_the_way_out_and_in(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("texts")
    with create(folder / "office", context_for("CN"), operator="li") as office:
        calls = [
            Call("leads.report", None, {"name": name, "note": note, "extra": {"x": x} if x else {}})
            for name, note, x in rows
        ]
        made = sum(outcome.ok for outcome in office.run(calls))
        _info, _create, _edit = commands_of(office, "leads")
        for format in FORMATS:
            path = folder / f"all.{format}"
            assert export_file(office, "leads", path) == made
            if made:
                report = import_file(office, "leads", path)
                assert report.counts()["unchanged"] == made, (format, report.problems, report.rows)


def test_nothing_is_read_twice_from_an_export(filled: Workspace, tmp_path: Path) -> None:
    """Columns are called as fields are, so that no other mapping is needed."""
    path = tmp_path / "leads.csv"
    export_file(filled, "leads", path)
    with open_source(path, unescape=True) as source:
        assert set(source.columns) <= set(info_of(Lead).by_name)
