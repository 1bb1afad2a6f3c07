"""Imports are tested in copies of one office, which is made once: two stores, a designer, nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bo.core.kernel.dispatch import Call
from bo.core.kernel.workspace import Workspace
from bo.core.office import context_for, create, open_office

START = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def office_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exchange") / "office"
    with create(folder, context_for("CN"), operator="li") as office:
        calls = [
            Call("stores.add", None, {"code": "west", "name": "Hangzhou West", "city": "杭州"}),
            Call("stores.add", None, {"code": "east", "name": "Hangzhou East", "city": "杭州"}),
            Call("referrers.register", None, {"code": "D1", "name": "林设计", "kind": "designer"}),
        ]
        office.run(calls, atomic=True)
    return folder


@pytest.fixture
def office_folder(office_template: Path, tmp_path: Path) -> Path:
    return shutil.copytree(office_template, tmp_path / "office")


@pytest.fixture
def office(office_folder: Path) -> Iterator[Workspace]:
    """An office whose clock goes one second further at each look."""
    looks = [START]

    def look() -> datetime:
        looks[0] += timedelta(seconds=1)
        return looks[0]

    with open_office(office_folder, clock=look) as made:
        yield made
