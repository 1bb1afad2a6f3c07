"""A laptop whose `bo` speaks to a central store in the same process, and what happens to it there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from bo.sync.central import Caller
from bo.sync.client import Client
from bo.sync.device import open_device
from bo.sync.http import address
from bo.sync.pending import Pending
from bo.sync.protocol import Login, Ticket
from bo.sync.transport import LoggedOut, Unreachable, Within
from tests.cli.running import Desk, Ran
from tests.sync.stage import Stage, rows_of

URL: Final = "https://central.example/acme"
PASSWORD: Final = "two herons over the marsh"
T = TypeVar("T")


class Door:
    """The way to the stage's central store, with a token that says who and where. `trouble` is met by every call of
    its kind, and where that is blank by every call."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.trouble: dict[str, BaseException] = {}
        self.trouble_after: dict[str, int] = {}  # after so many calls of a kind the line is cut
        self.logins: list[Login] = []
        self.worthless: set[str] = set()
        self.calls: list[str] = []

    def __call__(self, url: str, token: str = "", *, insecure: bool = True) -> Way:
        return Way(self, url, token, insecure=insecure)


class Way(Within):
    """What HttpTransport is to a program."""

    def __init__(self, door: Door, url: str, token: str, *, insecure: bool) -> None:
        self.door = door
        self.address = address(url, insecure=insecure)
        self.token = token
        super().__init__(door.stage.central, self._caller)

    def call(self, kind: str, body: bytes, *, timeout: float = 60.0) -> bytes:
        if self.door.calls.count(kind) == self.door.trouble_after.get(kind, -1):
            self.door.trouble[kind] = Unreachable("the line is cut")
        self.door.calls.append(kind)
        self._meet(kind)
        return super().call(kind, body, timeout=timeout)

    def log_in(self, wanted: Login) -> Ticket:
        self._meet("login")
        self.door.logins.append(wanted)
        stage = self.door.stage
        made = stage.ticket(wanted.user)
        device = wanted.device or made.device
        return msgspec.structs.replace(made, device=device, token=f"{made.operator}/{device}/{len(self.door.logins)}")

    def log_out(self) -> None:
        self._meet("logout")
        self.door.worthless.add(self.token)

    def _meet(self, kind: str) -> None:
        error = self.door.trouble.get(kind) or self.door.trouble.get("")
        if error is not None:
            raise error

    def _caller(self) -> Caller:
        if self.token in self.door.worthless:
            raise LoggedOut("this token is not good, or not any more", hint="bo login")
        operator, device, _number = self.token.split("/")
        return Caller(operator, device)


class Laptop(Desk):
    """A folder that becomes a device, with its token beside it."""

    @property
    def token_file(self) -> Path:
        return self.folder.parent / f"{self.folder.name}.token"

    def login(self, user: str = "", *words: str, password: str = PASSWORD) -> Ran:
        who = ("--user", user) if user else ()
        return self.bo("login", *who, "--password-stdin", *words, stdin=f"{password}\n")

    def joined(self, user: str = "anna") -> Laptop:
        ran = self.login(user, URL, "--token-file", str(self.token_file))
        assert ran.code == 0, ran
        return self

    def looked(self, look: Callable[[Client], T]) -> T:
        with open_device(self.folder) as ws:
            return look(Client(ws, Nowhere()))

    def pending(self) -> list[Pending]:
        return self.looked(lambda client: client.pending())

    def conflicts(self) -> list[Pending]:
        return self.looked(lambda client: client.conflicts())

    def rows(self) -> dict[str, list[tuple[object, ...]]]:
        with open_device(self.folder) as ws:
            return rows_of(ws)


class Nowhere:
    """No way to anywhere: for looking at what a device keeps."""

    def call(self, kind: str, body: bytes, *, timeout: float = 60.0) -> bytes:
        raise AssertionError(kind)

    def close(self) -> None:
        return


def assigned(stage: Stage, store: str = "S1", **fields: object) -> str:
    lead = stage.lead(**fields)
    stage.office.do("leads.accept", lead)
    stage.office.do("leads.assign", lead, store=store)
    return lead


def refused(stage: Stage, laptop: Laptop) -> str:
    """A lead that was taken here after it had been recalled there: one conflict."""
    lead = assigned(stage)
    laptop.joined()
    laptop.well("leads", "take", lead)
    stage.office.do("leads.recall", lead, note="another shop is nearer")
    assert laptop.bo("sync").code == 3
    return lead
