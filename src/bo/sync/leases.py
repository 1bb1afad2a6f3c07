"""Readers of the journal and how far each has come: rows of the table `delivery`, one for each webhook and effect.

A reader is worked for by whoever holds its lease. It is taken by a compare-and-set in the database, so that of several
servers one works; the end of a lease is also its number, which only grows, so that one who was too slow for it can
neither move the reader on nor put it off any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from bo.core.kernel.database import Session
from bo.core.kernel.kinds import moment_of
from bo.core.kernel.record import EPOCH

LEASE: Final = timedelta(seconds=60)
RENEWED_BEFORE: Final = timedelta(seconds=40)  # with less than that left, a lease is renewed before it is relied on
DELAY_LEAST: Final = timedelta(seconds=5)
DELAY_MOST: Final = timedelta(hours=12)
ATTEMPTS_MOST: Final = 23  # about five days
NEVER: Final = datetime(9999, 1, 1, tzinfo=UTC)
ERROR_LONGEST: Final = 300


class Place(msgspec.Struct, frozen=True):
    """How far a reader has come (`seq`), and what keeps it. `lease_until` is the lease's number for who holds it."""

    name: str
    secret: str
    seq: int
    attempts: int
    next_at: datetime
    lease_until: datetime
    error: str

    def __repr__(self) -> str:
        return f"Place({self.name!r}, seq={self.seq})"  # and not the secret, wherever it is shown

    @property
    def is_parked(self) -> bool:
        """Whether it waits for a person."""
        return self.next_at >= NEVER


def delay(attempts: int, chance: float) -> timedelta:
    """How long to wait after so many failures: 5 seconds, doubled each time, up to a quarter more by chance (0 to 1),
    12 hours at most."""
    doubled = DELAY_LEAST * (1 << min(max(attempts, 1) - 1, 20))
    return min(DELAY_MOST, doubled * (1 + chance / 4))


def places(session: Session) -> Mapping[str, Place]:
    """Every reader by name."""
    found = (_place(row) for row in session.rows("sync:places", _places))
    return {item.name: item for item in found}


def place(session: Session, name: str) -> Place | None:
    rows = session.rows("sync:place", _place_of, {"name": name})
    return _place(rows[0]) if rows else None


def make(session: Session, name: str, seq: int, secret: str = "") -> Place:
    """The reader of that name; made, to begin after `seq`, where there is none."""
    moment = EPOCH if not session.is_sqlite else _text(EPOCH)
    session.many("sync:place:make", lambda: _make(session), [(name, secret, seq, 0, moment, moment, "")])
    made = place(session, name)
    assert made is not None
    return made


def take(session: Session, name: str, now: datetime) -> Place | None:
    """The reader with a fresh lease; None where it is not due or somebody else works for it."""
    until = _whole(now + LEASE)
    if session.run("sync:lease:take", _take, {"name": name, "now": now, "until": until}) != 1:
        return None
    held = place(session, name)
    return held if held is not None and held.lease_until == until else None


def move(session: Session, held: Place, now: datetime, *, seq: int | None = None) -> Place | None:
    """Go on to `seq`, all being well, and renew the lease; failures are forgotten. None where the lease was lost: then
    nothing has moved."""
    there = seq if seq is not None else held.seq
    until = max(_whole(now + LEASE), held.lease_until)
    values = {"name": held.name, "mine": held.lease_until, "until": until, "to": there}
    if session.run("sync:lease:move", _move, values) != 1:
        return None
    return msgspec.structs.replace(held, seq=there, lease_until=until, attempts=0, error="")


def renew(session: Session, held: Place, now: datetime) -> Place | None:
    """The lease with enough time left for one more request. None where it was lost."""
    if held.lease_until - now >= RENEWED_BEFORE:
        return held
    until = _whole(now + LEASE)
    values = {"name": held.name, "mine": held.lease_until, "until": until}
    if session.run("sync:lease:renew", _renew, values) != 1:
        return None
    return msgspec.structs.replace(held, lease_until=until)


def put_off(session: Session, held: Place, attempts: int, next_at: datetime, error: str) -> None:
    """Give the lease back and try again at `next_at`; with NEVER a person has to resume it."""
    values = {
        "name": held.name, "mine": held.lease_until, "until": EPOCH, "attempts": attempts, "at": _whole(next_at),
        "error": error[:ERROR_LONGEST],
    }  # fmt: skip
    session.run("sync:lease:put_off", _put_off, values)


def give_back(session: Session, held: Place) -> None:
    """Give the lease back."""
    session.run("sync:lease:renew", _renew, {"name": held.name, "mine": held.lease_until, "until": EPOCH})


def resume(session: Session, name: str, now: datetime, *, seq: int | None = None) -> bool:
    """Let a reader go on at once, after `seq` if that is given. Whether there is one."""
    values: dict[str, object] = {"name": name, "at": _whole(now)}
    if seq is None:
        return session.run("sync:place:resume", _resume, values) == 1
    return session.run("sync:place:resume:at", lambda: _resume(at=True), {**values, "to": seq}) == 1


def change_secret(session: Session, name: str, old: str, new: str) -> bool:
    """Put another secret in place of this one. Whether it was still this one."""
    values = {"name": name, "old": old, "new": new}
    return session.run("sync:place:secret", _change_secret, values) == 1


def _place(row: tuple[Any, ...]) -> Place:
    name, secret, seq, attempts, next_at, lease_until, error = row
    return Place(
        str(name), str(secret), int(seq), int(attempts), moment_of(next_at), moment_of(lease_until), str(error)
    )


def _text(moment: datetime) -> str:
    from bo.core.kernel.kinds import moment_text

    return moment_text(moment)


def _whole(moment: datetime) -> datetime:
    """To the millisecond, as databases keep it: a lease is compared with what was written."""
    return moment.astimezone(UTC).replace(microsecond=moment.microsecond // 1000 * 1000)


# -- statements --------------------------------------------------------------------------------------------------------


def _columns() -> tuple[Any, ...]:
    from bo.sync.tables import delivery

    held = delivery.c
    return held.webhook, held.secret, held.seq, held.attempts, held.next_at, held.lease_until, held.error


def _places() -> Any:
    import sqlalchemy as sa

    return sa.select(*_columns())


def _place_of() -> Any:
    import sqlalchemy as sa

    columns = _columns()
    return sa.select(*columns).where(columns[0] == sa.bindparam("name"))


def _make(session: Session) -> Any:
    from bo.core.kernel.tables import upsert
    from bo.sync.tables import delivery

    return upsert(delivery, "webhook", sqlite=session.is_sqlite)


def _take() -> Any:
    import sqlalchemy as sa

    from bo.sync.tables import delivery

    held, now = delivery.c, sa.bindparam("now", type_=delivery.c.next_at.type)
    wanted = sa.and_(held.webhook == sa.bindparam("name"), held.lease_until <= now, held.next_at <= now)
    return delivery.update().where(wanted).values(lease_until=sa.bindparam("until"))


def _mine() -> Any:
    """The row, as long as the lease is still the one that was taken."""
    import sqlalchemy as sa

    from bo.sync.tables import delivery

    return sa.and_(delivery.c.webhook == sa.bindparam("name"), delivery.c.lease_until == sa.bindparam("mine"))


def _move() -> Any:
    import sqlalchemy as sa

    from bo.sync.tables import delivery

    moved = delivery.update().where(_mine())
    return moved.values(seq=sa.bindparam("to"), lease_until=sa.bindparam("until"), attempts=0, error="")


def _renew() -> Any:
    import sqlalchemy as sa

    from bo.sync.tables import delivery

    return delivery.update().where(_mine()).values(lease_until=sa.bindparam("until"))


def _put_off() -> Any:
    import sqlalchemy as sa

    from bo.sync.tables import delivery

    put = delivery.update().where(_mine())
    return put.values(
        attempts=sa.bindparam("attempts"), next_at=sa.bindparam("at"), error=sa.bindparam("error"),
        lease_until=sa.bindparam("until"),
    )  # fmt: skip


def _resume(*, at: bool = False) -> Any:
    import sqlalchemy as sa

    from bo.sync.tables import delivery

    found = delivery.update().where(delivery.c.webhook == sa.bindparam("name"))
    resumed = found.values(attempts=0, error="", next_at=sa.bindparam("at"))
    return resumed.values(seq=sa.bindparam("to")) if at else resumed


def _change_secret() -> Any:
    import sqlalchemy as sa

    from bo.sync.tables import delivery

    wanted = sa.and_(delivery.c.webhook == sa.bindparam("name"), delivery.c.secret == sa.bindparam("old"))
    return delivery.update().where(wanted).values(secret=sa.bindparam("new"))
