"""What is withheld of a payout for the tax office, with the arithmetic in words.

Labour income (劳务报酬所得) of residents of China is withheld as the 个人所得税扣缴申报管理办法（试行）,
国家税务总局公告2018年第61号, article 8 and its rate table 2 say: up to 800 yuan nothing; up to 4,000 the income less
800, above that the income less 20 %; of that 20 % up to 20,000, 30 % less 2,000 up to 50,000, and 40 % less 7,000
above. Continuous income of a month counts as one: what was paid before in that month is taken into account.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from bo.core.kernel.amounts import format_amount
from bo.core.kernel.kinds import Primitive

FREE, SMALL = 800_00, 4_000_00  # fen
BRACKETS: Final = ((20_000_00, 20, 0), (50_000_00, 30, 2_000_00), (None, 40, 7_000_00))  # up to, percent, deduction
LABOUR_CURRENCY: Final = "CNY"

# Message ids; a payout keeps the one that holds, with its facts.
FLAT_WORDS: Final = "{rate} of {income}"
FREE_WORDS: Final = "labour income of {month}: {income} is not above 800, no tax"
SMALL_WORDS: Final = "labour income of {month}: ({income} - 800) x {rate} - {deduction}, less {before} withheld before"
LARGE_WORDS: Final = "labour income of {month}: {income} x 80% x {rate} - {deduction}, less {before} withheld before"


class Withheld(NamedTuple):
    """The tax in minor units, and how it came about: a message id and its facts."""

    tax: int = 0
    words: str = ""
    facts: dict[str, Primitive] = {}


def flat(income: int, rate_bp: int, currency: str) -> Withheld:
    """A flat rate in basis points; half a cent rounds up."""
    if income <= 0 or rate_bp <= 0:
        return Withheld()
    rate = f"{rate_bp // 100}.{rate_bp % 100:02d}%"
    return Withheld(
        _share(income, rate_bp, 10_000), FLAT_WORDS, {"rate": rate, "income": format_amount(income, currency)}
    )


def labour(income: int, month: str, *, paid_before: int = 0, withheld_before: int = 0) -> Withheld:
    """The prepayment on labour income, in fen; what the same month has paid before counts, and is not taxed twice."""
    whole = income + paid_before
    facts: dict[str, Primitive] = {"month": month, "income": format_amount(whole, LABOUR_CURRENCY)}
    if income <= 0 or whole <= FREE:
        return Withheld(0, FREE_WORDS, facts)
    if whole <= SMALL:
        words, base, parts = SMALL_WORDS, whole - FREE, 1
    else:
        words, base, parts = LARGE_WORDS, whole * 4, 5
    percent, deduction = next((rate, less) for most, rate, less in BRACKETS if most is None or base <= most * parts)
    due = _share(base, percent, 100 * parts) - deduction
    facts |= {
        "rate": f"{percent}%",
        "deduction": format_amount(deduction, LABOUR_CURRENCY),
        "before": format_amount(withheld_before, LABOUR_CURRENCY),
    }
    return Withheld(min(max(0, due - withheld_before), income), words, facts)


def _share(amount: int, part: int, whole: int) -> int:
    """Rounded half up, in whole minor units."""
    return (2 * amount * part + whole) // (2 * whole)
