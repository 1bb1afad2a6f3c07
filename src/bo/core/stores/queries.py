"""Which stores serve a place."""

from __future__ import annotations

from typing import Final

import msgspec

from bo.core.kernel.command import query
from bo.core.kernel.kinds import Text
from bo.core.kernel.reader import PAGE_MOST, Reader
from bo.core.stores.places import holds, narrowness
from bo.core.stores.records import Store, Territory

NOUN: Final = "stores"


class Serving(msgspec.Struct, frozen=True):
    """A store and the territory by which it serves a place."""

    store: str
    code: str
    name: str
    state: str
    territory: str


@query(needs="stores.read")
def serving(read: Reader, *, province: Text = "", city: Text = "", district: Text = "") -> list[Serving]:
    """The stores that serve a place, the narrowest territory first."""
    territories = [item for item in read.records(Territory, limit=PAGE_MOST) if holds(item, province, city, district)]
    territories.sort(key=lambda item: (-narrowness(item), item.code))
    stores = {item.id: item for item in read.records(Store, limit=PAGE_MOST)}
    found = [(stores[item.store], item) for item in territories if item.store in stores]
    return [Serving(store.id, store.code, store.name, store.state, item.code) for store, item in found]
