"""What a match does, and how it is taken back.

Each match moves its amount out of `suspense` to an account of the ledger. What it is matched with follows: a payout is
paid once the lines for it come to all of it, a payment that came back makes its rewards due again, an order is paid.
Taking a match away undoes all of that, and posts the mirror of what it moved.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final, NamedTuple

from bo.core.banking.matching import PAYOUT, RETURNED, TRANSFER
from bo.core.banking.records import MATCHED, OPEN, PART_MATCHED, BankLine, BankMatch, Counterparty
from bo.core.banking.taking_in import SUSPENSE, ledger_account
from bo.core.kernel.amounts import money
from bo.core.kernel.errors import Refused
from bo.core.kernel.tx import Tx
from bo.core.ledger.days import midnight
from bo.core.ledger.posting import Draft, Leg, post_all
from bo.core.orders.deriving import derive
from bo.core.orders.receiving import pay as note_payment
from bo.core.orders.records import Order, OrderLine, Payment
from bo.core.rewards.records import RewardLine
from bo.core.settlement import paying
from bo.core.settlement.records import PAID, SENT, BankAccount, Payout

BANK, CLEARING, SALES, FEES = "bank", "clearing", "sales", "fees"
METHOD: Final = "bank"  # how an order was paid of whose payment only the bank told
MATCH_KIND: Final = {RETURNED: PAYOUT, "order": "payment"}


class UsedSince(Refused):
    """What a match brought about has been built upon."""

    code = "used_since"


class WrongTarget(Refused):
    """What a bank line cannot be matched with, or not with so much."""

    code = "wrong_target"


class Deed(NamedTuple):
    """So much of a line is for that: `kind` as the rules say it, `target` its id."""

    line: BankLine
    kind: str
    target: str
    amount: int
    fee: int = 0
    how: str = "hand"
    reason: str = ""
    ledger: str = ""
    party: str = ""


def carry_out(tx: Tx, deeds: Sequence[Deed]) -> list[BankMatch]:
    """Do all of it; payments that came back last, since they may be of payouts that are paid just now."""
    first = [deed for deed in deeds if deed.kind != RETURNED]
    made = _Booking(tx).carry_out(first)
    for deed in deeds:
        if deed.kind == RETURNED:
            made += _give_back(tx, deed)
    return made


class _Booking:
    """Many deeds at once, with what this very call has made, which no statement finds yet."""

    def __init__(self, tx: Tx) -> None:
        self.tx = tx
        self.parts: dict[str, list[BankMatch]] = defaultdict(list)
        self.payments: dict[str, list[Payment]] = defaultdict(list)

    def carry_out(self, deeds: Sequence[Deed]) -> list[BankMatch]:
        tx = self.tx
        ids: dict[str, list[str]] = defaultdict(list)
        for deed in deeds:
            ids[deed.kind].append(deed.target)
        tx.fetch(Payout, "id", ids[PAYOUT])
        tx.fetch(BankMatch, "target", ids[PAYOUT])
        tx.fetch(Order, "id", ids["order"])
        tx.fetch(Payment, "order", ids["order"])
        tx.fetch(OrderLine, "order", ids["order"])
        made = []
        for deed in deeds:
            if deed.kind == "order":
                made.append(self._pay_order(deed))
            elif deed.kind == PAYOUT:
                made.append(self._part(deed))
            else:
                made.append(_note(tx, deed))
                if deed.kind == TRANSFER:
                    made.append(_other_side(tx, deed))
        whole = self._whole()
        post_matches(tx, made)
        paying.pay_each(tx, [(item, day) for item, day in whole if item.state == SENT])
        return made

    def _part(self, deed: Deed) -> BankMatch:
        made = _note(self.tx, deed._replace(ledger=CLEARING))
        self.parts[deed.target].append(made)
        return made

    def _whole(self) -> list[tuple[Payout, date]]:
        """The payouts that these matches make whole, with the day; what was noted for parts of them is booked there."""
        tx, found = self.tx, []
        for target, new in self.parts.items():
            payout = tx.get(Payout, target)
            before = [tx.get(BankMatch, match.id) for match in tx.view_all(BankMatch, "target", target)]
            parts = [match for match in before if match.amount < 0]
            if sum(match.amount for match in (*parts, *new)) != -payout.amount:
                continue
            party = paying.paid_from(tx, payout.settlement)
            _rebook(tx, parts, BANK, party)
            for match in (*parts, *new):
                match.ledger, match.party, match.decided = BANK, party, payout.state == SENT
            found.append((payout, max(match.day for match in (*parts, *new))))
        return found

    def _pay_order(self, deed: Deed) -> BankMatch:
        tx = self.tx
        order, line = tx.get(Order, deed.target), deed.line
        reference = line.bank_reference or line.end_to_end_id or line.reference or None
        payment = note_payment(tx, order, deed.amount + deed.fee, method=METHOD, at=midnight(line.day, tx.context.zone),
                               key=None, reference=reference)  # fmt: skip
        self.payments[order.id].append(payment)
        made = _note(tx, deed._replace(target=payment.id, ledger=SALES))
        made.decided = True
        if order.paid_at is None:
            order.paid_at, made.extra = payment.at, {"first": True}
        derive(
            tx,
            order,
            lines=tx.view_all(OrderLine, "order", order.id),
            payments=[*tx.view_all(Payment, "order", order.id), *self.payments[order.id]],
        )
        return made


def _note(tx: Tx, deed: Deed) -> BankMatch:
    """Keep that so much of a line is for that. The record refuses more than the line."""
    line = deed.line
    move(line, deed.amount)
    ledger, party = deed.ledger or SALES, deed.party
    if deed.kind == "entry":
        account = tx.get(BankAccount, line.account)
        ledger, party = ledger_account(account), account.code
    elif deed.kind == TRANSFER:
        ledger = CLEARING
    return tx.add(
        BankMatch(
            line=line.id, kind=MATCH_KIND.get(deed.kind, deed.kind), target=deed.target, amount=deed.amount,
            currency=line.currency, fee=deed.fee, day=line.day, how=deed.how, matched_by=tx.actor.id,
            reason=deed.reason, ledger=ledger, party=party,
        )
    )  # fmt: skip


def _other_side(tx: Tx, deed: Deed) -> BankMatch:
    """A transfer is of two lines, each matched with the other."""
    other = tx.get(BankLine, deed.target)
    return _note(tx, deed._replace(line=other, target=deed.line.id, amount=-deed.amount))


def move(line: BankLine, amount: int) -> None:
    """So much more of a line is matched, or with the other sign less."""
    line.matched += amount
    line.note = ""
    line.state = OPEN if not line.matched else MATCHED if line.matched == line.amount else PART_MATCHED


def _give_back(tx: Tx, deed: Deed) -> list[BankMatch]:
    payout = tx.get(Payout, deed.target)
    if deed.amount + deed.fee != payout.amount:
        raise WrongTarget(
            "{amount} came back of the {paid} that {payout} paid", hint="Match it with all of it, or book the rest.",
            amount=money(deed.amount, deed.line.currency), paid=money(payout.amount, payout.currency),
            payout=payout.reference,
        )  # fmt: skip
    lines = paying.lines_of(tx, payout)
    made = _note(tx, deed._replace(ledger=BANK, party=paying.paid_from(tx, payout.settlement)))
    made.decided, made.extra = True, {"lines": " ".join(line.id for line in lines)}
    post_matches(tx, [made])
    paying.give_back(tx, [payout], deed.reason or deed.line.purpose[:200] or "returned by the bank", deed.line.day)
    return [made]


# -- the ledger --------------------------------------------------------------------------------------------------------


def legs_of(match: BankMatch, code: str, *, sign: int = 1) -> tuple[Leg, ...]:
    """What a match moves: out of `suspense` of our account `code`, what the channel kept to the fees."""
    legs = (
        Leg(SUSPENSE, sign * match.amount, match.currency, code),
        Leg(FEES, sign * match.fee, match.currency),
        Leg(match.ledger, -sign * (match.amount + match.fee), match.currency, match.party),
    )
    return tuple(leg for leg in legs if leg.amount)


def post_matches(tx: Tx, matches: Iterable[BankMatch]) -> None:
    """Post what matches move: one entry for each account and day, which every match of it names."""
    groups: dict[tuple[str, date], list[BankMatch]] = defaultdict(list)
    accounts: dict[str, str] = {}
    for match in matches:
        line = tx.get(BankLine, match.line)
        groups[line.account, match.day].append(match)
        if line.account not in accounts:
            accounts[line.account] = tx.get(BankAccount, line.account).code
    drafts, named = [], []
    for (account, day), found in sorted(groups.items()):
        legs = _together(leg for match in found for leg in legs_of(match, accounts[account]))
        if legs:
            code = accounts[account]
            drafts.append(Draft(day, f"{code}: {len(found)} matched", f"match:{found[0].id}", legs))
            named.append(found)
    for entry, found in zip(post_all(tx, drafts), named, strict=True):
        for match in found:
            match.entry = entry.id


def _together(legs: Iterable[Leg]) -> tuple[Leg, ...]:
    """Legs of one place as one, debits and credits apart."""
    sums: dict[tuple[str, str, str, bool], int] = defaultdict(int)
    for leg in legs:
        sums[leg.account, leg.party, leg.currency, leg.amount > 0] += leg.amount
    return tuple(Leg(account, amount, currency, party) for (account, party, currency, _), amount in sums.items())


def _rebook(tx: Tx, matches: Iterable[BankMatch], ledger: str, party: str) -> None:
    """Move what matches were booked to over to another account."""
    drafts = []
    for match in matches:
        place = (match.ledger, match.party)
        legs = (
            Leg(place[0], match.amount, match.currency, place[1]),
            Leg(ledger, -match.amount, match.currency, party),
        )
        if place != (ledger, party):
            drafts.append(Draft(match.day, "matched in whole", f"rebook:{match.id}:{tx.operation}", legs))
        match.ledger, match.party = ledger, party
    post_all(tx, drafts)


# -- taking it back ----------------------------------------------------------------------------------------------------


def take_back(tx: Tx, line: BankLine) -> None:
    """Take every match of a line away, newest first, with all that it did.

    Raises:
        UsedSince: what it did has been built upon.
    """
    found = sorted(tx.find_all(BankMatch, line=line.id), key=lambda match: match.id, reverse=True)
    for match in found:
        _take_back(tx, match)


def _take_back(tx: Tx, match: BankMatch) -> None:
    line = tx.get(BankLine, match.line)
    if match.kind == PAYOUT and match.amount < 0:
        _unpay(tx, match)
    elif match.kind == PAYOUT:
        _keep(tx, match)
    elif match.kind == "payment" and match.decided:
        _unpay_order(tx, match)
    _away(tx, line, match)
    if match.kind == TRANSFER:
        other = tx.get(BankLine, match.target)
        for each in tx.find_all(BankMatch, line=other.id):
            if each.target == line.id:
                _away(tx, other, each)


def _away(tx: Tx, line: BankLine, match: BankMatch) -> None:
    code = tx.get(BankAccount, line.account).code
    legs = legs_of(match, code, sign=-1)
    if legs:
        post_all(tx, [Draft(match.day, f"{code}: unmatched", f"unmatch:{match.id}", legs)])
    move(line, -match.amount)
    if match.counterparty is not None:
        forget(tx, match.counterparty)
    tx.remove(match)


def _unpay(tx: Tx, match: BankMatch) -> None:
    """A payout that its lines have paid is under way again; the other lines are parts of it."""
    payout = tx.get(Payout, match.target)
    if not match.decided:
        return
    if payout.state != PAID:
        raise UsedSince(
            "payout {payout} is {state} since", hint="Unmatch the line that brought it back first.",
            payout=payout.reference, state=payout.state,
        )  # fmt: skip
    paying.unpay(tx, payout)
    parts = [each for each in tx.find_all(BankMatch, target=payout.id) if each.amount < 0]
    _rebook(tx, [each for each in parts if each.id != match.id], CLEARING, "")
    for each in parts:
        each.decided = False


def _keep(tx: Tx, match: BankMatch) -> None:
    """A payout that came back has not."""
    names = str(match.extra.get("lines", "")).split()
    paying.keep(tx, tx.get(Payout, match.target), [tx.get(RewardLine, name) for name in names], match.day)


def _unpay_order(tx: Tx, match: BankMatch) -> None:
    payment = tx.get(Payment, match.target)
    order = tx.get(Order, payment.order)
    if payment.refunded or payment.granted or payment.charged_back:
        raise UsedSince(
            "the payment of order {number} was refunded since", hint="Give that refund up first: bo refunds fail.",
            number=order.number,
        )  # fmt: skip
    tx.remove(payment)
    if match.extra.get("first"):
        order.paid_at = None
    rest = [item for item in tx.find_all(Payment, order=order.id) if item.id != payment.id]
    derive(tx, order, payments=rest)


# -- who it was --------------------------------------------------------------------------------------------------------


def learn(tx: Tx, line: BankLine, means: str, words: str) -> str | None:
    """Remember what money of this counterparty is for; the id of what is remembered."""
    from bo.core.banking.matching import memory_keys

    keys = memory_keys(line.counterparty, line.counterparty_account)
    if not keys or not means:
        return None
    known = tx.find(Counterparty, key=keys[0])
    if known is None:
        known = tx.add(Counterparty(key=keys[0], name=line.counterparty, account=line.counterparty_account,
                                    means=means, words=words))  # fmt: skip
    elif known.means != means:
        return None
    known.matches += 1
    return known.id


def forget(tx: Tx, key: str) -> None:
    """One match less that something is remembered by; with the last it is forgotten."""
    known = tx.get(Counterparty, key)
    known.matches -= 1
    if known.matches <= 0:
        tx.remove(known)
