"""The rows of secrets: what is read and written of the tables `credential` and `token`, each in one statement.

They are written past the journal, in whatever transaction the caller has open. A token, a password or a code for paper
comes in as it is and is kept as a hash.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from bo.core.kernel.record import EPOCH

if TYPE_CHECKING:
    import sqlalchemy as sa

    from bo.core.kernel.database import Session

TOKEN_BYTES: Final = 32
TOKEN_START: Final = "bo_"  # so that programs that look for lost secrets know one
TEXT_LONGEST: Final = 200


class Account:
    """What is known of who wants to come in. No Struct: those show what they hold."""

    __slots__ = ("active", "login", "operator", "password", "recovery", "totp")

    def __init__(
        self, operator: str, login: str = "", active: object = False, password: str | None = None,
        totp: str | None = None, recovery: str | None = None,
    ) -> None:  # fmt: skip
        self.operator = operator
        self.login = login
        self.active = bool(active)
        self.password = password or ""
        self.totp = totp or ""
        self.recovery = recovery or ""


class Bearer:
    """Whom a token stands for, and whether that operator and that device are let in; `state` None: no such device."""

    __slots__ = ("active", "device", "expires_at", "operator", "state", "used_at")

    def __init__(self, row: tuple[Any, ...]) -> None:
        self.operator = str(row[0])
        self.device = str(row[1])
        self.used_at = moment(row[2])
        self.expires_at = moment(row[3])
        self.active = bool(row[4])
        self.state: str | None = row[5]


# -- operators ---------------------------------------------------------------------------------------------------------


def account_called(session: Session, login: str) -> Account | None:
    """The operator of that login."""
    rows = session.rows("sync:account:login", lambda: _account("login"), {"wanted": readable(login)})
    return Account(*rows[0]) if rows else None


def account_of(session: Session, operator: str) -> Account | None:
    """The operator of that id."""
    rows = session.rows("sync:account:id", lambda: _account("id"), {"wanted": readable(operator)})
    return Account(*rows[0]) if rows else None


def require_row(session: Session, operator: str, now: datetime) -> None:
    """Every operator who tries has a row to be counted in."""
    values = {
        "operator": operator, "password": "", "totp": "", "totp_step": 0, "recovery": "", "failures": 0,
        "locked_until": EPOCH, "changed_at": now,
    }  # fmt: skip
    session.run("sync:credential:new", lambda: _new_credential(sqlite=session.is_sqlite), values)


def tries_of(session: Session, operator: str) -> tuple[int, datetime]:
    """The wrong tries of an operator and until when there are no more; the row is held for this transaction."""
    rows = session.rows("sync:credential:lock", _tries, {"wanted": operator})
    return (int(rows[0][0]), moment(rows[0][1])) if rows else (0, EPOCH)


def set_credential(session: Session, operator: str, **values: object) -> None:
    """Set columns of an operator's row, which is there."""
    names = tuple(values)
    bound = {f"new_{name}": value for name, value in values.items()}
    session.run(f"sync:credential:set:{','.join(names)}", lambda: _set_credential(names), {"wanted": operator, **bound})


def spend_step(session: Session, operator: str, step: int) -> bool:
    """Move the last half minute that was used up to this one; whether nobody was faster."""
    values = {"wanted": operator, "new_step": step, "most": step}
    return session.run("sync:credential:step", _spend_step, values) == 1


def spend_recovery(session: Session, operator: str, held: str, left: str) -> bool:
    """Put the codes that are left in the place of those that were held; whether nobody was faster."""
    values = {"wanted": operator, "held": held, "new_recovery": left}
    return session.run("sync:credential:recovery", _spend_recovery, values) == 1


# -- tokens ------------------------------------------------------------------------------------------------------------


def new_token(session: Session, operator: str, device: str, name: str, now: datetime, until: datetime) -> str:
    """256 random bits. This is the only time that they are there to be read."""
    token = TOKEN_START + secrets.token_urlsafe(TOKEN_BYTES)
    values = {
        "hash": hashed(token), "operator": operator, "device": device, "name": name, "made_at": now, "used_at": now,
        "expires_at": until,
    }  # fmt: skip
    session.run("sync:token:new", _insert_token, values)
    return token


def bearer_of(session: Session, token: str) -> Bearer | None:
    """Whom a token stands for."""
    rows = session.rows("sync:token:bearer", _bearer, {"wanted": hashed(token)})
    return Bearer(rows[0]) if rows else None


def set_used(session: Session, token: str, now: datetime, until: datetime | None) -> None:
    """Write that a token is used, and until when it is good from now on where that changes."""
    names = ("used_at",) if until is None else ("used_at", "expires_at")
    values = {"wanted": hashed(token), "new_used_at": now, "new_expires_at": until}
    session.run(f"sync:token:used:{len(names)}", lambda: _set_token(names), values)


def is_named(session: Session, operator: str, name: str) -> bool:
    """Whether an operator has given a program a token of that name."""
    values = {"wanted": operator, "called": readable(name)}
    return bool(session.rows("sync:token:named", _token_named, values))


def drop_token(session: Session, token: str) -> None:
    session.run("sync:token:drop", lambda: _drop("hash"), {"hash": hashed(token)})


def drop_named(session: Session, operator: str, name: str) -> int:
    return session.run("sync:token:drop:named", _drop_named, {"wanted": operator, "called": readable(name)})


def drop_of_device(session: Session, device: str) -> None:
    session.run("sync:token:drop:device", lambda: _drop("device"), {"device": device})


def drop_all(session: Session, operator: str) -> int:
    return session.run("sync:token:drop:all", lambda: _drop("operator"), {"operator": operator})


def drop_of_devices(session: Session, operator: str) -> None:
    """Drop the tokens of an operator's devices, and not those of programs."""
    session.run("sync:token:drop:devices", _drop_of_devices, {"operator": operator})


def drop_expired(session: Session, operator: str, now: datetime) -> None:
    session.run("sync:token:drop:old", _drop_expired, {"operator": operator, "before": now})


def owner_of(session: Session, device: str) -> tuple[str, str] | None:
    """Whose a device is, and its state."""
    rows = session.rows("sync:device:owner", _owner, {"wanted": readable(device)})
    return (str(rows[0][0]), str(rows[0][1])) if rows else None


def hashed(token: str) -> str:
    """A token as it is kept: 256 random bits need no slow hash."""
    return sha256(token[:TEXT_LONGEST].encode("utf-8", "replace")).hexdigest()


def readable(text: str) -> str:
    """What a stranger sent, as a database can compare it."""
    return text[:TEXT_LONGEST].replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def moment(value: object) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))


# -- statements --------------------------------------------------------------------------------------------------------


def _tables() -> tuple[sa.Table, sa.Table, sa.Table, sa.Table]:
    from bo.core.access.records import Device, Operator
    from bo.core.kernel.record import info_of
    from bo.core.kernel.tables import table
    from bo.sync.tables import credential, token

    return credential, token, table(info_of(Operator)), table(info_of(Device))


def _bound(name: str) -> sa.BindParameter[Any]:
    import sqlalchemy as sa

    return sa.bindparam(name)


def _account(key: str) -> sa.Select[Any]:
    import sqlalchemy as sa

    credential, _token, operator, _device = _tables()
    kept = credential.c
    wanted = sa.select(operator.c.id, operator.c.login, operator.c.active, kept.password, kept.totp, kept.recovery)
    joined = operator.outerjoin(credential, kept.operator == operator.c.id)
    return wanted.select_from(joined).where(operator.c[key] == _bound("wanted"))


def _new_credential(*, sqlite: bool) -> sa.Insert:
    from bo.core.kernel.tables import upsert

    return upsert(_tables()[0], "operator", sqlite=sqlite)


def _tries() -> sa.Select[Any]:
    import sqlalchemy as sa

    kept = _tables()[0].c
    return sa.select(kept.failures, kept.locked_until).where(kept.operator == _bound("wanted")).with_for_update()


def _set_credential(names: tuple[str, ...]) -> sa.Update:
    credential = _tables()[0]
    new = {name: _bound(f"new_{name}") for name in names}
    return credential.update().where(credential.c.operator == _bound("wanted")).values(new)


def _spend_step() -> sa.Update:
    credential = _tables()[0]
    mine = credential.update().where(credential.c.operator == _bound("wanted"))
    return mine.where(credential.c.totp_step < _bound("most")).values(totp_step=_bound("new_step"))


def _spend_recovery() -> sa.Update:
    credential = _tables()[0]
    mine = credential.update().where(credential.c.operator == _bound("wanted"))
    return mine.where(credential.c.recovery == _bound("held")).values(recovery=_bound("new_recovery"))


def _insert_token() -> sa.Insert:
    return _tables()[1].insert()


def _bearer() -> sa.Select[Any]:
    import sqlalchemy as sa

    _credential, token, operator, device = _tables()
    held = token.c
    joined = token.join(operator, operator.c.id == held.operator).outerjoin(device, device.c.id == held.device)
    wanted = sa.select(held.operator, held.device, held.used_at, held.expires_at, operator.c.active, device.c.state)
    return wanted.select_from(joined).where(held.hash == _bound("wanted"))


def _set_token(names: tuple[str, ...]) -> sa.Update:
    token = _tables()[1]
    new = {name: _bound(f"new_{name}") for name in names}
    return token.update().where(token.c.hash == _bound("wanted")).values(new)


def _is_programs(token: sa.Table) -> sa.ColumnElement[bool]:
    import sqlalchemy as sa

    blank: sa.ColumnElement[str] = sa.literal_column("''")
    return sa.and_(token.c.device == blank, token.c.operator == _bound("wanted"), token.c.name == _bound("called"))


def _token_named() -> sa.Select[Any]:
    import sqlalchemy as sa

    token = _tables()[1]
    return sa.select(token.c.expires_at).where(_is_programs(token))


def _drop_named() -> sa.Delete:
    token = _tables()[1]
    return token.delete().where(_is_programs(token))


def _drop(column: str) -> sa.Delete:
    token = _tables()[1]
    return token.delete().where(token.c[column] == _bound(column))


def _drop_of_devices() -> sa.Delete:
    import sqlalchemy as sa

    token = _tables()[1]
    return _drop("operator").where(token.c.device != sa.literal_column("''"))


def _drop_expired() -> sa.Delete:
    token = _tables()[1]
    return _drop("operator").where(token.c.expires_at <= _bound("before"))


def _owner() -> sa.Select[Any]:
    import sqlalchemy as sa

    device = _tables()[3]
    return sa.select(device.c.operator, device.c.state).where(device.c.id == _bound("wanted"))
