"""Adding customers and changing them."""

from typing import Annotated

from bo.core.customers.records import Customer
from bo.core.kernel.command import command
from bo.core.kernel.kinds import Email, Facts, Flag, Note, PersonName, Phone, RefKind, Tags, Text
from bo.core.kernel.standard import edits
from bo.core.kernel.tx import Tx

StoreId = Annotated[str, RefKind("stores")]

edit = edits(Customer, needs="customers.edit", confirm="many")


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
    address: PersonName = "",
    store: StoreId | None = None,
    consent: Flag = True,
    tags: Tags = (),
    note: Note = "",
    import_key: Text | None = None,
    extra: Facts = {},  # noqa: B006 - never changed: records replace nested values
) -> Customer:
    """Add a customer."""
    return tx.add(
        Customer(
            number=number,
            name=name,
            phone=phone,
            email=email,
            company=company,
            country=country,
            province=province,
            city=city,
            address=address,
            store=store,
            consent=consent,
            tags=tags,
            note=note,
            import_key=import_key,
            extra=extra,
        )
    )
