"""Which operations a rule listens to, what causes say, and what a record's fields become."""

from __future__ import annotations

import pytest

from bo.core.automation.rules import Cause, filled, goes_round, listens, named_in, read_cause, way_to_subject
from bo.core.kernel.errors import UsageError
from bo.core.kernel.ids import caused_operation_id
from bo.core.kernel.record import info_of
from bo.core.office import registry
from bo.core.orders.records import Order, OrderException

COMMANDS = registry()
ORDER = Order(id="ord_1", number="1001", key="k", placed_at="2026-11-02", total=1234, currency="EUR", tags=("a", "b"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("on", "name", "expected"),
    [
        ("orders.pay", "orders.pay", True),
        ("orders.pay", "orders.payed", False),
        ("orders.*", "orders.pay", True),
        ("orders.*", "order_lines.add", False),
        ("clock", "orders.pay", False),
    ],
)
def test_a_rule_listens_to_what_it_names(on: str, name: str, expected: bool) -> None:
    assert listens(on, name) is expected


def test_a_cause_is_one_text_and_back() -> None:
    cause = Cause("op_1", "arul_1", "ord_1")

    assert (cause.text, read_cause(cause.text), read_cause("")) == ("op_1/arul_1/ord_1", cause, None)
    assert goes_round((cause,), "arul_1", "ord_1")
    assert not goes_round((cause,), "arul_1", "ord_2")


def test_the_id_of_what_is_caused_depends_on_all_three_and_keeps_the_time() -> None:
    operation = "op_01kyx5m2d8fvr9w3n5c7t1q4zb"
    made = caused_operation_id(operation, "arul_1", "ord_1")

    assert made == caused_operation_id(operation, "arul_1", "ord_1")
    assert (made[:13], len(made)) == (operation[:13], len(operation))
    others = {(operation, "arul_2", "ord_1"), (operation, "arul_1", "ord_2"), (operation[:-1] + "c", "arul_1", "ord_1")}
    assert len({made, *(caused_operation_id(*other) for other in others)}) == 4


def test_fields_become_arguments() -> None:
    command, info = COMMANDS.command("orders.pay"), info_of(Order)

    made = filled({"amount": "{total}", "method": "for {number}: {total}", "reference": "{total}"}, ORDER, info,
                  command, "USD")  # fmt: skip

    assert made == {"amount": 1234, "method": "for 1001: 12.34", "reference": "12.34"}
    assert named_in({"a": "{x} {y}", "b": 3}) == ["x", "y"]


def test_a_field_that_is_gone_is_said() -> None:
    with pytest.raises(UsageError):
        filled({"text": "{colour}"}, ORDER, info_of(Order), COMMANDS.command("notifications.send"), "USD")


def test_the_way_to_what_a_command_is_done_to() -> None:
    assert way_to_subject(info_of(Order), COMMANDS.command("orders.hold")) == "id"
    assert way_to_subject(info_of(OrderException), COMMANDS.command("orders.hold")) == "order"
    assert way_to_subject(info_of(Order), COMMANDS.command("notifications.send")) == ""
    assert way_to_subject(info_of(OrderException), COMMANDS.command("refunds.execute")) is None
