"""Money as text <-> integer minor units of an ISO 4217 currency.

A separator is read only where one reading is possible: `1,234.5`, `1.234,50` and `1 234,5` say which mark is which;
`12,345` groups thousands; `12.345` could be either and is refused unless the caller names the decimal mark. Never
float, and never rounded: decimals that the currency does not have are refused unless they are zeros.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final
from unicodedata import normalize

from bo.core.kernel.errors import BadValue

LARGEST_MINOR: Final = 2**62  # fits the integer columns of every database with room for sums

_WITHOUT_DECIMALS: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_WITH_THREE: Final = "BHD IQD JOD KWD LYD OMR TND"
_EXPONENTS: Final = {
    **dict.fromkeys(_WITHOUT_DECIMALS.split(), 0),
    **dict.fromkeys(_WITH_THREE.split(), 3),
    "CLF": 4,
    "UYW": 4,
}
_DOLLARS: Final = "USD AUD CAD HKD NZD SGD TWD MXN BRL ARS CLP COP"
_MARKS: Final = {  # after NFKC and casefold: what people write -> the currencies it may mean
    "¥": "CNY JPY",
    "cn¥": "CNY",
    "rmb": "CNY",
    "rmb¥": "CNY",
    "人民币": "CNY",
    "元": "CNY TWD HKD MOP",
    "元整": "CNY TWD HKD MOP",
    "圆": "CNY TWD HKD MOP",
    "块": "CNY TWD",
    "円": "JPY",
    "日元": "JPY",
    "jp¥": "JPY",
    "$": _DOLLARS,
    "us$": "USD",
    "美元": "USD",
    "hk$": "HKD",
    "港元": "HKD",
    "港币": "HKD",
    "nt$": "TWD",
    "a$": "AUD",
    "c$": "CAD",
    "s$": "SGD",
    "r$": "BRL",
    "€": "EUR",
    "欧元": "EUR",
    "£": "GBP",
    "英镑": "GBP",
    "₩": "KRW",
    "₹": "INR",
    "₽": "RUB",
    "₫": "VND",
    "฿": "THB",
    "₴": "UAH",
    "zł": "PLN",
    "kr": "SEK NOK DKK ISK",
    "fr": "CHF",
}
_SCALES: Final = {"": 0, "万": 4, "亿": 8}
_SHAPE: Final = (
    r"(?P<before>[+-]?)\s*(?P<mark>[^0-9.,'+\-\s]*)\s*(?P<inner>[+-]?)\s*(?P<digits>[0-9](?:[0-9.,' ]*[0-9])?|\.[0-9]+)"
    r"\s*(?P<scale>[万亿]?)\s*(?P<unit>[^0-9.,'+\-\s]*)(?P<behind>-?)"
)
_MINUS_SIGNS: Final = str.maketrans("−–—﹣－’‘`´", "-----''''")


@lru_cache(maxsize=512)
def exponent_of(currency: str) -> int:
    """How many decimals the currency has. Raises BadValue for what is no currency code."""
    exponent = _EXPONENTS.get(currency)
    if exponent is not None:
        return exponent
    if len(currency) == 3 and currency.isascii() and currency.isalpha() and currency.isupper():
        return 2
    raise BadValue(
        "{value} is not a currency code", hint="Use the three letters of ISO 4217, such as CNY or EUR.", value=currency
    )


def parse_amount(text: str, currency: str = "CNY", decimal: str | None = None) -> int:
    """Minor units of `currency`: `1,234.5` is 123450 in CNY, `(12.50)` is -1250. `decimal` names the mark, `.` or `,`.

    Raises:
        BadValue: no amount, ambiguous, with more decimals than the currency has, in another currency, or out of range.
    """
    exponent = exponent_of(currency)
    if text.isascii() and len(text) <= 15:
        whole, dot, cents = text.partition(".")
        if whole.isdigit():
            if not dot:
                return int(whole + "0" * exponent)
            if decimal != "," and 0 < len(cents) <= exponent and (len(cents) != 3 or exponent == 3) and cents.isdigit():
                return int(whole + cents.ljust(exponent, "0"))
    return _parse_written_amount(text, currency, exponent, decimal)


def format_amount(minor: int, currency: str) -> str:
    """Major units as every reader takes them: a dot, no grouping, all decimals of the currency: `15063.00`, `-0.50`."""
    exponent = exponent_of(currency)
    if not exponent:
        return str(minor)
    digits = str(abs(minor)).rjust(exponent + 1, "0")
    return f"{'-' if minor < 0 else ''}{digits[:-exponent]}.{digits[-exponent:]}"


def money(minor: int, currency: str) -> str:
    """An amount with its currency, as messages say it: `15063.00 CNY`."""
    return f"{format_amount(minor, currency)} {currency}".strip()


def _parse_written_amount(text: str, currency: str, exponent: int, decimal: str | None) -> int:
    plain = normalize("NFKC", text.translate(_MINUS_SIGNS)).strip()
    in_brackets = len(plain) > 2 and plain[0] == "(" and plain[-1] == ")"
    match = re.fullmatch(_SHAPE, plain[1:-1].strip() if in_brackets else plain)
    if match is None:
        if re.fullmatch(r"[+-]?[0-9.,]+e[+-]?[0-9]+", plain, re.IGNORECASE):
            raise BadValue(
                "{value} is written with an exponent", hint="Write all digits of the amount, like 1500.", value=text
            )
        raise _not_an_amount(text)
    for mark in (match["mark"], match["unit"]):
        _require_currency(mark, currency, text)
    signs = match["before"] + match["inner"] + match["behind"] + ("-" if in_brackets else "")
    if len(signs) > 1:
        raise _not_an_amount(text)
    whole, fraction = _split_at_decimal_mark(match["digits"], exponent, decimal, text)
    minor = _to_minor(whole, fraction, exponent + _SCALES[match["scale"]], currency, text)
    return -minor if signs == "-" else minor


def _require_currency(mark: str, currency: str, text: str) -> None:
    if not mark:
        return
    folded = mark.casefold()
    if folded != currency.casefold() and currency not in _MARKS.get(folded, "").split():
        if folded in _MARKS or re.fullmatch("[a-z]{3}", folded):
            raise BadValue(
                "{value} is not in {currency}",
                hint="Give the amount in {currency}, or set the currency first.",
                value=text,
                currency=currency,
            )
        raise _not_an_amount(text)


def _split_at_decimal_mark(digits: str, exponent: int, decimal: str | None, text: str) -> tuple[str, str]:
    """The digits before and behind the decimal mark, without grouping."""
    mark = decimal if decimal in (".", ",") else _decimal_mark(digits, exponent, text)
    whole, found, fraction = digits.rpartition(mark) if mark else ("", "", "")
    if not found:
        whole, fraction = digits, ""
    if fraction and not fraction.isdigit():
        raise _not_an_amount(text)
    return _without_grouping(whole, text), fraction


def _decimal_mark(digits: str, exponent: int, text: str) -> str:
    """`.`, `,` or nothing, as the digits show by themselves."""
    dots, commas = digits.count("."), digits.count(",")
    if dots and commas:
        return "." if digits.rindex(".") > digits.rindex(",") else ","
    if dots + commas != 1:
        return ""
    mark = "." if dots else ","
    head, _, tail = digits.partition(mark)
    looks_grouped = len(tail) == 3 and 1 <= len(head) <= 3 and head[0] != "0" and head.isdigit()
    if mark == "," and looks_grouped:
        return ""
    if looks_grouped and exponent < 3:
        raise BadValue(
            "{value} can be read in two ways",
            hint="Write {grouped} or {decimals}, or say which decimal mark the file uses.",
            value=text,
            grouped=head + tail,
            decimals=f"{head}.{tail[:exponent]}" if exponent else head,
        )
    return mark


def _without_grouping(whole: str, text: str) -> str:
    """The digits of a whole number that one mark groups in threes, or as in India in twos and a three, or none."""
    if whole.isdigit() or not whole:
        return whole or "0"
    marks = {character for character in whole if not character.isdigit()}
    first, *groups = re.split("[., ']", whole)
    in_threes = all(len(group) == 3 for group in groups) and 1 <= len(first) <= 3
    in_lakhs = len(groups[-1]) == 3 and all(len(group) == 2 for group in groups[:-1]) and 1 <= len(first) <= 2
    if len(marks) != 1 or not (in_threes or in_lakhs):
        raise _not_an_amount(text)
    return first + "".join(groups)


def _to_minor(whole: str, fraction: str, exponent: int, currency: str, text: str) -> int:
    kept, lost = fraction[:exponent], fraction[exponent:]
    if lost.strip("0"):
        raise BadValue(
            "{value} has more decimals than {currency} has",
            hint="{currency} has {decimals}.",
            value=text,
            currency=currency,
            decimals=exponent_of(currency),
        )
    minor = int(whole + kept.ljust(exponent, "0")) if len(whole) <= 20 else LARGEST_MINOR + 1
    if minor > LARGEST_MINOR:
        raise BadValue("{value} is more than can be kept", hint="Check the digits.", value=text[:60])
    return minor


def _not_an_amount(text: str) -> BadValue:
    return BadValue("{value} is not an amount", hint="Write it like 1234.50 or 1,234.50.", value=text[:60])
