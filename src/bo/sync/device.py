"""A device's office as a whole: made by a login, opened for syncing, looked at, wiped. One sync at a time works on it.

It refuses to make a device of an office that is its own: that one is moved to the server instead.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from bo.core.access.handing import handed_to
from bo.core.kernel.backup import FOLDER as BACKUPS
from bo.core.kernel.database import DATABASE_NAME
from bo.core.kernel.errors import Busy, Configuration, NotAllowed
from bo.core.kernel.tx import SYSTEM
from bo.core.kernel.workspace import Workspace, database_at
from bo.core.office import open_database
from bo.sync import pending
from bo.sync.client import SPOOL_NAME, join_central
from bo.sync.protocol import Ticket

LOCK_NAME: Final = "sync.lock"
MAKING: Final = ".login"
DAY: Final = timedelta(days=1)


class Standing(msgspec.Struct, frozen=True):
    """How a device stands to its central store."""

    url: str
    operator: str
    device: str
    waiting: int  # operations that central has not confirmed
    requests: int  # of those, how many wait for central's decision
    refused: int  # to be dealt with: bo conflicts
    given: int  # conflicts of others that are to be dealt with here
    seq: int
    contact_at: datetime
    lease_left_days: int


def open_device(folder: Path) -> Workspace:
    """Open a device's office for syncing, in its operator's name, also where the first sync has not come yet or the
    lease has run out. Raises Configuration for an office that is no device."""
    workspace = open_database(database_at(folder), operator=SYSTEM.id, lapsed=True)
    if workspace.link is None:
        workspace.close()
        raise Configuration("this office has no central store", hint="Make a device of one: bo login URL")
    workspace.actor = workspace.link.operator
    return workspace


def join(folder: Path, ticket: Ticket, url: str, *, lease_days: int) -> None:
    """Make a device's office in a folder: whole, or not at all. The first sync fills it."""
    making = folder / MAKING
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(mode=0o700, parents=True)
    try:
        join_central(making, ticket, url, lease_days=lease_days)
        (making / DATABASE_NAME).replace(folder / DATABASE_NAME)
    finally:
        shutil.rmtree(making, ignore_errors=True)


def renew(ws: Workspace, url: str, *, lease_days: int | None = None) -> None:
    """The operator has logged in again, perhaps at an address that the central store has moved to."""
    link = ws.read_link()
    assert link is not None
    values = {"new_url": url, "new_contact_at": ws.clock(), "new_lease_days": lease_days or link.lease_days}
    with ws.transaction() as perform:
        perform.session.run("sync:link:renew", _renew_link, values)


def standing(ws: Workspace) -> Standing:
    """How this device stands now."""
    link = ws.read_link()
    assert link is not None
    session = ws.database.session
    counts = {(str(state), bool(here)): int(count) for state, here, count in session.rows("sync:standing", _counts)}
    waiting = counts.get((pending.WAITING, True), 0), counts.get((pending.WAITING, False), 0)
    left = link.contact_at + link.lease_days * DAY - ws.clock()
    return Standing(
        link.url,
        link.operator,
        ws.device,
        sum(waiting),
        waiting[1],
        sum(count for (state, _here), count in counts.items() if state == "refused"),
        _given(ws),
        link.seq,
        link.contact_at,
        max(0, -(-left // DAY)),  # a day that has begun counts
    )


def _given(ws: Workspace) -> int:
    """How many conflicts of others were given to who works here."""
    try:
        return len(handed_to(ws.reader()))
    except NotAllowed:  # before the first copy nobody is known here
        return 0


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """The right to sync this folder, for a block. Raises Busy where somebody else has it."""
    from filelock import FileLock, Timeout

    lock = FileLock(folder / LOCK_NAME)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise Busy("another bo sync is at work on this workspace", hint="It does what this one would do.") from None
    try:
        yield
    finally:
        lock.release()


def wipe(folder: Path) -> list[str]:
    """Take away all data of a device: database, parts of a snapshot, backups. What was there, by name."""
    found = [
        *sorted(folder.glob(f"{DATABASE_NAME}*")),
        *(folder / name for name in (SPOOL_NAME, BACKUPS, MAKING)),
    ]
    gone = []
    for path in found:
        if path.is_dir():
            shutil.rmtree(path)
        elif path.exists():
            path.unlink()
        else:
            continue
        gone.append(path.name)
    return gone


def _renew_link() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import link

    return link.update().values({name: sa.bindparam(f"new_{name}") for name in ("url", "contact_at", "lease_days")})


def _counts() -> Any:
    """Pending operations by state, and by whether they show here: what central alone decides does not."""
    import sqlalchemy as sa

    from bo.core.kernel.tables import operation, pending

    here = sa.exists().where(operation.c.id == pending.c.id)
    return sa.select(pending.c.state, here, sa.func.count()).group_by(pending.c.state, here)
