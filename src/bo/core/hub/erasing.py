"""What is personal of one customer is blanked wherever it stands. What they bought and what they owe stays.

Only the records are blanked: the journal keeps what they were, because it is never rewritten.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from bo.core.customers.records import Communication, Customer
from bo.core.customers.registering import holders, reached_at
from bo.core.kernel.record import Record, info_of
from bo.core.kernel.tx import Tx
from bo.core.leads.keys import set_keys
from bo.core.leads.records import FollowUp, Lead
from bo.core.orders.records import Order

# what names a person, beside the fields that are personal by their kind
ALSO: Final[dict[type[Record], tuple[str, ...]]] = {
    Customer: ("email_key", "company", "postcode", "note", "tags", "extra", "import_key"),
    Communication: ("summary", "outcome"),
    Order: ("company", "postcode", "billing", "note", "extra"),
    Lead: ("platform_id", "company", "district", "community", "room", "note", "tags", "extra", "import_key"),
    FollowUp: ("note",),
}


def erase(tx: Tx, customer: Customer) -> None:
    """Blank what is personal of a customer, of those who were merged into them, and of their orders and leads."""
    for holder in holders(tx, customer.id):
        for item in reached_at(tx, holder):
            tx.remove(item)
        _blank_each(tx.find_all(Communication, customer=holder))
        _blank_each(tx.select(Order, customer=holder))
        for lead in tx.select(Lead, customer=holder):
            _blank_each([lead, *tx.find_all(FollowUp, lead=lead.id)])
            set_keys(lead)
        owner = tx.get(Customer, holder)
        _blank_each([owner])
        owner.consent, owner.erased_at = False, tx.now
        owner.addresses_key = owner.contacts_key = ""


def _blank_each(records: Iterable[Record]) -> None:
    for record in records:
        info = info_of(type(record))
        personal = {item.name for item in info.fields if getattr(item.kind, "personal", False)}
        for name in {*personal, *ALSO.get(type(record), ())}:
            setattr(record, name, info.by_name[name].default)
