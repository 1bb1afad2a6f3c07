"""Opening, pausing and closing stores, and giving them territories."""

from bo.core.kernel.command import command
from bo.core.kernel.kinds import Text
from bo.core.kernel.standard import adds, edits
from bo.core.kernel.tx import Tx
from bo.core.stores.records import CLOSED, OPEN, PAUSED, Store, Territory

add = adds(Store, needs="stores.edit")
edit = edits(Store, needs="stores.edit", confirm="many")
add_territory = adds(Territory, needs="territories.edit")
edit_territory = edits(Territory, needs="territories.edit", confirm="many")


@command(needs="stores.edit", moves=OPEN >> PAUSED, confirm="many")
def pause(tx: Tx, store: Store, *, reason: Text = "") -> None:
    """Give a store no new leads for a while; it keeps those it has."""


@command(needs="stores.edit", moves=PAUSED >> OPEN)
def resume(tx: Tx, store: Store) -> None:
    """Give a paused store leads again."""


@command(needs="stores.edit", moves=(OPEN | PAUSED) >> CLOSED, confirm="always")
def close(tx: Tx, store: Store, *, reason: Text = "") -> None:
    """Close a store for good. Its open leads stay with it until they are recalled."""


@command(needs="territories.edit", confirm="many")
def remove(tx: Tx, territory: Territory) -> None:
    """Take a territory away from its store."""
    tx.remove(territory)
