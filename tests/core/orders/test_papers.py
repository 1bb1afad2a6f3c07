"""Papers of orders: merged pick lists, slips and drafts of invoices, the same bytes each time, noted when printed."""

from __future__ import annotations

import base64
import re
import zlib
from pathlib import Path

import pytest

from bo.core.kernel.errors import NotFound
from bo.core.orders.papers import picks_of
from bo.core.orders.queries import PaperFile, paper_orders
from bo.core.orders.records import Order, Printing
from tests.cli.running import Desk
from tests.core.inventory.conftest import shop as shop
from tests.core.inventory.conftest import shop_template as shop_template
from tests.core.inventory.shop import CUP, EBOOK, POT, Shop


@pytest.fixture
def orders(shop: Shop) -> list[str]:
    """Two orders that want cups; one of them also a pot and a book that is not sent."""
    first = shop.order("1001", (CUP, 2, 1000), (POT, 1, 2000), name="李雷", address="世纪大道1号", city="上海",
                       total="45", shipping="5", captured="20")  # fmt: skip
    shop.later(minutes=1)
    return [first, shop.order("1002", (CUP, 3, 1000), ("EBOOK", 1, 500), note="Please call\nbefore")]


def made(shop: Shop, paper: str, orders: list[str]) -> PaperFile:
    file = shop.office.ask("orders.papers", None, orders=orders, paper=paper)
    assert isinstance(file, PaperFile)
    return file


def words(content: bytes) -> str:
    """The Latin text of a document."""
    found = []
    for part in re.findall(rb"stream\r?\n(.*?)endstream", content, re.DOTALL):
        try:
            found.append(zlib.decompress(base64.a85decode(part.strip().removesuffix(b"~>"))))
        except (ValueError, zlib.error):
            continue
    return " ".join(re.findall(r"\((.*?)\) Tj", b" ".join(found).decode("latin-1")))


def test_a_pick_list_merges_orders_by_bin(shop: Shop, orders: list[str]) -> None:
    shop.do("orders.fulfil", orders[1], lines={CUP: 1})
    picks = picks_of(paper_orders(shop.read, tuple(orders)))
    assert [(pick.bin, pick.sku, pick.pieces, pick.orders) for pick in picks] == [
        ("A-01", CUP, 4, (("1001", 2), ("1002", 2))),
        ("A-02", POT, 1, (("1001", 1),)),
        ("", EBOOK, 1, (("1002", 1),)),
    ]


def test_every_order_has_a_slip_of_its_own(shop: Shop, orders: list[str]) -> None:
    file = made(shop, "slips", orders)
    assert (file.orders, file.pages, file.name) == (2, 2, "slips.pdf")
    text = words(file.content)
    assert "Packing slip 1001" in text
    assert "Packing slip 1002" in text
    assert "Please call" in text


def test_a_draft_of_an_invoice_says_what_is_due(shop: Shop, orders: list[str]) -> None:
    text = words(made(shop, "invoices", orders[:1]).content)
    assert "Draft of an invoice 1001" in text
    for amount in ("40.00 CNY", "5.00 CNY", "45.00 CNY", "20.00 CNY", "25.00 CNY"):
        assert amount in text


@pytest.mark.parametrize("paper", ["slips", "picks", "invoices"])
def test_the_same_orders_give_the_same_bytes(shop: Shop, orders: list[str], paper: str) -> None:
    first = made(shop, paper, orders)
    shop.later(days=3)
    assert made(shop, paper, list(reversed(orders))) == first
    assert first.content.startswith(b"%PDF")


def test_a_long_order_goes_on_to_the_next_page(shop: Shop) -> None:
    order = shop.order("7", *((f"SKU-{number}", 1, 100) for number in range(100)))
    assert made(shop, "slips", [order]).pages == 3


def test_a_number_that_no_barcode_can_hold_is_printed_without(shop: Shop) -> None:
    assert made(shop, "slips", [shop.order("订单一", (CUP, 1, 100))]).pages == 1
    assert made(shop, "slips", [shop.order("9" * 60, (CUP, 1, 100))]).pages == 1


def test_papers_of_an_order_that_is_not_there_are_refused(shop: Shop, orders: list[str]) -> None:
    with pytest.raises(NotFound):
        made(shop, "slips", [*orders, "ord_none"])


def test_printing_is_noted_and_changes_no_state(shop: Shop, orders: list[str]) -> None:
    before = shop.order_state(orders[0])
    shop.do("orders.printed", orders[0], paper="slips")
    assert shop.order_state(orders[0]) == before
    assert shop.get(Order, orders[0]).printed == 1
    assert [(item.paper, item.by) for item in shop.all(Printing)] == [("slips", shop.office.actor)]


def test_printing_again_must_be_meant(shop: Shop, orders: list[str]) -> None:
    shop.do("orders.printed", orders[0], paper="slips")
    assert shop.refused("orders.printed", orders[0], paper="slips") == "printed_already"
    shop.do("orders.printed", orders[0], paper="picks")
    shop.do("orders.printed", orders[0], paper="slips", again=True)
    assert shop.get(Order, orders[0]).printed == 3


def test_what_is_held_gets_no_papers_for_sending(shop: Shop, orders: list[str]) -> None:
    shop.do("orders.hold", orders[0], reason="Fraud?")
    assert shop.refused("orders.printed", orders[0], paper="picks") == "on_hold"
    shop.do("orders.printed", orders[0], paper="invoices")


# -- the command line --------------------------------------------------------------------------------------------------


@pytest.fixture
def desk(
    shop: Shop, orders: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Desk:  # fmt: skip
    assert orders
    shop.office.close()
    return Desk(shop.folder, capsys, monkeypatch)


def test_print_writes_one_file_and_notes_it(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "slips.pdf"
    desk.well("orders", "print", "1001", "1002", "--paper", "slips", "--to", str(file), "--yes")
    assert file.read_bytes().startswith(b"%PDF")
    noted = desk.well("orders", "list", "-o", "jsonl", "--fields", "number,printed").things()
    assert [row["printed"] for row in noted] == [1, 1]


def test_what_was_printed_is_not_printed_again_by_accident(desk: Desk, tmp_path: Path) -> None:
    first, second = tmp_path / "1.pdf", tmp_path / "2.pdf"
    desk.well("orders", "print", "1001", "--paper", "slips", "--to", str(first))
    before = desk.operations()

    ran = desk.bo("orders", "print", "1002", "1001", "--paper", "slips", "--to", str(second), "--yes")
    assert ran.code != 0
    assert "--again" in ran.err
    assert not second.exists()
    assert desk.operations() == before
    desk.well("orders", "print", "1002", "1001", "--paper", "slips", "--to", str(second), "--yes", "--again")
    assert second.exists()


def test_a_dry_run_prints_and_notes_nothing(desk: Desk, tmp_path: Path) -> None:
    before = desk.operations()
    desk.well("orders", "print", "--where", "number:1001", "--paper", "picks", "--to", str(tmp_path / "p.pdf"), "-n")
    assert not (tmp_path / "p.pdf").exists()
    assert desk.operations() == before
