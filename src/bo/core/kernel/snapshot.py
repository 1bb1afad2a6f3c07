"""Frozen snapshots: the rows of a filter in their order, numbered once in a temporary table, so that any window of a
million rows is an index lookup.

A snapshot belongs to one session (its temporary table does) and shows which rows there were and in which order; the
values in a window are today's. Its first rows may be numbered before the rest is: then a reading transaction stays open
on the session in between, so that all of them are of one moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any, Final

import msgspec

from bo.core.kernel.database import told
from bo.core.kernel.reader import Reader, Row
from bo.core.kernel.record import FieldInfo, RecordInfo

_numbers: Final = count(1)
WINDOW_MOST: Final = 10_000


class Snapshot(msgspec.Struct):
    """`count` rows, as far as they are numbered; `window(0, 50)` gives the first fifty. `whole` once all are."""

    reader: Reader
    info: RecordInfo
    name: str
    fields: tuple[FieldInfo, ...]
    ordered: str  # gives the row numbers in their order
    values: Sequence[object]
    count: int = 0
    whole: bool = False
    is_open: bool = False  # whether the transaction of the first rows is

    def complete(self) -> None:
        """Number the rest, as of the moment of the first rows. Where that fails or is interrupted the first rows stay,
        and there will be no more."""
        if self.whole or not self.is_open:
            return
        session = self.reader.session
        first = self._rows(f"SELECT position, n FROM {self.name}", [])
        try:
            self._number(f"{_ALL[session.dialect]} OFFSET {self.count}")
            self._end("COMMIT")
        except BaseException:
            self._end("ROLLBACK")
            mark = _mark(self.reader)
            session.cursor.executemany(f"INSERT INTO {self.name} (position, n) VALUES ({mark}, {mark})", first)
            raise
        self.whole = True

    def stop(self) -> None:
        """Be content with the rows that are numbered."""
        if self.is_open:
            self._end("COMMIT")

    def _begin(self, first: int | None) -> None:
        session = self.reader.session
        session.script([f"CREATE TEMP TABLE {self.name} ({_POSITION[session.dialect]}, n BIGINT NOT NULL)"])
        try:
            session.begin_reading()
            self.is_open = True
            self._number("" if first is None else f"LIMIT {first}")
            self.whole = first is None or self.count < first
            if self.whole:
                self._end("COMMIT")
        except BaseException:
            self.close()
            raise

    def _number(self, part: str) -> None:
        session = self.reader.session
        with told(session.dialect):
            numbers = f"SELECT n FROM ({self.ordered}) ordered {part}"
            session.cursor.execute(f"INSERT INTO {self.name} (n) {numbers}", self.values)
            self.count += session.cursor.rowcount

    def _end(self, how: str) -> None:
        """End the transaction; SQLite may have ended it itself when it was interrupted."""
        session, self.is_open = self.reader.session, False
        if not session.is_sqlite or session.connection.in_transaction:
            session.script([how])

    def window(self, start: int, stop: int) -> list[Row]:
        """Rows at the positions from `start` up to `stop`; a row that has been removed since is left out. The first
        value is the position."""
        key = f"{self.info.fingerprint}:window:{','.join(item.name for item in self.fields)}"
        stop = min(stop, start + WINDOW_MOST)
        prepared = self.reader.session.statements.get(key, lambda: _window(self.info, self.fields))
        rows = self._rows(prepared.sql.replace(_PLACEHOLDER, self.name), [start, stop])
        return self.reader.masked(self.info, self.fields, rows, first=1)

    def position(self, record_id: str) -> int | None:
        """Where a record stands, None if it is not in the snapshot. Scans; for a jump, not for drawing."""
        joined = f'{self.name} v JOIN "{self.info.name}" t ON t.n = v.n'
        sql = f"SELECT v.position - 1 FROM {joined} WHERE t.id = {_mark(self.reader)}"
        rows = self._rows(sql, [record_id])
        return int(rows[0][0]) if rows else None

    def ids(self) -> list[str]:
        """Every id, in order; for marking all that match."""
        rows = self._rows(
            f'SELECT t.id FROM {self.name} v JOIN "{self.info.name}" t ON t.n = v.n ORDER BY v.position', []
        )
        return [str(row[0]) for row in rows]

    def _rows(self, sql: str, values: Sequence[object]) -> list[Row]:
        session = self.reader.session
        with told(session.dialect):
            session.cursor.execute(sql, values)
            return session.cursor.fetchall()

    def close(self) -> None:
        if self.is_open:
            self._end("ROLLBACK")
        self.reader.session.cursor.execute(f"DROP TABLE IF EXISTS {self.name}")


def take_snapshot(
    reader: Reader, noun: str, filter_text: str = "", *, fields: Sequence[str] = (), first: int | None = None
) -> Snapshot:
    """Number the rows of a filter; with `first` only so many of them: then nothing else may begin a transaction on the
    session until the snapshot is completed or closed. Raises what the filter raises; can be interrupted through the
    session's connection."""
    info, found, chosen = reader._prepare(noun, filter_text, fields)
    session = reader.session
    key = f"{info.fingerprint}:snapshot:{reader._shape(found, ())}"
    # the statement selects sort keys and the row number last; only the number is kept
    prepared = session.statements.get(key, lambda: reader._select(info, found, (), None))
    values = session._values(prepared, reader._values(found))
    snapshot = Snapshot(reader, info, f"view_{next(_numbers)}", chosen, prepared.sql, values)
    snapshot._begin(first)
    return snapshot


_POSITION: Final = {
    "sqlite": "position INTEGER PRIMARY KEY",
    "postgresql": "position BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY",
}
_ALL: Final = {"sqlite": "LIMIT -1", "postgresql": ""}
_PLACEHOLDER: Final = "view_0"


def _mark(reader: Reader) -> str:
    return "?" if reader.session.is_sqlite else "%s"


def _window(info: RecordInfo, fields: Sequence[FieldInfo]) -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import table

    made = table(info)
    view = sa.table(_PLACEHOLDER, sa.column("position", made.c.n.type), sa.column("n", made.c.n.type))
    joined = view.join(made, made.c.n == view.c.n)
    wanted = sa.select(view.c.position - sa.literal_column("1"), *(made.c[item.name] for item in fields)).select_from(
        joined
    )
    span = sa.and_(view.c.position > sa.bindparam("start"), view.c.position <= sa.bindparam("stop"))
    return wanted.where(span).order_by(view.c.position)
