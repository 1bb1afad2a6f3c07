"""Jobs: imports, exports, syncs, papers. Each is the command line's own command in a process of its own.

So a long one takes nothing from the keys, shows the progress that cron logs show, and can be stopped at any moment:
what is half done is taken back or resumed by the same code that survives a killed process.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final, Protocol

from msgspec import Struct

from bo.core.kernel.text import _, language
from bo.tui.looks import Tone

KEPT: Final = 50
LINE_MOST: Final = 1 << 20
STOP_S: Final = 5.0
COUNTS_SHOWN: Final = 6
RUNNING, DONE, FAILED, STOPPED = "running", "done", "failed", "stopped"


class Job(Struct, eq=False):
    """One command under way, or what became of it: in words, and the object it wrote. `total` 0: nobody knows how much
    there is."""

    number: int
    title: str
    words: tuple[str, ...]
    state: str = RUNNING
    done: int = 0
    total: int = 0
    told: str = ""
    answer: Mapping[str, object] = {}

    @property
    def progress(self) -> str:
        if self.state != RUNNING or not self.done:
            return ""
        return f"{self.done:,} / {self.total:,}" if self.total else f"{self.done:,}"


class Crew(Protocol):
    """The screen, as far as jobs need it."""

    def say(self, text: str, tone: Tone = "text") -> None: ...

    def jobs_changed(self) -> None: ...


class Jobs:
    """Runs them side by side. `environment` says which office they work on; without it there are no jobs."""

    def __init__(self, crew: Crew, environment: Mapping[str, str]) -> None:
        self._crew = crew
        self._environment = environment
        self._processes: dict[int, asyncio.subprocess.Process] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closing = False
        self.all: list[Job] = []

    @property
    def are_possible(self) -> bool:
        return bool(self._environment)

    @property
    def workspace(self) -> str:
        """The folder of the office that jobs work on."""
        return self._environment.get("BO_WORKSPACE", "")

    def environment(self) -> dict[str, str]:
        """What a process that works on the office has to know."""
        return {**os.environ, **self._environment, "BO_LANG": language()}

    @property
    def running(self) -> list[Job]:
        return [job for job in self.all if job.state == RUNNING]

    def start(self, title: str, words: Sequence[str], then: Callable[[Job], None] | None = None) -> Job:
        """Begin a command; `then` is called when it has ended, well or not."""
        job = Job(len(self.all) + 1, title, tuple(words))
        self.all = [*self.all[-KEPT:], job]
        task = asyncio.get_running_loop().create_task(self._run(job, then))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._crew.say(_("{job} has begun", job=title), "info")
        self._crew.jobs_changed()
        return job

    def stop(self, job: Job) -> None:
        """Ask a job to end."""
        process = self._processes.get(job.number)
        if job.state == RUNNING and process is not None:
            job.state = STOPPED
            with suppress(ProcessLookupError):
                process.terminate()

    async def close(self) -> None:
        """The screen is left: what still runs is stopped, and taken up again by whoever starts it next."""
        self._is_closing = True
        for job in self.running:
            self.stop(job)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=STOP_S)

    async def _run(self, job: Job, then: Callable[[Job], None] | None) -> None:
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bo", *job.words, "-o", "json", limit=LINE_MOST,
                stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe, env=self.environment(),
            )  # fmt: skip
        except OSError as error:
            job.state, job.told = FAILED, str(error)
        else:
            self._processes[job.number] = process
            if self._is_closing:
                self.stop(job)
            await self._watch(job, process)
            del self._processes[job.number]
        if self._is_closing:
            return
        self._crew.jobs_changed()
        self._crew.say(f"{job.title}: {job.told}", "good" if job.state == DONE else "bad")
        if then is not None:
            then(job)

    async def _watch(self, job: Job, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        trouble: list[str] = []
        reading = asyncio.ensure_future(process.stdout.read())
        async for line in process.stderr:
            said = _object(line)
            if "done" in said:
                job.done, job.total = _whole(said["done"]), _whole(said.get("total"))
                if not self._is_closing:
                    self._crew.jobs_changed()
            elif "message" in said:
                trouble.append(f"{said['message']}. {said.get('hint') or ''}".rstrip(". ") + ".")
            else:
                trouble.append(line.decode(errors="replace").strip())
        code, told = await process.wait(), _object(await reading)
        if job.state == RUNNING:
            job.state, job.answer = FAILED if code and not told else DONE, told
        job.told = _("stopped") if job.state == STOPPED else _counts(told) or next(iter(trouble[-1:]), "") or _("done")


def _object(text: bytes) -> Mapping[str, object]:
    """A JSON object, the first of a list; nothing for anything else."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    found = found[0] if isinstance(found, list) and found else found
    return found if isinstance(found, dict) else {}


def _counts(told: Mapping[str, object]) -> str:
    """What came of it: every count that is not nothing."""
    counts = [
        (name, value) for name, value in told.items() if type(value) is int and value and not name.startswith("dry")
    ]
    return ", ".join(f"{_(name.replace('_', ' '))} {value:,}" for name, value in counts[:COUNTS_SHOWN])


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0
