"""Account numbers that carry check digits are refused when those are wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bo.core.kernel.errors import BadValue
from bo.core.referrers.numbers import bank_number, is_bic, is_iban
from bo.core.referrers.records import PayeeAccount
from tests.core.money_office import MoneyOffice

IBAN = "DE89370400440532013000"
CARD = "6222000011130001"


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("de89 3704 0044 0532 0130 00", IBAN),
        ("GB82-WEST-1234-5698-7654-32", "GB82WEST12345698765432"),
        ("6222 0000 1113 0001", CARD),
        ("4000 0229 1920 0012 345", "4000022919200012345"),  # a bank's own number: nothing to check it by
        ("ALICE@EXAMPLE", "ALICE@EXAMPLE"),
    ],
)
def test_numbers_are_brought_to_one_spelling(typed: str, plain: str) -> None:
    assert bank_number(typed) == plain


@pytest.mark.parametrize("typed", ["DE88370400440532013000", "DE8937040044053201300", "6222000011130002"])
def test_a_wrong_check_digit_or_length_is_refused(typed: str) -> None:
    with pytest.raises(BadValue, match="is not a valid"):
        bank_number(typed)


@given(place=st.integers(4, len(IBAN) - 1), digit=st.integers(1, 9))
def test_no_single_wrong_digit_of_an_iban_gets_through(place: int, digit: int) -> None:
    wrong = IBAN[:place] + str((int(IBAN[place]) + digit) % 10) + IBAN[place + 1 :]

    assert is_iban(IBAN)
    assert not is_iban(wrong)


@given(place=st.integers(2, len(CARD) - 1), digit=st.integers(1, 9))
def test_no_single_wrong_digit_of_a_card_gets_through(place: int, digit: int) -> None:
    wrong = CARD[:place] + str((int(CARD[place]) + digit) % 10) + CARD[place + 1 :]

    with pytest.raises(BadValue):
        bank_number(wrong)


def test_a_bic_has_eight_or_eleven_characters() -> None:
    assert [code for code in ("DEUTDEFF", "DEUTDEFF500", "DEUTDEF", "308584000013") if is_bic(code)] == [
        "DEUTDEFF",
        "DEUTDEFF500",
    ]


def test_a_mistyped_account_of_a_payee_is_refused(money: MoneyOffice) -> None:
    account = money.all(PayeeAccount, f"referrer:{money.referrers['D1']}")[0]

    money.refuses(BadValue, "fin", "payee_accounts.change", account.id, number=IBAN[:-1] + "1")
    money.refuses(BadValue, "fin", "payee_accounts.add", referrer="D1", holder="x", number="6222000011130002",
                  currency="EUR")  # fmt: skip


def test_a_number_of_another_kind_than_a_bank_is_taken_as_it_is(money: MoneyOffice) -> None:
    account = money.all(PayeeAccount, f"referrer:{money.referrers['D1']}")[0]

    money.by("fin").do("payee_accounts.change", account.id, kind="alipay", number="6222000011130002")

    assert money.get(PayeeAccount, account.id).number == "6222000011130002"
