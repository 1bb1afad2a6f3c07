"""A central store as a process of its own, and devices of it, for benchmarks."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bo.core.kernel.dispatch import Call
from bo.core.kernel.tx import SYSTEM
from bo.core.kernel.workspace import Workspace, utc_now
from bo.core.office import context_for, open_database
from bo.sync import accounts, tokens
from bo.sync.client import Client, found_device
from bo.sync.http import HttpTransport
from bo.sync.organisations import Organisations
from bo.sync.protocol import Ticket
from bo.sync.transport import Transport

SOURCE: Final = Path(__file__).parents[2] / "src"
ORGANISATION: Final = "bench"
SERVE: Final = (sys.executable, "-m", "bo", "serve")
WAIT_S: Final = 30.0
STEP: Final = 2_000


class Central:
    """The store of one organisation, made in this process; `serving` lets others reach it."""

    def __init__(self, place: Path, database: str = "") -> None:
        self.place = place
        self.database = database
        self.url = ""
        self.organisations = Organisations(None if database else place / "data", database)
        self.organisations.create(ORGANISATION, context_for("CN"), operator="boss")
        self.office: Workspace = self.organisations.workspace(ORGANISATION)
        self.office.actor = SYSTEM.id

    def run(self, calls: Sequence[Call]) -> list[str]:
        """Carry out commands at the central store itself; what each returned."""
        made = []
        for start in range(0, len(calls), STEP):
            for outcome in self.office.run(list(calls[start : start + STEP])):
                if outcome.error is not None:
                    raise outcome.error
                made.append(outcome.returned or "")
        return made

    def operator(self, login: str, role: str, store: str | None = None) -> str:
        (made,) = self.run([Call("operators.add", None, {"login": login, "roles": role, "store": store})])
        return made

    def ticket(self, operator: str) -> Ticket:
        """What a login gives, without the password's deliberate slowness."""
        (device,) = self.run([Call("devices.register", None, {"operator": operator, "name": "laptop"})])
        now = utc_now()
        with self.office.database.writing() as session:
            token = tokens.new_token(session, operator, device, "", now, now + accounts.LIFETIME)
        return Ticket(token, operator, device, 0, "CN", "CNY", "Asia/Shanghai", now)

    def device(self, operator: str, name: str) -> Device:
        return Device(self.place / f"{name}.db", self.ticket(operator), self.url)

    @contextmanager
    def serving(self, workers: int = 1) -> Iterator[str]:
        """`bo serve` while the block runs; its address."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        place = ["--database", self.database] if self.database else ["--data", str(self.place / "data")]
        process = subprocess.Popen(
            [*SERVE, *place, "--port", str(port), "--workers", str(workers)],
            env={**os.environ, "PYTHONPATH": str(SOURCE)},
            stdout=subprocess.DEVNULL,
            stderr=(self.place / "server.log").open("wb"),
        )
        try:
            await_answer(f"http://127.0.0.1:{port}/health", process)
            self.url = f"http://127.0.0.1:{port}/{ORGANISATION}"
            yield self.url
        finally:
            process.terminate()
            process.wait(WAIT_S)

    def close(self) -> None:
        self.office.close()
        self.organisations.close()


class Device:
    """A laptop: its own file, and its way to the central store."""

    def __init__(self, path: Path, ticket: Ticket, url: str) -> None:
        from bo.core.kernel.database import SqliteDatabase

        database = SqliteDatabase(path)
        found_device(database, ticket, url)
        self.ws = open_database(database, operator=SYSTEM.id)
        self.ws.actor = ticket.operator
        self.use(HttpTransport(url, ticket.token))

    def use(self, transport: Transport) -> None:
        self.transport = transport
        self.client = Client(self.ws, transport)

    def run(self, calls: Sequence[Call], step: int = 500) -> None:
        """Work offline."""
        for start in range(0, len(calls), step):
            for outcome in self.ws.run(list(calls[start : start + step])):
                if outcome.error is not None:
                    raise outcome.error

    def close(self) -> None:
        self.transport.close()
        self.ws.close()


def await_answer(url: str, process: subprocess.Popen[bytes]) -> None:
    """Return as soon as something answers there. Raises RuntimeError where the process has ended or nothing does."""
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"nothing answers at {url}")
