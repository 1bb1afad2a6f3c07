"""What is done with tickets and shops."""

from bo.core.kernel.command import command
from bo.core.kernel.errors import Refused
from bo.core.kernel.kinds import Amount, Day, Note, PersonName, Phone, Tags, Text
from bo.core.kernel.standard import adds, edits
from bo.core.kernel.tx import Tx

from .records import CLOSED, GIVEN, NEW, Shop, Slip, Ticket

add = adds(Shop, needs="shops.edit", without=("tickets",))
edit_shop = edits(Shop, needs="shops.edit", without=("tickets",))
edit_ticket = edits(Ticket, needs="tickets.edit", without=("same_phone", "shop"))


class ShopFull(Refused):
    """The shop takes no more."""

    code = "shop_full"


@command(needs="tickets.open")
def open(  # noqa: A001 - a command is named by what it does
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
