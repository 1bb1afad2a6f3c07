"""`bo cron run`: one run of a job at a time for each workspace, silent unless it fails, and a record of every run.

The lock is the system's own file lock: it goes when its holder goes, however that ends. What the command prints is
kept in memory-bounded files and shown only when it failed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from bo.cli import diagnostics, exit_codes, output
from bo.cli.asked import LIMIT_ON_TERMINAL, seconds
from bo.cli.output import Column
from bo.core.kernel.errors import BoError, Busy, Configuration, UsageError
from bo.core.kernel.text import _

if TYPE_CHECKING:
    from bo.cli.asked import Asked

FOLDER: Final = "cron"
RUNS: Final = "runs.jsonl"
RUNS_BYTES_MAX: Final = 1 << 20
SHOWN_BYTES: Final = 64 << 10
PING_SECONDS: Final = 10
STOP_SECONDS: Final = 5


class TimedOut(BoError):
    """The command ran longer than it may."""

    code = "timed_out"
    retryable = True


def run(asked: Asked) -> int:
    """Run the command under the job's lock; its exit code is ours."""
    words = list(asked.many("words"))
    folder = asked.workspace
    if not folder.is_dir():
        raise Configuration("there is no office in {path}", hint="Make one: bo init {path}", path=str(folder))
    job = asked.text("job") or " ".join(words)
    wait, timeout = (
        seconds(asked.text("wait") or "0", "wait"),
        seconds(asked.text("timeout"), "timeout") if asked.text("timeout") else None,
    )
    place = folder / FOLDER
    place.mkdir(exist_ok=True)
    lock = _lock(place / f"{_name(job)}.lock", wait, job)
    started = time.time()
    try:
        code, failed = _perform(words, folder, timeout, quiet=asked.quiet)
    finally:
        lock.release()
    took_ms = round((time.time() - started) * 1000)
    _note(place / RUNS, {"job": job, "at": _moment(started), "took_ms": took_ms, "exit": code})
    if asked.text("ping"):
        _ping(asked, asked.text("ping"), failed=failed)
    return code


def _lock(path: Path, wait: float, job: str) -> _Released:
    from filelock import FileLock, Timeout

    lock = FileLock(path)
    try:
        lock.acquire(timeout=wait, poll_interval=0.1)
    except Timeout:
        raise Busy("the run before of {job} is still going on", hint="Wait for it with --wait 2m.", job=job) from None
    return lock


if TYPE_CHECKING:
    from typing import Protocol

    class _Released(Protocol):
        """What a lock is to us."""

        def release(self) -> None: ...


def _perform(words: Sequence[str], folder: Path, timeout: float | None, *, quiet: bool) -> tuple[int, bool]:
    """Run it; the exit code, and whether that is a failure. What it printed is shown only then."""
    from tempfile import TemporaryFile

    with TemporaryFile() as printed:
        environment = {**os.environ, "BO_WORKSPACE": str(folder)}
        try:
            process = subprocess.Popen(
                _command(words),
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=os.name != "nt",
            )
        except OSError as error:
            raise UsageError(
                "{command} cannot be started: {reason}",
                hint="Name it with its whole path.",
                command=words[0],
                reason=error.strerror or str(error),
            ) from None
        try:
            code, late = _wait(process, timeout)
        except BaseException:
            _stop(process)
            raise
        failed = late or code != exit_codes.OK
        if failed:
            _show(printed)
            why = _("stopped after {seconds} s", seconds=f"{timeout:g}") if late else _("exit {code}", code=code)
            diagnostics.say(_("bo: cron: {command}: {why}", command=" ".join(words), why=why))
        return (exit_codes.BUSY if late else code if code >= 0 else 128 - code), failed


def _command(words: Sequence[str]) -> list[str]:
    """`bo` is this very program, wherever it is installed; cron has a short PATH."""
    return [sys.executable, "-m", "bo", *words[1:]] if words[0] == "bo" else list(words)


def _wait(process: subprocess.Popen[bytes], timeout: float | None) -> tuple[int, bool]:
    try:
        return process.wait(timeout), False
    except subprocess.TimeoutExpired:
        _stop(process)
        return exit_codes.BUSY, True


def _stop(process: subprocess.Popen[bytes]) -> None:
    """TERM to the command and its children, then KILL."""
    import signal

    for number in (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
        if process.poll() is not None:
            return
        try:
            if os.name == "nt":
                process.kill()
            else:
                os.killpg(process.pid, number)
            process.wait(STOP_SECONDS)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue


def _show(printed: IO[bytes]) -> None:
    """The end of what the command printed, on stderr: it is about a failure."""
    size = printed.seek(0, os.SEEK_END)
    printed.seek(max(0, size - SHOWN_BYTES))
    text = printed.read().decode("utf-8", "replace")
    if size > SHOWN_BYTES:
        diagnostics.say(_("… {count} bytes before", count=size - SHOWN_BYTES))
    for line in text.splitlines():
        diagnostics.say(line)


def _note(path: Path, entry: Mapping[str, object]) -> None:
    """Keep the run; the file is cut to its newer half when it has grown large."""
    line = json.dumps(entry, ensure_ascii=False) + "\n"
    if path.exists() and path.stat().st_size > RUNS_BYTES_MAX:
        kept = path.read_text("utf-8").splitlines(keepends=True)
        path.write_text("".join(kept[len(kept) // 2 :]), "utf-8")
    with path.open("a", encoding="utf-8") as file:
        file.write(line)


def _ping(asked: Asked, url: str, *, failed: bool) -> None:
    """Tell a watcher. That it cannot be reached is worth a line, and no failure of the job."""
    import httpx

    try:
        httpx.post(url.rstrip("/") + "/fail" if failed else url, timeout=PING_SECONDS)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        diagnostics.note(asked, "{url} could not be told: {reason}", url=url, reason=str(error))


def log(asked: Asked) -> int:
    """Write the runs, the newest first."""
    path = asked.workspace / FOLDER / RUNS
    limit = asked.whole("limit") or (LIMIT_ON_TERMINAL if output.is_terminal() else None)
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    names = ("at", "job", "exit", "took_ms")
    runs = [
        [entry.get(name) for name in names] for line in reversed(lines) if isinstance(entry := json.loads(line), dict)
    ]
    columns = [
        Column("at", "moment", "when"),
        Column("job"),
        Column("exit", "whole"),
        Column("took_ms", "whole", "took ms"),
    ]
    output.rows(asked, columns, [runs[:limit]])
    return exit_codes.OK


def _name(job: str) -> str:
    """A file name of a job's own, readable and safe on every system."""
    from hashlib import blake2b

    words = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in job)[:40].strip("-")
    return f"{words}-{blake2b(job.encode(), digest_size=4).hexdigest()}"


def _moment(at: float) -> str:
    from bo.core.kernel.kinds import moment_text

    return moment_text(datetime.fromtimestamp(at, UTC))
