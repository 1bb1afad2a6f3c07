"""Who may open the screen in a browser: whoever has an account of this central store, or the printed address.

It keeps no password and no session of accounts: those are `bo.sync.accounts`' own, so that whoever is switched off
or shut out there is out here too. It refuses in the words that a login of a device is refused in.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING, Final, Protocol

from msgspec import Struct

from bo.core.kernel.errors import BoError
from bo.sync.accounts import AddressTries, LoginRefused
from bo.sync.protocol import Login

if TYPE_CHECKING:
    from pathlib import Path

    from bo.sync.central import Central

TOKEN_BYTES: Final = 32
BROWSER: Final = "browser"  # what its device is called in the list of devices


class Entry(Struct, frozen=True):
    """What a browser is given: its session, and the device it is known as from now on."""

    session: str
    device: str = ""

    def __repr__(self) -> str:
        return "Entry()"


class Door(Protocol):
    """Lets browsers in. All methods may wait for a database, so none is called where others wait."""

    @property
    def asks(self) -> bool:
        """Whether a page asks for a password; otherwise the printed address is the way in."""

    def operator(self, session: str) -> str:
        """Whose session that is now. Raises LoginRefused, LoggedOut."""

    def leave(self, session: str) -> None:
        """The session is over."""

    def close(self) -> None: ...


class TokenDoor:
    """An office without accounts: whoever opens the address that was printed, once, is its operator."""

    asks = False

    def __init__(self, operator: str, print_token: Callable[[str], None]) -> None:
        self._operator = operator
        self._print = print_token
        self._sessions: set[str] = set()
        self._tries = AddressTries()
        self._new_token()

    def _new_token(self) -> None:
        self._token = secrets.token_urlsafe(TOKEN_BYTES)
        self._print(self._token)

    def enter(self, token: str, address: str) -> Entry:
        """Exchange the token, which is used up by that, for a session. Raises LoginRefused, TooManyTries."""
        self._tries.take(address)
        if not hmac.compare_digest(_hash(token), _hash(self._token)):
            raise _refused()
        self._tries.give_back(address)
        self._new_token()
        session = secrets.token_urlsafe(TOKEN_BYTES)
        self._sessions.add(_hash(session))
        return Entry(session)

    def operator(self, session: str) -> str:
        if _hash(session) not in self._sessions:
            raise _refused()
        return self._operator

    def leave(self, session: str) -> None:
        self._sessions.discard(_hash(session))

    def close(self) -> None:
        self._sessions.clear()


class AccountsDoor:
    """A central store: its operators come in with their password, and the second factor where that is on."""

    asks = True

    def __init__(self, central: Central) -> None:
        self._central = central

    def enter(self, user: str, password: str, otp: str, device: str, address: str) -> Entry:
        """Log in, as the device that this browser was before. Raises what `accounts.login` raises."""
        from bo.sync import accounts

        ticket = accounts.login(self._central, Login(user, password, otp, BROWSER, device), address)
        return Entry(ticket.token, ticket.device)

    def operator(self, session: str) -> str:
        from bo.sync import accounts

        caller = accounts.caller_of(self._central, session)
        if caller.revoked or not caller.device:
            raise _refused()
        return caller.operator

    def leave(self, session: str) -> None:
        from bo.sync import accounts

        accounts.log_out(self._central, session)

    def close(self) -> None:
        self._central.close()


def accounts_of(folder: Path) -> Central | None:
    """The central store in a folder, where one of its operators has a password. Raises Configuration."""
    from bo.core.kernel.tx import SYSTEM
    from bo.core.kernel.workspace import database_at
    from bo.core.office import open_database
    from bo.sync.central import Central
    from bo.sync.oversight import people

    central = Central(lambda: open_database(database_at(folder), operator=SYSTEM.id))
    try:
        with central.workspace() as ws:
            if ws.link is None and any(person.password for person in people(ws)):
                return central
    except BoError:
        central.close()
        raise
    central.close()
    return None


def _hash(text: str) -> str:
    return sha256(text.encode("utf-8", "replace")).hexdigest()


def _refused() -> LoginRefused:
    return LoginRefused(
        "this browser is not let in", hint="Open the address that bo tui --serve printed; it is good once."
    )
