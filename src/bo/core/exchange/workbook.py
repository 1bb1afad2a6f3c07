"""Workbooks as rows: XLSX, XLSB, ODS and the old XLS, read in a process of their own.

This side guards the size before anything is unpacked, starts that process, and gives its rows the same shape as those
of a text file. It refuses what the process cannot finish in the memory and time that a workbook of this size may
take.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from typing import IO

import msgspec

from bo.core.exchange.containers import Content
from bo.core.exchange.layout import Intake, Sampled, Table, find_layout
from bo.core.exchange.sheet_process import Done, Failed, Message, Opened, Order, Rows, send
from bo.core.exchange.source import MIB, Limits, Source, shorten
from bo.core.kernel.errors import BadFile, BoError
from bo.core.kernel.text import _

SAMPLE_ROWS = 200
BLOCK_BYTES = 256 << 10
MOST_MESSAGE_BYTES = 256 * MIB
AS_CSV = "Save the sheet as CSV, which has no limit."

_decoder: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(Message)


def open_workbook(content: Content, *, sheet: str | int | None, header_row: int | None, limits: Limits) -> Source:
    """Open one sheet: the one named or numbered, else the first visible one that is not empty.

    Raises:
        BadFile: too large, protected, damaged, or without such a sheet or any data.
    """
    if content.size() > limits.workbook_file_bytes:
        raise BadFile(
            "{name} is larger than {most} MiB", hint=AS_CSV, name=content.name, most=limits.workbook_file_bytes // MIB
        )
    reading = _Reading(content, None if sheet is None else str(sheet), limits)
    try:
        return _as_source(reading, content, header_row, limits)
    except BaseException:
        reading.close()
        raise


def _as_source(reading: _Reading, content: Content, header_row: int | None, limits: Limits) -> Source:
    opened, notes = reading.opened, reading.notes
    notes += _notes(opened)
    sample = [Sampled(line, cells) for line, cells in enumerate(reading.peek(SAMPLE_ROWS), opened.first_row)]
    layout = find_layout(sample, header_row=header_row)
    if layout is None:
        raise BadFile("{name} has no data in sheet {sheet}", hint=OTHER_SHEET, name=content.name, sheet=opened.sheet)
    table = Table(reading, layout, Intake(), limits, notes=notes, offset=opened.first_column - 1)
    return Source(
        name=content.name,
        format=content.workbook or "xlsx",
        columns=table.columns,
        rows=table.rows(),
        notes=notes,
        skipped=table.skipped,
        sheet=opened.sheet,
        close=reading.close,
    )


OTHER_SHEET = "Choose another sheet with --sheet."


def _notes(opened: Opened) -> list[str]:
    notes = []
    if opened.others:
        notes.append(_("sheet {sheet}; there are also: {others}", sheet=opened.sheet, others=shorten(opened.others)))
    if opened.merged:
        notes.append(_("merged cells: {count}; those merged downwards count for each row", count=opened.merged))
    if opened.errors:
        first = ", ".join(opened.first_errors)
        notes.append(_("cells with an error instead of a value: {count} ({first})", count=opened.errors, first=first))
    return notes


class _Reading:
    """The rows of the process, as records: an iterator that knows the row of the sheet it has reached."""

    def __init__(self, content: Content, sheet: str | None, limits: Limits) -> None:
        self.line_num = 0
        self.notes: list[str] = []
        self._content = content
        self._limits = limits
        self._waiting: deque[list[str]] = deque()
        self._ended = False
        size = content.size()
        memory = limits.workbook_memory + 6 * max(content.unpacked_bytes, 2 * size) + size
        self._process = _start()
        # A timer, because reading from a pipe cannot be given a time limit on every system.
        self._timer = threading.Timer(limits.workbook_seconds, self._process.kill)
        self._timer.daemon = True
        self._timer.start()
        try:
            self._send(Order(content.workbook or "", sheet, memory))
            message = self._receive()
            if not isinstance(message, Opened):
                raise self._broken("it does not begin with a sheet")
        except BaseException:
            self.close()
            raise
        self.opened = message

    def __iter__(self) -> Iterator[list[str]]:
        return self

    def __next__(self) -> list[str]:
        if not self._waiting and not self._fill():
            raise StopIteration
        self.line_num += 1
        return self._waiting.popleft()

    def peek(self, count: int) -> list[list[str]]:
        """The next rows, which stay to be read."""
        while len(self._waiting) < count and self._fill():
            pass
        return list(self._waiting)[:count]

    def close(self) -> None:
        """End the process, whatever it is at, and let go of the file."""
        self._timer.cancel()
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        self._process.wait()
        self._content.close()

    def _fill(self) -> bool:
        while not self._ended:
            message = self._receive()
            if isinstance(message, Rows):
                if message.rows:
                    self._waiting.extend(message.rows)
                    return True
            else:
                self._ended = True
                if isinstance(message, Done) and message.long_numbers:
                    self.notes.append(_(LONG_NUMBERS, count=message.long_numbers, cell=message.first_long))
        return False

    def _send(self, order: Order) -> None:
        target = self._process.stdin
        assert target is not None
        with suppress(BrokenPipeError):
            # A process that dies early tells why, or says nothing; either shows when its answer is read.
            send(target, order)
            source = self._content.open()
            while block := source.read(BLOCK_BYTES):
                target.write(block)
            target.close()

    def _receive(self) -> Message:
        source = self._process.stdout
        assert source is not None
        size = int.from_bytes(_read_exactly(source, 4), "big")
        data = _read_exactly(source, size) if 0 < size <= MOST_MESSAGE_BYTES else b""
        if not data:
            raise self._ended_early()
        message = _decoder.decode(data)
        if isinstance(message, Failed):
            raise self._refusal(message)
        return message

    def _refusal(self, failed: Failed) -> BoError:
        name = self._content.name
        if failed.why == "password":
            return BadFile("{name} is protected by a password", hint="Save it without a password.", name=name)
        if failed.why == "sheet":
            return BadFile(
                "{name} has no such sheet; it has: {sheets}", hint=OTHER_SHEET, name=name, sheets=failed.detail
            )
        if failed.why == "empty":
            return BadFile("{name} has no data in its sheets", hint="Check that the right file was saved.", name=name)
        if failed.why == "letters":
            return BadFile(
                "{name} does not say how its letters are coded",
                hint="Open it in a spreadsheet program and save it as XLSX.",
                name=name,
            )
        if failed.why == "memory":
            return self._ended_early()
        return self._broken(failed.detail)

    def _broken(self, reason: str) -> BadFile:
        return BadFile(
            "{name} is a damaged workbook: {reason}",
            hint="Open it in a spreadsheet program and save the sheet as CSV.",
            name=self._content.name,
            reason=reason,
        )

    def _ended_early(self) -> BadFile:
        """The process was stopped by its memory, by the timer, or by a flaw that the workbook has hit."""
        return BadFile(
            "{name} takes more memory or time than a workbook of its size should",
            hint="A stray cell far from the table is a frequent cause (Ctrl+End goes there). " + AS_CSV,
            name=self._content.name,
        )


LONG_NUMBERS = (
    "numbers of more than 15 digits: {count} (first at {cell}); a spreadsheet does not keep their last digits,"
    " so make such cells text"
)


def _start() -> subprocess.Popen[bytes]:
    """This Python with its search path and nothing else. The workbook goes through pipes: no copy lies about."""
    paths = [os.path.abspath(path) for path in sys.path]
    code = f"import sys; sys.path[:] = {paths!r}; from bo.core.exchange.sheet_process import main; main()"
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


def _read_exactly(source: IO[bytes], size: int) -> bytes:
    data = source.read(size)
    return data if len(data) == size else b""
