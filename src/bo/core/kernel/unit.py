"""The unit of work: the records one writing transaction holds in memory, and the journal rows it will write.

Commands change plain objects; nothing reaches the database until `flush`. An `Entry` knows its record's image as of the
last accepted call, so that a
refused call is dropped by putting the image back. Keys looked up once are remembered, absent ones too, and what the
batch added is found like the rest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import compress
from operator import itemgetter, ne
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec.structs import astuple

from bo.core.kernel.database import Session
from bo.core.kernel.ids import derived_tail
from bo.core.kernel.kinds import moment_text
from bo.core.kernel.record import Record, RecordInfo, encode_json, info_of
from bo.core.kernel.search import index_text, tsvector
from bo.core.kernel.sums import RunningSums

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement

Condition = tuple[str, str, object]
PENDING: Final = 2**50  # a device's own operations are numbered from here until central has given them their number
SPARSE_LEAST: Final = 500  # rows
OPERATORS: Final = {"=": "__eq__", "!=": "__ne__", "<": "__lt__", "<=": "__le__", ">": "__gt__", ">=": "__ge__"}


class Entry:
    """One row in memory. `image` is its JSON as of the last accepted call, None where the row is not there."""

    __slots__ = ("dirty", "first", "image", "info", "n", "noted", "record", "removed", "replaced")

    def __init__(self, info: RecordInfo, record: Record, image: bytes | None, n: int) -> None:
        self.info = info
        self.record = record
        self.image = image
        self.first = image  # as it stands in the database
        self.n = n
        self.dirty = False
        self.removed = False
        self.replaced: Entry | None = None  # a removed row that this one takes the place of
        self.noted: tuple[object, ...] = ()  # the values of lookup fields that it is to be found under


class Change(msgspec.Struct, frozen=True, gc=False):
    """One row before and after; images are the JSON of the record."""

    noun: str
    row: str
    before: bytes | None
    after: bytes | None
    scope_before: str | None
    scope_after: str | None


class Head(msgspec.Struct):
    """The one row that orders everything: the last operation's number and hash, the last row number.

    On a device `seq` counts its own operations, from `PENDING` up; `pulled` is how far it has read central's journal,
    and `device_seq` the number of the last operation that it made.
    """

    seq: int
    row: int
    hash: str
    device: str
    pulled: int = 0
    device_seq: int = 0

    @property
    def version(self) -> int:
        """Grows with whatever is written, here or by central."""
        return self.seq + self.pulled


class Unit(msgspec.Struct, eq=False):
    """The state of one writing transaction."""

    session: Session
    head: Head
    entries: dict[type[Record], dict[str, Entry]] = msgspec.field(default_factory=lambda: defaultdict(dict))
    index: dict[tuple[type[Record], str, object], dict[str, None]] = {}
    known: set[tuple[type[Record], str, object]] = set()
    absent: set[str] = set()
    operations: list[Sequence[object]] = []
    changes: list[Sequence[object]] = []
    effects: list[Sequence[object]] = []
    unwritten: dict[
        type[Record], dict[str, None]
    ] = {}  # accepted and not yet in the database, in the order of their acceptance
    running: Mapping[str, Entry] = {}  # what the running call has in its hands
    seen: set[str] | None = (
        None  # on a device: what the running call looked at, so that a later pull knows whom it meets
    )
    waiting: list[Sequence[object]] = []  # on a device: what is to be sent to central
    sums: dict[type[Record], RunningSums] = {}
    numbers: dict[str, int] = {}  # on a device: operations that have their number already, and are run again

    # -- finding -------------------------------------------------------------------------------------------------------

    def entry(self, cls: type[Record], record_id: str) -> Entry | None:
        """The row of that id, loaded where needed; None where there is none."""
        if self.seen is not None:
            self.seen.add(record_id)
        found = self.entries[cls].get(record_id)
        if found is None and record_id not in self.absent:
            self.load_ids(cls, (record_id,))
            found = self.entries[cls].get(record_id)
        return found

    def load_ids(self, cls: type[Record], ids: Iterable[str]) -> None:
        """Load rows by id with one statement."""
        held = self.entries[cls]
        wanted = [record_id for record_id in ids if record_id not in held and record_id not in self.absent]
        if wanted:
            self._load_in(cls, "id", wanted)
            self.absent.update(record_id for record_id in wanted if record_id not in held)

    def load_keys(self, cls: type[Record], name: str, values: Iterable[object]) -> None:
        """Load all rows that have one of the values in a lookup field."""
        wanted = {value for value in values if value is not None and (cls, name, value) not in self.known}
        if wanted:
            self._load_in(cls, name, sorted(wanted, key=str))
            self.known.update((cls, name, value) for value in wanted)

    def with_key(self, cls: type[Record], name: str, value: object) -> list[Entry]:
        """Rows whose lookup field has the value now, in memory or stored, in the order of their numbers: the same in a
        batch as in single calls."""
        if self.seen is not None:
            self.seen.add(key_touched(info_of(cls), name, value))
        if (cls, name, value) not in self.known:
            self.load_keys(cls, name, (value,))
        ids = self.index.get((cls, name, value))
        if not ids:
            return []
        held = self.entries[cls]
        found = [held[record_id] for record_id in ids if record_id in held]
        found = [entry for entry in found if not entry.removed and getattr(entry.record, name) == value]
        return sorted(found, key=_number) if len(found) > 1 else found

    def select(self, cls: type[Record], conditions: Sequence[Condition], order: str, limit: int) -> list[Entry]:
        """Rows that a statement finds, among what accepted calls of this batch have made of them."""
        self.flush()
        info = info_of(cls)
        if self.seen is not None:
            self.seen.add(info.noun)
        key = f"{info.fingerprint}:select:{_shape(conditions)}:{order}"
        values = {f"p{place}": self.bound(value) for place, (_n, _o, value) in enumerate(conditions)}
        rows = self.session.rows(key, lambda: _select(info, conditions, order), {**values, "limit": limit})
        return [self._adopt(info, row) for row in rows]

    def count(self, cls: type[Record], conditions: Sequence[Condition]) -> int:
        self.flush()
        info = info_of(cls)
        if self.seen is not None:
            self.seen.add(info.noun)
        values = {f"p{place}": self.bound(value) for place, (_n, _o, value) in enumerate(conditions)}
        return int(
            self.session.rows(
                f"{info.fingerprint}:count:{_shape(conditions)}", lambda: _count(info, conditions), values
            )[0][0]
        )

    def sum(self, cls: type[Record], field: str, conditions: Sequence[Condition]) -> int:
        info = info_of(cls)
        if self.seen is not None:
            self.seen.add(info.noun)
        sums = self.sums.get(cls) or self.sums.setdefault(cls, RunningSums(info))
        kept = sums.find(field, conditions)
        if kept is not None:
            return kept.value
        self.flush()
        values = {f"p{place}": self.bound(value) for place, (_n, _o, value) in enumerate(conditions)}
        key = f"{info.fingerprint}:sum:{field}:{_shape(conditions)}"
        value = int(self.session.rows(key, lambda: _sum(info, field, conditions), values)[0][0])
        sums.keep(field, conditions, value)
        return value

    def note_change(self, entry: Entry, before: bytes | None) -> None:
        """A row stands otherwise than before: what it is found by, and the sums it counts in."""
        if entry.image is not None:
            self.note_keys(entry)
        sums = self.sums.get(entry.info.cls)
        if sums is not None:
            sums.changed(before, entry.record if entry.image is not None else None)

    def bound(self, value: object) -> object:
        """A value as a parameter of a statement; several are one list."""
        return self.session.array(value) if isinstance(value, (tuple, list)) else value

    def _load_in(self, cls: type[Record], name: str, values: Sequence[object]) -> None:
        info = info_of(cls)
        for start in range(0, len(values), 1000):
            part = self.session.array(values[start : start + 1000])
            for row in self.session.rows(f"{info.fingerprint}:by:{name}", lambda: _by(info, name), {"values": part}):
                self._adopt(info, row)

    def _adopt(self, info: RecordInfo, row: Sequence[object]) -> Entry:
        held = self.entries[info.cls]
        found = held.get(str(row[1]))
        if found is None:
            record = info.load(row[1:])
            found = held[record.id] = Entry(info, record, info.image(record), int(str(row[0])))
            self.note_keys(found)
        return found

    def note_keys(self, entry: Entry) -> None:
        """Remember the row under the values its lookup fields have now."""
        info, index, row = entry.info, self.index, entry.record.id
        values = info.keys_of(entry.record)
        if values == entry.noted:
            return
        entry.noted = values
        for name, value in zip(info.lookups, values, strict=True):
            if value is not None:
                key = (info.cls, name, value)
                found = index.get(key)
                if found is None:
                    index[key] = {row: None}
                else:
                    found[row] = None

    # -- the journal ---------------------------------------------------------------------------------------------------

    def log(self, operation: Sequence[Any], at: datetime, changes: Sequence[Change], cause: str = "") -> int:
        """Number, chain and keep one operation: (id, batch, name, version, subject, args, actor, device) with its
        changes, and what caused it.

        What is not there is an empty text, in the table as in the hash.
        """
        head = self.head
        head.seq += 1
        parts = [head.hash, str(head.seq), *[str(part) for part in operation], moment_text(at)]
        if cause:  # one text more, which nothing else makes: those of a change are seven
            parts.append(cause)
        for row in self.note_changes(head.seq, changes):
            parts += (str(row[1]), *row[2:])
        head.hash = chain_hash(parts)
        self.operations.append((head.seq, *operation, self.moment(at), head.hash, cause))
        return head.seq

    def note_changes(self, seq: int, changes: Sequence[Change]) -> list[tuple[int, int, str, str, str, str, str, str]]:
        """Keep the changes of an operation, as the table and the hash have them."""
        rows = []
        for place, item in enumerate(changes):
            before, after = item.before.decode() if item.before else "", item.after.decode() if item.after else ""
            rows.append(
                (seq, place, item.noun, item.row, before, after, item.scope_before or "", item.scope_after or "")
            )
        self.changes += rows
        return rows

    def wait(self, operation: Sequence[Any], at: datetime) -> None:
        """On a device: keep an operation until central has confirmed it. (id, batch, name, version, subject, args,
        actor) with what it looked at."""
        number = self.numbers.get(operation[0])
        if number is None:
            self.head.device_seq += 1
            number = self.head.device_seq
        footprint = encode_json(sorted(self.seen or ())).decode()
        self.waiting.append((number, *operation, self.moment(at), footprint, "waiting", ""))

    def moment(self, at: datetime) -> object:
        """A time as this database holds it."""
        return self.session.moment(at)

    def put(self, info: RecordInfo, row: str, image: bytes | None) -> Change:
        """Make a row what another journal says it is, past every rule; None takes it out. What that changed."""
        entry = self.entry(info.cls, row)
        before, scope = (entry.image, entry.record.scope) if entry is not None else (None, None)
        after = None
        if image is not None:
            record = info.decoder.decode(image)
            after = info.image(record)
            if entry is None:
                entry = self.entries[info.cls][row] = Entry(info, record, None, self.next_row())
                self.absent.discard(row)
            entry.record, entry.removed = record, False
        elif entry is not None:
            entry.removed = True
        if entry is not None:
            entry.image, entry.dirty = after, True
            self.note_change(entry, before)
            self.unwritten.setdefault(info.cls, {})[row] = None
        return Change(info.noun, row, before, after, scope, entry.record.scope if entry and after else None)

    def next_row(self) -> int:
        self.head.row += 1
        return self.head.row

    # -- writing -------------------------------------------------------------------------------------------------------

    def flush(self) -> None:
        """Write what accepted calls have changed so far, with one statement for each table and sort of change."""
        for cls, ids in self.unwritten.items():
            held = self.entries[cls]
            dirty = [held[record_id] for record_id in ids if record_id in held and held[record_id].dirty]
            if dirty:
                self._write(info_of(cls), dirty)
        self.unwritten.clear()
        self._append("operation", self.operations)
        self._append("change", self.changes)
        self._append("effect", self.effects)
        if self.waiting:
            self.session.many("kernel:wait", lambda: _wait(self.session.is_sqlite), self.waiting)
            self.waiting.clear()

    def _append(self, name: str, rows: list[Sequence[object]]) -> None:
        if rows:
            self.session.many(f"kernel:insert:{name}", lambda: _insert_kernel(name), rows)
            rows.clear()

    def _write(self, info: RecordInfo, dirty: list[Entry]) -> None:
        """`image` is the accepted state; `first` what the database has."""
        added: list[list[object]] = []
        changed: list[tuple[Entry, Record, Record]] = []
        texts: list[tuple[int, str]] = []
        for entry in dirty:
            accepted = self._accepted(entry) if entry.image is not None else None
            if accepted is None:
                continue
            if entry.first is None:
                added.append([entry.n, *info.row(accepted, text_moments=self.session.is_sqlite)])
                self._index(info, entry.n, accepted, texts)
                continue
            before = info.decoder.decode(entry.first)
            changed.append((entry, before, accepted))
            if info.searched and _searched(info, accepted) != _searched(info, before):
                self._index(info, entry.n, accepted, texts)
        # in this order, so that a unique value is free before another row takes it
        self._delete(info, [(entry.n,) for entry in dirty if entry.image is None and entry.first is not None])
        self._free_uniques(info, changed)
        self._update(info, changed)
        self._insert(info, added)
        self._insert_texts(info, texts)
        for entry in dirty:
            entry.first, entry.dirty = entry.image, False

    def fill(self, info: RecordInfo, images: Iterable[bytes]) -> None:
        """Write rows that are known not to be there, past every rule and at once. This unit does not hold them."""
        rows: list[list[object]] = []
        texts: list[tuple[int, str]] = []
        for image in images:
            record, n = info.decoder.decode(image), self.next_row()
            rows.append([n, *info.row(record, text_moments=self.session.is_sqlite)])
            self._index(info, n, record, texts)
        self._insert(info, rows)
        self._insert_texts(info, texts)

    def _insert(self, info: RecordInfo, rows: list[list[object]]) -> None:
        if not rows:
            return
        if len(rows) < SPARSE_LEAST:
            self.session.many(f"{info.fingerprint}:insert", lambda: _insert(info, ()), rows)
            return
        # half of a record's columns are blank in all of them as a rule, and each that is bound costs
        places = [place for place, column in enumerate(zip(*rows, strict=True)) if any(map(_is_filled, column))]
        names = tuple(("n", *info.field_names)[place] for place in places)
        key = f"{info.fingerprint}:insert:{','.join(names)}"
        self.session.many(key, partial(_insert, info, names), list(map(itemgetter(*places), rows)))

    def _insert_texts(self, info: RecordInfo, texts: list[tuple[int, str]]) -> None:
        """Upwards, as FTS5 wants it: a lower number than the last makes it write out all that it has gathered."""
        if texts:
            texts.sort()
            self.session.many(f"{info.fingerprint}:index", lambda: _index_words(info, self.session.is_sqlite), texts)

    def _free_uniques(self, info: RecordInfo, changed: list[tuple[Entry, Record, Record]]) -> None:
        """Where rows exchange unique values, each first holds its own id for a moment: the index is checked row by
        row."""
        for name in info.uniques:
            moving = [(entry, getattr(before, name), getattr(after, name)) for entry, before, after in changed]
            moving = [(entry, old, new) for entry, old, new in moving if old != new]
            if len(moving) > 1 and {old for _entry, old, _new in moving} & {new for _entry, _old, new in moving}:
                rows = [[entry.record.id, entry.n] for entry, _old, _new in moving]
                self.session.many(f"{info.fingerprint}:update:{name}", partial(_update, info, (name,)), rows)

    def _update(self, info: RecordInfo, changed: list[tuple[Entry, Record, Record]]) -> None:
        """Only the columns that differ are written; rows in which the same ones differ go together."""
        as_text, stamp = self.session.is_sqlite, info.field_names.index("updated_at")
        groups: dict[tuple[int, ...], list[list[object]]] = defaultdict(list)
        every = range(len(info.field_names))
        for entry, before, accepted in changed:
            values = astuple(accepted)
            differs = map(ne, astuple(before), values)
            # the stamp always, or what is written together would depend on whether a millisecond had passed
            places = tuple(sorted({stamp, *compress(every, differs)}))
            groups[places].append([*info.columns_at(places, values, text_moments=as_text), entry.n])
        for places, rows in groups.items():
            names = tuple(info.field_names[place] for place in places)
            self.session.many(f"{info.fingerprint}:update:{','.join(names)}", partial(_update, info, names), rows)

    def _delete(self, info: RecordInfo, rows: list[tuple[int]]) -> None:
        if rows:
            self.session.many(f"{info.fingerprint}:delete", lambda: _delete(info), rows)
            if info.searched:
                self.session.many(f"{info.fingerprint}:unindex", lambda: _unindex(info, self.session.is_sqlite), rows)

    def _accepted(self, entry: Entry) -> Record:
        """The record as of the last accepted call: the running call's own changes are not written."""
        if (
            entry.record.id in self.running
            and entry.image is not None
            and entry.info.image(entry.record) != entry.image
        ):
            return entry.info.decoder.decode(entry.image)
        return entry.record

    def _index(self, info: RecordInfo, n: int, item: Record, texts: list[tuple[int, str]]) -> None:
        if info.searched:
            text = index_text(_searched(info, item))
            texts.append((n, text if self.session.is_sqlite else tsvector(text)))


def _number(entry: Entry) -> int:
    """Rows of the running call have none yet and come last, in the order in which they were added."""
    return entry.n or 2**63


def _is_filled(value: object) -> bool:
    return value is not None


def _shape(conditions: Sequence[Condition]) -> str:
    """What the text of a statement with these conditions depends on."""
    return ";".join(
        f"{name}{'in' if isinstance(value, (tuple, list)) else operator}{'none' if value is None else ''}"
        for name, operator, value in conditions
    )


def key_touched(info: RecordInfo, name: str, value: object) -> str:
    """A lookup by key, or a row with that key, as a footprint names it."""
    return f"{info.noun}.{name}={value}"


def chain_hash(parts: Iterable[str]) -> str:
    """The next link: SHA-256 over the last hash and the stored texts, which hold no line ends of their own (they are
    JSON or single words)."""
    from hashlib import sha256  # loads OpenSSL, which reads do without

    return sha256("\n".join(parts).encode()).hexdigest()


def _searched(info: RecordInfo, item: Record) -> list[str]:
    return [str(value) for name in info.searched if (value := getattr(item, name))]


# -- the statements, each built once in the life of a workspace --------------------------------------------------------


def _columns(info: RecordInfo) -> Any:
    from bo.core.kernel.tables import table

    return table(info)


def _by(info: RecordInfo, name: str) -> ClauseElement:
    import sqlalchemy as sa

    from bo.core.kernel.tables import in_list

    made = _columns(info)
    return sa.select(made).where(in_list(made.c[name], sa.bindparam("values"))).order_by(made.c.n)


def _where(info: RecordInfo, conditions: Sequence[Condition]) -> list[Any]:
    import sqlalchemy as sa

    from bo.core.kernel.tables import in_list

    made, clauses = _columns(info), []
    for place, (name, operator, value) in enumerate(conditions):
        column = made.c[name]
        bound = sa.bindparam(f"p{place}", type_=column.type)
        if isinstance(value, (tuple, list)):
            clauses.append(in_list(column, sa.bindparam(f"p{place}")))
        elif value is None:
            clauses.append(column.is_(None) if operator == "=" else column.is_not(None))
        else:
            clauses.append(getattr(column, OPERATORS[operator])(bound))
    return clauses


def _select(info: RecordInfo, conditions: Sequence[Condition], order: str) -> ClauseElement:
    import sqlalchemy as sa

    made = _columns(info)
    # where nulls come is said: the databases differ, and a replay has to come to the same
    names = [name for name in order.split(",") if name]
    by = [
        made.c[name[1:]].desc().nulls_last() if name.startswith("-") else made.c[name].asc().nulls_first()
        for name in names
    ]
    return sa.select(made).where(*_where(info, conditions)).order_by(*by, made.c.n).limit(sa.bindparam("limit"))


def _count(info: RecordInfo, conditions: Sequence[Condition]) -> ClauseElement:
    import sqlalchemy as sa

    return sa.select(sa.func.count()).select_from(_columns(info)).where(*_where(info, conditions))


def _sum(info: RecordInfo, field: str, conditions: Sequence[Condition]) -> ClauseElement:
    import sqlalchemy as sa

    made = _columns(info)
    total = sa.func.coalesce(sa.func.sum(made.c[field]), 0) if field else sa.func.count()
    return sa.select(total).select_from(made).where(*_where(info, conditions))


def _insert(info: RecordInfo, names: Sequence[str]) -> ClauseElement:
    import sqlalchemy as sa

    made = _columns(info)
    if not names:
        return made.insert()  # type: ignore[no-any-return]
    return made.insert().values({name: sa.bindparam(name) for name in names})  # type: ignore[no-any-return]


def _wait(sqlite: bool) -> ClauseElement:
    from bo.core.kernel.tables import pending, upsert

    return upsert(pending, "device_seq", "footprint", sqlite=sqlite)


def _insert_kernel(name: str) -> ClauseElement:
    from bo.core.kernel.tables import metadata

    return metadata.tables[name].insert()


def _update(info: RecordInfo, names: Sequence[str]) -> ClauseElement:
    import sqlalchemy as sa

    made = _columns(info)
    values: list[Any] = [(made.c[name], sa.bindparam(f"new_{name}")) for name in names]
    return made.update().ordered_values(*values).where(made.c.n == sa.bindparam("row"))  # type: ignore[no-any-return]


def _delete(info: RecordInfo) -> ClauseElement:
    import sqlalchemy as sa

    made = _columns(info)
    return made.delete().where(made.c.n == sa.bindparam("row"))  # type: ignore[no-any-return]


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


def derived_id(info: RecordInfo, operation_id: str, count: int) -> str:
    return f"{info.prefix}_{derived_tail(operation_id, count)}"
