"""The catalog is tested in copies of one office, which is made once and has nothing in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bo.core.kernel.workspace import Workspace
from bo.core.office import context_for, create, open_office


@pytest.fixture(scope="session")
def bare_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("catalog") / "office"
    create(folder, context_for("US"), operator="li").close()
    return folder


@pytest.fixture
def office(bare_template: Path, tmp_path: Path) -> Iterator[Workspace]:
    with open_office(shutil.copytree(bare_template, tmp_path / "office")) as made:
        yield made
