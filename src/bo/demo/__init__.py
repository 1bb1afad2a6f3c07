"""The demo: one month of a brand's lead desk, told on the terminal with the program's own commands and their real
output.

Nothing here reaches into the office: every line is a `bo` command that could be typed. It refuses a folder that already
holds an office.
"""

from __future__ import annotations

from pathlib import Path

from bo.demo.story import tell


def run(folder: Path | None = None, *, pause: bool = False) -> int:
    """Tell the story in a folder that stays, or in a temporary one; the exit status."""
    return tell(folder, pause=pause)
