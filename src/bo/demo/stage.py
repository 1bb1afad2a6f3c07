"""The stage of the demo: runs `bo` commands as processes, shows what they are and what they answer.

A command is given at one place: the office itself, or a machine of the team, whose name then stands in the prompt.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from bo.core.kernel.errors import Damaged
from bo.core.kernel.text import _, language

SHOWN_MOST: Final = 12
TEAM: Final = "team"  # the folder of the machines
SERVER: Final = "server"  # the one of them that holds everything
PLAINLY: Final = {"NO_COLOR": "1", "PYTHONIOENCODING": "utf-8", "COLUMNS": "140"}
MINE: Final = ("BO_OPERATOR", "BO_WORKSPACE", "BO_DATA", "BO_DATABASE", "BO_TOKEN")  # of whoever watches the demo
TALK_MOST: Final = 8
R = TypeVar("R")
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

    def rows(self, row: type[R]) -> list[R]:
        """All JSON lines."""
        return [msgspec.json.decode(line, type=row) for line in self.out.splitlines()]


class Stage:
    """One office, its files beside it, and the terminal the story is told on."""

    def __init__(self, office: Path) -> None:
        self.office = office
        self.files = office / "files"
        self.team = office / TEAM
        self.started = time.perf_counter()
        self.commands = 0
        self.chapters = 0
        self.colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")

    def chapter(self, title: str, words: str = "", *, numbered: bool = True) -> None:
        self.chapters += numbered
        shown = f"{self.chapters}. {title}" if numbered else title
        self._say(f"\n{self._in(BOLD, '== ' + shown + ' ==')}")
        if words:
            self._say(words)

    def say(self, words: str) -> None:
        self._say(words)

    def bo(
        self,
        line: str,
        *,
        who: str = "",
        at: str = "",
        stdin: str | None = None,
        expect: int = 0,
        show: int = SHOWN_MOST,
        shown_as: str = "",
    ) -> Answer:
        """Run a command, show it with its first lines, and hold it to its exit status. Raises Damaged where it
        differs."""
        typed = shown_as or " ".join(["bo", *(["--as", who] if who else []), line])
        self.type(typed, at=at)
        answer = self.quiet(line, who=who, at=at, stdin=stdin)
        self._tell(typed, answer, expect, show)
        return answer

    def at_once(self, *lines: tuple[str, str], stdin: str = "", show: int = SHOWN_MOST) -> None:
        """Run commands at several places side by side, and show one after the other. Raises Damaged as `bo` does."""
        with ThreadPoolExecutor(2) as several:
            answers = several.map(lambda each: self.quiet(each[1], at=each[0], stdin=stdin), lines)
            for (at, line), answer in zip(lines, answers, strict=True):
                self.type(f"bo {line}", at=at)
                self._tell(f"bo {line}", answer, 0, show)

    def _tell(self, typed: str, answer: Answer, expect: int, show: int) -> None:
        lines = answer.out.splitlines()
        for line in lines[:show]:
            self._say(f"  {line}".rstrip())
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

    def quiet(self, line: str, *, who: str = "", at: str = "", stdin: str | None = None) -> Answer:
        """Run a command without telling of it."""
        self.commands += 1
        done = subprocess.run(
            self.command(line),
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            env=self.environment(who=who, at=at),
            cwd=self.team if at else self.files,
            check=False,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def command(self, line: str) -> list[str]:
        """The words of a process that runs this line."""
        return [sys.executable, "-m", "bo", *shlex.split(line)]

    def environment(self, *, who: str = "", at: str = "") -> dict[str, str]:
        """What a command at that place finds around it: nothing of it is taken from whoever watches."""
        kept = {name: value for name, value in os.environ.items() if name not in MINE}
        more = {"BO_OPERATOR": who} if who else {}
        if at == SERVER:
            more["BO_DATA"] = str(self.team / SERVER)
        else:
            more["BO_WORKSPACE"] = str(self.team / at if at else self.office)
        return {**kept, **more, **PLAINLY, "BO_LANG": language()}

    def require(self, holds: bool, what: str) -> None:
        """Hold the story to what it tells. Raises Damaged where that is not so."""
        if not holds:
            raise Damaged("the demo went wrong: it is not so that {what}", hint="Please report it.", what=what)

    def type(self, typed: str, *, at: str = "") -> None:
        """Show a command, after the prompt of its place."""
        self._say(f"{self._in(DIM, at + '$')} {typed}")

    def ids(self, noun: str, filter_text: str, limit: int = 0) -> list[str]:
        """Ids that a filter finds, oldest first."""
        most = f"--limit {limit}" if limit else ""
        return self.quiet(f"{noun} list '{filter_text} sort:created' -o ids {most}").lines()

    def _say(self, words: str) -> None:
        sys.stdout.write(words + "\n")
        sys.stdout.flush()

    def _in(self, style: str, words: str) -> str:
        return f"{style}{words}{PLAIN}" if self.colour else words
