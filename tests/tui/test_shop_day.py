"""What an operator of a shop meets in a day: marks and tags, other currencies, customers, rules, views, files."""

from __future__ import annotations

from pathlib import Path

import pytest

from bo.core.customers.records import Customer
from bo.core.exchange.pipeline import import_file
from bo.core.kernel.amounts import exponent_of
from bo.core.office import context_for, create, open_office
from bo.core.orders.records import ExceptionRule, Order
from bo.tui.importing import listing
from bo.tui.office import OfficeDesk, OfficeLibrary, OfficeSource
from bo.tui.source import Detail, ScreenOptions
from tests.tui.stage import LARGE, Stage, Story, perform

BUYER = {"name": "Wen Li", "phone": "13800138000", "city": "Shanghai"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A Chinese office with an order in its own currency, one in yen and one in dollars, two of them of one buyer."""
    made = create(tmp_path / "office", context_for("CN"), operator="ann")
    made.do("orders.record", number="7", placed_at="2026-02-01 08:00:05", total="12.50", lines=[LINE], **BUYER)
    made.do("orders.record", number="8", total="1200", currency="JPY", captured="1200", **BUYER)
    made.do("orders.record", number="9", total="3.00", currency="USD", name="Ann")
    made.do("customers.link_orders")
    made.close()
    return tmp_path / "office"


LINE = {"name": "Mug", "sku": "MUG", "quantity": 1, "price": "12.50"}


def play(folder: Path, story: Story, noun: str = "orders") -> None:
    perform(
        lambda: OfficeLibrary(open_office(folder)), lambda: OfficeDesk(open_office(folder), "Office"), story,
        size=LARGE, options=ScreenOptions(noun=noun, environment={"BO_WORKSPACE": str(folder)}),
    )  # fmt: skip


def order(folder: Path, number: str) -> Order:
    office = open_office(folder)
    try:
        (found,) = office.reader().records(Order, f"number:{number}")
        return found
    finally:
        office.close()


async def go_to(stage: Stage, number: str) -> None:
    table = stage.app.table
    table.move_to(next(at for at in range(table.count) if number in stage.row(at).cells))
    await stage.settled()


def test_the_key_of_tags_asks_which_and_names_an_order_that_is_only_a_number(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        await go_to(stage, "7")
        await stage.press("t")
        await stage.until_said("Tag: order 7")
        await stage.type("urgent")
        await stage.press("ctrl+s")
        await stage.until_said("order 7 tagged, u undoes")

    play(folder, story)
    assert order(folder, "7").tags == ("urgent",)


def test_amounts_of_another_currency_say_so_and_a_hold_shows_whatever_the_columns(folder: Path) -> None:
    office = open_office(folder)
    office.do("orders.hold", "8", reason="check")
    source = OfficeSource(office, "orders").with_columns(("number", "total"))
    rows = {row.cells[1]: row for row in source.snapshot("", "").window(0, 3)}
    source.detail(rows["8"].id)  # what was looked at whole leaves the list as it is
    again = {row.cells[1]: row.cells for row in source.snapshot("", "").window(0, 3)}
    office.close()
    assert exponent_of("JPY") == 0
    assert rows["7"].cells == ("unfulfilled", "7", "12.50")
    assert rows["8"].cells == ("on hold", "8", "1200 JPY")
    assert rows["9"].cells == ("unfulfilled", "9", "3.00 USD")
    assert {number: row.cells for number, row in rows.items()} == again


def test_a_form_reads_amounts_in_the_currency_of_its_order(folder: Path) -> None:
    office = open_office(folder)
    office.do("orders.record", number="10", total="1.234", currency="KWD")
    desk = OfficeDesk(office, "Office")
    dinar, yen = order(folder, "10").id, order(folder, "8").id
    wrong = desk.check("orders.pay", [yen], {"amount": "1.50", "method": "card"})
    assert desk.check("orders.pay", [dinar], {"amount": "1.234", "method": "card"}) == {}
    office.close()
    assert list(wrong) == ["amount"]
    assert "JPY" in wrong["amount"]


def test_an_editing_form_begins_with_moments_in_the_time_of_the_office(folder: Path) -> None:
    office = open_office(folder)
    source = OfficeSource(office, "orders")
    values = source.values(order(folder, "7").id)
    read_again = office.reader().info("orders").by_name["placed_at"].kind.decode(values["placed_at"], office.context)
    office.close()
    assert values["placed_at"] == "2026-02-01 08:00:05"
    assert read_again == order(folder, "7").placed_at


def test_a_customer_shows_what_they_bought_by_currency_and_what_happened(folder: Path) -> None:
    office = open_office(folder)
    (customer,) = office.reader().records(Customer, "phone:13800138000")
    detail: Detail = OfficeSource(office, "customers").detail(customer.id)
    office.close()
    bought, happened = detail.sections
    assert [(row[0], row[3]) for row in bought.rows] == [("1 order", "12.50 CNY"), ("1 order", "1200 JPY")]
    assert {row[1:4] for row in happened.rows} == {
        ("order", "7", "unfulfilled, unpaid"), ("order", "8", "unfulfilled, paid"),
    }  # fmt: skip


def test_stock_is_known_by_its_sku_and_its_warehouse_is_filtered_by_code(folder: Path) -> None:
    office = open_office(folder)
    product = office.do("products.record", title="Mug").returned
    variant = office.do("variants.add", product=product, sku="MUG-RED", title="Red").returned
    office.do("warehouses.add", code="HZ", name="Hangzhou")
    office.do("stock.receive", variant=variant, warehouse="HZ", quantity=2)
    source = OfficeSource(office, "stock")
    (row,) = source.snapshot("on_hand<5", "").window(0, 1)
    detail, term = source.detail(row.id), source.term(row.id, "warehouse")
    found = source.snapshot(term, "").count
    office.close()
    assert [column.key for column in source.columns()] == ["variant", "warehouse", "on_hand", "allocated"]
    assert row.cells == ("MUG-RED", "Hangzhou", "2", "0")
    assert (detail.title, term, found) == ("MUG-RED", "warehouse:HZ", 1)


def test_who_has_no_name_is_chosen_by_phone(folder: Path) -> None:
    office = open_office(folder)
    customer = office.do("customers.add", phone="13900139000").returned
    source = OfficeSource(office, "customers")
    choices = {choice.value: choice.label for choice in source.choices("customers", "", 10)}
    title = source.detail(str(customer)).title
    office.close()
    assert (choices[str(customer)], title) == ("+8613900139000", "+8613900139000")


def test_headers_of_a_chinese_shop_are_known(folder: Path, tmp_path: Path) -> None:
    office = open_office(folder)
    product = office.do("products.record", title="Mug").returned
    office.do("variants.add", product=product, sku="MUG-RED")
    office.do("warehouses.add", code="HZ")
    stock, orders = tmp_path / "stock.csv", tmp_path / "orders.csv"
    stock.write_text("SKU,仓库,库存\nMUG-RED,HZ,12\n", "utf-8")
    orders.write_text("订单编号,合计,姓名\n70,1.00,王伟\n", "utf-8")
    taken = import_file(office, "stock", stock), import_file(office, "orders", orders)
    levels = office.reader().page("stock", "", fields=("on_hand",)).rows
    office.close()
    assert [(report.created, report.rejected) for report in taken] == [(1, 0), (1, 0)]
    assert [tuple(row) for row in levels] == [(12,)]
    assert order(folder, "70").name == "王伟"


def test_rules_and_scans_say_how_many_they_made(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.type(":exception-rules")
        await stage.press("enter")
        await stage.until(lambda: stage.app.browser.noun == "exception_rules" and stage.app.frame.is_ready)
        await stage.until_said("There are no rules yet: :standard makes the built-in ones")
        await stage.type(":standard")
        await stage.press("enter")
        await stage.until_said("9 exception rules made, u undoes")
        await stage.press("g", "x")
        await stage.until(lambda: stage.app.browser.noun == "exceptions" and stage.app.frame.is_ready)
        await stage.until(lambda: "exception rules made" not in stage.text(), "what was said elsewhere is gone")
        await stage.type(":scan")
        await stage.press("enter")
        await stage.until_said("Scan")
        await stage.press("ctrl+s")
        await stage.until_said("exceptions opened")

    play(folder, story)
    office = open_office(folder)
    rules = office.reader().records(ExceptionRule, "")
    office.close()
    assert len(rules) == 9


def test_a_view_takes_the_first_digit_that_is_free_and_keeps_it(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        for name in ("Mine", "Mine", "Other"):
            await stage.type(f":save-view {name}")
            await stage.press("enter")
            await stage.until_said(f"View {name} saved; {8 if name == 'Other' else 7} opens it")

    play(folder, story)


def test_rows_are_sorted_by_the_title_of_a_column_too(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.type(":sort -Placed")
        await stage.press("enter")
        await stage.until(lambda: stage.app.browser.sort == "-placed_at")
        await stage.type(":sort －total")  # as an input method writes it
        await stage.press("enter")
        await stage.until(lambda: stage.app.browser.sort == "-total")

    play(folder, story)


def test_what_was_said_goes_when_something_else_is_typed(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.type(":nosuch")
        await stage.press("enter")
        await stage.until_said("There is no command nosuch")
        await stage.press("/")
        await stage.press("escape")
        await stage.until(lambda: stage.app.message.display)
        assert "nosuch" not in stage.text()

    play(folder, story)


def test_a_payment_that_came_is_not_offered_days_to_come(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        await go_to(stage, "7")
        await stage.press("P")
        await stage.until_said("Pay: order 7")
        assert "tomorrow" not in stage.text()
        await stage.until_said("a moment, such as")

    play(folder, story)


def test_the_dashboard_begins_where_something_waits(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("g", "d")
        await stage.until_said("What waits")
        await stage.press("enter")
        await stage.until(lambda: stage.app.frame.is_ready and bool(stage.app.browser.filter_text))
        assert stage.app.browser.noun == "orders"
        assert stage.app.table.count > 0

    play(folder, story)


def test_the_files_of_an_office_are_nothing_to_import(tmp_path: Path) -> None:
    for name in ("office.db", "office.db-wal", "bo.toml", ".hidden", "orders.csv"):
        (tmp_path / name).write_text("")
    assert [item.name for item in listing(tmp_path)] == ["orders.csv"]


def test_a_path_that_begins_with_a_slash_is_a_whole_one(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "more.csv").write_text("Order ID,Total\n10,1.00\n")

    async def story(stage: Stage) -> None:
        await stage.press("I")
        await stage.until_said("which file")
        await stage.type(f"{tmp_path.as_posix()}/more.csv")
        await stage.press("enter")
        await stage.until_said("its first rows")

    if tmp_path.as_posix().startswith("/"):
        play(folder, story)


def test_an_order_without_lines_is_sent_whole(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        await go_to(stage, "8")
        await stage.press("d")
        await stage.until_said("order 8 sent, u undoes")

    play(folder, story)
    assert order(folder, "8").state == "fulfilled"
