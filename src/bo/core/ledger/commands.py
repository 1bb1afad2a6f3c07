"""What people do to the books themselves: entries by hand, and the months that close. Everything else in the ledger is
posted by the modules above."""

from typing import Annotated, Final

from bo.core.kernel.amounts import parse_amount
from bo.core.kernel.command import command
from bo.core.kernel.errors import Refused, UsageError
from bo.core.kernel.kinds import CurrencyKind, Day, Field, Flag, RowsKind, Text, TextKind
from bo.core.kernel.tx import Tx
from bo.core.ledger import balances, posting, reading
from bo.core.ledger.days import first_day, month_label, month_of, today
from bo.core.ledger.posting import Leg
from bo.core.ledger.records import ACCOUNT, CLOSED, OPEN, OWNED, Entry, LedgerBalance, LedgerPeriod, LegAmountKind

NOUN: Final = "ledger"
ADJUST: Final = "ledger.adjust"  # the right to post by hand on accounts that modules own

Legs = Annotated[
    tuple[dict[str, object], ...],
    RowsKind("account", "amount", account=ACCOUNT, amount=LegAmountKind(), party=TextKind(200),
             currency=CurrencyKind()),
    Field(label="legs of the entry", help='such as [{"account": "fees", "amount": "5"}, {"account": "suspense", '
                                          '"amount": "-5"}]; debits above zero, credits below'),
]  # fmt: skip
Period = Annotated[Text, Field(label="month of the books", help="such as 2026-11")]
Reason = Annotated[Text, Field(help="why, for the one who asks later")]


class AccountOwned(Refused):
    """An account whose postings belong to records of another module."""

    code = "account_owned"


class NotNow(Refused):
    """A period that cannot be closed or opened now."""

    code = "not_now"


class EntriesPending(Refused):
    """A period with pending entries that nobody has confirmed or cancelled."""

    code = "entries_pending"


# -- entries by hand ---------------------------------------------------------------------------------------------------


@command(needs="entries.record", where="central")
def record(tx: Tx, *, text: Text, legs: Legs, reason: Reason, day: Day | None = None) -> Entry:
    """Post a balanced entry by hand. It is final: a mistake is reversed.

    Raises:
        Unbalanced: debits and credits differ in a currency.
        AccountOwned: an account belongs to a module, and you may not adjust the ledger.
    """
    made = tuple(_leg(tx, row) for row in legs)
    owned = sorted({leg.account for leg in made} & OWNED)
    if owned:
        _require_adjust(tx, owned[0])
    source, told = f"manual:{tx.operation}", f"{text} ({reason})"
    return posting.post(tx, day=day or today(tx), text=told, source=source, legs=made)


@command(needs="entries.reverse", where="central", confirm="many")
def reverse(tx: Tx, entry: Entry, *, reason: Reason) -> Entry:
    """Reverse a posted entry by another one of today.

    Raises:
        AlreadyReversed: it is reversed, or is a reversal itself.
        NotPending: it was not posted.
        AccountOwned: a module posted it, and you may not adjust the ledger.
    """
    if not entry.source.startswith("manual:"):
        _require_adjust(tx, entry.source.partition(":")[0])
    return posting.reverse(tx, entry, day=today(tx), text=f"{entry.text} ({reason})")


def _leg(tx: Tx, row: dict[str, object]) -> Leg:
    currency = str(row.get("currency") or tx.context.currency)
    amount = row["amount"] if isinstance(row["amount"], int) else parse_amount(str(row["amount"]), currency)
    return Leg(str(row["account"]), amount, currency, str(row.get("party") or ""))


def _require_adjust(tx: Tx, owner: str) -> None:
    if not tx.actor.may(ADJUST):
        raise AccountOwned(
            "{owner} is posted by bo itself, with the record that it belongs to",
            hint="Change that record, or ask somebody who may adjust the ledger.",
            owner=owner,
        )


# -- periods -----------------------------------------------------------------------------------------------------------


@command(needs="ledger.close", where="central", confirm="always")
def close_period(tx: Tx, *, period: Period, with_pending: Flag = False, note: Text = "") -> None:
    """Close a month of the books: it takes nothing any more, and what comes late goes to the first day that is open.

    Months close in their order. `with_pending` closes one whose pending entries are still to be resolved; what comes of
    them is posted in a month that is open then.

    Raises:
        NotNow: it is not over, closed already, or the month before it is open.
        EntriesPending: entries of it are pending.
    """
    label, start, end = _month(period)
    newest = posting.newest_period(tx)
    if newest is not None and start < newest.opens:
        raise NotNow("{period} is closed already", period=label)
    if today(tx) < end:
        raise NotNow("{period} is not over", hint="Close it from {day} on.", period=label, day=end.isoformat())
    _require_order(tx, label, newest)
    pending = reading.open_pending(tx, end)
    if pending and not with_pending:
        raise EntriesPending(
            "{count} entries up to {period} are pending, the first is {number}",
            hint="Confirm or cancel what they belong to, or close with --with-pending.",
            count=len(pending),
            period=label,
            number=pending[0],
        )
    _add_period(tx, newest, label, CLOSED, end, note)


@command(needs="ledger.reopen", where="central", confirm="always")
def reopen_period(tx: Tx, *, period: Period, reason: Reason) -> None:
    """Open the month that was closed last again. A right of its own, for what was told of it may change.

    Raises:
        NotNow: it is not closed, or a later month is.
    """
    label, start, end = _month(period)
    newest = posting.newest_period(tx)
    if newest is None or newest.opens <= start or not tx.find_all(LedgerPeriod, label=label):
        raise NotNow("{period} is not closed", hint="bo periods list shows what is.", period=label)
    if newest.opens != end:
        raise NotNow("a month after {period} is closed", hint="Open the last one first.", period=label)
    _add_period(tx, newest, label, OPEN, start, reason)


def _add_period(tx: Tx, newest: LedgerPeriod | None, label: str, state: str, opens: Day, note: str) -> None:
    number = newest.number + 1 if newest is not None else 1
    tx.add(
        LedgerPeriod(number=number, label=label, state=state, opens=opens, done_by=tx.actor.id,
                     last_number=posting.newest_entry(tx), note=note)
    )  # fmt: skip


def _require_order(tx: Tx, label: str, newest: LedgerPeriod | None) -> None:
    """Raises NotNow unless every month before is closed, or nothing was posted before the first one."""
    if newest is None:
        first = tx.select(Entry, ("day", "<", first_day(label)), order="day", limit=1)
        wanted = month_label(first[0].day) if first else label
    else:
        wanted = month_label(newest.opens)
    if wanted != label:
        raise NotNow(
            "{period} cannot be closed before {earlier}",
            hint="bo ledger close-period --period {earlier}",
            period=label,
            earlier=wanted,
        )


def _month(text: str) -> tuple[str, Day, Day]:
    """Label, first day, and first day after. Raises UsageError."""
    try:
        start, end = month_of(first_day(text))
    except ValueError:
        raise UsageError("{value} is not a month of the books", hint="Write it like 2026-11.", value=text) from None
    return month_label(start), start, end


# -- mending -----------------------------------------------------------------------------------------------------------


@command(needs=ADJUST, where="central", confirm="always")
def rebuild(tx: Tx) -> None:
    """Add up the balances of every account anew from the entries, and put right those that differ."""
    summed = reading.summed(tx)
    held = {item.id: item for item in tx.select(LedgerBalance, limit=posting.ENTRIES_MOST)}
    moved = balances.Moved()
    for item in held.values():
        place = (item.account, item.party, item.currency, item.month)
        moved[place] = [-item.debit, -item.credit, -item.reserved, -item.postings]
    for place, sums in summed.items():
        moved[place] = [new + old for new, old in zip(sums, moved[place], strict=True)]
    balances.keep_up(tx, balances.Moved({place: sums for place, sums in moved.items() if any(sums)}))
