"""Which records are marked: ids, never positions, so that no change of the view can move a mark to another record."""

from __future__ import annotations

from collections.abc import Iterable


class Marks:
    """Ids in the order they were marked, with the state the record had then where it was known."""

    def __init__(self) -> None:
        self._states: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._states)

    def __contains__(self, record_id: object) -> bool:
        return record_id in self._states

    def ids(self) -> list[str]:
        return list(self._states)

    def states(self) -> set[str]:
        """The states among the marked records, as far as they are known."""
        return {state for state in self._states.values() if state}

    def add(self, record_ids: Iterable[str], states: dict[str, str] | None = None) -> int:
        """Mark; returns how many were not marked before."""
        before = len(self._states)
        for record_id in record_ids:
            self._states[record_id] = (states or {}).get(record_id, self._states.get(record_id, ""))
        return len(self._states) - before

    def toggle(self, record_id: str, state: str = "") -> bool:
        """Mark or unmark; returns whether it is marked now."""
        if record_id in self._states:
            del self._states[record_id]
            return False
        self._states[record_id] = state
        return True

    def remove(self, record_ids: Iterable[str]) -> None:
        for record_id in record_ids:
            self._states.pop(record_id, None)

    def clear(self) -> int:
        """Unmark all; returns how many there were."""
        count = len(self._states)
        self._states.clear()
        return count
