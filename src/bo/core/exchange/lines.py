"""Bytes as text and text as lines, in bounded memory and strictly decoded.

It refuses bytes that are not of the encoding, naming the first, and lines or records without end.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from bo.core.exchange.containers import Bytes, Content
from bo.core.exchange.layout import PARTED_WRONG, Intake
from bo.core.exchange.sniffing import decoded, split_lines
from bo.core.exchange.source import Limits
from bo.core.kernel.errors import BadFile

BLOCK_BYTES = 256 << 10
OTHER_ENCODING = "Say another --encoding (utf-8, gb18030, utf-16-le, cp1252 …), or save the file as UTF-8."


def read_block(source: Bytes, size: int, name: str) -> bytes:
    """The next bytes; trouble with the disk is told as BadFile."""
    try:
        return source.read(size)
    except OSError as error:
        raise BadFile(
            "{name} cannot be read: {reason}", hint="Try again, or copy the file first.", name=name, reason=error
        ) from error


class TextBlocks:
    """A text as blocks of characters, strictly decoded: a wrong byte ends it, and nothing is put in its place."""

    def __init__(self, content: Content, encoding: str, most_bytes: int | None = None) -> None:
        self.encoding = encoding
        self._content = content
        self._most = most_bytes

    def __iter__(self) -> Iterator[str]:
        """The blocks, from the start; without the byte order mark.

        Raises BadFile naming the byte and the line of the first wrong one.
        """
        source, left = self._content.open(), self._most
        decoder = codecs.getincrementaldecoder(self.encoding)("strict")
        offset, lines, first = 0, 1, True
        while True:
            data = read_block(source, BLOCK_BYTES if left is None else min(left, BLOCK_BYTES), self._content.name)
            left = None if left is None else left - len(data)
            offset += len(data)
            try:
                text = decoder.decode(data, not data and left is None)
            except UnicodeError as error:
                raise self._undecodable(error, offset, lines) from error
            if first and text:
                text, first = text.removeprefix("\ufeff"), False
            lines += text.count("\n") or text.count("\r")
            if text:
                yield text
            if not data:
                return

    def _undecodable(self, error: UnicodeError, read: int, line: int) -> BadFile:
        if not isinstance(error, UnicodeDecodeError):
            return BadFile(
                "{name} is not {encoding}: {reason}",
                hint=OTHER_ENCODING,
                name=self._content.name,
                encoding=self.encoding,
                reason=error,
            )
        at = read - len(error.object) + error.start
        before = decoded(error.object[: error.start], self.encoding, complete=False) or ""
        return BadFile(
            "{name} is not {encoding}: byte {offset}, on line {line}, is {bytes}",
            hint=OTHER_ENCODING,
            name=self._content.name,
            encoding=self.encoding,
            offset=at,
            line=line + (before.count("\n") or before.count("\r")),
            bytes=error.object[error.start : error.start + 4].hex(" "),
        )


class LineFeeder:
    """Lines for the CSV reader, out of blocks; a line or a record without end is refused before it fills the memory."""

    def __init__(self, blocks: TextBlocks, line_end: str, intake: Intake, limits: Limits, name: str) -> None:
        self._blocks = blocks
        self._line_end = line_end
        self._intake = intake
        self._most = limits.record_chars
        self._name = name

    def lines(self) -> Iterator[str]:
        intake, line_end = self._intake, self._line_end
        rest, pending, seen, number = "", 0, 0, 1
        for block in self._blocks:
            if "\0" in block:
                intake.nul = True
            cut = block.rfind(line_end) + 1
            if not cut:
                rest += block
                if len(rest) > self._most:
                    raise self._endless(number)
                continue
            text, rest = rest + block[:cut], block[cut:]
            yield from split_lines(text, line_end)
            # If no record came of all these lines, one is still growing.
            pending = pending + len(text) if intake.records == seen else 0
            if pending > self._most:
                raise self._endless(number)
            seen = intake.records
            number += text.count(line_end)
        if rest:
            yield from split_lines(rest, line_end)

    def _endless(self, line: int) -> BadFile:
        return BadFile(
            "{name}: about line {line} a record is longer than {most} characters",
            hint="A quotation mark may be open, or the file is not a table. " + PARTED_WRONG,
            name=self._name,
            line=line,
            most=self._most,
        )
