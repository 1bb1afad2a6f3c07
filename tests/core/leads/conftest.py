"""One office, made once and copied for each test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.core.kernel.conftest import new_database as new_database
from tests.core.leads.scene import Scene, build


@pytest.fixture(scope="session")
def brand(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("brand") / "office"
    build(folder)
    return folder


@pytest.fixture
def scene(brand: Path, tmp_path: Path) -> Iterator[Scene]:
    shutil.copytree(brand, tmp_path / "office")
    made = Scene(tmp_path / "office")
    yield made
    made.office.close()
