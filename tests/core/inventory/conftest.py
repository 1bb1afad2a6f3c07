"""One shop, made once and copied for each test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.core.inventory.shop import Shop, build


@pytest.fixture(scope="session")
def shop_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop") / "office"
    build(folder)
    return folder


@pytest.fixture
def shop(shop_template: Path, tmp_path: Path) -> Iterator[Shop]:
    shutil.copytree(shop_template, tmp_path / "office")
    made = Shop(tmp_path / "office")
    yield made
    made.office.close()
