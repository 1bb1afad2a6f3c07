"""Balances, the register, and the check that finds what was tampered with."""

from __future__ import annotations

import pytest

from bo.core.kernel.errors import NotAllowed
from bo.core.ledger.queries import Balance
from tests.core.money_office import MoneyOffice


@pytest.fixture
def posted(money: MoneyOffice) -> MoneyOffice:
    money.by("boss").do("deeds.post", source="a", amount="10")
    money.wait(days=1)
    money.by("boss").do("deeds.post", source="b", amount="2.50", account="clearing")
    money.by("boss").do("deeds.reverse", source="a")
    return money


def test_balances_are_summed_for_each_account(posted: MoneyOffice) -> None:
    assert posted.ws.ask("ledger.balance") == [
        Balance("bank", "", 0, "CNY", 2),
        Balance("clearing", "", -250, "CNY", 1),
        Balance("reward_expense", "", 250, "CNY", 3),
    ]


def test_balances_of_one_party(posted: MoneyOffice) -> None:
    assert posted.ws.ask("ledger.balance", account="clearing", party="somebody") == [
        Balance("clearing", "somebody", -250, "CNY", 1)
    ]


def test_the_register_carries_the_balance_along(posted: MoneyOffice) -> None:
    rows = posted.ws.ask("ledger.register", account="reward_expense")

    assert [(row.number, row.amount, row.balance) for row in rows] == [(1, 1000, 1000), (2, 250, 1250), (3, -1000, 250)]


def test_the_register_of_some_days_starts_with_what_was_there(posted: MoneyOffice) -> None:
    rows = posted.ws.ask("ledger.register", account="reward_expense", since="2026-11-03")

    assert [(row.number, row.balance) for row in rows] == [(2, 1250), (3, 250)]


def test_a_sound_ledger_passes_every_check(posted: MoneyOffice) -> None:
    checked = posted.ws.ask("ledger.check")

    assert (checked.entries, checked.postings, checked.broken) == (3, 6, "")
    assert len(checked.holds) == 7


@pytest.mark.parametrize(
    ("tampering", "broken"),
    [
        ("UPDATE posting SET amount = amount + 1 WHERE n = (SELECT min(n) FROM posting)", "debits equal credits"),
        ("DELETE FROM posting WHERE entry = (SELECT id FROM entry WHERE number = 2)", "two legs"),
        ("UPDATE posting SET entry = 'entry_gone' WHERE account = 'clearing'", "debits equal credits"),
        ("UPDATE entry SET number = 7 WHERE number = 3", "without a gap"),
        ("UPDATE entry SET reverses = 'entry_gone' WHERE number = 3", "of an entry that is none"),
        ("UPDATE posting SET amount = 2 * amount WHERE entry = (SELECT id FROM entry WHERE number = 3)", "mirrors"),
        ("DELETE FROM change WHERE noun = 'entries' AND seq = (SELECT max(seq) FROM change)", "journal"),
    ],
)
def test_the_first_broken_invariant_is_named(posted: MoneyOffice, tampering: str, broken: str) -> None:
    # given
    posted.ws.database.session.script([tampering])

    # when
    checked = posted.ws.ask("ledger.check")

    # then
    assert broken in checked.broken


def test_who_sees_one_shop_alone_sees_no_money(posted: MoneyOffice) -> None:
    # given
    posted.by("boss").do("stores.add", code="S1", name="West")
    posted.by("boss").do("roles.add", code="keeper", permissions="ledger.read,rewards.read")
    keeper = posted.by("boss").do("operators.add", login="keeper", roles="keeper", store="S1").returned
    posted.ws.actor = str(keeper)

    # then
    for query in ("ledger.balance", "ledger.register", "ledger.check", "rewards.due"):
        with pytest.raises(NotAllowed):
            posted.ws.ask(query)
