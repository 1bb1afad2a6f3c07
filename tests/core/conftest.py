"""Money is tested in copies of one office, which is made once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.core.money_office import MoneyOffice, copy_office, make_office


@pytest.fixture(scope="session")
def money_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("money") / "office"
    make_office(folder)
    return folder


@pytest.fixture
def money(money_template: Path, tmp_path: Path) -> Iterator[MoneyOffice]:
    made = copy_office(money_template, tmp_path / "office")
    yield made
    made.ws.close()
