"""An office for each test of the command line, copied from one that is made once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bo.core.office import context_for, create
from tests.cli.running import Desk


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
