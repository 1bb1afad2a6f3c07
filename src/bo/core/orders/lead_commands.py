"""What can be done with a lead and its order. `commands` hands these over with its own."""

from typing import Annotated

from bo.core.kernel.command import command
from bo.core.kernel.kinds import Amount, Field, Moment, Text
from bo.core.kernel.record import States
from bo.core.kernel.tx import Tx
from bo.core.leads.records import FOLLOW_UP_STATES, ON_HOLD, REVERSED, WON, Lead
from bo.core.orders.records import Order


@command(needs="leads.follow_up", moves=(FOLLOW_UP_STATES | ON_HOLD) >> WON)
def win(
    tx: Tx,
    lead: Lead,
    *,
    order_number: Text,
    amount: Annotated[Amount, Field(help="what the customer pays; not needed for an order that is known")]
    | None = None,
    net: Annotated[Amount, Field(help="that without tax and shipping")] | None = None,
    channel: Annotated[Text, Field(help="channel of the order; leads: it is only reported here")] = "",
    won_at: Moment | None = None,
) -> None:
    """The customer bought. Links the order of that number, or makes one; the referrer earns what the rules pay for it.

    An order that is known here says the amounts; of one that is headquarters' and not in sight its total is wanted. Of
    one that is only reported, a reward on the net amount is held while that is not known.

    Raises:
        OrderTaken: the order belongs to another lead.
        Ambiguous: several channels have an order of that number.
        NotSold: the order is cancelled, refunded or a draft.
        OtherStore: it is another store's.
        SoldBefore: the order is older than the report.
        WrongAmount, WrongTime: sums or a time that cannot be, or others than the order's.
    """
    from bo.core.orders import selling

    selling.win(tx, lead, order_number, channel=channel, amount=amount, net=net, won_at=won_at)


@command(needs="leads.reverse", moves=States((WON,)), where="central", confirm="always")
def refund_(tx: Tx, lead: Lead, *, amount: Amount, reason: Text) -> None:
    """Part of the order was paid back: the same share of its reward is taken back. The whole of it reverses the sale.

    Raises:
        WrongAmount: more than is left of the order.
        TooMuch: more than is left of the payments.
        NotAllowed: the order was paid here, and you may not pay refunds back.
        OwnGrant: somebody else has to pay so much back.
    """
    from bo.core.orders import selling

    selling.refund(tx, lead, amount, reason)


@command(needs="leads.reverse", moves=WON >> REVERSED, confirm="always")
def reverse(tx: Tx, lead: Lead, *, reason: Text) -> None:
    """The order was cancelled: all that it earned is taken back.

    What was paid for it stays paid until it is refunded.

    Raises:
        AlreadySent: goods of it have been sent.
    """
    from bo.core.orders import selling

    selling.reverse(tx, lead, reason)


@command(needs="orders.link")
def link(tx: Tx, order: Order, *, lead: Lead) -> None:
    """Say of which lead an order came: the lead is won with it, and an order that was only reported so far gives way.

    Raises:
        WrongState: the lead is not with its store.
        Settled: what the reported order earned is in a settlement.
        OrderTaken, NotSold, OtherStore, SoldBefore, WrongAmount: as with bo leads win.
    """
    from bo.core.orders import selling

    selling.link(tx, order, lead)


@command(needs="orders.link", confirm="always")
def unlink(tx: Tx, order: Order) -> None:
    """Take an order off its lead, which is followed up again; what it earned is void.

    Raises:
        WrongState: it wins no lead.
        Settled: what it earned is in a settlement.
    """
    from bo.core.orders import selling

    selling.unlink(tx, order)
