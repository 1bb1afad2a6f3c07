"""The table in docs/file-formats.md says of every real file of shops what becomes of it; here it is held to that.

The files lie beside the project; without them these tests are skipped.
"""

from __future__ import annotations

import csv
import re
import shutil
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from bo.core.exchange import open_source
from bo.core.exchange.escaping import unescape
from bo.core.exchange.export import ExportOptions, export_file
from bo.core.exchange.mapping import PRESETS, read_mapping
from bo.core.exchange.pipeline import import_file
from bo.core.exchange.report import ImportOptions
from bo.core.exchange.reversing import refusal
from bo.core.kernel.dispatch import Call
from bo.core.kernel.errors import BadFile, UsageError
from bo.core.kernel.workspace import Workspace
from bo.core.office import open_office
from tests.core.exchange.test_presets_real import DATA
from tests.core.exchange.test_round_trip import told

DOCS = Path(__file__).parents[3] / "docs" / "file-formats.md"
FOLDERS = ("01-shopify", "02-woocommerce", "03-platforms-erp", "04-public-orders")
REFUSED = "refused"
TOGETHER = ("northwind-csv", "olist-sample-a", "new-layout")  # files that stand on each other
SUMS = {"orders": "total", "order_lines": "total", "payments": "amount"}


class Said(msgspec.Struct, frozen=True):
    """A line of the table."""

    file: str
    noun: str
    by: str
    rows: str
    records: str
    sum: str


def table() -> list[Said]:
    cells = r"\| `([^`]+)` \| `(\w+)` \| ([^|]+) \| ([^|]*) \| ([^|]*) \| ([^|]*) \|"
    found = re.findall(cells, DOCS.read_text("utf-8"))
    return [Said(*(cell.strip(" `") for cell in line)) for line in found]


def outcome(office: Workspace, said: Said, folder: Path) -> Said:
    """What becomes of a file."""
    path = DATA / said.file
    prepare(office, said)
    try:
        report = import_file(office, said.noun, path, ImportOptions(rejects=folder / "rejects.csv"))
    except (BadFile, UsageError) as error:
        reason = str(error.facts.get("reason", "")) if "known and not" in error.message else said.sum
        return Said(said.file, said.noun, REFUSED, "", "", reason)
    again = import_file(office, said.noun, path, ImportOptions(rejects=folder / "rejects.csv"))
    assert (again.created, again.updated, again.rejected) == (0, 0, report.rejected), (said.file, again.problems[:2])
    with open_source(path, sheet=again_sheet(report.notes)) as source:
        rows = sum(1 for _row in source)
    by = Path(report.mapping).stem if report.mapping else "names"
    records = f"{report.created or report.updated}" + (f", {report.rejected} refused" if report.rejected else "")
    return Said(said.file, said.noun, by, str(rows), records, came_to(office, said.noun))


def again_sheet(notes: list[str]) -> str | None:
    found = next((re.match(r"table (\S+);", note) for note in notes if note.startswith("table ")), None)
    return found[1] if found else None


def prepare(office: Workspace, said: Said) -> None:
    """Stock is of products that are there, addresses are of customers."""
    if said.noun == "addresses":
        import_file(office, "customers", (DATA / said.file).with_name("customers_import.csv"))
    if said.noun != "stock":
        return
    products: dict[str, list[dict[str, str]]] = {}
    with open(DATA / said.file, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            products.setdefault(row["Handle"], []).append(row)
    calls = [
        Call("products.record", None, {"handle": handle, "title": rows[0]["Title"], "variants": [
            {f"option{at}": row[f"Option{at} Value"] for at in (1, 2, 3)} for row in rows]})
        for handle, rows in products.items()
    ]  # fmt: skip
    assert all(outcome.ok for outcome in office.run(calls, atomic=True))


def came_to(office: Workspace, noun: str) -> str:
    """What records come to: orders in money, products in variants, stock in pieces."""
    reader = office.reader()
    if noun == "products":
        return f"{reader.count('variants')} variants, {reader.count('media')} pictures"
    if noun == "stock":
        return f"{sum(row[1] for row in reader.page('stock', '', fields=['id', 'on_hand'], limit=5_000).rows):,} pieces"
    if noun not in SUMS:
        return ""
    found, after = Decimal(0), None
    while True:
        page = reader.page(noun, "", fields=["id", SUMS[noun]], limit=5_000, after=after)
        found, after = found + sum(row[1] for row in page.rows), page.after
        if after is None:
            return f"{found / 100:,.2f}"


def places() -> list[tuple[str, list[Said]]]:
    """Lines that are tried in one office each: files that stand on each other together, the others alone."""
    groups: dict[str, list[Said]] = {}
    for number, said in enumerate(table()):
        place = next((name for name in TOGETHER if name in said.file), "")
        groups.setdefault(place if place and said.by != REFUSED else str(number), []).append(said)
    return [(f"{lines[0].file}-{lines[0].noun}", lines) for lines in groups.values()]


def test_every_preset_that_there_is_stands_in_the_docs() -> None:
    text = DOCS.read_text("utf-8")
    for path in PRESETS.glob("*.toml"):
        mapping = read_mapping(path)
        if not mapping.refuse:
            assert f"`{path.stem}`" in text, path.stem


def test_the_docs_say_which_presets_are_written_too() -> None:
    written = [path.stem for path in sorted(PRESETS.glob("*.toml")) if is_written(path)]
    line = next(line for line in DOCS.read_text("utf-8").splitlines() if line.startswith("Written too:"))
    assert re.findall(r"`(\w+)`", line) == written


def is_written(path: Path) -> bool:
    mapping = read_mapping(path)
    return not (mapping.refuse or path.stem.startswith("bo_")) and not refusal(mapping)


@pytest.mark.skipif(not DATA.is_dir(), reason="the real files are not here")
def test_the_table_names_every_file() -> None:
    there = {path.relative_to(DATA).as_posix() for folder in FOLDERS for path in (DATA / folder).rglob("*.*")}
    assert {said.file for said in table()} == {name for name in there if (DATA / name).is_file()}


@pytest.mark.skipif(not DATA.is_dir(), reason="the real files are not here")
@pytest.mark.parametrize("lines", [lines for _name, lines in places()], ids=[name for name, _lines in places()])
def test_what_the_table_says_of_a_file_happens(office_template: Path, tmp_path: Path, lines: list[Said]) -> None:
    with open_office(shutil.copytree(office_template, tmp_path / "office")) as office:
        for said in lines:
            assert outcome(office, said, tmp_path) == said


ADDS_A_WORD = "shopify_orders_ltv_fixture"  # it has no Financial Status, which is then written


def written_again() -> list[Said]:
    presets = {path.stem for path in PRESETS.glob("*.toml") if is_written(path)}
    return [said for said in table() if said.by in presets and ADDS_A_WORD not in said.file]


@pytest.mark.skipif(not DATA.is_dir(), reason="the real files are not here")
@pytest.mark.parametrize("said", written_again(), ids=lambda said: said.file)
def test_a_preset_that_is_written_says_the_same_elsewhere(office_template: Path, tmp_path: Path, said: Said) -> None:
    made = tmp_path / "made.csv"
    with open_office(shutil.copytree(office_template, tmp_path / "one")) as one:
        import_file(one, said.noun, DATA / said.file, ImportOptions(rejects=tmp_path / "rejects.csv"))
        count = export_file(one, said.noun, made, ExportOptions(preset=said.by))
        wanted = told(one, said.noun, tmp_path / "one.jsonl")
    with open_office(shutil.copytree(office_template, tmp_path / "two")) as two:
        if count:
            report = import_file(two, said.noun, made)
            assert (report.created, Path(report.mapping).stem) == (count, said.by), report.problems[:3]
        assert [without_marks(row) for row in told(two, said.noun, tmp_path / "two.jsonl")] == wanted


def without_marks(row: dict[str, object]) -> dict[str, object]:
    """What a shop reads in cells that a spreadsheet would run."""
    extra = row["extra"]
    assert isinstance(extra, dict)
    return {**row, "extra": {name: unescape(str(value)) for name, value in extra.items()}}
