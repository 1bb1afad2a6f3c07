"""The stage of the demo: runs `bo` commands as processes, shows what they are and what they answer."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import msgspec

from bo.core.kernel.errors import Damaged
from bo.core.kernel.text import _

SHOWN_MOST: Final = 12
TALK_MOST: Final = 8
DIM, BOLD, PLAIN = "\x1b[2m", "\x1b[1m", "\x1b[0m"


class Answer(msgspec.Struct, frozen=True):
    """What a command said."""

    status: int
    out: str
    talk: str

    def json(self) -> dict[str, object]:
        return msgspec.json.decode(self.out, type=dict[str, object])

    def first(self) -> dict[str, object]:
        """The first of several JSON lines."""
        return msgspec.json.decode(self.out.split("\n", 1)[0], type=dict[str, object])

    def lines(self) -> list[str]:
        return self.out.split()


class Stage:
    """One office, its files beside it, and the terminal the story is told on."""

    def __init__(self, office: Path) -> None:
        self.office = office
        self.files = office / "files"
        self.started = time.perf_counter()
        self.commands = 0
        self.colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")

    def chapter(self, title: str, words: str = "") -> None:
        self._say(f"\n{self._in(BOLD, '== ' + title + ' ==')}")
        if words:
            self._say(words)

    def say(self, words: str) -> None:
        self._say(words)

    def bo(
        self,
        line: str,
        *,
        who: str = "",
        stdin: str | None = None,
        expect: int = 0,
        show: int = SHOWN_MOST,
        shown_as: str = "",
    ) -> Answer:
        """Run a command, show it with its first lines, and hold it to its exit status. Raises Damaged where it
        differs."""
        typed = shown_as or " ".join(["bo", *(["--as", who] if who else []), line])
        self._say(f"{self._in(DIM, '$')} {typed}")
        answer = self.quiet(line, who=who, stdin=stdin)
        lines = answer.out.splitlines()
        for line in lines[:show]:
            self._say(f"  {line}")
        if len(lines) > show > 0:
            self._say(self._in(DIM, "  " + _("… {count} more lines", count=len(lines) - show)))
        for line in answer.talk.splitlines()[:TALK_MOST] if show else ():
            self._say(f"  {line}")
        if expect:
            self._say(self._in(DIM, "  " + _("(exit status {status})", status=answer.status)))
        if answer.status != expect:
            raise Damaged(
                "the demo went wrong: {command} ended with {status}, not {expected}\n{talk}",
                hint="Please report it.",
                command=typed,
                status=answer.status,
                expected=expect,
                talk=answer.talk,
            )
        return answer

    def quiet(self, line: str, *, who: str = "", stdin: str | None = None) -> Answer:
        """Run a command without telling of it."""
        self.commands += 1
        environment = {
            **os.environ,
            "BO_WORKSPACE": str(self.office),
            "NO_COLOR": "1",
            "PYTHONIOENCODING": "utf-8",
            "COLUMNS": "140",
        }
        if who:
            environment["BO_OPERATOR"] = who
        done = subprocess.run(
            [sys.executable, "-m", "bo", *shlex.split(line)],
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            env=environment,
            cwd=self.files,
            check=False,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def ids(self, noun: str, filter_text: str, limit: int = 0) -> list[str]:
        """Ids that a filter finds, oldest first."""
        most = f"--limit {limit}" if limit else ""
        return self.quiet(f"{noun} list '{filter_text} sort:created' -o ids {most}").lines()

    def _say(self, words: str) -> None:
        sys.stdout.write(words + "\n")
        sys.stdout.flush()

    def _in(self, style: str, words: str) -> str:
        return f"{style}{words}{PLAIN}" if self.colour else words
