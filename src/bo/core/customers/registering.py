"""Finding the customer of a sale, or making one: plain functions for the modules above."""

from __future__ import annotations

from typing import Final

from bo.core.customers.records import Customer
from bo.core.kernel.tx import Tx

FILLED_IN: Final = ("name", "phone", "email", "company", "country", "province", "city", "address")


def known_customer(tx: Tx, *, phone: str | None, email: str | None) -> Customer | None:
    """The customer with that phone, else with that e-mail address; of several the one known longest."""
    for name, value in (("phone", phone), ("email", email)):
        found = tx.find_all(Customer, **{name: value}) if value else []
        if found:
            return min(found, key=lambda item: (item.created_at, item.id))
    return None


def register_customer(tx: Tx, wanted: Customer, *, known_id: str | None = None) -> tuple[Customer, bool]:
    """The customer who is meant, and whether they are new.

    What was not known of a known one is filled in; nothing is overwritten but the store where they bought last.
    """
    known = tx.peek(Customer, known_id) if known_id else None
    known = known or known_customer(tx, phone=wanted.phone, email=wanted.email)
    if known is None:
        return tx.add(wanted), True
    for name in FILLED_IN:
        if not getattr(known, name):
            setattr(known, name, getattr(wanted, name))
    known.store = wanted.store or known.store
    return known, False
