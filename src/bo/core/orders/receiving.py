"""Taking in an order as a shop tells it: head, lines, what was paid, given back and sent; and the same order told
again.

What is told again adds to what is known and takes nothing of it away: a payment, a refund or a parcel that somebody
noted here stays, whatever an older file says. What a shop says it has sent has left, also where the order is held here:
a hold stops what is sent from here. Stock moves only as far as it was promised to the order (`allocating.follow`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from bo.core.catalog.finding import variant_called
from bo.core.kernel.errors import Refused
from bo.core.kernel.kinds import rows_key
from bo.core.kernel.tx import Tx
from bo.core.orders.allocating import follow
from bo.core.orders.deriving import derive, lines_of, payments_of
from bo.core.orders.records import DONE, LATER, PENDING, Fulfilment, Order, OrderLine, Payment, Refund
from bo.core.orders.refunding import carry_out
from bo.core.orders.rules import refundable

IMPORTED = "imported"
CREDIT_NOTE = "credit note"
Rows = Sequence[Mapping[str, object]]


class KnownOrder(Refused):
    """The channel has an order of that number already."""

    code = "known_order"


class NoPrice(Refused):
    """A line of which only the sum is known."""

    code = "no_price"


class Money(msgspec.Struct, frozen=True):
    """What a shop says was paid and given back; None where it does not say."""

    captured: int | None = None
    refunded: int | None = None
    method: str = ""


def order_key(channel: str, number: str) -> str:
    """What an order is known by: numbers are a channel's own."""
    return f"{channel}/{number}"


def sum_of(lines: Rows) -> int:
    """What lines come to, where nobody says it."""
    return sum(_line_total(line) for line in lines)


def _line_total(line: Mapping[str, object]) -> int:
    if (total := line.get("total")) is not None:
        return int(str(total))
    quantity, price = int(str(line.get("quantity", 0))), int(str(line.get("price", 0)))
    return quantity * price - int(str(line.get("discount", 0)))


def take_in(tx: Tx, order: Order, lines: Rows, money: Money) -> Order:
    """Add an order with its lines, one payment of what the shop says was paid, and one refund of what it says was given
    back. What was given back was paid, also where the shop does not say so.

    Raises KnownOrder, InconsistentOrder.
    """
    if tx.find(Order, key=order.key) is not None:
        raise KnownOrder("{channel} has an order {number} already", channel=order.channel, number=order.number)
    tx.add(order)
    made = [add_line(tx, order, position, line) for position, line in enumerate(lines, 1)]
    if made and order.total < 0:
        order.tags = tuple(sorted({*order.tags, CREDIT_NOTE}))
    order.lines_key = rows_key(lines)
    if order.sent_at is not None:
        _send_all(order, made)
    parcel = _note_sent(tx, order, made, ())
    if order.is_cancelled:
        cancel_rest(made)
    refunded = money.refunded or 0
    captured = money.captured if money.captured is not None else refunded
    payments = [_imported(tx, order, captured, money.method)] if captured else []
    if refunded:
        give_back(tx, order, refunded, reason=IMPORTED, payments=payments)
    derive(tx, order, lines=made, payments=payments, parcels=[parcel] if parcel is not None else [])
    return order


def take_in_again(tx: Tx, order: Order, lines: Rows | None, money: Money, *, sent_at: datetime | None) -> None:
    """What a shop tells anew of an order. Raises InconsistentOrder."""
    if lines is not None:
        _tell_lines(tx, order, lines)
    known = lines_of(tx, order)
    if sent_at is not None and order.sent_at is None:
        order.sent_at = sent_at
        _send_all(order, known)
    parcel = _note_sent(tx, order, known, tx.find_all(Fulfilment, order=order.id))
    if order.is_cancelled:
        cancel_rest(known)
    follow(tx, order, known, parcel)
    paid = sum(item.amount for item in payments_of(tx, order))
    if money.captured is not None and money.captured > paid:
        _imported(tx, order, money.captured - paid, money.method)
    if money.refunded is not None:
        _tell_refunds(tx, order, money.refunded)
    derive(tx, order)


# -- lines -------------------------------------------------------------------------------------------------------------


def add_line(tx: Tx, order: Order, position: int, line: Mapping[str, object]) -> OrderLine:
    """A line with the name and price of the day. A SKU that several variants have is linked to none. Pieces below
    nothing are pieces that came back: they are noted as cancelled, and the line's total is below nothing."""
    values: dict[str, object] = {**line, "total": _line_total(line)}
    if (quantity := int(str(line.get("quantity", 0)))) < 0:
        values |= {"quantity": -quantity, "cancelled": -quantity, "discount": 0}
    elif quantity and not line.get("price"):
        whole, rest = divmod(int(str(values["total"])) + int(str(line.get("discount", 0))), quantity)
        values["price"] = 0 if rest else whole
    sku = str(values.get("sku") or "")
    variant = variant_called(tx, sku) if sku else None
    own = {"order": order.id, "position": position, "store": order.store, "variant": variant.id if variant else None}
    return tx.add(msgspec.convert({**values, **own}, OrderLine))


def cancel_rest(lines: Sequence[OrderLine]) -> None:
    """Nothing more of these lines will be sent."""
    for line in lines:
        line.cancelled = line.quantity - line.fulfilled


def _tell_lines(tx: Tx, order: Order, rows: Rows) -> None:
    """Merge lines as they are told: each with the first of the same SKU and name that is not taken yet. New ones are
    added; of those that are told no more, what is not sent is cancelled."""
    known = lines_of(tx, order)
    left = list(known)
    for row in rows:
        sku, name = row.get("sku"), str(row.get("name") or "")
        found = next((line for line in left if (line.sku, line.name) == (sku, name)), None)
        if found is None:
            found = add_line(tx, order, max((line.position for line in known), default=0) + 1, row)
            put_in_parcel(tx, order, found)
            known.append(found)
            continue
        left.remove(found)
        _fill(found, row)
    cancel_rest(left)
    order.lines_key = rows_key(rows)


def _fill(line: OrderLine, row: Mapping[str, object]) -> None:
    sent = line.fulfilled
    for name, value in row.items():
        if name == "extra":
            line.extra = {**line.extra, **value}  # type: ignore[dict-item]
        elif name not in ("quantity", "fulfilled", "returned", "cancelled"):
            setattr(line, name, value)
    quantity = int(str(row.get("quantity", line.quantity)))
    if quantity >= 0:
        line.quantity = max(quantity, sent)
        line.cancelled = min(int(str(row.get("cancelled", line.cancelled))), line.quantity - sent)
        line.fulfilled = max(sent, min(int(str(row.get("fulfilled", 0))), line.quantity - line.cancelled))
        line.total = _line_total({"quantity": quantity, "price": line.price, "discount": line.discount, **row})


# -- what was sent -----------------------------------------------------------------------------------------------------


def _send_all(order: Order, lines: Sequence[OrderLine]) -> None:
    """A shop that only says when it sent an order sent all of it."""
    if not order.is_cancelled and not any(line.fulfilled for line in lines):
        for line in lines:
            line.fulfilled = line.quantity - line.cancelled


def _note_sent(tx: Tx, order: Order, lines: Sequence[OrderLine], parcels: Sequence[Fulfilment]) -> Fulfilment | None:
    """A parcel of what lines say was sent and no parcel has. An order that was sent, and whose lines come in another
    file, gets a parcel without lines, which takes them up."""
    gone = [parcel for parcel in parcels if parcel.state != "cancelled"]
    in_parcels: dict[str, int] = {}
    for parcel in gone:
        for line_id, count in parcel.lines.items():
            in_parcels[line_id] = in_parcels.get(line_id, 0) + int(str(count))
    pieces = {line.id: count for line in lines if (count := line.fulfilled - in_parcels.get(line.id, 0)) > 0}
    if not pieces and (lines or gone or order.sent_at is None or order.is_cancelled):
        return None
    order.sent_at = order.sent_at or order.placed_at
    made = Fulfilment(order=order.id, store=order.store, shipped_at=order.sent_at, pieces=sum(pieces.values()))
    made.lines = dict(pieces)
    made.extra = {} if pieces else {LATER: True}
    return tx.add(made)


def add_later(tx: Tx, order: Order, line: Mapping[str, object], *, shipping: int = 0) -> OrderLine:
    """One more line of an order that is there: what it costs, and what its transport is charged with, is asked for on
    top."""
    last = max((item.position for item in lines_of(tx, order)), default=0)
    position = int(str(line.get("position") or last + 1))
    made = add_line(tx, order, position, {name: value for name, value in line.items() if name != "position"})
    if order.is_cancelled:
        cancel_rest([made])
    put_in_parcel(tx, order, made)
    order.subtotal += made.total
    order.shipping += shipping
    order.tax += made.tax
    order.total += made.total + made.tax + shipping
    derive(tx, order)
    return made


def put_in_parcel(tx: Tx, order: Order, line: OrderLine) -> None:
    """A line that comes in later was sent with the parcel of its order that has waited for lines."""
    parcels = tx.find_all(Fulfilment, order=order.id)
    parcel = next((item for item in parcels if item.extra.get(LATER) and item.state != "cancelled"), None)
    if parcel is None or line.quantity == line.cancelled:
        return
    line.fulfilled = line.fulfilled or line.quantity - line.cancelled
    parcel.lines = {**parcel.lines, line.id: line.fulfilled}
    parcel.pieces += line.fulfilled


# -- money -------------------------------------------------------------------------------------------------------------


def _imported(tx: Tx, order: Order, amount: int, method: str) -> Payment:
    return pay(tx, order, amount, method=method or IMPORTED, at=order.paid_at or order.placed_at, key=None)


def _tell_refunds(tx: Tx, order: Order, told: int) -> None:
    """Note what was given back beyond what is known: first the refunds that are granted here and wait."""
    more = told - sum(item.refunded + item.charged_back for item in payments_of(tx, order))
    refunds = sorted(tx.find_all(Refund, order=order.id), key=lambda item: item.id)
    for refund in refunds:
        if refund.state == PENDING and refund.amount <= more:
            more -= refund.amount
            refund.state = DONE
            carry_out(tx, refund)
    if more > 0:
        give_back(tx, order, more, reason=IMPORTED, payments=payments_of(tx, order))


def pay(
    tx: Tx, order: Order, amount: int, *, method: str, at: datetime, key: str | None, reference: str | None = None
) -> Payment:
    """Note what was paid."""
    return tx.add(
        Payment(
            order=order.id, method=method, amount=amount, currency=order.currency, at=at, key=key, reference=reference
        )
    )


def give_back(tx: Tx, order: Order, amount: int, *, reason: str, payments: Sequence[Payment]) -> Refund:
    """Note a refund that was carried out elsewhere, on the last of the payments that has so much left."""
    found = next((item for item in reversed(payments) if refundable(item) >= amount), None)
    if found is None:
        raise Refused("order {number}: more was refunded than paid", number=order.number)
    found.refunded += amount
    return tx.add(
        Refund(order=order.id, payment=found.id, amount=amount, reason=reason, state=DONE, currency=order.currency)
    )
