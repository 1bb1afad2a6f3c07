"""A ledger of 1,000,000 entries: the check of all its invariants, a balance, a report, and posting for 2,000 payees."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from bo.core.kernel.ids import derived_tail, encode
from bo.core.kernel.record import Record, info_of
from bo.core.kernel.workspace import Workspace
from bo.core.ledger.balances import Moved, balance_id, movements
from bo.core.ledger.records import Entry, LedgerBalance, Posting
from bo.core.office import context_for, create

ENTRIES, PAYEES, AT_ONCE = 1_000_000, 2_000, 1_000
START: Final = datetime(2024, 1, 1, tzinfo=UTC)
CHECK_S, BALANCE_S = 10.0, 0.2
LEGS: Final = (("reward_expense", "", "reward_payable"), ("reward_payable", "payee", "bank"))


def entries(moved: Moved) -> Iterator[tuple[Entry, list[Posting]]]:
    """Rewards that are approved and paid, one after the other, over two years."""
    chance = random.Random(7)
    for number in range(1, ENTRIES + 1):
        at = START + timedelta(seconds=60 * (number // AT_ONCE * AT_ONCE))
        operation = encode((int(at.timestamp() * 1000) << 80) + 7)
        tail = derived_tail(operation, number)
        payee = f"ref_{'0' * 20}{number // 2 % PAYEES:06}"
        entry = Entry(id=f"entry_{tail}", revision=1, created_at=at, updated_at=at, scope="hq", number=number,
                      day=at.date(),
                      text=f"S-{at:%Y-%m}-CNY-0001 D{number:07}", source=f"payment:pay_{tail}")  # fmt: skip
        amount = chance.randrange(100, 1_000_000)
        first, _payee, second = LEGS[number % 2]
        legs = [
            (first, amount, "CNY", payee if first == "reward_payable" else ""),
            (second, -amount, "CNY", payee if second == "reward_payable" else ""),
        ]
        movements(moved, f"{at:%Y-%m}", legs, reserved=False)
        postings = [
            Posting(id=f"post_{derived_tail(operation, -2 * number - side)}", revision=1, created_at=at, updated_at=at,
                    scope="hq", entry=entry.id, account=account, party=party, amount=units, currency=currency)
            for side, (account, units, currency, party) in enumerate(legs)
        ]  # fmt: skip
        yield entry, postings


def fill(ws: Workspace) -> None:
    """Write the rows past every rule, with one line of the journal for each entry."""
    moved = Moved()
    cursor = ws.database.session.cursor
    ws.database.session.script(["BEGIN IMMEDIATE"])
    n, rows = 10_000, []
    for entry, legs in entries(moved):
        rows.append((entry, legs))
        if len(rows) == 50_000:
            n = _write(cursor, rows, n)
            rows.clear()
    _write(cursor, rows, n)
    kept = [
        LedgerBalance(id=balance_id(place), revision=1, scope="hq", account=place[0], party=place[1], currency=place[2],
                      month=place[3], debit=sums[0], credit=sums[1], reserved=sums[2], postings=sums[3])
        for place, sums in moved.items()
    ]  # fmt: skip
    _insert(cursor, kept, n + 3 * ENTRIES)
    ws.database.session.script(["COMMIT"])


def _write(cursor: object, rows: Sequence[tuple[Entry, list[Posting]]], n: int) -> int:
    _insert(cursor, [entry for entry, _legs in rows], n, step=3)
    _insert(cursor, [legs[0] for _entry, legs in rows], n + 1, step=3)
    _insert(cursor, [legs[1] for _entry, legs in rows], n + 2, step=3)
    changes = [(n + 3 * place, 0, "entries", entry.id, "", "{}", "", "hq") for place, (entry, _legs) in enumerate(rows)]
    cursor.executemany("INSERT INTO change VALUES (?, ?, ?, ?, ?, ?, ?, ?)", changes)  # type: ignore[attr-defined]
    return n + 3 * len(rows)


def _insert(cursor: object, records: Sequence[Record], n: int, *, step: int = 1) -> None:
    info = info_of(type(records[0])) if records else None
    if info is None:
        return
    names = ", ".join(("n", *info.field_names))
    marks = ", ".join("?" * (len(info.field_names) + 1))
    values = [[n + step * place, *info.row(item, text_moments=True)] for place, item in enumerate(records)]
    cursor.executemany(f"INSERT INTO {info.name} ({names}) VALUES ({marks})", values)  # type: ignore[attr-defined]


def timed(name: str, goal: float, work: Callable[[], object]) -> int:
    began, busy = time.perf_counter(), time.process_time()
    work()
    taken, busy = time.perf_counter() - began, time.process_time() - busy
    late = "  MISSED" if taken > goal else ""
    print(f"{name:38} {taken:7.3f} s, {busy:.3f} s of a processor, goal {goal:g} s{late}", flush=True)
    return int(taken > goal)


def main() -> int:
    """The number of goals missed."""
    with (
        tempfile.TemporaryDirectory() as place,
        create(Path(place) / "office", context_for("CN"), operator="boss") as ws,
    ):
        began = time.perf_counter()
        fill(ws)
        print(f"{ENTRIES:,} entries made in {time.perf_counter() - began:.0f} s", flush=True)
        missed = timed("ledger check", CHECK_S, lambda: _check(ws))
        missed += timed("ledger balance", BALANCE_S, lambda: ws.ask("ledger.balance"))
        missed += timed("ledger balance by party", BALANCE_S, lambda: ws.ask("ledger.balance", by_party=True))
        missed += timed("balance in the midst of a month", BALANCE_S, lambda: _as_of(ws))
    return missed


def _check(ws: Workspace) -> None:
    found = ws.ask("ledger.check")
    assert (found.entries, found.broken) == (ENTRIES, ""), found


def _as_of(ws: Workspace) -> None:
    assert ws.ask("ledger.balance", until=date(2025, 6, 15))


if __name__ == "__main__":
    raise SystemExit(main())
