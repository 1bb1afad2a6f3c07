"""What an office decides once for all: days, thresholds, switches.

A module declares its settings in its `rules.py`, each with a kind, a default and a help text:

    WINDOW = Setting("returns.window_days", WholeKind(0, 3650), 30, "days after the last parcel in which …")

and reads them with what it has, a transaction or a reader:

    days = WINDOW.of(tx)            # or WINDOW.of(read)

People change them: `bo settings set --key returns.window_days --value 14`, `bo settings reset returns.window_days`,
`bo settings all` shows every one with its value. A change is an operation like any other: in the journal, undone by
`bo undo`, and on every device. Amounts are minor units of the office's currency; text is read in major units.
The declaring module must be one that `records.py`, `commands.py` or `queries.py` of a listed module imports.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

import msgspec

from bo.core.access.records import OfficeSetting
from bo.core.kernel.kinds import Context, Kind
from bo.core.kernel.reader import Reader
from bo.core.kernel.record import info_of
from bo.core.kernel.tx import Tx

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement

T = TypeVar("T")
DECLARED: Final[dict[str, Setting[Any]]] = {}


class Setting(Generic[T]):
    """One setting. Its key begins with the noun or module that it is about."""

    __slots__ = ("default", "help", "key", "kind")

    def __init__(self, key: str, kind: Kind, default: T, help_text: str) -> None:
        if key in DECLARED:
            raise TypeError(f"two settings are called {key}")
        self.key = key
        self.kind = kind
        self.default = default
        self.help = help_text
        DECLARED[key] = self

    def of(self, eyes: Tx | Reader) -> T:
        """The value that holds now. Whoever acts may know it."""
        text = _in_transaction(eyes, self.key) if isinstance(eyes, Tx) else _stored(eyes, self.key)
        return self.default if text is None else cast("T", msgspec.json.decode(text))

    def read(self, text: str, context: Context) -> str:
        """What a person typed, as it is kept. Raises BadValue."""
        return msgspec.json.encode(self.kind.decode(text, context)).decode()

    def show(self, value: T, currency: str) -> str:
        """A value as people read it."""
        return self.kind.show(value, currency)


def _in_transaction(tx: Tx, key: str) -> str | None:
    kept = tx.view_by(OfficeSetting, "key", key)
    return kept.value if kept is not None else None


def _stored(read: Reader, key: str) -> str | None:
    rows = read.rows(f"{info_of(OfficeSetting).fingerprint}:settings", _value_statement, wanted=key)
    return str(rows[0][0]) if rows else None


def _value_statement() -> ClauseElement:
    import sqlalchemy as sa

    from bo.core.kernel.tables import table

    made = table(info_of(OfficeSetting))
    return sa.select(made.c.value).where(made.c.key == sa.bindparam("wanted"))
