"""`bo cron run`: silent when it goes well, one at a time, and every run written down."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bo.cli.asked import seconds
from bo.core.kernel.errors import UsageError
from tests.cli.running import Desk, command, environment, process

PRINTS = "import sys; print('data'); print('talk', file=sys.stderr); sys.exit({code})"


def test_a_run_that_goes_well_prints_nothing(desk: Desk) -> None:
    ran = desk.well("cron", "run", "--job", "t", "--", sys.executable, "-c", PRINTS.format(code=0))

    assert (ran.out, ran.err) == ("", "")
    assert desk.well("cron", "log", "--limit", "1").lines()[1].split("\t")[1:3] == ["t", "0"]


def test_a_run_that_fails_shows_what_it_printed_and_has_its_code(desk: Desk) -> None:
    ran = desk.bo("cron", "run", "--job", "t", "--", sys.executable, "-c", PRINTS.format(code=5))

    assert (ran.code, ran.out) == (5, "")
    assert sorted(ran.err.splitlines()[:2]) == ["data", "talk"]
    assert ran.err.endswith("exit 5\n")
    (run,) = desk.well("cron", "log", "-o", "json").things()
    assert (run["job"], run["exit"]) == ("t", 5)


def test_bo_is_this_very_program_in_this_very_workspace(desk: Desk) -> None:
    desk.well("cron", "run", "--", "bo", "roles", "add", "--code", "helper")

    assert desk.well("roles", "count", "code:helper").out == "1\n"


def test_a_second_run_waits_no_longer_than_it_may(office: Path) -> None:
    env = {"BO_WORKSPACE": str(office)}
    holding = "import time; open('held', 'w').close(); time.sleep(600)"
    with subprocess.Popen(
        command("cron", "run", "--job", "t", "--", sys.executable, "-c", holding), env=environment(env), cwd=office
    ) as first:
        while not (office / "held").exists():
            assert first.poll() is None
        at_once = process("cron", "run", "--job", "t", "--", sys.executable, "-c", "pass", env=env)
        waited = process("cron", "run", "--job", "t", "--wait", "0.3s", "--", sys.executable, "-c", "pass", env=env)
        other = process("cron", "run", "--job", "u", "--", sys.executable, "-c", "pass", env=env)
        first.terminate()
        first.wait(60)

    assert (at_once.returncode, waited.returncode, other.returncode) == (75, 75, 0)
    assert "the run before of t is still going on" in at_once.stderr
    assert process("cron", "run", "--job", "t", "--", sys.executable, "-c", "pass", env=env).returncode == 0


@pytest.mark.skipif(os.name == "nt", reason="killing the holder is POSIX here")
def test_a_holder_that_is_killed_leaves_no_lock(office: Path) -> None:
    env = {"BO_WORKSPACE": str(office)}
    holding = "import time; open('held', 'w').close(); time.sleep(3)"
    with subprocess.Popen(
        command("cron", "run", "--job", "t", "--", sys.executable, "-c", holding), env=environment(env), cwd=office
    ) as first:
        while not (office / "held").exists():
            assert first.poll() is None
        first.kill()
        first.wait(60)

    assert process("cron", "run", "--job", "t", "--", sys.executable, "-c", "pass", env=env).returncode == 0


def test_a_run_that_takes_too_long_is_stopped(desk: Desk) -> None:
    ran = desk.bo("cron", "run", "--timeout", "0.3s", "--", sys.executable, "-c", "import time; time.sleep(30)")

    assert ran.code == 75
    assert ran.err.endswith("stopped after 0.3 s\n")


def test_a_command_that_is_not_there_is_a_usage_error(desk: Desk) -> None:
    assert desk.bo("cron", "run", "--", "no-such-program-here").code == 2
    assert desk.bo("cron", "run").code == 2


def test_a_watcher_that_cannot_be_reached_is_no_failure_of_the_job(desk: Desk) -> None:
    ran = desk.well("cron", "run", "--ping", "http://127.0.0.1:9/x", "--", sys.executable, "-c", "pass")

    assert ran.err.startswith("http://127.0.0.1:9/x could not be told")


@pytest.mark.parametrize(("text", "wanted"), [("90", 90.0), ("90s", 90.0), ("2m", 120.0), ("0.5h", 1800.0)])
def test_a_time_is_read(text: str, wanted: float) -> None:
    assert seconds(text, "wait") == wanted


@pytest.mark.parametrize("text", ["", "m", "-1", "2 weeks", "1mm"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        seconds(text, "wait")
