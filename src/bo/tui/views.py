"""The views of a sort of records: those that come with the office, and the user's own in front of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from bo.core.kernel.text import _
from bo.core.views.shipped import VIEWS, split_sort
from bo.tui.source import NamedView

SLOTS: Final = 9


def views_of(noun: str, own: Iterable[NamedView]) -> list[NamedView]:
    """The views of a noun by digit: the user's own, and the shipped ones on the digits that are left."""
    kept = list(own)
    taken = {view.slot for view in kept if view.slot}
    shipped = [
        NamedView(noun, _(name.replace("_", " ").capitalize()), *split_sort(text), slot)
        for slot, (name, text) in enumerate(VIEWS.get(noun, {}).items(), 1)
        if slot not in taken
    ]
    return sorted([*kept, *shipped], key=lambda view: (view.slot or SLOTS + 1, view.title))
