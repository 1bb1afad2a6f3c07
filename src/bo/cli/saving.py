"""Files that a command is asked to write: whole in their place, or not there at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bo.core.kernel.placing import Place


@contextmanager
def placed(path: Path, content: bytes | Iterable[bytes], *, keep: bool = True) -> Iterator[None]:
    """Write a file beside its place, and move it there when the block has ended well; `keep=False` is for a dry run.

    Raises:
        BadFile: the folder does not allow it.
        StorageFull: the disk has no room.
    """
    place = Place(path)
    try:
        place.file.writelines((content,) if isinstance(content, bytes) else content)
        place.file.flush()
        yield
        if keep:
            place.complete()
    except OSError as error:
        raise place.trouble(error) from None
    finally:
        place.drop()
