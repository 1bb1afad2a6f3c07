"""The central store of one organisation: answers devices, whichever way their words come.

`answer` takes and gives bytes, so that a test in one process and HTTP go the same way. Workspaces are lent to one
request at a time; each has a connection of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import msgspec

from bo.core.kernel.errors import BoError, NotAllowed, UsageError
from bo.core.kernel.tx import SYSTEM
from bo.core.kernel.workspace import SCHEMA_VERSION, Workspace
from bo.sync import feed, push
from bo.sync.protocol import PROTOCOL, Hello, Problem, Pull, Push, Welcome, encode

IDLE_MOST: Final = 8


class Caller(msgspec.Struct, frozen=True):
    """Who asks: an operator, at a device (blank: a program). `revoked` where the device is shut out."""

    operator: str
    device: str = ""
    revoked: bool = False


class Revoked(BoError):
    """This device is shut out."""

    code = "revoked"


class OldSchema(BoError):
    """The device's program is too old to be fed by this central store."""

    code = "old_schema"


class SnapshotWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The next part of a snapshot."""

    after: str = ""
    schema: str = ""


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request without content."""


class Central:
    """One organisation's store. `open_workspace` opens one more connection to it."""

    def __init__(self, open_workspace: Callable[[], Workspace]) -> None:
        self._open = open_workspace
        self._idle: list[Workspace] = []
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._closed = False
        self.wrote: list[Callable[[], None]] = []  # called after something was written

    @contextmanager
    def workspace(self, operator: str = SYSTEM.id) -> Iterator[Workspace]:
        """A workspace for one request, in an operator's name."""
        with self._lock:
            ws = self._idle.pop() if self._idle else None
        ws = ws or self._open()
        ws.actor, ws.proof = operator, None
        healthy = False
        try:
            yield ws
            healthy = True
        except BoError:
            healthy = True
            raise
        finally:
            with self._lock:
                keep = healthy and not self._closed and len(self._idle) < IDLE_MOST
                if keep:
                    self._idle.append(ws)
            if not keep:
                ws.close()

    @contextmanager
    def writing(self, operator: str) -> Iterator[Workspace]:
        """The same for a request that writes: writers of one process wait here, in order, and not at the database."""
        with self._writing, self.workspace(operator) as ws:
            yield ws
        for tell in self.wrote:
            tell()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for ws in idle:
            ws.close()

    def answer(self, caller: Caller, kind: str, body: bytes) -> bytes:
        """What is said to a device. Raises UsageError for a body that cannot be read, NotAllowed, Revoked, Busy."""
        found = KINDS.get(kind)
        if found is None:
            raise UsageError("there is no request {kind}", kind=kind[:40])
        wanted, function = found
        try:
            request = msgspec.json.decode(body, type=wanted)
        except (
            msgspec.MsgspecError,
            UnicodeDecodeError,
        ) as error:  # the words name places in the body, and no value of it
            raise UsageError("the body cannot be read: {reason}", reason=str(error)[:200]) from None
        if caller.revoked:
            raise self._shut_out(caller, request)
        return encode(function(self, caller, request))

    def head(self) -> int:
        """The number of the last operation."""
        with self.workspace() as ws:
            return ws.data_version()

    def _shut_out(self, caller: Caller, request: object) -> BoError:
        taken = False
        if isinstance(request, Push) and request.ops:
            push.require_whole(request)
            with self.writing(caller.operator) as ws:
                taken = push.last_words(ws, caller.device, request)
        return Revoked(
            "this device has been shut out",
            hint="What it had not sent is with the administrator." if taken else "Ask an administrator.",
            taken=taken,
        )


def _hello(central: Central, caller: Caller, said: Hello) -> Welcome:
    if PROTOCOL not in said.protocols:
        raise OldSchema("this central store speaks protocol {known}", hint="Install another bo.", known=PROTOCOL)
    with central.workspace(caller.operator) as ws:
        actor, infos = ws.who(), feed.office_records(ws)
        with ws.database.reading() as session:
            used = push.device_seq_of(session, caller.device)
            return Welcome(
                PROTOCOL,
                feed.schema_range(),
                "forked" if said.next_device_seq <= used else "ok",
                used + 1,
                feed.check_cursor(session, said.cursor),
                feed.head_of(session),
                feed.stable_of(session),
                feed.view_of(actor, infos, said.schema),
                ws.clock(),
            )


def _push(central: Central, caller: Caller, said: Push) -> object:
    _require_device(caller)
    with central.writing(caller.operator) as ws:
        return push.push(ws, caller.device, said)


def _pull(central: Central, caller: Caller, said: Pull) -> object:
    _require_schema(said.schema)
    with central.workspace(caller.operator) as ws:
        return feed.pull(ws, caller.device, said)


def _snapshot(central: Central, caller: Caller, said: SnapshotWanted) -> object:
    _require_schema(said.schema)
    with central.workspace(caller.operator) as ws:
        return feed.snapshot(ws, said.after, said.schema)


def _digest(central: Central, caller: Caller, _said: Nothing) -> object:
    with central.workspace(caller.operator) as ws:
        return feed.digest(ws)


def _require_device(caller: Caller) -> None:
    if not caller.device:
        raise NotAllowed("only a device sends operations this way", hint="A program calls the commands themselves.")


def _require_schema(schema: str) -> None:
    least, _most = feed.schema_range()
    if schema < least:
        raise OldSchema(
            "this central store has moved on to schema {schema}",
            hint="Install the newer bo. What is not sent yet can still be sent.",
            schema=SCHEMA_VERSION,
        )


KINDS: Final[dict[str, tuple[type[Any], Callable[[Central, Caller, Any], object]]]] = {
    "hello": (Hello, _hello),
    "push": (Push, _push),
    "pull": (Pull, _pull),
    "snapshot": (SnapshotWanted, _snapshot),
    "digest": (Nothing, _digest),
}
STATUS: Final = {
    "usage": 400, "bad_value": 422, "bad_input": 422, "bad_file": 422, "not_found": 404, "ambiguous": 409,
    "not_allowed": 403, "proof_wanted": 403, "wrong_code": 403, "revoked": 403, "busy": 503,
    "storage_full": 507, "too_new": 409, "old_schema": 426, "configuration": 500, "damaged": 500,
}  # fmt: skip
REFUSED: Final = 409


def problem_of(error: BoError) -> Problem:
    """An error as it goes over the wire. The facts are what the message needs; secrets are in none."""
    facts: dict[str, object] = {
        name: value if isinstance(value, (int, str)) else str(value) for name, value in error.facts.items()
    }
    status = STATUS.get(error.code, REFUSED)
    return Problem(f"urn:bo:{error.code}", error.message, status, error.code, error.hint, facts, type(error).retryable)
