"""Writing rows of one record class, known by their numbers, with what they are found by: one statement for each sort of
change. What is written is the unit's to decide.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from bo.core.kernel.database import Session
from bo.core.kernel.record import RecordInfo, Values, places_that_differ
from bo.core.kernel.search import index_texts, tsvector

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement

SPARSE_LEAST: Final = 500  # rows


def store(
    session: Session,
    info: RecordInfo,
    added: Sequence[tuple[int, Values]],
    changed: Sequence[tuple[int, Values, Values]] = (),
    gone: Sequence[tuple[int]] = (),
) -> None:
    """Write rows by their numbers: in this order, so that a unique value is free before another row takes it."""
    as_text = session.is_sqlite
    _delete(session, info, gone)
    _free_uniques(session, info, changed)
    _update(session, info, changed)
    _insert(session, info, [[n, *info.columns_of(values, text_moments=as_text)] for n, values in added])
    if info.searched:
        said = [(n, _searched(info, values)) for n, values in added]
        for n, before, after in changed:
            words = _searched(info, after)
            if words != _searched(info, before):
                said.append((n, words))
        _write_words(session, info, said)


def _insert(session: Session, info: RecordInfo, rows: list[list[object]]) -> None:
    if not rows:
        return
    if len(rows) < SPARSE_LEAST:
        session.many(f"{info.fingerprint}:insert", lambda: _insert_rows(info, ()), rows)
        return
    # half of a record's columns are blank in all of them as a rule, and each that is bound costs
    places = [
        place
        for place, column in enumerate(zip(*rows, strict=True))
        if column[0] is not None or column.count(None) < len(rows)
    ]
    names = tuple(("n", *info.field_names)[place] for place in places)
    key = f"{info.fingerprint}:insert:{','.join(names)}"
    session.many(key, partial(_insert_rows, info, names), list(map(itemgetter(*places), rows)))


def _write_words(session: Session, info: RecordInfo, said: list[tuple[int, list[str]]]) -> None:
    """Write what rows are found by. Upwards, as FTS5 wants it: a lower number than the last makes it write out all
    that it has gathered."""
    if not said:
        return
    said.sort()
    found = index_texts([values for _n, values in said])
    if not session.is_sqlite:
        found = [tsvector(text) for text in found]
    texts = [(n, text) for (n, _values), text in zip(said, found, strict=True)]
    session.many(f"{info.fingerprint}:index", lambda: _index_words(info, session.is_sqlite), texts)


def _free_uniques(session: Session, info: RecordInfo, changed: Sequence[tuple[int, Values, Values]]) -> None:
    """Where rows exchange unique values, each first holds its own id for a moment: the index is checked row by
    row."""
    for name in info.uniques:
        place = info.place(name)
        moving = [item for item in changed if item[1][place] != item[2][place]]
        if len(moving) > 1 and {item[1][place] for item in moving} & {item[2][place] for item in moving}:
            rows = [[after[0], n] for n, _before, after in moving]
            session.many(f"{info.fingerprint}:update:{name}", partial(_update_rows, info, (name,)), rows)


def _update(session: Session, info: RecordInfo, changed: Sequence[tuple[int, Values, Values]]) -> None:
    """Only the columns that differ are written; rows in which the same ones differ go together."""
    groups: dict[tuple[int, ...], list[tuple[int, Values]]] = defaultdict(list)
    for n, before, after in changed:
        groups[tuple(places_that_differ(before, after))].append((n, after))
    for places, found in groups.items():
        some = itemgetter(*places)
        rows = [[*some(after), n] for n, after in found]
        for at, place in enumerate(places):
            written = info.writer(place, text_moments=session.is_sqlite)
            if written is not None:
                for row in rows:
                    row[at] = written(row[at])
        names = tuple(info.field_names[place] for place in places)
        session.many(f"{info.fingerprint}:update:{','.join(names)}", partial(_update_rows, info, names), rows)


def _delete(session: Session, info: RecordInfo, rows: Sequence[tuple[int]]) -> None:
    if rows:
        session.many(f"{info.fingerprint}:delete", lambda: _delete_rows(info), rows)
        if info.searched:
            session.many(f"{info.fingerprint}:unindex", lambda: _unindex(info, session.is_sqlite), rows)


def _searched(info: RecordInfo, values: Values) -> list[str]:
    return [str(value) for place in info.searched_at if (value := values[place])]


# -- statements --------------------------------------------------------------------------------------------------------


def _insert_rows(info: RecordInfo, names: Sequence[str]) -> ClauseElement:
    import sqlalchemy as sa

    from bo.core.kernel.tables import table

    made = table(info)
    if not names:
        return made.insert()
    return made.insert().values({name: sa.bindparam(name) for name in names})


def _update_rows(info: RecordInfo, names: Sequence[str]) -> ClauseElement:
    import sqlalchemy as sa

    from bo.core.kernel.tables import table

    made = table(info)
    values: list[Any] = [(made.c[name], sa.bindparam(f"new_{name}")) for name in names]
    return made.update().ordered_values(*values).where(made.c.n == sa.bindparam("row"))


def _delete_rows(info: RecordInfo) -> ClauseElement:
    import sqlalchemy as sa

    from bo.core.kernel.tables import table

    made = table(info)
    return made.delete().where(made.c.n == sa.bindparam("row"))


def _unindex(info: RecordInfo, sqlite: bool) -> ClauseElement:
    import sqlalchemy as sa

    from bo.core.kernel.tables import search_table

    found = search_table(info)
    return sa.delete(found).where((found.c.rowid if sqlite else found.c.n) == sa.bindparam("row"))


def _index_words(info: RecordInfo, sqlite: bool) -> ClauseElement:
    import sqlalchemy as sa

    name = f"{info.name}_search"
    if sqlite:
        return sa.text(f"INSERT OR REPLACE INTO {name}(rowid, body) VALUES (:row, :body)")
    return sa.text(
        f"INSERT INTO {name}(n, body) VALUES (:row, CAST(:body AS tsvector))"
        " ON CONFLICT (n) DO UPDATE SET body = excluded.body"
    )
