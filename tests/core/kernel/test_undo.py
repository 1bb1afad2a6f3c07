"""Undo: rows are put back as they were, unless somebody has changed them since or it is not theirs to undo."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bo.core.kernel.commands import ChangedSince
from bo.core.kernel.dispatch import Call
from bo.core.kernel.errors import Ambiguous, BoError, NotAllowed, NotFound, Refused
from bo.core.kernel.journal import Difference, differences
from bo.core.kernel.workspace import Workspace
from tests.core.kernel.making import everything_in, keeper
from tests.core.kernel.office.records import Shop, Ticket

if TYPE_CHECKING:
    from collections.abc import Mapping


@pytest.fixture
def stocked(office: Workspace) -> Workspace:
    office.run([Call("shops.add", None, {"code": code}) for code in ("west", "east")])
    office.do("tickets.open", number="T-1", name="Ann", phone="13800138000", tags="a")
    return office


def values(office: Workspace) -> Mapping[str, object]:
    """What the records say, apart from how often and when they were written."""
    stamps = ("revision", "updated_at")
    found: dict[str, object] = {}
    for record in (*office.reader().records(Ticket), *office.reader().records(Shop)):
        fields = {name: getattr(record, name) for name in record.__struct_fields__ if name not in stamps}
        found[record.id] = fields
    return found


def refuses(office: Workspace, operation: str, kind: type[BoError]) -> BoError:
    before = everything_in(office)
    with pytest.raises(kind) as refusal:
        office.undo(operation)
    assert type(refusal.value) is kind
    assert everything_in(office) == before
    return refusal.value


@pytest.mark.parametrize(
    "call",
    [
        Call("tickets.open", None, {"number": "T-2", "name": "Bea"}),
        Call("tickets.edit", "T-1", {"name": "Bea", "phone": "", "extra": {"a": 1}}),
        Call("tickets.give", "T-1", {"shop": "west"}),
        Call("tickets.drop", "T-1"),
        Call("tickets.reopen", "T-1"),
        Call("tickets.renumber", "T-1", {"number": "T-9"}),
        Call("shops.edit", "west", {"name": "West"}),
    ],
)
def test_an_operation_is_undone_done_again_and_undone_again(stocked: Workspace, call: Call) -> None:
    before = values(stocked)
    (done,) = stocked.run([call])
    after = values(stocked)

    (undone,) = stocked.undo(done.operation)
    assert values(stocked) == before
    (redone,) = stocked.undo(undone.operation)
    assert values(stocked) == after
    stocked.undo(redone.operation)
    assert values(stocked) == before
    assert stocked.verify() == 7


def test_operations_on_one_row_are_undone_one_after_the_other(stocked: Workspace) -> None:
    steps = [values(stocked)]
    done = []
    for name in ("Bea", "Cem", "Dai"):
        done.append(stocked.do("tickets.edit", "T-1", name=name).operation)
        steps.append(values(stocked))

    for operation, expected in zip(reversed(done), reversed(steps[:-1]), strict=True):
        stocked.undo(operation)
        assert values(stocked) == expected


def test_a_batch_is_undone_as_one_by_its_first_operation(stocked: Workspace) -> None:
    before = values(stocked)
    calls = [Call("tickets.open", None, {"number": f"T-{place}"}) for place in (2, 3)]
    gives = [Call("tickets.give", f"T-{place}", {"shop": "west"}) for place in (1, 2, 3)]
    outcomes = stocked.run([*calls, *gives])

    undone = stocked.undo(outcomes[0].operation)

    assert len(undone) == 5
    assert values(stocked) == before
    stocked.undo(undone[0].operation)
    assert stocked.reader().get(Shop, "west").tickets == 3


def test_a_batch_whose_first_call_was_refused_is_undone_as_one_too(stocked: Workspace) -> None:
    before = values(stocked)
    calls = [Call("tickets.open", None, {"number": "T-1"}), Call("tickets.edit", "T-1", {"name": "Bea"})]
    outcomes = stocked.run([*calls, Call("shops.edit", "west", {"name": "West"})])

    assert [outcome.status for outcome in outcomes] == ["refused", "applied", "applied"]
    assert len(stocked.undo(outcomes[1].operation)) == 2
    assert values(stocked) == before


def test_one_operation_of_a_batch_is_undone_alone(stocked: Workspace) -> None:
    calls = [Call("tickets.edit", "T-1", {"name": "Bea"}), Call("shops.edit", "west", {"name": "West"})]
    _first, second = stocked.run(calls)

    assert len(stocked.undo(second.operation)) == 1
    assert stocked.reader().get(Ticket, "T-1").name == "Bea"
    assert stocked.reader().get(Shop, "west").name == ""


def test_a_dry_run_of_an_undo_changes_nothing(stocked: Workspace) -> None:
    done = stocked.do("tickets.edit", "T-1", name="Bea").operation
    before = everything_in(stocked)

    (outcome,) = stocked.undo(done, dry_run=True)

    assert outcome.status == "applied"
    assert everything_in(stocked) == before


def test_what_was_changed_since_is_not_undone(stocked: Workspace) -> None:
    done = stocked.do("tickets.edit", "T-1", name="Bea").operation
    stocked.do("tickets.edit", "T-1", tags="b")

    assert refuses(stocked, done, ChangedSince).facts["noun"] == "tickets"


def test_undoing_twice_is_refused(stocked: Workspace) -> None:
    done = stocked.do("tickets.open", number="T-2").operation
    stocked.undo(done)

    refuses(stocked, done, ChangedSince)


def test_a_batch_of_which_one_row_was_changed_since_stays_whole(stocked: Workspace) -> None:
    calls = [Call("tickets.edit", "T-1", {"name": "Bea"}), Call("shops.edit", "west", {"name": "West"})]
    first, _second = stocked.run(calls)
    stocked.do("tickets.edit", "T-1", name="Cem")

    refuses(stocked, first.operation, ChangedSince)


def test_what_changed_and_changed_back_can_be_undone(stocked: Workspace) -> None:
    before = values(stocked)
    done = stocked.do("tickets.edit", "T-1", name="Bea").operation
    stocked.do("tickets.edit", "T-1", name="Cem")
    stocked.do("tickets.edit", "T-1", name="Bea")

    stocked.undo(done)

    assert values(stocked) == before


def test_an_operation_that_wrote_something_final_is_not_undone(stocked: Workspace) -> None:
    done = stocked.do("tickets.close", "T-1").operation

    assert "is final" in str(refuses(stocked, done, Refused))


def test_a_number_that_is_taken_by_now_stops_the_undo(stocked: Workspace) -> None:
    done = stocked.do("tickets.drop", "T-1").operation
    stocked.do("tickets.open", number="T-1", name="Bea")

    assert refuses(stocked, done, Refused).facts["value"] == "T-1"


@pytest.mark.parametrize("operation", ["op_" + "0" * 26, "zzzz", "", "%", "_____", "\0", "\ud800"])
def test_an_operation_that_is_not_there_is_not_found(stocked: Workspace, operation: str) -> None:
    refuses(stocked, operation, NotFound)


def test_an_operation_is_meant_by_its_tail_which_must_be_of_one(stocked: Workspace) -> None:
    done = stocked.do("tickets.edit", "T-1", name="Bea").operation
    other = stocked.do("tickets.edit", "T-1", tags="b").operation
    same = next(done[-size:] for size in range(26, 2, -1) if done[-size:] == other[-size:])

    refuses(stocked, same, Ambiguous)
    stocked.undo(other[-8:].upper())
    stocked.undo(done[3:])
    assert stocked.reader().get(Ticket, "T-1").name == "Ann"


# -- whose it is to undo -----------------------------------------------------------------------------------------------


def test_ones_own_doing_is_ones_own_to_undo(stocked: Workspace) -> None:
    stocked.actor = "clerk"
    done = stocked.do("tickets.edit", "T-1", name="Bea").operation

    stocked.undo(done)

    assert stocked.reader().get(Ticket, "T-1").name == "Ann"


def test_what_others_did_needs_the_permission_to_undo(stocked: Workspace) -> None:
    done = stocked.do("tickets.edit", "T-1", name="Bea").operation
    stocked.actor = "clerk"

    assert refuses(stocked, done, Refused).facts["permission"] == "tickets.undo"


def test_an_undo_by_others_is_not_undone_without_that_permission(stocked: Workspace) -> None:
    stocked.actor = "clerk"
    done = stocked.do("tickets.edit", "T-1", name="Bea").operation
    stocked.actor = "boss"
    (undone,) = stocked.undo(done)
    stocked.actor = "clerk"

    refuses(stocked, undone.operation, Refused)


def test_who_may_not_do_it_any_more_may_not_undo_it_either(stocked: Workspace) -> None:
    done = stocked.do("tickets.drop", "T-1").operation
    stocked.database.session.script(["UPDATE operation SET actor = 'clerk' WHERE name = 'tickets.drop'"])
    stocked.actor = "clerk"

    assert refuses(stocked, done, NotAllowed).facts["permission"] == "tickets.close"


def test_rows_that_an_actor_does_not_see_are_not_theirs_to_undo(stocked: Workspace) -> None:
    shop = stocked.reader().get(Shop, "west").id
    hidden = stocked.do("tickets.edit", "T-1", name="Bea").operation
    stocked.do("tickets.give", "T-1", shop="west")
    seen = stocked.do("tickets.edit", "T-1", name="Cem").operation
    stocked.actor = keeper(shop)

    refuses(stocked, hidden, NotFound)
    stocked.undo(seen)
    assert stocked.reader().get(Ticket, "T-1").name == "Bea"


# -- history -----------------------------------------------------------------------------------------------------------


def test_a_history_is_newest_first_and_says_what_differed(stocked: Workspace) -> None:
    stocked.do("tickets.edit", "T-1", name="Bea", amount="5", tags="")
    stocked.do("tickets.give", "T-1", shop="west")
    made = stocked.reader().get(Ticket, "T-1")

    found = stocked.history(made.id)

    assert [operation.name for operation, _change in found] == ["tickets.give", "tickets.edit", "tickets.open"]
    assert differences(found[0][1]) == [Difference("state", "new", "given"), Difference("shop", None, made.shop)]
    assert differences(found[1][1]) == [
        Difference("name", "Ann", "Bea"),
        Difference("amount", None, 500),
        Difference("tags", ["a"], []),
    ]
    created = {item.field: (item.before, item.after) for item in differences(found[2][1])}
    assert created["number"] == (None, "T-1")
    assert created["state"] == (None, "new")


def test_a_row_that_is_gone_keeps_its_history(stocked: Workspace) -> None:
    made = stocked.reader().get(Ticket, "T-1").id
    stocked.do("tickets.drop", "T-1")

    (newest, change), *_ = stocked.history(made)

    assert newest.name == "tickets.drop"
    assert Difference("name", "Ann", None) in differences(change)


def test_what_is_done_to_a_row_and_changes_it_not_is_in_its_history(stocked: Workspace) -> None:
    made = stocked.reader().get(Ticket, "T-1").id
    stocked.do("tickets.chase", "T-1")
    stocked.do("tickets.give", "T-1", shop="west")

    found = stocked.history(made)

    assert [operation.name for operation, _change in found] == ["tickets.give", "tickets.chase", "tickets.open"]
    chased = found[1][1]
    assert (chased.noun, chased.row, chased.before, chased.after) == ("tickets", made, None, None)
    assert differences(chased) == []


def test_a_history_is_for_who_may_read_the_row(stocked: Workspace) -> None:
    made = stocked.reader().get(Ticket, "T-1").id
    shop = stocked.reader().get(Shop, "west").id
    stocked.actor = keeper(shop)
    assert stocked.history(made) == []
    stocked.actor = "guest"
    with pytest.raises(NotAllowed):
        stocked.history(made)
    stocked.actor = "boss"
    stocked.do("tickets.give", "T-1", shop="west")
    stocked.actor = keeper(shop)
    assert len(stocked.history(made)) == 2


def test_the_journal_comes_in_pages(stocked: Workspace) -> None:
    newest = stocked.operations(limit=2)
    assert [item.seq for item in newest] == [3, 2]
    assert [item.seq for item in stocked.operations(limit=2, before=newest[-1].seq)] == [1]
