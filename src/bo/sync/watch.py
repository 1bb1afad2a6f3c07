"""Syncing again and again: waits at central for news, and stays away longer and longer while it cannot be reached.

Only what time may mend is waited for. A device that is shut out, or whose program is too old, stops and says so.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Final

from bo.core.kernel.errors import BadFile, BoError
from bo.sync.client import Client, Report
from bo.sync.protocol import WAIT_MOST

EVERY_S: Final = 10.0
PAUSE_S: Final = 1.0
PAUSE_MOST_S: Final = 120.0


class BackOff:
    """How long to stay away after failures in a row: anything up to twice as long each time, so that a thousand
    devices do not come back at the same moment."""

    def __init__(self, *, chance: Callable[[float, float], float] = random.uniform) -> None:
        self.failures = 0
        self._chance = chance

    def after(self, error: BoError) -> float:
        """Seconds to wait after one more failure; at least as long as central asked for."""
        self.failures += 1
        most = min(PAUSE_MOST_S, PAUSE_S * 2 ** min(self.failures, 20))
        asked = error.facts.get("after")
        return (float(asked) if isinstance(asked, (int, float)) else 0.0) + self._chance(0.0, most)

    def reset(self) -> None:
        self.failures = 0


def passes(error: BoError) -> bool:
    """Whether it may be gone the next time: a store out of reach or busy, a full disk, an answer that was cut, a fault
    at central that somebody mends."""
    status = error.facts.get("http")
    return error.retryable or isinstance(error, BadFile) or (isinstance(status, int) and status >= 500)


def watch(
    client: Client,
    *,
    every: float = EVERY_S,
    told: Callable[[Report], None] = lambda _report: None,
    trouble: Callable[[BoError, float], None] = lambda _error, _pause: None,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
    back_off: BackOff | None = None,
) -> None:
    """Sync until something is raised that waiting does not mend. What is done here meanwhile is sent after `every`
    seconds at the latest; news of central come at once."""
    back_off = back_off or BackOff()
    wait = 0.0
    while True:
        begun = clock()
        try:
            report = client.sync(wait=wait)
        except BoError as error:
            if not passes(error):
                raise
            pause = back_off.after(error)
            trouble(error, pause)
            sleep(pause)
            wait = 0.0
            continue
        back_off.reset()
        told(report)
        if not is_news(report) and wait:  # it came back at once: that central does not keep anybody waiting
            sleep(max(0.0, every - (clock() - begun)))
        wait = min(every, WAIT_MOST)


def is_news(report: Report) -> bool:
    """Whether anything was sent or received."""
    counts = report.sent or report.confirmed or report.refused or report.received or report.rows
    return bool(counts) or any(event != "late" for event in report.events)
