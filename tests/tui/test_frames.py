"""The recorded frames in docs/screens are what the screen draws now: a few of them, in both languages and sizes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import frames, frames_office, frames_scenes

COMPARED = ("leads", "leads-wide", "leads-zh", "leads-wide-zh")
NAMES = {scene.name: scene for scene in frames_scenes.SCENES}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("frames") / "acme"
    frames_office.make(folder)
    return folder


@pytest.mark.parametrize("name", COMPARED)
def test_a_recorded_frame_is_what_is_drawn(office: Path, name: str) -> None:
    kept = (frames.TARGET / f"{name}.txt").read_text("utf-8")
    assert frames.record(NAMES[name], office) == kept, "python -m tools.frames records them anew"


def test_every_scene_is_recorded_and_the_index_lists_them_all() -> None:
    recorded = {path.stem for path in frames.TARGET.glob("*.txt")}
    assert recorded == set(NAMES), "python -m tools.frames records them anew"
    assert (frames.TARGET / frames.INDEX).read_text("utf-8") == frames_scenes.index()
