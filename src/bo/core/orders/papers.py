"""Papers for the warehouse and the customer: pick lists, packing slips, and drafts of invoices, as PDF.

Pure: the same orders come to the same bytes. A pick list merges the lines of many orders by where the goods lie.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Annotated, Final

from msgspec import Struct

from bo.core.kernel.amounts import format_amount
from bo.core.kernel.kinds import ChoiceKind
from bo.core.kernel.text import _
from bo.core.orders.drawing import Pen

PaperKind = Annotated[str, ChoiceKind("slips", "picks", "invoices")]
ORDERS_SHOWN: Final = 4  # order numbers beside a line of a pick list


class PaperLine(Struct, frozen=True):
    """A line of an order as papers show it. `to_send` pieces are left to send; amounts are minor units."""

    sku: str
    name: str
    bin: str
    pieces: int
    to_send: int
    price: int
    total: int


class PaperOrder(Struct, frozen=True):
    """An order as papers show it."""

    id: str
    number: str
    channel: str
    placed: date
    to: tuple[str, ...]  # lines of the address, the recipient first
    shipping_method: str
    note: str
    currency: str
    lines: tuple[PaperLine, ...]
    subtotal: int = 0
    discount: int = 0
    shipping: int = 0
    tax: int = 0
    total: int = 0
    paid: int = 0


class Pick(Struct, frozen=True):
    """What is taken from one bin, and for which orders."""

    bin: str
    sku: str
    name: str
    pieces: int
    orders: tuple[tuple[str, int], ...]


def picks_of(orders: Iterable[PaperOrder]) -> list[Pick]:
    """The lines of many orders, merged by bin and SKU, in the order of a walk along the bins; what has no bin comes
    last."""
    merged: dict[tuple[str, str, str], dict[str, int]] = {}
    for order in orders:
        for line in order.lines:
            if line.to_send:
                wanted = merged.setdefault((line.bin, line.sku, "" if line.sku else line.name), {})
                wanted[order.number] = wanted.get(order.number, 0) + line.to_send
    names = {line.sku: line.name for order in orders for line in order.lines if line.sku}
    walk = sorted(merged.items(), key=lambda item: (not item[0][0], item[0]))
    return [
        Pick(place, sku, names.get(sku, name), sum(wanted.values()), tuple(wanted.items()))
        for (place, sku, name), wanted in walk
    ]


def picks_pdf(orders: Sequence[PaperOrder]) -> tuple[bytes, int]:
    """One pick list for all the orders, and how many pages it has."""
    picks, pen = picks_of(orders), Pen(_("Pick list"))
    places = (pen.LEFT, 115, 215, 385, 400)

    def head(page: int) -> None:
        pen.write(pen.LEFT, _("Pick list"), size=15)
        told = _("{orders} orders, {pieces} pieces", orders=len(orders), pieces=sum(pick.pieces for pick in picks))
        pen.write(180, told)
        _page(pen, page)
        pen.row((_("Bin"), "SKU", _("Name"), _("Pieces"), _("Orders")), places, right=(3,))
        pen.gap()

    pen.part(head)
    rows = [(pick.bin, pick.sku, pick.name, str(pick.pieces), _for_orders(pick)) for pick in picks]
    pen.rows(rows, places, right=(3,))
    return pen.done(), pen.pages


def slips_pdf(orders: Sequence[PaperOrder]) -> tuple[bytes, int]:
    """A packing slip for each order, each on a page of its own, and how many pages."""
    pen = Pen(_("Packing slips"))
    places = (pen.LEFT, 115, 215, pen.RIGHT)
    for order in orders:
        lines = [line for line in order.lines if line.to_send] or order.lines
        _begin(pen, order, _("Packing slip"))
        pen.row((_("Bin"), "SKU", _("Name"), _("Pieces")), places, right=(3,))
        pen.gap()
        pen.rows([(line.bin, line.sku, line.name, str(line.to_send or line.pieces)) for line in lines], places,
                 right=(3,))  # fmt: skip
        _note(pen, order)
    return pen.done(), pen.pages


def invoices_pdf(orders: Sequence[PaperOrder]) -> tuple[bytes, int]:
    """A draft of an invoice for each order, and how many pages: it says so, for the invoice itself has a number of its
    own."""
    pen = Pen(_("Drafts of invoices"))
    places = (pen.LEFT, 150, 370, 455, pen.RIGHT)
    for order in orders:
        _begin(pen, order, _("Draft of an invoice"))
        pen.row(("SKU", _("Name"), _("Pieces"), _("Price"), _("Amount")), places, right=(2, 3, 4))
        pen.gap()
        rows = [
            (line.sku, line.name, str(line.pieces), _money(order, line.price), _money(order, line.total))
            for line in order.lines
        ]
        pen.rows(rows, places, right=(2, 3, 4))
        pen.room(8 * pen.STEP)
        pen.gap()
        for label, amount in _sums(order):
            pen.row((label, f"{_money(order, amount)} {order.currency}"), (370, pen.RIGHT), right=(1,))
        _note(pen, order)
    return pen.done(), pen.pages


def _begin(pen: Pen, order: PaperOrder, title: str) -> None:
    """The head of every page of an order: title, number, barcode; on the first also to whom it goes."""

    def head(page: int) -> None:
        pen.write(pen.LEFT, f"{title} {order.number}", size=15)
        pen.code(pen.RIGHT, order.number)
        pen.down()
        told = [order.placed.isoformat(), order.channel, order.shipping_method]
        if page > 1:
            told.append(_("page {page}", page=page))
        pen.write(pen.LEFT, "  ".join(part for part in told if part))
        pen.down(2)
        if page == 1:
            for part in order.to:
                pen.row((part,), (pen.LEFT,), size=10)
            pen.down()

    pen.part(head)


def _note(pen: Pen, order: PaperOrder) -> None:
    if order.note:
        pen.room(3 * pen.STEP)
        pen.down()
        pen.rows([(part,) for part in order.note.split("\n")], (pen.LEFT,))


def _page(pen: Pen, page: int) -> None:
    pen.write(pen.RIGHT - 40, _("page {page}", page=page))
    pen.down(2)


def _for_orders(pick: Pick) -> str:
    """For which orders, as far as there is room."""
    shown = [number if count == 1 else f"{number}×{count}" for number, count in pick.orders[:ORDERS_SHOWN]]
    more = len(pick.orders) - len(shown)
    return ", ".join(shown) + (f" +{more}" if more else "")


def _sums(order: PaperOrder) -> list[tuple[str, int]]:
    parts = [
        (_("Goods"), sum(line.total for line in order.lines)),
        (_("Discount"), -order.discount),
        (_("Shipping"), order.shipping),
        (_("Tax"), order.tax),
    ]
    due = [(_("Total"), order.total), (_("Paid"), order.paid), (_("Due"), order.total - order.paid)]
    return [(label, amount) for label, amount in parts if amount] + due


def _money(order: PaperOrder, amount: int) -> str:
    return format_amount(amount, order.currency)
