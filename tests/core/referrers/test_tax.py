"""What is withheld: the table of 国家税务总局公告2018年第61号, by hand and by properties."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bo.core.referrers import tax
from bo.core.referrers.commands import WrongTax
from bo.core.referrers.records import Referrer
from tests.core.money_office import MoneyOffice

INCOMES = st.integers(1, 10_000_000_00)


@pytest.mark.parametrize(
    ("income", "withheld"),
    [
        ("0.01", "0"),
        ("800", "0"),
        ("800.01", "0"),  # a fifth of a fen rounds to none
        ("1000", "40"),
        ("4000", "640"),
        ("4000.05", "640.01"),  # 3,200.04 x 20 % = 640.008
        ("10000", "1600"),
        ("25000", "4000"),  # 20,000 is still in the first bracket
        ("30000", "5200"),  # 24,000 x 30 % - 2,000
        ("62500", "13000"),  # 50,000 x 30 % - 2,000
        ("100000", "25000"),  # 80,000 x 40 % - 7,000
    ],
)
def test_labour_income_is_taxed_by_the_table(income: str, withheld: str) -> None:
    made = tax.labour(_fen(income), "2026-11")

    assert made.tax == _fen(withheld)


def test_payments_of_one_month_are_taxed_as_one() -> None:
    first = tax.labour(600_00, "2026-11")
    second = tax.labour(3_400_00, "2026-11", paid_before=600_00, withheld_before=first.tax)

    assert (first.tax, second.tax) == (0, 640_00)
    assert second.facts == {"month": "2026-11", "income": "4000.00", "rate": "20%", "deduction": "0.00",
                            "before": "0.00"}  # fmt: skip


@given(income=INCOMES)
def test_the_tax_is_never_more_than_two_fifths_and_never_below_zero(income: int) -> None:
    assert 0 <= tax.labour(income, "2026-11").tax <= income * 2 // 5


@given(income=INCOMES, more=st.integers(0, 1_000_00))
def test_who_earns_more_keeps_more(income: int, more: int) -> None:
    less, whole = (sum_ - tax.labour(sum_, "2026-11").tax for sum_ in (income, income + more))

    assert whole >= less - 1  # a fen for the rounding


@given(first=INCOMES, second=INCOMES)
def test_in_whichever_parts_a_month_is_paid_the_tax_is_the_same(first: int, second: int) -> None:
    one = tax.labour(first, "2026-11").tax
    two = tax.labour(second, "2026-11", paid_before=first, withheld_before=one).tax

    assert one + two == tax.labour(first + second, "2026-11").tax


@pytest.mark.parametrize(("income", "rate", "withheld"), [(100_00, 750, 7_50), (1, 5000, 1), (-5, 750, 0), (10, 0, 0)])
def test_a_flat_rate_is_a_share_rounded_half_up(income: int, rate: int, withheld: int) -> None:
    assert tax.flat(income, rate, "EUR").tax == withheld


def test_a_treatment_and_its_rate_go_together(money: MoneyOffice) -> None:
    money.refuses(WrongTax, "fin", "referrers.set_tax", "D1", tax="flat")
    money.refuses(WrongTax, "fin", "referrers.set_tax", "D1", tax="cn_labour", rate="5%")
    money.refuses(WrongTax, "fin", "referrers.set_tax", "D1", tax="flat", rate="100.01%")

    money.by("fin").do("referrers.set_tax", "D1", tax="flat", rate="7.5%")
    made = money.get(Referrer, money.referrers["D1"])
    assert (made.tax, made.tax_rate) == ("flat", 750)


def _fen(yuan: str) -> int:
    return round(float(yuan) * 100)
