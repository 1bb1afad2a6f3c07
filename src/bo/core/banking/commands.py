"""What is done to bank statements: they are taken in, and a wrong one is withdrawn. Lines are set aside by hand."""

from datetime import date
from typing import Annotated

from bo.core.banking.match_commands import book, fee, match, run, unmatch, write_off
from bo.core.banking.records import IGNORED, LINE_KIND, OPEN, TAKEN, WITHDRAWN, BankLine, BankStatement
from bo.core.banking.taking_in import add_lines, digest, drafts_of, follow, goes_on, keys_of, take_back
from bo.core.kernel.command import command
from bo.core.kernel.errors import Refused
from bo.core.kernel.kinds import (
    Amount,
    AmountKind,
    Currency,
    Day,
    DayKind,
    FactsKind,
    Field,
    RowsKind,
    Text,
    TextKind,
)
from bo.core.kernel.tx import Tx
from bo.core.ledger.days import today
from bo.core.ledger.posting import post_all
from bo.core.settlement.records import BankAccount

NOUN = "bank_statements"
Lines = Annotated[
    tuple[dict[str, object], ...],
    RowsKind(
        "day",
        "amount",
        most=100_000,
        day=DayKind(),
        value_day=DayKind(),
        amount=AmountKind(),
        fee=AmountKind(),
        balance=AmountKind(),
        kind=LINE_KIND,
        counterparty=TextKind(200),
        counterparty_account=TextKind(200),
        reference=TextKind(),
        end_to_end_id=TextKind(),
        bank_reference=TextKind(),
        purpose=TextKind(4_000, lines=True),
        extra=FactsKind(),
    ),
]


class NotAddingUp(Refused):
    """Opening balance and lines do not come to the closing balance."""

    code = "not_adding_up"


class WrongCurrency(Refused):
    """A statement in another currency than its account."""

    code = "wrong_currency"


class AlreadyMatched(Refused):
    """What is matched is not taken away."""

    code = "already_matched"


@command(needs="banking.import", where="central")
def take_in(
    tx: Tx,
    *,
    account: BankAccount,
    lines: Lines,
    number: Annotated[Text, Field(label="number at the bank")] = "",
    from_day: Annotated[Day, Field(label="from")] | None = None,
    until_day: Annotated[Day, Field(label="until")] | None = None,
    currency: Currency | None = None,
    opening: Annotated[Amount, Field(label="opening balance")] | None = None,
    closing: Annotated[Amount, Field(label="closing balance")] | None = None,
    format: Text = "",
    file_name: Text = "",
    file_hash: Text = "",
) -> BankStatement:
    """Take in a bank statement: lines that are known are left out, the others wait to be matched.

    The ledger's balance of the account becomes the bank's; the other side waits in `suspense`. A statement that is
    known with all its lines changes nothing.

    Raises:
        NotAddingUp: opening and lines are not closing.
        WrongCurrency: the account has another currency.
    """
    currency = currency or account.currency
    _require_currency(account, currency)
    total = sum(int(str(row["amount"])) for row in lines)
    if opening is not None and closing is not None and opening + total != closing:
        raise NotAddingUp(
            "{opening} and lines of {total} are not {closing}", hint="Fetch the statement again.", opening=opening,
            total=total, closing=closing,
        )  # fmt: skip
    keys = keys_of(account, lines)
    first, last = _covered(lines, from_day, until_day)
    once = digest(account.id, currency, first, last, opening, closing, number if not lines else "", *keys)
    known = tx.find(BankStatement, once=once)
    if known is not None:
        return known
    tx.fetch(BankLine, "once", keys)
    if goes_on(tx, account, currency, first, opening):
        keys = keys_of(account, lines, lambda key: tx.view_by(BankLine, "once", key) is not None)
    reference = _reference(tx, account, last, number)
    statement = tx.add(
        BankStatement(reference=reference, account=account.id, number=number, from_day=first, until_day=last,
                      currency=currency, opening=opening, closing=closing, entries=len(lines), format=format,
                      file_name=file_name, file_hash=file_hash, once=once)
    )  # fmt: skip
    made = add_lines(tx, statement, account, lines, keys)
    follow(tx, statement)
    post_all(tx, drafts_of(statement, account, made))
    return statement


def _covered(lines: Lines, from_day: date | None, until_day: date | None) -> tuple[date | None, date | None]:
    """The days that a statement covers: those it names, and those of its lines."""
    days = [day for row in lines if isinstance(day := row["day"], date)]
    first = [*days, *([from_day] if from_day else [])]
    last = [*days, *([until_day] if until_day else [])]
    until = max(last, default=None)
    return min(first, default=until), until


def _require_currency(account: BankAccount, currency: str) -> None:
    if currency != account.currency:
        raise WrongCurrency(
            "{account} is an account in {own}, and the statement is in {currency}",
            hint="Add an account for that currency: bo bank-accounts add.",
            account=account.code,
            own=account.currency,
            currency=currency,
        )


def _reference(tx: Tx, account: BankAccount, last: object, number: str) -> str:
    """What people call the statement: the account with its last day, counted where there are several."""
    wanted = f"{account.code}/{last or number or 'empty'}"
    name, count = wanted, 1
    while tx.view_by(BankStatement, "reference", name) is not None:
        count += 1
        name = f"{wanted}-{count}"
    return name


@command(needs="banking.import", moves=TAKEN >> WITHDRAWN, where="central", confirm="always")
def withdraw(tx: Tx, statement: BankStatement, *, reason: Annotated[Text, Field(help="why it was wrong")]) -> None:
    """Withdraw a statement that was taken in for the wrong account or by mistake: its lines go, the ledger is reversed.

    Raises:
        AlreadyMatched: some of its lines are matched.
    """
    lines = tx.find_all(BankLine, statement=statement.id)
    matched = sum(1 for line in lines if line.matched)
    if matched:
        raise AlreadyMatched(
            "{count} lines of {statement} are matched", hint="Unmatch them first: bo bank-lines unmatch.",
            count=matched, statement=statement.reference,
        )  # fmt: skip
    take_back(tx, statement, lines, today(tx))
    statement.extra = {**statement.extra, "withdrawn": reason}


@command(needs="banking.match", moves=OPEN >> IGNORED, confirm="many", where="central")
def ignore(
    tx: Tx, line: BankLine, *, reason: Annotated[Text, Field(help="why nothing is to be matched with it")]
) -> None:
    """Set a bank line aside that nothing is to be matched with. Its money stays in `suspense` until it is explained."""
    line.reason = reason


@command(needs="banking.match", moves=IGNORED >> OPEN, confirm="many", where="central")
def reconsider(tx: Tx, line: BankLine) -> None:
    """Take up a bank line again that was set aside."""
    line.reason = ""


# -- what lines were for -----------------------------------------------------------------------------------------------

__all__ = ["book", "fee", "match", "run", "unmatch", "write_off"]  # commands that stand in a file of their own
