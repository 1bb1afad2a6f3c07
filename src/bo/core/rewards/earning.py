"""What modules above call when something is earned, refunded or taken back: plain functions inside their command.

    earn(tx, event="won", cause_id=lead.id, referrer_id=lead.referrer, happened_at=tx.now, gross=…, net=…, currency=…)
    claw_back(tx, cause_id=lead.id, refunded=…, base=…, refunded_net=…, net=…)
    void(tx, cause_id=lead.id, event="valid_lead", reason="…")

Refuses nothing that happened: caps clamp, a doubt makes a line that is held with its reason.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, cast

from bo.core.kernel.kinds import Primitive
from bo.core.kernel.tx import Tx
from bo.core.ledger.days import day_of, today
from bo.core.referrers.payees import payee_of_store
from bo.core.referrers.records import Referrer
from bo.core.rewards import rules
from bo.core.rewards.frozen import freeze, ranked
from bo.core.rewards.records import ACTIVE, DUE, HELD, HOLDING, INCLUDED, PAID, VOID, RewardLine, RewardRule
from bo.core.rewards.rules import RewardFacts, RewardInputs
from bo.core.rewards.terms import Event, RuleTerms, TierPeriod
from bo.core.rewards.totals import given, span_of

NET_UNKNOWN: Final = "the net amount of the order is not known; the gross amount was taken"
MARGIN_UNKNOWN: Final = "the margin of the order is not known; nothing was computed"
KNOWN_NOW: Final = "computed again, now that the amount is known"
DOUBTS: Final = (NET_UNKNOWN, MARGIN_UNKNOWN)
ORDER_EVENTS: Final = ("won", "delivered")
SETTLED: Final = (INCLUDED, PAID)
SHARE: Final = ":store_share"


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """An event as it was told. Of `net` and `margin` None means that nobody knows."""

    cause: str
    at: datetime
    referrer: str
    store: str
    facts: RewardFacts
    currency: str
    gross: int
    net: int | None
    margin: int | None
    shown: dict[str, Primitive]


@dataclass(frozen=True, slots=True)
class Case:
    """An event under the rule that pays it. `replaced` are lines that the running call has made void for it, which the
    sums of what was given still hold."""

    terms: RuleTerms
    happened: Happened
    doubt: str
    replaced: list[RewardLine]


def earn(
    tx: Tx,
    *,
    event: str,
    cause_id: str,
    referrer_id: str | None,
    happened_at: datetime,
    gross: int = 0,
    net: int | None = None,
    margin: int | None = None,
    currency: str = "",
    source: str = "",
    category: str = "",
    store: str | None = None,
    first_order: bool = False,
    customer: str = "",
    order: str = "",
) -> RewardLine | None:
    """The reward line of an event, made by the most specific active rule; None where no rule pays.

    `event` is valid_lead, visit, won or delivered; `cause_id` the record that earned it; sums are minor units of
    `currency`. A rule may give a share to the store, or reward the store by itself; with `first_order` a bonus rule
    adds a line. `customer` and `order` are shown on the statement; of the customer's name only the first character is
    kept. An event is rewarded once: asked again, the line there is comes back. Only one that was held because `net` or
    `margin` was not known is made anew once it is.

    Raises:
        NotFound: the referrer does not exist.
    """
    referrer = tx.get(Referrer, referrer_id) if referrer_id else None
    facts = RewardFacts(
        event=cast(Event, event),
        day=day_of(happened_at, tx.context.zone),
        source=source,
        store=store or "",
        category=category,
        referrer_kind=referrer.kind if referrer else "",
        first_order=first_order,
    )
    shown = {"customer": _initial(customer), "order": order, "source": source, "category": category}
    happened = Happened(
        cause=cause_id,
        at=happened_at,
        referrer=referrer_id or "",
        store=store or "",
        facts=facts,
        currency=currency or tx.context.currency,
        gross=gross,
        net=net,
        margin=margin,
        shown={name: text for name, text in shown.items() if text},
    )
    lines = [_reward(tx, terms, happened, mark) for terms, mark in _chosen(tx, happened)]
    return lines[0] if lines else None


def _chosen(tx: Tx, happened: Happened) -> list[tuple[RuleTerms, str]]:
    """The rules that pay, each with what it adds to the mark by which an event is rewarded once."""
    active = [rule for rule in tx.find_all(RewardRule, event=happened.facts.event) if rule.state == ACTIVE]
    candidates = [item for item in ranked(active) if item.currency == happened.currency or not takes_a_base(item)]
    found = []
    if happened.referrer:
        found += [
            (rules.choose_rule(candidates, happened.facts), ""),
            (rules.choose_bonus(candidates, happened.facts), ":first_order"),
        ]
    if happened.store:
        facts = replace(happened.facts, beneficiary="store")
        found += [
            (rules.choose_rule(candidates, facts), ":store"),
            (rules.choose_bonus(candidates, facts), ":store_first_order"),
        ]
    return [(terms, mark) for terms, mark in found if terms is not None]


def claw_back(
    tx: Tx,
    *,
    cause_id: str,
    refunded: int,
    base: int,
    refunded_net: int | None = None,
    net: int | None = None,
    refunded_margin: int | None = None,
    margin: int | None = None,
    event: str | Collection[str] | None = ORDER_EVENTS,
    happened_at: datetime | None = None,
    reason: str = "",
) -> list[RewardLine]:
    """Take back the refunded share of what an order earned; the new clawback lines, if more is to be taken.

    `refunded` is all that was refunded so far, this refund included, in minor units of the same sum as `base`, the
    order's gross amount; so that asking again takes nothing twice. Each line goes by the sum that its rule goes by:
    with `refunded_net` of `net` a refund of shipping takes nothing of a reward on net amounts. Where such a pair is not
    given, the gross one counts. What is taken back of a line never exceeds it. A line that is not yet settled keeps its
    amount and gets a clawback line too, which waits and is held as it does.
    """
    pairs = {"gross": (refunded, base), "net": (refunded_net, net), "margin": (refunded_margin, margin)}
    made = []
    for line in _rewards_of(tx, cause_id, event):
        part, whole = pairs[str(line.inputs.get("base", "gross"))]
        if part is None or whole is None or refunded >= base:
            part, whole = refunded, base
        elif part <= 0:
            continue
        back = _take_back(tx, line, max(0, part), max(0, whole), happened_at or tx.now, reason)
        made += [back] if back is not None else []
    return made


def void(tx: Tx, *, cause_id: str, event: str | Collection[str] | None = None, reason: str) -> list[RewardLine]:
    """Take back whole what a cause earned, by one event, several or all: open lines become void, settled ones get a
    clawback.

    The lines that were made void or added.
    """
    touched = []
    for line in _rewards_of(tx, cause_id, event):
        if line.state in SETTLED or any(back.state in SETTLED for back in _clawbacks(tx, line)):
            back = _take_back(tx, line, line.amount, line.amount, tx.now, reason)
            touched += [back] if back is not None else []
        else:
            touched += put_aside(tx, line, VOID, reason)
    return touched


def put_aside(tx: Tx, line: RewardLine, state: str, reason: str) -> list[RewardLine]:
    """Hold or void an open line, and with it the open clawbacks of it: they stand and fall together."""
    moved = [line, *(back for back in _clawbacks(tx, line) if back.state not in SETTLED)]
    for item in moved:
        item.state, item.reason = state, reason
    return moved


def bring_back(tx: Tx, line: RewardLine) -> list[RewardLine]:
    """Release a held line, and the clawbacks that are held with it."""
    moved = [line, *(back for back in _clawbacks(tx, line) if back.state == HELD)]
    for item in moved:
        item.state, item.reason = waiting_state(tx, item), ""
    return moved


def waiting_state(tx: Tx, line: RewardLine) -> str:
    """Due, or holding while its day has not come."""
    return DUE if line.due_on <= today(tx) else HOLDING


# -- inside ------------------------------------------------------------------------------------------------------------


def _reward(tx: Tx, terms: RuleTerms, happened: Happened, mark: str) -> RewardLine:
    """The line of whom the rule rewards, and beside it that of the store's share."""
    once = f"{happened.cause}:{happened.facts.event}{mark}"
    terms, doubt = _without_doubt(terms, happened)
    replaced = [] if doubt else _in_doubt(tx, happened.cause, once)
    for line in replaced:
        put_aside(tx, line, VOID, KNOWN_NOW)
    case = Case(terms, happened, doubt, replaced)
    payee = payee_of_store(tx, happened.store).id if terms.beneficiary == "store" else happened.referrer
    made = _line_once(tx, case, payee, once)
    if terms.store_share and happened.store:
        _line_once(tx, case, payee_of_store(tx, happened.store).id, once + SHARE, for_store=True)
    return made


def _without_doubt(terms: RuleTerms, happened: Happened) -> tuple[RuleTerms, str]:
    """The terms by which the reward can be computed, and what is not known of it."""
    if not takes_a_base(terms):
        return terms, ""
    if terms.base == "net" and happened.net is None:
        return replace(terms, base="gross"), NET_UNKNOWN
    return terms, MARGIN_UNKNOWN if terms.base == "margin" and happened.margin is None else ""


def _in_doubt(tx: Tx, cause_id: str, once: str) -> list[RewardLine]:
    """The lines of a reward that are held because something was not known, and that nothing was taken back of."""
    return [
        line
        for line in _rewards_of(tx, cause_id, None)
        if line.once.partition("#")[0] in (once, once + SHARE)
        and line.state == HELD
        and line.reason in DOUBTS
        and not _clawbacks(tx, line)
    ]


def _line_once(tx: Tx, case: Case, payee: str, once: str, *, for_store: bool = False) -> RewardLine:
    """The line that is there already, or a new one."""
    terms, happened = case.terms, case.happened
    line = _live_line(tx, happened.cause, once)
    if line is not None:
        return line
    rule = tx.get(RewardRule, terms.rule_id)
    inputs = _inputs(tx, rule, case, payee, for_store)
    line = RewardLine(
        referrer=payee,
        amount=rules.compute(terms, inputs).amount_minor,
        currency=terms.currency,
        event=happened.facts.event,
        cause=happened.cause,
        once=_free_once(tx, happened.cause, once),
        rule=rule.id,
        rule_code=rule.code,
        rule_version=rule.version,
        inputs=freeze(rule, terms, inputs) | happened.shown,
        base_amount=rules.base_of(terms, inputs) if takes_a_base(terms) and not for_store else 0,
        earned_at=happened.at,
        due_on=happened.facts.day + timedelta(days=terms.holding_days),
    )
    line.state, line.reason = (HELD, case.doubt) if case.doubt else (waiting_state(tx, line), "")
    return tx.add(line)


def _inputs(tx: Tx, rule: RewardRule, case: Case, payee: str, for_store: bool) -> RewardInputs:
    """The sums of the event, with what the rule gave before as far as its caps and tiers ask for it."""
    terms, happened = case.terms, case.happened
    versions = [item.id for item in tx.find_all(RewardRule, code=rule.code)]
    replaced = [line for line in case.replaced if line.rule in versions]

    def before(period: TierPeriod, field: str = "amount") -> int:
        span = span_of(happened.facts.day, period, tx.context.zone)
        gone = sum(getattr(line, field) if field else 1 for line in replaced if line.referrer == payee)
        return given(tx, versions, field, referrer=payee, span=span) - gone

    known: dict[str, int] = {}
    if takes_a_base(terms):
        net = happened.gross if happened.net is None else happened.net
        known |= {"gross": happened.gross, "net": net, "margin": happened.margin or 0}
    if terms.kind == "tiers":
        known["count_before"] = before(terms.tier_period, "")
        known["base_before"] = max(0, before(terms.tier_period, "base_amount"))
    if terms.budget is not None:
        known["paid_all"] = given(tx, versions) - sum(line.amount for line in replaced)
    caps: tuple[tuple[str, int | None, TierPeriod], ...] = (
        ("paid_person", terms.cap_person, "ever"),
        ("paid_month", terms.cap_month, "month"),
        ("paid_quarter", terms.cap_quarter, "quarter"),
        ("paid_year", terms.cap_year, "year"),
    )
    known |= {name: before(period) for name, cap, period in caps if cap is not None and not for_store}
    return RewardInputs(currency=terms.currency, for_store=for_store, **known)


def _take_back(
    tx: Tx, line: RewardLine, part: int, whole: int, happened_at: datetime, reason: str
) -> RewardLine | None:
    """A line below zero that takes back a share of a reward, less what was taken before; None where that is nothing.

    It waits as long as the reward does, and is held with it.
    """
    before = _clawbacks(tx, line)
    taken = -sum(back.amount for back in before)
    amount = rules.clawback(line.amount, part, whole, taken)
    if amount <= 0:
        return None
    taken_base = -sum(back.base_amount for back in before)
    facts: dict[str, Primitive] = {"original": line.amount, "refunded": part, "of": whole, "taken_before": taken}
    back = RewardLine(
        referrer=line.referrer,
        kind="clawback",
        amount=-amount,
        currency=line.currency,
        event=line.event,
        cause=line.cause,
        once=f"{line.id}:clawback:{len(tx.find_all(RewardLine, clawback_of=line.id)) + 1}",
        rule=line.rule,
        rule_code=line.rule_code,
        rule_version=line.rule_version,
        inputs=facts | {name: line.inputs[name] for name in ("base", "customer", "order") if name in line.inputs},
        base_amount=taken_base - line.base_amount * (taken + amount) // line.amount,
        clawback_of=line.id,
        reward_at=line.earned_at,
        earned_at=happened_at,
        due_on=max(line.due_on, day_of(happened_at, tx.context.zone)),
    )
    waits_too = line.state == HELD
    back.state, back.reason = (HELD, line.reason) if waits_too else (waiting_state(tx, back), reason)
    return tx.add(back)


def _rewards_of(tx: Tx, cause_id: str, event: str | Collection[str] | None) -> list[RewardLine]:
    wanted = (event,) if isinstance(event, str) else event
    lines = tx.find_all(RewardLine, cause=cause_id)
    return [
        line
        for line in lines
        if line.kind == "reward" and line.state != VOID and (wanted is None or line.event in wanted)
    ]


def _clawbacks(tx: Tx, line: RewardLine) -> list[RewardLine]:
    return [back for back in tx.find_all(RewardLine, clawback_of=line.id) if back.state != VOID]


def _live_line(tx: Tx, cause_id: str, once: str) -> RewardLine | None:
    """The line that rewards this event already; one that was wholly taken back does not count."""
    for line in _rewards_of(tx, cause_id, None):
        same = line.once == once or line.once.startswith(once + "#")
        if same and (line.amount == 0 or -sum(back.amount for back in _clawbacks(tx, line)) < line.amount):
            return line
    return None


def _free_once(tx: Tx, cause_id: str, once: str) -> str:
    """The mark by which an event is rewarded once; numbered after lines that were void or taken back."""
    earlier = [line for line in tx.find_all(RewardLine, cause=cause_id) if line.once.partition("#")[0] == once]
    return f"{once}#{len(earlier) + 1}" if earlier else once


def takes_a_base(terms: RuleTerms) -> bool:
    """Whether the reward is a share of a sum of the order."""
    return terms.kind == "percent" or (terms.kind == "tiers" and terms.tier_measure == "amount")


def _initial(name: str) -> str:
    """All that a reward keeps of a customer's name."""
    return f"{name.strip()[0]}**" if name.strip() else ""
