"""What stands beside a customer: what they bought in all, and what happened with them, newest first."""

from __future__ import annotations

import re
from typing import Final

from bo.core.customers.records import Customer
from bo.core.hub import queries as hub
from bo.core.kernel.amounts import format_amount, money
from bo.core.kernel.reader import Reader
from bo.core.kernel.record import Record
from bo.core.kernel.text import _
from bo.tui.shown import Shown
from bo.tui.source import Section

HAPPENINGS_MOST: Final = 12
ORDERS_MOST: Final = 500  # of one customer, beyond which reading them all would be felt at the cursor
OURS: Final = re.compile(r"[a-z]+(_[a-z]+)*")
TOLD_IN_OUR_WORDS: Final = ("order", "return")  # the others hold what people wrote


def customer_sections(read: Reader, shown: Shown, customer: Record) -> tuple[Section, ...]:
    """A customer: sums by currency, then what happened."""
    assert isinstance(customer, Customer)
    if not read.actor.may("orders.read"):
        return ()
    count = read.count("orders", f"customer:{customer.id}")
    if count > ORDERS_MOST:
        return (Section(_("Bought"), ((_("{count} orders", count=f"{count:,}"),),)),)
    return _bought(read, shown, customer), _happened(read, shown, customer)


def _bought(read: Reader, shown: Shown, customer: Customer) -> Section:
    rows = []
    for item in hub.totals(read, customer):
        orders = _("1 order") if item.orders == 1 else _("{count} orders", count=f"{item.orders:,}")
        last = shown.moment(item.last_order)[:10] if item.last_order else ""
        back = _("{amount} given back", amount=format_amount(item.refunded, item.currency)) if item.refunded else ""
        rows.append((orders, last, back, money(item.ordered, item.currency)))
    return Section(_("Bought"), tuple(rows), frozenset({3}), grow=2)


def _happened(read: Reader, shown: Shown, customer: Customer) -> Section:
    found = hub.timeline(read, customer, limit=HAPPENINGS_MOST + 1)
    rows: list[tuple[str, ...]] = [
        (shown.moment(item.at)[:10], _(item.what.replace("_", " ")), item.number, _words(item),
         money(item.amount, item.currency) if item.amount is not None and item.currency else "")
        for item in found[:HAPPENINGS_MOST]
    ]  # fmt: skip
    if len(found) > HAPPENINGS_MOST:
        rows.append(("", "", "", _("and more: o goes to the orders"), ""))
    return Section(_("What happened"), tuple(rows), frozenset({4}), grow=3)


def _words(item: hub.Happening) -> str:
    if item.what in TOLD_IN_OUR_WORDS:
        return OURS.sub(lambda match: _(match[0].replace("_", " ")), item.words)
    state, colon, reason = item.words.partition(": ")
    return f"{_(state.replace('_', ' '))}{colon}{reason}" if item.what == "refund" else item.words
