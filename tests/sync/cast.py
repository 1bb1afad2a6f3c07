"""Who is in the simulator's world: laptops, and the book of what was done on them."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path

import msgspec

from bo.core.kernel.workspace import Workspace
from tests.sync import judging
from tests.sync.dangers import Trip
from tests.sync.lossy import Lossy
from tests.sync.stage import Device


class Laptop:
    """A device with its person, its clock, its line, and copies of its disk."""

    def __init__(self, login: str, device: Device, trip: Trip, skew: timedelta) -> None:
        self.login = login
        self.device = device
        self.trip = trip
        self.skew = skew
        self.copies: list[Path] = []
        self.clones = 0

    @property
    def ws(self) -> Workspace:
        return self.device.ws

    @property
    def line(self) -> Lossy:
        line = self.device.client.transport
        assert isinstance(line, Lossy)
        return line

    def start_again(self) -> None:
        self.trip.disarm()
        self.device.reopen()
        self.trip.watch(self.ws.database)

    def known(self) -> set[str]:
        """The ids of all operations on this disk."""
        return set(judging.journal_of(self.ws)) | set(judging.outbox(self.device))


class Made(msgspec.Struct):
    """An operation that was done on a laptop, and what has happened to it."""

    where: str
    acknowledged: bool = False
    unchanged: bool = False
    refused: bool = False
    central_lost: bool = False  # with a central store that was restored from an older copy
    disk_lost: bool = False  # with a laptop that was


class Errors(logging.Handler):
    """Keeps what the central store complains about: every fault that it gets over is one all the same."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)
