"""What a user chose for their own screen, kept in `screen.toml` where the system keeps settings: theme, language,
plain characters, going on after acting. It is nobody else's and no part of the office.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

NAMES: Final = ("theme", "language", "ascii", "advance")


class Remembered:
    """Reads the file once. Without a path nothing is kept beyond this run; what cannot be read counts as not there."""

    def __init__(self, path: str) -> None:
        self._path = Path(path) if path else None
        self._values = dict(_read(self._path)) if self._path is not None and self._path.is_file() else {}

    def get(self, name: str) -> str:
        return self._values.get(name, "")

    def put(self, name: str, value: str) -> None:
        """Remember a choice; the file is replaced as a whole.

        Raises OSError, and then it holds for this run alone.
        """
        self._values[name] = value
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        part = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        lines = [f'{each} = "{self._values[each]}"' for each in NAMES if self._values.get(each)]
        part.write_text("\n".join(["# written by the screen of bo: gz", *lines]) + "\n", "utf-8")
        os.replace(part, self._path)


def _read(path: Path) -> Mapping[str, str]:
    import tomllib

    try:
        found = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return {name: value for name, value in found.items() if name in NAMES and isinstance(value, str)}
