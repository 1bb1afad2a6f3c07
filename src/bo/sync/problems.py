"""Around every request: errors become problems, answers get their headers, and one line of the log is written.

A problem says what the asker can do something about. A fault of the server's says a random number and nothing else;
the log has the same number beside the kind of error and the places in the code.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bo.core.kernel.errors import BoError
from bo.sync import logs
from bo.sync.central import problem_of
from bo.sync.metrics import Metrics
from bo.sync.protocol import Problem, encode

MEDIA_TYPE: Final = "application/problem+json"
STATUS: Final = {
    "logged_out": 401, "login_refused": 401, "code_wanted": 401, "too_many": 429, "too_large": 413, "too_slow": 408,
    "digest_mismatch": 400, "bad_encoding": 400, "unknown_encoding": 415,
}  # fmt: skip
# What is wrong with the store itself is for whoever runs it: the words may name files and hosts.
INTERNAL: Final = frozenset(("configuration", "damaged"))
UNREAD: Final = frozenset((401, 408, 413, 415))  # the body may still be on its way
ROUTED: Final = {404: ("no_route", "there is nothing here"), 405: ("wrong_method", "this is not asked that way")}
HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
SECURE: Final = (b"strict-transport-security", b"max-age=31536000")
GONE: Final = 499  # who asked has hung up
ENTRY: Final = "bo.entry"


class Entry(msgspec.Struct):
    """What is known of one request while it runs. `held` is let go of at its end."""

    organisation: str = ""
    operator: str = ""
    device: str = ""
    bytes_in: int = 0
    bytes_out: int = 0
    status: int = 0
    held: ExitStack = msgspec.field(default_factory=ExitStack)


def entry_of(request: Request) -> Entry:
    found = request.scope[ENTRY]
    assert isinstance(found, Entry)
    return found


# -- errors ------------------------------------------------------------------------------------------------------------


async def refused(_request: Request, error: Exception) -> Response:
    """The answer for an error that has words for the asker."""
    assert isinstance(error, BoError)
    if error.code in INTERNAL:
        return _unavailable(error)
    found = problem_of(error)
    status = STATUS.get(error.code, found.status)
    return response(msgspec.structs.replace(found, status=status))


async def not_routed(_request: Request, error: Exception) -> Response:
    """The answer for what no route takes."""
    assert isinstance(error, HTTPException)
    code, words = ROUTED.get(error.status_code, ("bad_request", "this cannot be answered"))
    made = response(Problem(f"urn:bo:{code}", words, error.status_code, code))
    for name, value in (error.headers or {}).items():
        made.headers[name] = value
    return made


def _unavailable(error: BoError) -> Response:
    incident = _incident("the store cannot be used", error)
    words, hint = "the central store cannot work at the moment", "Tell whoever runs it: incident {incident}."
    return response(Problem("urn:bo:unavailable", words, 503, "unavailable", hint, {"incident": incident}, True))


def fault(error: BaseException) -> Response:
    """The answer for an error that nobody expected."""
    incident = _incident("a fault", error)
    words, hint = "a fault in the central store", "Tell whoever runs it: incident {incident}."
    return response(Problem("urn:bo:fault", words, 500, "fault", hint, {"incident": incident}))


def _incident(words: str, error: BaseException) -> str:
    incident = secrets.token_hex(6)
    logs.note(words, level=logging.ERROR, raised=error, incident=incident)
    return incident


def response(problem: Problem) -> Response:
    """A problem as an HTTP answer."""
    made = Response(encode(problem), problem.status, media_type=MEDIA_TYPE)
    if problem.status == 401:
        made.headers["www-authenticate"] = "Bearer"
    if problem.status in (429, 503):
        seconds = problem.facts.get("seconds")
        made.headers["retry-after"] = str(seconds if isinstance(seconds, int) else 1)
    if problem.status in UNREAD:
        made.headers["connection"] = "close"
    return made


# -- every request -----------------------------------------------------------------------------------------------------


class Watched:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, metrics: Metrics, templates: Callable[[Scope], str]) -> None:
        self.app = app
        self.metrics = metrics
        self.template_of = templates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        entry = scope[ENTRY] = Entry()
        more = (*HEADERS, SECURE) if scope["scheme"] == "https" else HEADERS
        started = time.perf_counter()

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry.status = message["status"]
                message["headers"] = [*message.get("headers", ()), *more]
            elif message["type"] == "http.response.body":
                entry.bytes_out += len(message.get("body", b""))
            await send(message)

        try:
            with entry.held:
                await self.app(scope, receive, send_on)
        except ClientDisconnect:
            entry.status = GONE
        except Exception as error:
            self.metrics.faults.inc()
            if entry.status:
                raise
            await fault(error)(scope, receive, send_on)
        finally:
            self._tell(scope, entry, time.perf_counter() - started)

    def _tell(self, scope: Scope, entry: Entry, seconds: float) -> None:
        route = self.template_of(scope)
        method = scope["method"] if scope["method"] in ("GET", "POST", "HEAD", "PUT", "PATCH", "DELETE") else "other"
        self.metrics.answered(method, route, entry.status, seconds)
        quiet = route in ("/health", "/ready", "/metrics")
        logs.note(
            "request", level=logging.DEBUG if quiet else logging.INFO, org=entry.organisation, method=method,
            route=route, status=entry.status, ms=round(seconds * 1000, 1), operator=entry.operator,
            device=entry.device, bytes_in=entry.bytes_in, bytes_out=entry.bytes_out,
        )  # fmt: skip
