"""Customers who may be one person."""

from __future__ import annotations

import msgspec

from bo.core.customers.records import Customer
from bo.core.kernel.command import query
from bo.core.kernel.reader import Reader


class Alike(msgspec.Struct, frozen=True):
    """Another customer, and what both have in common."""

    customer: str
    name: str
    common: str


@query(needs="customers.read")
def alike(read: Reader, customer: Customer) -> list[Alike]:
    """Other customers with the same phone or e-mail address."""
    found: dict[str, Alike] = {}
    for name in ("phone", "email"):
        value = getattr(customer, name)
        for other in read.records(Customer, f'{name}:"{value}"', limit=50) if value else ():
            if other.id != customer.id:
                found.setdefault(other.id, Alike(other.id, other.name, name))
    return list(found.values())
