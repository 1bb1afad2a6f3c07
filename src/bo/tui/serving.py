"""The screen in a browser: `bo tui --serve`. Each browser tab is a process of `bo tui`, shown by textual-serve's page.

It answers its own address alone (no other host name, no other origin), lets in by a door (`doors.py`), and fetches
nothing from anywhere else. It refuses an address that others reach without TLS in front of it. Nothing of aiohttp or
textual-serve is imported by any other module.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

import textual_serve
from aiohttp import web
from msgspec import Struct
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager
from textual_serve.server import Server

from bo.core.kernel.errors import BoError
from bo.core.kernel.text import _, language
from bo.sync.limits import Slots
from bo.tui.doors import AccountsDoor, Entry, TokenDoor
from bo.tui.web_pages import FOCUS, door_page, screen_page
from bo.tui.words import error_words

if TYPE_CHECKING:
    from asyncio.subprocess import Process

T = TypeVar("T")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
TABS_MOST: Final = 24  # processes at once, of all browsers: each takes about as much memory as a screen in a terminal
DRIVER: Final = "bo.tui.web_driver:WebDriver"
LOOK_AGAIN_S: Final = 30.0
LEAVE_S: Final = 5.0
FORM_BYTES: Final = 10_000
STATIC: Final = Path(textual_serve.__file__).parent / "static"
HEADERS: Final = {
    # The terminal in the page writes its own styles; scripts are its file alone.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Address(Struct, frozen=True):
    """Where it listens, and under which address browsers know it: blank where that is the same."""

    host: str = "127.0.0.1"
    port: int = 8000
    public: str = ""

    @property
    def url(self) -> str:
        """The address to open, without a slash at its end."""
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return self.public.rstrip("/") or f"http://{shown}:{self.port}"

    @property
    def is_secure(self) -> bool:
        return self.url.startswith("https://")

    @property
    def hosts(self) -> frozenset[str]:
        """What a browser may say in `Host`: a page of somebody else's that was led here says its own name."""
        if self.public:
            return frozenset((urlsplit(self.public).netloc,))
        names = {urlsplit(self.url).hostname or "", "127.0.0.1", "localhost"}
        shown = {f"[{name}]" if ":" in name else name for name in names}
        return frozenset(f"{name}:{self.port}" for name in shown) | (shown if self.port == 80 else frozenset())


class Screens(Struct, frozen=True):
    """How the process of a tab is started: the words after `bo tui`, and what it finds in its environment."""

    words: tuple[str, ...] = ()
    environment: Mapping[str, str] = {}


class Tab(AppService):
    """One process of `bo tui` and the browser tab that shows it; without a shell between."""

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str], socket: web.WebSocketResponse) -> None:
        super().__init__(
            argv[0],
            write_bytes=socket.send_bytes,
            write_str=socket.send_str,
            close=_closing(socket),
            download_manager=DownloadManager(),
        )
        self._argv = argv
        self._more = environment

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        pipe = asyncio.subprocess.PIPE
        environment = {**self._build_environment(width, height), "TEXTUAL_DRIVER": DRIVER, **self._more}
        self._process = process = await asyncio.create_subprocess_exec(
            *self._argv, stdin=pipe, stdout=pipe, stderr=pipe, env=environment
        )
        assert process.stdin is not None
        self._stdin = process.stdin
        return process

    async def run(self) -> None:
        """Show what it draws, and tell the browser when it has ended, however it has."""
        with suppress(ConnectionError):
            await super().run()
        await self.remote_close()

    async def stop(self) -> None:
        """Ask it to end; a process that does not is ended."""
        with suppress(asyncio.TimeoutError, ConnectionError):
            await asyncio.wait_for(super().stop(), LEAVE_S)
        self._task = None
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()


def _closing(socket: web.WebSocketResponse) -> Callable[[], Awaitable[None]]:
    async def close() -> None:
        await socket.close()

    return close


class ScreenServer(Server):
    """The pages, and the websocket behind the one with the screen."""

    def __init__(self, address: Address, door: TokenDoor | AccountsDoor, screens: Screens) -> None:
        super().__init__("bo", address.host, address.port, "bo", address.url)
        self._address = address
        self._door = door
        self._screens = screens
        self._sockets: set[web.WebSocketResponse] = set()
        self._slots = Slots(TABS_MOST)

    async def _make_app(self) -> web.Application:
        app = web.Application(middlewares=[self._guard], client_max_size=FORM_BYTES)
        app.add_routes(
            [
                web.get("/", self._page),
                web.post("/login", self._login),
                web.post("/logout", self._logout),
                web.get("/ws", self._screen),
                web.get("/keys.js", _keys),
                web.static("/static", STATIC),
            ]
        )
        app.on_shutdown.append(self.on_shutdown)
        return app

    async def on_shutdown(self, app: web.Application) -> None:
        for socket in list(self._sockets):
            await socket.close()

    # -- who is let in -------------------------------------------------------------------------------------------------

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Nothing is answered under another name, and nothing is done for another page."""
        if request.host not in self._address.hosts:
            raise web.HTTPMisdirectedRequest(text=_("Open {url}", url=self._address.url), headers=HEADERS)
        changes = request.method not in ("GET", "HEAD") or request.path == "/ws"
        if changes and request.headers.get("Origin") != self._origin(request):
            raise web.HTTPForbidden(text=_("Open {url}", url=self._address.url), headers=HEADERS)
        response = await handler(request)
        if not response.prepared:
            response.headers.update(HEADERS)
        return response

    def _origin(self, request: web.Request) -> str:
        return f"{'https' if self._address.is_secure else 'http'}://{request.host}"

    async def _operator(self, request: web.Request) -> str:
        """Who asks. Raises LoginRefused, LoggedOut."""
        return await _aside(self._door.operator, request.cookies.get(self._cookie, ""))

    @property
    def _cookie(self) -> str:
        """Browsers keep the cookies of a machine, and not those of its ports, apart."""
        return f"bo_{self._address.port}"

    def _keep(self, response: web.StreamResponse, name: str, value: str, seconds: int | None = None) -> None:
        response.set_cookie(
            name, value, max_age=seconds, httponly=True, samesite="Strict", secure=self._address.is_secure, path="/"
        )

    # -- pages ---------------------------------------------------------------------------------------------------------

    async def _page(self, request: web.Request) -> web.StreamResponse:
        if isinstance(self._door, TokenDoor) and "token" in request.query:
            try:
                entry = self._door.enter(request.query["token"], request.remote or "")
            except BoError as error:
                return self._refused(error)
            return self._let_in(entry)
        try:
            await self._operator(request)
        except BoError as error:
            return self._refused(error if not self._door.asks else None)
        scheme = "wss" if self._address.is_secure else "ws"
        return _html(screen_page(f"{scheme}://{request.host}/ws"))

    async def _login(self, request: web.Request) -> web.StreamResponse:
        if not isinstance(self._door, AccountsDoor):
            raise web.HTTPNotFound
        form = await request.post()
        user, password, code = (str(form.get(name, "")) for name in ("user", "password", "code"))
        known_as = f"{self._cookie}_{sha256(user.strip().encode('utf-8', 'replace')).hexdigest()[:12]}"
        device = request.cookies.get(known_as, "")
        try:
            entry = await _aside(self._door.enter, user, password, code, device, request.remote or "")
        except BoError as error:
            return self._refused(error)
        response = self._let_in(entry)
        self._keep(response, known_as, entry.device, 400 * 86_400)
        return response

    async def _logout(self, request: web.Request) -> web.StreamResponse:
        await _aside(self._door.leave, request.cookies.get(self._cookie, ""))
        response = web.Response(status=303, headers={"Location": "/"})
        response.del_cookie(self._cookie, path="/")
        return response

    def _let_in(self, entry: Entry) -> web.Response:
        response = web.Response(status=303, headers={"Location": "/"})
        self._keep(response, self._cookie, entry.session)
        return response

    def _refused(self, error: BoError | None) -> web.Response:
        status = 429 if error is not None and error.code == "too_many" else 401
        return _html(door_page(error_words(error) if error is not None else "", asks=self._door.asks), status)

    # -- the screen ----------------------------------------------------------------------------------------------------

    async def _screen(self, request: web.Request) -> web.StreamResponse:
        try:
            operator = await self._operator(request)
        except BoError as error:
            raise web.HTTPUnauthorized(text=error_words(error), headers=HEADERS) from None
        try:
            with self._slots.taken(""):
                return await self._show(request, operator)
        except BoError as error:
            raise web.HTTPServiceUnavailable(text=error_words(error), headers=HEADERS) from None

    async def _show(self, request: web.Request, operator: str) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=15, max_msg_size=1 << 20)
        await socket.prepare(request)
        self._sockets.add(socket)
        argv = [sys.executable, "-m", "bo", "tui", *self._screens.words, "--as", operator]
        tab = Tab(argv, self._screens.environment, socket)
        looking = asyncio.create_task(self._look_again(request, socket))
        try:
            await tab.start(_cells(request, "width", 80), _cells(request, "height", 24))
            with suppress(
                ValueError, AssertionError, LookupError, TypeError, AttributeError
            ):  # no page of ours sent that
                await self._process_messages(socket, tab)
        finally:
            looking.cancel()
            await tab.stop()
            self._sockets.discard(socket)
            await socket.close()
        return socket

    async def _look_again(self, request: web.Request, socket: web.WebSocketResponse) -> None:
        """Who is switched off, shut out or has logged out meanwhile sees nothing more."""
        while True:
            await asyncio.sleep(LOOK_AGAIN_S)
            try:
                await self._operator(request)
            except BoError as error:
                if not error.retryable:
                    await socket.close()
                    return


def serve(
    folder: Path, address: Address, operator: Callable[[], str], words: Sequence[str], say: Callable[[str], None]
) -> None:
    """Serve the screen until TERM or INT. `say` is told the address to open; `operator` is asked where no page asks.

    Raises Configuration where there is no office, nobody is named, or the address is taken.
    """
    from bo.core.kernel.errors import Configuration
    from bo.tui.doors import accounts_of

    central = accounts_of(folder)
    door: TokenDoor | AccountsDoor
    if central is None:
        door = TokenDoor(operator(), lambda token: say(f"{address.url}/?token={token}"))
    else:
        door = AccountsDoor(central)
        say(address.url)
    environment = {"BO_WORKSPACE": str(folder.resolve()), "BO_LANG": language(), "PYTHONUTF8": "1"}
    server = ScreenServer(address, door, Screens(tuple(words), environment))
    try:
        web.run_app(
            server._make_app(),
            host=address.host,
            port=address.port,
            print=_silent,
            access_log=None,
            shutdown_timeout=2 * LEAVE_S,
        )
    except OSError as error:
        raise Configuration(
            "cannot listen at {host} port {port}: {reason}",
            hint="Is another server running? --port chooses another one.",
            host=address.host, port=address.port, reason=error.strerror or str(error),
        ) from None  # fmt: skip
    finally:
        door.close()


def _silent(*_words: object) -> None:
    """aiohttp's own words are left out."""


async def _aside(work: Callable[..., T], *arguments: Any) -> T:
    """Do what waits for a database, or makes a hash, in a thread."""
    return await asyncio.to_thread(partial(work, *arguments))


def _cells(request: web.Request, name: str, usual: int) -> int:
    text = request.query.get(name, "")
    return min(1000, int(text)) if text.isascii() and text.isdigit() and len(text) < 6 and int(text) else usual


async def _keys(_request: web.Request) -> web.Response:
    return web.Response(text=FOCUS, content_type="text/javascript")


def _html(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, status=status, content_type="text/html")
