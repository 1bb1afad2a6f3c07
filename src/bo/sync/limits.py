"""How much one caller may ask for: so many requests a second, so many at once.

Counted in this process alone: several processes of one central store allow so many each. It refuses with
`too_many`, which says when to come again.
"""

from __future__ import annotations

import ipaddress
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import msgspec

from bo.core.kernel.errors import BoError

CALLERS_MOST: Final = 20_000


class TooMany(BoError):
    """Too many requests; `seconds` in the facts says when the next one is taken."""

    code = "too_many"
    retryable = True


class Rate(msgspec.Struct, frozen=True):
    """So many a second in the long run, and so many at once after a pause."""

    each_second: float
    at_once: int


class Buckets:
    """A bucket of permissions for each caller, that fills up again by the clock. Callers who have not been heard of for
    longest are forgotten first: their bucket is full again or they are too many to count."""

    def __init__(
        self,
        rate: Rate,
        *,
        clock: Callable[[], float] = time.monotonic,
        most: int = CALLERS_MOST,
        words: str = "too many requests",
    ) -> None:
        self.rate = rate
        self.words = words
        self.clock = clock
        self.most = most
        self._held: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str) -> None:
        """Use one permission. Raises TooMany where none is left."""
        now = self.clock()
        left, at = self._held.pop(caller, (float(self.rate.at_once), now))
        left = min(float(self.rate.at_once), left + (now - at) * self.rate.each_second)
        enough = left >= 1
        self._held[caller] = (left - 1 if enough else left, now)
        if len(self._held) > self.most:
            self._held.popitem(last=False)
        if not enough:
            seconds = max(1, round((1 - left) / self.rate.each_second + 0.5))
            raise TooMany(self.words, hint="Try again in {seconds} s.", seconds=seconds)

    def give_back(self, caller: str) -> None:
        """Put one permission back that turned out not to count."""
        held = self._held.get(caller)
        if held is not None:
            self._held[caller] = (min(float(self.rate.at_once), held[0] + 1), held[1])


class Slots:
    """How many requests of one caller may be under way at once."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._taken: Counter[str] = Counter()

    @contextmanager
    def taken(self, caller: str) -> Iterator[None]:
        """Hold one. Raises TooMany where all are taken."""
        if self._taken[caller] >= self.most:
            raise TooMany("too many requests at once", hint="Wait for the answers first.", seconds=1)
        self._taken[caller] += 1
        try:
            yield
        finally:
            self._taken[caller] -= 1
            if not self._taken[caller]:
                del self._taken[caller]


def neighbourhood(address: str) -> str:
    """The address that counts: of IPv6 the first half, since one machine has the whole of the other."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False).network_address)
    return address
