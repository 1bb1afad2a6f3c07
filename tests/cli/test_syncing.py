"""`bo sync` on a device, with central in the same process; the last tests go through a real server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bo.core.kernel.errors import BoError
from bo.sync.device import one_at_a_time, open_device
from bo.sync.transport import LoggedOut, Unreachable
from tests.cli.laptop import URL, Door, Laptop, assigned, refused
from tests.cli.running import SOURCE, Desk, command, environment
from tests.sync.stage import Stage

posix = pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")


def test_a_sync_says_what_it_did(stage: Stage, laptop: Laptop) -> None:
    lead = assigned(stage)
    laptop.joined()
    laptop.well("leads", "take", lead)
    stage.lead(phone="13900139000")  # headquarters' own: a shop's device hears of no row of it

    ran = laptop.bo("sync", "-o", "json")

    assert ran.code == 0
    assert ran.thing() == {
        "sent": 1, "confirmed": 1, "refused": 0, "received": 0, "rows": 0, "waiting": 0, "events": [],
    }  # fmt: skip


def test_a_refusal_has_an_exit_code_of_its_own(stage: Stage, laptop: Laptop) -> None:
    refused(stage, laptop)

    assert laptop.bo("sync").code == 0  # it is told once; the conflict stays until somebody deals with it
    assert len(laptop.conflicts()) == 1


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        (Unreachable("away"), 69),
        (LoggedOut("out"), 77),
        (BoError("a code that nobody knows"), 1),
    ],
)
def test_what_goes_wrong_has_its_exit_code_and_loses_nothing(
    stage: Stage, door: Door, laptop: Laptop, trouble: BoError, code: int
) -> None:
    lead = assigned(stage)
    laptop.joined()
    laptop.well("leads", "take", lead)
    before = laptop.pending()
    door.trouble[""] = trouble

    ran = laptop.bo("sync", "-o", "json")

    assert ran.code == code
    assert ran.error()["code"] == trouble.code
    assert laptop.pending() == before


def test_a_device_that_is_shut_out_is_told_so(stage: Stage, door: Door, laptop: Laptop) -> None:
    from bo.sync.central import Revoked

    laptop.joined()
    door.trouble[""] = Revoked("this device has been shut out")

    assert laptop.bo("sync").code == 77


def test_one_sync_at_a_time(laptop: Laptop, door: Door) -> None:
    laptop.joined()
    calls = len(door.calls)
    with one_at_a_time(laptop.folder):
        ran = laptop.bo("sync")

    assert ran.code == 75
    assert "another bo sync is at work" in ran.err
    assert len(door.calls) == calls


def test_an_office_of_its_own_has_nothing_to_sync(desk: Desk) -> None:
    ran = desk.bo("sync")

    assert ran.code == 78
    assert "bo login URL" in ran.err


def test_a_device_without_its_token_says_to_log_in(laptop: Laptop) -> None:
    laptop.joined()
    laptop.token_file.unlink()

    ran = laptop.bo("sync", "-o", "json")

    assert (ran.code, ran.error()["code"]) == (77, "no_token")


def test_checking_finds_a_row_that_was_altered_and_puts_it_right(stage: Stage, laptop: Laptop) -> None:
    lead = assigned(stage)
    laptop.joined()
    assert laptop.bo("sync", "--check").code == 0
    right = laptop.rows()["leads"]
    with open_device(laptop.folder) as ws, ws.database.writing() as session:
        session.cursor.execute("UPDATE lead SET name = 'x' WHERE id = ?", (lead,))

    ran = laptop.bo("sync", "--check", "-o", "json")

    assert (ran.code, ran.thing()["differed"]) == (1, ["leads"])
    assert laptop.rows()["leads"] == right


def test_the_status_of_a_device(stage: Stage, laptop: Laptop) -> None:
    lead = assigned(stage)
    laptop.joined()
    laptop.well("leads", "take", lead)

    found = laptop.well("sync", "status", "-o", "json").thing()

    with open_device(laptop.folder) as ws:
        device = ws.device
    assert {name: value for name, value in found.items() if name != "contact_at"} == {
        "central": URL, "operator": "anna", "device": device, "waiting": 1, "requests": 0, "refused": 0, "given": 0,
        "cursor": stage.office.data_version(), "lease_days_left": 30,
    }  # fmt: skip
    line = laptop.well("status", "-o", "json").thing()
    assert (line["central"], line["waiting"], line["refused"]) == (URL, 1, 0)


def test_an_unknown_word_after_sync_is_a_wrong_call(laptop: Laptop) -> None:
    laptop.joined()

    assert laptop.bo("sync", "stauts").code == 2
    assert laptop.bo("sync", "--every", "5s").code == 2


def test_a_watch_goes_on_through_an_outage_and_ends_when_it_is_asked_to(
    stage: Stage, door: Door, laptop: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop.joined()
    door.trouble[""] = Unreachable("the line is cut")
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        door.trouble.clear()
        if len(slept) == 1:
            stage.office.do("stores.add", code="S9", name="新店", city="上海")
        else:
            raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", sleep)
    monkeypatch.setattr("bo.sync.watch.watch.__kwdefaults__", {**_defaults(), "sleep": sleep})

    ran = laptop.bo("sync", "--watch", "-o", "jsonl")

    assert ran.code == 0, ran
    (news,) = ran.things()
    assert (news["received"], news["sent"]) == (1, 0)
    assert ran.error()["code"] == "unreachable"


def _defaults() -> dict[str, object]:
    from bo.sync.watch import watch

    return dict(watch.__kwdefaults__ or {})


# -- requests ----------------------------------------------------------------------------------------------------------


def test_a_request_is_told_apart_from_what_is_done(stage: Stage, laptop: Laptop) -> None:
    stage.office.do("operators.edit", "hugo", roles="admin")
    hugo = laptop.joined("hugo")
    before = hugo.rows()

    ran = hugo.bo("roles", "add", "--code", "night")

    assert ran.code == 0
    assert ran.lines()[1].split("\t")[1] == "requested"
    assert "waits for the central store (bo sync)" in ran.err
    assert hugo.rows() == before
    assert hugo.well("sync", "status", "-o", "json").thing()["requests"] == 1
    assert hugo.bo("sync").code == 0
    assert "night" in hugo.well("roles", "list").out


def test_an_everyday_command_on_a_device_says_nothing_more(stage: Stage, laptop: Laptop) -> None:
    lead = assigned(stage)
    laptop.joined()

    ran = laptop.bo("leads", "take", lead)

    assert (ran.code, ran.err) == (0, "")
    assert ran.lines()[1].split("\t")[1] == "applied"


# -- what a start loads ------------------------------------------------------------------------------------------------


def test_everyday_commands_on_a_device_load_nothing_of_sync(laptop: Laptop) -> None:
    laptop.joined()
    program = (
        "import sys; from bo.cli.main import main; code = main(['leads', 'list'])\n"
        "print(code, sorted({name.partition('.')[0] for name in sys.modules} & {'httpx', 'keyring'}),"
        " sorted(name for name in sys.modules if name.startswith('bo.sync')))"
    )
    around = {**os.environ, "PYTHONPATH": str(SOURCE), "BO_WORKSPACE": str(laptop.folder)}

    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=around, check=True)

    assert ran.stdout.splitlines()[-1] == "0 [] []"


# -- a real server -----------------------------------------------------------------------------------------------------


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An organisation behind a server on this machine; its address."""
    pytest.importorskip("uvicorn")
    from uvicorn import Config, Server

    from bo.sync.organisations import Organisations
    from bo.sync.server import Settings, make_app
    from tests.sync.house import cheap_passwords, furnish

    cheap_passwords(monkeypatch)
    organisations = Organisations(tmp_path / "organisations")
    furnish(organisations)
    server = Server(Config(make_app(organisations, Settings()), port=0, log_config=None, access_log=False, ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 60
    while not server.started and time.monotonic() < until:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/acme"
    server.should_exit = True
    thread.join(60)


def test_over_real_http_from_login_to_logout(
    served: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hugo = Laptop(tmp_path / "hugo", capsys, monkeypatch)
    words = ("--token-file", str(hugo.token_file))

    assert hugo.login("hugo", served, *words, password="something else").code == 77
    assert not (hugo.folder / "office.db").exists()
    ran = hugo.login("hugo", served, *words)
    assert ran.code == 0, ran

    hugo.well("leads", "report", "--number", "R-1", "--name", "王芳", "--phone", "13700137000", "--city", "上海")
    ran = hugo.bo("sync", "-o", "json")
    assert (ran.code, ran.thing()["confirmed"]) == (0, 1), ran
    assert hugo.bo("sync", "--check").code == 0

    assert hugo.login("hugo").code == 0
    assert hugo.bo("logout").code == 0
    assert hugo.bo("sync").code == 77


@posix
def test_a_watch_that_is_told_to_end_has_done_well(
    served: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hugo = Laptop(tmp_path / "hugo", capsys, monkeypatch)
    assert hugo.login("hugo", served, "--token-file", str(hugo.token_file)).code == 0
    running = subprocess.Popen(
        command("sync", "--watch", "--every", "1s"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=environment({"BO_WORKSPACE": str(hugo.folder)}),
    )
    assert running.stderr is not None
    assert running.stdout is not None
    try:
        assert "in touch with" in running.stderr.readline()
        hugo.well("leads", "report", "--number", "R-1", "--name", "王芳", "--phone", "13700137000", "--city", "上海")
        assert running.stdout.readline().split("\t")[0] == "at"
        assert running.stdout.readline().split("\t")[1:3] == ["1", "1"]
        assert hugo.bo("sync").code == 75  # it is at work
        running.send_signal(signal.SIGTERM)
        assert running.wait(60) == 0
    finally:
        running.kill()
        running.communicate()
    assert hugo.pending() == []
