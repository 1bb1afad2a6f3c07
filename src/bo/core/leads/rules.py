"""The decisions about a lead that need nothing but facts: reasons, the evidence they ask for, deadlines, appeals.

Duplicates stand in `duplicates`, the choice of a store in `assignment`, opening hours in `calendar`. Nothing here
reads a clock or a database.

Units of the deadlines, decided here once:
- *open hours* (review, accept) run only while the store is open: 4 h from Friday 17:00 at a store open 9 to 18 end on
  Monday at 12:00;
- *open days* (first contact, follow-up, outcome) count 24 h as one day on which the store opens, at the same time of
  day: 24 h from Friday 15:00 end on Monday at 15:00, so that nobody has to call on a Sunday and nobody gets three
  working days to make one call;
- *days* (appeal, dispute) are calendar days, because they bind people outside, to whom the store's opening hours mean
  nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from bo.core.kernel.errors import BadValue, Refused
from bo.core.leads.calendar import BusinessCalendar


class EvidenceMissing(Refused):
    """The reason needs something to show for it."""

    code = "evidence_missing"


class NotAppealable(Refused):
    """The reason, or the time that has passed, leaves no appeal."""

    code = "not_appealable"


# --- Reasons ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a lead went no further. `label` is a message id for people.

    rewardable: a reward rule may still name it, because the report was honest and the brand could not use it.
    appealable: who reported may ask another reviewer to look again.
    needs_evidence: refused without a note, a reference or recorded attempts.
    """

    code: str
    label: str
    rewardable: bool = False
    appealable: bool = True
    needs_evidence: bool = False


def _table(*reasons: Reason) -> Mapping[str, Reason]:
    return MappingProxyType({reason.code: reason for reason in reasons})


INVALID_REASONS: Final = _table(
    Reason("unreachable", "Cannot be reached", needs_evidence=True),
    Reason("wrong_number", "Wrong number", needs_evidence=True),
    Reason("not_applicant", "Did not ask for it", needs_evidence=True),
    Reason("no_intent", "No intention to buy"),
    Reason("out_of_territory", "Outside our territories", rewardable=True),
    Reason("out_of_category", "Wants what we do not sell", rewardable=True),
    Reason("existing_customer", "Already a customer", needs_evidence=True),
    Reason("duplicate", "Reported before", needs_evidence=True),
    Reason("internal_or_competitor", "Staff or competitor", needs_evidence=True),
    Reason("test_data", "Test data", appealable=False),
    Reason("fabricated", "Made up", needs_evidence=True),
    Reason("no_consent", "No consent to be contacted"),
    Reason("incomplete", "Information is missing"),
    Reason("no_response", "No answer to our question in time"),
    Reason("late_report", "Reported after the visit or the order", needs_evidence=True),
)
LOST_REASONS: Final = _table(
    Reason("price", "Too expensive", appealable=False),
    Reason("competitor", "Bought elsewhere", appealable=False),
    Reason("no_budget", "No budget", appealable=False),
    Reason("no_need", "Needs it no longer", appealable=False),
    Reason("timing", "Put off", appealable=False),
    Reason("unreachable", "Contact lost", appealable=False),
    Reason("product", "The product does not fit", appealable=False),
    Reason("service", "Not satisfied with us", appealable=False),
    Reason("other", "Another reason", appealable=False, needs_evidence=True),
)
DECLINE_REASONS: Final = _table(
    Reason("no_capacity", "No capacity", appealable=False),
    Reason("out_of_territory", "Too far away", appealable=False),
    Reason("out_of_category", "We do not sell that", appealable=False),
    Reason("conflict", "Conflict of interest", appealable=False),
    Reason("closed", "The store is closed", appealable=False),
    Reason("other", "Another reason", appealable=False, needs_evidence=True),
)

UNREACHABLE_ATTEMPTS: Final = 3
UNREACHABLE_DAYS: Final = 2


def reason_of(table: Mapping[str, Reason], code: str) -> Reason:
    """The reason with that code. Raises BadValue with the codes there are."""
    try:
        return table[code]
    except KeyError:
        raise BadValue(
            "{value} is not a reason", hint="Use one of: {options}.", value=code, options=", ".join(table)
        ) from None


def require_evidence(
    reason: Reason, *, note: str = "", attempts: Sequence[datetime] = (), calendar: BusinessCalendar | None = None
) -> None:
    """Refuse a reason that has nothing to show for it.

    `unreachable` asks for 3 attempts on 2 different local days, which no note replaces; the others ask for a note.

    Raises:
        EvidenceMissing
    """
    if reason is INVALID_REASONS["unreachable"]:
        days = {(calendar or _ANYWHERE).local_day(attempt) for attempt in attempts}
        if len(attempts) < UNREACHABLE_ATTEMPTS or len(days) < UNREACHABLE_DAYS:
            raise EvidenceMissing(
                "a customer counts as unreachable after {attempts_least} attempts on {days_least} days; "
                "there are {attempts} on {days}",
                hint="Record each call as a follow-up, and try again another day.",
                attempts_least=UNREACHABLE_ATTEMPTS,
                days_least=UNREACHABLE_DAYS,
                attempts=len(attempts),
                days=len(days),
                field="reason",
            )
    elif reason.needs_evidence and not note.strip():
        raise EvidenceMissing(
            "the reason {reason} needs a note that shows it",
            hint="Say in the note how it is known: a call, a reference, an earlier lead.",
            reason=reason.code,
            field="note",
        )


# --- Deadlines -------------------------------------------------------------------------------------------------------

Unit: TypeAlias = Literal["open_hours", "open_days", "days"]
Standing: TypeAlias = Literal["on_time", "at_risk", "breached"]
AT_RISK_PERCENT: Final = 80

# While a lead is in one of these states its clock stands still: the next step is not the store's to make.
CLOCK_STOPS_IN: Final = frozenset(("needs_info", "on_hold"))


@dataclass(frozen=True, slots=True)
class Clock:
    """How long one step may take."""

    name: str
    within: timedelta
    unit: Unit

    def start(self, started: datetime, calendar: BusinessCalendar) -> Deadline:
        """The deadline of a step that begins at `started`."""
        due = self._after(started, self.within, calendar)
        if self.unit == "open_hours":
            return Deadline(self, started, calendar.add_business_time(started, _warned_after(self.within)), due)
        return Deadline(self, started, started + _warned_after(due - started), due)

    def _after(self, started: datetime, within: timedelta, calendar: BusinessCalendar) -> datetime:
        if self.unit == "open_hours":
            return calendar.add_business_time(started, within)
        if self.unit == "open_days":
            return calendar.add_open_days(started, within.days)
        return calendar.add_days(started, within.days)


@dataclass(frozen=True, slots=True)
class Deadline:
    """When a running clock warns and when it is over."""

    clock: Clock
    started: datetime
    at_risk: datetime
    due: datetime

    def standing(self, now: datetime) -> Standing:
        return deadline_state(self.due, self.started, now, at_risk=self.at_risk)

    def resumed(self, stopped: datetime, resumed: datetime, calendar: BusinessCalendar) -> Deadline:
        """The deadline moved on by a stop: what was left when the clock stopped is left when it runs again.

        A deadline that was over before the stop stays where it is.
        """
        if stopped >= self.due or resumed <= stopped:
            return self
        return Deadline(
            self.clock,
            self.started,
            self._moved(self.at_risk, stopped, resumed, calendar),
            self._moved(self.due, stopped, resumed, calendar),
        )

    def _moved(self, mark: datetime, stopped: datetime, resumed: datetime, calendar: BusinessCalendar) -> datetime:
        if mark <= stopped:
            return mark
        if self.clock.unit == "days":
            return mark + (resumed - stopped)
        return calendar.add_business_time(resumed, calendar.business_time_between(stopped, mark))


REVIEW: Final = Clock("review", timedelta(hours=4), "open_hours")
ACCEPT: Final = Clock("accept", timedelta(hours=2), "open_hours")
FIRST_CONTACT: Final = Clock("first_contact", timedelta(hours=24), "open_days")
FOLLOW_UP: Final = Clock("follow_up", timedelta(hours=72), "open_days")
OUTCOME: Final = Clock("outcome", timedelta(hours=48), "open_days")
APPEAL: Final = Clock("appeal", timedelta(days=7), "days")
DISPUTE: Final = Clock("dispute", timedelta(days=5), "days")
CLOCKS: Final[Mapping[str, Clock]] = MappingProxyType(
    {clock.name: clock for clock in (REVIEW, ACCEPT, FIRST_CONTACT, FOLLOW_UP, OUTCOME, APPEAL, DISPUTE)}
)

_ANYWHERE: Final = BusinessCalendar()


def deadline_state(due: datetime, started: datetime, now: datetime, *, at_risk: datetime | None = None) -> Standing:
    """Where a clock stands: at risk from 80 % on, breached from its due moment on.

    Without `at_risk`, the moment that the clock itself computed on its calendar, 80 % of the elapsed time is taken.
    """
    if now >= due:
        return "breached"
    warned = started + _warned_after(due - started) if at_risk is None else at_risk
    return "at_risk" if now >= warned else "on_time"


def require_appealable(reason: Reason, decided: datetime, now: datetime, calendar: BusinessCalendar) -> None:
    """Refuse an appeal against a reason that has none, or after 7 days. Raises NotAppealable."""
    if not reason.appealable:
        raise NotAppealable("there is no appeal against {reason}", hint="Ask a manager to look.", reason=reason.code)
    last = APPEAL.start(decided, calendar).due
    if now >= last:
        raise NotAppealable(
            "an appeal was possible until {last}", hint="Open a dispute instead.", last=last.date().isoformat()
        )


def _warned_after(within: timedelta) -> timedelta:
    return timedelta(milliseconds=within // timedelta(milliseconds=1) * AT_RISK_PERCENT // 100)
