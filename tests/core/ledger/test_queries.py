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
        Balance("reward_expense", "", 250, 0, "CNY", 3),
        Balance("clearing", "", -250, 0, "CNY", 1),
        Balance("bank", "", 0, 0, "CNY", 2),
    ]


def test_balances_of_one_party(posted: MoneyOffice) -> None:
    assert posted.ws.ask("ledger.balance", account="clearing", party="somebody") == [
        Balance("clearing", "somebody", -250, 0, "CNY", 1)
    ]


def test_the_register_carries_the_balance_along(posted: MoneyOffice) -> None:
    rows = posted.ws.ask("ledger.register", account="reward_expense")

    assert [(row.number, row.amount, row.balance) for row in rows] == [(1, 1000, 1000), (2, 250, 1250), (3, -1000, 250)]


def test_the_register_of_some_days_starts_with_what_was_there(posted: MoneyOffice) -> None:
    rows = posted.ws.ask("ledger.register", account="reward_expense", since="2026-11-03")

    assert [(row.number, row.amount, row.balance) for row in rows] == [(0, 0, 1000), (2, 250, 1250), (3, -1000, 250)]


def test_the_register_is_in_the_order_of_days_and_can_be_split_by_party(books: MoneyOffice) -> None:
    # given
    for source, party, day in (("a", "D1", "2026-11-02"), ("b", "D2", "2026-11-01"), ("c", "D1", "2026-11-02")):
        books.by("boss").do("books.post", source=source, day=day,
                            legs=["fees - 100 CNY", f"reward_payable {party} -100 CNY"])  # fmt: skip

    # then
    rows = books.ws.ask("ledger.register", account="reward_payable", by_party=True)
    assert [(row.number, row.party, row.balance) for row in rows] == [(2, "D2", -100), (1, "D1", -100), (3, "D1", -200)]
    assert [row.balance for row in books.ws.ask("ledger.register", party="D1")] == [-100, -200]


def test_a_balance_of_a_day_in_the_midst_of_a_month_counts_what_was_posted_before(books: MoneyOffice) -> None:
    # given
    for day in ("2026-09-30", "2026-10-01", "2026-10-15", "2026-10-16"):
        books.by("boss").do("books.post", source=day, day=day, legs=["fees - 100 CNY", "bank main -100 CNY"])

    # then
    def fees(until: str | None) -> int:
        found = books.ws.ask("ledger.balance", account="fees", until=until)
        return sum(item.amount for item in found)

    days = ("2026-09-30", "2026-10-01", "2026-10-02", "2026-10-16", "2026-10-17", "2026-11-01", None)
    assert [fees(day) for day in days] == [0, 100, 200, 300, 400, 400, 400]


def test_a_sound_ledger_passes_every_check(posted: MoneyOffice) -> None:
    checked = posted.ws.ask("ledger.check")

    assert (checked.entries, checked.postings, checked.broken) == (3, 6, "")
    assert len(checked.holds) == 12


@pytest.mark.parametrize(
    ("tampering", "broken"),
    [
        ("UPDATE posting SET amount = amount + 1 WHERE n = (SELECT min(n) FROM posting)", "debits equal credits"),
        ("DELETE FROM posting WHERE entry = (SELECT id FROM entry WHERE number = 2)", "two legs"),
        ("UPDATE posting SET entry = 'entry_gone' WHERE account = 'clearing'", "debits equal credits"),
        ("UPDATE entry SET number = 7 WHERE number = 3", "without a gap"),
        ("UPDATE entry SET reverses = 'entry_gone' WHERE number = 3", "of a posted entry"),
        ("UPDATE posting SET amount = 2 * amount WHERE entry = (SELECT id FROM entry WHERE number = 3)", "mirrors"),
        ("UPDATE posting SET amount = 0 WHERE account = 'clearing' OR amount = 250", "moves something"),
        ("DELETE FROM entry WHERE number = 3", "belongs to an entry"),
        ("UPDATE entry SET phase = 'void' WHERE number = 3", "void one none"),
        ("UPDATE entry SET phase = 'pending' WHERE number = 1", "a posted entry"),
        ("UPDATE entry SET resolves = reverses, reverses = NULL WHERE number = 3", "finds it pending"),
        ("UPDATE ledger_balance SET debit = debit + 1 WHERE account = 'bank'", "balances that are kept"),
        ("UPDATE ledger_balance SET reserved = 1 WHERE account = 'bank'", "balances that are kept"),
        ("DELETE FROM ledger_balance WHERE account = 'bank'", "balances that are kept"),
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


def test_more_posted_than_reserved_is_found(books: MoneyOffice) -> None:
    # given
    legs = ["fees - 500 CNY", "bank main -500 CNY"]
    books.by("boss").do("books.reserve", source="r", legs=legs)
    books.by("boss").do("books.confirm", source="r")

    # when
    books.ws.database.session.script(
        ["UPDATE posting SET amount = 2 * amount WHERE n > (SELECT min(n) + 1 FROM posting)"]
    )

    # then
    assert "than was reserved" in books.ws.ask("ledger.check").broken


def test_an_entry_in_a_closed_period_is_found(books: MoneyOffice) -> None:
    # given
    legs = ["fees - 500 CNY", "bank main -500 CNY"]
    books.by("boss").do("ledger.close_period", period="2026-10")
    books.by("boss").do("books.post", source="p", legs=legs)

    # when
    books.ws.database.session.script(["UPDATE entry SET day = '2026-10-31'"])

    # then
    assert "closed period" in books.ws.ask("ledger.check").broken


def test_balances_that_are_wrong_are_added_up_anew(posted: MoneyOffice) -> None:
    # given
    before = posted.ws.ask("ledger.balance")
    posted.ws.database.session.script([
        "UPDATE ledger_balance SET credit = credit + 1, reserved = 5 WHERE account = 'bank'",
        "DELETE FROM ledger_balance WHERE account = 'clearing'",
    ])  # fmt: skip

    # when
    posted.by("boss").do("ledger.rebuild")

    # then
    assert posted.ws.ask("ledger.balance") == before
    assert posted.ws.ask("ledger.check").broken == ""
    assert posted.by("boss").do("ledger.rebuild").status == "unchanged"


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
