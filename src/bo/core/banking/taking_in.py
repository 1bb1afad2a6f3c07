"""Taking in a statement: which of its lines are new, how it follows the one before, and what the ledger is told.

From the moment a line is taken in the ledger's balance of the account is the bank's; until somebody says what the line
was for, the other side stands in `suspense`. One entry for each day of a statement: money in and money out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from hashlib import blake2b
from typing import Final

import msgspec

from bo.core.banking.records import BankLine, BankStatement
from bo.core.kernel.tx import Tx
from bo.core.ledger.posting import Draft, Leg, entries_of, post_all, reverse_all
from bo.core.ledger.records import Entry
from bo.core.settlement.records import BankAccount

SUSPENSE, OPENING = "suspense", "opening"
NEAR: Final = 50  # statements of one account that end around the same day
Row = Mapping[str, object]


def ledger_account(account: BankAccount) -> str:
    """Which account of the ledger holds the money: that of banks, or that of payment channels."""
    return "channel" if account.kind == "channel" else "bank"


def keys_of(
    account: BankAccount, rows: Sequence[Row], is_known: Callable[[str], bool] = lambda _key: False
) -> list[str]:
    """What each line is known by: the bank's own reference with day and amount, else all that it says. Equal lines of
    one day are told apart by counting them, since banks export whole days; the count goes on after those that are
    known, where that is asked."""
    met: Counter[tuple[object, ...]] = Counter()
    keys = []
    for row in rows:
        if row.get("bank_reference"):
            facts: tuple[object, ...] = (row["bank_reference"], row["day"], row["amount"])
        else:
            said = (row.get(name, "") for name in ("counterparty", "reference", "end_to_end_id", "purpose"))
            facts = (row["day"], row["amount"], *said)
        met[facts] += 1
        key = digest(account.id, *facts, met[facts])
        while not row.get("bank_reference") and is_known(key):
            met[facts] += 1
            key = digest(account.id, *facts, met[facts])
        keys.append(key)
    return keys


def goes_on(tx: Tx, account: BankAccount, currency: str, first: date | None, opening: int | None) -> bool:
    """Whether a statement begins with what another one of that day ended with: then no line is in both. Of one that
    covers more days nobody can tell, since its last day may have come to nothing."""
    if first is None or opening is None:
        return False
    same_day = tx.select(
        BankStatement, account=account.id, currency=currency, state="taken", from_day=first, until_day=first
    )
    return any(item.closing == opening != item.opening for item in same_day)


def digest(*facts: object) -> str:
    """A short name of facts: equal facts have equal ones."""
    return blake2b("\x1f".join(map(str, facts)).encode(), digest_size=16).hexdigest()


def add_lines(
    tx: Tx, statement: BankStatement, account: BankAccount, rows: Sequence[Row], keys: Sequence[str]
) -> list[BankLine]:
    """Add the lines that are not known yet, and count the others."""
    made = []
    for position, (row, key) in enumerate(zip(rows, keys, strict=True), 1):
        if tx.view_by(BankLine, "once", key) is not None:
            statement.known += 1
            continue
        own = {"statement": statement.id, "account": account.id, "position": position,
               "currency": statement.currency, "once": key}  # fmt: skip
        made.append(tx.add(msgspec.convert({**row, **own}, BankLine)))
    statement.lines = len(made)
    statement.total = sum(line.amount for line in made)
    return made


# -- how statements follow each other ----------------------------------------------------------------------------------


def neighbours(tx: Tx, statement: BankStatement) -> tuple[BankStatement | None, BankStatement | None]:
    """The statements of the account before and after this one."""
    if statement.until_day is None:
        return None, None
    of_account = {"account": statement.account, "currency": statement.currency, "state": "taken"}
    earlier = tx.select(
        BankStatement, ("until_day", "<=", statement.until_day), order="-until_day", limit=NEAR, **of_account
    )
    later = tx.select(
        BankStatement, ("until_day", ">=", statement.until_day), order="until_day", limit=NEAR, **of_account
    )
    own = statement.id
    before = [item for item in earlier if item.id != own and item.closing is not None]
    fitting = next((item for item in before if item.closing == statement.opening), None)
    first = fitting or (max(_last_of(before), key=lambda item: item.id) if before else None)
    taken = {own, first.id if first else ""}
    after = [item for item in later if item.id not in taken and item.opening is not None]
    following = next((item for item in after if item.opening == statement.closing), None)
    strictly = [item for item in after if item.until_day != statement.until_day]
    return first, following or (strictly[0] if strictly else None)


def _last_of(items: Sequence[BankStatement]) -> list[BankStatement]:
    return [item for item in items if item.until_day == items[0].until_day]


def gap_between(before: BankStatement | None, statement: BankStatement) -> int | None:
    """What is missing between two statements. They may overlap: then the new lines lead from one closing balance to the
    other. None where a balance is not known."""
    if before is None or before.closing is None or statement.closing is None:
        return None
    if statement.opening == before.closing:
        return 0
    return statement.closing - statement.total - before.closing


def follow(tx: Tx, statement: BankStatement) -> None:
    """Note the gap before this statement, and anew that before the next."""
    before, after = neighbours(tx, statement)
    statement.gap = gap_between(before, statement)
    if after is not None:
        after.gap = gap_between(statement, after)
    if statement.opening is not None:
        _open(tx, statement)


# -- the ledger --------------------------------------------------------------------------------------------------------


def drafts_of(statement: BankStatement, account: BankAccount, lines: Iterable[BankLine]) -> list[Draft]:
    """What the ledger is told of these lines: for each day what came in and what went out, against `suspense`."""
    days: dict[date, list[int]] = defaultdict(lambda: [0, 0])
    for line in lines:
        days[line.day][line.amount < 0] += line.amount
    return [
        Draft(day, f"{statement.reference} {account.code}", f"statement:{statement.id}:{day.isoformat()}", legs)
        for day, (came, went) in sorted(days.items())
        if (legs := (*_legs(account, came, statement.currency), *_legs(account, went, statement.currency)))
    ]


def _legs(account: BankAccount, amount: int, currency: str, against: str = SUSPENSE) -> tuple[Leg, ...]:
    if not amount:
        return ()
    party = account.code
    return Leg(ledger_account(account), amount, currency, party), Leg(against, -amount, currency, party)


def _open(tx: Tx, statement: BankStatement) -> None:
    """The first balance of an account, where no statement that is there begins earlier."""
    earliest = _earliest(tx, statement)
    if earliest is not None and not _begins_before(statement, earliest):
        return
    if earliest is not None and earliest.opening_entry is not None:
        reverse_all(tx, [tx.get(Entry, earliest.opening_entry)], day=_begin(earliest))
        earliest.opening_entry = None
    _post_opening(tx, statement)


def _post_opening(tx: Tx, statement: BankStatement) -> None:
    account = tx.get(BankAccount, statement.account)
    legs = _legs(account, statement.opening or 0, statement.currency, OPENING)
    if legs:
        source = f"opening:{statement.id}:{tx.operation}"
        draft = Draft(_begin(statement), f"{statement.reference} {account.code}", source, legs)
        statement.opening_entry = post_all(tx, [draft])[0].id


def _earliest(tx: Tx, statement: BankStatement) -> BankStatement | None:
    """The statement that the account begins with, beside this one."""
    found = tx.select(
        BankStatement,
        account=statement.account,
        currency=statement.currency,
        state="taken",
        order="from_day",
        limit=NEAR,
    )
    others = [item for item in found if item.id != statement.id and item.opening is not None and item.from_day]
    first = [item for item in others if item.from_day == others[0].from_day]
    return next((item for item in first if item.opening_entry is not None), first[0] if first else None)


def _begins_before(statement: BankStatement, other: BankStatement) -> bool:
    """Of two that begin on one day, the one that the other goes on from."""
    if _begin(statement) == _begin(other):
        return statement.closing == other.opening and statement.opening != other.opening
    return _begin(statement) < _begin(other)


def _begin(statement: BankStatement) -> date:
    return statement.from_day or statement.until_day or date.max


def take_back(tx: Tx, statement: BankStatement, lines: Sequence[BankLine], day: date) -> None:
    """Reverse what the ledger was told, and take the lines away, so that they can come in again elsewhere."""
    days = sorted({line.day for line in lines})
    entries = entries_of(tx, [f"statement:{statement.id}:{each.isoformat()}" for each in days])
    began = statement.opening_entry is not None
    if statement.opening_entry is not None:
        entries.append(tx.get(Entry, statement.opening_entry))
    reverse_all(tx, entries, day=day)
    for line in lines:
        tx.remove(line)
    before, after = neighbours(tx, statement)
    statement.once = statement.opening_entry = None
    if after is not None:
        after.gap = gap_between(before, after)
    if began and (earliest := _earliest(tx, statement)) is not None:
        _post_opening(tx, earliest)
