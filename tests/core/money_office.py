"""An office with the people, referrers and rules that money is tested with."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Final, TypeVar

import pytest

from bo.core import office
from bo.core.kernel.command import Registry
from bo.core.kernel.database import Database
from bo.core.kernel.dispatch import Call, Outcome
from bo.core.kernel.errors import BoError
from bo.core.kernel.reader import Reader
from bo.core.kernel.record import Record, info_of
from bo.core.kernel.workspace import Workspace
from bo.core.ledger.records import Entry, Posting
from bo.core.rewards.records import RewardLine
from bo.core.settlement.records import Payout, Settlement

START: Final = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)  # nine in the morning in Shanghai
OPERATORS: Final = {  # beside the boss, an administrator
    "fin": "finance",
    "fred": "finance",
    "anna": "approver",
    "abel": "approver",
    "rita": "reviewer",
}
REFERRERS: Final = ("D1", "D2", "D3")

R = TypeVar("R", bound=Record)


class Clock:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


class MoneyOffice:
    """A workspace whose clock and operator are at hand. `ws` is open as the boss."""

    def __init__(self, ws: Workspace, clock: Clock) -> None:
        self.ws, self.clock = ws, clock
        ws.registry = Registry((*office.MODULES, "tests.core.deeds"), office.NOUNS)
        rows = ws.reader().page("operators", "sort:login", fields=("login", "id")).rows
        self.ids = {str(login): str(key) for login, key in rows}
        rows = ws.reader().page("referrers", "sort:code", fields=("code", "id")).rows
        self.referrers = {str(code): str(key) for code, key in rows}
        self.causes = (f"lead_{number:026d}" for number in count(1))

    @property
    def now(self) -> datetime:
        return self.clock.now

    def by(self, login: str) -> Workspace:
        """The workspace with that operator at the keyboard."""
        self.ws.actor = "system" if login == "system" else self.ids[login]
        return self.ws

    def wait(self, **duration: int) -> None:
        self.clock.now += timedelta(**duration)

    def earn(self, referrer: str = "D1", cause: str = "", **facts: object) -> str:
        """Something is earned; the cause."""
        cause = cause or next(self.causes)
        self.by("boss").do("deeds.earn", cause=cause, referrer=self.referrers[referrer], **facts)
        return cause

    def line(self, cause: str, kind: str = "reward") -> RewardLine:
        """The newest line of that cause and kind."""
        return self.all(RewardLine, f"cause:{cause} kind:{kind}")[0]

    def run(self, period: str = "2026-11", **more: object) -> Settlement:
        outcome = self.by("fin").do("settlements.run", period=period, **more)
        assert outcome.returned is not None
        return self.get(Settlement, outcome.returned)

    def submitted(self, period: str = "2026-11") -> Settlement:
        made = self.run(period)
        self.by("fin").do("settlements.submit", made.id)
        return self.get(Settlement, made.id)

    def approved(self, period: str = "2026-11") -> Settlement:
        made = self.submitted(period)
        self.by("anna").do("settlements.approve", made.id, hash=made.content_hash)
        return self.get(Settlement, made.id)

    def export(self, settlement: Settlement) -> Outcome:
        file = self.by("fin").ask("settlements.payout_file", settlement.id)
        return self.ws.do("settlements.export", settlement.id, file_hash=file.hash, file_name=file.name)

    def exported(self, period: str = "2026-11") -> Settlement:
        made = self.approved(period)
        self.export(made)
        return self.get(Settlement, made.id)

    def get(self, cls: type[R], key: str) -> R:
        return self._reader().get(cls, key)

    def all(self, cls: type[R], filter_text: str = "") -> list[R]:
        return self._reader().records(cls, filter_text)

    def _reader(self) -> Reader:
        """The eyes of somebody who sees everything; who is at the keyboard stays there."""
        actor = self.ws.actor
        try:
            return self.by("boss").reader()
        finally:
            self.ws.actor = actor

    def payout(self, settlement: Settlement, referrer: str) -> Payout:
        return self.all(Payout, f"settlement:{settlement.id} referrer:{self.referrers[referrer]}")[0]

    def balance(self, account: str, party: str = "") -> int:
        """What an account holds in CNY, for one party or all."""
        found = self.all(Posting, f"account:{account}")
        pending = {entry.id for entry in self.all(Entry, "phase:pending")}
        return sum(
            item.amount
            for item in found
            if item.currency == "CNY" and party in ("", item.party) and item.entry not in pending
        )

    def refuses(
        self, error: type[BoError], login: str, name: str, subject: str | None = None, /, **args: object
    ) -> str:
        """What a refused call says; checks that it has changed nothing."""
        before = self.image()
        with pytest.raises(error) as raised:
            self.by(login).do(name, subject, **args)
        assert self.image() == before
        return str(raised.value)

    def image(self) -> dict[str, list[bytes]]:
        """Every record of the money modules, to see that a refusal changed nothing."""
        nouns = ("settlements", "payouts", "payment_files", "rewards", "reward_rules", "entries", "postings",
                 "payee_accounts", "referrers")  # fmt: skip
        infos = [info_of(self.ws.registry.record(noun)) for noun in nouns]
        return {info.noun: sorted(info.image(item) for item in self.all(info.cls)) for info in infos}


def furnish(ws: Workspace) -> None:
    """Operators, three referrers with accounts, and active rules for leads, visits and orders."""
    calls = [Call("operators.add", None, {"login": login, "roles": [role]}) for login, role in OPERATORS.items()]
    for number, code in enumerate(REFERRERS, 1):
        calls.append(Call("referrers.register", None, {"code": code, "name": f"李设计{number}", "kind": "designer"}))
        account = {"holder": f"李设计{number}", "number": f"6222 0000 111{4 - number} 000{number}", "bank": "招商银行"}
        calls.append(Call("payee_accounts.add", None, {"referrer": code, **account}))
    rules: tuple[dict[str, object], ...] = (
        {"code": "VALID", "event": "valid_lead", "kind": "fixed", "amount": "50"},
        {"code": "VISIT", "event": "visit", "kind": "fixed", "amount": "100", "hold_days": 7},
        {"code": "ORDER", "event": "won", "kind": "percent", "rate": "5%", "base": "net"},
    )
    for rule in rules:
        calls.append(Call("reward_rules.add", None, {**rule, "effective_from": "2026-01-01"}))
        calls.append(Call("reward_rules.activate", str(rule["code"]), {}))
    ws.run(calls, atomic=True)


def make_office(folder: Path) -> None:
    """A furnished office in a folder, to be copied."""
    with office.create(folder, office.context_for("CN"), operator="boss", clock=Clock()) as ws:
        furnish(ws)


def copy_office(template: Path, folder: Path) -> MoneyOffice:
    """An office of one's own."""
    shutil.copytree(template, folder)
    clock = Clock()
    return MoneyOffice(office.open_office(folder, operator="boss", clock=clock), clock)


def office_in(database: Database) -> MoneyOffice:
    """A furnished office in any empty database."""
    clock = Clock()
    ws = office.found(database, office.context_for("CN"), operator="boss", clock=clock)
    furnish(ws)
    return MoneyOffice(ws, clock)
