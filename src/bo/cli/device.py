"""`bo login` makes this folder a device of a central store, `bo logout` ends that.

A login that is cut off leaves either no office or one that the next `bo sync` fills. The token goes to its place
before anything else, and into nothing that is printed.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bo.cli import diagnostics, exit_codes, output, syncing
from bo.cli.output import Column
from bo.cli.settings import DATABASE_NAME, FILE_NAME, read_file
from bo.cli.syncing import TOKEN_FILE, token_file
from bo.core.kernel.errors import BoError, Configuration, UsageError
from bo.core.kernel.text import _

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bo.cli.asked import Asked
    from bo.sync.http import HttpTransport
    from bo.sync.protocol import Login, Ticket
    from bo.sync.secrets import Place

LEASE_DAYS: Final = 30
PASSWORD_BYTES_MOST: Final = 4096
CODE_WANTED: Final = "code_wanted"
OPERATOR: Final = "operator"
CENTRAL: Final = "central"


def login(asked: Asked) -> int:
    """Log in, make this folder a device or renew the token of the one it is, and sync."""
    from bo.sync.device import one_at_a_time
    from bo.sync.secrets import place_for

    folder, days = _folder(asked), asked.whole("lease_days")
    url, device = _before(asked, folder)
    place = place_for(asked.text("token_file") or token_file(folder))
    insecure = asked.flag("insecure_http") or not asked.text("url")
    transport = syncing.transport_to(url, insecure=insecure)
    try:
        wanted = _wanted(asked, transport, folder, device)
        _make(folder)
        with one_at_a_time(folder):
            ticket = _ticket(asked, transport, wanted)
            _settle_in(asked, folder, ticket, transport.address.url, place, device, days)
    finally:
        transport.close()
    diagnostics.note(asked, "logged in; the token is kept in {place}", place=place.name)
    with syncing.connected(asked, folder) as client:
        return syncing.once(asked, client)


def _folder(asked: Asked) -> Path:
    named = asked.text("workspace") or os.environ.get("BO_WORKSPACE", "")
    if named:
        return Path(named).expanduser().absolute()
    if (Path.cwd() / DATABASE_NAME).is_file():
        return Path.cwd()
    raise UsageError("which folder?", hint="bo login URL --workspace DIR")


def _before(asked: Asked, folder: Path) -> tuple[str, str]:
    """The address to log in to, and the id of the device that this folder is already; blank for a new one."""
    from bo.core.kernel.tx import SYSTEM
    from bo.core.kernel.workspace import database_at
    from bo.core.office import open_database

    url = asked.text("url")
    if not (folder / DATABASE_NAME).exists():
        if not url:
            raise UsageError("which central store?", hint="bo login https://HOST/ORGANISATION --workspace DIR")
        return url, ""
    with open_database(database_at(folder), operator=SYSTEM.id, lapsed=True) as workspace:
        if workspace.link is None:
            raise Configuration(
                "{path} holds an office of its own, which no login may replace",
                hint="Choose another folder; or move this office to the server, there:"
                " bo central org create NAME --from {path}",
                path=str(folder),
            )
        return url or workspace.link.url, workspace.device


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Configuration(
            "{path} cannot be made: {reason}",
            hint="Choose another folder.",
            path=str(folder),
            reason=error.strerror or str(error),
        ) from None


def _wanted(asked: Asked, transport: HttpTransport, folder: Path, device: str) -> Login:
    import platform

    from bo.sync.protocol import Login

    user = _user(asked, folder)
    name = asked.text("name") or platform.node() or "device"
    return Login(user, _password(asked, user, transport.address.url), asked.text("otp"), name, device)


def _ticket(asked: Asked, transport: HttpTransport, wanted: Login) -> Ticket:
    """Log in; where a second factor turns out to be on, somebody at the terminal is asked for its code."""
    try:
        return transport.log_in(wanted)
    except BoError as error:
        if error.code != CODE_WANTED or not diagnostics.can_ask(asked):
            raise
    from msgspec.structs import replace

    return transport.log_in(replace(wanted, otp=diagnostics.secret(asked, _("Code of the second factor:"))))


def _user(asked: Asked, folder: Path) -> str:
    """Who logs in: who was named, who works in this folder already, or who this person is to the system."""
    from bo.cli.workspace import own_login

    return asked.text("user") or asked.operator or read_file(folder / FILE_NAME).get(OPERATOR, "") or own_login()


def _password(asked: Asked, user: str, url: str) -> str:
    """The password: from stdin when that was said, else typed unseen. Raises UsageError where nobody is there."""
    import sys

    if asked.flag("password_stdin"):
        buffer = getattr(sys.stdin, "buffer", None)
        line = buffer.readline(PASSWORD_BYTES_MOST).decode("utf-8", "replace") if buffer is not None else ""
        password = line.rstrip("\r\n")
    elif diagnostics.can_ask(asked):
        password = diagnostics.secret(asked, _("Password of {user} at {url}:", user=user, url=url))
    else:
        raise UsageError("a password is needed, and nobody is here to type it", hint="Pipe it in: --password-stdin")
    if not password:
        raise UsageError("a password is needed")
    return password


def _settle_in(
    asked: Asked, folder: Path, ticket: Ticket, url: str, place: Place, device: str, days: int | None
) -> None:
    """Keep the token and make the office, or renew its tie to central. A token that is not for this device is given
    back."""
    from bo.sync.device import join, open_device, renew

    settings = {CENTRAL: url, **({TOKEN_FILE: place.name} if asked.text("token_file") else {})}
    if not device:
        place.keep(ticket.device, ticket.token)
        _write_settings(folder, {OPERATOR: _user(asked, folder), **settings})
        join(folder, ticket, url, lease_days=days or LEASE_DAYS)
        return
    with open_device(folder) as workspace:
        if (ticket.device, ticket.operator) != (workspace.device, workspace.actor):
            _give_back(url, ticket)
            raise Configuration(
                "this device works in the name of {operator}, and nobody else can log in here",
                hint="Use another folder: bo login {url} --workspace DIR",
                operator=syncing.name_of_operator(workspace),
                url=url,
            )
        place.keep(ticket.device, ticket.token)
        _write_settings(folder, settings)
        renew(workspace, url, lease_days=days)


def _give_back(url: str, ticket: Ticket) -> None:
    transport = syncing.transport_to(url, ticket.token)
    try:
        transport.log_out()
    except BoError:
        return  # it runs out by itself
    finally:
        transport.close()


# -- logging out -------------------------------------------------------------------------------------------------------


def logout(asked: Asked) -> int:
    """Make the token worthless and forget it; with --wipe take all data away too. Raises what kept central from being
    told, after all else is done."""
    from bo.sync.device import one_at_a_time, open_device, standing, wipe
    from bo.sync.secrets import kept_in

    folder = asked.workspace
    named = token_file(folder)
    with open_device(folder) as workspace:
        found = standing(workspace)
    if asked.flag("wipe"):
        diagnostics.confirm(asked, _question(folder, found.waiting, found.refused))
    with one_at_a_time(folder):
        untold = _tell_central(found.url, found.device, named)
        gone = wipe(folder) if asked.flag("wipe") else []
        kept_in(named).forget(found.device)
        if asked.flag("wipe"):
            _write_settings(folder, dict.fromkeys((OPERATOR, CENTRAL, TOKEN_FILE), ""))
    columns = [Column("central"), Column("device", "id"), Column("wiped", "tags")]
    output.record(asked, columns, [found.url, found.device, gone])
    if not gone:
        diagnostics.note(asked, "The data stays here, and bo login goes on with it; bo logout --wipe removes it.")
    if untold is not None:
        untold.hint = "Everything was done here. An administrator shuts the device out there: bo central device revoke."
        raise untold
    return exit_codes.OK


def _question(folder: Path, waiting: int, refused: int) -> str:
    lost = waiting + refused
    if lost:
        return _(
            "{count} operations never reached the central store or were refused by it, and would be lost."
            " Remove all data in {path}?",
            count=f"{lost:,}",
            path=str(folder),
        )
    return _("Remove all data in {path}?", path=str(folder))


def _tell_central(url: str, device: str, named: str) -> BoError | None:
    """Have central forget the token; what kept it from being told. That there is no token any more is no trouble."""
    from bo.sync.secrets import NoPlace, NoToken, token_of
    from bo.sync.transport import LoggedOut

    try:
        transport = syncing.transport_to(url, token_of(device, named))
    except NoToken:
        return None
    except NoPlace as error:
        return error
    try:
        transport.log_out()
    except LoggedOut:
        return None
    except BoError as error:
        return error if error.code != "revoked" else None
    finally:
        transport.close()
    return None


# -- bo.toml -----------------------------------------------------------------------------------------------------------


def _write_settings(folder: Path, values: Mapping[str, str]) -> None:
    """Put settings into the workspace's file, a blank one out of it; every other line stays as it is. Raises BadFile;
    then the file is as it was."""
    import json

    from bo.cli.saving import placed

    path = folder / FILE_NAME
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    kept = [line for line in lines if line.partition("=")[0].strip() not in values]
    made = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values.items() if value]
    if not made and not any(line.strip() for line in kept):
        path.unlink(missing_ok=True)
        return
    with placed(path, ("\n".join([*made, *kept]) + "\n").encode()):
        pass
