"""A small brand in which leads live: an office, people with roles, two stores in Shanghai, a referrer.

The clock stands still until a test moves it, so every deadline is an exact value.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from bo.core.kernel.dispatch import Call, Outcome
from bo.core.leads.records import Lead
from bo.core.office import context_for, create, open_office

MONDAY: Final = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)  # 10:00 in Shanghai
DESIGNER: Final = "D001"
PEOPLE: Final = {"rita": "reviewer, manager", "remo": "reviewer, manager", "dora": "dispatcher", "stan": "store"}


def build(folder: Path) -> None:
    """Make the office that every scene is a copy of."""
    calls = [Call("operators.add", None, {"login": login, "roles": role}) for login, role in PEOPLE.items()]
    calls += [
        Call("stores.add", None, {"code": "S1", "name": "浦东店", "city": "上海"}),
        Call("stores.add", None, {"code": "S2", "name": "静安店", "city": "上海"}),
        Call("referrers.register", None, {"code": DESIGNER, "name": "王设计师", "kind": "designer"}),
    ]
    with create(folder, context_for("CN"), operator="boss", clock=lambda: MONDAY) as office:
        office.run(calls, atomic=True)


class Scene:
    """An office and its clock. `do` runs a command as somebody, `refused` one that must change nothing."""

    def __init__(self, folder: Path) -> None:
        self.now = MONDAY
        self.office = open_office(folder, operator="boss", clock=lambda: self.now)
        read, operators = self.office.reader(), self.office.registry.record("operators")
        self.people = {login: read.get(operators, login).id for login in ("boss", *PEOPLE)}

    @contextmanager
    def acting(self, login: str) -> Iterator[None]:
        before, self.office.actor = self.office.actor, self.people[login]
        yield
        self.office.actor = before

    def later(self, **units: int) -> None:
        """Move the clock on."""
        self.now += timedelta(**units)

    def do(self, name: str, subject: str | None = None, /, **args: object) -> Outcome:
        """Run a command; `by` says as whom."""
        with self.acting(str(args.pop("by", "boss"))):
            return self.office.do(name, subject, **args)

    def refused(self, name: str, subject: str | None = None, /, **args: object) -> str:
        """The code of the refusal, after which the journal, and so every table, is as before."""
        before = self.office.data_version()
        with self.acting(str(args.pop("by", "boss"))):
            outcome = self.office.run([Call(name, subject, args)])[0]
        assert outcome.error is not None, f"{name} was {outcome.status}"
        assert self.office.data_version() == before
        return outcome.error.code

    def lead(self, lead_id: str) -> Lead:
        return self.office.reader().get(Lead, lead_id)

    def id_of(self, noun: str, code: str) -> str:
        return self.office.reader().get(self.office.registry.record(noun), code).id

    def report(self, **fields: object) -> str:
        """Report a lead; its id."""
        made = self.do("leads.report", None, **{"name": "李雷", "phone": "13800138000", "city": "上海", **fields})
        assert made.returned is not None
        return made.returned

    def bring_to(self, state: str, **fields: object) -> str:
        """A lead of store S1 that has come as far as a state on the straight way; its id."""
        lead = self.report(**fields)
        for reached, name, args in _WAY:
            if state == "pending_review":
                break
            self.do(name, lead, **args)
            if reached == state:
                break
        return lead


_WAY: Final[tuple[tuple[str, str, dict[str, object]], ...]] = (
    ("valid", "leads.accept", {}),
    ("assigned", "leads.assign", {"store": "S1"}),
    ("accepted", "leads.take", {}),
    ("contacted", "leads.follow_up", {"outcome": "reached"}),
    ("visit_booked", "leads.book_visit", {"at": "2027-12-30 14:00"}),
    ("visited", "leads.visit", {}),
    ("quoted", "leads.quote", {"amount": "12,000"}),
    ("won", "leads.win", {"order_number": "SO-1", "amount": "10,000", "net": "8,000"}),
)
