"""Views: live filter, sort, refresh, preview, detail; one's place is never lost."""

from __future__ import annotations

import sqlite3
import threading
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


def test_a_filter_that_is_taken_and_not_understood_is_not_said_to_be_that_of_the_rows(office: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.type("/Oslo!")
        await stage.until_said("The filter Oslo! cannot be understood")
        await stage.press("enter")
        await stage.until(lambda: "cannot be understood" in stage.app.message.text)
        await stage.settled()
        assert stage.app.browser.wanted_filter == stage.app.browser.filter_text != "Oslo!"
        assert "Oslo!" not in stage.lines()[0]

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


def test_the_id_is_copied_to_the_terminals_clipboard(office: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("j", "y")
        await stage.until_said(f"Copied: {stage.current().id}")
        assert stage.app.clipboard == stage.current().id

    play(office, story)


# First rows before all are known


def held_back(stage: Stage) -> threading.Event:
    """From now on views show their first rows and wait for this before they know the rest."""
    stage.source.gate = threading.Event()
    return stage.source.gate


def test_first_rows_are_shown_before_the_count_is_known_and_stay_where_they_are(office: Path) -> None:
    async def story(stage: Stage) -> None:
        gate = held_back(stage)
        await stage.press("r")
        await stage.until_said("leads 1/…")
        before = stage.table_lines()
        await stage.press("j", "j")
        record = stage.current().id
        gate.set()
        await stage.until_said("leads 3/300")
        assert (stage.app.table.cursor, stage.app.table.top, stage.current().id) == (2, 0, record)
        assert stage.table_lines()[1:20] == before[1:20]
        every = stage.source.snapshots[-1].ids(0, 300)
        assert [stage.row(at).id for at in range(128)] == every[:128]
        assert len(set(every)) == 300

    play(office, story)


def test_who_moves_on_while_a_view_is_built_stays_on_the_record_they_went_to(office: Path) -> None:
    async def story(stage: Stage) -> None:
        record = stage.row(3).id
        stage.burst("r", "j", "j", "j")
        await stage.until(lambda: len(stage.source.snapshots) == 2)
        await stage.settled()
        assert (stage.app.table.cursor, stage.current().id) == (3, record)

    play(office, story)


@pytest.mark.parametrize(
    ("keys", "cursor"), [(("G", "k"), 298), ((":", *"250", "enter", "j"), 250), (("pagedown",) * 8, 152)]
)
def test_what_goes_beyond_the_first_rows_waits_for_the_rest_and_so_do_the_keys_behind_it(
    office: Path, keys: tuple[str, ...], cursor: int
) -> None:
    async def story(stage: Stage) -> None:
        gate = held_back(stage)
        await stage.press("r")
        await stage.until_said("leads 1/…")
        stage.burst(*keys)
        await stage.until(lambda: stage.app.keyboard._waits)
        assert stage.app.table.cursor < 128
        gate.set()
        await stage.until(lambda: stage.app.table.cursor == cursor)
        await stage.until_said(f"leads {cursor + 1}/300")

    play(office, story)


def test_marking_everything_waits_for_all_rows_and_the_command_behind_it_for_the_marks(office: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.type("/state:pending_review")
        await stage.press("enter")
        await stage.until(lambda: stage.app.browser.filter_text == "state:pending_review")
        count = stage.app.table.count
        assert count > 128
        gate = held_back(stage)
        await stage.press("r")
        await stage.until_said("leads 1/…")
        stage.burst("*", "d")
        await stage.until(lambda: stage.app.keyboard._waits)
        assert len(stage.app.table.marks) == 0
        assert len(stage.app.screen_stack) == 1
        gate.set()
        await stage.until_said(f"{count}")
        await stage.until(lambda: len(stage.app.table.marks) == count)
        await stage.until(lambda: len(stage.app.screen_stack) == 2, "the question about all of them")

    play(office, story)


def test_acting_before_all_rows_are_known_is_done_to_the_record_under_the_cursor(office: Path) -> None:
    async def story(stage: Stage) -> None:
        gate = held_back(stage)
        await stage.type("/state:pending_review")
        await stage.press("enter")
        await stage.until_said("leads 1/…")
        record = stage.current().id
        await stage.press("d")
        await stage.until_said("accepted, u undoes")
        assert stage.app.table.acted == {record}
        gate.set()
        await stage.until(lambda: stage.row(0).state == "valid")
        assert (stage.row(0).id, stage.app.table.cursor) == (record, 1)
        assert stage.app.table.count == stage.source.snapshots[-1].count > 128

    play(office, story)


def test_a_newer_filter_drops_the_rest_of_the_older_one(office: Path) -> None:
    async def story(stage: Stage) -> None:
        gate = held_back(stage)
        await stage.press("r")
        await stage.until_said("leads 1/…")
        older = stage.source.snapshots[-1]
        await stage.type("/Oslo")
        await stage.until(lambda: stage.app.browser.filter_text == "Oslo")
        assert stage.app.table.whole
        assert (older.whole, older.count) == (False, 128)
        gate.set()
        await stage.press("enter", "q")
        await stage.until_said("/300 ")

    play(office, story)


def test_after_a_filter_that_is_given_up_the_rows_from_before_are_all_known_again(office: Path) -> None:
    async def story(stage: Stage) -> None:
        gate = held_back(stage)
        await stage.press("r")
        await stage.until_said("leads 1/…")
        await stage.press("j", "j")
        place = stage.current().id, stage.app.table.cursor, stage.app.table.top
        await stage.type("/Oslo")
        await stage.until(lambda: stage.app.browser.filter_text == "Oslo")
        await stage.press("escape")
        gate.set()
        await stage.until_said("leads 3/300")
        assert (stage.current().id, stage.app.table.cursor, stage.app.table.top) == place

    play(office, story)


def test_a_filter_that_is_not_understood_does_not_leave_the_rows_half_known(office: Path) -> None:
    async def story(stage: Stage) -> None:
        gate = held_back(stage)
        await stage.press("r")
        await stage.until_said("leads 1/…")
        await stage.type(":filter city:!")
        await stage.press("enter")
        await stage.until_said("cannot be understood")
        gate.set()
        await stage.until_said("leads 1/300")

    play(office, story)


def test_a_record_further_down_than_the_first_rows_is_kept_under_the_cursor(office: Path) -> None:
    async def story(stage: Stage) -> None:
        stage.app.table.move_to(200)
        await stage.settled()
        record = stage.current().id
        gate = held_back(stage)
        await stage.press("r")
        await stage.until(lambda: len(stage.source.snapshots) == 2)
        assert stage.app.table.whole  # the rows from before, until the new ones are all known
        gate.set()
        await stage.until(lambda: stage.source.snapshots[-1].whole)
        await stage.settled()
        assert (stage.current().id, stage.app.table.cursor) == (record, 200)

    play(office, story)
