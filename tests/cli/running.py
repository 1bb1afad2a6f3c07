"""Running `bo` in a test: inside this process where words and records matter, else as a process of its own."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from bo.cli.main import main
from bo.core.access.permissions import STANDARD_ROLES

ROLES = len(STANDARD_ROLES)
SOURCE = Path(__file__).parents[2] / "src"


@dataclass(frozen=True)
class Ran:
    """What a run of `bo` came to."""

    code: int
    out: str
    err: str

    def thing(self) -> dict[str, object]:
        """stdout as one JSON object."""
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found

    def things(self) -> list[dict[str, object]]:
        """stdout as a JSON list of objects, or as JSON lines."""
        text = self.out.strip()
        found = json.loads(text) if text.startswith("[") else [json.loads(line) for line in text.splitlines()]
        assert isinstance(found, list)
        return cast("list[dict[str, object]]", found)

    def error(self) -> dict[str, object]:
        """The last line of stderr as a JSON object."""
        found = json.loads(self.err.strip().splitlines()[-1])
        assert isinstance(found, dict)
        return found

    def lines(self) -> list[str]:
        """The lines of stdout."""
        return self.out.splitlines()


class Desk:
    """An office, and `bo` run in it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.capsys = capsys
        self.monkeypatch = monkeypatch
        monkeypatch.setenv("BO_WORKSPACE", str(folder))
        monkeypatch.setenv("PYTHONPATH", str(SOURCE))

    def bo(self, *words: str, stdin: str = "") -> Ran:
        """Run in this process, with nobody at a terminal."""
        self.capsys.readouterr()
        self.monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8"))
        code = main(words)
        said = self.capsys.readouterr()
        return Ran(code, said.out, said.err)

    def well(self, *words: str, stdin: str = "") -> Ran:
        """Run what has to succeed."""
        ran = self.bo(*words, stdin=stdin)
        assert ran.code == 0, (words, ran)
        return ran

    def operations(self) -> int:
        """How many operations there are: a refusal leaves it as it was."""
        return len(self.well("op", "log", "-o", "ids").out.split())


def process(
    *words: str, env: Mapping[str, str] | None = None, stdin: str | None = "", cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `bo` as a process of its own."""
    return subprocess.run(
        command(*words),
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        env=environment(env),
        cwd=cwd,
        timeout=240,
        check=False,
    )


def command(*words: str) -> Sequence[str]:
    return [sys.executable, "-m", "bo", *words]


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """This test's environment with the project's source and a tidy way to say where."""
    return {**os.environ, "PYTHONPATH": str(SOURCE), "PYTHONIOENCODING": "utf-8", **(more or {})}
