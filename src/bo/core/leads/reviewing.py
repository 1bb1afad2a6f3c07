"""Review: what makes a report valid, invalid, unclear or a duplicate, and who looks again when that is contested."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from bo.core.customers.registering import known_customer
from bo.core.kernel.errors import Refused, WrongState
from bo.core.kernel.ids import short
from bo.core.kernel.record import State, States
from bo.core.kernel.tx import Tx
from bo.core.leads import deadlines
from bo.core.leads.deadlines import INFO
from bo.core.leads.records import DUPLICATE, INVALID, NEEDS_INFO, OPEN, PENDING_REVIEW, Appeal, FollowUp, Lead
from bo.core.leads.rewarding import all_taken_back, earned
from bo.core.leads.rules import (
    DISPUTE,
    INVALID_REASONS,
    REVIEW,
    Reason,
    reason_of,
    require_appealable,
    require_evidence,
)
from bo.core.referrers.records import Referrer

CHAIN_MOST: Final = 20
SYSTEM_MARK: Final = "system"


class SameReviewer(Refused):
    """Who made a decision does not decide whether it was right."""

    code = "same_reviewer"


class WrongTime(Refused):
    """A time that cannot be meant."""

    code = "wrong_time"


class NoConsent(Refused):
    """Nobody may contact this customer."""

    code = "no_consent"


class StillWaiting(Refused):
    """The time to answer is not over."""

    code = "still_waiting"


class NotItsDuplicate(Refused):
    """A lead that cannot be the first of another."""

    code = "not_its_duplicate"


class AlreadyAppealed(Refused):
    """The decision was contested before."""

    code = "already_appealed"


class NotOpener(Refused):
    """Somebody else's appeal."""

    code = "not_opener"


def find_valid(tx: Tx, lead: Lead) -> None:
    """The report is honest and of use; nothing is due until a store has it. A customer who is known is linked."""
    _require_other_reviewer(tx, lead)
    if not lead.consent:
        raise NoConsent(
            "the customer has not agreed to be contacted", hint="Reject it with no_consent, or edit its consent."
        )
    deadlines.clear(lead)
    _note_reviewer(tx, lead)
    customer = known_customer(tx, phone=lead.phone, email=lead.email)
    lead.customer = customer.id if customer is not None else None
    earned(tx, lead, "valid_lead")


def find_invalid(tx: Tx, lead: Lead, reason: str, note: str) -> None:
    """The report is of no use, for a reason with its evidence."""
    _require_other_reviewer(tx, lead)
    _require_grounds(tx, lead, reason_of(INVALID_REASONS, reason), note)
    lead.invalid_reason = reason
    deadlines.clear(lead)
    _note_reviewer(tx, lead)


def _require_grounds(tx: Tx, lead: Lead, reason: Reason, note: str) -> None:
    if reason.code == "no_response":
        if lead.state != NEEDS_INFO or lead.due_at is None or lead.due_at > tx.now:
            raise StillWaiting(
                "nobody was asked and left the time to answer pass",
                hint="Ask with request-info, and wait until it is overdue.",
            )
        return
    attempts = [item.at for item in tx.find_all(FollowUp, lead=lead.id) if item.outcome == "no_answer"]
    require_evidence(reason, note=note, attempts=attempts, calendar=deadlines.calendar_for(tx, lead))


def ask(tx: Tx, lead: Lead, question: str) -> None:
    """Ask who reported it; the review stands still while they have their time to answer."""
    deadlines.stop(tx, lead)
    due = INFO.start(tx.now, deadlines.calendar_for(tx, lead)).due
    deadlines.wait_until(lead, INFO.name, tx.now, due)
    tx.later("leads.info_requested", {"lead": lead.id, "referrer": lead.referrer, "question": question, "due": due})


def mark_as_duplicate(tx: Tx, lead: Lead, of: Lead) -> None:
    """A person says whose report was first."""
    _require_other_reviewer(tx, lead)
    first = first_of(tx, of)
    if first.id == lead.id:
        raise NotItsDuplicate(
            "{of} is itself a duplicate of {lead}",
            hint="Choose the report that came first.",
            of=short(of.id),
            lead=short(lead.id),
        )
    if first.state == INVALID:
        raise NotItsDuplicate(
            "{of} was rejected, so it protects nobody", hint="Choose another report.", of=short(first.id)
        )
    lead.duplicate_of, lead.duplicate_score = first.id, 100
    deadlines.clear(lead)
    _note_reviewer(tx, lead)


def first_of(tx: Tx, lead: Lead) -> Lead:
    """The report that a duplicate belongs to; a lead that is none is its own first."""
    for _step in range(CHAIN_MOST):
        first = tx.peek(Lead, lead.duplicate_of) if lead.duplicate_of else None
        if first is None:
            break
        lead = first
    return lead


def back_to_review(tx: Tx, lead: Lead) -> None:
    """Nothing is decided any more; the review starts anew."""
    lead.duplicate_of, lead.duplicate_score, lead.invalid_reason = None, 0, None
    lead.reviewed_by, lead.reviewed_at = "", None
    deadlines.start(tx, lead, REVIEW)


def correct(tx: Tx, lead: Lead, referrer: Referrer | None, reported_at: datetime | None, reason: str) -> None:
    """Put right who reported a reviewed lead, or when; rewards follow the referrer."""
    if reported_at is not None:
        if reported_at > tx.now:
            raise WrongTime("a lead was not reported in the future", hint="Give the time on the form.")
        lead.reported_at = reported_at
    if referrer is not None and referrer.id != lead.referrer:
        all_taken_back(tx, lead, reason)
        lead.referrer = referrer.id
        earned(tx, lead, "valid_lead", happened_at=lead.reviewed_at)
        if lead.visited_at is not None:
            earned(tx, lead, "visit", happened_at=lead.visited_at)


def _require_other_reviewer(tx: Tx, lead: Lead) -> None:
    if lead.contested_by and lead.contested_by == tx.actor.id:
        raise SameReviewer(
            "an appeal against your decision on this lead was upheld", hint="Another reviewer has to decide it now."
        )


def _note_reviewer(tx: Tx, lead: Lead) -> None:
    lead.reviewed_by, lead.reviewed_at, lead.contested_by = tx.actor.id, tx.now, ""


# -- appeals -----------------------------------------------------------------------------------------------------------


def appeals_of(tx: Tx, lead: Lead) -> list[Appeal]:
    """The appeals against decisions on a lead."""
    return tx.find_all(Appeal, lead=lead.id)


def require_no_open_appeal(tx: Tx, lead: Lead) -> None:
    """A contested decision is changed by deciding the appeal. Raises AlreadyAppealed."""
    if any(item.state == OPEN for item in appeals_of(tx, lead)):
        raise AlreadyAppealed(
            "there is an open appeal about this lead", hint="Decide that: bo appeals uphold or reject."
        )


def open_appeal(tx: Tx, lead: Lead, reason: str) -> Appeal:
    """Contest a decision, once and in time."""
    require_no_open_appeal(tx, lead)
    decided = lead.reviewed_at or lead.created_at
    if any(item.state == "rejected" and item.created_at >= decided for item in appeals_of(tx, lead)):
        raise AlreadyAppealed("an appeal against this decision was rejected before", hint="Open a dispute instead.")
    grounds = reason_of(INVALID_REASONS, lead.invalid_reason or "duplicate")
    calendar = deadlines.calendar_for(tx, lead)
    require_appealable(grounds, decided, tx.now, calendar)
    due = DISPUTE.start(tx.now, calendar).due
    return tx.add(
        Appeal(lead=lead.id, reason=reason, against=lead.reviewed_by or SYSTEM_MARK, opened_by=tx.actor.id, due_at=due)
    )


def uphold_appeal(tx: Tx, appeal: Appeal, lead: Lead, decision: str) -> None:
    """The appeal is right: the lead is reviewed again, by somebody else."""
    require_state(lead, INVALID | DUPLICATE)
    decide_appeal(tx, appeal, decision)
    back_to_review(tx, lead)
    lead.contested_by = appeal.against if appeal.against != SYSTEM_MARK else ""
    lead.state = PENDING_REVIEW


def decide_appeal(tx: Tx, appeal: Appeal, decision: str) -> None:
    """Note who decides, who is neither the one whose decision it is about nor the one who appeals."""
    if tx.actor.id == appeal.against:
        raise SameReviewer("the appeal is against your own decision", hint="Another reviewer has to decide it.")
    if tx.actor.id == appeal.opened_by:
        raise SameReviewer("the appeal is your own", hint="Somebody else has to decide it; you can withdraw it.")
    appeal.decided_by, appeal.decision, appeal.due_at = tx.actor.id, decision, None


def require_opener(tx: Tx, appeal: Appeal) -> None:
    """Raises NotOpener."""
    if tx.actor.id != appeal.opened_by:
        raise NotOpener("only who opened an appeal withdraws it", hint="Reject it instead.")


def require_state(lead: Lead, wanted: State | States) -> None:
    """The check of `moves`, for a lead that is not the subject of the command. Raises WrongState."""
    names = wanted.names if isinstance(wanted, States) else (wanted,)
    if lead.state not in names:
        raise WrongState(
            "lead {id}: not possible while it is {state}",
            hint="It must be {wanted}.",
            id=short(lead.id),
            state=lead.state,
            wanted=" / ".join(names),
        )
