"""A thousand commands through `bo batch -`, each its own durable transaction, beside a thousand bare durable inserts.

python -m tests.benchmarks batch [--commands 1000] [--runs 5]

The peer writes one row and one index entry a transaction, with the same journal mode and the same promise
(`synchronous=FULL`), and nothing else: no rights, no rules, no journal, no search index. It shows what the disk alone
takes at that moment.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bo.core.office import context_for, create

SOURCE = Path(__file__).parents[2] / "src"
GOAL_S = 1.0
BARE = """
import sys
from sqlcipher3 import dbapi2
connection = dbapi2.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA journal_mode=WAL")
connection.execute("PRAGMA synchronous=FULL")
connection.execute("CREATE TABLE IF NOT EXISTS lead (n INTEGER PRIMARY KEY, phone TEXT UNIQUE, name TEXT)")
for number in range(int(sys.argv[2])):
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO lead (phone, name) VALUES (?, ?)", (f"+86139{number:08}", f"name {number}"))
    connection.execute("COMMIT")
"""


def timed(argv: Sequence[str], environment: dict[str, str], text: str = "") -> float:
    began = time.perf_counter()
    subprocess.run(argv, input=text, env=environment, stdout=subprocess.DEVNULL, check=True, encoding="utf-8")
    return time.perf_counter() - began


def main(words: Sequence[str] | None = None) -> int:
    """Measure and print; 1 where the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--commands", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=5)
    chosen = parser.parse_args(words)
    lines = [
        json.dumps({"command": "leads.report", "args": {"name": f"客户{number}", "phone": f"139{number:08}"}})
        for number in range(chosen.commands)
    ]
    ours, bare = [], []
    for run in range(chosen.runs + 1):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place) / "office"
            create(folder, context_for("CN"), operator="ann").close()
            environment = {**os.environ, "PYTHONPATH": str(SOURCE), "BO_WORKSPACE": str(folder)}
            mine = timed([sys.executable, "-m", "bo", "batch", "-"], environment, "\n".join(lines))
            peer = timed([sys.executable, "-c", BARE, str(Path(place) / "bare.db"), str(chosen.commands)], environment)
            if run:
                ours.append(mine)
                bare.append(peer)
    taken, plain = statistics.median(ours), statistics.median(bare)
    goal = GOAL_S * chosen.commands / 1000
    late = taken > goal
    print(f"bo batch -, {chosen.commands:,} commands: {taken:.2f} s, goal {goal:.1f} s{'  MISSED' if late else ''}")
    print(f"as many bare durable inserts:  {plain:.2f} s; ratio {taken / plain:.1f}")
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
