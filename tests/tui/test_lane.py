"""The reading thread: order, staleness, interruption, failure."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from queue import Empty, Queue

import pytest

from bo.tui.lane import LATER, NOW, Lane
from bo.tui.source import Interrupted


class Held:
    """A connection that can be interrupted, and knows in which thread it was used."""

    def __init__(self) -> None:
        self.opened_in = threading.get_ident()
        self.closed_in = 0
        self.stopped = threading.Event()

    def slow(self) -> str:
        if self.stopped.wait(20):
            self.stopped.clear()
            raise Interrupted
        return "slow"

    def close(self) -> None:
        self.closed_in = threading.get_ident()


class Bench:
    """A lane whose answers are called here, in the test."""

    def __init__(self) -> None:
        self.held: list[Held] = []
        self.calls: Queue[Callable[[], None]] = Queue()
        self.answers: list[str] = []
        self.failures: list[Exception] = []
        self.lane: Lane[Held] = Lane("test", self._open, lambda held: held.stopped.set())

    def _open(self) -> Held:
        self.held.append(Held())
        return self.held[-1]

    def ask(self, work: Callable[[Held], str], topic: str = "", urgency: int = 1) -> None:
        self.lane.ask(work, self.answers.append, self.failures.append, topic=topic, urgency=urgency)

    def run_calls(self, count: int) -> None:
        for _ in range(count):
            self.calls.get(timeout=3)()


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.lane.close()


def test_what_is_held_is_opened_used_and_closed_in_one_thread_of_its_own(bench: Bench) -> None:
    bench.lane.attach(bench.calls.put)
    used: list[int] = []
    bench.ask(lambda held: (used.append(threading.get_ident()), "x")[1])  # type: ignore[func-returns-value]
    bench.run_calls(1)
    bench.lane.close()
    held = bench.held[0]
    assert held.opened_in == used[0] == held.closed_in != threading.get_ident()


def test_answers_from_before_the_screen_was_there_are_handed_over(bench: Bench) -> None:
    bench.ask(lambda held: "early")
    time.sleep(0.05)
    bench.lane.attach(bench.calls.put)
    bench.run_calls(1)
    assert bench.answers == ["early"]


def test_a_newer_question_interrupts_the_running_one_and_drops_the_waiting_one(bench: Bench) -> None:
    bench.lane.attach(bench.calls.put)
    bench.ask(lambda held: held.slow(), topic="view")
    time.sleep(0.05)
    began = time.monotonic()
    bench.ask(lambda held: "second", topic="view")
    bench.ask(lambda held: "third", topic="view")
    bench.run_calls(1)
    assert bench.answers == ["third"]
    assert time.monotonic() - began < 5
    with pytest.raises(Empty):
        bench.calls.get(timeout=0.05)


def test_an_answer_that_became_stale_on_its_way_is_not_called(bench: Bench) -> None:
    bench.lane.attach(bench.calls.put)
    bench.ask(lambda held: "old", topic="view")
    call = bench.calls.get(timeout=3)
    bench.lane.forget("view")
    call()
    assert bench.answers == []


def test_an_interrupt_that_comes_late_does_not_lose_the_next_question(bench: Bench) -> None:
    bench.lane.attach(bench.calls.put)
    bench.ask(lambda held: "first")
    bench.run_calls(1)
    bench.held[0].stopped.set()
    bench.ask(lambda held: held.slow() if held.stopped.is_set() else "done", topic="view")
    bench.run_calls(1)
    assert bench.answers == ["first", "done"]


def test_what_is_urgent_goes_first(bench: Bench) -> None:
    bench.lane.attach(bench.calls.put)
    gate, begun = threading.Event(), threading.Event()

    def wait(held: Held) -> str:
        begun.set()
        return str(gate.wait(3))

    bench.ask(wait)
    begun.wait(3)
    bench.ask(lambda held: "later", urgency=LATER)
    bench.ask(lambda held: "now", urgency=NOW)
    gate.set()
    bench.run_calls(3)
    assert bench.answers == ["True", "now", "later"]


def test_a_failure_is_told_and_the_lane_goes_on(bench: Bench) -> None:
    bench.lane.attach(bench.calls.put)

    def fail(held: Held) -> str:
        raise ValueError("no")

    bench.ask(fail)
    bench.ask(lambda held: "after")
    bench.run_calls(2)
    assert [str(error) for error in bench.failures] == ["no"]
    assert bench.answers == ["after"]
