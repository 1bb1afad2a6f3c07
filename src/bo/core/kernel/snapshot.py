"""Frozen snapshots: the rows of a filter in their order, numbered once in a temporary table, so that any window of a
million rows is an index lookup.

A snapshot belongs to one session (its temporary table does) and shows which rows there were and in which order; the
values in a window are today's.
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


class Snapshot(msgspec.Struct, frozen=True):
    """`count` rows; `window(0, 50)` gives the first fifty."""

    reader: Reader
    info: RecordInfo
    name: str
    fields: tuple[FieldInfo, ...]
    count: int

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
        self.reader.session.cursor.execute(f"DROP TABLE IF EXISTS {self.name}")


def take_snapshot(reader: Reader, noun: str, filter_text: str = "", *, fields: Sequence[str] = ()) -> Snapshot:
    """Number the rows of a filter. Raises what the filter raises; can be interrupted through the session's
    connection."""
    info, found, chosen = reader._prepare(noun, filter_text, fields)
    session = reader.session
    name = f"view_{next(_numbers)}"
    key = f"{info.fingerprint}:snapshot:{reader._shape(found, ())}"
    prepared = session.statements.get(key, lambda: reader._select(info, found, (), None))
    # the statement selects sort keys and the row number last; only the number is kept
    inner = f"SELECT n FROM ({prepared.sql}) ordered"
    values = session._values(prepared, reader._values(found))
    with told(session.dialect):
        if session.is_sqlite:
            session.cursor.execute(f"CREATE TEMP TABLE {name} (position INTEGER PRIMARY KEY, n INTEGER NOT NULL)")
            session.cursor.execute(f"INSERT INTO {name} (n) {inner}", values)
        else:
            session.cursor.execute(
                f"CREATE TEMP TABLE {name} AS SELECT row_number() OVER () AS position, n FROM ({prepared.sql}) ordered",
                values,
            )
            session.cursor.execute(f"CREATE UNIQUE INDEX {name}_position ON {name} (position)")
        session.cursor.execute(f"SELECT count(*) FROM {name}")
        return Snapshot(reader, info, name, chosen, int(session.cursor.fetchall()[0][0]))


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
