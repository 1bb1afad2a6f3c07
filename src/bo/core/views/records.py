"""Saved views."""

from typing import Annotated

from bo.core.kernel.kinds import Count, Field, RefKind, Text
from bo.core.kernel.record import Record, record


@record("views", prefix="view", columns=("of", "name", "slot", "filter", "sort", "columns"))
class SavedView(Record, kw_only=True):
    """A filter, an order of rows and the columns to show, which an operator keeps under a name."""

    operator: Annotated[str, RefKind("operators"), Field(lookup=True, internal=True)]
    once: Annotated[Text, Field(lookup=True, unique=True, internal=True)]  # operator, records and name
    of: Annotated[Text, Field(label="records", help="such as leads")]
    name: Annotated[Text, Field(label="view name")]
    slot: Annotated[Count, Field(label="digit", help="the key that opens it on the screen; 0 for none")] = 0
    filter: Annotated[Text, Field(help="in the filter language")] = ""
    sort: Annotated[Text, Field(label="order of rows", help="fields by comma, - in front for descending")] = ""
    columns: Annotated[Text, Field(help="fields to show, by comma; empty for the usual ones")] = ""

    def held_by(self) -> str:
        return f"operator:{self.operator}"
