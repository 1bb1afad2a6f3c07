"""The screen's figures, in a pseudo terminal: first paint against a trivial Textual app, and what a key press costs.

    python -m tests.benchmarks.screen [--leads 200000] [--runs 9]

Both programs are started in turn, so that a slow moment of the machine hits both. POSIX only, as pseudo terminals are.
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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

TRIVIAL = """
from textual.app import App
from textual.widgets import Static
class Trivial(App):
    def compose(self):
        yield Static("hello-trivial")
Trivial().run()
"""
SCREEN = "import sys, pathlib; from bo.tui.app import run; run(pathlib.Path(sys.argv[1]))"
SIZE = (24, 80)
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


def first_paint(trivial: Sequence[str], screen: Sequence[str], needle: bytes, runs: int) -> tuple[float, float]:
    """Median seconds to the first content of both programs; one run each before, so that files are cached."""
    times: dict[str, list[float]] = {"trivial": [], "screen": []}
    for run in range(runs + 1):
        for name, argv, wanted in (("trivial", trivial, b"hello-trivial"), ("screen", screen, needle)):
            terminal = Terminal(argv)
            try:
                taken = terminal.until(wanted)
            finally:
                terminal.close()
            if run:
                times[name].append(taken)
    return statistics.median(times["trivial"]), statistics.median(times["screen"])


def p95(values: Sequence[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]


def measure_keys(terminal: Terminal, say: Callable[[str], None]) -> None:
    """Time and bytes of moves, of a page, and of the first key of a filter."""
    terminal.rest()
    for _ in range(3):
        terminal.press(b"j", 0.2)
    moves = [terminal.press(b"j", 0.03) for _ in range(12)] + [terminal.press(b"k", 0.03) for _ in range(12)]
    say(_line("j / k", moves))
    for name, keys in (("PgDn", b"\x1b[6~"), ("End / gg", b"G")):
        bursts = []
        for _ in range(12):
            bursts.append(terminal.press(keys, 0.03))
            terminal.rest(0.15)
            if keys == b"G":
                terminal.press(b"gg", 0.15)
        say(_line(name, bursts))
    held = [terminal.press(b"j", 0.004) for _ in range(200)]
    say(_line("j held down (200)", held))
    terminal.rest()
    say(f"peak memory: {terminal.memory_mb():.0f} MB")


def _line(name: str, bursts: Sequence[Burst]) -> str:
    times = [burst.first_ms for burst in bursts]
    sizes = [burst.size for burst in bursts]
    return (
        f"{name}: median {statistics.median(times):.1f} ms, p95 {p95(times):.1f} ms, "
        f"bytes median {statistics.median(sizes):.0f}, most {max(sizes)}"
    )


def measure_filter(terminal: Terminal, filters: Sequence[tuple[str, str]], say: Callable[[str], None]) -> None:
    """From the key that completes a filter to the first rows of the narrowed view."""
    for text, last_row in filters:
        times = []
        for _ in range(8):
            terminal.press(b"F", 0.5)
            terminal.press(b"/", 0.3)
            terminal.press(text[:-1].encode(), 0.4)
            times.append(terminal.send_until(text[-1].encode(), last_row.encode()) * 1000)
            terminal.press(b"\r", 0.3)
        say(f"filter {text}: median {statistics.median(times):.0f} ms, p95 {p95(times):.0f} ms to its rows")


def make_leads(folder: Path, leads: int) -> list[tuple[str, str]]:
    """An office with that many messy leads. Returns filters to try, each with a phone low on its first screen."""
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
    reader = workspace.reader()
    filters = []
    for text in ("", "city:Oslo", "kitchen", "厨房"):
        rows = reader.page("leads", text, fields=("phone",), limit=18).rows
        filters.append((text, str(rows[-1][0])))
    workspace.close()
    return filters


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
        "city": chance.choice(("北京", "上海", "广州", "深圳", "Berlin", "Lyon", "Oslo")),
        "source": chance.choice(("form", "designer", "partner", "小红书", "shop")),
        "note": chance.choice(("想看厨房", "kitchen", "全屋定制", "")),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--leads", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=15)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        office, trivial = Path(folder) / "office", Path(folder) / "trivial.py"
        filters = make_leads(office, chosen.leads)
        trivial.write_text(TRIVIAL)
        needle = filters[0][1].encode()
        screen = [sys.executable, "-c", SCREEN, str(office)]
        # Once to the end and out again: what a first start compiles is kept in the workspace.
        first = Terminal(screen)
        first.until(needle)
        first.press(b"Q", 0.5)
        first.close()
        plain, ours = first_paint([sys.executable, str(trivial)], screen, needle, chosen.runs)
        print(
            f"first paint, {chosen.leads:,} leads: trivial {plain * 1000:.0f} ms, bo {ours * 1000:.0f} ms, "
            f"ratio {ours / plain:.2f} (goal 1.60)"
        )
        terminal = Terminal(screen)
        try:
            terminal.until(needle)
            measure_keys(terminal, print)
            measure_filter(terminal, filters[1:], print)
        finally:
            terminal.close()


if __name__ == "__main__":
    main()
