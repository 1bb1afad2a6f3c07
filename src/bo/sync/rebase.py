"""What a device does with central's commits: take them in below what is still pending here.

Most of the time nothing is in the way: an own operation comes back as it was done here, or another's touches nothing
that a pending one has looked at. Then rows are put and numbers given. As soon as something is in the way, all pending
operations are taken back by their first images, central's rows are put, and what is still pending is run again. Both
ways end in the same rows; a test compares them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

import msgspec

from bo.core.kernel.database import Session
from bo.core.kernel.dispatch import Call
from bo.core.kernel.kinds import moment_text
from bo.core.kernel.record import Record, RecordInfo, declared_records
from bo.core.kernel.unit import PENDING, Unit, key_touched
from bo.core.kernel.workspace import REST_LEAST, Transaction, Workspace, collector_resting
from bo.sync.protocol import Commit, Cursor, Row

AGAIN_AT_ONCE: Final = 500
WAITING: Final = "waiting"
LOAD_AT_ONCE: Final = 2_000


class Pending(msgspec.Struct, frozen=True, array_like=True):
    """An operation that central has not confirmed: `waiting` to be sent or confirmed, `refused`, or `unchanged`
    (central had nothing to do)."""

    device_seq: int
    id: str
    batch: str
    name: str
    version: int
    subject: str
    args: str
    actor: str
    at: datetime
    footprint: str
    state: str
    answer: str

    def call(self) -> Call:
        args = msgspec.json.decode(self.args, type=dict[str, object])
        return Call(self.name, self.subject or None, args, self.id, self.at, self.actor, None, self.batch, self.version)


class Absorbed(msgspec.Struct):
    """What taking in came to: own operations confirmed, others' commits, and operations that were run again."""

    confirmed: int = 0
    others: int = 0
    again: int = 0
    moved: bool = True  # false where somebody else has read on meanwhile: nothing was done


def pending_of(
    session: Session, states: Sequence[str] = (WAITING,), *, after: int = 0, most: int = 2**31
) -> list[Pending]:
    """The pending operations in these states, in the order they were done: the first `most` with a number above
    `after`."""
    values = {"states": session.array(states), "after": after, "most": most}
    rows = session.rows("sync:pending", _pending, values)
    return [msgspec.convert((*row[:8], _moment(row[8]), *row[9:]), Pending) for row in rows]


def absorb(
    ws: Workspace, since: Cursor, commits: Sequence[Commit], to: Cursor, stable: int, *, skip: bool = True
) -> Absorbed:
    """Take in commits and move the cursor, in one transaction. With `skip=False` everything pending is run again,
    whatever it touches. Raises what the database raises; then nothing has moved."""
    declare_all(ws)
    with collector_resting(len(commits) >= REST_LEAST), ws.transaction() as perform:
        session = perform.session
        link = ws.read_link(session)
        if link is None or (link.seq, link.hash) != (since.seq, since.hash):
            return Absorbed(moved=False)
        done = Absorbed()
        waiting, stale = pending_of(session), effects_to_take_back(session)
        unit, place = Unit(session, perform.head), 0
        if skip and not stale:
            place = _forward(unit, commits, waiting, done)
        if place < len(commits) or stale or not skip:
            _rerun(perform, unit, commits[place:], waiting, done)
        else:
            unit.flush()
        session.run("sync:unchanged:forget", _forget_unchanged)
        _move(perform, to, stable, ws.clock())
        perform.forget_rights()
    return done


def count_waiting(session: Session) -> int:
    """How many operations wait to be sent or confirmed."""
    return int(session.rows("sync:waiting:count", _count_waiting)[0][0])


def settle(ws: Workspace, answers: Iterable[tuple[str, str, str]]) -> None:
    """Keep what central answered to operations it did not apply: (id, state, answer as JSON)."""
    rows = [(state, answer, name) for name, state, answer in answers]
    if rows:
        with ws.transaction() as perform:
            perform.session.many("sync:settle", _settle, rows)


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
    _load(unit, foreign)
    for commit in foreign:
        _put(unit, commit)
    session = unit.session
    if numbered:
        session.many("sync:number:operation", _number_operation, numbered)
        session.many("sync:number:change", _number_change, [(new, old) for new, _hash, old in numbered])
        session.many("sync:pending:done", _pending_done, [(item.id,) for item in waiting[: len(numbered)]])
    done.confirmed += len(numbered)
    done.others += len(foreign)
    return len(numbered) + len(foreign)


def _meets(rows: Iterable[Row], looked_at: set[str]) -> bool:
    """Whether rows that central changed are among what pending operations have looked at: by id, by key, or by a
    question about all rows of that noun."""
    return any(
        row.id in looked_at or row.noun in looked_at or not looked_at.isdisjoint(_keys(row))
        for row in _known_rows(rows)
    )


def _known_rows(rows: Iterable[Row]) -> Iterable[Row]:
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
    _load(unit, commits)
    told = {commit.op.id for commit in commits}
    for commit in commits:
        _put(unit, commit)
    unit.flush()
    mine = [item for item in waiting if item.id in told]
    session.many("sync:pending:done", _pending_done, [(item.id,) for item in mine])
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
    firsts: dict[tuple[str, str], str] = {}
    for noun, row, before in unit.session.rows("sync:undone", _pending_changes):
        firsts.setdefault((str(noun), str(row)), str(before))
    _load_ids(unit, firsts)
    for (noun, row), before in firsts.items():
        unit.put(declared_records()[noun], row, before.encode() or None)
    unit.session.run("sync:undone:changes", _forget_changes)
    unit.session.run("sync:undone:operations", _forget_operations)


def _put(unit: Unit, commit: Commit) -> None:
    op = commit.op
    changes = []
    for row in _known_rows(commit.rows):
        change = unit.put(declared_records()[row.noun], row.id, row.image)
        if change.before is not None or change.after is not None:
            changes.append(change)
    unit.note_changes(op.seq, changes)
    unit.operations.append(
        (
            op.seq,
            op.id,
            op.batch,
            op.name,
            op.version,
            op.subject,
            op.args,
            op.actor,
            op.device,
            unit.moment(op.at),
            op.hash,
        )
    )


def _load(unit: Unit, commits: Sequence[Commit]) -> None:
    _load_ids(unit, [(row.noun, row.id) for commit in commits for row in _known_rows(commit.rows)])


def _load_ids(unit: Unit, rows: Iterable[tuple[str, str]]) -> None:
    """Load what is going to be put, with one statement for each sort of record."""
    wanted: dict[type[Record], set[str]] = defaultdict(set)
    for noun, row in rows:
        wanted[declared_records()[noun].cls].add(row)
    for cls, ids in wanted.items():
        unit.load_ids(cls, ids)


# -- everything anew ---------------------------------------------------------------------------------------------------


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
    infos = declare_all(ws)
    done, at = Absorbed(), given.at.seq
    told = {commit.op.id for commit in given.commits}
    with ws.transaction() as perform:
        session = perform.session
        values = {"device": ws.device, "stable": at, "pending": PENDING}
        if any(row[0] not in told for row in session.rows("sync:lost", _lost, values)):
            return Absorbed(moved=False)
        _clear(session, infos, ws.device, given.stable, at)
        with _indexes_last(session, infos), collector_resting():
            for part in given.parts:
                unit = Unit(session, perform.head)
                for noun, same in groupby(_known_rows(part), attrgetter("noun")):
                    images = [bytes(row.json) for row in same]
                    unit.fill(declared_records()[noun], images)
                    done.others += len(images)
            for start in range(0, len(given.commits), LOAD_AT_ONCE):
                unit = Unit(session, perform.head)
                part_of = given.commits[start : start + LOAD_AT_ONCE]
                _load(unit, part_of)
                for commit in part_of:
                    _put(unit, commit)
                unit.flush()
        session.run("sync:unchanged:forget", _forget_unchanged)
        session.run("sync:link:view", _set_view, {"new_view": given.view})
        waiting = pending_of(session)
        held = [item for item in waiting if item.id not in told and given.applied.get(item.id, at + 1) <= at]
        _confirm(session, held, given.applied, ws.device)
        mine = [item for item in waiting if item.id in told]
        session.many("sync:pending:done", _pending_done, [(item.id,) for item in (*held, *mine)])
        done.confirmed += len(held) + len(mine)
        _move(perform, given.to, given.stable, ws.clock())
        rerun(perform, [item for item in waiting if item.id not in told and item.id not in given.applied], done)
    return done


def _confirm(session: Session, held: Sequence[Pending], applied: Mapping[str, int], device: str) -> None:
    """Keep what the feed will not tell any more, in case central loses it."""
    rows = [
        (applied[item.id], item.id, item.batch, item.name, item.version, item.subject, item.args, item.actor, device,
         moment_text(item.at), "")
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
        session.script([f"DELETE FROM {info.name}"])
        if info.searched:
            session.script([f"INSERT INTO {info.name}_search({info.name}_search) VALUES ('delete-all')"])
    session.script(["DELETE FROM change"])
    session.run("sync:clear", _clear_operations, {"device": device, "stable": stable, "at": at})


def declare_all(ws: Workspace) -> list[RecordInfo]:
    """Every record of this version, so that any row that comes can be read."""
    ws.registry.load_all()
    return [info for info in declared_records().values() if info.cls.__module__.startswith("bo.")]


def effects_to_take_back(session: Session) -> bool:
    """Whether operations that central did not apply are still to be seen in the rows here, or kept for nothing."""
    return bool(session.rows("sync:settled", _settled))


def _move(perform: Transaction, to: Cursor, stable: int, now: datetime) -> None:
    perform.head.pulled = to.seq
    values = {"new_seq": to.seq, "new_hash": to.hash, "new_stable": stable, "new_contact_at": now}
    perform.session.run("sync:move", _set_cursor, values)


def _moment(value: Any) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


def confirmed_images(session: Session) -> dict[tuple[str, str], str]:
    """Rows that pending operations have changed, as they were before; blank where there was none. For comparing with
    central."""
    found: dict[tuple[str, str], str] = {}
    for noun, row, before in session.rows("sync:undone", _pending_changes):
        found.setdefault((str(noun), str(row)), str(before))
    return found


# -- statements --------------------------------------------------------------------------------------------------------


def _pending() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import in_list, pending

    wanted = sa.select(pending).where(
        in_list(pending.c.state, sa.bindparam("states")), pending.c.device_seq > sa.bindparam("after")
    )
    return wanted.order_by(pending.c.device_seq).limit(sa.bindparam("most"))


def _count_waiting() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import pending

    return sa.select(sa.func.count()).select_from(pending).where(pending.c.state == WAITING)


def _settled() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import operation, pending

    shown = sa.select(pending.c.id).join(operation, operation.c.id == pending.c.id).where(pending.c.state == "refused")
    idle = sa.select(pending.c.id).where(pending.c.state == "unchanged")
    return sa.union_all(shown, idle).limit(1)


def _own() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import change, in_list, operation

    joined = sa.select(operation.c.id, operation.c.seq, change.c.row, change.c.after).join(
        change, change.c.seq == operation.c.seq
    )
    return joined.where(in_list(operation.c.id, sa.bindparam("ids")), operation.c.seq > PENDING)


def _pending_changes() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import change

    wanted = sa.select(change.c.noun, change.c.row, change.c.before).where(change.c.seq > PENDING)
    return wanted.order_by(change.c.seq, change.c.place)


def _forget_changes() -> Any:
    from bo.core.kernel.tables import change

    return change.delete().where(change.c.seq > PENDING)


def _forget_operations() -> Any:
    from bo.core.kernel.tables import operation

    return operation.delete().where(operation.c.seq > PENDING)


def _forget_unchanged() -> Any:
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


def _pending_done() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import pending

    return pending.delete().where(pending.c.id == sa.bindparam("name"))


def _settle() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import pending

    values: list[Any] = [(pending.c.state, sa.bindparam("new_state")), (pending.c.answer, sa.bindparam("new_answer"))]
    return pending.update().ordered_values(*values).where(pending.c.id == sa.bindparam("name"))


def _set_cursor() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import link

    names = ("seq", "hash", "stable", "contact_at")
    return link.update().values({name: sa.bindparam(f"new_{name}") for name in names})


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
