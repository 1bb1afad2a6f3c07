"""What one connection may do to the server, over a real socket in this process."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from starlette.applications import Starlette

from bo.sync import connections, serving
from bo.sync.organisations import Organisations
from bo.sync.server import Settings, make_app

LONG = 60.0


@contextmanager
def listening(app: Starlette, settings: Settings) -> Iterator[int]:
    """Serve an application from a thread; the port."""
    with serving.bound(settings) as listener:
        server = uvicorn.Server(serving._config(app, settings))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join(LONG)
            assert not thread.is_alive()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=str(tmp_path), port=0, connections_most=20, grace_seconds=1)


@pytest.fixture
def port(settings: Settings) -> Iterator[int]:
    with listening(make_app(Organisations(Path(settings.data)), settings), settings) as found:
        yield found


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=LONG)


def read_all(line: socket.socket) -> bytes:
    received = b""
    while piece := line.recv(65536):
        received += piece
    return received


def problem(answer: bytes) -> dict[str, object]:
    found = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("said", [b"", b"GET /hea", b"GET /health HTTP/1.1\r\nhost: x\r\n", b"\r\n"])
def test_a_request_that_does_not_come_ends_the_connection(
    port: int, monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.3)
    with connected(port) as line:
        line.sendall(said)
        answer = read_all(line)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert problem(answer)["code"] == "too_slow"


def test_a_connection_that_is_used_again_has_the_same_deadline_and_lives_through_it(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 1.0)
    line = http.client.HTTPConnection("127.0.0.1", port)
    for _time in range(3):
        line.request("GET", "/health")
        assert line.getresponse().read() == b'{"alive":true}'
        time.sleep(1.2)  # longer than a head may take: nothing has begun
    line.close()


def test_one_connection_too_many_is_told_so(port: int) -> None:
    lines = [connected(port) for _ in range(20)]
    try:
        with connected(port) as line:  # they are taken in in their order
            answer = read_all(line)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert problem(answer)["code"] == "too_many"
    finally:
        for held in lines:
            held.close()
    until = time.monotonic() + LONG
    while (status := _status(port)) == 503 and time.monotonic() < until:
        time.sleep(0.02)
    assert status == 200


def _status(port: int) -> int:
    line = http.client.HTTPConnection("127.0.0.1", port)
    try:
        line.request("GET", "/health")
        return line.getresponse().status
    finally:
        line.close()


def test_short_answers_do_not_wait_for_word_of_their_first_half(port: int) -> None:
    line, took = http.client.HTTPConnection("127.0.0.1", port), []
    for _time in range(30):
        started = time.perf_counter()
        line.request("GET", "/health")
        line.getresponse().read()
        took.append(time.perf_counter() - started)
    line.close()
    assert sorted(took[5:])[2] < 0.03  # the quickest ones: the machine may be busy, the line is not


def test_who_does_not_read_the_answer_is_let_go(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    from starlette.responses import Response
    from starlette.routing import Route

    monkeypatch.setattr(connections, "READER_SECONDS", 0.3)
    large = Starlette(routes=[Route("/large", lambda _request: Response(bytes(40_000_000)))])
    let_go, lost = threading.Event(), connections.Connection.connection_lost

    def gone(self: connections.Connection, error: Exception | None) -> None:
        lost(self, error)
        let_go.set()

    monkeypatch.setattr(connections.Connection, "connection_lost", gone)
    with listening(large, settings) as port, connected(port) as line:
        line.sendall(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n")
        assert let_go.wait(LONG)
        assert _received(line) < 40_000_000


def test_who_reads_slowly_gets_it_all(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    from starlette.responses import Response
    from starlette.routing import Route

    monkeypatch.setattr(connections, "READER_SECONDS", 2.0)
    large = Starlette(routes=[Route("/large", lambda _request: Response(bytes(12_000_000)))])
    with listening(large, settings) as port, connected(port) as line:
        line.sendall(b"GET /large HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        assert _received(line, pause=lambda: time.sleep(0.02)) > 12_000_000


def _received(line: socket.socket, pause: Callable[[], None] = lambda: None) -> int:
    count = 0
    try:
        while piece := line.recv(65536):
            count += len(piece)
            pause()
    except ConnectionError:
        return count
    return count
