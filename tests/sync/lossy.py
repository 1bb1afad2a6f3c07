"""Ways to a central store that lose things: requests, answers, halves of either; that send twice, late, or garble.

What has become of a request is decided by a `Fate`, which a test or the simulator chooses for each one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum

from bo.sync.transport import Transport, Unreachable


class Fate(Enum):
    """What becomes of one request."""

    FINE = "fine"
    NO_REQUEST = "the request is lost"
    NO_ANSWER = "central has done it, and the answer is lost"
    TWICE = "the request arrives twice, and the second answer comes back"
    LATE = "the request is lost, and arrives after the next one"
    CUT_REQUEST = "only the first half of the request arrives"
    CUT_ANSWER = "only the first half of the answer arrives"
    GARBLED = "a byte of the answer is another"


Choose = Callable[[str], Fate]
Hear = Callable[[str, bytes, bytes], None]


def fine(_kind: str) -> Fate:
    return Fate.FINE


def unheard(_kind: str, _body: bytes, _answer: bytes) -> None:
    return


def idle(_kind: str) -> None:
    return


class Lossy:
    """A line to central on which `choose` says what happens to each request.

    `hear` is told what was asked and what the device got for it; `before` and `after` are called around each request,
    for what others do meanwhile. Neither is in a transaction of the device.
    """

    def __init__(
        self,
        inner: Transport,
        choose: Choose = fine,
        *,
        hear: Hear = unheard,
        before: Callable[[str], None] = idle,
        after: Callable[[str], None] = idle,
    ) -> None:
        self.inner = inner
        self.choose = choose
        self.hear = hear
        self.before = before
        self.after = after
        self.late: list[tuple[str, bytes]] = []

    def call(self, kind: str, body: bytes, *, timeout: float = 60.0) -> bytes:
        self.before(kind)
        answer = self._carried(self.choose(kind), kind, body)
        self.hear(kind, body, answer)
        self.after(kind)
        return answer

    def close(self) -> None:
        self.inner.close()

    def _carried(self, fate: Fate, kind: str, body: bytes) -> bytes:
        if fate is Fate.NO_REQUEST:
            raise _unreachable()
        if fate is Fate.LATE:
            self.late.append((kind, body))
            raise _unreachable()
        if fate is Fate.CUT_REQUEST:
            return self.inner.call(kind, body[: len(body) // 2])
        answer = self.inner.call(kind, body)
        if fate is Fate.NO_ANSWER:
            raise _unreachable()
        if fate is Fate.TWICE:
            answer = self.inner.call(kind, body)
        self._deliver_late()
        if fate is Fate.CUT_ANSWER:
            return answer[: len(answer) // 2]
        return garbled(answer) if fate is Fate.GARBLED else answer

    def _deliver_late(self) -> None:
        late, self.late = self.late, []
        for kind, body in late:
            try:
                self.inner.call(kind, body)
            except Exception:  # nobody waits for that answer any more
                continue


def _unreachable() -> Unreachable:
    return Unreachable("the central store does not answer", hint="Try again later.")


def garbled(answer: bytes) -> bytes:
    """One byte in the middle of a word is none that JSON can hold."""
    place = answer.find(b":", len(answer) // 2) + 2 or len(answer) // 2
    return answer[:place] + b"\xff" + answer[place + 1 :]


def once(kind: str, fate: Fate) -> Choose:
    """That fate for the first request of that kind; then all is fine."""
    return fates({kind: [fate]})


def fates(wanted: dict[str, list[Fate]]) -> Choose:
    """For each kind of request these fates in turn; then all is fine."""
    left = {kind: list(items) for kind, items in wanted.items()}

    def choose(kind: str) -> Fate:
        return left[kind].pop(0) if left.get(kind) else Fate.FINE

    return choose


def always(kinds: Iterable[str], fate: Fate) -> Choose:
    wanted = set(kinds)
    return lambda kind: fate if kind in wanted else Fate.FINE
