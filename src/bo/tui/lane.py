"""A thread that owns one connection and does one thing at a time.

The screen asks; the answer comes back as a call which the screen itself makes, so no thread but the screen's touches a
widget. A newer question on the same topic makes an older one stale: it is dropped while it waits, interrupted while it
runs, and its answer is thrown away if it comes all the same.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from bo.tui.source import Interrupted

Call = Callable[[], None]


class Closable(Protocol):
    def close(self) -> None: ...


Held = TypeVar("Held", bound=Closable)
Answer = TypeVar("Answer")

# Urgency: a lower number goes first.
NOW, SOON, LATER = 0, 1, 2


class _Task(Generic[Held]):
    """What is to be done; ordered by urgency, then by age."""

    __slots__ = ("failed", "number", "topic", "urgency", "work")

    def __init__(
        self, urgency: int, number: int, topic: str, work: Callable[[Held], Call], failed: Callable[[Exception], None]
    ) -> None:
        self.urgency = urgency
        self.number = number
        self.topic = topic
        self.work = work
        self.failed = failed

    def __lt__(self, other: _Task[Held]) -> bool:
        return (self.urgency, self.number) < (other.urgency, other.number)


class Lane(Generic[Held]):
    """Opens what it holds in its own thread, works through tasks by urgency, closes it at the end."""

    def __init__(self, name: str, opened: Callable[[], Held], interrupt: Callable[[Held], None] | None = None) -> None:
        self._opened = opened
        self._interrupt = interrupt
        self._tasks: list[_Task[Held]] = []
        self._newest: dict[str, int] = {}
        self._running: _Task[Held] | None = None
        self._held: Held | None = None
        self._number = 0
        self._closing = False
        self._waiting = threading.Condition()
        self._post: Callable[[Call], object] | None = None
        self._answers: list[Call] = []
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def attach(self, post: Callable[[Call], object]) -> None:
        """Say how an answer reaches the screen; answers that came before are handed over now."""
        with self._waiting:
            self._post = post
            waiting, self._answers = self._answers, []
        for answer in waiting:
            post(answer)

    def ask(
        self,
        work: Callable[[Held], Answer],
        done: Callable[[Answer], None],
        failed: Callable[[Exception], None],
        *,
        topic: str = "",
        urgency: int = SOON,
    ) -> None:
        """Have `work` done in the thread, then `done` called on the screen. Of a topic, only the newest counts."""

        def answered(held: Held) -> Call:
            answer = work(held)
            return lambda: done(answer)

        with self._waiting:
            self._number += 1
            task = _Task(urgency, self._number, topic, answered, failed)
            if topic:
                self._supersede(topic)
                self._newest[topic] = task.number
            heapq.heappush(self._tasks, task)
            self._waiting.notify()

    def forget(self, topic: str) -> None:
        """Answers on the topic are no longer wanted."""
        with self._waiting:
            self._supersede(topic)
            self._newest[topic] = -1

    def close(self, wait_s: float = 2.0) -> None:
        """Stop after the task that runs; close what is held, in its own thread."""
        with self._waiting:
            self._closing = True
            self._tasks.clear()
            if self._running is not None:
                self._stop_running()
            self._waiting.notify()
        self._thread.join(wait_s)

    def _supersede(self, topic: str) -> None:
        kept = [task for task in self._tasks if task.topic != topic]
        if len(kept) != len(self._tasks):
            self._tasks = kept
            heapq.heapify(self._tasks)
        if self._running is not None and self._running.topic == topic:
            self._stop_running()

    def _stop_running(self) -> None:
        if self._held is not None and self._interrupt is not None:
            self._interrupt(self._held)

    def _fresh(self, task: _Task[Held]) -> bool:
        return not task.topic or self._newest.get(task.topic) == task.number

    def _run(self) -> None:
        while True:
            with self._waiting:
                while not self._tasks and not self._closing:
                    self._waiting.wait()
                if self._closing:
                    break
                task = heapq.heappop(self._tasks)
                self._running = task
            answer = self._do(task)
            with self._waiting:
                self._running = None
                fresh = self._fresh(task)
            if fresh:
                self._answer(task, answer)
        if self._held is not None:
            self._held.close()

    def _do(self, task: _Task[Held]) -> Call | None:
        try:
            if self._held is None:
                self._held = self._opened()
            try:
                return task.work(self._held)
            except Interrupted:
                if not self._fresh(task) or self._closing:
                    return None
                # The interrupt was meant for the task before this one and came late.
                return task.work(self._held)
        except Exception as error:
            failure = error
            return lambda: task.failed(failure)

    def _answer(self, task: _Task[Held], answer: Call | None) -> None:
        if answer is None:
            return

        def checked() -> None:
            # It may have become stale between the two threads.
            if self._fresh(task):
                answer()

        with self._waiting:
            post = self._post
            if post is None:
                self._answers.append(checked)
        if post is not None and not self._closing:
            post(checked)
