"""A central store and its devices as processes of their own, and a line between them that a test may cut.

`Site` is the central store: its files or its schema, and `bo serve`, which a test starts, kills and starts again. A
`Laptop` is a folder with a device in it, for `bo` as a process and for a client in the test's own. Everything that
devices say goes through a `Line`, whose address stays while servers come and go.
"""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import Enum
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from shutil import copytree, ignore_patterns
from tempfile import TemporaryDirectory
from typing import Final

import msgspec
import pytest

from bo.core.kernel import migrations
from bo.core.kernel.database import SqliteDatabase
from bo.core.kernel.dispatch import Call
from bo.core.kernel.workspace import Workspace, utc_now
from bo.sync import accounts, tokens
from bo.sync.client import Client
from bo.sync.device import join, open_device
from bo.sync.http import HttpTransport
from bo.sync.organisations import Organisations
from bo.sync.protocol import Answer, Pushed, Ticket
from tests.cli.running import command, environment
from tests.sync import judging
from tests.sync.house import ORG

START_SECONDS: Final = 60.0
LEADS: Final = 1_000  # of a large organisation
LONG: Final = 240.0
HEAD_END: Final = b"\r\n\r\n"
NO_DATA: Final = b""


class Fate(Enum):
    """What becomes of an answer on its way back."""

    PASSED = "it arrives"
    LOST = "it is thrown away, and the connection with it"
    CUT = "half of it arrives"


Sent = Callable[[str], None]
Answered = Callable[[str], Fate]


def nothing(_path: str) -> None:
    return


def passed(_path: str) -> Fate:
    return Fate.PASSED


class Line:
    """A way to a server, one request after the other on each connection. `delay` is in seconds, for each answer.

    `sent` is called when a request is whole at the server, `answered` when its answer is whole here, `arrived` when
    that has been passed on; each is told the last word of the path, such as `push`.
    """

    def __init__(self) -> None:
        self.upstream = 0
        self.delay = 0.0
        self.sent: Sent = nothing
        self.answered: Answered = passed
        self.arrived: Sent = nothing
        self.requests: list[tuple[str, bytes]] = []  # what was asked, and its body
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._open: set[socket.socket] = {self._listener}
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def calm(self) -> None:
        """Nothing happens to anything any more."""
        self.delay, self.sent, self.answered, self.arrived = 0.0, nothing, passed, nothing

    def close(self) -> None:
        self.calm()
        for held in list(self._open):
            with suppress(OSError):
                held.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(LONG)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                inner, _address = self._listener.accept()
                self._open.add(inner)
                thread = threading.Thread(target=self._carry, args=(inner,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _carry(self, inner: socket.socket) -> None:
        with inner, suppress(OSError):
            inner.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while (said := _message(inner)) and self._exchanged(inner, said):
                continue
        self._open.discard(inner)

    def _exchanged(self, inner: socket.socket, said: bytes) -> bool:
        """Carry one request and its answer; whether the connection goes on."""
        head, _end, body = said.partition(HEAD_END)
        path = head.split(b" ", 2)[1].decode().rpartition("/")[2]
        self.requests.append((path, body))
        with socket.create_connection(("127.0.0.1", self.upstream), LONG) as outer:
            self._open.add(outer)
            try:
                outer.sendall(said)
                self.sent(path)
                answer = _message(outer)
            finally:
                self._open.discard(outer)
        fate = self.answered(path) if answer else Fate.LOST
        if self.delay:
            time.sleep(self.delay)
        if fate is not Fate.PASSED:
            inner.sendall(answer[: len(answer) // 2] if fate is Fate.CUT else NO_DATA)
            return False
        inner.sendall(answer)
        self.arrived(path)
        return True


def _message(line: socket.socket) -> bytes:
    """A whole HTTP message; nothing where the other side has ended."""
    got = bytearray()
    while HEAD_END not in got:
        if not (piece := line.recv(65_536)):
            return NO_DATA
        got += piece
    head = bytes(got).partition(HEAD_END)[0]
    fields = dict(field.lower().split(b":", 1) for field in head.split(b"\r\n")[1:])
    whole = len(head) + len(HEAD_END) + int(fields.get(b"content-length", b"0"))
    while len(got) < whole:
        if not (piece := line.recv(65_536)):
            return NO_DATA
        got += piece
    return bytes(got)


# -- the central store -------------------------------------------------------------------------------------------------


class Server:
    """One run of `bo serve`; `code` is run before it in the same process, to make it fail at a place of its own."""

    def __init__(self, log: Path, *words: str, code: str = "") -> None:
        self.log = log
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                program(code, "serve", "--port", "0", *words), stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                env=environment(),
            )  # fmt: skip
        until = time.monotonic() + START_SECONDS
        while not self.log.read_bytes().count(b"\n"):
            assert self.process.poll() is None, self.log.read_text("utf-8")
            assert time.monotonic() < until
            time.sleep(0.005)
        self.port = int(str(self.lines()[0]["url"]).rpartition(":")[2])

    def lines(self) -> list[dict[str, object]]:
        """What it has logged, without a line that is cut short."""
        return [json.loads(line) for line in self.log.read_bytes().split(b"\n")[:-1]]

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def ended(self) -> int:
        return self.process.wait(START_SECONDS)

    def kill(self) -> None:
        """End it at once, whatever it is at."""
        self.process.kill()
        self.ended()

    def stop(self) -> int:
        """Ask it to end; the exit code."""
        self.signal(signal.SIGTERM)
        return self.ended()

    def peak_bytes(self) -> int:
        """The most memory that it has had at once; 0 where the system does not tell."""
        told = Path(f"/proc/{self.process.pid}/status")
        lines = told.read_text("utf-8").splitlines() if told.exists() else []
        return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


class Site:
    """One organisation: `office` is a workspace on its store itself, in the test's own process."""

    def __init__(self, folder: Path, database: str = "") -> None:
        self.folder = folder
        self.line = Line()
        self.servers: list[Server] = []
        self.words = ("--database", database) if database else ("--data", str(folder / "central"))
        self.organisations = Organisations(None if database else folder / "central", database)
        self.laptops: list[Laptop] = []

    @cached_property
    def office(self) -> Workspace:
        return self.organisations.workspace(ORG)

    def reopen(self) -> None:
        """Let go of the store; it is opened again when it is looked at."""
        if "office" in self.__dict__:
            self.office.close()
            del self.office

    @property
    def server(self) -> Server:
        return self.servers[-1]

    @property
    def url(self) -> str:
        """The central store's address for devices: behind the line."""
        return f"http://127.0.0.1:{self.line.port}/{ORG}"

    @property
    def urls(self) -> list[str]:
        """The address of each server, without the line."""
        return [f"http://127.0.0.1:{server.port}/{ORG}" for server in self.servers]

    def start(self, code: str = "") -> Server:
        """One more server; the line leads to it."""
        made = Server(self.folder / f"server-{len(self.servers)}.log", *self.words, code=code)
        self.servers.append(made)
        self.line.upstream = made.port
        return made

    def folder_of(self, user: str) -> Laptop:
        """A folder that is no device yet."""
        made = Laptop(self.folder / f"{user}-{len(self.laptops)}")
        self.laptops.append(made)
        return made

    def laptop(self, user: str = "hugo", *, synced: bool = True, url: str = "") -> Laptop:
        """A device that somebody has logged in on. The token is made here: a password is slow on purpose."""
        made = self.folder_of(user)
        made.settle_in(self.ticket(user), url or self.url)
        if synced:
            made.sync()
        return made

    def ticket(self, user: str) -> Ticket:
        operator = self.operator(user)
        device = str(self.office.do("devices.register", operator=operator, name="a laptop").returned)
        now = utc_now()
        with self.office.database.writing() as session:
            token = tokens.new_token(session, operator, device, "", now, now + accounts.LIFETIME)
        return Ticket(token, operator, device, 0, "CN", "CNY", "Asia/Shanghai", now)

    def operator(self, user: str) -> str:
        return self.office.reader().get(self.office.registry.record("operators"), user).id

    def journal(self) -> dict[str, int]:
        """The operations there, each with how often."""
        return judging.journal_of(self.office)

    def selected(self, sql: str) -> list[tuple[object, ...]]:
        return judging.selected(self.office, sql)

    def close(self) -> None:
        for server in self.servers:
            if server.process.poll() is None:
                server.signal(signal.SIGCONT)
                server.kill()
        self.line.close()
        self.reopen()
        self.organisations.close()


# -- devices -----------------------------------------------------------------------------------------------------------


class Heard(HttpTransport):
    """Remembers what the device was told: the operations that central said it had applied, and the numbers."""

    applied: dict[str, int]

    def call(self, kind: str, body: bytes, *, timeout: float | None = None) -> bytes:
        answer = super().call(kind, body, timeout=timeout)
        if kind == "push":
            results: Sequence[Answer] = msgspec.json.decode(answer, type=Pushed).results
            self.applied.update((made.id, made.seq) for made in results if made.status == "applied")
        return answer


class Laptop:
    """A folder with a device. `told` holds the operations that central said it had applied."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: dict[str, int] = {}

    @property
    def token_file(self) -> Path:
        return self.folder.with_suffix(".token")

    def settle_in(self, ticket: Ticket, url: str) -> None:
        """What `bo login` leaves behind."""
        self.folder.mkdir()
        self.token_file.write_text(ticket.token, "utf-8")
        self.token_file.chmod(0o600)
        settings = {"operator": ticket.operator, "central": url, "token_file": str(self.token_file)}
        lines = [f"{name} = {json.dumps(value)}\n" for name, value in settings.items()]
        (self.folder / "bo.toml").write_text("".join(lines), "utf-8")
        join(self.folder, ticket, url, lease_days=30)

    def login_words(self, url: str, user: str) -> list[str]:
        """What makes this folder a device; the password comes on stdin."""
        return ["login", url, "--user", user, "--password-stdin", "--token-file", str(self.token_file)]

    def environment(self) -> dict[str, str]:
        return environment({"BO_WORKSPACE": str(self.folder)})

    def start(self, *words: str, stdin: str = "") -> subprocess.Popen[bytes]:
        """`bo` at work in this folder, in a process of its own; nobody listens to what it says."""
        process = subprocess.Popen(
            program("", *words), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=self.environment(),
        )  # fmt: skip
        assert process.stdin is not None
        process.stdin.write(stdin.encode())
        process.stdin.close()
        return process

    def bo(self, *words: str, code: str = "", stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run `bo` in this folder to its end."""
        return subprocess.run(
            program(code, *words), input=stdin, capture_output=True, encoding="utf-8", env=self.environment(),
            timeout=LONG, check=False,
        )  # fmt: skip

    def well(self, *words: str) -> str:
        """Run what has to succeed; what it wrote."""
        ran = self.bo(*words)
        assert ran.returncode == 0, (words, ran.stdout, ran.stderr)
        return ran.stdout

    @contextmanager
    def opened(self) -> Iterator[Workspace]:
        with open_device(self.folder) as ws:
            yield ws

    @contextmanager
    def client(self, *, tries: int = 1, timeout: float = 30.0) -> Iterator[Client]:
        """A client in the test's own process, which does not wait before it tries again."""
        with self.opened() as ws:
            assert ws.link is not None
            token = self.token_file.read_text("utf-8")
            transport = Heard(ws.link.url, token, tries=tries, timeout=timeout, sleep=lambda _seconds: None)
            transport.applied = self.told
            try:
                yield Client(ws, transport, spool=self.folder)
            finally:
                transport.close()

    def sync(self) -> None:
        """One sync in the test's own process."""
        with self.client() as client:
            client.sync()

    def report(self, count: int, first: int) -> list[str]:
        """Leads with the numbers from `first` on; the ids of the operations."""
        with self.opened() as ws:
            return [made.operation for made in ws.run(reports(count, first), atomic=True)]

    def outbox(self) -> dict[str, str]:
        """The operations that central has not confirmed, with their state."""
        with self.opened() as ws:
            return {str(row[0]): str(row[1]) for row in judging.selected(ws, "SELECT id, state FROM pending")}

    def rows(self) -> judging.Rows:
        with self.opened() as ws:
            return judging.rows_held(ws)


def reports(count: int, first: int) -> list[Call]:
    """Leads that are nobody's duplicates, as long as their numbers are below ten million."""
    return [
        Call("leads.report", None, {"name": f"客户{place}", "phone": f"139{place:08}", "number": f"N-{place}"})
        for place in range(first, first + count)
    ]


def program(code: str, *words: str) -> list[str]:
    """`bo` as a process; with `code` before it where there is some."""
    if not code:
        return list(command(*words))
    return [sys.executable, "-c", f"{code}\nfrom bo.cli.main import main\nmain()\n", *words]


def dies_in(module: str, name: str) -> str:
    """Code that ends a process at the first call of a function, as `kill -9` does."""
    return (
        f"import os, signal\nimport {module} as place\n"
        f"place.{name} = lambda *_all, **_named: os.kill(os.getpid(), signal.SIGKILL)"
    )


def sends_parts_of(rows: int) -> str:
    """Code that makes the parts of a server's snapshots small."""
    return f"from bo.sync import feed\nfeed.snapshot.__defaults__ = ({rows},)"


def lets_in_cheaply() -> str:
    """Code that makes a server's passwords cost next to nothing: each login would make a dear hash of it again."""
    return (
        "from argon2 import PasswordHasher\nfrom bo.sync import passwords\n"
        "passwords._hasher = lambda: PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)"
    )


def has_room_for(size: int) -> str:
    """Code that lets no file of a process grow beyond a size, as on a disk that is full."""
    return f"import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))"


def kill_at(site: Site, process: subprocess.Popen[bytes], path: str, after: float) -> None:
    """Kill a process some time, in seconds, after the first answer of a sort has reached it."""
    reached = threading.Event()

    def arrived(given: str) -> None:
        if given == path:
            reached.set()

    site.line.arrived = arrived
    assert reached.wait(LONG)
    time.sleep(after)
    process.kill()
    process.wait()
    site.line.calm()


# -- what must be true -------------------------------------------------------------------------------------------------


def in_step(site: Site, *laptops: Laptop) -> None:
    """Nothing waits on these devices, each holds what central shows it, nothing was done twice, the numbers are
    without a gap, and the chain holds."""
    for laptop in laptops:
        assert "waiting" not in laptop.outbox().values()
        with laptop.opened() as ws:
            shown = judging.rows_shown_to(site.office, ws.actor)
            assert judging.difference(judging.rows_held(ws), shown) == ""
            assert judging.words_of_search(ws) == ""
            told = laptop.told
        here = {str(row[0]): row[1] for row in site.selected("SELECT id, seq FROM operation")}
        assert {name: here.get(name) for name in told} == told
    journal = site.journal()
    assert set(journal.values()) == {1}
    assert site.office.verify() == len(journal) == site.office.data_version()
    (span,) = site.selected("SELECT MIN(seq), MAX(seq), COUNT(*) FROM operation")
    assert span == (1, len(journal), len(journal))


def leads_of(site: Site) -> tuple[int, str]:
    """How many leads there are, and a hash of who they are."""
    rows = sorted(site.selected("SELECT number, name, phone FROM lead"), key=str)
    return len(rows), fingerprint(rows)


def fingerprint(rows: Sequence[Sequence[object]]) -> str:
    return sha256("\n".join("\t".join(map(str, row)) for row in rows).encode()).hexdigest()


# -- an older office ---------------------------------------------------------------------------------------------------


def as_first_written(source: Path, target: Path) -> None:
    """An office with the rows of another one, in the schema of the first release: that of the first migration alone."""
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        scripts = Path(folder) / "scripts"
        later = ignore_patterns("__pycache__", "000[2-9]_*", "00[1-9]?_*")
        copytree(migrations.SCRIPTS, scripts, ignore=later)
        patch.setattr(migrations, "SCRIPTS", scripts)
        target.parent.mkdir(parents=True)
        made = SqliteDatabase(target)
        migrations.upgrade(made)
    cursor = made.session.cursor
    cursor.execute("ATTACH ? AS source", (str(source),))
    cursor.execute("SELECT name FROM main.sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'")
    for (table,) in cursor.fetchall():
        if table not in ("alembic_version", "statement"):
            cursor.execute(f"SELECT name FROM pragma_table_info('{table}')")
            columns = ", ".join(f'"{row[0]}"' for row in cursor.fetchall())
            cursor.execute(f'DELETE FROM main."{table}"')
            cursor.execute(f'INSERT INTO main."{table}" ({columns}) SELECT {columns} FROM source."{table}"')
    cursor.execute("DETACH source")
    made.close()
