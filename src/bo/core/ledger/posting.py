"""Posting: the one way into the ledger. Called by the modules above, inside their running command.

    post(tx, day=…, text="S-2026-11-CNY-0001 D0042", source="approval:pay_…", legs=[debit(…), credit(…)])

Refuses an entry that is not balanced in every currency, has fewer than two legs, or says something else than an earlier
one of the same source. There is no way to change or remove an entry: `reverse` it, once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final, NamedTuple

from bo.core.kernel.errors import Refused
from bo.core.kernel.tx import Tx
from bo.core.ledger.records import ACCOUNTS, Entry, Posting

ENTRIES_MOST: Final = 1_000_000


class Unbalanced(Refused):
    """Debits and credits differ."""

    code = "unbalanced"


class SourceTaken(Refused):
    """The same cause was posted before, as something else."""

    code = "source_taken"


class AlreadyReversed(Refused):
    """An entry is reversed once at most, and a reversal not at all."""

    code = "already_reversed"


class Leg(NamedTuple):
    """One side of an entry: debits above zero, credits below, in minor units. `party` is whose account it is."""

    account: str
    amount: int
    currency: str
    party: str = ""


class Draft(NamedTuple):
    """An entry to be posted."""

    day: date
    text: str
    source: str
    legs: tuple[Leg, ...]


def debit(account: str, amount: int, currency: str, party: str = "") -> Leg:
    return Leg(account, amount, currency, party)


def credit(account: str, amount: int, currency: str, party: str = "") -> Leg:
    return Leg(account, -amount, currency, party)


def post(tx: Tx, *, day: date, text: str, source: str, legs: Iterable[Leg]) -> Entry:
    """Post one balanced entry; the entry that is there when this source was posted before.

    Raises:
        Unbalanced: the legs of a currency do not sum to zero, or there are fewer than two.
        SourceTaken: this source was posted with other legs.
    """
    return post_all(tx, [Draft(day, text, source, tuple(legs))])[0]


def post_all(tx: Tx, drafts: Sequence[Draft]) -> list[Entry]:
    """Post many entries with numbers that follow each other. Raises as `post` does."""
    before = {entry.source: entry for entry in _select(tx, "source", [draft.source for draft in drafts])}
    legs = _legs(tx, before.values())
    number = _last_number(tx)
    posted = []
    for draft in drafts:
        require_balanced(draft)
        entry = before.get(draft.source)
        if entry is None:
            number += 1
            entry = _add(tx, draft, number, None)
        elif sorted(draft.legs) != sorted(legs[entry.id]):
            raise SourceTaken(
                "{source} was posted before with other amounts", hint="Reverse that entry first.", source=draft.source
            )
        posted.append(entry)
    return posted


def reverse(tx: Tx, entry: Entry, *, day: date, text: str = "") -> Entry:
    """Post the mirror image of an entry.

    Raises:
        AlreadyReversed: it is reversed, or is a reversal itself.
    """
    return reverse_all(tx, [entry], day=day, text=text)[0]


def reverse_all(tx: Tx, entries: Sequence[Entry], *, day: date, text: str = "") -> list[Entry]:
    """Reverse many entries. Raises as `reverse` does."""
    reversed_before = {entry.reverses for entry in _select(tx, "reverses", [entry.id for entry in entries])}
    legs = _legs(tx, entries)
    number = _last_number(tx)
    made = []
    for place, entry in enumerate(entries, 1):
        if entry.reverses is not None or entry.id in reversed_before:
            raise AlreadyReversed(
                "entry {number} is a reversal, or reversed already", hint="Post a new entry.", number=entry.number
            )
        mirrored = tuple(leg._replace(amount=-leg.amount) for leg in legs[entry.id])
        draft = Draft(day, text or entry.text, f"reversal:{entry.id}", mirrored)
        require_balanced(draft)
        made.append(_add(tx, draft, number + place, entry.id))
    return made


def entries_of(tx: Tx, sources: Sequence[str]) -> list[Entry]:
    """The posted entries of these sources."""
    return _select(tx, "source", sources)


def require_balanced(draft: Draft) -> None:
    """Raises Unbalanced."""
    sums: dict[str, int] = defaultdict(int)
    for leg in draft.legs:
        if leg.account not in ACCOUNTS or leg.amount == 0:
            raise Unbalanced("{account} {amount} is no leg of an entry", account=leg.account, amount=leg.amount)
        sums[leg.currency] += leg.amount
    odd = {currency: amount for currency, amount in sums.items() if amount}
    if odd or len(draft.legs) < 2:
        currency, amount = next(iter(odd.items()), ("", 0))
        raise Unbalanced(
            "the entry {source} is not balanced: {amount} {currency} too much",
            source=draft.source,
            amount=amount,
            currency=currency,
        )


def _add(tx: Tx, draft: Draft, number: int, reverses: str | None) -> Entry:
    entry = tx.add(Entry(number=number, day=draft.day, text=draft.text, source=draft.source, reverses=reverses))
    for leg in draft.legs:
        tx.add(Posting(entry=entry.id, account=leg.account, party=leg.party, amount=leg.amount, currency=leg.currency))
    return entry


def _select(tx: Tx, field: str, values: Sequence[str]) -> list[Entry]:
    """With one statement: settlements post for thousands of payees at once."""
    return tx.select(Entry, (field, "=", tuple(values)), limit=ENTRIES_MOST) if values else []


def _legs(tx: Tx, entries: Iterable[Entry]) -> dict[str, list[Leg]]:
    found: dict[str, list[Leg]] = {entry.id: [] for entry in entries}
    for item in tx.select(Posting, entry=tuple(found), limit=ENTRIES_MOST) if found else ():
        found[item.entry].append(Leg(item.account, item.amount, item.currency, item.party))
    return found


def _last_number(tx: Tx) -> int:
    """The highest number posted, by this very call too."""
    newest = tx.select(Entry, order="-number", limit=1)
    number = newest[0].number if newest else 0
    while tx.find(Entry, number=number + 1) is not None:
        number += 1
    return number
