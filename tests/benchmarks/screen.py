"""The screen's figures, in a pseudo terminal: first paint against a trivial Textual app, and what a key press costs;
the same of VisiData and Harlequin over the same orders where they are installed.

    python -m tests.benchmarks screen [--orders N] [--leads N] [--runs N] [--visidata COMMAND] [--harlequin COMMAND]

All programs are started in turn, so that a slow moment of the machine hits all of them. Leads are reported one by one;
orders are one order multiplied in the database, without words in its search index, so they are filtered by fields.
POSIX only, as pseudo terminals are.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks import _peers
from tests.benchmarks._terminal import Burst, Report, Start, Terminal, busy, first_paint, measure_held

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


def measure_keys(terminal: Terminal, what: str, report: Report) -> None:
    """Time and bytes of moves and of pages, a key held down, and an idle screen."""
    terminal.rest()
    for _ in range(3):
        terminal.press(b"j", 0.2)
    moves = [terminal.press(b"j", 0.03) for _ in range(12)] + [terminal.press(b"k", 0.03) for _ in range(12)]
    say_keys(report, f"{what}: j / k", moves, GOALS["move"])
    for name, keys in (("PgDn", b"\x1b[6~"), ("End", b"G")):
        bursts = []
        for _ in range(12):
            bursts.append(terminal.press(keys, 0.03))
            terminal.rest(0.15)
            if keys == b"G":
                terminal.press(b"gg", 0.15)
        say_keys(report, f"{what}: {name}", bursts, GOALS["page"])
    measure_held(terminal, what, b"j", report, GOALS["key"])
    terminal.rest()
    report.say(f"{what}: idle for {IDLE_S:g} s", terminal.idle(IDLE_S), "bytes", 0)


def say_keys(report: Report, name: str, bursts: Sequence[Burst], bytes_most: float) -> None:
    report.times(name, [burst.first_ms for burst in bursts], most=GOALS["key"])
    report.say(f"{name}, bytes", sorted(burst.size for burst in bursts)[len(bursts) // 2], "bytes", bytes_most)


def measure_filter(terminal: Terminal, what: str, filters: Sequence[tuple[str, str]], report: Report) -> None:
    """From the key that completes a filter to the first rows of the narrowed view."""
    for text, last_row in filters:
        times, worked = [], 0.0
        for _ in range(12):
            terminal.press(b"F", 0.5)
            terminal.press(b"/", 0.3)
            terminal.press(text[:-1].encode(), 0.5)
            before = terminal.processor_ms()
            times.append(terminal.send_until(text[-1].encode(), last_row.encode()) * 1000)
            worked += terminal.processor_ms() - before
            terminal.press(b"\r", 0.3)
        report.times(f"{what}: filter {text}", times, GOALS["filter"], GOALS["filter p95"])
        report.say(f"{what}: filter {text}, of a processor", worked / len(times), "ms each")


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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--leads", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--office", type=Path, help="keep the office in this folder, and use it again")
    for peer in _peers.PEERS:
        parser.add_argument(f"--{peer}", help="its command, where it is not on the path")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # nobody's own settings, such as a language or a theme, count here
        os.environ |= {"HOME": name, "XDG_CONFIG_HOME": name, "XDG_CACHE_HOME": name, "XDG_DATA_HOME": name}
        office, trivial = chosen.office or folder / "office", folder / "trivial.py"
        if not office.exists():
            make_office(office, chosen.leads, chosen.orders)
        trivial.write_text(TRIVIAL)
        kinds = {"leads": last_rows(office, "leads", "phone", ("", "city:Oslo", "kitchen", "厨房"))}
        peers: list[_peers.Peer] = []
        if chosen.orders:
            kinds["orders"] = last_rows(office, "orders", "number", ("", "city:Oslo", "state:unfulfilled"))
            peers = _peers.installed(folder, office, {peer: getattr(chosen, peer) for peer in _peers.PEERS})
        return measure(office, [sys.executable, str(trivial)], kinds, peers, chosen.runs)


def measure(
    office: Path,
    trivial: Sequence[str],
    kinds: Mapping[str, Sequence[tuple[str, str]]],
    peers: Sequence[_peers.Peer],
    runs: int,
) -> int:
    """Measure the screen of each sort of records, and the peers; 1 where a goal was missed."""
    report = Report()
    print(busy())
    screens = {noun: [sys.executable, "-c", SCREEN, str(office), noun] for noun in kinds}
    for noun, argv in screens.items():
        learn_statements(argv, kinds[noun][0][1].encode())
    programs: dict[str, tuple[Sequence[str], bytes]] = {"trivial": (trivial, b"hello-trivial")}
    programs |= {noun: (argv, kinds[noun][0][1].encode()) for noun, argv in screens.items()}
    programs |= {peer.name: (peer.argv, peer.first) for peer in peers}
    say_starts(report, first_paint(programs, runs), screens)
    for noun, argv in screens.items():
        terminal = Terminal(argv)
        try:
            terminal.until(kinds[noun][0][1].encode())
            measure_keys(terminal, noun, report)
            measure_filter(terminal, noun, kinds[noun][1:], report)
            report.say(f"{noun}: peak memory", terminal.memory_mb(), "MB", GOALS["memory"])
        finally:
            terminal.close()
    for peer in peers:
        peer.measure(report)
    print(busy())
    return min(report.missed, 1)


def learn_statements(argv: Sequence[str], first: bytes) -> None:
    """To the first rows and out again: what a first start compiles is kept in the workspace."""
    terminal = Terminal(argv)
    try:
        terminal.until(first)
        terminal.rest(1.0)
        os.write(terminal.fd, b"Q")
        if not terminal.ended(10.0):
            raise TimeoutError("the screen did not end")
    finally:
        terminal.close()


def say_starts(report: Report, starts: Mapping[str, Start], ours: Container[str]) -> None:
    trivial = starts["trivial"]
    for name, start in starts.items():
        goal = GOALS["first paint"] if name in ours else None
        report.say(f"{name}: first paint", start.clock_ms, "ms")
        report.say(f"{name}: first paint, of a processor", start.processor_ms, "ms")
        if name != "trivial":
            report.say(f"{name}: first paint", start.clock_ms / trivial.clock_ms, "times the trivial app's", goal)
            share = start.processor_ms / max(1.0, trivial.processor_ms)
            report.say(f"{name}: first paint, of a processor", share, "times the trivial app's")


if __name__ == "__main__":
    sys.exit(main())
