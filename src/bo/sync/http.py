"""A device's way to its central store over HTTP.

Every call has a deadline for the whole of it, is sent again a few times where the connection broke (all that a device
asks for may be asked twice), and ends in the central store's answer or in an error that says what to do. It follows no
redirect, so that the token goes nowhere else; it talks to https alone, and to this machine; what answers without being
a central store, such as the login page of a network, is told apart from one.
"""

from __future__ import annotations

import base64
import gzip
import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bo.core.kernel.errors import BoError, UsageError
from bo.sync.protocol import Login, Problem, Ticket, encode
from bo.sync.transport import LoggedOut, Unreachable, error_of

if TYPE_CHECKING:
    import ssl

    import httpx

TRIES: Final = 3
PAUSE_S: Final = 0.3  # before a second try, about; twice as long before each further one
PAUSE_MOST_S: Final = 3.0  # a longer one is for whoever asked to wait through
CONNECT_S: Final = 10.0
LOGIN_S: Final = 30.0
GZIP_LEAST: Final = 1024
ANSWER_BYTES_MOST: Final = 64_000_000
PROBLEM_BYTES_MOST: Final = 100_000
AFTER_MOST_S: Final = 3600.0
SENT_AGAIN: Final = frozenset(("unreachable", "busy", "unavailable", "digest_mismatch", "too_slow"))
JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"
NOT_OURS: Final = "A proxy, or the login page of this network? Open {url} in a browser."


class Address(msgspec.Struct, frozen=True):
    """Where an organisation's central store is, as `https://host[:port]/ORG`."""

    url: str
    host: str
    organisation: str
    is_local: bool  # on this machine


def address(text: str, *, insecure: bool = False) -> Address:
    """Read an address as a person types it. Raises UsageError for one that is incomplete, or that is not https although
    it leads to another machine."""
    from urllib.parse import urlsplit

    wanted = text.strip() if "://" in text else f"https://{text.strip()}"
    try:
        parts = urlsplit(wanted)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    organisation = parts.path.strip("/")
    if parts.scheme not in ("http", "https") or not host or not organisation or not text.isprintable():
        raise UsageError("{url} is no central store", hint="It looks like https://HOST/ORGANISATION.", url=text[:200])
    if parts.username or parts.password or parts.query or parts.fragment:
        raise UsageError("an address has no user, no ? and no #", hint="bo login asks for the password.")
    is_local = _is_loopback(host)
    if parts.scheme == "http" and not (is_local or insecure):
        raise UsageError(
            "{url} is not https: everybody on the way could read along",
            hint="Use https, or say --insecure-http in a network that nobody else is in.",
            url=text,
        )
    return Address(f"{parts.scheme}://{parts.netloc}/{organisation}", host, organisation, is_local)


def _is_loopback(host: str) -> bool:
    from ipaddress import ip_address

    if host.rstrip(".").lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class HttpTransport:
    """Speaks to one organisation's central store, in the name of whom the token was given to.

    `timeout` is for calls that name none; `tries` is how often a call is sent before it is given up. `through` takes
    the place of the network in tests. Raises UsageError for an address that is none.
    """

    def __init__(
        self,
        url: str,
        token: str = "",
        *,
        timeout: float = 60.0,
        tries: int = TRIES,
        insecure: bool = False,
        through: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.address = address(url, insecure=insecure)
        self.timeout = timeout
        self.tries = tries
        self.sleep = sleep
        self._token = token
        self._through = through
        self._client: httpx.Client | None = None
        self._deadline = _Deadline()

    def __repr__(self) -> str:
        return f"HttpTransport({self.address.url!r})"  # and not the token

    def call(self, kind: str, body: bytes, *, timeout: float | None = None) -> bytes:
        """Send one request and give the answer's body. Raises Unreachable, LoggedOut, or what central says; `after` in
        the facts is how many seconds it asks to be left alone."""
        return self._post(f"sync/{kind}", body, timeout or self.timeout, self.tries)

    def log_in(self, wanted: Login) -> Ticket:
        """Exchange a password for a token. Sent once, since each login that arrives counts."""
        body = self._post("login", encode(wanted), LOGIN_S, 1)
        try:
            return msgspec.json.decode(body, type=Ticket)
        except msgspec.MsgspecError:
            raise self._not_ours("what answers at {url} is no central store", 200) from None

    def log_out(self) -> None:
        """Make the token worthless. Raises LoggedOut where it is already."""
        self._post("logout", b"{}", LOGIN_S, self.tries)

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    # -- one call ------------------------------------------------------------------------------------------------------

    def _post(self, path: str, body: bytes, timeout: float, tries: int) -> bytes:
        until = time.monotonic() + timeout
        headers = self._headers(body)
        if "Content-Encoding" in headers:
            body = gzip.compress(body, 5, mtime=0)
        headers["Content-Digest"] = f"sha-256=:{base64.b64encode(sha256(body).digest()).decode()}:"
        attempt = 1
        while True:
            try:
                return self._once(f"{self.address.url}/v1/{path}", body, headers, until, timeout)
            except BoError as error:
                pause = _pause(error, attempt)
                if attempt >= tries or pause is None or time.monotonic() + pause >= until:
                    raise
            self.sleep(pause)
            attempt += 1

    def _headers(self, body: bytes) -> dict[str, str]:
        from bo import __version__

        headers = {"Content-Type": JSON, "Accept": f"{JSON}, {PROBLEM}", "User-Agent": f"bo/{__version__}"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        if self.address.is_local:
            headers["Accept-Encoding"] = "identity"  # packing costs more than it saves where nothing travels
        elif len(body) > GZIP_LEAST:
            headers["Content-Encoding"] = "gzip"
        return headers

    def _once(self, url: str, body: bytes, headers: dict[str, str], until: float, timeout: float) -> bytes:
        import httpx

        left = max(0.001, until - time.monotonic())
        limits = httpx.Timeout(left, connect=min(left, CONNECT_S))
        try:
            with (
                self._deadline.of(left) as deadline,
                self._opened().stream(
                    "POST", url, content=body, headers=headers, timeout=limits, extensions={"trace": deadline.trace}
                ) as response,
            ):
                return self._read(response)
        except (httpx.HTTPError, httpx.StreamError) as error:
            if self._deadline.passed or isinstance(error, (httpx.ReadTimeout, httpx.WriteTimeout)):
                raise self._late(timeout) from None
            raise self._broken(error) from None

    def _opened(self) -> httpx.Client:
        if self._client is None:
            import httpx

            is_https = self.address.url.startswith("https:")
            self._client = httpx.Client(
                transport=self._through,
                verify=_trusted() if is_https and self._through is None else False,
                follow_redirects=False,
                limits=httpx.Limits(max_connections=1, keepalive_expiry=30.0),
                trust_env=not self.address.is_local,
            )
        return self._client

    # -- answers -------------------------------------------------------------------------------------------------------

    def _read(self, response: httpx.Response) -> bytes:
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if response.is_success and (kind == JSON or response.status_code == 204):
            return self._taken(response, ANSWER_BYTES_MOST)
        body = self._taken(response, PROBLEM_BYTES_MOST) if kind == PROBLEM else b""
        raise self._refusal(response, body)

    def _taken(self, response: httpx.Response, most: int) -> bytes:
        """The body, unpacked, as long as it is of a size that can be meant."""
        taken = bytearray()
        for part in response.iter_bytes(65_536):
            taken += part
            if len(taken) > most:
                raise self._not_ours("the answer from {url} is too large", response.status_code)
        return bytes(taken)

    def _refusal(self, response: httpx.Response, body: bytes) -> BoError:
        status = response.status_code
        try:
            problem = msgspec.json.decode(body, type=Problem) if body else None
        except msgspec.MsgspecError:
            problem = None
        if problem is not None:
            error: BoError = error_of(problem)
        elif status == 401:
            error = LoggedOut("the central store does not know this device any more", hint="bo login")
        elif status == 429 or status >= 500:
            error = Unreachable(
                "the central store at {url} cannot answer now ({status})",
                hint="Try again later; nothing is lost.",
                url=self.address.url,
                status=status,
            )
        else:
            error = self._not_ours("what answers at {url} is no central store ({status})", status)
        after = _seconds_after(response.headers.get("retry-after", ""))
        if after is not None:
            error.facts["after"] = after
        error.facts["http"] = status
        return error

    def _not_ours(self, message: str, status: int) -> BoError:
        return Unreachable(message, hint=NOT_OURS, url=self.address.url, status=status)

    def _late(self, seconds: float) -> BoError:
        return Unreachable(
            "the central store at {url} has not answered within {seconds} s",
            hint="Try again later; nothing is lost.",
            url=self.address.url,
            seconds=round(seconds),
            late=True,
        )

    def _broken(self, error: Exception) -> BoError:
        reason = str(error) or type(error).__name__
        hint = "Is there a network? Nothing is lost; try again later."
        if "CERTIFICATE_VERIFY_FAILED" in reason:
            hint = "Its certificate is not trusted here. SSL_CERT_FILE names a file of authorities to trust."
        return Unreachable(
            "the central store at {url} cannot be reached: {reason}",
            hint=hint,
            url=self.address.url,
            reason=reason[:200],
        )


def _pause(error: BoError, attempt: int) -> float | None:
    """How long to wait before trying again: at least as long as central asks for, and never all at the same time. None
    where there is no use."""
    if error.code not in SENT_AGAIN or "late" in error.facts:
        return None
    after = error.facts.get("after")
    wait = random.uniform(0, PAUSE_S * 2**attempt) + (after if isinstance(after, float) else 0.0)
    return wait if wait <= PAUSE_MOST_S else None


def _seconds_after(header: str) -> float | None:
    """A Retry-After header in seconds: it holds a number of them, or a time."""
    if not header:
        return None
    if header.isascii() and header.strip().isdigit():
        return min(float(header), AFTER_MOST_S)
    from email.utils import parsedate_to_datetime

    try:
        wait = parsedate_to_datetime(header).timestamp() - time.time()
    except ValueError:
        return None
    return min(max(wait, 0.0), AFTER_MOST_S)


def _trusted() -> ssl.SSLContext:
    """The well-known authorities, those of SSL_CERT_FILE or SSL_CERT_DIR instead, and always those of this system: an
    office's own authority is installed there."""
    import httpx

    context = httpx.create_ssl_context()
    context.load_default_certs()
    return context


class _Deadline:
    """Ends a call when its time is over. The library's own limits are for each piece of an answer, so that one that
    comes byte by byte would go on for ever: this shuts the connection instead."""

    def __init__(self) -> None:
        self.passed = False
        self._stream: Any = None  # outlives a call as the connection does
        self._timer: threading.Timer | None = None

    def of(self, seconds: float) -> _Deadline:
        self.passed = False
        self._timer = threading.Timer(seconds, self._pass)
        self._timer.daemon = True
        return self

    def __enter__(self) -> _Deadline:
        assert self._timer is not None
        self._timer.start()
        return self

    def __exit__(self, *_error: object) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def trace(self, event: str, info: dict[str, Any]) -> None:
        """Told by the library what it does."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._stream = info["return_value"]

    def _pass(self) -> None:
        import socket

        self.passed = True
        found = self._stream.get_extra_info("socket") if self._stream is not None else None
        if found is not None:
            with suppress(OSError):
                found.shutdown(socket.SHUT_RDWR)
