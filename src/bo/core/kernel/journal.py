"""The journal: every operation with its changes, in the order of their commits, each hashed with the one before.

Reading it gives history, what an undo has to put back, and the proof that nobody has edited, cut or re-chained it.
Writing it is the unit's work.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import msgspec

from bo.core.kernel.database import Session
from bo.core.kernel.dispatch import TAIL_LEAST, Call
from bo.core.kernel.errors import Ambiguous, Damaged, NotFound
from bo.core.kernel.ids import TAIL_LENGTH
from bo.core.kernel.kinds import moment_text
from bo.core.kernel.record import EPOCH, RecordInfo, declared_records, encode_json
from bo.core.kernel.unit import PENDING, Change, chain_hash

GENESIS: Final = "0" * 64
PAGE: Final = 1000


class Operation(msgspec.Struct, frozen=True):
    """One call of a command, as recorded."""

    seq: int
    id: str
    batch: str
    name: str
    version: int
    subject: str | None
    args: str
    actor: str
    device: str
    at: datetime
    hash: str
    cause: str = ""  # an operation, the rule it met and the record it met it with; blank: a person or a program

    def call(self) -> Call:
        """The call that repeats it to the same bytes."""
        return Call(
            self.name,
            self.subject,
            msgspec.json.decode(self.args, type=dict[str, object]),
            self.id,
            self.at,
            self.actor,
            self.device,
            self.batch,
            cause=self.cause,
        )


class Difference(msgspec.Struct, frozen=True):
    """One field before and after, for people."""

    field: str
    before: object
    after: object


def operations(
    session: Session, *, newest_first: bool = True, limit: int = 50, before: int | None = None
) -> list[Operation]:
    """A page of the journal."""
    values = {"limit": limit, "edge": before if before is not None else (2**62 if newest_first else 0)}
    rows = session.rows(f"kernel:log:{newest_first}", lambda: _log(newest_first), values)
    return [_operation(row) for row in rows]


def operation(session: Session, operation_id: str) -> Operation:
    """The operation of that id or unique tail. Raises NotFound or Ambiguous."""
    tail = operation_id.strip().lower().removeprefix("op_")
    if len(tail) < TAIL_LEAST or not (tail.isascii() and tail.isalnum()):
        raise NotFound("there is no operation {id}", hint="bo op log lists them.", id=operation_id)
    if len(tail) == TAIL_LENGTH:
        rows = session.rows("kernel:operation:id", _by_id, {"id": f"op_{tail}"})
    else:
        rows = session.rows("kernel:operation:tail", _by_tail, {"tail": f"%{tail}"})
    if not rows:
        raise NotFound("there is no operation {id}", hint="bo op log lists them.", id=operation_id)
    if len(rows) > 1:
        raise Ambiguous(
            "{id} is the end of several ids: {ids}",
            hint="Type more of it.",
            id=operation_id,
            ids=", ".join(str(row[1]) for row in rows),
        )
    return _operation(rows[0])


def batch(session: Session, batch_id: str) -> list[Operation]:
    """The operations that were run together, in order."""
    return [_operation(row) for row in session.rows("kernel:batch", _batch, {"batch": batch_id})]


def changes_of(session: Session, seq: int) -> list[Change]:
    rows = session.rows("kernel:changes", _changes, {"seq": seq})
    return [_change(row) for row in rows]


def history(session: Session, record_id: str, limit: int = 200) -> list[tuple[Operation, Change]]:
    """What happened to one row and what was done to it, newest first. What was done to it and changed others alone, as
    when its stock is reserved, has no images."""
    rows = session.rows("kernel:history", _history, {"row": record_id, "limit": limit})
    return [(_operation(row[:12]), _change(row[12:]) if row[12] is not None else _no_change(record_id)) for row in rows]


def caused_by(session: Session, operation_id: str) -> list[Operation]:
    """The operations that ran because of another, in their order; not those that they caused in turn."""
    span = {"first": f"{operation_id}/", "last": f"{operation_id}0"}  # 0 comes right after /
    return [_operation(row) for row in session.rows("kernel:caused", _caused, span)]


def touched(session: Session, noun: str, after: int, to: int, most: int) -> list[tuple[str, str, str]]:
    """Which rows of a noun the operations after one number and up to another have changed: (operation, row, scope)."""
    values = {"noun": noun, "after": after, "to": to, "most": most}
    return [(str(row[0]), str(row[1]), str(row[2])) for row in session.rows("kernel:touched", _touched, values)]


def differences(change: Change) -> list[Difference]:
    """The fields in which a change's images differ."""
    info = declared_records()[change.noun]
    before, after = (_with_usual(info, values) for values in change.values())
    hidden = {"revision", "updated_at", "created_at", "id", "scope"}
    names = [name for name in info.field_names if name not in hidden and before.get(name) != after.get(name)]
    return [Difference(name, before.get(name), after.get(name)) for name in names]


def _with_usual(info: RecordInfo, values: dict[str, object] | None) -> dict[str, object]:
    """The values of an image, also those that it leaves out because they are the usual ones."""
    if values is None:
        return {}
    defaults = msgspec.json.decode(
        encode_json({item.name: item.default for item in info.fields}), type=dict[str, object]
    )
    return defaults | values


def verify_chain(session: Session) -> int:
    """Walk the whole journal and compare every hash; the number of operations. Raises Damaged that names the first bad
    one.

    A device has a part of central's journal: there the chain is central's to check, and `bo sync --check` compares the
    rows.
    """
    if int(session.rows("kernel:head", head_statement)[0][0]) >= PENDING:
        return int(session.rows("kernel:length", length)[0][0])
    last, expected = GENESIS, 1
    for item, changes in everything(session):
        parts = [
            last,
            str(expected),
            item.id,
            item.batch,
            item.name,
            str(item.version),
            item.subject or "",
            item.args,
            item.actor,
            item.device,
            moment_text(item.at),
            *([item.cause] if item.cause else []),
        ]
        for place, change in enumerate(changes):
            parts += [
                str(place),
                change.noun,
                change.row,
                change.was.decode() if change.was else "",
                change.after.decode() if change.after else "",
                change.scope_before or "",
                change.scope_after or "",
            ]
        if item.seq != expected or chain_hash(parts) != item.hash:
            raise Damaged(
                "the journal has been altered at operation {seq} ({id})",
                hint="Restore a verified backup.",
                seq=expected,
                id=item.id,
            )
        last, expected = item.hash, expected + 1
    head = session.rows("kernel:head", head_statement)[0]
    if (int(head[0]), str(head[2])) != (expected - 1, last):
        raise Damaged(
            "the journal ends at operation {seq}, its head says {head}",
            hint="Restore a verified backup.",
            seq=expected - 1,
            head=head[0],
        )
    strays = session.rows("kernel:changes:stray", _strays)
    if strays:
        raise Damaged(
            "the journal has changes of an operation {seq} that it does not have",
            hint="Restore a verified backup.",
            seq=int(strays[0][0]),
        )
    return expected - 1


def everything(session: Session) -> Iterator[tuple[Operation, list[Change]]]:
    """The whole journal in order, in bounded memory."""
    last = 0
    while page := operations(session, newest_first=False, limit=PAGE, before=last):
        first, last = page[0].seq, page[-1].seq
        grouped: dict[int, list[Change]] = {}
        for row in session.rows("kernel:changes:range", _changes_range, {"first": first, "last": last}):
            grouped.setdefault(int(row[0]), []).append(_change(row[1:]))
        for item in page:
            yield item, grouped.get(item.seq, [])


def _operation(row: tuple[Any, ...]) -> Operation:
    at = row[9] if isinstance(row[9], datetime) else _moment(row[9])
    return Operation(
        row[0], row[1], row[2], row[3], row[4], row[5] or None, row[6], row[7], row[8], at, row[10], row[11]
    )  # fmt: skip


def _moment(text: str) -> datetime:
    """A time that cannot be read has been altered: the chain says so, where reading it would only fail."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return EPOCH


def _change(row: tuple[Any, ...]) -> Change:
    noun, record_id, was, after, scope_before, scope_after = row
    return Change(
        noun, record_id, was.encode() or None, after.encode() or None, scope_before or None, scope_after or None
    )


def _no_change(record_id: str) -> Change:
    prefix = record_id.partition("_")[0]
    noun = next(info.noun for info in declared_records().values() if info.prefix == prefix)
    return Change(noun, record_id, None, None, None, None)


def head_statement() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import head

    return sa.select(head.c.seq, head.c.row, head.c.hash, head.c.device)


def length() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import operation

    return sa.select(sa.func.count()).select_from(operation)


def _log(newest_first: bool) -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import operation as made

    edge: Any = sa.bindparam("edge")
    wanted = sa.select(made).limit(sa.bindparam("limit"))
    return (
        wanted.where(made.c.seq < edge).order_by(made.c.seq.desc())
        if newest_first
        else wanted.where(made.c.seq > edge).order_by(made.c.seq)
    )


def _by_id() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import operation as made

    return sa.select(made).where(made.c.id == sa.bindparam("id"))


def _caused() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import operation as made

    caused: Any = made.c.cause
    span = sa.and_(caused > sa.bindparam("first"), caused < sa.bindparam("last"))
    return sa.select(made).where(span, caused != sa.literal_column("''")).order_by(made.c.seq)


def _strays() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import change, operation

    return (
        sa.select(change.c.seq).where(change.c.seq.not_in(sa.select(operation.c.seq))).order_by(change.c.seq).limit(1)
    )


def _by_tail() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import operation as made

    return sa.select(made).where(made.c.id.like(sa.bindparam("tail"))).limit(2)


def _batch() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import operation as made

    wanted: Any = sa.bindparam("batch")
    inside = sa.and_(made.c.batch == wanted, made.c.batch != made.c.id)
    return sa.union_all(sa.select(made).where(made.c.id == wanted), sa.select(made).where(inside)).order_by("seq")


def _change_columns() -> Any:
    from bo.core.kernel.tables import change as made

    return made.c.noun, made.c.row, made.c.before, made.c.after, made.c.scope_before, made.c.scope_after


def _changes() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import change as made

    return sa.select(*_change_columns()).where(made.c.seq == sa.bindparam("seq")).order_by(made.c.place)


def _changes_range() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import change as made

    between = made.c.seq.between(sa.bindparam("first"), sa.bindparam("last"))
    return sa.select(made.c.seq, *_change_columns()).where(between).order_by(made.c.seq, made.c.place)


def _touched() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import change, operation

    span = sa.and_(change.c.seq > sa.bindparam("after"), change.c.seq <= sa.bindparam("to"))
    wanted = sa.select(operation.c.id, change.c.row, change.c.scope_after).join(change, change.c.seq == operation.c.seq)
    return wanted.where(span, change.c.noun == sa.bindparam("noun")).limit(sa.bindparam("most"))


def _history() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import change, operation

    wanted: Any = sa.bindparam("row")
    done = sa.select(operation.c.seq).where(
        operation.c.subject == wanted, operation.c.subject != sa.literal_column("''")
    )
    seqs = sa.union(sa.select(change.c.seq).where(change.c.row == wanted), done)
    own = sa.and_(change.c.seq == operation.c.seq, change.c.row == wanted)
    joined = sa.select(operation, *_change_columns()).outerjoin(change, own)
    return joined.where(operation.c.seq.in_(seqs)).order_by(operation.c.seq.desc()).limit(sa.bindparam("limit"))
