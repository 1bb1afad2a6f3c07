"""The roles that every office begins with, as they are today beside what an older office has of them.

A role that nobody has edited gets what it lacks from the system when its office is opened. One that somebody has edited
is theirs: what it lacks is told, and nothing is given.
"""

from __future__ import annotations

from typing import Any

import msgspec

from bo.core.access.permissions import STANDARD_ROLES
from bo.core.kernel import journal
from bo.core.kernel.database import Session
from bo.core.kernel.dispatch import Call
from bo.core.kernel.kinds import Text
from bo.core.kernel.tx import SYSTEM, Actor


class Lack(msgspec.Struct, frozen=True):
    """What a shipped role has today and the office's does not. `role` is blank where the office has no such role."""

    code: Text
    role: str
    permissions: tuple[str, ...]


def lacking(session: Session) -> list[Lack]:
    """What the office's roles lack, in the order of the shipped ones."""
    held = {code: (role, permissions) for code, role, permissions in session.rows("access:roles", _roles)}
    found = []
    for code, shipped in STANDARD_ROLES.items():
        role, permissions = held.get(code, ("", "[]"))
        has = Actor(role, code, frozenset(msgspec.json.decode(permissions, type=list[str])))
        lacks = tuple(item for item in shipped if not has.may(item) and item not in has.permissions)
        if lacks:
            found.append(Lack(str(code), str(role), lacks))
    return found


def calls(session: Session) -> list[Call]:
    """What the system does to bring the office's roles up to today: it touches none that somebody has edited."""
    found = []
    for lack in lacking(session):
        given = {"permissions": list(lack.permissions)}
        if not lack.role:
            found.append(Call("roles.add", None, {"code": lack.code, **given}))
        elif not is_edited(session, lack.role):
            found.append(Call("roles.grant", lack.role, given))
    return found


def is_edited(session: Session, role: str) -> bool:
    """Whether somebody else than the system has had a hand in a role."""
    return any(operation.actor != SYSTEM.id for operation, _change in journal.history(session, role))


def _roles() -> Any:
    import sqlalchemy as sa

    from bo.core.access.records import Role
    from bo.core.kernel.record import info_of
    from bo.core.kernel.tables import table

    made = table(info_of(Role))
    return sa.select(made.c.code, made.c.id, made.c.permissions)
