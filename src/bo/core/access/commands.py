"""Changing who works here and what they may do."""

from typing import Annotated

from bo.core.access.handing import is_for
from bo.core.access.records import (
    ACTIVE,
    HANDED,
    REVOKED,
    SETTLED,
    Device,
    Handover,
    OfficeSetting,
    Operator,
    OperatorKind,
    Reveal,
    Role,
    Webhook,
)
from bo.core.access.settings import DECLARED
from bo.core.kernel.command import command
from bo.core.kernel.errors import NotAllowed, NotFound, Refused
from bo.core.kernel.kinds import Count, Email, Field, Id, Note, PersonName, RefKind, Tags, Text
from bo.core.kernel.standard import adds, edits
from bo.core.kernel.tx import Tx

StoreId = Annotated[str, RefKind("stores"), Field(help="sees this shop's rows only")]

add = adds(Role, needs="roles.edit", where="central")
edit_role = edits(Role, needs="roles.edit", confirm="always", where="central")
Permissions = Annotated[Tags, Field(help="such as leads.assign, leads.* or *")]
add_webhook = adds(Webhook, needs="webhooks.edit", where="central")
edit_webhook = edits(Webhook, needs="webhooks.edit", where="central")


class UnknownRole(Refused):
    """A role that has not been made."""

    code = "unknown_role"


class OwnRights(Refused):
    """Somebody changes what they themselves may do."""

    code = "own_rights"


class UnknownSetting(Refused):
    """A setting that no module declares."""

    code = "unknown_setting"


class LastAdministrator(Refused):
    """Nobody would be left who may change operators."""

    code = "last_administrator"


@command(needs="roles.edit", confirm="always", where="central")
def grant(tx: Tx, role: Role, *, permissions: Permissions) -> None:
    """Add permissions to a role; what it has stays."""
    role.permissions = tuple(sorted({*role.permissions, *permissions}))


@command(needs="operators.edit", where="central")
def add_(
    tx: Tx,
    *,
    login: Text,
    name: PersonName = "",
    email: Email | None = None,
    kind: OperatorKind = "person",
    roles: Tags = (),
    store: StoreId | None = None,
) -> Operator:
    """Add an operator.

    Raises:
        UnknownRole: one of the roles does not exist.
    """
    _require_roles(tx, roles)
    return tx.add(Operator(login=login, name=name, email=email, kind=kind, roles=roles, store=store))


@command(needs="operators.edit", where="central", confirm="always")
def edit(
    tx: Tx,
    operator: Operator,
    *,
    name: PersonName = "",
    email: Email | None = None,
    roles: Tags | None = None,
    store: StoreId | None = None,
) -> None:
    """Change an operator's name, roles or shop. Nobody changes their own roles.

    Raises:
        OwnRights: the operator is the one who acts.
        UnknownRole: one of the roles does not exist.
    """
    if name:
        operator.name = name
    if email is not None:
        operator.email = email
    if roles is not None or store is not None:
        _require_somebody_else(tx, operator)
    if roles is not None:
        _require_roles(tx, roles)
        operator.roles = roles
        _require_administrator(tx, operator)
    if store is not None:
        operator.store = store


@command(needs="operators.edit", where="central", confirm="always")
def disable(tx: Tx, operator: Operator) -> None:
    """Switch an operator off: nothing can be done in that name any more.

    Raises:
        LastAdministrator: nobody would be left who may change operators.
    """
    _require_somebody_else(tx, operator)
    operator.active = False
    _require_administrator(tx, operator)


@command(needs="operators.edit", where="central")
def enable(tx: Tx, operator: Operator) -> None:
    """Switch an operator on again."""
    _require_somebody_else(tx, operator)
    operator.active = True


@command(needs="devices.edit", where="central")
def register(tx: Tx, *, operator: Operator, name: Text = "", known_as: Id | None = None) -> Device:
    """Register a device that works in an operator's name. `bo login` does it.

    `known_as` is the id of a device that an older backup of the central store does not know any more.
    """
    return tx.add(Device(id=known_as or "", operator=operator.id, name=name))


@command(needs="devices.edit", moves=ACTIVE >> REVOKED, where="central", confirm="always")
def revoke(tx: Tx, device: Device, *, reason: Text = "") -> None:
    """Shut a device out: it can neither send nor receive any more."""
    device.revoked_reason = reason


@command(needs="devices.edit", moves=ACTIVE | REVOKED, where="central")
def rename(tx: Tx, device: Device, *, name: Text) -> None:
    """Give a device another name."""
    device.name = name


@command(needs="personal.reveal", where="central")
def note(
    tx: Tx,
    *,
    of: Annotated[Text, Field(label="records", help="such as leads")],
    record: Annotated[Id, Field(label="record")],
    fields: Annotated[Tags, Field(help="what is shown")] = (),
) -> Reveal:
    """Write down that personal data of a record is about to be shown. It is never taken back."""
    return tx.add(Reveal(operator=tx.actor.id, of=of, subject=record, fields=fields, at=tx.now))


@command(needs="anyone", where="central")
def give(
    tx: Tx,
    *,
    of: Annotated[Text, Field(label="command", help="such as leads.take")],
    of_version: Annotated[Count, Field(label="version of the command")] = 1,
    record: Annotated[Id, Field(label="record")] = "",
    values: Annotated[Note, Field(label="arguments", help="as JSON")] = "",
    reason: Annotated[Note, Field(label="why it was refused", help="as JSON")] = "",
    to: Annotated[Text, Field(label="for whom", help="a login; blank: whoever may settle such")] = "",
    note: Annotated[Note, Field(help="for whoever settles it")] = "",
) -> Handover:
    """Give an operation that was refused to somebody else to decide about. `bo conflicts hand` does it.

    Raises:
        NotFound: nobody who works here has that login.
    """
    person = tx.find(Operator, login=to) if to else None
    if to and (person is None or not person.active):
        raise NotFound("nobody who works here has the login {login}", hint="Ask an administrator.", login=to)
    return tx.add(
        Handover(
            of=of, of_version=of_version, subject=record, values=values, reason=reason, note=note, giver=tx.actor.id,
            to=person.id if person is not None else None,
        )
    )  # fmt: skip


@command(needs="anyone", moves=HANDED >> SETTLED)
def settle(tx: Tx, handover: Handover) -> None:
    """Say that an operation which you were given has been dealt with. `bo conflicts` does it.

    Raises:
        NotAllowed: it was given to somebody else.
    """
    if not is_for(tx.actor, handover):
        raise NotAllowed("this was given to somebody else", hint="bo conflicts list shows what is yours to settle.")


@command(needs="settings.edit", where="central", confirm="always")
def set_(
    tx: Tx,
    *,
    key: Annotated[Text, Field(label="setting", help="its key, such as returns.window_days")],
    value: Annotated[Text, Field(label="wanted value")],
) -> OfficeSetting:
    """Change a setting of the office. `bo settings all` lists them.

    Raises:
        UnknownSetting: nothing is called so.
        BadValue: it cannot be that.
    """
    tx.load_all()
    known = DECLARED.get(key)
    if known is None:
        raise UnknownSetting("there is no setting {key}", hint="bo settings all lists them.", key=key)
    wanted = known.read(value, tx.context)
    kept = tx.find(OfficeSetting, key=key)
    if kept is None:
        return tx.add(OfficeSetting(key=key, value=wanted))
    kept.value = wanted
    return kept


@command(needs="settings.edit", where="central", confirm="many")
def reset(tx: Tx, setting: OfficeSetting) -> None:
    """Let a setting be again what it is by itself."""
    tx.remove(setting)


def _require_roles(tx: Tx, roles: tuple[str, ...]) -> None:
    for code in roles:
        if tx.view_by(Role, "code", code) is None:
            raise UnknownRole("there is no role {role}", hint="bo roles list shows them.", role=code)


def _require_somebody_else(tx: Tx, operator: Operator) -> None:
    if operator.id == tx.actor.id:
        raise OwnRights("nobody changes their own rights", hint="Ask another administrator.")


def _require_administrator(tx: Tx, changed: Operator) -> None:
    others = [item for item in tx.select(Operator, active=True) if item.id != changed.id]
    if not any(_administers(tx, item) for item in [*others, *([changed] if changed.active else [])]):
        raise LastAdministrator(
            "{login} is the last who may change operators",
            hint="Give somebody else that right first.",
            login=changed.login,
        )


def _administers(tx: Tx, operator: Operator) -> bool:
    found = [tx.view_by(Role, "code", code) for code in operator.roles]
    granted = {permission for role in found if role is not None for permission in role.permissions}
    return bool(granted & {"*", "operators.*", "operators.edit"})
