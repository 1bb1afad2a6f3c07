"""Amounts in the spellings of several countries: one reading or a refusal, and never a rounded figure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bo.core.kernel.amounts import LARGEST_MINOR, exponent_of, format_amount, parse_amount
from bo.core.kernel.errors import BadValue

CURRENCIES = ["CNY", "EUR", "JPY", "KWD", "CLF"]


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("1200", 120000),
        ("1200.5", 120050),
        ("15063.00", 1506300),
        ("1,234.5", 123450),
        ("1.234,50", 123450),
        ("￥1,200", 120000),
        ("¥ 1 200", 120000),
        ("1\u00a0200,50", 120050),
        ("1'234.50", 123450),
        ("1200元", 120000),
        ("人民币1200元整", 120000),
        ("CNY 12", 1200),
        ("12 rmb", 1200),
        ("1.2万", 1200000),
        ("(12.50)", -1250),
        ("-12", -1200),
        ("−12", -1200),
        ("12-", -1200),
        ("-￥12.3", -1230),
        ("￥-12.3", -1230),
        ("+12", 1200),
        (".5", 50),
        ("-0.00", 0),
        ("１２００．５", 120050),
        ("12,345", 1234500),
        ("1,234,567", 123456700),
        ("1.234.567", 123456700),
        ("12,34,567.00", 123456700),
        ("1,23", 123),
        ("1234,5", 123450),
        ("0.500", 50),
        ("12.5000", 1250),
        ("1,234.500", 123450),
    ],
)
def test_an_amount_of_yuan_is_read(text: str, minor: int) -> None:
    assert parse_amount(text, "CNY") == minor


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("1,234", "JPY", 1234),
        ("100.00", "JPY", 100),
        ("¥1,234", "JPY", 1234),
        ("12.345", "KWD", 12345),
        ("$1,234.5", "USD", 123450),
        ("US$12", "USD", 1200),
        ("1.234,5 €", "EUR", 123450),
    ],
)
def test_other_currencies_have_their_own_marks_and_decimals(text: str, currency: str, minor: int) -> None:
    assert parse_amount(text, currency) == minor


@pytest.mark.parametrize(("decimal", "minor"), [(".", 1234500), (",", 1234)])
def test_the_decimal_mark_can_be_named(decimal: str, minor: int) -> None:
    text = "12,345" if decimal == "." else "12,34"
    assert parse_amount(text, "CNY", decimal) == minor


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("12.345", "12.345 can be read in two ways"),
        ("12.000", "12.000 can be read in two ways"),
        ("1.5e3", "1.5e3 is written with an exponent"),
        ("0,123", "0,123 has more decimals than CNY has"),
        ("12.345678", "12.345678 has more decimals than CNY has"),
        ("$12", "$12 is not in CNY"),
        ("12 USD", "12 USD is not in CNY"),
        ("99999999999999999999", "99999999999999999999 is more than can be kept"),
        ("", " is not an amount"),
        ("abc", "abc is not an amount"),
        ("ten yuan", "ten yuan is not an amount"),
        ("1,2,3", "1,2,3 is not an amount"),
        ("1,234,56", "1,234,56 is not an amount"),
        ("1 2", "1 2 is not an amount"),
        ("12/3", "12/3 is not an amount"),
        ("--12", "--12 is not an amount"),
        ("-(12)", "-(12) is not an amount"),
        ("(12", "(12 is not an amount"),
        ("12.", "12. is not an amount"),
        ("NaN", "NaN is not an amount"),
        ("10万左右", "10万左右 is not an amount"),
    ],
)
def test_what_is_not_one_amount_is_refused(text: str, message: str) -> None:
    with pytest.raises(BadValue) as refusal:
        parse_amount(text, "CNY")
    assert str(refusal.value) == message
    assert refusal.value.hint


@pytest.mark.parametrize("code", ["", "cny", "YUAN", "¥"])
def test_what_is_no_currency_is_refused(code: str) -> None:
    with pytest.raises(BadValue, match="not a currency code"):
        exponent_of(code)


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (1506300, "CNY", "15063.00"),
        (-50, "CNY", "-0.50"),
        (5, "KWD", "0.005"),
        (-1200, "JPY", "-1200"),
        (0, "EUR", "0.00"),
    ],
)
def test_an_amount_is_written_with_all_its_decimals(minor: int, currency: str, text: str) -> None:
    assert format_amount(minor, currency) == text


@given(st.integers(-LARGEST_MINOR, LARGEST_MINOR), st.sampled_from(CURRENCIES))
def test_a_written_amount_is_read_as_itself(minor: int, currency: str) -> None:
    assert parse_amount(format_amount(minor, currency), currency, ".") == minor
    assert parse_amount(format_amount(minor, currency), currency) == minor


@given(st.integers(0, 10**12), st.sampled_from([(",", "."), (".", ","), (" ", ","), ("'", ".")]))
def test_a_grouped_amount_is_read_as_itself(minor: int, marks: tuple[str, str]) -> None:
    grouping, decimal = marks
    written = f"{minor // 100:,}".replace(",", grouping) + decimal + f"{minor % 100:02d}"
    assert parse_amount(written, "CNY") == minor


@given(st.text("0123456789., '-()¥元eE", max_size=14))
def test_no_text_is_read_by_accident_or_breaks_the_reader(text: str) -> None:
    try:
        minor = parse_amount(text)
    except BadValue:
        return
    assert any(character.isdigit() for character in text)
    assert parse_amount(format_amount(minor, "CNY")) == minor
