"""What a start of `bo` costs, as a multiple of `python -c pass`, beside named peers on the same machine in the same
run.

python -m tests.benchmarks startup [--leads 100000] [--runs 15]

Every program is started in turn, so that a slow moment of the machine hits all of them; the figure is the median.
Python files are compiled first.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bo.core.kernel.dispatch import Call
from bo.core.office import context_for, create

SOURCE = Path(__file__).parents[2] / "src"
BATCH = 5000


@dataclass
class Program:
    """One program, with the most that it may take, in starts of Python; 0 for a peer."""

    name: str
    argv: Sequence[str]
    goal: float = 0.0
    times: list[float] = field(default_factory=list)

    def start(self, environment: dict[str, str]) -> None:
        began = time.perf_counter()
        subprocess.run(self.argv, env=environment, stdout=subprocess.DEVNULL, check=True)
        self.times.append(time.perf_counter() - began)


def make_office(folder: Path, leads: int) -> None:
    """An office with so many leads, made by its own command."""
    with create(folder, context_for("CN"), operator="ann") as workspace:
        for start in range(0, leads, BATCH):
            calls = [
                Call("leads.report", None, {"name": f"客户{number}", "phone": f"139{number:08}", "city": "杭州"})
                for number in range(start, min(start + BATCH, leads))
            ]
            workspace.run(calls, atomic=True)


def programs(folder: Path) -> list[Program]:
    """Ours and the peers. The peers do less: they keep no journal and check nobody's rights."""
    python = sys.executable
    bo = (python, "-m", "bo")
    office = str(folder / "office.db")
    found = [
        Program("python -c pass", (python, "-c", "pass")),
        Program("typer, nothing else", (python, "-c", "import typer")),
        Program("bo --help", (*bo, "--help"), 7),
        Program("bo leads report --help", (*bo, "leads", "report", "--help"), 7),
        Program("TAB after bo leads as", (*bo, "__complete", "bash", "2", "bo", "leads", "as"), 7),
        Program("bo leads list, 20 rows", (*bo, "leads", "list", "state:pending_review", "--limit", "20", "-q"), 10),
        Program("bo leads count", (*bo, "leads", "count", "city:杭州"), 10),
        Program("bo leads report (a write)", (*bo, "leads", "report", "--name", "王芳", "-q"), 20),
        Program(
            "sqlite-utils rows, 20 rows",
            (python, "-m", "sqlite_utils", "rows", office, "lead", "--limit", "20"),
        ),
    ]
    if shutil.which("sqlite3"):
        found.append(Program("sqlite3 shell, 20 rows", ("sqlite3", office, "SELECT * FROM lead LIMIT 20")))
    return found


def measure(found: Sequence[Program], runs: int, environment: dict[str, str]) -> None:
    """One start each to warm up, then `runs` rounds of all of them."""
    for run in range(runs + 1):
        for program in found:
            program.start(environment)
            if run == 0:
                program.times.clear()


def main(words: Sequence[str] | None = None) -> int:
    """Measure and print; 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--leads", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=15)
    chosen = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "office"
        environment = {
            **os.environ,
            "PYTHONPATH": str(SOURCE),
            "PYTHONPYCACHEPREFIX": str(Path(place) / "compiled"),
            "BO_WORKSPACE": str(folder),
        }
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        subprocess.run([sys.executable, "-m", "compileall", "-q", str(SOURCE)], env=environment, check=True)
        make_office(folder, chosen.leads)
        found = programs(folder)
        measure(found, chosen.runs, environment)
    return report(found, chosen.leads)


def report(found: Sequence[Program], leads: int) -> int:
    plain = statistics.median(found[0].times)
    missed = 0
    print(
        f"start-up with {leads:,} leads, median of {len(found[0].times)}; 1.0 is python -c pass, {plain * 1000:.1f} ms"
    )
    for program in found:
        ratio = statistics.median(program.times) / plain
        goal = f"  goal {program.goal:.0f}" if program.goal else ""
        late = bool(program.goal) and ratio > program.goal
        missed += late
        print(f"  {program.name:28} {ratio:6.1f}{goal}{'  MISSED' if late else ''}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
