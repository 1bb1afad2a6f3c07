"""Offices for the tests of the screen."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.sample_office import make_office


@pytest.fixture
def office(tmp_path: Path) -> Path:
    """Three hundred ordinary leads."""
    return make_office(tmp_path / "office.db", 300)


@pytest.fixture
def hostile_office(tmp_path: Path) -> Path:
    """Leads whose names try to drive the terminal."""
    return make_office(tmp_path / "office.db", 40, hostile=True)
