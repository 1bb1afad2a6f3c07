"""The recorded frames in docs/screens are what the screen draws now: a few of them, in both languages and sizes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import frames, frames_office

COMPARED = ("leads", "leads-wide", "leads-zh", "leads-wide-zh")
NAMES = {scene.name: scene for scene in frames.SCENES}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("frames") / "acme"
    frames_office.make(folder)
    return folder


@pytest.mark.parametrize("name", COMPARED)
def test_a_recorded_frame_is_what_is_drawn(office: Path, name: str) -> None:
    kept = (frames.TARGET / f"{name}.txt").read_text("utf-8")
    assert frames.record(NAMES[name], office) == kept, "python -m tools.frames records them anew"


def test_every_scene_is_recorded_and_shown_in_the_docs() -> None:
    recorded = {path.stem for path in frames.TARGET.glob("*.txt")}
    page = (frames.TARGET.parent / "screen.md").read_text("utf-8")
    assert recorded == set(NAMES)
    assert [name for name in sorted(NAMES) if f"screens/{name}.txt" not in page] == []
