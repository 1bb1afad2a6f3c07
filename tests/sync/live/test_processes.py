"""Servers and devices as processes that are killed, stopped and cut off: what central has acknowledged is there once,
nothing is there twice, and what comes after goes on from there."""

from __future__ import annotations

import csv
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import count
from random import Random

import pytest

from bo.core.kernel.database import PostgresDatabase
from bo.sync.protocol import OPERATIONS_MOST
from bo.sync.transport import Unreachable
from tests.sync import judging
from tests.sync.processes import (
    Fate,
    Laptop,
    Site,
    dies_in,
    fingerprint,
    in_step,
    kill_at,
    leads_of,
    reports,
)

pytestmark = pytest.mark.skipif(os.name == "nt", reason="kill -9, STOP and TERM are POSIX")


# -- kill -9 -----------------------------------------------------------------------------------------------------------

KILLS = 20
BEFORE_COMMIT = dies_in("bo.sync.push", "_keep_contact")


def test_a_server_that_is_killed_around_its_commits_keeps_what_it_acknowledged_once(site: Site) -> None:
    chance, numbers = Random(31), count(0, 3)
    site.start()
    laptop = site.laptop()
    site.server.kill()
    ways: list[Callable[[Site, Random], None]] = [_inside, _anywhere, _unheard, _heard]
    with laptop.client() as client:
        for way in ways * (KILLS // len(ways)):
            way(site, chance)
            operations = laptop.report(3, next(numbers))
            with pytest.raises(Unreachable):
                client.sync()
            assert site.server.ended() == -signal.SIGKILL
            found = site.journal().keys() & set(operations)
            if way is _inside:
                assert not found
            elif way is not _anywhere:
                assert found == set(operations)
            assert laptop.told.keys() <= site.journal().keys()
            assert laptop.outbox().keys() >= set(operations) - laptop.told.keys()
            site.line.calm()
        site.start()
        client.sync()

    assert leads_of(site)[0] == 3 * KILLS
    in_step(site, laptop)


def _inside(site: Site, _chance: Random) -> None:
    """Killed when everything is written and nothing is committed."""
    site.start(BEFORE_COMMIT)


def _anywhere(site: Site, chance: Random) -> None:
    """Killed within the first moments of a push."""
    server = site.start()

    def sent(path: str) -> None:
        if path == "push":
            time.sleep(chance.uniform(0, 0.02))
            server.kill()

    site.line.sent = sent


def _unheard(site: Site, _chance: Random) -> None:
    """Killed after the commit; the device hears nothing."""
    server = site.start()

    def answered(path: str) -> Fate:
        if path != "push":
            return Fate.PASSED
        server.kill()
        return Fate.LOST

    site.line.answered = answered


def _heard(site: Site, _chance: Random) -> None:
    """Killed after the commit; the device has been told."""
    server = site.start()

    def sent(path: str) -> None:
        if path == "pull":
            server.kill()

    site.line.sent = sent


def test_a_sync_that_is_killed_at_any_moment_is_made_good_by_the_next(site: Site) -> None:
    chance, numbers = Random(32), count(0, 100)
    site.start()
    laptop, other = site.laptop(), site.laptop("boss")
    kills = rounds = 0
    with other.client() as client:
        while kills < KILLS:
            rounds += 1
            laptop.report(10, next(numbers))
            client.ws.run(reports(40, next(numbers)), atomic=True)
            client.sync()
            process = laptop.start("sync")
            kill_at(site, process, ("push", "pull", "hello")[rounds % 3], chance.uniform(0, 0.03))
            kills += process.returncode == -signal.SIGKILL
            assert set(site.journal().values()) == {1}
        laptop.well("sync")
        client.sync()

    assert leads_of(site)[0] == rounds * 50
    in_step(site, laptop, other)


def test_a_device_that_dies_between_rows_and_cursor_takes_them_in_again(site: Site) -> None:
    site.start()
    laptop, other = site.laptop(), site.laptop("boss")
    laptop.report(5, 0)
    other.report(5, 100)
    other.sync()
    before, waiting = laptop.rows(), laptop.outbox()

    for _time in range(2):
        assert laptop.bo("sync", code=dies_in("bo.sync.rebase", "move_cursor")).returncode == -signal.SIGKILL
        assert (laptop.rows(), laptop.outbox()) == (before, waiting)
    laptop.well("sync")

    assert leads_of(site)[0] == 10
    in_step(site, laptop)


def test_what_is_done_while_a_sync_is_at_work_is_kept_and_does_not_keep_it_at_work(site: Site) -> None:
    site.start()
    laptop, other = site.laptop(), site.laptop("boss")
    operations = laptop.report(1, 10_000)
    with other.client() as client, laptop.opened() as ws:
        for round_ in range(2):
            client.ws.run(reports(100, 1000 * round_), atomic=True)
            client.sync()
            site.line.requests.clear()
            process = laptop.start("sync")
            while process.poll() is None:
                operations += [made.operation for made in ws.run(reports(1, 10_000 + len(operations)))]
            assert process.returncode == 0
            pushes = sum(path == "push" for path, _body in site.line.requests)
            assert pushes <= 1 + len(operations) // OPERATIONS_MOST
    assert len(operations) > 10
    assert site.journal().keys() | laptop.outbox().keys() >= set(operations)
    laptop.well("sync")

    assert leads_of(site)[0] == 200 + len(operations)
    in_step(site, laptop)


# -- a server that hangs, or is told to end ----------------------------------------------------------------------------


def test_a_server_that_is_stopped_in_the_middle_of_a_push_is_given_up_at_the_deadline(site: Site) -> None:
    server = site.start()
    laptop = site.laptop()
    laptop.report(300, 0)

    def sent(path: str) -> None:
        if path == "push":
            server.signal(signal.SIGSTOP)

    site.line.sent = sent
    started = time.monotonic()
    with laptop.client(tries=3, timeout=3.0) as client, pytest.raises(Unreachable) as told:
        client.sync()
    assert told.value.facts["late"] is True
    assert 2.9 < time.monotonic() - started < 9  # all tries together
    assert len(laptop.outbox()) == 300

    site.line.calm()
    server.signal(signal.SIGCONT)
    with laptop.client() as client:
        client.sync()
    assert leads_of(site)[0] == 300
    in_step(site, laptop)


@pytest.mark.parametrize("after", [0.0, 0.01, 0.04])
def test_a_server_that_is_told_to_end_in_the_middle_of_a_push_leaves_nothing_half(site: Site, after: float) -> None:
    server = site.start()
    laptop = site.laptop()
    operations = set(laptop.report(300, 0))

    def sent(path: str) -> None:
        if path == "push":
            time.sleep(after)
            server.signal(signal.SIGTERM)

    site.line.sent = sent
    with laptop.client() as client, suppress(Unreachable):  # what is quick enough is still answered
        client.sync()
    assert server.ended() == 0
    assert len(site.journal().keys() & operations) in (0, 300)
    site.line.calm()
    site.start()
    laptop.well("sync")

    assert site.journal().keys() >= operations
    in_step(site, laptop)


# -- a line that loses things ------------------------------------------------------------------------------------------


def losing(share: float, chance: Random) -> Callable[[str], Fate]:
    """Loses a share of the answers, after central has committed what they are about."""
    lock = threading.Lock()

    def answered(_path: str) -> Fate:
        with lock:
            return Fate.LOST if chance.random() < share else Fate.PASSED

    return answered


@pytest.mark.parametrize(("delay", "laptops", "edits"), [(0.2, 4, 3), (0.0, 2, 75)])
def test_answers_that_are_lost_leave_one_effect_each(site: Site, delay: float, laptops: int, edits: int) -> None:
    site.start()
    made = [site.laptop(user) for user in ("hugo", "boss") * (laptops // 2)]
    lost = Counter[str]()
    lose = losing(0.03, Random(12))

    def answered(path: str) -> Fate:
        fate = lose(path)
        lost[path] += fate is Fate.LOST
        return fate

    site.line.answered, site.line.delay = answered, delay
    together([partial(work_and_sync, laptop, edits, 1000 * place) for place, laptop in enumerate(made)])
    site.line.calm()
    for laptop in made:
        laptop.sync()

    assert sum(lost.values()) >= (2 if delay else 9)
    assert leads_of(site)[0] == laptops * edits
    in_step(site, *made)


def work_and_sync(laptop: Laptop, edits: int, first: int) -> None:
    """Report a lead, sync; and again."""
    with laptop.client(tries=4) as client:
        for place in range(edits):
            client.ws.run(reports(1, first + place), atomic=True)
            client.sync()


def together(work: list[Callable[[], None]]) -> None:
    """Do things at the same time; the first that fails is raised."""
    failed: list[BaseException] = []
    ready = threading.Barrier(len(work))

    def run(part: Callable[[], None]) -> None:
        try:
            ready.wait()
            part()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(part,)) for part in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


# -- two servers over one PostgreSQL -----------------------------------------------------------------------------------


def test_two_servers_of_one_database_let_nobody_miss_a_commit(shared_site: Site) -> None:
    site = shared_site
    writers = [site.laptop(url=site.urls[place % 2]) for place in range(6)]
    reader = site.laptop("boss", url=site.urls[0])
    ended = threading.Event()
    seen: list[int] = []

    def read_on() -> None:
        with reader.client() as client:
            while True:
                last = ended.is_set()
                client.sync()
                seen.append(client.ws.data_version())
                if last:
                    return

    def write(laptop: Laptop, first: int) -> None:
        with laptop.client() as client:
            for round_ in range(6):
                client.ws.run(reports(10, first + 10 * round_), atomic=True)
                client.sync()

    reading = threading.Thread(target=read_on)
    reading.start()
    try:
        together([partial(write, laptop, 1000 * place) for place, laptop in enumerate(writers)])
    finally:
        ended.set()
        reading.join()
    for laptop in writers:
        laptop.sync()

    assert leads_of(site)[0] == 6 * 6 * 10
    assert seen == sorted(seen)
    assert len(set(seen)) > 3  # it did read in between
    with reader.opened() as ws:
        read = [row[0] for row in judging.selected(ws, "SELECT seq FROM operation ORDER BY seq")]
    ((first,),) = site.selected("SELECT MIN(seq) FROM operation WHERE name = 'leads.report'")
    assert isinstance(first, int)
    assert read[-360:] == list(range(first, first + 360))
    in_step(site, reader, *writers)


def test_of_eight_devices_that_assign_one_lead_at_once_one_does(shared_site: Site) -> None:
    site = shared_site
    lead = str(site.office.do("leads.report", name="李雷", phone="13800138000", city="上海").returned)
    site.office.do("leads.accept", lead)
    laptops = [site.laptop(url=site.urls[place % 2]) for place in range(8)]
    for place, laptop in enumerate(laptops):
        with laptop.opened() as ws:
            ws.do("leads.assign", lead, store=("S1", "S2")[place % 2])

    for _time in range(2):
        together([laptop.sync for laptop in laptops])

    assert sorted(Counter(state for laptop in laptops for state in laptop.outbox().values()).items()) == [
        ("refused", 7)
    ]
    assert site.selected("SELECT COUNT(*) FROM operation WHERE name = 'leads.assign'") == [(1,)]
    in_step(site, *laptops)


def test_a_database_that_drops_its_connections_costs_nothing_but_another_try(shared_site: Site) -> None:
    site = shared_site
    laptop = site.laptop()
    operations: list[str] = []
    for round_ in range(3):
        operations += laptop.report(100, 100 * round_)
        cut = threading.Event()

        def sent(path: str, cut: threading.Event = cut, after: float = 0.05 * round_) -> None:
            if path == "push" and not cut.is_set():
                cut.set()
                time.sleep(after)
                drop_connections(site)

        site.line.sent = sent
        with laptop.client(tries=20) as client:
            client.sync()
        assert cut.is_set()
    drop_connections(site)
    laptop.well("sync")

    assert site.journal().keys() >= set(operations)
    in_step(site, laptop)


def drop_connections(site: Site) -> None:
    """End every connection to the database, as its restart does."""
    site.reopen()
    _option, url = site.words
    door = PostgresDatabase(url)
    door.session.cursor.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    door.close()


# -- much at once ------------------------------------------------------------------------------------------------------

ROWS = 20_000
MEMORY_MOST = 256 << 20  # of the server; it begins with about 70 MB


def test_a_large_import_that_is_killed_on_its_way_arrives_once_and_whole(site: Site) -> None:
    chance = Random(34)
    server = site.start()
    laptop = site.laptop()
    rows = [(f"N-{place}", f"客户{place}", f"139{place:08}") for place in range(ROWS)]
    table = site.folder / "leads.csv"
    with table.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("number", "name", "phone"), *rows])
    laptop.well("leads", "import", str(table), "--yes")
    assert len(laptop.outbox()) == ROWS
    for _kill in range(5):
        process = laptop.start("sync")
        kill_at(site, process, "push", chance.uniform(0, 0.6))
        assert process.returncode == -signal.SIGKILL
    laptop.well("sync")

    assert leads_of(site) == (ROWS, fingerprint(sorted((number, name, f"+86{phone}") for number, name, phone in rows)))
    assert server.peak_bytes() < MEMORY_MOST
    in_step(site, laptop)
