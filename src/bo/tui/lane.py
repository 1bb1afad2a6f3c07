"""A thread that owns one connection and does one thing at a time.

The screen asks; the answer comes back as a call which the screen itself makes, so no thread but the screen's touches a
widget. A newer question on the same topic makes an older one stale: it is dropped while it waits, interrupted while it
runs, and its answer is thrown away if it comes all the same.
A task may answer in parts: each next one is begun once the one before has reached the screen.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Generator
from typing import Generic, Protocol, TypeVar

from bo.tui.source import Interrupted

Call = Callable[[], None]
Parts = Generator[Call, None, None]


class Closable(Protocol):
    def close(self) -> None: ...


Held = TypeVar("Held", bound=Closable)
Answer = TypeVar("Answer")

# Urgency: a lower number goes first.
NOW, SOON, LATER = 0, 1, 2


class _Task(Generic[Held]):
    """What is to be done; ordered by urgency, then by age. `told` says that there has been an answer, `taken` that the
    screen has got the last one."""

    __slots__ = ("failed", "in_parts", "number", "taken", "told", "topic", "urgency", "work")

    def __init__(
        self, urgency: int, number: int, topic: str, work: Callable[[Held], Parts],
        failed: Callable[[Exception], None], in_parts: bool,
    ) -> None:  # fmt: skip
        self.urgency = urgency
        self.number = number
        self.topic = topic
        self.work = work
        self.failed = failed
        self.in_parts = in_parts
        self.told = self.taken = False

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

        def answered(held: Held) -> Parts:
            answer = work(held)
            yield lambda: done(answer)

        self._put(answered, failed, topic, urgency, in_parts=False)

    def ask_in_parts(
        self,
        work: Callable[[Held], Parts],
        failed: Callable[[Exception], None],
        *,
        topic: str = "",
        urgency: int = SOON,
    ) -> None:
        """Have `work` done in the thread and each call that it yields made on the screen, one after the other. It is
        closed where it is where nobody wants the rest."""
        self._put(work, failed, topic, urgency, in_parts=True)

    def _put(
        self, work: Callable[[Held], Parts], failed: Callable[[Exception], None], topic: str, urgency: int,
        *, in_parts: bool,
    ) -> None:  # fmt: skip
        with self._waiting:
            self._number += 1
            task = _Task(urgency, self._number, topic, work, failed, in_parts)
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
            self._waiting.notify()

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
            self._do(task)
            with self._waiting:
                self._running = None
        if self._held is not None:
            self._held.close()

    def _do(self, task: _Task[Held]) -> None:
        try:
            if self._held is None:
                self._held = self._opened()
            try:
                self._go_through(task, self._held)
            except Interrupted:
                if task.told and self._wanted(task):
                    raise
                if self._wanted(task):
                    # The interrupt was meant for the task before this one and came late.
                    self._go_through(task, self._held)
        except Exception as error:
            failure = error
            self._answer(task, lambda: task.failed(failure))

    def _go_through(self, task: _Task[Held], held: Held) -> None:
        parts = task.work(held)
        try:
            for part in parts:
                self._answer(task, part)
                if task.in_parts and not self._until_taken(task):
                    return
        finally:
            parts.close()

    def _until_taken(self, task: _Task[Held]) -> bool:
        """Whether the rest is wanted, once the screen has what there is of it."""
        with self._waiting:
            self._waiting.wait_for(lambda: task.taken or not self._wanted(task))
            return self._wanted(task)

    def _wanted(self, task: _Task[Held]) -> bool:
        return self._fresh(task) and not self._closing

    def _answer(self, task: _Task[Held], answer: Call) -> None:
        def checked() -> None:
            # It may have become stale between the two threads.
            try:
                if self._fresh(task):
                    answer()
            finally:
                with self._waiting:
                    task.taken = True
                    self._waiting.notify()

        with self._waiting:
            post = self._post
            task.told, task.taken = True, False
            if not self._fresh(task):
                return
            if post is None:
                self._answers.append(checked)
        if post is not None and not self._closing:
            post(checked)
