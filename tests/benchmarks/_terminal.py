"""A program in a pseudo terminal, and a report of figures beside their goals. POSIX only."""

from __future__ import annotations

import os
import select
import signal
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SIZE = (24, 80)
START_S_MAX = 60.0


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
        self._pid, self.fd = pty.fork()
        if self._pid == 0:
            environment = dict(os.environ, TERM="xterm-256color", COLORTERM="truecolor")
            # Otherwise our modules would be compiled anew at every start, and those of Textual not.
            for name in ("NO_COLOR", "PYTHONDONTWRITEBYTECODE"):
                environment.pop(name, None)
            os.execvpe(argv[0], list(argv), environment)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))

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
        os.write(self.fd, keys)
        text, first = b"", 0.0
        while data := self._read(quiet_s if text else 2.0):
            if not text:
                first = time.perf_counter()
            text += data
        return Burst((first - sent) * 1000, len(text), text)

    def send_until(self, keys: bytes, needle: bytes, within_s: float = 5.0) -> float:
        """Send keys; seconds until the needle has been written."""
        sent = time.perf_counter()
        os.write(self.fd, keys)
        seen = b""
        while time.perf_counter() - sent < within_s:
            seen += self._read(0.2)
            if needle in seen:
                return time.perf_counter() - sent
        raise TimeoutError(f"{needle!r} was not drawn within {within_s} s after {keys!r}")

    def until_quiet(self, keys: bytes, quiet_s: float, within_s: float) -> float:
        """Send keys; seconds until the last byte before nothing came for `quiet_s`."""
        sent = last = time.perf_counter()
        os.write(self.fd, keys)
        while time.perf_counter() - sent < within_s:
            if self._read(quiet_s):
                last = time.perf_counter()
            elif time.perf_counter() - last >= quiet_s:
                return last - sent
        raise TimeoutError(f"it did not come to rest within {within_s} s after {keys!r}")

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

    def processor_ms(self) -> float:
        """Processor time of all threads so far, where /proc tells it; its grain is 10 ms."""
        stat = Path(f"/proc/{self._pid}/stat")
        words = stat.read_text().rpartition(")")[2].split() if stat.exists() else ()
        return (int(words[11]) + int(words[12])) * 1000 / os.sysconf("SC_CLK_TCK") if words else 0.0

    def ended(self, within_s: float) -> bool:
        """Whether the program comes to its own end."""
        until = time.perf_counter() + within_s
        while time.perf_counter() < until:
            self._read(0.1)
            if os.waitpid(self._pid, os.WNOHANG)[0]:
                self._pid = 0
                return True
        return False

    def kill(self, number: int) -> None:
        """Send the program a signal."""
        os.kill(self._pid, number)

    def close(self) -> None:
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        os.close(self.fd)

    def _read(self, wait_s: float) -> bytes:
        ready, _, _ = select.select([self.fd], [], [], wait_s)
        if not ready:
            return b""
        try:
            return os.read(self.fd, 1 << 16)
        except OSError:
            return b""


@dataclass(frozen=True, slots=True)
class Start:
    """A start up to the first content, on the clock and of a processor."""

    clock_ms: float
    processor_ms: float


def first_paint(programs: Mapping[str, tuple[Sequence[str], bytes]], runs: int) -> dict[str, Start]:
    """Medians of each program, started in turn; one run each before, so that files are cached."""
    times: dict[str, list[Start]] = {name: [] for name in programs}
    for run in range(runs + 1):
        for name, (argv, wanted) in programs.items():
            terminal = Terminal(argv)
            try:
                taken = Start(terminal.until(wanted) * 1000, terminal.processor_ms())
            finally:
                terminal.close()
            if run:
                times[name].append(taken)
    return {
        name: Start(
            statistics.median(start.clock_ms for start in taken),
            statistics.median(start.processor_ms for start in taken),
        )
        for name, taken in times.items()
    }


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

    def times(self, name: str, times: Sequence[float], median: float | None = None, most: float | None = None) -> None:
        self.say(f"{name}, median", statistics.median(times), "ms", median)
        self.say(f"{name}, p95", p95(times), "ms", most)


def measure_held(terminal: Terminal, what: str, key: bytes, report: Report, goal: float | None = None) -> None:
    """A key that is held down: each press as soon as the one before was drawn."""
    before = terminal.processor_ms()
    held = [terminal.press(key, 0.004).first_ms for _ in range(200)]
    report.times(f"{what}: a key held down", held, most=goal)
    report.say(f"{what}: a key held down, of a processor", (terminal.processor_ms() - before) / len(held), "ms each")


def busy() -> str:
    load = os.getloadavg()
    return f"load {load[0]:.1f} on {os.cpu_count()} cores"
