"""Rules run at central and never on a device, which is told what they did and why."""

from __future__ import annotations

from bo.core.automation.rules import read_cause
from bo.core.kernel import journal
from bo.core.orders.records import Order
from bo.sync.programs import Wanted, carry_out
from tests.sync.receiver import Receiver
from tests.sync.stage import Stage
from tests.sync.test_webhooks import hook, worker

LINES = [{"name": "Mug", "quantity": 1, "price": "80.00"}]


def order(stage: Stage, number: str = "1001", **args: object) -> str:
    given = {"number": number, "channel": "web", "lines": LINES, **args}
    made = stage.office.do("orders.record", **given)
    assert made.returned is not None
    return made.returned


def rule(stage: Stage, **args: object) -> str:
    given = {"code": "r", "on": "orders.pay", "then": "orders.tag", "arguments": {"add": "paid"}, **args}
    made = stage.office.do("automation_rules.add", **given)
    assert made.returned is not None
    return made.returned


def tags(stage: Stage) -> tuple[str, ...]:
    return stage.office.reader().get(Order, "1001").tags


def test_a_device_runs_no_rule_and_takes_in_what_central_did(stage: Stage) -> None:
    # given
    made = order(stage)
    written = rule(stage)
    laptop = stage.device("hugo")
    stage.office.do("roles.edit", "manager", permissions=["*"])
    laptop.sync()

    # when
    paid = laptop.do("orders.pay", made, amount="80.00", method="card")

    # then
    assert laptop.ws.reader().get(Order, "1001").tags == ()
    assert [item.name for item in laptop.ws.operations(limit=1)] == ["orders.pay"]
    laptop.sync()
    assert tags(stage) == ("paid",)
    laptop.sync()
    assert laptop.ws.reader().get(Order, "1001").tags == ("paid",)
    (there,) = journal.caused_by(stage.office.database.session, paid.operation)
    (here,) = journal.caused_by(laptop.ws.database.session, paid.operation)
    assert there.cause == here.cause == f"{paid.operation}/{written}/{made}"
    assert (here.id, here.hash, here.name) == (there.id, there.hash, "orders.tag")
    assert there.actor == stage.office.actor
    laptop.sync()
    assert [item.name for item in stage.office.operations(limit=2)] == ["orders.tag", "orders.pay"]


def test_a_rule_that_is_written_on_a_device_waits_for_central(stage: Stage) -> None:
    stage.office.do("roles.edit", "manager", permissions=["*"])
    laptop = stage.device("hugo")
    args = {"code": "r", "on": "orders.pay", "then": "orders.tag", "arguments": {"add": "paid"}}

    made = laptop.do("automation_rules.add", **args)

    assert made.status == "requested"
    laptop.sync()
    order(stage)
    stage.office.do("orders.pay", "1001", amount="80.00", method="card")
    assert tags(stage) == ("paid",)
    assert stage.office.operations(limit=1)[0].actor == stage.operator("hugo")


def test_what_a_program_does_is_followed(stage: Stage) -> None:
    made = order(stage)
    rule(stage)

    with stage.central.writing(stage.office.actor) as ws:
        carry_out(ws, [Wanted("orders.pay", made, {"amount": "80.00", "method": "card"})])

    assert tags(stage) == ("paid",)


def test_the_worker_does_what_was_cut_off_and_looks_at_the_clock(stage: Stage) -> None:
    # given: central ended between a payment and what that causes, and an order is late
    made = order(stage)
    order(stage, "1002", placed_at="2026-10-01")
    rule(stage)
    rule(stage, code="late", on="clock", records="orders", filter="payment:unpaid placed<-3d",
         arguments={"add": "late"})  # fmt: skip
    stage.office.after = None
    stage.office.do("orders.pay", made, amount="80.00", method="card")
    assert tags(stage) == ()

    # when
    worker(stage, Receiver()).run_once()

    # then
    assert tags(stage) == ("paid",)
    assert stage.office.reader().get(Order, "1002").tags == ("late",)
    caused = [item for item in stage.office.operations(limit=20) if read_cause(item.cause)]
    worker(stage, Receiver()).run_once()
    assert len([item for item in stage.office.operations(limit=20) if item.cause]) == len(caused) == 2


def test_a_webhook_is_told_what_a_rule_wants_told(stage: Stage) -> None:
    # given
    order(stage, name="李雷")
    hook(stage, events="effect.notification")
    rule(stage, then="notifications.send", arguments={"text": "{number}: {captured}", "about": "{id}"})
    receiver = Receiver()

    # when
    stage.office.do("orders.pay", "1001", amount="80.00", method="card")
    worker(stage, receiver).run_once()

    # then
    (event,) = receiver.got
    made = stage.office.reader().get(Order, "1001").id
    assert event.event["data"]["effect"] == {"text": "1001: 80.00", "to": "", "about": made}


def test_both_databases_come_to_the_same(stage: Stage) -> None:
    """Chains, refusals, trials and runs: every statement of automation."""
    rule(stage, on="orders.*", filter="total>5 -tags:vip")
    rule(stage, code="allocate", then="orders.hold", arguments={"reason": "{number} {placed_at}"}, position=2)
    rule(stage, code="bad", on="orders.hold", then="orders.cancel", arguments={"reason": "{note}"})
    order(stage)
    stage.office.do("orders.pay", "1001", amount="80.00", method="card")

    runs = stage.office.ask("automation_rules.runs")
    assert sorted((run.rule, run.outcome) for run in runs) == [
        ("allocate", "applied"), ("bad", "refused"), ("r", "applied"), ("r", "unchanged"), ("r", "unchanged"),
    ]  # fmt: skip
    assert [run.rule for run in stage.office.ask("automation_rules.runs", rule="bad", outcome="refused")] == ["bad"]
    assert len(stage.office.ask("automation_rules.try", "allocate")) == 1
    assert stage.office.verify() == stage.office.data_version()
