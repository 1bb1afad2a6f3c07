"""Whatever comes in whatever order, with programs that end between: a cause, a rule and a record have one outcome."""

from __future__ import annotations

from random import Random

import pytest

from bo.core.automation.hook import Follower
from bo.core.automation.rules import DEPTH_MOST, read_cause
from bo.core.kernel.dispatch import Call
from bo.core.kernel.errors import BoError
from bo.core.kernel.ids import caused_operation_id
from bo.core.orders.records import Order
from tests.core.automation.stage import Stage
from tests.core.automation.stage import stage as stage
from tests.core.automation.stage import stage_template as stage_template

RULES = (
    {"on": "orders.*", "then": "orders.tag", "arguments": {"add": "seen"}},
    {"on": "orders.pay", "then": "orders.allocate", "arguments": {}},
    {"on": "orders.hold", "then": "orders.release", "arguments": {}},
    {"on": "orders.release", "then": "orders.hold", "arguments": {"reason": "again"}},
    {"on": "orders.allocate", "then": "orders.fulfil", "arguments": {}, "filter": "payment:paid"},
    {"on": "orders.fulfil", "records": "fulfilments", "then": "orders.tag", "arguments": {"add": "{carrier}sent"}},
    {"on": "clock", "records": "orders", "then": "orders.pay", "arguments": {"amount": "{total}", "method": "late"},
     "filter": "payment:unpaid -tags:vip"},
)  # fmt: skip


class Story:
    """Things that happen in an order that chance decides."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self.stage = stage
        self.chance = Random(seed)
        self.orders = [stage.order(str(number)) for number in range(4)]
        for number, rule in enumerate(RULES):
            if self.chance.random() < 0.7:
                stage.rule(f"r{number}", position=self.chance.randrange(3), **rule)  # type: ignore[arg-type]
        self.steps = (self.pay, self.pay, self.hold, self.tag, self.several, self.deaf, self.hear, self.catch_up,
                      self.clock, self.switch)  # fmt: skip

    def play(self, count: int) -> None:
        for _step in range(count):
            try:
                self.chance.choice(self.steps)()
            except BoError:
                continue
        self.stage.catch_up()

    def some(self) -> str:
        return self.chance.choice(self.orders)

    def pay(self) -> None:
        self.stage.pay(self.some(), self.chance.choice(("1.00", "80.00")))

    def hold(self) -> None:
        self.stage.do("orders.hold", self.some(), reason="x")

    def tag(self) -> None:
        self.stage.do("orders.tag", self.some(), add=self.chance.choice(("vip", "a", "b")), remove="seen")

    def several(self) -> None:
        self.stage.office.run([Call("orders.edit", order, {"note": "x"}) for order in self.orders])

    def deaf(self) -> None:
        self.stage.deaf()

    def hear(self) -> None:
        self.stage.office.after = Follower(self.stage.office)

    def catch_up(self) -> None:
        self.stage.catch_up()

    def clock(self) -> None:
        self.stage.look_at_clock()

    def switch(self) -> None:
        verb = self.chance.choice(("switch_on", "switch_off"))
        self.stage.do(f"automation_rules.{verb}", f"r{self.chance.randrange(len(RULES))}")


@pytest.mark.parametrize("seed", range(12))
def test_a_cause_a_rule_and_a_record_have_one_outcome(stage: Stage, seed: int) -> None:
    # given
    story = Story(stage, seed)

    # when
    story.play(25)

    # then
    journal = stage.journal()
    place = {item.id: item.seq for item in journal}
    caused = {item.id: item for item in journal if item.cause}
    session = stage.office.database.session
    session.cursor.execute("SELECT id, origin, rule, row, outcome FROM caused")
    outcomes = {str(row[0]): row[1:] for row in session.cursor.fetchall()}
    assert {name for name, row in outcomes.items() if row[-1] == "applied"} == set(caused)
    assert len({row[:3] for row in outcomes.values()}) == len(outcomes)
    for name, (origin, rule, row, outcome) in outcomes.items():
        assert name == caused_operation_id(origin, rule, row)
        assert outcome in ("applied", "unchanged", "refused")
        if outcome == "applied":
            assert caused[name].cause == f"{origin}/{rule}/{row}"
            assert place[origin] < place[name]
    for item in caused.values():
        met, depth = set(), 0
        while (cause := read_cause(item.cause)) is not None:
            assert (cause.rule, cause.record) not in met
            met.add((cause.rule, cause.record))
            item, depth = journal[place[cause.origin] - 1], depth + 1  # noqa: PLW2901 - up the chain
        assert depth <= DEPTH_MOST
    assert stage.catch_up().calls == 0
    assert stage.office.verify() == len(journal)
    for order in stage.all(Order):
        assert order.refunded <= order.captured
    stage.assert_sound()
