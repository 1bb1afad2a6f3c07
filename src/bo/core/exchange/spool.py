"""Planned rows put by until all of a file have been read: in memory at first, then in a nameless temporary file."""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Final, Self

import msgspec

from bo.core.exchange.planning import Item
from bo.core.kernel.errors import StorageFull

IN_MEMORY_BYTES: Final = 1 << 20
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Item]).decode


class Spool:
    """Takes batches of rows, and gives them back in their order. A context manager."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115  closed with the spool

    def add(self, items: Sequence[Item]) -> None:
        """Put a batch by. Raises StorageFull where the folder for temporary files has no room."""
        data = _encode(items)
        try:
            self._file.write(len(data).to_bytes(8, "big"))
            self._file.write(data)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
                raise
            raise StorageFull(
                "there is no room for temporary files; nothing was changed",
                hint="Free some space, or point TMPDIR to a larger disk.",
            ) from error

    def __iter__(self) -> Iterator[list[Item]]:
        self._file.seek(0)
        while size := self._file.read(8):
            yield _decode(self._file.read(int.from_bytes(size, "big")))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
