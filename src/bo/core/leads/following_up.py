"""What a store does with a lead it has taken: contacts, visits, quotes, waiting; and what follows when it does not."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from bo.core.kernel.errors import Refused
from bo.core.kernel.ids import short
from bo.core.kernel.record import State
from bo.core.kernel.tx import Tx
from bo.core.leads import deadlines
from bo.core.leads.assigning import NotOverdue, give_by_rule, take_back
from bo.core.leads.deadlines import HOLD, HOLD_DAYS_MOST, VISIT
from bo.core.leads.records import ACCEPTED, CONTACTED, INVALID, QUOTED, VALID, VISIT_BOOKED, VISITED, FollowUp, Lead
from bo.core.leads.reviewing import WrongTime
from bo.core.leads.rewarding import earned
from bo.core.leads.rules import FOLLOW_UP, LOST_REASONS, OUTCOME, reason_of, require_evidence
from bo.core.stores.records import Store

# How far a lead is at its store; a follow-up takes it forward and never back.
STEPS: Final[tuple[State, ...]] = (ACCEPTED, CONTACTED, VISIT_BOOKED, VISITED, QUOTED)
REACHED: Final = {
    "reached": CONTACTED, "call_back": CONTACTED, "interested": CONTACTED, "not_interested": CONTACTED,
    "visit_booked": VISIT_BOOKED, "visited": VISITED, "quoted": QUOTED,
}  # fmt: skip
REOPEN_DAYS: Final = 30


class WrongAmount(Refused):
    """A sum that cannot be meant."""

    code = "wrong_amount"


class TooLate(Refused):
    """The window is over."""

    code = "too_late"


class OutcomeNotPossible(Refused):
    """An outcome that the lead's state does not allow."""

    code = "outcome_not_possible"


def write_follow_up(tx: Tx, lead: Lead, kind: str, outcome: str, note: str, next_at: datetime | None) -> FollowUp:
    """Keep a contact, count it, and take the lead forward where the outcome says so."""
    if next_at is not None and next_at <= tx.now:
        raise WrongTime("the next contact is in the past", hint="Give a later time, such as 2026-11-20 10:00.")
    made = tx.add(
        FollowUp(
            lead=lead.id,
            store=lead.store,
            kind=kind,
            outcome=outcome,
            note=note,
            at=tx.now,
            next_at=next_at,
            by=tx.actor.id,
        )
    )
    lead.follow_ups += 1
    lead.next_at = next_at
    if outcome == "no_answer":
        lead.attempts += 1
        lead.first_attempt_on = lead.first_attempt_on or deadlines.calendar_for(tx, lead).local_day(tx.now)
    target = REACHED.get(outcome)
    if lead.state in STEPS:
        _go_on(tx, lead, kind, target, next_at)
    elif target in (VISIT_BOOKED, VISITED, QUOTED):
        raise OutcomeNotPossible(
            "lead {id} is {state}, so it cannot be {outcome}",
            hint="A store has to take it first.",
            id=short(lead.id),
            state=lead.state,
            outcome=outcome,
        )
    return made


def _go_on(tx: Tx, lead: Lead, kind: str, target: State | None, next_at: datetime | None) -> None:
    if target == VISIT_BOOKED and next_at is not None:
        lead.visit_at = next_at
    if target is not None and STEPS.index(target) > _step(lead):
        lead.state = target
        if target == VISITED:
            note_visit(tx, lead)
            return
    if kind != "note":
        deadlines.start(tx, lead, FOLLOW_UP, at_least=next_at)


def _step(lead: Lead) -> int:
    return next(place for place, state in enumerate(STEPS) if state == lead.state)


def book_visit(tx: Tx, lead: Lead, at: datetime) -> None:
    """The customer comes at that time; within an open day of it somebody says whether they did."""
    if at <= tx.now:
        raise WrongTime("a visit is booked for a time to come", hint="Use bo leads visit for one that has been.")
    lead.visit_at = lead.next_at = at
    deadlines.start(tx, lead, VISIT, since=at)


def note_visit(tx: Tx, lead: Lead) -> None:
    """The customer came; the first visit earns, and what came of it is due."""
    first = lead.visited_at is None
    lead.visited_at, lead.next_at = tx.now, None
    deadlines.start(tx, lead, OUTCOME)
    if first:
        earned(tx, lead, "visit")


def note_quote(tx: Tx, lead: Lead, amount: int) -> None:
    """A price was named."""
    if amount <= 0:
        raise WrongAmount("a quote is above zero", hint="Give the whole price.")
    lead.quoted, lead.currency = amount, lead.currency or tx.context.currency
    deadlines.start(tx, lead, FOLLOW_UP)


def hold(tx: Tx, lead: Lead, until: date) -> None:
    """The customer asked to wait: the clock stands still until that day."""
    calendar = deadlines.calendar_for(tx, lead)
    today = calendar.local_day(tx.now)
    if not today < until <= today + timedelta(days=HOLD_DAYS_MOST):
        raise WrongTime(
            "{until} is not a day to wait for",
            hint="Give one after today and within {days} days, or lose the lead.",
            until=until.isoformat(),
            days=HOLD_DAYS_MOST,
        )
    lead.held_from, lead.hold_until = lead.state, until
    deadlines.stop(tx, lead)
    deadlines.wait_until(lead, HOLD, tx.now, deadlines.opening(calendar, until))


def resume(tx: Tx, lead: Lead) -> None:
    """Go on where the lead stood, with the time that was left."""
    lead.state = State(lead.held_from or CONTACTED)
    lead.held_from, lead.hold_until = "", None
    deadlines.run_again(tx, lead)


def lose(tx: Tx, lead: Lead, reason: str, note: str) -> None:
    """The customer does not buy. Raises EvidenceMissing."""
    require_evidence(reason_of(LOST_REASONS, reason), note=note)
    lead.lost_reason, lead.lost_at, lead.next_at = reason, tx.now, None
    lead.held_from, lead.hold_until = "", None
    deadlines.clear(lead)


def reopen(tx: Tx, lead: Lead) -> None:
    """A lost lead lives again. Raises TooLate."""
    if lead.lost_at is None or tx.now >= lead.lost_at + timedelta(days=REOPEN_DAYS):
        raise TooLate("a lost lead can be reopened for {days} days", hint="Report the customer anew.", days=REOPEN_DAYS)
    lead.lost_reason, lead.lost_at = None, None
    back_to_work(tx, lead)


def back_to_work(tx: Tx, lead: Lead) -> None:
    """A lead that was at its end is followed up again: at its store, or waiting for another where that has closed."""
    store = tx.view(Store, lead.store) if lead.store else None
    if store is not None and store.state != "closed":
        lead.state = CONTACTED
        deadlines.start(tx, lead, FOLLOW_UP)
    else:
        lead.state = VALID
        take_back(tx, lead)


def breach(tx: Tx, lead: Lead) -> None:
    """A deadline was missed: tell people and count it, once for each deadline.

    Where nobody has moved yet, the lead is recalled and the next store tried. A question without an answer ends the
    review; a lead on hold goes on. Raises NotOverdue.
    """
    if lead.due_at is None or lead.due_at > tx.now:
        raise NotOverdue(
            "nothing is overdue on lead {id}", hint="bo leads list 'due<now' shows what is.", id=short(lead.id)
        )
    if lead.due_kind == HOLD:
        resume(tx, lead)
        return
    if lead.breached_due == lead.due_at:
        return
    missed = lead.due_kind
    lead.breaches += 1
    lead.breached_due = lead.due_at
    tx.later(
        "leads.deadline_missed",
        {"lead": lead.id, "due": missed, "at": lead.due_at, "store": lead.store, "referrer": lead.referrer},
    )
    if missed == deadlines.INFO.name:
        lead.state, lead.invalid_reason = INVALID, "no_response"
        lead.reviewed_by, lead.reviewed_at = tx.actor.id, tx.now
        deadlines.clear(lead)
    elif missed in ("accept", "first_contact"):
        take_back(tx, lead)
        lead.state = VALID
        give_by_rule(tx, lead, "round_robin")
