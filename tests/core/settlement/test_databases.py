"""Money on both databases: the same history comes to the same sums, balances and files."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bo.core.access.permissions import authorise
from bo.core.kernel.database import Database
from bo.core.kernel.record import info_of
from bo.core.kernel.replay import contents, replay
from bo.core.kernel.tx import SYSTEM
from bo.core.kernel.workspace import Workspace, make_office
from bo.core.ledger.records import Entry, Posting
from bo.core.referrers.records import PayeeAccount, Referrer
from bo.core.rewards.records import RewardLine, RewardRule
from bo.core.settlement.records import PaymentFile, Payout, Settlement
from tests.core.kernel.conftest import new_database
from tests.core.money_office import MoneyOffice, office_in
from tests.core.settlement.test_histories import History, check_ledger, check_lines, check_settlements

__all__ = ["new_database"]  # a fixture of the kernel's tests, which know how a database is made

OTHER = {"sqlite": "postgresql", "postgresql": "sqlite"}
RECORDS = (Entry, Posting, Referrer, PayeeAccount, RewardRule, RewardLine, Settlement, Payout, PaymentFile)
INFOS = [info_of(cls) for cls in RECORDS]


@pytest.fixture(params=["sqlite", "postgresql"])
def anywhere(request: pytest.FixtureRequest, new_database: Callable[[str], Database]) -> MoneyOffice:
    return office_in(new_database(request.param))


def test_a_month_is_settled_paid_and_told_alike(anywhere: MoneyOffice) -> None:
    # given
    money = anywhere
    money.by("boss").do("reward_rules.revise", "VALID", cap_month="70", cap_person="500", budget="5000",
                        effective_from="2026-11-02")  # fmt: skip
    for code in ("D1", "D1", "D2"):
        money.earn(code)
    cause = money.earn("D2", event="won", gross="11300", net="10000", customer="王小明", order="SO-1")
    money.by("boss").do("deeds.refund", cause=cause, refunded="1130", of="11300")
    money.by("fin").do("rewards.adjust", referrer="D3", amount="-3", reason="x")

    # when
    made = money.exported()
    money.by("fin").do("payouts.fail", money.payout(made, "D1").id, reason="account closed")
    money.by("fin").do("settlements.mark_paid", made.id)

    # then
    assert (made.total, money.get(Settlement, made.id).state) == (57000, "part_paid")
    balances = money.by("boss").ask("ledger.balance")
    assert {item.account: item.amount for item in balances if item.amount} == {"bank": -50000, "reward_expense": 50000}
    register = money.ws.ask("ledger.register", account="bank", since="2026-11-02", until="2026-11-03")
    assert [(row.number, row.amount, row.balance) for row in register] == [(7, -50000, -50000)]
    assert [(item.referrer, item.due) for item in money.ws.ask("rewards.due", currency="CNY")] == [
        ("D1", 7000),
        ("D3", -300),
    ]
    told = money.ws.ask("settlements.statement", made.id, referrer="D2")
    assert (told.earned, told.clawed_back, told.paid, told.closing) == (55000, 5000, 50000, 0)
    assert money.ws.ask("rewards.explain", money.line(cause).id).agrees
    assert len(money.ws.ask("settlements.lines", made.id)) == 3
    assert money.ws.ask("settlements.payout_file", made.id).payments == 2
    check_ledger(money)
    check_lines(money)


def test_a_history_keeps_its_invariants_and_replays_to_the_same_bytes(
    anywhere: MoneyOffice, new_database: Callable[[str], Database]
) -> None:
    # given
    history = History(anywhere)
    history.play([("earn", 0, 0), ("win", 0, 3), ("win", 1, 5), ("refund", 0, 2), ("settle", 1, 0), ("pay", 1, 0)])
    history.play([("fail", 1, 0), ("wait", 7, 0), ("earn", 1, 0), ("run", 1, 1), ("hold_payee", 1, 0), ("undo", 1, 0)])

    # then
    check_ledger(anywhere)
    check_settlements(anywhere, history)
    check_lines(anywhere)
    assert anywhere.all(RewardLine, "state:paid")

    # when: on the other database
    target = empty_office(new_database(OTHER[anywhere.ws.database.dialect]), anywhere.ws)
    done = replay(anywhere.ws, target)

    # then
    assert done == target.verify() > 30
    assert contents(target.database.session, INFOS) == contents(anywhere.ws.database.session, INFOS)


def empty_office(database: Database, source: Workspace) -> Workspace:
    """An office of the same context that nothing has happened in."""
    make_office(database, source.context, source.device)
    return Workspace(database, source.registry, authorise, actor=SYSTEM.id)
