"""Announcing and receiving what comes back, and making it good: plain functions behind the commands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bo.core.inventory import reserving
from bo.core.inventory.records import Movement, Warehouse
from bo.core.kernel.errors import NotFound, Refused
from bo.core.kernel.kinds import Facts
from bo.core.kernel.tx import Tx
from bo.core.orders.deriving import derive, lines_of
from bo.core.orders.fulfilling import TooMany
from bo.core.orders.records import Fulfilment, Order, OrderLine
from bo.core.returns import rules
from bo.core.returns.records import OPEN_STATES, CustomerReturn


class TooLate(Refused):
    """The time for returns has passed."""

    code = "return_too_late"


class NothingToReturn(Refused):
    """No piece of it can come back."""

    code = "nothing_to_return"


def announce(tx: Tx, order: Order, wanted: Mapping[str, object], *, late: bool) -> dict[str, int]:
    """The pieces by line that a customer may send back; without any named, all that can come back.

    Raises TooLate (unless `late`), NothingToReturn, TooMany, NotFound.
    """
    days = rules.RETURN_DAYS.of(tx)
    if not late and rules.too_late(_last_sent(tx, order), tx.now, days):
        raise TooLate(
            "order {number} was sent more than {days} days ago",
            hint="Say --late to take it back all the same.", number=order.number, days=days,
        )  # fmt: skip
    lines, announced = lines_of(tx, order), announced_of(tx.find_all(CustomerReturn, order=order.id))
    pieces = pieces_of(lines, wanted)
    for line in lines:
        left = rules.returnable(line, announced.get(line.id, 0))
        if not wanted and left:
            pieces[line.id] = left
        elif pieces.get(line.id, 0) > left:
            raise TooMany(
                "{left} pieces of line {position} of order {number} can come back",
                left=left, position=line.position, number=order.number,
            )  # fmt: skip
    if not pieces:
        raise NothingToReturn("nothing of order {number} can come back", number=order.number)
    return pieces


def announced_of(returns: list[CustomerReturn]) -> dict[str, int]:
    """Pieces by line that open requests announce."""
    found: dict[str, int] = {}
    for item in returns:
        for line, count in item.lines.items() if item.state in OPEN_STATES else ():
            found[line] = found.get(line, 0) + int(str(count))
    return found


def pieces_of(lines: list[OrderLine], wanted: Mapping[str, object]) -> dict[str, int]:
    """Pieces by line, as people name lines: by place, SKU or id. Raises NotFound, Refused."""
    pieces: dict[str, int] = {}
    for name, count in wanted.items():
        found = [line for line in lines if name in (line.id, line.sku, str(line.position))]
        if len(found) != 1 or found[0].id in pieces:
            raise NotFound("there is no line {id}", hint="Say its place, its SKU or its id.", id=name)
        text = str(count)
        if not text.isascii() or not text.isdigit():
            raise Refused("{count} pieces of {line} cannot come back", count=text[:20], line=name)
        if int(text):
            pieces[found[0].id] = int(text)
    return pieces


def take_in(tx: Tx, back: CustomerReturn, came: Mapping[str, int]) -> None:
    """Note what came: the lines, the stock, and what it is worth. Raises TooMany for more than was announced."""
    order = tx.get(Order, back.order)
    lines = lines_of(tx, order)
    announced = {line: int(str(count)) for line, count in back.lines.items()}
    if any(count > announced.get(line, 0) for line, count in came.items()):
        raise TooMany("more came back than was announced", hint="Count pieces that are not expected with --wrong.")
    back.amount = rules.worth(order, lines, came)
    for line in lines:
        line.returned += came.get(line.id, 0)
    received: Facts = dict(came)
    back.received, back.came = received, sum(came.values())
    back.short = sum(announced.values()) - back.came
    back.received_at = tx.now
    if back.restock == "restock":
        _restock(tx, back, [(line, came[line.id]) for line in lines if line.id in came])
    derive(tx, order)


def _restock(tx: Tx, back: CustomerReturn, came: list[tuple[OrderLine, int]]) -> None:
    """Into the warehouse that is named, else into that from which the pieces were sent. Where neither is known, no
    stock is kept of them."""
    for line, count in came:
        if line.variant is None:
            continue
        place = back.warehouse or _sent_from(tx, back.order, line.variant)
        if place is not None:
            reserving.restock(tx, line.variant, place, count, cause=back.id)


def _sent_from(tx: Tx, order_id: str, variant_id: str) -> str | None:
    for parcel in tx.find_all(Fulfilment, order=order_id):
        for movement in tx.find_all(Movement, cause=parcel.id, variant=variant_id, reason="sold"):
            if tx.view(Warehouse, movement.warehouse) is not None:
                return movement.warehouse
    return None


def _last_sent(tx: Tx, order: Order) -> datetime | None:
    parcels = [item.shipped_at for item in tx.find_all(Fulfilment, order=order.id) if item.state != "cancelled"]
    return max(parcels, default=order.sent_at)


def next_number(tx: Tx, order: Order) -> str:
    """The number of the next return of an order."""
    return f"{order.number}-R{len(tx.find_all(CustomerReturn, order=order.id)) + 1}"
