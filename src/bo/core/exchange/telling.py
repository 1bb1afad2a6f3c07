"""Records with their lists as rows of a file: nested in JSON, in cells a row for each entry with the head in the first.

id, number, total, lines.sku, lines.quantity
ord_1, A1, 30.00, RAKE, 1
ord_1, A1, , SPADE, 2
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any, Final, Protocol

from bo.core.exchange.nested import Nested, Told, as_json, as_text, methods_of, rows_of
from bo.core.kernel.kinds import AmountKind, RefKind
from bo.core.kernel.reader import Reader
from bo.core.kernel.record import FieldInfo, RecordInfo, info_of

Row = tuple[Any, ...]
METHOD: Final = "method"
MARK: Final = "."


class Shaper(Protocol):
    """What turns stored rows into columns of values. `amounts` are the places of those that are decimals."""

    @property
    def names(self) -> list[str]: ...

    @property
    def amounts(self) -> list[int]: ...

    def columns(self, batch: Sequence[Row]) -> list[Sequence[Any]]: ...


class Names:
    """What records that others refer to are called: by their natural key, where they have one of one field. One without
    a key, such as a customer without a number, is not named: only this office knows its id."""

    def __init__(self, reader: Reader, fields: Sequence[FieldInfo]) -> None:
        self._reader = reader
        self._places: list[tuple[int, RecordInfo, str]] = []
        self._known: dict[str, str] = {}
        for place, item in enumerate(fields):
            if isinstance(item.kind, RefKind):
                info = info_of(reader.registry.record(item.kind.record))
                if len(info.key) == 1 and info.by_name[info.key[0]].meta.unique:
                    self._places.append((place, info, info.key[0]))

    def put(self, columns: list[Sequence[Any]]) -> None:
        """Put names in the place of ids."""
        for place, info, name in self._places:
            ids = {value for value in columns[place] if value}
            if wanted := sorted(ids - self._known.keys()):
                self._look_up(info, name, wanted)
            if ids:
                columns[place] = [self._known.get(value, value) for value in columns[place]]

    def _look_up(self, info: RecordInfo, name: str, ids: list[str]) -> None:
        import sqlalchemy as sa

        from bo.core.kernel.tables import in_list, table

        def build() -> sa.ClauseElement:
            made = table(info)
            return sa.select(made.c["id"], made.c[name]).where(in_list(made.c["id"], sa.bindparam("values")))

        values = self._reader.session.array(ids)
        rows = self._reader.rows(f"{info.fingerprint}:called:{name}", build, values=values)
        self._known.update(dict.fromkeys(ids, ""))
        self._known.update((id, key or "") for id, key in rows)


class WithLists:
    """Rows of records with their lists. `id_place` is where the id stands in a stored row."""

    def __init__(
        self,
        head: Shaper,
        lists: Sequence[Nested],
        reader: Reader,
        *,
        id_place: int,
        currency: Callable[[list[Sequence[Any]], int], Sequence[str]],
        method: bool,
    ) -> None:
        self.head, self.lists = head, lists
        self._reader, self._id, self._currency = reader, id_place, currency
        self.method = method
        self.head_names = [*head.names, *([METHOD] if method else [])]

    def told(self, batch: Sequence[Row]) -> tuple[list[Sequence[Any]], list[dict[str, list[Told]]], Sequence[str]]:
        """The columns of the heads; of each record its lists; and the currency of each."""
        columns = self.head.columns(batch)
        ids = [str(row[self._id]) for row in batch]
        if self.method:
            methods = methods_of(self._reader, ids)
            columns.append([methods.get(id, "") for id in ids])
        found = [(nested.name, rows_of(self._reader, nested, ids)) for nested in self.lists]
        lists = [{name: rows.get(id, []) for name, rows in found} for id in ids]
        return columns, lists, self._currency(columns, len(batch))


class InJson:
    """Lists as arrays of objects."""

    def __init__(self, whole: WithLists) -> None:
        self._whole = whole
        self.names = [*whole.head_names, *(nested.name for nested in whole.lists)]
        self.amounts: list[int] = []

    def columns(self, batch: Sequence[Row]) -> list[Sequence[Any]]:
        columns, lists, currencies = self._whole.told(batch)
        for nested in self._whole.lists:
            columns.append(
                [
                    [as_json(row, nested.kinds, currency) for row in of[nested.name]]
                    for of, currency in zip(lists, currencies, strict=True)
                ]
            )
        return columns


class InCells:
    """A row for each entry of the longest list; what a record is known by stands in all of them."""

    def __init__(self, whole: WithLists, known_by: Sequence[str], escape: Callable[[str], str]) -> None:
        self._whole, self._escape = whole, escape
        self._fields = [(nested.name, name, kind) for nested in whole.lists for name, kind in nested.kinds.items()]
        self.names = [*whole.head_names, *(f"{name}{MARK}{field}" for name, field, _kind in self._fields)]
        width = len(whole.head_names)
        self.amounts = [
            *whole.head.amounts,
            *(width + at for at, (_name, _field, kind) in enumerate(self._fields) if isinstance(kind, AmountKind)),
        ]
        self._repeated = [name in known_by for name in whole.head_names]

    def columns(self, batch: Sequence[Row]) -> list[Sequence[Any]]:
        columns, lists, currencies = self._whole.told(batch)
        heads = list(zip(*columns, strict=True))
        rows = chain.from_iterable(map(self._rows, heads, lists, currencies))
        return list(zip(*rows, strict=True))

    def _rows(self, head: Sequence[Any], lists: Mapping[str, list[Told]], currency: str) -> list[list[Any]]:
        most = max([1, *map(len, lists.values())])
        again = [value if repeated else None for value, repeated in zip(head, self._repeated, strict=True)]
        made = []
        for at in range(most):
            row = list(again if at else head)
            for name, field, kind in self._fields:
                entries = lists[name]
                value = entries[at].get(field) if at < len(entries) else None
                row.append(None if value is None else self._escape(as_text(kind, value, currency)))
            made.append(row)
        return made
