"""The unit of work: the records one writing transaction holds in memory, and the journal rows it will write.

Commands change plain objects; nothing reaches the database until `flush`. An `Entry` knows its record's values as of
the last accepted call, so that a refused call is dropped by putting them back. Keys looked up once are remembered,
absent ones too, and what the batch added is found like the rest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec.structs import astuple

from bo.core.kernel.database import Session
from bo.core.kernel.ids import derived_tail
from bo.core.kernel.kinds import moment_text
from bo.core.kernel.record import (
    SCOPE,
    Record,
    RecordInfo,
    Values,
    declared_records,
    encode_json,
    info_of,
    places_that_differ,
)
from bo.core.kernel.rows import store
from bo.core.kernel.sums import RunningSums

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement

Condition = tuple[str, str, object]
PENDING: Final = 2**50  # a device's own operations are numbered from here until central has given them their number
WHOLE: Final = b'{"id":'  # how an image begins; a difference never does
AT_ONCE: Final = 1000
HASHED_AT_ONCE: Final = 2000  # texts
OPERATORS: Final = {"=": "__eq__", "!=": "__ne__", "<": "__lt__", "<=": "__le__", ">": "__gt__", ">=": "__ge__"}


class Entry:
    """One row in memory. `held` are its values as of the last accepted call, None where the row is not there."""

    __slots__ = ("dirty", "first", "held", "info", "n", "record", "removed", "replaced")

    def __init__(self, info: RecordInfo, record: Record, held: Values | None, n: int) -> None:
        self.info = info
        self.record = record
        self.held = held
        self.first = held  # as it stands in the database
        self.n = n
        self.dirty = False
        self.removed = False
        self.replaced: Entry | None = None  # a removed row that this one takes the place of

    @property
    def image(self) -> bytes | None:
        """The JSON of the row as of the last accepted call."""
        return self.info.image(self.info.made(self.held)) if self.held is not None else None

    @property
    def scope(self) -> str | None:
        """Who could hold the row as of the last accepted call."""
        return str(self.held[SCOPE]) if self.held is not None else None


class Change(msgspec.Struct, frozen=True, gc=False):
    """One row before and after. `after` is its image, the JSON of the record; `was` what differed before, or the whole
    image where the row is gone; None where there was none."""

    noun: str
    row: str
    was: bytes | None
    after: bytes | None
    scope_before: str | None
    scope_after: str | None

    @property
    def before(self) -> bytes | None:
        """The image of the row before."""
        return image_before(declared_records()[self.noun], self.was, self.after)

    def values(self) -> tuple[dict[str, object] | None, dict[str, object] | None]:
        """What the images before and after say; either leaves out what is usual."""
        after = msgspec.json.decode(self.after, type=dict[str, object]) if self.after is not None else None
        was = msgspec.json.decode(self.was, type=dict[str, object]) if self.was is not None else None
        return (was if was is None or after is None or "id" in was else after | was), after


def change_between(
    info: RecordInfo, row: str, before: Values | None, now: Values | None, after: bytes | None
) -> Change:
    """The change of a row from values to others, with the image of these; None where it was, or is, not there."""
    was = None
    if before is not None:
        was = info.some(places_that_differ(before, now), before) if now is not None else info.image(info.made(before))
    scopes = (str(values[SCOPE]) if values is not None else None for values in (before, now))
    return Change(info.noun, row, was, after, *scopes)


def image_before(info: RecordInfo, was: bytes | None, after: bytes | None) -> bytes | None:
    """The image of a row before a change, from what the journal keeps of it."""
    if was is None or after is None or was.startswith(WHOLE):
        return was
    merged = msgspec.json.decode(after, type=dict[str, msgspec.Raw]) | msgspec.json.decode(
        was, type=dict[str, msgspec.Raw]
    )
    return info.image(info.decoder.decode(encode_json(merged)))


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
    # the rows by the values of those lookup fields that somebody has asked for
    index: dict[type[Record], dict[str, dict[object, dict[str, None]]]] = msgspec.field(
        default_factory=lambda: defaultdict(dict)
    )
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
        ids = self._index(cls, name).get(value)
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
        sqlite = self.session.is_sqlite
        rows = self.session.rows(key, lambda: _select(info, conditions, order, sqlite), {**values, "limit": limit})
        return self._adopt(info, rows)

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

    def note_change(self, entry: Entry, before: Values | None) -> None:
        """A row stands otherwise than before: what it is found by, and the sums it counts in."""
        info = entry.info
        if entry.held is not None:
            self.note_keys(info, entry.record.id, entry.held)
        sums = self.sums.get(info.cls)
        if sums is not None:
            sums.changed(
                info.made(before) if before is not None else None, entry.record if entry.held is not None else None
            )

    def bound(self, value: object) -> object:
        """A value as a parameter of a statement; several are one list."""
        return self.session.array(value) if isinstance(value, (tuple, list)) else value

    def _load_in(self, cls: type[Record], name: str, values: Sequence[object]) -> None:
        info = info_of(cls)
        for start in range(0, len(values), 1000):
            part = self.session.array(values[start : start + 1000])
            key = f"{info.fingerprint}:by:{name}"
            self._adopt(info, self.session.rows(key, lambda: _by(info, name), {"values": part}))

    def _adopt(self, info: RecordInfo, rows: Iterable[Sequence[Any]]) -> list[Entry]:
        """The rows in memory; those that are there already are kept as they are."""
        held, sought, found = self.entries[info.cls], self.index[info.cls], []
        for row in rows:
            entry = held.get(row[1])
            if entry is None:
                record = info.load(row[1:])
                values = astuple(record)
                entry = held[record.id] = Entry(info, record, values, row[0])
                if sought:
                    self.note_keys(info, record.id, values)
            found.append(entry)
        return found

    def note_keys(self, info: RecordInfo, row: str, values: Values) -> None:
        """Remember the row under these values of its lookup fields, as far as rows are looked for by them."""
        for name, rows in self.index[info.cls].items():
            value = values[info.place(name)]
            if value is not None:
                rows.setdefault(value, {})[row] = None

    def _index(self, cls: type[Record], name: str) -> dict[object, dict[str, None]]:
        """The ids of rows by the value of a lookup field: of those in memory, under values they have or had."""
        index = self.index[cls]
        found = index.get(name)
        if found is None:
            found, place = index.setdefault(name, {}), info_of(cls).place(name)
            for row, entry in self.entries[cls].items():
                if entry.held is not None and (value := entry.held[place]) is not None:
                    found.setdefault(value, {})[row] = None
        return found

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
            was, after = item.was.decode() if item.was else "", item.after.decode() if item.after else ""
            rows.append((seq, place, item.noun, item.row, was, after, item.scope_before or "", item.scope_after or ""))
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
        if image is None and entry is None:
            return Change(info.noun, row, None, None, None, None)
        record = info.decoder.decode(image) if image is not None else None
        if entry is None:
            assert record is not None
            entry = self.entries[info.cls][row] = Entry(info, record, None, self.next_row())
            self.absent.discard(row)
        before, after = entry.held, None
        if record is not None:
            entry.record, after = record, info.image(record)
        entry.held = astuple(record) if record is not None else None
        entry.removed, entry.dirty = record is None, True
        self.note_change(entry, before)
        self.unwritten.setdefault(info.cls, {})[row] = None
        return change_between(info, row, before, entry.held, after)

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
        """`held` is the accepted state; `first` what the database has."""
        added: list[tuple[int, Values]] = []
        changed: list[tuple[int, Values, Values]] = []
        for entry in dirty:
            if entry.held is None:
                continue
            if entry.first is None:
                added.append((entry.n, entry.held))
            else:
                changed.append((entry.n, entry.first, entry.held))
        store(self.session, info, added, changed, [(e.n,) for e in dirty if e.held is None and e.first is not None])
        for entry in dirty:
            entry.first, entry.dirty = entry.held, False

    def fill(self, info: RecordInfo, images: Iterable[bytes]) -> None:
        """Write rows that are known not to be there, past every rule and at once. This unit does not hold them."""
        store(self.session, info, [(self.next_row(), astuple(info.decoder.decode(image))) for image in images])

    def take_in(self, told: Sequence[tuple[int, RecordInfo, str, bytes | None]]) -> None:
        """Make rows what the operations of another journal left of them, given in their order as (number, record, id,
        image; None where it is gone): past every rule and at once, with all of it kept as changes. This unit holds none
        of these rows, before and after.
        """
        stored: dict[RecordInfo, dict[str, tuple[int, Values]]] = {}
        for info in {info: None for _seq, info, _row, _image in told}:
            stored[info] = self._stored(info, {row: None for _seq, held, row, _image in told if held is info})
        now: dict[RecordInfo, dict[str, Values | None]] = {info: {} for info in stored}
        for seq, changes in groupby(told, itemgetter(0)):
            made = []
            for _seq, info, row, image in changes:
                latest = now[info]
                before = latest[row] if row in latest else stored[info].get(row, (0, None))[1]
                record = info.decoder.decode(image) if image is not None else None
                after = info.image(record) if record is not None else None
                latest[row] = astuple(record) if record is not None else None
                if before is not None or after is not None:
                    made.append(change_between(info, row, before, latest[row], after))
            self.note_changes(seq, made)
        for info, rows in now.items():
            self._replace(info, stored[info], rows)

    def _stored(self, info: RecordInfo, ids: Iterable[str]) -> dict[str, tuple[int, Values]]:
        """Rows as the database has them, with their numbers."""
        found, wanted = {}, list(ids)
        for start in range(0, len(wanted), AT_ONCE):
            part = self.session.array(wanted[start : start + AT_ONCE])
            for row in self.session.rows(f"{info.fingerprint}:by:id", lambda: _by(info, "id"), {"values": part}):
                found[str(row[1])] = int(row[0]), astuple(info.load(row[1:]))
        return found

    def _replace(
        self, info: RecordInfo, stored: Mapping[str, tuple[int, Values]], rows: Mapping[str, Values | None]
    ) -> None:
        added: list[tuple[int, Values]] = []
        changed: list[tuple[int, Values, Values]] = []
        gone: list[tuple[int]] = []
        for row, after in rows.items():
            before = stored.get(row)
            if before is None:
                if after is not None:
                    added.append((self.next_row(), after))
            elif after is None:
                gone.append((before[0],))
            else:
                changed.append((*before, after))
        store(self.session, info, added, changed, gone)


def _number(entry: Entry) -> int:
    """Rows of the running call have none yet and come last, in the order in which they were added."""
    return entry.n or 2**63


def _shape(conditions: Sequence[Condition]) -> str:
    """What the text of a statement with these conditions depends on."""
    return ";".join(
        f"{name}{'in' if isinstance(value, (tuple, list)) else operator}{'none' if value is None else ''}"
        for name, operator, value in conditions
    )


def key_touched(info: RecordInfo, name: str, value: object) -> str:
    """A lookup by key, or a row with that key, as a footprint names it."""
    return f"{info.noun}.{name}={value}"


def chain_hash(parts: Sequence[str]) -> str:
    """The next link: SHA-256 over the last hash and the stored texts, which hold no line ends of their own (they are
    JSON or single words). Piece by piece: an operation may change a hundred thousand rows."""
    from hashlib import sha256  # loads OpenSSL, which reads do without

    made = sha256("\n".join(parts[:HASHED_AT_ONCE]).encode())
    for start in range(HASHED_AT_ONCE, len(parts), HASHED_AT_ONCE):
        made.update(b"\n" + "\n".join(parts[start : start + HASHED_AT_ONCE]).encode())
    return made.hexdigest()


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


def _select(info: RecordInfo, conditions: Sequence[Condition], order: str, sqlite: bool) -> ClauseElement:
    import sqlalchemy as sa

    made, clauses = _columns(info), _where(info, conditions)
    if sqlite and not order and any(isinstance(value, (tuple, list)) for _name, _operator, value in conditions):
        # found by several values of an index it would sort whole rows; this way it sorts numbers
        clauses = [made.c.n.in_(sa.select(made.c.n).where(*clauses).correlate(None))]
    # where nulls come is said: the databases differ, and a replay has to come to the same
    names = [name for name in order.split(",") if name]
    by = [
        made.c[name[1:]].desc().nulls_last() if name.startswith("-") else made.c[name].asc().nulls_first()
        for name in names
    ]
    return sa.select(made).where(*clauses).order_by(*by, made.c.n).limit(sa.bindparam("limit"))


def _count(info: RecordInfo, conditions: Sequence[Condition]) -> ClauseElement:
    import sqlalchemy as sa

    return sa.select(sa.func.count()).select_from(_columns(info)).where(*_where(info, conditions))


def _sum(info: RecordInfo, field: str, conditions: Sequence[Condition]) -> ClauseElement:
    import sqlalchemy as sa

    made = _columns(info)
    total = sa.func.coalesce(sa.func.sum(made.c[field]), 0) if field else sa.func.count()
    return sa.select(total).select_from(made).where(*_where(info, conditions))


def _wait(sqlite: bool) -> ClauseElement:
    from bo.core.kernel.tables import pending, upsert

    return upsert(pending, "device_seq", "footprint", sqlite=sqlite)


def _insert_kernel(name: str) -> ClauseElement:
    from bo.core.kernel.tables import metadata

    return metadata.tables[name].insert()


def derived_id(info: RecordInfo, operation_id: str, count: int) -> str:
    return f"{info.prefix}_{derived_tail(operation_id, count)}"
