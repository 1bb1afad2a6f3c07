"""Putting a file in its place: whole, or what was there before stays."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from typing import IO

from bo.core.kernel.errors import BadFile, StorageFull


class Place:
    """Where the bytes go: a stream of the caller, or a file that takes its name when it is complete."""

    def __init__(self, target: str | os.PathLike[str] | IO[bytes]) -> None:
        self._final = ""
        self._part = ""
        if not isinstance(target, str | os.PathLike):
            self.name, self.file = str(getattr(target, "name", "-")), target
            return
        self.name = os.fspath(target)
        self._final = os.path.realpath(self.name)
        try:
            self.file = self._opened()
        except OSError as error:
            raise self.trouble(error) from error

    def _opened(self) -> IO[bytes]:
        if os.path.isdir(self._final):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if os.path.exists(self._final) and not os.path.isfile(self._final):
            # A device or a pipe cannot be replaced; it is written to.
            return open(self._final, "wb")
        folder, name = os.path.split(self._final)
        self._part = os.path.join(folder, f".{name[:80]}.{os.urandom(4).hex()}.part")
        return open(self._part, "xb")

    def complete(self) -> None:
        if not self._final:
            self.file.flush()
            return
        self.file.flush()
        if self._part:
            os.fsync(self.file.fileno())
        self.file.close()
        if self._part:
            if os.path.exists(self._final):
                os.chmod(self._part, stat.S_IMODE(os.stat(self._final).st_mode))
            os.replace(self._part, self._final)

    def drop(self) -> None:
        if self._final:
            with suppress(OSError):  # it tries once more to write what there was no room for
                self.file.close()
            if self._part and os.path.exists(self._part):
                os.unlink(self._part)

    def trouble(self, error: OSError) -> BadFile | StorageFull | OSError:
        if isinstance(error, BrokenPipeError):
            return error
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return StorageFull(
                "there is no room to write {name}; nothing was changed", hint="Free some space.", name=self.name
            )
        return BadFile(
            "{name} cannot be written: {reason}",
            hint="Check the folder and your rights to it.",
            name=self.name,
            reason=error.strerror or error,
        )
