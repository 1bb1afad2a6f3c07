"""A device and its central store come to the same, whatever they do and in whatever order; and the short way of taking
in comes to the same as the long one.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from random import Random

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bo.core.kernel.database import SqliteDatabase
from bo.core.kernel.ids import encode
from bo.core.kernel.tx import SYSTEM
from bo.core.kernel.workspace import SCHEMA_VERSION
from bo.core.office import open_database
from bo.sync import rebase
from bo.sync.client import Report
from bo.sync.protocol import Cursor, Page, Pull
from bo.sync.protocol import encode as encode_message
from tests.sync import judging
from tests.sync.business import Desk
from tests.sync.lossy import Fate, Lossy
from tests.sync.stage import Call, Device, Stage
from tests.sync.world import Theatre

CHANCE = st.integers(0, 2**32)
WHO = st.sampled_from(("hugo", "ada", "anna", "bert"))
FATE = st.sampled_from((Fate.FINE, Fate.FINE, Fate.NO_ANSWER, Fate.NO_REQUEST, Fate.TWICE, Fate.CUT_ANSWER))


class Offices(RuleBasedStateMachine):
    """Headquarters, two shops, and the central store at work; each may sync at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="bo-offices-"))
        self.ids = Random(0)
        path = self.folder / "central.db"
        self.stage = Theatre(self.folder, lambda: SqliteDatabase(path), self.new_id)
        self.devices: dict[str, Device] = {}
        for place in range(6):
            self.stage.lead(phone=f"139001390{place:02}")
        for lead in judging.selected(self.stage.office, "SELECT id FROM lead ORDER BY n LIMIT 4"):
            self.stage.office.do("leads.accept", lead[0])
        for (lead, *_), shop in zip(
            judging.selected(self.stage.office, "SELECT id FROM lead ORDER BY n LIMIT 3"),
            ("S1", "S2", "S1"),
            strict=True,
        ):
            self.stage.office.do("leads.assign", lead, store=shop)
        for login in ("hugo", "ada", "anna", "bert"):
            self.devices[login] = self.stage.device(login, wrap=Lossy)

    def new_id(self) -> str:
        return "op_" + encode(self.ids.getrandbits(128))

    @rule(who=WHO, seed=CHANCE)
    def work(self, who: str, seed: int) -> None:
        desk = Desk(self.devices[who].ws, Random(seed), asks=who == "ada")
        for _time in range(seed % 3 + 1):
            self.devices[who].ws.run([desk.call()])

    @rule(seed=CHANCE)
    def work_at_central(self, seed: int) -> None:
        desk = Desk(self.stage.office, Random(seed))
        self.stage.office.run([desk.call() for _call in range(seed % 3 + 1)])

    @rule(seed=CHANCE)
    def move(self, seed: int) -> None:
        who = ("anna", "bert")[seed % 2]
        self.stage.office.do("operators.edit", self.devices[who].ws.actor, store=f"S{seed % 3 + 1}")

    @rule(seed=CHANCE)
    def change_rights(self, seed: int) -> None:
        (role,) = judging.selected(self.stage.office, "SELECT id FROM role WHERE code = 'store'")
        extra = ["referrers.read", "leads.review", "leads.assign", "follow_ups.read"][: seed % 5]
        permissions = ["leads.read", "leads.follow_up", "leads.report", "customers.*", "stores.read", *extra]
        self.stage.office.do("roles.edit", role[0], permissions=permissions)

    @rule(who=WHO, fate=FATE, kind=st.sampled_from(("push", "pull", "snapshot")))
    def sync(self, who: str, fate: Fate, kind: str) -> None:
        line = self.devices[who].client.transport
        assert isinstance(line, Lossy)
        left = [fate]
        line.choose = lambda asked: left.pop() if left and asked == kind else Fate.FINE
        try:
            self.devices[who].sync()
        except Exception:
            if fate is Fate.FINE:
                raise
            return
        self.in_step(self.devices[who])

    @rule(who=WHO)
    def push_alone(self, who: str) -> None:
        self.devices[who].client.push(Report())

    @precondition(lambda self: self.devices)
    @invariant()
    def nothing_is_done_twice(self) -> None:
        assert set(judging.journal_of(self.stage.office).values()) <= {1}

    def in_step(self, device: Device) -> None:
        link = device.ws.read_link()
        assert link is not None
        assert (link.seq, link.hash) == judging.head(self.stage.office)
        shown = judging.rows_shown_to(self.stage.office, device.ws.actor)
        assert judging.difference(judging.rows_confirmed(device.ws), shown) == ""

    def teardown(self) -> None:
        try:
            for _round in range(3):
                for device in self.devices.values():
                    line = device.client.transport
                    assert isinstance(line, Lossy)
                    line.choose = lambda _kind: Fate.FINE
                    device.sync()
            for device in self.devices.values():
                self.in_step(device)
                assert not device.client.pending()
                assert judging.rows_held(device.ws) == judging.rows_confirmed(device.ws)
                assert judging.words_of_search(device.ws) == ""
            assert judging.replayed(self.stage.office, self.folder) == ""
        finally:
            self.stage.close()
            shutil.rmtree(self.folder, ignore_errors=True)


Offices.TestCase.settings = settings(
    max_examples=8, stateful_step_count=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
TestOffices = Offices.TestCase


# -- the short way and the long way ------------------------------------------------------------------------------------


def histories(stage: Stage, device: Device, seed: int) -> None:
    """Work on the device and elsewhere, some of which meets."""
    chance = Random(seed)
    here, there = Desk(device.ws, chance), Desk(stage.office, chance)
    for _time in range(chance.randrange(1, 8)):
        device.ws.run([here.call() for _call in range(chance.choice((1, 1, 3)))])
    if chance.random() < 0.5:
        device.client.push(Report())
    for _time in range(chance.randrange(1, 8)):
        stage.office.run([there.call()])
    if chance.random() < 0.3:
        device.ws.run([here.call()])
    if chance.random() < 0.3:
        device.client.push(Report())
    if chance.random() < 0.2:
        (role,) = judging.selected(stage.office, "SELECT id FROM role WHERE code = 'manager'")
        lesser = [
            "leads.read",
            "leads.report",
            "leads.edit",
            "leads.follow_up",
            "stores.*",
            "follow_ups.*",
            "appeals.*",
        ]
        lesser += ["customers.*", "territories.*", "referrers.*", "rewards.read"]
        stage.office.do("roles.edit", role[0], permissions=lesser)


def taken_in(device: Device, page: Page, since: Cursor, target: Path, *, skip: bool) -> tuple[judging.Rows, object]:
    """What a copy of the device holds after it has taken in a page, with what still waits there."""
    ws = open_database(SqliteDatabase(device.copy(target)), operator=SYSTEM.id, clock=device.ws.clock)
    ws.actor = device.ws.actor
    try:
        rebase.absorb(ws, since, page.commits, page.to, page.stable, skip=skip)
        waiting = judging.selected(ws, "SELECT device_seq, id, name, subject, args, state FROM pending ORDER BY 1")
        known = judging.selected(ws, f"SELECT seq, id FROM operation WHERE seq < {judging.FIRST_PENDING} ORDER BY 1")
        assert judging.words_of_search(ws) == ""
        return judging.rows_held(ws), (waiting, known)
    finally:
        ws.close()
        target.unlink()


def test_running_again_only_what_is_met_comes_to_the_same_as_running_everything_again(tmp_path: Path) -> None:
    ids, skipped = Random(0), 0
    stage = Stage(tmp_path, new_id=lambda: "op_" + encode(ids.getrandbits(128)))
    for place in range(5):
        stage.lead(phone=f"139001390{place:02}")
    hugo = stage.device("hugo")
    for seed in range(60):
        histories(stage, hugo, seed)
        link = hugo.ws.read_link()
        assert link is not None
        since = Cursor(link.seq, link.hash)
        body = encode_message(Pull(since, SCHEMA_VERSION, link.view))
        page = msgspec.json.decode(hugo.client.transport.call("pull", body), type=Page)
        if page.status == "ok":
            short = taken_in(hugo, page, since, tmp_path / "short.db", skip=True)
            long = taken_in(hugo, page, since, tmp_path / "long.db", skip=False)
            assert judging.difference(short[0], long[0]) == "", f"seed {seed}"
            assert short[1] == long[1], f"seed {seed}"
            skipped += bool(hugo.client.pending())
        hugo.sync()
    stage.close()

    assert skipped > 30


def test_work_that_meets_nobody_is_not_done_again(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    first, second = stage.lead(), stage.lead(phone="13900139000")
    hugo = stage.device("hugo")
    hugo.do("leads.edit", first, note="mine")
    stage.office.do("leads.edit", second, note="theirs")

    report = Report()
    hugo.client.pull(report)

    assert (report.received, report.again) == (1, 0)
    stage.office.do("leads.edit", first, name="韩梅梅")
    hugo.client.pull(report)
    assert report.again == 1
    assert (hugo.lead(first).name, hugo.lead(first).note) == ("韩梅梅", "mine")
    stage.close()


def test_calls_that_are_run_together_stay_together(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    hugo = stage.device("hugo")
    calls = [Call("leads.report", None, {"name": "x", "phone": f"1390013900{place}"}) for place in range(3)]
    made = hugo.ws.run(calls, atomic=True)

    hugo.sync()

    assert judging.selected(stage.office, "SELECT DISTINCT batch FROM operation WHERE name = 'leads.report'") == [
        (made[0].operation,)
    ]
    stage.close()
