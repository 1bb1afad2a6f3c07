"""What the screens of settlement show: who is paid what and why, what a run would make, and what an approval binds.

Reads only, but for the dry runs, which leave nothing behind. Amounts arrive as texts, as people read them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from bo.core.kernel.amounts import format_amount
from bo.core.kernel.text import _
from bo.tui.words import error_words

if TYPE_CHECKING:
    from bo.core.kernel.dispatch import Call
    from bo.core.kernel.reader import Reader
    from bo.core.kernel.workspace import Workspace
    from bo.core.rewards.records import RewardLine
    from bo.core.settlement.records import Payout, Settlement

NOUN: Final = "settlements"
PAYOUTS_SHOWN, LINES_SHOWN, NAMED_MOST = 2_000, 500, 200
ACCOUNT_END: Final = 4
PAID_BEFORE: Final = "sent,paid"


class PayoutRow(Struct, frozen=True):
    """One payee of a settlement. `gross` is before tax, `net` what the bank pays, in minor units `amount`; `why` is why
    it is held."""

    id: str
    payee: str
    holder: str
    state: str
    lines: int
    gross: str
    tax: str
    net: str
    amount: int
    account: str
    why: str


class LineRow(Struct, frozen=True):
    """One reward line of a payee, with the arithmetic that it came by."""

    id: str
    day: str
    kind: str
    rule: str
    amount: str
    words: str
    disputed: bool


class Sheet(Struct, frozen=True):
    """A settlement with its payouts: those that are paid first, then those that are held."""

    id: str
    number: str
    state: str
    period: str
    currency: str
    total: str
    tax: str
    net: str
    payees: int
    lines: int
    note: str
    payouts: tuple[PayoutRow, ...]

    @property
    def held(self) -> list[PayoutRow]:
        return [row for row in self.payouts if row.state == "held"]


class Moved(Struct, frozen=True):
    """A payee whose money goes elsewhere than it went the last time; `before` is empty for the first payment."""

    payee: str
    before: str
    now: str


class Approval(Struct, frozen=True):
    """All that an approval says yes to. `hash` binds it; `refusal` is why it cannot be given, `factor` whether a code
    of the operator's second factor is wanted."""

    sheet: Sheet
    hash: str
    made_by: str
    submitted_by: str
    given: int
    needed: int
    moved: tuple[Moved, ...]
    disputes: str
    broken: str
    refusal: str
    factor: bool
    to_type: str


def grouped(minor: int, currency: str) -> str:
    """An amount with its thousands apart: `-1,234.50`."""
    whole, dot, rest = format_amount(abs(minor), currency).partition(".")
    return f"{'-' if minor < 0 else ''}{int(whole):,}{dot}{rest}"


# -- a settlement ------------------------------------------------------------------------------------------------------


def sheet(workspace: Workspace, settlement_id: str) -> Sheet:
    """Raises NotAllowed, NotFound."""
    return _sheet(workspace.reader(), settlement_id)


def _sheet(reader: Reader, settlement_id: str) -> Sheet:
    from bo.core.settlement.making import period_of_settlement
    from bo.core.settlement.records import Payout, Settlement

    reader.require("settlements.read")
    reader.require("payouts.read")
    made = reader.get(Settlement, settlement_id)
    payouts = reader.records(Payout, f"settlement:{made.id} sort:payee_code", limit=PAYOUTS_SHOWN)
    payouts.sort(key=lambda item: item.state == "held")
    money = made.currency
    return Sheet(
        made.id, made.number, made.state, period_of_settlement(made).label, money, grouped(made.total, money),
        grouped(made.tax, money), grouped(made.total - made.tax, money), made.payees, made.lines, made.note,
        tuple(_row(item) for item in payouts),
    )  # fmt: skip


def _row(item: Payout) -> PayoutRow:
    why = _(item.reason) if item.reason else ""
    return PayoutRow(
        item.id, item.payee_code, item.holder, item.state, item.lines, grouped(item.gross, item.currency),
        grouped(item.tax, item.currency), grouped(item.amount, item.currency), item.amount, end_of(item.account), why,
    )  # fmt: skip


def end_of(account: str) -> str:
    """The end of an account's number, enough to know it by."""
    return f"*{account[-ACCOUNT_END:]}" if account else ""


def lines_of(workspace: Workspace, payout_id: str) -> list[LineRow]:
    """The lines that a payout pays; of a held one those that wait. Raises NotAllowed, NotFound."""
    from bo.core.rewards.records import RewardLine
    from bo.core.settlement.records import Payout

    reader = workspace.reader()
    reader.require("rewards.read")
    payout = reader.get(Payout, payout_id)
    wanted = f"payout:{payout.id}"
    if payout.state == "held":
        wanted = f"referrer:{payout.referrer} currency:{payout.currency} state:due,holding,held"
    found = reader.records(RewardLine, f"{wanted} sort:earned_at", limit=LINES_SHOWN)
    return [_line(line, reader) for line in found]


def _line(line: RewardLine, reader: Reader) -> LineRow:
    from bo.core.ledger.days import day_of
    from bo.core.rewards.words import words_of

    rule = f"{line.rule_code}/{line.rule_version}" if line.rule_code else ""
    return LineRow(
        line.id, day_of(line.earned_at, reader.context.zone).isoformat(), _(str(line.kind)), rule,
        grouped(line.amount, line.currency), "; ".join(words_of(line)), line.disputed,
    )  # fmt: skip


def settlement_of(workspace: Workspace, payout_id: str) -> str:
    """The settlement that a payout is in. Raises NotAllowed, NotFound."""
    from bo.core.settlement.records import Payout

    return workspace.reader().get(Payout, payout_id).settlement


# -- before it is made -------------------------------------------------------------------------------------------------


def forecast(workspace: Workspace, arguments: Mapping[str, str]) -> Sheet:
    """The settlement that a run would make, which is thrown away again. Raises what the run refuses."""
    from bo.core.kernel.dispatch import Call

    with workspace.transaction(dry_run=True) as perform:
        (outcome,) = perform([Call("settlements.run", None, dict(arguments))])
        if outcome.error is not None:
            raise outcome.error
        return _sheet(workspace.reader(perform.session), outcome.returned or "")


# -- approving ---------------------------------------------------------------------------------------------------------


def approval(workspace: Workspace, settlement_id: str) -> Approval:
    """What is approved if it is approved now. The hash is read before anything else: what changes while the rest is
    read makes it worthless. Raises NotAllowed, NotFound."""
    from bo.core.kernel.dispatch import Call
    from bo.core.settlement.records import Settlement

    reader = workspace.reader()
    made = reader.get(Settlement, settlement_id)
    shown = _sheet(reader, settlement_id)
    checked = workspace.ask("settlements.check", settlement_id)
    moved = _moved(reader, shown)
    people = _people(reader, {made.created_by, made.submitted_by})
    refusal = refused(workspace, [Call("settlements.approve", settlement_id, {"hash": made.content_hash})])
    return Approval(
        shown, made.content_hash, people[made.created_by], people[made.submitted_by], len(made.approvers),
        _needed(reader, made), moved, _disputes(reader, made), _(checked.broken) if checked.broken else "", refusal,
        has_second_factor(workspace), format_amount(made.total, made.currency),
    )  # fmt: skip


def refused(workspace: Workspace, calls: Sequence[Call]) -> str:
    """Why these calls would be refused, from a dry run; nothing where they would not."""
    outcomes = workspace.run(calls, dry_run=True)
    return next((error_words(item.error) for item in outcomes if item.error is not None), "")


def _needed(reader: Reader, made: Settlement) -> int:
    from bo.core.settlement.rules import SECOND_APPROVER_ABOVE, approvals_needed

    limit = SECOND_APPROVER_ABOVE.of(reader) or None
    above = limit if limit is None or made.currency == reader.context.currency else 0
    return approvals_needed(made.total, above)


def _moved(reader: Reader, shown: Sheet) -> tuple[Moved, ...]:
    """Payees who are paid to an account that none of their payments went to before."""
    from bo.core.settlement.records import Payout

    found = []
    for row in [row for row in shown.payouts if row.state != "held"][:NAMED_MOST]:
        now = reader.get(Payout, row.id)
        wanted = f"referrer:{now.referrer} currency:{now.currency} state:{PAID_BEFORE} sort:-created_at"
        before = reader.records(Payout, wanted, limit=1)
        if not before or before[0].account != now.account:
            found.append(Moved(row.payee, end_of(before[0].account) if before else "", row.account))
    return tuple(sorted(found, key=lambda item: not item.before))


def _disputes(reader: Reader, made: Settlement) -> str:
    """Disputed lines: those in it, which hold the approval up, and those of anybody that were left out."""
    inside = reader.count("rewards", f"disputed:yes settlement:{made.id}")
    outside = reader.count("rewards", f"disputed:yes settlement:none currency:{made.currency}")
    if inside:
        return _("{count} disputed lines are in it", count=inside)
    return _("none in it; {count} disputed lines were left out", count=outside)


def _people(reader: Reader, ids: set[str]) -> Mapping[str, str]:
    """What operators are called, by id; on a device, which may not have them, the ends of the ids."""
    return {item: item[-8:] for item in ids} | reader.called("operators", ids)


# -- the second look at who it is --------------------------------------------------------------------------------------


def has_second_factor(workspace: Workspace) -> bool:
    """Whether the operator has one, as far as this office keeps it: a device does not know."""
    return workspace.wants_code(f"{NOUN}.approve")


def step_up(workspace: Workspace, code: str) -> None:
    """Spend a code of the second factor for the decision that comes next. Raises WrongCode, TooManyTries."""
    workspace.prove(code)


def is_typed(typed: str, to_type: str) -> bool:
    """Whether what was typed is the total, with or without its thousands apart and its last zeros."""
    plain = typed.replace(",", "").replace(" ", "").replace("，", "")
    short = to_type.rstrip("0").rstrip(".") if "." in to_type else to_type
    return plain == to_type or plain.rstrip("0").rstrip(".") == short if "." in plain else plain in (to_type, short)
