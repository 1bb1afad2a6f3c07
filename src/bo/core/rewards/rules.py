"""What a reward comes to: which rule applies, the sum with its arithmetic in words, caps, splits and clawbacks.

Pure: every sum is an integer of minor units, every ratio an integer of basis points (1/10000). A fraction of a minor
unit is rounded half to even, once, at the end of a computation (ROUNDING). Periods and effective days are half-open:
from a day up to, and without, another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from bo.core.kernel.amounts import format_amount
from bo.core.kernel.errors import Refused, fill
from bo.core.rewards.terms import WHOLE, BadTerms, Base, Beneficiary, Event, RuleTerms, TierMeasure, TierMode, show_rate
from bo.core.rewards.terms import Tier as Tier
from bo.core.rewards.terms import check_rule as check_rule

Cap: TypeAlias = Literal["", "event", "person", "month", "quarter", "year", "budget"]
Limit: TypeAlias = tuple[Cap, int | None, int]  # the cap, its sum if there is one, what was given of it before

ROUNDING: Final = "half_even"


class CurrencyMismatch(Refused):
    """A rule pays in one currency and its base is in another."""

    code = "currency_mismatch"


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardFacts:
    """What a rule is chosen by."""

    event: Event
    day: date
    beneficiary: Beneficiary = "referrer"
    source: str = ""
    store: str = ""
    category: str = ""
    referrer_kind: str = ""
    first_order: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardInputs:
    """What a reward is computed from, frozen on its line. Sums are minor units of `currency`.

    `count_before` and `base_before` are what the person reached in the tier period before this event; `paid_*` what
    this rule has given already: to the person ever, in this month, quarter and year, and to everybody. `for_store`: the
    store's share of the reward is asked for, and not the referrer's.
    """

    currency: str
    gross: int = 0
    net: int = 0
    margin: int = 0
    count_before: int = 0
    base_before: int = 0
    paid_person: int = 0
    paid_month: int = 0
    paid_quarter: int = 0
    paid_year: int = 0
    paid_all: int = 0
    for_store: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the arithmetic: an English template (a message id) and its facts."""

    words: str
    facts: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return fill(self.words, dict(self.facts))


@dataclass(frozen=True, slots=True)
class Computation:
    """A reward with its arithmetic in words. `capped_by` names the cap that was the tightest, or nothing."""

    amount_minor: int
    arithmetic: tuple[Step, ...]
    capped_by: Cap = ""


# --- Which rule ------------------------------------------------------------------------------------------------------


def choose_rule(rules: Iterable[RuleTerms], facts: RewardFacts) -> RuleTerms | None:
    """The most specific rule that applies; of equals the oldest. First-order bonuses are chosen by choose_bonus."""
    return _most_specific(terms for terms in rules if terms.kind != "first_order" and applies(terms, facts))


def choose_bonus(rules: Iterable[RuleTerms], facts: RewardFacts) -> RuleTerms | None:
    """The most specific first-order bonus, which is paid beside the rule of choose_rule."""
    return _most_specific(terms for terms in rules if terms.kind == "first_order" and applies(terms, facts))


def applies(terms: RuleTerms, facts: RewardFacts) -> bool:
    """Whether the rule is in force on that day and all its conditions hold."""
    return (
        terms.event == facts.event
        and terms.beneficiary == facts.beneficiary
        and terms.effective_from <= facts.day
        and (terms.effective_until is None or facts.day < terms.effective_until)
        and (terms.kind != "first_order" or facts.first_order)
        and all(not allowed or value in allowed for allowed, value in _conditions(terms, facts))
    )


def specificity(terms: RuleTerms) -> int:
    """How many conditions the rule names."""
    return sum(bool(named) for named in (terms.sources, terms.stores, terms.categories, terms.referrer_kinds))


def _conditions(terms: RuleTerms, facts: RewardFacts) -> tuple[tuple[frozenset[str], str], ...]:
    return (
        (terms.sources, facts.source),
        (terms.stores, facts.store),
        (terms.categories, facts.category),
        (terms.referrer_kinds, facts.referrer_kind),
    )


def _most_specific(rules: Iterable[RuleTerms]) -> RuleTerms | None:
    return min(rules, key=lambda terms: (-specificity(terms), terms.oldest, terms.rule_id), default=None)


# --- How much --------------------------------------------------------------------------------------------------------


def compute(terms: RuleTerms, inputs: RewardInputs) -> Computation:
    """The reward of one event under one rule: for the referrer, or the store's share of it.

    Tiers pay what the total after the event earns, less what the total before it earned: with `cliff` the event that
    reaches a tier therefore also lifts what came before it in the period. A base below zero earns nothing. The caps of
    the event and the budget clamp the whole reward; then it is split; the caps of a person clamp what that person gets.

    Raises:
        CurrencyMismatch: the base is in another currency than the rule.
    """
    if inputs.currency != terms.currency:
        raise CurrencyMismatch(
            "the rule pays in {rule_currency}, the base is in {currency}",
            hint="Make a rule for {currency}.",
            rule_currency=terms.currency,
            currency=inputs.currency,
        )
    earned, step = _EARNINGS[terms.kind](terms, inputs)
    whole, steps, capped_by = _clamp(
        earned, terms, (("event", terms.cap_event, 0), ("budget", terms.budget, inputs.paid_all))
    )
    if not terms.store_share:
        amount, more, tighter = _clamp(whole, terms, _personal(terms, inputs))
        return Computation(amount, (step, *steps, *more), tighter or capped_by)
    kept, given_away = split_reward(whole, terms.store_share)
    parts: dict[str, object] = {"share": show_rate(terms.store_share), "whole": _money(whole, terms)}
    if inputs.for_store:
        shared = Step("the store's share, {share} of {whole}: {part}", {**parts, "part": _money(given_away, terms)})
        return Computation(given_away, (step, *steps, shared), capped_by)
    shared = Step("{share} of {whole} is the store's; the rest: {part}", {**parts, "part": _money(kept, terms)})
    amount, more, tighter = _clamp(kept, terms, _personal(terms, inputs))
    return Computation(amount, (step, *steps, shared, *more), tighter or capped_by)


def _personal(terms: RuleTerms, inputs: RewardInputs) -> tuple[Limit, ...]:
    """The caps of what one person gets."""
    return (
        ("person", terms.cap_person, inputs.paid_person),
        ("month", terms.cap_month, inputs.paid_month),
        ("quarter", terms.cap_quarter, inputs.paid_quarter),
        ("year", terms.cap_year, inputs.paid_year),
    )


def base_of(terms: RuleTerms, inputs: RewardInputs) -> int:
    """The base that the rule names: gross; net of tax and shipping; margin. Never below zero."""
    chosen = {"gross": inputs.gross, "net": inputs.net, "margin": inputs.margin}[terms.base]
    return max(0, chosen)


def _fixed(terms: RuleTerms, inputs: RewardInputs) -> tuple[int, Step]:
    words = "{amount} for the first order" if terms.kind == "first_order" else _FIXED_WORDS[terms.event]
    return terms.amount, Step(words, {"amount": _money(terms.amount, terms)})


def _percent(terms: RuleTerms, inputs: RewardInputs) -> tuple[int, Step]:
    base = base_of(terms, inputs)
    earned = divide_half_even(base * terms.rate_bp, WHOLE)
    facts = {"rate": show_rate(terms.rate_bp), "base": _money(base, terms), "earned": _money(earned, terms)}
    return earned, Step(_PERCENT_WORDS[terms.base], facts)


def _tiered(terms: RuleTerms, inputs: RewardInputs) -> tuple[int, Step]:
    if terms.tier_measure == "count":
        before, after = inputs.count_before, inputs.count_before + 1
        reached: dict[str, object] = {"before": before, "after": after}
    else:
        before, after = inputs.base_before, inputs.base_before + base_of(terms, inputs)
        reached = {"before": _money(before, terms), "after": _money(after, terms)}
    earned_before, earned_after = earned_by(terms, before), earned_by(terms, after)
    sums: dict[str, object] = {
        "earned_after": _money(earned_after, terms),
        "earned_before": _money(earned_before, terms),
        "earned": _money(earned_after - earned_before, terms),
    }
    words = _TIER_WORDS[terms.tier_mode or "marginal", terms.tier_measure]
    return earned_after - earned_before, Step(words, reached | sums)


_EARNINGS: Final = MappingProxyType({"fixed": _fixed, "first_order": _fixed, "percent": _percent, "tiers": _tiered})


def earned_by(terms: RuleTerms, total: int) -> int:
    """What a whole period's total earns under tiers: slice by slice (marginal), or all by the tier reached (cliff)."""
    if terms.tier_mode == "cliff":
        tier = next((tier for tier in reversed(terms.tiers) if tier.start <= total), None)
        parts = [(tier, total)] if tier else []
    else:
        parts = [(tier, min(total, _end(tier, total)) - tier.start) for tier in terms.tiers if tier.start < total]
    if terms.tier_measure == "count":
        return sum(tier.amount * size for tier, size in parts)
    return divide_half_even(sum(tier.rate_bp * size for tier, size in parts), WHOLE)


def _end(tier: Tier, total: int) -> int:
    return total if tier.until is None else tier.until


def _clamp(earned: int, terms: RuleTerms, limits: tuple[Limit, ...]) -> tuple[int, list[Step], Cap]:
    """The reward below these caps, the tightest of them, and a step for each that took something away."""
    amount, steps = earned, list[Step]()
    capped_by: Cap = ""
    for name, cap, paid in limits:
        if cap is None:
            continue
        left = max(0, cap - paid)
        if amount > left:
            amount, capped_by = left, name
            facts = {"cap": _money(cap, terms), "paid": _money(paid, terms), "left": _money(left, terms)}
            steps.append(Step(_CAP_WORDS[name], facts))
    return amount, steps, capped_by


# Message ids, written out whole so that they can be translated.
_FIXED_WORDS: Final[Mapping[Event, str]] = {
    "valid_lead": "{amount} for a valid lead",
    "visit": "{amount} for a visit",
    "won": "{amount} for an order",
    "delivered": "{amount} for a delivered order",
}
_PERCENT_WORDS: Final[Mapping[Base, str]] = {
    "gross": "{rate} of {base} gross = {earned}",
    "net": "{rate} of {base} net of tax and shipping = {earned}",
    "margin": "{rate} of {base} margin = {earned}",
}
_TIER_WORDS: Final[Mapping[tuple[TierMode, TierMeasure], str]] = {
    (
        "marginal",
        "count",
    ): "slice by slice, from {before} events to {after}: {earned_after} less {earned_before} = {earned}",
    ("marginal", "amount"): "slice by slice, from {before} to {after}: {earned_after} less {earned_before} = {earned}",
    (
        "cliff",
        "count",
    ): "all at one tier, from {before} events to {after}: {earned_after} less {earned_before} = {earned}",
    ("cliff", "amount"): "all at one tier, from {before} to {after}: {earned_after} less {earned_before} = {earned}",
}
_CAP_WORDS: Final[Mapping[Cap, str]] = {
    "event": "at most {cap} for one event: {left}",
    "person": "at most {cap} for one person, {paid} given before: {left}",
    "month": "at most {cap} for one person in a month, {paid} given before: {left}",
    "quarter": "at most {cap} for one person in a quarter, {paid} given before: {left}",
    "year": "at most {cap} for one person in a year, {paid} given before: {left}",
    "budget": "the budget is {cap}, {paid} of it given before: {left}",
}


# --- Splits and clawbacks --------------------------------------------------------------------------------------------


def split_reward(amount: int, store_share: int) -> tuple[int, int]:
    """A reward divided between referrer and store; nothing is lost or added."""
    referrer, store = split_largest_remainder(amount, (WHOLE - store_share, store_share))
    return referrer, store


def split_largest_remainder(total: int, weights: Sequence[int]) -> list[int]:
    """Divide minor units in proportion to weights so that the parts add up to the total exactly.

    Units that are left over go to the largest remainders, ties to the earlier part. A negative total is divided as
    its positive mirror.

    Raises:
        BadTerms: no weight, a negative one, or all of them zero.
    """
    whole = sum(weights)
    if whole <= 0 or min(weights) < 0:
        raise BadTerms(
            "there is nothing to divide by", hint="Give weights that are not negative, one of them above zero."
        )
    sign, size = (-1, -total) if total < 0 else (1, total)
    parts = [size * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda place: (-(size * weights[place] % whole), place))
    for place in by_remainder[: size - sum(parts)]:
        parts[place] += 1
    return [sign * part for part in parts]


def clawback(original: int, refunded_base: int, original_base: int, already_clawed: int) -> int:
    """How much more to claw back of a reward after a refund, zero or above.

    `refunded_base` is all that was refunded so far, this refund included, so that many partial refunds together take
    exactly what one whole refund would, and never more than the reward. A reward without a base (a fixed one, or an
    order of nothing) goes back whole with any reversal.

    Raises:
        BadTerms: a negative sum.
    """
    if min(original, refunded_base, original_base, already_clawed) < 0:
        raise BadTerms("a clawback needs sums that are not negative", hint="Give the whole sums, without signs.")
    if original_base == 0 or refunded_base >= original_base:
        target = original
    else:
        target = divide_half_even(original * refunded_base, original_base)
    return max(0, min(target, original) - already_clawed)


def divide_half_even(numerator: int, denominator: int) -> int:
    """An integer quotient, a half rounded to the even neighbour. The denominator is above zero."""
    quotient, remainder = divmod(numerator, denominator)
    twice = 2 * remainder
    if twice > denominator or (twice == denominator and quotient % 2):
        quotient += 1
    return quotient


@dataclass(frozen=True, slots=True)
class Money:
    """A sum that is written out only where somebody reads it: most computations are not read."""

    minor: int
    currency: str

    def __str__(self) -> str:
        return f"{format_amount(self.minor, self.currency)} {self.currency}"


def _money(minor: int, terms: RuleTerms) -> Money:
    return Money(minor, terms.currency)
