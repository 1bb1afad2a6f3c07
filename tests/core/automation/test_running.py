"""A rule runs a command after an operation: once, with its cause, and as its author."""

from __future__ import annotations

import pytest

from bo.core.kernel import journal
from bo.core.kernel.errors import BoError
from bo.core.kernel.replay import contents, replay
from bo.core.orders.records import Order
from tests.core.automation.stage import Stage, as_operator
from tests.core.automation.stage import stage as stage
from tests.core.automation.stage import stage_template as stage_template


def test_an_operation_that_meets_a_rule_is_followed_by_its_command(stage: Stage) -> None:
    # given
    stage.order()
    rule = stage.rule(filter="payment:paid")

    # when
    paid = stage.pay()

    # then
    assert stage.tags() == ("paid",)
    (followed,) = journal.caused_by(stage.office.database.session, paid)
    order = stage.get(Order, "1001").id
    assert (followed.name, followed.subject, followed.cause) == ("orders.tag", order, f"{paid}/{rule}/{order}")
    assert (followed.batch, followed.actor) == (followed.id, stage.office.actor)
    (run,) = stage.runs()
    assert (run.rule, run.outcome, run.operation, run.origin, run.record) == ("r", "applied", followed.id, paid, order)
    assert [item.name for item, _change in stage.office.history(order)][:2] == ["orders.tag", "orders.pay"]


def test_what_does_not_meet_the_filter_is_left_alone(stage: Stage) -> None:
    stage.order()
    stage.rule(filter="payment:paid")

    stage.pay(amount="1.00")

    assert (stage.tags(), stage.by_rules(), stage.runs()) == ((), [], [])


def test_a_rule_listens_to_what_comes_after_it(stage: Stage) -> None:
    stage.order()
    stage.pay()
    stage.rule()

    stage.do("orders.hold", "1001", reason="x")

    assert (stage.tags(), stage.runs()) == ((), [])


def test_a_rule_that_is_switched_off_does_nothing_and_catches_up_with_nothing(stage: Stage) -> None:
    stage.order()
    stage.rule()
    stage.do("automation_rules.switch_off", "r")
    stage.pay()
    stage.do("automation_rules.switch_on", "r")

    assert stage.runs() == []
    stage.pay(amount="1.00")
    assert stage.tags() == ("paid",)


def test_paid_is_allocated_and_made_ready(stage: Stage) -> None:
    # given
    stage.do("automation_rules.examples")
    for code in ("paid-allocate", "allocated-ready"):
        stage.do("automation_rules.switch_on", code)
    stage.order()

    # when
    paid = stage.pay()

    # then
    assert stage.by_rules() == ["orders.allocate", "orders.tag"]
    assert stage.caused(paid) == ["orders.allocate"]
    assert stage.tags() == ("ready-to-pick",)
    stage.assert_sound()


def test_a_refused_command_changes_nothing_and_is_kept_with_its_reason(stage: Stage) -> None:
    # given: fifty are more than there are
    stage.order(lines=[{"sku": "MUG", "quantity": 50, "price": "1.00"}], shipping="0")
    stage.order("1002")
    stage.rule(then="orders.allocate")
    stage.rule("second", position=1)

    # when
    stage.pay("1001", "50.00")
    stage.pay("1002")

    # then
    (run,) = stage.runs("refused")
    assert (run.code, run.operation, run.record) == ("not_enough_stock", "", stage.get(Order, "1001").id)
    assert "MUG" in run.reason
    assert stage.by_rules() == ["orders.tag", "orders.allocate", "orders.tag"]


def test_what_there_is_nothing_to_do_for_is_kept_as_unchanged(stage: Stage) -> None:
    stage.order(tags="paid")
    stage.rule()

    paid = stage.pay()

    assert [(run.outcome, run.origin, run.operation) for run in stage.runs()] == [("unchanged", paid, "")]


def test_fields_of_the_record_go_into_the_arguments(stage: Stage) -> None:
    stage.order()
    stage.rule(then="orders.hold", arguments={"reason": "look at {number}: {captured} of {total}"})

    stage.pay()

    assert stage.get(Order, "1001").hold_reason == "look at 1001: 80.00 of 80.00"


def test_an_amount_alone_goes_as_it_is(stage: Stage) -> None:
    stage.order(currency="JPY", shipping="0", lines=[{"name": "x", "quantity": 1, "price": "500"}])
    stage.rule(on="orders.tag", then="orders.pay", arguments={"amount": "{total}", "method": "credit {number}"})

    stage.do("orders.tag", "1001", add="x")

    found = stage.get(Order, "1001")
    assert (found.captured, found.payment) == (found.total, "paid")


def test_a_rule_reaches_the_record_that_its_own_names(stage: Stage) -> None:
    # given: an exception is of an order, and the order is held
    stage.do("exception_rules.add", code="risky", filter="risk:high", priority="high")
    stage.do("automation_rules.examples")
    stage.do("automation_rules.switch_on", "high-risk-hold")
    stage.order(risk="high")
    stage.order("1002")

    stage.do("exceptions.scan")

    assert stage.get(Order, "1001").hold_reason
    assert stage.get(Order, "1002").hold_reason is None
    assert [run.outcome for run in stage.runs()] == ["applied"]


def test_rules_go_in_their_order_and_the_later_sees_what_the_earlier_did(stage: Stage) -> None:
    stage.order()
    stage.rule("second", position=2, filter="hold_reason:none")
    stage.rule("first", position=1, then="orders.hold", arguments={"reason": "check"})

    stage.pay()

    assert [(run.rule, run.outcome) for run in stage.runs()] == [("first", "applied")]
    assert stage.tags() == ()


def test_a_dry_run_causes_nothing(stage: Stage) -> None:
    from bo.core.kernel.dispatch import Call

    stage.order()
    stage.rule()
    stage.office.run([Call("orders.pay", "1001", {"amount": "80.00", "method": "x"})], dry_run=True)

    assert (stage.tags(), stage.runs(), stage.catch_up().calls) == ((), [], 0)


def test_a_notification_waits_in_the_outbox(stage: Stage) -> None:
    from bo.sync.effects import effects_between

    stage.order()
    stage.rule(then="notifications.send", arguments={"text": "{number} is {payment}", "about": "{id}", "to": "desk"})

    stage.pay()

    (effect,) = effects_between(stage.office.database.session, 0, stage.office.data_version())
    order = stage.get(Order, "1001").id
    assert (effect.name, effect.state) == ("notification", "wanted")
    assert effect.payload == f'{{"text":"1001 is paid","to":"desk","about":"{order}"}}'.encode()


def test_undoing_the_cause_leaves_the_follow_ups(stage: Stage) -> None:
    stage.order()
    stage.rule(then="orders.allocate")
    paid = stage.pay()

    stage.office.undo(paid)

    assert stage.caused(paid) == ["orders.allocate"]
    assert stage.get(Order, "1001").payment == "unpaid"
    assert stage.runs()[0].outcome == "applied"


def test_a_row_that_a_follow_up_changed_keeps_its_cause_from_being_undone(stage: Stage) -> None:
    stage.order()
    stage.rule()
    paid = stage.pay()

    with pytest.raises(BoError) as refused:
        stage.office.undo(paid)

    assert refused.value.code == "changed_since"


def test_a_trial_shows_what_would_be_done_and_does_nothing(stage: Stage) -> None:
    stage.order()
    paid = stage.pay()
    stage.rule(filter="payment:paid", then="orders.hold", arguments={"reason": "{number}"}, active=False)
    before = stage.office.data_version()

    (trial,) = stage.office.ask("automation_rules.try", "r")

    order = stage.get(Order, "1001").id
    assert (trial.operation, trial.event, trial.record) == (paid, "orders.pay", order)
    assert (trial.command, trial.subject, trial.arguments) == ("orders.hold", order, {"reason": "1001"})
    assert (stage.office.data_version(), stage.runs()) == (before, [])


# -- rights ------------------------------------------------------------------------------------------------------------


def test_a_rule_runs_with_the_rights_its_author_has_now(stage: Stage) -> None:
    # given: mei writes a rule, and then may do less
    stage.order()
    li = stage.office.actor
    as_operator(stage.office, "mei")
    stage.rule()
    stage.office.actor = li
    stage.pay(amount="1.00")
    assert [run.outcome for run in stage.runs()] == ["applied"]
    stage.do("orders.tag", "1001", remove="paid")
    stage.do("operators.edit", "mei", roles=["auditor"])

    # when
    stage.pay(amount="1.00")

    # then
    newest = stage.runs()[0]
    assert (newest.outcome, newest.code) == ("refused", "not_allowed")
    assert stage.tags() == ()


def test_a_rule_of_somebody_who_is_switched_off_does_nothing(stage: Stage) -> None:
    stage.order()
    li = stage.office.actor
    as_operator(stage.office, "mei")
    stage.rule()
    stage.office.actor = li
    stage.do("operators.disable", "mei")

    stage.pay()

    assert [(run.outcome, run.code) for run in stage.runs()] == [("refused", "not_allowed")]
    assert stage.tags() == ()


def test_who_edits_a_rule_is_its_author_from_then_on(stage: Stage) -> None:
    stage.rule()
    as_operator(stage.office, "mei")

    stage.do("automation_rules.edit", "r", position=3)

    from bo.core.automation.records import AutomationRule

    assert stage.get(AutomationRule, "r").author == stage.office.actor


# -- replay ------------------------------------------------------------------------------------------------------------


def test_a_journal_with_caused_operations_replays_to_the_same_hash(stage: Stage, tmp_path: object) -> None:
    from pathlib import Path

    from bo.core.access.permissions import authorise
    from bo.core.automation.hook import Follower
    from bo.core.kernel.database import SqliteDatabase
    from bo.core.kernel.record import declared_records
    from bo.core.kernel.tx import SYSTEM
    from bo.core.kernel.workspace import Workspace, make_office
    from bo.core.office import registry

    # given
    stage.do("automation_rules.examples")
    stage.do("automation_rules.switch_on", "paid-allocate")
    stage.do("automation_rules.switch_on", "allocated-ready")
    stage.order()
    stage.pay()
    assert isinstance(tmp_path, Path)
    database = SqliteDatabase(tmp_path / "again.db")
    make_office(database, stage.office.context, stage.office.device)
    again = Workspace(database, registry(), authorise, actor=SYSTEM.id)
    again.after = Follower(again)

    # when
    replay(stage.office, again)

    # then
    infos = [info for info in declared_records().values() if info.cls.__module__.startswith("bo.")]
    with stage.office.database.reading() as one, again.database.reading() as other:
        assert contents(other, infos) == contents(one, infos)
    assert again.operations(limit=1)[0].hash == stage.office.operations(limit=1)[0].hash
    assert again.verify() == stage.office.verify()
    again.close()


def test_a_cause_that_is_altered_is_found(stage: Stage) -> None:
    from bo.core.kernel.errors import Damaged

    stage.order()
    stage.rule()
    stage.pay()
    stage.office.database.session.cursor.execute("UPDATE operation SET cause = '' WHERE cause != ''")

    with pytest.raises(Damaged):
        stage.office.verify()


def test_a_command_with_a_fault_holds_up_no_other(stage: Stage) -> None:
    import msgspec

    from bo.core.kernel.dispatch import Call

    # given: tagging fails for one order by a fault of ours
    for number in range(3):
        stage.order(str(number))
    stage.rule()
    command = stage.office.registry.command("orders.tag")

    def faulty(tx: object, order: Order, **args: object) -> None:
        if order.number == "1":
            raise ZeroDivisionError
        command.function(tx, order, **args)

    stage.office.registry.commands["orders.tag"] = msgspec.structs.replace(command, function=faulty)

    # when
    stage.office.run([Call("orders.pay", str(number), {"amount": "80.00", "method": "x"}) for number in range(3)])

    # then
    assert [stage.tags(str(number)) for number in range(3)] == [("paid",), (), ("paid",)]
    (run,) = stage.runs("refused")
    assert (run.code, run.record) == ("fault", stage.get(Order, "1").id)
    assert stage.catch_up().calls == 0


def test_a_busy_office_is_caught_up_with_later(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    from bo.core.automation import reading
    from bo.core.kernel.errors import Busy

    stage.order()
    stage.rule()
    with monkeypatch.context() as patch:
        patch.setattr(reading, "keep", lambda *_args: (_ for _ in ()).throw(Busy("another program is writing")))
        assert stage.do("orders.pay", "1001", amount="80.00", method="x").ok
    assert (stage.tags(), stage.runs()) == ((), [])

    assert stage.catch_up().applied == 1
    assert stage.tags() == ("paid",)
