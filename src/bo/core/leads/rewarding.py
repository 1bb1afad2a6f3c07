"""What a lead tells the rewards: that it earned, and that an order was refunded or never was."""

from __future__ import annotations

from datetime import datetime

from bo.core.kernel.tx import Tx
from bo.core.leads.records import Lead


def earned(tx: Tx, lead: Lead, event: str, *, happened_at: datetime | None = None, first_order: bool = False) -> None:
    """The reward of whoever reported the lead, where a rule pays one."""
    if not lead.referrer or not tx.authority:  # what is earned is central's to say: a shop's device has no rules
        return
    from bo.core.rewards.earning import earn

    won = event == "won"
    earn(
        tx,
        event=event,
        cause_id=lead.id,
        referrer_id=lead.referrer,
        happened_at=happened_at or tx.now,
        gross=(lead.order_amount or 0) if won else 0,
        net=lead.order_net if won else None,
        currency=lead.currency if won else "",
        source=lead.source,
        category=lead.category,
        store=lead.store,
        first_order=first_order,
        customer=lead.name,
        order=(lead.order_number or "") if won else "",
    )


def refunded(tx: Tx, lead: Lead, reason: str) -> None:
    """Take back the refunded share of what the order earned."""
    if lead.referrer and tx.authority:
        from bo.core.rewards.earning import claw_back

        claw_back(tx, cause_id=lead.id, refunded=lead.refunded, base=lead.order_amount or 0, event="won", reason=reason)


def taken_back(tx: Tx, lead: Lead, reason: str) -> None:
    """Take back all that the order earned."""
    _void(tx, lead, "won", reason)


def all_taken_back(tx: Tx, lead: Lead, reason: str) -> None:
    """Take back all that the lead earned."""
    _void(tx, lead, None, reason)


def _void(tx: Tx, lead: Lead, event: str | None, reason: str) -> None:
    if lead.referrer and tx.authority:
        from bo.core.rewards.earning import void

        void(tx, cause_id=lead.id, event=event, reason=reason)
