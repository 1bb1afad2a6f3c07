"""`bo batch`: commands as JSON lines in, results as JSON lines out, in one process.

Each command is a durable transaction of its own unless a chunk is asked for; a result is written when its transaction
is committed, so what was read from us has happened. A line that cannot be understood is refused like a command, and
the lines after it go on.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Final

import msgspec

from bo.cli import diagnostics, exit_codes, output
from bo.cli.office import LINE_BYTES_MAX, opened, stdin_lines
from bo.cli.outcomes import result_of
from bo.core.kernel.dispatch import Call
from bo.core.kernel.errors import BadFile, BadInput, BoError, UsageError
from bo.core.kernel.ids import TAIL_LENGTH, operation_id_for_key

if TYPE_CHECKING:
    from bo.cli.asked import Asked
    from bo.core.kernel.workspace import Workspace

ATOMIC_MOST: Final = 100_000


class Line(msgspec.Struct, forbid_unknown_fields=True):
    """One command as it is written. `id` is an operation id, `key` an idempotency key; at most one of them."""

    command: str
    subject: str | None = None
    args: dict[str, object] = {}
    id: str | None = None
    key: str | None = None


class Waiting:
    """A line on its way: its call, or why there is none."""

    __slots__ = ("call", "error", "number")

    def __init__(self, number: int, call: Call | None, error: BoError | None) -> None:
        self.number = number
        self.call = call
        self.error = error


def run(asked: Asked) -> int:
    """Run every line; the exit code says whether all, some or none of it was done."""
    if asked.text("output") not in ("", "jsonl"):
        raise UsageError("a batch answers in JSON lines", hint="Leave -o away.")
    atomic = asked.flag("atomic")
    size = ATOMIC_MOST if atomic else asked.whole("chunk") or 1
    with opened(asked) as workspace:
        tally = Tally(asked, workspace)
        with _lines(asked.text("file")) as lines:
            waiting = (_read(workspace, number, line) for number, line in enumerate(lines, 1) if line.strip())
            while chunk := list(islice(waiting, size)):
                if atomic and next(waiting, None) is not None:
                    raise UsageError(
                        "more than {most} commands in one transaction", hint="Leave --atomic away.", most=ATOMIC_MOST
                    )
                tally.run(chunk, atomic=atomic)
    return tally.code()


class Tally:
    """Runs chunks and writes what became of each line."""

    def __init__(self, asked: Asked, workspace: Workspace) -> None:
        self.asked = asked
        self.workspace = workspace
        self.dry_run = asked.flag("dry_run")
        self.proof = "" if self.dry_run else asked.text("code") or os.environ.get("BO_CODE", "")
        self.done = 0
        self.failures: list[BaseException] = []

    def run(self, chunk: Sequence[Waiting], *, atomic: bool) -> None:
        """One transaction. Raises the first refusal when all stand together."""
        if atomic:
            unread = next((item for item in chunk if item.error is not None), None)
            if unread is not None and unread.error is not None:
                unread.error.facts.setdefault("line", unread.number)
                raise unread.error
        calls = [item.call for item in chunk if item.call is not None]
        if self.proof and any(self.workspace.wants_code(call.name) for call in calls):
            self.workspace.prove(self.proof)
            self.proof = ""  # it is good for one transaction
        outcomes = iter(self.workspace.run(calls, atomic=atomic, dry_run=self.dry_run))
        for item in chunk:
            if item.call is None:
                assert item.error is not None
                self._write(
                    {"line": item.number, "outcome": "refused", "error": diagnostics.as_object(item.error, "batch")}
                )
                self.failures.append(item.error)
                continue
            outcome = next(outcomes)
            made = result_of(outcome, self.workspace).as_object(dry_run=self.dry_run)
            self._write({"line": item.number, "command": outcome.call.name, **made})
            if outcome.error is not None:
                self.failures.append(outcome.error)
            else:
                self.done += 1
        output.flush()

    def code(self) -> int:
        return exit_codes.code_of_many(self.done, self.failures)

    def _write(self, value: dict[str, object]) -> None:
        if not self.asked.quiet or "error" in value:
            output.json_line(value)


def _read(workspace: Workspace, number: int, text: str) -> Waiting:
    try:
        line = msgspec.json.decode(text, type=Line)
        return Waiting(number, _call(workspace, line), None)
    except msgspec.MsgspecError as error:
        hint = 'Write {{"command": "leads.accept", "subject": "7f3k9x", "args": {{}}}}.'
        return Waiting(
            number, None, BadInput("line {line} is not a command: {reason}", hint=hint, line=number, reason=str(error))
        )
    except BoError as error:
        return Waiting(number, None, error)


def _call(workspace: Workspace, line: Line) -> Call:
    name = line.command.replace("-", "_")
    workspace.registry.command(name)
    if line.id is not None and line.key is not None:
        raise UsageError("a command has an id or a key, not both")
    if line.id is not None and not (line.id.startswith("op_") and len(line.id) == len("op_") + TAIL_LENGTH):
        raise UsageError("{id} is not an operation id", hint='Use "key" for a word of your own.', id=line.id)
    operation = operation_id_for_key(line.key) if line.key is not None else line.id
    return Call(name, line.subject, line.args, operation)


@contextlib.contextmanager
def _lines(name: str) -> Iterator[Iterable[str]]:
    """The lines of a file, or of stdin. Raises BadFile where it cannot be read."""
    if name == "-":
        yield stdin_lines()
        return
    try:
        file = open(name, encoding="utf-8-sig")  # noqa: SIM115 - closed below
    except OSError as error:
        raise BadFile("{name} cannot be read: {reason}", name=name, reason=error.strerror or str(error)) from None
    with file:
        yield _file_lines(file, name)


def _file_lines(file: Iterable[str], name: str) -> Iterator[str]:
    try:
        for number, line in enumerate(file, 1):
            if len(line) > LINE_BYTES_MAX:
                raise BadInput("line {line} is longer than {most} bytes", line=number, most=LINE_BYTES_MAX)
            yield line
    except UnicodeDecodeError:
        raise BadFile("{name} is not UTF-8", hint="Convert it first.", name=name) from None
