"""Pages that people write by hand keep their form: decisions, changelog fragments, and links that lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

KINDS = ("Feature", "Change", "Fix", "Security", "Removal")
ADR_LINES_MAX = 40
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")


def test_a_decision_is_titled_by_its_number_and_is_short(project: Path) -> None:
    pages = sorted((project / "docs/adr").glob("[0-9]*.md"))
    assert [page.name[:4] for page in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]
    for page in pages:
        lines = page.read_text("utf-8").splitlines()
        assert lines[0].startswith(f"# {page.name[:4]}. "), page.name
        assert len(lines) <= ADR_LINES_MAX, page.name


def test_every_decision_is_in_the_list(project: Path) -> None:
    listed = re.findall(r"\((\d{4}-[\w-]+\.md)\)", (project / "docs/adr/README.md").read_text("utf-8"))
    assert listed == sorted(page.name for page in (project / "docs/adr").glob("[0-9]*.md"))


def test_a_changelog_fragment_says_its_kind_and_then_the_change(project: Path) -> None:
    for page in sorted((project / "changelog").glob("*/*.md")):
        title, empty, *rest = page.read_text("utf-8").splitlines()
        kind, _colon, change = title.partition(": ")
        assert kind in KINDS, page.name
        assert page.name.startswith(f"{kind.lower()}-"), page.name
        assert change, page.name
        assert not change.endswith("."), page.name
        assert empty == "", page.name
        assert rest, page.name


def test_every_link_inside_the_project_leads_somewhere(project: Path) -> None:
    pages = [project / "README.md", *(project / "docs").rglob("*.md"), *(project / "changelog").rglob("*.md")]
    broken = [
        f"{page.relative_to(project).as_posix()}: {target}"
        for page in pages
        for target in LINK.findall(page.read_text("utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []
