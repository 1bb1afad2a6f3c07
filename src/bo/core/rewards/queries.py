"""Reading rewards: why a line is what it is, and who is owed how much."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Final

from msgspec import Struct

from bo.core.kernel.amounts import money
from bo.core.kernel.command import query
from bo.core.kernel.kinds import Amount, Count, Currency, Day, Field, Flag, PersonName, Primitive, Text
from bo.core.kernel.reader import Reader
from bo.core.kernel.text import _
from bo.core.ledger.days import day_of
from bo.core.ledger.queries import SHOWN_MOST, require_whole_office
from bo.core.rewards.chain import Link, links
from bo.core.rewards.records import Dispute, RewardLine
from bo.core.rewards.simulating import Compared, simulate
from bo.core.rewards.terms import show_rate
from bo.core.rewards.words import computed_again, words_of

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement

NOUN: Final = "rewards"
COUNTED: Final = ("count_before",)
RATES: Final = ("rate_bp", "store_share")
CHOICES: Final = ("kind", "base", "part", "tier_mode", "tier_period")  # words of ours
# Message ids.
EVENTS: Final = {
    "valid_lead": "a valid lead",
    "visit": "a visit to the store",
    "won": "an order",
    "delivered": "a delivered order",
}
INPUTS: Final = {
    "kind": "kind of rule",
    "base": "base of the share",
    "from": "in force from",
    "amount": "amount for each",
    "rate_bp": "rate",
    "store_share": "share of the store",
    "part": "whose part",
    "tiers": "tiers",
    "tier_mode": "how tiers add up",
    "tier_period": "how long tiers count",
    "cap_event": "cap for one event",
    "cap_person": "cap for one person",
    "cap_period": "cap for one month",
    "cap_month": "cap for one month",
    "cap_quarter": "cap for one quarter",
    "cap_year": "cap for one year",
    "budget": "budget of the rule",
    "gross": "gross amount of the order",
    "net": "net of tax and shipping",
    "margin": "margin of the order",
    "count_before": "events before in this period",
    "base_before": "sum of the base before in this period",
    "paid_person": "given to this person before",
    "paid_period": "given in this month before",
    "paid_month": "given in this month before",
    "paid_quarter": "given in this quarter before",
    "paid_year": "given in this year before",
    "paid_all": "given to everybody before",
    "original": "reward that is taken back",
    "refunded": "refunded so far",
    "of": "refunded of a whole of",
    "taken_before": "taken back before",
    "customer": "customer",
    "order": "order",
    "source": "source",
    "category": "category",
    "dispute": "dispute",
    "line": "reward line",
}


class Input(Struct, frozen=True):
    """One value that the amount was computed from, as it was then."""

    name: Text
    value: Text


class Explanation(Struct, frozen=True):
    """Why a line is what it is. `agrees`: computing it again from what is frozen on it comes to the same amount."""

    line: Text
    rule: Text
    amount: Amount
    currency: Currency
    state: Text
    words: tuple[str, ...]
    inputs: tuple[Input, ...]
    chain: tuple[Link, ...]
    agrees: Flag


class Simulated(Struct, frozen=True):
    """What one payee would have got by a rule, and got; the last row is the sum of all."""

    referrer: Text
    name: PersonName
    currency: Currency
    events: Count
    simulated: Amount
    paid: Amount
    difference: Amount


class PayeeDue(Struct, frozen=True):
    """What one referrer is owed in one currency, by how far it is."""

    referrer: Text
    name: Text
    currency: Currency
    due: Amount
    holding: Amount
    held: Amount
    included: Amount
    lines: Count


@query(needs="rewards.read")
def explain(read: Reader, line: RewardLine) -> Explanation:
    """Why a reward line is what it is: rule, inputs and arithmetic, in words, computed again from what was frozen; and
    the way from the lead to the bank."""
    said = [_heading(line), *words_of(line), *_what_became(read, line)]
    rule = f"{line.rule_code}/{line.rule_version}" if line.rule_code else ""
    inputs = tuple(
        Input(_(INPUTS.get(name, name.replace("_", " "))), _shown(name, value, line.currency))
        for name, value in line.inputs.items()
    )
    chain = tuple(links(read, line))
    agrees = line.kind != "reward" or computed_again(line).amount_minor == line.amount
    return Explanation(line.id, rule, line.amount, line.currency, line.state, tuple(said), inputs, chain, agrees)


def _heading(line: RewardLine) -> str:
    facts = {"code": line.rule_code, "version": line.rule_version, "cause": line.cause}
    if "dispute" in line.inputs:
        return _("makes good what was disputed in {line}: {reason}", line=line.inputs["line"], reason=line.reason)
    if line.kind == "adjustment":
        return _("adjusted by hand: {reason}", reason=line.reason)
    if line.kind == "clawback":
        return _("takes back part of {original}, by rule {code}, version {version}", **facts, original=line.clawback_of)
    return _(
        "earned by {event} of {cause}, by rule {code}, version {version}", **facts, event=_(EVENTS[str(line.event)])
    )


def _what_became(read: Reader, line: RewardLine) -> list[str]:
    said = []
    if line.state == "holding":
        said.append(_("held until {day}", day=line.due_on.isoformat()))
    elif line.state in ("held", "void") and line.kind != "adjustment":
        said.append(_("{state}: {reason}", state=_(line.state), reason=_(line.reason)))
    for back in read.records(RewardLine, f"clawback_of:{line.id} -state:void sort:created_at"):
        amount, day = money(-back.amount, back.currency), day_of(back.earned_at, read.context.zone).isoformat()
        said += [_("{amount} of it taken back on {day}: {words}", amount=amount, day=day, words=words_of(back)[0])]
    for dispute in read.records(Dispute, f"line:{line.id} sort:created_at") if read.actor.may("disputes.read") else ():
        state = _(dispute.state.replace("_", " "))
        said += [_("disputed: {reason} ({state})", reason=dispute.reason, state=state)]
    return said


def _shown(name: str, value: Primitive, currency: str) -> str:
    if name in RATES and isinstance(value, int):
        return show_rate(value)
    if isinstance(value, int) and not isinstance(value, bool) and name not in COUNTED:
        return money(value, currency)
    return "" if value is None else _(str(value)) if name in CHOICES else str(value)


@query(needs="rewards.read")
def simulate_(
    read: Reader,
    *,
    rule: Annotated[Text, Field(help="a rule, active or draft: VISIT, or a version of it: VISIT/2")],
    since: Annotated[Day, Field(help="events of this day and later")] | None = None,
    until: Annotated[Day, Field(help="events before this day")] | None = None,
) -> list[Simulated]:
    """What a rule would have paid on past leads, against what was paid for the same events: for each payee and in all.
    Writes nothing.

    The rule is taken as if it had been in force on every day, beside the other rules of today. Caps, budgets and tiers
    begin at nothing; what was refunded since is taken off.
    """
    require_whole_office(read)
    made = simulate(read, rule, since, until)
    known = {key: (code, name) for key, code, name in _payees(read)}
    currency = made.terms.currency
    rows = [_compared(*known.get(key, (key, "")), currency, sums) for key, sums in made.payees.items()]
    rows.sort(key=lambda row: (-abs(row.difference), row.referrer))
    total = Compared(*(sum(getattr(row, name) for row in rows) for name in ("events", "simulated", "paid")))
    return [*rows, _compared("", _("in all"), currency, total)]


def _compared(code: str, name: str, currency: str, sums: Compared) -> Simulated:
    return Simulated(code, name, currency, sums.events, sums.simulated, sums.paid, sums.simulated - sums.paid)


def _payees(read: Reader) -> Iterator[tuple[str, str, str]]:
    """Id, code and name of everybody who can be paid, and of the stores that nobody is registered for yet."""
    for noun in ("referrers", "stores"):
        _fields, batches = read.stream(noun, fields=("id", "code", "name"))
        yield from ((str(key), str(code), str(name)) for batch in batches for key, code, name in batch)


@query(needs="rewards.read")
def due(read: Reader, *, currency: Currency | None = None) -> list[PayeeDue]:
    """What each referrer is owed and not paid yet, the largest sum first."""
    require_whole_office(read)
    rows = read.rows(f"rewards:due:{bool(currency)}", lambda: _due(bool(currency)), currency=currency, most=SHOWN_MOST)
    return [
        PayeeDue(str(code), str(name), str(money), *(int(item) for item in sums)) for code, name, money, *sums in rows
    ]


def _due(in_one_currency: bool) -> ClauseElement:
    import sqlalchemy as sa

    from bo.core.kernel.record import info_of
    from bo.core.kernel.tables import table
    from bo.core.referrers.records import Referrer

    line, referrer = table(info_of(RewardLine)), table(info_of(Referrer))

    def summed(state: str) -> Any:
        is_so = line.c.state == state
        return sa.func.coalesce(sa.func.sum(line.c.amount).filter(is_so), 0)

    states = ("due", "holding", "held", "included")
    wanted: list[Any] = [sa.or_(*(line.c.state == state for state in states))]
    if in_one_currency:
        wanted.append(line.c.currency == sa.bindparam("currency"))
    return (
        sa.select(
            referrer.c.code, referrer.c.name, line.c.currency, *(summed(state) for state in states), sa.func.count()
        )
        .join(referrer, referrer.c.id == line.c.referrer)
        .where(*wanted)
        .group_by(referrer.c.code, referrer.c.name, line.c.currency)
        .order_by(summed("due").desc(), referrer.c.code, line.c.currency)
        .limit(sa.bindparam("most"))
    )
