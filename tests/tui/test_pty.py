"""The screen in a real terminal: from keys as bytes to what a terminal is sent. No test is timed; the benchmark is."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bo.core.kernel.dispatch import Call
from bo.core.office import context_for, create, open_office
from tests.benchmarks.screen import Terminal

pytestmark = pytest.mark.skipif(os.name != "posix", reason="pseudo terminals are POSIX's; Windows' are tested by pilot")

CITIES = ("北京", "上海")
EACH = 15
IMPORTED = 150
DONE_S = 60.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An office with as many leads in each of two cities."""
    made = create(tmp_path / "office", context_for("CN"), operator="ann")
    made.run(
        [
            Call("leads.report", None, {"name": f"Lead {number}", "phone": f"13800{number:06}", "city": city})
            for number, city in enumerate(CITIES * EACH)
        ],
        atomic=True,
    )
    made.close()
    return tmp_path / "office"


@contextmanager
def screen(folder: Path, *words: str) -> Iterator[Terminal]:
    terminal = Terminal([sys.executable, "-m", "bo", "tui", "-w", str(folder), "--as", "ann", "--lang", "en", *words])
    try:
        yield terminal
    finally:
        terminal.close()


def count(folder: Path, filter_text: str) -> int:
    office = open_office(folder)
    try:
        return office.reader().count("leads", filter_text)
    finally:
        office.close()


def until(holds: Callable[[], bool]) -> bool:
    began = time.monotonic()
    while not holds() and time.monotonic() - began < DONE_S:
        time.sleep(0.1)
    return holds()


def test_keys_become_decisions_and_leaving_gives_the_terminal_back(folder: Path) -> None:
    with screen(folder, "city:北京") as terminal:
        terminal.until(b"Lead 28")
        terminal.until(b"Accept")  # the footer: commands are on their keys
        terminal.send_until(b"d", b"accepted, u undoes")
        assert count(folder, "state:valid city:北京") == 1
        terminal.press(b"u", 0.5)
        assert until(lambda: count(folder, "state:valid") == 0)
        terminal.send_until(b"/Lead 4\r", b"1/1")
        terminal.send_until(b"Q", b"\x1b[?1049l")


def test_it_begins_as_the_command_line_says(folder: Path) -> None:
    with screen(folder, "--theme", "plain", "--ascii", "--of", "stores") as terminal:
        terminal.until(b"stores 0/0")
        drawn = terminal.press(b"?", 0.5).text
        assert b"\x1b[38;" not in drawn
        assert drawn.isascii()


def test_two_screens_and_an_import_by_cron_on_one_office_lose_nothing(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "leads.csv"
    rows = [f"Import {number},13900{number:06},Oslo" for number in range(IMPORTED)]
    file.write_text("name,phone,city\n" + "\n".join(rows) + "\n", "utf-8")
    importing = [sys.executable, "-m", "bo", "-w", str(folder), "--as", "ann"]
    words = [*importing, "cron", "run", "--", *importing, "leads", "import", str(file), "--yes"]

    with screen(folder, f"city:{CITIES[0]}") as first, screen(folder, f"city:{CITIES[1]}") as second:
        for terminal in (first, second):
            terminal.until(b"Accept")
        cron = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        drawn = b""
        for _number in range(EACH):
            drawn += first.press(b"d", 0.02).text + second.press(b"d", 0.02).text
        _out, told = cron.communicate(timeout=DONE_S)
        assert (cron.returncode, told) == (0, b"")
        assert until(lambda: count(folder, "state:valid") == 2 * EACH)
        for terminal in (first, second):
            drawn += terminal.press(b"r", 0.5).text

    assert b"busy" not in drawn.lower()
    assert [count(folder, f"state:valid city:{city}") for city in CITIES] == [EACH, EACH]
    assert count(folder, "city:Oslo state:pending_review") == IMPORTED
    assert count(folder, "") == 2 * EACH + IMPORTED
