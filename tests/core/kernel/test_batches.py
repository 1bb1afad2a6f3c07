"""Several calls in one transaction: what a later one sees of the earlier ones, and what a refusal takes with it."""

from __future__ import annotations

import pytest

from bo.core.kernel.dispatch import Call
from bo.core.kernel.errors import BadValue, NotAllowed, NotFound, Refused, StorageFull, UsageError
from bo.core.kernel.tx import Actor, Tx
from bo.core.kernel.unit import Unit
from bo.core.kernel.workspace import Workspace
from tests.core.kernel.making import NewOffice, everything_in
from tests.core.kernel.office.commands import ShopFull
from tests.core.kernel.office.records import Shop, Ticket


def opened(number: str, **more: object) -> Call:
    return Call("tickets.open", None, {"number": number, **more})


def given(number: str, shop: str = "west") -> Call:
    return Call("tickets.give", number, {"shop": shop})


WEST = Call("shops.add", None, {"code": "west"})


def numbers(office: Workspace) -> list[object]:
    return [row[0] for row in office.reader().page("tickets", "sort:number", fields=("number",)).rows]


def test_an_empty_batch_is_nothing(office: Workspace) -> None:
    assert office.run([]) == []
    assert office.verify() == 0


def test_a_batch_shares_the_id_of_its_first_operation_and_one_moment(office: Workspace) -> None:
    first, second = office.run([opened("T-1"), opened("T-2")])

    newest, oldest = office.operations()
    assert (oldest.batch, newest.batch) == (first.operation, first.operation)
    assert (newest.id, newest.at) == (second.operation, oldest.at)


def test_a_refused_call_leaves_the_others_standing(office: Workspace) -> None:
    calls = [WEST, *(opened(f"T-{place}") for place in range(1, 6)), *(given(f"T-{place}") for place in range(1, 6))]

    outcomes = office.run([*calls, Call("shops.count_up", "west"), opened("T-6", phone="1")])

    assert [outcome.status for outcome in outcomes] == ["applied"] * 9 + ["refused"] * 2 + ["applied", "refused"]
    assert [type(outcome.error) for outcome in outcomes if outcome.error] == [ShopFull, ShopFull, BadValue]
    assert office.reader().get(Shop, "west").tickets == 4
    assert [office.reader().get(Ticket, f"T-{place}").state for place in range(1, 6)] == ["given"] * 3 + ["new"] * 2
    assert office.verify() == 10


def test_an_atomic_batch_stands_or_falls_as_one(office: Workspace) -> None:
    office.run([WEST])
    before = everything_in(office)

    with pytest.raises(NotFound) as refusal:
        office.run([opened("T-1"), given("T-1"), given("T-9")], atomic=True)

    assert refusal.value.facts["command"] == "tickets.give"
    assert everything_in(office) == before


def test_a_dry_run_tells_the_outcomes_and_changes_nothing(office: Workspace) -> None:
    office.run([WEST])
    before = everything_in(office)

    outcomes = office.run([opened("T-1"), given("T-1"), given("T-1")], dry_run=True)

    assert [outcome.status for outcome in outcomes] == ["applied", "applied", "refused"]
    assert outcomes[1].changes[0].after is not None
    assert everything_in(office) == before
    assert office.run([opened("T-1")])[0].status == "applied"


def test_an_exception_undoes_the_whole_batch_and_the_office_works_on(office: Workspace) -> None:
    office.run([opened("T-1", name="Ann")])
    before = everything_in(office)

    with pytest.raises(ZeroDivisionError):
        office.run([opened("T-2"), Call("tickets.edit", "T-1", {"name": "Bea"}), Call("tickets.crash", "T-1")])

    assert everything_in(office) == before
    assert office.run([opened("T-2")])[0].status == "applied"


def test_a_later_call_sees_what_the_earlier_ones_made(office: Workspace) -> None:
    outcomes = office.run(
        [
            WEST,
            opened("T-1", phone="13800138000"),
            opened("T-2", phone="13800138000"),
            opened("T-3", phone="13900139000"),
            Call("tickets.edit", "T-3", {"phone": "13800138000"}),
            opened("T-4", phone="13900139000"),
            given("T-2"),
            Call("tickets.drop", "T-1"),
            opened("T-5", phone="13800138000"),
            Call("shops.tally", "west"),
        ]
    )

    assert {outcome.status for outcome in outcomes} == {"applied"}
    same = {item.number: item.same_phone for item in office.reader().records(Ticket)}
    by_number = {item.number: item.id for item in office.reader().records(Ticket)}
    assert same == {"T-2": outcomes[1].returned, "T-3": "", "T-4": "", "T-5": by_number["T-2"]}
    # 2 given, 3 4 5 new; T-5 has its phone in common with T-2 and T-3
    assert office.reader().get(Shop, "west").name == "4 open, 3 new, 3 alike, first T-5"


def test_what_a_refused_call_did_is_not_seen_by_the_next(office: Workspace) -> None:
    office.run([WEST, *(opened(f"T-{place}", phone="13800138000") for place in range(1, 5))])
    office.run([given(f"T-{place}") for place in range(1, 4)])

    outcomes = office.run([given("T-4"), Call("tickets.reopen", "T-9"), Call("shops.tally", "west")])

    assert [outcome.status for outcome in outcomes] == ["refused", "refused", "applied"]
    assert office.reader().get(Shop, "west").name == "4 open, 1 new, 4 alike, first T-4"


def test_keys_that_an_earlier_call_changed_are_found_anew(office: Workspace) -> None:
    outcomes = office.run(
        [
            opened("T-1"),
            Call("tickets.renumber", "T-1", {"number": "T-2"}),
            Call("tickets.edit", "T-1", {"name": "nobody"}),
            Call("tickets.edit", "T-2", {"name": "Ann"}),
            opened("T-1"),
            Call("tickets.edit", "T-1", {"name": "Bea"}),
        ]
    )

    assert [outcome.status for outcome in outcomes] == ["applied", "applied", "refused", *["applied"] * 3]
    found = {item.number: item.name for item in office.reader().records(Ticket)}
    assert found == {"T-1": "Bea", "T-2": "Ann"}


def test_a_double_inside_a_batch_is_refused(office: Workspace) -> None:
    outcomes = office.run([opened("T-1"), opened("T-1"), opened("T-2"), Call("tickets.edit", "T-2", {"number": "T-1"})])

    assert [outcome.status for outcome in outcomes] == ["applied", "refused", "applied", "refused"]
    assert numbers(office) == ["T-1", "T-2"]


@pytest.mark.parametrize("together", [True, False])
def test_unique_values_can_be_exchanged_passed_on_and_taken_over(office: Workspace, together: bool) -> None:
    office.run([opened("T-1", name="one"), opened("T-2", name="two"), opened("T-3", name="three")])
    calls = [
        Call("tickets.swap", "T-1", {"other": "T-2"}),
        Call("tickets.swap", "T-2", {"other": "T-3"}),
        Call("tickets.drop", "T-1"),
        opened("T-1", name="new"),
        Call("tickets.renumber", "T-2", {"number": "T-4"}),
        opened("T-2", name="last"),
    ]

    outcomes = office.run(calls) if together else [office.run([call])[0] for call in calls]

    assert {outcome.status for outcome in outcomes} == {"applied"}
    found = {item.number: item.name for item in office.reader().records(Ticket)}
    assert found == {"T-1": "new", "T-2": "last", "T-3": "one", "T-4": "three"}


def test_a_row_added_and_removed_in_one_batch_leaves_only_its_history(office: Workspace) -> None:
    made, dropped = office.run([opened("T-1"), Call("tickets.drop", "T-1")])

    assert numbers(office) == []
    assert [operation.name for operation, _change in office.history(str(made.returned))] == [
        "tickets.drop",
        "tickets.open",
    ]
    assert dropped.changes[0].after is None


def test_a_record_taken_out_and_put_in_anew_by_one_call_is_one_change(office: Workspace) -> None:
    office.run([opened("T-1", name="Ann", note="gone")])
    before = office.reader().get(Ticket, "T-1")

    outcome = office.do("tickets.reopen", "T-1")

    found = office.reader().get(Ticket, "T-1")
    assert (found.id, found.name, found.note, found.revision) == (before.id, "Ann", "", 2)
    assert found.created_at == before.created_at
    assert [(change.row, change.before is None) for change in outcome.changes] == [(before.id, False)]


def test_rows_are_numbered_alike_in_a_batch_and_one_by_one(new_office: NewOffice) -> None:
    calls = [opened("T-1"), opened("T-1"), opened("T-2"), Call("tickets.drop", "T-1"), opened("T-1"), WEST]
    together, single = new_office("sqlite"), new_office("sqlite")
    together.run(calls)
    for call in calls:
        single.run([call])

    rows = [[row[:1] for row in everything_in(one)["ticket"]] for one in (together, single)]
    assert rows == [[(2,), (3,)]] * 2


def test_what_authorising_looked_at_is_looked_at_again_once_a_call_has_changed_it(office: Workspace) -> None:
    def authorise(tx: Tx, actor: str) -> Actor:
        shop = tx.view_by(Shop, "code", "west")
        return Actor(actor, actor, frozenset(("*",) if shop is None or shop.tickets < 2 else ()))

    office.authorise = authorise

    outcomes = office.run([WEST, *[Call("shops.count_up", "west")] * 4])

    assert [outcome.status for outcome in outcomes] == ["applied"] * 3 + ["refused"] * 2
    assert type(outcomes[-1].error) is NotAllowed
    assert office.verify() == 3


def test_an_outage_in_the_middle_of_a_batch_is_nobodys_refusal(
    office: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.run([WEST])
    before = everything_in(office)

    def full(*_arguments: object) -> None:
        raise StorageFull("the disk is full")

    monkeypatch.setattr(Unit, "select", full)
    with pytest.raises(StorageFull):
        office.run([opened("T-1"), Call("shops.tally", "west"), opened("T-2")])
    monkeypatch.undo()

    assert everything_in(office) == before


# -- several batches in one transaction --------------------------------------------------------------------------------


def test_batches_of_one_transaction_see_each_other_and_stand_together(office: Workspace) -> None:
    with office.transaction() as perform:
        perform([WEST, opened("T-1")])
        assert [outcome.status for outcome in perform([given("T-1"), given("T-1")])] == ["applied", "refused"]

    assert office.verify() == 3
    assert office.reader().get(Ticket, "T-1").state == "given"


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_transaction_that_is_left_with_an_error_or_is_dry_changes_nothing(office: Workspace, dry_run: bool) -> None:
    before = everything_in(office)

    try:
        with office.transaction(dry_run=dry_run) as perform:
            perform([WEST])
            if not dry_run:
                raise UsageError("stop")
    except UsageError:
        assert not dry_run

    assert everything_in(office) == before


def test_a_batch_that_raised_spoils_its_transaction_even_if_somebody_catches_it(office: Workspace) -> None:
    before = everything_in(office)

    def careless() -> None:
        with office.transaction() as perform:
            perform([opened("T-1")])
            with pytest.raises(Refused):
                perform([opened("T-2"), opened("T-1")], atomic=True)
            perform([opened("T-3")])

    with pytest.raises(Refused, match="number T-1"):
        careless()

    assert everything_in(office) == before


def test_one_transaction_inside_another_is_refused_and_the_outer_one_goes_on(office: Workspace) -> None:
    with office.transaction() as perform:
        perform([opened("T-1")])
        with pytest.raises(RuntimeError, match="open already"):
            office.run([opened("T-2")])
        with pytest.raises(RuntimeError, match="open already"):
            office.verify()
        perform([opened("T-3")])

    assert numbers(office) == ["T-1", "T-3"]
    assert office.verify() == 2
