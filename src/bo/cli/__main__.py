"""`python -m bo.cli` is `bo`."""

from __future__ import annotations

import sys

from bo.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
