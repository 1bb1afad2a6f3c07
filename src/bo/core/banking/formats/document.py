"""What a reader of statements is given: a file that is open already, as bytes, as text or as rows, and what the user
said about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

import msgspec

from bo.core.banking.statement import NotAStatement

TEXT_CHARS_MOST: Final = 64 << 20
LINES_MOST: Final = 100_000  # of one statement: it is one operation


class TableRow(NamedTuple):
    """A row of a table: where it stands in the file, and its cells as they are."""

    line: int
    cells: Sequence[str]


class Document(msgspec.Struct, frozen=True):
    """An open file. `head` is its beginning as text, "" for a workbook; the rest is read when asked for."""

    name: str
    head: str
    blocks: Callable[[], Iterator[bytes]]
    texts: Callable[[], Iterator[str]]
    rows: Callable[[], Iterator[TableRow]]

    def text(self) -> str:
        """All of a text file. Raises NotAStatement for one that is longer than any statement."""
        parts, length = [], 0
        for part in self.texts():
            length += len(part)
            if length > TEXT_CHARS_MOST:
                raise NotAStatement(
                    "{name} is longer than {most} million characters",
                    hint="Ask the bank for shorter periods, and take them in one after the other.",
                    name=self.name,
                    most=TEXT_CHARS_MOST >> 20,
                )
            parts.append(part)
        return "".join(parts)


class Hints(msgspec.Struct, frozen=True):
    """What a file may leave open: its currency, whether 3/4 is in March or in April (mdy, dmy), its decimal mark, and
    which column is what (`mapping`: a TOML file; `mappings`: folders of them)."""

    currency: str = ""
    days: str = ""
    decimal: str = ""
    mapping: str = ""
    mappings: tuple[str, ...] = ()
