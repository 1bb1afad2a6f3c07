"""A program of its own that works in an office with rules: `python -m tests.core.automation.clerk FOLDER WORK`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from bo.core.automation.following import Runner
from bo.core.kernel.workspace import Transaction
from bo.core.office import open_office


def end(_done: Transaction) -> None:
    """The power fails right after the commit."""
    os._exit(9)


def main(folder: str, work: str) -> None:
    with open_office(Path(folder)) as office:
        if work == "pay":
            office.after = end
            office.do("orders.pay", "1001", amount="80.00", method="card")
        else:
            print(Runner(office).follow().calls, flush=True)  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
