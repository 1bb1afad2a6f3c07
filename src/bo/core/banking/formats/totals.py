"""What a table says of itself above or below its rows, counts and sums, held against the rows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from bo.core.banking.formats.document import TableRow
from bo.core.banking.statement import WrongSums
from bo.core.kernel.text import _

if TYPE_CHECKING:
    from bo.core.banking.formats.mapping import Bound

STATED: Final = {
    "count": "number of rows",
    "credit": "money in",
    "credit_count": "rows of money in",
    "debit": "money out",
    "debit_count": "rows of money out",
    "neutral": "money neither in nor out",
    "neutral_count": "rows neither in nor out",
    "fee": "fees",
}
MINOR: Final = 100  # the files that state sums are in currencies of two decimals


class Told:
    """Sums of the rows that were read, by the names that patterns of totals use."""

    def __init__(self) -> None:
        self.sums: Counter[str] = Counter()
        self.fees = Decimal(0)  # as finely as they were written

    def add(self, name: str, amount: int) -> None:
        """One row that adds to a sum; rows of nothing are not counted there."""
        if amount:
            self.sums[name] += amount
            self.sums[name + "_count"] += 1

    def row(self) -> None:
        self.sums["count"] += 1


def require_totals(
    bound: Bound, told: Told, before: Sequence[TableRow], after: Sequence[TableRow], name: str
) -> dict[str, Decimal]:
    """What the file states, in major units. Raises WrongSums for what its rows do not come to."""
    stated = {**_by_pattern(bound, before, after), **_by_summary(bound, after), **_by_columns(bound, after)}
    for what, value in stated.items():
        found = Decimal(told.sums[what])
        if not what.endswith("count"):
            found /= MINOR
        if what == "fee":
            found = told.fees.quantize(Decimal("0.01"), "ROUND_HALF_UP")
        if found != abs(value):
            raise WrongSums(
                "{name} states {what}: {stated}; its rows come to {found}",
                hint="Rows are missing or changed: export it again, in one piece.",
                name=name,
                stated=value,
                what=_(STATED[what]),
                found=found,
            )
    return stated


def _by_pattern(bound: Bound, before: Sequence[TableRow], after: Sequence[TableRow]) -> dict[str, Decimal]:
    text = "\n".join(" ".join(cell for cell in row.cells if cell) for row in (*before, *after))
    found: dict[str, Decimal] = {}
    for pattern in bound.mapping.totals:
        if match := re.search(pattern, text):
            found.update(
                {name: value for name, said in match.groupdict().items() if (value := _number(said)) is not None}
            )
    return found


def _by_summary(bound: Bound, after: Sequence[TableRow]) -> dict[str, Decimal]:
    """A row of names with a row of values below it."""
    found: dict[str, Decimal] = {}
    for names, values in pairwise(after):
        for header, said in zip(names.cells, values.cells, strict=False):
            what = bound.mapping.summary.get(header.strip().lstrip("`"))
            value = _number(said)
            if what and value is not None:
                found[what] = value
    return found


def _by_columns(bound: Bound, after: Sequence[TableRow]) -> dict[str, Decimal]:
    """A row of sums in the very columns of the amounts."""
    found: dict[str, Decimal] = {}
    for row in after:
        for what in ("credit", "debit"):
            for place in bound.places.get(what, ()):
                value = _number(row.cells[place]) if place < len(row.cells) else None
                if value is not None and not bound.mapping.summary:
                    found[what] = value
    return found


def _number(said: str | None) -> Decimal | None:
    try:
        return Decimal((said or "").strip().lstrip("`¥").replace(",", ""))
    except InvalidOperation:
        return None
