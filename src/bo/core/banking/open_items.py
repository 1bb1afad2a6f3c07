"""What bank lines may be for: payouts under way, payments and refunds of orders, orders that are not paid, lines of our
other accounts, entries by hand. Read in bulk, for a command or for a query alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bo.core.banking import matching
from bo.core.banking.matching import Item, Line
from bo.core.banking.records import OPEN, PART_MATCHED, BankLine, BankMatch, Counterparty
from bo.core.kernel.kinds import moment_of
from bo.core.kernel.reader import Reader
from bo.core.kernel.record import info_of
from bo.core.kernel.tx import Tx
from bo.core.ledger.days import day_of
from bo.core.ledger.records import POSTED, Entry, Posting
from bo.core.orders.records import CANCELLED, CAPTURED, DONE, DRAFT, PENDING, Order, Payment, Refund
from bo.core.settlement.records import PAID, SENT, BankAccount, PaymentFile, Payout, Settlement

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement

BY_HAND: Final = "manual:"  # the source of entries that people record
SHORTEST: Final = 6  # an id of a bank or channel that says which movement it was


def open_items(eyes: Tx | Reader, lines: Iterable[BankLine], accounts: dict[str, BankAccount]) -> list[Item]:
    """Everything that is open, in an order that is always the same. `lines` are the open ones of all accounts."""
    zone = eyes.context.zone
    return [
        *_payouts(eyes, zone),
        *_payments(eyes, zone),
        *_refunds(eyes, zone),
        *_orders(eyes, zone),
        *_transfers(lines, accounts),
        *_entries(eyes, {account.code: account.id for account in accounts.values()}),
    ]


def line_of(line: BankLine) -> Line:
    """A bank line as the rules see it."""
    return Line(
        line.id, line.account, line.currency, line.day, line.left, 0 if line.matched else line.fee, ids_of(line),
        " ".join(text for text in (line.reference, line.end_to_end_id, line.purpose) if text),
        line.counterparty, line.counterparty_account,
    )  # fmt: skip


def ids_of(line: BankLine) -> tuple[str, ...]:
    """What banks and channels know a line by."""
    batch = line.extra.get("batch")
    said = (line.end_to_end_id, line.reference, line.bank_reference, str(batch or ""))
    return tuple(text for text in said if text)


def memory_of(eyes: Tx | Reader) -> dict[str, str]:
    """Whose money a counterparty's was before, by what it is remembered by."""
    return {str(key): str(means) for key, means in _rows(eyes, "memory", _memory, Counterparty)}


def _rows(eyes: Tx | Reader, key: str, build: Callable[[], ClauseElement], *of: type[Any]) -> list[tuple[Any, ...]]:
    name = f"reconcile:{':'.join(info_of(cls).fingerprint for cls in of)}:{key}"
    return eyes.rows(name, build, *of) if isinstance(eyes, Tx) else eyes.rows(name, build)


def _day(value: object) -> date:
    return msgspec.convert(value, date)


def _payouts(eyes: Tx | Reader, zone: str) -> Iterator[Item]:
    for row in _rows(eyes, "payouts", _payout_rows, Payout, Settlement, BankMatch, PaymentFile, BankAccount):
        key, reference, amount, currency, state, holder, number, referrer, paid_on, group, exported, matched, party = (
            row
        )
        day = _day(paid_on) if paid_on else day_of(moment_of(exported), zone)
        made = Item(matching.PAYOUT, key, -amount - int(matched or 0), currency, day, total=-amount, ids=(reference,),
                    references=(reference,), group=group, name=holder, number=number, owner=f"referrer:{referrer}",
                    label=reference, noted=state == PAID, party=party or "")  # fmt: skip
        if made.left:
            yield made
        if state == PAID:
            yield msgspec.structs.replace(made, kind=matching.RETURNED, left=amount, group="", noted=False)


def _payments(eyes: Tx | Reader, zone: str) -> Iterator[Item]:
    for row in _rows(eyes, "payments", _payment_rows, Payment, Order, BankMatch):
        key, reference, amount, currency, at, number, name, customer, matched = row
        yield Item("payment", key, amount - int(matched or 0), currency, day_of(moment_of(at), zone),
                   ids=(reference,) if reference else (), references=(number,), name=name,
                   owner=f"customer:{customer}" if customer else "", label=number)  # fmt: skip


def _refunds(eyes: Tx | Reader, zone: str) -> Iterator[Item]:
    for row in _rows(eyes, "refunds", _refund_rows, Refund, Order, BankMatch):
        key, reference, amount, currency, at, state, number, name, customer, matched = row
        yield Item("refund", key, -amount - int(matched or 0), currency, day_of(moment_of(at), zone),
                   ids=(reference,) if reference else (), references=(number,), name=name,
                   owner=f"customer:{customer}" if customer else "", label=number, asks=state == PENDING)  # fmt: skip


def _orders(eyes: Tx | Reader, zone: str) -> Iterator[Item]:
    for key, number, left, currency, at, name, customer in _rows(eyes, "orders", _order_rows, Order):
        yield Item("order", key, left, currency, day_of(moment_of(at), zone), references=(number,), name=name,
                   owner=f"customer:{customer}" if customer else "", label=number)  # fmt: skip


def _transfers(lines: Iterable[BankLine], accounts: dict[str, BankAccount]) -> Iterator[Item]:
    """Other lines of our accounts: what left one may have come to another."""
    for line in lines:
        account = accounts[line.account]
        names = tuple(text for text in ids_of(line) if len(matching.key_of(text)) >= SHORTEST)
        yield Item(matching.TRANSFER, line.id, -line.left, line.currency, line.day, ids=names, references=names,
                   name=account.bank if account.kind == "channel" else "", number=account.number, label=account.code,
                   account=account.id)  # fmt: skip


def _entries(eyes: Tx | Reader, ids: dict[str, str]) -> Iterator[Item]:
    for key, number, amount, currency, day, text, party in _rows(eyes, "entries", _entry_rows, Entry, Posting):
        if party in ids:
            yield Item(matching.ENTRY, key, amount, currency, _day(day), name=text, label=str(number),
                       account=ids[party], noted=True, party=party)  # fmt: skip


# -- statements --------------------------------------------------------------------------------------------------------


def _memory() -> ClauseElement:
    import sqlalchemy as sa

    from bo.core.kernel.tables import table

    made = table(info_of(Counterparty))
    return sa.select(made.c.key, made.c.means)


def _matched(kind: str) -> Any:
    """What of each target is matched, with what the channel kept."""
    import sqlalchemy as sa

    from bo.core.kernel.tables import table

    made = table(info_of(BankMatch))
    total = sa.func.sum(made.c.amount + made.c.fee).label("matched")
    wanted = [made.c.kind == sa.literal_column(f"'{kind}'")]
    if kind == matching.PAYOUT:
        wanted.append(made.c.amount < sa.literal_column("0"))
    return sa.select(made.c.target, total).where(*wanted).group_by(made.c.target).subquery()


def _payout_rows() -> ClauseElement:
    import sqlalchemy as sa

    from bo.core.kernel.tables import table

    item, settlement, matched = table(info_of(Payout)), table(info_of(Settlement)), _matched(matching.PAYOUT)
    columns = [item.c[name] for name in ("id", "reference", "amount", "currency", "state", "holder", "account",
                                         "referrer", "paid_on")]  # fmt: skip
    file, account = table(info_of(PaymentFile)), table(info_of(BankAccount))
    joined = (
        item.join(settlement, settlement.c.id == item.c.settlement)
        .outerjoin(matched, matched.c.target == item.c.id)
        .outerjoin(file, file.c.settlement == item.c.settlement)
        .outerjoin(account, account.c.id == file.c.bank_account)
    )
    return (
        sa.select(*columns, settlement.c.number, settlement.c.exported_at, matched.c.matched, account.c.code)
        .select_from(joined)
        .where(item.c.state.in_([str(SENT), str(PAID)]))
        .order_by(item.c.id)
    )


def _payment_rows() -> ClauseElement:
    import sqlalchemy as sa

    from bo.core.kernel.tables import table

    item, order, matched = table(info_of(Payment)), table(info_of(Order)), _matched("payment")
    columns = [item.c[name] for name in ("id", "reference", "amount", "currency", "at")]
    joined = item.join(order, order.c.id == item.c.order).outerjoin(matched, matched.c.target == item.c.id)
    left = item.c.amount - sa.func.coalesce(matched.c.matched, sa.literal_column("0"))
    return (
        sa.select(*columns, order.c.number, order.c.name, order.c.customer, matched.c.matched)
        .select_from(joined)
        .where(item.c.state == str(CAPTURED), left > sa.literal_column("0"))
        .order_by(item.c.at, item.c.id)
    )


def _refund_rows() -> ClauseElement:
    import sqlalchemy as sa

    from bo.core.kernel.tables import table

    item, order, matched = table(info_of(Refund)), table(info_of(Order)), _matched("refund")
    columns = [item.c[name] for name in ("id", "reference", "amount", "currency", "created_at", "state")]
    joined = item.join(order, order.c.id == item.c.order).outerjoin(matched, matched.c.target == item.c.id)
    left = item.c.amount + sa.func.coalesce(matched.c.matched, sa.literal_column("0"))
    return (
        sa.select(*columns, order.c.number, order.c.name, order.c.customer, matched.c.matched)
        .select_from(joined)
        .where(item.c.state.in_([str(PENDING), str(DONE)]), left > sa.literal_column("0"))
        .order_by(item.c.created_at, item.c.id)
    )


def _order_rows() -> ClauseElement:
    import sqlalchemy as sa

    from bo.core.kernel.tables import table

    item = table(info_of(Order))
    columns = (item.c.id, item.c.number, item.c.total - item.c.captured, item.c.currency, item.c.placed_at, item.c.name,
               item.c.customer)  # fmt: skip
    return (
        sa.select(*columns)
        .where(item.c.total > item.c.captured, item.c.state.not_in([str(DRAFT), str(CANCELLED)]))
        .order_by(item.c.placed_at, item.c.id)
    )


def _entry_rows() -> ClauseElement:
    import sqlalchemy as sa

    from bo.core.kernel.tables import table

    entry, leg, match = table(info_of(Entry)), table(info_of(Posting)), table(info_of(BankMatch))
    taken = sa.select(match.c.id).where(match.c.target == entry.c.id).exists()
    undone = entry.alias("undone")
    reversed_ = sa.select(undone.c.id).where(undone.c.reverses == entry.c.id).exists()
    return (
        sa.select(entry.c.id, entry.c.number, leg.c.amount, leg.c.currency, entry.c.day, entry.c.text, leg.c.party)
        .select_from(entry.join(leg, leg.c.entry == entry.c.id))
        .where(
            entry.c.source.startswith(BY_HAND),
            entry.c.phase == str(POSTED),
            leg.c.account.in_(["bank", "channel"]),
            ~taken,
            ~reversed_,
        )
        .order_by(entry.c.number, leg.c.id)
    )


OPEN_STATES: Final = (OPEN, PART_MATCHED)
