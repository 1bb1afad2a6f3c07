"""What central tells a device: commits after a cursor, snapshots, digests, each through the eyes of one operator.

The client never says what it may see. A row that leaves the sight of an operator is sent once more, without its image.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from hashlib import blake2b, sha256
from typing import Any, Final

import msgspec

from bo.core.kernel import journal
from bo.core.kernel.database import Session
from bo.core.kernel.kinds import moment_of
from bo.core.kernel.record import FieldInfo, Record, RecordInfo, declared_records, encode_json
from bo.core.kernel.tx import Actor
from bo.core.kernel.workspace import SCHEMA_VERSION, Workspace, collector_resting
from bo.sync.protocol import Commit, Cursor, Digest, Done, Page, Pull, Row, SnapshotPage, Sum

WINDOW: Final = 5_000  # operations that are looked through at once for what concerns a shop
AT_ONCE: Final = 1_000  # operations that are read at once
SNAPSHOT_ROWS: Final = 2_000
SUM_BITS: Final = 64


def sees(actor: Actor, noun: str, scope: str | None) -> bool:
    """Whether an operator sees rows of that noun and scope."""
    scopes = actor.scopes_of(noun)
    return scope is not None and (scopes is None or scope in scopes)


class Sight:
    """What one operator sees of each noun, worked out once for all rows of a page."""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor
        self._known: dict[str, tuple[frozenset[str] | None, tuple[FieldInfo, ...], RecordInfo]] = {}

    def of(self, noun: str) -> tuple[frozenset[str] | None, tuple[FieldInfo, ...], RecordInfo]:
        """The scopes that they see (None: all), the fields that they do not, and the record."""
        found = self._known.get(noun)
        if found is None:
            info = declared_records()[noun]
            found = self._known[noun] = self.actor.scopes_of(noun), self.actor.withheld(info), info
        return found


def view_of(actor: Actor, infos: Sequence[RecordInfo], schema: str) -> str:
    """A short text that stands for all that an operator may see, and that their device can hold; it changes when
    either does."""
    parts = [
        (info.noun, sorted(scopes) if (scopes := actor.scopes_of(info.noun)) is not None else None,
         [item.name for item in actor.withheld(info)])
        for info in infos
    ]  # fmt: skip
    return blake2b(encode_json(parts), digest_size=9).hexdigest() + f":{schema}"


def office_records(ws: Workspace) -> list[RecordInfo]:
    """Every record there is, in a fixed order."""
    ws.registry.load_all()
    return [info for info in declared_records().values() if info.cls.__module__.startswith("bo.")]


def head_of(session: Session) -> Cursor:
    seq, _row, hashed, _device = session.rows("kernel:head", journal.head_statement)[0]
    return Cursor(int(seq), str(hashed))


def stable_of(session: Session) -> int:
    """The last operation that is in a verified backup."""
    rows = session.rows("sync:stable", _stable)
    return int(rows[0][0]) if rows else 0


def check_cursor(session: Session, cursor: Cursor) -> str:
    """`ok`, or why a device cannot go on from there: `diverged` (this is not the history it has read) or `gone`."""
    head = head_of(session)
    if cursor.seq == 0:
        return "ok" if cursor.hash == journal.GENESIS else "diverged"
    if not 0 <= cursor.seq <= head.seq:
        return "diverged"
    rows = session.rows("sync:hash", _hash_at, {"seq": cursor.seq})
    if not rows:
        return "gone"
    return "ok" if rows[0][0] == cursor.hash else "diverged"


# -- commits -----------------------------------------------------------------------------------------------------------


def pull(ws: Workspace, device: str, wanted: Pull) -> Page:
    """What happened after a cursor, cut at a whole operation."""
    actor = ws.who()
    infos = office_records(ws)
    with ws.database.reading() as session:
        head, stable = head_of(session), stable_of(session)
        status = check_cursor(session, wanted.cursor)
        if status == "ok" and wanted.view != view_of(actor, infos, wanted.schema):
            status = "view"
        if status != "ok":
            return Page((), wanted.cursor, False, stable, status)
        return _commits(session, actor, device, wanted, head, stable)


def _commits(session: Session, actor: Actor, device: str, wanted: Pull, head: Cursor, stable: int) -> Page:
    commits: list[Commit] = []
    size, last = 0, wanted.cursor.seq
    while last < head.seq:
        upto = min(last + (AT_ONCE if actor.scopes is None else WINDOW), head.seq)
        for made in _between(session, actor, device, last, upto):
            if size > wanted.bytes_most and commits:
                to = commits[-1].op
                return Page(tuple(commits), Cursor(to.seq, to.hash), True, stable)
            commits.append(made)
            size += 300 + len(made.op.args) + sum(len(bytes(row.json)) for row in made.rows)
        last = upto
    return Page(tuple(commits), head, False, stable)


def commits_between(session: Session, actor: Actor, after: int, upto: int) -> Iterator[Commit]:
    """The commits in a window of the journal that concern an operator, for one who reads it without a device."""
    return _between(session, actor, "", after, upto)


def _between(session: Session, actor: Actor, device: str, after: int, upto: int) -> Iterator[Commit]:
    """The commits in a window of the journal that concern an operator and a device."""
    span = {"after": after, "upto": upto}
    sight = Sight(actor)
    if actor.scopes is None:
        operations = session.rows("sync:operations", _operations, span)
        changes = session.rows("sync:changes", _changes, span)
    else:
        scopes = session.array(sorted({*actor.scopes, "shared", "everyone"}))
        seqs = session.rows("sync:concerned", _concerned, {**span, "scopes": scopes, "device": device})
        wanted = session.array([int(row[0]) for row in seqs])
        operations = session.rows("sync:operations:of", _operations_of, {"seqs": wanted}) if seqs else []
        changes = session.rows("sync:changes:of", _changes_of, {"seqs": wanted}) if seqs else []
    grouped: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for change in changes:
        grouped[change[0]].append(change)
    for row in operations:
        made = _commit(sight, device, row, grouped.get(row[0], []))
        if made is not None:
            yield made


def _commit(sight: Sight, device: str, operation: tuple[Any, ...], changes: Sequence[tuple[Any, ...]]) -> Commit | None:
    """One operation as an operator may see it; None where it does not concern them."""
    rows, whole = [], True
    for _seq, noun, row, after, scope_before, scope_after in changes:
        scopes, withheld, info = sight.of(noun)
        saw = bool(scope_before) and (scopes is None or scope_before in scopes)
        see = bool(scope_after) and (scopes is None or scope_after in scopes)
        if see:
            rows.append(Row(noun, row, msgspec.Raw(_image(info, withheld, after))))
        elif saw:
            rows.append(Row(noun, row))
        whole = whole and (see or not scope_after) and (saw or not scope_before)
        whole = whole and not withheld  # arguments would tell what the row does not
    own = operation[9] == device and bool(device)
    if not rows and not own:
        return None
    seq, op_id, batch, name, version, subject, args, by, at, machine, hashed, cause = operation
    if not (whole or own):
        args = "{}"
        subject = subject if any(row.id == subject for row in rows) else ""
    done = Done(seq, hashed, op_id, batch, name, version, subject, args, by, machine, moment_of(at), cause)
    return Commit(done, tuple(rows))


def _image(info: RecordInfo, withheld: Sequence[FieldInfo], image: str) -> bytes:
    """A row's image without the fields that an operator does not see."""
    if not withheld:
        return image.encode()
    record = info.decoder.decode(image.encode())
    _withhold(record, withheld)
    return info.image(record)


def _withhold(record: Record, fields: Sequence[FieldInfo]) -> None:
    """Take out of a record what does not go to a device; what cannot be blank goes masked."""
    for item in fields:
        value = item.kind.mask(str(getattr(record, item.name))) if item.required else item.default
        setattr(record, item.name, value)


# -- snapshots ---------------------------------------------------------------------------------------------------------


def snapshot(ws: Workspace, after: str, schema: str, rows_most: int = SNAPSHOT_ROWS) -> SnapshotPage:
    """A part of the rows that an operator may see, from the place on that `after` (the last page's `next`) names.

    Pages are read at different times: a device replays the journal from the first page's `at`, which puts every row
    right that changed meanwhile. Raises UsageError for an `after` that was not given by us.
    """
    from bo.core.kernel.errors import UsageError

    actor, infos = ws.who(), office_records(ws)
    noun, _colon, number = after.partition(":")
    place = next((index for index, info in enumerate(infos) if info.noun == noun), 0 if not after else -1)
    if place < 0 or (after and not (number.isascii() and number.isdigit() and len(number) < 18)):
        raise UsageError("this is no place in a snapshot", hint="Begin the snapshot again.")
    last = int(number or 0)
    rows: list[Row] = []
    following = ""
    with collector_resting(), ws.database.reading() as session:
        at, stable = head_of(session), stable_of(session)
        total = sum(_count(session, actor, info) for info in infos) if not after else 0
        while place < len(infos):
            info = infos[place]
            part = _rows(session, actor, info, last, rows_most - len(rows))
            rows += [Row(info.noun, record.id, msgspec.Raw(image)) for _n, record, image in part]
            if len(rows) >= rows_most:
                following = f"{info.noun}:{part[-1][0]}"
                break
            place, last = place + 1, 0
    digest = sha256()
    for row in rows:
        digest.update(row.id.encode() + b"\n" + bytes(row.json) + b"\n")
    return SnapshotPage(at, view_of(actor, infos, schema), total, tuple(rows), following, stable, digest.hexdigest())


def _rows(session: Session, actor: Actor, info: RecordInfo, after: int, most: int) -> list[tuple[int, Any, bytes]]:
    scopes = actor.scopes_of(info.noun)
    values: dict[str, object] = {"after": after, "most": most}
    if scopes is not None:
        values["scopes"] = session.array(sorted(scopes))
    key = f"{info.fingerprint}:sync:rows:{'all' if scopes is None else 'scoped'}"
    withheld = actor.withheld(info)
    found = []
    for row in session.rows(key, lambda: _rows_after(info, scoped=scopes is not None), values):
        record = info.load(row[1:])
        _withhold(record, withheld)
        found.append((int(row[0]), record, info.image(record)))
    return found


def _count(session: Session, actor: Actor, info: RecordInfo) -> int:
    scopes = actor.scopes_of(info.noun)
    values = {"scopes": session.array(sorted(scopes))} if scopes is not None else {}
    key = f"{info.fingerprint}:sync:count:{'all' if scopes is None else 'scoped'}"
    return int(session.rows(key, lambda: _count_of(info, scoped=scopes is not None), values)[0][0])


# -- digests -----------------------------------------------------------------------------------------------------------


def digest(ws: Workspace) -> Digest:
    """For each noun how many rows an operator sees, and the sum of their hashes."""
    actor, sums = ws.who(), {}
    with collector_resting(), ws.database.reading() as session:
        at = head_of(session)
        for info in office_records(ws):
            found, last = Sums(), 0
            while part := _rows(session, actor, info, last, SNAPSHOT_ROWS):
                for _n, record, image in part:
                    found.add(info.noun, record.id, image)
                last = part[-1][0]
            sums[info.noun] = Sum(found.rows, found.sum)
    return Digest(at, sums)


class Sums(msgspec.Struct):
    """Adds up rows, in any order."""

    rows: int = 0
    sum: int = 0

    def add(self, noun: str, row: str, image: bytes, *, sign: int = 1) -> None:
        hashed = blake2b(f"{noun} {row} ".encode() + image, digest_size=SUM_BITS // 8).digest()
        self.rows += sign
        self.sum = (self.sum + sign * int.from_bytes(hashed, "big")) % 2**SUM_BITS


def schema_range() -> tuple[str, str]:
    """The schemas of devices that this central store can feed."""
    return "0002", SCHEMA_VERSION


# -- statements --------------------------------------------------------------------------------------------------------


def _stable() -> Any:
    import sqlalchemy as sa

    from bo.sync.tables import stable

    return sa.select(stable.c.seq)


def _hash_at() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import operation

    return sa.select(operation.c.hash).where(operation.c.seq == sa.bindparam("seq"))


def _span(column: Any) -> Any:
    import sqlalchemy as sa

    return sa.and_(column > sa.bindparam("after"), column <= sa.bindparam("upto"))


def _operations() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import operation

    return sa.select(*_operation_columns()).where(_span(operation.c.seq)).order_by(operation.c.seq)


def _operations_of() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import in_list, operation

    wanted = in_list(operation.c.seq, sa.bindparam("seqs"))
    return sa.select(*_operation_columns()).where(wanted).order_by(operation.c.seq)


def _operation_columns() -> tuple[Any, ...]:
    from bo.core.kernel.tables import operation

    made = operation.c
    return (
        made.seq, made.id, made.batch, made.name, made.version, made.subject, made.args, made.actor, made.at,
        made.device, made.hash, made.cause,
    )  # fmt: skip


def _changes() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import change

    return sa.select(*_change_columns()).where(_span(change.c.seq)).order_by(change.c.seq, change.c.place)


def _changes_of() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import change, in_list

    wanted = in_list(change.c.seq, sa.bindparam("seqs"))
    return sa.select(*_change_columns()).where(wanted).order_by(change.c.seq, change.c.place)


def _change_columns() -> tuple[Any, ...]:
    from bo.core.kernel.tables import change

    made = change.c
    return made.seq, made.noun, made.row, made.after, made.scope_before, made.scope_after


def _concerned() -> Any:
    """The operations that touched a row in these scopes, before or after, or came from this very device."""
    import sqlalchemy as sa

    from bo.core.kernel.tables import change, in_list, operation

    scopes: Any = sa.bindparam("scopes")
    after = sa.select(change.c.seq).where(in_list(change.c.scope_after, scopes), _span(change.c.seq))
    before = sa.select(change.c.seq).where(
        in_list(change.c.scope_before, scopes),
        change.c.scope_before != "",
        change.c.scope_before != change.c.scope_after,
        _span(change.c.seq),
    )
    own = sa.select(operation.c.seq).where(operation.c.device == sa.bindparam("device"), _span(operation.c.seq))
    return sa.union(after, before, own).order_by("seq")


def _rows_after(info: RecordInfo, *, scoped: bool) -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import in_list, table

    made = table(info)
    wanted = sa.select(made).where(made.c.n > sa.bindparam("after")).order_by(made.c.n).limit(sa.bindparam("most"))
    return wanted.where(in_list(made.c.scope, sa.bindparam("scopes"))) if scoped else wanted


def _count_of(info: RecordInfo, *, scoped: bool) -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import in_list, table

    made = table(info)
    wanted = sa.select(sa.func.count()).select_from(made)
    return wanted.where(in_list(made.c.scope, sa.bindparam("scopes"))) if scoped else wanted
