"""A month of 100,000 reward lines for 2,000 payees: run, submit, approve, export, paid; then a bundle of statements."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from bo.core.kernel.dispatch import Call
from bo.core.kernel.ids import encode
from bo.core.kernel.record import Record, info_of
from bo.core.kernel.unit import Unit
from bo.core.kernel.workspace import Workspace
from bo.core.office import context_for, create
from bo.core.referrers.records import PayeeAccount, Referrer
from bo.core.rewards.records import RewardLine, RewardRule
from bo.core.settlement.bundling import parcels
from bo.core.settlement.records import Settlement

START: Final = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
LINES, PAYEES = 100_000, 2_000
SETTLED_S, STATEMENTS_S = 5.0, 60.0
INPUTS: Final[dict[str, str | int | bool | None]] = {
    "kind": "percent", "base": "net", "from": "2026-01-01", "rate_bp": 300, "gross": 118600, "net": 104956,
    "customer": "王**", "order": "SO-10442",
}  # fmt: skip


def made_id(prefix: str, number: int) -> str:
    return f"{prefix}_{encode((1_762_000_000_000 << 80) + number)}"


def referrers() -> Iterable[Record]:
    for number in range(PAYEES):
        yield Referrer(id=made_id("ref", number), revision=1, created_at=START, updated_at=START, scope="hq",
                       code=f"D{number:05}", name=f"设计师{number}", kind="designer")  # fmt: skip


def accounts() -> Iterable[Record]:
    for number in range(PAYEES):
        yield PayeeAccount(id=made_id("acct", number), revision=1, created_at=START, updated_at=START, scope="hq",
                           referrer=made_id("ref", number), holder=f"设计师{number}", number=f"62220000{number:08}",
                           bank="招商银行", currency="CNY", changed_at=START)  # fmt: skip


def rules() -> Iterable[Record]:
    yield RewardRule(id=made_id("rule", 0), revision=1, created_at=START, updated_at=START, scope="hq", code="ORDER",
                     version_code="ORDER/1", state="active", event="won", kind="percent", rate=300, currency="CNY",
                     effective_from=START.date(), editors=("boss",))  # fmt: skip


def lines() -> Iterable[Record]:
    for number in range(LINES):
        at = START + timedelta(seconds=number)
        yield RewardLine(id=made_id("rwd", number), revision=1, created_at=at, updated_at=at, scope="hq",
                         referrer=made_id("ref", number % PAYEES), state="due", amount=3148, currency="CNY",
                         event="won", cause=made_id("lead", number), once=f"{number}:won:ORDER",
                         rule=made_id("rule", 0), rule_code="ORDER", rule_version=1, inputs=INPUTS,
                         base_amount=104956, earned_at=at, due_on=at.date())  # fmt: skip


def furnished(folder: Path) -> Workspace:
    """An office whose month waits to be settled."""
    office = create(folder, context_for("CN"), operator="boss", clock=lambda: START + timedelta(days=20))
    people = (("fin", "finance"), ("anna", "approver"), ("abel", "approver"))
    office.run([Call("operators.add", None, {"login": login, "roles": [role]}) for login, role in people])
    with office.transaction() as perform:
        unit = Unit(perform.session, perform.head)
        for cls, made in ((Referrer, referrers()), (PayeeAccount, accounts()), (RewardRule, rules()),
                          (RewardLine, lines())):  # fmt: skip
            info = info_of(cls)
            unit.fill(info, map(info.image, made))
    return office


class Month:
    """The steps of a settlement, each timed."""

    def __init__(self, office: Workspace) -> None:
        self.office = office
        rows = office.reader().page("operators", fields=("login", "id")).rows
        self.ids = {str(login): str(key) for login, key in rows}
        self.number = ""

    def settlement(self) -> Settlement:
        return self.office.reader().get(Settlement, self.number)

    def by(self, login: str) -> Workspace:
        self.office.actor = self.ids[login]
        return self.office

    def run(self) -> None:
        self.number = str(self.by("fin").do("settlements.run", period="2026-11").returned)

    def submit(self) -> None:
        self.by("fin").do("settlements.submit", self.number)

    def approve(self) -> None:
        self.by("anna").do("settlements.approve", self.number, hash=self.settlement().content_hash)
        if self.settlement().state == "submitted":
            self.by("abel").do("settlements.approve", self.number, hash=self.settlement().content_hash)

    def export(self) -> None:
        file = self.by("fin").ask("settlements.payout_file", self.number)
        self.office.do("settlements.export", self.number, file_hash=file.hash, file_name=file.name)

    def paid(self) -> None:
        self.by("fin").do("settlements.mark_paid", self.number)

    def check(self) -> None:
        assert self.office.ask("settlements.check", self.number).agrees

    def bundle(self) -> None:
        assert sum(1 for _parcel in parcels(self.office.reader(), self.settlement())) == 3 * PAYEES


def seconds(step: Callable[[], object]) -> tuple[float, float]:
    """How long a step takes, and what of it the processor worked."""
    began, busy = time.perf_counter(), time.process_time()
    step()
    return time.perf_counter() - began, time.process_time() - busy


def main() -> int:
    """Measure and print; 1 where a goal is missed."""
    with tempfile.TemporaryDirectory() as place, furnished(Path(place) / "office") as office:
        month, total, worked = Month(office), 0.0, 0.0
        for step in (month.run, month.submit, month.approve, month.export, month.paid):
            taken, busy = seconds(step)
            total, worked = total + taken, worked + busy
            print(f"{step.__name__:<8} {taken:6.2f} s, processor {busy:.2f} s")
        late = total > SETTLED_S
        print(f"together {total:6.2f} s, processor {worked:.2f} s, goal {SETTLED_S:.0f} s{'  MISSED' if late else ''}")
        print(f"check    {seconds(month.check)[0]:6.2f} s")
        told, busy = seconds(month.bundle)
        print(f"bundle   {told:6.2f} s, processor {busy:.2f} s, goal {STATEMENTS_S:.0f} s; {PAYEES:,} statements")
    return int(late or told > STATEMENTS_S)
