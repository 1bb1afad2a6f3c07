"""A lead comes in: what it is compared by, whether it is known, and where it goes first.

The path of every imported row, so it does no more than it must.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from bo.core.kernel.parsing import email_key, surname_key
from bo.core.kernel.standard import edits
from bo.core.kernel.tx import Tx
from bo.core.leads.deadlines import start_review
from bo.core.leads.duplicates import NEW, Fingerprint, Judgement, KnownLead, judge
from bo.core.leads.keys import home_of, sought_by
from bo.core.leads.records import DUPLICATE, PENDING_REVIEW, Lead

REPORTED: Final = (
    "number",
    "name",
    "phone",
    "phone2",
    "email",
    "platform_id",
    "company",
    "country",
    "province",
    "city",
    "district",
    "community",
    "room",
    "address",
    "category",
    "source",
    "brand",
    "referrer",
    "reported_at",
    "wanted_store",
    "budget",
    "currency",
    "consent",
    "tags",
    "note",
)
COMPARED: Final = frozenset(("name", "phone", "phone2", "email", "platform_id", "district", "community", "room"))

# Sets fields by name, each read as its own kind; the command `leads.edit` takes its signature from here.
set_fields = edits(
    Lead, needs="leads.edit", without=tuple(name for name in Lead.__struct_fields__ if name not in REPORTED)
)


def receive(tx: Tx, lead: Lead) -> Lead:
    """Take a lead in: as a duplicate of the first report of that customer, or for review."""
    set_keys(lead)
    found = judge_lead(tx, lead)
    if found.matches:
        lead.duplicate_score = found.matches[0].points
    if found.verdict == "mark":
        lead.state, lead.duplicate_of = DUPLICATE, found.duplicate_of
    else:
        lead.state = PENDING_REVIEW
        start_review(tx, lead)
    return tx.add(lead)


def follow_edit(tx: Tx, lead: Lead, changed: Mapping[str, object]) -> None:
    """After an edit: keep the keys in step, and tell the reviewer whom the lead looks like now.

    An edit moves no state.
    """
    if not COMPARED.isdisjoint(changed):
        set_keys(lead)
        if lead.state == PENDING_REVIEW:
            matches = judge_lead(tx, lead).matches
            lead.duplicate_score = matches[0].points if matches else 0


def set_keys(lead: Lead) -> None:
    """What the lead is looked up by as a duplicate, from its fields."""
    lead.email_key = email_key(lead.email) if lead.email else None
    if lead.community:
        home = home_of(lead.district, lead.community, lead.room, lead.name)
        lead.home_key, lead.neighbour_key = home.key or None, home.neighbour or None
    elif lead.home_key or lead.neighbour_key:
        lead.home_key = lead.neighbour_key = None


def judge_lead(tx: Tx, lead: Lead) -> Judgement:
    """Compare a lead with those that share a key with it."""
    rivals: dict[str, Lead] = {}
    for name, value in sought_by(lead):
        if tx.view_by(Lead, name, value) is not None:
            rivals.update((item.id, item) for item in tx.find_all(Lead, **{name: value}) if item.id != lead.id)
    if not rivals:
        return NEW
    known = [first for item in rivals.values() if (first := _protected(tx, lead, item)) is not None]
    return judge(fingerprint(lead), arrival(lead, tx.now), known) if known else NEW


def _protected(tx: Tx, lead: Lead, rival: Lead) -> KnownLead | None:
    """The report whose customer a rival protects: its own, or the first's where it is a duplicate itself.

    A rejected one protects nobody.
    """
    first = tx.view(Lead, rival.duplicate_of) if rival.duplicate_of else rival
    if first is None or first.id == lead.id or first.state in ("invalid", "duplicate"):
        return None
    if lead.brand and first.brand and lead.brand != first.brand:
        return None
    return KnownLead(first.id, arrival(first, tx.now), fingerprint(rival))


def arrival(lead: Lead, now: datetime) -> datetime:
    """When a lead was reported: as the form says, but never later than it came in."""
    came_in = lead.created_at if lead.revision else now
    return min(lead.reported_at, came_in) if lead.reported_at else came_in


def fingerprint(lead: Lead) -> Fingerprint:
    """What a lead is compared by, in comparable form."""
    phones = (
        (lead.phone, lead.phone2)
        if lead.phone and lead.phone2
        else (lead.phone,)
        if lead.phone
        else (lead.phone2,)
        if lead.phone2
        else ()
    )
    email, platform = lead.email_key or "", lead.platform_id or ""
    if not lead.community:
        return Fingerprint(phones, email, platform)
    home = home_of(lead.district, lead.community, lead.room, lead.name)
    return Fingerprint(phones, email, platform, home.name, surname_key(lead.name), home.community, home.key)
