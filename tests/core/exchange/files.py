"""Files made for the tests of import and export, and what is read from them."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bo.core.exchange import Source

TYPES = """<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Default Extension="xml" ContentType="application/xml"/>
<Override PartName="/xl/workbook.xml"
 ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>"""
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


class Read(msgspec.Struct, frozen=True):
    """All that came out of a source."""

    columns: list[str]
    rows: list[list[str | None]]
    problems: dict[int, str]
    notes: list[str]


def read(source: Source) -> Read:
    """Read a source to its end; problems by the line they are on."""
    with source:
        rows = list(source)
    good = [list(row.cells) for row in rows if row.problem is None]
    return Read(source.columns, good, {row.line: str(row.problem) for row in rows if row.problem}, source.notes)


def workbook(path: Path, sheets: Sequence[tuple[str, str]], *, shared: str = "", more: str = "") -> Path:
    """An XLSX of these sheets: a name, `!` in front if it is hidden, and the XML inside its sheetData."""
    names = "".join(
        f'<sheet name="{name.lstrip("!")}" sheetId="{number}" r:id="rId{number}"'
        + (' state="hidden"' if name.startswith("!") else "")
        + "/>"
        for number, (name, _xml) in enumerate(sheets, 1)
    )
    relations = "".join(
        f'<Relationship Id="rId{number}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{number}.xml"/>'
        for number in range(1, len(sheets) + 1)
    )
    if shared:
        relations += f'<Relationship Id="rIdS" Type="{OFFICE}/sharedStrings" Target="sharedStrings.xml"/>'
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", TYPES)
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{package}"><Relationship Id="rId1" Type="{OFFICE}/officeDocument"'
            ' Target="xl/workbook.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{names}</sheets></workbook>'
        )
        archive.writestr("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{package}">{relations}</Relationships>')
        if shared:
            archive.writestr("xl/sharedStrings.xml", f'<sst xmlns="{MAIN}">{shared}</sst>')
        for number, (_name, xml) in enumerate(sheets, 1):
            archive.writestr(
                f"xl/worksheets/sheet{number}.xml",
                f'<worksheet xmlns="{MAIN}"><sheetData>{xml}</sheetData>{more}</worksheet>',
            )
    return path


def text_row(number: int, *cells: str) -> str:
    """One row of a sheet, its cells as text; a blank one is left out."""
    inside = "".join(
        f'<c r="{chr(65 + index)}{number}" t="inlineStr"><is><t>{cell}</t></is></c>'
        for index, cell in enumerate(cells)
        if cell
    )
    return f'<row r="{number}">{inside}</row>'
