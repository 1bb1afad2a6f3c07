"""Files that a command is asked to write: whole in their place, or not there at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bo.core.kernel.errors import BadFile


@contextmanager
def placed(path: Path, content: bytes | Iterable[bytes], *, keep: bool = True) -> Iterator[None]:
    """Write a file beside its place, and move it there when the block has ended well; `keep=False` is for a dry run.

    Raises:
        BadFile: the folder or the disk does not allow it.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            file.writelines((content,) if isinstance(content, bytes) else content)
        yield
        if keep:
            part.replace(path)
    except OSError as error:
        raise BadFile(
            "{name} cannot be written: {reason}",
            hint="Check the folder and your rights to it.",
            name=str(path),
            reason=error.strerror or str(error),
        ) from None
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
