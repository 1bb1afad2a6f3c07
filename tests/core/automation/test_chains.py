"""What causes what: chains go on, and end."""

from __future__ import annotations

from bo.core.automation.rules import DEPTH_MOST, read_cause
from bo.core.kernel import journal
from bo.core.orders.records import Order
from tests.core.automation.stage import Stage
from tests.core.automation.stage import stage as stage
from tests.core.automation.stage import stage_template as stage_template


def test_a_rule_does_not_meet_its_own_result_on_the_same_record(stage: Stage) -> None:
    stage.order()
    stage.rule(on="orders.*", then="orders.edit", arguments={"note": "{note}x"})

    stage.do("orders.tag", "1001", add="vip")

    assert stage.get(Order, "1001").note == "x"
    assert [run.outcome for run in stage.runs()] == ["applied"]


def test_two_rules_that_call_each_other_come_to_an_end(stage: Stage) -> None:
    stage.order()
    stage.rule("ping", on="orders.hold", then="orders.release")
    stage.rule("pong", on="orders.release", then="orders.hold", arguments={"reason": "again"})

    stage.do("orders.hold", "1001", reason="x")

    assert stage.by_rules() == ["orders.release", "orders.hold"]
    assert stage.get(Order, "1001").hold_reason == "again"


def test_a_chain_is_at_most_so_long(stage: Stage) -> None:
    # given: each tag brings the next, by a rule of its own that has its turn before the one that it waits for
    stage.order()
    for number in range(DEPTH_MOST + 2):
        stage.rule(f"r{number}", on="orders.tag", filter=f"tags:t{number}", position=99 - number,
                   arguments={"add": f"t{number + 1}", "remove": f"t{number}"})  # fmt: skip

    # when
    first = stage.do("orders.tag", "1001", add="t0").operation

    # then
    assert stage.tags() == (f"t{DEPTH_MOST}",)
    newest = stage.runs()[0]
    assert (newest.rule, newest.outcome, newest.code) == (f"r{DEPTH_MOST}", "refused", "too_deep")
    assert len(stage.by_rules()) == DEPTH_MOST
    operation, depth = stage.office.operations(limit=1)[0], 0
    while (cause := read_cause(operation.cause)) is not None:
        operation, depth = journal.operation(stage.office.database.session, cause.origin), depth + 1
    assert (operation.id, depth) == (first, DEPTH_MOST)


def test_one_operation_about_many_records_meets_each(stage: Stage) -> None:
    stage.do("exception_rules.add", code="risky", filter="risk:high")
    for number in range(5):
        stage.order(str(number), risk="high")
    stage.rule(on="exceptions.scan", records="exceptions", then="orders.tag", arguments={"add": "look"})

    scan = stage.do("exceptions.scan").operation

    assert stage.caused(scan) == ["orders.tag"] * 5
    assert all(stage.tags(str(number)) == ("look",) for number in range(5))


def test_the_clock_meets_a_record_once_in_its_present_shape(stage: Stage) -> None:
    # given
    stage.order(placed_at="2026-10-01")
    stage.order("1002", placed_at="2026-11-02")
    stage.rule(on="clock", records="orders", filter="payment:unpaid placed<2026-11-01", then="orders.tag",
               arguments={"add": "late"})  # fmt: skip
    assert stage.runs() == []

    # when
    first, second = stage.look_at_clock(), stage.look_at_clock()

    # then
    assert ((first.applied, first.calls), second.calls) == ((1, 1), 0)
    assert (stage.tags(), stage.tags("1002")) == (("late",), ())
    stage.do("orders.tag", "1001", remove="late")
    assert stage.look_at_clock().applied == 1


def test_what_the_clock_does_causes_more(stage: Stage) -> None:
    stage.order(placed_at="2026-10-01")
    stage.rule("late", on="clock", records="orders", filter="state:unfulfilled placed<2026-11-01", then="orders.cancel",
               arguments={"reason": "late"})  # fmt: skip
    stage.rule("told", on="orders.cancel")

    stage.look_at_clock()

    assert (stage.get(Order, "1001").state, stage.tags()) == ("cancelled", ("paid",))


def test_a_refused_call_of_the_clock_is_not_tried_again_until_the_record_changes(stage: Stage) -> None:
    stage.order(lines=[{"sku": "MUG", "quantity": 50, "price": "1.00"}], shipping="0")
    stage.rule(on="clock", records="orders", filter="state:unfulfilled", then="orders.allocate")

    assert [stage.look_at_clock().refused, stage.look_at_clock().calls] == [1, 0]
    stage.do("orders.tag", "1001", add="x")
    assert stage.look_at_clock().refused == 1
