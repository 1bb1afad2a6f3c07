"""Who an actor is and what they may do: the answer that dispatch and readers ask for, from operators and roles
alone."""

from __future__ import annotations

from typing import Final

from bo.core.access.records import Operator, Role
from bo.core.kernel.errors import NotAllowed
from bo.core.kernel.tx import SYSTEM, Actor, Tx

STANDARD_ROLES: Final[dict[str, tuple[str, ...]]] = {
    "admin": ("*",),
    "reviewer": (
        "leads.read",
        "leads.report",
        "leads.edit",
        "leads.review",
        "leads.appeal",
        "leads.assign",
        "leads.follow_up",
        "leads.undo",
        "follow_ups.*",
        "appeals.*",
        "customers.*",
        "stores.read",
        "territories.read",
        "referrers.*",
        "rewards.read",
        "reward_rules.read",
    ),
    "manager": (
        "leads.*",
        "follow_ups.*",
        "appeals.*",
        "customers.*",
        "stores.*",
        "territories.*",
        "referrers.*",
        "rewards.read",
        "orders.*",
        "order_lines.*",
        "fulfilments.*",
        "payments.read",
        "refunds.grant",
        "refunds.read",
        "products.*",
        "variants.*",
        "categories.*",
        "media.*",
        "warehouses.*",
        "stock.*",
        "movements.*",
        "reservations.*",
        "transfers.*",
        "reorder_rules.*",
        "exceptions.*",
        "exception_rules.*",
        "returns.*",
        "credits.read",
        "printings.read",
    ),
    "dispatcher": (
        "leads.read",
        "leads.assign",
        "leads.follow_up",
        "stores.*",
        "territories.*",
        "customers.read",
        "follow_ups.read",
        "referrers.read",
    ),
    "store": (
        "leads.read",
        "leads.follow_up",
        "leads.report",
        "leads.edit",
        "leads.appeal",
        "follow_ups.read",
        "customers.*",
        "stores.read",
        "orders.read",
        "order_lines.read",
        "orders.fulfil",
        "orders.hold",
        "orders.print",
        "fulfilments.*",
        "exceptions.read",
        "exceptions.handle",
        "returns.read",
        "returns.request",
        "returns.receive",
        "products.read",
        "variants.read",
        "stock.read",
        "warehouses.read",
        "printings.read",
    ),
    "finance": (
        "orders.read",
        "order_lines.read",
        "orders.pay",
        "payments.*",
        "refunds.*",
        "credits.*",
        "returns.read",
        "variants.cost",
        "variants.read",
        "products.read",
        "settlements.*",
        "payouts.*",
        "rewards.*",
        "reward_rules.*",
        "payee_accounts.*",
        "referrers.*",
        "entries.read",
        "postings.read",
        "ledger.read",
        "payment_files.read",
        "leads.read",
        "customers.read",
        "stores.read",
    ),
    "approver": (
        "settlements.read",
        "settlements.approve",
        "payouts.read",
        "payment_files.read",
        "rewards.read",
        "reward_rules.read",
        "referrers.read",
        "ledger.read",
    ),
    "cron": (
        "leads.*",
        "customers.*",
        "stores.*",
        "referrers.*",
        "exceptions.scan",
        "exceptions.read",
        "orders.read",
        "rewards.mature",
        "rewards.read",
        "settlements.run",
        "settlements.read",
    ),
    "auditor": (
        "leads.read",
        "follow_ups.read",
        "appeals.read",
        "customers.read",
        "stores.read",
        "territories.read",
        "referrers.read",
        "rewards.read",
        "reward_rules.read",
        "settlements.read",
        "payouts.read",
        "payee_accounts.read",
        "entries.read",
        "postings.read",
        "ledger.read",
        "payment_files.read",
        "operators.read",
        "roles.read",
        "orders.read",
        "order_lines.read",
        "payments.read",
        "refunds.read",
        "fulfilments.read",
        "products.read",
        "variants.read",
        "categories.read",
        "media.read",
        "warehouses.read",
        "stock.read",
        "movements.read",
        "reservations.read",
        "transfers.read",
        "reorder_rules.read",
        "exception_rules.read",
        "exceptions.read",
        "returns.read",
        "credits.read",
        "printings.read",
    ),
}


def authorise(tx: Tx, actor: str) -> Actor:
    """The operator of that id, with the permissions of all their roles. Raises NotAllowed for one who is unknown or
    switched off."""
    if actor == SYSTEM.id:
        return SYSTEM
    operator = tx.view(Operator, actor)
    if operator is None:
        raise NotAllowed("there is no operator {actor}", hint="bo operators list shows who there is.", actor=actor)
    if not operator.active:
        raise NotAllowed("{actor} is switched off", hint="Ask an administrator.", actor=operator.login)
    granted: set[str] = set()
    for code in operator.roles:
        role = tx.view_by(Role, "code", code)
        if role is not None:
            granted.update(role.permissions)
    # who works for a shop sees that shop's rows, what is shared, and themselves
    scopes = frozenset((f"store:{operator.store}", f"operator:{operator.id}")) if operator.store else None
    return Actor(operator.id, operator.name or operator.login, frozenset(granted), scopes)
