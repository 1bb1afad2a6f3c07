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


def add_address(tx: Tx, customer: Customer, values: Mapping[str, object]) -> Address:
    """One more address of a customer."""
    known = tx.find_all(Address, customer=customer.id)
    return _added(tx, customer, msgspec.convert({**values, "customer": customer.id}, Address), known)


def add_contact(tx: Tx, customer: Customer, values: Mapping[str, object]) -> ContactPoint:
    """One more contact of a customer. Raises BadValue."""
    known = tx.find_all(ContactPoint, customer=customer.id)
    made = msgspec.convert({**values, "customer": customer.id}, ContactPoint)
    made.value = written(tx, made.kind, made.value)
    made.key = contact_key(made.kind, made.value)
    return _added(tx, customer, made, known)


def _added(tx: Tx, customer: Customer, made: Child, known: Sequence[Child]) -> Child:
    made.store = customer.store
    made.position = max((item.position for item in known), default=0) + 1
    if made.preferred:
        prefer(made, known)
    return tx.add(made)


def prefer(chosen: Address | ContactPoint, known: Sequence[Address | ContactPoint]) -> None:
    """This one is preferred, and no other address, or contact of its kind."""
    for item in known:
        if item is not chosen and _sort(item) == _sort(chosen):
            item.preferred = False
    chosen.preferred = True


def _sort(item: Address | ContactPoint) -> str:
    return item.kind if isinstance(item, ContactPoint) else ""


def tell_addresses(tx: Tx, customer: Customer, rows: Rows) -> None:
    """Merge addresses as they are told with those that are known: by where they are. A customer without an address of
    their own gets the preferred one, else the first."""
    for row in rows:
        known = tx.find_all(Address, customer=customer.id)
        found = next((item for item in known if _place(item) == _told_place(row)), None)
        if found is None:
            add_address(tx, customer, row)
            continue
        _fill(found, row)
        if row.get("preferred"):
            prefer(found, known)
    customer.addresses_key = rows_key(rows)
    if rows and not any(getattr(customer, name) for name in OWN_PLACE):
        first = next((row for row in rows if row.get("preferred")), rows[0])
        for name in OWN_PLACE:
            setattr(customer, name, first.get(name) or "")
        customer.company = customer.company or str(first.get("company") or "")


def tell_contacts(tx: Tx, customer: Customer, rows: Rows) -> None:
    """Merge contacts as they are told with those that are known: by kind and value. Raises BadValue."""
    for row in rows:
        known = tx.find_all(ContactPoint, customer=customer.id)
        kind = str(row.get("kind") or "phone")
        key = contact_key(kind, written(tx, kind, str(row["value"])))
        found = next((item for item in known if (item.kind, item.key) == (kind, key)), None)
        if found is None:
            add_contact(tx, customer, row)
            continue
        _fill(found, {name: value for name, value in row.items() if name not in ("kind", "value")})
        if row.get("preferred"):
            prefer(found, known)
    customer.contacts_key = rows_key(rows)


def changed(tx: Tx, record: Address | ContactPoint, given: Mapping[str, Any]) -> None:
    """What goes with an edit of an address or a contact. Raises BadValue."""
    customer = owner_of(tx, record)
    if isinstance(record, ContactPoint):
        record.value = written(tx, record.kind, record.value)
        record.key = contact_key(record.kind, record.value)
        customer.contacts_key = ""  # what the file told last is not what is there
    else:
        customer.addresses_key = ""
    if given.get("preferred"):
        prefer(record, reached_at(tx, record.customer))


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


def _fill(item: Address | ContactPoint, row: Mapping[str, object]) -> None:
    for name, value in row.items():
        if value not in (None, ""):
            setattr(item, name, value)


def _place(item: Address | Customer) -> tuple[str, ...]:
    return tuple(str(getattr(item, name, "")).casefold() for name in PLACE)


def _told_place(row: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(str(row.get(name) or "").casefold() for name in PLACE)


def move(tx: Tx, gone: Customer, kept: Customer) -> None:
    """What is written about one customer is from now on written about another, with what differs on the first."""
    if any(getattr(gone, name) for name in OWN_PLACE) and _place(gone) != _place(kept):
        if any(getattr(kept, name) for name in OWN_PLACE):
            own = {name: getattr(gone, name) for name in ("name", "company", *OWN_PLACE)}
            add_address(tx, kept, own | {"phone": gone.phone or ""})
        else:
            for name in OWN_PLACE:
                setattr(kept, name, getattr(gone, name))
    for kind, value in (("phone", gone.phone), ("email", gone.email)):
        if value and getattr(kept, kind) and not is_known(tx, kept, kind, value):
            add_contact(tx, kept, {"kind": kind, "value": value, "name": gone.name, "consent": gone.consent})
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
