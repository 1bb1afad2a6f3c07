"""Posting: balanced, once for each source, final, and reversed once at most."""

from __future__ import annotations

import pytest

from bo.core.kernel.errors import Refused
from bo.core.ledger.posting import AlreadyReversed, SourceTaken, Unbalanced
from bo.core.ledger.records import Entry, Posting
from tests.core.money_office import MoneyOffice


def test_an_entry_is_posted_with_its_legs(money: MoneyOffice) -> None:
    # when
    money.by("boss").do("deeds.post", source="a", amount="12.50")

    # then
    (entry,) = money.all(Entry)
    assert (entry.number, entry.source, entry.day.isoformat(), entry.reverses) == (1, "a", "2026-11-02", None)
    legs = [(item.account, item.party, item.amount, item.currency) for item in money.all(Posting, "sort:amount")]
    assert legs == [("bank", "somebody", -1250, "CNY"), ("reward_expense", "", 1250, "CNY")]


def test_entries_are_numbered_without_a_gap(money: MoneyOffice) -> None:
    for source in ("a", "b", "c"):
        money.by("boss").do("deeds.post", source=source, amount="1")

    assert [(entry.number, entry.source) for entry in money.all(Entry, "sort:number")] == [(1, "a"), (2, "b"), (3, "c")]


@pytest.mark.parametrize(
    "legs",
    [
        {"amount": "10", "other": "9"},
        {"amount": "0"},
        {"amount": "10", "currency": "EUR"},
    ],
)
def test_what_is_not_balanced_in_each_currency_is_refused(money: MoneyOffice, legs: dict[str, str]) -> None:
    money.refuses(Unbalanced, "boss", "deeds.post", source="a", **legs)


def test_the_same_source_posts_once(money: MoneyOffice) -> None:
    # given
    money.by("boss").do("deeds.post", source="a", amount="10")
    before = money.image()

    # when
    again = money.by("boss").do("deeds.post", source="a", amount="10")

    # then
    assert again.status == "unchanged"
    assert money.image() == before


def test_the_same_source_with_another_amount_is_refused(money: MoneyOffice) -> None:
    money.by("boss").do("deeds.post", source="a", amount="10")

    money.refuses(SourceTaken, "boss", "deeds.post", source="a", amount="11")


def test_a_reversal_mirrors_its_entry(money: MoneyOffice) -> None:
    # given
    money.by("boss").do("deeds.post", source="a", amount="10")

    # when
    money.by("boss").do("deeds.reverse", source="a")

    # then
    first, second = money.all(Entry, "sort:number")
    assert (second.number, second.reverses, second.source) == (2, first.id, f"reversal:{first.id}")
    assert (money.balance("bank"), money.balance("reward_expense")) == (0, 0)


def test_an_entry_is_reversed_once_and_a_reversal_not_at_all(money: MoneyOffice) -> None:
    # given
    money.by("boss").do("deeds.post", source="a", amount="10")
    money.by("boss").do("deeds.reverse", source="a")
    reversal = money.all(Entry, "sort:-number")[0]

    # then
    money.refuses(AlreadyReversed, "boss", "deeds.reverse", source="a")
    money.refuses(AlreadyReversed, "boss", "deeds.reverse", source=reversal.source)


def test_posting_cannot_be_undone(money: MoneyOffice) -> None:
    # given
    posted = money.by("boss").do("deeds.post", source="a", amount="10")
    before = money.image()

    # when
    with pytest.raises(Refused, match="final"):
        money.by("boss").undo(posted.operation)

    # then
    assert money.image() == before
