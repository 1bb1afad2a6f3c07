"""Whom settlement may pay: an account that is missing, changed or shared holds the payout, and so does a block."""

from __future__ import annotations

from bo.core.referrers.payees import BLOCKED, CHANGED, NO_ACCOUNT, SHARED
from bo.core.referrers.records import PayeeAccount
from bo.core.settlement.records import Payout
from tests.core.money_office import MoneyOffice


def held_because(money: MoneyOffice, code: str = "D1") -> str:
    """Why a run holds the payee back; D3 is always there to be paid."""
    money.earn(code)
    money.earn("D3")
    made = money.run()
    payout: Payout = money.payout(made, code)
    assert (payout.state == "held") == bool(payout.reason)
    return payout.reason


def account_of(money: MoneyOffice, code: str) -> str:
    return money.all(PayeeAccount, f"referrer:{money.referrers[code]} active:yes")[0].id


def test_a_first_account_is_paid_to_at_once(money: MoneyOffice) -> None:
    assert held_because(money) == ""


def test_a_blocked_referrer_waits(money: MoneyOffice) -> None:
    money.by("rita").do("referrers.block", "D1", reason="fraud")

    assert held_because(money) == BLOCKED


def test_without_an_account_nothing_is_paid(money: MoneyOffice) -> None:
    money.by("fin").do("payee_accounts.retire", account_of(money, "D1"))

    assert held_because(money) == NO_ACCOUNT


def test_an_account_in_another_currency_is_none(money: MoneyOffice) -> None:
    money.by("fin").do("payee_accounts.retire", account_of(money, "D1"))
    money.by("fin").do("payee_accounts.add", referrer="D1", holder="李", number="DE1", currency="EUR")

    assert held_because(money) == NO_ACCOUNT


def test_a_changed_account_waits_seven_days(money: MoneyOffice) -> None:
    money.wait(days=1)
    money.by("fin").do("payee_accounts.change", account_of(money, "D1"), number="999")
    money.wait(days=6, hours=23)

    assert held_because(money) == CHANGED


def test_after_seven_days_a_changed_account_is_paid_to(money: MoneyOffice) -> None:
    money.wait(days=1)
    money.by("fin").do("payee_accounts.change", account_of(money, "D1"), number="999")
    money.wait(days=7)

    assert held_because(money) == ""


def test_a_new_account_in_place_of_another_is_a_change(money: MoneyOffice) -> None:
    money.by("fin").do("payee_accounts.retire", account_of(money, "D1"))
    money.by("fin").do("payee_accounts.add", referrer="D1", holder="李", number="999")

    assert held_because(money) == CHANGED


def test_an_account_of_two_referrers_holds_both(money: MoneyOffice) -> None:
    # given
    money.wait(days=1)
    money.by("fin").do("payee_accounts.change", account_of(money, "D2"), number="6222 0000 1113 0001")
    money.wait(days=8)

    # when
    money.earn("D2")
    reason = held_because(money)

    # then
    assert reason == SHARED
    assert {item.payee_code: item.reason for item in money.all(Payout)} == {"D1": SHARED, "D2": SHARED, "D3": ""}
