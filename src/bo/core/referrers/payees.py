"""Who can be paid, and to which account: asked by settlement when it makes, approves and pays."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bo.core.kernel.tx import Tx
from bo.core.referrers.records import PayeeAccount, Referrer

PAYEES_MOST: Final = 100_000

# Message ids; a payout keeps the one that held it.
NO_ACCOUNT: Final = "there is no account to pay to"
BLOCKED: Final = "the referrer is blocked"
CHANGED: Final = "the account was changed only days ago"
SHARED: Final = "another referrer has the same account"


@dataclass(frozen=True, slots=True)
class Payee:
    """A referrer with the account in one currency; `held` says why nothing is paid, and is empty where something is."""

    referrer: Referrer
    account: PayeeAccount | None
    held: str


def payee_of_store(tx: Tx, store: str) -> Referrer:
    """The one a store's share is paid through; registered under the store's own code the first time."""
    known = tx.find(Referrer, store=store)
    if known is not None:
        return known
    shop = tx.view(tx.record_of("stores"), store)
    code, name = (str(getattr(shop, field, "")) for field in ("code", "name"))
    taken = not code or tx.find(Referrer, code=code) is not None
    made = Referrer(
        id=f"ref_{store.partition('_')[2]}",  # the same one comes back when what made it was undone
        code=f"{code}-{store[-6:]}" if taken else code,
        name=name,
        kind="store",
        store=store,
    )
    return tx.add(made)


def payees(tx: Tx, referrer_ids: Collection[str], currency: str, *, rest_days: int) -> dict[str, Payee]:
    """The payees of these referrers, by referrer id; nothing is paid to an account that was changed `rest_days` ago."""
    ids = tuple(sorted(referrer_ids))
    referrers = tx.select(Referrer, id=ids, limit=PAYEES_MOST)
    accounts: dict[str, list[PayeeAccount]] = {}
    for account in tx.select(PayeeAccount, referrer=ids, currency=currency, order="created_at", limit=PAYEES_MOST):
        accounts.setdefault(account.referrer, []).append(account)
    numbers = tuple(sorted({item.number for found in accounts.values() for item in found if item.active}))
    owners: dict[str, set[str]] = {}
    for account in tx.select(PayeeAccount, number=numbers, active=True, limit=PAYEES_MOST):
        owners.setdefault(account.number, set()).add(account.referrer)
    since = tx.now - timedelta(days=rest_days)
    return {item.id: _payee(item, accounts.get(item.id, []), owners, since) for item in referrers}


def _payee(referrer: Referrer, accounts: list[PayeeAccount], owners: dict[str, set[str]], since: datetime) -> Payee:
    account = next((item for item in accounts if item.active), None)
    if not referrer.active:
        return Payee(referrer, account, BLOCKED)
    if account is None:
        return Payee(referrer, None, NO_ACCOUNT)
    if _has_changed(account, accounts) and account.changed_at > since:
        return Payee(referrer, account, CHANGED)
    if len(owners.get(account.number, ())) > 1:
        return Payee(referrer, account, SHARED)
    return Payee(referrer, account, "")


def _has_changed(account: PayeeAccount, accounts: list[PayeeAccount]) -> bool:
    """The first account of a referrer is no change; one that takes the place of another is."""
    return account.changed_at > account.created_at or any(other.id != account.id for other in accounts)
