"""Two customers who are one person: everything of the one becomes the other's, and the one stays as a redirect."""

from __future__ import annotations

from typing import Final

from bo.core.customers import reaching
from bo.core.customers.records import Communication, Customer
from bo.core.customers.registering import set_key
from bo.core.kernel.errors import Refused
from bo.core.kernel.ids import short
from bo.core.kernel.tx import Tx
from bo.core.leads import selling
from bo.core.orders import buyers

FILLED_IN: Final = ("name", "phone", "email", "company", "store")


class SameCustomer(Refused):
    """Both are one customer already."""

    code = "same_customer"


class MergedBefore(Refused):
    """A customer who was merged into another is a redirect, and has nothing to give."""

    code = "merged_before"


def merge(tx: Tx, gone: Customer, kept: Customer) -> None:
    """Everything of one customer is another's. What is blank on the one who is kept is filled in, and nothing
    overwritten; who did not want to be contacted as one of both is not contacted. Raises SameCustomer, MergedBefore."""
    _require_two(gone, kept)
    reaching.move(tx, gone, kept)
    for name in FILLED_IN:
        if not getattr(kept, name):
            setattr(kept, name, getattr(gone, name))
    set_key(kept)
    kept.consent = kept.consent and gone.consent
    kept.tags = tuple(sorted({*kept.tags, *gone.tags}))
    kept.note = "\n".join(part for part in (kept.note, gone.note) if part)
    for item in tx.find_all(Communication, customer=gone.id):
        item.customer, item.store = kept.id, kept.store
    for earlier in tx.find_all(Customer, merged_into=gone.id):
        earlier.merged_into = kept.id
    selling.hand_over(tx, gone.id, kept.id)
    buyers.hand_over(tx, gone.id, kept.id)
    gone.merged_into = kept.id


def _require_two(gone: Customer, kept: Customer) -> None:
    if gone.merged_into:
        raise MergedBefore(
            "{id} was merged into {kept} before", hint="Merge {kept}: bo customers merge {kept} --into ID",
            id=short(gone.id), kept=short(gone.merged_into),
        )  # fmt: skip
    if gone.id == kept.id:
        raise SameCustomer("a customer is not merged with themselves", hint="Look for others: bo customers duplicates")
    if gone.erased_at is not None or kept.erased_at is not None:
        raise Refused("the personal data of this customer was erased")
