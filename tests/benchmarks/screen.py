"""The screen's figures, in a pseudo terminal: first paint against a trivial Textual app, and what a key press costs.

    python -m tests.benchmarks screen [--orders 1000000] [--leads 200000] [--runs 9]

All programs are started in turn, so that a slow moment of the machine hits all of them. Leads are reported one by one;
orders are one order multiplied in the database, without words in its search index, so they are filtered by fields.
POSIX only, as pseudo terminals are.
"""

from __future__ import annotations

import argparse
import os
import random
import select
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bo.core.kernel.workspace import Workspace

TRIVIAL = """
from textual.app import App
from textual.widgets import Static
class Trivial(App):
    def compose(self):
        yield Static("hello-trivial")
Trivial().run()
"""
SCREEN = "import sys, pathlib; from bo.tui.app import run; run(pathlib.Path(sys.argv[1]), noun=sys.argv[2])"
SIZE = (24, 80)
IDLE_S = 12.0  # longer than the standing is looked at twice
CITIES = ("北京", "上海", "广州", "深圳", "Berlin", "Lyon", "Oslo")
GOALS = {
    "first paint": 1.6,
    "key": 16.0,
    "filter": 60.0,
    "filter p95": 100.0,
    "memory": 110.0,
    "move": 600,
    "page": 4000,
}
START_S_MAX = 20.0


@dataclass(frozen=True, slots=True)
class Burst:
    """What one key press brought: time to its first byte, and all bytes until the screen rested."""

    first_ms: float
    size: int
    text: bytes


class Terminal:
    """A program in a pseudo terminal, read byte for byte."""

    def __init__(self, argv: Sequence[str], size: tuple[int, int] = SIZE) -> None:
        import fcntl
        import pty
        import struct
        import termios

        self.started = time.perf_counter()
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            environment = dict(os.environ, TERM="xterm-256color", COLORTERM="truecolor")
            # Otherwise our modules would be compiled anew at every start, and those of Textual not.
            for name in ("NO_COLOR", "PYTHONDONTWRITEBYTECODE"):
                environment.pop(name, None)
            os.execvpe(argv[0], list(argv), environment)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))

    def until(self, needle: bytes, within_s: float = START_S_MAX) -> float:
        """Seconds from now, or from the start before the first call, until the needle has been written."""
        seen, began = b"", self.started
        while time.perf_counter() - began < within_s:
            seen = seen[-4096:] + self._read(0.2)
            if needle in seen:
                return time.perf_counter() - began
        raise TimeoutError(f"{needle!r} was not drawn within {within_s} s; last seen: {seen[-300:]!r}")

    def press(self, keys: bytes, quiet_s: float) -> Burst:
        """Send keys; collect what is drawn until nothing comes for `quiet_s`."""
        sent = time.perf_counter()
        os.write(self._fd, keys)
        text, first = b"", 0.0
        while data := self._read(quiet_s if text else 2.0):
            if not text:
                first = time.perf_counter()
            text += data
        return Burst((first - sent) * 1000, len(text), text)

    def send_until(self, keys: bytes, needle: bytes, within_s: float = 5.0) -> float:
        """Send keys; seconds until the needle has been written."""
        sent = time.perf_counter()
        os.write(self._fd, keys)
        seen = b""
        while time.perf_counter() - sent < within_s:
            seen += self._read(0.2)
            if needle in seen:
                return time.perf_counter() - sent
        raise TimeoutError(f"{needle!r} was not drawn within {within_s} s after {keys!r}")

    def idle(self, seconds: float) -> int:
        """How many bytes come by themselves."""
        until, size = time.perf_counter() + seconds, 0
        while (left := until - time.perf_counter()) > 0:
            size += len(self._read(left))
        return size

    def rest(self, quiet_s: float = 0.4) -> None:
        while self._read(quiet_s):
            pass

    def memory_mb(self) -> float:
        """Peak resident memory, where /proc tells it."""
        status = Path(f"/proc/{self._pid}/status")
        lines = status.read_text().splitlines() if status.exists() else []
        return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)

    def close(self) -> None:
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._fd)

    def _read(self, wait_s: float) -> bytes:
        ready, _, _ = select.select([self._fd], [], [], wait_s)
        if not ready:
            return b""
        try:
            return os.read(self._fd, 1 << 16)
        except OSError:
            return b""


def first_paint(programs: Mapping[str, tuple[Sequence[str], bytes]], runs: int) -> dict[str, float]:
    """Median seconds to the first content of each program; one run each before, so that files are cached."""
    times: dict[str, list[float]] = {name: [] for name in programs}
    for run in range(runs + 1):
        for name, (argv, wanted) in programs.items():
            terminal = Terminal(argv)
            try:
                taken = terminal.until(wanted)
            finally:
                terminal.close()
            if run:
                times[name].append(taken)
    return {name: statistics.median(taken) for name, taken in times.items()}


def p95(values: Sequence[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]


class Report:
    """Prints figures beside their goals, and counts what was missed."""

    def __init__(self) -> None:
        self.missed = 0

    def say(self, what: str, value: float, unit: str, goal: float | None = None) -> None:
        note = ""
        if goal is not None:
            missed = value > goal
            self.missed += missed
            note = f"  (goal {goal:g}{', MISSED' if missed else ''})"
        print(f"{what}: {value:.1f} {unit}{note}", flush=True)

    def keys(self, name: str, bursts: Sequence[Burst], bytes_most: float) -> None:
        times = [burst.first_ms for burst in bursts]
        self.say(f"{name}, median", statistics.median(times), "ms")
        self.say(f"{name}, p95", p95(times), "ms", GOALS["key"])
        self.say(f"{name}, bytes", statistics.median([burst.size for burst in bursts]), "bytes", bytes_most)


def measure_keys(terminal: Terminal, what: str, report: Report) -> None:
    """Time and bytes of moves and of pages, a key held down, and an idle screen."""
    terminal.rest()
    for _ in range(3):
        terminal.press(b"j", 0.2)
    moves = [terminal.press(b"j", 0.03) for _ in range(12)] + [terminal.press(b"k", 0.03) for _ in range(12)]
    report.keys(f"{what}: j / k", moves, GOALS["move"])
    for name, keys in (("PgDn", b"\x1b[6~"), ("End", b"G")):
        bursts = []
        for _ in range(12):
            bursts.append(terminal.press(keys, 0.03))
            terminal.rest(0.15)
            if keys == b"G":
                terminal.press(b"gg", 0.15)
        report.keys(f"{what}: {name}", bursts, GOALS["page"])
    held = [terminal.press(b"j", 0.004) for _ in range(200)]
    report.say(f"{what}: j held down, p95", p95([burst.first_ms for burst in held]), "ms", GOALS["key"])
    terminal.rest()
    report.say(f"{what}: idle for {IDLE_S:g} s", terminal.idle(IDLE_S), "bytes", 0)


def measure_filter(terminal: Terminal, what: str, filters: Sequence[tuple[str, str]], report: Report) -> None:
    """From the key that completes a filter to the first rows of the narrowed view."""
    for text, last_row in filters:
        times = []
        for _ in range(12):
            terminal.press(b"F", 0.5)
            terminal.press(b"/", 0.3)
            terminal.press(text[:-1].encode(), 0.5)
            times.append(terminal.send_until(text[-1].encode(), last_row.encode()) * 1000)
            terminal.press(b"\r", 0.3)
        report.say(f"{what}: filter {text}, median", statistics.median(times), "ms", GOALS["filter"])
        report.say(f"{what}: filter {text}, p95", p95(times), "ms", GOALS["filter p95"])


def make_office(folder: Path, leads: int, orders: int) -> None:
    """An office with that many messy leads and orders."""
    from bo.core.kernel.dispatch import Call
    from bo.core.office import context_for, create

    chance = random.Random(5)
    workspace = create(folder, context_for("CN"), operator="ann")
    workspace.do("stores.add", None, code="S1", name="朝阳店")
    for start in range(0, leads, 2_000):
        calls = [
            Call("leads.report", None, _lead(chance, number)) for number in range(start, min(leads, start + 2_000))
        ]
        workspace.run(calls, atomic=True)
    if orders:
        workspace.do("orders.record", None, number="1", channel="shop", total="12.50", name="Ann Moss", city="Oslo")
        _multiply_orders(workspace, orders)
    workspace.close()


def _multiply_orders(workspace: Workspace, orders: int) -> None:
    """The one order that there is, so many times; state, city, total and day differ."""
    connection = workspace.database.session.connection
    columns = [row[1] for row in connection.execute('PRAGMA table_info("order")')]
    cities = " ".join(f"WHEN {place} THEN '{city}'" for place, city in enumerate(CITIES))
    changed = {
        "n": "o.n + i",
        "id": "'ord_01m80' || printf('%021d', i)",
        "number": "printf('S%07d', i)",
        "key": "'made/' || i",
        "name": "CASE i % 3 WHEN 0 THEN '王伟' ELSE 'Ann Moss' END || i",
        "city": f"CASE i % {len(CITIES)} {cities} END",
        "state": "CASE WHEN i % 20 THEN 'fulfilled' ELSE 'unfulfilled' END",
        "payment": "CASE WHEN i % 40 THEN 'paid' ELSE 'unpaid' END",
        "total": "1000 + i % 90000",
        "placed_at": "strftime('%Y-%m-%dT%H:%M:%S.000Z', 1700000000 + i * 37, 'unixepoch')",
    }
    wanted = ", ".join(changed.get(name, f'o."{name}"') for name in columns)
    listed = ", ".join(f'"{name}"' for name in columns)
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(
        f"WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k WHERE i < {orders - 1}) "
        f'INSERT INTO "order" ({listed}) SELECT {wanted} FROM k, (SELECT * FROM "order" LIMIT 1) o'
    )
    connection.execute("COMMIT")


def last_rows(folder: Path, noun: str, field: str, filters: Sequence[str]) -> list[tuple[str, str]]:
    """Each filter with what stands low on its first screen."""
    from bo.core.office import open_office

    workspace = open_office(folder, operator="ann")
    reader = workspace.reader()
    found = [(text, str(reader.page(noun, text, fields=(field,), limit=18).rows[-1][0])) for text in filters]
    workspace.close()
    return found


def _lead(chance: random.Random, number: int) -> dict[str, str]:
    chinese = number % 3 == 0
    family, given = (
        chance.choice("王李张刘陈杨赵黄周吴"),
        "".join(chance.choice("伟芳娜敏静丽强磊军洋艳勇杰涛明") for _ in "ab"),
    )
    name = family + given if chinese else f"{chance.choice(('Ann', 'Bob', 'Chloë', 'Eve'))} Moss{number}"
    return {
        "number": f"L{number:06}",
        "name": name,
        "phone": f"1{chance.choice('3578')}{number:09}",
        "city": chance.choice(CITIES),
        "source": chance.choice(("form", "designer", "partner", "小红书", "shop")),
        "note": chance.choice(("想看厨房", "kitchen", "全屋定制", "")),
    }


def busy() -> str:
    load = os.getloadavg()
    return f"load {load[0]:.1f} on {os.cpu_count()} cores"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--leads", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--office", type=Path, help="keep the office in this folder, and use it again")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        office, trivial = chosen.office or Path(folder) / "office", Path(folder) / "trivial.py"
        if not office.exists():
            make_office(office, chosen.leads, chosen.orders)
        trivial.write_text(TRIVIAL)
        kinds = {
            "leads": last_rows(office, "leads", "phone", ("", "city:Oslo", "kitchen", "厨房")),
            "orders": last_rows(office, "orders", "number", ("", "city:Oslo", "state:unfulfilled"))
            if chosen.orders
            else [],
        }
        return measure(
            office, [sys.executable, str(trivial)], {noun: rows for noun, rows in kinds.items() if rows}, chosen.runs
        )


def measure(office: Path, trivial: Sequence[str], kinds: Mapping[str, Sequence[tuple[str, str]]], runs: int) -> int:
    """Measure the screen of each sort of records; 1 where a goal was missed."""
    report = Report()
    print(busy())
    screens = {noun: [sys.executable, "-c", SCREEN, str(office), noun] for noun in kinds}
    for noun, argv in screens.items():
        # Once to the end and out again: what a first start compiles is kept in the workspace.
        first = Terminal(argv)
        first.until(kinds[noun][0][1].encode())
        first.press(b"Q", 0.5)
        first.close()
    programs = {"trivial": (trivial, b"hello-trivial")}
    programs |= {noun: (argv, kinds[noun][0][1].encode()) for noun, argv in screens.items()}
    paints = first_paint(programs, runs)
    report.say("trivial app: first paint", paints["trivial"] * 1000, "ms")
    for noun in screens:
        report.say(f"{noun}: first paint", paints[noun] * 1000, "ms")
        report.say(f"{noun}: first paint", paints[noun] / paints["trivial"], "times that", GOALS["first paint"])
    for noun, argv in screens.items():
        terminal = Terminal(argv)
        try:
            terminal.until(kinds[noun][0][1].encode())
            measure_keys(terminal, noun, report)
            measure_filter(terminal, noun, kinds[noun][1:], report)
            report.say(f"{noun}: peak memory", terminal.memory_mb(), "MB", GOALS["memory"])
        finally:
            terminal.close()
    print(busy())
    return min(report.missed, 1)


if __name__ == "__main__":
    sys.exit(main())
