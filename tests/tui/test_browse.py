"""Views: live filter, sort, refresh, preview, detail; one's place is never lost."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.tui.sample_office import make_office
from tests.tui.stage import LARGE, SMALL, Stage, play


def test_a_filter_narrows_while_it_is_typed_and_enter_keeps_it(office: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("/")
        await stage.type("city:Oslo")
        await stage.until(lambda: stage.app.browser.filter_text == "city:Oslo")
        assert {stage.row(at).cells[3] for at in range(10)} == {"Oslo"}
        assert "/ city:Oslo" in stage.text()
        await stage.press("enter")
        await stage.until(lambda: not stage.app.typing.is_open)
        await stage.until_said("/city:Oslo")
        await stage.press("j")
        assert stage.app.table.cursor == 1

    play(office, story)


def test_escape_gives_back_the_rows_the_cursor_and_the_offset_from_before(office: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("G", *["k"] * 30)
        await stage.settled()
        table = stage.app.table
        place = table.cursor, table.top, stage.current().id, table.count
        await stage.press("/")
        await stage.type("Oslo")
        await stage.until(lambda: stage.app.browser.filter_text == "Oslo")
        assert table.count < 300
        await stage.press("escape")
        assert (table.cursor, table.top, stage.current().id, table.count) == place
        assert stage.app.browser.filter_text == ""
        await stage.until_said(f"leads {place[0] + 1}/300")

    play(office, story)


def test_the_cursor_stays_on_its_record_when_the_filter_lets_it_through(office: Path) -> None:
    async def story(stage: Stage) -> None:
        stage.app.table.move_to(150)
        await stage.settled()
        record, city = stage.current().id, stage.current().cells[3]
        await stage.press("l", "l", "l", "f")
        await stage.until(lambda: stage.app.browser.filter_text == f"city:{city}")
        assert stage.current().id == record
        await stage.press("F")
        await stage.until(lambda: stage.app.table.count == 300)
        assert (stage.current().id, stage.app.table.cursor) == (record, 150)

    play(office, story)


def test_a_filter_that_is_not_understood_says_so_and_keeps_the_rows(office: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.type("/Oslo!")
        await stage.until_said("The filter Oslo! cannot be understood. Leave out the !.")
        await stage.press("escape")
        await stage.type(":filter city:!")
        await stage.press("enter")
        await stage.until_said("cannot be understood")
        assert stage.app.table.count == 300

    play(office, story)


def test_a_filter_that_matches_nothing_says_so(office: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.type("/nobody at all")
        await stage.press("enter")
        await stage.until_said("Nothing matches the filter")
        await stage.press("q")
        await stage.until(lambda: stage.app.table.count == 300)

    play(office, story)


@pytest.mark.parametrize("typed", ["北京", "王"])
def test_chinese_can_be_typed_into_the_filter(office: Path, typed: str) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("/", *typed, "enter")
        await stage.until(lambda: stage.app.browser.filter_text == typed)
        assert 0 < stage.app.table.count < 300
        assert typed in stage.table_lines()[1]

    play(office, story)


def test_fast_typing_asks_once_and_answers_that_are_stale_are_dropped(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        asked = len(stage.source.snapshots)
        stage.burst("/", *"Oslo", "enter")
        await stage.until(lambda: stage.app.browser.filter_text == "Oslo")
        await stage.settled()
        assert len(stage.source.snapshots) - asked <= 2
        for word in ("Ber", "Lyon", "Bob", "Eve"):
            stage.app.browser.filter_by(word)
        await stage.until(lambda: stage.app.browser.filter_text == "Eve")
        await stage.settled()
        assert stage.app.browser.filter_text == "Eve"
        stage.app.browser.refresh()
        await stage.settled()
        assert sum(not snapshot.closed for snapshot in stage.source.snapshots) <= 2

    play(make_office(tmp_path / "office.db", 5_000), story)


def test_sorting_keeps_the_record_and_shows_the_direction(office: Path) -> None:
    async def story(stage: Stage) -> None:
        stage.app.table.move_to(40)
        record = stage.current().id
        await stage.type(":sort -value")
        await stage.press("enter")
        await stage.until(lambda: stage.app.browser.sort == "-value")
        assert stage.current().id == record
        await stage.until(lambda: "Value ▾" in "".join(stage.table_lines()[0]) or stage.app.table.sort == "-value")
        values = [int(stage.row(at).cells[5].replace(",", "")) for at in range(20)]
        assert values == sorted(values, reverse=True)
        await stage.press("S")
        await stage.until_said("Sort by")
        stage.burst(*"city", "enter")
        await stage.until(lambda: stage.app.browser.sort == "city")
        await stage.type(":sort colour")
        await stage.press("enter")
        await stage.until_said("colour is not a field to sort by")

    play(office, story, size=LARGE)


def test_acting_does_not_move_rows_and_refresh_does(office: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.type("/state:pending_review")
        await stage.press("enter")
        await stage.until(lambda: stage.app.browser.filter_text == "state:pending_review")
        count, order = stage.app.table.count, [stage.row(at).id for at in range(10)]
        await stage.press("d")
        await stage.until_said("accepted, u undoes")
        await stage.until(lambda: stage.row(0).state == "valid")
        assert [stage.row(at).id for at in range(10)] == order
        assert stage.app.table.count == count
        await stage.press("r")
        await stage.until(lambda: stage.app.table.count == count - 1)
        assert stage.row(0).id == order[1]
        assert stage.app.table.acted == set()

    play(office, story)


def test_a_removed_record_keeps_its_line_and_says_that_it_is_gone(office: Path) -> None:
    async def story(stage: Stage) -> None:
        record = stage.row(1).id
        database = sqlite3.connect(office)
        database.execute("DELETE FROM lead WHERE id = ?", (record,))
        database.commit()
        database.close()
        stage.app.browser.reload({record})
        await stage.until(lambda: "gone" in stage.table_lines()[2])
        await stage.press("j", "enter")
        await stage.until_said(f"There is no lead {record}")

    play(office, story)


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_the_preview_stands_at_the_right_where_there_is_room_and_comes_by_key_where_not(
    office: Path, size: tuple[int, int]
) -> None:
    async def story(stage: Stage) -> None:
        preview = stage.app.preview
        assert preview.display is (size == LARGE)
        if size == SMALL:
            await stage.press("p")
        await stage.until(lambda: stage.current().id in stage.text())
        await stage.press(*["J"] * 9)
        await stage.until_said("nothing yet")
        await stage.press("j")
        await stage.until(lambda: stage.current().id in preview.text)
        await stage.press("p")
        await stage.until(lambda: stage.current().id not in stage.text())

    play(office, story, size=size)


def test_the_preview_comes_and_goes_with_the_width_of_the_window(office: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.pilot.resize_terminal(140, 40)
        await stage.until(lambda: stage.current().id in stage.text())
        assert stage.app.table.size.height == 36
        await stage.press("?")
        await stage.until_said("q closes")
        await stage.pilot.resize_terminal(80, 24)
        await stage.settled()
        await stage.press("q")
        await stage.until(lambda: len(stage.app.screen_stack) == 1)
        await stage.until(lambda: stage.current().id not in stage.text())
        assert stage.app.table.size.width == 80

    play(office, story)


def test_the_whole_record_and_its_history_open_over_the_table(office: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.type("/state:pending_review")
        await stage.press("enter")
        await stage.until(lambda: stage.app.browser.filter_text == "state:pending_review")
        name = stage.current().cells[1]
        await stage.press("d")
        await stage.until_said("accepted, u undoes")
        await stage.press("k", "enter")
        await stage.until_said("q closes")
        assert name in stage.text()
        assert "leads.accept: pending_review -> valid" in stage.text()
        await stage.press("j", "G", "g", "q")
        await stage.until(lambda: len(stage.app.screen_stack) == 1)
        await stage.press("g", "h")
        await stage.until_said("History")

    play(office, story)


def test_the_id_is_copied_to_the_terminals_clipboard(office: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("j", "y")
        await stage.until_said(f"Copied: {stage.current().id}")
        assert stage.app.clipboard == stage.current().id

    play(office, story)
