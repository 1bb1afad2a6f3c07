"""MT940 in the ways that banks write it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from bo.core.banking.statement import NotAStatement, WrongSums
from tests.core.banking.files import read

HEAD = ":20:STARTUMS\n:25:37040044/0532013000\n:28C:00012/001\n:60F:C261031EUR1000,00\n"


def message(*fields: str, closing: str = "1000,00") -> str:
    return HEAD + "".join(field + "\n" for field in fields) + f":62F:C261130EUR{closing}\n-\n"


def test_a_german_statement_is_taken_apart(tmp_path: Path) -> None:
    # given
    text = message(
        ":61:2611021102CR250,5NTRFNONREF//B4711\n/OCMT/EUR250,50/",
        ":86:166?00GUTSCHRIFT?109251?20EREF+P-2026-1?21SVWZ+Rechnung 7 und?22 8?30DEUTDEFF\n?31DE021203000000002"
        "02051?32Li Lei?33 GmbH",
        closing="1250,50",
    )

    # when
    (statement,) = read(tmp_path, text)

    # then
    (line,) = statement.lines
    assert (statement.account, statement.number, statement.opening, statement.closing) == (
        "37040044/0532013000", "00012/001", 100000, 125050,
    )  # fmt: skip
    assert (line.day, line.amount, line.bank_reference, line.end_to_end_id) == (
        date(2026, 11, 2), 25050, "B4711", "P-2026-1",
    )  # fmt: skip
    assert (line.purpose, line.counterparty) == ("Rechnung 7 und 8", "Li Lei GmbH")
    assert line.counterparty_account == "DE02120300000000202051"


def test_names_between_slashes_are_taken_apart(tmp_path: Path) -> None:
    text = message(":61:261102D25,00N102EREF", ":86:/EREF/X-1/BENM//NAME/JANE DO\nE/REMI/Ref 12/ISDT/2026-11-02",
                   closing="975,00")  # fmt: skip
    (line,) = read(tmp_path, text)[0].lines
    assert (line.amount, line.end_to_end_id, line.counterparty, line.purpose) == (-2500, "X-1", "JANE DOE", "Ref 12")


def test_marks_of_reversals_turn_the_sign(tmp_path: Path) -> None:
    text = message(":61:261102RC10,00NTRFNONREF", ":61:261102RD4,00NTRFNONREF", closing="994,00")
    lines = read(tmp_path, text)[0].lines
    assert [(line.amount, line.kind) for line in lines] == [(-1000, "returned"), (400, "returned")]


def test_a_booking_around_the_new_year_gets_its_own_year(tmp_path: Path) -> None:
    text = message(":61:2612310102C1,00NTRFNONREF", ":61:2701021231C1,00NTRFNONREF", closing="1002,00")
    assert [line.day for line in read(tmp_path, text)[0].lines] == [date(2027, 1, 2), date(2026, 12, 31)]


def test_envelopes_many_statements_and_stray_lines_are_no_trouble(tmp_path: Path) -> None:
    one = "{1:F01BANKDEFFXXXX0000000000}{2:O940BANKDEFFXXXXN}{3:}{4:\n" + message().replace("-\n", "-}{5:}\n")
    text = "BANKDEFF\n940\n" + one + one.replace("\n", "\r\n")
    statements = read(tmp_path, text)
    assert [(item.opening, item.closing, item.lines) for item in statements] == [(100000, 100000, ())] * 2


def test_a_statement_cut_off_in_the_middle_is_refused(tmp_path: Path) -> None:
    text = HEAD + ":61:261102C10,00NTRFNONREF\n"
    with pytest.raises(NotAStatement, match="no statement with an account"):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        (":61:261302C1,00NTRF", r"line 5 \(:61:\): 261302 is no day"),
        (":61:nonsense", r"line 5 \(:61:\): nonsense is not an entry"),
        (":61:261102C1,005NTRF", "more decimals than EUR has"),
    ],
)
def test_an_entry_that_cannot_be_read_is_refused_with_its_line(tmp_path: Path, field: str, reason: str) -> None:
    with pytest.raises(NotAStatement, match=reason):
        read(tmp_path, message(field, closing="1001,00"))


def test_balances_in_two_currencies_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NotAStatement, match="the balances are in EUR and USD"):
        read(tmp_path, message().replace(":62F:C261130EUR", ":62F:C261130USD"))


def test_sums_that_are_not_met_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongSums, match=r"not the closing balance 1000\.00 EUR"):
        read(tmp_path, message(":61:261102C1,00NTRFNONREF"))
