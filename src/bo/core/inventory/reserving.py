"""Promising stock to lines of orders, and handing it out: plain functions for the modules above.

Stock of a variant is kept once it has a level anywhere. What is sent of a variant without one moves nothing, so that an
office may take orders and keep no stock.
"""

from __future__ import annotations

from collections.abc import Sequence

from bo.core.catalog.records import Variant
from bo.core.inventory import rules
from bo.core.inventory.records import RELEASED, RESERVED, SHIPPED, Movement, NotEnough, Reservation, Warehouse
from bo.core.inventory.stocking import change_level, level_of, levels_of, move, reverse, shelves_of, variant_counted
from bo.core.kernel.tx import Tx


def reserved_for(tx: Tx, line_id: str) -> int:
    """Pieces that are promised to a line and not sent."""
    return sum(item.quantity for item in _open(tx, line_id))


def reserve(
    tx: Tx, line_id: str, variant_id: str, quantity: int, *,
    warehouse: str | None = None, store: str | None = None, partial: bool = False,
) -> int:  # fmt: skip
    """Promise pieces of a variant to a line, from the warehouses of its store first; how many.

    All of them, or with `partial` as many as there are; what may be sold ahead is promised whatever there is.
    Nothing is promised of a variant whose stock is not counted.

    Raises:
        NotEnough: fewer are available.
    """
    variant = variant_counted(tx, variant_id)
    if variant is None or quantity < 1:
        return 0
    shelves = shelves_of(tx, variant_id, warehouse=warehouse, store=store)
    parts = rules.shared_out(shelves, quantity)
    missing = quantity - sum(part for _place, part in parts)
    if missing and variant.backorder and (place := _owing(tx, shelves, quantity, warehouse)):
        parts = [*parts, (place, missing)]
    elif missing and not partial:
        raise _not_enough(variant, quantity - missing, quantity)
    for place, part in parts:
        change_level(level_of(tx, variant_id, place), variant, allocated=part)
        tx.add(Reservation(line=line_id, variant=variant_id, warehouse=place, quantity=part))
    return sum(part for _place, part in parts)


def release(tx: Tx, line_id: str, quantity: int | None = None) -> int:
    """Free what is promised to a line, the last promise first; all of it, or so many pieces. How many."""
    held = list(reversed(_open(tx, line_id)))
    wanted = sum(item.quantity for item in held) if quantity is None else quantity
    parts = rules.taken(wanted, [item.quantity for item in held])
    for item, part in zip(held, parts, strict=True):
        free(tx, item, part)
    return sum(parts)


def free(tx: Tx, reservation: Reservation, quantity: int) -> None:
    """Free so many pieces of a promise."""
    variant = tx.view(Variant, reservation.variant)
    if quantity and variant is not None:
        change_level(level_of(tx, variant.id, reservation.warehouse), variant, allocated=-quantity)
        _close(tx, reservation, quantity, RELEASED)


def ship(
    tx: Tx, line_id: str, variant_id: str, quantity: int, *, warehouse: str | None, store: str | None, cause: str
) -> None:
    """Pieces of a line leave: what was promised to it, and beyond that what is available.

    With a warehouse they leave from there, whatever was promised elsewhere.

    Raises:
        NotEnough: less is there.
    """
    variant = variant_counted(tx, variant_id)
    if variant is None or not levels_of(tx, variant_id):
        return
    held = _open(tx, line_id)
    here = [item for item in held if warehouse in (None, item.warehouse)]
    left = quantity
    for item, part in zip(here, rules.taken(left, [item.quantity for item in here]), strict=True):
        if part:
            move(tx, variant, item.warehouse, -part, "sold", cause=cause, freed=part)
            _close(tx, item, part, SHIPPED)
            left -= part
    elsewhere = [item for item in held if item not in here]
    for item, part in zip(elsewhere, rules.taken(left, [item.quantity for item in elsewhere]), strict=True):
        free(tx, item, part)
    for place, part in _places(tx, variant, left, warehouse, store):
        move(tx, variant, place, -part, "sold", cause=cause)
        tx.add(Reservation(line=line_id, variant=variant_id, warehouse=place, quantity=part, state=SHIPPED))


def take_back(tx: Tx, cause: str, pieces: Sequence[tuple[str, str, int]]) -> None:
    """What left for a cause did not leave after all: it is there again, and promised to its lines again.

    `pieces` are (line, variant, count).
    """
    wanted = {line: (variant, count) for line, variant, count in pieces}
    for movement in [item for item in tx.find_all(Movement, cause=cause) if item.reason == "sold"]:
        if tx.find(Movement, reverses=movement.id) is not None:
            continue
        reverse(tx, movement)
        lines = [line for line, (variant, _count) in wanted.items() if variant == movement.variant]
        parts = rules.taken(-movement.quantity, [wanted[line][1] for line in lines])
        for line, part in zip(lines, parts, strict=True):
            if part:
                wanted[line] = (movement.variant, wanted[line][1] - part)
                _promise_again(tx, movement, line, part)


def restock(tx: Tx, variant_id: str, warehouse_id: str, quantity: int, *, cause: str) -> Movement | None:
    """Pieces that a customer sent back lie in a warehouse again; nothing where stock is not counted."""
    variant = variant_counted(tx, variant_id)
    return move(tx, variant, warehouse_id, quantity, "returned", cause=cause) if variant is not None else None


def _places(tx: Tx, variant: Variant, quantity: int, warehouse: str | None, store: str | None) -> list[tuple[str, int]]:
    """Where pieces come from that were not promised."""
    if not quantity:
        return []
    if warehouse is not None:
        return [(warehouse, quantity)]
    shelves = shelves_of(tx, variant.id, store=store)
    parts = rules.shared_out(shelves, quantity)
    missing = quantity - sum(part for _place, part in parts)
    if not missing:
        return parts
    place = _owing(tx, shelves, quantity, None) if variant.backorder else ""
    if not place:
        raise _not_enough(variant, quantity - missing, quantity)
    return [*parts, (place, missing)]


def _owing(tx: Tx, shelves: list[rules.Shelf], quantity: int, warehouse: str | None) -> str:
    """The warehouse that owes what is not there; blank where there is none at all."""
    if warehouse is not None:
        return warehouse
    if shelves:
        return rules.ranked(shelves, quantity)[0].warehouse
    first = tx.select(Warehouse, active=True, order="code", limit=1)
    return first[0].id if first else ""


def _open(tx: Tx, line_id: str) -> list[Reservation]:
    return tx.find_all(Reservation, line=line_id, state=RESERVED)


def _close(tx: Tx, item: Reservation, quantity: int, state: str) -> None:
    """So many pieces of a promise end in a state; the rest stays promised."""
    if quantity == item.quantity:
        item.state = state
        return
    item.quantity -= quantity
    tx.add(
        Reservation(
            line=item.line, variant=item.variant, warehouse=item.warehouse, quantity=quantity, state=state,
        )
    )  # fmt: skip


def _promise_again(tx: Tx, movement: Movement, line_id: str, quantity: int) -> None:
    """Pieces that are there again are promised to the line they were sent for, in the same warehouse."""
    variant, place = tx.view(Variant, movement.variant), movement.warehouse
    if variant is None:
        return
    change_level(level_of(tx, variant.id, place), variant, allocated=quantity)
    held = tx.find_all(Reservation, line=line_id, warehouse=place, state=SHIPPED)
    for item, part in zip(held, rules.taken(quantity, [item.quantity for item in held]), strict=True):
        if part:
            _close(tx, item, part, RESERVED)


def _not_enough(variant: Variant, available: int, wanted: int) -> NotEnough:
    return NotEnough(
        "only {available} of {sku} are available, {wanted} are wanted",
        hint="Receive or count stock, choose another warehouse, or allow backorders.",
        sku=variant.sku or variant.id, available=available, wanted=wanted,
    )  # fmt: skip
