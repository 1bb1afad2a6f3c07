"""Organisations for tests with processes of their own: on files, small or large, and on PostgreSQL with two servers."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from bo.core.kernel.database import PostgresDatabase
from bo.sync.organisations import Organisations
from tests.sync.house import ORG, cheap_passwords, furnish
from tests.sync.processes import LEADS, Site, reports

_numbers = count(1)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An organisation with its people and two shops, to be copied."""
    folder = tmp_path_factory.mktemp("small") / "central"
    with pytest.MonkeyPatch.context() as patch:
        cheap_passwords(patch)
        organisations = Organisations(folder)
        furnish(organisations)
        organisations.close()
    return folder


@pytest.fixture(scope="session")
def large(small: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with many leads."""
    folder = tmp_path_factory.mktemp("large") / "central"
    shutil.copytree(small, folder)
    organisations = Organisations(folder)
    with organisations.central(ORG).writing("system") as ws:
        ws.run(reports(LEADS, 1_000_000), atomic=True)
    organisations.close()
    return folder


def opened(template: Path, folder: Path) -> Iterator[Site]:
    shutil.copytree(template, folder / "central")
    made = Site(folder)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def site(small: Path, tmp_path: Path) -> Iterator[Site]:
    yield from opened(small, tmp_path)


@pytest.fixture
def large_site(large: Path, tmp_path: Path) -> Iterator[Site]:
    yield from opened(large, tmp_path)


@pytest.fixture
def shared_site(postgres_url: str, tmp_path: Path) -> Iterator[Site]:
    """An organisation in a PostgreSQL database, with two servers; the second one's port is in `ports`."""
    name = f"processes_{os.getpid()}_{next(_numbers)}"
    door = PostgresDatabase(postgres_url)
    door.session.script([f'CREATE DATABASE "{name}"'])
    url = postgres_url.replace("/postgres?", f"/{name}?", 1)
    organisations = Organisations(None, url)
    with pytest.MonkeyPatch.context() as patch:
        cheap_passwords(patch)
        furnish(organisations)
    organisations.close()
    site = Site(tmp_path, url)
    try:
        for _server in range(2):
            site.start()
        yield site
    finally:
        site.close()
        door.session.script([f'DROP DATABASE "{name}" WITH (FORCE)'])
        door.close()
