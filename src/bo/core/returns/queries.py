"""What a return would come to, and what credit a customer has."""

from __future__ import annotations

from typing import Final

import msgspec

from bo.core.customers.records import Customer
from bo.core.kernel.command import query
from bo.core.kernel.kinds import Amount, Count, Currency, Facts, Flag, Text
from bo.core.kernel.reader import Reader
from bo.core.orders.records import Fulfilment, Order, OrderLine, Payment
from bo.core.orders.rules import payment_status, pieces_of, refundable, state_of
from bo.core.returns import rules
from bo.core.returns.receiving import announced_of
from bo.core.returns.receiving import pieces_of as named_pieces
from bo.core.returns.records import Credit, CustomerReturn

NOUN: Final = "returns"


class Simulation(msgspec.Struct, frozen=True):
    """What a return would do. `refund` is what would be given back: what the pieces are worth, as far as it is paid."""

    order: Text
    pieces: Count
    in_time: Flag
    too_many: Count
    worth: Amount
    refundable: Amount
    refund: Amount
    currency: Currency
    restocked: Count
    state: Text
    payment: Text


class Balance(msgspec.Struct, frozen=True):
    """The store credit of a customer in one currency."""

    currency: Currency
    balance: Amount
    entries: Count


@query(needs="returns.read")
def simulate(
    read: Reader,
    order: Order,
    *,
    lines: Facts = {},  # noqa: B006 - never changed
) -> Simulation:
    """Show what a return of an order, or of some pieces of it, would give back and put into stock. Changes nothing."""
    known = sorted(read.records(OrderLine, f"order:{order.id}"), key=lambda line: line.position)
    announced = announced_of(read.records(CustomerReturn, f"order:{order.id}"))
    left = {line.id: rules.returnable(line, announced.get(line.id, 0)) for line in known}
    wanted = named_pieces(known, lines) if lines else {line: count for line, count in left.items() if count}
    pieces = {line: min(count, left[line]) for line, count in wanted.items()}
    payments = read.records(Payment, f"order:{order.id}")
    worth, usable = rules.worth(order, known, pieces), sum(refundable(item) for item in payments)
    parcels = [item.shipped_at for item in read.records(Fulfilment, f"order:{order.id}") if item.state != "cancelled"]
    kept = {line.variant for line in known if line.variant and read.count("stock", f"variant:{line.variant}")}
    refund = min(worth, usable)
    in_time = not rules.too_late(max(parcels, default=order.sent_at), read.now, rules.RETURN_DAYS.of(read))
    for line in known:
        line.returned += pieces.get(line.id, 0)
    return Simulation(
        order.number, sum(pieces.values()), in_time,
        sum(wanted.values()) - sum(pieces.values()), worth, usable, refund, order.currency,
        sum(pieces.get(line.id, 0) for line in known if line.variant in kept),
        str(state_of(pieces_of(known), draft=False, cancelled=order.is_cancelled)),
        payment_status(order.total, order.captured, order.refunded + refund),
    )  # fmt: skip


@query(needs="credits.read", noun="credits")
def balance(read: Reader, customer: Customer) -> list[Balance]:
    """The store credit of a customer, and of those who were merged into them, by currency."""
    sums: dict[str, tuple[int, int]] = {}
    holders = [customer.id, *(item.id for item in read.records(Customer, f"merged_into:{customer.id}"))]
    for item in (item for holder in holders for item in read.records(Credit, f"customer:{holder} sort:at")):
        total, count = sums.get(item.currency, (0, 0))
        sums[item.currency] = (total + item.amount, count + 1)
    return [Balance(currency, total, count) for currency, (total, count) in sorted(sums.items())]
