"""Reward rules, the lines they make, and disputes about those."""

from typing import Annotated

from bo.core.kernel.errors import Refused
from bo.core.kernel.kinds import (
    Amount,
    ChoiceKind,
    Count,
    Currency,
    Day,
    Facts,
    Field,
    Flag,
    Id,
    Moment,
    Note,
    Rate,
    RefKind,
    Tags,
    Text,
)
from bo.core.kernel.record import Record, State, record

RuleKind = Annotated[str, ChoiceKind("fixed", "percent", "tiers", "first_order")]
RuleEvent = Annotated[str, ChoiceKind("valid_lead", "visit", "won", "delivered")]
RewardBase = Annotated[str, ChoiceKind("gross", "net", "margin")]
TierMode = Annotated[str, ChoiceKind("marginal", "cliff")]
TierPeriod = Annotated[str, ChoiceKind("month", "quarter", "year", "ever")]
Beneficiary = Annotated[str, ChoiceKind("referrer", "store")]

DRAFT, ACTIVE, RETIRED = State("draft"), State("active"), State("retired")
RULE_STATES = (DRAFT, ACTIVE, RETIRED)
RuleState = Annotated[str, ChoiceKind(*RULE_STATES)]

OPEN, UNDER_REVIEW, ESCALATED = State("open"), State("under_review"), State("escalated")
UPHELD, REJECTED, WITHDRAWN = State("upheld"), State("rejected"), State("withdrawn")
DISPUTE_STATES = (OPEN, UNDER_REVIEW, ESCALATED, UPHELD, REJECTED, WITHDRAWN)
DisputeState = Annotated[str, ChoiceKind(*DISPUTE_STATES)]

HOLDING, DUE, INCLUDED, PAID, HELD, VOID = (
    State("holding"),
    State("due"),
    State("included"),
    State("paid"),
    State("held"),
    State("void"),
)
LINE_STATES = (HOLDING, DUE, INCLUDED, PAID, HELD, VOID)
LineState = Annotated[str, ChoiceKind(*LINE_STATES)]
LineKind = Annotated[str, ChoiceKind("reward", "clawback", "adjustment")]


class WrongSign(Refused):
    """A reward below zero, or a clawback above."""

    code = "wrong_sign"


class NotInSettlement(Refused):
    """A line whose state and settlement contradict each other."""

    code = "not_in_settlement"


@record(
    "reward_rules",
    prefix="rule",
    key=("code", "version_code"),
    states=RULE_STATES,
    columns=(
        "version_code",
        "state",
        "event",
        "kind",
        "amount",
        "rate",
        "base",
        "cap_event",
        "cap_person",
        "cap_month",
        "effective_from",
        "effective_until",
    ),
)
class RewardRule(Record, kw_only=True):
    """What is paid for which event. A change makes a new version; the lines keep the version that made them."""

    code: Annotated[Text, Field(lookup=True)]
    version: Count = 1
    version_code: Annotated[
        Text, Field(lookup=True, unique=True, label="rule", help="code and version, as VISIT/2")
    ] = ""
    state: RuleState = DRAFT
    event: Annotated[RuleEvent, Field(lookup=True)]
    beneficiary: Annotated[Beneficiary, Field(help="who is rewarded")] = "referrer"
    kind: RuleKind
    amount: Annotated[Amount, Field(help="for fixed and first order")] = 0
    rate: Annotated[Rate, Field(help="for percent")] = 0
    base: RewardBase = "net"
    tiers: Annotated[Text, Field(help="lower bound:value pairs, as 0:1%,10000:2%")] = ""
    tier_mode: TierMode = "marginal"
    tier_period: Annotated[TierPeriod, Field(help="how long tiers count before they start anew")] = "month"
    store_share: Annotated[Rate, Field(help="share of the reward that the store gets")] = 0
    currency: Currency
    cap_event: Annotated[Amount, Field(help="at most for one event")] | None = None
    cap_person: Annotated[Amount, Field(help="at most for one referrer, ever")] | None = None
    cap_month: Annotated[Amount, Field(help="at most for one referrer in a month")] | None = None
    cap_quarter: Annotated[Amount, Field(help="at most for one referrer in a quarter")] | None = None
    cap_year: Annotated[Amount, Field(help="at most for one referrer in a year")] | None = None
    budget: Annotated[Amount, Field(help="at most for the whole rule")] | None = None
    hold_days: Annotated[Count, Field(help="0 to 90 days before a line is due")] = 0
    source: Annotated[Text, Field(help="only leads of this source")] = ""
    category: Annotated[Text, Field(help="only leads of this category")] = ""
    store: Annotated[str, RefKind("stores")] | None = None
    referrer_kind: Text = ""
    effective_from: Day
    effective_until: Annotated[Day, Field(help="the first day on which it no longer counts")] | None = None
    editors: Annotated[
        Tags, Field(internal=True, help="who wrote this version: none of them approves what it pays")
    ] = ()

    def held_by(self) -> str:
        return "hq"


@record(
    "rewards",
    prefix="rwd",
    states=LINE_STATES,
    columns=(
        "referrer",
        "kind",
        "state",
        "amount",
        "currency",
        "event",
        "rule_code",
        "rule_version",
        "cause",
        "due_on",
        "reason",
    ),
)
class RewardLine(Record, kw_only=True):
    """What somebody has earned or must give back. Rule and inputs are frozen; a paid line never changes."""

    referrer: Annotated[str, RefKind("referrers"), Field(lookup=True)]
    kind: LineKind = "reward"
    state: LineState = HOLDING
    amount: Amount
    currency: Currency
    event: RuleEvent | None = None
    cause: Annotated[Id, Field(lookup=True, help="the record that earned it, such as a lead")]
    once: Annotated[
        Text, Field(lookup=True, unique=True, internal=True)
    ]  # cause, event and rule: an event is rewarded once
    rule: Annotated[str, RefKind("reward_rules"), Field(lookup=True)] | None = None
    rule_code: Text = ""
    rule_version: Count = 0
    inputs: Facts = {}
    base_amount: Amount = 0
    clawback_of: Annotated[str, RefKind("rewards"), Field(lookup=True)] | None = None
    reward_at: Annotated[Moment, Field(internal=True, help="when what is taken back was earned")] | None = None
    earned_at: Moment
    due_on: Annotated[Day, Field(index=True)]
    settlement: Annotated[str, RefKind("settlements"), Field(lookup=True)] | None = None
    payout: Annotated[str, RefKind("payouts"), Field(lookup=True)] | None = None
    reason: Annotated[Text, Field(help="why it is held or void")] = ""
    disputed: Flag = False
    editors: Annotated[Tags, Field(internal=True, help="who had a hand in it: none of them approves its payment")] = ()

    def held_by(self) -> str:
        return "hq"

    def check(self) -> None:
        if (self.kind == "reward" and self.amount < 0) or (
            self.kind == "clawback" and (self.amount >= 0 or self.clawback_of is None)
        ):
            raise WrongSign("a {kind} of {amount} has the wrong sign", kind=self.kind, amount=self.amount)
        if (self.state in ("included", "paid")) != (self.settlement is not None and self.payout is not None):
            raise NotInSettlement("a line is included or paid in a settlement, and nowhere else")


@record(
    "disputes",
    prefix="disp",
    states=DISPUTE_STATES,
    columns=("line", "state", "reason", "opened_by", "due_on", "reviewer", "decided_by", "decision", "adjustment"),
)
class Dispute(Record, kw_only=True):
    """Somebody contests one reward line. Who decides neither opened it nor had a hand in what is contested."""

    line: Annotated[str, RefKind("rewards"), Field(lookup=True, label="reward line")]
    state: DisputeState = OPEN
    reason: Annotated[Note, Field(help="what is said to be wrong")]
    opened_by: Text = ""
    due_on: Annotated[Day, Field(index=True, label="answer due")]
    reviewer: Annotated[Text, Field(help="who looks at it, and decides")] = ""
    reviewers: Annotated[Tags, Field(internal=True, help="everybody who has had it: none of them gets it again")] = ()
    decided_by: Text = ""
    decision: Annotated[Note, Field(help="why it was decided so")] = ""
    adjustment: Annotated[str, RefKind("rewards"), Field(help="the line that makes good")] | None = None

    def held_by(self) -> str:
        return "hq"
