"""Which store gets a lead, and why the others did not.

Order of preference: the store named on the form, the customer's own store, stores whose territory holds the lead (the
narrowest territory first), the nearest store, stores that name no place at all. Each step takes only stores that can
take it. Where several are equal, the method picks by smooth weights (the interleaving of weighted round robin), which
are data and come back changed: the same leads in the same order always go to the same stores.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

Method: TypeAlias = Literal["round_robin", "least_open", "quota"]

# Why a store cannot take a lead, in the order they are looked at; message ids stand beside them.
OBSTACLES: Final = {
    "passed_over": "The store had it before: declined, or its time ran out",
    "closed": "The store is closed",
    "category": "The store does not sell this",
    "contract": "The store has no active contract",
    "opted_out": "The store takes no leads at present",
    "full": "The store has as many open leads as it can take",
    "quota": "The store has had its leads of this month",
}
# Why a store was chosen.
PICKS: Final = {
    "named": "Named on the form",
    "customer": "The customer's own store",
    "territory": "In the store's territory",
    "nearest": "The nearest store",
    "anywhere": "The store takes leads from anywhere",
}
# Why no store was chosen.
OVERFLOWS: Final = {
    "no_stores": "There is no store",
    "nobody_can": "No store can take it at present",
    "out_of_reach": "Stores could take it, but none is in reach",
}


@dataclass(frozen=True, slots=True)
class StoreLoad:
    """One store as the choice sees it. `distance_m` is to the customer; no `capacity` or `quota` means no limit."""

    store_id: str
    open: bool = True
    categories: frozenset[str] = frozenset()  # none named: sells everything
    contract_active: bool = True
    opted_out: bool = False
    open_leads: int = 0
    capacity: int | None = None
    territories: frozenset[str] = frozenset()
    distance_m: int | None = None
    quota: int | None = None  # leads of this month
    taken: int = 0  # leads of this month so far


@dataclass(frozen=True, slots=True)
class LeadFacts:
    """What the choice depends on. `territories` hold the lead, the narrowest first: district, city, province."""

    category: str = ""
    territories: tuple[str, ...] = ()
    named_store_id: str = ""
    customer_store_id: str = ""
    reach_m: int | None = None  # how far the nearest store may be
    passed_over: frozenset[str] = frozenset()  # stores that declined it or let its time run out


@dataclass(frozen=True, slots=True)
class Assignment:
    """The store that was chosen, or None for the overflow queue.

    `reason` is a word of PICKS or OVERFLOWS and `detail` what is behind it: the territory, the metres, or the obstacle
    that most stores met. `tried` says of each store that could not take the lead why (words of OBSTACLES). `weights`
    are the smooth weights to keep for the next choice.
    """

    store_id: str | None
    reason: str
    detail: str = ""
    tried: Mapping[str, str] = field(default_factory=dict)
    weights: Mapping[str, int] = field(default_factory=dict)


def choose_store(
    candidates: Sequence[StoreLoad],
    facts: LeadFacts,
    method: Method = "round_robin",
    weights: Mapping[str, int] | None = None,
) -> Assignment:
    """Choose a store for a lead. Changes nothing: the new weights are in the answer."""
    kept = dict(weights or {})
    stores = sorted(candidates, key=lambda store: store.store_id)
    tried = {store.store_id: why for store in stores if (why := obstacle(store, facts, method))}
    able = [store for store in stores if store.store_id not in tried]
    for reason, detail, equal in _preferences(able, facts):
        if equal:
            store_id, changed = pick(equal, method, kept)
            return Assignment(store_id, reason, detail, tried, changed)
    why_none = "no_stores" if not stores else "out_of_reach" if able else "nobody_can"
    return Assignment(None, why_none, _most_common(tried.values()), tried, kept)


def obstacle(store: StoreLoad, facts: LeadFacts, method: Method = "round_robin") -> str:
    """The first reason why the store cannot take the lead, or nothing."""
    if store.store_id in facts.passed_over:
        return "passed_over"
    if not store.open:
        return "closed"
    if store.categories and facts.category and facts.category not in store.categories:
        return "category"
    if not store.contract_active:
        return "contract"
    if store.opted_out:
        return "opted_out"
    if store.capacity is not None and store.open_leads >= store.capacity:
        return "full"
    if method == "quota" and store.quota is not None and store.taken >= store.quota:
        return "quota"
    return ""


def nearest(stores: Iterable[StoreLoad], reach_m: int | None) -> list[StoreLoad]:
    """The stores at the smallest distance within reach; several only when they are equally far."""
    known = [(store.distance_m, store) for store in stores if store.distance_m is not None]
    within = [(metres, store) for metres, store in known if reach_m is None or metres <= reach_m]
    least = min((metres for metres, _ in within), default=0)
    return [store for metres, store in within if metres == least]


def pick(stores: Sequence[StoreLoad], method: Method, weights: Mapping[str, int]) -> tuple[str, dict[str, int]]:
    """One of several equal stores, and the weights as they are afterwards.

    round_robin: in turn. least_open: the fewest open leads, in turn among equals. quota: in proportion to the monthly
    quotas.
    """
    if method == "least_open":
        fewest = min(store.open_leads for store in stores)
        stores = [store for store in stores if store.open_leads == fewest]
    shares = {store.store_id: _share(store, method) for store in stores}
    raised = {store_id: weights.get(store_id, 0) + share for store_id, share in shares.items()}
    chosen = min(raised, key=lambda store_id: (-raised[store_id], store_id))
    raised[chosen] -= sum(shares.values())
    return chosen, {**weights, **raised}


def _preferences(able: Sequence[StoreLoad], facts: LeadFacts) -> Iterator[tuple[str, str, list[StoreLoad]]]:
    """Why, on account of what, and which stores, in the order of preference."""
    yield "named", "", [store for store in able if store.store_id == facts.named_store_id]
    yield "customer", "", [store for store in able if store.store_id == facts.customer_store_id]
    for territory in facts.territories:
        yield "territory", territory, [store for store in able if territory in store.territories]
    near = nearest(able, facts.reach_m)
    yield "nearest", str(near[0].distance_m) if near else "", near
    yield "anywhere", "", [store for store in able if not store.territories and store.distance_m is None]


def _share(store: StoreLoad, method: Method) -> int:
    return store.quota if method == "quota" and store.quota else 1


def _most_common(words: Iterable[str]) -> str:
    ranked = sorted(Counter(words).items(), key=lambda pair: (-pair[1], list(OBSTACLES).index(pair[0])))
    return ranked[0][0] if ranked else ""
