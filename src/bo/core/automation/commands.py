"""What can be done with rules, and telling somebody."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from bo.core.automation.checking import take_over
from bo.core.automation.records import AutomationRule, Notification
from bo.core.kernel.command import command
from bo.core.kernel.kinds import Count, Facts, Field, Flag, Note, Text
from bo.core.kernel.standard import edits
from bo.core.kernel.tx import Tx

NOTIFICATION: Final = "notification"  # the name of the effect, which webhooks ask for as effect.notification


@command(needs="automation_rules.edit", where="central")
def add(
    tx: Tx,
    *,
    code: Text,
    on: Annotated[
        Text, Field(label="listens to", help="a command such as orders.pay, orders.* for each of them, or clock")
    ],
    then: Annotated[Text, Field(label="command to run", help="such as orders.allocate")],
    records: Annotated[
        Text, Field(help="whose records it looks at, such as orders; those of the command by itself")
    ] = "",
    filter: Annotated[Text, Field(help="records that it means, in the filter language; blank: all")] = "",
    arguments: Annotated[Facts, Field(help="of the command; {number} stands for that field of the record")] = {},  # noqa: B006
    position: Annotated[Count, Field(help="of several rules the one with the lowest goes first")] = 0,
    active: Annotated[Flag, Field(label="switched on")] = True,
) -> AutomationRule:
    """Make a rule: when an operation is done, and its record meets a filter, a command is run in your name.

    Raises:
        UnsuitableRule: it could never do what it says, or would do too much.
    """
    made = AutomationRule(
        code=code, on=on, records=records, filter=filter, then=then, arguments=arguments, position=position,
        active=active, author=tx.actor.id,
    )  # fmt: skip
    take_over(tx, made)
    return tx.add(made)


def _edited(tx: Tx, rule: AutomationRule, given: Mapping[str, Any]) -> None:
    take_over(tx, rule)


edit = edits(
    AutomationRule,
    needs="automation_rules.edit",
    where="central",
    without=("active", "author"),
    then=_edited,
    doc="""Change a rule. It listens to what comes after, and is yours from now on: it does what you may do.""",
)


@command(needs="automation_rules.edit", where="central")
def switch_on(tx: Tx, rule: AutomationRule) -> None:
    """Switch a rule on: from now on it runs in your name."""
    take_over(tx, rule)
    rule.active = True


@command(needs="automation_rules.edit", where="central")
def switch_off(tx: Tx, rule: AutomationRule) -> None:
    """Switch a rule off."""
    rule.active = False


@command(needs="automation_rules.edit", where="central", confirm="always")
def remove(tx: Tx, rule: AutomationRule) -> None:
    """Remove a rule; what it has done stays done."""
    tx.remove(rule)


EXAMPLES: Final[tuple[tuple[str, str, str, str, str, dict[str, str | int | bool | None]], ...]] = (
    ("paid-allocate", "orders.pay", "orders", "payment:paid,overpaid state:unfulfilled", "orders.allocate", {}),
    ("allocated-ready", "orders.allocate", "orders", "hold_reason:none", "orders.tag", {"add": "ready-to-pick"}),
    ("high-risk-hold", "exceptions.scan", "exceptions", "state:open priority:high", "orders.hold",
     {"reason": "{reason}"}),
    ("unpaid-cancel", "clock", "orders", "state:unfulfilled payment:unpaid placed<-3d", "orders.cancel",
     {"reason": "unpaid for three days"}),
)  # fmt: skip


@command(needs="automation_rules.edit", where="central")
def examples(tx: Tx) -> AutomationRule:
    """Make the rules of the guide, those that are missing; they are switched off."""
    made = []
    for position, (code, on, records, filter_, then, arguments) in enumerate(EXAMPLES, 1):
        rule = tx.find(AutomationRule, code=code)
        if rule is None:
            rule = AutomationRule(
                code=code, on=on, records=records, filter=filter_, then=then, arguments=arguments,
                position=position, active=False, author=tx.actor.id,
            )  # fmt: skip
            take_over(tx, rule)
            tx.add(rule)
        made.append(rule)
    return made[0]


@command(needs="notifications.send")
def send(
    tx: Tx,
    *,
    text: Note,
    to: Annotated[Text, Field(help="who it is for, as your chat or mail service calls them")] = "",
    about: Annotated[Text, Field(help="id of the record that it is about")] = "",
) -> Notification:
    """Tell somebody something: it is listed, and webhooks that want effect.notification are told after the commit."""
    tx.later(NOTIFICATION, {"text": text, "to": to, "about": about})
    return tx.add(Notification(text=text, to=to, about=about))
