"""The papers of orders, and what happened to their money."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec

from bo.core.catalog.records import Variant
from bo.core.kernel.command import query
from bo.core.kernel.errors import NotFound, UsageError
from bo.core.kernel.kinds import Amount, ChoiceKind, Count, Currency, Moment, Tags, Text
from bo.core.kernel.moments import zone_of
from bo.core.kernel.reader import Reader, visible
from bo.core.kernel.record import info_of
from bo.core.orders.papers import PaperKind, PaperLine, PaperOrder, invoices_pdf, picks_pdf, slips_pdf
from bo.core.orders.records import CAPTURED, CHARGE_BACK, DONE, FAILED, VOIDED, Order, OrderLine, Payment, Refund

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement

NOUN: Final = "orders"
ORDERS_MOST: Final = 5_000  # orders of one file
DRAWN: Final = {"slips": slips_pdf, "picks": picks_pdf, "invoices": invoices_pdf}


class PaperFile(msgspec.Struct, frozen=True):
    """A file of papers: the same bytes as long as the orders are the same."""

    name: Text
    content: bytes
    hash: Text
    orders: Count
    pages: Count


MoneyEvent = Annotated[
    str,
    ChoiceKind(
        "authorised", "captured", "voided", "refund_granted", "refunded", "refund_failed", "charged_back"
    ),
]  # fmt: skip


class MoneyMoved(msgspec.Struct, frozen=True):
    """One thing that happened to the money of an order. `refundable` is what could be given back after it."""

    at: Moment
    event: MoneyEvent
    amount: Amount
    refundable: Amount
    currency: Currency
    method: Text
    reference: Text
    payment: Text


@query(needs="payments.read")
def money(read: Reader, order: Order) -> list[MoneyMoved]:
    """What happened to the money of an order: authorised, captured, granted, given back, charged back."""
    payments = {item.id: item for item in read.records(Payment, f"order:{order.id}")}
    refunds = read.records(Refund, f"order:{order.id}")
    happened = [event for item in payments.values() for event in _of_payment(item)]
    happened += [event for item in refunds for event in _of_refund(item)]
    found, left = [], 0
    for at, _rank, event, amount, change, reference, payment in sorted(happened):
        left += change
        method = payments[payment].method
        found.append(MoneyMoved(at, event, amount, left, order.currency, method, reference, payment))
    return found


Happened = tuple[datetime, int, str, int, int, str, str]  # at, rank, event, amount, change, reference, payment


def _of_payment(item: Payment) -> Iterator[Happened]:
    reference = item.reference or ""
    if item.authorised:
        yield item.created_at, 0, "authorised", item.authorised, 0, reference, item.id
    if item.state == CAPTURED:
        yield item.at, 1, "captured", item.amount, item.amount, reference, item.id
    elif item.state == VOIDED:
        yield item.updated_at, 1, "voided", item.authorised, 0, reference, item.id


def _of_refund(item: Refund) -> Iterator[Happened]:
    if item.sort == CHARGE_BACK:
        yield item.created_at, 3, "charged_back", item.amount, -item.amount, item.reference, item.payment
        return
    if not item.granted_by:  # a shop told of it when it was done
        yield item.created_at, 3, "refunded", item.amount, -item.amount, item.reference, item.payment
        return
    yield item.created_at, 2, "refund_granted", item.amount, -item.amount, "", item.payment
    if item.state == DONE:
        yield item.updated_at, 3, "refunded", item.amount, 0, item.reference, item.payment
    elif item.state == FAILED:
        yield item.updated_at, 3, "refund_failed", item.amount, item.amount, item.reference, item.payment


@query(needs="orders.read")
def papers(read: Reader, *, orders: Tags, paper: PaperKind) -> PaperFile:
    """Make packing slips, a pick list or drafts of invoices of orders, by their ids. It is `bo orders print` that notes
    it."""
    if len(orders) > ORDERS_MOST:
        raise UsageError("one file has papers of at most {most} orders", hint="Print some at a time.", most=ORDERS_MOST)
    found = paper_orders(read, orders)
    if len(found) < len(orders):
        missing = sorted({*orders} - {order.id for order in found})
        raise NotFound("there is no order {id}", id=missing[0])
    content, pages = DRAWN[paper](found)
    return PaperFile(f"{paper}.pdf", content, sha256(content).hexdigest(), len(found), pages)


def paper_orders(read: Reader, ids: tuple[str, ...]) -> list[PaperOrder]:
    """Orders as papers show them, in the order in which they were placed."""
    values: dict[str, object] = {"ids": read.session.array(ids), **read.eyes()}
    order_info, line_info = info_of(Order), info_of(OrderLine)
    heads = read.rows(f"{order_info.fingerprint}:papers:{bool(read.eyes())}", lambda: _heads(read), **values)
    rows = read.rows(f"{line_info.fingerprint}:papers", _lines, ids=values["ids"])
    lines: dict[str, list[PaperLine]] = defaultdict(list)
    for order, *cells in rows:
        lines[str(order)].append(_line(*cells))
    zone = zone_of(read.context.zone)
    found = [order for row in heads if isinstance(order := order_info.load(row), Order)]
    for order in found:
        read.veil(order_info, order)
    return [_paper(order, tuple(lines[order.id]), zone) for order in found]


def _paper(order: Order, lines: tuple[PaperLine, ...], zone: Any) -> PaperOrder:
    place = " ".join(part for part in (order.country, order.province, order.city, order.postcode) if part)
    person = " ".join(part for part in (order.name, order.phone or "") if part)
    return PaperOrder(
        id=order.id, number=order.number, channel=order.channel, placed=order.placed_at.astimezone(zone).date(),
        to=tuple(part for part in (person, order.company, order.address, place) if part),
        shipping_method=order.shipping_method, note=order.note, currency=order.currency, lines=lines,
        subtotal=order.subtotal, discount=order.discount, shipping=order.shipping, tax=order.tax, total=order.total,
        paid=order.captured - order.refunded,
    )  # fmt: skip


def _line(
    sku: str | None, name: str, bin_: str | None, quantity: int, cancelled: int, fulfilled: int, sent: int | bool,
    price: int, total: int,
) -> PaperLine:  # fmt: skip
    pieces = quantity - cancelled
    return PaperLine(sku or "", name, bin_ or "", pieces, pieces - fulfilled if sent else 0, price, total)


def _heads(read: Reader) -> ClauseElement:
    import sqlalchemy as sa

    from bo.core.kernel.tables import in_list, table

    info = info_of(Order)
    made = table(info)
    wanted = sa.select(*(made.c[name] for name in info.field_names)).where(
        in_list(made.c.id, sa.bindparam("ids")), *visible(info, read.actor)
    )
    return wanted.order_by(made.c.placed_at, made.c.n)


def _lines() -> ClauseElement:
    import sqlalchemy as sa

    from bo.core.kernel.tables import in_list, table

    line, variant = table(info_of(OrderLine)), table(info_of(Variant))
    columns = (
        line.c.order, line.c.sku, line.c.name, variant.c.bin, line.c.quantity, line.c.cancelled, line.c.fulfilled,
        line.c.needs_shipping, line.c.price, line.c.total,
    )  # fmt: skip
    wanted = sa.select(*columns).select_from(line.outerjoin(variant, variant.c.id == line.c.variant))
    return wanted.where(in_list(line.c.order, sa.bindparam("ids"))).order_by(line.c.order, line.c.position)
