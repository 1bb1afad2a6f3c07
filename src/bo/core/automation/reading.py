"""What rules are told of the journal and of records, and the two tables in which is kept what was done about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bo.core.automation.records import AutomationRule
from bo.core.automation.rules import DEPTH_MOST, Cause, Chain, read_cause
from bo.core.kernel.database import Session
from bo.core.kernel.dispatch import is_id
from bo.core.kernel.query import Filter, clauses
from bo.core.kernel.reader import Reader, visible
from bo.core.kernel.record import Record, RecordInfo, info_of
from bo.core.kernel.tx import Tx
from bo.core.kernel.unit import Head, Unit

if TYPE_CHECKING:
    from bo.core.kernel.workspace import Workspace

CLOCK_PAGE: Final = 500
EVERY: Final = 2**31  # no limit


class Done(msgspec.Struct, frozen=True):
    """An operation, as far as rules ask about it."""

    seq: int
    id: str
    name: str
    subject: str
    cause: str


class Met(msgspec.Struct, frozen=True):
    """A record that meets a rule, and its number."""

    n: int
    record: Record


class Told(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a call was refused."""

    code: str
    message: str
    hint: str = ""
    facts: dict[str, str] = {}


# -- rules -------------------------------------------------------------------------------------------------------------


def rules(ws: Workspace) -> list[AutomationRule]:
    """The rules that are switched on, in their order."""
    info = info_of(AutomationRule)
    found = [info.load(row[1:]) for row in ws.database.session.rows(f"{info.fingerprint}:on", _rules)]
    return [rule for rule in found if isinstance(rule, AutomationRule)]


def since(session: Session, found: Sequence[AutomationRule]) -> dict[str, int]:
    """The operation that made each rule what it is: it listens to those that come after."""
    if not found:
        return {}
    known = {rule.id: 0 for rule in found}
    rows = session.rows("automation:since", _last_of, {"rows": session.array(list(known))})
    return known | {str(row): int(seq) for row, seq in rows}


# -- the journal -------------------------------------------------------------------------------------------------------


def place(session: Session) -> int:
    rows = session.rows("automation:place", _place)
    return int(rows[0][0]) if rows else 0


def move(session: Session, seq: int) -> None:
    session.many("automation:move", lambda: _move(session.is_sqlite), [(1, seq)])


def names_between(session: Session, after: int, upto: int) -> list[str]:
    """The names of the operations after one, up to another."""
    return [str(row[0]) for row in session.rows("automation:names", _names, {"after": after, "upto": upto})]


def done_between(session: Session, after: int, upto: int) -> list[Done]:
    rows = session.rows("automation:done", _done_between, {"after": after, "upto": upto})
    return [Done(*row) for row in rows]


def touched(session: Session, info: RecordInfo, done: Sequence[Done]) -> list[tuple[Done, str]]:
    """The records of one sort that each of these operations was about: its subject, and what it changed and left."""
    values = {"seqs": session.array([item.seq for item in done]), "noun": info.noun}
    changed: dict[int, list[str]] = {}
    for seq, row in session.rows("automation:touched", _touched, values):
        changed.setdefault(int(seq), []).append(str(row))
    found = []
    for item in done:
        own = [item.subject] if is_id(info, item.subject) else []
        found += [(item, row) for row in dict.fromkeys([*own, *changed.get(item.seq, ())])]
    return found


def last_touched(session: Session, rows: Sequence[str]) -> list[tuple[Done, str]]:
    """The operation that made each record what it is, in the order of the records."""
    if not rows:
        return []
    seqs = dict(session.rows("automation:since", _last_of, {"rows": session.array(rows)}))
    values = {"seqs": session.array(sorted({int(seq) for seq in seqs.values()}))}
    done = {int(row[0]): Done(*row) for row in session.rows("automation:at", _done_at, values)}
    return [(done[int(seqs[row])], row) for row in rows if row in seqs and int(seqs[row]) in done]


def chains(session: Session, done: Sequence[Done]) -> dict[str, Chain]:
    """What led to each operation that was caused: its own cause first, then that of its cause, and so on."""
    found: dict[str, list[Cause]] = {}
    ends: dict[str, list[str]] = {}  # the operation each chain has come to, with the operations whose chains these are
    for item in done:
        if (cause := read_cause(item.cause)) is not None:
            found[item.id] = [cause]
            ends.setdefault(cause.origin, []).append(item.id)
    for _step in range(DEPTH_MOST):
        if not ends:
            break
        rows = session.rows("automation:causes", _causes, {"ids": session.array(list(ends))})
        further: dict[str, list[str]] = {}
        for name, text in rows:
            cause = read_cause(str(text))
            if cause is not None:
                for item_id in ends[str(name)]:
                    found[item_id].append(cause)
                    further.setdefault(cause.origin, []).append(item_id)
        ends = further
    return {name: tuple(causes) for name, causes in found.items()}


# -- outcomes ----------------------------------------------------------------------------------------------------------


def known(session: Session, ids: Sequence[str]) -> set[str]:
    """Those of these calls that have an outcome."""
    rows = session.rows("automation:known", _known, {"ids": session.array(ids)}) if ids else []
    return {str(row[0]) for row in rows}


def keep(session: Session, rows: Sequence[tuple[object, ...]]) -> None:
    if rows:
        session.many("automation:keep", _keep, rows)


# -- records -----------------------------------------------------------------------------------------------------------


def met(
    ws: Workspace,
    session: Session,
    rule: AutomationRule,
    info: RecordInfo,
    ids: Sequence[str] | None = None,
    *,
    after: int = 0,
) -> dict[str, Met]:
    """The records that a rule's filter finds through its author's eyes: among these, or a page of all.

    Raises NotAllowed where the author may not look, or is switched off; UsageError, BadValue for a filter that is not
    understood any more.
    """
    return met_by(eyes_of(ws, session, rule.author), rule, info, ids, after=after)


def met_by(
    read: Reader, rule: AutomationRule, info: RecordInfo, ids: Sequence[str] | None, *, after: int = 0
) -> dict[str, Met]:
    """The same through the eyes of whoever reads."""
    read.require(f"{info.noun}.read")
    narrowed = msgspec.structs.replace(read.filter(info, rule.filter), sort=())
    values = read._values(narrowed) | {"after": after, "most": EVERY if ids is not None else CLOCK_PAGE}
    if ids is not None:
        values["ids"] = read.session.array(ids)
    scoped = "scoped" if read.actor.scopes is not None else ""
    key = f"{info.fingerprint}:automation:{narrowed.shape}:{scoped}:{'ids' if ids is not None else 'page'}"
    found = {}
    for row in read.session.rows(key, lambda: _met(info, narrowed, read, ids is not None), values):
        record = info.load(row[1:])
        read.veil(info, record)
        found[record.id] = Met(int(row[0]), record)
    return found


def eyes_of(ws: Workspace, session: Session, operator: str) -> Reader:
    """What an operator sees now."""
    tx = Tx(Unit(session, Head(0, 0, "", ws.device)), ws.context)
    return Reader(session, ws.registry, ws.context, ws.authorise(tx, operator), ws.clock())


# -- statements --------------------------------------------------------------------------------------------------------


def _rules() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import table

    made = table(info_of(AutomationRule))
    return sa.select(made).where(made.c.active.is_(sa.true())).order_by(made.c.position, made.c.n)


def _last_of() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import change, in_list

    wanted = in_list(change.c.row, sa.bindparam("rows"))
    return sa.select(change.c.row, sa.func.max(change.c.seq)).where(wanted).group_by(change.c.row)


def _place() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import followed

    return sa.select(followed.c.seq)


def _move(sqlite: bool) -> Any:
    from bo.core.kernel.tables import followed, upsert

    return upsert(followed, "only", "seq", sqlite=sqlite)


def _span(column: Any) -> Any:
    import sqlalchemy as sa

    return sa.and_(column > sa.bindparam("after"), column <= sa.bindparam("upto"))


def _names() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import operation

    return sa.select(operation.c.name).where(_span(operation.c.seq)).distinct()


def _done_columns() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import operation as made

    return sa.select(made.c.seq, made.c.id, made.c.name, made.c.subject, made.c.cause).order_by(made.c.seq)


def _done_between() -> Any:
    from bo.core.kernel.tables import operation

    return _done_columns().where(_span(operation.c.seq))


def _done_at() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import in_list, operation

    return _done_columns().where(in_list(operation.c.seq, sa.bindparam("seqs")))


def _touched() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import change, in_list

    left = sa.and_(change.c.noun == sa.bindparam("noun"), change.c.after != sa.literal_column("''"))
    wanted = sa.select(change.c.seq, change.c.row).where(in_list(change.c.seq, sa.bindparam("seqs")), left)
    return wanted.order_by(change.c.seq, change.c.place)


def _causes() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import in_list, operation

    return sa.select(operation.c.id, operation.c.cause).where(in_list(operation.c.id, sa.bindparam("ids")))


def _known() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import caused, in_list

    return sa.select(caused.c.id).where(in_list(caused.c.id, sa.bindparam("ids")))


def _keep() -> Any:
    from bo.core.kernel.tables import caused

    return caused.insert()


def _met(info: RecordInfo, narrowed: Filter, read: Reader, among: bool) -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import in_list, table

    made = table(info)
    wanted = sa.select(made).where(*visible(info, read.actor), *clauses(info, narrowed, sqlite=read.session.is_sqlite))
    if among:
        wanted = wanted.where(in_list(made.c.id, sa.bindparam("ids")))
    return wanted.where(made.c.n > sa.bindparam("after")).order_by(made.c.n).limit(sa.bindparam("most"))
