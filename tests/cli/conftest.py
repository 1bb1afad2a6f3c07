"""An office for each test of the command line, copied from one that is made once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bo.cli import syncing
from bo.core.office import context_for, create
from tests.cli.laptop import Door, Laptop
from tests.cli.running import Desk
from tests.sync.stage import Stage


@pytest.fixture(scope="session")
def made_office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh office whose administrator is ann."""
    folder = tmp_path_factory.mktemp("office") / "ours"
    create(folder, context_for("CN"), operator="ann").close()
    return folder


@pytest.fixture
def office(made_office: Path, tmp_path: Path) -> Path:
    """A copy of it of one's own."""
    return Path(shutil.copytree(made_office, tmp_path / "office"))


@pytest.fixture
def desk(office: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Desk:
    """The office, with `bo` run in it."""
    return Desk(office, capsys, monkeypatch)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A central store with its people and shops, in this process."""
    made = Stage(tmp_path)
    yield made
    made.close()


@pytest.fixture
def door(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Door:
    """The way to it, for every program that is run here."""
    made = Door(stage)
    monkeypatch.setattr(syncing, "transport_to", made)
    for name in ("CREDENTIALS_DIRECTORY", "BO_TOKEN", "BO_OPERATOR"):
        monkeypatch.delenv(name, raising=False)
    return made


@pytest.fixture
def laptop(door: Door, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Laptop:
    """A folder that is no office yet."""
    return Laptop(tmp_path / "laptop", capsys, monkeypatch)
