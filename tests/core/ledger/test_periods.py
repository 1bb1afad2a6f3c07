"""Periods: months close in their order, take nothing any more, and open again only by who may."""

from __future__ import annotations

from datetime import date

import pytest

from bo.core.kernel.errors import NotAllowed, Refused, UsageError
from bo.core.ledger.commands import EntriesPending, NotNow
from bo.core.ledger.records import Entry, LedgerPeriod
from tests.core.money_office import MoneyOffice

FEE = ["fees - 500 CNY", "bank main -500 CNY"]
OCTOBER = {"source": "october", "legs": FEE, "day": "2026-10-05"}


@pytest.fixture
def closed(books: MoneyOffice) -> MoneyOffice:
    books.by("boss").do("books.post", **OCTOBER)
    books.by("fin").do("ledger.close_period", period="2026-10", note="all in")
    return books


def test_a_closed_period_says_who_closed_it_and_what_was_the_last_entry(closed: MoneyOffice) -> None:
    (period,) = closed.all(LedgerPeriod)

    assert (period.label, period.state, period.done_by, period.last_number, period.note) == (
        "2026-10", "closed", closed.ids["fin"], 1, "all in",
    )  # fmt: skip
    assert (period.opens, period.created_at) == (date(2026, 11, 1), closed.now)


@pytest.mark.parametrize("day", ["2026-10-31", "2026-10-01", "2025-01-01"])
def test_what_comes_late_goes_to_the_first_open_day_and_says_its_own(closed: MoneyOffice, day: str) -> None:
    # when
    closed.by("boss").do("books.post", source="late", legs=FEE, day=day)

    # then
    late = closed.all(Entry, "source:late")[0]
    assert (late.day, late.fact_day) == (date(2026, 11, 1), date.fromisoformat(day))
    assert closed.all(Entry, "source:october")[0].fact_day is None
    assert closed.ws.ask("ledger.balance", account="fees", until="2026-11-01")[0].amount == 500
    assert closed.ws.ask("ledger.check").broken == ""


def test_what_belongs_to_an_open_period_is_not_late(closed: MoneyOffice) -> None:
    closed.by("boss").do("books.post", source="now", legs=FEE, day="2026-11-01")

    assert closed.all(Entry, "source:now")[0].fact_day is None


def test_pending_reversed_and_confirmed_entries_come_late_too(closed: MoneyOffice) -> None:
    # when
    closed.by("boss").do("books.reserve", source="r", legs=FEE, day="2026-10-09")
    closed.by("boss").do("books.confirm", source="r", day="2026-10-10")
    closed.by("boss").do("books.reverse", source="october", day="2026-10-11")

    # then
    days = [entry.day for entry in closed.all(Entry, "sort:number")]
    assert days == [date(2026, 10, 5), *[date(2026, 11, 1)] * 3]


def test_a_period_that_is_not_over_stays_open(books: MoneyOffice) -> None:
    said = books.refuses(NotNow, "fin", "ledger.close_period", period="2026-11")

    assert said == "2026-11 is not over"


def test_periods_close_in_their_order(books: MoneyOffice) -> None:
    # given
    books.by("boss").do("books.post", **{**OCTOBER, "day": "2026-08-31"})

    # then: the first that was posted in comes first, then the one after it, even if nothing was posted in it
    books.refuses(NotNow, "fin", "ledger.close_period", period="2026-09")
    books.by("fin").do("ledger.close_period", period="2026-08")
    books.refuses(NotNow, "fin", "ledger.close_period", period="2026-10")
    books.refuses(NotNow, "fin", "ledger.close_period", period="2026-08")
    books.refuses(NotNow, "fin", "ledger.close_period", period="2026-07")
    books.by("fin").do("ledger.close_period", period="2026-09")
    books.by("fin").do("ledger.close_period", period="2026-10")


def test_pending_entries_hold_a_period_open_unless_it_is_said(books: MoneyOffice) -> None:
    # given
    books.by("boss").do("books.reserve", source="r", legs=FEE, day="2026-10-09")
    books.refuses(EntriesPending, "fin", "ledger.close_period", period="2026-10")

    # when
    books.by("fin").do("ledger.close_period", period="2026-10", with_pending=True)
    books.by("boss").do("books.confirm", source="r", day="2026-10-10")

    # then
    assert books.all(Entry, "sort:-number")[0].day == date(2026, 11, 1)
    assert books.ws.ask("ledger.check").broken == ""


def test_opening_again_is_a_right_of_its_own(closed: MoneyOffice) -> None:
    # given
    closed.refuses(NotAllowed, "fin", "ledger.reopen_period", period="2026-10", reason="a bill was lost")

    # when
    closed.by("boss").do("ledger.reopen_period", period="2026-10", reason="a bill was lost")
    closed.by("boss").do("books.post", source="bill", legs=FEE, day="2026-10-20")

    # then
    _closing, opening = closed.all(LedgerPeriod, "sort:number")
    assert (opening.state, opening.opens, opening.note) == ("open", date(2026, 10, 1), "a bill was lost")
    assert closed.all(Entry, "source:bill")[0].day == date(2026, 10, 20)
    assert closed.ws.ask("ledger.check").broken == ""


def test_the_last_period_is_opened_first(closed: MoneyOffice) -> None:
    closed.wait(days=30)
    closed.by("fin").do("ledger.close_period", period="2026-11")

    closed.refuses(NotNow, "boss", "ledger.reopen_period", period="2026-10", reason="x")
    closed.refuses(NotNow, "boss", "ledger.reopen_period", period="2026-12", reason="x")


def test_a_month_is_not_opened_by_an_undo(closed: MoneyOffice) -> None:
    # given
    operation = closed.ws.operations(limit=1)[0].id

    # then
    with pytest.raises(Refused, match="final"):
        closed.by("fin").undo(operation)


def test_a_month_that_was_opened_again_closes_again(closed: MoneyOffice) -> None:
    # given
    closed.by("boss").do("ledger.reopen_period", period="2026-10", reason="x")
    closed.refuses(NotNow, "boss", "ledger.reopen_period", period="2026-10", reason="x")
    closed.by("boss").do("books.post", source="bill", legs=FEE, day="2026-10-20")

    # when
    closed.by("fin").do("ledger.close_period", period="2026-10")
    closed.by("boss").do("books.post", source="late", legs=FEE, day="2026-10-21")

    # then
    assert closed.all(Entry, "source:late")[0].day == date(2026, 11, 1)
    assert closed.ws.ask("ledger.check").broken == ""


@pytest.mark.parametrize("period", ["2026-13", "November", "2026", "2026-11-02", ""])
def test_what_is_no_month_is_refused(books: MoneyOffice, period: str) -> None:
    books.refuses(UsageError, "fin", "ledger.close_period", period=period)
