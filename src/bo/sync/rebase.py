"""What a device does with central's commits: take them in below what is still pending here.

Most of the time nothing is in the way: an own operation comes back as it was done here, or another's touches nothing
that a pending one has looked at. Then rows are put and numbers given. As soon as something is in the way, all pending
operations are taken back by their first images, central's rows are put, and what is still pending is run again. Both
ways end in the same rows; a test compares them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from bo.core.kernel.database import Session
from bo.core.kernel.errors import NotAllowed
from bo.core.kernel.record import Record, declared_records
from bo.core.kernel.unit import PENDING, Unit, key_touched
from bo.core.kernel.workspace import REST_LEAST, Transaction, Workspace, collector_resting
from bo.sync.feed import office_records
from bo.sync.pending import Pending, confirmed_images, effects_to_take_back, pending_done, pending_of
from bo.sync.protocol import Commit, Cursor, Row

AGAIN_AT_ONCE: Final = 500


class Absorbed(msgspec.Struct):
    """What taking in came to: own operations confirmed, others' commits, and operations that were run again."""

    confirmed: int = 0
    others: int = 0
    again: int = 0
    moved: bool = True  # false where somebody else has read on meanwhile: nothing was done


def absorb(
    ws: Workspace, since: Cursor, commits: Sequence[Commit], to: Cursor, stable: int, *, skip: bool = True
) -> Absorbed:
    """Take in commits and move the cursor, in one transaction. With `skip=False` everything pending is run again,
    whatever it touches. Raises what the database raises; then nothing has moved."""
    office_records(ws)  # so that any row that comes can be read
    with collector_resting(len(commits) >= REST_LEAST), ws.transaction() as perform:
        session = perform.session
        link = ws.read_link(session)
        if link is None or (link.seq, link.hash) != (since.seq, since.hash):
            return Absorbed(moved=False)
        done, narrow = Absorbed(), wipe_what_goes(ws, session)
        waiting, stale = pending_of(session), effects_to_take_back(session)
        unit, place = Unit(session, perform.head), 0
        if skip and not stale:
            place = _forward(unit, commits, waiting, done)
        if place < len(commits) or stale or not skip:
            _rerun(perform, unit, commits[place:], waiting, done)
        else:
            unit.flush()
        if narrow:
            forget_what_left(ws, session, commits)
        session.run("sync:unchanged:forget", forget_unchanged)
        move_cursor(perform, to, stable, ws.clock())
        perform.forget_rights()
    return done


def wipe_what_goes(ws: Workspace, session: Session) -> bool:
    """Whether this device's person sees a part of the rows alone; what is deleted is then overwritten in the file."""
    try:
        narrow = ws.who(session).scopes is not None
    except NotAllowed:  # before the first copy: nobody is known here yet
        narrow = True
    session.script([f"PRAGMA secure_delete={'ON' if narrow else 'FAST'}"])
    return narrow


def forget_what_left(ws: Workspace, session: Session, commits: Sequence[Commit]) -> None:
    """Nothing stays of rows that have left the sight of who works here: neither what they were, nor what was said of
    them, nor their words in the index. Own operations that central may still lose keep their arguments."""
    gone = [row for commit in commits for row in known_rows(commit.rows) if row.image is None]
    if not gone:
        return
    link = ws.read_link(session)
    rows = session.array([row.id for row in gone])
    session.run("sync:left:changes", _forget_history, {"rows": rows})
    kept = {"rows": rows, "device": ws.device, "stable": link.stable if link is not None else 0, "nothing": "{}"}
    session.run("sync:left:words", _forget_words, kept)
    infos = {row.noun: declared_records()[row.noun] for row in gone}
    indexes = [f"{info.name}_search" for info in infos.values() if info.searched]
    session.script(f"INSERT INTO {name}({name}) VALUES ('optimize')" for name in indexes)


# -- the short way -----------------------------------------------------------------------------------------------------


def _forward(unit: Unit, commits: Sequence[Commit], waiting: Sequence[Pending], done: Absorbed) -> int:
    """Take in commits as long as none meets anything pending; how many."""
    own = {item.id: place for place, item in enumerate(waiting)}
    local = _own_changes(unit.session, [item.op.id for item in commits if item.op.id in own])
    looked_at: set[str] | None = None
    numbered: list[tuple[int, str, int]] = []
    foreign: list[Commit] = []
    for commit in commits:
        if commit.op.id in own:
            seq, changes = local.get(commit.op.id, (0, {}))
            if own[commit.op.id] != len(numbered) or not seq or changes != _as_told(commit.rows):
                break
            numbered.append((commit.op.seq, commit.op.hash, seq))
            continue
        if looked_at is None:
            looked_at = {name for item in waiting for name in msgspec.json.decode(item.footprint, type=list[str])}
        if looked_at and _meets(commit.rows, looked_at):
            break
        foreign.append(commit)
    put_commits(unit, foreign)
    session = unit.session
    if numbered:
        session.many("sync:number:operation", _number_operation, numbered)
        session.many("sync:number:change", _number_change, [(new, old) for new, _hash, old in numbered])
        session.many("sync:pending:done", pending_done, [(item.id,) for item in waiting[: len(numbered)]])
    done.confirmed += len(numbered)
    done.others += len(foreign)
    return len(numbered) + len(foreign)


def _meets(rows: Iterable[Row], looked_at: set[str]) -> bool:
    """Whether rows that central changed are among what pending operations have looked at: by id, by key, or by a
    question about all rows of that noun."""
    return any(
        row.id in looked_at or row.noun in looked_at or not looked_at.isdisjoint(_keys(row)) for row in known_rows(rows)
    )


def known_rows(rows: Iterable[Row]) -> Iterable[Row]:
    """Without rows of sorts that a newer central store has: a newer bo here takes them with its first snapshot."""
    known = declared_records()
    return (row for row in rows if row.noun in known)


def _keys(row: Row) -> list[str]:
    info = declared_records()[row.noun]
    if row.image is None or not info.lookups:
        return []
    record = info.decoder.decode(row.image)
    return [key_touched(info, name, getattr(record, name)) for name in info.lookups]


def _own_changes(session: Session, ids: Sequence[str]) -> dict[str, tuple[int, dict[str, str]]]:
    """What own pending operations did here: their number and the images they left, by operation."""
    if not ids:
        return {}
    found: dict[str, tuple[int, dict[str, str]]] = {}
    for name, seq, row, after in session.rows("sync:own", _own, {"ids": session.array(ids)}):
        found.setdefault(str(name), (int(seq), {}))[1][str(row)] = str(after)
    return found


def _as_told(rows: Iterable[Row]) -> dict[str, str]:
    return {row.id: (row.image or b"").decode() for row in rows}


# -- the long way ------------------------------------------------------------------------------------------------------


def _rerun(
    perform: Transaction, unit: Unit, commits: Sequence[Commit], waiting: Sequence[Pending], done: Absorbed
) -> None:
    unit.flush()
    session = perform.session
    _take_back(unit)
    unit.flush()
    put_commits(Unit(session, perform.head), commits)
    told = {commit.op.id for commit in commits}
    mine = [item for item in waiting if item.id in told]
    session.many("sync:pending:done", pending_done, [(item.id,) for item in mine])
    done.confirmed += len(mine)
    done.others += len(commits) - len(mine)
    still = {item.id for item in pending_of(session)}
    rerun(perform, [item for item in waiting if item.id in still], done)


def rerun(perform: Transaction, waiting: Sequence[Pending], done: Absorbed) -> None:
    """Run pending operations again. One that is refused here stays pending all the same: central decides."""
    perform.forget_rights()
    for start in range(0, len(waiting), AGAIN_AT_ONCE):
        part = waiting[start : start + AGAIN_AT_ONCE]
        again = Unit(perform.session, perform.head, numbers={item.id: item.device_seq for item in part})
        perform([item.call() for item in part], unit=again)
        done.again += len(part)


def _take_back(unit: Unit) -> None:
    """Put every row that a pending operation changed to what it was before the first of them."""
    firsts = confirmed_images(unit.session)
    _load_ids(unit, firsts)
    for (noun, row), before in firsts.items():
        unit.put(declared_records()[noun], row, before.encode() or None)
    unit.session.run("sync:undone:changes", _forget_changes)
    unit.session.run("sync:undone:operations", _forget_operations)


def put_commits(unit: Unit, commits: Sequence[Commit]) -> None:
    """Make the rows what central's operations left of them, and keep those operations."""
    infos = declared_records()
    unit.take_in(
        [(commit.op.seq, infos[row.noun], row.id, row.image) for commit in commits for row in known_rows(commit.rows)]
    )
    for commit in commits:
        op = commit.op
        unit.operations.append(
            (op.seq, op.id, op.batch, op.name, op.version, op.subject, op.args, op.actor, op.device,
             unit.moment(op.at), op.hash, op.cause)
        )  # fmt: skip
    unit.flush()


def _load_ids(unit: Unit, rows: Iterable[tuple[str, str]]) -> None:
    """Load what is going to be put, with one statement for each sort of record."""
    wanted: dict[type[Record], set[str]] = defaultdict(set)
    for noun, row in rows:
        wanted[declared_records()[noun].cls].add(row)
    for cls, ids in wanted.items():
        unit.load_ids(cls, ids)


def move_cursor(perform: Transaction, to: Cursor, stable: int, now: datetime) -> None:
    perform.head.pulled = to.seq
    values = {"new_seq": to.seq, "new_hash": to.hash, "new_stable": stable, "new_contact_at": now}
    perform.session.run("sync:move", _set_cursor, values)


# -- statements --------------------------------------------------------------------------------------------------------


def _own() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import change, in_list, operation

    joined = sa.select(operation.c.id, operation.c.seq, change.c.row, change.c.after).join(
        change, change.c.seq == operation.c.seq
    )
    return joined.where(in_list(operation.c.id, sa.bindparam("ids")), operation.c.seq > PENDING)


def _forget_history() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import change, in_list

    return change.delete().where(in_list(change.c.row, sa.bindparam("rows")), change.c.seq < PENDING)


def _forget_words() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import in_list, operation

    kept = sa.and_(operation.c.device == sa.bindparam("device"), operation.c.seq > sa.bindparam("stable"))
    wanted = operation.update().values(args=sa.bindparam("nothing"))
    return wanted.where(in_list(operation.c.subject, sa.bindparam("rows")), operation.c.seq < PENDING, sa.not_(kept))


def _forget_changes() -> Any:
    from bo.core.kernel.tables import change

    return change.delete().where(change.c.seq > PENDING)


def _forget_operations() -> Any:
    from bo.core.kernel.tables import operation

    return operation.delete().where(operation.c.seq > PENDING)


def forget_unchanged() -> Any:
    from bo.core.kernel.tables import pending

    return pending.delete().where(pending.c.state == "unchanged")


def _number_operation() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import operation

    values: list[Any] = [(operation.c.seq, sa.bindparam("new_seq")), (operation.c.hash, sa.bindparam("new_hash"))]
    return operation.update().ordered_values(*values).where(operation.c.seq == sa.bindparam("old"))


def _number_change() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import change

    return change.update().values(seq=sa.bindparam("new_seq")).where(change.c.seq == sa.bindparam("old"))


def _set_cursor() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import link

    names = ("seq", "hash", "stable", "contact_at")
    return link.update().values({name: sa.bindparam(f"new_{name}") for name in names})
