"""Reading: pages, counts, streams and frozen snapshots of any record, through one door and one `visible` expression.

Values come out as the database holds them (text, integers), which is what lists and exports want; `wire` turns the few
that people read otherwise.
A field that is not known, or a noun, is a UsageError.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from bo.core.kernel.command import Registry
from bo.core.kernel.database import Session
from bo.core.kernel.dispatch import TAIL_LEAST, absent, is_id
from bo.core.kernel.errors import Ambiguous, NotAllowed, UsageError
from bo.core.kernel.kinds import Context, moment_text
from bo.core.kernel.query import Filter, Reading, after_clause, clauses, field_called, order, parameters, parse_filter
from bo.core.kernel.record import FieldInfo, Record, RecordInfo, day_or_moment, info_of
from bo.core.kernel.tx import OPEN_SCOPES, SEE_PERSONAL, Actor

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement

R = TypeVar("R", bound=Record)
Row = tuple[Any, ...]
PAGE: Final = 50
PAGE_MOST: Final = 10_000


class Page(msgspec.Struct, frozen=True):
    """Rows of the asked fields; `after` is the token for the next page, None at the end."""

    fields: tuple[FieldInfo, ...]
    rows: list[Row]
    after: str | None


class Reader:
    """One actor's eyes on one connection."""

    def __init__(self, session: Session, registry: Registry, context: Context, actor: Actor, now: datetime) -> None:
        self.session = session
        self.registry = registry
        self.context = context
        self.actor = actor
        self.now = now

    # -- any record ----------------------------------------------------------------------------------------------------

    def info(self, noun: str) -> RecordInfo:
        return info_of(self.registry.record(noun))

    def fields(self, noun: str, names: Sequence[str] = ()) -> tuple[FieldInfo, ...]:
        """The named fields; without names those a list of this noun shows. Raises NotAllowed for one that this actor
        may not see."""
        info = self.info(noun)
        hidden = {item.name for item in self.actor.hidden(info)}
        if names:
            chosen = tuple(field_called(name, info) for name in names)
            for item in chosen:
                if item.name in hidden:
                    self.require(item.meta.needs or SEE_PERSONAL)
            return chosen
        shown = info.columns or tuple(item.name for item in info.fields if not item.meta.internal)
        return tuple(info.by_name[name] for name in dict.fromkeys(("id", *shown)) if name not in hidden)

    def page(
        self,
        noun: str,
        filter_text: str = "",
        *,
        fields: Sequence[str] = (),
        limit: int = PAGE,
        after: str | None = None,
    ) -> Page:
        """One page in the filter's order, newest first by default."""
        if not 0 < limit <= PAGE_MOST:
            raise UsageError("a page has 1 to {most} rows", most=PAGE_MOST)
        info, found, chosen = self._prepare(noun, filter_text, fields)
        values = self._values(found)
        position = _read_token(after, info, found) if after else None
        if position is not None:
            values |= position
        nulls = tuple(position is not None and position.get(f"k{place}") is None for place in range(len(found.sort)))
        key = f"{info.fingerprint}:page:{self._shape(found, chosen)}:{'after' + str(nulls) if position else ''}"
        rows = self.session.rows(
            key,
            lambda: self._select(info, found, chosen, nulls if position else None).limit(_bind("limit")),
            {**values, "limit": limit + 1},
        )
        width = len(chosen)
        token = _token(rows[limit - 1][width:]) if len(rows) > limit else None
        return Page(chosen, self.masked(info, chosen, [row[:width] for row in rows[:limit]]), token)

    def stream(
        self, noun: str, filter_text: str = "", *, fields: Sequence[str] = ()
    ) -> tuple[tuple[FieldInfo, ...], Iterator[list[Row]]]:
        """All rows, in lists, with memory for one list."""
        info, found, chosen = self._prepare(noun, filter_text, fields)
        key = f"{info.fingerprint}:stream:{self._shape(found, chosen)}"
        parts = self.session.stream(
            key, lambda: self._select(info, found, chosen, None, bare=True), self._values(found)
        )
        if self.actor.masks(info):
            return chosen, (self.masked(info, chosen, part) for part in parts)
        return chosen, parts

    def count(self, noun: str, filter_text: str = "") -> int:
        info, found, _chosen = self._prepare(noun, filter_text, ("id",))
        key = f"{info.fingerprint}:count:{self._shape(found, ())}"
        return int(self.session.rows(key, lambda: self._count(info, found), self._values(found))[0][0])

    def get(self, cls: type[R], text: str) -> R:
        """The record of that id, natural key or unique tail. Raises NotFound or Ambiguous."""
        info = info_of(cls)
        ids = self._ids(info, text)
        if len(ids) > 1:
            raise Ambiguous(
                "{id} is the end of several ids: {ids}", hint="Type more of it.", id=text, ids=", ".join(ids[:5])
            )
        rows = (
            self.session.rows(f"{info.fingerprint}:by:id", lambda: _by_id(info), {"values": self.session.array(ids)})
            if ids
            else []
        )
        record = info.load(rows[0][1:]) if rows else None
        scopes = self.actor.scopes_of(info.noun)
        if record is None or (scopes is not None and record.scope not in scopes):
            raise absent(info, text)
        self.veil(info, record)
        assert isinstance(record, cls)
        return record

    def records(self, cls: type[R], filter_text: str = "", *, limit: int = PAGE_MOST) -> list[R]:
        """Whole records that a filter finds."""
        info = info_of(cls)
        hidden = {item.name: item.default for item in self.actor.hidden(info)}
        names = tuple(name for name in info.field_names if name not in hidden)
        page = self.page(info.noun, filter_text, fields=names, limit=limit)
        if hidden:  # what may not be seen is as blank as where it is not known
            rows = [
                [(dict(zip(names, row, strict=True)) | hidden)[name] for name in info.field_names] for row in page.rows
            ]
        else:
            rows = [list(row) for row in page.rows]
        return [record for row in rows if isinstance(record := info.load(row), cls)]

    def called(self, noun: str, ids: Iterable[str]) -> dict[str, str]:
        """What the records of these ids, which stand in rows that this actor sees, are called: of nouns whose names are
        for everybody, whoever may read the rest of them. Others are left out."""
        info, wanted = self.info(noun), sorted(set(ids))
        if not info.called or not wanted:
            return {}
        rows = self.session.rows(
            f"{info.fingerprint}:called:{','.join(info.called)}", lambda: _called(info),
            {"values": self.session.array(wanted)},
        )  # fmt: skip
        return {str(row[0]): next((str(name) for name in row[1:] if name), str(row[0])) for row in rows}

    # -- what is not for everybody's eyes ------------------------------------------------------------------------------

    def veil(self, info: RecordInfo, record: Record) -> None:
        """Leave in a loaded record what this actor may see: hidden fields are blank, personal ones masked."""
        for item in self.actor.hidden(info):
            setattr(record, item.name, item.default)
        for item in self.actor.masks(info):
            if value := getattr(record, item.name):
                setattr(record, item.name, item.kind.mask(value))

    def masked(self, info: RecordInfo, fields: Sequence[FieldInfo], rows: list[Row], *, first: int = 0) -> list[Row]:
        """Rows of these fields, from the value at `first` on, with masks over what this actor sees in part."""
        names = {item.name for item in self.actor.masks(info)}
        places = [(first + at, item.kind) for at, item in enumerate(fields) if item.name in names]
        if not places:
            return rows
        made = []
        for row in rows:
            values = list(row)
            for place, kind in places:
                if values[place]:
                    values[place] = kind.mask(str(values[place]))
            made.append(tuple(values))
        return made

    # -- for queries of modules ----------------------------------------------------------------------------------------

    def rows(self, key: str, build: Callable[[], ClauseElement], **values: object) -> list[Row]:
        """Rows of a module's own statement. `key` names the statement and everything its text depends on."""
        return self.session.rows(key, build, values)

    def eyes(self) -> dict[str, object]:
        """What `visible` binds; nothing for who sees the whole office. Whether there is something belongs into the key
        of a statement that has it."""
        if self.actor.scopes is None:
            return {}
        return {"scopes": self.session.array(sorted({*OPEN_SCOPES, *self.actor.scopes}))}

    def require(self, permission: str) -> None:
        if not self.actor.may(permission):
            raise NotAllowed("{actor} may not {permission}", actor=self.actor.name, permission=permission)

    # -- inside --------------------------------------------------------------------------------------------------------

    def _prepare(
        self, noun: str, filter_text: str, names: Sequence[str]
    ) -> tuple[RecordInfo, Filter, tuple[FieldInfo, ...]]:
        info = self.info(noun)
        self.require(f"{noun}.read")
        return info, self.filter(info, filter_text), self.fields(noun, names)

    def filter(self, info: RecordInfo, text: str) -> Filter:
        found = parse_filter(text, info, Reading(self.context, self.now, self._find_ref))
        for item in self.actor.hidden(info):  # which rows a filter finds would tell the value
            if item.name in found.named():
                self.require(item.meta.needs)
        for item in self.actor.masks(info):
            if item.name in found.named():
                raise NotAllowed(
                    "{actor} sees {field} masked, so it neither filters nor sorts",
                    hint="Ask an administrator for the permission {permission}.",
                    actor=self.actor.name, field=item.name, permission=SEE_PERSONAL,
                )  # fmt: skip
        return found

    def _find_ref(self, noun: str, text: str) -> str | None:
        """The id a reference in a filter means; a filter on an unknown one finds nothing rather than failing."""
        ids = self._ids(self.info(noun), text)
        return ids[0] if len(ids) == 1 else None

    def _ids(self, info: RecordInfo, text: str) -> list[str]:
        if is_id(info, text):
            return [text]
        if not text.isprintable():
            return []
        for name in info.key:
            if name in info.lookups:
                rows = self.session.rows(
                    f"{info.fingerprint}:ids:{name}", partial(_ids_by, info, name), {"value": text}
                )
                if rows:
                    return [str(row[0]) for row in rows]
        tail = text.lower().rpartition("_")[2]
        if len(tail) < TAIL_LEAST or not (tail.isascii() and tail.isalnum()):
            return []
        from bo.core.kernel.dispatch import _ids_by_tail

        scopes = self.actor.scopes_of(info.noun)
        rows = self.session.rows(f"{info.fingerprint}:tail", lambda: _ids_by_tail(info), {"tail": f"%{tail}"})
        return [str(row[0]) for row in rows if scopes is None or row[1] in scopes]

    def _values(self, found: Filter) -> dict[str, object]:
        return parameters(found, sqlite=self.session.is_sqlite, array=self.session.array) | self.eyes()

    def _shape(self, found: Filter, chosen: Sequence[FieldInfo]) -> str:
        names = ",".join(item.name for item in chosen)
        return f"{found.shape}|{names}|{'scoped' if self.actor.scopes is not None else ''}"

    def _where(self, info: RecordInfo, found: Filter) -> list[Any]:
        return [*visible(info, self.actor), *clauses(info, found, sqlite=self.session.is_sqlite)]

    def _select(
        self,
        info: RecordInfo,
        found: Filter,
        chosen: Sequence[FieldInfo],
        nulls: Sequence[bool] | None,
        *,
        bare: bool = False,
    ) -> Any:
        import sqlalchemy as sa

        from bo.core.kernel.tables import table

        made = table(info)
        columns = [made.c[item.name] for item in chosen]
        keys = (
            []
            if bare
            else [*(made.c[name.lstrip("-")].label(f"key_{place}") for place, name in enumerate(found.sort)), made.c.n]
        )
        wanted = sa.select(*columns, *keys).where(*self._where(info, found)).order_by(*order(info, found.sort))
        return wanted.where(after_clause(info, found.sort, nulls)) if nulls is not None else wanted

    def _count(self, info: RecordInfo, found: Filter) -> Any:
        import sqlalchemy as sa

        from bo.core.kernel.tables import table

        return sa.select(sa.func.count()).select_from(table(info)).where(*self._where(info, found))


def visible(info: RecordInfo, actor: Actor) -> list[Any]:
    """The one expression that every read passes: which rows this actor may see."""
    if actor.scopes is None:
        return []
    import sqlalchemy as sa

    from bo.core.kernel.tables import in_list, table

    return [in_list(table(info).c.scope, sa.bindparam("scopes"))]


def wire_row(fields: Sequence[FieldInfo], currency: str) -> Callable[[Row], list[object]]:
    """A function that turns a row into what JSON and people read: amounts in major units, JSON columns decoded, moments
    as text."""
    money = next((place for place, item in enumerate(fields) if item.name == "currency"), None)
    odd = [(place, item.kind) for place, item in enumerate(fields) if item.kind.name in ("amount", "rate")]
    json = [
        (place, item.kind.wire(item.default, "")) for place, item in enumerate(fields) if item.kind.column == "json"
    ]
    flags = [place for place, item in enumerate(fields) if item.kind.column == "flag"]
    times = [place for place, item in enumerate(fields) if item.kind.column in ("moment", "day")]

    def convert(row: Row) -> list[object]:
        values = list(row)
        for place in times:
            if type(values[place]) is not str:
                values[place] = day_or_moment(values[place])
        for place, empty in json:
            values[place] = msgspec.json.decode(values[place]) if values[place] is not None else empty
        for place in flags:
            if values[place] is not None:
                values[place] = bool(values[place])
        for place, kind in odd:
            values[place] = kind.wire(values[place], (values[money] if money is not None else None) or currency)
        return values

    return convert


def _token(keys: Sequence[object]) -> str:
    from base64 import urlsafe_b64encode

    plain = [moment_text(item) if isinstance(item, datetime) else item for item in keys]
    return urlsafe_b64encode(msgspec.json.encode(plain)).decode().rstrip("=")


def _read_token(token: str, info: RecordInfo, found: Filter) -> dict[str, object]:
    """The sort keys of the last row that was shown. A token that somebody made up is refused here, not by the
    database."""
    from base64 import urlsafe_b64decode

    try:
        keys = msgspec.json.decode(urlsafe_b64decode(token + "=" * (-len(token) % 4)), type=list[object])
        columns = [info.by_name[name.lstrip("-")].kind.column for name in found.sort]
        pairs = zip([*columns, "integer"], keys, strict=True)
        read = [_key(column, value) for column, value in pairs]
        if read[-1] is None:
            raise ValueError
    except (ValueError, msgspec.MsgspecError):
        raise UsageError("this page token belongs to another list", hint="Start again without it.") from None
    return {**{f"k{place}": value for place, value in enumerate(read[:-1])}, "kn": read[-1]}


def _key(column: str, value: object) -> object:
    """A value of a token as its column has it. Raises ValueError."""
    if value is None:
        return None
    if column == "flag" and value in (0, 1):
        return bool(value)
    if column == "integer" and type(value) is int and abs(value) < 2**63:
        return value
    if column in ("text", "json") and isinstance(value, str) and "\0" not in value:
        return value
    if column == "moment":
        return datetime.fromisoformat(str(value)).astimezone(UTC)
    if column == "day":
        return date.fromisoformat(str(value))
    raise ValueError(column)


def _bind(name: str) -> Any:
    import sqlalchemy as sa

    return sa.bindparam(name)


def _by_id(info: RecordInfo) -> Any:
    from bo.core.kernel.unit import _by

    return _by(info, "id")


def _called(info: RecordInfo) -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import in_list, table

    made = table(info)
    names = (made.c[name] for name in info.called)
    return sa.select(made.c.id, *names).where(in_list(made.c.id, sa.bindparam("values")))


def _ids_by(info: RecordInfo, name: str) -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import table

    made = table(info)
    return sa.select(made.c.id).where(made.c[name] == sa.bindparam("value", type_=made.c[name].type)).limit(6)
