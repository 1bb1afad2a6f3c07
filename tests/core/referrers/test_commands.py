"""Referrers and the accounts they are paid to."""

from __future__ import annotations

from bo.core.kernel.errors import NotAllowed, Refused, UsageError
from bo.core.referrers.commands import AccountExists, AccountRetired, AlreadySo
from bo.core.referrers.records import PayeeAccount, Referrer
from tests.core.money_office import START, MoneyOffice


def account(money: MoneyOffice, code: str = "D1") -> PayeeAccount:
    return money.all(PayeeAccount, f"referrer:{money.referrers[code]} active:yes")[0]


def test_a_referrer_is_registered(money: MoneyOffice) -> None:
    made = (
        money.by("rita")
        .do("referrers.register", code="P9", name="王工", kind="partner", phone="138 0000 1111")
        .returned
    )

    referrer = money.get(Referrer, str(made))
    assert (referrer.code, referrer.name, referrer.kind, referrer.phone) == ("P9", "王工", "partner", "+8613800001111")
    assert referrer.active


def test_a_code_is_given_once(money: MoneyOffice) -> None:
    money.refuses(Refused, "rita", "referrers.register", code="D1")


def test_a_referrer_is_edited(money: MoneyOffice) -> None:
    money.by("rita").do("referrers.edit", "D1", company="设计院")

    assert money.get(Referrer, "D1").company == "设计院"
    assert money.get(Referrer, "D1").name == "李设计1"


def test_blocking_keeps_the_reason_and_unblocking_clears_it(money: MoneyOffice) -> None:
    # when
    money.by("rita").do("referrers.block", "D1", reason="自己给自己报备")

    # then
    assert (money.get(Referrer, "D1").active, money.get(Referrer, "D1").blocked_reason) == (False, "自己给自己报备")

    # when
    money.by("rita").do("referrers.unblock", "D1")

    # then
    assert (money.get(Referrer, "D1").active, money.get(Referrer, "D1").blocked_reason) == (True, "")


def test_blocking_needs_a_reason(money: MoneyOffice) -> None:
    money.refuses(UsageError, "rita", "referrers.block", "D1", reason="  ")


def test_who_is_blocked_is_not_blocked_again(money: MoneyOffice) -> None:
    money.by("rita").do("referrers.block", "D1", reason="fraud")

    assert "fraud" in money.refuses(AlreadySo, "rita", "referrers.block", "D1", reason="other")


def test_an_account_is_kept_without_spaces_and_with_who_added_it(money: MoneyOffice) -> None:
    found = account(money)

    assert (found.number, found.currency, found.changed_by) == ("6222000011130001", "CNY", money.ids["boss"])
    assert found.changed_at == START


def test_there_is_one_account_in_each_currency(money: MoneyOffice) -> None:
    money.refuses(AccountExists, "fin", "payee_accounts.add", referrer="D1", holder="李", number="1")

    money.by("fin").do(
        "payee_accounts.add", referrer="D1", holder="李", number="DE12 3456", currency="EUR", kind="bank"
    )
    assert {item.currency for item in money.all(PayeeAccount, f"referrer:{money.referrers['D1']}")} == {"CNY", "EUR"}


def test_a_change_keeps_who_and_when(money: MoneyOffice) -> None:
    # given
    money.wait(days=3)

    # when
    money.by("fin").do("payee_accounts.change", account(money).id, number="9999-0000")

    # then
    found = account(money)
    assert (found.number, found.holder, found.changed_by) == ("99990000", "李设计1", money.ids["fin"])
    assert found.changed_at == money.now


def test_a_change_of_nothing_is_none(money: MoneyOffice) -> None:
    money.wait(days=3)

    outcome = money.by("fin").do("payee_accounts.change", account(money).id, number="6222 0000 1113 0001")

    assert outcome.status == "unchanged"
    assert account(money).changed_at == START


def test_a_retired_account_is_not_changed_any_more(money: MoneyOffice) -> None:
    found = account(money)
    money.by("fin").do("payee_accounts.retire", found.id)

    money.refuses(AccountRetired, "fin", "payee_accounts.change", found.id, number="1")


def test_a_reviewer_does_not_touch_accounts(money: MoneyOffice) -> None:
    money.refuses(NotAllowed, "rita", "payee_accounts.change", account(money).id, number="1")
