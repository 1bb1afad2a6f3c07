"""Finance reports: what they say, that they come to what the ledger holds, and that both databases say the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from bo.core.kernel.database import Database
from bo.core.kernel.errors import BoError, NotAllowed
from bo.core.reports.queries import Payable, ProfitLine, RewardCost, SheetLine, TaxWithheld, TrialLine
from bo.core.settlement.records import Settlement
from tests.core.kernel.conftest import new_database
from tests.core.ledger.conftest import with_books
from tests.core.money_office import MoneyOffice, office_in

__all__ = ["new_database"]  # a fixture of the kernel's tests, which know how a database is made

NOVEMBER = (date(2026, 11, 1), date(2026, 11, 30))
TODAY = date(2026, 11, 2)


@pytest.fixture(params=["sqlite", "postgresql"])
def office(request: pytest.FixtureRequest, new_database: Callable[[str], Database]) -> MoneyOffice:
    """An office that has earned, approved, sent and lost some money, on each database."""
    money = with_books(office_in(new_database(request.param)))
    boss = money.by("boss")
    boss.do("books.post", source="september", day="2026-09-30", legs=["fees - 900 CNY", "bank main -900 CNY"])
    boss.do("books.post", source="october", day="2026-10-15", legs=["bank main 70000 CNY", "sales - -70000 CNY"])
    boss.do("books.post", source="yen", day="2026-10-15", legs=["bank main 500 JPY", "opening - -500 JPY"])
    money.earn("D1")
    money.earn("D2", event="won", gross="11300", net="10000", customer="王小明", order="SO-1")
    return money


def approved(money: MoneyOffice) -> Settlement:
    made = money.submitted()
    money.by("anna").do("settlements.approve", made.id, hash=made.content_hash)
    return made


def test_the_trial_balance_has_both_sides_for_each_currency(office: MoneyOffice) -> None:
    rows = office.by("fin").ask("reports.trial_balance", on="2026-10-15")

    day = date(2026, 10, 15)
    assert rows == [
        TrialLine("bank", "asset", "", 69100, 0, "CNY", day),
        TrialLine("fees", "expense", "", 900, 0, "CNY", day),
        TrialLine("sales", "income", "", 0, 70000, "CNY", day),
        TrialLine("total", "", "", 70000, 70000, "CNY", day),
        TrialLine("bank", "asset", "", 500, 0, "JPY", day),
        TrialLine("opening", "equity", "", 0, 500, "JPY", day),
        TrialLine("total", "", "", 500, 500, "JPY", day),
    ]
    assert [row.account for row in office.ws.ask("reports.trial_balance", on="2026-10-14")] == ["bank", "fees", "total"]


def test_the_trial_balance_by_party_names_payees_by_their_codes(office: MoneyOffice) -> None:
    # given
    approved(office)

    # then
    rows = office.by("fin").ask("reports.trial_balance", by_party=True)
    assert [(row.party, row.credit) for row in rows if row.account == "reward_payable"] == [("D1", 5000), ("D2", 50000)]


def test_profit_and_loss_stand_beside_the_period_before(office: MoneyOffice) -> None:
    # given
    approved(office)

    # then
    rows = office.by("fin").ask("reports.profit_and_loss", period="2026-11")
    assert rows == [
        ProfitLine("income", "sales", 0, 70000, "CNY", *NOVEMBER),
        ProfitLine("income", "total", 0, 70000, "CNY", *NOVEMBER),
        ProfitLine("expense", "reward_expense", 55000, 0, "CNY", *NOVEMBER),
        ProfitLine("expense", "total", 55000, 0, "CNY", *NOVEMBER),
        ProfitLine("result", "total", -55000, 70000, "CNY", *NOVEMBER),
    ]


@pytest.mark.parametrize(
    ("period", "result", "before"),
    [
        ("2026-10", 70000, -900),
        ("2026-Q4", 70000, -900),
        ("2026-10-15..2026-10-16", 70000, 0),
        ("2026-10-16..2026-10-17", None, None),
        ("2026-10-01..2026-10-16", 70000, -900),
    ],
)
def test_a_period_is_compared_with_one_of_equal_length(
    office: MoneyOffice, period: str, result: int | None, before: int | None
) -> None:
    rows = office.by("fin").ask("reports.profit_and_loss", period=period)

    found = [(row.amount, row.before) for row in rows if row.section == "result" and row.currency == "CNY"]
    assert found == ([(result, before)] if result is not None else [(0, 70000)])


def test_the_balance_sheet_balances_with_the_result_to_date(office: MoneyOffice) -> None:
    # given
    approved(office)

    # then
    rows = [row for row in office.by("fin").ask("reports.balance_sheet") if row.currency == "CNY"]
    assert rows == [
        SheetLine("asset", "bank", 69100, "CNY", TODAY),
        SheetLine("asset", "total", 69100, "CNY", TODAY),
        SheetLine("liability", "reward_payable", 55000, "CNY", TODAY),
        SheetLine("liability", "total", 55000, "CNY", TODAY),
        SheetLine("equity", "result", 14100, "CNY", TODAY),
        SheetLine("equity", "total", 14100, "CNY", TODAY),
        SheetLine("liability and equity", "total", 69100, "CNY", TODAY),
    ]


def test_the_result_of_a_period_is_the_change_of_equity(office: MoneyOffice) -> None:
    # given
    approved(office)

    # then
    def equity(day: str) -> int:
        rows = office.by("fin").ask("reports.balance_sheet", on=day)
        return sum(row.amount for row in rows if (row.section, row.account, row.currency) == ("equity", "total", "CNY"))

    for period, first, last in (("2026-11", "2026-10-31", "2026-11-30"), ("2026-10", "2026-09-30", "2026-10-31")):
        rows = office.by("fin").ask("reports.profit_and_loss", period=period)
        result = next(row.amount for row in rows if row.section == "result" and row.currency == "CNY")
        assert result == equity(last) - equity(first)


def test_payables_are_aged_by_the_day_they_were_due(office: MoneyOffice) -> None:
    # given
    approved(office)
    office.wait(days=45)
    office.earn("D1", event="visit")  # a week is held before it is due
    office.earn("D3")

    # then
    day = date(2026, 12, 17)
    assert office.by("fin").ask("reports.payables") == [
        Payable("D2", "李设计2", 0, 0, 50000, 0, 0, 50000, 50000, "CNY", day),
        Payable("D1", "李设计1", 10000, 0, 5000, 0, 0, 15000, 5000, "CNY", day),
        Payable("D3", "李设计3", 0, 5000, 0, 0, 0, 5000, 0, "CNY", day),
        Payable("total", "", 10000, 5000, 55000, 0, 0, 70000, 55000, "CNY", day),
    ]
    office.wait(days=60)
    total = office.ws.ask("reports.payables")[-1]
    assert (total.not_due, total.days_0_30, total.days_31_60, total.days_61_90, total.over_90) == (
        0, 0, 15000, 0, 55000,
    )  # fmt: skip


def test_reward_cost_comes_to_the_expense_of_the_period(office: MoneyOffice) -> None:
    # given
    approved(office)

    # then
    by_rule = office.by("fin").ask("reports.reward_cost", by="rule", period="2026-11")
    assert by_rule == [
        RewardCost("ORDER", "reward", 1, 50000, "CNY", *NOVEMBER),
        RewardCost("VALID", "reward", 1, 5000, "CNY", *NOVEMBER),
        RewardCost("total", "", 2, 55000, "CNY", *NOVEMBER),
    ]
    by_referrer = office.ws.ask("reports.reward_cost", by="referrer", period="2026-11")
    assert [(row.group, row.amount) for row in by_referrer] == [("D2", 50000), ("D1", 5000), ("total", 55000)]
    assert [row.amount for row in office.ws.ask("reports.reward_cost", period="2026-11")] == [55000, 55000]
    assert office.ws.ask("reports.reward_cost", period="2026-10") == []


def test_what_no_line_explains_has_a_row_of_its_own(office: MoneyOffice) -> None:
    # given
    approved(office)
    office.by("boss").do("books.post", source="by hand", legs=["reward_expense - 70 CNY", "suspense - -70 CNY"])

    # then
    rows = office.by("fin").ask("reports.reward_cost", by="rule", period="2026-11")
    assert [(row.name, row.amount) for row in rows[-2:]] == [("reversed, or by hand", 70), ("", 55070)]


def test_tax_withheld_is_what_its_account_moved_by_month_and_payee(office: MoneyOffice) -> None:
    # given
    payee = office.referrers["D1"]
    for day, amount in (("2026-10-31", 100), ("2026-11-01", 200), ("2026-11-02", 30)):
        legs = [f"reward_payable {payee} {amount} CNY", f"tax_withheld {payee} {-amount} CNY"]
        office.by("boss").do("books.post", source=day, day=day, legs=legs)

    # then
    assert office.by("fin").ask("reports.tax_withheld", period="2026-Q4") == [
        TaxWithheld("2026-10", "D1", "李设计1", 100, "CNY", date(2026, 10, 31)),
        TaxWithheld("2026-11", "D1", "李设计1", 230, "CNY", date(2026, 11, 30)),
        TaxWithheld("", "total", "", 330, "CNY", date(2026, 12, 31)),
    ]


@pytest.mark.parametrize("period", ["2026-13", "soon", "2026-11-02..2026-11-01"])
def test_what_is_no_period_is_refused(money: MoneyOffice, period: str) -> None:
    with pytest.raises(BoError):
        money.by("fin").ask("reports.profit_and_loss", period=period)


def test_who_may_not_read_reports_reads_none(money: MoneyOffice) -> None:
    for name in ("trial_balance", "profit_and_loss", "balance_sheet", "payables", "reward_cost", "tax_withheld"):
        with pytest.raises(NotAllowed):
            money.by("rita").ask(f"reports.{name}")


def test_empty_books_have_empty_reports(money: MoneyOffice) -> None:
    for name in ("trial_balance", "profit_and_loss", "balance_sheet", "payables", "reward_cost", "tax_withheld"):
        assert money.by("fin").ask(f"reports.{name}") == []
