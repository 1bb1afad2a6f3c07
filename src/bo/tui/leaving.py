"""Leaving the screen by a signal: it ends in order."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bo.tui.screen import BoApp

SIGNALS = ("SIGTERM", "SIGHUP")
BY_SIGNAL = 128  # what a shell adds to the number of the signal that ended a process


def leave_on_signals(app: BoApp) -> None:
    """A signal that ends the screen gives the terminal back as it was, and stops what runs beside. Where signals are
    not to be had, nothing changes."""
    loop = asyncio.get_running_loop()
    for name in SIGNALS:
        number = getattr(signal, name, None)
        if number is not None:
            # Windows has no such handlers, and only the main thread may set them.
            with suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(number, partial(app.exit, return_code=BY_SIGNAL + number))
