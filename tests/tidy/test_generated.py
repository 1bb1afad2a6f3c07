"""Generated files are what would be generated now."""

from __future__ import annotations

from tools.generate import outdated


def test_generated_files_are_up_to_date() -> None:
    assert [path.name for path, _content in outdated()] == [], "run: make docs"
