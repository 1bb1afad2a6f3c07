"""Days and amounts as files write them: what one value leaves open, the others of the same file settle."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Final

from bo.core.kernel.amounts import exponent_of, parse_amount
from bo.core.kernel.errors import BadValue

ISO: Final = re.compile(r"(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?(?!\d)")
PARTS: Final = re.compile(r"\s*(\d{1,2})\s*[/.'\- ]\s*(\d{1,2})\s*[/.'\- ]\s*'?(\d{4}|\d{2})(?!\d)")
ENDS: Final = re.compile(r"([.,])\d{1,2}\D*$")
CURRENCIES: Final = {"人民币": "CNY", "人民币元": "CNY", "rmb": "CNY", "美元": "USD", "欧元": "EUR", "港币": "HKD"}


def day_order(texts: Iterable[str]) -> str:
    """`dmy` or `mdy`, as the days of a file show by a number above twelve; `dmy` where dots part them; else ""."""
    dotted = False
    for text in texts:
        found = PARTS.match(text)
        if found is None or ISO.match(text):
            continue
        first, second = int(found[1]), int(found[2])
        if first > 12 >= second:
            return "dmy"
        if second > 12 >= first:
            return "mdy"
        dotted = dotted or "." in text
    return "dmy" if dotted else ""


def day_of(text: str, order: str) -> date:
    """The day at the beginning of a text. Raises BadValue for none, or one that can be read in two ways."""
    text = text.strip().strip("'`\"")
    found = ISO.match(text)
    if found is not None:
        return _date(text, int(found[1]), int(found[2]), int(found[3]))
    found = PARTS.match(text)
    if found is None:
        raise BadValue("{value} is not a day", hint="Say which column is the day in a mapping.", value=text[:40])
    first, second, year = int(found[1]), int(found[2]), int(found[3])
    year += 0 if year > 99 else 2000 if year < 80 else 1900
    if not order and first != second:
        raise BadValue("{value} can be read in two ways", hint="Say --days dmy or --days mdy.", value=text[:40])
    return _date(text, year, *((second, first) if order == "dmy" else (first, second)))


def _date(text: str, year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise BadValue("{value} is no day of the calendar", value=text[:40]) from None


def decimal_mark(texts: Iterable[str]) -> str:
    """The mark before the decimals, as the amounts of a file show; "" where none has decimals."""
    for text in texts:
        found = ENDS.search(text.strip())
        if found is not None:
            return found[1]
    return ""


def amount_of(text: str, currency: str, decimal: str = ".") -> int:
    """Minor units; never rounded. Raises BadValue."""
    return parse_amount(text.strip(), currency, decimal or None)


def fine_of(text: str, decimal: str = ".") -> Decimal:
    """An amount in major units, however many decimals it has. Raises BadValue."""
    plain = text.strip().replace("," if decimal != "," else ".", "").replace(",", ".")
    try:
        return Decimal(plain)
    except InvalidOperation:
        raise BadValue("{value} is not an amount", value=text[:40]) from None


def rounded(amount: Decimal, currency: str) -> int:
    """Minor units, rounded half up."""
    return int(amount.scaleb(exponent_of(currency)).quantize(Decimal(1), ROUND_HALF_UP))


def currency_of(text: str) -> str:
    """A code of ISO 4217 from a code or a name. Raises BadValue."""
    plain = text.strip().casefold()
    code = CURRENCIES.get(plain, plain.upper())
    exponent_of(code)
    return code
