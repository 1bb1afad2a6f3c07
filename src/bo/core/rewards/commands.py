"""Writing reward rules, what people do with reward lines, and disputes about those.

Lines are earned by modules above, through `earning`.
"""

from datetime import date, timedelta
from typing import Annotated, Final, TypeVar

from msgspec.structs import replace

from bo.core.kernel.command import command
from bo.core.kernel.errors import Refused
from bo.core.kernel.kinds import Amount, Count, Currency, Day, Field, Note, Rate, RefKind, Text
from bo.core.kernel.record import EPOCH, States
from bo.core.kernel.tx import Tx
from bo.core.ledger.days import today
from bo.core.referrers.records import Referrer
from bo.core.rewards import disputing
from bo.core.rewards.disputing import require_undisputed
from bo.core.rewards.earning import bring_back, put_aside
from bo.core.rewards.frozen import scope_of, terms_of
from bo.core.rewards.records import (
    ACTIVE,
    DRAFT,
    DUE,
    ESCALATED,
    HELD,
    HOLDING,
    OPEN,
    REJECTED,
    RETIRED,
    UNDER_REVIEW,
    UPHELD,
    VOID,
    WITHDRAWN,
    Beneficiary,
    Dispute,
    RewardBase,
    RewardLine,
    RewardRule,
    RuleEvent,
    RuleKind,
    TierMode,
    TierPeriod,
)
from bo.core.rewards.rules import check_rule

T = TypeVar("T")

NOUN: Final = "rewards"
MATURED_MOST: Final = 200_000  # lines that one call takes; the next call takes the rest
UNTIL: Final = "the first day on which it no longer counts"

OnlyStore = Annotated[str, RefKind("stores"), Field(help="only leads of this store")]
Tiers = Annotated[
    Text, Field(help="lower bound:value pairs, as 0:1%,10000:2% of the order or 0:50,10:80 for each event")
]
Reason = Annotated[Text, Field(help="why, for the one who asks later")]


class RuleExists(Refused):
    """A second rule with the code of another."""

    code = "rule_exists"


class RulesOverlap(Refused):
    """Two rules that would pay for the same event on the same day."""

    code = "rules_overlap"


class WrongPeriod(Refused):
    """A rule that would end before it starts."""

    code = "wrong_period"


class NothingToAdjust(Refused):
    """An adjustment of nothing."""

    code = "nothing_to_adjust"


class NotOpener(Refused):
    """A dispute withdrawn by somebody who did not open it."""

    code = "not_opener"


class ClawbackSettled(Refused):
    """A reward of which a part has been taken back and settled."""

    code = "clawback_settled"


# -- rules -------------------------------------------------------------------------------------------------------------


@command(needs="reward_rules.edit")
def add(
    tx: Tx,
    *,
    code: Text,
    event: RuleEvent,
    kind: RuleKind,
    beneficiary: Annotated[Beneficiary, Field(help="who is rewarded")] = "referrer",
    amount: Amount = 0,
    rate: Rate = 0,
    base: RewardBase = "net",
    tiers: Tiers = "",
    tier_mode: TierMode = "marginal",
    tier_period: Annotated[TierPeriod, Field(help="how long tiers count before they start anew")] = "month",
    store_share: Annotated[Rate, Field(help="share of the reward that the store gets")] = 0,
    currency: Currency | None = None,
    cap_event: Annotated[Amount, Field(help="at most for one event")] | None = None,
    cap_person: Annotated[Amount, Field(help="at most for one referrer, ever")] | None = None,
    cap_month: Annotated[Amount, Field(help="at most for one referrer in a month")] | None = None,
    cap_quarter: Annotated[Amount, Field(help="at most for one referrer in a quarter")] | None = None,
    cap_year: Annotated[Amount, Field(help="at most for one referrer in a year")] | None = None,
    budget: Annotated[Amount, Field(help="at most for everybody together")] | None = None,
    hold_days: Annotated[Count, Field(help="0 to 90 days before a reward is due")] = 0,
    source: Text = "",
    category: Text = "",
    store: OnlyStore | None = None,
    referrer_kind: Text = "",
    effective_from: Day | None = None,
    effective_until: Annotated[Day, Field(help=UNTIL)] | None = None,
) -> RewardRule:
    """Write a reward rule as a draft; it pays once it is active.

    Raises:
        RuleExists: there is a rule of that code; revise it.
        BadTerms: tiers with gaps or overlaps, a rate or an amount that cannot be paid.
    """
    if tx.find_all(RewardRule, code=code):
        raise RuleExists("there is a rule {code} already", hint="Change it: bo reward-rules revise {code}", code=code)
    rule = RewardRule(
        code=code,
        version_code=f"{code}/1",
        event=event,
        kind=kind,
        beneficiary=beneficiary,
        amount=amount,
        rate=rate,
        base=base,
        tiers=tiers,
        tier_mode=tier_mode,
        tier_period=tier_period,
        store_share=store_share,
        currency=currency or tx.context.currency,
        cap_event=cap_event,
        cap_person=cap_person,
        cap_month=cap_month,
        cap_quarter=cap_quarter,
        cap_year=cap_year,
        budget=budget,
        hold_days=hold_days,
        source=source,
        category=category,
        store=store,
        referrer_kind=referrer_kind,
        effective_from=effective_from or today(tx),
        effective_until=effective_until,
        editors=(tx.actor.id,),
    )
    check_rule(terms_of(rule))
    return tx.add(rule)


@command(needs="reward_rules.edit", moves=DRAFT >> ACTIVE, confirm="many")
def activate(tx: Tx, rule: RewardRule) -> None:
    """Let a rule pay from its first day on.

    Raises:
        BadTerms: it could be read in two ways.
        RulesOverlap: another active rule pays for the same on one of its days.
    """
    check_rule(terms_of(rule))
    _require_alone(tx, rule)
    rule.editors = _with(rule.editors, tx.actor.id)


@command(needs="reward_rules.edit", moves=ACTIVE | DRAFT)
def revise(
    tx: Tx,
    rule: RewardRule,
    *,
    effective_from: Annotated[Day, Field(help="the first day of the new version; today if not said")] | None = None,
    amount: Amount | None = None,
    rate: Rate | None = None,
    base: RewardBase | None = None,
    tiers: Tiers | None = None,
    tier_mode: TierMode | None = None,
    tier_period: TierPeriod | None = None,
    store_share: Annotated[Rate, Field(help="0 for none")] | None = None,
    cap_event: Annotated[Amount, Field(help="0 for no cap")] | None = None,
    cap_person: Annotated[Amount, Field(help="0 for no cap")] | None = None,
    cap_month: Annotated[Amount, Field(help="0 for no cap")] | None = None,
    cap_quarter: Annotated[Amount, Field(help="0 for no cap")] | None = None,
    cap_year: Annotated[Amount, Field(help="0 for no cap")] | None = None,
    budget: Annotated[Amount, Field(help="0 for no budget")] | None = None,
    hold_days: Count | None = None,
    source: Text | None = None,
    category: Text | None = None,
    effective_until: Annotated[Day, Field(help=UNTIL)] | None = None,
) -> RewardRule:
    """Change a rule: a draft as it stands, an active one by a next version that follows on that day.

    What the present version has made stays as it is.

    Raises:
        WrongPeriod: the new version would not start after the present one does, or would leave a gap.
        BadTerms: it could be read in two ways.
        RulesOverlap: another active rule pays for the same.
    """
    made = rule if rule.state == DRAFT else _next_version(tx, rule, effective_from or today(tx))
    if effective_from is not None:
        made.effective_from = effective_from
    made.amount, made.rate, made.base = _or(amount, made.amount), _or(rate, made.rate), _or(base, made.base)
    made.tiers, made.tier_mode = _or(tiers, made.tiers), _or(tier_mode, made.tier_mode)
    made.tier_period, made.store_share = _or(tier_period, made.tier_period), _or(store_share, made.store_share)
    made.cap_event = _or(cap_event, made.cap_event) or None
    made.cap_person = _or(cap_person, made.cap_person) or None
    made.cap_month = _or(cap_month, made.cap_month) or None
    made.cap_quarter = _or(cap_quarter, made.cap_quarter) or None
    made.cap_year = _or(cap_year, made.cap_year) or None
    made.budget = _or(budget, made.budget) or None
    made.hold_days = _or(hold_days, made.hold_days)
    made.source, made.category = _or(source, made.source), _or(category, made.category)
    made.effective_until = effective_until or made.effective_until
    made.editors = _with(made.editors, tx.actor.id)
    check_rule(terms_of(made))
    if made.state == ACTIVE:
        _require_alone(tx, made)
    return made


def _next_version(tx: Tx, rule: RewardRule, start: date) -> RewardRule:
    """A copy that starts where the present version is made to end."""
    if start <= rule.effective_from or (rule.effective_until is not None and rule.effective_until < start):
        raise WrongPeriod(
            "{rule} counts from {start} on; a new version starts after that day and leaves no gap",
            hint="Give a later day with --effective-from, or write a new rule.",
            rule=rule.version_code,
            start=rule.effective_from.isoformat(),
        )
    version = max(item.version for item in tx.find_all(RewardRule, code=rule.code)) + 1
    made = replace(
        rule,
        id="",
        revision=0,
        created_at=EPOCH,
        version=version,
        version_code=f"{rule.code}/{version}",
        effective_from=start,
    )
    rule.effective_until = start
    return tx.add(made)


@command(needs="reward_rules.edit", moves=(DRAFT | ACTIVE) >> RETIRED, confirm="many")
def retire(tx: Tx, rule: RewardRule) -> None:
    """Stop a rule today: nothing is earned by it any more, and what was earned stays."""
    end = max(today(tx), rule.effective_from)
    rule.effective_until = min(end, rule.effective_until or end)
    rule.editors = _with(rule.editors, tx.actor.id)


def _require_alone(tx: Tx, rule: RewardRule) -> None:
    """No other active rule may pay for the same event, under the same conditions, on the same day."""
    for other in tx.find_all(RewardRule, event=rule.event):
        if (
            other.state == ACTIVE
            and other.id != rule.id
            and scope_of(rule) == scope_of(other)
            and _share_a_day(rule, other)
        ):
            raise RulesOverlap(
                "{other} pays for the same from {start} on",
                hint="Let one end before the other starts, or give one a narrower condition.",
                other=other.version_code,
                start=max(rule.effective_from, other.effective_from).isoformat(),
            )


def _share_a_day(rule: RewardRule, other: RewardRule) -> bool:
    return rule.effective_from < (other.effective_until or date.max) and other.effective_from < (
        rule.effective_until or date.max
    )


def _or(given: T | None, present: T) -> T:
    return present if given is None else given


# -- lines -------------------------------------------------------------------------------------------------------------


@command(needs="rewards.hold", moves=(HOLDING | DUE) >> HELD)
def hold(tx: Tx, line: RewardLine, *, reason: Reason) -> None:
    """Hold a reward line back, so that no settlement takes it; open clawbacks of it are held with it."""
    require_undisputed(tx, line)
    for item in put_aside(tx, line, HELD, reason):
        item.editors = _with(item.editors, tx.actor.id)


@command(needs="rewards.hold", moves=States((HELD,)))
def release(tx: Tx, line: RewardLine) -> None:
    """Let a held reward line go on: due, or holding while its day has not come. Who releases it does not approve it."""
    require_undisputed(tx, line)
    for item in bring_back(tx, line):
        item.editors = _with(item.editors, tx.actor.id)


@command(needs="rewards.void", moves=(HOLDING | DUE | HELD) >> VOID, confirm="always")
def void(tx: Tx, line: RewardLine, *, reason: Reason) -> None:
    """Make a reward line void: it is not paid. Open clawbacks of it become void with it.

    Raises:
        ClawbackSettled: a clawback of it is settled already; adjust instead.
        LineDisputed: it waits for the answer to a dispute.
    """
    require_undisputed(tx, line)
    if any(back.state in ("included", "paid") for back in tx.find_all(RewardLine, clawback_of=line.id)):
        raise ClawbackSettled("a clawback of this reward is settled already", hint="Correct it with bo rewards adjust.")
    for item in put_aside(tx, line, VOID, reason):
        item.editors = _with(item.editors, tx.actor.id)


@command(needs="rewards.adjust", confirm="always")
def adjust(
    tx: Tx, *, referrer: Referrer, amount: Amount, reason: Reason, currency: Currency | None = None
) -> RewardLine:
    """Add a line by hand, above or below zero. Who adds it does not approve the settlement that pays it.

    Raises:
        NothingToAdjust: the amount is zero.
    """
    _require_something(amount)
    return tx.add(
        RewardLine(
            referrer=referrer.id,
            kind="adjustment",
            state=DUE,
            amount=amount,
            currency=currency or tx.context.currency,
            cause=referrer.id,
            once=f"{tx.operation}:adjustment",
            earned_at=tx.now,
            due_on=today(tx),
            reason=reason,
            editors=(tx.actor.id,),
        )
    )


def _require_something(amount: int) -> None:
    if amount == 0:
        raise NothingToAdjust(
            "an adjustment of nothing changes nothing", hint="Give an amount, below zero to take back."
        )


@command(needs="rewards.mature")
def mature(tx: Tx) -> None:
    """Make every reward due whose holding time is over."""
    for line in tx.select(RewardLine, ("due_on", "<=", today(tx)), state=HOLDING, limit=MATURED_MOST):
        line.state = DUE


# -- disputes ----------------------------------------------------------------------------------------------------------


@command(needs="disputes.open", confirm="many")
def open_(tx: Tx, *, line: RewardLine, reason: Annotated[Note, Field(help="what is said to be wrong")]) -> Dispute:
    """Dispute a reward line: until it is decided no settlement takes it. The answer is due within five days.

    Raises:
        LineDisputed: it is disputed already.
    """
    require_undisputed(tx, line)
    disputing.freeze(line)
    due = today(tx) + timedelta(days=disputing.ANSWER_DAYS)
    return tx.add(Dispute(line=line.id, reason=reason, opened_by=tx.actor.id, due_on=due))


@command(needs="disputes.decide", moves=(OPEN | ESCALATED) >> UNDER_REVIEW, where="central")
def take(tx: Tx, dispute: Dispute) -> None:
    """Take a dispute to look at it and decide it.

    Raises:
        OwnDispute: you opened it, had it before, or had a hand in the line or its settlement.
    """
    disputing.require_free_to_decide(tx, dispute)
    dispute.reviewer, dispute.reviewers = tx.actor.id, _with(dispute.reviewers, tx.actor.id)


@command(needs="disputes.decide", moves=UNDER_REVIEW >> UPHELD, where="central", confirm="always")
def uphold(
    tx: Tx,
    dispute: Dispute,
    *,
    amount: Annotated[Amount, Field(help="what is added to make good; below zero to take back")],
    reason: Reason,
) -> None:
    """Decide that a dispute is right. A new line makes good; the disputed one is not edited and goes on.

    Raises:
        NotReviewer: somebody else has taken it.
        NothingToAdjust: the amount is zero.
    """
    disputing.require_reviewer(tx, dispute)
    _require_something(amount)
    line = disputing.decide(tx, dispute, reason)
    dispute.adjustment = disputing.make_good(tx, dispute, line, amount, reason).id


@command(needs="disputes.decide", moves=UNDER_REVIEW >> REJECTED, where="central")
def reject(tx: Tx, dispute: Dispute, *, reason: Reason) -> None:
    """Decide that a dispute is not right; the line goes on as it is.

    Raises:
        NotReviewer: somebody else has taken it.
    """
    disputing.require_reviewer(tx, dispute)
    disputing.decide(tx, dispute, reason)


@command(needs="disputes.open", moves=(OPEN | UNDER_REVIEW | ESCALATED) >> WITHDRAWN)
def withdraw(tx: Tx, dispute: Dispute, *, reason: Reason) -> None:
    """Take a dispute back; the line goes on as it is.

    Raises:
        NotOpener: somebody else opened it.
    """
    if dispute.opened_by != tx.actor.id:
        raise NotOpener(
            "only who opened a dispute withdraws it", hint="Decide it: bo disputes take {dispute}.", dispute=dispute.id
        )
    disputing.decide(tx, dispute, reason)


@command(needs="disputes.open", moves=(OPEN | UNDER_REVIEW) >> ESCALATED)
def escalate(tx: Tx, dispute: Dispute, *, reason: Reason) -> None:
    """Give a dispute to somebody who has not had it; the answer is due within five days from now."""
    dispute.reviewer, dispute.decision = "", reason
    dispute.due_on = today(tx) + timedelta(days=disputing.ANSWER_DAYS)


def _with(editors: tuple[str, ...], editor: str) -> tuple[str, ...]:
    return tuple(sorted({*editors, editor}))
