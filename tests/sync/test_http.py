"""The way to central over HTTP, against answers that are made up and against sockets that misbehave."""

from __future__ import annotations

import base64
import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256

import httpx
import pytest

from bo.core.kernel.errors import BoError, Busy, NotFound, UsageError
from bo.sync.central import Revoked
from bo.sync.http import HttpTransport, address
from bo.sync.protocol import Login, Problem, encode
from bo.sync.transport import LoggedOut, Remote, Unreachable

URL = "https://central.example/acme"
TOKEN = "bo_secret-of-this-device"
Answering = Callable[[httpx.Request], httpx.Response]


class Recorder(httpx.BaseTransport):
    """Stands in for the network: keeps what was sent, and answers."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.sent: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.sent.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def good(body: bytes = b'{"fine":true}') -> httpx.Response:
    return httpx.Response(200, content=body, headers={"content-type": "application/json"})


def problem(status: int, code: str, *, retryable: bool = False, **headers: str) -> httpx.Response:
    body = encode(Problem(f"urn:bo:{code}", "words of central", status, code, "a hint", {"id": "x"}, retryable))
    return httpx.Response(status, content=body, headers={"content-type": "application/problem+json", **headers})


def transport(network: httpx.BaseTransport, **options: object) -> HttpTransport:
    pauses: list[float] = []
    made = HttpTransport(URL, TOKEN, through=network, sleep=pauses.append, **options)  # type: ignore[arg-type]
    made.pauses = pauses  # type: ignore[attr-defined]
    return made


# -- what is sent ------------------------------------------------------------------------------------------------------


def test_a_call_goes_to_its_address_with_the_token_and_a_digest() -> None:
    network = Recorder(good())

    assert transport(network).call("pull", b'{"wait":0}') == b'{"fine":true}'

    (sent,) = network.sent
    assert (sent.method, str(sent.url)) == ("POST", "https://central.example/acme/v1/sync/pull")
    assert sent.headers["authorization"] == f"Bearer {TOKEN}"
    assert sent.headers["content-type"] == "application/json"
    assert "content-encoding" not in sent.headers
    digest = base64.b64encode(sha256(b'{"wait":0}').digest()).decode()
    assert sent.headers["content-digest"] == f"sha-256=:{digest}:"


def test_a_large_body_is_packed_and_the_digest_is_of_what_travels() -> None:
    network, body = Recorder(good()), b'{"ops":[' + b"1," * 2000 + b"1]}"

    transport(network).call("push", body)

    (sent,) = network.sent
    assert sent.headers["content-encoding"] == "gzip"
    assert len(sent.content) < 200
    assert gzip.decompress(sent.content) == body
    assert sent.headers["content-digest"] == f"sha-256=:{base64.b64encode(sha256(sent.content).digest()).decode()}:"


def test_nothing_is_packed_on_this_machine() -> None:
    network = Recorder(good())
    HttpTransport("http://127.0.0.1:8080/acme", TOKEN, through=network).call("push", b"x" * 5000)

    (sent,) = network.sent
    assert "content-encoding" not in sent.headers
    assert sent.headers["accept-encoding"] == "identity"


def test_a_login_carries_no_token_and_is_sent_once() -> None:
    network = Recorder(problem(503, "busy", retryable=True))

    with pytest.raises(Busy):
        HttpTransport(URL, through=network).log_in(Login("anna", "correct horse battery"))

    (sent,) = network.sent
    assert str(sent.url) == "https://central.example/acme/v1/login"
    assert "authorization" not in sent.headers


def test_what_a_transport_shows_of_itself_holds_no_token() -> None:
    made = transport(Recorder(good()))

    assert TOKEN not in repr(made)
    assert TOKEN not in str(made.__dict__["address"])


# -- addresses ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("https://central.example/acme", "https://central.example/acme"),
        ("central.example/acme/", "https://central.example/acme"),
        ("https://central.example:8443/acme", "https://central.example:8443/acme"),
        ("http://127.0.0.1:8080/acme", "http://127.0.0.1:8080/acme"),
        ("http://localhost/acme", "http://localhost/acme"),
        ("http://[::1]:8080/acme", "http://[::1]:8080/acme"),
    ],
)
def test_an_address_is_read_as_people_type_it(typed: str, read: str) -> None:
    assert address(typed).url == read


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "acme",
        "https://central.example",
        "https://central.example/",
        "ftp://central.example/acme",
        "https:///acme",
        "https://central.example:port/acme",
        "https://anna:secret@central.example/acme",
        "https://central.example/acme?x=1",
        "https://central.example/acme\r\nX: y",
        "http://central.example/acme",
        "http://127.0.0.1.evil.example/acme",
        "http://localhost.evil.example/acme",
    ],
)
def test_what_is_no_address_or_not_safe_is_refused(typed: str) -> None:
    with pytest.raises(UsageError):
        address(typed)


def test_an_address_without_tls_has_to_be_asked_for() -> None:
    with pytest.raises(UsageError, match="not https"):
        HttpTransport("http://192.168.1.5/acme")

    assert HttpTransport("http://192.168.1.5/acme", insecure=True).address.url == "http://192.168.1.5/acme"


# -- what comes back ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "error", "code"),
    [
        (problem(401, "logged_out"), LoggedOut, "logged_out"),
        (httpx.Response(401), LoggedOut, "logged_out"),
        (problem(403, "revoked"), Revoked, "revoked"),
        (problem(404, "not_found"), NotFound, "not_found"),
        (problem(503, "busy", retryable=True), Busy, "busy"),
        (problem(409, "only_central_knows"), Remote, "only_central_knows"),
        (httpx.Response(500, text="oops"), Unreachable, "unreachable"),
        (httpx.Response(302, headers={"location": "https://login.hotel.example/"}), Unreachable, "unreachable"),
        (
            httpx.Response(200, content=b"<html>Welcome</html>", headers={"content-type": "text/html"}),
            Unreachable,
            "unreachable",
        ),
        (httpx.Response(404, text="not here"), Unreachable, "unreachable"),
    ],
)
def test_every_answer_that_is_none_becomes_its_error(answer: httpx.Response, error: type[Exception], code: str) -> None:
    with pytest.raises(error) as raised:
        transport(Recorder(answer), tries=1).call("hello", b"{}")

    assert raised.value.code == code  # type: ignore[attr-defined]
    assert TOKEN not in str(raised.value)


def test_the_login_page_of_a_network_is_told_apart_from_a_central_store() -> None:
    page = httpx.Response(200, content=b"<html>Free WiFi</html>", headers={"content-type": "text/html"})

    with pytest.raises(Unreachable, match=r"is no central store \(200\)") as raised:
        transport(Recorder(page), tries=1).call("hello", b"{}")

    assert "login page of this network" in raised.value.hint


def test_a_redirect_is_not_followed_so_that_the_token_goes_nowhere_else() -> None:
    network = Recorder(httpx.Response(307, headers={"location": "https://evil.example/"}))

    with pytest.raises(Unreachable):
        transport(network, tries=1).call("hello", b"{}")

    assert [sent.url.host for sent in network.sent] == ["central.example"]


def test_a_problem_that_cannot_be_read_is_no_problem_of_ours() -> None:
    broken = httpx.Response(400, content=b'{"type":1', headers={"content-type": "application/problem+json"})

    with pytest.raises(Unreachable, match="no central store"):
        transport(Recorder(broken), tries=1).call("hello", b"{}")


@pytest.mark.parametrize(("header", "after"), [("7", 7.0), ("999999", 3600.0), ("soon", None), ("-3", None)])
def test_how_long_central_asks_to_be_left_alone_is_a_fact(header: str, after: float | None) -> None:
    with pytest.raises(BoError) as raised:  # a class of its own where the server's part is loaded too
        transport(Recorder(problem(429, "too_many", retryable=True, **{"retry-after": header}))).call("hello", b"{}")

    assert raised.value.facts.get("after") == after
    assert raised.value.retryable


# -- trying again ------------------------------------------------------------------------------------------------------


def test_a_connection_that_broke_is_tried_again() -> None:
    network = Recorder(httpx.ConnectError("refused"), httpx.ReadError("reset"), good())
    made = transport(network)

    assert made.call("push", b"{}") == b'{"fine":true}'
    assert len(network.sent) == 3
    assert len({sent.content for sent in network.sent}) == 1


def test_it_is_given_up_after_three_times_and_says_why() -> None:
    network = Recorder(httpx.ConnectError("Name or service not known"))

    with pytest.raises(Unreachable, match="cannot be reached: Name or service not known"):
        transport(network).call("push", b"{}")

    assert len(network.sent) == 3


@pytest.mark.parametrize("answer", [problem(403, "revoked"), problem(401, "logged_out"), problem(409, "refused")])
def test_what_no_second_try_changes_is_sent_once(answer: httpx.Response) -> None:
    network = Recorder(answer)

    with pytest.raises(Exception, match="words of central"):
        transport(network).call("push", b"{}")

    assert len(network.sent) == 1


def test_a_store_that_asks_for_a_long_rest_is_left_alone() -> None:
    network = Recorder(problem(503, "busy", retryable=True, **{"retry-after": "30"}))

    with pytest.raises(Busy) as raised:
        transport(network).call("push", b"{}")

    assert len(network.sent) == 1
    assert raised.value.facts["after"] == 30.0


# -- sockets -----------------------------------------------------------------------------------------------------------


@contextmanager
def server(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """A socket that does what it is told with each connection."""
    listening = socket.create_server(("127.0.0.1", 0))
    held: list[socket.socket] = []

    def accept() -> None:
        while True:
            try:
                connection, _peer = listening.accept()
            except OSError:
                return
            held.append(connection)
            threading.Thread(target=_quietly, args=(serve, connection), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/acme"
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(5)
        for connection in held:
            connection.close()


def _quietly(serve: Callable[[socket.socket], None], connection: socket.socket) -> None:
    try:
        serve(connection)
    except OSError:
        return


def _drip(connection: socket.socket) -> None:
    """An answer that never ends, a byte at a time: no single wait is ever long."""
    connection.recv(65_536)
    while True:
        connection.sendall(b"H")
        time.sleep(0.02)


def _drip_body(connection: socket.socket) -> None:
    connection.recv(65_536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
    while True:
        connection.sendall(b" ")
        time.sleep(0.02)


def _silent(connection: socket.socket) -> None:
    while connection.recv(65_536):
        pass


@pytest.mark.parametrize("serve", [_drip, _drip_body, _silent])
def test_a_call_has_an_end_however_the_other_side_behaves(serve: Callable[[socket.socket], None]) -> None:
    with server(serve) as url:
        made = HttpTransport(url, TOKEN)

        with pytest.raises(Unreachable, match="has not answered within"):
            made.call("hello", b"{}", timeout=0.4)

        made.close()


def test_an_answer_that_is_cut_short_is_an_error_and_not_a_short_answer() -> None:
    def cut(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{}")
        connection.shutdown(socket.SHUT_RDWR)

    with server(cut) as url:
        made = HttpTransport(url, TOKEN, tries=1)
        with pytest.raises(Unreachable, match="cannot be reached"):
            made.call("hello", b"{}")
        made.close()


def test_an_answer_larger_than_can_be_meant_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bo.sync.http.ANSWER_BYTES_MOST", 10_000)
    bomb = httpx.Response(
        200,
        content=gzip.compress(b" " * 5_000_000),
        headers={"content-type": "application/json", "content-encoding": "gzip"},
    )

    with pytest.raises(Unreachable, match="too large"):
        transport(Recorder(bomb), tries=1).call("pull", b"{}")


def test_nobody_listens_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    made = HttpTransport(f"http://127.0.0.1:{port}/acme", TOKEN, sleep=lambda _seconds: None)
    with pytest.raises(Unreachable, match="cannot be reached") as raised:
        made.call("hello", b"{}")
    made.close()

    assert "Nothing is lost" in raised.value.hint
