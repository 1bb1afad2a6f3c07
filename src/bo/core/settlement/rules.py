"""The decisions about a settlement that need nothing but facts: periods, approvals, totals, masks and numbers.

Pure, so that a settlement checked again at central, or a statement printed again next year, comes to the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from itertools import pairwise
from typing import Final, NamedTuple

from msgspec.json import Encoder

from bo.core.access.settings import Setting
from bo.core.kernel.amounts import format_amount
from bo.core.kernel.errors import BadValue, Damaged, Refused
from bo.core.kernel.kinds import AmountKind, WholeKind
from bo.core.kernel.moments import parse_day

PERIOD_DAYS_MOST: Final = 366
END_TO_END_LONGEST: Final = 35
CONTENT_FORMAT: Final = "bo-settlement-2"
SECOND_APPROVER_ABOVE: Final = Setting(
    "settlement.second_approver_above", AmountKind(), 0, "a settlement above this needs two approvals; 0: never"
)
ACCOUNT_REST_DAYS: Final = Setting(
    "settlement.account_rest_days", WholeKind(0, 365), 7, "days that a new payee account waits before money goes there"
)


class OwnWork(Refused):
    """Somebody would approve what they had a hand in."""

    code = "own_work"


class PeriodOverlaps(Refused):
    """Two settlements would cover one day."""

    code = "period_overlaps"


class TotalDiffers(Damaged):
    """A settlement whose total is not the sum of its lines."""

    code = "total_differs"


# --- Periods ---------------------------------------------------------------------------------------------------------


class Period(NamedTuple):
    """Days from `start` up to, and without, `until`."""

    start: date
    until: date

    @property
    def label(self) -> str:
        """The shortest text that period_of reads as this period."""
        if self.start.day == 1 and self.until == _next_month(self.start):
            return self.start.isoformat()[:7]
        if self.start.day == 1 and self.start.month % 3 == 1 and self.until == _quarter_after(self.start):
            return f"{self.start.year:04d}-Q{self.start.month // 3 + 1}"
        if self.start.weekday() == 0 and (self.until - self.start).days == 7:
            year, week, _ = self.start.isocalendar()
            return f"{year:04d}-W{week:02d}"
        return f"{self.start.isoformat()}..{self.until.isoformat()}"

    def holds(self, day: date) -> bool:
        return self.start <= day < self.until

    def overlaps(self, other: Period) -> bool:
        return self.start < other.until and other.start < self.until


def period_of(text: str) -> Period:
    """A period: `2026-11`, `2026-W47`, `2026-Q4`, or `2026-11-01..2026-12-01`, whose last day is no longer in it.

    Raises:
        BadValue: not a period, empty, or longer than a year.
    """
    plain = text.strip().upper()
    if match := re.fullmatch(r"([0-9]{4})-([0-9]{2})", plain):
        start = _day(int(match[1]), int(match[2]), text)
        return Period(start, _next_month(start))
    if match := re.fullmatch(r"([0-9]{4})-Q([1-4])", plain):
        start = _day(int(match[1]), int(match[2]) * 3 - 2, text)
        return Period(start, _quarter_after(start))
    if match := re.fullmatch(r"([0-9]{4})-W([0-9]{2})", plain):
        try:
            monday = date.fromisocalendar(int(match[1]), int(match[2]), 1)
        except ValueError:
            raise _not_a_period(text) from None
        return Period(monday, monday + timedelta(days=7))
    first, dots, last = plain.partition("..")
    if not dots:
        raise _not_a_period(text)
    return _checked(Period(parse_day(first), parse_day(last)))


def require_free(period: Period, taken: Iterable[tuple[str, Period]]) -> None:
    """Refuse a period that shares a day with one of `taken`: live settlements' numbers and periods.

    Raises:
        PeriodOverlaps
    """
    for number, other in taken:
        if period.overlaps(other):
            raise PeriodOverlaps(
                "{period} overlaps {other}, which settlement {number} covers",
                hint="Choose another period, or cancel that settlement before it is exported.",
                period=period.label,
                other=other.label,
                number=number,
            )


# --- Approval --------------------------------------------------------------------------------------------------------


def may_approve(approver: str, creator: str, editors: Collection[str], rule_editors: Collection[str]) -> bool:
    """Whether the approver had no hand in the settlement, nor in a rule that it pays by."""
    return not _hand_in(approver, creator, editors, rule_editors)


def require_approver(
    approver: str,
    creator: str,
    editors: Collection[str],
    rule_editors: Collection[str],
    *,
    approved_before: Collection[str] = (),
) -> None:
    """Refuse an approver who made or edited the settlement, wrote a rule of it, or has approved it already.

    Raises:
        OwnWork
    """
    hand = _hand_in(approver, creator, editors, rule_editors) or ("approved" if approver in approved_before else "")
    if hand:
        raise OwnWork(_OWN_WORK[hand], hint="Ask somebody else to approve it.", approver=approver)


def approvals_needed(total_minor: int, second_above: int | None) -> int:
    """How many people have to approve: two above the limit, where there is one."""
    return 2 if second_above is not None and total_minor > second_above else 1


_OWN_WORK: Final = {
    "created": "{approver} made this settlement and cannot approve it",
    "edited": "{approver} edited this settlement and cannot approve it",
    "wrote": "{approver} wrote a reward rule of this settlement and cannot approve it",
    "approved": "{approver} has approved this settlement already",
}


def _hand_in(approver: str, creator: str, editors: Collection[str], rule_editors: Collection[str]) -> str:
    if approver == creator:
        return "created"
    if approver in editors:
        return "edited"
    return "wrote" if approver in rule_editors else ""


class ContentLine(NamedTuple):
    """What an approval binds of one line; `account` is where it is paid to: a change of it voids the approval."""

    line_id: str
    payee_id: str
    account: str
    currency: str
    amount_minor: int


def content_hash(lines: Iterable[ContentLine], heading: Iterable[str] = ()) -> str:
    """SHA-256 over the lines in the order of their ids, and over what stands above them; 64 hexadecimal digits.

    `heading` are facts of the whole in a fixed order: number, period, currency, taxes. Rows are written as JSON, so
    that no two contents share their bytes.

    Raises:
        Damaged: a line stands there twice.
    """
    rows = sorted(lines)
    for row, following in pairwise(rows):
        if row.line_id == following.line_id:
            raise Damaged("line {line} is in the settlement twice", hint="Run bo doctor.", line=row.line_id)
    encode = Encoder().encode
    return sha256(b"\n".join([encode((CONTENT_FORMAT, *heading)), *map(encode, rows)])).hexdigest()


def totals_of(lines: Iterable[ContentLine]) -> dict[str, int]:
    """The sum of the lines for each currency, in the order of the currencies' codes."""
    totals: dict[str, int] = {}
    for line in lines:
        totals[line.currency] = totals.get(line.currency, 0) + line.amount_minor
    return dict(sorted(totals.items()))


def require_totals(lines: Iterable[ContentLine], stated: dict[str, int]) -> None:
    """Stop when the stated totals are not the sums of the lines. Raises TotalDiffers."""
    summed = totals_of(lines)
    for currency in sorted({*summed, *stated}):
        if summed.get(currency, 0) != stated.get(currency, 0):
            raise TotalDiffers(
                "the settlement says {stated} {currency}, its lines add up to {summed}",
                hint="Do not pay it. Cancel it, run bo doctor, and make it again.",
                stated=format_amount(stated.get(currency, 0), currency),
                summed=format_amount(summed.get(currency, 0), currency),
                currency=currency,
            )


# --- Payouts and statements ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Balance:
    """What one payee has in one period and currency, in minor units; clawbacks, tax and payments without a sign."""

    opening: int = 0
    earned: int = 0
    clawed_back: int = 0
    adjusted: int = 0
    tax_withheld: int = 0
    paid: int = 0

    @property
    def payable(self) -> int:
        """What can be paid: nothing while the balance is negative."""
        return max(0, self.opening + self.earned - self.clawed_back + self.adjusted - self.tax_withheld)

    @property
    def closing(self) -> int:
        """What is carried into the next period, a debt of the payee below zero."""
        return self.opening + self.earned - self.clawed_back + self.adjusted - self.tax_withheld - self.paid


def payment_key(settlement_id: str, payee_id: str, currency: str) -> str:
    """The idempotency key of one payment: asked for twice, it is paid once."""
    return f"{settlement_id}:{payee_id}:{currency}"


def end_to_end_id(payout_id: str) -> str:
    """The payout's id as banks carry it: the characters and the length of ISO 20022. Raises BadValue."""
    carried = payout_id.replace("_", "-")
    if len(carried) > END_TO_END_LONGEST or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]*", carried):
        raise BadValue("{value} cannot be a payment reference", hint="Use letters, digits and - only.", value=payout_id)
    return carried


def settlement_number(period: Period, currency: str, sequence: int) -> str:
    """`S-2026-11-CNY-0001`: the sequence counts the settlements of the period and currency, cancelled ones too."""
    return f"S-{_compact(period)}-{currency}-{sequence:04d}"


def statement_number(period: Period, currency: str, payee_code: str) -> str:
    """`ST-2026-11-CNY-D0042`: derived from what it is about, so that printing it again gives the same number."""
    return f"ST-{_compact(period)}-{currency}-{payee_code}"


def mask_name(name: str) -> str:
    """A customer's name for other people's eyes: `张三丰` -> `张**`, `William Lee` -> `W*** L***`."""
    words = name.split()
    if words and words[0][0] >= "\u3400":  # Chinese, Korean: no first names that stand apart
        whole = "".join(words)
        return whole[0] + "*" * max(1, len(whole) - 1)
    return " ".join(word[0] + "***" for word in words)


def mask_phone(phone: str) -> str:
    """A phone number for other people's eyes: `+8613800001111` -> `138****1111`; others keep their ends, `+44****0958`.

    A number of fewer than eight characters shows nothing at all.
    """
    number = phone.partition("x")[0].strip().removeprefix("+86")
    if len(number) < 8:
        return "****" if number else ""
    return f"{number[:3]}****{number[-4:]}"


def mask_email(email: str) -> str:
    """An e-mail address for other people's eyes: `li.ming@example.com` -> `l***@example.com`."""
    local, at, domain = email.rpartition("@")
    return f"{local[:1]}***{at}{domain}" if at else "***" * bool(email)


def _compact(period: Period) -> str:
    return (
        period.label.replace("..", "-") if ".." not in period.label else f"{period.start:%Y%m%d}-{period.until:%Y%m%d}"
    )


def _next_month(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def _quarter_after(day: date) -> date:
    return _next_month(_next_month(_next_month(day)))


def _day(year: int, month: int, text: str) -> date:
    try:
        day = date(year, month, 1)
    except ValueError:
        raise _not_a_period(text) from None
    if year >= 9999:
        raise _not_a_period(text)
    return day


def _checked(period: Period) -> Period:
    if period.until <= period.start:
        raise BadValue(
            "a period from {start} to {until} is empty",
            hint="The second day is the first that is no longer in it: 2026-11-01..2026-12-01 is November.",
            start=period.start.isoformat(),
            until=period.until.isoformat(),
        )
    if (period.until - period.start).days > PERIOD_DAYS_MOST:
        raise BadValue("a period is at most a year long", hint="Settle shorter periods.")
    return period


def _not_a_period(text: str) -> BadValue:
    return BadValue(
        "{value} is not a period", hint="Write 2026-11, 2026-W47, 2026-Q4 or 2026-11-01..2026-12-01.", value=text[:60]
    )
