"""What stands at the other end of a webhook: keeps what it was sent, answers as it is told to, and verifies signatures
by the lines that the guide gives."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from bo.sync.outside import Answered

GUIDE = Path(__file__).parents[2] / "docs/guide-webhooks.md"


class Received:
    """One request."""

    def __init__(self, url: str, headers: Mapping[str, str], body: bytes) -> None:
        self.url = url
        self.headers = dict(headers)
        self.body = body
        self.event: dict[str, Any] = json.loads(body)

    @property
    def id(self) -> str:
        return str(self.event["id"])

    @property
    def type(self) -> str:
        return str(self.event["type"])

    def row(self, noun: str) -> dict[str, Any]:
        """The one row of a noun."""
        (found,) = [item["row"] for item in self.event["data"]["rows"] if item["noun"] == noun]
        return cast("dict[str, Any]", found)


class Receiver:
    """Called instead of the network. `answers` are given in turn, and 204 after them; one that is an exception is
    raised."""

    def __init__(self, *answers: Answered | BaseException) -> None:
        self.answers: list[Answered | BaseException] = list(answers)
        self.got: list[Received] = []
        self.when_sent: Callable[[], None] = lambda: None
        self._lock = threading.Lock()

    def __call__(self, url: str, headers: Mapping[str, str], body: bytes) -> Answered:
        with self._lock:
            self.got.append(Received(url, headers, body))
            answer = self.answers.pop(0) if self.answers else Answered(204)
        self.when_sent()
        if isinstance(answer, BaseException):
            raise answer
        return answer

    @property
    def types(self) -> list[str]:
        return [item.type for item in self.got]

    @property
    def ids(self) -> list[str]:
        return [item.id for item in self.got]

    def text(self) -> str:
        """All that was ever sent, to look for what must not be in it."""
        return "\n".join(f"{item.url} {item.headers} {item.body.decode()}" for item in self.got)


def verify(secret: str, headers: Mapping[str, str], body: bytes, *, now: float) -> None:
    """The verifier of the guide, with its clock set. Raises ValueError."""
    (code,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(code, str(GUIDE), "exec"), names)  # noqa: S102 - the point is to run what the guide says
    names["time"] = SimpleNamespace(time=lambda: now)
    names["verify"](secret, dict(headers), body)


def lines_of_verifier() -> Sequence[str]:
    (code,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    return [line for line in str(code).splitlines() if line.strip()]
