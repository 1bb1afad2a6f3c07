"""Replay: a journal run again from nothing has to give the same bytes in every table, whichever database holds it.

That is the proof that commands depend on nothing but their arguments and what they read, and that no row was changed
behind the journal's back. It
refuses to go on at the first operation that comes out otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from bo.core.kernel import journal
from bo.core.kernel.errors import Damaged
from bo.core.kernel.kinds import moment_text

if TYPE_CHECKING:
    from bo.core.kernel.database import Session
    from bo.core.kernel.record import RecordInfo
    from bo.core.kernel.workspace import Workspace

AT_ONCE: Final = 500
JOURNAL_TABLES: Final = ("operation", "change", "effect")


def replay(source: Workspace, target: Workspace, *, at_once: int = AT_ONCE) -> int:
    """Run every operation of the source again in a target that has none; how many there were.

    `at_once` operations share a transaction, which makes no difference to what comes out. Raises Damaged that names the
    first operation which is
    refused, does nothing, or changes something else than it did.
    """
    done = 0
    target.after = None  # what operations caused is in the journal too
    with source.database.reading() as session:
        recorded = (item for item, _changes in journal.everything(session))
        while page := list(islice(recorded, at_once)):
            outcomes = target.run([item.call() for item in page])
            for item, outcome in zip(page, outcomes, strict=True):
                if outcome.status != "applied":
                    raise _parted(item, str(outcome.error or outcome.status)) from outcome.error
            _compare(page, target)
            done += len(page)
    return done


def table_rows(session: Session, info: RecordInfo) -> list[tuple[object, ...]]:
    """Every row of a record's table in the order of its numbers, `n` first, written alike by every database."""
    return _plain_rows(session, f"{info.fingerprint}:replay", info.name, info)


def contents(session: Session, infos: Iterable[RecordInfo]) -> dict[str, list[tuple[object, ...]]]:
    """All rows of these records and of the journal, by table: equal for two offices with the same history."""
    found = {info.name: table_rows(session, info) for info in infos}
    return found | {name: _plain_rows(session, f"kernel:replay:{name}", name, None) for name in JOURNAL_TABLES}


def _compare(page: Sequence[journal.Operation], target: Workspace) -> None:
    """The hash of the last operation vouches for all before it; only where it differs is the first bad one looked
    for."""
    edge = page[0].seq - 1
    made = journal.operations(target.database.session, newest_first=False, limit=len(page), before=edge)
    if made[-1].hash == page[-1].hash:
        return
    for item, other in zip(page, made, strict=False):
        if item.hash != other.hash:
            raise _parted(item, "it changes something else")
    raise _parted(page[-1], "the target had operations of its own")


def _parted(item: journal.Operation, reason: str) -> Damaged:
    return Damaged(
        "operation {seq} ({id}, {name}) does not come out the same again: {reason}",
        hint="Restore a verified backup, and report this.",
        seq=item.seq, id=item.id, name=item.name, reason=reason,
    )  # fmt: skip


def _plain_rows(session: Session, key: str, name: str, info: RecordInfo | None) -> list[tuple[object, ...]]:
    return [tuple(_plain(value) for value in row) for row in session.rows(key, lambda: _all_rows(name, info))]


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return moment_text(value)
    if isinstance(value, date):
        return value.isoformat()
    return int(value) if isinstance(value, bool) else value


def _all_rows(name: str, info: RecordInfo | None) -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import metadata, table

    made = metadata.tables[name] if info is None else table(info)
    return sa.select(made).order_by(*made.primary_key.columns)
