"""Sums over records that one unit of work has asked for, kept in step with what its calls do.

A batch that asks for the same sum at each of its thousand calls asks the database once.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from bo.core.kernel.record import Record, RecordInfo

Condition = tuple[str, str, object]
Place = tuple[str, object]  # a lookup field and its value, by which changed records find the sums they count in
ANYWHERE: Final[Place] = ("", None)
COMPARED: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


class RunningSum:
    """One sum, with the conditions of what counts in it."""

    __slots__ = ("conditions", "field", "value")

    def __init__(self, field: str, conditions: Sequence[Condition], value: int) -> None:
        self.field, self.conditions, self.value = field, conditions, value

    def count(self, item: Record, sign: int) -> None:
        if all(_holds(getattr(item, name), compared, wanted) for name, compared, wanted in self.conditions):
            self.value += sign * ((getattr(item, self.field) or 0) if self.field else 1)


class RunningSums:
    """The sums over records of one sort."""

    def __init__(self, info: RecordInfo) -> None:
        self.info = info
        self.known: dict[tuple[object, ...], RunningSum] = {}
        self.places: dict[Place, list[RunningSum]] = {}

    def find(self, field: str, conditions: Sequence[Condition]) -> RunningSum | None:
        return self.known.get((field, *conditions))

    def keep(self, field: str, conditions: Sequence[Condition], value: int) -> None:
        kept = self.known[field, *conditions] = RunningSum(field, conditions, value)
        one_value = ((name, wanted) for name, compared, wanted in conditions if compared == "=" and _is_one(wanted))
        place = next((found for found in one_value if found[0] in self.info.lookups), ANYWHERE)
        self.places.setdefault(place, []).append(kept)

    def changed(self, before: Record | None, after: Record | None) -> None:
        """A record was added, changed or taken out."""
        if before is not None:
            self._count(before, -1)
        if after is not None:
            self._count(after, 1)

    def _count(self, item: Record, sign: int) -> None:
        for place in (ANYWHERE, *((name, getattr(item, name)) for name in self.info.lookups)):
            for kept in self.places.get(place, ()):
                kept.count(item, sign)


def _is_one(wanted: object) -> bool:
    return wanted is not None and not isinstance(wanted, tuple)


def _holds(value: object, compared: str, wanted: object) -> bool:
    """Whether a value meets a condition as the databases see it: nothing compares with what is not there."""
    if isinstance(wanted, tuple):
        return value in wanted
    if wanted is None:
        return (value is None) == (compared == "=")
    return value is not None and COMPARED[compared](value, wanted)
