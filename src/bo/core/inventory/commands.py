"""What can be done with stock."""

from typing import Annotated

from bo.core.catalog.records import Variant
from bo.core.inventory.records import (
    ARRIVED,
    CANCELLED,
    RELEASED,
    RESERVED,
    UNDER_WAY,
    Movement,
    NotEnough,
    ReorderRule,
    Reservation,
    StockLevel,
    Transfer,
    Warehouse,
)
from bo.core.inventory.reserving import free
from bo.core.inventory.rules import TAKES
from bo.core.inventory.stocking import REVERSIBLE, NotReversible, level_of, move, require_counted, reverse
from bo.core.kernel.command import command
from bo.core.kernel.errors import Refused
from bo.core.kernel.kinds import ChoiceKind, Count, Note
from bo.core.kernel.record import States
from bo.core.kernel.standard import adds, edits
from bo.core.kernel.tx import Tx

Adjustment = Annotated[str, ChoiceKind("damaged", "lost", "found")]

add_warehouse = adds(Warehouse, needs="warehouses.edit")
edit_warehouse = edits(Warehouse, needs="warehouses.edit")
add_rule = adds(ReorderRule, needs="reorder_rules.edit")
edit_rule = edits(ReorderRule, needs="reorder_rules.edit", confirm="many")


@command(needs="stock.edit")
def receive(tx: Tx, *, variant: Variant, warehouse: Warehouse, quantity: Count, note: Note = "") -> StockLevel:
    """Take goods into a warehouse.

    Raises:
        NotCounted: the stock of the variant is not counted.
    """
    _require_pieces(quantity)
    require_counted(variant)
    move(tx, variant, warehouse.id, quantity, "received", note=note)
    return level_of(tx, variant.id, warehouse.id)


@command(needs="stock.edit")
def adjust(
    tx: Tx, *, variant: Variant, warehouse: Warehouse, quantity: Count, reason: Adjustment, note: Note = ""
) -> StockLevel:
    """Take away what is damaged or lost, or add what was found.

    Raises:
        NotEnough: less is there, or it is promised.
    """
    _require_pieces(quantity)
    require_counted(variant)
    move(tx, variant, warehouse.id, -quantity if reason in TAKES else quantity, reason, note=note)
    return level_of(tx, variant.id, warehouse.id)


@command(needs="stock.edit")
def count(tx: Tx, *, variant: Variant, warehouse: Warehouse, on_hand: Count, note: Note = "") -> StockLevel:
    """Say how much was counted in a warehouse; the difference is a movement.

    Raises:
        NotEnough: more than that is promised.
    """
    require_counted(variant)
    level = level_of(tx, variant.id, warehouse.id)
    if on_hand < level.allocated and not variant.backorder:
        raise NotEnough(
            "{promised} of {sku} are promised there, more than the {counted} that were counted",
            hint="Free some first: bo reservations list warehouse:{warehouse} state:reserved",
            promised=level.allocated, sku=variant.sku or variant.id, counted=on_hand, warehouse=warehouse.code,
        )  # fmt: skip
    if on_hand != level.on_hand:
        move(tx, variant, warehouse.id, on_hand - level.on_hand, "counted", note=note)
    return level


@command(needs="stock.edit", confirm="many")
def recount(tx: Tx, level: StockLevel, *, on_hand: Count, note: Note = "") -> None:
    """Say how much was counted of what lies somewhere already; the difference is a movement.

    Raises:
        NotEnough: more than that is promised.
    """
    count(tx, variant=tx.get(Variant, level.variant), warehouse=tx.get(Warehouse, level.warehouse), on_hand=on_hand,
          note=note)  # fmt: skip


@command(needs="stock.edit", confirm="always")
def reverse_(tx: Tx, movement: Movement, *, note: Note = "") -> Movement:
    """Take back a movement that was wrong, by another one.

    Raises:
        NotReversible: it was taken back before, or is part of a parcel, a transfer or a return.
    """
    if movement.reason not in REVERSIBLE:
        raise NotReversible(
            "a movement of this sort is not reversed alone",
            hint="Take back the parcel, cancel the transfer, or adjust the stock.",
        )
    return reverse(tx, movement, note=note)


@command(needs="stock.edit", moves=RESERVED >> RELEASED, confirm="many")
def release(tx: Tx, reservation: Reservation) -> None:
    """Free stock that is promised to a line of an order."""
    free(tx, reservation, reservation.quantity)


@command(needs="stock.edit")
def send(
    tx: Tx, *, variant: Variant, source: Warehouse, target: Warehouse, quantity: Count, note: Note = ""
) -> Transfer:
    """Send stock from one warehouse to another; it is in neither until it arrives.

    Raises:
        NotEnough: less is there, or it is promised.
    """
    _require_pieces(quantity)
    require_counted(variant)
    if source.id == target.id:
        raise Refused("a transfer goes from one warehouse to another")
    made = tx.add(Transfer(variant=variant.id, source=source.id, target=target.id, quantity=quantity, note=note))
    move(tx, variant, source.id, -quantity, "transferred_out", cause=made.id)
    return made


@command(needs="stock.edit", moves=States((UNDER_WAY,)), confirm="many")
def arrive(tx: Tx, transfer: Transfer, *, quantity: Count | None = None) -> None:
    """Note that a transfer has arrived, or some pieces of it: the rest stays under way."""
    left = transfer.quantity - transfer.arrived
    came = left if quantity is None else quantity
    if not 1 <= came <= left:
        raise Refused("{left} pieces of this transfer are under way", left=left)
    move(tx, tx.get(Variant, transfer.variant), transfer.target, came, "transferred_in", cause=transfer.id)
    transfer.arrived += came
    if transfer.arrived == transfer.quantity:
        transfer.state = ARRIVED


@command(needs="stock.edit", moves=UNDER_WAY >> CANCELLED, confirm="many")
def cancel(tx: Tx, transfer: Transfer) -> None:
    """Cancel a transfer: what has not arrived is back where it came from."""
    left = transfer.quantity - transfer.arrived
    move(tx, tx.get(Variant, transfer.variant), transfer.source, left, "transferred_in", cause=transfer.id)


def _require_pieces(quantity: int) -> None:
    if quantity < 1:
        raise Refused("at least one piece must move")
