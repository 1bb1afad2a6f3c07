"""Exports of banks as tables: signs, decimals, days, balances, and mappings of one's own."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from bo.core.banking.formats.mapping import presets
from bo.core.banking.statement import NotAStatement, WrongSums
from bo.core.kernel.errors import BadFile
from tests.core.banking.files import read


def amounts(folder: Path, text: str | bytes, **hints: str) -> list[int]:
    return [line.amount for statement in read(folder, text, **hints) for line in statement.lines]


@pytest.mark.parametrize(
    "text",
    [
        "Date,Description,Amount,Currency\n2026-11-02,Rent,-1200.50,EUR\n2026-11-03,Sale,30.00,EUR\n",
        "Date,Description,Credit,Debit,Currency\n2026-11-02,Rent,,1200.50,EUR\n2026-11-03,Sale,30.00,,EUR\n",
        "Date,Description,Credit,Debit,Currency\n2026-11-02,Rent,,-1200.50,EUR\n2026-11-03,Sale,30.00,0.00,EUR\n",
        "Date,Description,Amount,D/C,Currency\n2026-11-02,Rent,1200.50,D,EUR\n2026-11-03,Sale,30.00,C,EUR\n",
        "Buchungstag;Verwendungszweck;Betrag;Währung\n02.11.2026;Rent;-1.200,50;EUR\n03.11.2026;Sale;30,00;EUR\n",
        "Auszug\n\nBuchungstag;Buchungstext;Betrag;Soll/Haben;Währung\n2.11.26;Rent;1200,50;S;EUR\n3.11.26;Sale;30,0;H;EUR\n",
        "日期\t摘要\t收入\t支出\t币种\n2026年11月2日\tRent\t\t1200.50\t欧元\n20261103\tSale\t30.00\t\t欧元\n",
    ],
)
def test_every_way_to_write_a_sign_is_understood(tmp_path: Path, text: str) -> None:
    (statement,) = read(tmp_path, text)
    assert [(line.day, line.amount, line.purpose) for line in statement.lines] == [
        (date(2026, 11, 2), -120050, "Rent"), (date(2026, 11, 3), 3000, "Sale"),
    ]  # fmt: skip


def test_balances_beside_the_lines_give_opening_and_closing_also_from_newest_to_oldest(tmp_path: Path) -> None:
    text = (
        "Date,Description,Amount,Balance\n2026-11-03,c,-5.00,20.00\n2026-11-02,b,10.00,25.00\n2026-11-02,a,5.00,15.00\n"
    )
    (statement,) = read(tmp_path, text, currency="EUR")
    assert [line.purpose for line in statement.lines] == ["a", "b", "c"]
    assert (statement.opening, statement.closing) == (1000, 2000)


def test_a_gap_in_the_balances_is_refused_with_its_line(tmp_path: Path) -> None:
    text = (
        "Date,Description,Amount,Balance\n2026-11-02,a,5.00,15.00\n2026-11-02,b,10.00,25.00\n2026-11-03,c,-5.00,21.00\n"
    )
    with pytest.raises(WrongSums, match=r"line 4: the balance 21\.00 does not follow from 25\.00 and -5\.00 EUR"):
        read(tmp_path, text, currency="EUR")


def test_each_currency_is_a_statement_of_its_own(tmp_path: Path) -> None:
    text = "Date,Description,Amount,Currency\n2026-11-02,a,5.00,EUR\n2026-11-02,b,700,JPY\n2026-11-03,c,1.00,EUR\n"
    assert [(item.currency, item.total) for item in read(tmp_path, text)] == [("EUR", 600), ("JPY", 700)]


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8-sig", "utf-16"])
def test_chinese_encodings_are_found_out(tmp_path: Path, encoding: str) -> None:
    text = "记账日期,货币,交易金额,联机余额,交易摘要,对手信息\n" + "".join(
        f'2026-11-{day:02d},人民币,"-1,000.00",{90000 - day * 1000}.00,转账汇款,张三\n' for day in range(1, 20)
    )
    (statement,) = read(tmp_path, text.encode(encoding))
    assert (statement.format, statement.currency, len(statement.lines)) == ("cmb", "CNY", 19)
    assert statement.lines[0].counterparty == "张三"
    assert (statement.opening, statement.closing) == (9000000, 7100000)


def test_a_day_or_an_amount_that_is_none_is_refused_with_its_line(tmp_path: Path) -> None:
    head = "Date,Description,Amount\n2026-11-02,a,5.00\n"
    for row, reason in [
        ("gestern,b,1.00", "line 3: gestern is not a day"),
        ("2026-11-31,b,1.00", "line 3: 2026-11-31 is no day"),
        ("2026-11-03,b,viel", "line 3: viel is not an amount"),
        ("2026-11-03,b,", "line 3: there is no amount"),
        ("2026-11-03,b,1e9", "line 3: 1e9 is written with an exponent"),
    ]:
        with pytest.raises(NotAStatement, match=reason):
            read(tmp_path, head + row + "\n", currency="EUR")


def test_days_that_can_be_read_in_two_ways_are_asked_for(tmp_path: Path) -> None:
    text = "Date,Description,Amount\n03/04/2026,a,5.00\n05/06/2026,b,5.00\n"
    with pytest.raises(NotAStatement, match="line 2: 03/04/2026 can be read in two ways"):
        read(tmp_path, text, currency="EUR")
    assert read(tmp_path, text, currency="EUR", days="mdy")[0].lines[0].day == date(2026, 3, 4)


def test_a_row_of_sums_is_held_against_the_rows(tmp_path: Path) -> None:
    text = "Date,Description,Credit,Debit\n2026-11-02,a,5.00,\n2026-11-03,b,,2.00\nTotal,,5.00,{debit}\n"
    assert amounts(tmp_path, text.replace("{debit}", "2.00"), currency="EUR") == [500, -200]
    with pytest.raises(WrongSums, match=r"states money out: 3\.00; its rows come to 2"):
        read(tmp_path, text.replace("{debit}", "3.00"), currency="EUR")


def test_a_list_without_entries_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotAStatement, match="has a header and no entries"):
        read(tmp_path, "Date,Description,Amount\n", currency="EUR")


def test_a_table_of_something_else_is_refused_with_its_columns(tmp_path: Path) -> None:
    with pytest.raises(NotAStatement, match=r"no statement known here \(sku, name, stock\)"):
        read(tmp_path, "sku,name,stock\nA,Cup,3\nB,Pot,4\n")


def test_a_mapping_of_ones_own_comes_first(tmp_path: Path) -> None:
    # given
    (tmp_path / "own.toml").write_text(
        'format = "my_bank"\nheader = ["wann", "wieviel"]\ncurrency = "EUR"\ndays = "dmy"\ndecimal = ","\n'
        '[columns]\nday = "wann"\namount = "wieviel"\npurpose = ["wofür", "nochwas"]\n',
        "utf-8",
    )
    text = "wann;wieviel;wofür;nochwas\n01.02.26;-3,50;Tee;Kanne\n"

    # when
    (given,) = read(tmp_path, text, mapping=str(tmp_path / "own.toml"))

    # then
    assert (given.format, given.lines[0].day, given.lines[0].amount, given.lines[0].purpose) == (
        "my_bank", date(2026, 2, 1), -350, "Tee Kanne",
    )  # fmt: skip
    with pytest.raises(NotAStatement):
        read(tmp_path, "a,b\n1,2\n", mapping=str(tmp_path / "own.toml"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("format = 3", "Expected `str`"),
        ('format = "x"\ncolour = "red"', "unknown field `colour`"),
        ('format = "x"\n[columns]\nwhen = "Date"', "when is not known"),
        ('format = "x"\n[kinds]\na = "gift"', "gift is not known"),
        ('format = "x"\ntotals = ["("]', "missing"),
        ('format = "x"\ntotals = ["(?P<tips>.)"]', "tips is not known"),
    ],
)
def test_a_mapping_that_means_nothing_says_why(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "own.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(BadFile, match=reason):
        read(tmp_path, "a,b\n1,2\n", mapping=str(path))


def test_every_mapping_that_is_shipped_can_be_read() -> None:
    assert len(presets()) >= 20
    assert len({mapping.format for mapping in presets()}) >= 15
