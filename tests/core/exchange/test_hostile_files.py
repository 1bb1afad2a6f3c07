"""Files made to do harm, and files that have come to harm: each is read or refused in words, in bounded memory."""

from __future__ import annotations

import bz2
import gzip
import io
import random
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bo.core.exchange import Limits, open_source
from bo.core.kernel.errors import BadInput, UsageError
from tests.core.exchange.files import text_row, workbook

LIMITS = Limits(record_chars=64 << 10, unpacked_bytes=8 << 20, workbook_bytes=16 << 20, workbook_seconds=20)
MEMORY_MAX = 64 << 20

TABLE = 'id,name,city\n1,"Ada, L.",杭州\n2,"line\nbreak",上海\n3,=1+1,\n'.encode() * 30
OBJECTS = b'[{"id": 1, "name": "Ada", "tags": ["a", {"b": null}]},\n {"id": 2.50, "on": true, "x": "\\u00e9"}]'
LINES = b'{"id": 1, "name": "Ada"}\n{"id": 2, "tags": [1, 2]}\n' * 20
ODS = (
    '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
    ' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
    ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>'
    '<table:table table:name="S"><table:table-row>{cells}</table:table-row></table:table>'
    "</office:spreadsheet></office:body></office:document-content>"
)
ODS_CELL = '<table:table-cell office:value-type="string"{more}><text:p>x</text:p></table:table-cell>'


def zipped(parts: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return target.getvalue()


def ods(cells: str) -> bytes:
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = (
        '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/></manifest:manifest>'
    )
    parts = {"mimetype": kind, "content.xml": ODS.format(cells=cells), "META-INF/manifest.xml": manifest}
    return zipped({name: part.encode() for name, part in parts.items()})


def xlsx(folder: Path, rows: str, **parts: str) -> bytes:
    return workbook(folder / "made.xlsx", [("S", rows)], **parts).read_bytes()


def outcome(path: Path, data: bytes, **options: object) -> str:
    """What comes of a file: "read", or the code of the refusal. Everything else is a failure of the test."""
    path.write_bytes(data)
    try:
        with open_source(path, limits=LIMITS, **options) as source:  # type: ignore[arg-type]
            for row in source:
                assert row.problem is not None or len(row.cells) == len(source.columns)
    except (BadInput, UsageError) as error:
        return error.code if error.hint else "no hint"
    return "read"


def damaged(data: bytes, chance: random.Random) -> bytes:
    """A copy with a few bytes changed, cut out, doubled or put in."""
    result = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        at, length = chance.randrange(len(result) + 1), chance.choice((1, 1, 2, 4, 64))
        action = chance.randrange(5)
        if action == 0:
            result[at : at + length] = chance.randbytes(length)
        elif action == 1:
            del result[at : at + length]
        elif action == 2:
            result[at:at] = chance.choice((b'"', b"\0", b"\n", b"\r", b",", b"\xff", b"{", b"\\", b"[" * 50, b"'"))
        elif action == 3:
            result[at:at] = result[at : at + length]
        else:
            del result[at:]
    return bytes(result)


TEXTS: dict[str, Callable[[], bytes]] = {
    "a.csv": lambda: TABLE,
    "gb.csv": lambda: TABLE.decode().encode("gb18030"),
    "wide.csv": lambda: TABLE.decode().encode("utf-16"),
    "a.tsv": lambda: TABLE.replace(b",", b"\t"),
    "a.json": lambda: OBJECTS,
    "a.jsonl": lambda: LINES,
    "a.csv.gz": lambda: gzip.compress(TABLE, mtime=0),
    "a.csv.bz2": lambda: bz2.compress(TABLE),
    "a.zip": lambda: zipped({"a.csv": TABLE}),
}


@pytest.mark.parametrize("name", TEXTS)
def test_sixty_damaged_copies_of_each_kind_are_read_or_refused(tmp_path: Path, name: str) -> None:
    chance, data = random.Random(name), TEXTS[name]()
    tracemalloc.start()
    outcomes = [outcome(tmp_path / name, damaged(data, chance)) for _ in range(60)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert set(outcomes) <= {"read", "bad_file"}
    assert peak < MEMORY_MAX


@pytest.mark.parametrize("kind", ["xlsx", "ods"])
def test_damaged_workbooks_are_read_or_refused(tmp_path: Path, kind: str) -> None:
    chance = random.Random(kind)
    rows = "".join(text_row(number, f"id {number}", "Ada", "杭州") for number in range(1, 40))
    whole = xlsx(tmp_path, rows) if kind == "xlsx" else ods(ODS_CELL.format(more="") * 20)
    assert outcome(tmp_path / f"a.{kind}", whole) == "read"
    outcomes = [outcome(tmp_path / f"a.{kind}", damaged(whole, chance)) for _ in range(12)]
    # The parts themselves damaged, in an archive that is whole.
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for _ in range(12):
        name = chance.choice(sorted(parts))
        outcomes.append(outcome(tmp_path / f"a.{kind}", zipped({**parts, name: damaged(parts[name], chance)})))
    assert set(outcomes) <= {"read", "bad_file"}


@given(st.binary(max_size=400), st.sampled_from(["a.csv", "a.tsv", "a.json", "a.jsonl", "a", "a.xlsx"]))
@settings(max_examples=150)
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes, name: str) -> None:
    folder = tmp_path_factory.getbasetemp() / "any"
    folder.mkdir(exist_ok=True)
    assert outcome(folder / name, data) in ("read", "bad_file")


@given(st.text(alphabet=st.sampled_from("ab1\"',;\t\n\r\\ \0|`#{}[]:=é杭\u2028\ufeff"), max_size=80))
@settings(max_examples=150)
def test_any_text_of_awkward_characters_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.getbasetemp() / "text"
    folder.mkdir(exist_ok=True)
    assert outcome(folder / "a.csv", text.encode()) in ("read", "bad_file")
    assert outcome(folder / "a.json", text.encode()) in ("read", "bad_file")


BOMBS: dict[str, Callable[[Path], bytes]] = {
    "gz.csv.gz": lambda _folder: gzip.compress(b"a,b\n" + b"1,2\n" * (4 << 20)),
    "one line.csv.gz": lambda _folder: gzip.compress(b"x" * (16 << 20)),
    "bz2.csv.bz2": lambda _folder: bz2.compress(b"x" * (16 << 20)),
    "zip.zip": lambda _folder: zipped({"a.csv": b"a,b\n" + b"1,2\n" * (4 << 20)}),
    "gz in gz.gz": lambda _folder: gzip.compress(gzip.compress(TABLE)),
    "large part.xlsx": lambda _folder: zipped({"xl/workbook.xml": b"<w/>", "xl/worksheets/s.xml": b"0" * (32 << 20)}),
    "many quotes.csv": lambda _folder: b'"' * (2 << 20),
    "many commas.csv": lambda _folder: b"," * (2 << 20),
    "commas after a header.csv": lambda _folder: b"a,b\n" + b"," * (2 << 20),
    "deep.json": lambda _folder: b"[" * (1 << 20),
    "deep objects.json": lambda _folder: b'{"a":' * (1 << 19),
    "one text.json": lambda _folder: b'[{"a": "' + b"x" * (4 << 20),
    "one number.json": lambda _folder: b'[{"a": ' + b"9" * (4 << 20),
    "many fields.json": lambda _folder: b"[{" + b",".join(b'"%d":1' % index for index in range(20_000)) + b"}]",
    "repeated.ods": lambda _folder: ods(ODS_CELL.format(more=' table:number-columns-repeated="2000000000"')),
    "far.xlsx": lambda folder: xlsx(
        folder, text_row(1, "id") + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    ),
    "entities.xlsx": lambda folder: xlsx(folder, '<row r="1"><c r="A1"><v>&lol;</v></c></row>'),
    "no place.xlsx": lambda folder: xlsx(folder, '<row r="99999999999"><c r="ZZZZZ0"><v>1</v></c></row>'),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_read_or_refused_in_little_memory(tmp_path: Path, name: str) -> None:
    data = BOMBS[name](tmp_path)
    tracemalloc.start()
    assert outcome(tmp_path / name, data) in ("read", "bad_file")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MEMORY_MAX


def test_a_zip_that_lies_about_its_sizes_is_stopped_while_unpacking(tmp_path: Path) -> None:
    data = bytearray(zipped({"a.csv": b"a,b\n" + b"1,2\n" * (4 << 20)}))
    size = (4 + (16 << 20)).to_bytes(4, "little")
    assert data.count(size) == 2
    assert outcome(tmp_path / "a.zip", bytes(data.replace(size, (100).to_bytes(4, "little")))) in ("read", "bad_file")
