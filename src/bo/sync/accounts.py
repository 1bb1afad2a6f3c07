"""Who may speak to a central store: passwords and second factors of people, tokens of devices and programs.

Devices and operators are records, and change by commands; their secrets stand in tables that no history is kept of, and
there as hashes. It refuses in words that do not tell whether there is such an operator, and holds back who guesses: by
operator in the database, by address in this process. No secret is in an error, a log line, or what `repr` shows.
"""

from __future__ import annotations

import logging
import threading
from datetime import datetime, timedelta
from typing import Final

from bo.core.access import credentials, second_factor
from bo.core.access.credentials import Account
from bo.core.access.proving import count_try, held_back, spend_code
from bo.core.access.records import Device
from bo.core.kernel.dispatch import Call, is_id
from bo.core.kernel.errors import BoError, Busy, Configuration, NotFound, UsageError
from bo.core.kernel.record import EPOCH, info_of
from bo.core.kernel.tx import SYSTEM
from bo.core.kernel.workspace import Transaction, Workspace
from bo.sync import passwords, push, tokens
from bo.sync.central import Caller, Central, Revoked
from bo.sync.limits import Buckets, Rate, TooMany, neighbourhood
from bo.sync.protocol import Login, Ticket
from bo.sync.transport import LoggedOut

LIFETIME: Final = timedelta(days=90)  # of a device's token, from its last use
RENEWED_EVERY: Final = timedelta(hours=1)
DAYS_MOST: Final = 3660
NAME_LONGEST: Final = 100
NOBODY: Final = "?"  # how the rows begin that count the tries for operators that are not there
NOBODY_LETTERS: Final = 3  # of the login's hash: 4,096 rows at most
ADDRESS_TRIES: Final = Rate(0.1, 30)
log = logging.getLogger("bo.sync.accounts")


class LoginRefused(BoError):
    """It was not the operator, the password or the code; which of them is not told."""

    code = "login_refused"


class CodeWanted(LoginRefused):
    """The password is right, and the second factor is missing."""

    code = "code_wanted"


class AddressTries(Buckets):
    """Wrong tries of each address. A right one is given back, so that an office behind one address is not held up."""

    def __init__(self, rate: Rate = ADDRESS_TRIES) -> None:
        super().__init__(rate)
        self._lock = threading.Lock()

    def take(self, caller: str) -> None:
        """Count a try. Raises TooManyTries. A blank address is this process itself."""
        if not caller:
            return
        try:
            with self._lock:
                super().take(neighbourhood(caller))
        except TooMany as error:
            raise held_back(int(str(error.facts["seconds"]))) from None

    def give_back(self, caller: str) -> None:
        with self._lock:
            super().give_back(neighbourhood(caller))


tries: Final = AddressTries()


# -- coming in ---------------------------------------------------------------------------------------------------------


def login(central: Central, wanted: Login, address: str = "") -> Ticket:
    """Let an operator in at a device: a new one, or one of theirs that logs in again, whose old token is dropped.

    Raises LoginRefused, CodeWanted where a second factor is on and was not given, TooManyTries, Revoked for a device
    that is shut out, Busy.
    """
    tries.take(address)
    account = _take_try(central, wanted.user.strip())
    if not passwords.is_right(account.password if account.active else "", wanted.password):
        log.warning("a login was refused", extra={"facts": {"operator": account.operator}})
        raise _refused()
    if account.totp and not wanted.otp.strip():
        _give_back(central, account.operator)
        tries.give_back(address)
        raise CodeWanted("the second factor is wanted", hint="Give the six digits, or a code from paper.")
    better = passwords.hashed(wanted.password) if passwords.is_outdated(account.password) else ""
    with central.writing(SYSTEM.id) as ws, ws.transaction() as perform:
        ticket = _let_in(ws, perform, account, wanted)
        if better:
            credentials.set_credential(perform.session, account.operator, password=better)
    tries.give_back(address)
    return ticket


def caller_of(central: Central, token: str) -> Caller:
    """Who a token stands for, now. Raises LoggedOut where it is unknown, too old, or its operator is switched off.

    One read for each request; that it was used is written once an hour.
    """
    with central.workspace() as ws:
        bearer, now = tokens.bearer_of(ws.database.session, token), ws.clock()
    if bearer is None or not bearer.active or bearer.expires_at <= now or (bearer.device and bearer.state is None):
        raise LoggedOut("the token is not good any more", hint="bo login")
    revoked = bearer.state == "revoked"
    if not revoked and now - bearer.used_at >= RENEWED_EVERY:
        _renew(central, token, now, until=now + LIFETIME if bearer.device else None)
    return Caller(bearer.operator, bearer.device, revoked)


def log_out(central: Central, token: str) -> None:
    """Make a token worthless; one that is so already is no error."""
    with central.writing(SYSTEM.id) as ws, ws.database.writing() as session:
        tokens.drop_token(session, token)


# -- what an administrator does ----------------------------------------------------------------------------------------


def set_password(ws: Workspace, operator_id: str, password: str) -> None:
    """Give an operator a password. Their devices have to log in again; tokens of programs stay.

    Raises WeakPassword, NotFound.
    """
    passwords.require_good(password, _login_of(ws, operator_id))
    made, now = passwords.hashed(password), ws.clock()
    with ws.database.writing() as session:
        credentials.require_row(session, operator_id, now)
        credentials.set_credential(
            session, operator_id, password=made, failures=0, locked_until=EPOCH, changed_at=now
        )  # fmt: skip
        tokens.drop_of_devices(session, operator_id)


def set_up_second_factor(ws: Workspace, operator_id: str, *, issuer: str = "bo") -> tuple[str, list[str]]:
    """Switch the second factor on, anew where it was on: what a telephone reads, and the codes for paper. Neither can
    be shown again. Raises NotFound."""
    called, secret, codes = _login_of(ws, operator_id), second_factor.new_secret(), second_factor.new_codes()
    _keep_factor(ws, operator_id, secret, second_factor.kept(codes, operator_id))
    return second_factor.uri(secret, called, issuer), codes


def drop_second_factor(ws: Workspace, operator_id: str) -> None:
    """Switch the second factor off. Raises NotFound."""
    _login_of(ws, operator_id)
    _keep_factor(ws, operator_id, "", "")


def issue_token(ws: Workspace, operator_id: str, name: str, days: int = LIFETIME.days) -> str:
    """A token for a program, which is no device; after so many days it is worthless, used or not.

    Raises NotFound, UsageError for days beyond ten years and for a name that a token of that operator has.
    """
    if not 1 <= days <= DAYS_MOST:
        raise UsageError("a token is good for 1 to {most} days", most=DAYS_MOST)
    if not name.strip() or len(name) > NAME_LONGEST:
        raise UsageError("a token has a name that says what it is for", hint="--name NAME")
    called, now = _login_of(ws, operator_id), ws.clock()
    with ws.database.writing() as session:
        credentials.require_row(session, operator_id, now)
        credentials.tries_of(session, operator_id)  # holds the row, so that a name is given once
        tokens.drop_expired(session, operator_id, now)
        if tokens.is_named(session, operator_id, name):
            raise UsageError(
                "{login} has a token {name} already", hint="Take another name, or --drop it.", login=called, name=name
            )
        return tokens.new_token(session, operator_id, "", name, now, now + timedelta(days=days))


def drop_token(ws: Workspace, operator_id: str, name: str) -> None:
    """Make a program's token worthless. Raises NotFound."""
    with ws.database.writing() as session:
        dropped = tokens.drop_named(session, operator_id, name)
    if not dropped:
        raise NotFound("there is no token {name}", hint="bo central user list shows them.", name=name)


def drop_tokens(ws: Workspace, operator_id: str) -> int:
    """Make every token of an operator worthless; how many there were."""
    with ws.database.writing() as session:
        return tokens.drop_all(session, operator_id)


# -- the steps of a login ----------------------------------------------------------------------------------------------


def _take_try(central: Central, user: str) -> Account:
    """Count a try before it is made, so that a thousand at once are no more than ten. Raises TooManyTries.

    Logins that nobody has are counted and held back in the same way and at the same cost, in a bounded number of rows.
    """
    with central.writing(SYSTEM.id) as ws, ws.database.writing() as session:
        now = ws.clock()
        stranger = Account(NOBODY + tokens.hashed(user)[:NOBODY_LETTERS])
        account = credentials.account_called(session, user) or stranger
        count_try(session, account.operator, now)
    return account


def _give_back(central: Central, operator: str) -> None:
    """A try that was not wrong does not count."""
    with central.writing(SYSTEM.id) as ws, ws.database.writing() as session:
        failures, _locked_until = credentials.tries_of(session, operator)
        credentials.set_credential(session, operator, failures=max(0, failures - 1), locked_until=EPOCH)


def _let_in(ws: Workspace, perform: Transaction, known: Account, wanted: Login) -> Ticket:
    """Look again at who it is, spend the code, and make the token: all of it or nothing."""
    session, now, operator = perform.session, ws.clock(), known.operator
    credentials.tries_of(session, operator)
    account = credentials.account_of(session, operator)
    if account is None or not account.active or account.password != known.password:
        raise _refused()
    if account.totp and not spend_code(session, account, wanted.otp, now):
        log.warning("a second factor was refused", extra={"facts": {"operator": account.operator}})
        raise _refused()
    device = _device_for(perform, account, wanted)
    credentials.set_credential(session, operator, failures=0, locked_until=EPOCH)
    tokens.drop_of_device(session, device)
    tokens.drop_expired(session, operator, now)
    token = tokens.new_token(session, operator, device, "", now, now + LIFETIME)
    context, device_seq = ws.context, push.device_seq_of(session, device)
    return Ticket(
        token, operator, device, device_seq, context.region, context.currency, context.zone, now + LIFETIME
    )  # fmt: skip


def _device_for(perform: Transaction, account: Account, wanted: Login) -> str:
    """The device that logs in: a new one, or one of that operator's. Raises LoginRefused, Revoked."""
    owner = tokens.owner_of(perform.session, wanted.device) if wanted.device else None
    if owner is None and (not wanted.device or is_id(info_of(Device), wanted.device)):
        # one that this store has never seen was registered after the backup that the store was restored from
        args = {"operator": account.operator, "name": wanted.name, "known_as": wanted.device or None}
        (made,) = perform([Call("devices.register", None, args)])
        if made.error is not None:
            raise made.error
        assert made.returned is not None
        return made.returned
    if owner is None or owner[0] != account.operator:
        raise LoginRefused("this device is not one of {login}", hint="Log in as a new one.", login=account.login)
    if owner[1] == "revoked":
        raise Revoked("this device has been shut out", hint="Ask an administrator.")
    return wanted.device


def _renew(central: Central, token: str, now: datetime, *, until: datetime | None) -> None:
    """Write that a token is used. Where somebody is writing for long, the next request does it."""
    try:
        with central.writing(SYSTEM.id) as ws, ws.database.writing() as session:
            tokens.set_used(session, token, now, until)
    except Busy:
        return


def _keep_factor(ws: Workspace, operator: str, secret: str, recovery: str) -> None:
    now = ws.clock()
    with ws.database.writing() as session:
        credentials.require_row(session, operator, now)
        credentials.set_credential(
            session, operator, totp=secret, totp_step=0, recovery=recovery, changed_at=now
        )  # fmt: skip


def _login_of(ws: Workspace, operator: str) -> str:
    """An operator's login. Raises NotFound; Configuration on a device, which decides nothing here."""
    if ws.link is not None:
        raise Configuration("who may log in is decided at the central store", hint="bo central user --help")
    account = credentials.account_of(ws.database.session, operator)
    if account is None:
        raise NotFound("there is no operator {id}", hint="bo central user list shows them.", id=operator[:80])
    return account.login


def _refused() -> LoginRefused:
    return LoginRefused("the login, the password or the code is wrong", hint="Try again, or ask an administrator.")
