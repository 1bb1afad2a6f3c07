"""A rule and its inputs as a reward line freezes them, and as they are read back to explain the line years later."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Final, cast

from bo.core.kernel.errors import Damaged
from bo.core.kernel.kinds import Primitive
from bo.core.rewards.records import RewardRule
from bo.core.rewards.rules import RewardInputs
from bo.core.rewards.terms import (
    Base,
    Beneficiary,
    Event,
    RuleKind,
    RuleTerms,
    Tier,
    TierMeasure,
    TierMode,
    TierPeriod,
    read_tiers,
)

SUMS: Final = (
    "gross", "net", "margin", "count_before", "base_before", "paid_person", "paid_month", "paid_quarter", "paid_year",
    "paid_all",
)  # fmt: skip
TERMS: Final = (
    "amount", "rate_bp", "store_share", "cap_event", "cap_person", "cap_month", "cap_quarter", "cap_year", "budget",
)  # fmt: skip
FORMER: Final = {"cap_period": "cap_month", "paid_period": "paid_month"}  # what older lines call it


def terms_of(rule: RewardRule, oldest: int = 0) -> RuleTerms:
    """The terms of a rule as the arithmetic takes them; `oldest` is its rank by age. Raises BadTerms or BadValue."""
    measure, tiers = _tiers(rule.kind, rule.tiers, rule.currency)
    return RuleTerms(
        rule_id=rule.id,
        version=rule.version,
        oldest=oldest,
        event=cast(Event, rule.event),
        beneficiary=cast(Beneficiary, rule.beneficiary),
        kind=cast(RuleKind, rule.kind),
        currency=rule.currency,
        amount=rule.amount,
        rate_bp=rule.rate,
        base=cast(Base, rule.base),
        tiers=tiers,
        tier_measure=measure,
        tier_mode=cast(TierMode, rule.tier_mode) if rule.kind == "tiers" else None,
        tier_period=cast(TierPeriod, rule.tier_period),
        cap_event=rule.cap_event,
        cap_person=rule.cap_person,
        cap_month=rule.cap_month,
        cap_quarter=rule.cap_quarter,
        cap_year=rule.cap_year,
        budget=rule.budget,
        effective_from=rule.effective_from,
        effective_until=rule.effective_until,
        holding_days=rule.hold_days,
        store_share=rule.store_share,
        sources=_only(rule.source),
        stores=_only(rule.store),
        categories=_only(rule.category),
        referrer_kinds=_only(rule.referrer_kind),
    )


def scope_of(rule: RewardRule) -> tuple[object, ...]:
    """What a rule pays for: of two rules with the same scope only one may be in force on a day."""
    conditions = (rule.source, rule.category, rule.store, rule.referrer_kind)
    return (rule.event, rule.beneficiary, rule.currency, rule.kind == "first_order", *conditions)


def ranked(rules: Iterable[RewardRule]) -> list[RuleTerms]:
    """Terms of rules, ranked by the age of their first versions: a revised rule does not become younger."""
    found = list(rules)
    first: dict[str, tuple[object, str]] = {}
    for rule in sorted(found, key=lambda rule: (rule.version, rule.created_at, rule.id)):
        first.setdefault(rule.code, (rule.created_at, rule.id))
    ranks = {code: rank for rank, (code, _age) in enumerate(sorted(first.items(), key=lambda item: str(item[1])))}
    return [terms_of(rule, ranks[rule.code]) for rule in found]


def freeze(rule: RewardRule, terms: RuleTerms, inputs: RewardInputs) -> dict[str, Primitive]:
    """Everything that the amount depends on, as names with values; what is zero or empty is left out."""
    facts: dict[str, Primitive] = {"kind": terms.kind, "base": terms.base, "from": rule.effective_from.isoformat()}
    for name in TERMS:
        facts[name] = getattr(terms, name)
    if terms.kind == "tiers":
        facts |= {"tiers": rule.tiers, "tier_mode": rule.tier_mode, "tier_period": rule.tier_period}
    if inputs.for_store:
        facts["part"] = "store"
    for name in SUMS:
        facts[name] = getattr(inputs, name)
    return {name: value for name, value in facts.items() if value not in (0, None, "")}


def thaw(facts: Mapping[str, Primitive], *, event: str, currency: str) -> tuple[RuleTerms, RewardInputs]:
    """Terms and inputs of a frozen line. Raises Damaged where they cannot be read."""
    facts = {FORMER.get(name, name): value for name, value in facts.items()}
    try:
        measure, tiers = _tiers(str(facts.get("kind")), str(facts.get("tiers", "")), currency)
        terms = RuleTerms(
            rule_id="",
            event=cast(Event, event),
            kind=cast(RuleKind, facts["kind"]),
            currency=currency,
            base=cast(Base, facts["base"]),
            tiers=tiers,
            tier_measure=measure,
            tier_mode=cast(TierMode, facts["tier_mode"]) if "tier_mode" in facts else None,
            effective_from=date.fromisoformat(str(facts["from"])),
        )
        caps = {name: _whole(facts.get(name)) for name in TERMS if name in facts}
        sums = {name: _whole(facts.get(name)) or 0 for name in SUMS}
        inputs = RewardInputs(currency=currency, for_store=facts.get("part") == "store", **sums)
        return replace(terms, **caps), inputs  # type: ignore[arg-type]
    except (KeyError, ValueError, TypeError) as error:
        raise Damaged("the frozen inputs of a reward cannot be read: {reason}", reason=str(error)) from None


def _tiers(kind: str, text: str, currency: str) -> tuple[TierMeasure, tuple[Tier, ...]]:
    return read_tiers(text, currency) if kind == "tiers" else ("count", ())


def _only(value: str | None) -> frozenset[str]:
    return frozenset((value,)) if value else frozenset()


def _whole(value: Primitive) -> int | None:
    return value if isinstance(value, int) else None
