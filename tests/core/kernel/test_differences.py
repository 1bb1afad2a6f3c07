"""What the journal keeps of a change: the image after, and what differed before, from which that one is made again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple

from bo.core.kernel.dispatch import Call
from bo.core.kernel.journal import everything, history
from bo.core.kernel.record import info_of
from bo.core.kernel.unit import Change, change_between, image_before
from bo.core.kernel.workspace import Workspace
from tests.core.kernel.office.records import Ticket
from tests.core.kernel.stock import stock

FIRST: Final = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
TEXTS: Final = st.sampled_from(("", "a", "退款", 'a"b\\', '{"id":'))
TICKETS: Final = st.builds(
    Ticket,
    id=st.just("ticket_1"),
    revision=st.integers(0, 3),
    updated_at=st.sampled_from((FIRST, FIRST + timedelta(milliseconds=1))),
    scope=st.sampled_from(("hq", "store:shop_1")),
    extra=st.dictionaries(TEXTS, TEXTS, max_size=2),
    number=st.none() | TEXTS,
    state=st.sampled_from(("new", "given")),
    name=TEXTS,
    amount=st.none() | st.integers(-1, 1),
    due=st.none() | st.just(FIRST.date()),
    urgent=st.booleans(),
    tags=st.sampled_from(((), ("a",), ("a", "b"))),
)


def kept(change: Change) -> tuple[str, str]:
    return (change.was or b"").decode(), (change.after or b"").decode()


def test_what_differed_is_kept_and_the_image_after_whole(office: Workspace) -> None:
    opened = office.run([Call("tickets.open", None, {"number": "T-1", "name": "Ann"}, at=FIRST)], atomic=True)[0]
    row = str(opened.returned)
    office.run([Call("tickets.edit", row, {"name": "Bob"}, at=FIRST + timedelta(hours=1))], atomic=True)
    session = office.database.session

    (_, edited), (_, made) = history(session, row)

    assert kept(made) == ("", image(row, 1, "01", "Ann"))
    assert kept(edited) == (
        '{"revision":1,"updated_at":"2026-11-02T01:00:00Z","name":"Ann"}',
        image(row, 2, "02", "Bob"),
    )
    assert (made.before, edited.before) == (None, made.after)


def image(row: str, revision: int, hour: str, name: str) -> str:
    stamps = f'"created_at":"2026-11-02T01:00:00Z","updated_at":"2026-11-02T{hour}:00:00Z"'
    return f'{{"id":"{row}","revision":{revision},{stamps},"scope":"hq","number":"T-1","state":"new","name":"{name}"}}'


def test_every_image_before_is_the_image_after_the_change_before(office: Workspace) -> None:
    stock(office)
    office.undo(office.do("tickets.open", number="T-9").operation)
    latest: dict[str, bytes | None] = {}

    for _operation, changes in everything(office.database.session):
        for change in changes:
            assert change.before == latest.get(change.row)
            latest[change.row] = change.after

    assert len(latest) == 11
    assert list(latest.values()).count(None) == 1


@given(before=TICKETS, after=TICKETS)
def test_the_image_before_is_made_again_from_any_two_records(before: Ticket, after: Ticket) -> None:
    info = info_of(Ticket)

    change = change_between(info, "ticket_1", astuple(before), astuple(after), info.image(after))
    gone = change_between(info, "ticket_1", astuple(before), None, None)

    assert image_before(info, change.was, change.after) == info.image(before)
    assert (gone.was, gone.after) == (info.image(before), None)
    assert (change.scope_before, change.scope_after) == (before.scope, after.scope)


def test_a_list_in_place_of_an_equal_tuple_is_no_change(office: Workspace) -> None:
    row = office.do("tickets.open", number="T-1", tags="a,b").returned

    with office.transaction() as perform:
        assert perform([Call("tickets.edit", row, {"tags": ["a", "b"]})])[0].status == "unchanged"
