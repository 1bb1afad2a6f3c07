"""What each row of a file is to become: a new record, a change of one, nothing, or a rejection with its reasons.

Planning reads and never writes, so it happens outside the write lock, a batch of rows at a time with one statement for
each way a record can be known. Writing checks again what may have changed meanwhile.

Rows of a list (the variants of a product) are compared by a digest that the record keeps of what a file told last.

A row is known by its `id`, else by its natural key, else by `import_key`: the hash of all its cells as they came and
how often the very same row stood in the file before it. A blank cell keeps what the record has. Where two rows of one
file mean one record, the later may add to it and not contradict it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from bo.core.exchange.decoding import Decode, FieldReader, References, RowReader, decoder, facts_of, plain_value
from bo.core.exchange.escaping import unescape
from bo.core.exchange.mapping import FACTS, IMPORT_KEY, Binding, Column, importable
from bo.core.exchange.nested import Told, lists_of, rows_of, says_nothing_new
from bo.core.exchange.report import Fault, FieldChange, fault_of
from bo.core.exchange.seen import Seen
from bo.core.exchange.source import Row
from bo.core.kernel.command import Command
from bo.core.kernel.dispatch import is_id
from bo.core.kernel.errors import BadValue, BoError
from bo.core.kernel.kinds import Context, RowsKind, rows_key
from bo.core.kernel.reader import Reader
from bo.core.kernel.record import Record, RecordInfo

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement

KEY_OF_ROWS: Final = "_key"  # variants_key stands for variants
CREATE, EDIT, SAME, AGAIN, BAD = "create", "edit", "same", "again", "bad"


class Item(msgspec.Struct, array_like=True, gc=False):
    """One row as it is planned. `key` is the field and value its record is known by; `args` those of the call."""

    what: str
    record: int
    line: int
    subject: str = ""
    args: dict[str, Any] = {}
    key: tuple[str, str] = ("", "")
    changes: tuple[FieldChange, ...] = ()
    faults: tuple[Fault, ...] = ()


class _Keyed(NamedTuple):
    """A row with its cells made ready, and what its record may be known by."""

    row: Row
    cells: Sequence[str | None]
    id: str
    key: str
    import_key: str
    faults: tuple[Fault, ...] = ()


class Planner:
    """Plans the rows of one file. Its counters say at the end what deserves a note."""

    def __init__(
        self,
        reader: Reader,
        info: RecordInfo,
        create: Command,
        edit: Command | None,
        binding: Binding,
        *,
        escaped: bool = False,
    ) -> None:
        """`escaped` says that the cells are as we write them for spreadsheets: in exports and reject files."""
        self.info = info
        self.unknown_ids = 0
        self.kept_ids = 0
        self.differing: Counter[str] = Counter()
        self._reader = reader
        self._context: Context = reader.context
        self._escaped = escaped
        self._edits = frozenset(param.name for param in edit.params) if edit is not None else frozenset[str]()
        self._edit_name = edit.name if edit is not None else ""
        self._seen_rows, self._seen_keys = Seen(), Seen()
        self._known_rows: dict[tuple[str, str], list[Told]] = {}
        params, references = importable(create), References(reader)
        self.rows = RowReader(binding, params, references, self._context)
        self._timely = [name for name in self.rows.readers if params[name].kind.column in ("moment", "day")]
        self._constants = bool(binding.mapping.constants)
        self._required = [param.name for param in create.params if param.required]
        self._nested = frozenset(name for name, param in params.items() if isinstance(param.kind, RowsKind))
        told = [nested for nested in lists_of(reader, info.noun, create) if nested.name in self.rows.readers]
        self._lists = told if binding.own else []
        self._keeps_facts = create.param(FACTS) is not None
        self._facts = [(column.place, column.header) for column in binding.of("facts")]
        self._ids = [(column.place, column.header) for column in binding.of("id")][:1]
        self._extras = [(column.place, column.header) for column in (*binding.of("extra"), *binding.of("id")[1:])]
        self._read_only: list[tuple[Column, Decode]] = [
            (column, decoder(info.by_name[column.field].kind, binding.mapping, references))
            for column in binding.of("read_only")
        ]
        self._hashed = [column.place for column in binding.columns if column.role != "dropped"]
        self._has_import_key = create.param(IMPORT_KEY) is not None
        natural = info.key[0] if info.key and info.key[0] in info.lookups else ""
        self._key = self.rows.readers.get(natural)
        # what else must be the same, such as the channel of an order's number
        self._within = [item for name in info.key[1:] if (item := self.rows.readers.get(name)) is not None]

    # -- a batch -------------------------------------------------------------------------------------------------------

    def plan(self, rows: Sequence[Row]) -> list[Item]:
        """What these rows are to become, in their order. One statement for each way in which they name records."""
        keyed = [self._keyed(row) for row in rows]
        held = self.existing(keyed)
        ids = {record.id for records in held.values() for record in records} if self._lists else ()
        self._known_rows = {
            (nested.name, id): rows
            for nested in self._lists
            for id, rows in rows_of(self._reader, nested, sorted(ids)).items()
        }
        return [self._item(entry, held) for entry in keyed]

    def _keyed(self, row: Row) -> _Keyed:
        if row.problem is not None:
            return _Keyed(row, row.cells, "", "", "", (fault_of(row.problem),))
        raw = row.cells
        known = key = import_key = ""
        if self._escaped:
            raw = [unescape(cell) if cell and cell[0] == "'" else cell for cell in raw]
        if self._ids and is_id(self.info, given := (raw[self._ids[0][0]] or "").strip()):
            known = given
        cells = self.rows.ready(raw)
        if self._key is not None and (text := cells[self._key.place]) and not text.isspace():
            try:
                key = str(self._key.decode(text, self._context))
            except BoError as error:
                return _Keyed(row, cells, "", "", "", (fault_of(error, self.rows.header_of(self._key.name), text),))
        if not key and self._has_import_key:
            import_key = self._row_key(raw)
        return _Keyed(row, cells, known, key, import_key)

    def _row_key(self, cells: Sequence[str | None]) -> str:
        text = "\x1f".join([cells[place] or "" for place in self._hashed])
        digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        earlier = self._seen_rows.before(digest)
        return f"{digest}-{earlier + 1}" if earlier else digest

    # -- records that are there already --------------------------------------------------------------------------------

    def existing(self, keyed: Iterable[_Keyed]) -> dict[tuple[str, str], list[Record]]:
        """The records that rows name, by the field and the value they are known by."""
        wanted: dict[str, set[str]] = {"id": set(), IMPORT_KEY: set()}
        by_key = wanted.setdefault(self._key.name, set()) if self._key is not None else set[str]()
        for entry in keyed:
            if entry.id:
                wanted["id"].add(entry.id)
            if entry.key:
                by_key.add(entry.key)
            elif entry.import_key:
                wanted[IMPORT_KEY].add(entry.import_key)
        return self.load(wanted)

    def load(self, wanted: Mapping[str, Iterable[str]]) -> dict[tuple[str, str], list[Record]]:
        """Records that have one of these values in one of these fields, as they are now."""
        found: dict[tuple[str, str], list[Record]] = {}
        session, info = self._reader.session, self.info
        for name, values in wanted.items():
            listed = sorted(values)
            if not listed:
                continue
            key = f"{info.fingerprint}:import:{name}"
            for row in self._reader.rows(key, lambda name=name: _by(info, name), values=session.array(listed)):  # type: ignore[misc]
                record = info.load(row[1:])
                if self._reader.actor.sees(record.scope):
                    found.setdefault((name, str(getattr(record, name))), []).append(record)
        return found

    # -- one row -------------------------------------------------------------------------------------------------------

    def _item(self, entry: _Keyed, held: Mapping[tuple[str, str], list[Record]]) -> Item:
        number, line = entry.row.number, entry.row.line
        if entry.faults:
            return Item(BAD, number, line, faults=entry.faults)
        known, found = ("id", entry.id), held.get(("id", entry.id), [])
        if not found:
            name = self._key.name if entry.key and self._key is not None else IMPORT_KEY
            known = (name, entry.key or entry.import_key)
            found = [item for item in held.get(known, []) if self._is_within(item, entry.cells)]
        if len(found) > 1:
            return Item(BAD, number, line, faults=(several(self.info, *known),))
        record = found[0] if found else None
        extra: dict[str, object] = {}
        try:
            values = self.rows.values(entry.cells, _currency(record), extra)
        except BoError:
            return Item(BAD, number, line, faults=self.rows.faults(entry.cells, _currency(record)))
        self._take_extras(entry, record, extra)
        within = [(entry.cells[item.place] or "") for item in self._within]
        if (entry.id or entry.key) and self._seen_keys.before("\x1f".join([entry.id or entry.key, *within])):
            return Item(AGAIN, number, line, args=self._args(known, values, extra), key=known)
        if record is not None:
            return self.compare(number, line, record, values, extra)
        return self._new(entry, known, values, extra)

    def _is_within(self, record: Record, cells: Sequence[str | None]) -> bool:
        return all(getattr(record, item.name) == self._named(item, cells[item.place] or "") for item in self._within)

    def _named(self, item: FieldReader, text: str) -> object:
        """What a cell of the natural key means; itself where it is plain text, or means nothing."""
        if item.is_text or not text or text.isspace():
            return text.strip()
        try:
            return item.decode(text, self._context)
        except BoError:
            return text

    def _new(self, entry: _Keyed, known: tuple[str, str], values: dict[str, object], extra: dict[str, object]) -> Item:
        number, line = entry.row.number, entry.row.line
        if self._is_blank(entry.row, values, extra):
            fault = fault_of(BadValue("the row is blank", hint="Leave it out."))
            return Item(BAD, number, line, faults=(fault,))
        missing = [name for name in self._required if name not in values]
        if not missing and not known[1] and self.info.key:
            missing = [self.info.key[0]]
        if missing:
            return Item(BAD, number, line, faults=tuple(self._missing(name) for name in missing))
        return Item(CREATE, number, line, args=self._args(known, values, extra), key=known)

    def _args(self, known: tuple[str, str], values: dict[str, object], extra: dict[str, object]) -> dict[str, Any]:
        """The arguments of the call that makes the record, as they can be put by."""
        for name in self._timely:
            if name in values:
                values[name] = plain_value(values[name])
        if extra and self._keeps_facts:
            values[FACTS] = extra
        if known[0] == IMPORT_KEY and known[1]:
            values[IMPORT_KEY] = known[1]
        return values

    def _is_blank(self, row: Row, values: Mapping[str, object], extra: Mapping[str, object]) -> bool:
        """Whether a row says nothing; what a mapping sets for all rows does not count."""
        if (values or extra) and not self._constants:
            return False
        return not any((row.cells[place] or "").strip() for place in self._hashed)

    def compare(
        self, number: int, line: int, record: Record, values: Mapping[str, object], extra: Mapping[str, object]
    ) -> Item:
        """What a row changes of the record that is there."""
        changed: dict[str, object] = {}
        for name, value in values.items():
            if name in self._nested:
                if not self._is_told_anew(record, name, value):
                    continue
            elif name not in self.info.by_name or getattr(record, name) == value:
                continue
            if name == "currency" and value == self._context.currency and not getattr(record, name):
                continue  # a blank currency is the office's
            if name in self._edits:
                changed[name] = value
            elif self._edit_name:
                self.differing[name] += 1
        facts = (
            {name: value for name, value in extra.items() if record.extra.get(name, "") != value}
            if FACTS in self._edits
            else {}
        )
        if not self._edit_name and any(
            getattr(record, name, value) != value for name, value in values.items() if name not in self._nested
        ):
            return Item(BAD, number, line, subject=record.id, faults=(fault_of(_final(self.info)),))
        if not changed and not facts:
            return Item(SAME, number, line, subject=record.id)
        args = {name: plain_value(value) for name, value in changed.items()}
        if facts:
            args[FACTS] = {**record.extra, **facts}
        return Item(EDIT, number, line, subject=record.id, args=args, changes=self._changes(record, changed, facts))

    def _is_told_anew(self, record: Record, name: str, value: object) -> bool:
        """Whether rows of a list are others than those a file told last, of which only the digest is kept; in an export
        of ours, whether they are others than those that are there."""
        held = getattr(record, name + KEY_OF_ROWS, None)
        if held is None or not isinstance(value, (list, tuple)) or rows_key(value) == held:
            return False
        known = self._known_rows.get((name, record.id))
        return known is None or not says_nothing_new(value, known)

    def again(self, item: Item, record: Record, *, may_overwrite: bool) -> Item:
        """A row compared with its record at the time of writing.

        With `may_overwrite` False the record is one that an earlier row of this file has given its values.
        """
        values = {name: value for name, value in item.args.items() if name not in (FACTS, IMPORT_KEY)}
        for name, value in values.items():
            if (
                name in self.info.by_name
                and type(value) is str
                and self.info.by_name[name].kind.column in ("moment", "day")
            ):
                values[name] = self.info.by_name[name].kind.decode(value, self._context)
            elif type(value) is list:
                values[name] = tuple(value)
        made = self.compare(item.record, item.line, record, values, item.args.get(FACTS, {}))
        against = [change for change in made.changes if change.before]
        if made.what != EDIT or may_overwrite or not against:
            return made
        faults = tuple(self._contradiction(change) for change in against)
        return Item(BAD, item.record, item.line, subject=record.id, faults=faults)

    def _take_extras(self, entry: _Keyed, record: Record | None, extra: dict[str, object]) -> None:
        cells = entry.cells
        for place, header in self._extras:
            text = cells[place]
            if text and not text.isspace():
                extra[header] = text
        for place, header in self._facts:
            text = cells[place]
            if text and not text.isspace():
                facts = facts_of(text)
                extra.update({header: text} if facts is None else facts)
        for place, header in self._ids:
            text = cells[place]
            if text and not text.isspace() and (record is None or record.id != text.strip()):
                self.unknown_ids += bool(entry.id)
                self.kept_ids += 1
                extra[header] = text
        for column, decode in self._read_only:
            text = cells[column.place]
            if text and not text.isspace():
                self._compare_read_only(column, decode, text, record, extra)

    def _compare_read_only(
        self, column: Column, decode: Decode, text: str, record: Record | None, extra: dict[str, object]
    ) -> None:
        """A field that only commands set: looked at, and kept as an extra column where it is no value of that field."""
        try:
            value = decode(text, self.rows.money(_currency(record)))
        except BoError:
            extra[column.header] = text
            return
        if record is not None and getattr(record, column.field) != value:
            self.differing[column.field] += 1

    # -- words ---------------------------------------------------------------------------------------------------------

    def _missing(self, name: str) -> Fault:
        error = BadValue(
            "{field} is missing", hint="Every one of the {noun} needs it.", field=name, noun=self.info.noun
        )
        return fault_of(error, self.rows.header_of(name), "")

    def _contradiction(self, change: FieldChange) -> Fault:
        error = BadValue(
            "an earlier row of this file means the same {name}, and {field} is {before} there",
            hint="Keep one of the rows, or give the other a number of its own.",
            name=self.info.name.replace("_", " "), field=change.field, before=change.before,
        )  # fmt: skip
        return fault_of(error, self.rows.header_of(change.field), change.after)

    def _changes(
        self, record: Record, changed: Mapping[str, object], facts: Mapping[str, object]
    ) -> tuple[FieldChange, ...]:
        currency = getattr(record, "currency", "") or self._context.currency
        made = []
        for name, value in changed.items():
            if name in self._nested:
                made.append(FieldChange(name, "", str(len(value)) if isinstance(value, (list, tuple)) else ""))
                continue
            kind = self.info.by_name[name].kind
            made.append(FieldChange(name, kind.show(getattr(record, name), currency), kind.show(value, currency)))
        made += [FieldChange(name, str(record.extra.get(name, "")), str(value)) for name, value in facts.items()]
        return tuple(made)


def _currency(record: Record | None) -> str:
    return getattr(record, "currency", "") or ""


def several(info: RecordInfo, field: str, value: str) -> Fault:
    """That a row may mean several records."""
    error = BadValue(
        "several {noun} have {field} {value}", hint="Say which one by its id.", noun=info.noun, field=field, value=value
    )
    return fault_of(error, field, value)


def _final(info: RecordInfo) -> BadValue:
    return BadValue(
        "there already is such a {name}, with other values",
        hint="Imports add {noun} and change none.",
        name=info.name,
        noun=info.noun,
    )


def _by(info: RecordInfo, name: str) -> ClauseElement:
    import sqlalchemy as sa

    from bo.core.kernel.tables import in_list, table

    made = table(info)
    return sa.select(made).where(in_list(made.c[name], sa.bindparam("values")))
