"""Programs that end in the middle, and several at once: what is caused is done once."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from random import Random

from bo.core.automation.following import WINDOW, Runner
from bo.core.kernel.dispatch import Call
from tests.core.automation.stage import LINES, Stage
from tests.core.automation.stage import stage as stage
from tests.core.automation.stage import stage_template as stage_template
from tests.tidy.code import PROJECT

ORDERS = 1_500


def start(stage: Stage, work: str) -> subprocess.Popen[str]:
    folder = Path(str(stage.office.database.path)).parent  # type: ignore[attr-defined]
    path = os.pathsep.join((str(PROJECT / "src"), str(PROJECT)))
    return subprocess.Popen(
        [sys.executable, "-m", "tests.core.automation.clerk", str(folder), work],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip


def many_orders(stage: Stage, count: int = ORDERS) -> None:
    """Orders that were recorded, with nobody to follow."""
    stage.deaf()
    calls = [
        Call("orders.record", None, {"number": str(number), "channel": "web", "lines": LINES})
        for number in range(count)
    ]
    assert all(outcome.ok for outcome in stage.office.run(calls))


def test_what_a_program_left_undone_is_done_once(stage: Stage) -> None:
    # given: it ended between the payment and what that causes
    stage.order()
    stage.rule()
    process = start(stage, "pay")
    _out, error = process.communicate(timeout=240)
    assert (process.returncode, error) == (9, "")
    assert (stage.journal()[-1].name, stage.tags(), stage.runs()) == ("orders.pay", (), [])

    # when
    done = [stage.catch_up().calls for _again in range(2)]

    # then
    assert done == [1, 0]
    assert (stage.tags(), stage.by_rules()) == (("paid",), ["orders.tag"])


def test_the_next_command_does_what_was_left_undone(stage: Stage) -> None:
    stage.order()
    stage.rule()
    start(stage, "pay").communicate(timeout=240)

    stage.do("orders.hold", "1001", reason="x")

    assert stage.tags() == ("paid",)
    assert [item.name for item in stage.journal()][-3:] == ["orders.pay", "orders.hold", "orders.tag"]


def test_two_programs_that_catch_up_at_once_do_it_once(stage: Stage) -> None:
    stage.rule(on="orders.record")
    many_orders(stage)

    both = [start(stage, "catch_up") for _ in range(2)]
    ended = [process.communicate(timeout=240) for process in both]

    assert [(process.returncode, error) for process, (_out, error) in zip(both, ended, strict=True)] == [(0, "")] * 2
    assert sum(int(out) for out, _error in ended) == ORDERS
    runs = stage.runs()
    assert len(runs) == len({(run.origin, run.record) for run in runs}) == ORDERS
    assert stage.by_rules() == ["orders.tag"] * ORDERS
    assert stage.office.verify() == stage.office.data_version()


def test_a_program_that_is_killed_while_it_catches_up_leaves_whole_windows(stage: Stage) -> None:
    stage.rule(on="orders.record")
    many_orders(stage)
    chance = Random(11)

    for _time in range(3):
        process = start(stage, "catch_up")
        time.sleep(chance.uniform(0.3, 0.9))
        process.kill()
        process.communicate(timeout=240)
        assert len(stage.runs()) in (0, WINDOW, ORDERS)
    Runner(stage.office).follow()

    runs = stage.runs()
    assert len(runs) == len({(run.origin, run.record) for run in runs}) == ORDERS
    assert stage.by_rules() == ["orders.tag"] * ORDERS
