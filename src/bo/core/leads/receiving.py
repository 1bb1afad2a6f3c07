"""A lead comes in: what it is compared by, whether it is known, and where it goes first.

The path of every imported row, so it does no more than it must.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from bo.core.kernel.errors import Refused
from bo.core.kernel.parsing import surname_key
from bo.core.kernel.standard import edits
from bo.core.kernel.tx import Tx
from bo.core.leads.deadlines import start_review
from bo.core.leads.duplicates import NEW, SAYS_NOTHING_FROM, Fingerprint, Judgement, KnownLead, judge
from bo.core.leads.keys import forget_key, home_of, set_keys, sought_by
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
UNREVIEWED: Final = ("pending_review", "needs_info", "duplicate")
COMPARED: Final = ("name", "phone", "phone2", "email", "platform_id", "district", "community", "room")

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


class ReviewedFact(Refused):
    """Who reported a lead, and when, is part of what was reviewed and is paid for."""

    code = "reviewed_fact"


def edit(tx: Tx, lead: Lead, values: Mapping[str, object]) -> None:
    """Set fields by name. The keys stay in step, and a reviewer sees whom the lead looks like now; no state moves.

    Raises:
        ReviewedFact: it changes who reported the lead, or when, after the review.
    """
    before, facts = compared(lead), (lead.referrer, lead.reported_at)
    set_fields(tx, lead, **values)
    if (lead.referrer, lead.reported_at) != facts and lead.state not in UNREVIEWED:
        raise ReviewedFact(
            "who reported a lead, and when, is not edited after its review", hint="Use bo leads correct, with a reason."
        )
    if compared(lead) != before:
        set_keys(lead)
        matches = judge_lead(tx, lead).matches
        if lead.state == PENDING_REVIEW:
            lead.duplicate_score = matches[0].points if matches else 0


def compared(lead: Lead) -> tuple[object, ...]:
    """What a lead is compared by, as it was reported."""
    return tuple(getattr(lead, name) for name in COMPARED)


def judge_lead(tx: Tx, lead: Lead) -> Judgement:
    """Compare a lead with those that share a key with it; a key that is full by now is left out, and off the lead."""
    rivals: dict[str, Lead] = {}
    for name, value in sought_by(lead):
        sharing = tx.find_all(Lead, **{name: value})
        if len(sharing) > SAYS_NOTHING_FROM or (len(sharing) == SAYS_NOTHING_FROM and lead not in sharing):
            forget_key(lead, value)
        elif sharing:
            rivals.update((item.id, item) for item in sharing if item.id != lead.id)
    if not rivals:
        return NEW
    known = [first for item in rivals.values() if (first := _protected(tx, lead, item)) is not None]
    return judge(fingerprint(lead), arrival(lead, tx.now), known) if known else NEW


def _protected(tx: Tx, lead: Lead, rival: Lead) -> KnownLead | None:
    """The report whose customer a rival protects: its own, or the first's where it is a duplicate itself.

    A rejected one protects nobody.
    """
    first = tx.peek(Lead, rival.duplicate_of) if rival.duplicate_of else rival
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
    phones = tuple(phone for phone in (lead.phone_key, lead.phone2_key) if phone)
    email, platform = lead.email_key or "", lead.platform_key or ""
    if not lead.community:
        return Fingerprint(phones, email, platform)
    home = home_of(lead.district, lead.community, lead.room, lead.name)
    room = home.key if lead.home_key else ""
    return Fingerprint(phones, email, platform, home.name, surname_key(lead.name), home.community, room)
