"""The tokens of devices and programs: what is read and written of the table `token`, each in one statement.

They are written past the journal, in whatever transaction the caller has open. A token comes in as it is and is kept as
a hash.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from bo.core.access.credentials import TEXT_LONGEST, moment, readable

if TYPE_CHECKING:
    import sqlalchemy as sa

    from bo.core.kernel.database import Session

TOKEN_BYTES: Final = 32
TOKEN_START: Final = "bo_"  # so that programs that look for lost secrets know one


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


# -- statements --------------------------------------------------------------------------------------------------------


def _tables() -> tuple[sa.Table, sa.Table, sa.Table]:
    from bo.core.access.records import Device, Operator
    from bo.core.kernel.record import info_of
    from bo.core.kernel.tables import table
    from bo.sync.tables import token

    return token, table(info_of(Operator)), table(info_of(Device))


def _bound(name: str) -> sa.BindParameter[Any]:
    import sqlalchemy as sa

    return sa.bindparam(name)


def _insert_token() -> sa.Insert:
    return _tables()[0].insert()


def _bearer() -> sa.Select[Any]:
    import sqlalchemy as sa

    token, operator, device = _tables()
    held = token.c
    joined = token.join(operator, operator.c.id == held.operator).outerjoin(device, device.c.id == held.device)
    wanted = sa.select(held.operator, held.device, held.used_at, held.expires_at, operator.c.active, device.c.state)
    return wanted.select_from(joined).where(held.hash == _bound("wanted"))


def _set_token(names: tuple[str, ...]) -> sa.Update:
    token = _tables()[0]
    new = {name: _bound(f"new_{name}") for name in names}
    return token.update().where(token.c.hash == _bound("wanted")).values(new)


def _is_programs(token: sa.Table) -> sa.ColumnElement[bool]:
    import sqlalchemy as sa

    blank: sa.ColumnElement[str] = sa.literal_column("''")
    return sa.and_(token.c.device == blank, token.c.operator == _bound("wanted"), token.c.name == _bound("called"))


def _token_named() -> sa.Select[Any]:
    import sqlalchemy as sa

    token = _tables()[0]
    return sa.select(token.c.expires_at).where(_is_programs(token))


def _drop_named() -> sa.Delete:
    token = _tables()[0]
    return token.delete().where(_is_programs(token))


def _drop(column: str) -> sa.Delete:
    token = _tables()[0]
    return token.delete().where(token.c[column] == _bound(column))


def _drop_of_devices() -> sa.Delete:
    import sqlalchemy as sa

    token = _tables()[0]
    return _drop("operator").where(token.c.device != sa.literal_column("''"))


def _drop_expired() -> sa.Delete:
    token = _tables()[0]
    return _drop("operator").where(token.c.expires_at <= _bound("before"))


def _owner() -> sa.Select[Any]:
    import sqlalchemy as sa

    device = _tables()[2]
    return sa.select(device.c.operator, device.c.state).where(device.c.id == _bound("wanted"))
