"""One call: what is applied, what is refused and why, and that a refusal changes nothing."""

from __future__ import annotations

import pytest

from bo.core.kernel.dispatch import Call, Outcome
from bo.core.kernel.errors import (
    Ambiguous,
    BadValue,
    BoError,
    NotAllowed,
    NotFound,
    Refused,
    UsageError,
    WrongState,
)
from bo.core.kernel.ids import operation_id_for_key
from bo.core.kernel.workspace import Workspace
from tests.core.kernel.making import CLERK, everything_in, keeper
from tests.core.kernel.office.commands import ShopFull
from tests.core.kernel.office.records import Shop, Slip, Ticket, TooHot


def refused(office: Workspace, call: Call) -> BoError:
    """The error of a call that is refused and changes nothing."""
    before = everything_in(office)
    (outcome,) = office.run([call])
    assert (outcome.status, outcome.changes) == ("refused", ())
    assert everything_in(office) == before
    assert outcome.error is not None
    return outcome.error


def ticket(office: Workspace, text: str) -> Ticket:
    return office.reader().get(Ticket, text)


def open_ticket(office: Workspace, number: str = "T-1", **more: object) -> Outcome:
    return office.do("tickets.open", number=number, **more)


def test_an_applied_call_writes_the_row_the_operation_and_the_change(office: Workspace) -> None:
    outcome = open_ticket(office, name="Ann", phone="138 0013 8000", amount="12.50", due="2026-11-05", tags="b,a")

    assert outcome.status == "applied"
    found = ticket(office, "T-1")
    assert (found.name, found.phone, found.amount, found.tags) == ("Ann", "+8613800138000", 1250, ("a", "b"))
    assert (found.state, found.scope, found.revision, found.id) == ("new", "hq", 1, outcome.returned)
    ((operation, change),) = office.history(found.id)
    assert (operation.seq, operation.id, operation.name, operation.actor) == (
        1,
        outcome.operation,
        "tickets.open",
        "boss",
    )
    assert operation.args == (
        '{"number":"T-1","name":"Ann","phone":"+8613800138000","amount":1250,"due":"2026-11-05","tags":["a","b"]}'
    )
    assert (change.before, change.scope_before, change.scope_after) == (None, None, "hq")
    assert found.created_at == found.updated_at == operation.at


def test_a_move_changes_the_state_and_the_references(office: Workspace) -> None:
    shop = office.do("shops.add", code="west").returned
    open_ticket(office)

    office.do("tickets.give", "T-1", shop="west", note="soon")

    found = ticket(office, "T-1")
    assert (found.state, found.shop, found.scope, found.revision) == ("given", shop, f"store:{shop}", 2)
    assert office.reader().get(Shop, "west").tickets == 1


def test_a_call_that_changes_nothing_is_unchanged_and_not_recorded(office: Workspace) -> None:
    open_ticket(office, name="Ann")
    before = everything_in(office)

    (outcome,) = office.run([Call("tickets.edit", "T-1", {"name": " Ann ", "currency": "cny"})])

    assert (outcome.status, outcome.ok) == ("unchanged", True)
    assert everything_in(office) == before


def test_writing_a_usual_value_over_the_same_value_is_no_change(office: Workspace) -> None:
    office.do("gauges.add", label="g1")

    assert (
        office.do("gauges.edit", "g1", colour="red", heat="1,000", city="Hangzhou", marks="new").status == "unchanged"
    )


def test_a_blank_value_clears_an_optional_field_and_sets_others_to_their_default(office: Workspace) -> None:
    open_ticket(office, name="Ann", amount="5", tags="a")

    office.do("tickets.edit", "T-1", amount="", name="  ", tags=None)

    assert (ticket(office, "T-1").amount, ticket(office, "T-1").name, ticket(office, "T-1").tags) == (None, "", ())


@pytest.mark.parametrize("blank", ["", "  ", None, "\u200b"])
def test_what_must_be_given_cannot_be_blank(office: Workspace, blank: object) -> None:
    office.do("shops.add", code="west")

    assert isinstance(refused(office, Call("shops.add", None, {"code": blank})), UsageError)
    assert isinstance(refused(office, Call("shops.edit", "west", {"code": blank})), BadValue)


def test_two_blank_numbers_are_no_double(office: Workspace) -> None:
    open_ticket(office, number="  ")
    open_ticket(office, number="")

    assert office.reader().count("tickets", "number:none") == 2


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("amount", "12.345", BadValue),
        ("due", "2026-02-30", BadValue),
        ("phone", "12", BadValue),
        ("colour", "red", UsageError),
    ],
)
def test_an_argument_that_cannot_be_read_names_its_field(
    office: Workspace, name: str, value: str, kind: type[BoError]
) -> None:
    error = refused(office, Call("tickets.open", None, {"number": "T-1", name: value}))

    assert type(error) is kind
    assert (error.facts["field"], error.facts["command"]) == (name, "tickets.open")


def test_a_missing_argument_is_named_with_its_option(office: Workspace) -> None:
    error = refused(office, Call("shops.add", None, {"name": "West"}))

    assert (error.facts["field"], error.facts["option"]) == ("code", "code")


def test_an_unknown_command_stops_everything(office: Workspace) -> None:
    with pytest.raises(UsageError, match=r"there is no command tickets\.burn"):
        office.run([Call("tickets.open", None, {"number": "T-1"}), Call("tickets.burn", "T-1")])

    assert office.verify() == 0


@pytest.mark.parametrize(("subject", "name"), [(None, "tickets.drop"), ("T-1", "tickets.open")])
def test_a_subject_is_given_exactly_where_one_is_wanted(office: Workspace, subject: str | None, name: str) -> None:
    open_ticket(office)

    assert type(refused(office, Call(name, subject))) is UsageError


def test_a_wrong_state_is_told_with_the_states_that_would_do(office: Workspace) -> None:
    office.do("shops.add", code="west")
    open_ticket(office)
    office.do("tickets.close", "T-1")

    error = refused(office, Call("tickets.give", "T-1", {"shop": "west"}))

    assert isinstance(error, WrongState)
    assert (error.facts["state"], error.facts["wanted"]) == ("closed", "new")


def test_a_rule_that_refuses_drops_all_that_the_call_did(office: Workspace) -> None:
    office.do("shops.add", code="west")
    for number in ("T-1", "T-2", "T-3", "T-4"):
        open_ticket(office, number)
    for number in ("T-1", "T-2", "T-3"):
        office.do("tickets.give", number, shop="west")

    error = refused(office, Call("tickets.give", "T-4", {"shop": "west"}))

    assert (type(error), error.code, error.facts["shop"]) == (ShopFull, "shop_full", "west")


def test_an_invariant_of_a_record_is_checked_on_every_change(office: Workspace) -> None:
    office.do("gauges.add", label="g1")

    assert type(refused(office, Call("gauges.read", "g1", {"heat": 5001}))) is TooHot


def test_a_double_of_a_unique_field_is_refused(office: Workspace) -> None:
    open_ticket(office)
    open_ticket(office, "T-2")

    for call in (
        Call("tickets.open", None, {"number": "T-1"}),
        Call("tickets.edit", "T-2", {"number": "T-1"}),
        Call("tickets.renumber", "T-1", {"number": "T-9", "twin": "T-2"}),
    ):
        error = refused(office, call)
        assert type(error) is Refused
        assert error.facts["field"] == "number"


def test_what_is_final_is_neither_changed_nor_removed(office: Workspace) -> None:
    open_ticket(office, amount="5")
    office.do("tickets.close", "T-1")
    (slip,) = office.reader().records(Slip)

    for name in ("slips.alter", "slips.shred"):
        assert "is final" in str(refused(office, Call(name, slip.id)))


def test_who_may_not_is_refused_whatever_the_record(office: Workspace) -> None:
    open_ticket(office)
    office.actor = "clerk"

    for subject in ("T-1", "T-77"):
        error = refused(office, Call("tickets.close", subject))
        assert (type(error), error.facts["permission"]) == (NotAllowed, "tickets.close")
    assert CLERK.may("tickets.open")


def test_a_row_outside_the_actors_scope_is_as_if_it_were_not_there(office: Workspace) -> None:
    shop = office.do("shops.add", code="west").returned
    here, hidden = open_ticket(office).returned, open_ticket(office, "T-2").returned
    office.do("tickets.give", "T-1", shop="west")
    office.actor = keeper(str(shop))

    assert office.do("tickets.edit", here, name="mine").status == "applied"
    one = refused(office, Call("tickets.edit", hidden, {"name": "not mine"}))
    none = refused(office, Call("tickets.edit", "ticket_" + "0" * 26, {"name": "nobody's"}))
    assert type(one) is type(none) is NotFound
    assert (one.message, one.hint) == (none.message, none.hint)


def test_a_record_is_meant_by_its_id_its_tail_in_any_case_or_its_natural_key(office: Workspace) -> None:
    made = str(open_ticket(office).returned)

    for text in (made, made[-8:], made[-6:].upper(), f"ticket_{made[-5:]}", "T-1"):
        assert office.do("tickets.chase", text).subject == made


def test_a_tail_of_several_ids_is_ambiguous(office: Workspace) -> None:
    one, two = (str(open_ticket(office, number).returned) for number in ("T-1", "T-2"))
    tail = next(one[-size:] for size in range(26, 2, -1) if one[-size:] == two[-size:])

    error = refused(office, Call("tickets.drop", tail))

    assert type(error) is Ambiguous
    assert error.facts["ids"] == f"{one}, {two}"


@pytest.mark.parametrize(
    "text", ["T-9", "xy", "", "%", "___", "'; DROP TABLE ticket --", "\0", "\ud800", "ticket_" + "é" * 26, "☃" * 4000]
)
def test_a_subject_that_means_nothing_is_not_found(office: Workspace, text: str) -> None:
    open_ticket(office)

    assert type(refused(office, Call("tickets.drop", text))) is NotFound
    assert type(refused(office, Call("tickets.give", "T-1", {"shop": text or "none"}))) in (NotFound, BadValue)


def test_a_natural_key_of_another_record_wins_over_a_tail(office: Workspace) -> None:
    first = str(open_ticket(office).returned)
    second = open_ticket(office, first[-6:]).returned

    assert office.do("tickets.chase", first[-6:]).subject == second


# -- the same operation again ------------------------------------------------------------------------------------------


KEY = operation_id_for_key("form 17")


def test_the_same_operation_again_is_repeated_and_changes_nothing(office: Workspace) -> None:
    office.do("shops.add", code="west")
    first, *_ = office.run([Call("tickets.open", None, {"number": "T-1", "amount": "1,000"}, id=KEY)])
    before = everything_in(office)

    again, *_ = office.run([Call("tickets.open", None, {"amount": 100_000, "number": " T-1"}, id=KEY)])

    assert (first.status, again.status, again.operation) == ("applied", "repeated", KEY)
    assert everything_in(office) == before


def test_the_same_operation_twice_in_a_batch_is_done_once(office: Workspace) -> None:
    call = Call("tickets.open", None, {"number": "T-1"}, id=KEY)

    assert [outcome.status for outcome in office.run([call, call])] == ["applied", "repeated"]
    assert office.verify() == 1


def test_an_operation_is_repeated_even_when_it_took_away_what_it_names(office: Workspace) -> None:
    open_ticket(office)
    call = Call("tickets.drop", "T-1", id=KEY)

    assert [office.run([call])[0].status for _ in range(2)] == ["applied", "repeated"]


@pytest.mark.parametrize(
    "other",
    [
        Call("tickets.edit", "T-1", {"name": "Bea"}, id=KEY),
        Call("tickets.edit", "T-2", {"name": "Ann"}, id=KEY),
        Call("tickets.edit", "T-1", {"name": "Ann", "note": "x"}, id=KEY),
        Call("tickets.edit", "T-1", {"name": "Ann", "colour": "x"}, id=KEY),
        Call("tickets.drop", "T-1", id=KEY),
    ],
)
def test_the_same_id_for_something_else_is_refused(office: Workspace, other: Call) -> None:
    open_ticket(office)
    open_ticket(office, "T-2")
    office.run([Call("tickets.edit", "T-1", {"name": "Ann"}, id=KEY)])

    assert "used before" in str(refused(office, other))


def test_a_refused_operation_can_be_sent_again_under_its_id(office: Workspace) -> None:
    call = Call("tickets.edit", "T-1", {"name": "Ann"}, id=KEY)
    refused(office, call)
    open_ticket(office)

    assert office.run([call])[0].status == "applied"


# -- effects -----------------------------------------------------------------------------------------------------------


def test_an_effect_is_written_with_its_operation_and_only_if_that_stands(office: Workspace) -> None:
    open_ticket(office, amount="5")

    closed = office.do("tickets.close", "T-1").operation
    refused(office, Call("tickets.close", "T-1"))

    made = ticket(office, "T-1").id
    assert everything_in(office)["effect"] == [
        (f"{closed}.0", closed, "ticket.closed", f'{{"ticket":"{made}"}}', "wanted"),
    ]


def test_an_effect_without_a_change_is_an_operation_too(office: Workspace) -> None:
    open_ticket(office)

    outcome = office.do("tickets.chase", "T-1")

    assert (outcome.status, outcome.changes) == ("applied", ())
    assert office.operations()[0].name == "tickets.chase"
    assert office.verify() == 2
