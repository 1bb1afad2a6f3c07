"""Acting on records by keys: advance, bulk, refusals, undo, repeat."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from bo.tui.confirm import SETTLE_S
from tests.tui.sample_office import make_office
from tests.tui.stage import LARGE, SMALL, Stage, play


def states(office: Path) -> dict[str, str]:
    database = sqlite3.connect(office)
    try:
        return dict(database.execute("SELECT id, state FROM lead"))
    finally:
        database.close()


async def go_to(stage: Stage, state: str) -> None:
    """Put the cursor on the first row of that state."""
    table = stage.app.table
    position = next(at for at in range(table.count) if stage.row(at).state == state)
    table.move_to(position)
    await stage.settled()


async def answer(stage: Stage, *keys: str) -> None:
    """Answer the question that is open, once it takes answers."""
    await stage.until(lambda: len(stage.app.screen_stack) == 2)
    await stage.pilot.pause(SETTLE_S + 0.05)
    await stage.press(*keys)
    await stage.until(lambda: len(stage.app.screen_stack) == 1)


def test_a_key_acts_dims_the_row_where_it_stands_and_goes_on(office: Path) -> None:
    async def story(stage: Stage) -> None:
        await go_to(stage, "pending_review")
        at, record = stage.app.table.cursor, stage.current().id
        await stage.press("d")
        assert stage.app.table.cursor == at + 1
        await stage.until_said("accepted, u undoes")
        assert states(office)[record] == "valid"
        await stage.until(lambda: stage.row(at).state == "valid")
        assert stage.row(at).id == record
        assert record in stage.app.table.acted
        await stage.until_said("unsynced 1")

    play(office, story)


def test_keys_typed_fast_act_on_one_record_each(tmp_path: Path) -> None:
    office = make_office(tmp_path / "office.db", 400, seed=11)

    async def story(stage: Stage) -> None:
        await stage.type("/state:pending_review")
        await stage.press("enter")
        await stage.until(lambda: stage.app.browser.filter_text == "state:pending_review")
        await stage.settled()
        wanted = [stage.row(at).id for at in range(50)]
        before = states(office)
        stage.burst(*["d"] * 50)
        await stage.until_said("unsynced 50")
        after = states(office)
        assert [record for record in after if after[record] != before[record]] == sorted(wanted)
        assert {after[record] for record in wanted} == {"valid"}
        assert [stage.row(at).id for at in range(50)] == wanted
        assert stage.app.table.cursor == 50

    play(office, story)


def test_a_command_that_the_state_does_not_allow_says_so_and_changes_nothing(office: Path) -> None:
    async def story(stage: Stage) -> None:
        before = states(office)
        await go_to(stage, "won")
        at = stage.app.table.cursor
        await stage.press("d")
        await stage.until_said("The good next step: none from won")
        assert stage.app.table.cursor == at
        assert states(office) == before
        assert "Accept" not in stage.lines()[-1]

    play(office, story)


def test_a_record_that_another_changed_meanwhile_is_refused_and_flagged(office: Path) -> None:
    async def story(stage: Stage) -> None:
        await go_to(stage, "pending_review")
        at, record = stage.app.table.cursor, stage.current().id
        database = sqlite3.connect(office)
        database.execute("UPDATE lead SET state = 'invalid' WHERE id = ?", (record,))
        database.commit()
        database.close()
        await stage.press("d")
        await stage.until_said("refused: not possible in state invalid")
        assert states(office)[record] == "invalid"
        assert record not in stage.app.table.acted
        await stage.until(lambda: stage.table_lines()[1 + at - stage.app.table.top][0] == "!")
        await stage.until(lambda: stage.row(at).state == "invalid")

    play(office, story)


def test_bulk_is_confirmed_and_refused_records_stay_marked(office: Path) -> None:
    async def story(stage: Stage) -> None:
        rows = [stage.row(at) for at in range(20)]
        await stage.press("v", *["j"] * 19, "v")
        await stage.until_said("20 marked")
        await go_to(stage, "pending_review")
        await stage.press("d")
        await stage.until_said("Accept: 20 leads ?")
        await answer(stage, "y")
        good = [row.id for row in rows if row.state == "pending_review"]
        bad = [row.id for row in rows if row.state != "pending_review"]
        await stage.until_said(f"{len(good)} accepted, {len(bad)} refused: not possible in state")
        assert stage.app.table.marks.ids() == bad
        after = states(office)
        assert {after[record] for record in good} == {"valid"}
        assert [after[row.id] for row in rows if row.id in bad] == [row.state for row in rows if row.id in bad]
        await stage.press("u")
        await stage.until_said(f"Undo: {len(good)} leads accepted ?")
        await answer(stage, "y")
        await stage.until_said(f"Undone: {len(good)} leads accepted; U does it again")
        assert {states(office)[record] for record in good} == {"pending_review"}
        assert not stage.app.table.acted & set(good)

    play(office, story, size=LARGE)


def test_enter_and_escape_and_too_early_keys_leave_bulk_undone(office: Path) -> None:
    async def story(stage: Stage) -> None:
        before = states(office)
        await go_to(stage, "pending_review")
        with stage.hurrying():
            await stage.press("x", "j", "x", "k", "d", "y", "y")
        assert len(stage.app.screen_stack) == 2
        await answer(stage, "enter")
        await stage.until_said("Left as it is")
        await stage.press("d")
        await answer(stage, "escape")
        assert states(office) == before
        assert len(stage.app.table.marks) == 2

    play(office, story)


def test_above_a_hundred_the_count_has_to_be_typed(office: Path) -> None:
    async def story(stage: Stage) -> None:
        before = states(office)
        await stage.press("*")
        await stage.until(lambda: len(stage.app.table.marks) == 300)
        await go_to(stage, "pending_review")
        await stage.press("d")
        await stage.until_said("Type 300 and Enter")
        await answer(stage, "y", "2", "9", "9", "enter")
        await stage.until_said("Left as it is")
        assert states(office) == before
        await stage.press("d")
        await answer(stage, "3", "0", "0", "enter")
        good = sum(1 for state in before.values() if state == "pending_review")
        await stage.until_said(f"{good} accepted, {300 - good} refused")
        assert len(stage.app.table.marks) == 300 - good
        assert sum(1 for state in states(office).values() if state == "pending_review") == 0

    play(office, story, size=LARGE)


def test_a_form_answers_with_one_digit_and_the_record_stands_in_its_heading(office: Path) -> None:
    async def story(stage: Stage) -> None:
        await go_to(stage, "pending_review")
        record, name = stage.current().id, stage.current().cells[1]
        stage.burst("b", "3")
        await stage.until_said("rejected, u undoes")
        assert name in stage.text()
        assert states(office)[record] == "invalid"

    play(office, story)


def test_forms_answered_faster_than_they_open_reject_one_record_each(tmp_path: Path) -> None:
    office = make_office(tmp_path / "office.db", 400, seed=11)

    async def story(stage: Stage) -> None:
        await stage.type("/state:pending_review")
        await stage.press("enter")
        await stage.until(lambda: stage.app.browser.filter_text == "state:pending_review")
        await stage.settled()
        wanted = [stage.row(at).id for at in range(12)]
        before = states(office)
        stage.burst(*["b", "3"] * 12)
        await stage.until_said("unsynced 12")
        after = states(office)
        assert [record for record in after if after[record] != before[record]] == sorted(wanted)
        assert stage.app.table.cursor == 12

    play(office, story)


def test_a_key_held_down_opens_one_form_and_types_nothing_into_it(office: Path) -> None:
    async def story(stage: Stage) -> None:
        before = states(office)
        await go_to(stage, "pending_review")
        with stage.hurrying():
            stage.burst(*["b"] * 30)
            await stage.until_said("unreachable")
            await stage.settled()
        assert "1 unreachable" in stage.text()
        assert states(office) == before
        await stage.press("escape")
        await stage.until(lambda: len(stage.app.screen_stack) == 1)

    play(office, story)


def test_undo_goes_back_to_the_record_redo_does_it_again(office: Path) -> None:
    async def story(stage: Stage) -> None:
        await go_to(stage, "pending_review")
        at, record = stage.app.table.cursor, stage.current().id
        await stage.press("d", "G", "u")
        await stage.until_said("Undone: 1 lead accepted")
        await stage.until(lambda: stage.app.table.cursor == at)
        assert states(office)[record] == "pending_review"
        await stage.press("U")
        await stage.until(lambda: states(office)[record] == "valid")
        await stage.until_said("accepted, u undoes")
        await stage.press("u")
        await stage.until(lambda: states(office)[record] == "pending_review")

    play(office, story)


def test_undo_of_what_has_moved_on_is_refused_with_the_reason(office: Path) -> None:
    async def story(stage: Stage) -> None:
        await go_to(stage, "pending_review")
        record = stage.current().id
        await stage.press("d")
        await stage.until_said("accepted, u undoes")
        database = sqlite3.connect(office)
        database.execute("UPDATE lead SET state = 'won' WHERE id = ?", (record,))
        database.commit()
        database.close()
        await stage.press("u")
        await stage.until_said("0 undone, 1 not: it has moved on")
        assert states(office)[record] == "won"

    play(office, story)


def test_repeat_does_the_last_command_with_its_arguments(office: Path) -> None:
    async def story(stage: Stage) -> None:
        await go_to(stage, "pending_review")
        await stage.press("b", "2")
        await stage.until_said("rejected, u undoes")
        await go_to(stage, "pending_review")
        record = stage.current().id
        await stage.press(".")
        await stage.until(lambda: states(office)[record] == "invalid")
        assert len(stage.app.screen_stack) == 1

    play(office, story)


def test_advance_can_be_turned_off(office: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("A")
        await stage.until_said("After acting: stay")
        await go_to(stage, "pending_review")
        at = stage.app.table.cursor
        await stage.press("d")
        await stage.until_said("accepted, u undoes")
        assert stage.app.table.cursor == at

    play(office, story)


def test_a_reference_is_searched_by_typing(office: Path) -> None:
    async def story(stage: Stage) -> None:
        await go_to(stage, "valid")
        record = stage.current().id
        await stage.press("a")
        await stage.until_said("朝阳店")
        await stage.type("eas")
        await stage.until(lambda: "朝阳店" not in stage.text())
        await stage.press("enter", "ctrl+s")
        await stage.until_said("assigned, u undoes")
        assert states(office)[record] == "assigned"

    play(office, story)


def test_a_form_says_beside_the_field_what_is_wrong_and_sends_nothing(office: Path) -> None:
    async def story(stage: Stage) -> None:
        before = states(office)
        await go_to(stage, "assigned")
        await stage.press("W")
        await stage.until_said("Order number")
        await stage.press("ctrl+s")
        await stage.until_said("is needed")
        await stage.type("A1")
        await stage.press("tab")
        await stage.type("twelve")
        await stage.press("ctrl+s")
        await stage.until_said("twelve is not an amount")
        assert states(office) == before
        await stage.press(*["backspace"] * 6)
        await stage.settled()
        stage.burst(*"12.50", "tab", "enter")
        await stage.until_said("won, u undoes")

    play(office, story)


def test_escape_asks_before_it_throws_away_what_was_typed(office: Path) -> None:
    async def story(stage: Stage) -> None:
        before = states(office)
        await go_to(stage, "assigned")
        await stage.press("W")
        await stage.until_said("Order number")
        await stage.type("A1")
        await stage.press("escape")
        await stage.until_said("Esc again throws it away")
        await stage.type("2")
        await stage.until(lambda: "throws it away" not in stage.text())
        await stage.press("escape", "escape")
        await stage.until(lambda: len(stage.app.screen_stack) == 1)
        assert states(office) == before

    play(office, story)


def test_a_new_record_is_made_by_form_and_the_cursor_goes_to_it(office: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("c")
        await stage.until_said("Report a lead")
        stage.burst(*"[b]New[/b]", "enter", *"123", "enter")
        await stage.until(lambda: stage.app.table.count == 301)
        assert stage.current().cells[1] == "[b]New[/b]"
        await stage.until_said("[b]New[/b]")

    play(office, story, size=SMALL)


def test_the_command_line_takes_parameters_by_name_and_in_order(office: Path) -> None:
    async def story(stage: Stage) -> None:
        await go_to(stage, "pending_review")
        record = stage.current().id
        await stage.type(":reject reason:no_intent")
        await stage.press("enter")
        await stage.until_said("rejected, u undoes")
        assert states(office)[record] == "invalid"
        await stage.type(":reject colour:red")
        await stage.press("enter")
        await stage.until_said("leads.reject has no parameter colour")

    play(office, story)


def test_a_long_bulk_can_be_stopped_and_what_was_done_is_one_step(tmp_path: Path) -> None:
    office = make_office(tmp_path / "office.db", 3_000)

    async def story(stage: Stage) -> None:
        await stage.type("/state:pending_review")
        await stage.press("enter")
        await stage.until(lambda: stage.app.browser.filter_text == "state:pending_review")
        await stage.press("*")
        await stage.until(lambda: len(stage.app.table.marks) == stage.app.table.count)
        count = len(stage.app.table.marks)
        await stage.press("d")
        await answer(stage, *str(count), "enter")
        await stage.press("escape")
        await stage.until(lambda: not stage.app.triage.jobs)
        done = sum(1 for operation in stage.app.table.acted)
        left = len(stage.app.table.marks)
        assert done + left == count
        if left:
            assert "Stopped." in stage.text()
        await stage.press("u")
        await answer(stage, "y")
        await stage.until_said("Undone")
        assert sum(1 for state in states(office).values() if state == "pending_review") == count

    play(office, story)
