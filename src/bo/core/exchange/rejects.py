"""The file of rejected rows: the columns of the import as they came, and five more that say where and why.

It is a CSV that can be mended and imported again; the five columns are passed over then. It appears whole or not at
all, with its header alone where no row was rejected, so that an older one of that name never stands for this import.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

from bo.core.exchange.report import Fault
from bo.core.exchange.writers import Writer, open_writer
from bo.core.kernel.errors import UsageError

RECORD, LINE, COLUMN, VALUE, REASON = "bo_record", "bo_line", "bo_column", "bo_value", "bo_reason"
REJECT_COLUMNS: Final = (RECORD, LINE, COLUMN, VALUE, REASON)
BETWEEN: Final = "; "


def is_reject_file(columns: Sequence[str]) -> bool:
    """Whether an import wrote these columns for rows it rejected."""
    return all(name in columns for name in REJECT_COLUMNS)


class RejectFile:
    """Takes rejected rows. `close` completes the file; `abandon` leaves everything as it was."""

    def __init__(self, path: str | os.PathLike[str], columns: Sequence[str], source: str) -> None:
        if source != "-" and os.path.exists(path) and os.path.exists(source) and os.path.samefile(path, source):
            raise UsageError("the reject file would overwrite {file}", hint="Give it another name.", file=source)
        self.path = os.fspath(path)
        self.rows = 0
        self._width = len(columns)
        self._kept = [place for place, name in enumerate(columns) if name not in REJECT_COLUMNS]
        kept = [columns[place] for place in self._kept]
        self._writer: Writer = open_writer(path, "csv", [*kept, *REJECT_COLUMNS])

    def add(self, number: int, line: int, cells: Sequence[str | None], faults: Sequence[Fault]) -> None:
        """One row; cells beyond the columns are put with the value, so that none is lost."""
        kept = [cells[place] or "" if place < len(cells) else "" for place in self._kept]
        columns = BETWEEN.join(fault.column for fault in faults if fault.column)
        values = [fault.value for fault in faults if fault.value]
        surplus = [cell for cell in cells[self._width :] if cell]
        reasons = BETWEEN.join(_told(fault) for fault in faults)
        self._writer.row([*kept, str(number), str(line), columns, BETWEEN.join([*values, *surplus]), reasons])
        self.rows += 1

    def close(self) -> None:
        self._writer.close()

    def abandon(self) -> None:
        self._writer.abandon()


def _told(fault: Fault) -> str:
    return f"{fault.reason}. {fault.advice}".removesuffix(" ") if fault.advice else fault.reason
