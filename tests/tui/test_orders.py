"""Orders by keys: what stands beside one, rows in forms, refunds that are foreseen, holds, bulk, papers, exceptions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from bo.core.kernel.record import Record
from bo.core.kernel.workspace import Workspace
from bo.core.office import context_for, create, open_office
from bo.core.orders.records import Fulfilment, Order, OrderException, OrderLine, Refund
from bo.core.returns.records import CustomerReturn
from bo.tui.confirm import SETTLE_S
from bo.tui.foresee import foresee
from bo.tui.office import OfficeDesk, OfficeLibrary, OfficeSource
from bo.tui.source import ScreenOptions
from tests.tui.stage import LARGE, Stage, Story, perform

R = TypeVar("R", bound=Record)
LINES = [
    {"name": "[b]Shirt[/b]", "sku": "SH-R", "quantity": 3, "price": "20.00"},
    {"name": "马克杯", "sku": "MUG", "quantity": 2, "price": "10.00"},
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An office with three paid orders of 85.00, and a warehouse with mugs."""
    folder = tmp_path / "office"
    workspace = create(folder, context_for("US"), operator="ann", name="Ann Chen")
    product = workspace.do("products.record", title="Mug").returned
    variant = workspace.do("variants.add", product=product, sku="MUG").returned
    workspace.do("warehouses.add", code="EAST", name="East")
    workspace.do("stock.receive", variant=variant, warehouse="EAST", quantity=7)
    for number in ("1001", "1002", "1003"):
        workspace.do(
            "orders.record", number=number, channel="web", name="Ann Moss", phone="+12025550123", address="1 Main St",
            shipping="5.00", captured="85.00", method="card", lines=LINES,
        )  # fmt: skip
    workspace.close()
    return folder


@pytest.fixture
def workspace(folder: Path) -> Iterator[Workspace]:
    workspace = open_office(folder)
    yield workspace
    workspace.close()


def play(folder: Path, story: Story, noun: str = "orders", filter_text: str = "") -> None:
    perform(
        lambda: OfficeLibrary(open_office(folder)), lambda: OfficeDesk(open_office(folder), "Office"), story,
        size=LARGE,
        options=ScreenOptions(noun=noun, filter_text=filter_text, environment={"BO_WORKSPACE": str(folder)}),
    )  # fmt: skip


def found(folder: Path, cls: type[R], filter_text: str = "") -> list[R]:
    workspace = open_office(folder)
    try:
        return workspace.reader().records(cls, filter_text)
    finally:
        workspace.close()


def order(folder: Path, number: str) -> Order:
    (one,) = found(folder, Order, f"number:{number}")
    return one


async def go_to(stage: Stage, number: str) -> None:
    table = stage.app.table
    table.move_to(next(at for at in range(table.count) if number in stage.row(at).cells))
    await stage.settled()


async def again(stage: Stage, *keys: str) -> None:
    """Keys that somebody presses who has read what would happen."""
    await stage.pilot.pause(SETTLE_S + 0.05)
    await stage.press(*keys)


def test_beside_an_order_stand_its_lines_its_money_the_stock_and_the_customer(
    folder: Path, workspace: Workspace
) -> None:
    workspace.do("orders.refund", "1001", amount="10.00", reason="late")
    source = OfficeSource(workspace, "orders")
    detail = source.detail(order(folder, "1001").id)
    told = {section.title: section.rows for section in detail.sections}
    assert told["Total"] == (("paid", "web", "85.00 USD"),)
    assert told["Lines"] == (
        ("SH-R", "[b]Shirt[/b]", "3", "", "60.00"),
        ("MUG", "马克杯", "2", "", "20.00"),
    )
    assert [row[1:] for row in told["Money (USD)"]] == [
        ("captured card", "85.00"), ("refund granted card", "10.00"), ("could be given back", "75.00"),
    ]  # fmt: skip
    assert told["Stock"] == (("MUG", "EAST", "7 free", ""),)
    assert told["Customer"] == (("Ann Moss", "3 orders"),)


def test_who_may_not_read_payments_sees_an_order_without_them(folder: Path, workspace: Workspace) -> None:
    workspace.do("roles.add", code="packer", permissions=["orders.read", "order_lines.read"])
    workspace.do("operators.add", login="pat", name="Pat", roles=["packer"])
    packer = open_office(folder, operator="pat")
    titles = [section.title for section in OfficeSource(packer, "orders").detail(order(folder, "1001").id).sections]
    packer.close()
    assert titles == ["Total", "Lines"]


def test_an_order_is_sent_in_part_by_digits_and_left_out_rows(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        await go_to(stage, "1001")
        await stage.press("s")
        await stage.until_said("[b]Shirt[/b]")
        await stage.press("2", "down", "space", "ctrl+s")
        await stage.until_said("1001 sent, u undoes")

    play(folder, story)
    (parcel,) = found(folder, Fulfilment)
    by_sku = {line.id: line.sku for line in found(folder, OrderLine, f"order:{order(folder, '1001').id}")}
    assert {by_sku[line]: count for line, count in parcel.lines.items()} == {"SH-R": 2}


def test_rows_left_alone_mean_all_of_it(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        await go_to(stage, "1001")
        await stage.press("s")
        await stage.until_said("Carrier")
        await stage.press("ctrl+s")
        await stage.until_said("1001 sent")

    play(folder, story)
    assert order(folder, "1001").state == "fulfilled"


@pytest.mark.parametrize(
    ("keys", "words"), [(("space", "down", "space"), "no row is left"), (("9",), "only 3 are left of SH-R")]
)
def test_rows_that_cannot_be_are_blamed_and_nothing_is_sent(folder: Path, keys: tuple[str, ...], words: str) -> None:
    async def story(stage: Stage) -> None:
        await go_to(stage, "1001")
        await stage.press("s")
        await stage.until_said("Carrier")
        await stage.press(*keys, "ctrl+s")
        await stage.until_said(words)

    play(folder, story)
    assert order(folder, "1001").state == "unfulfilled"
    assert found(folder, Fulfilment) == []


def test_a_partial_refund_takes_eight_keys_and_tells_before_it_is_sent(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        await go_to(stage, "1001")
        await stage.press("R")
        await stage.until_said("Refund: order 1001")
        await stage.press("3", "0", "enter", "x", "enter")
        await stage.until_said("paid 85.00, given back 0.00, granted and on its way 0.00")
        await stage.until_said("could be given back: 85.00 USD; after this 55.00 USD")
        await stage.until_said("30.00 USD is taken from the payment card")
        assert found(folder, Refund) == []
        with stage.hurrying():
            await stage.press("enter")
        assert found(folder, Refund) == []
        await again(stage, "enter")
        await stage.until_said("1001 granted a refund, u undoes")

    play(folder, story)
    (refund,) = found(folder, Refund)
    assert (refund.amount, refund.reason, refund.state) == (3_000, "x", "pending")


def test_what_was_changed_after_it_was_foreseen_is_foreseen_again(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        await go_to(stage, "1001")
        await stage.press("R")
        await stage.until_said("Refund: order 1001")
        await stage.press("3", "0", "enter", "x", "enter")
        await stage.until_said("after this 55.00 USD")
        await stage.press("up", "0")
        await stage.until(lambda: "after this" not in stage.text())
        await again(stage, "enter")
        await stage.until_said("only 85.00 USD of order 1001 can be refunded")

    play(folder, story)
    assert found(folder, Refund) == []


def test_a_hold_shows_in_the_list_and_one_key_releases_it(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        await go_to(stage, "1001")
        at = stage.app.table.cursor
        await stage.press("w")
        await stage.until_said("Hold: order 1001")
        await stage.type("fraud?")
        await stage.press("enter")
        await stage.until(lambda: stage.row(at).cells[0] == "on hold")
        assert stage.row(at).state == "unfulfilled"
        assert order(folder, "1001").hold_reason == "fraud?"
        await go_to(stage, "1001")
        await stage.until_said("fraud?")
        await stage.press("W")
        await stage.until_said("1001 released, u undoes")
        await stage.until(lambda: stage.row(at).cells[0] == "unfulfilled")

    play(folder, story)
    assert order(folder, "1001").hold_reason is None


def test_bulk_says_count_and_amount_and_undo_says_what_is_undone(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("*")
        await stage.until(lambda: len(stage.app.table.marks) == 3)
        await stage.type(":tag add:gift")
        await stage.press("enter")
        await stage.until_said("Tag: 3 orders ?")
        await stage.until_said("255.00 USD altogether")
        assert order(folder, "1001").tags == ()
        await again(stage, "y")
        await stage.until_said("3 orders tagged, u undoes")
        assert order(folder, "1003").tags == ("gift",)
        await stage.press("u")
        await stage.until_said("Undo: 3 orders tagged ?")
        await again(stage, "enter")
        await stage.until_said("Left as it is")
        assert order(folder, "1003").tags == ("gift",)
        await stage.press("u")
        await stage.until_said("Undo: 3 orders tagged ?")
        await again(stage, "y")
        await stage.until_said("Undone: 3 orders tagged")

    play(folder, story)
    assert order(folder, "1003").tags == ()


def test_a_return_goes_from_the_order_to_an_exchange_and_says_what_is_due(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        await go_to(stage, "1001")
        await stage.press("d")
        await stage.until_said("1001 sent")
        await go_to(stage, "1001")
        await stage.press("c")
        await stage.until_said("Request a return: order 1001")
        await stage.press("1", "down", "space", "enter", "2")
        await stage.until_said("1 return requested, u undoes")
        await stage.press("g", "r")
        await stage.until(lambda: stage.app.browser.noun == "returns" and stage.app.frame.is_ready)
        await stage.until_said("would give back")
        await stage.until_said("20.00 USD")
        for done in ("approved", "received"):
            await stage.press("d", "k")
            await stage.until_said(f"1001-R1 {done}")
            await stage.until(lambda state=done: stage.current().state == state)  # type: ignore[misc]
        await stage.press("B")
        await stage.until_said("Exchange: 1001-R1")
        await stage.press("right", "right", "right", *"50", "ctrl+s")
        await stage.until_said("new order 1001-R1-X: 50.00 USD, paid 20.00, still to be paid 30.00 USD")
        assert found(folder, CustomerReturn)[0].settled == ""
        await again(stage, "enter")
        await stage.until_said("1001-R1 exchanged, u undoes")

    play(folder, story)
    (back,) = found(folder, CustomerReturn)
    assert (back.pieces, back.reason, back.settled) == (1, "damaged", "exchange")
    assert (order(folder, "1001-R1-X").total, order(folder, "1001-R1-X").captured) == (5_000, 2_000)


def test_papers_are_printed_by_a_job_and_again_only_after_asking(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        await go_to(stage, "1001")
        await stage.press("L")
        await stage.until_said("Packing slips")
        await stage.press("enter")
        await stage.until_said("print slips papers/slips-")
        await stage.press("enter")
        await stage.until(lambda: order(folder, "1001").printed == 1)
        await stage.until(lambda: not stage.app.jobs.running)
        await stage.type(":print slips")
        await stage.press("enter")
        await stage.until_said("1 of 1 orders were printed before: print again ?")
        await again(stage, "y")
        await stage.until(lambda: order(folder, "1001").printed == 2)
        await stage.until(lambda: not stage.app.jobs.running)

    play(folder, story)
    assert len(list((folder / "papers").glob("slips-*.pdf"))) == 2


def test_exceptions_are_counted_by_their_cause_and_enter_goes_to_the_order(folder: Path, workspace: Workspace) -> None:
    workspace.do("exception_rules.add", code="all", name="Every web order", filter="channel:web")
    workspace.do("exception_rules.add", code="one", name="The first", filter="number:1001")
    workspace.do("exceptions.scan")

    async def story(stage: Stage) -> None:
        await stage.until_said("3 Every web order 3")
        await stage.press("4")
        await stage.until(lambda: stage.app.browser.filter_text == "state:open rule:one")
        assert stage.app.table.count == 1
        await stage.press("enter")
        await stage.until(lambda: stage.app.browser.noun == "orders" and stage.app.frame.is_ready)
        await stage.until_said("Needs a person")
        assert stage.current().cells[1] == "1001"
        await stage.press("q")
        await stage.until(lambda: stage.app.browser.noun == "exceptions" and stage.app.frame.is_ready)
        await stage.press("d")
        await stage.until_said("Resolution")
        await stage.type("seen")
        await stage.press("enter")
        await stage.until_said("u undoes")
        await stage.until(lambda: "The first 1" not in stage.text())

    play(folder, story, "exceptions")
    assert [item.resolution for item in found(folder, OrderException, "state:resolved")] == ["seen"]


def test_a_refusal_is_counted_before_several_are_asked_about(folder: Path, workspace: Workspace) -> None:
    workspace.do("orders.hold", "1002", reason="check")
    ids = [item.id for item in found(folder, Order)]
    told = foresee(workspace, "orders.fulfil", ids, {})
    assert told.lines[0] == "255.00 USD altogether"
    assert told.lines[1].startswith("1 would be refused: order 1002 is on hold: check")
    assert told.refused == {"on_hold": 1}
    assert {item.state for item in found(folder, Order)} == {"unfulfilled"}


def test_what_a_referrer_loses_is_told_before_a_refund_is_granted(folder: Path, workspace: Workspace) -> None:
    referrer = workspace.do("referrers.register", code="D1", name="Bea").returned
    workspace.do("reward_rules.add", code="W", event="won", kind="percent", rate="5%", base="gross", currency="USD",
                 effective_from="2026-01-01")  # fmt: skip
    workspace.do("reward_rules.activate", "W")
    workspace.do("stores.add", code="S1", name="West")
    lead = workspace.do("leads.report", name="Ann", phone="+12025550123", referrer=referrer).returned
    workspace.do("leads.accept", lead)
    workspace.do("leads.assign", lead, store="S1")
    workspace.do("leads.take", lead)
    made = workspace.do("orders.record", number="2001", channel="web", total="100.00", captured="100.00",
                        lines=[{"sku": "MUG", "quantity": 1, "price": "100.00"}]).returned  # fmt: skip
    workspace.do("orders.link", made, lead=lead)
    before = workspace.data_version()

    told = foresee(workspace, "orders.refund", [str(made)], {"amount": "20.00", "reason": "late"})

    assert any(line.startswith("once it is paid back: new reward") and "-1.00" in line for line in told.lines), told
    assert workspace.data_version() == before
