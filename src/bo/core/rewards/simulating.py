"""What a rule would have paid on past leads, against what was paid for the same events. Nothing is written.

Leads and orders belong to modules above; they are read by the names of their fields, as an export reads them. All of
them pass through one by one, what is kept is a few sums for each payee and what was paid for each lead.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Final, NamedTuple

import msgspec

from bo.core.kernel.errors import NotFound
from bo.core.kernel.kinds import moment_of
from bo.core.kernel.reader import Reader
from bo.core.ledger.days import day_of, midnight
from bo.core.rewards import rules
from bo.core.rewards.earning import takes_a_base
from bo.core.rewards.frozen import ranked, scope_of, terms_of
from bo.core.rewards.records import RewardRule
from bo.core.rewards.rules import RewardFacts, RewardInputs
from bo.core.rewards.terms import RuleTerms

RULES_MOST: Final = 10_000
HAPPENED: Final = {"valid_lead": "reviewed_at", "visit": "visited_at", "won": "won_at", "delivered": "won_at"}
EARNING: Final = {
    "valid_lead": "-state:received,duplicate,pending_review,needs_info,invalid",
    "visit": "-state:invalid,duplicate",
    "won": "state:won,reversed",
    "delivered": "state:won,reversed",
}
FIELDS: Final = (
    "referrer", "store", "source", "category", "customer", "currency", "order_amount", "order_net", "refunded",
)  # fmt: skip


Place = tuple[object, ...]  # what a sum is kept by


class Past(NamedTuple):
    """A lead that had the event, as the database holds it."""

    id: str
    happened: datetime | str
    referrer: str | None
    store: str | None
    source: str
    category: str
    customer: str | None
    currency: str
    amount: int | None
    net: int | None
    refunded: int


@dataclass(slots=True)
class Compared:
    """What one payee would have got and got, in minor units."""

    events: int = 0
    simulated: int = 0
    paid: int = 0


@dataclass(slots=True)
class Simulation:
    """A rule at work on the past. Caps, budgets and tiers begin at nothing with the first event."""

    terms: RuleTerms
    others: list[RuleTerms]
    zone: str
    payees: dict[str, Compared] = field(default_factory=dict)
    given: Counter[Place] = field(default_factory=Counter)
    chosen: dict[tuple[object, ...], bool] = field(default_factory=dict)

    def pays(self, day: date, lead: Past, store: str, kind: str, first: bool) -> bool:
        """Whether the rule is the one that pays, among today's rules."""
        key = (day, lead.source, store, lead.category, kind, first)
        found = self.chosen.get(key)
        if found is None:
            facts = RewardFacts(
                event=self.terms.event,
                day=day,
                beneficiary=self.terms.beneficiary,
                source=lead.source,
                store=store,
                category=lead.category,
                referrer_kind=kind,
                first_order=first,
            )
            choose = rules.choose_bonus if self.terms.kind == "first_order" else rules.choose_rule
            best = choose([self.terms, *self.others], facts)
            found = self.chosen[key] = best is not None and best.rule_id == self.terms.rule_id
        return found

    def pay(self, day: date, payee: str, store: str, sums: RewardInputs, refunded: tuple[int, int]) -> None:
        """One event, and what a refund takes back of it."""
        places = _places(day, payee)
        period = places[self.terms.tier_period]
        inputs = replace(
            sums,
            count_before=self.given["count", period],
            base_before=self.given["base", period],
            paid_person=self.given[places["ever"]],
            paid_month=self.given[places["month"]],
            paid_quarter=self.given[places["quarter"]],
            paid_year=self.given[places["year"]],
            paid_all=self.given["all",],
        )
        self._give(places.values(), payee, rules.compute(self.terms, inputs).amount_minor, refunded)
        self.given["count", period] += 1
        self.given["base", period] += rules.base_of(self.terms, inputs) if takes_a_base(self.terms) else 0
        if self.terms.store_share and store:
            share = rules.compute(self.terms, replace(inputs, for_store=True)).amount_minor
            self._give((), store, share, refunded)

    def _give(self, places: Iterable[Place], payee: str, amount: int, refunded: tuple[int, int]) -> None:
        left = amount - (rules.clawback(amount, *refunded, 0) if refunded[0] else 0)
        for place in (*places, ("all",)):
            self.given[place] += left
        compared = self.payees.setdefault(payee, Compared())
        compared.events += 1
        compared.simulated += left


def simulate(read: Reader, code: str, since: date | None, until: date | None) -> Simulation:
    """The rule with what it would have paid to each payee, and what was paid. Raises NotFound.

    A store that nobody is registered for as its payee stands for itself.
    """
    terms, others, alike = _rules(read, code)
    made = Simulation(terms, others, read.context.zone)
    paid, margins = _paid(read, terms, alike)
    kinds, shops = _referrers(read)
    customers: set[str | None] = {None}
    start, end = (midnight(day, made.zone) if day else None for day in (since, until))
    for lead in _events(read, terms):
        first = lead.customer not in customers
        customers.add(lead.customer)
        happened = moment_of(lead.happened)
        if (start and happened < start) or (end and happened >= end):
            continue
        store = lead.store or "" if terms.event != "valid_lead" else ""  # a lead is valid before it has one
        shop = shops.get(store, store)
        payee = shop if terms.beneficiary == "store" else lead.referrer or ""
        day = day_of(happened, made.zone)
        if not payee or not made.pays(day, lead, store, kinds.get(lead.referrer or "", ""), first):
            continue
        sums = _sums(terms, lead, margins)
        if sums is not None:
            by_order = terms.event in ("won", "delivered")
            made.pay(day, payee, shop, sums, (lead.refunded, lead.amount or 0) if by_order else (0, 0))
        for one in (payee, shop) if shop != payee else (payee,):
            if (one, lead.id) in paid:
                made.payees.setdefault(one, Compared()).paid += paid[one, lead.id]
    return made


def _rules(read: Reader, code: str) -> tuple[RuleTerms, list[RuleTerms], set[str]]:
    """The rule as if it had always been in force, those of today that would stand beside it, and every rule that paid
    for the same events."""
    found = read.records(RewardRule, limit=RULES_MOST)
    named = [rule for rule in found if rule.version_code == code]
    named = named or sorted((rule for rule in found if rule.code == code), key=lambda rule: rule.version)
    if not named:
        raise NotFound("there is no rule {code}", hint="bo reward-rules list shows what there is.", code=code)
    rule = named[-1]
    terms = replace(terms_of(rule), effective_from=date.min, effective_until=None)
    active = [
        item for item in found if item.state == "active" and item.code != rule.code and scope_of(item) != scope_of(rule)
    ]
    age = {item.rule_id: item.oldest for item in ranked([*active, rule])}
    bonus = rule.kind == "first_order"
    alike = {
        item.id
        for item in found
        if (item.event, item.beneficiary, item.kind == "first_order") == (rule.event, rule.beneficiary, bonus)
    }
    others = [terms_of(item, age[item.id]) for item in active]
    return replace(terms, oldest=age[rule.id]), others, alike


def _paid(read: Reader, terms: RuleTerms, alike: set[str]) -> tuple[Counter[tuple[str, str]], dict[str, int]]:
    """What was paid for each lead, by payee, less what was taken back; and the margins that were known."""
    paid: Counter[tuple[str, str]] = Counter()
    margins: dict[str, int] = {}
    wanted = f"event:{terms.event} kind:reward,clawback -state:void currency:{terms.currency}"
    names = ("cause", "referrer", "amount", "rule") + (("inputs",) if terms.base == "margin" else ())
    _fields, batches = read.stream("rewards", wanted, fields=names)
    for cause, referrer, amount, rule, *inputs in (row for batch in batches for row in batch):
        if rule in alike:
            paid[referrer, cause] += amount
        if inputs and inputs[0]:
            known = msgspec.json.decode(inputs[0]).get("margin")
            margins |= {cause: known} if known is not None else {}
    return paid, margins


def _referrers(read: Reader) -> tuple[dict[str, str], dict[str, str]]:
    """The kind of each referrer, and the payee of each store."""
    _fields, batches = read.stream("referrers", fields=("id", "kind", "store"))
    found = [row for batch in batches for row in batch]
    return {key: kind for key, kind, _store in found}, {store: key for key, _kind, store in found if store}


def _events(read: Reader, terms: RuleTerms) -> Iterator[Past]:
    """The leads that had the event, in the order in which it happened."""
    moment = HAPPENED[terms.event]
    sent = _sent(read) if terms.event == "delivered" else None
    wanted = f"{EARNING[terms.event]} {moment}:any sort:{moment}"
    _fields, batches = read.stream("leads", wanted, fields=("id", moment, *FIELDS))
    for lead in (Past(*row) for batch in batches for row in batch):
        if sent is None:
            yield lead
        elif lead.id in sent:
            yield lead._replace(happened=sent[lead.id])


def _sent(read: Reader) -> dict[str, datetime]:
    """When the orders of leads left the house."""
    _fields, batches = read.stream("orders", "lead:any state:fulfilled sent_at:any", fields=("lead", "sent_at"))
    return {str(lead): moment_of(at) for batch in batches for lead, at in batch}


def _sums(terms: RuleTerms, lead: Past, margins: dict[str, int]) -> RewardInputs | None:
    """What the reward is computed from; None where the base is in another currency."""
    if not takes_a_base(terms):
        return RewardInputs(currency=terms.currency)
    if lead.currency != terms.currency:
        return None
    amount = lead.amount or 0
    net = amount if lead.net is None else lead.net
    return RewardInputs(currency=terms.currency, gross=amount, net=net, margin=margins.get(lead.id, 0))


def _places(day: date, payee: str) -> dict[str, Place]:
    """By what the sums of a payee are kept: ever, and for the year, the quarter and the month of a day."""
    return {
        "ever": (payee,),
        "year": (payee, day.year),
        "quarter": (payee, day.year, "Q", (day.month - 1) // 3),
        "month": (payee, day.year, day.month),
    }
