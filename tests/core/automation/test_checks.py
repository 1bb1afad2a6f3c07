"""A rule that could not do what it says, or may not, is refused when it is written."""

from __future__ import annotations

import pytest

from bo.core.automation.records import AutomationRule
from bo.core.kernel.errors import BoError
from bo.core.kernel.tx import SYSTEM
from tests.core.automation.stage import Stage, as_operator
from tests.core.automation.stage import stage as stage
from tests.core.automation.stage import stage_template as stage_template


def refused(stage: Stage, **args: object) -> str:
    before = stage.office.data_version()
    with pytest.raises(BoError) as error:
        stage.rule(**args)  # type: ignore[arg-type]
    assert stage.all(AutomationRule) == []
    assert stage.office.data_version() == before
    return error.value.code


@pytest.mark.parametrize(
    ("args", "code"),
    [
        ({"on": "orders.sell"}, "usage"),
        ({"on": "nothing.*"}, "usage"),
        ({"then": "orders.sell"}, "usage"),
        ({"filter": "colour:red"}, "usage"),
        ({"filter": "total>much"}, "bad_value"),
        ({"arguments": {"colour": "red"}}, "usage"),
        ({"then": "orders.hold"}, "usage"),  # needs a reason
        ({"then": "orders.hold", "arguments": {"reason": "{colour}"}}, "usage"),
        ({"then": "orders.pay", "arguments": {"amount": "much", "method": "x"}}, "bad_value"),
        ({"then": "leads.accept"}, "unsuitable_rule"),  # an order may name a lead, but leads.accept ...
        ({"then": "automation_rules.switch_off"}, "unsuitable_rule"),
        ({"on": "clock"}, "unsuitable_rule"),
        ({"on": "clock", "records": "orders"}, "unsuitable_rule"),
        ({"records": "nothing"}, "usage"),
    ],
)
def test_what_cannot_be_done_is_not_kept(stage: Stage, args: dict[str, object], code: str) -> None:
    if args.get("then") == "leads.accept":  # the order's own lead is a way to it; a warehouse has none
        args = {**args, "on": "warehouses.add"}
    assert refused(stage, **args) == code


def test_a_rule_runs_nothing_that_its_author_may_not_run(stage: Stage) -> None:
    as_operator(stage.office, "mei")

    assert refused(stage, then="refunds.execute", on="orders.refund", records="refunds") == "not_allowed"
    assert refused(stage, on="settlements.approve", then="notifications.send", arguments={"text": "x"}) == "not_allowed"


def test_a_rule_has_an_author(stage: Stage) -> None:
    stage.office.actor = SYSTEM.id

    assert refused(stage) == "unsuitable_rule"


def test_a_field_that_is_not_to_be_seen_is_not_to_be_named(stage: Stage) -> None:
    stage.do("roles.add", code="ruler", permissions=["automation_rules.*", "variants.read", "notifications.send"])
    stage.do("operators.add", login="rob", roles=["ruler"])
    as_operator(stage.office, "rob")
    event = {"on": "products.record", "records": "variants", "then": "notifications.send"}

    assert refused(stage, **event, arguments={"text": "{sku} costs {cost}"}) == "not_allowed"
    assert refused(stage, **event, arguments={"text": "{sku}"}, filter="cost>5") == "not_allowed"
    stage.rule(**event, arguments={"text": "{sku}"})


def test_an_edit_is_looked_at_like_a_new_rule(stage: Stage) -> None:
    rule = stage.rule()
    before = stage.get(AutomationRule, rule)

    with pytest.raises(BoError) as error:
        stage.do("automation_rules.edit", "r", then="orders.hold")

    assert error.value.code == "usage"
    assert stage.get(AutomationRule, rule) == before


def test_who_may_not_do_it_does_not_switch_a_rule_on(stage: Stage) -> None:
    stage.rule(then="refunds.execute", on="orders.refund", records="refunds", active=False)
    as_operator(stage.office, "mei")

    with pytest.raises(BoError) as error:
        stage.do("automation_rules.switch_on", "r")

    assert error.value.code == "not_allowed"
    assert not stage.get(AutomationRule, "r").active


def test_only_who_may_edit_rules_writes_them(stage: Stage) -> None:
    stage.do("operators.add", login="fin", roles=["finance"])
    as_operator(stage.office, "fin")

    with pytest.raises(BoError) as error:
        stage.rule(then="orders.pay", arguments={"amount": "1", "method": "x"})

    assert error.value.code == "not_allowed"


def test_the_examples_are_made_once_and_switched_off(stage: Stage) -> None:
    stage.do("automation_rules.examples")
    stage.do("automation_rules.edit", "paid-allocate", filter="payment:paid total>100")
    stage.do("automation_rules.examples")

    found = {rule.code: (rule.active, rule.filter) for rule in stage.all(AutomationRule)}
    assert sorted(found) == ["allocated-ready", "high-risk-hold", "paid-allocate", "unpaid-cancel"]
    assert not any(active for active, _filter in found.values())
    assert found["paid-allocate"][1] == "payment:paid total>100"


def test_a_removed_rule_listens_no_more_and_its_runs_are_told_still(stage: Stage) -> None:
    stage.order()
    rule = stage.rule()
    stage.pay(amount="1.00")
    stage.do("automation_rules.remove", "r")

    stage.pay(amount="1.00")

    assert [(run.rule, run.outcome) for run in stage.runs()] == [(rule, "applied")]
