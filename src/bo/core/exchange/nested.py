"""What is told together with a record and has records of its own: the lines of an order, the variants and pictures of a
product.

It owns one thing: those records as the rows that the command which makes the record takes in, so that an export can
tell them and an import can see that it is told nothing new.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bo.core.kernel.amounts import format_amount
from bo.core.kernel.command import Command
from bo.core.kernel.kinds import AmountKind, FlagKind, Kind, RowsKind
from bo.core.kernel.reader import Reader
from bo.core.kernel.record import Record, RecordInfo, info_of

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement

Told = dict[str, Any]
BETWEEN: Final = ", "


class Nested(msgspec.Struct, frozen=True):
    """A list of rows of a record: `name` as its command calls it, and the records it stands for."""

    name: str
    noun: str
    kinds: Mapping[str, Kind]
    info: RecordInfo
    parent: str


# noun -> list -> noun of its records, and their field that names the record they belong to
_LISTS: Final = {
    "orders": {"lines": ("order_lines", "order")},
    "customers": {"addresses": ("addresses", "customer"), "contacts": ("contacts", "customer")},
    "products": {"variants": ("variants", "product"), "media": ("media", "product")},
}


def lists_of(reader: Reader, noun: str, create: Command | None) -> list[Nested]:
    """The lists of a noun, as far as the actor may read them, without the fields they may not see."""
    found = []
    for name, (other, parent) in _LISTS.get(noun, {}).items():
        param = create.param(name) if create is not None else None
        if param is None or not isinstance(param.kind, RowsKind) or not reader.actor.may(f"{other}.read"):
            continue
        info = info_of(reader.registry.record(other))
        hidden = {item.name for item in reader.actor.hidden(info)}
        kinds = {field: kind for field, kind in param.kind.kinds.items() if field not in hidden}
        found.append(Nested(name, other, kinds, info, parent))
    return found


def rows_of(reader: Reader, nested: Nested, ids: Sequence[str]) -> dict[str, list[Told]]:
    """The rows of a list of these records, by the record, in their order; fields that say nothing are left out."""
    info = nested.info
    tell = _TELL.get(nested.noun, _tell)
    found: dict[str, list[Told]] = {}
    key = f"{info.fingerprint}:nested:{nested.parent}"
    for row in reader.rows(key, lambda: _of(info, nested.parent), values=reader.session.array(sorted(ids))):
        record = info.load(row[1:])
        reader.veil(info, record)
        told = tell(record, nested.kinds)
        found.setdefault(getattr(record, nested.parent), []).append(told)
    return found


def _of(info: RecordInfo, parent: str) -> ClauseElement:
    import sqlalchemy as sa

    from bo.core.kernel.tables import in_list, table

    made = table(info)
    order = (made.c[parent], made.c["position"], made.c["id"])
    return sa.select(made).where(in_list(made.c[parent], sa.bindparam("values"))).order_by(*order)


# -- records as rows ---------------------------------------------------------------------------------------------------


def _tell(record: Record, kinds: Iterable[str]) -> Told:
    told = {name: getattr(record, name) for name in kinds if hasattr(record, name)}
    return {name: value for name, value in told.items() if value is not None and value != "" and value != {}}


def _tell_line(record: Record, kinds: Iterable[str]) -> Told:
    """A line of a credit note is told as it came: pieces below nothing."""
    told = _tell(record, kinds)
    if told.get("total", 0) < 0 and told.get("quantity", 0) == told.get("cancelled"):
        told |= {"quantity": -told["quantity"]}
        told.pop("cancelled")
    return told


def _tell_variant(record: Record, kinds: Iterable[str]) -> Told:
    from bo.core.catalog.rules import OPTION_NAMES, option_parts

    values = option_parts(str(getattr(record, "option_key", "")))
    return {**{name: value for name, value in zip(OPTION_NAMES, values, strict=False) if value}, **_tell(record, kinds)}


_TELL: Final[dict[str, Callable[[Record, Iterable[str]], Told]]] = {
    "order_lines": _tell_line,
    "variants": _tell_variant,
}


def says_nothing_new(told: Sequence[Mapping[str, object]], held: Sequence[Told]) -> bool:
    """Whether rows say only what is there, each of the row in its place."""
    return len(told) == len(held) and all(
        known.get(name, "") == value
        for row, known in zip(told, held, strict=True)
        for name, value in row.items()
        if value not in ("", None)
    )


# -- what else is told of a record -------------------------------------------------------------------------------------


def methods_of(reader: Reader, ids: Sequence[str]) -> dict[str, str]:
    """How orders were paid, by the order."""
    from bo.core.orders.receiving import IMPORTED
    from bo.core.orders.records import Payment

    info = info_of(Payment)
    found: dict[str, dict[str, None]] = {}
    key = f"{info.fingerprint}:methods"
    for order, method in reader.rows(key, lambda: _methods(info), values=reader.session.array(sorted(ids))):
        if method and method != IMPORTED:
            found.setdefault(order, {})[method] = None
    return {order: BETWEEN.join(methods) for order, methods in found.items()}


def _methods(info: RecordInfo) -> ClauseElement:
    import sqlalchemy as sa

    from bo.core.kernel.tables import in_list, table

    made = table(info)
    wanted = in_list(made.c["order"], sa.bindparam("values"))
    return sa.select(made.c["order"], made.c["method"]).where(wanted).order_by(made.c["order"], made.c["at"])


# -- values as text ----------------------------------------------------------------------------------------------------


def as_json(told: Told, kinds: Mapping[str, Kind], currency: str) -> Told:
    """A row as it stands in JSON: amounts are decimals in major units."""
    return {
        name: format_amount(value, currency) if isinstance(kinds.get(name), AmountKind) else value
        for name, value in told.items()
    }


def as_text(kind: Kind | None, value: object, currency: str) -> str:
    """A value as it stands in a cell."""
    if isinstance(kind, AmountKind) and isinstance(value, int):
        return format_amount(value, currency)
    if isinstance(kind, FlagKind):
        return "true" if value else "false"
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
