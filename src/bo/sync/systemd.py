"""What systemd wants to know of a service of `Type=notify`: that it is ready, that it stops, and that it is alive.

Nothing happens where `NOTIFY_SOCKET` is not set, which is everywhere else.
"""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import suppress

LONGEST = 3600.0


def tell(state: str) -> None:
    """Send one state, such as `READY=1`. That nobody listens is no failure of ours."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if not path or not hasattr(socket, "AF_UNIX"):
        return
    address = "\0" + path[1:] if path.startswith("@") else path
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect(address)
        sender.send(state.encode())


async def stay_alive() -> None:
    """Tell the watchdog for as long as the event loop turns, twice in each interval that it allows."""
    try:
        seconds = int(os.environ.get("WATCHDOG_USEC", "0")) / 2_000_000
    except ValueError:
        seconds = 0.0
    while 0 < seconds < LONGEST:
        tell("WATCHDOG=1")
        await asyncio.sleep(seconds)
