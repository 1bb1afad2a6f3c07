"""Adding customers, changing them, and writing down how they are reached and what was spoken with them."""

from collections.abc import Mapping
from typing import Annotated, Any

from bo.core.customers import reaching
from bo.core.customers.records import (
    Address,
    AddressRows,
    Communication,
    CommunicationKind,
    ContactKind,
    ContactPoint,
    ContactRows,
    Customer,
    Direction,
    StoreId,
)
from bo.core.customers.registering import give_to_store, known_customer, living, set_key
from bo.core.kernel.command import command
from bo.core.kernel.errors import BadValue, NotFound, Refused
from bo.core.kernel.kinds import Email, Facts, Field, Flag, Moment, Note, PersonName, Phone, RefKind, Tags, Text
from bo.core.kernel.standard import edits
from bo.core.kernel.tx import Tx


class Erased(Refused):
    """A customer whose personal data was erased."""

    code = "erased"


def _edited(tx: Tx, customer: Customer, given: Mapping[str, Any]) -> None:
    if customer.erased_at is not None:
        raise Erased("the personal data of this customer was erased", hint="Add a customer anew: bo customers add.")
    set_key(customer)
    if "store" in given:
        give_to_store(tx, customer, customer.store)
    reaching.tell(tx, customer, given.get("addresses") or (), given.get("contacts") or ())


edit = edits(
    Customer,
    needs="customers.edit",
    confirm="many",
    without=("email_key", "merged_into", "erased_at", "addresses_key", "contacts_key"),
    also={"addresses": AddressRows, "contacts": ContactRows},
    then=_edited,
    doc="Change fields of a customer. Addresses and contacts are added to those that are known.",
)


@command(needs="customers.edit")
def add(
    tx: Tx,
    *,
    number: Text | None = None,
    name: PersonName = "",
    phone: Phone | None = None,
    email: Email | None = None,
    company: Text = "",
    country: Text = "",
    province: Text = "",
    city: Text = "",
    postcode: Text = "",
    address: PersonName = "",
    store: StoreId | None = None,
    consent: Flag = True,
    tags: Tags = (),
    note: Note = "",
    addresses: AddressRows = (),
    contacts: ContactRows = (),
    import_key: Text | None = None,
    extra: Facts = {},  # noqa: B006 - never changed: records replace nested values
) -> Customer:
    """Add a customer."""
    made = Customer(
        number=number, name=name, phone=phone, email=email, company=company, country=country, province=province,
        city=city, postcode=postcode, address=address, store=store, consent=consent, tags=tags, note=note,
        import_key=import_key, extra=extra,
    )  # fmt: skip
    set_key(made)
    tx.add(made)
    reaching.tell(tx, made, addresses, contacts)
    return made


@command(needs="customers.edit", confirm="many")
def tag(tx: Tx, customer: Customer, *, add: Tags = (), remove: Tags = ()) -> None:
    """Add tags to a customer, or take some away."""
    customer = living(tx, customer)
    customer.tags = tuple(sorted({*customer.tags, *add} - set(remove)))


# -- addresses and contacts --------------------------------------------------------------------------------------------


@command(needs="customers.edit")
def add_(
    tx: Tx,
    *,
    customer: Customer | None = None,
    email: Annotated[Email, Field(help="of the customer, where no customer is given")] | None = None,
    label: Annotated[Text, Field(label="address label")] = "",
    name: Annotated[PersonName, Field(label="recipient")] = "",
    phone: Text = "",
    company: Text = "",
    country: Text = "",
    province: Text = "",
    city: Text = "",
    district: Text = "",
    postcode: Text = "",
    address: PersonName = "",
    preferred: Flag = False,
    import_key: Text | None = None,
    extra: Facts = {},  # noqa: B006 - never changed: records replace nested values
) -> Address:
    """Add an address to a customer.

    Raises:
        NotFound: nobody has that e-mail address.
    """
    if customer is None and email is None:
        raise BadValue("an address is a customer's", hint="Say whose: --customer, or --email.")
    owner = customer or known_customer(tx, phone=None, email=email)
    if owner is None:
        raise NotFound("there is no customer {id}", hint="Import the customers before their addresses.", id=email or "")
    values = {
        "label": label, "name": name, "phone": phone, "company": company, "country": country, "province": province,
        "city": city, "district": district, "postcode": postcode, "address": address, "preferred": preferred,
        "import_key": import_key, "extra": extra,
    }  # fmt: skip
    return _added(tx, owner, Address, values)


def _added(tx: Tx, customer: Customer, cls: type[reaching.Child], values: Mapping[str, Any]) -> reaching.Child:
    made = reaching.add(tx, customer, cls, values)
    reaching.forget_told(customer, made)
    return made


edit_address = edits(
    Address,
    needs="customers.edit",
    without=("customer", "store", "position", "import_key"),
    then=reaching.changed,
    doc="Change fields of an address of a customer.",
)


@command(needs="customers.edit", confirm="many")
def remove(tx: Tx, address: Address) -> None:
    """Take an address away from its customer."""
    reaching.removed(tx, address)


@command(needs="customers.edit")
def add__(
    tx: Tx,
    *,
    customer: Customer,
    kind: ContactKind = "phone",
    value: Annotated[PersonName, Field(label="number or address")],
    name: Annotated[PersonName, Field(label="contact person")] = "",
    preferred: Flag = False,
    consent: Flag = True,
    note: Note = "",
    import_key: Text | None = None,
    extra: Facts = {},  # noqa: B006 - never changed: records replace nested values
) -> ContactPoint:
    """Add a phone number, an e-mail address or another way to reach a customer or somebody who works for them.

    Raises:
        BadValue: it cannot be read as what it is said to be.
    """
    values = {
        "kind": kind, "value": value, "name": name, "preferred": preferred, "consent": consent, "note": note,
        "import_key": import_key, "extra": extra,
    }  # fmt: skip
    return _added(tx, customer, ContactPoint, values)


edit_contact = edits(
    ContactPoint,
    needs="customers.edit",
    without=("customer", "store", "position", "key", "import_key"),
    then=reaching.changed,
    doc="Change fields of a contact of a customer.",
)


@command(needs="customers.edit", confirm="many")
def remove_(tx: Tx, contact: ContactPoint) -> None:
    """Take a contact away from its customer."""
    reaching.removed(tx, contact)


# -- the communication log ---------------------------------------------------------------------------------------------


@command(needs="customers.log")
def log(
    tx: Tx,
    customer: Customer,
    *,
    kind: CommunicationKind = "call",
    direction: Direction = "out",
    summary: Note,
    outcome: Annotated[Text, Field(label="what came of it")] = "",
    at: Moment | None = None,
    lead: Annotated[str, RefKind("leads")] | None = None,
    order: Annotated[str, RefKind("orders")] | None = None,
    customer_return: Annotated[str, RefKind("returns"), Field(label="return")] | None = None,
    next_at: Annotated[Moment, Field(label="next contact")] | None = None,
) -> Communication:
    """Write down what was spoken or written with a customer, and when to get in touch again.

    Raises:
        Refused: it is in the future.
    """
    if at is not None and at > tx.now:
        raise Refused("this has not happened yet", hint="Say when to get in touch with --next-at.")
    customer = living(tx, customer)
    return tx.add(
        Communication(
            customer=customer.id, store=customer.store, kind=kind, direction=direction, at=at or tx.now,
            by=tx.actor.id, summary=summary, outcome=outcome, lead=lead,
            order=order, customer_return=customer_return, next_at=next_at,
        )
    )  # fmt: skip


edit_communication = edits(
    Communication,
    needs="customers.log",
    without=("customer", "store", "by"),
    doc="Correct what was written down of a talk with a customer, or say what came of it.",
)
