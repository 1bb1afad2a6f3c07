"""The one form that every format is read into, and the sums that it must keep.

A statement is of one account and one currency. Amounts are minor units: above zero what came in, below zero what went
out. What a file says twice must agree: opening, entries and closing; a balance beside each line; a stated total.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

import msgspec

from bo.core.kernel.amounts import format_amount
from bo.core.kernel.errors import BadFile
from bo.core.kernel.text import _

PAYMENT, FEE, REFUND, CHARGEBACK, PAYOUT = "payment", "fee", "refund", "chargeback", "payout"
RESERVE, CONVERSION, TRANSFER, INTEREST = "reserve", "conversion", "transfer", "interest"
RETURNED, ADJUSTMENT = "returned", "adjustment"
LINE_KINDS: Final = (
    PAYMENT, FEE, REFUND, CHARGEBACK, PAYOUT, RESERVE, CONVERSION, TRANSFER, INTEREST, RETURNED, ADJUSTMENT,
)  # fmt: skip


class NotAStatement(BadFile):
    """A file that is no statement, or not one that can be read."""

    code = "not_a_statement"


class WrongSums(BadFile):
    """A statement that says two things that cannot both be true."""

    code = "wrong_sums"


def no_statement(name: str, what: str) -> NotAStatement:
    """The refusal of a file that is something else; `what` is a message id."""
    return NotAStatement(
        "{name} is {what}", hint="Take in statements of an account: of a bank, a wallet or a channel.", name=name,
        what=_(what),
    )  # fmt: skip


class StatementLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One entry. `amount` is what the balance of the account moved by; where a channel kept a fee, that is the net.
    `place` is where it stands in the file."""

    day: date
    amount: int
    place: str = ""
    value_day: date | None = None
    counterparty: str = ""
    counterparty_account: str = ""
    reference: str = ""
    end_to_end_id: str = ""
    bank_reference: str = ""
    purpose: str = ""
    kind: str = PAYMENT
    fee: int = 0
    balance: int | None = None
    facts: dict[str, str] = {}

    @property
    def gross(self) -> int:
        """Before the fee."""
        return self.amount + self.fee


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """What one account was told. `account` is its number as the file writes it, "" where it does not; balances are None
    where the format has none."""

    format: str
    currency: str
    lines: tuple[StatementLine, ...]
    account: str = ""
    number: str = ""
    from_day: date | None = None
    until_day: date | None = None
    opening: int | None = None
    closing: int | None = None
    notes: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        return sum(line.amount for line in self.lines)

    @property
    def fees(self) -> int:
        return sum(line.fee for line in self.lines)


def checked(statement: Statement, name: str) -> Statement:
    """The statement with the days it covers, once its sums are met. Raises WrongSums."""
    if statement.opening is not None and statement.closing is not None:
        reckoned = statement.opening + statement.total
        if reckoned != statement.closing:
            raise _not_adding_up(statement, reckoned, name)
    days = [line.day for line in statement.lines]
    first = min([*days, *([statement.from_day] if statement.from_day else [])], default=None)
    last = max([*days, *([statement.until_day] if statement.until_day else [])], default=None)
    return msgspec.structs.replace(statement, from_day=first, until_day=last)


def _not_adding_up(statement: Statement, reckoned: int, name: str) -> WrongSums:
    def shown(amount: int | None) -> str:
        return format_amount(amount or 0, statement.currency)

    return WrongSums(
        "{name}: statement {number} does not add up: {opening} and {count} entries of {sum} make {reckoned}, "
        "not the closing balance {closing} {currency}",
        hint="Entries are missing or changed: fetch the statement again from the bank.",
        name=name,
        number=statement.number or statement.account or "1",
        opening=shown(statement.opening),
        count=len(statement.lines),
        sum=shown(statement.total),
        reckoned=shown(reckoned),
        closing=shown(statement.closing),
        currency=statement.currency,
    )


def in_order(lines: Sequence[StatementLine], name: str, currency: str) -> tuple[StatementLine, ...]:
    """Lines in the order they were booked, by the balance that stands beside each; many lists begin with the newest.

    Raises WrongSums naming the first line whose balance does not follow from the one before.
    """
    if len(lines) < 2 or any(line.balance is None for line in lines):
        return tuple(lines)
    backward = lines[::-1]
    breaks = [_first_break(lines), _first_break(backward)]
    if breaks[0] is None:
        return tuple(lines)
    if breaks[1] is None:
        return tuple(backward)
    newest_first = lines[0].day > lines[-1].day
    found, before = _broken_at(backward if newest_first else lines, breaks[newest_first] or 1)
    raise WrongSums(
        "{name}, {place}: the balance {balance} does not follow from {before} and {amount} {currency}",
        hint="A line is missing or changed: fetch the statement again from the bank.",
        name=name,
        place=found.place,
        balance=format_amount(found.balance or 0, currency),
        before=format_amount(before.balance or 0, currency),
        amount=format_amount(found.amount, currency),
        currency=currency,
    )


def _first_break(lines: Sequence[StatementLine]) -> int | None:
    for place in range(1, len(lines)):
        before, line = lines[place - 1], lines[place]
        if (before.balance or 0) + line.amount != line.balance:
            return place
    return None


def _broken_at(lines: Sequence[StatementLine], place: int) -> tuple[StatementLine, StatementLine]:
    return lines[place], lines[place - 1]
