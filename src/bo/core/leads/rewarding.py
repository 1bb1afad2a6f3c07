"""What a lead tells the rewards: that it earned, and that an order was refunded or never was."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from bo.core.kernel.errors import Refused
from bo.core.kernel.tx import Tx
from bo.core.leads.records import Lead

if TYPE_CHECKING:
    from bo.core.rewards.records import RewardLine

BY_ORDER: Final = ("won", "delivered")  # what an order earns, and so gives back


class Settled(Refused):
    """What was earned is in a settlement already."""

    code = "reward_settled"


def earned(
    tx: Tx,
    lead: Lead,
    event: str,
    *,
    happened_at: datetime | None = None,
    first_order: bool = False,
    margin: int | None = None,
) -> None:
    """The reward of whoever reported the lead, where a rule pays one."""
    if not tx.authority:  # what is earned is central's to say: a shop's device has no rules
        return
    from bo.core.rewards.earning import earn

    ordered = event in BY_ORDER
    earn(
        tx,
        event=event,
        cause_id=lead.id,
        referrer_id=lead.referrer,
        happened_at=happened_at or tx.now,
        gross=(lead.order_amount or 0) if ordered else 0,
        net=lead.order_net if ordered else None,
        margin=margin,
        currency=lead.currency if ordered else "",
        source=lead.source,
        category=lead.category,
        store=lead.store,
        first_order=first_order,
        customer=lead.name,
        order=(lead.order_number or "") if ordered else "",
    )


def refunded(tx: Tx, lead: Lead, reason: str, *, gone_net: int | None) -> None:
    """Take back the share of what the order earned that is gone of it; `gone_net` of its net amount, where known. The
    share of a margin goes by the net amount too."""
    if not tx.authority:
        return
    from bo.core.rewards.earning import claw_back

    claw_back(
        tx,
        cause_id=lead.id,
        refunded=lead.refunded,
        base=lead.order_amount or 0,
        refunded_net=gone_net,
        net=lead.order_net,
        refunded_margin=gone_net,
        margin=lead.order_net,
        reason=reason,
    )


def taken_back(tx: Tx, lead: Lead, reason: str, *, events: Sequence[str] = BY_ORDER) -> list[RewardLine]:
    """Take back all that the order earned; the lines that were made void or added."""
    return _void(tx, lead, events, reason)


def all_taken_back(tx: Tx, lead: Lead, reason: str) -> None:
    """Take back all that the lead earned."""
    _void(tx, lead, None, reason)


def nothing_settled(taken: Sequence[RewardLine]) -> None:
    """Raise Settled where taking back made a clawback, since what was earned cannot be void any more."""
    if any(line.state != "void" for line in taken):
        raise Settled("what the order earned is settled already", hint="Refund or cancel the order.")


def _void(tx: Tx, lead: Lead, events: Sequence[str] | None, reason: str) -> list[RewardLine]:
    if not tx.authority:
        return []
    from bo.core.rewards.earning import void

    return void(tx, cause_id=lead.id, event=events, reason=reason)
