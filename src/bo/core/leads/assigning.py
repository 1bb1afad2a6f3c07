"""Giving leads to stores, by hand or by rule, and taking them back.

The rule's memory of whose turn it is, is what the stores already have: leads of this month are counted when a store
is chosen. So there is no shared counter that two assignments would both change, and any one of them can be undone.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from bo.core.customers.records import Customer
from bo.core.kernel.errors import Refused
from bo.core.kernel.moments import zone_of
from bo.core.kernel.tx import Tx
from bo.core.leads import deadlines
from bo.core.leads.assignment import (
    OBSTACLES,
    OVERFLOWS,
    PICKS,
    Assignment,
    LeadFacts,
    Method,
    StoreLoad,
    choose_store,
    obstacle,
)
from bo.core.leads.records import ASSIGNED, OPEN_AT_STORE, Lead
from bo.core.leads.rules import ACCEPT, DECLINE_REASONS, reason_of, require_evidence
from bo.core.stores.places import holds, narrowness, place_path
from bo.core.stores.records import Store, Territory

TURN: Final = 1_000_000  # so that turns of unlike shares compare in whole numbers
TRIED_SHOWN: Final = 8


class StoreCannotTake(Refused):
    """The store takes no leads, or not this one."""

    code = "store_cannot_take"


class NotOverdue(Refused):
    """Nothing is overdue."""

    code = "not_overdue"


def give(tx: Tx, lead: Lead, store: Store, reason: str) -> None:
    """The store has the lead now, and its time to accept runs."""
    lead.store, lead.assigned_at, lead.assigned_reason = store.id, tx.now, reason
    lead.overflow, lead.decline_reason = False, None
    deadlines.start(tx, lead, ACCEPT)
    tx.later("leads.assigned", {"lead": lead.id, "store": store.id})


def give_by_hand(tx: Tx, lead: Lead, store: Store, note: str) -> None:
    """Give a lead to a store that somebody chose. Raises StoreCannotTake."""
    why = obstacle(store_load(tx, store, "round_robin"), LeadFacts(category=lead.category))
    if why:
        raise StoreCannotTake(
            "store {store} cannot take it: {why}",
            hint="Choose another one, or edit the store.",
            store=store.code,
            why=OBSTACLES[why],
        )
    give(tx, lead, store, note or "Chosen by hand")


def method_of(word: str) -> Method:
    """The method that a word names."""
    return "least_open" if word == "least_open" else "quota" if word == "quota" else "round_robin"


def give_by_rule(tx: Tx, lead: Lead, method: Method) -> None:
    """Give a lead to the store that the rule picks, or put it into the overflow queue with the reasons."""
    chosen = choose(tx, lead, method)
    if chosen.store_id is not None:
        give(tx, lead, tx.get(Store, chosen.store_id), pick_in_words(chosen))
        lead.state = ASSIGNED
    else:
        lead.overflow, lead.assigned_reason = True, overflow_in_words(tx, chosen)


def take_back(tx: Tx, lead: Lead) -> None:
    """The store has had its chance; what it knows of the customer stays in the follow-ups."""
    if lead.store:
        lead.tried_stores = tuple(sorted({*lead.tried_stores, lead.store}))
    lead.store, lead.assigned_at, lead.assigned_reason = None, None, ""
    lead.attempts, lead.first_attempt_on, lead.next_at, lead.visit_at, lead.held_from, lead.hold_until = (
        0,
        None,
        None,
        None,
        "",
        None,
    )
    deadlines.clear(lead)


def decline(tx: Tx, lead: Lead, reason: str, note: str) -> None:
    """The store does not want it. Raises EvidenceMissing."""
    require_evidence(reason_of(DECLINE_REASONS, reason), note=note)
    take_back(tx, lead)
    lead.decline_reason = reason


def recall(tx: Tx, lead: Lead, note: str) -> None:
    """Take a lead away from its store: because its time is over, or for a reason that is said. Raises NotOverdue."""
    if not note and (lead.due_at is None or lead.due_at > tx.now):
        raise NotOverdue("the store still has time", hint="Say in a note why it is recalled all the same.")
    take_back(tx, lead)


# -- what the rule looks at --------------------------------------------------------------------------------------------


def choose(tx: Tx, lead: Lead, method: Method) -> Assignment:
    """The store that the rule would pick now. Changes nothing."""
    stores, territories = tx.select(Store), tx.select(Territory, order="code")
    served: dict[str, set[str]] = {}
    for item in territories:
        served.setdefault(item.store, set()).add(territory_key(item))
    facts = lead_facts(lead, territories, customer_store(tx, lead))
    loads = []
    for store in stores:
        keys = frozenset(served.get(store.id, ()))
        load = store_load(tx, store, method, keys, counted=False)
        if in_reach(load, facts) and not obstacle(load, facts, method):
            load = store_load(tx, store, method, keys)
        loads.append(load)
    return choose_store(loads, facts, method, turns(loads, method))


def lead_facts(lead: Lead, territories: list[Territory], customers_store: str) -> LeadFacts:
    """What the choice depends on; the territories that hold the lead, the narrowest first."""
    holding = [item for item in territories if holds(item, lead.province, lead.city, lead.district)]
    holding.sort(key=lambda item: -narrowness(item))
    keys = tuple(dict.fromkeys(territory_key(item) for item in holding))
    return LeadFacts(
        category=lead.category,
        territories=keys,
        named_store_id=lead.wanted_store or "",
        customer_store_id=customers_store,
        passed_over=frozenset(lead.tried_stores),
    )


def territory_key(territory: Territory) -> str:
    """Territories of several stores that name the same place are equal."""
    return place_path(territory.province if not territory.city else "", territory.city, territory.district)


def in_reach(load: StoreLoad, facts: LeadFacts) -> bool:
    """Whether any preference could lead to the store, so that counting its leads is worth it."""
    named = load.store_id in (facts.named_store_id, facts.customer_store_id)
    return named or not load.territories or any(key in load.territories for key in facts.territories)


def turns(loads: list[StoreLoad], method: Method) -> dict[str, int]:
    """Weights by which `pick` takes the store that is furthest behind its share: (taken + 1) / share is the least."""
    shares = {load.store_id: (load.quota or 1) if method == "quota" else 1 for load in loads}
    return {
        load.store_id: -(TURN * (load.taken + 1) // shares[load.store_id]) - shares[load.store_id] for load in loads
    }


def customer_store(tx: Tx, lead: Lead) -> str:
    """The store of the customer, where the lead is known to be one."""
    customer = tx.view(Customer, lead.customer) if lead.customer else None
    return (customer.store if customer else None) or ""


def store_load(
    tx: Tx, store: Store, method: Method, territories: frozenset[str] = frozenset(), *, counted: bool = True
) -> StoreLoad:
    """A store as the choice sees it, with only those of its leads counted that matter; without `counted`, none."""
    day = deadlines.calendar_of(store, tx.context.zone).local_day(tx.now)
    limited = counted and (store.capacity > 0 or method == "least_open")
    working = tx.count(Lead, store=store.id, state=OPEN_AT_STORE) if limited else 0
    taken = tx.count(Lead, ("assigned_at", ">=", month_start(tx)), store=store.id) if counted else 0
    return as_load(store, day, territories, working, taken)


def as_load(store: Store, day: date, territories: frozenset[str], working: int, taken: int) -> StoreLoad:
    """A store on its local `day`, with as many open leads and as many given to it this month."""
    return StoreLoad(
        store.id,
        open=store.state == "open",
        categories=frozenset(store.categories),
        contract_active=store.contract_until is None or day <= store.contract_until,
        opted_out=store.opted_out,
        open_leads=working,
        capacity=store.capacity or None,
        territories=territories,
        quota=store.quota or None,
        taken=taken,
    )


def month_start(tx: Tx) -> datetime:
    """The first moment of the month in the office's zone."""
    zone = zone_of(tx.context.zone)
    return tx.now.astimezone(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def pick_in_words(chosen: Assignment) -> str:
    """Why this store, to be kept on the lead."""
    return f"{PICKS[chosen.reason]}: {chosen.detail}" if chosen.detail else PICKS[chosen.reason]


def overflow_in_words(tx: Tx, chosen: Assignment) -> str:
    """Why no store, with what each of the first few met."""
    tried = sorted((store.code, why) for store_id, why in chosen.tried.items() if (store := tx.view(Store, store_id)))
    shown = "; ".join(f"{code}: {OBSTACLES[why]}" for code, why in tried[:TRIED_SHOWN])
    return f"{OVERFLOWS[chosen.reason]} ({shown})" if shown else OVERFLOWS[chosen.reason]
