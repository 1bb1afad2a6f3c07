"""What modules above call when something is earned, refunded or taken back: plain functions inside their command.

    earn(tx, event="won", cause_id=lead.id, referrer_id=lead.referrer, happened_at=tx.now, gross=…, net=…, currency=…)
    claw_back(tx, cause_id=lead.id, refunded=lead.refunded, base=lead.order_amount)
    void(tx, cause_id=lead.id, event="valid_lead", reason="…")

Refuses nothing that happened: caps clamp, a doubt makes a line that is held with its reason.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, cast

from bo.core.kernel.amounts import format_amount
from bo.core.kernel.kinds import Primitive
from bo.core.kernel.tx import Tx
from bo.core.ledger.days import day_of, midnight, month_of, today
from bo.core.referrers.records import Referrer
from bo.core.rewards import rules
from bo.core.rewards.frozen import freeze, ranked
from bo.core.rewards.records import ACTIVE, DUE, HELD, HOLDING, INCLUDED, PAID, VOID, RewardLine, RewardRule
from bo.core.rewards.rules import RewardFacts, RewardInputs
from bo.core.rewards.terms import Event, RuleTerms
from bo.core.rewards.totals import Given, given

NET_UNKNOWN: Final = "the net amount of the order is not known; the gross amount was taken"
MARGIN_UNKNOWN: Final = "the margin of the order is not known; nothing was computed"
SETTLED: Final = (INCLUDED, PAID)


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
    """The reward line of an event, made by the most specific active rule; None where no rule pays or nobody referred.

    `event` is valid_lead, visit or won; `cause_id` the record that earned it; sums are minor units of `currency`. With
    `first_order` a bonus rule adds a second line. `customer` and `order` are shown on the statement; of the customer's
    name only the first character is kept. An event is rewarded once: asked again, the line there is comes back.

    Raises:
        NotFound: the referrer does not exist.
    """
    if not referrer_id:
        return None
    referrer = tx.get(Referrer, referrer_id)
    facts = RewardFacts(
        event=cast(Event, event),
        day=day_of(happened_at, tx.context.zone),
        source=source,
        store=store or "",
        category=category,
        referrer_kind=referrer.kind,
        first_order=first_order,
    )
    shown = {"customer": _initial(customer), "order": order, "source": source, "category": category}
    sums = RewardInputs(
        currency=currency or tx.context.currency, gross=gross, net=gross if net is None else net, margin=margin or 0
    )
    unknown = {
        "net": NET_UNKNOWN if net is None else "",
        "margin": MARGIN_UNKNOWN if margin is None else "",
        "gross": "",
    }
    active = [rule for rule in tx.find_all(RewardRule, event=event) if rule.state == ACTIVE]
    candidates = [terms for terms in ranked(active) if terms.currency == sums.currency or not _takes_a_base(terms)]
    made = None
    for chosen, part in (
        (rules.choose_rule(candidates, facts), ""),
        (rules.choose_bonus(candidates, facts), "first_order"),
    ):
        if chosen is None:
            continue
        once = f"{cause_id}:{event}{':' + part if part else ''}"
        line = _live_line(tx, cause_id, once)
        if line is None:
            doubt = unknown[chosen.base] if _takes_a_base(chosen) else ""
            line = _add_line(tx, chosen, sums, facts, referrer_id, happened_at, cause_id, once, shown, doubt)
        made = made or line
    return made


def claw_back(
    tx: Tx,
    *,
    cause_id: str,
    refunded: int,
    base: int,
    event: str = "won",
    happened_at: datetime | None = None,
    reason: str = "",
) -> list[RewardLine]:
    """Take back the refunded share of what an event earned; the new clawback lines, if more is to be taken.

    `refunded` is all that was refunded so far, this refund included, in minor units of the same sum as `base`, so that
    asking again takes nothing twice. What is taken back of a line never exceeds it. A line that is not yet settled
    keeps its amount and gets a clawback line too, which waits and is held as it does.
    """
    made = []
    for line in _rewards_of(tx, cause_id, event):
        taken = _taken(tx, line)
        amount = rules.clawback(line.amount, max(0, refunded), max(0, base), taken)
        if amount > 0:
            clawed_base = line.base_amount * amount // line.amount
            made.append(
                _add_clawback(tx, line, amount, clawed_base, happened_at or tx.now, reason, (refunded, base, taken))
            )
    return made


def void(tx: Tx, *, cause_id: str, event: str | None = None, reason: str) -> list[RewardLine]:
    """Take back whole what a cause earned, by one event or by all: open lines become void, settled ones get a clawback.

    The lines that were made void or added.
    """
    touched = []
    for line in _rewards_of(tx, cause_id, event):
        if line.state in SETTLED or any(back.state in SETTLED for back in _clawbacks(tx, line)):
            left = line.amount - (taken := _taken(tx, line))
            if left > 0:
                base = line.base_amount * left // line.amount
                touched.append(_add_clawback(tx, line, left, base, tx.now, reason, (line.amount, line.amount, taken)))
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


def _add_line(
    tx: Tx,
    terms: RuleTerms,
    sums: RewardInputs,
    facts: RewardFacts,
    referrer_id: str,
    happened_at: datetime,
    cause_id: str,
    once: str,
    shown: dict[str, str],
    doubt: str,
) -> RewardLine:
    rule = tx.get(RewardRule, terms.rule_id)
    inputs = _inputs(tx, rule, terms, sums, facts, referrer_id)
    made = rules.compute(terms, inputs)
    frozen: dict[str, Primitive] = {
        **freeze(rule, terms, inputs),
        **{name: text for name, text in shown.items() if text},
    }
    line = RewardLine(
        referrer=referrer_id,
        amount=made.amount_minor,
        currency=terms.currency,
        event=facts.event,
        cause=cause_id,
        once=_free_once(tx, cause_id, once),
        rule=rule.id,
        rule_code=rule.code,
        rule_version=rule.version,
        inputs=frozen,
        arithmetic="; ".join(str(step) for step in made.arithmetic),
        base_amount=rules.base_of(terms, inputs) if _takes_a_base(terms) else 0,
        earned_at=happened_at,
        due_on=facts.day + timedelta(days=terms.holding_days),
    )
    line.state, line.reason = (HELD, doubt) if doubt else (waiting_state(tx, line), "")
    return tx.add(line)


def _inputs(
    tx: Tx, rule: RewardRule, terms: RuleTerms, sums: RewardInputs, facts: RewardFacts, referrer_id: str
) -> RewardInputs:
    """The sums of the event, with what the rule gave before as far as its caps and tiers ask for it."""
    versions = [item.id for item in tx.find_all(RewardRule, code=rule.code)]
    start, end = (midnight(day, tx.context.zone) for day in month_of(facts.day))
    monthly = terms.cap_period is not None or terms.kind == "tiers"
    month = given(tx, versions, referrer=referrer_id, since=start, until=end) if monthly else Given(0, 0, 0)
    return RewardInputs(
        currency=terms.currency,
        gross=sums.gross if _takes_a_base(terms) else 0,
        net=sums.net if _takes_a_base(terms) else 0,
        margin=sums.margin if _takes_a_base(terms) else 0,
        count_before=month.events if terms.kind == "tiers" else 0,
        base_before=max(0, month.base) if terms.kind == "tiers" else 0,
        paid_person=given(tx, versions, referrer=referrer_id).amount if terms.cap_person is not None else 0,
        paid_period=month.amount if terms.cap_period is not None else 0,
        paid_all=given(tx, versions).amount if terms.budget is not None else 0,
    )


def _add_clawback(
    tx: Tx, line: RewardLine, amount: int, base: int, happened_at: datetime, reason: str, sums: tuple[int, int, int]
) -> RewardLine:
    """A line below zero that takes back part of a reward; it waits as long as the reward does, and is held with it."""
    number = len(tx.find_all(RewardLine, clawback_of=line.id)) + 1
    refunded, whole, taken = sums
    facts: dict[str, Primitive] = {"original": line.amount, "refunded": refunded, "of": whole, "taken_before": taken}
    back = RewardLine(
        referrer=line.referrer,
        kind="clawback",
        amount=-amount,
        currency=line.currency,
        event=line.event,
        cause=line.cause,
        once=f"{line.id}:clawback:{number}",
        rule=line.rule,
        rule_code=line.rule_code,
        rule_version=line.rule_version,
        inputs={**facts, **{name: line.inputs[name] for name in ("customer", "order") if name in line.inputs}},
        arithmetic=clawback_words(line, facts),
        base_amount=-base,
        clawback_of=line.id,
        earned_at=happened_at,
        due_on=max(line.due_on, day_of(happened_at, tx.context.zone)),
    )
    waits_too = line.state == HELD
    back.state, back.reason = (HELD, line.reason) if waits_too else (waiting_state(tx, back), reason)
    return tx.add(back)


def clawback_words(line: RewardLine, facts: dict[str, Primitive]) -> str:
    """The arithmetic of a clawback in words."""
    original, refunded, whole, taken = (
        f"{format_amount(int(facts[name] or 0), line.currency)} {line.currency}"
        for name in ("original", "refunded", "of", "taken_before")
    )
    text = f"{original} x {refunded} / {whole} refunded"
    return f"{text}, {taken} taken back before" if facts["taken_before"] else text


def _rewards_of(tx: Tx, cause_id: str, event: str | None) -> list[RewardLine]:
    lines = tx.find_all(RewardLine, cause=cause_id)
    return [line for line in lines if line.kind == "reward" and line.state != VOID and event in (None, line.event)]


def _clawbacks(tx: Tx, line: RewardLine) -> list[RewardLine]:
    return [back for back in tx.find_all(RewardLine, clawback_of=line.id) if back.state != VOID]


def _taken(tx: Tx, line: RewardLine) -> int:
    return -sum(back.amount for back in _clawbacks(tx, line))


def _live_line(tx: Tx, cause_id: str, once: str) -> RewardLine | None:
    """The line that rewards this event already; one that was wholly taken back does not count."""
    for line in _rewards_of(tx, cause_id, None):
        same = line.once == once or line.once.startswith(once + "#")
        if same and (line.amount == 0 or _taken(tx, line) < line.amount):
            return line
    return None


def _free_once(tx: Tx, cause_id: str, once: str) -> str:
    """The mark by which an event is rewarded once; numbered after lines that were void or taken back."""
    earlier = [line for line in tx.find_all(RewardLine, cause=cause_id) if line.once.partition("#")[0] == once]
    return f"{once}#{len(earlier) + 1}" if earlier else once


def _takes_a_base(terms: RuleTerms) -> bool:
    return terms.kind == "percent" or (terms.kind == "tiers" and terms.tier_measure == "amount")


def _initial(name: str) -> str:
    """All that a reward keeps of a customer's name."""
    return f"{name.strip()[0]}**" if name.strip() else ""
