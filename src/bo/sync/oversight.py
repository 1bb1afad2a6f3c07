"""What whoever runs a central store looks at: operators and how each may come in, devices and how far each has come,
what was put into quarantine, and how much of the journal is in a verified backup. It shows no secret, nor a hash.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bo.core.access.credentials import moment
from bo.core.kernel.errors import Ambiguous, NotFound, UsageError
from bo.sync.feed import head_of, stable_of

if TYPE_CHECKING:
    import sqlalchemy as sa

    from bo.core.kernel.workspace import Workspace

ANSWERS_KEPT: Final = timedelta(days=400)  # longer than any device is out of touch and still has work to send


class Person(msgspec.Struct, frozen=True):
    """An operator, and how they may come in. `tokens` are those of programs, by name; `devices` may sync now."""

    id: str
    login: str
    name: str
    kind: str
    roles: tuple[str, ...]
    store: str
    active: bool
    password: bool
    second_factor: bool
    devices: int
    tokens: tuple[str, ...]
    locked_until: datetime | None


class Machine(msgspec.Struct, frozen=True):
    """A device. `pushed_at` is when it last sent something, `used_at` when it last asked, to the hour; `skew_ms` how
    far its clock was off then."""

    id: str
    name: str
    operator: str
    state: str
    created_at: datetime
    used_at: datetime | None
    pushed_at: datetime | None
    device_seq: int
    forks: int
    skew_ms: int
    revoked_reason: str


class Kept(msgspec.Struct, frozen=True):
    """Something in quarantine; `body` is what was sent."""

    id: str
    device: str
    operator: str
    reason: str
    at: datetime
    body: str


def people(ws: Workspace) -> list[Person]:
    """Every operator, in the order in which they were added. Raises NotAllowed."""
    ws.reader().require("operators.read")
    session, now = ws.database.session, ws.clock()
    devices: dict[str, int] = {}
    tokens: dict[str, list[str]] = {}
    for operator, device, name in session.rows("sync:people:tokens", _tokens, {"now": now}):
        if device:
            devices[operator] = devices.get(operator, 0) + 1
        else:
            tokens.setdefault(operator, []).append(name)
    return [
        Person(
            row[0], row[1], row[2], row[3], _tags(row[4]), row[5] or "", bool(row[6]), bool(row[7]), bool(row[8]),
            devices.get(row[0], 0), tuple(sorted(tokens.get(row[0], ()))), _ahead(row[9], now),
        )
        for row in session.rows("sync:people", _people)
    ]  # fmt: skip


def devices(ws: Workspace) -> list[Machine]:
    """Every device, in the order in which they were registered. Raises NotAllowed."""
    ws.reader().require("devices.read")
    return [
        Machine(
            row[0], row[1], row[2] or row[3], row[4], moment(row[5]), _maybe(row[6]), _maybe(row[7]), row[8] or 0,
            row[9] or 0, row[10] or 0, row[11] or "",
        )
        for row in ws.database.session.rows("sync:devices", _devices)
    ]  # fmt: skip


def quarantined(ws: Workspace) -> list[Kept]:
    """Everything in quarantine, the oldest first."""
    rows = ws.database.session.rows("sync:quarantined", _quarantined)
    return [Kept(row[0], row[1], row[2] or row[3], row[4], moment(row[5]), row[6]) for row in rows]


def quarantined_as(ws: Workspace, tail: str) -> Kept:
    """One thing in quarantine, by its id or its unique end. Raises NotFound, Ambiguous."""
    found = [item for item in quarantined(ws) if tail and item.id.endswith(tail)]
    exact = [item for item in found if item.id == tail]
    if len(exact or found) > 1:
        raise Ambiguous("{id} is the end of several ids", hint="Type more of it.", id=tail[:80])
    if not found:
        raise NotFound(
            "there is nothing in quarantine under {id}", hint="bo central quarantine list ORG", id=tail[:80]
        )  # fmt: skip
    return (exact or found)[0]


def declare_stable(ws: Workspace, seq: int) -> int:
    """Write that the journal is in a verified backup up to an operation: devices let go of what they sent before, and
    what became of operations that were not applied is forgotten here when it is older than `ANSWERS_KEPT`. What was
    declared, which never goes back. Raises UsageError for an operation that there is not."""
    with ws.database.writing() as session:
        head = head_of(session).seq
        if not 0 < seq <= head:
            raise UsageError("operation {seq} is not there; the last is {head}", seq=seq, head=head)
        declared = max(seq, stable_of(session))
        values = {"only": 1, "seq": declared, "at": ws.clock()}
        session.run("sync:stable:set", lambda: _set_stable(sqlite=session.is_sqlite), values)
        for name in ("answer", "caused"):
            old = {"before": ws.clock() - ANSWERS_KEPT}
            session.run(f"sync:{name}:forget", partial(_forget, name), old)
    return declared


def _tags(text: object) -> tuple[str, ...]:
    return tuple(msgspec.json.decode(str(text), type=list[str])) if text else ()


def _maybe(value: object) -> datetime | None:
    return moment(value) if value else None


def _ahead(value: object, now: datetime) -> datetime | None:
    found = _maybe(value)
    return found if found is not None and found > now else None


# -- statements --------------------------------------------------------------------------------------------------------


def _records() -> tuple[sa.Table, sa.Table]:
    from bo.core.access.records import Device, Operator
    from bo.core.kernel.record import info_of
    from bo.core.kernel.tables import table

    return table(info_of(Operator)), table(info_of(Device))


def _people() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.record import info_of
    from bo.core.kernel.tables import credential, table
    from bo.core.stores.records import Store

    operator, kept, store = _records()[0], credential.c, table(info_of(Store))
    joined = operator.outerjoin(credential, kept.operator == operator.c.id)
    own = operator.c
    return (
        sa.select(
            own.id, own.login, own.name, own.kind, own.roles, store.c.code, own.active, kept.password != "",
            kept.totp != "", kept.locked_until,
        )
        .select_from(joined.outerjoin(store, store.c.id == own.store))
        .order_by(own.n)
    )  # fmt: skip


def _tokens() -> Any:
    import sqlalchemy as sa

    from bo.sync.tables import token

    _operator, device = _records()
    held = token.c
    joined = token.outerjoin(device, device.c.id == held.device)
    lives = sa.or_(held.device == "", device.c.state == "active")
    wanted = sa.select(held.operator, held.device, held.name).select_from(joined)
    return wanted.where(held.expires_at > sa.bindparam("now"), lives)


def _devices() -> Any:
    import sqlalchemy as sa

    from bo.sync.tables import contact, token

    operator, device = _records()
    own, came = device.c, contact.c
    last = sa.select(sa.func.max(token.c.used_at)).where(token.c.device == own.id).scalar_subquery()
    joined = device.outerjoin(operator, operator.c.id == own.operator).outerjoin(contact, came.device == own.id)
    return (
        sa.select(
            own.id, own.name, operator.c.login, own.operator, own.state, own.created_at, last, came.at, came.device_seq,
            came.forks, came.skew_ms, own.revoked_reason,
        )
        .select_from(joined)
        .order_by(own.n)
    )  # fmt: skip


def _quarantined() -> Any:
    import sqlalchemy as sa

    from bo.sync.tables import quarantine

    operator, kept = _records()[0], quarantine.c
    joined = quarantine.outerjoin(operator, operator.c.id == kept.operator)
    wanted = sa.select(kept.id, kept.device, operator.c.login, kept.operator, kept.reason, kept.at, kept.body)
    return wanted.select_from(joined).order_by(kept.at, kept.id)


def _forget(name: str) -> Any:
    import sqlalchemy as sa

    import bo.sync.tables  # noqa: F401 - declares tables of its own
    from bo.core.kernel.tables import metadata

    kept = metadata.tables[name]
    return kept.delete().where(kept.c.at < sa.bindparam("before"))


def _set_stable(*, sqlite: bool) -> Any:
    from bo.core.kernel.tables import upsert
    from bo.sync.tables import stable

    return upsert(stable, "only", "seq", "at", sqlite=sqlite)
