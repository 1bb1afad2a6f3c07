"""What an office decides about reconciling."""

from __future__ import annotations

from typing import Final

from bo.core.access.settings import Setting
from bo.core.kernel.kinds import AmountKind, WholeKind

WINDOW_DAYS: Final = Setting(
    "reconcile.window_days", WholeKind(0, 365), 5, "days around a payment in which its bank line is looked for"
)
WRITE_OFF_MOST: Final = Setting(
    "reconcile.write_off_most", AmountKind(), 100, "most that is written off of a bank line without another's right"
)
