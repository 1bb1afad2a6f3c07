"""One connection of the server: uvicorn's own, with limits that it lacks.

A head that does not come, or is too large, and an answer that nobody reads end the connection; so does one connection
too many. What cannot be parsed is told as a problem like every other error. The application is told as soon as the
server begins to stop, so that it lets go of those who wait.
"""

from __future__ import annotations

import asyncio
import socket
from http import HTTPStatus
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bo.sync.protocol import Problem, encode

HEAD_SECONDS: Final = 15.0
HEAD_BYTES: Final = 32 * 1024
READER_SECONDS: Final = 30.0  # in which whoever asked must have read something of the answer


class Connection(HttpToolsProtocol):
    """HTTP/1.1 of one client. `app_state` holds the running service under "service"."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._head_bytes = 0
        self._in_head = False
        self._late: asyncio.TimerHandle | None = None

    @property
    def _service(self) -> Any:
        return self.app_state.get("service")

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        _send_at_once(transport)
        service = self._service
        if service is not None and len(self.connections) > service.settings.connections_most:
            self._refuse(503, "too_many", "too many connections")
            return
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_is_there()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self._refuse(431, "too_large", "the head of the request is too large")
                return
        cycle: Any = self.cycle  # None before the first request, whatever its annotation says
        if self._in_head or cycle is None or (cycle.response_complete and not self.pipeline):
            self._await_head()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head_is_there()
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch_reader(None)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_reader(None)

    def shutdown(self) -> None:
        service = self._service
        if service is not None:
            service.stop()
        super().shutdown()

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, "bad_request", "this is not HTTP")

    # -- deadlines -----------------------------------------------------------------------------------------------------

    def _await_head(self) -> None:
        if self._late is None:
            self._late = self.loop.call_later(HEAD_SECONDS, self._head_is_late)

    def _head_is_there(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _head_is_late(self) -> None:
        self._late = None
        if not self.transport.is_closing():
            self._refuse(408, "too_slow", "the request did not arrive in time")

    def _watch_reader(self, left: int | None) -> None:
        """End the connection when nothing of an answer has been read since the last look."""
        now = self.transport.get_write_buffer_size()
        if now and now == left:
            self.transport.abort()
        elif now:
            self.loop.call_later(READER_SECONDS, self._watch_reader, now)

    def _refuse(self, status: int, code: str, words: str) -> None:
        body = encode(Problem(f"urn:bo:{code}", words, status, code, retryable=status == 503))
        head = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: application/problem+json\r\n"
            f"content-length: {len(body)}\r\ncache-control: no-store\r\nx-content-type-options: nosniff\r\n"
            "connection: close\r\n\r\n"
        )
        self._head_is_there()
        self.transport.write(head.encode() + body)
        self.transport.close()


def _send_at_once(transport: asyncio.Transport) -> None:
    """Head and body of an answer are two writes: without this the second waits 40 ms for word of the first. asyncio
    does it by itself only for sockets that were made with the protocol's number."""
    line = transport.get_extra_info("socket")
    if line is not None and line.family in (socket.AF_INET, socket.AF_INET6):
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
