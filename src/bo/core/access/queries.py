"""What the office has decided once for all."""

from __future__ import annotations

from typing import Final

import msgspec

from bo.core.access import shipped_roles
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


class Missing(msgspec.Struct, frozen=True):
    """A permission that a shipped role has today and the office's role of that name does not."""

    role: Text
    permission: Text


@query(needs="roles.read", noun="roles")
def missing(read: Reader) -> list[Missing]:
    """What the roles that bo ships have today, and the office's roles of those names do not.

    A role that nobody has edited gets it by itself; `bo roles grant` gives it to one that somebody has edited.
    """
    found = shipped_roles.lacking(read.session)
    return [Missing(lack.code, permission) for lack in found for permission in lack.permissions]


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
