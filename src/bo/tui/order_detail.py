"""What stands beside an order: why it needs a person, its lines, its money, what there is in stock, and who bought it.

It follows the cursor, so it asks few questions, each by an index; what the operator may not read is left out.
"""

from __future__ import annotations

from typing import Final

from bo.core.catalog.records import Variant
from bo.core.customers.records import Customer
from bo.core.inventory import queries as stock_queries
from bo.core.kernel.amounts import format_amount, money
from bo.core.kernel.errors import BoError
from bo.core.kernel.reader import Reader
from bo.core.kernel.record import Record
from bo.core.kernel.text import _
from bo.core.orders import queries as order_queries
from bo.core.orders.records import Order, OrderException, OrderLine, Payment, Refund
from bo.core.orders.rules import refundable
from bo.core.returns import rules
from bo.core.returns.records import OPEN_STATES, RECEIVED, CustomerReturn
from bo.tui.shown import Shown, said
from bo.tui.source import Section

LINES_MOST: Final = 40
VARIANTS_MOST: Final = 6
EVENTS_MOST: Final = 20


def order_sections(read: Reader, shown: Shown, order: Record) -> tuple[Section, ...]:
    """An order: its open exceptions first."""
    assert isinstance(order, Order)
    lines = _lines(read, order)
    return (
        _hold(order), _exceptions(read, order), _asked(order), _line_rows(order, lines), _money(read, shown, order),
        _stock(read, lines),
        _customer(read, order),
    )  # fmt: skip


def exception_sections(read: Reader, shown: Shown, found: Record) -> tuple[Section, ...]:
    """An exception: the order that it is about."""
    assert isinstance(found, OrderException)
    return _of_order(read, shown, found.order)


def refund_sections(read: Reader, shown: Shown, refund: Record) -> tuple[Section, ...]:
    """A refund: the order whose money it is."""
    assert isinstance(refund, Refund)
    return _of_order(read, shown, refund.order)


def return_sections(read: Reader, shown: Shown, back: Record) -> tuple[Section, ...]:
    """A return: which pieces, what they would give back, and the order."""
    assert isinstance(back, CustomerReturn)
    order = _order(read, back.order)
    if order is None:
        return ()
    lines = _lines(read, order)
    return (
        _pieces(back, lines), _worth(read, order, lines, back), _line_rows(order, lines), _money(read, shown, order),
        _stock(read, lines), _customer(read, order),
    )  # fmt: skip


def _of_order(read: Reader, shown: Shown, order_id: str) -> tuple[Section, ...]:
    order = _order(read, order_id)
    return (_head(shown, order), *order_sections(read, shown, order)) if order is not None else ()


def _order(read: Reader, order_id: str) -> Order | None:
    if not read.actor.may("orders.read"):
        return None
    try:
        return read.get(Order, order_id)
    except BoError:  # another store's
        return None


def _lines(read: Reader, order: Order) -> list[OrderLine]:
    if not read.actor.may("order_lines.read"):
        return []
    return read.records(OrderLine, f"order:{order.id} sort:position")


def _head(shown: Shown, order: Order) -> Section:
    """For those who look at something else that is about the order: what is decided by, on few lines."""
    state, day = _(order.state.replace("_", " ")), shown.moment(order.placed_at)[:10]
    rows: list[tuple[str, ...]] = [(order.number, state, day, money(order.total, order.currency))]
    buyer = " ".join(part for part in (order.name, order.phone, order.city or order.province) if part)
    if buyer:
        rows.append(("", "", buyer))
    return Section(_("Order"), tuple(rows), frozenset({3}), grow=2)


def _hold(order: Order) -> Section:
    return Section(_("On hold"), ((order.hold_reason,),) if order.hold_reason else (), tone="warn")


def _asked(order: Order) -> Section:
    """What was asked for it, and whether it is paid: the first thing that is looked for."""
    cells = (_(order.payment.replace("_", " ")), order.channel, money(order.total, order.currency))
    return Section(_("Total"), (cells,), frozenset({2}), grow=1)


def _exceptions(read: Reader, order: Order) -> Section:
    rows: list[tuple[str, ...]] = []
    if read.actor.may("exceptions.read"):
        kind = read.info("exceptions").by_name["reason"].kind
        described = kind.describe()
        options, labels = described["options"], described["labels"]
        assert isinstance(options, list)
        assert isinstance(labels, list)
        words = dict(zip(options, labels, strict=True))
        found = read.records(OrderException, f"order:{order.id} state:open")
        rows = [(_(str(words.get(item.reason, item.reason))), item.detail) for item in found]
    return Section(_("Needs a person"), tuple(rows), tone="bad")


def _line_rows(order: Order, lines: list[OrderLine]) -> Section:
    rows: tuple[tuple[str, ...], ...] = tuple(
        (line.sku or "", line.name, f"{line.quantity}", _done(line), format_amount(line.total, order.currency))
        for line in lines[:LINES_MOST]
    )
    if len(lines) > LINES_MOST:
        rows += (("", _("and {count} more", count=len(lines) - LINES_MOST)),)
    return Section(_("Lines"), rows, frozenset({2, 4}), grow=1)


def _done(line: OrderLine) -> str:
    """What has become of the pieces of a line, in words."""
    parts = (
        (_("sent {count}", count=line.fulfilled), line.fulfilled),
        (_("back {count}", count=line.returned), line.returned),
        (_("cancelled {count}", count=line.cancelled), line.cancelled),
    )
    return ", ".join(words for words, count in parts if count)


def _told(item: order_queries.MoneyMoved) -> tuple[str, str, str]:
    """What happened to money, how, and under which reference."""
    return _(item.event.replace("_", " ")), said("payments", "method", item.method), item.reference


def _money(read: Reader, shown: Shown, order: Order) -> Section:
    if not read.actor.may("payments.read"):
        return Section(_("Money"), ())
    moved = order_queries.money(read, order)
    rows = [
        (shown.moment(item.at)[:10], " ".join(filter(None, _told(item))), format_amount(item.amount, order.currency))
        for item in moved[-EVENTS_MOST:]
    ]
    if moved:
        rows.append(("", _("could be given back"), format_amount(moved[-1].refundable, order.currency)))
    due = order.total - (order.captured - order.refunded)
    if due > 0 and not order.is_cancelled and not order.refunded:
        rows.append(("", _("still to be paid"), format_amount(due, order.currency)))
    return Section(_("Money ({currency})", currency=order.currency), tuple(rows), frozenset({2}), grow=1)


def _stock(read: Reader, lines: list[OrderLine]) -> Section:
    """What is free of each variant, by warehouse."""
    rows = []
    if read.actor.may("stock.read"):
        variants = dict.fromkeys((line.variant, line.sku or "") for line in lines if line.variant)
        for variant, sku in list(variants)[:VARIANTS_MOST]:
            for there in stock_queries.available(read, read.get(Variant, variant)):
                coming = _("{count} coming", count=there.incoming) if there.incoming else ""
                rows.append((sku, there.warehouse, _("{count} free", count=there.available), coming))
    return Section(_("Stock"), tuple(rows), frozenset({2}))


def _customer(read: Reader, order: Order) -> Section:
    rows = []
    if order.customer and read.actor.may("customers.read"):
        try:
            customer = read.get(Customer, order.customer)
        except BoError:
            return Section(_("Customer"), ())
        count = read.count("orders", f"customer:{order.customer}")
        orders = _("1 order") if count == 1 else _("{count} orders", count=count)
        rows.append((customer.name or order.name or customer.email or customer.phone or "", orders))
    return Section(_("Customer"), tuple(rows))


def _pieces(back: CustomerReturn, lines: list[OrderLine]) -> Section:
    """What is announced and what came, line by line."""
    rows = tuple(
        (line.sku or "", line.name, _("{count} announced", count=back.lines[line.id]),
         _("{count} came", count=back.received.get(line.id, 0)) if back.state == RECEIVED else "")
        for line in lines if line.id in back.lines
    )  # fmt: skip
    return Section(_("Pieces that come back"), rows, grow=1)


def _worth(read: Reader, order: Order, lines: list[OrderLine], back: CustomerReturn) -> Section:
    """What it gives back: once it is here what it is worth, before that what it would be."""
    rows: list[tuple[str, ...]] = []
    if back.settled:
        rows.append((_("made good"), _(back.settled)))
    elif back.state == RECEIVED:
        rows.append((_("worth"), money(back.amount, order.currency)))
    elif back.state in OPEN_STATES and read.actor.may("payments.read"):
        # `returns.simulate` asks what more could come back, and these pieces are announced already.
        value = rules.worth(order, lines, {line: int(str(count)) for line, count in back.lines.items()})
        usable = sum(refundable(item) for item in read.records(Payment, f"order:{order.id}"))
        rows.append((_("would give back"), money(min(value, usable), order.currency)))
    return Section(_("What it comes to"), tuple(rows))
