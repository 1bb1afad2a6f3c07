"""Money at its goals: each part is a file `_money_<part>.py` beside this one, with a `main()` of its own.

python -m tests.benchmarks money [PART …]
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

PARTS = sorted(path.stem.removeprefix("_money_") for path in Path(__file__).parent.glob("_money_*.py"))


def main(words: Sequence[str] | None = None) -> int:
    """Run the named parts, or all; 1 where a goal is missed, 2 for a part that is not there."""
    chosen = list(words if words is not None else sys.argv[1:]) or PARTS
    if unknown := [name for name in chosen if name not in PARTS]:
        print(f"there is no part {unknown[0]}; there are: {', '.join(PARTS)}", file=sys.stderr)
        return 2
    late = 0
    for name in chosen:
        print(f"-- {name}", flush=True)
        late += import_module(f"tests.benchmarks._money_{name}").main()
    return min(late, 1)


if __name__ == "__main__":
    sys.exit(main())
