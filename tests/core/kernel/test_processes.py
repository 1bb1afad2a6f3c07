"""Several processes on one database, and processes that die: nothing acknowledged is lost, nothing is half there."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from random import Random

import pytest

from bo.core.kernel.replay import replay
from bo.core.kernel.workspace import Workspace
from tests.core.kernel.clerk import address_of
from tests.core.kernel.making import NewOffice, everything_in
from tests.core.kernel.office.records import Shop
from tests.tidy.code import PROJECT

INCREMENTS = 200
KILLS = 8


@pytest.fixture
def clerks(office: Workspace) -> Iterator[Clerks]:
    """Starts processes that work in the office, and ends those that a failed test has left."""
    office.do("shops.add", code="west")
    started = Clerks(office)
    yield started
    for process in started.running:
        process.kill()
        process.communicate()


class Clerks:
    """Processes at work on one office."""

    def __init__(self, office: Workspace) -> None:
        self.address = address_of(office.database)
        self.running: list[subprocess.Popen[str]] = []

    def start(self, work: str, count: int, limit: int = 0) -> subprocess.Popen[str]:
        words = [sys.executable, "-m", "tests.core.kernel.clerk", self.address, work, str(count), str(limit)]
        path = os.pathsep.join((str(PROJECT / "src"), str(PROJECT)))
        process = subprocess.Popen(
            words,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            cwd=PROJECT,
            env={**os.environ, "PYTHONPATH": path},
        )
        self.running.append(process)
        return process


def acknowledged(text: str) -> list[str]:
    """The operations of whole lines: a line cut short was not heard."""
    return [word for line in text.splitlines(keepends=True) if line.endswith("\n") for word in line.split()]


def recorded(office: Workspace) -> dict[str, str]:
    return {item.id: item.name for item in office.operations(limit=100_000)}


def test_two_processes_that_count_up_at_once_lose_nothing(office: Workspace, clerks: Clerks) -> None:
    both = [clerks.start("count_up", INCREMENTS) for _ in range(2)]
    ended = [process.communicate(timeout=240) for process in both]

    assert [(process.returncode, error) for process, (_out, error) in zip(both, ended, strict=True)] == [(0, "")] * 2
    assert office.reader().get(Shop, "west").tickets == 2 * INCREMENTS
    heard = [operation for out, _error in ended for operation in acknowledged(out)]
    assert set(heard) == set(recorded(office)) - {office.operations(before=2)[0].id}
    assert len(heard) == 2 * INCREMENTS == office.verify() - 1


def test_a_process_killed_at_any_moment_leaves_whole_operations(
    office: Workspace, clerks: Clerks, new_office: NewOffice
) -> None:
    chance = Random(17)
    heard: list[str] = []
    for _ in range(KILLS):
        process = clerks.start("serve", 10_000)
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(chance.randrange(1, 25))]
        process.kill()
        rest, error = process.communicate(timeout=240)
        assert error == ""
        heard += acknowledged("".join(lines) + rest)

    done = recorded(office)
    assert set(heard) <= set(done)
    assert office.verify() == len(done) >= len(heard) > KILLS * 3
    names = list(done.values())
    tables = everything_in(office)
    assert len(tables["ticket"]) == names.count("tickets.open") - names.count("tickets.drop")
    assert len(tables["slip"]) == names.count("tickets.close") == names.count("tickets.open")
    assert office.reader().get(Shop, "west").tickets == names.count("shops.count_up") == names.count("tickets.open")
    target = new_office(office.database.dialect)
    assert replay(office, target) == len(done)
    assert everything_in(target) == tables


def test_a_reader_sees_one_state_while_another_process_writes(office: Workspace, clerks: Clerks) -> None:
    process = clerks.start("count_up", INCREMENTS)
    assert process.stdout is not None
    process.stdout.readline()
    seen = []

    while process.poll() is None:
        with office.database.reading():
            first = (office.reader().get(Shop, "west").tickets, office.data_version())
            assert len(everything_in(office)["operation"]) == first[1] == first[0] + 1
            again = (office.reader().get(Shop, "west").tickets, office.data_version())
            assert again == first
        office.verify()
        seen.append(first)
    process.communicate(timeout=240)

    assert process.returncode == 0
    assert seen == sorted(seen)
    assert len(set(seen)) > 1


@pytest.mark.skipif(os.name == "nt", reason="the size of files is limited the POSIX way")
@pytest.mark.parametrize("office", ["sqlite"], indirect=True)
def test_a_full_disk_leaves_what_was_acknowledged(office: Workspace, clerks: Clerks) -> None:
    process = clerks.start("hoard", 1000, limit=3_000_000)
    out, error = process.communicate(timeout=240)

    assert (process.returncode, error) == (28, "")
    heard = acknowledged(out)
    assert heard[-1] == "full"
    assert set(heard[:-1]) == set(recorded(office)) - {office.operations(before=2)[0].id}
    assert office.verify() == len(heard) > 50
    assert office.reader().count("tickets") == len(heard) - 1
    assert office.do("shops.count_up", "west").status == "applied"
