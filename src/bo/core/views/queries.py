"""Whose views there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from msgspec import Struct

from bo.core.kernel.command import query
from bo.core.kernel.kinds import Count, Field, Id, Text
from bo.core.kernel.reader import Reader
from bo.core.views.commands import SLOTS
from bo.core.views.records import SavedView

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement

NOUN: Final = "views"


class View(Struct, frozen=True):
    """One kept view."""

    id: Id
    of: Annotated[Text, Field(label="records")]
    name: Annotated[Text, Field(label="view name")]
    slot: Annotated[Count, Field(label="digit")]
    filter: Text
    sort: Annotated[Text, Field(label="order of rows")]
    columns: Text


@query(needs="anyone")
def mine(read: Reader, *, of: Annotated[Text, Field(label="records", help="such as leads")] = "") -> list[View]:
    """The views that you keep, by digit and name."""
    rows = read.rows("views:mine", _own, operator=read.actor.id)
    views = [View(*row) for row in rows if of in ("", row[1])]
    return sorted(views, key=lambda view: (view.of, view.slot or SLOTS + 1, view.name))


def _own() -> ClauseElement:
    import sqlalchemy as sa

    from bo.core.kernel.record import info_of
    from bo.core.kernel.tables import table

    kept = table(info_of(SavedView))
    names = (kept.c.id, kept.c.of, kept.c.name, kept.c.slot, kept.c.filter, kept.c.sort, kept.c.columns)
    return sa.select(*names).where(kept.c.operator == sa.bindparam("operator"))
