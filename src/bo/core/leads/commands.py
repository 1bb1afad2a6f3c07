"""Everything that can be done to a lead and to an appeal, in the order of a lead's life.

What it means stands in the modules beside this one. Winning a lead, and what undoes it, need its order: these commands
are in `bo.core.orders`.
"""

from functools import wraps
from typing import Annotated

from bo.core.kernel.command import command
from bo.core.kernel.kinds import (
    Amount,
    ChoiceKind,
    Currency,
    Day,
    Email,
    Facts,
    Field,
    Flag,
    Moment,
    Note,
    PersonName,
    Phone,
    Tags,
    Text,
    TextKind,
)
from bo.core.kernel.record import States
from bo.core.kernel.tx import Tx
from bo.core.leads import assigning, following_up, receiving, reviewing
from bo.core.leads.deadlines import run_again, start
from bo.core.leads.records import (
    ACCEPTED,
    ASSIGNED,
    CONTACTED,
    DUPLICATE,
    FOLLOW_UP_STATES,
    INVALID,
    LOST,
    NEEDS_INFO,
    ON_HOLD,
    OPEN,
    PENDING_REVIEW,
    QUOTED,
    REJECTED,
    UPHELD,
    VALID,
    VISIT_BOOKED,
    VISITED,
    WITHDRAWN,
    Appeal,
    DeclineReason,
    FollowUpKind,
    FollowUpOutcome,
    InvalidReason,
    Lead,
    LostReason,
)
from bo.core.leads.rules import FIRST_CONTACT
from bo.core.referrers.records import Referrer
from bo.core.stores.records import Store

CONTACTABLE = PENDING_REVIEW | NEEDS_INFO | VALID | ASSIGNED | FOLLOW_UP_STATES | ON_HOLD
WITH_DEADLINE = PENDING_REVIEW | NEEDS_INFO | ASSIGNED | FOLLOW_UP_STATES | ON_HOLD

Reason = Annotated[str, TextKind(2000, lines=True), Field(help="why, in a sentence")]
Method = Annotated[str, ChoiceKind("round_robin", "least_open", "quota")]
NextAt = Annotated[Moment, Field(label="next contact")]


# -- received ----------------------------------------------------------------------------------------------------------


@command(needs="leads.report")
def report(
    tx: Tx,
    *,
    number: Text | None = None,
    name: PersonName = "",
    phone: Phone | None = None,
    phone2: Phone | None = None,
    email: Email | None = None,
    platform_id: Text | None = None,
    company: Text = "",
    country: Text = "",
    province: Text = "",
    city: Text = "",
    district: Text = "",
    community: Text = "",
    room: Text = "",
    address: PersonName = "",
    category: Text = "",
    source: Text = "",
    brand: Text = "",
    referrer: Referrer | None = None,
    reported_at: Moment | None = None,
    wanted_store: Store | None = None,
    budget: Amount | None = None,
    currency: Currency = "",
    consent: Flag = True,
    tags: Tags = (),
    note: Note = "",
    import_key: Text | None = None,
    extra: Facts = {},  # noqa: B006 - never changed: records replace nested values
) -> Lead:
    """Report a lead. One that was reported before becomes a duplicate of the first; the others wait for review."""
    return receiving.receive(
        tx,
        Lead(
            number=number,
            name=name,
            phone=phone,
            phone2=phone2,
            email=email,
            platform_id=platform_id,
            company=company,
            country=country,
            province=province,
            city=city,
            district=district,
            community=community,
            room=room,
            address=address,
            category=category,
            source=source,
            brand=brand,
            referrer=referrer.id if referrer else None,
            reported_at=reported_at,
            wanted_store=wanted_store.id if wanted_store else None,
            budget=budget,
            currency=currency,
            consent=consent,
            tags=tags,
            note=note,
            import_key=import_key,
            extra=extra,
        ),
    )


@command(needs="leads.edit", confirm="many")
@wraps(receiving.set_fields, assigned=("__annotations__",))
def edit(tx: Tx, lead: Lead, **values: object) -> None:
    """Change what was reported; a blank value clears the field.

    A lead that now looks like another one shows it, and stays where it is.
    """
    receiving.edit(tx, lead, values)


# -- review ------------------------------------------------------------------------------------------------------------


@command(needs="leads.review", moves=PENDING_REVIEW >> VALID)
def accept(tx: Tx, lead: Lead) -> None:
    """Find a lead valid. It may go to a store now, and its referrer earns what the rules pay for a valid lead.

    Raises:
        NoConsent: the customer may not be contacted.
        SameReviewer: an appeal against this reviewer's decision was upheld.
    """
    reviewing.find_valid(tx, lead)


@command(needs="leads.review", moves=(PENDING_REVIEW | NEEDS_INFO) >> INVALID)
def reject(tx: Tx, lead: Lead, *, reason: InvalidReason, note: Note = "") -> None:
    """Find a lead invalid, for a reason with its evidence.

    Raises:
        EvidenceMissing: the reason needs a note, or three attempts on two days.
        StillWaiting: no_response, though nobody was asked or their time is not over.
        SameReviewer: an appeal against this reviewer's decision was upheld.
    """
    reviewing.find_invalid(tx, lead, reason, note)


@command(needs="leads.review", moves=PENDING_REVIEW >> NEEDS_INFO)
def request_info(tx: Tx, lead: Lead, *, note: Reason) -> None:
    """Ask who reported the lead for what is missing. They have three days; the review stands still meanwhile."""
    reviewing.ask(tx, lead, note)


@command(needs="leads.review", moves=NEEDS_INFO >> PENDING_REVIEW)
def info_received(tx: Tx, lead: Lead, *, note: Note = "") -> None:
    """Go on with the review: the answer is there."""
    run_again(tx, lead)


@command(needs="leads.review", moves=(PENDING_REVIEW | NEEDS_INFO) >> DUPLICATE)
def mark_duplicate(tx: Tx, lead: Lead, *, of: Lead) -> None:
    """Mark a lead as a later report of another one's customer.

    Raises:
        NotItsDuplicate: the other one is a duplicate of this lead, or was rejected.
    """
    reviewing.mark_as_duplicate(tx, lead, of)


@command(needs="leads.review", moves=DUPLICATE >> PENDING_REVIEW)
def not_duplicate(tx: Tx, lead: Lead, *, note: Note = "") -> None:
    """Take the mark of a duplicate off a lead, and review it.

    Raises:
        AlreadyAppealed: an appeal about it is open, and is to be decided instead.
    """
    reviewing.require_no_open_appeal(tx, lead)
    reviewing.back_to_review(tx, lead)


# -- appeals -----------------------------------------------------------------------------------------------------------


@command(needs="leads.appeal", moves=INVALID | DUPLICATE)
def appeal(tx: Tx, lead: Lead, *, reason: Reason) -> Appeal:
    """Contest that a lead was found invalid or a duplicate. Its state stays until somebody else has decided.

    Raises:
        NotAppealable: the reason or the time that has passed leaves no appeal.
        AlreadyAppealed: there is an open appeal, or one against this decision was rejected.
    """
    return reviewing.open_appeal(tx, lead, reason)


@command(needs="appeals.decide", moves=OPEN >> UPHELD)
def uphold(tx: Tx, appeal: Appeal, *, decision: Reason) -> None:
    """Find an appeal right: its lead is reviewed again, by somebody else.

    Raises:
        SameReviewer: the decision was one's own, or the appeal is.
        WrongState: the lead is not invalid or a duplicate any more.
    """
    reviewing.uphold_appeal(tx, appeal, tx.get(Lead, appeal.lead), decision)


@command(needs="appeals.decide", moves=OPEN >> REJECTED)
def reject_(tx: Tx, appeal: Appeal, *, decision: Reason) -> None:
    """Find an appeal wrong: the decision on the lead stands.

    Raises:
        SameReviewer: the decision was one's own, or the appeal is.
    """
    reviewing.decide_appeal(tx, appeal, decision)


@command(needs="leads.appeal", moves=OPEN >> WITHDRAWN)
def withdraw(tx: Tx, appeal: Appeal) -> None:
    """Take one's own appeal back.

    Raises:
        NotOpener: it is somebody else's.
    """
    reviewing.require_opener(tx, appeal)
    appeal.due_at = None


# -- assignment --------------------------------------------------------------------------------------------------------


@command(needs="leads.assign", moves=VALID >> ASSIGNED)
def assign(tx: Tx, lead: Lead, store: Store, *, note: Text = "") -> None:
    """Give a valid lead to a store, which has two open hours to take it.

    Raises:
        StoreCannotTake: it is closed, full, without a contract, or does not sell this.
    """
    assigning.give_by_hand(tx, lead, store, note)


@command(needs="leads.assign", moves=States((VALID,)))
def assign_by_rule(tx: Tx, lead: Lead, *, method: Method = "round_robin") -> None:
    """Give a valid lead to the store that the rule picks, and keep the reason.

    Where none can take it, it waits in the overflow queue.
    """
    assigning.give_by_rule(tx, lead, assigning.method_of(method))


@command(needs="leads.follow_up", moves=ASSIGNED >> VALID)
def decline(tx: Tx, lead: Lead, *, reason: DeclineReason, note: Text = "") -> None:
    """Give a lead back that the store does not take. It will not be offered to this store again by rule.

    Raises:
        EvidenceMissing: the reason needs a note.
    """
    assigning.decline(tx, lead, reason, note)


@command(needs="leads.assign", moves=(ASSIGNED | FOLLOW_UP_STATES | ON_HOLD) >> VALID, confirm="many")
def recall(tx: Tx, lead: Lead, *, note: Text = "") -> None:
    """Take a lead away from its store, because its time is over, or for the reason in the note.

    Raises:
        NotOverdue: the store still has time, and there is no note.
    """
    assigning.recall(tx, lead, note)


# -- at the store ------------------------------------------------------------------------------------------------------


@command(needs="leads.follow_up", moves=ASSIGNED >> ACCEPTED)
def take(tx: Tx, lead: Lead) -> None:
    """Take an assigned lead on: the store contacts the customer within an open day."""
    start(tx, lead, FIRST_CONTACT)


@command(needs="leads.follow_up", moves=CONTACTABLE)
def follow_up(
    tx: Tx,
    lead: Lead,
    *,
    kind: FollowUpKind = "call",
    outcome: FollowUpOutcome,
    note: Note = "",
    next_at: NextAt | None = None,
) -> None:
    """Write down a contact and what came of it.

    The outcome takes the lead forward, never back; calls without an answer are counted.

    Raises:
        OutcomeNotPossible: a visit or a quote, though no store has taken the lead.
        WrongTime: the next contact is in the past.
    """
    following_up.write_follow_up(tx, lead, kind, outcome, note, next_at)


@command(needs="leads.follow_up", moves=(ACCEPTED | CONTACTED | VISIT_BOOKED) >> VISIT_BOOKED)
def book_visit(tx: Tx, lead: Lead, *, at: Moment) -> None:
    """Book a visit, or another time for one.

    Raises:
        WrongTime: the time is in the past.
    """
    following_up.book_visit(tx, lead, at)


@command(needs="leads.follow_up", moves=(ACCEPTED | CONTACTED | VISIT_BOOKED) >> VISITED)
def visit(tx: Tx, lead: Lead, *, note: Note = "") -> None:
    """The customer was there.

    The first visit earns what the rules pay for one; what came of it is due in two open days.
    """
    following_up.note_visit(tx, lead)


@command(needs="leads.follow_up", moves=(ACCEPTED | CONTACTED | VISIT_BOOKED | VISITED | QUOTED) >> QUOTED)
def quote(tx: Tx, lead: Lead, *, amount: Amount) -> None:
    """Name the customer a price.

    Raises:
        WrongAmount: not above zero.
    """
    following_up.note_quote(tx, lead, amount)


@command(needs="leads.follow_up", moves=FOLLOW_UP_STATES >> ON_HOLD)
def hold(tx: Tx, lead: Lead, *, until: Day, note: Note = "") -> None:
    """Wait, as the customer asked. The clock stands still until that day.

    Raises:
        WrongTime: a day that is over, or more than 180 days away.
    """
    following_up.hold(tx, lead, until)


@command(needs="leads.follow_up", moves=States((ON_HOLD,)))
def resume(tx: Tx, lead: Lead) -> None:
    """Go on with a lead that was on hold, where it stood."""
    following_up.resume(tx, lead)


@command(needs="leads.follow_up", moves=(FOLLOW_UP_STATES | ON_HOLD) >> LOST, confirm="many")
def lose(tx: Tx, lead: Lead, *, reason: LostReason, note: Note = "") -> None:
    """The customer does not buy.

    Raises:
        EvidenceMissing: the reason needs a note.
    """
    following_up.lose(tx, lead, reason, note)


@command(needs="leads.correct", moves=VALID | ASSIGNED | FOLLOW_UP_STATES | ON_HOLD | LOST, confirm="always")
def correct(
    tx: Tx, lead: Lead, *, referrer: Referrer | None = None, reported_at: Moment | None = None, reason: Reason
) -> None:
    """Correct who reported a reviewed lead, or when. What it earned so far goes from the one to the other.

    Raises:
        WrongTime: a time to come.
    """
    reviewing.correct(tx, lead, referrer, reported_at, reason)


# -- afterwards --------------------------------------------------------------------------------------------------------


@command(needs="leads.reopen", moves=States((LOST,)))
def reopen(tx: Tx, lead: Lead, *, note: Note = "") -> None:
    """Bring a lost lead back within 30 days: to its store, or to wait for another one where that has closed.

    Raises:
        TooLate: the 30 days are over.
    """
    following_up.reopen(tx, lead)


@command(needs="leads.breach", moves=WITH_DEADLINE)
def breach_due(tx: Tx, lead: Lead) -> None:
    """A deadline was missed: tell those who should know, and go on without who missed it.

    Done by cron; once for each deadline.

    A lead that was not taken, or whose customer nobody has called, goes to the next store. A question without an
    answer ends the review. A lead on hold goes on.

    Raises:
        NotOverdue: nothing is overdue.
    """
    following_up.breach(tx, lead)
