"""The history of a record: also what changed others alone, and what a rule did in somebody's name."""

from __future__ import annotations

from pathlib import Path

import pytest

from bo.core.office import context_for, create, open_office
from bo.tui.office import OfficeDesk, OfficeLibrary, OfficeSource
from bo.tui.source import ScreenOptions
from tests.tui.stage import LARGE, Stage, perform

LINES = [{"name": "Mug", "sku": "MUG", "quantity": 2, "price": "10.00"}]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An order whose mugs are promised to it, and which a rule tagged when it was paid."""
    folder = tmp_path / "office"
    office = create(folder, context_for("US"), operator="ann", name="Ann Chen")
    product = office.do("products.record", title="Mug").returned
    variant = office.do("variants.add", product=product, sku="MUG").returned
    office.do("warehouses.add", code="EAST", name="East")
    office.do("stock.receive", variant=variant, warehouse="EAST", quantity=7)
    order = office.do("orders.record", number="1001", lines=LINES).returned
    given = {"code": "thanks", "on": "orders.pay", "then": "orders.tag", "arguments": {"add": "paid"}}
    office.do("automation_rules.add", **given)
    office.do("orders.allocate", order, warehouse="EAST")
    office.do("orders.pay", order, amount="20.00", method="card")
    office.close()
    return folder


def test_what_was_done_is_told_with_the_rule_that_did_it(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("g", "h")
        await stage.until_said("by rule thanks after")
        told = [line.strip() for line in stage.lines() if line.strip()]
        names = [told[at + 1].split()[0] for at, line in enumerate(told) if "Ann Chen" in line and line[:2] == "20"]
        assert names == ["tag", "pay", "allocate", "record"]

    perform(
        lambda: OfficeLibrary(open_office(folder)), lambda: OfficeDesk(open_office(folder), "Office"), story,
        size=LARGE, options=ScreenOptions(noun="orders"),
    )  # fmt: skip


def test_who_may_not_see_rules_is_told_that_it_was_one(folder: Path) -> None:
    office = open_office(folder)
    office.do("operators.add", login="sue", roles=["finance"])
    office.close()
    office = open_office(folder, operator="sue")
    source = OfficeSource(office, "orders")
    (row,) = source.snapshot("", "").window(0, 1)

    newest = source.detail(row.id).history[0]

    assert ", by rule " in newest.who
    assert "thanks" not in newest.who
    office.close()
