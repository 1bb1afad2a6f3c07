"""What is sent outside reaches public addresses and nothing else, whatever the spelling, the name server or the
receiver does."""

from __future__ import annotations

import http.server
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpcore
import pytest

from bo.sync.outside import (
    ANSWER_MOST,
    STRICT,
    TEXT_MOST,
    Answered,
    NoAnswer,
    NotOutside,
    Outside,
    Rules,
    is_public,
    printable,
    read_url,
)

LOOPBACK = Rules(allow_insecure_loopback=True)
PUBLIC = "93.184.215.14"
OTHER_PUBLIC = "2606:2800:21f:cb07:6820:80da:af6b:8b2c"

# Hosts that lead inside, or that some program would take to lead there. {} is the place of a host in an address.
# fmt: off
INSIDE_HOSTS = (
    # loopback and this host, in every way that IPv4 was ever written
    "127.0.0.1", "127.0.0.1.", "127.0.0.1..", "127.1", "127.0.1", "127.255.255.254", "0.0.0.0", "0", "0.0.0.0.", "00",
    "2130706433", "017700000001", "0x7f000001", "0X7F000001", "0x7f.0.0.1", "0x7f.1", "0x7f.0x0.0x0.0x1", "0177.0.0.1",
    "0177.1", "0177.0x0.1", "127.0.0.01", "127.000.000.001", "0000127.0.0.1", "127.0.0.0x1", "127.0.0.1e0", "0x.0x.0",
    "4294967296", "256.256.256.256", "127.0.0.257", "1.2.3.4.5", "127.0.0", "-127.0.0.1", "127.0.0.-1", "+127.0.0.1",
    # letters that look like digits, dots that look like dots, percent signs, spaces and controls
    "１２７.0.0.1", "127。0。0。1", "127．0．0．1", "①②⑦.⓪.⓪.①", "١٢٧.0.0.1", "127.0.0.1\u200b",
    "%31%32%37.0.0.1", "127%2e0%2e0%2e1", "127.0.0.1%00", "127.0.0.1%20", "127.0.0.1\t", " 127.0.0.1", "127.0.0.1\n",
    "127.0.0.1\x00.example.com", "127.0.0.1%23.example.com", "loc\tal\nhost", "localhost%2eexample.com", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
    # names for inside
    "localhost", "LOCALHOST", "LocalHost.", "localhost.localdomain.localhost", "foo.localhost", "printer.local",
    "metadata.google.internal", "METADATA.GOOGLE.INTERNAL.", "router.home.arpa", "intranet", "db", "kubernetes",
    # private, shared, link-local, metadata, reserved
    "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.1.1.", "100.64.0.1",
    "100.100.100.200", "100.127.255.255", "169.254.169.254", "169.254.170.2", "2852039166", "0xa9fea9fe",
    "0251.0376.0251.0376",
    "168.63.129.16", "192.0.0.1", "192.0.0.192", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.19.255.255",
    "198.51.100.7",
    "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "0.1.2.3",
    # IPv6: loopback, unspecified, mapped, compatible, translated, tunnelled, ULA, link-local, multicast, documentation
    "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[0000:0000:0000:0000:0000:0000:0000:0001]", "[::127.0.0.1]", "[::7f00:1]",
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::FFFF:10.0.0.1]", "[0:0:0:0:0:ffff:a9fe:a9fe]", "[::ffff:0:127.0.0.1]",
    "[::ffff:93.184.215.14]", "[64:ff9b::127.0.0.1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::10.0.0.1]",
    "[64:ff9b::5db8:d70e]",
    "[2002:7f00:1::]", "[2002:a9fe:a9fe::1]", "[2002:c0a8:101::1]", "[2001::1]", "[2001:0:53aa:64c:0:5efe:7f00:1]",
    "[2001:10::1]", "[2001:20::1]", "[2001:2::1]", "[2001:db8::1]", "[3fff::1]", "[100::1]", "[5f00::1]", "[fc00::1]",
    "[fd00:ec2::254]", "[fdff::1]", "[fe80::1]", "[fe80::1%eth0]", "[fe80::1%25eth0]", "[fec0::1]", "[ff02::1]",
    "[ff0e::1]",
    "[2606:2800:21f:cb07:6820:80da:af6b:8b2c%25eth0]", "[::1", "::1", "::1]", "[[::1]]", "[127.0.0.1]", "[::1].", "[]",
    "[v1.127.0.0.1]", "[::ffff:127.0.0.1]:",
    # users, doubled and empty parts
    "example.com@127.0.0.1", "user:secret@example.com", "@example.com", "127.0.0.1@example.com",
    "example.com%40127.0.0.1",
    "", ":443", "example.com:", "example.com:443:443", "example.com:+443", "example.com:４４３",
    "example.com:443@127.0.0.1",
    ".", "..", ".example.com", "example..com", "example.com..", "-example.com", "example-.com", "exa mple.com",
    "example.com\\@127.0.0.1", "example.com\\.127.0.0.1", "\\\\127.0.0.1", "a" * 64 + ".com", "a." * 127 + "com.",
    "*.example.com", "exam!ple.com", "exam'ple.com", "例子.cn", "ｅxample.com",
)
WHOLE_ADDRESSES = (
    "http://example.com/", "HTTP://example.com/", "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/_",
    "https:/example.com", "https:example.com", "//example.com/", "example.com", "", "https://", "https:///etc",
    "javascript:alert(1)", "data:text/plain,x", "unix:/var/run/docker.sock", "http+unix://%2Fvar%2Frun/",
    "wss://example.com/",
    " https://example.com/", "https://example.com/ ", "https://example.com/\r\nHost: 127.0.0.1",
    "https://example.com/a b",
    "https://example.com/é", "https:\\\\example.com\\", "https://example.com:80/", "https://example.com:22/",
    "https://example.com:0/", "https://example.com:8080/", "https://example.com:65536/", "https://example.com:99999/",
    "https://example.com:000443/", "https://example.com/" + "a" * 2048, "httpſ://example.com/", "https://?127.0.0.1",
    "https://#127.0.0.1", "https://example.com:25?x", "ht\ttps://example.com", "https://\u202eexample.com",
)
SAME_ADDRESS = (
    ("https://Hooks.EXAMPLE.com", "hooks.example.com", "hooks.example.com", "/"),
    ("HTTPS://hooks.example.com./in", "hooks.example.com", "hooks.example.com", "/in"),
    ("https://hooks.example.com:443/in?x=1#part", "hooks.example.com", "hooks.example.com", "/in?x=1"),
    ("https://hooks.example.com:8443?x=/../", "hooks.example.com", "hooks.example.com:8443", "/?x=/../"),
    ("https://xn--fsqu00a.cn/%2e%2e/", "xn--fsqu00a.cn", "xn--fsqu00a.cn", "/%2e%2e/"),
    ("https://93.184.215.14./", PUBLIC, PUBLIC, "/"),
    ("https://[2606:2800:021F:CB07:6820:80DA:AF6B:8B2C]:8443/", OTHER_PUBLIC, f"[{OTHER_PUBLIC}]:8443", "/"),
    ("https://127.0.0.1.nip.io/", "127.0.0.1.nip.io", "127.0.0.1.nip.io", "/"),  # its address is checked like any other
)
# fmt: on
SPELLINGS = [f"https://{host}/hook" for host in INSIDE_HOSTS] + list(WHOLE_ADDRESSES)


class Asked:
    """Stands in for the name server and the network: remembers who asked for what, and connects nowhere."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.names: list[str] = []
        self.connected: list[str] = []

    def resolve(self, host: str, _port: int) -> Sequence[str]:
        self.names.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def connect(self, ip: str, port: int, _seconds: float) -> httpcore.NetworkStream:
        self.connected.append(f"{ip} {port}")
        raise httpcore.ConnectError("nobody is here")

    def outside(self, rules: Rules = STRICT) -> Outside:
        return Outside(
            rules, resolve=self.resolve, connect=self.connect, context=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        )


def test_there_are_more_than_a_hundred_spellings() -> None:
    assert len(set(SPELLINGS)) == len(SPELLINGS)
    assert len(SPELLINGS) >= 200


@pytest.mark.parametrize("url", SPELLINGS, ids=ascii)
def test_no_spelling_gets_out_or_in(url: str) -> None:
    asked = Asked([PUBLIC])
    with pytest.raises(NotOutside):
        asked.outside().post(url, {}, b"{}")
    assert (asked.names, asked.connected) == ([], [])


@pytest.mark.parametrize(("url", "host", "line", "target"), SAME_ADDRESS)
def test_an_address_has_one_spelling(url: str, host: str, line: str, target: str) -> None:
    found = read_url(url)
    assert (found.host, found.authority, found.target) == (host, line, target)


def test_high_ports_are_sent_to_only_where_the_setting_says_so() -> None:
    with pytest.raises(NotOutside):
        read_url("https://example.com:9000/")
    assert read_url("https://example.com:9000/", Rules(high_ports=True)).port == 9000
    for port in ("80", "22", "1023", "65536", "0"):
        with pytest.raises(NotOutside):
            read_url(f"https://example.com:{port}/", Rules(high_ports=True))


BAD_ADDRESSES = [
    host.strip("[]") for host in INSIDE_HOSTS if host[:1].isdigit() or host.startswith("[")
]  # those of them that are IP addresses


def _addresses() -> list[str]:
    found = []
    for text in (*BAD_ADDRESSES, "fe80::1%eth0", "::ffff:10.0.0.1", "::ffff:169.254.169.254"):
        try:
            found.append(str(ipaddress.ip_address(text)))
        except ValueError:
            continue
    return found


@pytest.mark.parametrize("address", _addresses())
def test_a_name_that_leads_inside_is_not_connected_to(address: str) -> None:
    for answer in ([address], [PUBLIC, address], [address, OTHER_PUBLIC], [PUBLIC] * 8 + [address]):
        asked = Asked(answer)
        with pytest.raises(NotOutside):
            asked.outside().post("https://hooks.example.com/", {}, b"{}")
        assert (asked.names, asked.connected) == (["hooks.example.com"], [])


def test_a_second_answer_of_the_name_server_cannot_get_in_between() -> None:
    asked = Asked([PUBLIC], ["127.0.0.1"])
    outside = asked.outside()
    with pytest.raises(NoAnswer):
        outside.post("https://hooks.example.com/", {}, b"{}")
    assert (asked.names, asked.connected) == (["hooks.example.com"], [f"{PUBLIC} 443"])
    with pytest.raises(NotOutside):  # a new connection is a new check
        outside.post("https://hooks.example.com/", {}, b"{}")
    assert asked.connected == [f"{PUBLIC} 443"]


def test_every_checked_address_is_tried_until_one_answers() -> None:
    asked = Asked([PUBLIC, OTHER_PUBLIC])
    with pytest.raises(NoAnswer):
        asked.outside().post("https://hooks.example.com:8443/", {}, b"{}")
    assert asked.connected == [f"{PUBLIC} 8443", f"{OTHER_PUBLIC} 8443"]


def test_networks_of_ones_own_can_be_refused() -> None:
    asked = Asked([PUBLIC])
    with pytest.raises(NotOutside):
        asked.outside(Rules(refused=("93.184.0.0/16",))).post("https://hooks.example.com/", {}, b"{}")
    assert asked.connected == []


def test_even_tests_reach_no_further_than_this_machine() -> None:
    asked = Asked(["10.0.0.1"])
    with pytest.raises(NotOutside):
        asked.outside(LOOPBACK).post("https://hooks.example.com/", {}, b"{}")
    asked = Asked([PUBLIC])
    with pytest.raises(NotOutside):  # public, but not over http
        asked.outside(LOOPBACK).post("http://hooks.example.com/", {}, b"{}")
    assert asked.connected == []


@pytest.mark.parametrize("address", [PUBLIC, OTHER_PUBLIC, "1.1.1.1", "8.8.8.8", "2400:cb00::1", "172.32.0.1"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


def test_no_private_network_is_public_and_neither_is_its_translation() -> None:
    for number in range(0, 2**32, 65_521 * 13):  # a prime step: about 5,000 addresses all over
        four = ipaddress.IPv4Address(number)
        wrapped = [
            ipaddress.IPv6Address(prefix | number)
            for prefix in (0, 0xFFFF << 32, 0x64FF9B << 96, 0x64FF9B0001 << 80)
        ] + [ipaddress.IPv6Address(0x2002 << 112 | number << 80)]  # fmt: skip
        assert not any(is_public(six) for six in wrapped)
        assert not (four.is_private or four.is_multicast or four.is_reserved) or not is_public(four)


# -- receivers that really listen --------------------------------------------------------------------------------------


class Receiver(http.server.BaseHTTPRequestHandler):
    """Answers as its server's `reply` says, and remembers what it was sent."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, Listening)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server.seen.append((self.path, dict(self.headers.items()), body))
        server.reply(self)

    def log_message(self, *_arguments: object) -> None:
        return


class Listening(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, reply: Callable[[Receiver], None]) -> None:
        super().__init__(("127.0.0.1", 0), Receiver)
        self.reply = reply
        self.seen: list[tuple[str, dict[str, str], bytes]] = []
        self.connections = 0
        self.port = int(self.server_address[1])

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        self.connections += 1
        return super().get_request()

    def handle_error(self, *_arguments: object) -> None:
        return  # the other side hung up, which is what some of these tests are about


Listen = Callable[[Callable[[Receiver], None]], Listening]


@pytest.fixture
def listen() -> Iterator[Listen]:
    made: list[Listening] = []

    def start(reply: Callable[[Receiver], None]) -> Listening:
        server = Listening(reply)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        made.append(server)
        return server

    yield start
    for server in made:
        server.shutdown()
        server.server_close()


def replying(status: int, body: bytes = b"", headers: Sequence[tuple[str, str]] = ()) -> Callable[[Receiver], None]:
    def reply(to: Receiver) -> None:
        to.send_response(status)
        for name, value in (*headers, ("Content-Length", str(len(body)))):
            to.send_header(name, value)
        to.end_headers()
        to.wfile.write(body)

    return reply


@pytest.fixture
def outside() -> Iterator[Outside]:
    made = Outside(LOOPBACK, seconds=1.0)
    yield made
    made.close()


def test_a_body_arrives_with_its_headers_over_one_connection(listen: Listen, outside: Outside) -> None:
    server = listen(replying(204))
    for number in range(3):
        made = outside.post(f"http://127.0.0.1:{server.port}/in?x={number}", {"webhook-id": "op_1"}, b'{"a":1}')
        assert made == Answered(204)
    assert [(path, headers["webhook-id"], body) for path, headers, body in server.seen] == [
        (f"/in?x={number}", "op_1", b'{"a":1}') for number in range(3)
    ]
    assert server.seen[0][1]["Host"] == f"127.0.0.1:{server.port}"
    assert server.connections == 1


def test_no_redirect_is_followed(listen: Listen, outside: Outside) -> None:
    inside = listen(replying(200))
    server = listen(replying(307, headers=[("Location", f"http://127.0.0.1:{inside.port}/")]))
    made = outside.post(f"http://localhost:{server.port}/", {}, b"{}")
    assert (made.status, made.ok) == (307, False)
    assert inside.seen == []


def test_no_proxy_of_the_surroundings_is_used(
    listen: Listen, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, proxy = listen(replying(200)), listen(replying(200))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    assert outside.post(f"http://127.0.0.1:{server.port}/", {}, b"{}").ok
    assert (len(server.seen), len(proxy.seen)) == (1, 0)


def test_an_endless_answer_is_cut_and_little_of_it_is_kept(listen: Listen, outside: Outside) -> None:
    sent = []

    def pour(to: Receiver) -> None:
        to.send_response(500)
        to.end_headers()
        for _time in range(4096):
            to.wfile.write(b"\x1b[31mno \x00\xff" * 1000)
            sent.append(1)

    made = outside.post(f"http://127.0.0.1:{listen(pour).port}/", {}, b"{}")
    assert made.status == 500
    assert len(made.text) == TEXT_MOST
    assert made.text.isprintable()
    time.sleep(0.05)
    assert len(sent) * 10_000 < 20 * 1024 * 1024  # what lies in the buffers of both ends, and no 40 MB
    assert ANSWER_MOST == 65_536


def test_a_compressed_answer_is_not_unpacked(listen: Listen, outside: Outside) -> None:
    import gzip

    bomb = gzip.compress(b"0" * 50_000_000)
    server = listen(replying(200, bomb, [("Content-Encoding", "gzip")]))
    assert outside.post(f"http://127.0.0.1:{server.port}/", {}, b"{}").status == 200
    assert server.seen[0][1]["Accept-Encoding"] == "identity"


def _raw(answer: Callable[[socket.socket], None]) -> tuple[int, socket.socket]:
    """A server without any manners."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        try:
            connection, _address = listening.accept()
            with connection:
                connection.recv(65_536)
                answer(connection)
        except OSError:
            return

    threading.Thread(target=serve, daemon=True).start()
    return int(listening.getsockname()[1]), listening


def _trickle(line: bytes, pause: float = 0.2) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        while True:  # until the other side has had enough
            connection.sendall(line)
            time.sleep(pause)

    return answer


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda connection: connection.recv(65_536), id="silent"),
        pytest.param(_trickle(b"H"), id="letter by letter"),
        pytest.param(_trickle(b"HTTP/1.1 100 Continue\r\n\r\n"), id="endless interim answers"),
        pytest.param(lambda connection: None, id="hung up"),
        pytest.param(lambda connection: connection.sendall(b"SSH-2.0-OpenSSH\r\n"), id="not HTTP"),
        pytest.param(lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300_000), id="long line"),
        pytest.param(lambda connection: connection.sendall(b"HTTP/1.1 999999 OK\r\n\r\n"), id="no such status"),
    ],
)
def test_a_receiver_without_manners_costs_no_more_than_the_time_limit(
    answer: Callable[[socket.socket], None], outside: Outside
) -> None:
    port, listening = _raw(answer)
    with listening, pytest.raises(NoAnswer) as failed:
        outside.post(f"http://127.0.0.1:{port}/secret-path", {"webhook-signature": "v1,secret"}, b"secret")
    assert "secret" not in str(failed.value)
    assert len(str(failed.value)) < TEXT_MOST + 100


def test_a_status_counts_even_if_the_body_never_ends(outside: Outside) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"

    def answer(connection: socket.socket) -> None:
        connection.sendall(head)
        _trickle(b"x")(connection)

    port, listening = _raw(answer)
    with listening:
        assert outside.post(f"http://127.0.0.1:{port}/", {}, b"{}").status == 200


def test_a_slow_name_server_costs_no_more_than_the_time_limit() -> None:
    over = threading.Event()

    def resolve(_host: str, _port: int) -> list[str]:
        over.wait()
        return [PUBLIC]

    outside = Outside(resolve=resolve, seconds=0.3)
    with pytest.raises(NoAnswer):
        outside.post("https://hooks.example.com/", {}, b"{}")
    over.set()


def test_a_name_that_is_not_found_is_no_answer() -> None:
    def resolve(_host: str, _port: int) -> list[str]:
        raise OSError("Name or service not known")

    with pytest.raises(NoAnswer, match=r"hooks\.example\.com is not found"):
        Outside(resolve=resolve).post("https://hooks.example.com/?token=secret", {}, b"{}")


def test_a_receiver_may_say_when_to_come_again(listen: Listen, outside: Outside) -> None:
    for said, seconds in (("120", 120), ("99999999999", 0), ("999999999", 604_800), ("Fri, 1 Jan 2027", 0), ("-5", 0)):
        server = listen(replying(503, b"later", [("Retry-After", said)]))
        made = outside.post(f"http://127.0.0.1:{server.port}/", {}, b"{}")
        assert made == Answered(503, "later", seconds)


def test_text_from_outside_is_one_printable_line() -> None:
    assert printable("a\x1b[31m\n\tb\u202e\x00c") == "a[31m bc"
    assert printable("雪" * 300) == "雪" * TEXT_MOST


# -- certificates ------------------------------------------------------------------------------------------------------


@pytest.fixture
def authority(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for hooks.example.com that vouches for itself, and its key."""
    pytest.importorskip("cryptography")
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hooks.example.com")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hooks.example.com")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain, secret = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return chain, secret


def _behind_tls(server: Listening, authority: tuple[Path, Path]) -> list[str]:
    """Put a certificate before a server; the names that clients ask for."""
    asked: list[str] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority)
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    return asked


def test_certificate_and_host_are_the_names_and_the_connection_goes_to_the_checked_address(
    listen: Listen, authority: tuple[Path, Path]
) -> None:
    server = listen(replying(200, b"thank you"))
    names = _behind_tls(server, authority)
    trust = ssl.create_default_context(cafile=str(authority[0]))
    outside = Outside(LOOPBACK, resolve=lambda _host, _port: ["127.0.0.1"], context=trust)
    made = outside.post(f"https://Hooks.Example.com.:{server.port}/", {}, b"{}")
    assert made == Answered(200, "thank you")
    assert names == ["hooks.example.com"]
    assert server.seen[0][1]["Host"] == f"hooks.example.com:{server.port}"
    outside.close()


def test_a_certificate_of_another_name_is_no_answer(listen: Listen, authority: tuple[Path, Path]) -> None:
    server = listen(replying(200))
    _behind_tls(server, authority)
    trust = ssl.create_default_context(cafile=str(authority[0]))
    outside = Outside(LOOPBACK, resolve=lambda _host, _port: ["127.0.0.1"], context=trust)
    with pytest.raises(NoAnswer):
        outside.post(f"https://other.example.com:{server.port}/", {}, b"{}")
    assert server.seen == []


def test_a_certificate_that_nobody_vouches_for_is_no_answer(listen: Listen, authority: tuple[Path, Path]) -> None:
    server = listen(replying(200))
    _behind_tls(server, authority)
    with pytest.raises(NoAnswer):
        Outside(LOOPBACK, resolve=lambda _host, _port: ["127.0.0.1"]).post(
            f"https://hooks.example.com:{server.port}/", {}, b"{}"
        )
    assert server.seen == []
