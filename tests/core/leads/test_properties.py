"""Whatever is done to leads in whatever order: none is lost, and each is in one state that holds together.

And the journal of it gives the same bytes again.
"""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest

from bo.core.access.permissions import authorise
from bo.core.kernel.dispatch import Call
from bo.core.kernel.errors import Refused
from bo.core.kernel.record import declared_records, info_of
from bo.core.kernel.replay import contents, replay
from bo.core.kernel.workspace import Workspace, make_office
from bo.core.leads.records import LEAD_STATES, OPEN_AT_STORE, Appeal, Lead
from bo.core.office import context_for, registry
from bo.core.rewards.records import RewardLine
from tests.core.kernel.conftest import NewDatabase
from tests.core.kernel.making import DIALECTS
from tests.core.leads.scene import DESIGNER, Scene

SEEDS = range(6)
STEPS = 400
PHONES = tuple(f"138000000{number:02}" for number in range(14))
COMMANDS: tuple[tuple[str, dict[str, object]], ...] = (
    ("leads.accept", {}),
    ("leads.accept", {}),
    ("leads.reject", {"reason": "no_intent"}),
    ("leads.reject", {"reason": "no_response"}),
    ("leads.request_info", {"note": "Which room?"}),
    ("leads.info_received", {}),
    ("leads.not_duplicate", {}),
    ("leads.appeal", {"reason": "It is not so"}),
    ("leads.assign", {"store": "S1"}),
    ("leads.assign_by_rule", {}),
    ("leads.assign_by_rule", {"method": "least_open"}),
    ("leads.decline", {"reason": "no_capacity"}),
    ("leads.recall", {"note": "Wrong store"}),
    ("leads.take", {}),
    ("leads.take", {}),
    ("leads.follow_up", {"outcome": "reached"}),
    ("leads.follow_up", {"outcome": "no_answer"}),
    ("leads.follow_up", {"kind": "visit", "outcome": "visited"}),
    ("leads.book_visit", {"at": "2028-01-01 10:00"}),
    ("leads.visit", {}),
    ("leads.quote", {"amount": "900"}),
    ("leads.hold", {"until": "2026-12-24"}),
    ("leads.resume", {}),
    ("leads.lose", {"reason": "price"}),
    ("leads.reopen", {}),
    ("leads.refund", {"amount": "300", "reason": "Came back"}),
    ("leads.reverse", {"reason": "Cancelled"}),
    ("leads.breach_due", {}),
    ("leads.edit", {"note": "called"}),
)


def prepare(scene: Scene) -> None:
    scene.office.registry.load_all()
    for code, event in (("V", "valid_lead"), ("W", "won")):
        terms = {"kind": "fixed", "amount": "50", "currency": "CNY", "effective_from": "2026-01-01"}
        scene.do("reward_rules.add", None, code=code, event=event, **terms)
        scene.do("reward_rules.activate", code)
    scene.do("stores.edit", "S2", capacity=2)


def work(scene: Scene, seed: int) -> list[str]:
    """Random calls, by random people, some of them refused; the ids of the leads that were reported."""
    chance, leads = Random(seed), list[str]()
    for step in range(STEPS):
        scene.later(minutes=chance.choice((1, 30, 400)))
        by = chance.choice(("boss", "rita", "remo"))
        if step < 8 or chance.random() < 0.08:
            leads.append(scene.report(phone=chance.choice(PHONES), referrer=chance.choice((DESIGNER, None))))
            continue
        call = random_call(scene, chance, leads)
        with scene.acting(by):
            (outcome,) = scene.office.run([call])
        if outcome.error is not None:
            assert isinstance(outcome.error, Refused), outcome.error
        elif chance.random() < 0.1 and outcome.status == "applied":
            scene.office.undo(outcome.operation)
    return leads


def random_call(scene: Scene, chance: Random, leads: list[str]) -> Call:
    lead = chance.choice(leads)
    appeals = scene.office.reader().records(Appeal)
    pick = chance.random()
    if pick < 0.06 and appeals:
        name = chance.choice(("appeals.uphold", "appeals.reject"))
        return Call(name, chance.choice(appeals).id, {"decision": "Looked into"})
    if pick < 0.12:
        return Call("leads.win", lead, {"order_number": f"SO-{chance.randrange(6)}", "amount": "900"})
    if pick < 0.16:
        return Call("leads.mark_duplicate", lead, {"of": chance.choice(leads)})
    state, moves = scene.lead(lead).state, scene.office.registry.commands
    fitting = [item for item in COMMANDS if (move := moves[item[0]].moves) is None or state in move.sources]
    name, args = chance.choice(fitting if fitting and chance.random() < 0.85 else COMMANDS)
    return Call(name, lead, args)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_lead_is_ever_lost_and_each_holds_together(scene: Scene, seed: int) -> None:
    prepare(scene)
    reported = work(scene, seed)

    leads = scene.office.reader().records(Lead)
    assert sorted(lead.id for lead in leads) == sorted(reported)
    for lead in leads:
        lead.check()
        assert lead.state in LEAD_STATES
        assert lead.state != "received"
        assert (lead.due_at is None) == (lead.due_kind == "")
        assert bool(lead.store) == (lead.state in (*OPEN_AT_STORE, "won", "lost", "reversed")), lead.state
        assert (lead.state == "duplicate") == bool(lead.duplicate_of)
        assert lead.scope == (f"store:{lead.store}" if lead.store else "hq")
    assert_money_holds(scene, {lead.id: lead for lead in leads})


def assert_money_holds(scene: Scene, leads: dict[str, Lead]) -> None:
    """A cause is rewarded once, clawbacks stay below what they take back, and an order pays only while it is won."""
    lines = scene.office.reader().records(RewardLine)
    live = [line for line in lines if line.kind == "reward" and line.state != "void"]
    assert max(Counter((line.cause, line.event) for line in live).values(), default=0) <= 1
    for line in live:
        taken = -sum(back.amount for back in lines if back.clawback_of == line.id and back.state != "void")
        assert 0 <= taken <= line.amount
        if line.event == "won":
            assert leads[line.cause].state == "won" or taken == line.amount
    orders = Counter(lead.order_number for lead in leads.values() if lead.state == "won")
    assert max(orders.values(), default=0) <= 1


def test_random_work_reaches_every_state(brand: Path) -> None:
    seen: set[str] = set()
    for seed in SEEDS:
        with TemporaryDirectory() as folder:
            shutil.copytree(brand, Path(folder) / "office")
            scene = Scene(Path(folder) / "office")
            prepare(scene)
            seen |= states_passed(scene, work(scene, seed))
            scene.office.close()

    assert seen == {str(state) for state in LEAD_STATES} - {"received"}


def states_passed(scene: Scene, leads: list[str]) -> set[str]:
    decode = info_of(Lead).decoder.decode
    images = [change.after for lead in leads for _operation, change in scene.office.history(lead)]
    return {str(getattr(decode(image), "state", "")) for image in images if image}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_journal_of_random_work_gives_the_same_bytes_and_answers_on_both_databases(
    scene: Scene, new_database: NewDatabase, dialect: str
) -> None:
    prepare(scene)
    leads = work(scene, 1)
    database = new_database(dialect)
    make_office(database, context_for("CN"), "dev_again")
    clock = scene.office.clock

    with Workspace(database, registry().load_all(), authorise, actor=scene.office.actor, clock=clock) as again:
        replay(scene.office, again)

        infos = [info for info in declared_records().values() if info.cls.__module__.startswith("bo.")]
        assert contents(again.database.session, infos) == contents(scene.office.database.session, infos)
        assert [answers(again, lead) for lead in leads] == [answers(scene.office, lead) for lead in leads]


def answers(office: Workspace, lead: str) -> list[object]:
    """What every query says, those about one lead for this one."""
    about = [office.ask(f"leads.{name}", lead) for name in ("duplicates", "timeline", "candidates")]
    return [*about, *(office.ask(f"leads.{name}") for name in ("inbox", "missed", "funnel", "load"))]
