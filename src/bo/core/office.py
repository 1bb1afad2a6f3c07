"""An office: the modules there are, how one is made, and how it is opened by an operator.

A module appears in `MODULES` and nowhere else; the order is that of the import rules, lower ones first.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from bo.core.automation.hook import Follower
from bo.core.kernel.command import Registry
from bo.core.kernel.database import DATABASE_NAME, Database, SqliteDatabase
from bo.core.kernel.dispatch import OUTAGES, Call
from bo.core.kernel.errors import Configuration
from bo.core.kernel.ids import new_operation_id
from bo.core.kernel.kinds import Context
from bo.core.kernel.tx import SYSTEM
from bo.core.kernel.workspace import Workspace, database_at, make_office, utc_now

MODULES: Final = (
    "bo.core.kernel",
    "bo.core.access",
    "bo.core.views",
    "bo.core.ledger",
    "bo.core.referrers",
    "bo.core.rewards",
    "bo.core.settlement",
    "bo.core.stores",
    "bo.core.customers",
    "bo.core.catalog",
    "bo.core.inventory",
    "bo.core.leads",
    "bo.core.orders",
    "bo.core.returns",
    "bo.core.hub",
    "bo.core.automation",
    "bo.core.banking",
    "bo.core.reports",
    "bo.core.analytics",
)
NOUNS: Final = {
    "op": "bo.core.kernel",
    "roles": "bo.core.access",
    "operators": "bo.core.access",
    "devices": "bo.core.access",
    "views": "bo.core.views",
    "webhooks": "bo.core.access",
    "settings": "bo.core.access",
    "reveals": "bo.core.access",
    "handovers": "bo.core.access",
    "entries": "bo.core.ledger",
    "postings": "bo.core.ledger",
    "ledger": "bo.core.ledger",
    "ledger_balances": "bo.core.ledger",
    "periods": "bo.core.ledger",
    "reports": "bo.core.reports",
    "referrers": "bo.core.referrers",
    "payee_accounts": "bo.core.referrers",
    "reward_rules": "bo.core.rewards",
    "rewards": "bo.core.rewards",
    "disputes": "bo.core.rewards",
    "settlements": "bo.core.settlement",
    "payouts": "bo.core.settlement",
    "payment_files": "bo.core.settlement",
    "bank_accounts": "bo.core.settlement",
    "stores": "bo.core.stores",
    "territories": "bo.core.stores",
    "customers": "bo.core.customers",
    "addresses": "bo.core.customers",
    "contacts": "bo.core.customers",
    "communications": "bo.core.customers",
    "products": "bo.core.catalog",
    "variants": "bo.core.catalog",
    "categories": "bo.core.catalog",
    "media": "bo.core.catalog",
    "warehouses": "bo.core.inventory",
    "stock": "bo.core.inventory",
    "movements": "bo.core.inventory",
    "reservations": "bo.core.inventory",
    "transfers": "bo.core.inventory",
    "reorder_rules": "bo.core.inventory",
    "orders": "bo.core.orders",
    "order_lines": "bo.core.orders",
    "payments": "bo.core.orders",
    "refunds": "bo.core.orders",
    "fulfilments": "bo.core.orders",
    "exception_rules": "bo.core.orders",
    "exceptions": "bo.core.orders",
    "printings": "bo.core.orders",
    "returns": "bo.core.returns",
    "credits": "bo.core.returns",
    "automation_rules": "bo.core.automation",
    "notifications": "bo.core.automation",
    "bank_statements": "bo.core.banking",
    "bank_lines": "bo.core.banking",
    "bank_matches": "bo.core.banking",
    "counterparties": "bo.core.banking",
    "reconciliations": "bo.core.banking",
    "leads": "bo.core.leads",
    "follow_ups": "bo.core.leads",
    "appeals": "bo.core.leads",
    "dashboard": "bo.core.analytics",
}
# Of these there are commands and questions alone.
WITHOUT_RECORDS: Final = frozenset({"op", "ledger", "reports", "dashboard"})
# What a module does to a record of a module below it. Who asks for a noun's other commands does not load that module.
VERBS: Final = {
    "leads.win": "bo.core.orders",
    "leads.refund": "bo.core.orders",
    "leads.reverse": "bo.core.orders",
    "customers.merge": "bo.core.hub",
    "customers.link_orders": "bo.core.hub",
    "customers.erase": "bo.core.hub",
    "customers.alike": "bo.core.hub",
    "customers.duplicates": "bo.core.hub",
    "customers.timeline": "bo.core.hub",
    "customers.totals": "bo.core.hub",
    "customers.segments": "bo.core.hub",
    "customers.rfm": "bo.core.hub",
    "customers.export_personal": "bo.core.hub",
}
SETTINGS_NAME: Final = "bo.toml"
ZONES: Final = {
    "CN": "Asia/Shanghai",
    "TW": "Asia/Taipei",
    "HK": "Asia/Hong_Kong",
    "SG": "Asia/Singapore",
    "JP": "Asia/Tokyo",
    "US": "America/New_York",
    "GB": "Europe/London",
    "DE": "Europe/Berlin",
    "FR": "Europe/Paris",
    "IN": "Asia/Kolkata",
    "AU": "Australia/Sydney",
    "BR": "America/Sao_Paulo",
}
CURRENCIES: Final = {
    "CN": "CNY",
    "TW": "TWD",
    "HK": "HKD",
    "SG": "SGD",
    "JP": "JPY",
    "US": "USD",
    "GB": "GBP",
    "DE": "EUR",
    "FR": "EUR",
    "IN": "INR",
    "AU": "AUD",
    "BR": "BRL",
}


def registry() -> Registry:
    """A registry of every module; each loads when one of its nouns is asked for."""
    return Registry(MODULES, NOUNS, VERBS)


def context_for(region: str, currency: str = "", zone: str = "") -> Context:
    """Region, currency and time zone of a new office. Raises Configuration for one that is not known."""
    region = region.upper()
    if len(region) != 2 or not region.isalpha():
        raise Configuration(
            "{region} is not a region", hint="Use the two letters of ISO 3166, such as CN.", region=region
        )
    currency = (currency or CURRENCIES.get(region, "USD")).upper()
    if len(currency) != 3 or not currency.isalpha():
        raise Configuration(
            "{currency} is not a currency", hint="Use the three letters of ISO 4217, such as CNY.", currency=currency
        )
    zone = zone or ZONES.get(region, "UTC")
    _require_zone(zone)
    return Context(region, currency, zone)


def create(
    folder: Path, context: Context, *, operator: str, name: str = "", clock: Callable[[], datetime] = utc_now
) -> Workspace:
    """Make an office in a folder and open it as its first operator, an administrator. Raises Configuration where one is
    already."""
    if (folder / DATABASE_NAME).exists():
        raise Configuration(
            "there already is an office in {path}", hint="Use it, or choose another folder.", path=str(folder)
        )
    folder.mkdir(parents=True, exist_ok=True)
    database = SqliteDatabase(folder / DATABASE_NAME)
    workspace = found(database, context, operator=operator, name=name, clock=clock)
    (folder / SETTINGS_NAME).write_text(
        f'# settings of this workspace; bo config explain shows where a value comes from\noperator = "{operator}"\n',
        "utf-8",
    )
    return workspace


def found(
    database: Database,
    context: Context,
    *,
    operator: str,
    name: str = "",
    clock: Callable[[], datetime] = utc_now,
    new_id: Callable[[], str] = new_operation_id,
) -> Workspace:
    """Make an office in an empty database: schema, roles, first operator."""
    from bo.core.access.permissions import STANDARD_ROLES, authorise
    from bo.core.access.proving import SecondFactors

    make_office(database, context, new_id().replace("op_", "dev_"))
    workspace = Workspace(
        database, registry(), authorise, actor=SYSTEM.id, clock=clock, new_id=new_id, factors=SecondFactors()
    )
    workspace.after = Follower(workspace)
    roles = [
        Call("roles.add", None, {"code": code, "permissions": list(permissions)})
        for code, permissions in STANDARD_ROLES.items()
    ]
    first = Call("operators.add", None, {"login": operator, "name": name or operator, "roles": ["admin"]})
    workspace.actor = workspace.run([*roles, first], atomic=True)[-1].returned or SYSTEM.id
    return workspace


def open_office(folder: Path, *, operator: str = "", clock: Callable[[], datetime] = utc_now) -> Workspace:
    """Open the office of a folder as an operator (by login or id); by default the one in its settings. Raises
    Configuration."""
    return open_database(database_at(folder), operator=operator or default_operator(folder), clock=clock)


def open_database(
    database: Database,
    *,
    operator: str,
    clock: Callable[[], datetime] = utc_now,
    new_id: Callable[[], str] = new_operation_id,
    lapsed: bool = False,
) -> Workspace:
    """Open an office wherever it lies. Raises Configuration for an unknown operator, and for a device that has been out
    of touch for too long unless it is opened `lapsed`, to be synced."""
    from bo.core.access.permissions import authorise
    from bo.core.access.proving import SecondFactors

    workspace = Workspace(
        database, registry(), authorise, actor=SYSTEM.id, clock=clock, new_id=new_id, factors=SecondFactors()
    )
    workspace.after = Follower(workspace)
    if workspace.authority and not lapsed:
        _catch_up(workspace)
    if operator != SYSTEM.id:
        if workspace.link is not None and not lapsed:
            _require_contact(workspace)
        rows = workspace.database.session.rows("access:operator", _operator_statement, {"wanted": operator})
        if not rows and workspace.link is not None and not workspace.link.view:
            workspace.close()
            raise Configuration("this device has not had its first copy yet", hint="bo sync")
        if not rows:
            workspace.close()
            raise Configuration(
                "there is no operator {operator} in this office",
                hint="Choose one with --as, or set it in bo.toml.",
                operator=operator,
            )
        if workspace.link is not None and workspace.link.operator != rows[0][0]:
            workspace.close()
            raise Configuration(
                "this device does not work in the name of {operator}",
                hint="Leave --as away, or log in as that operator in another folder.",
                operator=operator,
            )
        workspace.actor = str(rows[0][0])
    return workspace


def _catch_up(workspace: Workspace) -> None:
    """What an office that an older bo made lacks, done by the system as operations of its own: permissions of roles
    that nobody has edited, and the balances of its ledger. Where nothing can be written, the next opening does it."""
    from bo.core.access import shipped_roles
    from bo.core.ledger.opening import calls

    session = workspace.database.session
    wanted = [*shipped_roles.calls(session), *calls(session)]
    if wanted:
        with contextlib.suppress(*OUTAGES):
            workspace.run(wanted)


def _require_contact(workspace: Workspace) -> None:
    """A device that nobody has seen for long shows nothing any more, until it has been in touch."""
    link = workspace.link
    assert link is not None
    silent = workspace.clock() - link.contact_at
    if silent.days >= link.lease_days:
        workspace.close()
        raise Configuration(
            "this device has not been in touch with its central store for {days} days",
            hint="bo sync",
            days=silent.days,
        )


def default_operator(folder: Path) -> str:
    """The operator named in the workspace's settings. Raises Configuration where none is: nobody acts by default."""
    import tomllib

    try:
        value = tomllib.loads((folder / SETTINGS_NAME).read_text("utf-8")).get("operator", "")
    except OSError:
        value = ""
    except tomllib.TOMLDecodeError as error:
        raise Configuration(
            "{file} cannot be read: {reason}",
            hint="Mend it or delete it.",
            file=str(folder / SETTINGS_NAME),
            reason=str(error),
        ) from None
    if not value:
        raise Configuration(
            "no operator is named in {file}",
            hint='Say who acts with --as, or write operator = "LOGIN" there.',
            file=str(folder / SETTINGS_NAME),
        )
    return str(value)


def _require_zone(zone: str) -> None:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise Configuration("{zone} is not a time zone", hint="Use a name like Asia/Shanghai.", zone=zone) from None


def _operator_statement() -> Any:
    import sqlalchemy as sa

    from bo.core.access.records import Operator
    from bo.core.kernel.record import info_of
    from bo.core.kernel.tables import table

    made = table(info_of(Operator))
    wanted: Any = sa.bindparam("wanted")
    return sa.select(made.c.id).where(sa.or_(made.c.login == wanted, made.c.id == wanted))
