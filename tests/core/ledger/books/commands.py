"""What the modules above do with the ledger, one plain function each. A leg is written `account party amount currency`,
a blank party as `-`."""

from typing import Final

from bo.core.kernel.command import command
from bo.core.kernel.kinds import Count, Day, Tags, Text
from bo.core.kernel.tx import Tx
from bo.core.ledger import posting
from bo.core.ledger.days import today
from bo.core.ledger.posting import Draft, Leg

NOUN: Final = "books"


def legs_of(words: Tags) -> tuple[Leg, ...]:
    made = []
    for word in words:
        account, party, amount, currency = word.rsplit(" ", 3) if word.count(" ") > 3 else word.split(" ")
        made.append(Leg(account, int(amount), currency, "" if party == "-" else party))
    return tuple(made)


@command(needs="anyone")
def post(tx: Tx, *, source: Text, legs: Tags, day: Day | None = None) -> None:
    """Post an entry."""
    posting.post(tx, day=day or today(tx), text=f"“{source}”; x", source=source, legs=legs_of(legs))


@command(needs="anyone")
def post_many(tx: Tx, *, source: Text, legs: Tags, times: Count) -> None:
    """Post the same legs as so many entries, with one call and then each by itself."""
    many = [Draft(today(tx), source, f"{source}-{place}", legs_of(legs)) for place in range(times)]
    posting.post_all(tx, many)
    for place in range(times):
        posting.post(tx, day=today(tx), text=source, source=f"{source}+{place}", legs=legs_of(legs))


@command(needs="anyone")
def reserve(tx: Tx, *, source: Text, legs: Tags, day: Day | None = None) -> None:
    """Make a pending entry."""
    posting.reserve(tx, day=day or today(tx), text=source, source=source, legs=legs_of(legs))


@command(needs="anyone")
def confirm(tx: Tx, *, source: Text, legs: Tags = (), day: Day | None = None) -> None:
    """Confirm a pending entry, in whole where no legs are said."""
    entry = posting.entries_of(tx, [source])[0]
    posting.confirm(tx, entry, day=day or today(tx), legs=legs_of(legs) if legs else None)


@command(needs="anyone")
def cancel(tx: Tx, *, source: Text, reason: Text = "not needed") -> None:
    """Cancel a pending entry."""
    posting.cancel(tx, posting.entries_of(tx, [source])[0], reason)


@command(needs="anyone")
def reverse(tx: Tx, *, source: Text, day: Day | None = None) -> None:
    """Reverse an entry."""
    posting.reverse(tx, posting.entries_of(tx, [source])[0], day=day or today(tx))
