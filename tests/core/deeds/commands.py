"""Earning, refunding, taking back and posting, one plain function each."""

from typing import Final

from bo.core.kernel.command import command
from bo.core.kernel.kinds import Amount, Currency, Flag, Id, Moment, Text
from bo.core.kernel.tx import Tx
from bo.core.ledger.days import today
from bo.core.ledger.posting import credit, debit, entries_of, post, reverse
from bo.core.ledger.records import AccountName
from bo.core.rewards import earning

NOUN: Final = "deeds"


@command(needs="anyone")
def earn(
    tx: Tx,
    *,
    cause: Id,
    referrer: Id | None = None,
    event: Text = "valid_lead",
    at: Moment | None = None,
    gross: Amount = 0,
    net: Amount | None = None,
    margin: Amount | None = None,
    store: Id | None = None,
    currency: Currency | None = None,
    source: Text = "",
    category: Text = "",
    first_order: Flag = False,
    customer: Text = "",
    order: Text = "",
) -> None:
    """Something is earned."""
    earning.earn(
        tx,
        event=event,
        cause_id=cause,
        referrer_id=referrer,
        happened_at=at or tx.now,
        gross=gross,
        net=net,
        margin=margin,
        store=store,
        currency=currency or "",
        source=source,
        category=category,
        first_order=first_order,
        customer=customer,
        order=order,
    )


@command(needs="anyone")
def refund(
    tx: Tx,
    *,
    cause: Id,
    refunded: Amount,
    of: Amount,
    refunded_net: Amount | None = None,
    net: Amount | None = None,
) -> None:
    """An order is refunded, in part or whole."""
    earning.claw_back(tx, cause_id=cause, refunded=refunded, base=of, refunded_net=refunded_net, net=net)


@command(needs="anyone")
def void(tx: Tx, *, cause: Id, event: Text = "", reason: Text = "a mistake") -> None:
    """What a cause earned is taken back."""
    earning.void(tx, cause_id=cause, event=event or None, reason=reason)


@command(needs="anyone")
def post_(
    tx: Tx,
    *,
    source: Text,
    amount: Amount,
    other: Amount | None = None,
    currency: Currency = "CNY",
    account: AccountName = "bank",
) -> None:
    """Post an entry of two legs; `other` makes them differ."""
    second = amount if other is None else other
    legs = [debit("reward_expense", amount, "CNY"), credit(account, second, currency, "somebody")]
    post(tx, day=today(tx), text=f"test {source}", source=source, legs=legs)


@command(needs="anyone")
def reverse_(tx: Tx, *, source: Text) -> None:
    """Reverse the entry of a source."""
    reverse(tx, entries_of(tx, [source])[0], day=today(tx))
