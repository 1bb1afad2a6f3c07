"""The virtual table: moves, marks, columns, and what it costs."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.strip import Strip

from bo.tui.cells import harmless
from bo.tui.table import VirtualTable
from tests.tui.sample_office import HOSTILE, make_office
from tests.tui.stage import LARGE, SMALL, Stage, play


def test_the_first_rows_stand_on_the_screen_with_head_and_footer(office: Path) -> None:
    async def story(stage: Stage) -> None:
        first = stage.row(0)
        lines = stage.lines()
        assert "Office" in lines[0]
        assert "leads 1/300" in lines[0]
        await stage.until(lambda: "unsynced 0" in stage.lines()[0])
        assert "1 To review" in lines[1]
        assert "State" in lines[2]
        assert "Phone" in lines[2]
        assert first.cells[2] in lines[3]
        await stage.until_said("Accept")
        assert "? help" in stage.lines()[-1]

    play(office, story)


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_every_key_that_moves_goes_where_it_says(office: Path, size: tuple[int, int]) -> None:
    async def story(stage: Stage) -> None:
        table = stage.app.table
        rows = table.rows_visible
        assert rows == size[1] - (5 if size == SMALL else 4)  # the views are a line, or stand at the left
        expected = {
            ("j",): 1, ("down",): 2, ("k",): 1, ("up",): 0, ("G",): 299, ("g", "g"): 0, ("end",): 299, ("home",): 0,
            ("pagedown",): rows, ("pageup",): 0, ("ctrl+d",): rows // 2, ("ctrl+u",): 0,
        }  # fmt: skip
        for keys, position in expected.items():
            await stage.press(*keys)
            assert table.cursor == position, keys
        await stage.type(":123")
        await stage.press("enter")
        await stage.until(lambda: table.cursor == 122)
        await stage.until(lambda: stage.current().cells[2] in stage.text())
        await stage.until_said("leads 123/300")

    play(office, story, size=size)


def test_a_move_past_either_end_stays_at_the_end(office: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("k", "pageup", "ctrl+u")
        assert (stage.app.table.cursor, stage.app.table.top) == (0, 0)
        await stage.press("G", "j", "pagedown", "ctrl+d")
        assert stage.app.table.cursor == 299
        assert stage.app.table.top == 300 - stage.app.table.rows_visible

    play(office, story)


def test_an_empty_office_says_so_and_no_key_fails_there(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.until_said("There is nothing here yet")
        await stage.press("j", "k", "G", "space", "x", "v", "v", "*", "y", "p", "enter", "d", "f", "u", "U")
        await stage.until_said("Not now")
        assert stage.app.table.current() is None
        assert len(stage.app.table.marks) == 0

    play(make_office(tmp_path / "empty.db", 0), story)


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_hostile_names_are_shown_as_marks_and_every_line_keeps_its_width(
    hostile_office: Path, size: tuple[int, int]
) -> None:
    async def story(stage: Stage) -> None:
        await stage.settled()
        for strip in stage.app.screen._compositor.render_strips():
            assert strip.cell_length == size[0]
            assert harmless(strip.text.ljust(1)) == strip.text or strip.text == ""
            assert all(character.isprintable() for character in strip.text)
        text = stage.text()
        assert "[bold red]" in text
        for forbidden in ("\x1b", "\u202e", "\u200b", "\u200d", "\ufe0f", "\x07"):
            assert forbidden not in text
        for _name in HOSTILE:
            await stage.press("enter")
            await stage.until_said("History")
            assert all(character.isprintable() for line in stage.lines() for character in line)
            await stage.press("q")
            await stage.press("j")

    play(hostile_office, story, size=size)


def test_columns_scroll_sideways_while_the_first_one_stays(office: Path) -> None:
    async def story(stage: Stage) -> None:
        assert "Received" not in stage.table_lines()[0]
        await stage.press(*["l"] * 6)
        await stage.until(lambda: "Received" in stage.table_lines()[0])
        assert "State" in stage.table_lines()[0]
        assert "Name" not in stage.table_lines()[0]
        assert stage.current().cells[6] in stage.table_lines()[1]
        await stage.press(*["h"] * 6)
        await stage.until(lambda: "Name" in stage.table_lines()[0])

    play(office, story)


def test_marks_are_ids_with_a_glyph_and_a_count(office: Path) -> None:
    async def story(stage: Stage) -> None:
        first, third = stage.row(0).id, stage.row(2).id
        await stage.press("space", "j", "x")
        await stage.until_said("2 marked")
        assert stage.app.table.marks.ids() == [first, third]
        assert [line[0] for line in stage.table_lines()[1:5]] == ["▪", " ", "▪", " "]
        await stage.press("x")
        await stage.until_said("1 marked")
        await stage.press("X")
        await stage.until(lambda: "1 unmarked" in stage.text())
        assert len(stage.app.table.marks) == 0

    play(office, story)


def test_a_range_is_shown_before_it_is_taken_and_escape_leaves_it(office: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("v", "j", "j")
        await stage.until(lambda: [line[0] for line in stage.table_lines()[1:5]] == ["▹", "▹", "▹", " "])
        assert len(stage.app.table.marks) == 0
        await stage.press("escape")
        await stage.until(lambda: stage.table_lines()[1][0] == " ")
        await stage.press("v", "k", "v")
        await stage.until_said("2 marked")
        assert stage.app.table.marks.ids() == [stage.row(1).id, stage.row(2).id]

    play(office, story)


def test_star_marks_what_the_filter_shows_and_nothing_else(office: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.type("/city:Oslo")
        await stage.press("enter")
        await stage.until(lambda: stage.app.browser.filter_text == "city:Oslo")
        shown = stage.app.table.count
        assert 0 < shown < 300
        await stage.press("*")
        await stage.until(lambda: len(stage.app.table.marks) == shown)
        await stage.press("F")
        await stage.until(lambda: stage.app.table.count == 300)
        marked = {
            stage.row(position).cells[3] for position in range(128) if stage.row(position).id in stage.app.table.marks
        }
        assert marked == {"Oslo"}

    play(office, story)


def test_a_long_range_is_marked_without_its_pages_being_read(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("v", "G", "v")
        await stage.until(lambda: len(stage.app.table.marks) == 5_000)
        await stage.until_said("5,000 marked")

    play(make_office(tmp_path / "office.db", 5_000), story)


def test_a_move_draws_two_lines_and_asks_for_no_layout(office: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.settled()
        screen, table = stage.app.screen, stage.app.table
        drawn: set[int] = set()
        layouts: list[object] = []

        def draw(y: int) -> Strip:
            drawn.add(y)
            return VirtualTable.render_line(table, y)

        table.render_line = draw  # type: ignore[method-assign]
        screen._refresh_layout = lambda *given, **named: layouts.append(given)  # type: ignore[method-assign]
        await stage.press("j")
        await stage.pilot.pause(0.03)
        assert drawn == {1, 2}
        assert layouts == []

    play(office, story)


def test_a_click_puts_the_cursor_on_the_row(office: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.pilot.click(stage.app.table, offset=(5, 4))
        assert stage.app.table.cursor == 3

    play(office, story)
