"""Taking in an order as a shop tells it: head, lines, what was paid and what was given back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from bo.core.catalog.finding import variant_called
from bo.core.kernel.errors import Refused
from bo.core.kernel.tx import Tx
from bo.core.orders.deriving import derive, payments_of
from bo.core.orders.records import DONE, Order, OrderLine, Payment, Refund

IMPORTED = "imported"


class KnownOrder(Refused):
    """The channel has an order of that number already."""

    code = "known_order"


def order_key(channel: str, number: str) -> str:
    """What an order is known by: numbers are a channel's own."""
    return f"{channel}/{number}"


def sum_of(lines: Sequence[dict[str, object]]) -> int:
    """What lines come to, where nobody says it."""
    return sum(_line_total(line) for line in lines)


def _line_total(line: dict[str, object]) -> int:
    if (total := line.get("total")) is not None:
        return int(str(total))
    quantity, price = int(str(line.get("quantity", 0))), int(str(line.get("price", 0)))
    return quantity * price - int(str(line.get("discount", 0)))


def take_in(
    tx: Tx, order: Order, lines: Sequence[dict[str, object]], *, captured: int, refunded: int, method: str
) -> Order:
    """Add an order with its lines, one payment of what the shop says was paid, and one refund of what it says was given
    back. Raises KnownOrder, InconsistentOrder."""
    if tx.find(Order, key=order.key) is not None:
        raise KnownOrder("{channel} has an order {number} already", channel=order.channel, number=order.number)
    tx.add(order)
    for position, line in enumerate(lines, 1):
        add_line(tx, order, position, line)
    if captured:
        pay(tx, order, captured, method=method or IMPORTED, at=order.paid_at or order.placed_at, key=f"{order.key}/1")
    if refunded:
        give_back(tx, order, refunded, reason=IMPORTED, key=f"{order.key}/1")
    derive(tx, order)
    return order


def add_line(tx: Tx, order: Order, position: int, line: dict[str, object]) -> OrderLine:
    """A line with the name and price of the day. A SKU that several variants have is linked to none."""
    values = {**line, "total": _line_total(line)}
    sku = str(values.get("sku") or "")
    variant = variant_called(tx, sku) if sku else None
    own = {"order": order.id, "position": position, "store": order.store, "variant": variant.id if variant else None}
    return tx.add(msgspec.convert({**values, **own}, OrderLine))


def pay(
    tx: Tx, order: Order, amount: int, *, method: str, at: datetime, key: str | None, reference: str | None = None
) -> Payment:
    """Note what was paid."""
    return tx.add(
        Payment(
            order=order.id, method=method, amount=amount, currency=order.currency, at=at, key=key, reference=reference
        )
    )


def give_back(tx: Tx, order: Order, amount: int, *, reason: str, key: str | None) -> Refund:
    """Note a refund that was carried out elsewhere, on the payment it was taken from: the last that has so much left."""
    payments = payments_of(tx, order)
    found = next((item for item in reversed(payments) if item.amount - item.refunded >= amount), None)
    if found is None:
        raise Refused("order {number}: more was refunded than paid", number=order.number)
    found.refunded += amount
    return tx.add(
        Refund(
            order=order.id, payment=found.id, amount=amount, reason=reason, state=DONE, key=key, currency=order.currency
        )
    )
