"""Requests to addresses that people typed in, such as those of webhooks: they reach the public internet and nothing
else.

An address is read strictly, its name is looked up once, every address found is checked, and the connection goes to
the very address that was checked, so that a second answer of the name server cannot get in between. The certificate
and the Host line stay the name's. Refused: anything but https, user names, odd ports, redirects, spellings that
programs read in different ways, and every address that is not a plain public one. Answers are bounded in size and
time, and no more than a short text of one is handed on.
"""

from __future__ import annotations

import ipaddress
import queue
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

import httpcore
import msgspec

from bo.core.kernel.errors import BadInput, BoError

SECONDS_MOST: Final = 10.0  # for one request, from the look-up of the name to the end of the answer
ANSWER_MOST: Final = 64 * 1024
TEXT_MOST: Final = 200
URL_LONGEST: Final = 2048
ADDRESSES_MOST: Final = 4  # of one name that are tried
RETRY_AFTER_MOST: Final = 7 * 86_400
PORTS: Final = frozenset((443, 8443))
HIGH_PORTS: Final = range(1024, 65536)
IDLE_SECONDS: Final = 5.0  # a connection waits so long for the next request

IPv4 = ipaddress.IPv4Address
IPv6 = ipaddress.IPv6Address
Ip = IPv4 | IPv6
Resolve = Callable[[str, int], Sequence[str]]
Connect = Callable[[str, int, float], httpcore.NetworkStream]

# Addresses that are somebody's own, lead back inside, or carry another address in them. Written out, since what the
# standard library calls global has changed between versions of Python.
NOT_PUBLIC_4: Final = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this host
        "10.0.0.0/8",
        "100.64.0.0/10",  # shared by the customers of a provider; metadata of some clouds
        "127.0.0.0/8",
        "168.63.129.16/32",  # metadata of a cloud, on an address that looks public
        "169.254.0.0/16",  # link-local; metadata of most clouds
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments; metadata of a cloud
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",  # measurements
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
# Public IPv6 is 2000::/3: outside of it lie loopback, ULA, link-local, multicast, IPv4-mapped and -compatible
# addresses, and 64:ff9b::/96, which leads to any IPv4 address.
PUBLIC_6: Final = ipaddress.IPv6Network("2000::/3")
NOT_PUBLIC_6: Final = tuple(
    ipaddress.IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments: Teredo, ORCHID, measurements
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: any IPv4 address
        "2620:4f:8000::/48",
        "3fff::/20",  # documentation
    )
)
INSIDE_NAMES: Final = ("localhost", "local", "internal", "home.arpa")
_URL: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^#]*)(?:#.*)?")
_NAME: Final = re.compile(r"([A-Za-z0-9._-]+)(?::([0-9]{1,5}))?")
_BRACKETED: Final = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::([0-9]{1,5}))?")
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")


class NotOutside(BadInput):
    """An address that nothing is sent to."""

    code = "address_refused"


class NoAnswer(BoError):
    """The address did not answer, not in time, or not in HTTP."""

    code = "no_answer"
    retryable = True


class Answered(msgspec.Struct, frozen=True):
    """What came back. `text` is the printable beginning of the body; `retry_after` are seconds, where it said some."""

    status: int
    text: str = ""
    retry_after: int = 0

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


class Rules(msgspec.Struct, frozen=True):
    """What is allowed beyond https to public addresses on ports 443 and 8443. `refused` are networks of one's own that
    have public addresses. `allow_insecure_loopback` is for tests: http, and this machine, on any port."""

    high_ports: bool = False
    refused: tuple[str, ...] = ()
    allow_insecure_loopback: bool = False


STRICT: Final = Rules()


class Url(msgspec.Struct, frozen=True):
    """An address that was read: one spelling only. `host` is a name, or an IP address as `ip` writes it."""

    scheme: str
    host: str
    port: int
    target: str
    ip: Ip | None = None

    @property
    def authority(self) -> str:
        """The Host line."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.scheme == "https" else 80) else f"{host}:{self.port}"


# -- what may be asked -------------------------------------------------------------------------------------------------


def read_url(text: str, rules: Rules = STRICT) -> Url:
    """An address in its one spelling. No name is looked up. Raises NotOutside."""
    if len(text) > URL_LONGEST or not all("!" <= letter <= "~" for letter in text) or "\\" in text:
        raise _refused(
            "the address has letters that are not allowed in one",
            hint="Write a name that is not in plain letters as xn--…, and everything else with %-signs.",
        )
    match = _URL.fullmatch(text)
    if match is None:
        raise _refused("this is no web address", hint="It begins with https://")
    scheme, authority, target = match[1].lower(), match[2], match[3]
    if scheme != "https" and not (scheme == "http" and rules.allow_insecure_loopback):
        raise _refused("only https addresses are sent to")
    if "@" in authority:
        raise _refused("an address with a user name is not sent to", hint="Leave out what stands before the @.")
    ip, host, port_text = _host(authority, rules)
    port = int(port_text) if port_text else (443 if scheme == "https" else 80)
    if not (
        port in PORTS
        or (rules.high_ports and port in HIGH_PORTS)
        or (rules.allow_insecure_loopback and 0 < port < 65536)
    ):
        raise _refused("port {port} is not sent to", hint="Use 443 or 8443.", port=port)
    if ip is not None:
        require_public(ip, rules)
    return Url(scheme, host, port, target if target.startswith("/") else "/" + target, ip)


def _host(authority: str, rules: Rules) -> tuple[Ip | None, str, str]:
    """The IP address if it is one, the host in its one spelling, and the port as it was written."""
    match = _BRACKETED.fullmatch(authority)
    if match is not None:
        try:
            six = IPv6(match[1])
        except ValueError:
            raise _refused("the address has no host that can be read") from None
        return six, str(six), match[2] or ""
    match = _NAME.fullmatch(authority)
    if match is None:
        raise _refused("the address has no host that can be read")
    host, port = match[1].lower().removesuffix("."), match[2] or ""
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise _refused("the address has no host that can be read")
    if labels[-1][0].isdigit():  # some programs take this for an IPv4 address: only its plain form is one
        try:
            four = IPv4(host)
        except ValueError:
            raise _refused("an IP address is written as four plain numbers") from None
        return four, str(four), port
    if rules.allow_insecure_loopback and host == "localhost":
        return None, host, port
    if len(labels) == 1 or any(host == name or host.endswith("." + name) for name in INSIDE_NAMES):
        raise _refused("{host} is a name for inside a network", host=host)
    return None, host, port


def require_public(ip: Ip, rules: Rules = STRICT) -> None:
    """Raise NotOutside for an address that is not a plain public one."""
    if rules.allow_insecure_loopback and ip.is_loopback:
        return
    if not is_public(ip) or any(ip in ipaddress.ip_network(text) for text in rules.refused):
        raise _refused("{ip} is not a public address", hint="Nothing is sent to where only insiders are.", ip=str(ip))


def is_public(ip: Ip) -> bool:
    """Whether an address is one that anybody in the internet can reach, and only that."""
    if isinstance(ip, IPv4):
        return not any(ip in network for network in NOT_PUBLIC_4) and ip.is_global
    return ip in PUBLIC_6 and not any(ip in network for network in NOT_PUBLIC_6) and ip.scope_id is None


def _refused(message: str, *, hint: str = "Give a public https address.", **facts: object) -> NotOutside:
    return NotOutside(message, hint=hint, **facts)


# -- asking ------------------------------------------------------------------------------------------------------------


class Outside:
    """Sends requests. Connections are kept for a few seconds; it may be used by several threads."""

    def __init__(
        self,
        rules: Rules = STRICT,
        *,
        seconds: float = SECONDS_MOST,
        resolve: Resolve | None = None,
        connect: Connect | None = None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.rules = rules
        self.seconds = seconds
        self._way = _CheckedWay(rules, resolve or look_up, connect or _connect)
        self._context = context
        self._pool: httpcore.ConnectionPool | None = None
        self._lock = threading.Lock()

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answered:
        """Send a body. Raises NotOutside for an address that is not sent to, NoAnswer where nothing came back."""
        found = read_url(url, self.rules)
        until = time.monotonic() + self.seconds
        self._way.running.request = (found, until)
        lines = {"Host": found.authority, "Accept-Encoding": "identity", **headers, "Content-Length": str(len(body))}
        try:
            with self._connections().stream(
                "POST",
                httpcore.URL(
                    scheme=found.scheme.encode(),
                    host=found.host.encode(),
                    port=found.port,
                    target=found.target.encode(),
                ),
                headers=list(lines.items()),
                content=body,
                extensions={"timeout": dict.fromkeys(("connect", "read", "write", "pool"), self.seconds)},
            ) as response:
                return _answered(response)
        except httpcore.TimeoutException:
            raise _silent(found, self.seconds) from None
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            reason = printable(str(error)) or type(error).__name__
            raise NoAnswer("{host}: {reason}", host=found.host, reason=reason) from None

    def close(self) -> None:
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()

    def _connections(self) -> httpcore.ConnectionPool:
        with self._lock:
            if self._pool is None:
                self._pool = httpcore.ConnectionPool(
                    ssl_context=self._context or _trust(),
                    max_connections=32,
                    keepalive_expiry=IDLE_SECONDS,
                    network_backend=self._way,
                )
            return self._pool


def _answered(response: httpcore.Response) -> Answered:
    """The status, and as much of the body as is looked at; what goes wrong after the status does not count."""
    body = b""
    with suppress(httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
        for part in response.iter_stream():
            body += part
            if len(body) >= ANSWER_MOST:
                break
    after = next((value for name, value in response.headers if name.lower() == b"retry-after"), b"")
    seconds = min(int(after), RETRY_AFTER_MOST) if re.fullmatch(rb"[0-9]{1,9}", after) else 0
    return Answered(response.status, printable(body[: 4 * TEXT_MOST].decode("utf-8", "replace")), seconds)


def printable(text: str) -> str:
    """At most 200 printable characters of a text from outside, on one line."""
    words = " ".join(text.split())
    return "".join(letter for letter in words if letter.isprintable() and letter != "�")[:TEXT_MOST]


def _silent(found: Url, seconds: float) -> NoAnswer:
    return NoAnswer("{host} has not answered within {seconds} seconds", host=found.host, seconds=f"{seconds:g}")


def _trust() -> ssl.SSLContext:
    """The certificates that are trusted: those of SSL_CERT_FILE where that is set, else the usual ones."""
    import httpx

    return httpx.create_ssl_context()


# -- the way to an address ---------------------------------------------------------------------------------------------


class _CheckedWay(httpcore.NetworkBackend):
    """Looks up a name, checks what was found, and connects to that. The pool asks here for every new connection."""

    def __init__(self, rules: Rules, resolve: Resolve, connect: Connect) -> None:
        self.rules = rules
        self.resolve = resolve
        self.connect = connect
        self.running = threading.local()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        url, until = self.running.request
        assert (host, port) == (url.host, url.port), "a connection is made for the request that runs in this thread"
        reason: Exception = httpcore.ConnectError("no address was found")
        for ip in self._checked(url, until)[:ADDRESSES_MOST]:
            try:
                return _Timed(self.connect(str(ip), port, _left(until)), self.running)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                reason = error
        raise reason

    def _checked(self, url: Url, until: float) -> list[Ip]:
        """The addresses of a host. One that is not public spoils them all: which of them is asked is chance."""
        if url.ip is not None:
            found: list[Ip] = [url.ip]
        else:
            found = [ipaddress.ip_address(text) for text in self._found(url, until)]
        for ip in found:
            require_public(ip, self.rules)
            if url.scheme == "http" and not ip.is_loopback:
                raise _refused("only https addresses are sent to")
        return found

    def _found(self, url: Url, until: float) -> list[str]:
        """What the name server says. The look-up itself knows no time limit, so it is left to a thread."""
        told: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

        def ask() -> None:
            try:
                told.put(list(self.resolve(url.host, url.port)))
            except Exception as error:
                told.put(error)

        threading.Thread(target=ask, name="bo-look-up", daemon=True).start()
        try:
            found = told.get(timeout=_left(until))
        except queue.Empty:
            raise httpcore.ConnectTimeout("the name was not found in time") from None
        if isinstance(found, Exception):
            raise NoAnswer("{host} is not found", hint="Check the address.", host=url.host)
        return found

    def connect_unix_socket(self, *_arguments: Any, **_options: Any) -> httpcore.NetworkStream:
        raise httpcore.ConnectError("there are no sockets in files outside")


class _Timed(httpcore.NetworkStream):
    """A connection on which every wait ends when the time of the running request does."""

    def __init__(self, inner: httpcore.NetworkStream, running: threading.local) -> None:
        self.inner = inner
        self.running = running

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self.inner.read(max_bytes, _left(self.running.request[1]))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for place in range(0, len(buffer), 16_384):
            self.inner.write(buffer[place : place + 16_384], _left(self.running.request[1]))

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        made = self.inner.start_tls(ssl_context, server_hostname, _left(self.running.request[1]))
        return _Timed(made, self.running)

    def close(self) -> None:
        self.inner.close()

    def get_extra_info(self, info: str) -> Any:
        return self.inner.get_extra_info(info)


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the time for this request is over")
    return left


def look_up(host: str, port: int) -> list[str]:
    """The addresses of a name, as the machine's own resolver says. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(item[4][0]) for item in found))


def _connect(ip: str, port: int, seconds: float) -> httpcore.NetworkStream:
    return httpcore.SyncBackend().connect_tcp(ip, port, timeout=seconds)
