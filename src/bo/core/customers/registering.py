"""Finding the customer of a sale, or making one: plain functions for the modules above."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from bo.core.customers.records import Address, Communication, ContactPoint, Customer
from bo.core.kernel.parsing import email_key
from bo.core.kernel.record import Record
from bo.core.kernel.tx import Tx

FILLED_IN: Final = ("name", "phone", "email", "company", "country", "province", "city", "postcode", "address")
Sought = tuple[type[Record], str, object]


def sought_customer(values: Mapping[str, object]) -> Iterable[Sought]:
    """What looking for the customer of such a phone and e-mail address looks up; a batch fetches it at once."""
    if phone := values.get("phone"):
        yield Customer, "phone", phone
        yield ContactPoint, "key", phone
    if email := values.get("email"):
        key = email_key(str(email))
        yield Customer, "email", email
        yield Customer, "email_key", key
        yield ContactPoint, "key", key


def known_customer(tx: Tx, *, phone: str | None, email: str | None) -> Customer | None:
    """The customer with that phone, else with that e-mail address; of several the one known longest."""
    for values in ({"phone": phone}, {"email": email}):
        found: dict[str, Customer] = {}
        for cls, name, value in sought_customer(values):
            for item in tx.find_all(cls, **{name: value}):
                owner = item if isinstance(item, Customer) else tx.peek(Customer, getattr(item, "customer", ""))
                if owner is not None:
                    owner = living(tx, owner)
                    found[owner.id] = owner
        if found:
            return min(found.values(), key=lambda item: (item.created_at, item.id))
    return None


def living(tx: Tx, customer: Customer) -> Customer:
    """The customer who is kept, where this one was merged into another who is here too: a shop's device may have the
    one and not the other."""
    return (tx.peek(Customer, customer.merged_into) if customer.merged_into else None) or customer


def holders(tx: Tx, customer: str) -> list[str]:
    """The ids of a customer and of those who were merged into them: what is final stays with whom it was written
    for."""
    return [customer, *(item.id for item in tx.find_all(Customer, merged_into=customer))]


def register_customer(tx: Tx, wanted: Customer, *, known_id: str | None = None) -> tuple[Customer, bool]:
    """The customer who is meant, and whether they are new.

    What was not known of a known one is filled in; nothing is overwritten but the store where they bought last.
    """
    known = tx.peek(Customer, known_id) if known_id else None
    known = living(tx, known) if known else known_customer(tx, phone=wanted.phone, email=wanted.email)
    set_key(wanted)
    if known is None:
        return tx.add(wanted), True
    if known.erased_at is None:
        for name in FILLED_IN:
            if not getattr(known, name):
                setattr(known, name, getattr(wanted, name))
        set_key(known)
    if wanted.store and wanted.store != known.store:
        give_to_store(tx, known, wanted.store)
    return known, False


def set_key(customer: Customer) -> None:
    """What the customer is looked up by, from their e-mail address."""
    customer.email_key = email_key(customer.email) if customer.email else None


def give_to_store(tx: Tx, customer: Customer, store: str | None) -> None:
    """The customer belongs to that store, and with them what is written about them."""
    customer.store = store
    for item in (*reached_at(tx, customer.id), *tx.find_all(Communication, customer=customer.id)):
        item.store = store


def reached_at(tx: Tx, customer: str) -> list[Address | ContactPoint]:
    """The addresses and contacts of a customer."""
    return [*tx.find_all(Address, customer=customer), *tx.find_all(ContactPoint, customer=customer)]
