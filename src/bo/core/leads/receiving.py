"""A lead comes in: what it is compared by, whether it is known, and where it goes first. The path of every imported row, so it does no more than it must."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from bo.core.kernel.parsing import email_key, household_key, name_key, surname_key
from bo.core.kernel.tx import Tx
from bo.core.leads.deadlines import start_review
from bo.core.leads.duplicates import NEW, Fingerprint, Judgement, KnownLead, judge
from bo.core.leads.records import DUPLICATE, PENDING_REVIEW, Lead

COMPARED = frozenset(("name", "phone", "phone2", "email", "platform_id", "district", "community", "room"))


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


def change(tx: Tx, lead: Lead, changed: Mapping[str, object]) -> None:
    """After an edit: keep the keys in step, and tell the reviewer whom the lead looks like now. An edit moves no state."""
    if not COMPARED.isdisjoint(changed):
        set_keys(lead)
        if lead.state == PENDING_REVIEW:
            matches = judge_lead(tx, lead).matches
            lead.duplicate_score = matches[0].points if matches else 0


def set_keys(lead: Lead) -> None:
    """What the lead is looked up by as a duplicate, from its fields."""
    lead.email_key = email_key(lead.email) if lead.email else None
    lead.home_key = lead.neighbour_key = None
    if lead.community:
        lead.home_key = household_key(lead.district, lead.community, lead.room) or None
        name = " ".join(sorted(name_key(lead.name).split()))
        place = community_key(lead)
        lead.neighbour_key = f"{place}|{name}" if name and place else None


def sought(lead: Lead) -> Iterator[tuple[str, str]]:
    """The lookup fields and values by which a lead's rivals are found."""
    phone, phone2 = lead.phone, lead.phone2
    if phone:
        yield "phone", phone
        yield "phone2", phone
    if phone2:
        yield "phone", phone2
        yield "phone2", phone2
    for name in ("platform_id", "email_key", "home_key", "neighbour_key"):
        value = getattr(lead, name)
        if value:
            yield name, value


def judge_lead(tx: Tx, lead: Lead) -> Judgement:
    """Compare a lead with those that share a key with it."""
    rivals: dict[str, Lead] = {}
    for name, value in sought(lead):
        if tx.view_by(Lead, name, value) is not None:
            rivals.update((item.id, item) for item in tx.find_all(Lead, **{name: value}))
    if not rivals:
        return NEW
    known = [first for item in rivals.values() if item.id != lead.id and (first := _protected(tx, lead, item)) is not None]
    return judge(fingerprint(lead), arrival(lead, tx.now), known)


def _protected(tx: Tx, lead: Lead, rival: Lead) -> KnownLead | None:
    """The report whose customer a rival protects: its own, or the first's where it is a duplicate itself. A rejected one protects nobody."""
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
    return Fingerprint(
        phone_keys=tuple(phone for phone in (lead.phone, lead.phone2) if phone),
        email_key=lead.email_key or "",
        platform_id=lead.platform_id or "",
        name=name_key(lead.name) if lead.community else "",
        surname=surname_key(lead.name) if lead.community else "",
        community=community_key(lead) if lead.community else "",
        room=lead.home_key or "",
    )


def community_key(lead: Lead) -> str:
    """District and community in comparable form."""
    return household_key(lead.district, lead.community, "0").rpartition("|")[0]
