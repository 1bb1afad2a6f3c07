"""The screen in a real terminal: from keys as bytes to what a terminal is sent. No test is timed; the benchmark is."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bo.core.kernel.dispatch import Call
from bo.core.office import context_for, create, open_office
from tests.benchmarks._terminal import Terminal

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


def test_a_signal_ends_it_in_order_and_gives_the_terminal_back(folder: Path) -> None:
    for number in (signal.SIGTERM, signal.SIGHUP):
        with screen(folder, "city:北京") as terminal:
            terminal.until(b"Accept")
            terminal.kill(number)
            terminal.until(b"\x1b[?1049l")
            assert terminal.ended(DONE_S)


FAULTY = """
import runpy
from bo.tui.screen import BoApp

def copy_id(self):
    customer = "secret " + "customer"
    raise LookupError("no such glyph")

BoApp.copy_id = copy_id
runpy.run_module("bo", run_name="__main__")
"""


def test_a_fault_ends_it_without_telling_what_it_was_at(folder: Path) -> None:
    words = ["tui", "-w", str(folder), "--as", "ann", "--lang", "en"]
    terminal = Terminal([sys.executable, "-c", FAULTY, *words])
    try:
        terminal.until(b"Accept")
        drawn = terminal.press(b"y", 2.0).text
        assert b"\x1b[?1049l" in drawn
        assert b"a fault in bo: LookupError: no such glyph" in drawn
        assert b"secret customer" not in drawn
        assert terminal.ended(DONE_S)
    finally:
        terminal.close()


def test_it_begins_with_orders_where_there_are_no_leads(tmp_path: Path) -> None:
    made = create(tmp_path / "shop", context_for("CN"), operator="ann")
    made.do("orders.record", number="1001", total="5.00")
    made.close()
    with screen(tmp_path / "shop") as terminal:
        terminal.until(b"orders 1/1")


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


class Recording(Terminal):
    """A terminal that keeps all it was sent."""

    seen = b""

    def _read(self, timeout_s: float) -> bytes:
        data = super()._read(timeout_s)
        self.seen += data
        return data


@contextmanager
def screen_in(folder: Path, *environment: str) -> Iterator[Recording]:
    """The screen where the environment is another: names to take out of it follow -u."""
    words = [sys.executable, "-m", "bo", "tui", "-w", str(folder), "--as", "ann", "--lang", "en"]
    terminal = Recording(["env", *environment, *words])
    try:
        yield terminal
    finally:
        terminal.close()


def colours(sent: bytes) -> set[int]:
    """The colours among the styles that a terminal was sent."""
    numbers = {int(number) for style in re.findall(rb"\x1b\[([\d;:]*)m", sent) for number in re.findall(rb"\d+", style)}
    return numbers & {*range(30, 39), *range(40, 49), *range(90, 108)}


# Keys, and what they bring: over a list, its dialogs, lines to type in, and screens of their own.
WALK = (
    (b"j", b""), (b"p", b"phone  "), (b"p", b""), (b"b", b"Reason"), (b"\x1b", b""), (b"?", b"Keys and commands"),
    (b"q", b""), (b"gd", b"What waits"), (b"q", b""), (b"gz", b"this screen"), (b"q", b""), (b"C", b"Columns"),
    (b"q", b""), (b"*", b"marked"), (b"d", b"do it"), (b"\x1b", b""), (b":", b""), (b"\x1b", b""), (b"/cit", b"cit"),
    (b"\x1b", b""), (b"Q", b"\x1b[?1049l"),
)  # fmt: skip


def test_without_colour_no_colour_is_sent_from_the_first_paint_to_the_end(folder: Path) -> None:
    with screen_in(folder, "NO_COLOR=1") as terminal:
        terminal.until(b"Accept")
        for keys, words in WALK:
            if words:
                terminal.send_until(keys, words, DONE_S)
            else:
                terminal.press(keys, 0.3)
    assert colours(terminal.seen) == set()
    assert re.search(rb"\x1b\[1[;m]", terminal.seen)  # what stands out is bold


@pytest.mark.parametrize(
    "environment",
    [("-u", "COLORTERM"), ("-u", "COLORTERM", "TERM=screen"), ("-u", "COLORTERM", "TERM=linux"), ("TERM=dumb",)],
    ids=["256 colours", "screen", "linux", "dumb"],
)
def test_other_terminals_draw_it_too(folder: Path, environment: tuple[str, ...]) -> None:
    with screen_in(folder, *environment) as terminal:
        terminal.until(b"Lead 28")
        terminal.until(b"Accept")
        terminal.send_until(b"/Lead 4\r", b"1/1", DONE_S)
        terminal.send_until(b"Q", b"\x1b[?1049l")
