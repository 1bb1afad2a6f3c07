"""What a device does when its cursor leads nowhere, or its operator may see something else: it takes everything anew.

A snapshot is put in the place of all that is there, in one transaction. What waits stays, and is run again on top.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

import msgspec

from bo.core.kernel.database import Session
from bo.core.kernel.kinds import moment_text
from bo.core.kernel.record import RecordInfo, declared_records
from bo.core.kernel.unit import PENDING, Unit
from bo.core.kernel.workspace import Transaction, Workspace, collector_resting
from bo.sync.feed import office_records
from bo.sync.pending import WAITING, Pending, pending_done, pending_of
from bo.sync.protocol import Commit, Cursor, Row
from bo.sync.rebase import (
    Absorbed,
    forget_unchanged,
    forget_what_left,
    known_rows,
    move_cursor,
    put_commits,
    rerun,
    wipe_what_goes,
)

LOAD_AT_ONCE: Final = 2_000
DEAD_MOST: Final = 40  # percent of the entries of a full-text index


class Snapshot(msgspec.Struct, frozen=True):
    """Rows that were read from `at` on, part by part, and the commits that lead from there `to` where all of them are
    right. `applied` has the numbers of the own operations that central said it has done."""

    parts: Iterable[Sequence[Row]]
    at: Cursor
    commits: Sequence[Commit]
    to: Cursor
    view: str
    stable: int
    applied: Mapping[str, int]


def load_snapshot(ws: Workspace, given: Snapshot) -> Absorbed:
    """Put a snapshot in the place of all that the device has, and run again what is pending. Own operations that are in
    no verified backup of central's are kept.

    What central has done and the snapshot holds is confirmed. What it has done later is not run again; the feed
    confirms it. Nothing is moved where an own operation would be lost by it: central does not know it any more.
    """
    infos = office_records(ws)
    done, at = Absorbed(), given.at.seq
    told = {commit.op.id for commit in given.commits}
    with ws.transaction() as perform:
        session = perform.session
        values = {"device": ws.device, "stable": at, "pending": PENDING}
        if any(row[0] not in told for row in session.rows("sync:lost", _lost, values)):
            return Absorbed(moved=False)
        narrow = wipe_what_goes(ws, session)
        _clear(session, infos, ws.device, given.stable, at)
        with _indexes_last(session, infos), collector_resting():
            for part in given.parts:
                unit = Unit(session, perform.head)
                for noun, same in groupby(known_rows(part), attrgetter("noun")):
                    images = [bytes(row.json) for row in same]
                    unit.fill(declared_records()[noun], images)
                    done.others += len(images)
            for start in range(0, len(given.commits), LOAD_AT_ONCE):
                put_commits(Unit(session, perform.head), given.commits[start : start + LOAD_AT_ONCE])
        if narrow:
            forget_what_left(ws, session, given.commits)
        session.run("sync:unchanged:forget", forget_unchanged)
        session.run("sync:link:view", _set_view, {"new_view": given.view})
        waiting = pending_of(session)
        held = [item for item in waiting if item.id not in told and given.applied.get(item.id, at + 1) <= at]
        _confirm(session, held, given.applied, ws.device)
        mine = [item for item in waiting if item.id in told]
        session.many("sync:pending:done", pending_done, [(item.id,) for item in (*held, *mine)])
        done.confirmed += len(held) + len(mine)
        move_cursor(perform, given.to, given.stable, ws.clock())
        rerun(perform, [item for item in waiting if item.id not in told and item.id not in given.applied], done)
    return done


def _confirm(session: Session, held: Sequence[Pending], applied: Mapping[str, int], device: str) -> None:
    """Keep what the feed will not tell any more, in case central loses it."""
    rows = [
        (applied[item.id], item.id, item.batch, item.name, item.version, item.subject, item.args, item.actor, device,
         moment_text(item.at), "", "")
        for item in held
    ]  # fmt: skip
    if rows:
        session.many("sync:snapshot:confirmed", _insert_operation, rows)


@contextmanager
def _indexes_last(session: Session, infos: Sequence[RecordInfo]) -> Iterator[None]:
    """Indexes are made once at the end, in a third of the time that keeping them through all rows takes."""
    names = {info.name for info in infos}
    session.cursor.execute("SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
    indexes = [(name, sql) for name, table, sql in session.cursor.fetchall() if table in names]
    session.script(f"DROP INDEX {name}" for name, _sql in indexes)
    yield
    session.script(sql for _name, sql in indexes)


def keep_again(ws: Workspace, since: Cursor) -> int:
    """Central has lost operations that it had acknowledged: own ones that are in no verified backup become pending
    again, before everything else. How many.

    The cursor leads nowhere from here on, even if central found its old history again: what is pending now is confirmed
    by a snapshot only. Nothing is done where somebody else has read on meanwhile.
    """
    with ws.transaction() as perform:
        session = perform.session
        link = ws.read_link(session)
        assert link is not None
        if (link.seq, link.hash) != (since.seq, since.hash):
            return 0
        session.run("sync:astray", _lead_astray, {"new_hash": ""})
        values = {"device": ws.device, "stable": link.stable, "pending": PENDING}
        lost = session.rows("sync:lost", _lost, values)
        first = perform.head.device_seq + 1
        rows = [(place, *row, "[]", WAITING, "") for place, row in enumerate(lost, first)]
        if rows:
            session.many("sync:pending:again", _insert_pending, rows)
            session.many("sync:lost:forget", _forget_operation, [(row[0],) for row in lost])
            waiting = [item for item in pending_of(session) if item.device_seq < first]
            _number(perform, waiting, first + len(lost))
    return len(lost)


def renumber(ws: Workspace, first: int) -> None:
    """Another machine has used our numbers: give what is pending new ones, from `first` on."""
    with ws.transaction() as perform:
        _number(perform, pending_of(perform.session), max(first, perform.head.device_seq + 1))


def _number(perform: Transaction, waiting: Sequence[Pending], first: int) -> None:
    """Numbers above all that were ever given, so that none is taken while they are changed one by one."""
    rows = [(place, item.id) for place, item in enumerate(waiting, first)]
    if rows:
        perform.session.many("sync:renumber", _renumber, rows)
    perform.head.device_seq = first + len(rows) - 1


def _clear(session: Session, infos: Sequence[RecordInfo], device: str, stable: int, at: int) -> None:
    for info in infos:
        session.script([f'DELETE FROM "{info.name}"'])
        if info.searched:
            search = f"{info.name}_search"
            # a pull of many edits leaves dead entries: at the usual 10 % FTS5 would write the index anew all the time
            session.script(
                [
                    f"INSERT INTO {search}({search}) VALUES ('delete-all')",
                    f"INSERT INTO {search}({search}, rank) VALUES ('deletemerge', {DEAD_MOST})",
                ]
            )
    session.script(["DELETE FROM change"])
    session.run("sync:clear", _clear_operations, {"device": device, "stable": stable, "at": at})


# -- statements --------------------------------------------------------------------------------------------------------


def _lead_astray() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import link

    return link.update().values(hash=sa.bindparam("new_hash"))


def _set_view() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import link

    return link.update().values(view=sa.bindparam("new_view"))


def _lost() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import operation as made

    columns = (
        made.c.id,
        made.c.batch,
        made.c.name,
        made.c.version,
        made.c.subject,
        made.c.args,
        made.c.actor,
        made.c.at,
    )
    own = sa.select(*columns).where(
        made.c.device == sa.bindparam("device"),
        made.c.seq > sa.bindparam("stable"),
        made.c.seq < sa.bindparam("pending"),
    )
    return own.order_by(made.c.seq)


def _insert_pending() -> Any:
    from bo.core.kernel.tables import pending

    return pending.insert()


def _renumber() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import pending

    return pending.update().values(device_seq=sa.bindparam("new_number")).where(pending.c.id == sa.bindparam("name"))


def _insert_operation() -> Any:
    from bo.core.kernel.tables import operation

    return operation.insert()


def _forget_operation() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import operation

    return operation.delete().where(operation.c.id == sa.bindparam("name"))


def _clear_operations() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import operation

    kept = sa.and_(
        operation.c.device == sa.bindparam("device"),
        operation.c.seq > sa.bindparam("stable"),
        operation.c.seq <= sa.bindparam("at"),
    )
    return operation.delete().where(sa.not_(kept))
