"""Balances that are kept up: what the entries of a month have moved on an account, for a party, in a currency.

Whatever posts keeps them up in its own transaction, so that a balance or a report reads as many rows as there are
accounts. `ledger check` adds up all entries again and compares; `ledger rebuild` puts right what differs.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from bo.core.kernel.ids import encode
from bo.core.kernel.tx import Tx
from bo.core.ledger.records import LedgerBalance

Place = tuple[str, str, str, str]  # account, party, currency, month


class Moved(dict[Place, list[int]]):
    """Debit, credit, reserved and number of postings, by place."""

    def __missing__(self, place: Place) -> list[int]:
        made = self[place] = [0, 0, 0, 0]
        return made


def movements(moved: Moved, month: str, legs: Iterable[tuple[str, int, str, str]], *, reserved: bool) -> None:
    """Add the legs of an entry: (account, amount, currency, party)."""
    for account, amount, currency, party in legs:
        sums = moved[account, party, currency, month]
        if reserved:
            sums[2] += amount
        else:
            sums[0 if amount > 0 else 1] += abs(amount)
            sums[3] += 1


def keep_up(tx: Tx, moved: Moved) -> None:
    """Add what was moved to the balances."""
    ids = {place: balance_id(place) for place in moved}
    tx.fetch(LedgerBalance, "id", ids.values())
    for place, (debit, credit, reserved, count) in moved.items():
        held = tx.peek(LedgerBalance, ids[place])
        if held is None:
            account, party, currency, month = place
            held = tx.add(LedgerBalance(id=ids[place], account=account, party=party, currency=currency, month=month))
        held.debit += debit
        held.credit += credit
        held.reserved += reserved
        held.postings += count


def balance_id(place: Place) -> str:
    """The id of the balance of a place: the same in every office."""
    from hashlib import blake2b

    digest = blake2b("\n".join(place).encode(), digest_size=16, person=b"bo-balance").digest()
    return _PREFIX + encode(int.from_bytes(digest, "big"))


_PREFIX: Final = "bal_"
