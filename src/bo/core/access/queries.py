"""What the office has decided once for all."""

from __future__ import annotations

from typing import Final

import msgspec

from bo.core.access.settings import DECLARED
from bo.core.kernel.command import query
from bo.core.kernel.kinds import Flag, Text
from bo.core.kernel.reader import Reader
from bo.core.kernel.text import _

NOUN: Final = "settings"


class Decided(msgspec.Struct, frozen=True):
    """A setting, as people read it. `changed`: it is not what it is by itself."""

    setting: Text
    holds: Text
    by_itself: Text
    changed: Flag
    meaning: Text


@query(needs="settings.read")
def all_(read: Reader) -> list[Decided]:
    """Every setting of the office: its value, and what it is by itself."""
    read.registry.load_all()
    currency = read.context.currency
    found = []
    for key, item in sorted(DECLARED.items()):
        holds, usual = item.of(read), item.default
        shown, expected = item.show(holds, currency), item.show(usual, currency)
        found.append(Decided(key, shown, expected, holds != usual, _(item.help)))
    return found
