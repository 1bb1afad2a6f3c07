"""What is installed: written down, locked by hash, and without an address of anybody's package index."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")
PIN = re.compile(r"([a-z0-9][a-z0-9-]*)==([0-9][0-9A-Za-z.+!]*)( ; [^\\]+)? \\")


def asked_for(project: Path) -> dict[str, str]:
    """Every dependency that pyproject.toml names, with the version it asks for."""
    settings = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))
    groups = [
        settings["project"]["dependencies"],
        *settings["project"]["optional-dependencies"].values(),
        *settings["dependency-groups"].values(),
        settings["build-system"]["requires"],
    ]
    found = [re.match(r"([\w-]+)(?:\[\w+\])?([^;]*)", line) for group in groups for line in group]
    return {match[1]: match[2].strip() for match in found if match}


def locked(project: Path) -> dict[str, str]:
    lines = (project / "requirements.lock").read_text("utf-8").splitlines()
    return {match[1]: match[2] for match in map(PIN.fullmatch, lines) if match}


def test_every_dependency_has_its_line_in_the_docs(project: Path) -> None:
    told = set(re.findall(r"^\| `([\w-]+)`", (project / "docs/dependencies.md").read_text("utf-8"), re.MULTILINE))
    assert told == set(asked_for(project))


def test_every_dependency_is_locked(project: Path) -> None:
    assert set(asked_for(project)) - set(locked(project)) == set()


def test_what_breaks_between_versions_is_held_to_one_line_of_them(project: Path) -> None:
    asked, pinned = asked_for(project), locked(project)
    for name, line in (("textual", "8.2"), ("typer", "0.28"), ("sqlalchemy", "2.1")):
        assert asked[name] == f"=={line}.*"
        assert pinned[name].startswith(f"{line}.")


def test_the_lock_holds_versions_and_hashes_and_nothing_else(project: Path) -> None:
    lines = (project / "requirements.lock").read_text("utf-8").splitlines()
    strange = [
        line for line in lines if not line.startswith("#") and not HASH.fullmatch(line) and not PIN.fullmatch(line)
    ]
    assert strange == []


def test_no_file_that_installs_names_an_index_or_a_path(project: Path) -> None:
    addresses = re.compile(r"https?://|file:|index-url|find-links|(?<![\w.$/])/(?:home|root|Users|tmp|opt|work)/")
    for name in ("requirements.lock", "pyproject.toml", "Makefile", ".ci/run"):
        text = (
            (project / name).read_text("utf-8").replace("--no-emit-index-url", "").replace("--no-emit-find-links", "")
        )
        assert addresses.findall(text) == [], name
