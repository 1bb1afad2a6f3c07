"""The terms of a reward rule, and what makes them a rule: no gaps, no overlaps, nothing that could be read in two ways.

Refuses when the rule is written, so that nobody finds out when somebody should be paid.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Final, Literal, TypeAlias
from unicodedata import normalize

from bo.core.kernel.amounts import parse_amount
from bo.core.kernel.errors import Refused

Event: TypeAlias = Literal["valid_lead", "visit", "won", "delivered"]
Beneficiary: TypeAlias = Literal["referrer", "store"]
RuleKind: TypeAlias = Literal["fixed", "percent", "tiers", "first_order"]
Base: TypeAlias = Literal["gross", "net", "margin"]
TierMode: TypeAlias = Literal["marginal", "cliff"]
TierMeasure: TypeAlias = Literal["count", "amount"]
TierPeriod: TypeAlias = Literal["month", "quarter", "year", "ever"]

WHOLE: Final = 10_000  # basis points
HOLDING_DAYS_MOST: Final = 90


class BadTerms(Refused):
    """A reward rule that cannot be computed without doubt."""

    code = "bad_reward_terms"


@dataclass(frozen=True, slots=True)
class Tier:
    """A total from `start` up to, and without, `until` (None: no end); a total of exactly `start` has reached it.

    With measure `count` totals are events, and `amount` is paid for each; with `amount` they are sums of the base in
    minor units, and `rate_bp` is paid on it. Marginal: the first `until` - `start` of the tier are paid by it. Cliff:
    the tier reached pays all.
    """

    start: int
    until: int | None = None
    amount: int = 0
    rate_bp: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTerms:
    """One version of a reward rule. Empty conditions take everything; caps and budget of None do not clamp."""

    rule_id: str
    version: int = 1
    oldest: int = 0  # the rule's place in the order of creation, for ties: smaller is older
    event: Event
    beneficiary: Beneficiary = "referrer"
    kind: RuleKind
    currency: str
    amount: int = 0
    rate_bp: int = 0
    base: Base = "net"
    tiers: tuple[Tier, ...] = ()
    tier_measure: TierMeasure = "count"
    tier_mode: TierMode | None = None
    tier_period: TierPeriod = "month"
    cap_event: int | None = None
    cap_person: int | None = None
    cap_month: int | None = None  # for one person in a calendar month, quarter, year
    cap_quarter: int | None = None
    cap_year: int | None = None
    budget: int | None = None  # for everybody together
    effective_from: date
    effective_until: date | None = None
    holding_days: int = 0
    store_share: int = 0  # of the reward, to the store, in basis points; the rest to the referrer
    sources: frozenset[str] = frozenset()
    stores: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    referrer_kinds: frozenset[str] = frozenset()


def check_rule(terms: RuleTerms) -> None:
    """Refuse terms that leave a doubt: when the rule is written, not when somebody should be paid.

    Raises:
        BadTerms: with the first thing that is wrong and how to write it.
    """
    _check_sums(terms)
    if terms.kind == "tiers":
        _check_tiers(terms)
    elif terms.tiers or terms.tier_mode:
        raise BadTerms("only a rule of kind tiers has tiers", hint="Leave the tiers out, or choose the kind tiers.")
    if terms.kind == "percent" and not 0 < terms.rate_bp <= WHOLE:
        raise BadTerms(
            "a rate of {rate} cannot be paid",
            hint="Give a rate above 0 % and up to 100 %.",
            rate=show_rate(terms.rate_bp),
        )
    if terms.kind in ("fixed", "first_order") and terms.amount <= 0:
        raise BadTerms("a rule of kind {kind} needs an amount above zero", hint="Give the amount.", kind=terms.kind)
    _check_fit(terms)


def _check_sums(terms: RuleTerms) -> None:
    for cap in (terms.cap_event, terms.cap_person, terms.cap_month, terms.cap_quarter, terms.cap_year, terms.budget):
        if cap is not None and cap <= 0:
            raise BadTerms("a cap or a budget has to be above zero", hint="Leave it empty for no limit.")
    if terms.effective_until is not None and terms.effective_until <= terms.effective_from:
        raise BadTerms(
            "the rule ends on {until}, before it is in force on {start}",
            hint="Give an end day after the first day; the end day itself no longer counts.",
            until=terms.effective_until.isoformat(),
            start=terms.effective_from.isoformat(),
        )
    if not 0 <= terms.holding_days <= HOLDING_DAYS_MOST:
        raise BadTerms("rewards are held for 0 to {most} days", hint="Give days within that.", most=HOLDING_DAYS_MOST)
    if not 0 <= terms.store_share < WHOLE:
        raise BadTerms(
            "the store's share of a reward is between 0 % and 100 %",
            hint="To reward the store alone, write a rule with --beneficiary store.",
        )
    if terms.store_share and terms.beneficiary == "store":
        raise BadTerms(
            "a rule that rewards the store has no share to give to it",
            hint="Leave the store share out, or reward the referrer.",
        )


def _check_fit(terms: RuleTerms) -> None:
    """Kind and event have to go together: a share of an order needs an order."""
    if terms.event == "valid_lead" and (terms.store_share or terms.beneficiary == "store"):
        raise BadTerms(
            "a lead becomes valid before it has a store", hint="Reward the store for the event visit, won or delivered."
        )
    if terms.event in ("valid_lead", "visit") and (
        terms.kind in ("percent", "first_order") or terms.tier_measure == "amount"
    ):
        raise BadTerms(
            "{event} has no order to take a share of",
            hint="Use the event won or delivered, or a fixed amount.",
            event=terms.event,
        )


def _check_tiers(terms: RuleTerms) -> None:
    if not terms.tiers:
        raise BadTerms("a rule of kind tiers needs tiers", hint="Give at least one, starting at 0.")
    if terms.tier_mode is None:
        raise BadTerms(
            "it is not said how tiers add up",
            hint="Say marginal (each slice pays its own tier) or cliff (all is paid as the highest tier reached).",
        )
    if terms.tiers[0].start != 0:
        raise BadTerms(
            "the first tier starts at {start}", hint="Let it start at 0; it may pay 0.", start=terms.tiers[0].start
        )
    for tier in terms.tiers:
        _check_tier(tier, terms)
    for lower, higher in pairwise(terms.tiers):
        _check_neighbours(lower, higher, terms)
    if terms.tiers[-1].until is not None:
        raise BadTerms(
            "nothing is said about what lies above {until}",
            hint="Leave the end of the last tier open.",
            until=terms.tiers[-1].until,
        )


def _check_tier(tier: Tier, terms: RuleTerms) -> None:
    if tier.until is not None and tier.until <= tier.start:
        raise BadTerms(
            "the tier from {start} to {until} is empty",
            hint="Let it end above its start.",
            start=tier.start,
            until=tier.until,
        )
    paid, other = (tier.amount, tier.rate_bp) if terms.tier_measure == "count" else (tier.rate_bp, tier.amount)
    if other or paid < 0 or (terms.tier_measure == "amount" and paid > WHOLE):
        raise BadTerms(
            "the tier from {start} does not pay what its measure asks for",
            hint="Tiers by count pay an amount for each event, tiers by amount a rate of 0 % to 100 %.",
            start=tier.start,
        )


def _check_neighbours(lower: Tier, higher: Tier, terms: RuleTerms) -> None:
    if lower.until is None or lower.until > higher.start:
        raise BadTerms(
            "two tiers overlap at {start}", hint="Let each tier end where the next one starts.", start=higher.start
        )
    if lower.until < higher.start:
        raise BadTerms(
            "no tier covers {until} to {start}",
            hint="Let each tier end where the next one starts.",
            until=lower.until,
            start=higher.start,
        )
    if terms.tier_mode == "cliff" and (higher.amount, higher.rate_bp) < (lower.amount, lower.rate_bp):
        raise BadTerms(
            "a cliff tier pays less from {start} on, and would take back what was earned",
            hint="Use marginal tiers, or let higher tiers pay at least as much.",
            start=higher.start,
        )


def read_tiers(text: str, currency: str) -> tuple[TierMeasure, tuple[Tier, ...]]:
    """Tiers as people write them: `0:1%,10000:2%` by amount in major units, `0:50,10:60` by count with an amount each.

    Each tier ends where the next one starts, so that what is written here has neither gaps nor overlaps.

    Raises:
        BadValue: a bound, amount or rate that cannot be read.
        BadTerms: not pairs, not rising, or rates and amounts mixed.
    """
    pairs = [pair.partition(":") for pair in normalize("NFKC", text).split(",")]
    if any(not (bound.strip() and colon and value.strip()) for bound, colon, value in pairs):
        raise BadTerms("{value} are no tiers", hint="Write pairs such as 0:1%,10000:2%.", value=text)
    by_amount = [value.strip().endswith("%") for _, _, value in pairs]
    if any(by_amount) and not all(by_amount):
        raise BadTerms("tiers pay either rates or amounts", hint="Write all of them with %, or none.")
    # A count is read as a currency without decimals, a percentage as one with two: basis points are its minor units.
    starts = [parse_amount(bound.strip(), currency if all(by_amount) else "JPY") for bound, _, _ in pairs]
    if any(start >= following for start, following in pairwise(starts)):
        raise BadTerms("the tiers do not rise", hint="Write the lower bounds in order, each once.")
    ends = [*starts[1:], None]
    if all(by_amount):
        rates = [parse_amount(value.strip().removesuffix("%"), "CNY", ".") for _, _, value in pairs]
        return "amount", tuple(Tier(*each[:2], rate_bp=each[2]) for each in zip(starts, ends, rates, strict=True))
    amounts = [parse_amount(value.strip(), currency) for _, _, value in pairs]
    return "count", tuple(Tier(*each) for each in zip(starts, ends, amounts, strict=True))


def show_rate(rate_bp: int) -> str:
    """Basis points as percent: 500 is `5 %`, 250 is `2.5 %`."""
    whole, part = divmod(rate_bp, 100)
    return f"{whole}.{part:02d}".rstrip("0").rstrip(".") + " %" if part else f"{whole} %"
