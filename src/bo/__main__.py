"""`python -m bo` is `bo`."""

from __future__ import annotations

from bo.cli.main import main

if __name__ == "__main__":
    main()
