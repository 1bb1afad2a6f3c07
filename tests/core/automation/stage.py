"""An order desk whose rules run by themselves, and what the tests ask of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bo.core.automation.following import Followed, Runner
from bo.core.automation.queries import Run
from bo.core.automation.records import AutomationRule
from bo.core.automation.rules import read_cause
from bo.core.kernel import journal
from bo.core.kernel.journal import Operation
from bo.core.kernel.workspace import Workspace
from bo.core.office import context_for, create
from tests.core.orders.desk import LINES, Desk, open_desk


class Stage(Desk):
    """The desk, with rules."""

    def rule(self, code: str = "r", *, on: str = "orders.pay", then: str = "orders.tag", **args: object) -> str:
        """A rule that tags orders which were paid, unless it is told otherwise; its id."""
        given = {"add": "paid"} if then == "orders.tag" and "arguments" not in args else {}
        made = self.do("automation_rules.add", None, code=code, on=on, then=then, **{"arguments": given, **args})
        assert made.returned is not None
        return made.returned

    def pay(self, order: str = "1001", amount: str = "80.00") -> str:
        """A payment for an order; its operation."""
        return self.do("orders.pay", order, amount=amount, method="card").operation

    def runs(self, outcome: str = "", **args: object) -> list[Run]:
        found: list[Run] = self.office.ask("automation_rules.runs", outcome=outcome, limit=100_000, **args)
        return found

    def caused(self, operation: str) -> list[str]:
        """The names of what an operation caused."""
        return [item.name for item in journal.caused_by(self.office.database.session, operation)]

    def journal(self) -> list[Operation]:
        return list(reversed(self.office.operations(limit=100_000)))

    def by_rules(self) -> list[str]:
        """The names of all operations that rules made, in order."""
        return [item.name for item in self.journal() if read_cause(item.cause)]

    def tags(self, order: str = "1001") -> tuple[str, ...]:
        from bo.core.orders.records import Order

        return self.get(Order, order).tags

    def deaf(self) -> None:
        """From here on nothing runs after a commit, as where a program ends right after it."""
        self.office.after = None

    def catch_up(self) -> Followed:
        return Runner(self.office).follow()

    def look_at_clock(self) -> Followed:
        return Runner(self.office).look_at_clock()


@pytest.fixture(scope="session")
def stage_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An office with two products, ten of each on the shelf, and somebody who manages."""
    folder = tmp_path_factory.mktemp("automation") / "office"
    with create(folder, context_for("US"), operator="li") as office:
        for handle, sku in (("shirt", "SH-R"), ("mug", "MUG")):
            office.do("products.record", handle=handle, title=handle, variants=[{"sku": sku, "price": "1"}])
        office.do("warehouses.add", code="W1", name="West")
        for sku in ("SH-R", "MUG"):
            office.do("stock.receive", warehouse="W1", variant=sku, quantity=10)
        office.do("operators.add", login="mei", name="Mei", roles=["manager"])
    return folder


@pytest.fixture
def stage(stage_template: Path, tmp_path: Path) -> Iterator[Stage]:
    with open_desk(stage_template, tmp_path / "office") as office:
        yield Stage(office)


def as_operator(office: Workspace, login: str) -> None:
    """Let somebody else sit at the keyboard."""
    from bo.core.access.records import Operator

    office.actor = office.reader().get(Operator, login).id


__all__ = ["LINES", "AutomationRule", "Stage", "as_operator", "stage", "stage_template"]
