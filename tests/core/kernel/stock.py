"""A small office with something in it, made so that every filter and order has something to tell apart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bo.core.kernel.dispatch import Call
from bo.core.kernel.workspace import Workspace

# number, name, phone, amount, due, tags, note, urgent
TICKETS: tuple[tuple[object, ...], ...] = (
    ("T-1", "Ann", "13800138000", "500", "2026-11-01", "vip,new", "Kitchen and café", "yes"),
    ("T-2", "ann", "13900139000", "500.01", "2026-11-02", "vip", "退款申请 100%", ""),
    ("T-3", "Bob_1", "+1 415 555 2671", "", "", "", "a\\b", ""),
    ("T-4", "王小明", "", "-12.50", "2026-11-03", 'a"b,50%', "申请 cafe_latte", "yes"),
    ("T-5", "", "13800138001", "0", "2026-12-31", "test", "", ""),
    (None, "Zoë", "", "1,000,000", "2026-11-02", "vip2", "it's; DROP TABLE ticket --", ""),
)
GIVEN = {"T-2": "west", "T-5": "west", "T-3": "east"}
FIRST = datetime(2026, 10, 30, 12, 0, tzinfo=UTC)


def stock(office: Workspace) -> Workspace:
    """Two shops and six tickets, opened a day apart at 20:00 in Shanghai; the second and the last are closed."""
    office.run([Call("shops.add", None, {"code": code, "name": f"{code} side"}) for code in ("west", "east")])
    for place, (number, name, phone, amount, due, tags, note, urgent) in enumerate(TICKETS):
        values = {
            "number": number,
            "name": name,
            "phone": phone,
            "amount": amount,
            "due": due,
            "tags": tags,
            "note": note,
        }
        at = FIRST + timedelta(days=place)
        (opened,) = office.run([Call("tickets.open", None, values, at=at)], atomic=True)
        if urgent:
            office.run([Call("tickets.edit", opened.returned, {"urgent": "yes"}, at=at)], atomic=True)
        if number in GIVEN:
            office.run([Call("tickets.give", opened.returned, {"shop": GIVEN[str(number)]}, at=at)], atomic=True)
        if place in (1, 5):
            office.run([Call("tickets.close", opened.returned, at=at)], atomic=True)
    return office
