"""Start-up hygiene: help and completion load nothing heavy. This counts modules, so it is as steady as it is quick."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.tidy.code import PROJECT

# fmt: off
HEAVY = frozenset((
    "aiohttp", "alembic", "asyncio", "calamine", "charset_normalizer", "email", "holidays", "http", "httpx", "keyring",
    "phonenumbers", "psycopg", "pydantic", "python_calamine", "rapidfuzz", "reportlab", "rich", "sqlalchemy",
    "sqlite_utils", "textual", "textual_serve", "unittest", "urllib3",
))
# fmt: on
MODULES_AT_START_MAX = 320
SOURCE = PROJECT / "src/bo"


def modules_loaded_by(statement: str) -> list[str]:
    ran = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", statement],
        capture_output=True,
        check=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(SOURCE.parent)},
    )
    lines = [line for line in ran.stderr.splitlines() if line.startswith("import time:") and "|" in line]
    return [line.rpartition("|")[2].strip() for line in lines[1:]]


ENTRANCES = [name for name in ("cli.main", "core.kernel.command") if (SOURCE / f"{name.replace('.', '/')}.py").exists()]


@pytest.mark.parametrize("entrance", ENTRANCES)
def test_starting_loads_nothing_heavy(entrance: str) -> None:
    loaded = modules_loaded_by(f"import bo.{entrance}")

    assert sorted({name.partition(".")[0] for name in loaded} & HEAVY) == []
    assert len(loaded) <= MODULES_AT_START_MAX
