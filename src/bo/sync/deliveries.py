"""The outbox workers of a server, one for each organisation, in threads of their own.

What this process writes is carried out at once; what other processes wrote, and what is to be tried again, at the next
look. A worker that fails is told in the log and goes on later: it never ends the server, and never holds up another's.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

import anyio
import anyio.to_thread

from bo.core.kernel.errors import NotFound

if TYPE_CHECKING:
    from bo.sync.central import Central
    from bo.sync.outbox import Worker

THREADS: Final = 8
LOOK_SECONDS: Final = 5.0
NAMES_SECONDS: Final = 30.0  # until an organisation that is new gets a worker
REST_SECONDS: Final = 0.2
log = logging.getLogger("bo.server")
T = TypeVar("T")


class Organisations(Protocol):
    """Where the central stores come from."""

    def names(self) -> list[str]: ...
    def central(self, name: str) -> Central: ...


class Deliveries:
    """Works until it is stopped. `worker` makes the worker of a store."""

    def __init__(self, organisations: Organisations, worker: Callable[[Central], Worker] | None = None) -> None:
        self.organisations = organisations
        self._make = worker or _worker
        self._threads = anyio.CapacityLimiter(THREADS)
        self._workers: list[Worker] = []
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Give every organisation its worker, also those that are made later."""
        while True:
            try:
                names = await self._in_thread(self.organisations.names)
            except Exception as error:
                log.warning("the organisations cannot be listed", exc_info=error)
                names = []
            for name in names:
                if name not in self._tasks or self._tasks[name].done():
                    self._tasks[name] = asyncio.create_task(self._deliver(name))
            await asyncio.sleep(NAMES_SECONDS)

    def stop(self) -> None:
        """Begin nothing more; a request that is under way is ended by its own deadline."""
        for worker in self._workers:
            worker.stop()
        for task in self._tasks.values():
            task.cancel()

    async def _deliver(self, name: str) -> None:
        try:
            central = await self._in_thread(lambda: self.organisations.central(name))
        except NotFound:
            return
        except Exception as error:
            log.warning("an organisation cannot be opened", exc_info=error, extra={"facts": {"org": name}})
            return
        worker = self._make(central)
        self._workers.append(worker)
        loop, written = asyncio.get_running_loop(), asyncio.Event()

        def tell() -> None:
            loop.call_soon_threadsafe(written.set)

        central.wrote.append(tell)
        while True:
            written.clear()
            if not await self._once(name, worker):
                try:
                    async with asyncio.timeout(LOOK_SECONDS):
                        await written.wait()
                except TimeoutError:
                    continue
            await asyncio.sleep(REST_SECONDS)

    async def _once(self, name: str, worker: Worker) -> int:
        try:
            return await self._in_thread(worker.run_once)
        except Exception as error:
            log.warning("the outbox cannot work now", exc_info=error, extra={"facts": {"org": name}})
            return 0

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await anyio.to_thread.run_sync(work, abandon_on_cancel=True, limiter=self._threads)


def _worker(central: Central) -> Worker:
    from bo.sync.outbox import Worker

    return Worker(central)
