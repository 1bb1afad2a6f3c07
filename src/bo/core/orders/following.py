"""What an order tells the lead that it came of: how much of the sale is left, and what it earns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bo.core.catalog.records import Variant
from bo.core.kernel.tx import Tx
from bo.core.leads.records import Lead
from bo.core.leads.selling import Standing, follow
from bo.core.orders.records import CANCELLED, DONE, FULFILLED, PART_FULFILLED, UNFULFILLED, Order, OrderLine, Refund
from bo.core.rewards.rules import divide_half_even

NOT_SENT: Final = (UNFULFILLED, PART_FULFILLED)


def tell_lead(tx: Tx, order: Order, before: str, lines: Sequence[OrderLine], reason: str) -> None:
    """Tell the lead of an order, which was in the state `before`, how the sale stands now: that order, and what was
    sent in exchange for goods of it."""
    lead = tx.peek(Lead, order.lead or "")
    if lead is None:  # a device may have the order without its lead
        return
    parts = list({item.id: item for item in (*tx.find_all(Order, lead=lead.id), order)}.values())
    own = next((item for item in parts if item.number == lead.order_number), order)
    left = [_left(tx, item) for item in parts if item is own or item.state != CANCELLED]
    delivered = _delivered(before, order.state) if order is own else None
    standing = Standing(
        net=net_of(own) if net_of(own) != own.total else None,
        left=sum(gross for gross, _net in left),
        left_net=sum(net for _gross, net in left),
        cancelled=own.state == CANCELLED,
        delivered=delivered,
        sent_at=own.sent_at,
        margin=margin_of(tx, own, lines) if delivered else None,
    )
    follow(tx, lead, standing, reason or f"order {order.number}")


def _left(tx: Tx, order: Order) -> tuple[int, int]:
    refunds = tx.find_all(Refund, order=order.id) if order.refunded else []
    return left_of_sale(order, sum(item.shipping for item in refunds if item.state == DONE))


def _delivered(before: str, now: str) -> bool | None:
    """Whether all of an order has been sent since, or is to be sent again; None: neither."""
    if now == FULFILLED:
        return True if before != FULFILLED else None
    return False if before == FULFILLED and now in NOT_SENT else None


def left_of_sale(order: Order, shipping_refunded: int) -> tuple[int, int]:
    """What is left of an order's total, and of that without tax and shipping.

    What was refunded first gives back what was paid beyond the total: after a lower price, or twice. Of the rest, the
    shipping takes nothing away from the goods.
    """
    refunded = max(0, order.refunded - max(0, order.captured - order.total))
    goods = order.total - order.shipping
    if goods <= 0:
        return max(0, order.total - refunded), 0
    goods_left = goods - min(goods, max(0, refunded - shipping_refunded))
    return max(0, order.total - refunded), divide_half_even(net_of(order) * goods_left, goods)


def net_of(order: Order) -> int:
    """The total of an order without tax and shipping."""
    return max(0, order.total - order.tax - order.shipping)


def margin_of(tx: Tx, order: Order, lines: Sequence[OrderLine]) -> int | None:
    """What is left of the net amount after the cost of the goods; None where the cost of a line is not known."""
    cost = 0
    for line in lines:
        variant = tx.view(Variant, line.variant) if line.variant is not None and tx.authority else None
        if variant is None or variant.cost is None or (variant.currency or tx.context.currency) != order.currency:
            return None
        cost += variant.cost * (line.quantity - line.cancelled)
    return net_of(order) - cost if lines else None
