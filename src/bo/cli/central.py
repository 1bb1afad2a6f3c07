"""`bo central`: the organisations of a central store, who may log in, their devices, its copies.

It works on the store itself and not over HTTP, as whoever may read its files or its database: in the name of the
system, or of the operator that `--as` names, who then needs the permissions. Secrets are asked for or read from stdin,
and written to stdout once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from bo.cli import backup, diagnostics, exit_codes, output
from bo.cli.output import Column
from bo.core.kernel.errors import NotAllowed, UsageError
from bo.core.kernel.kinds import moment_text
from bo.core.kernel.text import _
from bo.core.kernel.tx import SYSTEM
from bo.core.kernel.workspace import utc_now

if TYPE_CHECKING:
    from bo.cli.asked import Asked
    from bo.core.access.records import Operator
    from bo.core.kernel.workspace import Workspace
    from bo.sync.organisations import Organisations

PEOPLE: Final = "operators.edit"  # what it takes to give somebody a way in
SERVICE: Final = "service"
QUARANTINE: Final = "office.quarantine"
DAYS: Final = 90
ORG_COLUMNS: Final = (
    Column("name"),
    Column("operations", "whole"),
    Column("last_at", "moment", "last operation"),
    Column("operators", "whole"),
    Column("devices", "whole"),
)
PERSON_COLUMNS: Final = (
    Column("id", "id"),
    Column("login"),
    Column("name"),
    Column("kind"),
    Column("roles", "tags"),
    Column("store"),
    Column("active", "flag"),
    Column("password", "flag", "has a password"),
    Column("second_factor", "flag"),
    Column("devices", "whole"),
    Column("tokens", "tags"),
    Column("locked_until", "moment"),
)
PERSON_SHOWN: Final = ("login", "name", "roles", "store", "active", "password", "second_factor", "devices", "tokens")
DEVICE_COLUMNS: Final = (
    Column("id", "id"),
    Column("name"),
    Column("operator"),
    Column("state"),
    Column("created_at", "moment", "created"),
    Column("used_at", "moment", "last seen"),
    Column("pushed_at", "moment", "last sent"),
    Column("device_seq", "whole", "sent"),
    Column("forks", "whole"),
    Column("skew_ms", "whole", "clock off by ms"),
    Column("revoked_reason", "text", "why revoked"),
)
DEVICE_SHOWN: Final = ("id", "name", "operator", "state", "used_at", "pushed_at", "device_seq")
KEPT_COLUMNS: Final = (
    Column("id", "id"),
    Column("device", "id"),
    Column("operator"),
    Column("reason"),
    Column("at", "moment", "when"),
    Column("body"),
)
KEPT_SHOWN: Final = ("id", "device", "operator", "reason", "at")


def organisations(asked: Asked) -> Organisations:
    """The organisations where the line or the environment says that they are. Raises UsageError, Configuration."""
    from bo.cli.serve import place_of
    from bo.sync.organisations import Organisations

    data, database = place_of(asked)
    return Organisations(Path(data).expanduser() if data else None, database)


@contextmanager
def _store(asked: Asked, *, needs: str = "") -> Iterator[Workspace]:
    """The office of the organisation that is named, in the name of who acts. Raises NotFound, NotAllowed."""
    with closing(organisations(asked)) as held, held.central(asked.text("org")).writing(SYSTEM.id) as ws:
        if asked.text("as") and asked.text("as") != SYSTEM.id:
            ws.actor = _operator(ws, asked.text("as")).id
        actor = ws.who()
        if needs and (actor.scopes is not None or not actor.may(needs)):
            raise NotAllowed(
                "{actor} may not {permission}", hint="Ask an administrator.", actor=actor.name, permission=needs
            )
        yield ws


def _operator(ws: Workspace, login: str) -> Operator:
    """An operator by login or id. Raises NotFound."""
    from bo.core.access.records import Operator

    return ws.reader().get(Operator, login)


# -- organisations -----------------------------------------------------------------------------------------------------


def org_create(asked: Asked) -> int:
    """Make an organisation."""
    from bo.cli.workspace import own_login
    from bo.core.office import context_for

    name, source = asked.text("org"), asked.text("from")
    taken_over = [word for word in ("region", "currency", "zone", "operator", "name") if source and asked.text(word)]
    if taken_over:
        raise UsageError("a copy has its own {option}", hint="Leave it away.", option=taken_over[0])
    context = None if source else context_for(asked.text("region") or "CN", asked.text("currency"), asked.text("zone"))
    first = "" if source else asked.text("operator") or own_login()
    with closing(organisations(asked)) as held:
        made = held.create(
            name,
            context,
            operator=first,
            person=asked.text("name"),
            source=Path(source).expanduser() if source else None,
        )
        with made.workspace() as ws:
            context = ws.context
    values = [name, context.region, context.currency, context.zone, first]
    if asked.form or not asked.quiet:
        columns = [Column(word) for word in ("name", "region", "currency", "zone", "operator")]
        output.record(asked, columns, values)
    diagnostics.note(
        asked, "Nobody can log in yet. Next: bo central user password {org} {login}", org=name, login=first or "LOGIN"
    )
    return exit_codes.OK


def org_list(asked: Asked) -> int:
    """Write the organisations."""
    with closing(organisations(asked)) as held:
        names = held.names()
        wanted = _wanted(asked, ORG_COLUMNS, (), "name")
        rows = ([_org_row(held, name)] for name in names)
        plain = {column.name for column in wanted} <= {"name", "id"}  # then none is opened
        _write(asked, wanted, ([{"name": name, "id": name}] for name in names) if plain else rows)
    return exit_codes.OK


def _org_row(held: Organisations, name: str) -> dict[str, object]:
    with held.central(name).workspace() as ws:
        reader, last = ws.reader(), ws.operations(limit=1)
        return {
            "name": name,
            "id": name,
            "operations": ws.data_version(),
            "last_at": moment_text(last[0].at) if last else None,
            "operators": reader.count("operators", "active:yes"),
            "devices": reader.count("devices", "state:active"),
        }


# -- operators ---------------------------------------------------------------------------------------------------------


def user_add(asked: Asked) -> int:
    """Add an operator, with a password where it is a person."""
    from bo.sync import accounts, passwords

    login, is_service = asked.text("login"), asked.flag(SERVICE)
    password = "" if is_service else _password(asked, login)
    if not is_service:
        passwords.require_good(password, login)
    with _store(asked, needs=PEOPLE) as ws:
        made = ws.do(
            "operators.add", login=login, name=asked.text("name"), kind=SERVICE if is_service else "person",
            roles=list(asked.many("role")), store=asked.text("store") or None,
        )  # fmt: skip
        assert made.returned is not None
        if not is_service:
            accounts.set_password(ws, made.returned, password)
        _write_person(asked, ws, made.returned)
    return exit_codes.OK


def user_list(asked: Asked) -> int:
    """Write the operators."""
    from bo.sync.oversight import people

    with _store(asked) as ws:
        wanted = _wanted(asked, PERSON_COLUMNS, PERSON_SHOWN)
        _write(asked, wanted, [[_plain(item) for item in people(ws)]], zone=ws.context.zone)
    return exit_codes.OK


def user_disable(asked: Asked) -> int:
    """Switch an operator off, with every token."""
    from bo.sync import accounts

    with _store(asked, needs=PEOPLE) as ws:
        operator = _operator(ws, asked.text("login"))
        diagnostics.confirm(asked, _("switch {login} off?", login=operator.login))
        ws.do("operators.disable", operator.id)
        dropped = accounts.drop_tokens(ws, operator.id)
        diagnostics.note(asked, "{count} tokens are worthless now", count=dropped)
        _write_person(asked, ws, operator.id)
    return exit_codes.OK


def user_enable(asked: Asked) -> int:
    """Switch an operator on again."""
    with _store(asked, needs=PEOPLE) as ws:
        operator = _operator(ws, asked.text("login"))
        ws.do("operators.enable", operator.id)
        _write_person(asked, ws, operator.id)
    return exit_codes.OK


def user_password(asked: Asked) -> int:
    """Set a password."""
    from bo.sync import accounts

    password = _password(asked, asked.text("login"))
    with _store(asked, needs=PEOPLE) as ws:
        operator = _operator(ws, asked.text("login"))
        accounts.set_password(ws, operator.id, password)
    diagnostics.note(asked, "the password of {login} is set", login=operator.login)
    return exit_codes.OK


def user_second_factor(asked: Asked) -> int:
    """Switch the second factor on and show it, or off."""
    from bo.sync import accounts

    with _store(asked, needs=PEOPLE) as ws:
        operator = _operator(ws, asked.text("login"))
        if asked.flag("off"):
            diagnostics.confirm(asked, _("switch the second factor of {login} off?", login=operator.login))
            accounts.drop_second_factor(ws, operator.id)
            return exit_codes.OK
        uri, codes = accounts.set_up_second_factor(ws, operator.id, issuer=f"bo {asked.text('org')}")
    output.record(asked, [Column("uri"), Column("recovery_codes", "tags")], [uri, codes])
    diagnostics.note(asked, "Keep the codes on paper: none of this is shown again.")
    return exit_codes.OK


def user_token(asked: Asked) -> int:
    """Give a program a token, or take one back."""
    from bo.sync import accounts

    name, days = asked.text("name"), asked.whole("days") or DAYS
    with _store(asked, needs=PEOPLE) as ws:
        operator = _operator(ws, asked.text("login"))
        if asked.flag("drop"):
            accounts.drop_token(ws, operator.id, name)
            return exit_codes.OK
        token = accounts.issue_token(ws, operator.id, name, days)
    if asked.form in ("", "ids"):
        output.write(f"{token}\n")
    else:
        output.record(asked, [Column("token"), Column("name"), Column("days", "whole")], [token, name, days])
    diagnostics.note(asked, "It is not shown again.")
    return exit_codes.OK


def _write_person(asked: Asked, ws: Workspace, operator: str) -> None:
    from bo.sync.oversight import people

    if asked.quiet and not asked.form:
        return
    (found,) = (item for item in people(ws) if item.id == operator)
    wanted = _wanted(asked, PERSON_COLUMNS, ())
    row = _plain(found)
    output.record(asked, wanted, [row[column.name] for column in wanted], zone=ws.context.zone)


def _password(asked: Asked, login: str) -> str:
    """The password from stdin, or asked for twice. Raises UsageError where neither is possible."""
    if asked.flag("password_stdin"):
        from bo.cli.office import stdin_lines

        return next(stdin_lines(), "").rstrip("\r\n")
    if not diagnostics.can_ask(asked):
        raise UsageError("nobody is there to type a password", hint="Say --password-stdin and give it there.")
    from getpass import getpass

    from bo.sync.passwords import require_good

    typed = getpass(_("password of {login}:", login=login) + " ")
    require_good(typed, login)  # before it is asked for again
    if getpass(_("once more:") + " ") != typed:
        raise UsageError("the two are not the same: nothing was changed")
    return typed


# -- devices, copies, quarantine ---------------------------------------------------------------------------------------


def device_list(asked: Asked) -> int:
    """Write the devices."""
    from bo.sync.oversight import devices

    with _store(asked) as ws:
        wanted = _wanted(asked, DEVICE_COLUMNS, DEVICE_SHOWN)
        _write(asked, wanted, [[_plain(item) for item in devices(ws)]], zone=ws.context.zone)
    return exit_codes.OK


def device_revoke(asked: Asked) -> int:
    """Shut a device out."""
    from bo.core.access.records import Device

    with _store(asked) as ws:
        device = ws.reader().get(Device, asked.text("device"))
        diagnostics.confirm(asked, _("shut {name} out?", name=device.name or device.id))
        ws.do("devices.revoke", device.id, reason=asked.text("reason"))
        columns = [Column("id", "id"), Column("name"), Column("state")]
        if asked.form or not asked.quiet:
            output.record(asked, columns, [device.id, device.name, "revoked"])
    return exit_codes.OK


def backup_create(asked: Asked) -> int:
    """Write a verified copy and say that devices need not keep what is in it."""
    from bo.core.kernel import backup as copies
    from bo.core.kernel.database import SqliteDatabase
    from bo.sync.oversight import declare_stable

    org, told = asked.text("org"), asked.whole("confirm_seq")
    if told and asked.text("file"):
        raise UsageError("--confirm-seq is about a copy that is there already", hint="Leave FILE away.")
    with _store(asked, needs=backup.PERMISSION) as ws:
        if told:
            output.record(asked, [Column("org"), Column("stable", "whole")], [org, declare_stable(ws, told)])
            return exit_codes.OK
        if not isinstance(ws.database, SqliteDatabase):
            raise UsageError(
                "a PostgreSQL database is copied by its own tools",
                hint="pg_dump --schema bo_{org}, verify it, then bo central backup {org} --confirm-seq N.",
                org=org,
            )
        named = asked.text("file")
        usual = ws.database.path.parent / copies.FOLDER / copies.default_name(utc_now())
        report = copies.create(ws.database, Path(named) if named else copies.free_name(usual))
        declare_stable(ws, report.operations)  # the chain was counted from the first: its number is its length
        backup.write_report(asked, report)
    return exit_codes.OK


def quarantine_list(asked: Asked) -> int:
    """Write what is in quarantine."""
    from bo.sync.oversight import quarantined

    with _store(asked, needs=QUARANTINE) as ws:
        wanted = _wanted(asked, KEPT_COLUMNS, KEPT_SHOWN)
        _write(asked, wanted, [[_plain(item) for item in quarantined(ws)]], zone=ws.context.zone)
    return exit_codes.OK


def quarantine_show(asked: Asked) -> int:
    """Write one thing of it, whole."""
    from bo.sync.oversight import quarantined_as

    with _store(asked, needs=QUARANTINE) as ws:
        row = _plain(quarantined_as(ws, asked.text("item")))
        row["body"] = msgspec.json.decode(str(row["body"]))
        columns = [*KEPT_COLUMNS[:-1], Column("body", "facts")]
        output.record(asked, columns, [row[column.name] for column in columns], zone=ws.context.zone)
    return exit_codes.OK


# -- rows --------------------------------------------------------------------------------------------------------------


def _wanted(asked: Asked, known: Sequence[Column], shown: Sequence[str], key: str = "id") -> list[Column]:
    """The columns that `--fields` asks for, else those shown, else all. Raises UsageError with the list."""
    by_name = {column.name: column for column in known}
    if output.form_of(asked) == "ids":
        return [Column(output.ID, "id", key)]
    if output.form_of(asked) == "template":
        return list(known)
    return [by_name[name] for name in asked.fields_of(by_name, shown)]


def _write(
    asked: Asked, columns: Sequence[Column], batches: Iterator[list[dict[str, object]]] | list[list[dict[str, object]]],
    *, zone: str = "",
) -> None:  # fmt: skip
    names = [column.name for column in columns]
    output.rows(asked, columns, ([[row[name] for name in names] for row in batch] for batch in batches), zone=zone)


def _plain(item: msgspec.Struct) -> dict[str, object]:
    """A thing as the values that are written: moments in the one way they are written everywhere."""
    found: dict[str, object] = msgspec.structs.asdict(item)
    return {name: moment_text(value) if isinstance(value, datetime) else value for name, value in found.items()}
