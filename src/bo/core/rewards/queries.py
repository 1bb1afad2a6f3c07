"""Reading rewards: why a line is what it is, and who is owed how much."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from bo.core.kernel.amounts import format_amount
from bo.core.kernel.command import query
from bo.core.kernel.kinds import Amount, Count, Currency, Flag, Primitive, Text
from bo.core.kernel.reader import Reader
from bo.core.kernel.text import _
from bo.core.ledger.queries import SHOWN_MOST, require_whole_office
from bo.core.rewards.frozen import thaw
from bo.core.rewards.records import RewardLine
from bo.core.rewards.rules import CurrencyMismatch, compute
from bo.core.rewards.terms import show_rate

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement

NOUN: Final = "rewards"
COUNTED: Final = ("count_before", "hold_days")


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
    agrees: Flag


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
    """Why a reward line is what it is: rule, inputs and arithmetic, in words, computed again from what was frozen."""
    words, agrees = _arithmetic(line)
    said = [_heading(line), *words, *_what_became(read, line)]
    rule = f"{line.rule_code}/{line.rule_version}" if line.rule_code else ""
    inputs = tuple(
        Input(_(name.removesuffix("_bp").replace("_", " ")), _shown(name, value, line.currency))
        for name, value in line.inputs.items()
    )
    return Explanation(line.id, rule, line.amount, line.currency, line.state, tuple(said), inputs, agrees)


def _heading(line: RewardLine) -> str:
    facts = {"code": line.rule_code, "version": line.rule_version, "cause": line.cause}
    if line.kind == "adjustment":
        return _("adjusted by hand: {reason}", reason=line.reason)
    if line.kind == "clawback":
        return _("takes back part of {original}, by rule {code}, version {version}", **facts, original=line.clawback_of)
    return _("earned by {event} of {cause}, by rule {code}, version {version}", **facts, event=_(str(line.event)))


def _arithmetic(line: RewardLine) -> tuple[list[str], bool]:
    """The steps in the reader's language, and whether they still come to the line's amount."""
    if line.kind != "reward":
        return [line.arithmetic] if line.arithmetic else [], True
    terms, inputs = thaw(line.inputs, event=str(line.event), currency=line.currency)
    try:
        made = compute(terms, inputs)
    except CurrencyMismatch:
        return [line.arithmetic], False
    return [_(step.words, **step.facts) for step in made.arithmetic], made.amount_minor == line.amount


def _what_became(read: Reader, line: RewardLine) -> list[str]:
    said = []
    if line.state == "holding":
        said.append(_("held until {day}", day=line.due_on.isoformat()))
    elif line.state in ("held", "void") and line.kind != "adjustment":
        said.append(_("{state}: {reason}", state=_(line.state), reason=_(line.reason)))
    for back in read.records(RewardLine, f"clawback_of:{line.id} -state:void"):
        amount = f"{format_amount(-back.amount, back.currency)} {back.currency}"
        said.append(_("{amount} of it taken back on {day}", amount=amount, day=back.created_at.date().isoformat()))
    return said


def _shown(name: str, value: Primitive, currency: str) -> str:
    if name == "rate_bp" and isinstance(value, int):
        return show_rate(value)
    if isinstance(value, int) and not isinstance(value, bool) and name not in COUNTED:
        return f"{format_amount(value, currency)} {currency}"
    return "" if value is None else str(value)


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
