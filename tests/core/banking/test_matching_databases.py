"""Reconciling on both databases: the same history gives the same matches and books, and replays to the same bytes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bo.core.access.permissions import authorise
from bo.core.banking.records import BankLine, BankMatch, BankStatement, Counterparty, Reconciliation
from bo.core.kernel.database import Database
from bo.core.kernel.record import info_of
from bo.core.kernel.replay import contents, replay
from bo.core.kernel.tx import SYSTEM
from bo.core.kernel.workspace import Workspace, make_office
from bo.core.ledger.records import Entry, Posting
from bo.core.orders.records import Order, Payment
from bo.core.rewards.records import RewardLine
from bo.core.settlement.records import Payout, Settlement
from tests.core.banking.matching_office import office_in, row
from tests.core.kernel.conftest import new_database

__all__ = ["new_database"]  # a fixture of the kernel's tests, which know how a database is made

OTHER = {"sqlite": "postgresql", "postgresql": "sqlite"}
RECORDS = (BankStatement, BankLine, BankMatch, Counterparty, Reconciliation, Entry, Posting, Order, Payment, RewardLine,
           Payout, Settlement)  # fmt: skip
INFOS = [info_of(cls) for cls in RECORDS]


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_a_month_is_reconciled_alike_and_replays_to_the_same_bytes(
    dialect: str, new_database: Callable[[str], Database]
) -> None:
    # given
    bank = office_in(new_database(dialect))
    made = bank.exported()
    first, second, third = (bank.payout(made, code).reference for code in ("D1", "D2", "D3"))
    order = bank.order("SO-1001", 12000)
    bank.order("SO-1002", 700)
    bank.money.by("boss").do("orders.pay", bank.order("SO-1003", 1000).id, amount=1000, method="stripe",
                             reference="ch_1")  # fmt: skip
    lines = bank.take(
        row("02", -5000, end_to_end_id=first),
        row("02", -2000, end_to_end_id=second),
        row("02", -5000, purpose=f"payout {third}"),
        row("02", 5000, end_to_end_id=first, kind="returned"),
        row("02", 12000, purpose="SO-1001 王小明"),
        row("02", 700, counterparty="ZHANG LTD", counterparty_account="DE9"),
    )
    bank.take(row("02", 970, bank_reference="ch_1", fee=30), account="SHOP")

    # when
    told = bank.run()
    bank.do("match", lines[5], items=["SO-1002"])
    bank.do("unmatch", lines[4])
    bank.do("unmatch", lines[3])

    # then
    assert told == {"lines": 7, "matched": 6, "proposed": 1, "left": 0}
    assert [bank.payout(made, code).state for code in ("D1", "D2", "D3")] == ["paid", "sent", "paid"]
    assert bank.money.get(Order, order.id).payment == "unpaid"
    assert len(bank.money.by("boss").ask("bank_lines.candidates", lines[4].id)) >= 1
    assert {line.agrees for line in bank.ws.ask("reconciliations.report")} == {True}
    assert {item.kind: item.count for item in bank.ws.ask("reconciliations.ageing")} == {
        "bank_line": 2, "payout": 1, "order": 1,
    }  # fmt: skip
    assert len(bank.ws.ask("reconciliations.open", kind="payout")) == 1
    bank.check()

    # when: on the other database
    target = new_database(OTHER[dialect])
    make_office(target, bank.ws.context, bank.ws.device)
    copy = Workspace(target, bank.ws.registry, authorise, actor=SYSTEM.id)
    done = replay(bank.ws, copy)

    # then
    assert done == copy.verify() > 20
    assert contents(copy.database.session, INFOS) == contents(bank.ws.database.session, INFOS)
