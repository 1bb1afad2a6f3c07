"""Setbacks of processes: a first sync that is cut off, disks that are full, a device that is shut out, an old office.
Each is told in words of its own, and nothing is lost by it."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from itertools import count
from pathlib import Path
from random import Random

import pytest

from bo.core.kernel.database import DATABASE_NAME, SqliteDatabase
from bo.sync.client import SPOOL_NAME
from tests.sync.house import ORG, PASSWORD
from tests.sync.processes import (
    LEADS,
    Fate,
    Site,
    as_first_written,
    has_room_for,
    in_step,
    kill_at,
    leads_of,
    lets_in_cheaply,
    sends_parts_of,
)

pytestmark = pytest.mark.skipif(os.name == "nt", reason="kill -9 and limits of files are POSIX")
QUICK = lets_in_cheaply()
IN_PARTS = f"{QUICK}\n{sends_parts_of(300)}"  # the snapshot of the large organisation comes in four


# -- a first sync that is cut off --------------------------------------------------------------------------------------


TYPED = f"{PASSWORD}\n"


def test_a_login_whose_snapshot_is_cut_goes_on_from_the_part_that_came(large_site: Site) -> None:
    site = large_site
    site.start(IN_PARTS)
    laptop = site.folder_of("hugo")
    parts = count(1)
    site.line.answered = lambda path: Fate.CUT if path == "snapshot" and next(parts) > 1 else Fate.PASSED

    ran = laptop.bo(*laptop.login_words(site.url, "hugo"), "-o", "json", stdin=TYPED)

    assert (ran.returncode, '"code": "unreachable"' in ran.stderr) == (69, True), ran
    spool = (laptop.folder / SPOOL_NAME).read_bytes()
    assert spool.count(b"\n") == 1
    assert sum(path == "snapshot" for path, _body in site.line.requests) == 4  # the second was asked for three times
    site.line.calm()
    site.line.requests.clear()
    laptop.well("sync")
    asked = [body for path, body in site.line.requests if path == "snapshot"]
    assert len(asked) == 3
    assert b'"after":""' not in b"".join(asked)
    assert not (laptop.folder / SPOOL_NAME).exists()
    assert len(laptop.rows()["leads"]) == LEADS
    in_step(site, laptop)


def test_a_login_that_is_killed_leaves_a_folder_that_is_whole_or_says_what_to_do(large_site: Site) -> None:
    site, chance = large_site, Random(33)
    site.start(IN_PARTS)
    left = Counter[int]()
    for path in ("login", "hello", "snapshot", "snapshot", "pull"):
        laptop = site.folder_of("hugo")
        words = laptop.login_words(site.url, "hugo")
        process = laptop.start(*words, stdin=TYPED)
        kill_at(site, process, path, chance.uniform(0, 0.1))
        assert process.wait() in (-signal.SIGKILL, 0)

        ran = laptop.bo("sync")
        left[ran.returncode] += 1
        if ran.returncode != 0:
            assert ran.returncode == 78, ran
            assert "there is no office" in ran.stderr
            assert laptop.bo(*words, stdin=TYPED).returncode == 0
        in_step(site, laptop)
    assert left[0] >= 3


# -- no room -----------------------------------------------------------------------------------------------------------


def test_a_device_whose_disk_is_full_says_so_and_keeps_its_outbox(site: Site) -> None:
    site.start()
    laptop, other = site.laptop(), site.laptop("boss")
    operations = laptop.report(20, 0)
    other.report(300, 1000)
    other.sync()
    before = laptop.rows()
    alone = ("leads", "report", "--name", "李雷", "--phone", "13700137000")
    for size, words in ((0, alone), (4096, alone), (0, ("sync",)), (65_536, ("sync",)), (200_000, ("sync",))):
        ran = laptop.bo(*words, "-o", "json", code=has_room_for(size))
        assert ran.returncode == 75, (size, words, ran)
        assert '"code": "storage_full"' in ran.stderr, (size, words, ran)
        assert list(laptop.outbox()) == operations
        assert laptop.rows() == before
    laptop.well("sync")

    assert leads_of(site)[0] == 320
    in_step(site, laptop)


@pytest.mark.parametrize(("size", "code"), [(100, 65), (300_000, 75)])
def test_a_login_for_which_there_is_no_room_leaves_no_office(site: Site, size: int, code: int) -> None:
    site.start(QUICK)
    laptop = site.folder_of("hugo")
    words = laptop.login_words(site.url, "hugo")

    ran = laptop.bo(*words, code=has_room_for(size), stdin=TYPED)

    assert ran.returncode == code, ran
    assert not (laptop.folder / DATABASE_NAME).exists()
    assert "there is no office" in laptop.bo("sync").stderr
    assert laptop.bo(*words, stdin=TYPED).returncode == 0
    in_step(site, laptop)


def test_a_snapshot_for_which_there_is_no_room_is_said_so_and_goes_on_later(large_site: Site) -> None:
    site = large_site
    site.start(IN_PARTS)
    laptop = site.laptop(synced=False)

    for size in (100_000, 400_000, 800_000):
        ran = laptop.bo("sync", "-o", "json", code=has_room_for(size))
        assert ran.returncode == 75, (size, ran)
        assert '"code": "storage_full"' in ran.stderr, (size, ran)
    laptop.well("sync")

    assert len(laptop.rows()["leads"]) == LEADS
    in_step(site, laptop)


def test_a_central_store_without_room_refuses_whole_and_goes_on_when_there_is_some(site: Site) -> None:
    resource = pytest.importorskip("resource")
    server = site.start()
    laptop = site.laptop()
    operations = laptop.report(200, 0)
    before = site.journal()
    unlimited = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
    for _time in range(2):
        ran = laptop.bo("sync", "-o", "json")
        assert (ran.returncode, '"code": "storage_full"' in ran.stderr) == (75, True), ran
        assert list(laptop.outbox()) == operations
        assert site.journal() == before
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, unlimited)
    laptop.well("sync")

    assert leads_of(site)[0] == 200
    in_step(site, laptop)


# -- shut out, and old -------------------------------------------------------------------------------------------------


def test_a_revoked_device_leaves_its_last_words_once(site: Site) -> None:
    site.start()
    laptop = site.laptop()
    operations = laptop.report(3, 0)
    with laptop.opened() as ws:
        device = ws.device
    before = site.journal()
    site.office.do("devices.revoke", device, reason="lost in a taxi")
    kept = []
    for _time in range(2):
        ran = laptop.bo("sync", "-o", "json")
        assert (ran.returncode, '"code": "revoked"' in ran.stderr) == (77, True), ran
        laptop.report(1, 100 + _time)
        kept.append(site.selected("SELECT id, device, reason, body FROM quarantine"))

    assert kept[0] == kept[1]
    ((name, whose, reason, body),) = kept[0]
    assert (name, whose, reason) == (f"last_{device}", device, "revoked")
    assert [item["id"] for item in json.loads(str(body))["ops"]] == operations
    assert leads_of(site)[0] == 0
    assert len(site.journal()) == len(before) + 1


def test_an_office_of_the_first_schema_becomes_a_central_store(large: Path, tmp_path: Path) -> None:
    old = tmp_path / "central" / ORG / DATABASE_NAME
    as_first_written(large / ORG / DATABASE_NAME, old)
    database = SqliteDatabase(old)
    database.session.cursor.execute("SELECT version_num FROM alembic_version")
    assert database.session.cursor.fetchall() == [("0001",)]
    database.close()
    site = Site(tmp_path)
    try:
        site.start()
        password = ("central", "user", "password", ORG, "hugo", "--data", str(tmp_path / "central"), "--password-stdin")
        laptop = site.folder_of("hugo")
        assert laptop.bo(*password, stdin=TYPED).returncode == 0
        ran = laptop.bo(*laptop.login_words(site.url, "hugo"), stdin=TYPED)
        assert ran.returncode == 0, ran
        laptop.report(1, 0)
        laptop.well("sync")

        assert leads_of(site)[0] == LEADS + 1
        assert old.with_suffix(".before-upgrade.db").exists()
        in_step(site, laptop)
    finally:
        site.close()
