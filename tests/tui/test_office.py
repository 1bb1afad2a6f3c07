"""The screen on a real workspace: rows, values, commands, undo and history come from the registry and the journal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bo.core.kernel.dispatch import Call
from bo.core.kernel.errors import Configuration, NotAllowed, NotFound
from bo.core.kernel.record import declared_records
from bo.core.kernel.text import use_language
from bo.core.kernel.workspace import Workspace
from bo.core.office import context_for, create, open_office
from bo.tui.app import run
from bo.tui.office import OfficeDesk, OfficeLibrary, OfficeSource
from bo.tui.specs import spec
from tests.tui.stage import LARGE, Stage, Story, perform

LEADS = (
    {"number": "L1", "name": "王伟", "phone": "13800000001", "city": "北京", "source": "form"},
    {"number": "L2", "name": "[bold]Ann[/bold]\x1b[31m", "phone": "13800000002", "city": "Oslo", "source": "shop"},
    {"number": "L3", "name": "Bob Moss", "phone": "13800000003", "city": "Oslo", "note": "kitchen, 想看厨房"},
    {"number": "L4", "name": "李丽", "phone": "13800000004", "city": "上海", "budget": "12000.50"},
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An office with four leads in review and two stores."""
    folder = tmp_path / "office"
    workspace = create(folder, context_for("CN"), operator="ann", name="Ann Chen")
    workspace.run(
        [Call("stores.add", None, {"code": code, "name": name}) for code, name in (("S1", "朝阳店"), ("S2", "West"))]
    )
    workspace.run([Call("leads.report", None, dict(lead)) for lead in LEADS], atomic=True)
    workspace.close()
    return folder


@pytest.fixture
def workspace(folder: Path) -> Iterator[Workspace]:
    workspace = open_office(folder)
    yield workspace
    workspace.close()


def play(folder: Path, story: Story) -> None:
    def open_source() -> OfficeLibrary:
        return OfficeLibrary(open_office(folder))

    def open_desk() -> OfficeDesk:
        return OfficeDesk(open_office(folder), "Office")

    perform(open_source, open_desk, story, size=LARGE)


def lead(folder: Path, number: str) -> dict[str, object]:
    """What the database has about a lead now."""
    workspace = open_office(folder)
    try:
        fields = ("id", "state", "store", "invalid_reason", "city", "note")
        row = workspace.reader().page("leads", f"number:{number}", fields=fields).rows[0]
        return dict(zip(fields, row, strict=True))
    finally:
        workspace.close()


async def go_to(stage: Stage, phone: str) -> None:
    table = stage.app.table
    table.move_to(next(at for at in range(table.count) if any(cell.endswith(phone) for cell in stage.row(at).cells)))
    await stage.settled()


def test_leads_of_the_workspace_stand_in_the_table_with_harmless_names(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        text = stage.text()
        assert "leads 1/4" in text
        assert "Ann Chen" in stage.lines()[0]
        assert "pending review" in text
        assert "+8613800000001" in text
        assert "[bold]Ann" in text
        assert "\x1b" not in text

    play(folder, story)


def test_triage_from_review_to_a_store_and_back_is_in_the_journal(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        await go_to(stage, "0001")
        await stage.press("d")
        await stage.until_said("王伟 accepted, u undoes")
        assert lead(folder, "L1")["state"] == "valid"
        await go_to(stage, "0001")
        await stage.press("a")
        await stage.until_said("West S2")
        await stage.press("f")
        await stage.until_said("type to search")
        # Faster than the search can answer: what was on top before must not be taken.
        stage.burst("朝", "enter")
        await stage.settled()
        await stage.press("ctrl+s")
        await stage.until_said("王伟 assigned, u undoes")
        assert lead(folder, "L1")["state"] == "assigned"
        await stage.until(
            lambda: "朝阳店" in stage.row(stage.app.table.loaded([str(lead(folder, "L1")["id"])]).popitem()[1]).cells
        )
        await stage.press("u")
        await stage.until_said("Undone: 1 lead assigned")
        assert (lead(folder, "L1")["state"], lead(folder, "L1")["store"]) == ("valid", None)
        await go_to(stage, "0001")
        await stage.press("enter")
        await stage.until_said("accept  state: pending review > valid")
        assert "Ann Chen" in stage.text()

    play(folder, story)


def test_a_reason_is_one_key_and_its_words_are_those_of_the_kind(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        await go_to(stage, "0002")
        await stage.press("b")
        await stage.until_said("wrong number")
        await stage.press("4")
        await stage.until_said("rejected, u undoes")
        assert lead(folder, "L2")["invalid_reason"] == "no_intent"

    play(folder, story)


def test_what_a_rule_refuses_is_told_in_the_form_and_nothing_typed_is_lost(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        await go_to(stage, "0002")
        await stage.press("b", "2")
        await stage.until_said("the reason wrong number needs a note that shows it")
        assert lead(folder, "L2")["state"] == "pending_review"
        # The keyboard is where the words are missing.
        await stage.type("called twice")
        await stage.press("enter")
        await stage.until_said("rejected, u undoes")
        assert lead(folder, "L2")["invalid_reason"] == "wrong_number"

    play(folder, story)


def test_an_edit_starts_from_what_there_is_and_sends_what_was_changed(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        await go_to(stage, "0003")
        await stage.press("e")
        await stage.until_said("Edit: Bob Moss")
        assert "kitchen, 想看厨房" in stage.text()
        from bo.tui.form import FormScreen

        form = stage.app.screen
        assert isinstance(form, FormScreen)
        city = next(row.field for row in form._rows if row.param.name == "city")
        form.set_focus(city)
        await stage.press(*["backspace"] * 4)
        await stage.settled()
        await stage.type("Lyon")
        assert form.values() == {"city": "Lyon"}
        await stage.press("ctrl+s")
        await stage.until_said("edited, u undoes")
        assert lead(folder, "L3")["city"] == "Lyon"
        assert lead(folder, "L3")["note"] == "kitchen, 想看厨房"

    play(folder, story)


@pytest.mark.parametrize(
    ("typed", "count"), [("city:Oslo", 2), ("厨房", 1), ("丽", 1), ("kitchen", 1), ("state:valid", 0)]
)
def test_the_filter_line_speaks_the_filter_language(folder: Path, typed: str, count: int) -> None:
    async def story(stage: Stage) -> None:
        await stage.type(f"/{typed}")
        await stage.press("enter")
        await stage.until(lambda: stage.app.browser.filter_text == typed)
        assert stage.app.table.count == count
        await stage.type(":filter nonsense:1")
        await stage.press("enter")
        await stage.until_said("leads have no field nonsense")
        assert stage.app.table.count == count

    play(folder, story)


def test_every_command_of_leads_is_offered_without_a_clash(workspace: Workspace) -> None:
    desk = OfficeDesk(workspace, "Office")
    names = {command.name for command in desk.commands("leads")}
    assert {"leads.accept", "leads.reject", "leads.assign", "leads.win", "leads.report", "leads.edit"} <= names
    reject = next(command for command in desk.commands("leads") if command.name == "leads.reject")
    assert reject.allowed_states == {"pending_review", "needs_info"}
    assert [param.kind for param in reject.params][:2] == ["choice", "text"]
    assert reject.params[0].required


def test_the_keys_of_real_commands_do_not_clash_anywhere(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        app = stage.app
        assert len(app.frame.places) > 10
        for place in app.frame.places:
            app.frame.go(place.noun)
            await stage.until(lambda: app.browser.noun == place.noun and app.has_commands, place.noun)  # noqa: B023
            assert (place.noun, app.actions.clashes()) == (place.noun, [])

    play(folder, story)


def test_there_is_a_place_for_every_sort_of_records(workspace: Workspace) -> None:
    registry = workspace.registry
    registry.load_all()
    places = {place.noun for place in OfficeDesk(workspace, "Office").places()}
    assert places == {noun for noun in registry.nouns if noun in declared_records()}


def test_the_key_that_adds_a_lead_adds_a_store_too(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("g", "t")
        await stage.until_said("朝阳店")
        await stage.press("c")
        await stage.until_said("Add")
        await stage.until(lambda: len(stage.app.screen_stack) == 2)

    play(folder, story)


def test_another_language_changes_every_word_that_stands_there(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.until_said("pending review")
        await stage.type(":lang zh_CN")
        await stage.press("enter")
        await stage.until(lambda: "待审核" in stage.table_lines()[1])
        await stage.until(lambda: "状态" in stage.table_lines()[0])
        await stage.until(lambda: "State" not in stage.text())

    try:
        play(folder, story)
    finally:
        use_language("en")


def test_arguments_are_judged_by_their_kinds_before_anything_is_sent(workspace: Workspace) -> None:
    desk = OfficeDesk(workspace, "Office")
    wrong = desk.check("leads.win", ["a", "b"], {"order_number": "A1", "amount": "twelve", "won_at": "2026-99-99"})
    assert set(wrong) == {"amount", "won_at"}
    assert desk.check("leads.win", ["a", "b"], {"order_number": "A1", "amount": "12.50"}) == {}


def test_a_refusal_keeps_its_words_and_changes_nothing(folder: Path, workspace: Workspace) -> None:
    desk = OfficeDesk(workspace, "Office")
    record = str(lead(folder, "L1")["id"])
    outcomes = desk.run("leads.take", [record], {})
    assert [(outcome.record_id, outcome.ok) for outcome in outcomes] == [(record, False)]
    assert "pending review" in outcomes[0].message
    assert lead(folder, "L1")["state"] == "pending_review"


def test_undo_names_the_record_that_has_moved_on(folder: Path, workspace: Workspace) -> None:
    desk = OfficeDesk(workspace, "Office")
    record = str(lead(folder, "L1")["id"])
    (accepted,) = desk.run("leads.accept", [record], {})
    desk.run("leads.edit", [record], {"city": "Lyon"})
    (outcome,) = desk.undo([accepted.operation])
    assert (outcome.record_id, outcome.ok) == (record, False)
    assert "changed since" in outcome.message
    assert lead(folder, "L1")["state"] == "valid"


def test_a_term_made_from_a_cell_finds_its_own_record(folder: Path, workspace: Workspace) -> None:
    source = OfficeSource(workspace, "leads")
    record = str(lead(folder, "L4")["id"])
    for column in source.columns():
        term = source.term(record, column.key)
        assert source.snapshot(term, "").position(record) is not None, term


def test_what_an_operator_may_not_see_is_no_column_and_in_no_history(folder: Path, workspace: Workspace) -> None:
    workspace.do("operators.add", login="west", name="West", roles="store", store="S1")
    referrer = workspace.do("referrers.register", code="D1", name="Bea").returned
    record = str(lead(folder, "L1")["id"])
    workspace.do("leads.edit", record, referrer=referrer)
    workspace.do("leads.accept", record)
    workspace.do("leads.assign", record, store="S1")
    shop = open_office(folder, operator="west")
    source = OfficeSource(shop, "leads")

    snapshot = source.snapshot("", "")

    assert "referrer" in [column.key for column in OfficeSource(workspace, "leads").columns()]
    assert "referrer" not in [column.key for column in source.columns()]
    assert [row.id for row in snapshot.window(0, 4)] == [record]
    assert "Bea" not in repr(source.detail(record))


def test_a_record_that_is_gone_is_told_and_keeps_its_line(folder: Path, workspace: Workspace) -> None:
    source = OfficeSource(workspace, "leads")
    snapshot = source.snapshot("", "")
    first = snapshot.window(0, 4)[0].id
    desk = OfficeDesk(open_office(folder), "Office")
    (made,) = desk.run("leads.report", [], {"name": "Eve", "phone": "13800000009"})
    later = source.snapshot("", "")
    assert later.count == 5
    desk.undo([made.operation])
    rows = later.window(0, 5)
    assert [row.note for row in rows].count("removed") == 1
    assert rows[1].id == first
    with pytest.raises(NotFound):
        source.detail(made.record_id)
    desk.close()


def test_the_screen_is_refused_before_the_terminal_is_taken(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(Configuration):
        run(tmp_path / "nowhere")
    with pytest.raises(Configuration):
        run(folder, operator="nobody")


def test_who_may_read_nothing_gets_no_screen(folder: Path) -> None:
    workspace = open_office(folder)
    workspace.run([Call("roles.add", None, {"code": "blind", "permissions": ["leads.assign"]})], atomic=True)
    workspace.run([Call("operators.add", None, {"login": "bo", "name": "Bo", "roles": ["blind"]})], atomic=True)
    workspace.close()
    with pytest.raises(NotAllowed):
        run(folder, operator="bo")


def test_a_commands_confirmation_and_summary_come_from_its_declaration(workspace: Workspace) -> None:
    reverse = spec(workspace.registry.command("leads.reverse"))
    assert reverse.confirm
    assert reverse.summary == "The order was cancelled: all that it earned is taken back."
    assert spec(workspace.registry.command("leads.edit")).edits
