"""The reading thread: order, staleness, interruption, failure."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from queue import Empty, Queue

import pytest

from bo.tui.lane import LATER, NOW, Lane, Parts
from bo.tui.source import Interrupted

LONG = 60.0


class Held:
    """A connection that can be interrupted, and knows in which thread it was used."""

    def __init__(self) -> None:
        self.opened_in = threading.get_ident()
        self.closed_in = 0
        self.stopped = threading.Event()

    def slow(self) -> str:
        if self.stopped.wait(LONG):
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
            self.calls.get(timeout=LONG)()


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
    bench.ask(lambda held: "second", topic="view")
    bench.ask(lambda held: "third", topic="view")
    bench.run_calls(1)
    assert bench.answers == ["third"]
    with pytest.raises(Empty):
        bench.calls.get(timeout=0.05)


def test_an_answer_that_became_stale_on_its_way_is_not_called(bench: Bench) -> None:
    bench.lane.attach(bench.calls.put)
    bench.ask(lambda held: "old", topic="view")
    call = bench.calls.get(timeout=LONG)
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
        return str(gate.wait(LONG))

    bench.ask(wait)
    begun.wait(LONG)
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


def in_parts(bench: Bench, parts: int, closed: list[str], topic: str = "view") -> None:
    """Ask for answers that are numbered; what was begun when is in `closed`."""

    def work(held: Held) -> Parts:
        try:
            for number in range(parts):
                closed.append(f"begun {number}")
                answer = f"part {number}"
                yield lambda answer=answer: bench.answers.append(answer)  # type: ignore[misc]
        finally:
            closed.append("closed")

    bench.lane.ask_in_parts(work, bench.failures.append, topic=topic)


def test_the_next_part_is_begun_when_the_one_before_has_reached_the_screen(bench: Bench) -> None:
    bench.lane.attach(bench.calls.put)
    told: list[str] = []
    in_parts(bench, 2, told)
    first = bench.calls.get(timeout=LONG)
    bench.ask(lambda held: "another")
    with pytest.raises(Empty):
        bench.calls.get(timeout=0.05)
    assert told == ["begun 0"]
    first()
    bench.run_calls(2)
    assert bench.answers == ["part 0", "part 1", "another"]
    assert told == ["begun 0", "begun 1", "closed"]


def test_a_newer_question_drops_the_parts_that_are_left_whether_the_first_was_shown_or_not(bench: Bench) -> None:
    bench.lane.attach(bench.calls.put)
    told: list[str] = []
    in_parts(bench, 2, told)
    stale = bench.calls.get(timeout=LONG)
    bench.ask(lambda held: "newer", topic="view")
    bench.run_calls(1)
    stale()
    assert bench.answers == ["newer"]
    assert told == ["begun 0", "closed"]


def test_parts_before_the_screen_was_there_wait_for_it(bench: Bench) -> None:
    told: list[str] = []
    in_parts(bench, 2, told)
    bench.lane.attach(bench.calls.put)
    bench.run_calls(2)
    assert bench.answers == ["part 0", "part 1"]


def test_a_part_that_is_interrupted_though_it_is_wanted_is_a_failure_and_is_not_begun_again(bench: Bench) -> None:
    bench.lane.attach(bench.calls.put)

    def work(held: Held) -> Parts:
        yield lambda: bench.answers.append("first")
        raise Interrupted

    bench.lane.ask_in_parts(work, bench.failures.append, topic="view")
    bench.run_calls(2)
    assert bench.answers == ["first"]
    assert [type(error) for error in bench.failures] == [Interrupted]


def test_closing_does_not_wait_for_a_screen_that_takes_nothing_any_more(bench: Bench) -> None:
    bench.lane.attach(bench.calls.put)
    told: list[str] = []
    in_parts(bench, 2, told)
    bench.calls.get(timeout=LONG)
    bench.lane.close()
    assert told == ["begun 0", "closed"]
    assert bench.held[0].closed_in != 0
