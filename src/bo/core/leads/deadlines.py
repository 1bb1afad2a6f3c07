"""Deadlines on a lead: started, stopped, run again, and counted when they are missed.

A lead has one clock. `due_kind`, `due_from` and `due_at` are the running one; `stopped_kind` and `due_seconds_left`
one that stands still while information is asked for or the customer asked to wait, which have an end of their own
(`info`, `hold`). The hours are the store's, or the office's (Monday to Friday, 9 to 18) while there is no store.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from bo.core.kernel.moments import zone_of
from bo.core.kernel.tx import Tx
from bo.core.leads.calendar import BusinessCalendar
from bo.core.leads.records import Lead
from bo.core.leads.rules import CLOCKS, REVIEW, Clock
from bo.core.stores.records import Store

INFO: Final = Clock("info", timedelta(days=3), "days")
VISIT: Final = Clock("visit", timedelta(hours=24), "open_days")
HOLD: Final = "hold"
HOLD_DAYS_MOST: Final = 180
LEAD_CLOCKS: Final[Mapping[str, Clock]] = MappingProxyType({**CLOCKS, INFO.name: INFO, VISIT.name: VISIT})
_WEEKDAYS: Final = {"mon-sun": range(7), "mon-sat": range(6), "mon-fri": range(5)}
SECOND: Final = timedelta(seconds=1)


def start_review(tx: Tx, lead: Lead) -> None:
    """The office's clock for a new lead; computed once for all leads of one moment."""
    lead.due_kind, lead.due_from, lead.due_at = "review", tx.now, _review_due(tx.context.zone, tx.now)


def start(tx: Tx, lead: Lead, clock: Clock, *, since: datetime | None = None, at_least: datetime | None = None) -> None:
    """Start a clock in place of the running one.

    `at_least` is what was agreed with the customer: the deadline is not before it.
    """
    begins = since or tx.now
    due = clock.start(begins, calendar_for(tx, lead)).due
    lead.due_kind, lead.due_from, lead.due_at = clock.name, begins, max(due, at_least) if at_least else due
    lead.stopped_kind, lead.due_seconds_left, lead.breached_due = "", 0, None


def stop(tx: Tx, lead: Lead) -> None:
    """Let the running clock stand still, remembering how much of it is left."""
    lead.stopped_kind, lead.due_seconds_left = lead.due_kind, 0
    if lead.due_at is not None and lead.due_at > tx.now:
        clock = LEAD_CLOCKS.get(lead.due_kind, REVIEW)
        left = (
            lead.due_at - tx.now
            if clock.unit == "days"
            else calendar_for(tx, lead).business_time_between(tx.now, lead.due_at)
        )
        lead.due_seconds_left = left // SECOND
    lead.due_kind, lead.due_from, lead.due_at = "", None, None


def run_again(tx: Tx, lead: Lead) -> None:
    """Let the stopped clock run again with what was left of it."""
    kind, left = lead.stopped_kind, timedelta(seconds=lead.due_seconds_left)
    clear(lead)
    if kind in LEAD_CLOCKS:
        by_days = LEAD_CLOCKS[kind].unit == "days"
        due = tx.now + left if by_days else calendar_for(tx, lead).add_business_time(tx.now, left)
        lead.due_kind, lead.due_from, lead.due_at = kind, tx.now, due


def wait_until(lead: Lead, kind: str, begins: datetime, due: datetime) -> None:
    """The end of a time in which the lead's own clock stands still."""
    lead.due_kind, lead.due_from, lead.due_at, lead.breached_due = kind, begins, due, None


def clear(lead: Lead) -> None:
    """Nothing is due any more."""
    lead.due_kind, lead.due_from, lead.due_at = "", None, None
    lead.stopped_kind, lead.due_seconds_left, lead.breached_due = "", 0, None


def calendar_for(tx: Tx, lead: Lead) -> BusinessCalendar:
    """The calendar of the lead's store, or the office's."""
    store = tx.view(Store, lead.store) if lead.store else None
    return calendar_of(store, tx.context.zone)


def calendar_of(store: Store | None, zone: str) -> BusinessCalendar:
    """When a store is open; for none, the office hours in that zone."""
    if store is None:
        return _office(zone)
    return _calendar(store.zone or zone, store.opens, store.closes, store.weekdays, store.closed_days, store.open_days)


def opening(calendar: BusinessCalendar, day: date) -> datetime:
    """The first moment on or after a day at which it is open."""
    return calendar.next_open(datetime.combine(day, time(), zone_of(calendar.zone)).astimezone(UTC))


@lru_cache(maxsize=16)
def _office(zone: str) -> BusinessCalendar:
    return BusinessCalendar(zone)


@lru_cache(maxsize=512)
def _calendar(
    zone: str, opens: str, closes: str, weekdays: str, closed: tuple[str, ...], extra: tuple[str, ...]
) -> BusinessCalendar:
    return BusinessCalendar(
        zone,
        time.fromisoformat(opens),
        time.fromisoformat(closes),
        frozenset(_WEEKDAYS[weekdays]),
        frozenset(map(date.fromisoformat, closed)),
        frozenset(map(date.fromisoformat, extra)),
    )


@lru_cache(maxsize=64)
def _review_due(zone: str, now: datetime) -> datetime:
    return REVIEW.start(now, _office(zone)).due
