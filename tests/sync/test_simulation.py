"""Whole histories from one number each: work, syncs, disasters, and in the end all that must hold.

`python -m tests.sync.simulator` runs as many more as there is time for.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sync import simulator
from tests.sync.simulator import on_postgres, on_sqlite, plan, run

ON_SQLITE = range(14)
ON_POSTGRES = range(1000, 1002)


@pytest.mark.parametrize("seed", ON_SQLITE)
def test_a_history_ends_with_everybody_in_step_and_nothing_lost_or_doubled(seed: int) -> None:
    found = run(seed, on_sqlite)

    assert not found.problem, simulator.report(seed, on_sqlite)


@pytest.mark.parametrize("seed", ON_POSTGRES)
def test_so_does_one_with_a_central_store_on_postgresql(postgres_url: str, seed: int) -> None:
    ground = on_postgres(postgres_url)

    found = run(seed, ground)

    assert not found.problem, simulator.report(seed, ground)


def test_a_seed_repeats_exactly() -> None:
    first, second = run(3, on_sqlite), run(3, on_sqlite)

    assert first.said == second.said
    assert first.head == second.head != ""


def test_leaving_steps_out_changes_nothing_that_the_others_draw(tmp_path: Path) -> None:
    steps = plan(7)
    assert steps == plan(7)
    assert len({step.seed for step in steps}) == len(steps)


def test_a_failure_is_told_with_its_seed_and_few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    from bo.sync import push

    monkeypatch.setattr(push, "answered_before", lambda _session, _ids: {})  # what was refused is not known any more
    seed = next(seed for seed in range(50) if run(seed, on_sqlite).problem)

    story = simulator.report(seed, on_sqlite, seconds=3.0)

    assert story.startswith(f"seed {seed} fails with ")
    assert story.rpartition("steps: ")[2].count("(") < len(plan(seed))
