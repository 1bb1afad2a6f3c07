"""Places, views and what belongs to a record: going there, and coming back to exactly where one stood."""

from __future__ import annotations

from pathlib import Path

from bo.core.views.shipped import VIEWS
from bo.tui.source import NamedView
from bo.tui.views import views_of
from tests.tui.stage import LARGE, SMALL, Stage, play


def test_a_users_own_view_goes_before_the_shipped_one_on_its_digit() -> None:
    own = NamedView("leads", "Mine", "city:Oslo", slot=2, id="view_1")

    found = views_of("leads", [own])

    assert [view.slot for view in found] == list(range(1, len(VIEWS["leads"]) + 1))
    assert found[1] == own


def test_a_digit_opens_a_view_and_zero_shows_all_again(office: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("V")
        await stage.type("Valid ones 2")
        await stage.press("enter")
        await stage.until_said("View Valid ones saved")
        await stage.until_said("2 Valid ones")
        await stage.press("/", *"state:valid", "enter")
        await stage.until(lambda: stage.app.browser.filter_text == "state:valid")
        count = stage.app.table.count
        await stage.press("V")
        await stage.type("Valid ones 2")
        await stage.press("enter", "0")
        await stage.until(lambda: stage.app.table.count == 300)
        await stage.press("2")
        await stage.until(lambda: stage.app.table.count == count < 300)

    play(office, story)


def test_going_elsewhere_and_back_keeps_the_filter_the_cursor_and_the_marks(office: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("/", *"state:valid", "enter")
        await stage.until(lambda: stage.app.browser.filter_text == "state:valid")
        await stage.press("j", "j", "x")
        stood, marked = stage.current().id, stage.app.table.marks.ids()
        await stage.press(":")
        await stage.type("stores")
        await stage.press("enter")
        await stage.until(lambda: stage.app.browser.noun == "stores")
        assert stage.app.table.marks.ids() == []
        assert "stores" in stage.lines()[0]
        await stage.press("q")
        await stage.until(lambda: stage.app.browser.noun == "leads")
        assert stage.current().id == stood
        assert stage.app.table.marks.ids() == marked
        assert stage.app.browser.filter_text == "state:valid"

    play(office, story)


def test_a_key_typed_on_the_way_never_acts_on_the_record_left_behind(office: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(lambda: stage.app.frame.is_ready)
        left = stage.current()
        stage.burst(":", *"stores", "enter", "d", "d")
        await stage.until(lambda: stage.app.browser.noun == "stores" and stage.app.frame.is_ready)
        await stage.settled()
        await stage.press("-")
        await stage.until(lambda: stage.app.browser.noun == "leads")
        assert stage.current() == left
        assert not stage.app.table.acted

    play(office, story)


def test_commands_of_other_records_are_not_on_offer(office: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.until_said("Accept")
        await stage.press(":")
        await stage.type("stores")
        await stage.press("enter")
        await stage.until(lambda: stage.app.browser.noun == "stores" and stage.app.frame.is_ready)
        await stage.until(lambda: "Accept" not in stage.lines()[-1])

    play(office, story)


def test_what_belongs_to_a_record_is_one_key_away(office: Path) -> None:
    async def story(stage: Stage) -> None:
        city = stage.current().cells[3]
        await stage.press("o")
        await stage.until_said("The same city")
        await stage.press("enter")
        await stage.until(lambda: stage.app.table.count < 300)
        assert {stage.row(at).cells[3] for at in range(stage.app.table.count)} == {city}

    play(office, story)


def test_views_are_tabs_or_stand_with_the_places_where_there_is_room(office: Path) -> None:
    async def small(stage: Stage) -> None:
        assert stage.lines()[1].startswith(" 1 To review")

    async def large(stage: Stage) -> None:
        await stage.until_said("gl Leads")
        assert "To review" not in stage.lines()[1]
        assert any("1 To review" in line[:24] for line in stage.lines())

    play(office, small, size=SMALL)
    play(office, large, size=LARGE)
