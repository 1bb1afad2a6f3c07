"""Addresses and contacts of a customer: written in comparable form, and merged with those that are known.

What a file tells adds to what is known and takes nothing of it away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec

from bo.core.customers.records import PLACE, Address, ContactPoint, Customer
from bo.core.customers.registering import reached_at
from bo.core.kernel.errors import NotFound
from bo.core.kernel.kinds import EmailKind, PhoneKind, rows_key
from bo.core.kernel.parsing import email_key
from bo.core.kernel.tx import Tx

Rows = Sequence[Mapping[str, object]]
Child = TypeVar("Child", Address, ContactPoint)
OWN_PLACE: Final = ("country", "province", "city", "postcode", "address")


def written(tx: Tx, kind: str, value: str) -> str:
    """A phone number or e-mail address in the form in which all are kept; anything else as it is. Raises BadValue."""
    if kind == "phone":
        return PhoneKind().decode(value, tx.context)
    return EmailKind().decode(value, tx.context) if kind == "email" else value


def contact_key(kind: str, value: str) -> str:
    """What a contact is looked up by. Phones and mailboxes are the same wherever they are used."""
    if kind == "email":
        return email_key(value)
    return value if kind in ("phone", "whatsapp") else f"{kind}:{value.casefold()}"


def add(tx: Tx, customer: Customer, cls: type[Child], values: Mapping[str, object]) -> Child:
    """One more address or contact of a customer. Raises BadValue."""
    known = tx.find_all(cls, customer=customer.id)
    made = msgspec.convert({**values, "customer": customer.id}, cls)
    _write(tx, made)
    made.store = customer.store
    made.position = max((item.position for item in known), default=0) + 1
    if made.preferred:
        prefer(made, known)
    return tx.add(made)


def _write(tx: Tx, item: Address | ContactPoint) -> None:
    if isinstance(item, ContactPoint):
        item.value = written(tx, item.kind, item.value)
        item.key = contact_key(item.kind, item.value)


def prefer(chosen: Address | ContactPoint, known: Sequence[Address | ContactPoint]) -> None:
    """This one is preferred, and no other address, or contact of its kind."""
    for item in known:
        if item is not chosen and _sort(item) == _sort(chosen):
            item.preferred = False
    chosen.preferred = True


def _sort(item: Address | ContactPoint) -> str:
    return item.kind if isinstance(item, ContactPoint) else ""


def tell(tx: Tx, customer: Customer, addresses: Rows, contacts: Rows) -> None:
    """Merge addresses and contacts as they are told with those that are known: by where they are, and by kind and
    value. A customer without an address of their own gets the preferred one, else the first. Raises BadValue."""
    for row in addresses:
        places = tx.find_all(Address, customer=customer.id)
        there = next((item for item in places if _place(item) == _told_place(row)), None)
        _tell(tx, customer, Address, row, places, there)
    if addresses:
        customer.addresses_key = rows_key(addresses)
        _fill_in(customer, next((row for row in addresses if row.get("preferred")), addresses[0]))
    for row in contacts:
        kind = str(row.get("kind") or "phone")
        key = contact_key(kind, written(tx, kind, str(row["value"])))
        ways = tx.find_all(ContactPoint, customer=customer.id)
        _tell(tx, customer, ContactPoint, row, ways, next((i for i in ways if (i.kind, i.key) == (kind, key)), None))
    if contacts:
        customer.contacts_key = rows_key(contacts)


def _tell(
    tx: Tx, customer: Customer, cls: type[Child], row: Mapping[str, object], known: Sequence[Child], found: Child | None
) -> None:
    if found is None:
        add(tx, customer, cls, row)
        return
    for name, value in row.items():
        if value not in (None, "") and name not in ("kind", "value"):  # a contact is known by these
            setattr(found, name, value)
    if row.get("preferred"):
        prefer(found, known)


def _fill_in(customer: Customer, row: Mapping[str, object]) -> None:
    """Give an address to a customer who has none of their own."""
    if any(getattr(customer, name) for name in OWN_PLACE):
        return
    for name in OWN_PLACE:
        setattr(customer, name, row.get(name) or "")
    customer.company = customer.company or str(row.get("company") or "")


def changed(tx: Tx, record: Address | ContactPoint, given: Mapping[str, Any]) -> None:
    """What goes with an edit of an address or a contact. Raises BadValue."""
    _write(tx, record)
    forget_told(owner_of(tx, record), record)
    if given.get("preferred"):
        prefer(record, reached_at(tx, record.customer))


def forget_told(customer: Customer, record: Address | ContactPoint) -> None:
    """What a file told last is not what is there any more."""
    if isinstance(record, Address):
        customer.addresses_key = ""
    else:
        customer.contacts_key = ""


def removed(tx: Tx, record: Address | ContactPoint) -> None:
    """Take an address or a contact away."""
    changed(tx, record, {})
    tx.remove(record)


def owner_of(tx: Tx, record: Address | ContactPoint) -> Customer:
    """Whose it is. Raises NotFound where nobody knows them here."""
    found = tx.peek(Customer, record.customer)
    if found is None:
        raise NotFound("there is no customer {id}", id=record.customer)
    return found


def is_known(tx: Tx, customer: Customer, kind: str, value: str) -> bool:
    """Whether a customer has this phone number or e-mail address already."""
    key = contact_key(kind, value)
    own = customer.phone if kind == "phone" else customer.email_key
    return own == key or any(item.key == key for item in tx.find_all(ContactPoint, customer=customer.id))


def _place(item: Address | Customer) -> tuple[str, ...]:
    return tuple(str(getattr(item, name, "")).casefold() for name in PLACE)


def _told_place(row: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(str(row.get(name) or "").casefold() for name in PLACE)


def move(tx: Tx, gone: Customer, kept: Customer) -> None:
    """What is written about one customer is from now on written about another, with what differs on the first."""
    if any(getattr(gone, name) for name in OWN_PLACE) and _place(gone) != _place(kept):
        if any(getattr(kept, name) for name in OWN_PLACE):
            own = {name: getattr(gone, name) for name in ("name", "company", *OWN_PLACE)}
            add(tx, kept, Address, own | {"phone": gone.phone or ""})
        else:
            for name in OWN_PLACE:
                setattr(kept, name, getattr(gone, name))
    for kind, value in (("phone", gone.phone), ("email", gone.email)):
        if value and getattr(kept, kind) and not is_known(tx, kept, kind, value):
            add(tx, kept, ContactPoint, {"kind": kind, "value": value, "name": gone.name, "consent": gone.consent})
    _move_each(tx.find_all(Address, customer=gone.id), tx.find_all(Address, customer=kept.id), kept)
    _move_each(tx.find_all(ContactPoint, customer=gone.id), tx.find_all(ContactPoint, customer=kept.id), kept)


def _move_each(
    moved: Sequence[Address | ContactPoint], known: Sequence[Address | ContactPoint], kept: Customer
) -> None:
    last = max((item.position for item in known), default=0)
    chosen = {_sort(item) for item in known if item.preferred}
    for place, item in enumerate(sorted(moved, key=lambda item: (item.position, item.id)), last + 1):
        item.customer, item.store, item.position = kept.id, kept.store, place
        item.preferred = item.preferred and _sort(item) not in chosen
