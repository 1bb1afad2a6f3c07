"""Real files imported as leads: every row is counted once, every cell is found again, and nothing changes twice.

They lie beside the project (`../shared/data`, or `BO_REAL_DATA`) and are not part of it; without them these tests are
skipped.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bo.core.exchange import open_source
from bo.core.exchange.export import ExportOptions, export_file
from bo.core.exchange.pipeline import import_file
from bo.core.exchange.report import ImportOptions, ImportReport, RowOutcome
from bo.core.exchange.source import Format, Row
from bo.core.kernel.errors import BadFile
from bo.core.kernel.kinds import TagsKind
from bo.core.kernel.parsing import split_phones
from bo.core.kernel.record import Record, info_of
from bo.core.kernel.workspace import Workspace
from bo.core.leads.records import Lead
from bo.core.office import context_for

# Read at load, because the settings of whoever runs the tests are taken away before each of them.
DATA = Path(os.environ.get("BO_REAL_DATA") or Path(__file__).parents[4] / "shared" / "data")
ENDINGS = (".csv", ".tsv", ".xlsx", ".xls", ".ods", ".xlsb", ".gz", ".bz2")
FEW = 500
LEADS = DATA / "05-leads-crm"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the real files are not here")


def names(*folders: str) -> list[str]:
    found = [path for folder in folders for path in (DATA / folder).rglob("*") if path.suffix in ENDINGS]
    return sorted(path.relative_to(DATA).as_posix() for path in found)


def imported(
    office: Workspace, path: Path, rejects: Path, header_row: int | None = None
) -> tuple[ImportReport, dict[int, RowOutcome]]:
    told: dict[int, RowOutcome] = {}
    options = ImportOptions(
        rejects=rejects, header_row=header_row, on_row=lambda row: told.update({row.record: row}), problems_most=10_000
    )
    return import_file(office, "leads", path, options), told


def assert_adds_up(report: ImportReport, told: dict[int, RowOutcome]) -> None:
    counts = dict(report.counts())
    assert counts.pop("read") == sum(counts.values()) == len(told)
    for name, count in counts.items():
        assert count == sum(row.outcome == name for row in told.values()), name
    assert all(row.reason for row in told.values() if row.outcome == "rejected")


def is_found(lead: Record, header: str, cell: str) -> bool:
    """Whether a lead has the cell, as it was or as the kind of a field reads it."""
    if lead.extra.get(header) == cell:
        return True
    info = info_of(Lead)
    for item in info.fields:
        held = getattr(lead, item.name)
        if held is None or held == "" or item.name == "extra":
            continue
        if isinstance(item.kind, TagsKind) and held == item.kind.decode(cell, CONTEXT):
            return True
        if held == cell or _read(item.name, cell) == held:
            return True
    return _phones(cell) != [] and set(_phones(cell)) <= {getattr(lead, "phone", ""), getattr(lead, "phone2", "")}


CONTEXT = context_for("CN")


def _read(field: str, cell: str) -> object:
    try:
        return info_of(Lead).by_name[field].kind.decode(cell, CONTEXT)
    except Exception:
        return None


def _phones(cell: str) -> list[str]:
    try:
        return split_phones(cell, CONTEXT.region)
    except Exception:
        return []


def assert_every_cell_is_found(
    office: Workspace, columns: list[str], rows: list[Row], told: dict[int, RowOutcome], rejects: Path
) -> None:
    with open_source(rejects, unescape=True) as source:
        rejected = {
            row.cells[source.columns.index("bo_record")]: dict(zip(source.columns, row.cells, strict=True))
            for row in source
        }
    reader = office.reader()
    for row in rows:
        cells = [(place, cell) for place, cell in enumerate(row.cells) if cell and cell.strip()]
        if told[row.number].outcome == "rejected":
            kept = rejected[str(row.number)]
            assert kept["bo_reason"]
            for place, cell in cells:
                where = kept[columns[place]] if place < len(columns) else kept["bo_value"]
                assert where is not None
                assert cell == where or (place >= len(columns) and cell in where)
            continue
        lead = reader.get(Lead, told[row.number].id)
        for place, cell in cells:
            assert is_found(lead, columns[place], cell), (row.number, columns[place], cell)


def contents(office: Workspace) -> list[tuple[object, ...]]:
    fields = info_of(Lead).field_names
    _fields, batches = office.reader().stream("leads", "", fields=fields)
    return sorted(tuple(row) for batch in batches for row in batch)


def assert_nothing_changes_twice(
    office: Workspace, path: Path, folder: Path, first: ImportReport, header_row: int | None
) -> None:
    before = contents(office)
    again, _told = imported(office, path, folder / "again.csv", header_row)
    assert (again.created, again.updated, again.duplicate) == (0, 0, 0)
    assert again.rejected == first.rejected
    formats: tuple[Format, ...] = ("csv", "tsv", "json", "jsonl", "xlsx")
    for format in formats if len(before) < FEW else ("csv", "jsonl"):
        exported = folder / f"exported.{format}"
        count = export_file(office, "leads", exported, ExportOptions(format=format))
        assert count == len(before)
        if count:
            back = import_file(office, "leads", exported)
            assert back.counts() == {**back.counts(), "read": count, "unchanged": count}, back.problems
    assert contents(office) == before


def refusal_of(office: Workspace, path: Path) -> str:
    """Why the whole file is refused, or nothing; tried without keeping anything."""
    try:
        import_file(office, "leads", path, ImportOptions(dry_run=True))
    except BadFile as error:
        return str(error)
    return ""


def unreadable(path: Path) -> str:
    try:
        with open_source(path) as source:
            list(source)
    except BadFile as error:
        return str(error)
    return ""


def check(office: Workspace, path: Path, folder: Path, header_row: int | None = None) -> ImportReport:
    with open_source(path, header_row=header_row) as source:
        columns, rows = source.columns, list(source)
    rejects = folder / "rejects.csv"
    report, told = imported(office, path, rejects, header_row)
    assert report.read == len(rows)
    assert_adds_up(report, told)
    assert_every_cell_is_found(office, columns, rows, told, rejects)
    assert_nothing_changes_twice(office, path, folder, report, header_row)
    return report


@pytest.mark.parametrize("name", names("09-csv-torture", "10-spreadsheets"))
def test_files_that_are_hard_to_read_come_in_whole(office: Workspace, tmp_path: Path, name: str) -> None:
    path = DATA / name
    refusal = refusal_of(office, path)
    if not refusal:
        check(office, path, tmp_path)
        return
    assert contents(office) == []
    if "has no header" in refusal:
        check(office, path, tmp_path, header_row=0)
    else:
        assert refusal == unreadable(path)


@pytest.mark.parametrize(
    "name", names("05-leads-crm/salesforce-a", "05-leads-crm/faker-crm") + ["08-chinese/leads_template_zh.xlsx"]
)
def test_files_of_other_offices_come_in_whole(office: Workspace, tmp_path: Path, name: str) -> None:
    check(office, DATA / name, tmp_path)


def test_the_leads_of_x_education_come_in_whole(office: Workspace, tmp_path: Path) -> None:
    report = check(office, LEADS / "x-education_lead_scoring.csv", tmp_path)
    assert report.counts() == {
        "read": 9240,
        "created": 9240,
        "updated": 0,
        "unchanged": 0,
        "duplicate": 0,
        "rejected": 0,
    }
    assert "Lead Number" in report.extra_columns
