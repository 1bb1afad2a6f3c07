"""What a file has named before, in little memory: eight bytes for each key, however long the file is."""

from __future__ import annotations

from array import array
from typing import Final

FIRST_SIZE: Final = 1 << 14
FULL: Final = 0.6
MASK: Final = (1 << 64) - 1


class Seen:
    """Counts how often keys came before. Keys are told apart by 64 bits of their hash, in one process."""

    def __init__(self) -> None:
        self._slots = array("Q", bytes(8 * FIRST_SIZE))
        self._count = 0
        self._repeats: dict[int, int] = {}

    def before(self, key: str) -> int:
        """How often this key came before; from now on once more."""
        mark = hash(key) & MASK or 1
        slots, last = self._slots, len(self._slots) - 1
        place = mark & last
        while (held := slots[place]) != mark:
            if not held:
                slots[place] = mark
                self._count += 1
                if self._count > last * FULL:
                    self._grow()
                return 0
            place = (place + 1) & last
        earlier = self._repeats[mark] = self._repeats.get(mark, 0) + 1
        return earlier

    def _grow(self) -> None:
        held, self._slots = self._slots, array("Q", bytes(16 * len(self._slots)))
        slots, last = self._slots, len(self._slots) - 1
        for mark in held:
            if mark:
                place = mark & last
                while slots[place]:
                    place = (place + 1) & last
                slots[place] = mark
