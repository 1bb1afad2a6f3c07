"""The views that come with the screen: what somebody who works through these records asks for first.

Titles are message ids. The digit that opens a view is its place here; a user's own view on that digit goes before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from bo.core.kernel.text import _
from bo.tui.source import NamedView

SLOTS: Final = 9
SHIPPED: Final[Mapping[str, Sequence[tuple[str, str, str]]]] = {
    "leads": (
        ("To review", "state:pending_review,needs_info", "due_at"),
        ("Overdue", "due_at<now", "due_at"),
        ("To assign", "state:valid overflow:no", "due_at"),
        ("Overflow", "state:valid overflow:yes", "due_at"),
        ("Maybe twice", "state:duplicate", "-created_at"),
        ("At the stores", "state:assigned,accepted,contacted,visit_booked,visited,quoted", "due_at"),
        ("Contact today", "next_at<tomorrow", "next_at"),
        ("Won this month", "state:won won_at>=-30d", "-won_at"),
    ),
    "orders": (
        ("To send", "state:unfulfilled,part_fulfilled payment:paid,overpaid hold_reason:none", "placed_at"),
        ("On hold", "hold_reason:any state:unfulfilled,part_fulfilled", "placed_at"),
        ("Unpaid", "payment:unpaid,part_paid state:unfulfilled,part_fulfilled", "placed_at"),
        ("High risk", "risk:high state:unfulfilled,part_fulfilled", "placed_at"),
        ("Not printed", "printed:0 state:unfulfilled payment:paid", "placed_at"),
        ("Refunded", "payment:refunded,part_refunded", "-placed_at"),
    ),
    "exceptions": (
        ("Open", "state:open", "created_at"),
        ("Nobody has it", "state:open owner:none", "created_at"),
    ),
    "returns": (("To approve", "state:requested", "created_at"), ("To receive", "state:approved", "created_at")),
    "refunds": (("To carry out", "state:pending", "created_at"),),
    "rewards": (
        ("Due", "state:due", "due_on"),
        ("Held", "state:held", "-created_at"),
        ("Clawbacks", "kind:clawback", "-created_at"),
    ),
    "settlements": (
        ("To approve", "state:submitted", "-created_at"),
        ("Drafts", "state:draft", "-created_at"),
        ("To pay", "state:approved,exported,part_paid", "-created_at"),
    ),
    "payouts": (("Held", "state:held", "-created_at"), ("Failed", "state:failed", "-created_at")),
    "products": (("Drafts", "state:draft", "-created_at"), ("Archived", "state:archived", "-created_at")),
}


def views_of(noun: str, own: Iterable[NamedView]) -> list[NamedView]:
    """The views of a noun by digit: the user's own, and the shipped ones on the digits that are left."""
    kept = list(own)
    taken = {view.slot for view in kept if view.slot}
    shipped = [
        NamedView(noun, _(title), filter_text, sort, slot)
        for slot, (title, filter_text, sort) in enumerate(SHIPPED.get(noun, ()), 1)
        if slot not in taken
    ]
    return sorted([*kept, *shipped], key=lambda view: (view.slot or SLOTS + 1, view.title))
