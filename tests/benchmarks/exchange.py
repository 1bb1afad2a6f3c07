"""Import and export of leads, beside `sqlite-utils insert` of the same file into one bare table.

python -m tests.benchmarks exchange [--rows 200000] [--runs 3]

Both imports are processes of their own and started in turn, so that a slow moment of the machine hits both; times are
of whole processes, medians of the runs. Ours validates, normalises phones, looks for duplicates, writes journal and
search index; the peer writes rows. Peak memory is what the system counted for the process (POSIX only).
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bo.core.office import context_for, create

SOURCE = Path(__file__).parents[2] / "src"
COLUMNS = ("报备编号", "姓名", "手机", "邮箱", "公司", "省份", "城市", "区", "地址", "品类", "来源", "预算", "备注")
FIELDS = (
    "number", "name", "phone", "email", "company", "province", "city", "district", "address", "category", "source",
    "budget", "note",
)  # fmt: skip
GOAL_ROWS_S = 20_000
GOAL_RATIO = 2.5
GOAL_PEAK_MB = 128
GOAL_EXPORT_ROWS_S = 150_000
IMPORT = """
import sys
from pathlib import Path
from bo.core.exchange.pipeline import import_file
from bo.core.office import open_office
with open_office(Path(sys.argv[1])) as office:
    print(import_file(office, "leads", sys.argv[2]).counts())
"""
EXPORT = """
import json, sys, time
from pathlib import Path
from bo.core.exchange.export import ExportOptions, export_file
from bo.core.office import open_office
folder, target, fields = sys.argv[1:]
with open_office(Path(folder)) as office:
    export_file(office, "stores", target)
    began = time.perf_counter()
    rows = export_file(office, "leads", target, ExportOptions(fields=tuple(json.loads(fields))))
    print(rows / (time.perf_counter() - began))
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One process: its time, its peak memory, and what it said."""

    seconds: float
    peak_mb: float
    said: str


def make_file(path: Path, rows: int) -> None:
    """Leads as offices send them: 13 columns, phones in several spellings, three in a hundred reported before."""
    dice = random.Random(1)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for place in range(rows):
            number = dice.randrange(max(1, place)) if dice.random() < 0.03 else place
            phone = f"1{dice.choice('3578')}{number:09}"
            writer.writerow([
                f"R{place:07}", dice.choice("王李张刘陈") + dice.choice("伟芳娜敏静") + dice.choice("磊洋艳勇杰"),
                f"{phone[:3]} {phone[3:7]} {phone[7:]}" if place % 7 == 0 else phone, f"user{place}@example.com",
                dice.choice(("", "Acme 有限公司", "Home GmbH")), "浙江", dice.choice(("杭州", "上海", "Berlin")),
                "西湖区",
                f"文三路{place % 900}号", dice.choice(("kitchen", "sofa")), dice.choice(("web", "fair")),
                f"{dice.randrange(1000, 90000)}.50", dice.choice(("", "急", "周末联系 please call in the morning")),
            ])  # fmt: skip


def run(argv: Sequence[str]) -> Run:
    """Run a program to its end, and see what it took."""
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), "PYTHONIOENCODING": "utf-8"}
    began = time.perf_counter()
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, env=environment, text=True, encoding="utf-8")
    assert process.stdout is not None
    said = process.stdout.read()
    _pid, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.stdout.close()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{argv} ended with {process.returncode}")
    peak = used.ru_maxrss / 1024 if sys.platform != "darwin" else used.ru_maxrss / 1024**2
    return Run(seconds, peak, said)


def import_once(folder: Path, path: Path) -> Run:
    create(folder, context_for("CN"), operator="ann").close()
    return run([sys.executable, "-c", IMPORT, str(folder), str(path)])


def measure_import(place: Path, rows: int, runs: int) -> int:
    """Print the figures of imports; how many goals were missed. The last office stays for the exports."""
    large, small = place / "large.csv", place / "small.csv"
    make_file(large, rows)
    make_file(small, rows // 10)
    ours: list[Run] = []
    bare: list[Run] = []
    for turn in range(runs):
        ours.append(import_once(place / f"office{turn}", large))
        peer = [
            sys.executable,
            "-m",
            "sqlite_utils",
            "insert",
            str(place / f"bare{turn}.db"),
            "leads",
            str(large),
            "--csv",
        ]
        bare.append(run(peer))
    few = import_once(place / "few", small)
    mine, theirs = (statistics.median(item.seconds for item in group) for group in (ours, bare))
    peak = max(item.peak_mb for item in ours)
    print(
        f"import of {rows:,} leads: {mine:.1f} s, {rows / mine:,.0f} rows/s (goal {GOAL_ROWS_S:,} on a quiet machine)"
    )
    peer_says = f"sqlite-utils insert: {theirs:.1f} s, {rows / theirs:,.0f} rows/s"
    print(f"{peer_says}; ratio {mine / theirs:.2f} (goal {GOAL_RATIO})")
    print(f"peak memory: {peak:.0f} MB, with a tenth of the rows {few.peak_mb:.0f} MB (goal {GOAL_PEAK_MB})")
    print(ours[-1].said.strip())
    again = run([sys.executable, "-c", IMPORT, str(place / f"office{runs - 1}"), str(large)])
    print(f"the same file again: {again.seconds:.1f} s, {rows / again.seconds:,.0f} rows/s; {again.said.strip()}")
    return (mine / theirs > GOAL_RATIO) + (peak > GOAL_PEAK_MB)


def measure_export(place: Path, folder: Path, runs: int) -> int:
    """Print the figures of exports, in rows a second without the start of the process; how many goals were missed."""
    missed = 0
    for format in ("jsonl", "csv"):
        for fields in (FIELDS, ()):
            target = place / f"out.{format}"
            argv = [sys.executable, "-c", EXPORT, str(folder), str(target), json.dumps(fields)]
            done = [run(argv) for _turn in range(runs)]
            speed = statistics.median(float(item.said) for item in done)
            peak = max(item.peak_mb for item in done)
            which = f"{len(fields)} fields" if fields else "all fields"
            goal = f" (goal {GOAL_EXPORT_ROWS_S:,} on a quiet machine)" if fields else ""
            print(f"export {format}, {which}: {speed:,.0f} rows/s{goal}, peak {peak:.0f} MB")
            missed += peak > GOAL_PEAK_MB
    return missed


def main(words: Sequence[str] | None = None) -> int:
    """Measure and print; 1 where a ratio or the memory misses its goal."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=3)
    chosen = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        missed = measure_import(place, chosen.rows, chosen.runs)
        missed += measure_export(place, place / f"office{chosen.runs - 1}", chosen.runs)
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
