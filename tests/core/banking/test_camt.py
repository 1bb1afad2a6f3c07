"""camt.053, .052 and .054: what an entry says, and what of it is believed."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from bo.core.banking.statement import NotAStatement, WrongSums
from tests.core.banking.files import IBAN, camt, detail, entry, read


def test_an_entry_says_who_paid_what_for(tmp_path: Path) -> None:
    # given
    text = camt(
        entry("12.50", "CRDT", detail(end_to_end="E-1", name="Müller GmbH", text="Invoice 7"),
              more="<AcctSvcrRef>B1</AcctSvcrRef>"),
        entry("2.5", "DBIT"),
        closing="110.00",
    )  # fmt: skip

    # when
    (statement,) = read(tmp_path, text)

    # then
    first, second = statement.lines
    assert (statement.account, statement.number, statement.currency) == (IBAN, "S1", "EUR")
    assert (statement.opening, statement.closing, statement.total) == (10000, 11000, 1000)
    assert (statement.from_day, statement.until_day) == (date(2026, 11, 5), date(2026, 11, 30))
    assert (first.day, first.amount, first.counterparty, first.purpose) == (
        date(2026, 11, 5), 1250, "Müller GmbH", "Invoice 7",
    )  # fmt: skip
    assert (first.end_to_end_id, first.bank_reference, first.kind) == ("E-1", "B1", "payment")
    assert (second.amount, second.counterparty) == (-250, "")


@pytest.mark.parametrize("version", ["053.001.02", "053.001.04", "053.001.08", "053.001.13"])
def test_every_version_is_read(tmp_path: Path, version: str) -> None:
    text = camt(entry("1.00"), closing="101.00", version=version)
    text = text.replace("<Sts>BOOK</Sts>", "<Sts><Cd>BOOK</Cd></Sts>") if version >= "053.001.08" else text
    assert [line.amount for line in read(tmp_path, text)[0].lines] == [100]


def test_a_gathered_entry_becomes_a_line_for_each_transaction_where_they_make_it_up(tmp_path: Path) -> None:
    parts = detail("6.00", "E-1", "A") + detail("4.00", "E-2", "B")
    whole, odd = entry("10.00", "CRDT", parts, more="<AcctSvcrRef>B</AcctSvcrRef>"), entry("11.00", "CRDT", parts)

    (statement,) = read(tmp_path, camt(whole, odd, closing="121.00"))

    assert [(line.amount, line.end_to_end_id, line.bank_reference) for line in statement.lines] == [
        (600, "E-1", "B/1"), (400, "E-2", "B/2"), (1100, "", ""),
    ]  # fmt: skip
    assert statement.lines[2].facts["transactions"] == "2"


def test_a_returned_payment_and_a_reversal_are_told_as_such(tmp_path: Path) -> None:
    returned = detail(end_to_end="E-9", more="<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>")
    text = camt(
        entry("5.00", "CRDT", returned), entry("5.00", "DBIT", more="<RvslInd>true</RvslInd>"), closing="100.00"
    )

    first, second = read(tmp_path, text)[0].lines

    assert (first.kind, first.end_to_end_id, first.facts["return_reason"]) == ("returned", "E-9", "AC04")
    assert (second.kind, second.amount, second.facts["reversal"]) == ("returned", -500, "yes")


def test_what_is_not_booked_yet_is_left_out_and_told(tmp_path: Path) -> None:
    text = camt(entry("5.00").replace("BOOK", "PDNG"), entry("1.00"), closing="101.00")
    (statement,) = read(tmp_path, text)
    assert [line.amount for line in statement.lines] == [100]
    assert statement.notes == ("entries that are not booked yet, left out: 1",)


def test_a_report_of_the_day_needs_no_balances(tmp_path: Path) -> None:
    text = camt(entry("1.00")).replace("BkToCstmrStmt", "BkToCstmrAcctRpt").replace("Stmt>", "Rpt>")
    text = text.replace("camt.053", "camt.052").replace("OPBD", "ITBD").replace("CLBD", "ITBD")
    (statement,) = read(tmp_path, text)
    assert (statement.format, statement.opening, statement.closing, statement.total) == ("camt.052", None, None, 100)


def test_balances_that_do_not_agree_are_refused_with_the_figures(tmp_path: Path) -> None:
    with pytest.raises(WrongSums) as raised:
        read(tmp_path, camt(entry("1.00"), closing="101.01"))
    assert "100.00 and 1 entries of 1.00 make 101.00, not the closing balance 101.01 EUR" in str(raised.value)


def test_a_currency_mixed_in_is_refused_with_its_place(tmp_path: Path) -> None:
    text = camt(entry("1.00"), entry("1.00").replace("EUR", "USD"), closing="102.00")
    with pytest.raises(NotAStatement, match=r"Ntry 2 \(line 1\): an amount in USD in a statement in EUR"):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (entry("1.005"), "more decimals than EUR has"),
        (entry("-1.00"), "below zero"),
        (entry("1e9"), "exponent"),
        (entry("1.00").replace("CRDT", "BOTH"), "neither credit nor debit"),
        (entry("1.00").replace("<Amt Ccy='EUR'>1.00</Amt>", ""), "no amount"),
    ],
)
def test_an_entry_that_cannot_be_meant_is_refused(tmp_path: Path, broken: str, reason: str) -> None:
    with pytest.raises(NotAStatement, match=reason):
        read(tmp_path, camt(broken, closing="101.00"))


def test_large_sums_stay_exact(tmp_path: Path) -> None:
    text = camt(entry("1000000000.01"), opening="9000000000.99", closing="10000000001.00")
    assert read(tmp_path, text)[0].total == 100_000_000_001
