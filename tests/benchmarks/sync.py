"""Sync over HTTP with a central store in a process of its own, beside two other programs that sync.

python -m tests.benchmarks sync [part …] [--peers FOLDER] [--runs 3] [--rows 20000] [--edits 5000] [--singles 200]

Parts: `steps` (snapshot, push, pull, a single edit, two devices that converge; peers do the same), `far` (long round
trips, answers lost after the commit), `crowd` (200 devices, PostgreSQL, two processes of the server). All of them
where none is named. `--peers` is a folder outside of the project for PouchDB (npm) and Anki (pip); what is not there
is installed there, and what cannot be is left out. Programs run alone, in turn; figures are medians of the runs.

What an operation is differs. Ours is a command that the central store carries out again with authority: rights, state
machine, journal, hash chain, search index. PouchDB stores documents and keeps conflicts for whoever looks; Anki sends
its first download as the very file, and lets the later edit win. All wait for the disk at each commit.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from bo.core.kernel.dispatch import Call
from bo.sync.client import Report
from bo.sync.transport import Transport, Unreachable
from tests.benchmarks._central import Central, Device
from tests.benchmarks._crowd import crowd
from tests.benchmarks.peers import found

PARTS: Final = ("steps", "far", "crowd")
CONFLICTS: Final = 0.05
ROUND_TRIP_S: Final = 0.2
LOST: Final = 0.03
Taken = dict[str, list[float]]  # seconds of each step
GOALS: Final = {"snapshot": 25_000, "push": 5_000, "push_new": 5_000, "pull": 25_000, "pull_new": 25_000}
GOAL_SINGLE_MS: Final = 10.0
GOAL_CONVERGE_S: Final = 10.0
GOAL_CROWD_MS: Final = 500.0
SHOWN: Final = {
    "snapshot": "first snapshot, rows/s",
    "push": "push of edits, operations/s",
    "push_new": "push of new rows, operations/s",
    "pull": "pull of another's edits, operations/s",
    "pull_new": "pull of another's new rows, operations/s",
}


def report(number: int) -> Call:
    fields = {
        "name": f"客户{number}",
        "phone": f"138{number:08}",
        "city": "上海",
        "category": "kitchen",
        "note": "x" * 40,
    }
    return Call("leads.report", None, fields)


def edits(ids: Sequence[str], note: str) -> list[Call]:
    return [Call("leads.edit", name, {"note": note}) for name in ids]


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


# -- one step after the other ------------------------------------------------------------------------------------------


def steps(place: Path, rows: int, count: int, singles: int) -> Taken:
    """The steps that the peers do as well, in seconds."""
    central = Central(place)
    try:
        ids = central.run([report(number) for number in range(rows)])
        hugo = central.operator("hugo", "manager")
        with central.serving():
            one, two = central.device(hugo, "one"), central.device(hugo, "two")
            one.client.sync()
            taken: Taken = {"snapshot": [seconds(two.client.sync)]}
            one.run(edits(ids[:count], "edited offline"))
            _both_ways(taken, one, two, "push", "pull")
            one.run([report(number) for number in range(rows, rows + count)])
            _both_ways(taken, one, two, "push_new", "pull_new")
            taken["single"] = [seconds(lambda name=name: _single(one, name)) for name in ids[:singles]]  # type: ignore[misc]
            two.client.sync()
            taken["converge"] = [_converge(one, two, ids[: 2 * count], count)]
            require_same(central, one, two)
            one.close()
            two.close()
    finally:
        central.close()
    return taken


def _both_ways(taken: Taken, one: Device, two: Device, push: str, pull: str) -> None:
    taken[push] = [seconds(lambda: one.client.push(Report()))]
    one.client.sync()
    taken[pull] = [seconds(lambda: two.client.pull(Report()))]


def _single(device: Device, name: str) -> None:
    device.ws.do("leads.edit", name, note="edited alone")
    device.client.sync()


def _converge(one: Device, two: Device, ids: Sequence[str], count: int) -> float:
    """Each edits offline; both decide some of the same leads, each otherwise, so that the later is refused."""
    shared = int(count * CONFLICTS)
    mine, both, theirs = ids[: count - shared], ids[count - shared : count], ids[count : 2 * count - shared]
    one.run(edits(mine, "from one") + [Call("leads.accept", name, {}) for name in both])
    two.run(
        [Call("leads.reject", name, {"reason": "wrong_number", "note": "rang twice"}) for name in both]
        + edits(theirs, "from two")
    )
    taken = seconds(lambda: [device.client.sync() for device in (one, two, one)])
    if len(two.client.conflicts()) != shared or one.client.conflicts():
        raise RuntimeError("other conflicts than those that were made")
    return taken


def require_same(central: Central, *devices: Device) -> None:
    """Raise RuntimeError where a device and the central store differ in any row, or something is left over."""
    for device in devices:
        odd = device.client.check(Report())
        if odd or device.client.pending():
            raise RuntimeError(f"a device differs in {odd}, {len(device.client.pending())} operations wait")


# -- far away ----------------------------------------------------------------------------------------------------------


class Far:
    """A long way to the central store: every call takes a round trip more, and some answers are lost after the central
    store has done what was asked."""

    def __init__(self, inner: Transport, seed: int) -> None:
        import random

        self.inner = inner
        self.dice = random.Random(seed)
        self.calls = self.lost = 0

    def call(self, kind: str, body: bytes, *, timeout: float = 60.0) -> bytes:
        self.calls += 1
        time.sleep(ROUND_TRIP_S)
        answer = self.inner.call(kind, body, timeout=timeout)
        if self.dice.random() < LOST:
            self.lost += 1
            raise Unreachable("the answer was lost", hint="")
        return answer

    def close(self) -> None:
        self.inner.close()


def far(place: Path, rounds: int) -> bool:
    """Two devices at work for a while; everything they did is there once, and both hold the same."""
    central = Central(place)
    try:
        ids = central.run([report(number) for number in range(2 * rounds)])
        hugo = central.operator("hugo", "manager")
        with central.serving():
            devices = [central.device(hugo, name) for name in ("one", "two")]
            for device in devices:
                device.client.sync()
            before = central.office.data_version()
            near = [device.transport for device in devices]
            ways = [Far(transport, seed) for seed, transport in enumerate(near)]
            for device, way in zip(devices, ways, strict=True):
                device.use(way)
            taken = seconds(lambda: _side_by_side(devices, ids))
            for device, transport in zip(devices, near, strict=True):
                device.use(transport)
            require_same(central, *devices)
            done = central.office.data_version() - before
            for device in devices:
                device.close()
    finally:
        central.close()
    calls, lost = sum(way.calls for way in ways), sum(way.lost for way in ways)
    print(
        f"round trips of {ROUND_TRIP_S * 1000:.0f} ms, {LOST:.0%} of answers lost after the commit: two devices, "
        f"{2 * rounds} edits one by one, {calls} requests, {lost} answers lost: {taken:.1f} s, "
        f"{taken / rounds * 1000:.0f} ms an edit with its sync; {done} operations arrived"
    )
    return done == 2 * rounds and lost > 0


def _side_by_side(devices: Sequence[Device], ids: Sequence[str]) -> None:
    threads = [
        threading.Thread(target=_work_far, args=(device, ids[place :: len(devices)]))
        for place, device in enumerate(devices)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _work_far(device: Device, ids: Sequence[str]) -> None:
    for name in ids:
        device.ws.do("leads.edit", name, note="from far away")
        _until_done(device)


def _until_done(device: Device) -> None:
    """Sync until it was not cut off."""
    while True:
        try:
            device.client.sync()
            return
        except Unreachable:
            continue


# -- what is printed ---------------------------------------------------------------------------------------------------


def _add(results: dict[str, Taken], more: dict[str, Taken]) -> None:
    for name, taken in more.items():
        for step, times in taken.items():
            results.setdefault(name, {}).setdefault(step, []).extend(times)


def _per_second(name: str, taken: Taken, rows: int, count: int) -> float:
    return (rows if name == "snapshot" else count) / statistics.median(taken[name])


def show(results: dict[str, Taken], rows: int, count: int) -> bool:
    """A table of all programs, medians of the runs; whether ours reached the goals."""
    print(f"{'':44}" + "".join(f"{name:>12}" for name in results) + f"{'goal':>12}")
    good = True
    for name, words in SHOWN.items():
        rates = [_per_second(name, taken, rows, count) for taken in results.values()]
        late = rates[0] < GOALS[name]
        good = good and not late
        values = "".join(f"{rate:12,.0f}" for rate in rates)
        print(f"{words:44}{values}{GOALS[name]:12,}{'  MISSED' if late else ''}")
    for words, goal, times in (
        (
            "an edit with its sync, median, ms",
            GOAL_SINGLE_MS,
            [1000 * statistics.median(taken["single"]) for taken in results.values()],
        ),
        (
            f"two devices, {count:,} edits each, converge, s",
            GOAL_CONVERGE_S,
            [statistics.median(taken["converge"]) for taken in results.values()],
        ),
    ):
        late = times[0] > goal
        good = good and not late
        print(f"{words:44}" + "".join(f"{item:12.2f}" for item in times) + f"{goal:12}{'  MISSED' if late else ''}")
    return good


def main(words: Sequence[str] | None = None) -> int:
    """Measure and print; 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(PARTS))
    parser.add_argument("--peers", type=Path)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--edits", type=int, default=5_000)
    parser.add_argument("--singles", type=int, default=200)
    parser.add_argument("--runs", type=int, default=3, help="of the steps")
    parser.add_argument("--rounds", type=int, default=100, help="edits of each device that is far away")
    parser.add_argument("--devices", type=int, default=200)
    parser.add_argument("--every", type=float, default=4.0, help="seconds between two edits of one device")
    parser.add_argument("--seconds", type=float, default=30.0)
    chosen = parser.parse_args(words)
    parts = chosen.parts or PARTS
    if unknown := set(parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    good = True
    if "steps" in parts:
        sizes = {"rows": chosen.rows, "edits": chosen.edits, "singles": chosen.singles, "conflicts": CONFLICTS}
        results: dict[str, Taken] = {}
        for _run in range(chosen.runs):
            with tempfile.TemporaryDirectory() as place:
                _add(results, {"bo": steps(Path(place), chosen.rows, chosen.edits, chosen.singles)})
            _add(results, found.measured(chosen.peers, sizes))
        good = show(results, chosen.rows, chosen.edits)
    if "far" in parts:
        with tempfile.TemporaryDirectory() as place:
            good = far(Path(place), chosen.rounds) and good
    if "crowd" in parts:
        with tempfile.TemporaryDirectory() as place:
            good = crowd(Path(place), chosen.devices, chosen.seconds, chosen.every, GOAL_CROWD_MS) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
