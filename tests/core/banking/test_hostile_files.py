"""Files that would do harm, or that break off: refused before anything is kept."""

from __future__ import annotations

import gzip
import random
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest

from bo.core.banking.statement import NotAStatement
from bo.core.kernel.errors import BadFile, BoError
from tests.core.banking.files import camt, detail, entry, read

LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">'
    + "".join(f'<!ENTITY lol{n} "{f"&lol{n - 1 if n > 1 else str()};" * 10}">' for n in range(1, 10))
    + "]>"
)


@pytest.mark.parametrize(
    "declared",
    [
        LAUGHS,
        '<!DOCTYPE x SYSTEM "http://127.0.0.1:1/evil.dtd">',
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
    ],
)
def test_xml_that_declares_entities_is_refused_unread(tmp_path: Path, declared: str) -> None:
    text = camt(entry("1.00", "CRDT", detail(text="&lol9;")), closing="101.00")
    text = declared + text.partition("?>")[2]
    with pytest.raises(NotAStatement, match="declares a document type or entities"):
        read(tmp_path, text, format="camt")


def test_xml_that_is_nested_without_end_is_refused(tmp_path: Path) -> None:
    text = camt("<Ntry>" + "<A>" * 100_000)
    with pytest.raises(NotAStatement, match="nested or filled beyond"):
        read(tmp_path, text)


def test_a_text_without_end_is_refused(tmp_path: Path) -> None:
    text = camt(entry("1.00", "CRDT", detail(text="x" * 100_000)))
    with pytest.raises(NotAStatement, match="nested or filled beyond"):
        read(tmp_path, text)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.999])
def test_a_file_that_breaks_off_is_refused_wherever_it_does(tmp_path: Path, share: float) -> None:
    text = camt(*[entry("1.00")] * 50, closing="150.00")
    with pytest.raises(NotAStatement):
        read(tmp_path, text[: int(len(text) * share)])


def test_a_long_statement_is_read_in_little_memory(tmp_path: Path) -> None:
    count = 5_000
    path = tmp_path / "long.xml"
    path.write_text(camt(*[entry("1.00", "CRDT", detail(text="Thanks"))] * count, closing=f"{100 + count}.00"))
    tracemalloc.start()

    (statement,) = read(tmp_path, path.read_bytes())

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert statement.total == count * 100
    assert peak < 40 * path.stat().st_size  # lines and entries of one statement, not a tree of the whole file


def test_a_packed_statement_is_read(tmp_path: Path) -> None:
    packed = gzip.compress(camt(entry("1.00"), closing="101.00").encode())
    assert read(tmp_path, packed, "file.xml.gz")[0].total == 100


@pytest.mark.parametrize("content", [b"", b"\x00" * 100, b"%PDF-1.7 x", b"\xff\xfe", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(BadFile):
        read(tmp_path, content)


def test_whatever_a_file_holds_it_is_read_or_refused(tmp_path: Path) -> None:
    """Cuts, swaps and repeats of good files never end in a fault."""
    chance = random.Random(5)
    good = [
        camt(entry("1.00", "CRDT", detail("1.00", "E", "N", "T")), closing="101.00"),
        ":20:X\n:25:1\n:28C:1\n:60F:C261031EUR1,00\n:61:2611021102C1,NTRFR//B\n:86:166?00A?20B\n:62F:C261130EUR2,00\n-\n",
        "<OFX><STMTRS><CURDEF>EUR<BANKTRANLIST><STMTTRN><DTPOSTED>20261102<TRNAMT>1</STMTTRN></BANKTRANLIST></STMTRS></OFX>",
        "!Type:Bank\nD3/15/26\nT1.00\n^\n",
        "Date,Description,Amount,Balance\n2026-11-02,a,5.00,15.00\n2026-11-02,b,10.00,25.00\n",
    ]
    for _ in range(400):
        text = list(chance.choice(good))
        for _change in range(chance.randint(1, 4)):
            at = chance.randrange(len(text))
            match chance.randint(0, 3):
                case 0:
                    del text[at : at + chance.randint(1, 20)]
                case 1:
                    text[at] = chance.choice("<>:,\n0-é天\t\"'")
                case 2:
                    text[at:at] = text[chance.randrange(len(text)) :][:30]
                case _:
                    text = text[: at + 1]
            if not text:
                break
        with suppress(BoError):
            read(tmp_path, "".join(text), currency="EUR")
