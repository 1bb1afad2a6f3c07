"""Stock that comes and goes: every change of what is on hand is a movement, made here and nowhere else."""

from __future__ import annotations

from typing import Final

from bo.core.catalog.records import Variant
from bo.core.inventory import rules
from bo.core.inventory.records import Movement, StockLevel, Warehouse
from bo.core.kernel.errors import NotFound, Refused
from bo.core.kernel.tx import Tx

# what else moves stock has a record of its own (a parcel, a transfer, a return) that is taken back as a whole
REVERSIBLE: Final = frozenset(("received", "counted", "damaged", "lost", "found", "imported"))


class NotCounted(Refused):
    """A variant whose stock is not counted."""

    code = "not_counted"


class NotReversible(Refused):
    """A movement that is undone another way, or was already."""

    code = "not_reversible"


def variant_counted(tx: Tx, variant_id: str) -> Variant | None:
    """The variant, to look at; none where its stock is not counted. Raises NotFound."""
    found = tx.view(Variant, variant_id)
    if found is None:
        raise NotFound("there is no variant {id}", id=variant_id)
    return found if found.tracked else None


def require_counted(variant: Variant) -> None:
    """Raise NotCounted for a variant that has no stock."""
    if not variant.tracked:
        raise NotCounted(
            "the stock of {sku} is not counted", hint="bo variants edit {sku} --tracked", sku=variant.sku or variant.id
        )


def levels_of(tx: Tx, variant_id: str) -> list[StockLevel]:
    """The levels of a variant in all warehouses."""
    return tx.find_all(StockLevel, variant=variant_id)


def level_of(tx: Tx, variant_id: str, warehouse_id: str) -> StockLevel:
    """The level of a variant in a warehouse; made where there is none."""
    key = f"{variant_id}/{warehouse_id}"
    found = tx.find(StockLevel, key=key)
    return found or tx.add(StockLevel(key=key, variant=variant_id, warehouse=warehouse_id))


def change_level(level: StockLevel, variant: Variant, *, on_hand: int = 0, allocated: int = 0) -> None:
    """Add to a level, and note whether it may be short; its check refuses what may not."""
    before = level.allocated - level.on_hand
    level.on_hand += on_hand
    level.allocated += allocated
    level.backorder = rules.may_be_short(
        backorder=variant.backorder, was_short=level.backorder, before=before,
        after=level.allocated - level.on_hand, on_hand=level.on_hand,
    )  # fmt: skip


def move(
    tx: Tx, variant: Variant, warehouse_id: str, quantity: int, reason: str, *,
    cause: str = "", note: str = "", reverses: str | None = None, freed: int = 0,
) -> Movement:  # fmt: skip
    """Stock comes (or, negative, goes). `freed` pieces are no longer promised. Raises NotEnough when the call ends."""
    change_level(level_of(tx, variant.id, warehouse_id), variant, on_hand=quantity, allocated=-freed)
    return tx.add(
        Movement(
            variant=variant.id, warehouse=warehouse_id, quantity=quantity, reason=reason, cause=cause,
            reverses=reverses, at=tx.now, note=note,
        )
    )  # fmt: skip


def reverse(tx: Tx, movement: Movement, *, note: str = "") -> Movement:
    """The movement that takes another back. Raises NotReversible where that one was taken back before."""
    if tx.find(Movement, reverses=movement.id) is not None:
        raise NotReversible("this movement has been reversed already")
    variant = tx.view(Variant, movement.variant)
    if variant is None:
        raise NotFound("there is no variant {id}", id=movement.variant)
    return move(
        tx, variant, movement.warehouse, -movement.quantity, "reversed",
        cause=movement.cause, note=note, reverses=movement.id,
    )  # fmt: skip


def shelves_of(tx: Tx, variant_id: str, *, warehouse: str | None = None, store: str | None = None) -> list[rules.Shelf]:
    """What each warehouse in use could give of a variant; only the one that is named, if one is."""
    found = []
    for level in levels_of(tx, variant_id):
        place = tx.view(Warehouse, level.warehouse)
        if place is None or (not place.active if warehouse is None else place.id != warehouse):
            continue
        near = store is not None and place.store == store
        found.append(rules.Shelf(place.id, place.code, max(0, level.on_hand - level.allocated), near))
    return found
