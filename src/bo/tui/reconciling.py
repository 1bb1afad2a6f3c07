"""What the reconciliation screen shows: bank lines, what each may be or was for, and whether the ledger holds what the
bank says. Reads only; amounts are kept in minor units where they are added up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from bo.core.kernel.errors import BoError
from bo.core.kernel.text import _
from bo.tui.settling import grouped

if TYPE_CHECKING:
    from bo.core.banking.records import BankLine
    from bo.core.kernel.reader import Reader
    from bo.core.kernel.workspace import Workspace

NOUN: Final = "bank_lines"
LINES_SHOWN, CANDIDATES_SHOWN, ACCOUNTS_MOST = 500, 50, 1_000
OPEN_STATES, DONE_STATES = "state:open,part_matched", "state:matched,part_matched,ignored"


class OpenLine(Struct, frozen=True):
    """A line of a bank statement. `left` is what is not matched yet, in minor units with the line's sign."""

    id: str
    day: str
    account: str
    state: str
    amount: int
    left: int
    currency: str
    who: str
    text: str
    reason: str

    @property
    def words(self) -> str:
        return f"{grouped(self.left, self.currency)} {self.currency}"


class Option(Struct, frozen=True):
    """What a bank line may be for: how sure that is, and why; `amount` is what is open of it."""

    id: str
    kind: str
    label: str
    day: str
    who: str
    amount: int
    currency: str
    points: int
    why: str


class Proof(Struct, frozen=True):
    """Whether the ledger holds what the bank says of an account: in a few words, with what lies between, and line by
    line."""

    account: str
    brief: str
    words: str
    lines: tuple[tuple[str, str], ...]
    agrees: bool


class Lines(Struct, frozen=True):
    """The lines that are shown, of how many, and the proof for each account."""

    rows: tuple[OpenLine, ...]
    count: int
    proofs: tuple[Proof, ...]


def bank_lines(workspace: Workspace, filter_text: str, *, done: bool = False) -> Lines:
    """The lines that wait, or with `done` those that do not, the oldest first. Raises NotAllowed."""
    from bo.core.banking.records import BankLine
    from bo.core.settlement.records import BankAccount

    reader = workspace.reader()
    reader.require("bank_lines.read")
    kept = [word for word in filter_text.split() if not word.startswith(("state:", "sort:"))]
    wanted = " ".join([DONE_STATES if done else OPEN_STATES, *kept])
    found = reader.records(BankLine, f"{wanted} sort:{'-' if done else ''}day,account,position", limit=LINES_SHOWN)
    may = reader.actor.may("bank_accounts.read")
    accounts = reader.records(BankAccount, limit=ACCOUNTS_MOST) if may else []
    codes = {account.id: account.code for account in accounts}
    hidden = {item.name for item in reader.actor.hidden(reader.info(NOUN))}
    rows = tuple(_line(line, codes, hidden) for line in found)
    return Lines(rows, reader.count(NOUN, wanted), tuple(_proofs(workspace)))


def _line(line: BankLine, codes: dict[str, str], hidden: set[str]) -> OpenLine:
    who = "" if "counterparty" in hidden else line.counterparty
    text = " ".join(part for part in (line.reference or line.end_to_end_id, line.purpose) if part)
    return OpenLine(line.id, line.day.isoformat(), codes.get(line.account, line.account[-8:]), line.state, line.amount,
                    line.left, line.currency, who, text, line.reason)  # fmt: skip


def _proofs(workspace: Workspace) -> list[Proof]:
    """From the proof of the ledger: what the bank says, what the ledger says, and what lies between."""
    try:
        rows = workspace.ask("reconciliations.report")
    except BoError:  # who sees one store's part cannot be told about the whole
        return []
    by_account: dict[str, dict[str, int]] = {}  # each part in the order of the proof
    facts: dict[str, tuple[str, bool]] = {}
    for row in rows:
        by_account.setdefault(row.account, {})[row.line] = row.amount
        facts[row.account] = (row.currency, row.agrees)
    return [_proof(account, *facts[account], parts) for account, parts in by_account.items()]


def _proof(account: str, currency: str, agrees: bool, parts: dict[str, int]) -> Proof:
    from bo.core.banking.reconciling import PARTS

    def part(name: str) -> int:
        return parts.get(_(PARTS[name]), 0)

    bank, ledger = part("closing"), part("ledger")
    told = [_("bank {amount}", amount=grouped(bank, currency))]
    told += [f"{_(PARTS[name])} {grouped(part(name), currency)}" for name in ("noted", "by_hand") if part(name)]
    sign = "=" if agrees else "≠"
    words = f"{' + '.join(told)} {sign} {_('ledger {amount}', amount=grouped(ledger, currency))}"
    gaps = [f"{_(PARTS[name])} {grouped(part(name), currency)}" for name in ("missing", "unexplained") if part(name)]
    brief = f"{told[0]} {sign} {_('ledger {amount}', amount=grouped(ledger, currency))}" if len(told) == 1 else ""
    lines = tuple((name, f"{grouped(amount, currency)} {currency}") for name, amount in parts.items())
    return Proof(account, brief, "; ".join([words, *gaps]), lines, agrees)


def candidates(workspace: Workspace, line_id: str) -> list[Option]:
    """What a line may be for, the best first. Raises NotAllowed, NotFound."""
    return [
        Option(item.id, _(item.kind.replace("_", " ")), item.label, item.day.isoformat(), item.name, item.amount,
               item.currency, item.points, item.why)
        for item in workspace.ask("bank_lines.candidates", line_id)[:CANDIDATES_SHOWN]
    ]  # fmt: skip


def matches(workspace: Workspace, line_id: str) -> list[Option]:
    """What a line was matched with. Raises NotAllowed."""
    from bo.core.banking.records import BankMatch

    reader = workspace.reader()
    reader.require("bank_matches.read")
    return [
        Option(item.target or item.id, _(item.kind.replace("_", " ")), _name(reader, item.target), item.day.isoformat(),
               "", item.amount, item.currency, 0, item.reason or _("by {how}", how=_(item.how)))
        for item in reader.records(BankMatch, f"line:{line_id} sort:created_at")
    ]  # fmt: skip


def _name(reader: Reader, target: str) -> str:
    """What people call a payout; the end of the id for others."""
    if target.startswith("pay_") and reader.actor.may("payouts.read"):
        rows = reader.page("payouts", f"id:{target}", fields=("reference",)).rows
        return str(rows[0][0]) if rows else target
    return target.rpartition("_")[2][-8:]


def rest_of(line: OpenLine, chosen: Sequence[Option]) -> tuple[int, int]:
    """What the chosen ones come to, and what of the line is left then."""
    total = sum(item.amount for item in chosen)
    return total, line.left - total
