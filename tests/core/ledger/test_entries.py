"""Entries by hand: balanced, final, and not on accounts that modules own."""

from __future__ import annotations

import pytest

from bo.core.kernel.errors import BadInput
from bo.core.ledger.commands import AccountOwned
from bo.core.ledger.posting import AlreadyReversed, Unbalanced
from bo.core.ledger.records import Entry, Posting
from tests.core.money_office import MoneyOffice

FEE = [{"account": "fees", "amount": "12.50"}, {"account": "suspense", "amount": "-12.50"}]


def test_an_entry_is_recorded_by_hand(books: MoneyOffice) -> None:
    # when
    books.by("fin").do("entries.record", text="card fee", legs=FEE, reason="told by the bank", day="2026-11-01")

    # then
    (entry,) = books.all(Entry)
    assert (entry.text, entry.day.isoformat()) == ("card fee (told by the bank)", "2026-11-01")
    assert entry.source.startswith("manual:op_")
    legs = [(item.account, item.amount, item.currency) for item in books.all(Posting, "sort:amount")]
    assert legs == [("suspense", -1250, "CNY"), ("fees", 1250, "CNY")]


def test_text_is_in_major_units_of_the_currency_of_its_leg(books: MoneyOffice) -> None:
    # when
    legs = [{**leg, "currency": "JPY", "amount": amount} for leg, amount in zip(FEE, ("500", -500), strict=True)]
    books.by("fin").do("entries.record", text="x", legs=legs, reason="y")

    # then
    assert sorted(item.amount for item in books.all(Posting)) == [-500, 500]


def test_who_may_not_adjust_the_ledger_does_not_post_where_modules_do(books: MoneyOffice) -> None:
    legs = [{"account": "fees", "amount": "5"}, {"account": "bank", "amount": "-5", "party": "main"}]

    books.refuses(AccountOwned, "fin", "entries.record", text="x", legs=legs, reason="y")
    books.by("boss").do("entries.record", text="x", legs=legs, reason="y")
    assert books.balance("bank") == -500


@pytest.mark.parametrize("amount", ["12.49", "0", ""])
def test_what_is_not_balanced_is_refused(books: MoneyOffice, amount: str) -> None:
    legs = [FEE[0], {"account": "suspense", "amount": amount}]
    books.refuses((Unbalanced, BadInput), "fin", "entries.record", text="x", legs=legs, reason="y")  # type: ignore[arg-type]


def test_an_entry_by_hand_is_reversed_once(books: MoneyOffice) -> None:
    # given
    books.by("fin").do("entries.record", text="x", legs=FEE, reason="y")
    entry = books.all(Entry)[0]

    # when
    books.by("fin").do("entries.reverse", entry.id, reason="twice")

    # then
    assert books.balance("fees") == 0
    assert books.all(Entry, "sort:-number")[0].text == "x (y) (twice)"
    books.refuses(AlreadyReversed, "fin", "entries.reverse", entry.id, reason="again")


def test_what_a_module_posted_is_reversed_by_who_may_adjust_the_ledger_alone(books: MoneyOffice) -> None:
    # given
    books.by("boss").do("deeds.post", source="approval:x", amount="10")
    entry = books.all(Entry)[0]

    # then
    books.refuses(AccountOwned, "fin", "entries.reverse", entry.id, reason="x")
    books.by("boss").do("entries.reverse", entry.id, reason="x")
