"""Bank statements on both databases: the same history gives the same lines, balances and checks, and replays alike."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from bo.core.access.permissions import authorise
from bo.core.banking.records import BankLine, BankStatement
from bo.core.kernel.database import Database
from bo.core.kernel.dispatch import Call
from bo.core.kernel.record import info_of
from bo.core.kernel.replay import contents, replay
from bo.core.kernel.tx import SYSTEM
from bo.core.kernel.workspace import Workspace, make_office
from bo.core.ledger.records import Entry, Posting
from bo.core.office import context_for, found
from bo.core.settlement.records import BankAccount
from tests.core.kernel.conftest import new_database

__all__ = ["new_database"]  # a fixture of the kernel's tests, which know how a database is made

OTHER = {"sqlite": "postgresql", "postgresql": "sqlite"}
INFOS = [info_of(cls) for cls in (BankAccount, BankStatement, BankLine, Entry, Posting)]
MONDAY = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)


def rows(*amounts: tuple[str, int]) -> list[dict[str, object]]:
    return [
        {"day": f"2026-11-{day}", "amount": amount, "purpose": "发票", "counterparty": "王"} for day, amount in amounts
    ]


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_statements_are_taken_in_alike_and_replay_to_the_same_bytes(
    dialect: str, new_database: Callable[[str], Database]
) -> None:
    # given
    office = found(new_database(dialect), context_for("CN"), operator="boss", clock=lambda: MONDAY)
    office.do("bank_accounts.add", code="CMB", holder="公司", number="6225880112345674", currency="CNY")
    first, again, late = rows(("02", 100), ("02", 100), ("03", -40)), rows(("03", -40), ("04", 7)), rows(("01", 5))

    # when
    taken = office.run(
        [
            Call(
                "bank_statements.take_in",
                None,
                {"account": "CMB", "opening": opening, "closing": closing, "lines": lines},
            )
            for opening, closing, lines in [(10, 170, first), (210, 177, again), (5, 10, late), (10, 170, first)]
        ],
        atomic=True,
    )
    office.do("bank_statements.withdraw", taken[1].returned, reason="too early")

    # then
    assert [item.status for item in taken] == ["applied", "applied", "applied", "unchanged"]
    (told,) = office.ask("bank_statements.check")
    assert (told.closing, told.ledger, told.missing, told.not_explained) == (170, 170, 0, 165)
    assert [item.amount for item in office.reader().records(BankLine, "sort:day,amount")] == [5, 100, 100, -40]
    assert office.ask("ledger.check").broken == ""

    # when: on the other database
    target = new_database(OTHER[dialect])
    make_office(target, office.context, office.device)
    copy = Workspace(target, office.registry, authorise, actor=SYSTEM.id)
    done = replay(office, copy)

    # then
    assert done == copy.verify() > 8
    assert contents(copy.database.session, INFOS) == contents(office.database.session, INFOS)
