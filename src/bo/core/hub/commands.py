"""What is done with a customer in every module at once."""

from typing import Final

from bo.core.customers.records import Customer
from bo.core.customers.registering import living, sought_customer
from bo.core.hub import erasing, merging
from bo.core.kernel.command import command
from bo.core.kernel.kinds import Count
from bo.core.kernel.record import Record
from bo.core.kernel.tx import Tx
from bo.core.orders.buyers import find_buyer
from bo.core.orders.records import Order

NOUN: Final = "customers"


@command(needs="customers.merge", where="central", confirm="always")
def merge(tx: Tx, customer: Customer, *, into: Customer) -> None:
    """Merge a customer into another who is the same person: orders, leads, addresses, contacts and talks are theirs.

    The merged customer stays as a redirect, and so does their number. `bo undo` gives everything back.

    Raises:
        SameCustomer: both are one already.
        MergedBefore: this one was merged into another before.
    """
    merging.merge(tx, customer, into)


@command(needs="customers.link", where="central")
def link_orders(tx: Tx, *, limit: Count = 10_000) -> None:
    """Find the customers of orders that have none, by phone and e-mail, or make them: so many orders at a time."""
    orders: dict[str, Order] = {}
    for name in ("phone", "email"):
        for order in tx.select(Order, (name, "!=", None), customer=None, limit=limit):
            orders[order.id] = order
    wanted: dict[tuple[type[Record], str], set[object]] = {}
    found = list(orders.values())[:limit]
    for order in found:
        for cls, name, value in sought_customer({"phone": order.phone, "email": order.email}):
            wanted.setdefault((cls, name), set()).add(value)
    for (cls, name), values in wanted.items():
        tx.fetch(cls, name, values)
    for order in found:
        find_buyer(tx, order)


@command(needs="customers.erase", where="central", confirm="always")
def erase(tx: Tx, customer: Customer) -> None:
    """Erase what is personal of a customer, also in their orders, leads and talks. The journal keeps what it was."""
    erasing.erase(tx, living(tx, customer))
