"""Those who wait for news of one organisation, without a thread for each.

What this process writes wakes them at once; what others write to the same database is seen by one look at the head
each second, for as long as anybody waits.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

LOOK_SECONDS: Final = 1.0
REST_SECONDS: Final = 0.02  # between two looks, so that many commits in a row are one piece of news


class News:
    """The head of one journal as far as it is known, and who waits for another."""

    def __init__(self, head: Callable[[], Awaitable[int]]) -> None:
        self._read_head = head
        self._head = 0
        self._waiting: dict[asyncio.Future[None], int] = {}
        self._written = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._over = False

    def written(self) -> None:
        """Something was written in this process. May be called from any thread."""
        self._loop.call_soon_threadsafe(self._written.set)

    async def after(self, seq: int) -> None:
        """Come back when the head is another than `seq`, or the server stops. The caller sets the time limit."""
        if self._over or self._head > seq:
            return
        waiter: asyncio.Future[None] = self._loop.create_future()
        self._waiting[waiter] = seq
        if self._looking is None or self._looking.done():
            self._looking = self._loop.create_task(self._look())
        try:
            await waiter
        finally:
            self._waiting.pop(waiter, None)

    def end(self) -> None:
        """Let everybody go, and keep nobody any more."""
        self._over = True
        for waiter in list(self._waiting):
            _wake(waiter)
        self._written.set()

    @property
    def over(self) -> bool:
        return self._over

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    async def _look(self) -> None:
        while self._waiting:
            self._written.clear()
            try:
                self._head = await self._read_head()
            except Exception as error:  # the database may be away for a while: those who wait find out themselves
                logging.getLogger("bo.server").warning("the head of a journal cannot be read", exc_info=error)
            else:
                for waiter, seq in list(self._waiting.items()):
                    if seq != self._head:
                        _wake(waiter)
            await asyncio.sleep(REST_SECONDS)
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._written.wait()
            except TimeoutError:
                continue


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
