"""Saying what bank lines were for: by rule for many, by hand for one, and taking it back."""

from typing import Annotated, Final

from bo.core.banking import booking, matching
from bo.core.banking.booking import Deed, WrongTarget
from bo.core.banking.matching import Matcher
from bo.core.banking.open_items import OPEN_STATES, line_of, memory_of, open_items
from bo.core.banking.records import MATCHED, OPEN, PART_MATCHED, BankLine, Reconciliation
from bo.core.banking.rules import WINDOW_DAYS, WRITE_OFF_MOST
from bo.core.kernel.amounts import money, parse_amount
from bo.core.kernel.command import command
from bo.core.kernel.errors import Refused
from bo.core.kernel.kinds import Amount, Day, Field, Tags, Text
from bo.core.kernel.record import States
from bo.core.kernel.tx import Tx
from bo.core.ledger.records import AccountName
from bo.core.settlement.records import BankAccount

LINES_MOST: Final = 200_000
UNDECIDED: Final = States((OPEN, PART_MATCHED))
LARGE: Final = "write_offs.above_limit"
OWN: Final = ("bank", "channel", "suspense")  # accounts of the ledger that statements move by themselves
Why = Annotated[Text, Field(help="for the one who asks later")]


class TooMuchToWriteOff(Refused):
    """More than one person writes off by themselves."""

    code = "too_much_to_write_off"


@command(needs="banking.match", where="central")
def run(
    tx: Tx,
    *,
    account: BankAccount | None = None,
    since: Annotated[Day, Field(label="from")] | None = None,
    until: Annotated[Day, Field(help="the last day")] | None = None,
) -> Reconciliation:
    """Match bank lines with what they were for: by id, by number in the text, by amount and counterparty together.

    What agrees in its amount alone is left for a person; `bo bank-lines candidates` shows what it may be.
    """
    lines = _open_lines(tx)
    accounts = {line.account: tx.get(BankAccount, line.account) for line in lines}
    matcher = Matcher(open_items(tx, lines, accounts), memory_of(tx), window=WINDOW_DAYS.of(tx))
    meant = {
        line.id: line
        for line in lines
        if (account is None or line.account == account.id)
        and (since is None or line.day >= since)
        and (until is None or line.day <= until)
    }
    found = matcher.run([line_of(line) for line in meant.values()])
    by_id = {line.id: line for line in lines}
    deeds = [Deed(by_id[hit.line], hit.item.kind, hit.item.id, hit.amount, hit.fee, hit.how) for hit in found.hits] + [
        Deed(line, "fee", "", line.left, how="kind", ledger=booking.FEES)
        for line in meant.values()
        if line.kind == "fee" and matcher.open[line.id] == line.left
    ]
    booking.carry_out(tx, deeds)
    for key, note in found.notes.items():
        if meant[key].state != MATCHED:
            meant[key].note = note
    whole = sum(1 for line in meant.values() if line.state == MATCHED)
    proposed = sum(1 for key in found.proposals if meant[key].state != MATCHED)
    return tx.add(
        Reconciliation(account=account.id if account else None, since=since, until=until, lines=len(meant),
                       matched=whole, proposed=proposed, left=len(meant) - whole - proposed, run_by=tx.actor.id)
    )  # fmt: skip


def _open_lines(tx: Tx) -> list[BankLine]:
    found = tx.select(BankLine, state=OPEN_STATES, limit=LINES_MOST)
    return sorted(found, key=lambda line: (line.day, line.account, line.position, line.id))


@command(needs="banking.match", moves=UNDECIDED, where="central")
def match(
    tx: Tx,
    line: BankLine,
    *,
    items: Annotated[Tags, Field(help="numbers or ids of what it was for; with an amount: SO-1001=120.00")],
    reason: Why = "",
) -> None:
    """Say what a bank line was for: payouts, orders, payments, refunds, entries, or a line of another account.

    Without amounts each takes what is open of it, as far as the line goes. What is left of the line stays open.

    Raises:
        WrongTarget: nothing of that number is open, in this direction and currency.
        OverMatched: the amounts are more than the line.
    """
    lines = _open_lines(tx)
    accounts = {each.account: tx.get(BankAccount, each.account) for each in lines}
    there = [item for item in open_items(tx, lines, accounts) if item.id != line.id]
    left, fee = line.left, 0 if line.matched else line.fee
    for text in items:
        wanted, _equals, typed = text.partition("=")
        item = _meant(line, there, wanted)
        gross = left + fee if not typed else parse_amount(typed, line.currency) * (1 if line.amount > 0 else -1)
        most = item.left if abs(item.left) < abs(gross) else gross
        if typed and most != gross:
            raise WrongTarget(
                "{wanted} has {left} open, not {amount}", wanted=wanted, left=money(abs(item.left), line.currency),
                amount=money(abs(gross), line.currency),
            )  # fmt: skip
        _by_hand(tx, line, item, most - fee, fee, reason)
        left, fee = left - (most - fee), 0


def _by_hand(tx: Tx, line: BankLine, item: matching.Item, amount: int, fee: int, reason: str) -> None:
    if item.kind in matching.WHOLE_ONLY and item.kind != matching.RETURNED and amount != item.left:
        raise WrongTarget(
            "{label} is {amount}, and matched as a whole or not at all", label=item.label or item.id,
            amount=money(item.left, line.currency),
        )  # fmt: skip
    if item.kind == matching.RETURNED:
        fee = item.left - amount
    made = booking.carry_out(tx, [Deed(line, item.kind, item.id, amount, fee, "hand", reason)])
    made[0].counterparty = booking.learn(tx, line, item.owner, item.label)


def _meant(line: BankLine, there: list[matching.Item], wanted: str) -> matching.Item:
    """The open item of that id or number. Raises WrongTarget."""
    key = matching.key_of(wanted)
    found = [
        item
        for item in there
        if wanted == item.id
        or (item.kind == matching.TRANSFER and len(wanted) >= 5 and item.id.endswith(wanted))
        or (key and key in map(matching.key_of, (*item.ids, *item.references, item.label)))
    ]
    able = [item for item in found if item.left * line.amount > 0 and item.currency == line.currency]
    if able and able[0].asks:
        raise WrongTarget(
            "the refund of {wanted} is granted and not noted as paid back",
            hint="Note that first: bo refunds execute.", wanted=wanted,
        )  # fmt: skip
    if not able:
        raise WrongTarget(
            "nothing of {wanted} is open for a line of {amount}", hint="What may be meant: bo bank-lines candidates.",
            wanted=wanted, amount=money(line.amount, line.currency),
        )  # fmt: skip
    return able[0]


@command(needs="banking.match", moves=States((PART_MATCHED, MATCHED)), where="central", confirm="many")
def unmatch(tx: Tx, line: BankLine) -> None:
    """Take back what a bank line was matched with, and everything that did: it is open again.

    Raises:
        UsedSince: a payment was refunded since, or a payout came back.
        SettlementClosed: the settlement of a payout is closed.
    """
    booking.take_back(tx, line)


@command(needs="banking.match", moves=UNDECIDED, where="central", confirm="many")
def fee(tx: Tx, line: BankLine, *, reason: Why = "") -> None:
    """What is left of a bank line is a fee of the bank or channel, or a fee that it gave back."""
    _book(tx, line, Deed(line, "fee", "", line.left, reason=reason, ledger=booking.FEES))


@command(needs="banking.match", moves=UNDECIDED, where="central", confirm="many")
def write_off(tx: Tx, line: BankLine, *, reason: Why) -> None:
    """Write off what is left of a bank line, up to the office's limit; above it another right is needed.

    Raises:
        TooMuchToWriteOff: it is above reconcile.write_off_most.
    """
    most = WRITE_OFF_MOST.of(tx)
    within = line.currency == tx.context.currency and abs(line.left) <= most
    if not within and not tx.actor.may(LARGE):
        raise TooMuchToWriteOff(
            "{amount} is more than the {most} that is written off without another's right",
            hint="Let an approver do it, or book it: bo bank-lines book.",
            amount=money(abs(line.left), line.currency), most=money(most, tx.context.currency),
        )  # fmt: skip
    _book(tx, line, Deed(line, "write_off", "", line.left, reason=reason, ledger="write_off"))


@command(needs="banking.match", moves=UNDECIDED, where="central", confirm="many")
def book(
    tx: Tx,
    line: BankLine,
    *,
    ledger: Annotated[AccountName, Field(label="account of the ledger")],
    reason: Why,
    amount: Annotated[Amount, Field(help="signed as the line; all that is left if not said")] | None = None,
    party: Annotated[Text, Field(help="whose account it is")] = "",
) -> None:
    """Book what is left of a bank line, or so much of it, to an account of the ledger.

    Raises:
        WrongTarget: an account that bank statements move by themselves.
    """
    if ledger in OWN:
        raise WrongTarget(
            "{ledger} is moved by statements themselves", hint="A transfer is matched with the other account's line.",
            ledger=ledger,
        )  # fmt: skip
    deed = Deed(line, "booking", ledger, line.left if amount is None else amount, reason=reason, ledger=ledger)
    _book(tx, line, deed._replace(party=party))


def _book(tx: Tx, line: BankLine, deed: Deed) -> None:
    if not deed.amount or (deed.amount > 0) != (line.amount > 0):
        raise WrongTarget("{amount} is no part of the line", amount=money(deed.amount, line.currency))
    made = booking.carry_out(tx, [deed])
    if deed.kind == "booking":
        made[0].counterparty = booking.learn(tx, line, f"account:{deed.ledger}", deed.ledger)
