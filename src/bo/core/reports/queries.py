"""Trial balance, profit and loss, balance sheet, payables with their ageing, reward cost, tax withheld."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Annotated, Final

from msgspec import Struct

from bo.core.kernel.command import query
from bo.core.kernel.kinds import Amount, ChoiceKind, Count, Currency, Day, Field, Flag, Text
from bo.core.kernel.reader import Reader
from bo.core.ledger import reading
from bo.core.ledger.days import day_of, month_label, month_of
from bo.core.ledger.queries import require_whole_office
from bo.core.ledger.reading import Held
from bo.core.ledger.records import ACCOUNT_TYPES, ACCOUNTS, ASSET, EQUITY, EXPENSE, INCOME, LIABILITY
from bo.core.reports import statements
from bo.core.settlement.rules import Period, period_of

NOUN: Final = "reports"
TOTAL: Final = "total"  # in the place of an account: the sum of the rows above it
RESULT: Final = "result"
DAY: Final = timedelta(days=1)

On = Annotated[Day, Field(help="as of the end of this day; today if not said")]
PeriodText = Annotated[Text, Field(help="2026-11, 2026-Q4, 2026-W47, or 2026-11-01..2026-12-01 without its last day; "
                                        "this month if not said")]  # fmt: skip
CostBy = Annotated[str, ChoiceKind(*statements.COST_BY)]


class TrialLine(Struct, frozen=True):
    """An account's balance on the side where it stands."""

    account: Text
    type: Text
    party: Text
    debit: Amount
    credit: Amount
    currency: Currency
    as_of: Day


class ProfitLine(Struct, frozen=True):
    """What an account earned or cost in a period, and in the one of equal length before. A loss is below zero."""

    section: Text
    account: Text
    amount: Amount
    before: Amount
    currency: Currency
    since: Day
    as_of: Day


class SheetLine(Struct, frozen=True):
    """What an account is worth on a day: assets, and on the other side liabilities and equity."""

    section: Text
    account: Text
    amount: Amount
    currency: Currency
    as_of: Day


class Payable(Struct, frozen=True):
    """What a payee has earned and not been paid, by how long it is due; and what of it the ledger owes by now."""

    payee: Text
    name: Text
    not_due: Amount
    days_0_30: Amount
    days_31_60: Amount
    days_61_90: Amount
    over_90: Amount
    owed: Amount
    in_ledger: Amount
    currency: Currency
    as_of: Day


class RewardCost(Struct, frozen=True):
    """What rewards cost, by what they were for."""

    group: Text
    name: Text
    lines: Count
    amount: Amount
    currency: Currency
    since: Day
    as_of: Day


class TaxWithheld(Struct, frozen=True):
    """What was withheld from a payee in a month."""

    month: Text
    payee: Text
    name: Text
    amount: Amount
    currency: Currency
    as_of: Day


@query(needs="reports.read")
def trial_balance(read: Reader, *, on: On | None = None, by_party: Flag = False) -> list[TrialLine]:
    """What every account holds on a day, debits beside credits; both sides come to the same."""
    require_whole_office(read)
    day = on or _today(read)
    found = [item for item in reading.held(read, until=day + DAY, by_party=by_party) if item.postings]
    known, rows = statements.payees(read) if by_party else {}, []
    for currency in _currencies(found):
        amounts = [item for item in found if item.currency == currency]
        made = []
        for item in amounts:
            party, _name = known.get(item.party, (item.party, ""))
            sides = max(item.amount, 0), max(-item.amount, 0)
            made.append(TrialLine(item.account, ACCOUNT_TYPES[item.account], party, *sides, currency, day))
        rows += sorted(made, key=lambda row: (ACCOUNTS.index(row.account), row.party))
        debit, credit = (sum(max(sign * item.amount, 0) for item in amounts) for sign in (1, -1))
        rows.append(TrialLine(TOTAL, "", "", debit, credit, currency, day))
    return rows


@query(needs="reports.read")
def profit_and_loss(read: Reader, *, period: PeriodText = "") -> list[ProfitLine]:
    """Income and expenses of a period, beside those of the period before it."""
    require_whole_office(read)
    now, before = _periods(read, period)
    these, those = _moved(read, now), _moved(read, before)
    last = now.until - DAY
    rows = []
    for currency in sorted({money for name, money in (*these, *those) if ACCOUNT_TYPES[name] in (INCOME, EXPENSE)}):
        result, result_before = 0, 0
        for section, sign in ((INCOME, -1), (EXPENSE, 1)):
            names = [name for name in ACCOUNT_TYPES if ACCOUNT_TYPES[name] == section]
            sums = [
                (name, sign * these.get((name, currency), 0), sign * those.get((name, currency), 0))
                for name in names
                if (name, currency) in these or (name, currency) in those
            ]
            sums.append((TOTAL, sum(item[1] for item in sums), sum(item[2] for item in sums)))
            rows += [ProfitLine(section, *item, currency, now.start, last) for item in sums]
            result, result_before = result - sign * sums[-1][1], result_before - sign * sums[-1][2]
        rows.append(ProfitLine(RESULT, TOTAL, result, result_before, currency, now.start, last))
    return rows


@query(needs="reports.read")
def balance_sheet(read: Reader, *, on: On | None = None) -> list[SheetLine]:
    """What there is, and whom it belongs to, on a day: assets are liabilities and equity, with the result to date."""
    require_whole_office(read)
    day = on or _today(read)
    found = [item for item in reading.held(read, until=day + DAY, by_party=False) if item.postings]
    rows = []
    for currency in _currencies(found):
        held = {item.account: item.amount for item in found if item.currency == currency}
        result = -sum(amount for name, amount in held.items() if ACCOUNT_TYPES[name] in (INCOME, EXPENSE))
        others = 0
        for section, sign in ((ASSET, 1), (LIABILITY, -1), (EQUITY, -1)):
            sums = [(name, sign * amount) for name, amount in held.items() if ACCOUNT_TYPES[name] == section]
            sums += [(RESULT, result)] if section == EQUITY else []
            total = sum(amount for _name, amount in sums)
            others += total if section != ASSET else 0
            rows += [SheetLine(section, name, amount, currency, day) for name, amount in (*sums, (TOTAL, total))]
        rows.append(SheetLine("liability and equity", TOTAL, others, currency, day))
    return rows


@query(needs="reports.read")
def payables(read: Reader) -> list[Payable]:
    """What payees are owed today, by the days since it was due; what is approved of it stands in the ledger."""
    require_whole_office(read)
    day = _today(read)
    known, aged = statements.payees(read), statements.aged(read, day)
    booked = {
        (item.party, item.currency): -item.amount
        for item in reading.held(read, account="reward_payable")
        if item.amount
    }
    rows = []
    for payee, currency in {**aged, **booked}:
        sums = aged.get((payee, currency), (0, 0, 0, 0, 0))
        code, name = known.get(payee, (payee, ""))
        rows.append(Payable(code, name, *sums, sum(sums), booked.get((payee, currency), 0), currency, day))
    rows.sort(key=lambda row: (row.currency, -row.owed, row.payee))
    return [*rows, *_payable_totals(rows, day)]


@query(needs="reports.read")
def reward_cost(read: Reader, *, by: CostBy = "store", period: PeriodText = "") -> list[RewardCost]:
    """What rewards cost in a period, by store, referrer or rule: the lines of all that was approved in it.

    What the ledger holds beyond that, such as a payment of an earlier period that failed in this one, has a row of its
    own, so that the sum is the expense of the period.
    """
    require_whole_office(read)
    now, _before = _periods(read, period)
    last = now.until - DAY
    costs = statements.costs(read, by, now.start, now.until)
    expense = {money: amount for (name, money), amount in _moved(read, now).items() if name == "reward_expense"}
    rows: list[RewardCost] = []
    for currency in sorted({item[-1] for item in costs} | set(expense)):
        made = [
            RewardCost(group or "", name or "", count, amount, money, now.start, last)
            for group, name, count, amount, money in costs
            if money == currency
        ]
        total = expense.get(currency, 0)
        beyond = total - sum(row.amount for row in made)
        made += [RewardCost("", "reversed, or by hand", 0, beyond, currency, now.start, last)] if beyond else []
        rows += [*made, RewardCost(TOTAL, "", sum(row.lines for row in made), total, currency, now.start, last)]
    return rows


@query(needs="reports.read")
def tax_withheld(read: Reader, *, period: PeriodText = "") -> list[TaxWithheld]:
    """What was withheld for the tax office, by month and payee: what the account of it has moved."""
    require_whole_office(read)
    now, _before = _periods(read, period)
    known, rows = statements.payees(read), []
    for month in _months(now):
        held = _moved_by_party(read, month, "tax_withheld")
        label = month_label(month.start)
        made = [
            TaxWithheld(label, *known.get(payee, (payee, "")), -amount, currency, month.until - DAY)
            for (payee, currency), amount in held.items()
            if amount
        ]
        rows += sorted(made, key=lambda row: (row.currency, row.payee))
    for currency in sorted({row.currency for row in rows}):
        total = sum(row.amount for row in rows if row.currency == currency)
        rows.append(TaxWithheld("", TOTAL, "", total, currency, now.until - DAY))
    return rows


# -- sums --------------------------------------------------------------------------------------------------------------


def _today(read: Reader) -> date:
    return day_of(read.now, read.context.zone)


def _periods(read: Reader, text: str) -> tuple[Period, Period]:
    """A period and the one of equal length before it: as many months where it is whole months, else as many days."""
    now = period_of(text) if text else Period(*month_of(_today(read)))
    if now.start.day == now.until.day == 1:
        months = (now.until.year - now.start.year) * 12 + now.until.month - now.start.month
        place = now.start.year * 12 + now.start.month - 1 - months
        return now, Period(date(place // 12, place % 12 + 1, 1), now.start)
    return now, Period(now.start - (now.until - now.start), now.start)


def _months(period: Period) -> list[Period]:
    """The months of a period; the first and the last may be cut."""
    found, start = [], period.start
    while start < period.until:
        end = min(month_of(start)[1], period.until)
        found.append(Period(start, end))
        start = end
    return found


def _moved(read: Reader, period: Period) -> dict[tuple[str, str], int]:
    """What a period has moved, by account and currency."""
    after, before = (reading.held(read, until=day, by_party=False) for day in (period.until, period.start))
    return _difference(
        {(item.account, item.currency): item for item in after},
        {(item.account, item.currency): item for item in before},
    )


def _moved_by_party(read: Reader, period: Period, account: str) -> dict[tuple[str, str], int]:
    """What a period has moved on an account, by party and currency."""
    after, before = (reading.held(read, until=day, account=account) for day in (period.until, period.start))
    return _difference(
        {(item.party, item.currency): item for item in after}, {(item.party, item.currency): item for item in before}
    )


def _difference(
    after: Mapping[tuple[str, str], Held], before: Mapping[tuple[str, str], Held]
) -> dict[tuple[str, str], int]:
    """What is there after less what was there before, where anything was posted between."""
    none = Held("", "", "", 0, 0, 0, 0)
    return {
        place: item.amount - before.get(place, none).amount
        for place, item in after.items()
        if item.postings != before.get(place, none).postings
    }


def _currencies(found: Iterable[Held]) -> list[str]:
    return sorted({item.currency for item in found})


def _payable_totals(rows: Iterable[Payable], day: date) -> list[Payable]:
    names = ("not_due", "days_0_30", "days_31_60", "days_61_90", "over_90", "owed", "in_ledger")
    found = list(rows)
    totals = []
    for currency in sorted({row.currency for row in found}):
        sums = {name: sum(getattr(row, name) for row in found if row.currency == currency) for name in names}
        totals.append(Payable(payee=TOTAL, name="", currency=currency, as_of=day, **sums))
    return totals
