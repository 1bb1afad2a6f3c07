"""The central stores of all organisations behind HTTP: who may ask, what is answered, and how long one waits for it.

An ASGI application of Starlette. Business code is synchronous and runs in worker threads; the event loop only reads,
waits and writes. It refuses to tell which organisations exist: an unknown one and a wrong token are the same words.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import ipaddress
import re
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from hashlib import blake2b
from typing import Any, Final, Protocol, TypeVar

import anyio
import anyio.to_thread
import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Scope

from bo.core.kernel.errors import BoError, Busy, NotFound, UsageError
from bo.sync import answers, api, bodies, problems, systemd, webhooks
from bo.sync.central import KINDS, Caller, Central, Revoked
from bo.sync.deliveries import Deliveries
from bo.sync.limits import Buckets, Rate, Slots, neighbourhood
from bo.sync.metrics import MEDIA_TYPE, Metrics
from bo.sync.news import News
from bo.sync.protocol import WAIT_MOST, Login, Pull, Ticket, encode
from bo.sync.transport import LoggedOut

THREADS: Final = 40
WRITERS_EACH: Final = 2  # of one organisation: one that writes, one that gets ready meanwhile
LOGINS_AT_ONCE: Final = 2  # each takes a processor and much memory for a while
REQUESTS_AT_ONCE: Final = 16  # of one caller
WORK_SECONDS: Final = 60.0
READY_SECONDS: Final = 3.0
READY_KEPT_SECONDS: Final = 1.0
STRANGERS: Final = Rate(1 / 30, 10)  # logins at organisations that do not exist: held back as at those that do
LOGIN_BYTES: Final = 16 * 1024
BASE: Final = "/{org}/v1"
SYNC: Final = BASE + "/sync/{kind}"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
T = TypeVar("T")


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How the server is run. `data` and `database` say where the organisations are; sizes are in bytes."""

    host: str = "127.0.0.1"
    port: int = 8080
    data: str = ""
    database: str = ""
    workers: int = 1
    body_most: int = 4 * 1024 * 1024
    log_level: str = "info"
    certfile: str = ""
    keyfile: str = ""
    forwarded_allow_ips: str = ""  # blank: headers of proxies are not believed
    metrics_token: str = ""
    grace_seconds: int = 10
    connections_most: int = 1000
    token_rate: Rate = Rate(500, 2500)
    address_rate: Rate = Rate(2000, 10_000)
    login_rate: Rate = Rate(5, 300)


class Organisations(Protocol):
    """Where the central stores come from (`bo.sync.organisations`)."""

    def names(self) -> list[str]: ...
    def central(self, name: str) -> Central: ...
    def close(self) -> None: ...


class Accounts(Protocol):
    """Who may ask (`bo.sync.accounts`)."""

    def login(self, central: Central, wanted: Login, address: str, /) -> Ticket: ...
    def caller_of(self, central: Central, token: str, /) -> Caller: ...
    def log_out(self, central: Central, token: str, /) -> None: ...


class Organisation:
    """One organisation while this process serves it."""

    def __init__(self, name: str, central: Central, head: Callable[[Central], Any]) -> None:
        self.name = name
        self.central = central
        self.writers = anyio.CapacityLimiter(WRITERS_EACH)
        self.news = News(lambda: head(central))
        central.wrote.append(self.news.written)


def make_app(organisations: Organisations, settings: Settings, accounts: Accounts | None = None) -> Starlette:
    """The ASGI application. It closes the organisations when it ends."""
    service = Service(organisations, settings, accounts or _accounts())
    routes: list[BaseRoute] = [
        Route(f"{BASE}/login", service.login, methods=["POST"]),
        Route(f"{BASE}/logout", service.logout, methods=["POST"]),
        Route(SYNC, service.sync, methods=["POST"]),
        Route("/health", service.health, methods=["GET"]),
        Route("/ready", service.ready, methods=["GET"]),
        Route("/metrics", service.figures, methods=["GET"]),
    ]
    routes.append(Mount(BASE, routes=api.routes(service.authenticated)))
    top = {route.path for route in routes if isinstance(route, Route)}
    app = Starlette(
        routes=routes,
        middleware=[Middleware(problems.Watched, service.metrics, partial(_template, top))],
        exception_handlers={BoError: problems.refused, HTTPException: problems.not_routed},
        lifespan=service.lifespan,
    )
    app.router.redirect_slashes = False
    app.state.service = service
    return app


def _template(top: set[str], scope: Scope) -> str:
    """The route of a request as it is written in the table, without anything that was asked."""
    path = getattr(scope.get("route"), "path", "")
    if path == SYNC:
        kind = scope.get("path_params", {}).get("kind")
        return f"{BASE}/sync/{kind}" if kind in KINDS else path
    return path if path in top or not path or path == BASE else BASE + path


def _accounts() -> Accounts:
    from bo.sync import accounts

    return accounts


class Service:
    """What the routes share."""

    def __init__(self, organisations: Organisations, settings: Settings, accounts: Accounts) -> None:
        self.organisations = organisations
        self.settings = settings
        self.accounts = accounts
        self.metrics = Metrics()
        self.stopping = False
        self._open: dict[str, Organisation] = {}
        self._threads = anyio.CapacityLimiter(THREADS)
        self._logging_in = anyio.CapacityLimiter(LOGINS_AT_ONCE)
        self._by_token = Buckets(settings.token_rate)
        self._by_address = Buckets(settings.address_rate)
        self._logins = Buckets(settings.login_rate)
        self._strangers = Buckets(STRANGERS, words="too many wrong tries")
        self._slots = Slots(REQUESTS_AT_ONCE)
        self._was_ready = (0.0, False)

    @contextlib.asynccontextmanager
    async def lifespan(self, _app: Starlette) -> AsyncIterator[dict[str, object]]:
        deliveries = Deliveries(self.organisations)
        beside = [asyncio.create_task(deliveries.run()), asyncio.create_task(systemd.stay_alive())]
        systemd.tell("READY=1")
        try:
            yield {"service": self}
        finally:
            self.stop()
            deliveries.stop()
            for task in beside:
                task.cancel()
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(self.organisations.close)

    def stop(self) -> None:
        """Not ready any more, and nobody waits any longer. What runs is finished."""
        if not self.stopping:
            systemd.tell("STOPPING=1")
        self.stopping = True
        for served in self._open.values():
            served.news.end()

    # -- sync ----------------------------------------------------------------------------------------------------------

    async def sync(self, request: Request) -> Response:
        served, caller = await self._admit(request)
        body = await self._body(request, self.settings.body_most)
        kind = request.path_params["kind"]
        if kind == "pull":
            answer = await self._pull(request, served, caller, body)
        elif kind == "push":
            with self.metrics.under_way(self.metrics.writing):
                answer = await self._work(partial(self._push, served, caller, body), served.writers)
        else:
            answer = await self._work(partial(self._answer, served, caller, kind, body))
        return await self._respond(request, answer)

    def _answer(self, served: Organisation, caller: Caller, kind: str, body: bytes) -> bytes:
        answer = _answer(served.central, caller, kind, body)
        if kind in ("pull", "snapshot"):
            self.metrics.rows.labels(kind).inc(answers.rows_in(kind, answer))
        return answer

    def _push(self, served: Organisation, caller: Caller, body: bytes) -> bytes:
        answer = _answer(served.central, caller, "push", body)
        for status in answers.statuses(answer):
            self.metrics.operations.labels(status).inc()
        return answer

    async def _pull(self, request: Request, served: Organisation, caller: Caller, body: bytes) -> bytes:
        """The answer to a pull: at once where there is news or a reason not to go on, else after the wait it allows."""
        answer = await self._work(partial(self._answer, served, caller, "pull", body))
        wanted = msgspec.json.decode(body, type=Pull)
        until = time.monotonic() + max(0.0, min(wanted.wait, WAIT_MOST))
        while (page := answers.without_news(answer)) is not None and self._may_wait(until):
            with self.metrics.under_way(self.metrics.waiting):
                came = await _news(request, served.news, page.to.seq, until - time.monotonic())
            if not (came and self._may_wait(until)):
                break
            caller = await self._caller(request, served)  # who was shut out meanwhile gets nothing more
            body = encode(msgspec.structs.replace(wanted, cursor=page.to))
            answer = await self._work(partial(self._answer, served, caller, "pull", body))
        return answer

    def _may_wait(self, until: float) -> bool:
        return not self.stopping and time.monotonic() < until

    # -- people --------------------------------------------------------------------------------------------------------

    async def login(self, request: Request) -> Response:
        address = _address(request)
        self._by_address.take(address)
        self._logins.take(address)
        body = await self._body(request, LOGIN_BYTES)
        try:
            said = msgspec.json.decode(body, type=Login)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise UsageError("the body cannot be read: {reason}", reason=str(error)[:200]) from None
        name = request.path_params["org"]
        served = await self._known(name)
        if served is None:
            self._strangers.take(f"{name} {said.user}")
            raise await self._work(partial(_refusal, said), self._logging_in)
        work = partial(self.accounts.login, served.central, said, address)
        ticket = await self._work(work, self._logging_in)
        entry = problems.entry_of(request)
        entry.organisation, entry.operator, entry.device = name, ticket.operator, ticket.device
        return _json(encode(ticket))

    async def logout(self, request: Request) -> Response:
        served, _caller = await self._admit(request)
        await self._work(partial(self.accounts.log_out, served.central, _bearer(request)))
        return _json(b"{}")

    async def authenticated(self, request: Request) -> tuple[Central, Caller]:
        """Who asks, and of which store, for programs; the body is there then, within the limits. Raises LoggedOut,
        Revoked, TooMany, and what reading a body raises."""
        served, caller = await self._admit(request)
        if caller.revoked:
            raise Revoked("this device has been shut out", hint="Ask an administrator.")
        request._body = await self._body(request, self.settings.body_most)
        return served.central, caller

    async def _admit(self, request: Request) -> tuple[Organisation, Caller]:
        self._by_address.take(_address(request))
        token = _bearer(request)
        key = blake2b(token.encode(), digest_size=16).hexdigest()
        self._by_token.take(key)
        problems.entry_of(request).held.enter_context(self._slots.taken(key))
        served = await self._known(request.path_params["org"])
        if served is None:
            raise _logged_out()
        problems.entry_of(request).organisation = served.name
        return served, await self._caller(request, served)

    async def _caller(self, request: Request, served: Organisation) -> Caller:
        caller = await self._work(partial(self.accounts.caller_of, served.central, _bearer(request)))
        entry = problems.entry_of(request)
        entry.operator, entry.device = caller.operator, caller.device
        return caller

    async def _known(self, name: str) -> Organisation | None:
        """The organisation of that name; None where there is none."""
        if name not in self._open:
            if not _NAME.fullmatch(name):
                return None
            try:
                central = await self._work(partial(self.organisations.central, name))
            except NotFound:
                return None
            if name not in self._open:
                self._open[name] = Organisation(name, central, self._head)
        return self._open[name]

    # -- those who run it ----------------------------------------------------------------------------------------------

    async def health(self, _request: Request) -> Response:
        """This process lives."""
        return _json(b'{"alive":true}')

    async def ready(self, _request: Request) -> Response:
        """The stores answer, and the server does not stop. Looked up once a second at most, however many ask."""
        at, was = self._was_ready
        if time.monotonic() - at > READY_KEPT_SECONDS:
            was = await self._stores_answer()
            self._was_ready = (time.monotonic(), was)
        good = was and not self.stopping
        return _json(encode({"ready": good}), 200 if good else 503)

    async def _stores_answer(self) -> bool:
        try:
            async with asyncio.timeout(READY_SECONDS):
                await self._work(self.organisations.names)
                for served in list(self._open.values())[:3]:
                    await self._head(served.central)
        except (BoError, OSError, TimeoutError):
            return False
        return True

    async def figures(self, request: Request) -> Response:
        """Figures for Prometheus: for whoever asks from this very machine, or has the token."""
        if not self._may_see_figures(request):
            raise HTTPException(404)
        heads: dict[str, int] = {}
        behind: dict[str, int] = {}
        for served in list(self._open.values()):
            with contextlib.suppress(BoError):
                heads[served.name] = await self._head(served.central)
                behind[served.name] = await self._work(partial(_webhooks_behind, served.central))
        text = self.metrics.text({"bo_journal_head": heads, "bo_webhooks_behind": behind})
        return Response(text, headers={"content-type": MEDIA_TYPE})

    def _may_see_figures(self, request: Request) -> bool:
        given = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
        if self.settings.metrics_token:
            return hmac.compare_digest(given.encode(), self.settings.metrics_token.encode())
        through_a_proxy = "x-forwarded-for" in request.headers or "forwarded" in request.headers
        return _is_here(request) and not through_a_proxy

    # -- work ----------------------------------------------------------------------------------------------------------

    async def _head(self, central: Central) -> int:
        return await self._work(central.head)

    async def _work(self, work: Callable[[], T], turn: anyio.CapacityLimiter | None = None) -> T:
        """Run something in a thread, in turn with its like. Raises Busy when it takes too long; the thread goes on to
        its end, and what it commits is answered when it is sent again."""
        with anyio.move_on_after(WORK_SECONDS):
            async with turn or contextlib.nullcontext():
                return await anyio.to_thread.run_sync(work, abandon_on_cancel=True, limiter=self._threads)
        raise Busy("the central store has too much to do", hint="Try again in a moment.")

    async def _body(self, request: Request, most: int) -> bytes:
        """The body of a request, unpacked. Every body here is JSON, and so UTF-8; the decoder itself would fail late
        and in words of its own."""
        body = await bodies.read(request, most)
        try:
            body.decode()
        except UnicodeDecodeError:
            raise UsageError("the body is not UTF-8") from None
        problems.entry_of(request).bytes_in = len(body)
        return body

    async def _respond(self, request: Request, answer: bytes) -> Response:
        accepted = request.headers.get("accept-encoding", "")
        if len(answer) < bodies.PACKED_LEAST or not bodies.takes_gzip(accepted):
            return _json(answer)
        made = _json(await self._work(partial(bodies.pack, answer)))
        made.headers["content-encoding"] = "gzip"
        made.headers["vary"] = "accept-encoding"
        return made


# -- one answer --------------------------------------------------------------------------------------------------------


def _answer(central: Central, caller: Caller, kind: str, body: bytes) -> bytes:
    try:
        return central.answer(caller, kind, body)
    except RecursionError:
        raise UsageError("the body is nested too deeply") from None


async def _news(request: Request, news: News, seq: int, seconds: float) -> bool:
    """Wait for news; whether it came in time. Raises ClientDisconnect as soon as nobody waits for the answer."""
    waiting, hung_up = asyncio.ensure_future(news.after(seq)), asyncio.ensure_future(_hung_up(request))
    try:
        done, _pending = await asyncio.wait({waiting, hung_up}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (waiting, hung_up):
            task.cancel()
        await asyncio.gather(waiting, hung_up, return_exceptions=True)
    if hung_up in done:
        raise ClientDisconnect
    return waiting in done


async def _hung_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        continue


# -- who asks ----------------------------------------------------------------------------------------------------------


def _bearer(request: Request) -> str:
    """The token of a request. Raises LoggedOut where there is none."""
    scheme, _space, token = request.headers.get("authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token or len(token) > 200:
        raise _logged_out()
    return token


def _logged_out() -> LoggedOut:
    return LoggedOut("the token is not good any more", hint="bo login")


def _refusal(said: Login) -> BoError:
    """What an unknown organisation says to a login: the same as a known one to an unknown user, after about as long."""
    from bo.sync import passwords
    from bo.sync.accounts import LoginRefused

    passwords.is_right("", said.password)
    return LoginRefused("the login, the password or the code is wrong", hint="Try again, or ask an administrator.")


def _address(request: Request) -> str:
    return neighbourhood(request.client.host) if request.client is not None else ""


def _webhooks_behind(central: Central) -> int:
    return max((item.behind for item in webhooks.status(central) if item.state != "off"), default=0)


def _is_here(request: Request) -> bool:
    try:
        return request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def _json(body: bytes, status: int = 200) -> Response:
    return Response(body, status, media_type="application/json")
