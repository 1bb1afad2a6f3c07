"""The server's outbox workers: when they work, and that none holds up another or the server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import pytest

from bo.core.kernel.errors import Busy
from bo.sync import deliveries
from bo.sync.central import Central
from bo.sync.deliveries import Deliveries

if TYPE_CHECKING:
    from bo.sync.outbox import Worker


class Worked:
    """A worker that counts, and has `left` to do."""

    def __init__(self, fails: int = 0) -> None:
        self.runs = 0
        self.left = 0
        self.fails = fails
        self.stopped = False

    def run_once(self) -> int:
        self.runs += 1
        if self.fails:
            self.fails -= 1
            raise Busy("somebody else is writing")
        done, self.left = self.left, 0
        return done

    def stop(self) -> None:
        self.stopped = True


class Given:
    """Organisations by name, opened from nowhere."""

    def __init__(self, *names: str) -> None:
        self.known = {name: Central(cast("Callable[[], Any]", None)) for name in names}

    def names(self) -> list[str]:
        return list(self.known)

    def central(self, name: str) -> Central:
        return self.known[name]


def running(given: Given, workers: dict[str, Worked], scene: Callable[[Deliveries], Any]) -> None:
    """Play a scene beside the workers of these organisations."""

    def worker(central: Central) -> Worker:
        name = next(name for name, known in given.known.items() if known is central)
        return cast("Worker", workers[name])

    async def play() -> None:
        made = Deliveries(given, worker)
        task = asyncio.create_task(made.run())
        try:
            await scene(made)
        finally:
            made.stop()
            task.cancel()

    asyncio.run(play())
    assert all(worker.stopped for worker in workers.values())


async def until(true: Callable[[], bool], seconds: float = 60) -> None:
    for _look in range(round(seconds * 100)):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come to that")


def wrote(central: Central) -> None:
    for tell in central.wrote:
        tell()


def test_a_worker_works_as_soon_as_something_was_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "LOOK_SECONDS", 60.0)
    given, worker = Given("acme"), Worked()

    async def scene(_made: Deliveries) -> None:
        await until(lambda: worker.runs == 1)
        worker.left = 3
        await asyncio.to_thread(wrote, given.known["acme"])
        await until(lambda: worker.runs == 3)  # once for what was written, and once more to see that nothing is left
        await asyncio.sleep(0.5)
        assert worker.runs == 3

    running(given, {"acme": worker}, scene)


def test_a_worker_that_fails_goes_on_and_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "LOOK_SECONDS", 0.05)
    given, workers = Given("acme", "other"), {"acme": Worked(fails=2), "other": Worked()}

    async def scene(_made: Deliveries) -> None:
        await until(lambda: workers["acme"].runs > 3 and workers["other"].runs > 3)

    running(given, workers, scene)
    assert workers["acme"].fails == 0


def test_a_new_organisation_gets_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "NAMES_SECONDS", 0.05)
    given, workers = Given("acme"), {"acme": Worked(), "later": Worked()}

    async def scene(_made: Deliveries) -> None:
        await until(lambda: workers["acme"].runs == 1)
        given.known["later"] = Given("later").known["later"]
        await until(lambda: workers["later"].runs == 1)

    running(given, workers, scene)
