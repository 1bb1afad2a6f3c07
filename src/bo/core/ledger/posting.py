"""Posting: the one way into the ledger. Called by the modules above, inside their running command.

    post(tx, day=…, text="S-2026-11-CNY-0001 D0042", source="approval:pay_…", legs=[debit(…), credit(…)])

In two phases: `reserve` makes a pending entry, which moves nothing; `confirm` posts at most what was reserved on each
leg, `cancel` voids it; a pending entry is resolved once. A day in a closed period is late: the entry goes to the first
open day and keeps the day of its fact.

Refuses an entry that is not balanced in every currency, has fewer than two legs, or says something else than an earlier
one of the same source. There is no way to change or remove an entry: `reverse` it, once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final, NamedTuple

from bo.core.kernel.amounts import format_amount
from bo.core.kernel.errors import Refused
from bo.core.kernel.tx import Tx
from bo.core.ledger.balances import Moved, keep_up, movements
from bo.core.ledger.days import month_label, today
from bo.core.ledger.records import ACCOUNTS, PENDING, POSTED, VOID, Entry, LedgerPeriod, Posting

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


class NotPending(Refused):
    """Only a pending entry is confirmed or cancelled, and only a posted one reversed."""

    code = "not_pending"


class AlreadyResolved(Refused):
    """A pending entry is resolved once."""

    code = "already_resolved"


class MoreThanReserved(Refused):
    """A confirmation would post what its pending entry did not reserve."""

    code = "more_than_reserved"


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


class Confirmation(NamedTuple):
    """What became of a pending entry. Without legs all that was reserved is posted."""

    entry: Entry
    day: date
    legs: tuple[Leg, ...] | None = None
    text: str = ""


class _Made(NamedTuple):
    """A draft with what it is to other entries."""

    draft: Draft
    phase: str = POSTED
    reverses: str | None = None
    resolves: str | None = None


def debit(account: str, amount: int, currency: str, party: str = "") -> Leg:
    return Leg(account, amount, currency, party)


def credit(account: str, amount: int, currency: str, party: str = "") -> Leg:
    return Leg(account, -amount, currency, party)


# -- in one phase ------------------------------------------------------------------------------------------------------


def post(tx: Tx, *, day: date, text: str, source: str, legs: Iterable[Leg]) -> Entry:
    """Post one balanced entry; the entry that is there when this source was posted before.

    Raises:
        Unbalanced: the legs of a currency do not sum to zero, or there are fewer than two.
        SourceTaken: this source was posted with other legs.
    """
    return post_all(tx, [Draft(day, text, source, tuple(legs))])[0]


def post_all(tx: Tx, drafts: Sequence[Draft]) -> list[Entry]:
    """Post many entries with numbers that follow each other. Raises as `post` does."""
    return _enter(tx, drafts, POSTED)


def reverse(tx: Tx, entry: Entry, *, day: date, text: str = "") -> Entry:
    """Post the mirror image of an entry.

    Raises:
        AlreadyReversed: it is reversed, or is a reversal itself.
        NotPending: it was not posted: a pending entry is cancelled.
    """
    return reverse_all(tx, [entry], day=day, text=text)[0]


def reverse_all(tx: Tx, entries: Sequence[Entry], *, day: date, text: str = "") -> list[Entry]:
    """Reverse many entries. Raises as `reverse` does."""
    reversed_before = {entry.reverses for entry in _select(tx, "reverses", [entry.id for entry in entries])}
    legs = _legs(tx, entries)
    made = []
    for entry in entries:
        if entry.phase != POSTED:
            raise NotPending("entry {number} was not posted", hint="Cancel it instead.", number=entry.number)
        if entry.reverses is not None or entry.id in reversed_before:
            raise AlreadyReversed(
                "entry {number} is a reversal, or reversed already", hint="Post a new entry.", number=entry.number
            )
        mirrored = tuple(leg._replace(amount=-leg.amount) for leg in legs[entry.id])
        draft = Draft(day, text or entry.text, f"reversal:{entry.id}", mirrored)
        require_balanced(draft)
        made.append(_Made(draft, reverses=entry.id))
    return _add_all(tx, made)


# -- in two phases -----------------------------------------------------------------------------------------------------


def reserve(tx: Tx, *, day: date, text: str, source: str, legs: Iterable[Leg]) -> Entry:
    """Make a pending entry: it reserves its amounts and moves nothing. Raises as `post` does."""
    return reserve_all(tx, [Draft(day, text, source, tuple(legs))])[0]


def reserve_all(tx: Tx, drafts: Sequence[Draft]) -> list[Entry]:
    """Make many pending entries. Raises as `post` does."""
    return _enter(tx, drafts, PENDING)


def confirm(tx: Tx, entry: Entry, *, day: date, legs: Iterable[Leg] | None = None, text: str = "") -> Entry:
    """Post what came of a pending entry; what it reserved beyond that is released.

    Raises:
        NotPending, AlreadyResolved: there is nothing to confirm.
        MoreThanReserved: a leg is not on what was reserved, or above it.
        Unbalanced: as `post`.
    """
    return confirm_all(tx, [Confirmation(entry, day, None if legs is None else tuple(legs), text)])[0]


def confirm_all(tx: Tx, confirmations: Sequence[Confirmation]) -> list[Entry]:
    """Confirm many pending entries. Raises as `confirm` does."""
    reserved = _require_pending(tx, [item.entry for item in confirmations])
    made = []
    for item in confirmations:
        legs = tuple(reserved[item.entry.id]) if item.legs is None else item.legs
        draft = Draft(item.day, item.text or item.entry.text, f"confirm:{item.entry.id}", legs)
        require_balanced(draft)
        _require_within(item.entry, legs, reserved[item.entry.id])
        made.append(_Made(draft, resolves=item.entry.id))
    _release(tx, [item.entry for item in confirmations], reserved)
    return _add_all(tx, made)


def cancel(tx: Tx, entry: Entry, reason: str) -> Entry:
    """Void a pending entry: an entry of today that has no legs and says why.

    Raises:
        NotPending, AlreadyResolved: there is nothing to cancel.
    """
    return cancel_all(tx, [entry], reason)[0]


def cancel_all(tx: Tx, entries: Sequence[Entry], reason: str) -> list[Entry]:
    """Void many pending entries. Raises as `cancel` does."""
    reserved = _require_pending(tx, entries)
    _release(tx, entries, reserved)
    day = today(tx)
    return _add_all(
        tx, [_Made(Draft(day, reason, f"cancel:{entry.id}", ()), VOID, resolves=entry.id) for entry in entries]
    )


# -- finding -----------------------------------------------------------------------------------------------------------


def entries_of(tx: Tx, sources: Sequence[str]) -> list[Entry]:
    """The entries of these sources, pending ones too."""
    return _select(tx, "source", sources)


def resolutions_of(tx: Tx, entries: Sequence[Entry]) -> dict[str, Entry]:
    """What resolved these pending entries, by their ids; those that are still open are not in it."""
    found = _select(tx, "resolves", [entry.id for entry in entries])
    return {entry.resolves: entry for entry in found if entry.resolves is not None}


def newest_entry(tx: Tx) -> int:
    """The highest number posted, by this very call too."""
    newest = tx.select(Entry, order="-number", limit=1)
    number, step = newest[0].number if newest else 0, 1
    while tx.find(Entry, number=number + step) is not None:  # numbers have no gaps: by leaps, then by halves
        number, step = number + step, step * 2
    while step > 1:
        step //= 2
        if tx.find(Entry, number=number + step) is not None:
            number += step
    return number


def newest_period(tx: Tx) -> LedgerPeriod | None:
    """The last closing or opening of a month; None where no month was ever closed."""
    found = tx.select(LedgerPeriod, order="-number", limit=1)
    return found[0] if found else None


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
            amount=format_amount(amount, currency) if odd else amount,
            currency=currency,
        )


def _require_pending(tx: Tx, entries: Sequence[Entry]) -> dict[str, list[Leg]]:
    """The legs of pending entries that are not resolved. Raises NotPending, AlreadyResolved."""
    resolved = resolutions_of(tx, entries)
    for entry in entries:
        if entry.phase != PENDING:
            raise NotPending("entry {number} is not pending", hint="Reverse a posted entry.", number=entry.number)
        if entry.id in resolved:
            raise AlreadyResolved(
                "entry {number} is resolved by entry {other}",
                hint="Reverse that one.",
                number=entry.number,
                other=resolved[entry.id].number,
            )
    return _legs(tx, entries)


def _require_within(entry: Entry, legs: Iterable[Leg], reserved: Iterable[Leg]) -> None:
    """Raises MoreThanReserved."""
    wanted, there = _by_place(legs), _by_place(reserved)
    for place, amount in wanted.items():
        most = there.get(place, 0)
        if abs(amount) > abs(most) or amount * most < 0:
            account, _party, currency = place
            raise MoreThanReserved(
                "entry {number} reserved {most} {currency} on {account}, not {amount}",
                hint="Post what goes beyond it as an entry of its own.",
                number=entry.number,
                account=account,
                currency=currency,
                most=most,
                amount=amount,
            )


def _by_place(legs: Iterable[Leg]) -> dict[tuple[str, str, str], int]:
    sums: dict[tuple[str, str, str], int] = defaultdict(int)
    for leg in legs:
        sums[leg.account, leg.party, leg.currency] += leg.amount
    return sums


# -- writing -----------------------------------------------------------------------------------------------------------


def _enter(tx: Tx, drafts: Sequence[Draft], phase: str) -> list[Entry]:
    """The entries of these drafts: those that are there already, and new ones."""
    there = {entry.source: entry for entry in _select(tx, "source", [draft.source for draft in drafts])}
    legs = _legs(tx, there.values())
    new: dict[str, _Made] = {}
    for draft in drafts:
        require_balanced(draft)
        entry = there.get(draft.source)
        before = legs[entry.id] if entry else new[draft.source].draft.legs if draft.source in new else None
        if before is None:
            new[draft.source] = _Made(draft, phase)
        elif sorted(draft.legs) != sorted(before) or (entry is not None and entry.phase != phase):
            raise SourceTaken(
                "{source} was posted before with other amounts", hint="Reverse that entry first.", source=draft.source
            )
    there |= {entry.source: entry for entry in _add_all(tx, list(new.values()))}
    return [there[draft.source] for draft in drafts]


def _add_all(tx: Tx, made: Sequence[_Made]) -> list[Entry]:
    """The one place where entries are made: numbered, in an open period, and with the balances kept up."""
    if not made:
        return []
    period, number = newest_period(tx), newest_entry(tx)
    added, moved = [], Moved()
    for place, item in enumerate(made, 1):
        draft = item.draft
        late = period is not None and draft.day < period.opens
        entry = tx.add(
            Entry(
                number=number + place,
                day=period.opens if period is not None and late else draft.day,
                text=draft.text,
                source=draft.source,
                reverses=item.reverses,
                phase=item.phase,
                resolves=item.resolves,
                fact_day=draft.day if late else None,
            )
        )
        for account, amount, currency, party in draft.legs:
            tx.add(Posting(entry=entry.id, account=account, party=party, amount=amount, currency=currency))
        movements(moved, month_label(entry.day), draft.legs, reserved=item.phase == PENDING)
        added.append(entry)
    keep_up(tx, moved)
    return added


def _release(tx: Tx, entries: Iterable[Entry], reserved: dict[str, list[Leg]]) -> None:
    """Pending entries reserve nothing any more."""
    moved = Moved()
    for entry in entries:
        legs = [leg._replace(amount=-leg.amount) for leg in reserved[entry.id]]
        movements(moved, month_label(entry.day), legs, reserved=True)
    keep_up(tx, moved)


def _select(tx: Tx, field: str, values: Sequence[str]) -> list[Entry]:
    """With one statement: settlements post for thousands of payees at once. What this very call has posted is seen
    where one is asked for."""
    if len(values) == 1:
        return tx.find_all(Entry, **{field: values[0]})
    return tx.select(Entry, (field, "=", tuple(values)), limit=ENTRIES_MOST) if values else []


def _legs(tx: Tx, entries: Iterable[Entry]) -> dict[str, list[Leg]]:
    found: dict[str, list[Leg]] = {entry.id: [] for entry in entries}
    if len(found) == 1:
        items = tx.find_all(Posting, entry=next(iter(found)))
    else:
        items = tx.select(Posting, entry=tuple(found), limit=ENTRIES_MOST) if found else []
    for item in items:
        found[item.entry].append(Leg(item.account, item.amount, item.currency, item.party))
    return found
