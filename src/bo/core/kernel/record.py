"""Records: a typed row, declared once. Table, JSON image, list columns, filter fields, import and export columns come
from it.

    @record("leads", prefix="lead", key=("number",), states=LEAD_STATES)
    class Lead(Record):
        name: Annotated[PersonName, Field(search=True)] = ""

Fields are plain values; a record is changed by assignment inside a command and nowhere else. Nested values (tags,
facts) are replaced, never mutated.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import compress, count
from operator import is_not
from typing import Annotated, Any, Final, TypeVar, Union, get_args, get_origin
from zlib import crc32

import msgspec

from bo.core.kernel.kinds import Column, Facts, Field, Id, Kind, Moment, Text, Whole, moment_text

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
Values = tuple[object, ...]  # a record's, in the order of its fields
KERNEL_FIELDS: Final = frozenset(("id", "revision", "created_at", "updated_at", "scope"))

R = TypeVar("R", bound="Record")


class State(str):
    """One state of a record. `A >> B` is a move, `A | B` several states."""

    __slots__ = ()

    def __or__(self, other: State | States) -> States:
        return States((self,)) | other

    def __rshift__(self, target: State) -> Move:
        return States((self,)) >> target


def _plain(value: object) -> str:
    if isinstance(value, State):
        return str(value)
    raise NotImplementedError


encode_json: Final = msgspec.json.Encoder(enc_hook=_plain).encode  # the one encoder of images and arguments


class States(msgspec.Struct, frozen=True):
    """Some states; as `moves` it means: offered in these, moved nowhere."""

    names: tuple[State, ...]

    def __or__(self, other: State | States) -> States:
        more = other.names if isinstance(other, States) else (other,)
        return States(self.names + tuple(name for name in more if name not in self.names))

    def __rshift__(self, target: State) -> Move:
        return Move(self.names, target)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    @property
    def sources(self) -> tuple[State, ...]:
        return self.names

    @property
    def target(self) -> State | None:
        return None


class Move(msgspec.Struct, frozen=True):
    """From one of the sources to the target."""

    sources: tuple[State, ...]
    target: State | None


class Record(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What every row has. `scope` says who may hold the row, and is set by dispatch from `held_by`."""

    id: Id = ""
    revision: Annotated[Whole, Field(internal=True)] = 0
    created_at: Annotated[Moment, Field(label="created")] = EPOCH
    updated_at: Annotated[Moment, Field(label="updated")] = EPOCH
    scope: Annotated[Text, Field(internal=True)] = ""
    extra: Annotated[Facts, Field(label="extra", internal=True)] = {}

    def held_by(self) -> str:
        """Who may hold this row: `shared`, `hq`, or `store:<id>`."""
        return "shared"

    def stands_for(self) -> str:
        """The id of the record that has taken this one's place, as after a merge; blank: none has."""
        return ""

    @classmethod
    def sought(cls, values: Mapping[str, object]) -> Iterable[tuple[type[Record], str, object]]:
        """The lookup fields and values that making a record from these arguments looks for, of this record and others,
        so that a batch fetches them at once."""
        return [(cls, name, value) for name in info_of(cls).lookups if (value := values.get(name)) is not None]

    def check(self) -> None:
        """Raise Refused where an invariant of this record alone is broken; called on every change."""


SCOPE: Final = Record.__struct_fields__.index("scope")  # where every record's values have it
STAMPS: Final = tuple(map(Record.__struct_fields__.index, ("revision", "updated_at")))


class FieldInfo(msgspec.Struct, frozen=True):
    name: str
    kind: Kind
    optional: bool
    default: object
    meta: Field

    @property
    def label(self) -> str:
        return self.meta.label or self.name.replace("_", " ")

    @property
    def required(self) -> bool:
        """Whether it must be given when a record is made, and can never be blank."""
        return self.default is None and not self.optional

    @property
    def editable(self) -> bool:
        return self.name not in KERNEL_FIELDS


class RecordInfo(msgspec.Struct, eq=False):
    """All that is derived from a record class, computed once."""

    cls: type[Record]
    noun: str  # plural, as in the command line: leads
    name: str  # table name and word for one: lead
    prefix: str
    key: tuple[str, ...]  # the natural key people know it by
    states: tuple[State, ...]
    append_only: bool
    create: str
    edit: str
    columns: tuple[str, ...]  # what a list shows when nothing else is asked for
    fields: tuple[FieldInfo, ...]
    called: tuple[str, ...] = ()  # the fields whose value everybody may know who sees a record that names this one
    stays: bool = False  # an undo leaves it to the other records that name it
    by_name: dict[str, FieldInfo] = {}
    field_names: tuple[str, ...] = ()
    searched: tuple[str, ...] = ()
    searched_at: tuple[int, ...] = ()
    lookups: tuple[str, ...] = ()
    uniques: tuple[str, ...] = ()
    loose: frozenset[int] = frozenset()  # where values may differ that are written alike: a list and a tuple
    moments: tuple[int, ...] = ()
    days: tuple[int, ...] = ()
    jsons: tuple[int, ...] = ()
    flags: tuple[int, ...] = ()
    json_names: tuple[str, ...] = ()
    flag_names: tuple[str, ...] = ()
    guarded: tuple[FieldInfo, ...] = ()  # those that need a permission of their own
    personal: tuple[FieldInfo, ...] = ()  # those that tell how a person is reached
    usual: tuple[tuple[str, object], ...] = ()  # defaults that an equal value need not be identical to
    fingerprint: str = ""  # changes when the table does, so that kept statements of another shape are never run
    _decoder: msgspec.json.Decoder[Record] | None = None

    def __post_init__(self) -> None:
        self.by_name = {info.name: info for info in self.fields}
        self.field_names = tuple(self.by_name)
        self.searched = tuple(info.name for info in self.fields if info.meta.search)
        self.searched_at = tuple(place for place, info in enumerate(self.fields) if info.meta.search)
        self.uniques = tuple(info.name for info in self.fields if info.meta.unique)
        self.lookups = tuple(info.name for info in self.fields if info.meta.lookup)
        self.guarded = tuple(info for info in self.fields if info.meta.needs)
        self.personal = tuple(info for info in self.fields if info.kind.masked and not info.meta.public)
        self.moments = self._positions("moment")
        self.days = self._positions("day")
        self.jsons = self._positions("json")
        self.flags = self._positions("flag")
        self.loose = frozenset((*STAMPS, *self.jsons))
        self.json_names = tuple(self.fields[index].name for index in self.jsons)
        self.flag_names = tuple(self.fields[index].name for index in self.flags)
        self.usual = tuple(
            (info.name, info.default) for info in self.fields if info.editable and not _is_one_object(info.default)
        )
        shape = ",".join(f"{info.name}:{info.kind.column}" for info in self.fields)
        self.fingerprint = f"{self.name}@{crc32(shape.encode()):08x}"

    def _positions(self, column: Column) -> tuple[int, ...]:
        return tuple(index for index, info in enumerate(self.fields) if info.kind.column == column)

    @property
    def decoder(self) -> msgspec.json.Decoder[Record]:
        """Reads images. It takes as long to make as the class, and who only reads lists needs none."""
        if self._decoder is None:
            self._decoder = msgspec.json.Decoder(self.cls)
        return self._decoder

    def image(self, item: Record) -> bytes:
        """The record's JSON: equal records give equal bytes.

        msgspec leaves out a value that *is* its default, not one that equals it; so an equal one is made to be it
        first.
        """
        for name, default in self.usual:
            if getattr(item, name) == default:
                setattr(item, name, default)
        return encode_json(item)

    def made(self, values: Values) -> Record:
        """A record of these values."""
        return self.cls(**dict(zip(self.field_names, values, strict=True)))  # type: ignore[arg-type]

    def place(self, name: str) -> int:
        """Where a record's values have this field."""
        return self.field_names.index(name)

    def some(self, places: Iterable[int], values: Values) -> bytes:
        """The values of the fields at these places, as JSON."""
        names = self.field_names
        return encode_json({names[place]: values[place] for place in places})

    def writer(self, place: int, *, text_moments: bool) -> Callable[[Any], object] | None:
        """What turns a value of the field at this place into what its column holds; None where it is that already."""
        if place in self.jsons:
            return _json_or_none
        return day_or_moment if text_moments and self.fields[place].kind.column in ("flag", "moment", "day") else None

    def row(self, item: Record, *, text_moments: bool) -> list[object]:
        """Column values of a record; `text_moments` for databases that hold moments as text."""
        return self.columns_of(msgspec.structs.astuple(item), text_moments=text_moments)

    def columns_of(self, of: Values, *, text_moments: bool) -> list[object]:
        """A record's values as columns hold them."""
        values: list[Any] = list(of)
        for index in self.jsons:
            values[index] = encode_json(values[index]).decode() if values[index] else None
        if text_moments:
            for index in self.flags:
                flag = values[index]
                if flag is not None:
                    values[index] = int(flag)
            for index in self.moments:
                moment = values[index]
                if moment is not None:
                    values[index] = moment_text(moment)
            for index in self.days:
                day = values[index]
                if day is not None:
                    values[index] = day.isoformat()
        return values

    def load(self, row: Sequence[object]) -> Record:
        """The record that column values stand for."""
        # most columns are blank, which is their default: a dict of those that are not is made in a third of the time
        values = {name: value for name, value in zip(self.field_names, row, strict=False) if value is not None}
        for name in self.json_names:
            text = values.get(name)
            if isinstance(text, (str, bytes)):
                values[name] = msgspec.json.decode(text)
        for name in self.flag_names:
            if name in values:
                values[name] = bool(values[name])
        return msgspec.convert(values, self.cls)


_RECORDS: dict[str, RecordInfo] = {}
_BY_CLASS: dict[type[Record], RecordInfo] = {}


def record(
    noun: str,
    *,
    prefix: str,
    key: tuple[str, ...] = (),
    states: Sequence[State] = (),
    append_only: bool = False,
    create: str = "",
    edit: str = "",
    columns: tuple[str, ...] = (),
    called: tuple[str, ...] = (),
    stays: bool = False,
) -> Callable[[type[R]], type[R]]:
    """Declare a record class: the noun people type, the prefix of its ids, its natural key, its states, the commands an
    import uses. What it is `called`, the first of these fields that is not blank, is told to whoever sees a record that
    names it. One that `stays` is not taken away by the undo of what made it, as long as other records name it.
    """

    def declare(cls: type[R]) -> type[R]:
        name = _table_name(cls.__name__)
        fields = tuple(_fields(cls))
        info = RecordInfo(
            cls, noun, name, prefix, key, tuple(states), append_only, create, edit, columns, fields, called, stays
        )
        _refuse_mistakes(info)
        _RECORDS[noun] = info
        _BY_CLASS[cls] = info
        return cls

    return declare


def info_of(cls: type[Record]) -> RecordInfo:
    return _BY_CLASS[cls]


def declared_records() -> Mapping[str, RecordInfo]:
    """Every record class declared so far, by noun."""
    return _RECORDS


def _is_one_object(default: object) -> bool:
    """Whether Python keeps one object for all equal values: None, flags, small numbers, what is empty."""
    return not default or default is True or (isinstance(default, int) and -5 <= default <= 256)


def _table_name(class_name: str) -> str:
    return "".join("_" + letter.lower() if letter.isupper() else letter for letter in class_name).lstrip("_")


def _fields(cls: type[Record]) -> list[FieldInfo]:
    found = []
    for item in msgspec.structs.fields(cls):
        kind, meta, optional = read_annotation(item.type)
        if kind is None:
            raise TypeError(f"{cls.__name__}.{item.name} has no kind")
        default = item.default if item.default is not msgspec.NODEFAULT else None
        if item.default_factory is not msgspec.NODEFAULT:
            default = item.default_factory()
        default = str(default) if isinstance(default, State) else default
        found.append(FieldInfo(item.name, kind, optional, default, meta))
    return found


def read_annotation(hint: object) -> tuple[Kind | None, Field, bool]:
    """The kind, the field description and whether None is allowed, from an annotation such as `Annotated[Phone,
    Field()] | None`."""
    if get_origin(hint) in (Union, types.UnionType):
        inner = [part for part in get_args(hint) if part is not type(None)]
        if len(inner) != 1:
            return None, Field(), False
        kind, meta, _nested = read_annotation(inner[0])
        return kind, meta, True
    kind, meta, optional = None, Field(), False
    if get_origin(hint) is Annotated:
        first, *marks = get_args(hint)
        kind, meta, optional = read_annotation(first)
        for mark in marks:
            if isinstance(mark, Kind):
                kind = mark
            elif isinstance(mark, Field):
                meta = mark
    return kind, meta, optional


def _refuse_mistakes(info: RecordInfo) -> None:
    if info.noun in _RECORDS and _RECORDS[info.noun].cls.__qualname__ != info.cls.__qualname__:
        raise TypeError(f"two records are called {info.noun}")
    if any(other.prefix == info.prefix and other.noun != info.noun for other in _RECORDS.values()):
        raise TypeError(f"the prefix {info.prefix} of {info.noun} is taken")
    for name in (*info.key, *info.columns):
        if name not in info.by_name:
            raise TypeError(f"{info.noun} has no field {name}")
    if any(item.required for item in info.guarded):
        raise TypeError(f"{info.noun}: a field that not everybody may see must be able to be blank")
    if any(item.optional and item.default is not None for item in info.fields):
        raise TypeError(f"{info.noun}: a field that may be blank is blank where nothing is said")
    if not set(info.uniques) <= set(info.lookups):
        raise TypeError(f"{info.noun}: a unique field must be a lookup field")
    if info.states and ("state" not in info.by_name or not set(info.states) <= set(_state_options(info))):
        raise TypeError(f"{info.noun} declares states that its field `state` does not take")


def _state_options(info: RecordInfo) -> tuple[str, ...]:
    return getattr(info.by_name["state"].kind, "options", ())


def places_that_differ(one: Values, other: Values) -> list[int]:
    """Where values differ; those that are counted and dated with every change always do."""
    touched = compress(count(), map(is_not, one, other))  # what nobody has assigned is the very same object
    return sorted({*STAMPS, *(place for place in touched if one[place] != other[place])})


def _json_or_none(value: object) -> str | None:
    return encode_json(value).decode() if value else None


def day_or_moment(value: object) -> object:
    """A value as SQLite binds it."""
    if isinstance(value, datetime):
        return moment_text(value)
    if isinstance(value, bool):
        return int(value)  # the driver takes a bool through its slow road of adapters
    return value.isoformat() if isinstance(value, date) else value
