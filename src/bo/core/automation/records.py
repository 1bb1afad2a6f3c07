"""Automation rules, and what they tell people."""

from typing import Annotated

from bo.core.kernel.kinds import Count, Facts, Field, Flag, Note, RefKind, Text
from bo.core.kernel.record import Record, record


@record(
    "automation_rules", prefix="arul", key=("code",), create="automation_rules.add", edit="automation_rules.edit",
    columns=("code", "on", "filter", "then", "active", "author"),
)  # fmt: skip
class AutomationRule(Record, kw_only=True):
    """When an operation is done, and its record meets a filter: the command that is run then."""

    code: Annotated[Text, Field(lookup=True, unique=True)]
    on: Annotated[
        Text, Field(label="listens to", help="a command such as orders.pay, orders.* for each of them, or clock")
    ]
    records: Annotated[Text, Field(help="whose records it looks at, such as orders; those of the command by itself")]
    filter: Annotated[Text, Field(help="records that it means, in the filter language; blank: all")] = ""
    then: Annotated[Text, Field(label="command to run", help="such as orders.allocate")]
    arguments: Annotated[Facts, Field(help="of the command; {number} stands for that field of the record")] = {}
    position: Annotated[Count, Field(help="of several rules the one with the lowest goes first")] = 0
    active: Annotated[Flag, Field(label="switched on")] = True
    author: Annotated[str, RefKind("operators"), Field(help="in whose name and with whose rights it runs")]

    def held_by(self) -> str:
        return "hq"


@record("notifications", prefix="ntf", append_only=True, columns=("created_at", "to", "text", "about"))
class Notification(Record, kw_only=True):
    """Something that somebody was to be told."""

    text: Annotated[Note, Field(search=True)]
    to: Annotated[Text, Field(index=True, label="for whom")] = ""
    about: Annotated[Text, Field(index=True, help="id of the record that it is about")] = ""

    def held_by(self) -> str:
        return "hq"
