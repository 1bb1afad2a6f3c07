"""A pager between us and the terminal, where one is asked for. Off by default: a script must never wait for a key."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from subprocess import PIPE, Popen

from bo.cli import output
from bo.core.kernel.errors import UsageError


@contextmanager
def paged(program: str) -> Iterator[None]:
    """Lend stdout to a program for a block, on a terminal. Raises UsageError where it cannot be started."""
    if not program or not output.is_terminal():
        yield
        return
    output.flush()
    try:
        process = Popen(shlex.split(program), stdin=PIPE, env={"LESS": "FRX", **os.environ})
    except (OSError, ValueError) as error:
        raise UsageError(
            "the pager {program} cannot be started: {reason}", program=program, reason=str(error)
        ) from None
    assert process.stdin is not None
    terminal = sys.stdout.fileno()
    kept = os.dup(terminal)
    os.dup2(process.stdin.fileno(), terminal)
    try:
        yield
    finally:
        with suppress(OSError):  # the reader may have left
            output.flush()
        os.dup2(kept, terminal)
        os.close(kept)
        process.stdin.close()
        process.wait()
