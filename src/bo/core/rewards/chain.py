"""The way of a reward from the lead to the bank, as far as it has come. Modules above are read by their nouns alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from bo.core.kernel.errors import NotAllowed
from bo.core.kernel.kinds import Amount, Currency, Text
from bo.core.kernel.reader import Reader
from bo.core.kernel.text import _
from bo.core.rewards.records import RewardLine

LEAD: Final = "lead_"


class Link(Struct, frozen=True):
    """One station: what it is, the name it is known by, its state, its id and the amount that it stands for."""

    what: Text
    name: Text
    state: Text
    id: Text
    amount: Amount | None
    currency: Currency


def links(read: Reader, line: RewardLine) -> Iterator[Link]:
    """The stations that there are, in their order."""
    if line.cause.startswith(LEAD):
        yield from _found(read, _("lead"), "leads", f"id:{line.cause}", "number", "order_amount")
    if number := str(line.inputs.get("order", "")):
        ordered = _found(read, _("order"), "orders", f"lead:{line.cause}", "number", "total")
        yield from ordered or [Link(_("order"), number, "", "", None, line.currency)]
    rule = f"{line.rule_code}/{line.rule_version}" if line.rule_code else ""
    yield Link(_("reward line"), rule, _(line.state), line.id, line.amount, line.currency)
    if line.settlement:
        yield from _found(read, _("settlement"), "settlements", f"id:{line.settlement}", "number", "total")
    if line.payout:
        yield from _found(read, _("payout"), "payouts", f"id:{line.payout}", "reference", "amount")
        yield from _at_the_bank(read, line.payout)


def _at_the_bank(read: Reader, payout: str) -> Iterator[Link]:
    """The lines of bank statements that a payout was matched with."""
    if not read.actor.may("bank_matches.read"):
        return
    for (bank_line,) in read.page("bank_matches", f"kind:payout target:{payout} sort:day", fields=("line",)).rows:
        yield from _found(read, _("bank line"), "bank_lines", f"id:{bank_line}", "reference", "amount")


def _found(read: Reader, what: str, noun: str, filter_text: str, name: str, amount: str) -> list[Link]:
    """Records of a noun as stations; none where this reader may not see them."""
    try:
        page = read.page(noun, filter_text, fields=(name, "state", "id", amount, "currency"))
    except NotAllowed:
        return []
    return [
        Link(what, str(called or ""), _(str(state).replace("_", " ")), str(key), sum_, str(currency or ""))
        for called, state, key, sum_, currency in page.rows
    ]
