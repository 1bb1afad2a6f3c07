"""How a device's words reach its central store: over HTTP, or within one process for tests and the simulator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Protocol

import msgspec

from bo.core.kernel.errors import BoError
from bo.sync.protocol import Problem

if TYPE_CHECKING:
    from bo.sync.central import Caller, Central


class Unreachable(BoError):
    """The central store does not answer; what was sent may or may not have arrived, and is sent again."""

    code = "unreachable"
    retryable = True


class LoggedOut(BoError):
    """The token is not good any more."""

    code = "logged_out"


class Remote(BoError):
    """What the central store said went wrong, under its own code."""


class Transport(Protocol):
    """Sends one request and gives the answer's body. Raises Unreachable, LoggedOut, or what central says."""

    def call(self, kind: str, body: bytes, *, timeout: float = 60.0) -> bytes: ...

    def close(self) -> None: ...


class Within:
    """A central store in this process."""

    def __init__(self, central: Central, caller: Callable[[], Caller]) -> None:
        self.central = central
        self.caller = caller

    def call(self, kind: str, body: bytes, *, timeout: float = 60.0) -> bytes:
        from bo.sync.central import problem_of

        try:
            return self.central.answer(self.caller(), kind, body)
        except BoError as error:
            raise error_of(msgspec.json.decode(msgspec.json.encode(problem_of(error)), type=Problem)) from None

    def close(self) -> None:
        return


def error_of(problem: Problem) -> BoError:
    """The error that a problem stands for, of the class with its code."""
    cls = _classes().get(problem.code)
    facts = {name: value for name, value in problem.facts.items() if name != "hint"}
    return (cls or _remote(problem.code, problem.retryable))(problem.title, hint=problem.hint, **facts)


@cache
def _classes() -> dict[str, type[BoError]]:
    import bo.sync.central  # noqa: F401 - declares errors of its own

    return {cls.code: cls for cls in _all(BoError) if cls is not Remote}


def _all(cls: type[BoError]) -> Iterator[type[BoError]]:
    yield cls
    for child in cls.__subclasses__():
        yield from _all(child)


@cache
def _remote(code: str, retryable: bool) -> type[BoError]:
    """A class for a code that only the central store knows."""
    return type("Remote", (Remote,), {"code": code, "retryable": retryable})
