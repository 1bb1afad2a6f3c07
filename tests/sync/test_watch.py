"""Syncing again and again: when it waits, how long it stays away, and what ends it."""

from __future__ import annotations

from typing import cast

import pytest

from bo.core.kernel.errors import BadFile, BoError
from bo.sync.central import OldSchema, Revoked
from bo.sync.client import Client, Report
from bo.sync.transport import LoggedOut, Unreachable
from bo.sync.watch import PAUSE_MOST_S, BackOff, watch


class Stop(Exception):
    """Ends a watch in a test."""


class Script:
    """A client that does what it is told, and notes how long it was asked to wait."""

    def __init__(self, *steps: Report | BoError) -> None:
        self.steps = list(steps)
        self.waits: list[float] = []

    def sync(self, *, wait: float = 0.0) -> Report:
        self.waits.append(wait)
        if not self.steps:
            raise Stop
        step = self.steps.pop(0)
        if isinstance(step, BoError):
            raise step
        return step


def run(script: Script, *, every: float = 10.0) -> tuple[list[float], list[str]]:
    """Watch until the script is at its end: the pauses, and the codes of the troubles."""
    pauses: list[float] = []
    troubles: list[str] = []
    with pytest.raises(Stop):
        watch(
            cast("Client", script),
            every=every,
            sleep=pauses.append,
            clock=lambda: 0.0,
            trouble=lambda error, _pause: troubles.append(error.code),
            back_off=BackOff(chance=lambda _least, most: most),
        )
    return pauses, troubles


def test_the_first_sync_waits_for_nothing_and_the_next_ones_for_news() -> None:
    script = Script(Report(received=3), Report(received=1), Report())

    run(script, every=8.0)

    assert script.waits == [0.0, 8.0, 8.0, 8.0]


def test_a_central_that_keeps_nobody_waiting_is_not_asked_without_rest() -> None:
    pauses, _troubles = run(Script(Report(received=1), Report(received=1), Report(), Report(events=["late"])))

    assert pauses == [10.0, 10.0]


def test_nobody_is_kept_waiting_longer_than_central_allows() -> None:
    script = Script(Report())

    run(script, every=600.0)

    assert script.waits == [0.0, 25.0]


def test_it_stays_away_longer_each_time_and_comes_back_at_once_when_it_works() -> None:
    away = [Unreachable("away") for _time in range(4)]
    pauses, troubles = run(Script(*away, Report(received=1), Unreachable("away")))

    assert pauses == [2.0, 4.0, 8.0, 16.0, 2.0]
    assert troubles == ["unreachable"] * 5


def test_pauses_are_spread_and_bounded() -> None:
    back_off = BackOff()
    pauses = [back_off.after(Unreachable("away")) for _time in range(200)]

    assert max(pauses) <= PAUSE_MOST_S
    assert min(pauses[20:]) < PAUSE_MOST_S / 2 < max(pauses)


def test_it_stays_away_as_long_as_central_asks_for_at_least() -> None:
    pauses, _troubles = run(Script(Unreachable("away", after=30.0)))

    assert pauses == [32.0]


@pytest.mark.parametrize("error", [BadFile("cut"), BoError("a fault at central", http=500)])
def test_an_answer_that_was_cut_and_a_fault_at_central_are_waited_out(error: BoError) -> None:
    _pauses, troubles = run(Script(error))

    assert troubles == [error.code]


@pytest.mark.parametrize("error", [LoggedOut("out"), Revoked("shut out"), OldSchema("old"), BoError("x", http=404)])
def test_what_no_waiting_mends_ends_it(error: BoError) -> None:
    script = Script(error, Report())

    with pytest.raises(type(error)):
        watch(cast("Client", script), sleep=lambda _seconds: None)

    assert len(script.waits) == 1
