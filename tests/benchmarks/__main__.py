"""Runs benchmarks by name: `python -m tests.benchmarks startup …`; without a name all of them, one after the other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
NAMES = sorted(path.stem for path in HERE.glob("*.py") if not path.stem.startswith("_"))


def main(words: list[str]) -> int:
    """The number of those that missed a goal or failed."""
    chosen, rest = (words[:1], words[1:]) if words else (NAMES, [])
    if chosen[0] not in NAMES:
        print(f"there is no benchmark {chosen[0]}; there are: {', '.join(NAMES)}", file=sys.stderr)
        return 2
    failed = 0
    for name in chosen:
        print(f"== {name}", flush=True)
        failed += subprocess.run([sys.executable, "-m", f"tests.benchmarks.{name}", *rest], check=False).returncode != 0
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
