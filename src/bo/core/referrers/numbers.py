"""Account numbers: brought to one spelling, and refused where their own check digits say that they are mistyped."""

from __future__ import annotations

import re
from typing import Final

from bo.core.kernel.errors import BadValue

IBAN: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
UNION_PAY: Final = re.compile(r"62[0-9]{14,17}")  # 16 to 19 digits; other banks' numbers have no common check
BIC: Final = re.compile(r"[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?")
IBAN_LENGTHS: Final = {
    "AD": 24, "AE": 23, "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20,
    "ES": 24, "FI": 18, "FR": 27, "GB": 22, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IS": 26, "IT": 27,
    "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24,
    "SA": 24, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "TR": 26,
}  # fmt: skip


def plain_number(number: str) -> str:
    """An account number without the spaces and dashes people group it by, so that any spelling finds the account."""
    return "".join(character for character in number if character not in " -\u00a0").upper()


def bank_number(number: str) -> str:
    """The number of a bank account, plain; an IBAN or a UnionPay card is checked by its check digits.

    Raises:
        BadValue: it is mistyped.
    """
    plain = plain_number(number)
    if IBAN.fullmatch(plain) and not is_iban(plain):
        raise BadValue(
            "{value} is not a valid IBAN", hint="A digit is wrong or missing: copy it from the payee.", value=plain
        )
    if UNION_PAY.fullmatch(plain) and not _luhn(plain):
        raise BadValue(
            "{value} is not a valid card number", hint="A digit is wrong: copy it from the payee.", value=plain
        )
    return plain


def is_iban(plain: str) -> bool:
    """Whether it is an IBAN whose length and check digits are right (ISO 13616: modulo 97)."""
    if not IBAN.fullmatch(plain) or len(plain) != IBAN_LENGTHS.get(plain[:2], len(plain)):
        return False
    return int("".join(str(int(character, 36)) for character in plain[4:] + plain[:4])) % 97 == 1


def is_bic(code: str) -> bool:
    return BIC.fullmatch(code) is not None


def _luhn(digits: str) -> bool:
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(number - 9 * (number > 9) for number in doubled) % 10 == 0
