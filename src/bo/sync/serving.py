"""The server as a process, or several: its socket, its signals, and its end.

TERM and INT end it in order: no more connections, those who wait for news are answered at once, what runs has the
grace time, the stores are closed, and the process ends with 0. Several processes share one socket and one PostgreSQL
database; a process that dies is started again.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from bo.core.kernel.errors import Configuration, UsageError
from bo.sync import logs
from bo.sync.server import Settings, make_app

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from uvicorn import Config

    from bo.sync.organisations import Organisations

VARIABLE: Final = "BO_SERVE_SETTINGS"  # how the processes of one server learn how they are to be run
KEEP_ALIVE_SECONDS: Final = 75  # longer than a proxy keeps its side, so that it never meets a closed connection
BACKLOG: Final = 1024


def serve(settings: Settings) -> None:
    """Serve until a signal comes. Raises Configuration where it cannot begin, UsageError for several processes on
    files."""
    if settings.workers > 1 and not settings.database:
        raise UsageError(
            "several processes need PostgreSQL", hint="Say --database URL, or leave --workers away.", command="serve"
        )
    _check_certificate(settings)
    organisations = _organisations(settings)
    try:
        known = organisations.names()  # what is wrong with the place is told here, and not to the first who asks
        if settings.workers > 1:
            organisations.close()
        with bound(settings) as listener, _signals_end_it() as signals:
            logs.start(settings.log_level)
            logs.note("listening", url=_url(settings, listener), organisations=len(known), processes=settings.workers)
            if settings.workers > 1:
                _run_several(settings, listener, signals)
            else:
                _run(make_app(organisations, settings), settings, listener, signals)
        logs.note("ended")
    finally:
        organisations.close()


def from_environment() -> Starlette:
    """The application of one process among several, which learns its settings from the environment."""
    settings = msgspec.json.decode(os.environ[VARIABLE], type=Settings)
    logs.start(settings.log_level)
    return make_app(_organisations(settings), settings)


@contextmanager
def bound(settings: Settings) -> Iterator[socket.socket]:
    """The socket, listening. Raises Configuration where the address is taken, or not ours."""
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, *_rest, address = found[0]
        listener = socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        raise Configuration(
            "cannot listen at {host} port {port}: {reason}",
            hint="Is another server running? --port chooses another one.",
            host=settings.host,
            port=settings.port,
            reason=error.strerror or str(error),
        ) from None
    try:
        listener.set_inheritable(True)
        yield listener
    finally:
        listener.close()


class _Ended(BaseException):
    """A signal came before anything was served."""


class _Signals:
    """What a signal does: until the server takes signals itself it ends the process; afterwards, when the server raises
    once more what it has already obeyed, nothing."""

    def __init__(self) -> None:
        self.taken = False

    def __call__(self, _number: int, _frame: object) -> None:
        if not self.taken:
            raise _Ended


def _run(app: Starlette | str, settings: Settings, listener: socket.socket, signals: _Signals) -> None:
    from uvicorn import Server

    class Obedient(Server):
        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            with super().capture_signals():
                signals.taken = True
                yield

    Obedient(_config(app, settings)).run([listener])


def _run_several(settings: Settings, listener: socket.socket, signals: _Signals) -> None:
    from uvicorn.supervisors import Multiprocess

    from bo.sync.metrics import SHARED_FOLDER

    folder = tempfile.mkdtemp(prefix="bo-metrics-")
    os.environ[SHARED_FOLDER] = folder
    os.environ[VARIABLE] = msgspec.json.encode(settings).decode()
    try:
        several = Multiprocess(_config("bo.sync.serving:from_environment", settings), [listener])
        signals.taken = True
        several.run()
    finally:
        del os.environ[SHARED_FOLDER], os.environ[VARIABLE]
        shutil.rmtree(folder, ignore_errors=True)


def _config(app: Starlette | str, settings: Settings) -> Config:
    from uvicorn import Config

    from bo.sync.connections import Connection

    return Config(
        app,
        factory=isinstance(app, str),
        http=Connection,
        loop="asyncio",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.forwarded_allow_ips),
        forwarded_allow_ips=settings.forwarded_allow_ips or None,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=settings.grace_seconds,
        backlog=BACKLOG,
        workers=settings.workers,
        ssl_certfile=settings.certfile or None,
        ssl_keyfile=settings.keyfile or None,
    )


def _organisations(settings: Settings) -> Organisations:
    from bo.sync.organisations import Organisations

    return Organisations(Path(settings.data) if settings.data else None, settings.database)


def _check_certificate(settings: Settings) -> None:
    if not settings.certfile:
        if settings.keyfile:
            raise UsageError("--keyfile needs --certfile", command="serve")
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(settings.certfile, settings.keyfile or None)
    except OSError as error:  # ssl.SSLError is one
        raise Configuration(
            "the certificate in {file} cannot be used: {reason}",
            hint="It takes PEM files: the chain in --certfile, its key in --keyfile.",
            file=settings.certfile,
            reason=error.strerror or str(error) or type(error).__name__,
        ) from None


def _url(settings: Settings, listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"{'https' if settings.certfile else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"


@contextmanager
def _signals_end_it() -> Iterator[_Signals]:
    """uvicorn ends in order at a signal and raises it again afterwards, for whoever was there before. Nobody is: to
    have ended in order is success."""
    signals = _Signals()
    names = [name for name in ("SIGTERM", "SIGINT", "SIGBREAK") if hasattr(signal, name)]
    before = {number: signal.signal(number, signals) for number in (getattr(signal, name) for name in names)}
    try:
        yield signals
    except _Ended:
        return
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
