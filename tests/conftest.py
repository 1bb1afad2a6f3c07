"""What every test can count on: English, no settings of the person who runs it, no keyring, and no network."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from bo.core.kernel.text import use_language

# The same examples on every machine and no time limit, so that a slow runner is not a failure.
# `HYPOTHESIS_PROFILE=search` looks for new ones.
settings.register_profile(
    "steady", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("search", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

NEARBY = ("127.0.0.1", "::1", "localhost")


@pytest.fixture(autouse=True)
def own_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A home of its own for each test, and none of the settings that `bo` reads from the environment."""
    for name in [name for name in os.environ if name.startswith(("BO_", "LC_", "XDG_"))]:
        monkeypatch.delenv(name)
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    home = tmp_path_factory.mktemp("home", numbered=True)
    for name in ("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(home))
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    use_language("en")
    yield
    use_language("en")


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


@pytest.fixture(scope="session")
def project() -> Path:
    """The top folder of the project."""
    return Path(__file__).parents[1]
