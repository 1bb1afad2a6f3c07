"""OFX, which closes its tags or not, and QIF, which says next to nothing."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from bo.core.banking.statement import NotAStatement
from tests.core.banking.files import read

SGML = """OFXHEADER:100
DATA:OFXSGML

<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>USD
<BANKACCTFROM><BANKID>1<ACCTID>9100<ACCTTYPE>CHECKING</BANKACCTFROM>
<BANKTRANLIST><DTSTART>20261101<DTEND>20261130
<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>20261103120000[-5:EST]<TRNAMT>-12.50<FITID>F1<NAME>Joe &amp; Sons<MEMO>Rent</STMTTRN>
<STMTTRN><TRNTYPE>SRVCHG<DTPOSTED>20261104<TRNAMT>-1,00<FITID>F2<NAME>Bank</STMTTRN>
</BANKTRANLIST><LEDGERBAL><BALAMT>86.50<DTASOF>20261130</LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>
"""


def test_tags_that_never_close_are_read(tmp_path: Path) -> None:
    (statement,) = read(tmp_path, SGML)
    first, second = statement.lines
    assert (statement.account, statement.currency, statement.opening, statement.closing) == ("9100", "USD", 10000, 8650)
    assert (statement.from_day, statement.until_day) == (date(2026, 11, 1), date(2026, 11, 30))
    assert (first.day, first.amount, first.counterparty, first.purpose, first.bank_reference) == (
        date(2026, 11, 3), -1250, "Joe & Sons", "Rent", "F1",
    )  # fmt: skip
    assert (second.amount, second.kind) == (-100, "fee")
    assert statement.notes == ("the opening balance is reckoned from the closing one",)


def test_tags_that_close_are_read_alike(tmp_path: Path) -> None:
    text = '<?xml version="1.0"?><?OFX OFXHEADER="200" VERSION="211"?>' + SGML.partition("\n\n")[2]
    for tag in ("CURDEF", "BANKID", "ACCTID", "ACCTTYPE", "DTSTART", "DTEND", "TRNTYPE", "DTPOSTED", "TRNAMT", "FITID",
                "NAME", "MEMO", "BALAMT", "DTASOF"):  # fmt: skip
        parts = text.split(f"<{tag}>")
        text = parts[0] + "".join(
            f"<{tag}>{part.partition('<')[0].strip()}</{tag}><{part.partition('<')[2]}" for part in parts[1:]
        )
    assert read(tmp_path, text)[0].lines[1].amount == -100


def test_a_file_that_breaks_off_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotAStatement, match="breaks off: STMTTRN of line 8 never ends"):
        read(tmp_path, SGML[: SGML.index("Bank</STMTTRN>")])


def test_a_document_type_is_refused(tmp_path: Path) -> None:
    bomb = SGML.replace("<OFX>", '<!DOCTYPE x [<!ENTITY a "aaaa">]><OFX>')
    with pytest.raises(NotAStatement, match="declares a document type"):
        read(tmp_path, bomb)


def test_days_of_a_qif_settle_each_other(tmp_path: Path) -> None:
    text = "!Type:Bank\nD3/4'26\nT-1,000.00\nPRent\nMMarch\n^\nD3/15'26\nT20.00\n^\n"
    (statement,) = read(tmp_path, text, currency="USD")
    assert [(line.day, line.amount, line.counterparty) for line in statement.lines] == [
        (date(2026, 3, 4), -100000, "Rent"), (date(2026, 3, 15), 2000, ""),
    ]  # fmt: skip


def test_a_qif_of_days_that_can_be_read_in_two_ways_asks(tmp_path: Path) -> None:
    text = "!Type:Bank\nD3/4/26\nT1.00\n^\n"
    with pytest.raises(NotAStatement, match="line 2: 3/4/26 can be read in two ways"):
        read(tmp_path, text, currency="USD")
    assert read(tmp_path, text, currency="USD", days="dmy")[0].lines[0].day == date(2026, 4, 3)


def test_a_qif_cut_off_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotAStatement, match="breaks off within the entry of line 2"):
        read(tmp_path, "!Type:Bank\nD3/14/26\nT1.00\n", currency="USD")
