"""What is done with tickets, shops and gauges, and a few commands that no office should have."""

from typing import Annotated

from bo.core.kernel.command import command
from bo.core.kernel.errors import Refused
from bo.core.kernel.kinds import Amount, Count, Day, Moment, Note, PersonName, Phone, RefKind, Tags, Text
from bo.core.kernel.standard import adds, edits
from bo.core.kernel.tx import Tx
from tests.core.kernel.office.records import CLOSED, GIVEN, NEW, Gauge, Shop, Slip, Ticket

add = adds(Shop, needs="shops.edit", without=("tickets",))
edit_shop = edits(Shop, needs="shops.edit", without=("tickets",))
edit_ticket = edits(Ticket, needs="tickets.edit", without=("same_phone", "shop"))
add_gauge = adds(Gauge, needs="gauges.edit")
edit_gauge = edits(Gauge, needs="gauges.edit")


class ShopFull(Refused):
    """The shop takes no more."""

    code = "shop_full"


@command(needs="tickets.open")
def open(
    tx: Tx,
    *,
    number: Text | None = None,
    name: PersonName = "",
    phone: Phone | None = None,
    amount: Amount | None = None,
    due: Day | None = None,
    tags: Tags = (),
    note: Note = "",
) -> Ticket:
    """Open a ticket."""
    same = tx.find(Ticket, phone=phone) if phone else None
    return tx.add(
        Ticket(
            number=number,
            name=name,
            phone=phone,
            amount=amount,
            due=due,
            tags=tags,
            note=note,
            same_phone=same.id if same else "",
        )
    )


@command(needs="tickets.give", moves=NEW >> GIVEN)
def give(tx: Tx, ticket: Ticket, shop: Shop, *, note: Text = "") -> None:
    """Give a ticket to a shop, which takes three at most."""
    ticket.shop = shop.id
    shop.tickets += 1
    if shop.tickets > 3:
        raise ShopFull("shop {shop} takes no more tickets", hint="Choose another one.", shop=shop.code)


@command(needs="tickets.close", moves=(NEW | GIVEN) >> CLOSED, confirm="many")
def close(tx: Tx, ticket: Ticket) -> None:
    """Close a ticket and keep a slip of its amount."""
    tx.add(Slip(ticket=ticket.id, amount=ticket.amount or 0))
    tx.later("ticket.closed", {"ticket": ticket.id})


@command(needs="tickets.close")
def drop(tx: Tx, ticket: Ticket) -> None:
    """Take a ticket out of the office."""
    tx.remove(ticket)


@command(needs="tickets.renumber")
def swap(tx: Tx, ticket: Ticket, other: Ticket) -> None:
    """Exchange the numbers of two tickets."""
    ticket.number, other.number = other.number, ticket.number


@command(needs="tickets.renumber")
def renumber(tx: Tx, ticket: Ticket, *, number: Text, twin: Ticket | None = None) -> None:
    """Give a ticket another number, and a second one the same, which cannot be."""
    ticket.number = number
    if twin is not None:
        twin.number = number


@command(needs="tickets.open")
def reopen(tx: Tx, ticket: Ticket) -> Ticket:
    """Take a ticket out and put it in anew under the same id."""
    tx.remove(ticket)
    return tx.add(Ticket(id=ticket.id, number=ticket.number, name=ticket.name, phone=ticket.phone))


@command(needs="tickets.close", moves=NEW | GIVEN)
def chase(tx: Tx, ticket: Ticket) -> None:
    """Ask for a letter and change nothing."""
    tx.later("ticket.chased", {"ticket": ticket.id, "by": tx.actor.id})


@command(needs="tickets.edit")
def tally(tx: Tx, shop: Shop, *, among: Annotated[str, RefKind("shops")] | None = None, more: Count = 1) -> None:
    """Write down how many open tickets there are, as the database and the keys find them."""
    found = tx.select(Ticket, ("number", "!=", None), state=(NEW, GIVEN), order="-number", limit=50)
    with_phone = tx.find_all(Ticket, phone=found[0].phone) if found and found[0].phone else []
    counted = tx.count(Ticket, state=NEW)
    shop.name = f"{len(found)} open, {counted} new, {len(with_phone)} alike, first {found[0].number if found else '-'}"
    shop.tickets += more


@command(needs="shops.edit")
def count_up(tx: Tx, shop: Shop) -> None:
    """One ticket more, whatever there is."""
    shop.tickets += 1


@command(needs="slips.edit")
def alter(tx: Tx, slip: Slip) -> None:
    """Change what is never changed."""
    slip.amount += 1


@command(needs="slips.edit")
def shred(tx: Tx, slip: Slip) -> None:
    """Remove what is never removed."""
    tx.remove(slip)


@command(needs="tickets.edit")
def crash(tx: Tx, ticket: Ticket) -> None:
    """Change a ticket and break down."""
    ticket.name = "half done"
    raise ZeroDivisionError("broken")


@command(needs="gauges.edit")
def read(tx: Tx, gauge: Gauge, *, heat: Count, at: Moment | None = None) -> None:
    """Write down what a gauge shows; its colour goes back to the usual one."""
    gauge.heat = heat
    gauge.read_at = at or tx.now
    gauge.colour = "red"
