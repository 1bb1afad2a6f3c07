"""What holds after any history of posting, reserving, confirming, cancelling, reversing, closing and opening again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bo.core.kernel.database import Database
from bo.core.kernel.errors import BoError, Refused
from bo.core.kernel.record import info_of
from bo.core.kernel.replay import contents, replay
from bo.core.ledger.records import ACCOUNTS, Entry, LedgerBalance, LedgerPeriod, Posting
from tests.core.kernel.conftest import new_database
from tests.core.ledger.conftest import with_books
from tests.core.money_office import MoneyOffice, copy_office, office_in
from tests.core.settlement.test_databases import OTHER, empty_office

__all__ = ["new_database"]  # a fixture of the kernel's tests, which know how a database is made

INFOS: Final = [info_of(cls) for cls in (Entry, Posting, LedgerBalance, LedgerPeriod)]
PARTIES: Final = ("-", "D1", "D2", "招商银行")
MONTHS: Final = ("2026-08", "2026-09", "2026-10", "2026-11", "2026-12")
STEP = st.tuples(
    st.sampled_from(
        "post post post many reserve reserve confirm part cancel reverse close close reopen undo wait again".split()
    ),
    st.integers(0, 11),
    st.integers(0, 11),
)
Steps = list[tuple[str, int, int]]


class Books:
    """One office and what its books should hold; what is refused did not happen."""

    def __init__(self, money: MoneyOffice) -> None:
        self.money = with_books(money)
        self.sources: list[str] = []
        self.legs: dict[str, list[str]] = {}
        self.held: dict[tuple[str, str, str], int] = defaultdict(int)
        self.reserved: dict[str, list[str]] = {}

    def play(self, steps: Steps) -> None:
        for name, first, second in steps:
            step: Callable[[int, int], None] = getattr(self, name)
            try:
                step(first, second)
            except BoError:
                continue

    def do(self, name: str, **args: object) -> None:
        self.money.by("boss").do(name, **args)

    def made_legs(self, first: int, second: int) -> list[str]:
        """Two legs, or four in two currencies."""
        amount = 100 * first + second + 1
        whose = PARTIES[second % 4]
        legs = [f"{ACCOUNTS[first]} {whose} {amount} CNY", f"{ACCOUNTS[first + 2]} - {-amount} CNY"]
        return legs if second % 3 else [*legs, f"fees {whose} {amount} JPY", f"bank {whose} {-amount} JPY"]

    def day(self, back: int) -> str:
        return (self.money.now.date() - timedelta(days=11 * back)).isoformat()

    def count(self, legs: list[str], sign: int = 1) -> None:
        for leg in legs:
            account, party, amount, currency = leg.split(" ")
            self.held[account, "" if party == "-" else party, currency] += sign * int(amount)

    def post(self, first: int, second: int) -> None:
        source, legs = f"post-{len(self.sources)}", self.made_legs(first, second)
        self.do("books.post", source=source, legs=legs, day=self.day(second))
        self.sources.append(source)
        self.legs[source] = legs
        self.count(legs)

    def many(self, first: int, second: int) -> None:
        source, legs = f"many-{len(self.sources)}", self.made_legs(first, second)
        self.do("books.post_many", source=source, legs=legs, times=3)
        self.sources.append(source)
        for _time in range(6):
            self.count(legs)

    def reserve(self, first: int, second: int) -> None:
        source, legs = f"reserve-{len(self.sources)}", self.made_legs(first, second)
        self.do("books.reserve", source=source, legs=legs, day=self.day(second))
        self.sources.append(source)
        self.reserved[source] = self.legs[source] = legs

    def confirm(self, first: int, second: int) -> None:
        source = sorted(self.legs)[first % len(self.legs)] if self.legs else ""
        self.do("books.confirm", source=source, day=self.day(second))
        self.count(self.reserved.pop(source))

    def part(self, first: int, second: int) -> None:
        source = sorted(self.reserved)[first % len(self.reserved)] if self.reserved else ""
        legs = []
        for leg in self.reserved.get(source, ["fees - 1 CNY", "bank - -1 CNY"]):
            account, party, amount, currency = leg.split(" ")
            share = int(amount) * second // 8 if int(amount) > 0 else -(-int(amount) * second // 8)
            legs.append(f"{account} {party} {share} {currency}")
        self.do("books.confirm", source=source, legs=legs)
        assert second <= 8  # above it more than the reserved would be posted
        self.reserved.pop(source)
        self.count(legs)

    def cancel(self, first: int, second: int) -> None:
        source = sorted(self.legs)[(first + second) % len(self.legs)] if self.legs else ""
        self.do("books.cancel", source=source)
        del self.reserved[source]

    def reverse(self, first: int, second: int) -> None:
        source = sorted(self.legs)[(first + second) % len(self.legs)] if self.legs else ""
        self.do("books.reverse", source=source, day=self.day(second))
        self.count(self.legs[source], -1)

    def again(self, first: int, _second: int) -> None:
        source = self.sources[first % len(self.sources)] if self.sources else ""
        if source.startswith("post"):
            self.do("books.post", source=source, legs=self.legs[source])  # posted before: nothing happens
            self.do("books.post", source=source, legs=["fees - 7 CNY", "bank - -7 CNY"])
            raise AssertionError("the same source was posted as something else")

    def close(self, first: int, second: int) -> None:
        self.do("ledger.close_period", period=MONTHS[first % 5], with_pending=bool(second % 2))

    def reopen(self, first: int, _second: int) -> None:
        self.do("ledger.reopen_period", period=MONTHS[first % 5], reason="x")

    def undo(self, _first: int, _second: int) -> None:
        if not self.sources:
            return
        with pytest.raises(Refused):
            self.money.by("boss").undo(self.money.ws.operations(limit=1)[0].id)

    def wait(self, first: int, _second: int) -> None:
        self.money.wait(days=first)


def check(books: Books) -> None:
    """The invariants, by what the history says and by what the office itself checks."""
    money = books.money
    assert money.by("boss").ask("ledger.check").broken == ""
    found = money.ws.ask("ledger.balance", by_party=True)
    held = {(item.account, item.party, item.currency): item.amount for item in found if item.amount}
    assert held == {place: amount for place, amount in books.held.items() if amount}
    reserved: dict[tuple[str, str, str], int] = defaultdict(int)
    for legs in books.reserved.values():
        for leg in legs:
            account, party, amount, currency = leg.split(" ")
            reserved[account, "" if party == "-" else party, currency] += int(amount)
    beside = {(item.account, item.party, item.currency): item.reserved for item in found if item.reserved}
    assert beside == {place: amount for place, amount in reserved.items() if amount}
    check_periods(money)
    check_sums(money)


def check_periods(money: MoneyOffice) -> None:
    """No entry lies in a month that was closed when it was made, and what is late says its day."""
    events = money.all(LedgerPeriod, "sort:number")
    for entry in money.all(Entry):
        in_force = [item for item in events if item.last_number < entry.number]
        if in_force:
            assert entry.day >= in_force[-1].opens
        if entry.fact_day is not None:
            assert entry.fact_day < entry.day == in_force[-1].opens


def check_sums(money: MoneyOffice) -> None:
    """The register ends at the balances, the trial balance is even, and the balance sheet balances."""
    last = {(row.account, row.currency): row.balance for row in money.ws.ask("ledger.register")}
    assert last == {(item.account, item.currency): item.amount for item in money.ws.ask("ledger.balance")
                    if item.postings}  # fmt: skip
    day = money.now.date() + timedelta(days=400)
    for row in money.ws.ask("reports.trial_balance", on=day):
        if row.account == "total":
            assert row.debit == row.credit
    sheet = money.ws.ask("reports.balance_sheet", on=day)
    totals = {(row.section, row.currency): row.amount for row in sheet if row.account == "total"}
    for currency in {row.currency for row in sheet}:
        assert totals["asset", currency] == totals["liability and equity", currency]
        assert totals["liability and equity", currency] == totals["liability", currency] + totals["equity", currency]


@settings(max_examples=12)
@given(steps=st.lists(STEP, min_size=5, max_size=40))
def test_the_invariants_hold_after_any_history(money_template: Path, steps: Steps) -> None:
    with TemporaryDirectory() as folder:
        books = Books(copy_office(money_template, Path(folder) / "office"))
        books.play(steps)
        check(books)
        books.money.ws.close()


MUCH: Final[Steps] = [
    ("post", 1, 3), ("post", 2, 1), ("reserve", 3, 3), ("reserve", 0, 5), ("many", 4, 2), ("part", 1, 4),
    ("close", 0, 1), ("close", 1, 1), ("close", 2, 1), ("post", 5, 9), ("reserve", 4, 1),
    ("cancel", 3, 0), ("confirm", 2, 6),
    ("reverse", 0, 0), ("reverse", 1, 3), ("reopen", 2, 0), ("post", 6, 2), ("wait", 11, 0), ("wait", 11, 0),
    ("wait", 9, 0), ("close", 2, 1), ("close", 3, 1), ("reserve", 7, 7), ("again", 0, 0), ("undo", 0, 0),
]  # fmt: skip


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_a_history_holds_and_replays_to_the_same_bytes_on_the_other_database(
    dialect: str, new_database: Callable[[str], Database]
) -> None:
    # given
    books = Books(office_in(new_database(dialect)))

    # when
    books.play(MUCH)

    # then
    check(books)
    assert len(books.money.all(LedgerPeriod)) == 6
    assert {entry.phase for entry in books.money.all(Entry)} == {"posted", "pending", "void"}

    # when
    target = empty_office(new_database(OTHER[dialect]), books.money.ws)
    done = replay(books.money.ws, target)

    # then
    assert done == target.verify() > 20
    assert contents(target.database.session, INFOS) == contents(books.money.ws.database.session, INFOS)
