"""What reviewers, dispatchers and stores look at.

The inbox, who a lead may be, what happened to it, how far leads get, and which store could take one.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec

from bo.core.customers.records import Customer
from bo.core.kernel import journal
from bo.core.kernel.command import query
from bo.core.kernel.kinds import Amount, ChoiceKind, Count, Flag, Moment, Text
from bo.core.kernel.moments import zone_of
from bo.core.kernel.reader import PAGE_MOST, Reader, visible
from bo.core.kernel.record import info_of
from bo.core.leads import assigning, deadlines
from bo.core.leads.assignment import OBSTACLES, OVERFLOWS, StoreLoad, choose_store, obstacle
from bo.core.leads.duplicates import judge
from bo.core.leads.keys import sought_by
from bo.core.leads.receiving import arrival, fingerprint
from bo.core.leads.records import OPEN_AT_STORE, OPEN_STATES, Lead
from bo.core.leads.rules import AT_RISK_PERCENT
from bo.core.stores.records import Store, Territory
from bo.core.views.shipped import VIEWS, split_sort

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement

NOUN: Final = "leads"
Grouping = Annotated[str, ChoiceKind("source", "store", "referrer", "city", "category", "state")]
Method = Annotated[str, ChoiceKind("round_robin", "least_open", "quota")]
RIVALS_MOST: Final = 100
STAGES: Final = {
    "reported": (),
    "valid": ("valid", *OPEN_AT_STORE, "won", "lost", "reversed"),
    "at_store": (*OPEN_AT_STORE, "won", "lost", "reversed"),
    "won": ("won",),
}


class View(msgspec.Struct, frozen=True):
    """One pile of the inbox: how many leads lie on it, and the filter that lists them."""

    name: Text
    count: Count
    filter: Text


class Rival(msgspec.Struct, frozen=True):
    """A lead that may be the same customer.

    `points` 80 and more is as good as sure; `why` are the things that agree.
    """

    lead: Text
    number: Text | None
    name: Text
    state: Text
    referrer: Text | None
    reported: Moment
    points: Count
    why: Text


class Happening(msgspec.Struct, frozen=True):
    """One thing that happened to a lead: an operation, or a contact with its words."""

    at: Moment
    by: Text
    what: Text
    words: Text
    operation: Text


class Stage(msgspec.Struct, frozen=True):
    """How many leads of a group were reported, found valid, given to a store, won; and those open, lost and refused."""

    group: Text
    reported: Count
    valid: Count
    at_store: Count
    won: Count
    open: Count
    lost: Count
    invalid: Count
    duplicate: Count
    order_amount: Amount


class Candidate(msgspec.Struct, frozen=True):
    """A store that could take a lead or cannot, and why. `picked` is the one that the rule would take now."""

    store: Text
    code: Text
    name: Text
    open_leads: Count
    capacity: Count
    this_month: Count
    quota: Count
    obstacle: Text
    picked: Flag
    why: Text


class Load(msgspec.Struct, frozen=True):
    """What a store has to do: leads by state, overdue ones, and how many more it can take (None: no limit)."""

    store: Text
    code: Text
    name: Text
    state: Text
    assigned: Count
    following_up: Count
    on_hold: Count
    overdue: Count
    this_month: Count
    room: Count | None


# -- piles -------------------------------------------------------------------------------------------------------------


@query(needs="leads.read")
def inbox(read: Reader) -> list[View]:
    """How many leads wait for what, with the filter that lists each pile.

    A store's operator counts that store's own.
    """
    return [View(name, read.count("leads", split_sort(text)[0]), text) for name, text in VIEWS["leads"].items()]


@query(needs="leads.breach")
def missed(read: Reader) -> list[str]:
    """The ids of leads with a missed deadline that is not counted yet, the oldest first: for `leads.breach_due`."""
    info = info_of(Lead)
    key = f"{info.fingerprint}:missed:{bool(read.eyes())}"
    return [
        str(row[0])
        for row in read.rows(
            key, lambda: _missed(read), now=read.session.moment(read.now), limit=PAGE_MOST, **read.eyes()
        )
    ]


def _missed(read: Reader) -> ClauseElement:
    import sqlalchemy as sa

    from bo.core.kernel.tables import table

    info = info_of(Lead)
    made = table(info)
    uncounted = sa.or_(made.c.breached_due.is_(None), made.c.breached_due != made.c.due_at)
    wanted = sa.select(made.c.id).where(
        made.c.due_at <= sa.bindparam("now", type_=made.c.due_at.type), uncounted, *visible(info, read.actor)
    )
    return wanted.order_by(made.c.due_at, made.c.n).limit(sa.bindparam("limit"))


# -- one lead ----------------------------------------------------------------------------------------------------------


@query(needs="leads.read")
def duplicates(read: Reader, lead: Lead) -> list[Rival]:
    """Leads that may be the same customer, the likeliest first, also by a like name in the same community."""
    rivals = {item.id: item for item in _rivals(read, lead) if item.id != lead.id}
    compared = fingerprint(lead)
    found = []
    for item in rivals.values():
        same = judge(compared, read.now, [_known(item, read.now)], protection_days=36_500).matches
        if same:
            found.append(
                Rival(
                    item.id,
                    item.number,
                    item.name,
                    item.state,
                    item.referrer,
                    arrival(item, read.now),
                    same[0].points,
                    ", ".join(same[0].agreements),
                )
            )
    return sorted(found, key=lambda rival: (-rival.points, rival.reported, rival.lead))


def _known(lead: Lead, now: datetime) -> Any:
    from bo.core.leads.duplicates import KnownLead

    return KnownLead(lead.id, arrival(lead, now), fingerprint(lead))


def _rivals(read: Reader, lead: Lead) -> Iterator[Lead]:
    for name, value in sought_by(lead):
        yield from read.records(Lead, f'{name}:"{value}"', limit=RIVALS_MOST)
    if lead.community:
        yield from read.records(Lead, f'community:"{lead.community}"', limit=RIVALS_MOST)


@query(needs="leads.read")
def timeline(read: Reader, lead: Lead) -> list[Happening]:
    """All that happened to a lead, newest first: what was done, by whom, and the words of contacts and appeals."""
    done = []
    hidden = {item.name for item in read.actor.withheld(info_of(Lead))}
    for operation, change in journal.history(read.session, lead.id):
        given = msgspec.json.decode(operation.args, type=dict[str, object])
        if change.after is not None and change.was is None:
            given = {}
        words = "; ".join(
            f"{name}: {value}" for name, value in given.items() if value not in (None, "") and name not in hidden
        )
        done.append(Happening(operation.at, operation.actor, operation.name, words, operation.id))
    return done


# -- many leads --------------------------------------------------------------------------------------------------------


@query(needs="leads.read")
def funnel(read: Reader, *, by: Grouping = "source") -> list[Stage]:
    """How far leads get, by where they come from, by store, by referrer …; the largest group first.

    Sums are minor units.
    """
    info = info_of(Lead)
    for item in read.actor.hidden(info):
        if item.name == by:
            read.require(item.meta.needs)
    rows = read.rows(f"{info.fingerprint}:funnel:{by}:{bool(read.eyes())}", lambda: _by_state(read, by), **read.eyes())
    groups: dict[str, dict[str, tuple[int, int]]] = {}
    for group, state, count, amount in rows:
        groups.setdefault(str(group or ""), {})[str(state)] = (int(count), int(amount or 0))
    stages = [_stage(group, states) for group, states in groups.items()]
    return sorted(stages, key=lambda stage: (-stage.reported, stage.group))


def _stage(group: str, states: dict[str, tuple[int, int]]) -> Stage:
    def count(*names: str) -> int:
        return sum(found for state, (found, _amount) in states.items() if not names or state in names)

    return Stage(
        group,
        count(),
        count(*STAGES["valid"]),
        count(*STAGES["at_store"]),
        count("won"),
        count(*OPEN_STATES),
        count("lost"),
        count("invalid"),
        count("duplicate"),
        states.get("won", (0, 0))[1],
    )


def _by_state(read: Reader, by: str) -> ClauseElement:
    import sqlalchemy as sa

    from bo.core.kernel.tables import table

    info = info_of(Lead)
    made = table(info)
    wanted = sa.select(made.c[by], made.c.state, sa.func.count(), sa.func.sum(made.c.order_amount - made.c.refunded))
    return wanted.where(*visible(info, read.actor)).group_by(made.c[by], made.c.state)


# -- stores ------------------------------------------------------------------------------------------------------------


@query(needs="leads.read")
def candidates(read: Reader, lead: Lead, *, method: Method = "round_robin") -> list[Candidate]:
    """Every store with its load, what stands in its way, and which one the rule would pick now."""
    stores, territories = read.records(Store, limit=PAGE_MOST), read.records(Territory, limit=PAGE_MOST)
    counted, chosen_method = _counts(read), assigning.method_of(method)
    served: dict[str, set[str]] = {}
    for item in sorted(territories, key=lambda item: item.code):
        served.setdefault(item.store, set()).add(assigning.territory_key(item))
    facts = assigning.lead_facts(lead, sorted(territories, key=lambda item: item.code), _customer_store(read, lead))
    loads = {store.id: _store_load(read, store, counted, frozenset(served.get(store.id, ()))) for store in stores}
    chosen = choose_store(
        list(loads.values()), facts, chosen_method, assigning.turns(list(loads.values()), chosen_method)
    )
    found = []
    for store in stores:
        load = loads[store.id]
        why = obstacle(load, facts, chosen_method)
        picked = store.id == chosen.store_id
        words = (
            assigning.pick_in_words(chosen)
            if picked
            else OBSTACLES[why]
            if why
            else ""
            if assigning.in_reach(load, facts)
            else OVERFLOWS["out_of_reach"]
        )
        found.append(
            Candidate(
                store.id,
                store.code,
                store.name,
                load.open_leads,
                store.capacity,
                load.taken,
                store.quota,
                why,
                picked,
                words,
            )
        )
    return sorted(
        found,
        key=lambda item: (
            not item.picked,
            bool(item.obstacle),
            bool(item.why) and not item.picked,
            item.open_leads,
            item.code,
        ),
    )


@query(needs="leads.read")
def load(read: Reader) -> list[Load]:
    """What each store has to do, and how many more leads it can take."""
    counted = _counts(read)
    found = []
    for store in sorted(read.records(Store, limit=PAGE_MOST), key=lambda item: item.code):
        if not read.actor.sees(f"store:{store.id}"):
            continue  # who works for a shop sees that shop's work
        has = counted.get(store.id, {})
        working = sum(has.get(state, 0) for state in OPEN_AT_STORE)
        found.append(
            Load(
                store.id,
                store.code,
                store.name,
                store.state,
                has.get("assigned", 0),
                working - has.get("assigned", 0) - has.get("on_hold", 0),
                has.get("on_hold", 0),
                has.get("overdue", 0),
                has.get("this_month", 0),
                max(0, store.capacity - working) if store.capacity else None,
            )
        )
    return found


def _counts(read: Reader) -> dict[str, dict[str, int]]:
    """For each store: its open leads by state, those `overdue`, and those of `this_month`."""
    info = info_of(Lead)
    month = read.now.astimezone(zone_of(read.context.zone)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    values = {"now": read.session.moment(read.now), "month": read.session.moment(month), **read.eyes()}
    counted: dict[str, dict[str, int]] = {}
    for store, state, count, overdue, recent in read.rows(
        f"{info.fingerprint}:loads:{bool(read.eyes())}", lambda: _by_store(read), **values
    ):
        has = counted.setdefault(str(store), {})
        has[str(state)] = int(count)
        has["overdue"] = has.get("overdue", 0) + int(overdue or 0)
        has["this_month"] = has.get("this_month", 0) + int(recent or 0)
    return counted


def _by_store(read: Reader) -> ClauseElement:
    import sqlalchemy as sa

    from bo.core.kernel.tables import table

    made = table(info_of(Lead))
    now, month = (sa.bindparam(name, type_=made.c.due_at.type) for name in ("now", "month"))
    overdue = sa.func.sum(sa.case((made.c.due_at <= now, 1), else_=0))
    recent = sa.func.sum(sa.case((made.c.assigned_at >= month, 1), else_=0))
    wanted = sa.select(made.c.store, made.c.state, sa.func.count(), overdue, recent).where(made.c.store.is_not(None))
    return wanted.where(*visible(info_of(Lead), read.actor)).group_by(made.c.store, made.c.state)


def _store_load(
    read: Reader, store: Store, counted: dict[str, dict[str, int]], territories: frozenset[str]
) -> StoreLoad:
    has = counted.get(store.id, {})
    working = sum(has.get(state, 0) for state in OPEN_AT_STORE)
    day = deadlines.calendar_of(store, read.context.zone).local_day(read.now)
    return assigning.as_load(store, day, territories, working, has.get("this_month", 0))


def _customer_store(read: Reader, lead: Lead) -> str:
    return (read.get(Customer, lead.customer).store if lead.customer else None) or ""


# -- rows that may be seen ---------------------------------------------------------------------------------------------


def standing(lead: Lead, now: datetime) -> str:
    """Where the lead's clock stands: on_time, at_risk from 80 % on, breached; blank where nothing runs."""
    if lead.due_at is None or lead.due_from is None:
        return ""
    if now >= lead.due_at:
        return "breached"
    share: timedelta = (lead.due_at - lead.due_from) * AT_RISK_PERCENT // 100
    return "at_risk" if now >= lead.due_from + share else "on_time"
