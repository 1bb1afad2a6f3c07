"""Parameters that are rows: their columns, and the rows that a form begins with.

What a command takes pieces of (`lines`: names with numbers) are lines of an order: those of the record it is done to.
Rows that make something new begin with what there is to begin with, or empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from bo.core.kernel.errors import BoError
from bo.core.kernel.text import _
from bo.tui.source import Choice, ParamKind, RowColumn, StartRow

if TYPE_CHECKING:
    from bo.core.kernel.command import Param
    from bo.core.kernel.kinds import RowsKind
    from bo.core.kernel.reader import Reader
    from bo.core.orders.records import OrderLine

PIECES: Final = "lines"
ROOM: Final = 46
WIDTHS: Final[Mapping[str, int]] = {"whole": 8, "amount": 10, "day": 10, "currency": 5, "choice": 16}
KINDS: Final[Mapping[str, ParamKind]] = {
    "whole": "number",
    "amount": "amount",
    "choice": "choice",
}
NOT_TYPED: Final = ("facts", "rows", "tags")


def columns_of(param: Param) -> tuple[RowColumn, ...]:
    """The columns of a parameter that is rows or pieces; none for any other."""
    from bo.core.kernel.kinds import FactsKind, RowsKind

    if isinstance(param.kind, RowsKind):
        return _columns(param.kind)
    if isinstance(param.kind, FactsKind) and param.name == PIECES:
        return (
            RowColumn("sku", _("SKU"), 17, fixed=True), RowColumn("name", _("Name"), 23, fixed=True),
            RowColumn("quantity", _("pieces"), 6, "number", required=True),
        )  # fmt: skip
    return ()


def _columns(kind: RowsKind) -> tuple[RowColumn, ...]:
    """As many as fit side by side, always those that each row needs; the rest is for the command line."""
    made: list[RowColumn] = []
    room = ROOM - sum(_width(kind, name) for name in kind.required)
    for name, of in kind.kinds.items():
        if of.name in NOT_TYPED:
            continue
        width, needed = _width(kind, name), name in kind.required
        if not needed and room < width:
            continue
        room -= 0 if needed else width
        described = of.describe()
        options, labels = described.get("options"), described.get("labels")
        choices: tuple[Choice, ...] = ()
        if isinstance(options, list) and isinstance(labels, list):
            choices = tuple(Choice(str(each), str(label)) for each, label in zip(options, labels, strict=True))
        made.append(
            RowColumn(name, _(name.replace("_", " ")), width, KINDS.get(of.name, "text"), needed, choices)
        )  # fmt: skip
    return tuple(made)


def _width(kind: RowsKind, name: str) -> int:
    return WIDTHS.get(kind.kinds[name].name, 14)


def rows_for(read: Reader, command: str, record_id: str) -> Mapping[str, Sequence[StartRow]]:
    """The rows that the form of a command begins with, done to a record or asked for one. What may not be read, or is
    not there, is no row."""
    maker = {
        "orders.fulfil": _to_send, "returns.request": _to_return, "returns.receive": _announced,
        "returns.exchange": _exchanged,
    }.get(command)  # fmt: skip
    if maker is None or not record_id or not read.actor.may("order_lines.read"):
        return {}
    try:
        return {PIECES: maker(read, record_id)}
    except BoError:
        return {}


def _lines(read: Reader, order: str) -> list[OrderLine]:
    from bo.core.orders.records import OrderLine

    return read.records(OrderLine, f"order:{order} sort:position")


def _pieces(line: OrderLine, count: int) -> StartRow:
    return StartRow(line.id, {"sku": line.sku or "", "name": line.name, "quantity": str(count)}, count)


def _to_send(read: Reader, order: str) -> list[StartRow]:
    left = [(line, line.quantity - line.cancelled - line.fulfilled) for line in _lines(read, order)]
    return [_pieces(line, count) for line, count in left if count > 0]


def _to_return(read: Reader, order: str) -> list[StartRow]:
    from bo.core.returns import rules
    from bo.core.returns.receiving import announced_of
    from bo.core.returns.records import CustomerReturn

    announced = announced_of(read.records(CustomerReturn, f"order:{order}"))
    left = [(line, rules.returnable(line, announced.get(line.id, 0))) for line in _lines(read, order)]
    return [_pieces(line, count) for line, count in left if count > 0]


def _announced(read: Reader, back_id: str) -> list[StartRow]:
    from bo.core.returns.records import CustomerReturn

    back = read.get(CustomerReturn, back_id)
    known = {line.id: line for line in _lines(read, back.order)}
    return [_pieces(known[line], int(str(count))) for line, count in back.lines.items() if line in known]


def _exchanged(read: Reader, back_id: str) -> list[StartRow]:
    """The same goods again: what is exchanged is most often another size of them."""
    from bo.core.kernel.amounts import format_amount
    from bo.core.returns.records import CustomerReturn

    back = read.get(CustomerReturn, back_id)
    made = []
    for line in _lines(read, back.order):
        count = int(str(back.received.get(line.id, 0)))
        if count:
            each = line.total // line.quantity if line.quantity else line.price
            cells = {"sku": line.sku or "", "name": line.name, "quantity": str(count),
                     "price": format_amount(each, back.currency)}  # fmt: skip
            made.append(StartRow(line.id, cells))
    return made
