"""Sending what was bought, whole or in parts."""

from __future__ import annotations

from collections.abc import Mapping

from bo.core.inventory import reserving
from bo.core.kernel.errors import NotFound, Refused
from bo.core.kernel.tx import Tx
from bo.core.orders.deriving import derive, lines_of
from bo.core.orders.records import LATER, Fulfilment, Order, OrderLine, Printing


class OnHold(Refused):
    """An order that is held."""

    code = "on_hold"


class NothingToSend(Refused):
    """Every piece has been sent, cancelled, or needs no shipping."""

    code = "nothing_to_send"


class TooMany(Refused):
    """More pieces than are left."""

    code = "too_many_pieces"


class PrintedAlready(Refused):
    """A paper that was printed before."""

    code = "printed_already"


def note_printed(tx: Tx, order: Order, paper: str, *, again: bool) -> None:
    """A paper of an order was printed; its state stays. Raises PrintedAlready unless `again`, and OnHold for what leads
    to sending it."""
    if paper != "invoices":
        require_released(order)
    if not again and tx.find(Printing, order=order.id, paper=paper) is not None:
        raise PrintedAlready(
            "{paper} of order {number} were printed before",
            hint="Say --again to print them once more.", paper=paper, number=order.number,
        )  # fmt: skip
    tx.add(Printing(order=order.id, store=order.store, paper=paper, by=tx.actor.id, at=tx.now))
    order.printed += 1


def require_released(order: Order) -> None:
    """Raise OnHold where nothing may be sent."""
    if order.hold_reason is not None:
        raise OnHold(
            "order {number} is on hold: {reason}",
            hint="bo orders release {number}",
            number=order.number,
            reason=order.hold_reason,
        )


def send(
    tx: Tx, order: Order, pieces: Mapping[str, object], *, warehouse: str | None, carrier: str, tracking: str | None
) -> Fulfilment:
    """A parcel with these pieces by line (its id, its SKU or its place); without any, with all that is left. They leave
    the stock, first what was promised to the order. An order without lines leaves whole; its lines, where a file tells
    them later, are taken up by that parcel and move no stock.

    Raises OnHold, NothingToSend, TooMany, NotFound, NotEnough.
    """
    require_released(order)
    known = lines_of(tx, order)
    chosen = _chosen(order, known, pieces) if known or pieces else []
    for line, count in chosen:
        if count > left_of(line):
            raise TooMany(
                "line {position} of order {number} has {left} left to send",
                position=line.position, number=order.number, left=left_of(line),
            )  # fmt: skip
        line.fulfilled += count
    made = tx.add(Fulfilment(
        order=order.id, store=order.store, warehouse=warehouse, carrier=carrier, tracking=tracking, shipped_at=tx.now,
        lines={line.id: count for line, count in chosen}, pieces=sum(count for _line, count in chosen),
        extra={} if chosen else {LATER: True},
    ))  # fmt: skip
    for line, count in chosen:
        if line.variant is not None:
            reserving.ship(
                tx, line.id, line.variant, count, warehouse=warehouse, store=order.store, cause=made.id
            )  # fmt: skip
    order.sent_at = made.shipped_at
    derive(tx, order)
    return made


def take_back(tx: Tx, fulfilment: Fulfilment) -> None:
    """A parcel that was never sent after all: its pieces are to be sent again. Raises Refused where some came back, or
    where it was taken back before."""
    if fulfilment.state == "cancelled":
        raise Refused("this parcel has been taken back already")
    fulfilment.state = "cancelled"
    order = tx.get(Order, fulfilment.order)
    lines = {line.id: line for line in lines_of(tx, order)}
    for line_id, count in fulfilment.lines.items():
        line = lines[line_id]
        if line.fulfilled - int(str(count)) < line.returned:
            raise Refused("pieces of line {position} have come back already", position=line.position)
        line.fulfilled -= int(str(count))
    pieces = [(lines[name].variant, name, int(str(count))) for name, count in fulfilment.lines.items()]
    reserving.take_back(tx, fulfilment.id, [(name, variant, count) for variant, name, count in pieces if variant])
    others = [item for item in tx.find_all(Fulfilment, order=order.id) if item.id != fulfilment.id]
    order.sent_at = max((item.shipped_at for item in others if item.state != "cancelled"), default=None)
    derive(tx, order)


def left_of(line: OrderLine) -> int:
    """Pieces of a line that are still to be sent."""
    return line.quantity - line.cancelled - line.fulfilled


def _chosen(order: Order, lines: list[OrderLine], pieces: Mapping[str, object]) -> list[tuple[OrderLine, int]]:
    if not pieces:
        chosen = [(line, left_of(line)) for line in lines if left_of(line) > 0]
    else:
        chosen = [(_line(order, lines, name), _count(name, count)) for name, count in pieces.items()]
    if not chosen:
        raise NothingToSend("nothing of order {number} is left to send", number=order.number)
    return chosen


def _line(order: Order, lines: list[OrderLine], name: str) -> OrderLine:
    found = [line for line in lines if name in (line.id, line.sku, str(line.position))]
    if len(found) != 1:
        raise NotFound(
            "order {number} has no line {id}", hint="Say its place, its SKU or its id.", number=order.number, id=name
        )
    return found[0]


def _count(name: str, count: object) -> int:
    text = str(count)
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise Refused("{count} pieces of {line} cannot be sent", count=text[:20], line=name)
    return int(text)
