"""50,000 bank lines against 50,000 open items: payments of a channel by id, orders by number, payouts by reference."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from bo.core.banking.records import Reconciliation
from bo.core.kernel.dispatch import Call
from bo.core.kernel.record import Record, info_of
from bo.core.kernel.unit import Unit
from bo.core.kernel.workspace import Workspace
from bo.core.ledger.records import Entry, Posting
from bo.core.office import context_for, create
from bo.core.orders.records import Order, Payment
from bo.core.settlement.records import Payout, Settlement
from tests.benchmarks._money_settlement import made_id

START: Final = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
LINES: Final = 50_000
PAYOUTS: Final = 2_000  # those of a settlement; the others are payments of customers
UNPAID: Final = 3_000  # orders of which only the bank says that they are paid
GOAL_S: Final = 10.0
STAMPS: Final[dict[str, Any]] = {"revision": 1, "created_at": START, "updated_at": START, "scope": "hq"}


def orders() -> Iterable[Record]:
    for number in range(LINES - PAYOUTS):
        paid = number >= UNPAID
        yield Order(id=made_id("ord", number), number=f"SO-{number:07}", key=f"web/SO-{number:07}", channel="web",
                    placed_at=START, currency="CNY", total=11860, captured=11860 if paid else 0, name=f"王{number}",
                    payment="paid" if paid else "unpaid", **STAMPS)  # fmt: skip


def payments() -> Iterable[Record]:
    for number in range(UNPAID, LINES - PAYOUTS):
        yield Payment(id=made_id("pmt", number), order=made_id("ord", number), method="stripe", amount=11860,
                      reference=f"ch_{number:012}", currency="CNY", at=START, **STAMPS)  # fmt: skip


def rows() -> Iterable[dict[str, object]]:
    """What the bank says, over thirty days."""
    for number in range(LINES - PAYOUTS):
        day = START.date() + timedelta(days=number % 30)
        row: dict[str, object] = {"day": day, "counterparty": f"WANG {number}"}
        if number < UNPAID:
            yield {**row, "amount": 11860, "purpose": f"payment of SO-{number:07}, thank you"}
        else:
            yield {**row, "amount": 11516, "fee": 344, "bank_reference": f"ch_{number:012}"}
    for number in range(PAYOUTS):
        yield {"day": START.date() + timedelta(days=number % 30), "amount": -3148, "end_to_end_id": f"pay-{number:026}"}


def payouts(settlement: str) -> Iterable[Record]:
    for number in range(PAYOUTS):
        yield Payout(id=made_id("pay", number), reference=f"pay-{number:026}", settlement=settlement, state="sent",
                     referrer=made_id("ref", number), amount=3148, earned=3148, currency="CNY",
                     payee_code=f"D{number:05}", **STAMPS)  # fmt: skip


def reserved() -> Iterable[Record]:
    """What export and approval have posted for the payouts."""
    for number in range(PAYOUTS):
        reserve, party = made_id("entry", number), made_id("ref", number)
        yield Entry(id=reserve, number=number + 1, day=START.date(), text="x", phase="pending",
                    source=f"payment:{made_id('pay', number)}", **STAMPS)  # fmt: skip
        for place, (account, owner, amount) in enumerate((("reward_payable", party, 3148), ("bank", "", -3148))):
            yield Posting(id=made_id("post", 2 * number + place), entry=reserve, account=account, party=owner,
                          amount=amount, currency="CNY", **STAMPS)  # fmt: skip


def furnished(folder: Path) -> Workspace:
    """An office whose statements are in, and nothing of them is matched."""
    office = create(folder, context_for("CN"), operator="boss", clock=lambda: START + timedelta(days=60))
    settlement = Settlement(id=made_id("setl", 0), number="S-2026-11-CNY-0001", state="exported", currency="CNY",
                            period_from=START.date(), period_until=START.date() + timedelta(days=30),
                            exported_at=START, payments_open=PAYOUTS, **STAMPS)  # fmt: skip
    with office.transaction() as perform:
        unit = Unit(perform.session, perform.head)
        for cls, made in ((Order, orders()), (Payment, payments()), (Settlement, [settlement]),
                          (Payout, payouts(settlement.id)),
                          (Entry, (item for item in reserved() if isinstance(item, Entry))),
                          (Posting, (item for item in reserved() if isinstance(item, Posting)))):  # fmt: skip
            info = info_of(cls)
            unit.fill(info, map(info.image, made))
    account = {"code": "MAIN", "holder": "Acme", "number": "6225880112345674", "currency": "CNY"}
    office.do("ledger.rebuild")
    office.run(
        [
            Call("bank_accounts.add", None, account),
            Call("bank_statements.take_in", None, {"account": "MAIN", "lines": list(rows())}),
        ],
        atomic=True,
    )
    return office


def main() -> int:
    """Measure and print; 1 where the goal is missed."""
    with tempfile.TemporaryDirectory() as place, furnished(Path(place) / "office") as office:
        began, busy = time.perf_counter(), time.process_time()
        made = office.do("reconciliations.run")
        taken, worked = time.perf_counter() - began, time.process_time() - busy
        told = office.reader().get(Reconciliation, str(made.returned))
        assert (told.lines, told.matched) == (LINES, LINES), told
        late = worked > GOAL_S
        print(f"match    {taken:6.2f} s, processor {worked:.2f} s, goal {GOAL_S:.0f} s{'  MISSED' if late else ''}")
        began = time.perf_counter()
        assert all(line.agrees for line in office.ask("reconciliations.report"))
        print(f"report   {time.perf_counter() - began:6.2f} s")
    return int(late)
