"""Two phases: a pending entry moves nothing, is resolved once, and no more is posted than it reserved."""

from __future__ import annotations

import pytest

from bo.core.ledger.posting import AlreadyResolved, MoreThanReserved, NotPending, SourceTaken, Unbalanced
from bo.core.ledger.queries import Balance
from bo.core.ledger.records import Entry
from tests.core.money_office import MoneyOffice

PAYMENT = ["reward_payable D1 1000 CNY", "bank main -1000 CNY"]


@pytest.fixture
def reserved(books: MoneyOffice) -> MoneyOffice:
    books.by("boss").do("books.reserve", source="payment", legs=PAYMENT)
    return books


def held(books: MoneyOffice, account: str) -> tuple[int, int]:
    """Balance and what is reserved beside it."""
    found = books.by("boss").ask("ledger.balance", account=account)
    return (found[0].amount, found[0].reserved) if found else (0, 0)


def test_a_pending_entry_reserves_and_moves_nothing(reserved: MoneyOffice) -> None:
    assert (held(reserved, "bank"), held(reserved, "reward_payable")) == ((0, -1000), (0, 1000))
    assert reserved.ws.ask("ledger.register") == []


def test_what_is_confirmed_is_posted_and_no_longer_reserved(reserved: MoneyOffice) -> None:
    # when
    reserved.wait(days=1)
    reserved.by("boss").do("books.confirm", source="payment")

    # then
    pending, posted = reserved.all(Entry, "sort:number")
    assert (posted.phase, posted.resolves, posted.source) == ("posted", pending.id, f"confirm:{pending.id}")
    assert (held(reserved, "bank"), held(reserved, "reward_payable")) == ((-1000, 0), (1000, 0))
    assert reserved.ws.ask("ledger.balance", account="bank", by_party=True) == [
        Balance("bank", "main", -1000, 0, "CNY", 1)
    ]


def test_a_part_is_confirmed_and_the_rest_is_released(reserved: MoneyOffice) -> None:
    # when
    reserved.by("boss").do("books.confirm", source="payment", legs=["reward_payable D1 400 CNY", "bank main -400 CNY"])

    # then
    assert (held(reserved, "bank"), held(reserved, "reward_payable")) == ((-400, 0), (400, 0))


def test_a_cancelled_entry_is_void_and_says_why(reserved: MoneyOffice) -> None:
    # when
    reserved.by("boss").do("books.cancel", source="payment", reason="account closed")

    # then
    _pending, void = reserved.all(Entry, "sort:number")
    assert (void.phase, void.text) == ("void", "account closed")
    assert held(reserved, "bank") == (0, 0)
    assert reserved.ws.ask("ledger.check").broken == ""


@pytest.mark.parametrize(
    "legs",
    [
        ["reward_payable D1 1001 CNY", "bank main -1001 CNY"],
        ["reward_payable D2 400 CNY", "bank main -400 CNY"],
        ["reward_payable D1 400 CNY", "bank other -400 CNY"],
        ["reward_payable D1 -400 CNY", "bank main 400 CNY"],
        ["reward_payable D1 400 EUR", "bank main -400 EUR"],
        ["reward_payable D1 600 CNY", "reward_payable D1 601 CNY", "bank main -1201 CNY"],
    ],
)
def test_no_more_is_posted_than_was_reserved(reserved: MoneyOffice, legs: list[str]) -> None:
    reserved.refuses(MoreThanReserved, "boss", "books.confirm", source="payment", legs=legs)


def test_a_confirmation_is_balanced(reserved: MoneyOffice) -> None:
    legs = ["reward_payable D1 400 CNY", "bank main -300 CNY"]
    reserved.refuses(Unbalanced, "boss", "books.confirm", source="payment", legs=legs)


@pytest.mark.parametrize("first", ["books.confirm", "books.cancel"])
@pytest.mark.parametrize("second", ["books.confirm", "books.cancel"])
def test_an_entry_is_resolved_once(reserved: MoneyOffice, first: str, second: str) -> None:
    reserved.by("boss").do(first, source="payment")

    reserved.refuses(AlreadyResolved, "boss", second, source="payment")


def test_only_a_pending_entry_is_resolved_and_only_a_posted_one_reversed(reserved: MoneyOffice) -> None:
    reserved.by("boss").do("books.post", source="posted", legs=PAYMENT)

    reserved.refuses(NotPending, "boss", "books.confirm", source="posted")
    reserved.refuses(NotPending, "boss", "books.cancel", source="posted")
    reserved.refuses(NotPending, "boss", "books.reverse", source="payment")


def test_what_was_confirmed_can_be_reversed(reserved: MoneyOffice) -> None:
    # given
    reserved.by("boss").do("books.confirm", source="payment")
    source = reserved.all(Entry, "sort:-number")[0].source

    # when
    reserved.by("boss").do("books.reverse", source=source)

    # then
    assert held(reserved, "bank") == (0, 0)
    assert reserved.ws.ask("ledger.check").broken == ""


def test_the_same_source_reserves_once_and_is_not_posted_beside(reserved: MoneyOffice) -> None:
    assert reserved.by("boss").do("books.reserve", source="payment", legs=PAYMENT).status == "unchanged"
    reserved.refuses(SourceTaken, "boss", "books.post", source="payment", legs=PAYMENT)
