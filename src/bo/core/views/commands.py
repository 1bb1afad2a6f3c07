"""Keeping views and letting them go."""

from typing import Annotated, Final

from bo.core.kernel.command import command
from bo.core.kernel.errors import BadInput, NotAllowed
from bo.core.kernel.kinds import Count, Field, Text
from bo.core.kernel.tx import Tx
from bo.core.views.records import SavedView

SLOTS: Final = 9


@command(needs="anyone")
def save(
    tx: Tx,
    *,
    of: Annotated[Text, Field(label="records", help="such as leads")],
    name: Annotated[Text, Field(label="view name")],
    filter: Annotated[Text, Field(help="in the filter language")] = "",
    sort: Annotated[Text, Field(label="order of rows", help="fields by comma, - in front for descending")] = "",
    slot: Annotated[Count, Field(label="digit", help="the key that opens it on the screen; 0 for none")] = 0,
    columns: Annotated[Text, Field(help="fields to show, by comma; empty for the usual ones")] = "",
) -> SavedView:
    """Keep a filter, an order of rows and columns under a name; a view of yours with that name is replaced.

    Raises:
        BadInput: there is no such digit.
    """
    if slot > SLOTS:
        raise BadInput("{slot} is no digit from 1 to 9", hint="0 is for none.", slot=slot)
    once = f"{tx.actor.id}:{of}:{name}"
    view = tx.find(SavedView, once=once) or tx.add(SavedView(operator=tx.actor.id, once=once, of=of, name=name))
    for other in tx.find_all(SavedView, operator=tx.actor.id) if slot else ():
        if other.id != view.id and other.of == of and other.slot == slot:
            other.slot = 0
    view.filter, view.sort, view.slot, view.columns = filter, sort, slot, columns
    return view


@command(needs="anyone")
def remove(tx: Tx, view: SavedView) -> None:
    """Let one of your views go.

    Raises:
        NotAllowed: it is somebody else's.
    """
    if view.operator != tx.actor.id:
        raise NotAllowed("this view is somebody else's", hint="bo views mine lists yours.")
    tx.remove(view)
