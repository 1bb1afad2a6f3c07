"""`bo serve` as a process: its socket, its signals, its end, and what a connection may do to it."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import httpx
import pytest

from bo.core.kernel.database import PostgresDatabase, SqliteDatabase
from bo.core.kernel.tx import SYSTEM
from bo.core.office import open_database
from bo.sync.client import Client, found_device
from bo.sync.http import HttpTransport
from bo.sync.organisations import Organisations
from bo.sync.protocol import Login, Page, Pushed, Ticket, Welcome
from tests.sync.house import (
    ORG,
    PASSWORD,
    cheap_passwords,
    furnish,
    hello_body,
    json_as,
    login_body,
    pull_body,
    push_body,
)
from tests.sync.judging import journal_of

SOURCE = Path(__file__).parents[2] / "src"
START_SECONDS = LONG = 60.0
_numbers = count(1)
needs_signals = pytest.mark.skipif(os.name == "nt", reason="Windows has no TERM")


class Server:
    """One run of `bo serve`. Its log is read as it comes, so that it never waits for a reader."""

    def __init__(self, *words: str, **environment: str) -> None:
        self.log: list[dict[str, object]] = []
        self._first = threading.Event()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bo", "serve", "--port", "0", *words],
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env={**os.environ, "PYTHONPATH": str(SOURCE), **environment},
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        assert self._first.wait(START_SECONDS)
        assert self.log, self.process.wait(LONG)
        self.url = str(self.log[0]["url"])

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log.append(json.loads(line))
            self._first.set()
        self._first.set()

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def post(self, path: str, body: bytes, token: str = "", timeout: float = LONG) -> httpx.Response:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return httpx.post(f"{self.url}/{ORG}/v1/{path}", content=body, headers=headers, timeout=timeout)

    def login(self, user: str) -> Ticket:
        return json_as(self.post("login", login_body(user)), Ticket)

    def figures(self) -> dict[str, float]:
        lines = httpx.get(f"{self.url}/metrics").text.splitlines()
        pairs = [line.rpartition(" ") for line in lines if not line.startswith("#")]
        return {name: float(value) for name, _space, value in pairs}

    def wait_for(self, name: str, value: float, seconds: float = LONG) -> None:
        """Wait until a figure has a value."""
        until = time.monotonic() + seconds
        while self.figures().get(name) != value:
            assert time.monotonic() < until, (name, self.figures().get(name))
            time.sleep(0.02)

    def end(self, number: int = signal.SIGTERM, seconds: float = LONG) -> int:
        """Send a signal and wait for the end; the exit code."""
        self.process.send_signal(number)
        return self.ended(seconds)

    def ended(self, seconds: float = LONG) -> int:
        code = self.process.wait(seconds)
        self._reader.join(LONG)
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        assert self.process.stdout.read() == ""
        self.process.stdout.close()
        self.process.stderr.close()
        return code


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one organisation."""
    cheap_passwords(monkeypatch)
    organisations = Organisations(tmp_path / "central")
    furnish(organisations)
    organisations.close()
    return tmp_path / "central"


@contextmanager
def serving(*words: str, **environment: str) -> Iterator[Server]:
    server = Server(*words, **environment)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.process.kill()
            server.ended()


@pytest.fixture
def server(data: Path) -> Iterator[Server]:
    with serving("--data", str(data)) as made:
        yield made


def operations_at(data: Path) -> dict[str, int]:
    with open_database(SqliteDatabase(data / ORG / "office.db"), operator=SYSTEM.id) as ws:
        return journal_of(ws)


class Asking(threading.Thread):
    """A request whose answer comes later."""

    def __init__(self, ask: Callable[[], httpx.Response]) -> None:
        super().__init__(daemon=True)
        self.ask = ask
        self.answer: httpx.Response | None = None
        self.start()

    def run(self) -> None:
        self.answer = self.ask()

    def answered(self, seconds: float = LONG) -> httpx.Response:
        self.join(seconds)
        assert self.answer is not None
        return self.answer


# -- devices -----------------------------------------------------------------------------------------------------------


def test_a_device_logs_in_works_alone_and_syncs_over_http(server: Server, tmp_path: Path, data: Path) -> None:
    address = f"{server.url}/{ORG}"
    door = HttpTransport(address)
    ticket = door.log_in(Login("hugo", PASSWORD, name="a laptop"))
    door.close()
    database = SqliteDatabase(tmp_path / "device.db")
    found_device(database, ticket, address)
    database.close()
    with open_database(SqliteDatabase(tmp_path / "device.db"), operator=SYSTEM.id) as ws:
        ws.actor = ticket.operator
        client = Client(ws, HttpTransport(address, ticket.token))
        client.sync()
        made = ws.do("leads.report", name="李雷", phone="13812345678", city="上海")
        assert len(client.pending()) == 1
        report = client.sync()
        client.transport.close()
        assert (report.sent, report.confirmed, report.waiting) == (1, 1, 0)
        assert ws.reader().count("leads") == 1
    assert operations_at(data)[made.operation] == 1


# -- the end -----------------------------------------------------------------------------------------------------------


@needs_signals
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order_and_lets_go_of_who_waits(server: Server, number: int) -> None:
    ticket = server.login("hugo")
    welcome = json_as(server.post("sync/hello", hello_body(), ticket.token), Welcome)
    waiting = Asking(lambda: server.post("sync/pull", pull_body(welcome.head, welcome.view, 25), ticket.token))
    server.wait_for("bo_pulls_waiting", 1.0)
    started = time.monotonic()
    assert server.end(number) == 0
    assert time.monotonic() - started < 20  # less than who waits asked for
    page = json_as(waiting.answered(), Page)
    assert (page.commits, page.to) == ((), welcome.head)
    assert [line["message"] for line in server.log][-1] == "ended"
    assert all(line["level"] == "info" for line in server.log), server.log


@needs_signals
def test_what_runs_when_the_signal_comes_is_finished(server: Server, data: Path) -> None:
    ticket = server.login("hugo")
    body = push_body(*(f"138{number:08}" for number in range(500)))
    pushing = Asking(lambda: server.post("sync/push", body, ticket.token))
    server.wait_for("bo_pushes_in_flight", 1.0)
    assert server.end() == 0
    results = json_as(pushing.answered(), Pushed).results
    assert {item.status for item in results} == {"applied"}
    assert len(operations_at(data).keys() & {item.id for item in results}) == 500


def test_what_was_answered_is_there_after_a_crash_and_is_answered_the_same(server: Server, data: Path) -> None:
    ticket = server.login("hugo")
    bodies = [push_body(f"139{number:08}", first=number + 1) for number in range(200)]
    answered: list[bytes] = []

    def push_on() -> httpx.Response:
        while True:
            answer = server.post("sync/push", bodies[len(answered)], ticket.token)
            answered.append(answer.content)

    def until_it_breaks() -> httpx.Response:
        try:
            return push_on()
        except httpx.HTTPError:
            return httpx.Response(599)

    pushing = Asking(until_it_breaks)
    while len(answered) < 5:
        time.sleep(0.01)
    server.process.kill()
    assert server.ended() != 0
    assert pushing.answered().status_code == 599
    known = len(answered)
    assert 5 <= known < 200

    with serving("--data", str(data)) as again:
        repeated = [again.post("sync/push", body, ticket.token).content for body in bodies[: known + 1]]
        assert again.end() == 0 or os.name == "nt"
    assert repeated[:known] == answered
    sent = {json.loads(body)["ops"][0]["id"] for body in bodies[: known + 1]}
    journal = operations_at(data)
    assert {journal[name] for name in sent} == {1}


@needs_signals
def test_systemd_hears_that_it_is_ready_alive_and_ending(data: Path, tmp_path: Path) -> None:
    folder = Path(os.path.relpath(tmp_path))  # the path of a socket is short
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(str(folder / "n"))
    listener.settimeout(LONG)
    told: list[bytes] = []
    try:
        with serving("--data", str(data), NOTIFY_SOCKET=str(tmp_path / "n"), WATCHDOG_USEC="400000") as server:
            while told.count(b"WATCHDOG=1") < 3:
                told.append(listener.recv(100))
            assert server.end() == 0
        while told[-1] != b"STOPPING=1":
            told.append(listener.recv(100))
    finally:
        listener.close()
    assert told.count(b"READY=1") == 1


# -- connections -------------------------------------------------------------------------------------------------------


def raw(server: Server, *parts: bytes, pause: float = 0.0, hang_up: bool = False) -> bytes:
    """Send bytes as they are and read until the server has ended the connection."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=LONG) as line:
        for part in parts:
            line.sendall(part)
            time.sleep(pause)
        if hang_up:
            line.shutdown(socket.SHUT_WR)
        received = b""
        while piece := line.recv(65536):
            received += piece
        return received


def head(path: str, length: int, token: str = "", method: str = "POST", more: str = "") -> bytes:
    lines = (
        f"{method} /{ORG}/v1/{path} HTTP/1.1",
        "host: x",
        f"content-length: {length}",
        more,
        f"authorization: Bearer {token}",
    )
    return "\r\n".join(line for line in lines if line).encode() + b"\r\n\r\n"


@pytest.mark.parametrize("said", [b"GARBAGE\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/9.9\r\n\r\n"])
def test_what_is_not_http_is_told_as_a_problem(server: Server, said: bytes) -> None:
    answer = raw(server, said)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "bad_request"


def test_bodies_that_are_not_as_long_as_they_say_run_nothing(server: Server, data: Path) -> None:
    ticket = server.login("hugo")
    body = push_body("13812345678")
    before = operations_at(data)
    cut = raw(server, head("sync/push", len(body) + 100, ticket.token), body, pause=0.1, hang_up=True)
    assert cut == b""  # whoever hung up hears nothing
    longer = raw(server, head("sync/push", len(body) - 10, ticket.token, more="connection: close") + body)
    assert longer.startswith(b"HTTP/1.1 400 ")
    both = raw(server, head("sync/push", 0, ticket.token, more="transfer-encoding: chunked") + b"zz\r\n" + body)
    assert both.startswith(b"HTTP/1.1 400 ")
    assert operations_at(data) == before
    gone = [line for line in server.log if line.get("status") == 499]
    assert [line["route"] for line in gone] == ["/{org}/v1/sync/push"]


def test_a_head_without_an_end_is_refused(server: Server) -> None:
    lines = [b"x-more: " + b"y" * 20_000 + b"\r\n"] * 2
    answer = raw(server, b"GET /health HTTP/1.1\r\n", *lines, pause=0.02)
    assert answer.startswith(b"HTTP/1.1 431 ")


def test_who_hangs_up_while_waiting_is_forgotten(server: Server) -> None:
    ticket = server.login("hugo")
    welcome = json_as(server.post("sync/hello", hello_body(), ticket.token), Welcome)
    body = pull_body(welcome.head, welcome.view, 25)
    with socket.create_connection(("127.0.0.1", server.port), timeout=LONG) as line:
        line.sendall(head("sync/pull", len(body), ticket.token) + body)
        server.wait_for("bo_pulls_waiting", 1.0)
    server.wait_for("bo_pulls_waiting", 0.0)


def test_a_path_is_never_in_the_log(server: Server) -> None:
    httpx.get(f"{server.url}/13812345678/v1/secret?token=bo_secret", headers={"x-name": "bo_secret"})
    while not any(line["message"] == "request" for line in server.log):
        time.sleep(0.01)
    assert "secret" not in json.dumps(server.log)
    assert "13812345678" not in json.dumps(server.log)


# -- how it is called --------------------------------------------------------------------------------------------------


def refused(*words: str, **environment: str) -> tuple[int, str]:
    ran = subprocess.run(
        [sys.executable, "-m", "bo", "serve", *words],
        capture_output=True,
        encoding="utf-8",
        timeout=START_SECONDS,
        env={**os.environ, "PYTHONPATH": str(SOURCE), **environment},
        check=False,
    )
    return ran.returncode, ran.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "where are the organisations?"),
        (("--data", ".", "--database", "postgresql://x/y"), 2, "where are the organisations?"),
        (("--data", ".", "--host", "0.0.0.0"), 2, "without TLS"),
        (("--data", ".", "--workers", "2"), 2, "several processes need PostgreSQL"),
        (("--data", ".", "--port", "99999"), 2, "--port takes"),
        (("--data", ".", "--max-body", "3"), 2, "--max-body takes"),
        (("--data", ".", "--forwarded-allow-ips", "10.0.0.1"), 2, "needs --proxy-headers"),
        (("--data", ".", "--keyfile", "x"), 2, "--keyfile needs --certfile"),
        (("--data", ".", "--certfile", "nowhere.pem"), 78, "the certificate in nowhere.pem cannot be used"),
        (("--data", ".", "--metrics-token-file", "nowhere"), 78, "nowhere cannot be read"),
        (("--database", "postgresql://nobody@127.0.0.1:1/none"), 78, "the database cannot be reached"),
        (("--database", "mysql://x"), 78, "no PostgreSQL address"),
    ],
)
def test_a_call_that_cannot_be_served_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], code: int, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    found, told = refused(*words)
    assert (found, said in told) == (code, True), told


def test_an_address_that_is_taken_is_told(server: Server, data: Path) -> None:
    code, told = refused("--data", str(data), "--port", str(server.port))
    assert code == 78
    assert f"cannot listen at 127.0.0.1 port {server.port}" in told


def test_it_speaks_tls_with_the_certificate_it_is_given(data: Path, tmp_path: Path) -> None:
    chain, key = _certificate(tmp_path)
    with serving("--data", str(data), "--certfile", str(chain), "--keyfile", str(key)) as server:
        trust = ssl.create_default_context(cafile=str(chain))
        answer = httpx.get(f"https://localhost:{server.port}/health", verify=trust)
        assert answer.json() == {"alive": True}
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"http://localhost:{server.port}/health", timeout=LONG)


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for localhost that lasts a day."""
    x509 = pytest.importorskip("cryptography.x509")
    from datetime import UTC, datetime, timedelta

    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    chain, secret = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return chain, secret


# -- several processes -------------------------------------------------------------------------------------------------


@pytest.fixture
def database(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A PostgreSQL database with one organisation."""
    cheap_passwords(monkeypatch)
    name = f"serving_{os.getpid()}_{next(_numbers)}"
    door = PostgresDatabase(postgres_url)
    door.session.script([f'CREATE DATABASE "{name}"'])
    url = postgres_url.replace("/postgres?", f"/{name}?", 1)
    organisations = Organisations(None, url)
    furnish(organisations)
    organisations.close()
    yield url
    door.session.script([f'DROP DATABASE "{name}" WITH (FORCE)'])
    door.close()


@needs_signals
def test_several_processes_serve_one_database(database: str) -> None:
    with serving("--workers", "2", BO_DATABASE=database) as server:
        ticket, boss = server.login("hugo"), server.login("boss")
        welcome = json_as(server.post("sync/hello", hello_body(), ticket.token), Welcome)
        body = pull_body(welcome.head, welcome.view, 25)
        waits = [Asking(lambda: server.post("sync/pull", body, ticket.token)) for _ in range(8)]
        server.wait_for("bo_pulls_waiting", 8.0)
        for number in range(6):
            answer = server.post("sync/push", push_body(f"1381234{number:04}", first=number + 1), boss.token)
            assert json_as(answer, Pushed).results[0].status == "applied"
        for wait in waits:
            assert json_as(wait.answered(), Page).commits
        assert server.figures()['bo_operations_total{status="applied"}'] == 6.0
        assert server.end() == 0
